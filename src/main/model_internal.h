/*
 * What main/model and main/model_event share; nobody else includes it.
 */
#pragma once

#include "main/model.h"

struct model {
	struct notices *notices;
	struct model_upstream **by_name; /* sorted by name; dropped ones are not in it */
	struct model_upstream **by_id; /* sorted by id: since ids only grow, a new one goes to the end */
	size_t name_count, id_count;
	size_t room; /* that both arrays have been allocated for */
	unsigned int by_health[HEALTH_COUNT];
	struct list flapping; /* of struct model_upstream, the one whose last connection ended first comes first */
	bool stopping;
};

/*
 * model_link_find(known, number), model_link_get(known, number):
 * The link of that number, or NULL; the same, made where it was missing, or NULL for want of memory.
 */
struct model_link *model_link_find(struct model_upstream *known, unsigned int number);
struct model_link *model_link_get(struct model_upstream *known, unsigned int number);

/*
 * model_link_remove(known, link):
 * Forget one link.
 */
void model_link_remove(struct model_upstream *known, struct model_link *link);

/*
 * model_link_count(known, link, by):
 * Add (`by` 1) or take away (-1) what `link` contributes to the census: before and after each change of its status.
 */
void model_link_count(struct model_upstream *known, const struct model_link *link, int by);

/*
 * model_flap(model, known, code, now):
 * A ready connection of `known` has ended with `code`: tell it where it flaps now.
 */
void model_flap(struct model *model, struct model_upstream *known, enum failure_code code, usec_t now);

/*
 * model_flap_init(known), model_flap_forget(known):
 * None has ended; likewise, and no warning of it is in force any more.
 */
void model_flap_init(struct model_upstream *known);
void model_flap_forget(struct model_upstream *known);

/*
 * model_judge(model, known, now):
 * Work out the health, and tell where it has changed.
 */
void model_judge(struct model *model, struct model_upstream *known, usec_t now);

/*
 * model_tell(model, known, notice):
 * Tell all subscribers, `known`'s name being filled in.
 */
void model_tell(struct model *model, const struct model_upstream *known, struct notice *notice);
