#include "main/metrics.h"

#include "base/cleanup.h"
#include "base/must.h"
#include "base/text.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

/* The most that is told of one upstream in one family: a line for each code. */
#define LINE_MAX_BYTES 192
static_assert((FAILURE_COUNT + 4) * LINE_MAX_BYTES <= METRICS_PIECE_MAX, "a piece has room for it");

/* Names of upstreams, codes and reasons hold nothing that a label would have to escape. */

static void
write_head(struct text *text, const char *name, const char *type, const char *help)
{
	text_addf(text, "# TYPE %s %s\n# HELP %s %s\n", name, type, name, help);
}

static void
write_daemon(const struct metrics_daemon *daemon, struct text *text)
{
	write_head(text, "holdfast_build", "info", "The version that runs.");
	text_addf(text, "holdfast_build_info{version=\"%s\"} 1\n", PACKAGE_VERSION);
	write_head(text, "holdfast_start_time_seconds", "gauge",
		   "When the daemon was started, in seconds since 1970.");
	text_addf(text, "holdfast_start_time_seconds %" PRIu64 ".%06" PRIu64 "\n",
		  daemon->started / USEC_PER_SEC, daemon->started % USEC_PER_SEC);
	write_head(text, "holdfast_log_lost_lines", "counter",
		   "Lines that were lost because the log's reader did not keep up.");
	text_addf(text, "holdfast_log_lost_lines_total %" PRIu64 "\n", daemon->log_lost);
}

static void
write_totals(const struct model *model, struct text *text)
{
	struct model_totals totals;

	model_totals(model, &totals);
	write_head(text, "holdfast_upstreams", "gauge", "Configured upstreams by their health.");
	for (int health = 0; health < HEALTH_COUNT; health++)
		text_addf(text, "holdfast_upstreams{health=\"%s\"} %u\n",
			  health_name((enum health)health), totals.by_health[health]);
}

/* A state set: one sample for each health, of which the present one is 1. */
static void
write_health(const struct model_upstream *known, struct text *text)
{
	for (int health = 0; health < HEALTH_COUNT; health++)
		text_addf(text,
			  "holdfast_upstream_health{upstream=\"%s\",holdfast_upstream_health=\"%s\"} %d\n",
			  known->upstream->name, health_name((enum health)health),
			  (int)known->health == health);
}

static uint64_t
links_wanted(const struct model_upstream *known, const struct link_census *census)
{
	(void)known;
	return census->wanted;
}

static uint64_t
links_ready(const struct model_upstream *known, const struct link_census *census)
{
	(void)known;
	return census->ready;
}

static uint64_t
links_lent(const struct model_upstream *known, const struct link_census *census)
{
	(void)known;
	return census->lent;
}

static uint64_t
attempts(const struct model_upstream *known, const struct link_census *census)
{
	(void)census;
	return known->counters.attempts;
}

static uint64_t
established(const struct model_upstream *known, const struct link_census *census)
{
	(void)census;
	return known->counters.established;
}

static uint64_t
failed(const struct model_upstream *known, const struct link_census *census)
{
	(void)census;
	return known->counters.failed;
}

/* Only the codes that have occurred: a hundred zeros for each upstream would help nobody. */
static void
write_failures(const struct model_upstream *known, struct text *text)
{
	for (int code = FAILURE_NONE + 1; code < FAILURE_COUNT; code++)
		if (known->failures[code] > 0)
			text_addf(text,
				  "holdfast_failures_total{upstream=\"%s\",code=\"%s\"} %" PRIu64 "\n",
				  known->upstream->name, failure_name((enum failure_code)code),
				  known->failures[code]);
}

static void
write_closes(const struct model_upstream *known, struct text *text)
{
	for (int reason = 0; reason < CLOSE_REASON_COUNT; reason++)
		if (known->closes[reason] > 0)
			text_addf(text,
				  "holdfast_closes_total{upstream=\"%s\",reason=\"%s\"} %" PRIu64 "\n",
				  known->upstream->name, close_reason_name((enum close_reason)reason),
				  known->closes[reason]);
}

/* What is told of each upstream: one figure, or whatever `write` writes.  The samples of a counter end in _total. */
struct metric {
	const char *name, *type, *help;
	uint64_t (*value)(const struct model_upstream *known, const struct link_census *census);
	void (*write)(const struct model_upstream *known, struct text *text);
};

static const struct metric metrics[] = {
	{ "holdfast_upstream_health", "stateset", "The verdict over an upstream.", .write = write_health },
	{ "holdfast_links_wanted", "gauge", "Links that shall be ready.", links_wanted },
	{ "holdfast_links_ready", "gauge", "Links that are ready.", links_ready },
	{ "holdfast_links_lent", "gauge", "Links whose connection belongs to a borrower.", links_lent },
	{ "holdfast_attempts", "counter", "Attempts that have ended, well or badly.", attempts },
	{ "holdfast_attempts_established", "counter", "Attempts that ended in a ready connection.",
	  established },
	{ "holdfast_attempts_failed", "counter", "Attempts that ended in a failure.", failed },
	{ "holdfast_failures", "counter",
	  "Failures by code: of attempts, and of connections that had been ready.",
	  .write = write_failures },
	{ "holdfast_closes", "counter",
	  "Ready connections that were closed for a reason that is no failure.", .write = write_closes },
};

static void
write_upstream(const struct metric *metric, const struct model_upstream *known, struct text *text)
{
	bool is_counter = strcmp(metric->type, "counter") == 0;
	struct link_census census;

	if (metric->write) {
		metric->write(known, text);
		return;
	}
	model_census(known, &census);
	text_addf(text, "%s%s{upstream=\"%s\"} %" PRIu64 "\n", metric->name,
		  is_counter ? "_total" : "", known->upstream->name, metric->value(known, &census));
}

static void
write_family(struct metrics_walk *walk, const struct model *model, struct text *text)
{
	const struct metric *metric = &metrics[walk->family - 1];
	const struct model_upstream *known = model_next(model, walk->last);

	if (!walk->within)
		write_head(text, metric->name, metric->type, metric->help);
	walk->within = known != NULL;
	if (known) {
		text_copy(walk->last, sizeof(walk->last), known->upstream->name);
		write_upstream(metric, known, text);
	} else {
		walk->last[0] = '\0';
		walk->family++;
	}
}

bool
metrics_next(struct metrics_walk *walk, const struct model *model,
	     const struct metrics_daemon *daemon, struct text *text)
{
	bool more = walk->family <= COUNT_OF(metrics);

	if (walk->family == 0) {
		write_daemon(daemon, text);
		write_totals(model, text);
		walk->family++;
	} else if (more) {
		write_family(walk, model, text);
	} else {
		text_add(text, "# EOF\n");
	}
	must(!text->cut);
	return more;
}
