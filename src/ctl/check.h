/*
 * What `holdfastctl check` is asked to try, and what it makes of the result; apart from command_check() nothing here opens anything.
 */
#pragma once

#include "config/config.h"
#include "ctl/verb.h"
#include "ctl/trace.h"

#include <jansson.h>

/*
 * check_is_url(word):
 * Whether `word` is meant to be a URL rather than the name of a configured upstream.
 */
bool check_is_url(const char *word);

/* What became of a URL. */
struct check_plan {
	struct config *config; /* holds the one upstream; NULL where there is a failure */
	struct failure failure; /* address.invalid, where the address cannot be right (FAILURES.md, ruling 1) */
};

/*
 * check_plan(arguments, ret_plan):
 * Make an upstream of the URL arguments->names[0] and the options.  Returns 0, or STATUS_USAGE having said what is wrong.
 * check_plan_done() frees the plan.
 */
int check_plan(const struct arguments *arguments, struct check_plan *ret_plan);
void check_plan_done(struct check_plan *plan);

/*
 * check_report(title, trace):
 * The result as JSON: {"target", "queries": […], "attempts": […]}.  The caller owns it.
 */
json_t *check_report(const char *title, const struct trace *trace);

/*
 * check_show(screen, report, now):
 * Print a report for people; `now` is the realtime in microseconds.
 */
void check_show(const struct screen *screen, const json_t *report, uint64_t now);

/*
 * check_status(report):
 * The exit status: 0 where every address worked, 2 where some did, else 11 to 17 by the class of the first failure.
 */
int check_status(const json_t *report);
