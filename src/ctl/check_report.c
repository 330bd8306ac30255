/* The result of a trace: as JSON, and that for people. */
#include "ctl/check.h"

#include "base/cleanup.h"
#include "core/proxy.h"
#include "core/stage.h"
#include "ctl/detail.h"
#include "ctl/encode.h"
#include "ctl/when.h"
#include "sys/clock.h"

#include <stdlib.h>
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
	if (query->partial)
		json_object_set_new(value, "partial", json_true());
	if (query->count == 0)
		json_object_set_new(
			value, "failure",
			encode_failure(&query->failure, clock_realtime(), trace->upstream->name));
	return value;
}

/* What leads to the address, where it is more than the URL says. */
static void
add_way(json_t *value, const struct upstream *upstream, const struct trace_attempt *attempt)
{
	char buffer[TARGET_HOST_MAX + 32];

	if (attempt->host)
		json_object_set_new(value, "host", json_string(attempt->host));
	if (upstream->policy.proxy.kind == PROXY_NONE)
		return;
	json_object_set_new(value, "via",
			    json_string(proxy_format(&upstream->policy.proxy, buffer, sizeof(buffer))));
	json_object_set_new(value, "target",
			    json_string(target_format(attempt->target, buffer, sizeof(buffer))));
}

json_t *
check_attempt(const struct trace *trace, const struct trace_attempt *attempt)
{
	const char *upstream = trace->upstream ? trace->upstream->name : "check";
	json_t *value = ctl_need(json_pack("{s:b, s:o*, s:I, s:o}", "worked", attempt->worked,
					   "address", encode_address(&attempt->address),
					   "elapsedUSec", (json_int_t)attempt->elapsed, "timings",
					   encode_timings(attempt->timing)));

	if (attempt->target)
		add_way(value, trace->upstream, attempt);
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
check_queries(const struct trace *trace)
{
	json_t *queries = ctl_need(json_array());

	for (unsigned int i = 0; i < trace->query_count; i++)
		json_array_append_new(queries, query_json(trace, &trace->queries[i]));
	return queries;
}

json_t *
check_report(const char *title, const struct trace *trace)
{
	json_t *attempts = ctl_need(json_array());

	for (unsigned int i = 0; i < trace->attempt_count; i++)
		json_array_append_new(attempts, check_attempt(trace, &trace->attempts[i]));
	return ctl_need(json_pack("{s:o, s:o, s:o}", "target", encode_text(title), "queries",
				  check_queries(trace), "attempts", attempts));
}

/* ---- exit status ------------------------------------------------------------------------------------------------ */

static const char *
code_of(const json_t *value)
{
	const char *code = json_string_value(json_object_get(json_object_get(value, "failure"), "code"));

	return code ? code : "";
}

/* What concerns one family, or was not said at all, says less than any other failure. */
static bool
is_vague(const json_t *query)
{
	return strcmp(code_of(query), "address.no-data") == 0 ||
	       strcmp(code_of(query), "timeout.resolve") == 0;
}

/* No address at all: what the most telling query says of it. */
static json_t *
unresolved(const json_t *queries)
{
	const json_t *telling = NULL;
	json_t *query;
	size_t index;

	json_array_foreach(queries, index, query)
	{
		if (!telling || is_vague(telling))
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
	if (json_is_true(json_object_get(query, "partial")))
		text_add(&text, "; there may be more, which are left out");
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

void
check_show_queries(const struct check_view *view, const json_t *queries)
{
	const char *host = "";
	json_t *query;
	size_t index;

	json_array_foreach(queries, index, query)
	{
		const char *of = json_string_value(json_object_get(query, "host"));

		if (of && strcmp(of, host) != 0)
			screen_title(view->screen, STYLE_BOLD, "resolve %s", of);
		host = of ? of : host;
		show_query(view->screen, query);
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

/* Whether it was ready, and ended while it was looked at. */
static bool
failed_ready(const json_t *attempt)
{
	const json_t *failure = json_object_get(attempt, "failure");
	const char *stage = json_string_value(json_object_get(failure, "stage"));

	return stage && strcmp(stage, stage_name(STAGE_READY)) == 0;
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
	if (failed_ready(attempt)) {
		usec_t held = (usec_t)json_integer_value(
			json_object_get(json_object_get(attempt, "failure"), "elapsedUSec"));

		show_step(screen, at, "ready", held);
		at += held;
	}
	if (at > 0 || json_is_true(json_object_get(attempt, "worked")))
		show_step(screen, at,
			  json_is_true(json_object_get(attempt, "worked")) ? "ready" : "failed",
			  USEC_INFINITY);
}

/* The addresses of a service usually show the same chain: it is shown once. */
static void
show_chain(struct check_view *view, json_t *chain, const char *address)
{
	char error[VIEW_ERROR_MAX];

	if (json_array_size(chain) == 0)
		return;
	if (view->chain && json_equal(view->chain, chain)) {
		screen_pair(view->screen, "certificates", "as those of %s", view->chain_address);
		return;
	}
	json_decref(view->chain);
	free(view->chain_address);
	view->chain = json_incref(chain);
	view->chain_address = ctl_need(strdup(address));
	detail_chain(view->screen, chain, view->now, error);
}

static void
show_success(struct check_view *view, const json_t *attempt, const char *address)
{
	const char *source = json_string_value(json_object_get(attempt, "source"));
	const json_t *rtt = json_object_get(attempt, "rttUSec");
	char buffer[WHEN_TEXT_MAX], error[VIEW_ERROR_MAX];
	struct text text = TEXT_INIT(buffer);
	struct view_tls tls;

	if (source)
		screen_pair(view->screen, "source", "%s", source);
	if (rtt) {
		when_timing((usec_t)json_integer_value(rtt), &text);
		screen_pair(view->screen, "round trip", "%s", buffer);
	}
	if (!view_tls(json_object_get(attempt, "tls"), &tls, error))
		return;
	detail_tls(view->screen, &tls);
	show_chain(view, tls.chain, address);
}

/* "ldap.example.org:636 via 192.0.2.7:3128", "192.0.2.7:636 (ldap1.example.org)", or the address alone. */
static void
add_place(const json_t *attempt, const char *target, struct text *text)
{
	const char *address = json_string_value(json_object_get(attempt, "address"));
	const char *host = json_string_value(json_object_get(attempt, "host"));
	const char *beyond = json_string_value(json_object_get(attempt, "target"));

	text_addf(text, "%s%s%s", beyond ? beyond : "", beyond ? " via " : "",
		  address ? address : target);
	if (host)
		text_addf(text, " (%s)", host);
}

void
check_show_attempt(struct check_view *view, const json_t *attempt)
{
	char place[LINE_BYTES], error[VIEW_ERROR_MAX];
	struct text text = TEXT_INIT(place);
	struct view_failure failure;

	add_place(attempt, view->target, &text);
	if (json_is_true(json_object_get(attempt, "worked"))) {
		screen_title(view->screen, STYLE_GOOD, "%s: works", place);
		show_timeline(view->screen, attempt);
		show_success(view, attempt, place);
	} else if (view_failure(json_object_get(attempt, "failure"), &failure, error)) {
		screen_title(view->screen, STYLE_BAD, "%s: %s", place, failure.code);
		show_timeline(view->screen, attempt);
		detail_failure(view->screen, &failure, 0);
		show_chain(view, failure.chain, place);
	}
}

void
check_show_begin(struct check_view *view, const struct screen *screen, const char *target)
{
	*view = (struct check_view){ .screen = screen, .target = target, .now = clock_realtime() };
	screen_line(screen, STYLE_BOLD, target);
}

void
check_show_end(struct check_view *view, const json_t *report)
{
	if (json_array_size(json_object_get(report, "attempts")) == 0)
		show_unresolved(view->screen, json_object_get(report, "queries"));
	json_decref(view->chain);
	free(view->chain_address);
	*view = (struct check_view){ 0 };
}
