/*
 * What `holdfastctl check` is asked to try, and what it makes of the result; apart from command_check() nothing here opens anything.
 */
#pragma once

#include "config/config.h"
#include "ctl/verb.h"
#include "ctl/trace.h"

#include <jansson.h>

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
 * check_queries(trace), check_attempt(trace, attempt):
 * The parts of it, for a trace that is still going on: all queries; what became of one address.  The caller owns them.
 */
json_t *check_queries(const struct trace *trace);
json_t *check_attempt(const struct trace *trace, const struct trace_attempt *attempt);

/* A report as it is printed for people, part after part. */
struct check_view {
	const struct screen *screen;
	const char *target;  /* as the command line has it; borrowed */
	uint64_t now;	     /* realtime in microseconds */
	json_t *chain;	     /* shown last; a reference; or NULL */
	char *chain_address; /* owned */
};

/*
 * check_show_begin(view, screen, target), check_show_queries(view, queries), check_show_attempt(view, attempt),
 * check_show_end(view, report):
 * Print what is being tried, the queries, one attempt after the other, and what is left to say of the whole report.
 * check_show_end() frees what the view holds.
 */
void check_show_begin(struct check_view *view, const struct screen *screen, const char *target);
void check_show_queries(const struct check_view *view, const json_t *queries);
void check_show_attempt(struct check_view *view, const json_t *attempt);
void check_show_end(struct check_view *view, const json_t *report);

/*
 * check_status(report):
 * The exit status: 0 where every address worked, 2 where some did, else 11 to 17 by the class of the first failure.
 */
int check_status(const json_t *report);
