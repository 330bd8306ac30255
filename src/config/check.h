/*
 * What can be wrong with an upstream although each of its values is right: values that contradict each
 * other, need each other, or have no effect.
 */
#pragma once

#include "config/schema.h"

#include <libconfig.h>

struct check_site {
	struct upstream *upstream;	  /* complete: defaults and its own */
	const config_setting_t *own;	  /* its group in the file */
	const config_setting_t *defaults; /* the file's, or NULL */
	const bool *bad;		  /* by schema_index(): keys already complained about */

	/* Called for each problem, with the setting to blame and the path and sentence of it. */
	void (*complain)(const struct check_site *site, const config_setting_t *setting,
			 const char *path, const char *sentence);
	void *arg;
};

/*
 * check_upstream(site):
 * Look for contradictions and complain of each.  A key that has no effect is a problem where the upstream itself
 * gives it, and is forgotten where it comes from `defaults`.
 */
void check_upstream(const struct check_site *site);

/*
 * check_judged(site, judge):
 * Ask `judge` about the TLS settings, and complain of each that it rejects.  Returns whether it is content.
 */
bool check_judged(const struct check_site *site, config_check_fn judge);

/*
 * check_setting(group, path):
 * The setting at the dotted `path` (of at most two names) in `group`, or NULL; `group` may be NULL.
 */
const config_setting_t *check_setting(const config_setting_t *group, const char *path);
