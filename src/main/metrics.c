#include "main/metrics.h"

#include "base/cleanup.h"
#include "base/must.h"

#include <inttypes.h>

struct writer {
	const struct model *model;
	FILE *out;
};

/* Names of upstreams, codes and reasons hold nothing that a label would have to escape. */

static void
family(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# TYPE %s %s\n# HELP %s %s\n", name, type, name, help);
}

static void
write_daemon(const struct writer *writer, const struct metrics_daemon *daemon)
{
	family(writer->out, "holdfast_build", "info", "The version that runs.");
	fprintf(writer->out, "holdfast_build_info{version=\"%s\"} 1\n", PACKAGE_VERSION);
	family(writer->out, "holdfast_start_time_seconds", "gauge",
	       "When the daemon was started, in seconds since 1970.");
	fprintf(writer->out, "holdfast_start_time_seconds %" PRIu64 ".%06" PRIu64 "\n",
		daemon->started / USEC_PER_SEC, daemon->started % USEC_PER_SEC);
	family(writer->out, "holdfast_log_lost_lines", "counter",
	       "Lines that were lost because the log's reader did not keep up.");
	fprintf(writer->out, "holdfast_log_lost_lines_total %" PRIu64 "\n", daemon->log_lost);
}

static void
write_totals(const struct writer *writer)
{
	struct model_totals totals;

	model_totals(writer->model, &totals);
	family(writer->out, "holdfast_upstreams", "gauge", "Configured upstreams by their health.");
	for (int health = 0; health < HEALTH_COUNT; health++)
		fprintf(writer->out, "holdfast_upstreams{health=\"%s\"} %u\n",
			health_name((enum health)health), totals.by_health[health]);
}

/* A state set: one sample for each health, of which the present one is 1. */
static void
write_health(const struct writer *writer, const struct model_upstream *known)
{
	for (int health = 0; health < HEALTH_COUNT; health++)
		fprintf(writer->out,
			"holdfast_upstream_health{upstream=\"%s\",holdfast_upstream_health=\"%s\"} %d\n",
			known->upstream->name, health_name((enum health)health),
			(int)known->health == health);
}

/* One figure of an upstream: a gauge, or a counter, whose samples end in _total. */
struct figure {
	const char *name, *help;
	bool is_counter;
	uint64_t (*value)(const struct model_upstream *known, const struct link_census *census);
};

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

static const struct figure figures[] = {
	{ "holdfast_links_wanted", "Links that shall be ready.", false, links_wanted },
	{ "holdfast_links_ready", "Links that are ready.", false, links_ready },
	{ "holdfast_links_lent", "Links whose connection belongs to a borrower.", false, links_lent },
	{ "holdfast_attempts", "Attempts that have ended, well or badly.", true, attempts },
	{ "holdfast_attempts_established", "Attempts that ended in a ready connection.", true,
	  established },
	{ "holdfast_attempts_failed", "Attempts that ended in a failure.", true, failed },
};

static void
write_figure(const struct writer *writer, const struct figure *figure)
{
	const struct model_upstream *known = model_next(writer->model, "");

	family(writer->out, figure->name, figure->is_counter ? "counter" : "gauge", figure->help);
	for (; known; known = model_next(writer->model, known->upstream->name)) {
		struct link_census census;

		model_census(known, &census);
		fprintf(writer->out, "%s%s{upstream=\"%s\"} %" PRIu64 "\n", figure->name,
			figure->is_counter ? "_total" : "", known->upstream->name,
			figure->value(known, &census));
	}
}

/* Only the codes that have occurred: a hundred zeros for each upstream would help nobody. */
static void
write_failures(const struct writer *writer, const struct model_upstream *known)
{
	for (int code = FAILURE_NONE + 1; code < FAILURE_COUNT; code++)
		if (known->failures[code] > 0)
			fprintf(writer->out,
				"holdfast_failures_total{upstream=\"%s\",code=\"%s\"} %" PRIu64 "\n",
				known->upstream->name, failure_name((enum failure_code)code),
				known->failures[code]);
}

static void
write_closes(const struct writer *writer, const struct model_upstream *known)
{
	for (int reason = 0; reason < CLOSE_REASON_COUNT; reason++)
		if (known->closes[reason] > 0)
			fprintf(writer->out,
				"holdfast_closes_total{upstream=\"%s\",reason=\"%s\"} %" PRIu64 "\n",
				known->upstream->name, close_reason_name((enum close_reason)reason),
				known->closes[reason]);
}

static void
for_each_upstream(const struct writer *writer,
		  void (*write)(const struct writer *writer, const struct model_upstream *known))
{
	const struct model_upstream *known = model_next(writer->model, "");

	for (; known; known = model_next(writer->model, known->upstream->name))
		write(writer, known);
}

void
metrics_write(const struct model *model, const struct metrics_daemon *daemon, FILE *out)
{
	const struct writer writer = { .model = model, .out = out };

	write_daemon(&writer, daemon);
	write_totals(&writer);
	family(out, "holdfast_upstream_health", "stateset", "The verdict over an upstream.");
	for_each_upstream(&writer, write_health);
	for (size_t i = 0; i < COUNT_OF(figures); i++)
		write_figure(&writer, &figures[i]);
	family(out, "holdfast_failures", "counter",
	       "Failures by code: of attempts, and of connections that had been ready.");
	for_each_upstream(&writer, write_failures);
	family(out, "holdfast_closes", "counter",
	       "Ready connections that were closed for a reason that is no failure.");
	for_each_upstream(&writer, write_closes);
	fprintf(out, "# EOF\n");
}
