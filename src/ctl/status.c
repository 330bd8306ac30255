/* status: all upstreams at a glance. */
#include "ctl/status.h"

#include "base/cleanup.h"
#include "ctl/health.h"
#include "ctl/session.h"
#include "ctl/verdict.h"
#include "ctl/when.h"
#include "sys/clock.h"

#include <inttypes.h>
#include <string.h>

#define NOTE_MAX   2048 /* bytes of a line about a failure; cut beyond */
#define CODE_WIDTH 36	/* of the longest code: a code cut short is no code */

enum {
	CELL_NAME,
	CELL_HEALTH,
	CELL_READY,
	CELL_SINCE,
	CELL_REACH,
	CELL_FAILURE,
	CELL_AGO,
	CELL_NEXT,
	CELL_COUNT
};

static const struct column columns[CELL_COUNT] = {
	[CELL_NAME] = { .title = "NAME", .least = 12 },
	[CELL_HEALTH] = { .title = "HEALTH" },
	[CELL_READY] = { .title = "READY", .right = true, .rank = 1 },
	[CELL_SINCE] = { .title = "SINCE", .right = true, .rank = 4 },
	[CELL_REACH] = { .title = "REACH", .right = true, .rank = 6 },
	[CELL_FAILURE] = { .title = "LAST FAILURE", .least = CODE_WIDTH },
	[CELL_AGO] = { .title = "AGO", .right = true, .rank = 5 },
	[CELL_NEXT] = { .title = "NEXT", .right = true, .rank = 3 },
};

struct table *
status_table(void)
{
	return table_new(columns, CELL_COUNT);
}

/* ---- one upstream ----------------------------------------------------------------------------------------------- */

/* In a table of many, milliseconds are noise. */
static usec_t
whole_seconds(usec_t span)
{
	return span / USEC_PER_SEC * USEC_PER_SEC;
}

/* The time to the next attempt of any link: "now" where one is under way, "" where none is planned. */
static void
add_next(const struct view_upstream *upstream, struct text *text)
{
	json_int_t next = -1;
	json_t *item;
	size_t index;

	json_array_foreach(upstream->links, index, item)
	{
		char error[VIEW_ERROR_MAX];
		struct view_link link;

		if (!view_link(item, &link, error))
			continue;
		if (stage_is_attempt(link.stage)) {
			text_add(text, "now");
			return;
		}
		if (link.retry_in >= 0 && (next < 0 || link.retry_in < next))
			next = link.retry_in;
	}
	if (next >= 0)
		when_brief(whole_seconds((usec_t)next + USEC_PER_SEC - 1), text);
}

/* What failed last, where, and what to do about it. */
static void
add_notes(struct table *table, const struct view_failure *failure)
{
	char buffer[NOTE_MAX];
	struct text text = TEXT_INIT(buffer);

	if (failure->address)
		text_addf(&text, "%s: ", failure->address);
	text_add(&text, failure->message);
	if (view_telling(failure))
		text_addf(&text, " (%s)", view_telling(failure));
	table_note(table, buffer, STYLE_PLAIN);
	table_note(table, failure->hint, STYLE_DIM);
}

static bool
is_well(const char *health)
{
	enum health known = view_health(health);

	return known == HEALTH_UP || known == HEALTH_PAUSED;
}

void
status_add(struct table *table, const struct screen *screen, const struct view_upstream *upstream,
	   uint64_t now)
{
	char ready[48], reach[16], since[WHEN_TEXT_MAX], ago[WHEN_TEXT_MAX] = "", next[WHEN_TEXT_MAX];
	struct text since_text = TEXT_INIT(since), next_text = TEXT_INIT(next);
	struct text ago_text = TEXT_INIT(ago);
	bool well = is_well(upstream->health);
	enum style style = health_style(upstream->health);
	struct view_failure failure = { .code = "" };
	char error[VIEW_ERROR_MAX];
	bool failed = upstream->last_failure && view_failure(upstream->last_failure, &failure, error);

	snprintf(ready, sizeof(ready), "%" JSON_INTEGER_FORMAT "/%" JSON_INTEGER_FORMAT,
		 upstream->ready, upstream->wanted);
	snprintf(reach, sizeof(reach), "%03o", (unsigned int)upstream->reach & 0xff);
	when_brief(whole_seconds(when_since(upstream->since, now)), &since_text);
	add_next(upstream, &next_text);
	if (failed)
		when_brief(whole_seconds(when_since(failure.time, now)), &ago_text);

	const struct cell cells[CELL_COUNT] = {
		[CELL_NAME] = { upstream->name, well ? STYLE_PLAIN : STYLE_BOLD },
		[CELL_HEALTH] = { upstream->health, style },
		[CELL_READY] = { ready, STYLE_PLAIN },
		[CELL_SINCE] = { since, STYLE_PLAIN },
		[CELL_REACH] = { reach, STYLE_PLAIN },
		[CELL_FAILURE] = { failed ? failure.code : "", well ? STYLE_DIM : style },
		[CELL_AGO] = { ago, well ? STYLE_DIM : STYLE_PLAIN },
		[CELL_NEXT] = { next, STYLE_PLAIN },
	};

	table_add(table, screen, health_order(upstream->health), cells);
	if (failed && !well)
		add_notes(table, &failure);
}

/* ---- the daemon ------------------------------------------------------------------------------------------------- */

static void
add_count(struct text *text, json_int_t count, const char *word)
{
	if (count > 0)
		text_addf(text, ", %" JSON_INTEGER_FORMAT " %s", count, word);
}

void
status_headline(const struct screen *screen, const struct view_daemon *daemon, uint64_t now)
{
	char buffer[512];
	struct text text = TEXT_INIT(buffer);
	json_int_t others = daemon->upstreams - daemon->up - daemon->degraded - daemon->down -
			    daemon->paused;

	text_addf(&text, "holdfastd %.64s, up ", daemon->version);
	when_span(when_since(daemon->started, now), &text);
	if (daemon->upstreams == 1)
		text_add(&text, ": 1 upstream");
	else
		text_addf(&text, ": %" JSON_INTEGER_FORMAT " upstreams", daemon->upstreams);
	add_count(&text, daemon->up, "up");
	add_count(&text, daemon->degraded, "degraded");
	add_count(&text, daemon->down, "down");
	add_count(&text, others, "starting or offline");
	add_count(&text, daemon->paused, "paused");
	add_count(&text, daemon->log_lost, "lines of the log lost");
	screen_line(screen, daemon->upstreams > 0 ? health_style(daemon->health) : STYLE_PLAIN, buffer);
}

/* ---- the command ------------------------------------------------------------------------------------------------ */

struct status {
	const struct ctl *ctl;
	struct table *table; /* NULL with --json */
	json_t *daemon;	     /* with --json: what has not been printed yet */
	struct verdict verdict;
	uint64_t now;
	size_t count;
};

static int
on_daemon(void *arg, json_t *parameters)
{
	struct status *status = arg;
	char error[VIEW_ERROR_MAX];
	struct view_daemon daemon;

	if (!view_daemon(parameters, &daemon, error))
		return session_misread(error);
	if (status->table)
		status_headline(&status->ctl->screen, &daemon, status->now);
	else
		status->daemon = json_incref(parameters);
	return 0;
}

/* The document begins once nothing can be wrong with the names any more. */
static void
begin_document(struct status *status)
{
	if (!status->daemon)
		return;
	fputs("{\"daemon\": ", status->ctl->screen.out);
	json_dumpf(status->daemon, status->ctl->screen.out, JSON_COMPACT);
	fputs(", \"upstreams\": [", status->ctl->screen.out);
	json_decref(steal(status->daemon));
}

static int
on_upstream(void *arg, json_t *parameters)
{
	struct status *status = arg;
	json_t *value = json_object_get(parameters, "upstream");
	char error[VIEW_ERROR_MAX];
	struct view_upstream upstream;

	if (!value)
		return 0;
	if (!view_upstream(value, &upstream, error))
		return session_misread(error);
	verdict_add(&status->verdict, &upstream);
	if (status->table) {
		status_add(status->table, &status->ctl->screen, &upstream, status->now);
		return 0;
	}
	begin_document(status);
	fputs(status->count++ > 0 ? ",\n" : "\n", status->ctl->screen.out);
	json_dumpf(value, status->ctl->screen.out, JSON_COMPACT);
	return 0;
}

/* Asks for all upstreams, one to a reply: however many there are, one is in memory as JSON. */
static int
run_status(struct status *status, struct client *client)
{
	const struct session_call daemon = { .method = "Status", .fn = on_daemon, .arg = status };
	const struct session_call list = {
		.method = "List",
		.parameters = session_names(status->ctl->arguments),
		.more = true,
		.fn = on_upstream,
		.arg = status,
	};
	int r = session_call(client, &daemon);

	if (r > 0) {
		json_decref(list.parameters);
		return r;
	}
	return session_call(client, &list);
}

static void
print_status(struct status *status)
{
	const struct screen *screen = &status->ctl->screen;

	if (!status->table) {
		begin_document(status);
		fputs("\n]}\n", screen->out);
	} else if (table_count(status->table) > 0) {
		fputc('\n', screen->out);
		table_print(status->table, screen);
	}
}

int
command_status(const struct ctl *ctl)
{
	_cleanup_(client_freep) struct client *client = NULL;
	struct status status = {
		.ctl = ctl,
		.verdict.named = ctl->arguments->name_count > 0,
		.now = clock_realtime(),
	};
	int r = session_open(ctl, &client);

	if (r > 0)
		return r;
	if (!arguments_has(ctl->arguments, OPTION_JSON))
		status.table = status_table();
	r = run_status(&status, client);
	if (r == 0) {
		print_status(&status);
		r = verdict_status(&status.verdict);
	}
	status.table = table_free(status.table);
	json_decref(status.daemon);
	return r;
}
