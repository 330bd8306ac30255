/* history: the last failures, oldest first. */
#include "base/cleanup.h"
#include "ctl/detail.h"
#include "ctl/session.h"
#include "ctl/table.h"
#include "ctl/when.h"

#include <errno.h>
#include <stdlib.h>

#define LIMIT_DEFAULT 64 /* as many as are kept of one upstream */
#define DETAIL_BYTES  512

enum {
	CELL_TIME,
	CELL_UPSTREAM,
	CELL_LINK,
	CELL_CODE,
	CELL_STAGE,
	CELL_ADDRESS,
	CELL_DETAIL,
	CELL_COUNT
};

static const struct column columns[CELL_COUNT] = {
	[CELL_TIME] = { .title = "TIME" },
	[CELL_UPSTREAM] = { .title = "UPSTREAM", .least = 8 },
	[CELL_LINK] = { .title = "LINK", .right = true, .rank = 4 },
	[CELL_CODE] = { .title = "CODE", .least = 20 },
	[CELL_STAGE] = { .title = "STAGE", .rank = 3 },
	[CELL_ADDRESS] = { .title = "ADDRESS", .least = 15, .rank = 2 },
	[CELL_DETAIL] = { .title = "DETAIL", .least = 12, .rank = 5 },
};

struct history {
	const struct ctl *ctl;
	struct table *table; /* NULL with --json */
};

static void
add_row(const struct history *history, const struct view_failure *failure)
{
	char time[WHEN_TEXT_MAX], link[24];
	struct text time_text = TEXT_INIT(time), link_text = TEXT_INIT(link);
	uint64_t then;

	if (when_parse(failure->time, &then))
		when_local(then, &time_text);
	if (failure->link > 0)
		text_addf(&link_text, "%lld", (long long)failure->link);

	const struct cell cells[CELL_COUNT] = {
		[CELL_TIME] = { time, STYLE_DIM },
		[CELL_UPSTREAM] = { failure->upstream, STYLE_PLAIN },
		[CELL_LINK] = { link, STYLE_PLAIN },
		[CELL_CODE] = { failure->code, STYLE_BAD },
		[CELL_STAGE] = { failure->stage, STYLE_PLAIN },
		[CELL_ADDRESS] = { failure->address ? failure->address : "", STYLE_PLAIN },
		[CELL_DETAIL] = { view_telling(failure), STYLE_PLAIN },
	};

	table_add(history->table, &history->ctl->screen, 0, cells);
}

static int
on_failure(void *arg, json_t *parameters)
{
	const struct history *history = arg;
	json_t *value = json_object_get(parameters, "failure");
	char error[VIEW_ERROR_MAX];
	struct view_failure failure;

	if (!value)
		return 0;
	if (!view_failure(value, &failure, error))
		return session_misread(error);
	if (history->table)
		add_row(history, &failure);
	else
		session_print_json(history->ctl, value, false);
	return 0;
}

static bool
read_limit(const char *text, json_int_t *ret_limit)
{
	char *end;

	*ret_limit = LIMIT_DEFAULT;
	if (!text)
		return true;
	errno = 0;
	*ret_limit = strtoll(text, &end, 10);
	if (errno == 0 && end != text && *end == '\0' && *ret_limit > 0)
		return true;
	ctl_complain("--limit is a number from 1, not \"%s\"", text);
	return false;
}

static int
run_history(struct history *history, json_int_t limit)
{
	_cleanup_(client_freep) struct client *client = NULL;
	json_t *parameters;
	int r = session_open(history->ctl, &client);

	if (r > 0)
		return r;
	parameters = ctl_need(json_pack("{s:I, s:s*}", "limit", limit, "name",
					history->ctl->arguments->names[0]));
	return session_call(client, &(struct session_call){ .method = "History",
							    .parameters = parameters,
							    .more = true,
							    .fn = on_failure,
							    .arg = history });
}

int
command_history(const struct ctl *ctl)
{
	struct history history = { .ctl = ctl };
	json_int_t limit;
	int r;

	if (!read_limit(ctl->arguments->values[OPTION_LIMIT], &limit))
		return STATUS_USAGE;
	if (!arguments_has(ctl->arguments, OPTION_JSON))
		history.table = table_new(columns, CELL_COUNT);
	r = run_history(&history, limit);
	if (r == 0 && history.table && table_count(history.table) > 0)
		table_print(history.table, &ctl->screen);
	else if (r == 0 && history.table)
		screen_line(&ctl->screen, STYLE_PLAIN, "no failures");
	history.table = table_free(history.table);
	return r;
}
