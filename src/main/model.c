#include "main/model.h"

#include "base/must.h"
#include "base/text.h"
#include "main/model_internal.h"
#include "sys/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGE_MAX 160 /* bytes of a message of the model's own */

int
model_new(struct notices *notices, struct model **ret_model)
{
	struct model *model = calloc(1, sizeof(*model));

	if (!model)
		return -ENOMEM;
	model->notices = notices;
	list_init(&model->flapping);
	*ret_model = model;
	return 0;
}

static void
upstream_forget(struct model_upstream *known)
{
	list_remove(&known->flapping);
	while (known->link_count > 0)
		model_link_remove(known, &known->links[known->link_count - 1]);
	free(known->links);
	history_free(known->history);
	upstream_unref(known->upstream);
	free(known);
}

struct model *
model_free(struct model *model)
{
	if (!model)
		return NULL;
	for (size_t i = 0; i < model->id_count; i++)
		upstream_forget(model->by_id[i]);
	free(model->by_name);
	free(model->by_id);
	free(model);
	return NULL;
}

void
model_stop(struct model *model)
{
	model->stopping = true;
}

/* ---- links ---------------------------------------------------------------------------------------- */

/* The place of `number` in the array, or where it would have to be. */
static unsigned int
link_place(const struct model_upstream *known, unsigned int number)
{
	unsigned int low = 0, high = known->link_count;

	while (low < high) {
		unsigned int middle = low + (high - low) / 2;

		if (known->links[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct model_link *
model_link_find(struct model_upstream *known, unsigned int number)
{
	unsigned int place = link_place(known, number);

	if (place == known->link_count || known->links[place].number != number)
		return NULL;
	return &known->links[place];
}

struct model_link *
model_link_get(struct model_upstream *known, unsigned int number)
{
	struct model_link *link = model_link_find(known, number), *links;
	unsigned int place = link_place(known, number);

	if (link)
		return link;
	links = reallocarray(known->links, known->link_count + 1, sizeof(*links));
	if (!links)
		return NULL;
	known->links = links;
	memmove(links + place + 1, links + place, (known->link_count - place) * sizeof(*links));
	known->link_count++;
	links[place] = (struct model_link){
		.number = number,
		.ready_since = USEC_INFINITY,
		.failing_since = USEC_INFINITY,
	};
	return &links[place];
}

void
model_link_remove(struct model_upstream *known, struct model_link *link)
{
	size_t place = (size_t)(link - known->links);

	model_link_count(known, link, -1);
	if (link->known && link->status.has_tls)
		chain_unref(link->status.tls.chain);
	known->link_count--;
	memmove(link, link + 1, (known->link_count - place) * sizeof(*link));
}

void
model_link_count(struct model_upstream *known, const struct model_link *link, int by)
{
	struct link_census *census = &known->census;

	if (!link->known)
		return;
	census->ready += (unsigned int)(by * (link->status.stage == STAGE_READY));
	census->lent += (unsigned int)(by * (link->status.stage == STAGE_LENT));
	census->paused += (unsigned int)(by * (link->status.stage == STAGE_PAUSED));
	census->held += (unsigned int)(by * link->status.held);
}

/* The links that are wanted are there from the start; a worker's word makes them known. */
static int
make_links(struct model_upstream *known)
{
	known->census.wanted = known->upstream->policy.connections;
	for (unsigned int number = 1; number <= known->census.wanted; number++)
		if (!model_link_get(known, number))
			return -ENOMEM;
	return 0;
}

/* ---- upstreams ------------------------------------------------------------------------------------ */

static size_t
name_place(const struct model *model, const char *name)
{
	size_t low = 0, high = model->name_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(model->by_name[middle]->upstream->name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static size_t
id_place(const struct model *model, upstream_id id)
{
	size_t low = 0, high = model->id_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (model->by_id[middle]->id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void
insert(struct model_upstream **array, size_t *count, size_t place, struct model_upstream *known)
{
	memmove(array + place + 1, array + place, (*count - place) * sizeof(*array));
	array[place] = known;
	(*count)++;
}

static void
take_out(struct model_upstream **array, size_t *count, size_t place)
{
	(*count)--;
	memmove(array + place, array + place + 1, (*count - place) * sizeof(*array));
}

/* Room for one more in both arrays. */
static int
make_room(struct model *model)
{
	size_t room = model->room ? model->room * 2 : 64;
	struct model_upstream **grown;

	if (model->id_count < model->room)
		return 0;
	grown = reallocarray(model->by_name, room, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	model->by_name = grown;
	grown = reallocarray(model->by_id, room, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	model->by_id = grown;
	model->room = room;
	return 0;
}

static bool
is_unverified(const struct upstream *upstream)
{
	return upstream->policy.tls.enabled && upstream->policy.tls.verify == VERIFY_NONE;
}

static void
set_unverified(struct model_upstream *known)
{
	known->warnings &= ~(UINT32_C(1) << WARNING_VERIFICATION_DISABLED);
	known->warnings |= (uint32_t)is_unverified(known->upstream) << WARNING_VERIFICATION_DISABLED;
}

int
model_add(struct model *model, const struct model_setup *setup, struct model_upstream **ret_upstream)
{
	struct model_upstream *known = calloc(1, sizeof(*known));

	if (!known)
		return -ENOMEM;
	model_flap_init(known);
	known->id = setup->id;
	known->upstream = upstream_ref(setup->upstream);
	known->worker = setup->worker;
	known->paused = !setup->upstream->policy.enabled;
	known->history = history_new();
	if (!known->history || make_links(known) < 0 || make_room(model) < 0) {
		upstream_forget(known);
		return -ENOMEM;
	}
	known->health = known->paused ? HEALTH_PAUSED : HEALTH_STARTING;
	known->health_since = clock_realtime();
	model->by_health[known->health]++;
	set_unverified(known);
	availability_init(&known->availability, setup->now);
	insert(model->by_name, &model->name_count, name_place(model, setup->upstream->name), known);
	insert(model->by_id, &model->id_count, id_place(model, setup->id), known);
	*ret_upstream = known;
	return 0;
}

/* Whoever has changed something wants to see what comes of it. */
static void
listen_anew(struct model_upstream *known)
{
	for (unsigned int i = 0; i < known->link_count; i++)
		known->links[i].noise = (struct noise){ 0 };
}

int
model_change(struct model *model, struct model_upstream *known, struct upstream *upstream, usec_t now)
{
	struct upstream *before = known->upstream;
	int r;

	must(strcmp(before->name, upstream->name) == 0);
	known->upstream = upstream_ref(upstream);
	upstream_unref(before);
	r = make_links(known);
	listen_anew(known);
	set_unverified(known);
	model_judge(model, known, now);
	return r;
}

void
model_drop(struct model *model, struct model_upstream *known)
{
	size_t place = name_place(model, known->upstream->name);

	must(!known->dropped && model->by_name[place] == known);
	take_out(model->by_name, &model->name_count, place);
	model->by_health[known->health]--;
	model_flap_forget(known);
	known->dropped = true;
}

void
model_remove(struct model *model, struct model_upstream *known)
{
	size_t place = id_place(model, known->id);

	must(known->dropped && model->by_id[place] == known);
	take_out(model->by_id, &model->id_count, place);
	upstream_forget(known);
}

void
model_set_paused(struct model *model, struct model_upstream *known, bool paused, usec_t now)
{
	known->paused = paused;
	/* What comes after a pause is a fresh start: nothing has been attempted, and nothing has failed. */
	known->census.attempted = known->census.attempted && paused;
	for (unsigned int i = 0; i < known->link_count; i++)
		known->links[i].failing_since = USEC_INFINITY;
	listen_anew(known);
	model_judge(model, known, now);
}

struct model_upstream *
model_find(const struct model *model, const char *name)
{
	size_t place = name_place(model, name);

	if (place == model->name_count || strcmp(model->by_name[place]->upstream->name, name) != 0)
		return NULL;
	return model->by_name[place];
}

struct model_upstream *
model_by_id(const struct model *model, upstream_id id)
{
	size_t place = id_place(model, id);

	if (place == model->id_count || model->by_id[place]->id != id)
		return NULL;
	return model->by_id[place];
}

struct model_upstream *
model_next(const struct model *model, const char *name)
{
	size_t place = name_place(model, name);

	if (place < model->name_count && strcmp(model->by_name[place]->upstream->name, name) == 0)
		place++;
	return place < model->name_count ? model->by_name[place] : NULL;
}

/* ---- health --------------------------------------------------------------------------------------- */

void
model_census(const struct model_upstream *known, struct link_census *ret_census)
{
	unsigned int usable = known->census.ready + known->census.lent;

	*ret_census = known->census;
	if (known->paused && ret_census->wanted > usable)
		ret_census->paused = ret_census->wanted - usable;
}

static void
health_message(const struct model_upstream *known, enum health health, struct text *text)
{
	const struct link_census *census = &known->census;
	unsigned int usable = census->ready + census->lent, failures = history_count(known->history);

	switch (health) {
	case HEALTH_UP:
		if (census->wanted == 1)
			text_add(text, "the link is ready");
		else
			text_addf(text, "all %u links are ready", census->wanted);
		return;
	case HEALTH_DEGRADED:
		text_addf(text, "%u of %u links %s ready", usable, census->wanted,
			  usable == 1 ? "is" : "are");
		return;
	case HEALTH_DOWN:
		text_add(text, "no link is ready");
		if (failures > 0)
			text_addf(text, ", last failure %s",
				  failure_name(history_at(known->history, failures - 1)->failure.code));
		return;
	case HEALTH_PAUSED: text_add(text, "paused; no attempts are made"); return;
	case HEALTH_OFFLINE:
		text_add(text, "attempts are held, since this host has no network");
		return;
	default: text_add(text, "the first attempts are under way"); return;
	}
}

static void
tell_health(struct model *model, struct model_upstream *known)
{
	char message[MESSAGE_MAX];
	struct text text = TEXT_INIT(message);

	health_message(known, known->health, &text);
	model_tell(model, known,
		   &(struct notice){
			   .kind = NOTICE_HEALTH,
			   .level = LEVEL_NOTICE,
			   .realtime = known->health_since,
			   .stage = -1,
			   .health = known->health,
			   .message = message,
		   });
}

void
model_judge(struct model *model, struct model_upstream *known, usec_t now)
{
	struct link_census census;
	enum health health;

	availability_set(&known->availability, known->census.ready + known->census.lent > 0, now);
	if (model->stopping || known->dropped)
		return;
	model_census(known, &census);
	health = upstream_health(&census);
	if (health == known->health)
		return;
	model->by_health[known->health]--;
	model->by_health[health]++;
	known->health = health;
	known->health_since = clock_realtime();
	tell_health(model, known);
}

void
model_tell(struct model *model, const struct model_upstream *known, struct notice *notice)
{
	notice->upstream = known ? known->upstream->name : NULL;
	notices_tell(model->notices, notice);
}

/* The verdict over `active` upstreams, none of them paused. */
static enum health
overall(const unsigned int *by_health, unsigned int active)
{
	unsigned int usable = by_health[HEALTH_UP] + by_health[HEALTH_DEGRADED];

	if (by_health[HEALTH_UP] == active)
		return HEALTH_UP;
	if (by_health[HEALTH_OFFLINE] == active)
		return HEALTH_OFFLINE;
	if (by_health[HEALTH_UP] + by_health[HEALTH_STARTING] == active)
		return HEALTH_STARTING;
	if (usable > 0)
		return HEALTH_DEGRADED;
	return by_health[HEALTH_STARTING] > 0 ? HEALTH_STARTING : HEALTH_DOWN;
}

void
model_totals(const struct model *model, struct model_totals *ret_totals)
{
	unsigned int upstreams = (unsigned int)model->name_count;
	unsigned int active = upstreams - model->by_health[HEALTH_PAUSED];

	ret_totals->upstreams = upstreams;
	memcpy(ret_totals->by_health, model->by_health, sizeof(ret_totals->by_health));
	ret_totals->health = upstreams > 0 && active == 0 ? HEALTH_PAUSED :
							    overall(model->by_health, active);
}
