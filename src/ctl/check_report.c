/* The result of a trace: as JSON, and that for people. */
#include "ctl/check.h"

#include "base/cleanup.h"
#include "core/stage.h"
#include "ctl/detail.h"
#include "ctl/encode.h"
#include "ctl/when.h"
#include "sys/clock.h"

#include <string.h>

#define LINE_BYTES 2048

/* ---- to JSON ---------------------------------------------------------------------------------------------------- */

static json_t *
query_json(const struct trace *trace, const struct trace_query *query)
{
	json_t *addresses = ctl_need(json_array());
	json_t *value;

	for (unsigned int i = 0; i < query->count; i++)
		json_array_append_new(addresses, encode_address(&query->addresses[i]));
	value = ctl_need(json_pack("{s:s, s:s, s:I, s:o}", "host", query->target->host, "family",
				   query->family == FAMILY_IPV4 ? "ipv4" : "ipv6", "elapsedUSec",
				   (json_int_t)query->elapsed, "addresses", addresses));
	if (query->count == 0)
		json_object_set_new(
			value, "failure",
			encode_failure(&query->failure, clock_realtime(), trace->upstream->name));
	return value;
}

static json_t *
attempt_json(const struct trace *trace, const struct trace_attempt *attempt)
{
	const char *upstream = trace->upstream ? trace->upstream->name : "check";
	json_t *value = ctl_need(json_pack("{s:b, s:o*, s:I, s:o}", "worked", attempt->worked,
					   "address", encode_address(&attempt->address),
					   "elapsedUSec", (json_int_t)attempt->elapsed, "timings",
					   encode_timings(attempt->timing)));

	if (!attempt->worked) {
		json_object_set_new(value, "failure",
				    encode_failure(&attempt->failure, clock_realtime(), upstream));
		return value;
	}
	if (address_is_set(&attempt->status.source))
		json_object_set_new(value, "source", encode_address(&attempt->status.source));
	if (attempt->status.rtt > 0)
		json_object_set_new(value, "rttUSec", json_integer((json_int_t)attempt->status.rtt));
	if (attempt->status.has_tls)
		json_object_set_new(value, "tls", encode_tls(&attempt->status.tls));
	return value;
}

json_t *
check_report(const char *title, const struct trace *trace)
{
	json_t *queries = ctl_need(json_array()), *attempts = ctl_need(json_array());

	for (unsigned int i = 0; i < trace->query_count; i++)
		json_array_append_new(queries, query_json(trace, &trace->queries[i]));
	for (unsigned int i = 0; i < trace->attempt_count; i++)
		json_array_append_new(attempts, attempt_json(trace, &trace->attempts[i]));
	return ctl_need(json_pack("{s:s, s:o, s:o}", "target", title, "queries", queries,
				  "attempts", attempts));
}

/* ---- exit status ------------------------------------------------------------------------------------------------ */

static const char *
code_of(const json_t *value)
{
	const char *code = json_string_value(json_object_get(json_object_get(value, "failure"), "code"));

	return code ? code : "";
}

/* No address at all: an answer without records says less than any other failure. */
static json_t *
unresolved(const json_t *queries)
{
	const json_t *telling = NULL;
	json_t *query;
	size_t index;

	json_array_foreach(queries, index, query)
	{
		if (!telling || strcmp(code_of(telling), "address.no-data") == 0)
			telling = query;
	}
	return json_object_get(telling, "failure");
}

int
check_status(const json_t *report)
{
	const json_t *attempts = json_object_get(report, "attempts");
	size_t index, worked = 0;
	const json_t *failed = NULL;
	json_t *attempt;

	json_array_foreach(attempts, index, attempt)
	{
		if (json_is_true(json_object_get(attempt, "worked")))
			worked++;
		else if (!failed)
			failed = attempt;
	}
	if (index == 0)
		return view_down_status(unresolved(json_object_get(report, "queries")));
	if (!failed)
		return STATUS_DONE;
	return worked > 0 ? STATUS_DEGRADED : view_down_status(json_object_get(failed, "failure"));
}

/* ---- for people ------------------------------------------------------------------------------------------------- */

static void
show_query(const struct screen *screen, const json_t *query)
{
	const char *family = json_string_value(json_object_get(query, "family"));
	char buffer[LINE_BYTES], elapsed[WHEN_TEXT_MAX], error[VIEW_ERROR_MAX];
	struct text text = TEXT_INIT(buffer), elapsed_text = TEXT_INIT(elapsed);
	struct view_failure failure;

	when_timing((usec_t)json_integer_value(json_object_get(query, "elapsedUSec")), &elapsed_text);
	detail_words(json_object_get(query, "addresses"), &text);
	if (view_failure(json_object_get(query, "failure"), &failure, error))
		text_addf(&text, "%s: %s%s%s%s", failure.code, failure.message,
			  failure.error ? " (" : "", failure.error ? failure.error : "",
			  failure.error ? ")" : "");
	screen_pair(screen, family && strcmp(family, "ipv4") == 0 ? "A" : "AAAA", "%s  [%s]",
		    buffer, elapsed);
}

static void
show_unresolved(const struct screen *screen, const json_t *queries)
{
	char error[VIEW_ERROR_MAX];
	struct view_failure failure;

	if (!view_failure(unresolved(queries), &failure, error))
		return;
	screen_title(screen, STYLE_BAD, "no address: %s", failure.code);
	detail_failure(screen, &failure, 0);
}

static void
show_queries(const struct screen *screen, const json_t *queries)
{
	const char *host = "";
	json_t *query;
	size_t index;

	json_array_foreach(queries, index, query)
	{
		const char *of = json_string_value(json_object_get(query, "host"));

		if (of && strcmp(of, host) != 0)
			screen_title(screen, STYLE_BOLD, "resolve %s", of);
		host = of ? of : host;
		show_query(screen, query);
	}
}

/* One line of the timeline: when a stage began, and how long it took. */
static void
show_step(const struct screen *screen, usec_t at, const char *what, usec_t took)
{
	char began[WHEN_TEXT_MAX], duration[WHEN_TEXT_MAX];
	struct text began_text = TEXT_INIT(began), duration_text = TEXT_INIT(duration);

	text_add(&began_text, "+");
	when_timing(at, &began_text);
	text_add(&duration_text, " ");
	when_timing(took, &duration_text);
	screen_pair(screen, began, "%s%s", what, took == USEC_INFINITY ? "" : duration);
}

static void
show_timeline(const struct screen *screen, const json_t *attempt)
{
	const json_t *timings = json_object_get(attempt, "timings");
	usec_t at = 0;

	for (int stage = STAGE_LOAD; stage <= STAGE_PROBE; stage++) {
		const char *name = stage_name((enum stage)stage);
		const json_t *took = json_object_get(timings, name);

		if (!took)
			continue;
		show_step(screen, at, name, (usec_t)json_integer_value(took));
		at += (usec_t)json_integer_value(took);
	}
	if (at > 0 || json_is_true(json_object_get(attempt, "worked")))
		show_step(screen, at,
			  json_is_true(json_object_get(attempt, "worked")) ? "ready" : "failed",
			  USEC_INFINITY);
}

struct checked {
	const struct screen *screen;
	uint64_t now;
	const json_t *chain; /* shown last */
	const char *chain_address;
};

/* The addresses of a service usually show the same chain: it is shown once. */
static void
show_chain(struct checked *checked, json_t *chain, const char *address)
{
	char error[VIEW_ERROR_MAX];

	if (json_array_size(chain) == 0)
		return;
	if (checked->chain && json_equal(checked->chain, chain)) {
		screen_pair(checked->screen, "certificates", "as those of %s", checked->chain_address);
		return;
	}
	checked->chain = chain;
	checked->chain_address = address;
	detail_chain(checked->screen, chain, checked->now, error);
}

static void
show_success(struct checked *checked, const json_t *attempt, const char *address)
{
	const char *source = json_string_value(json_object_get(attempt, "source"));
	const json_t *rtt = json_object_get(attempt, "rttUSec");
	char buffer[WHEN_TEXT_MAX], error[VIEW_ERROR_MAX];
	struct text text = TEXT_INIT(buffer);
	struct view_tls tls;

	if (source)
		screen_pair(checked->screen, "source", "%s", source);
	if (rtt) {
		when_timing((usec_t)json_integer_value(rtt), &text);
		screen_pair(checked->screen, "round trip", "%s", buffer);
	}
	if (!view_tls(json_object_get(attempt, "tls"), &tls, error))
		return;
	detail_tls(checked->screen, &tls);
	show_chain(checked, tls.chain, address);
}

static void
show_attempt(struct checked *checked, const json_t *attempt, const char *target)
{
	const char *address = json_string_value(json_object_get(attempt, "address"));
	char error[VIEW_ERROR_MAX];
	struct view_failure failure;

	address = address ? address : target;
	if (json_is_true(json_object_get(attempt, "worked"))) {
		screen_title(checked->screen, STYLE_GOOD, "%s: works", address);
		show_timeline(checked->screen, attempt);
		show_success(checked, attempt, address);
	} else if (view_failure(json_object_get(attempt, "failure"), &failure, error)) {
		screen_title(checked->screen, STYLE_BAD, "%s: %s", address, failure.code);
		show_timeline(checked->screen, attempt);
		detail_failure(checked->screen, &failure, 0);
		show_chain(checked, failure.chain, address);
	}
}

void
check_show(const struct screen *screen, const json_t *report, uint64_t now)
{
	struct checked checked = { .screen = screen, .now = now };
	const char *target = json_string_value(json_object_get(report, "target"));
	json_t *attempt;
	size_t index;

	screen_line(screen, STYLE_BOLD, target);
	show_queries(screen, json_object_get(report, "queries"));
	json_array_foreach(json_object_get(report, "attempts"), index, attempt)
	{
		show_attempt(&checked, attempt, target);
	}
	if (index == 0)
		show_unresolved(screen, json_object_get(report, "queries"));
}
