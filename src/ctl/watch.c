/* watch: events as they happen, a line each. */
#include "base/cleanup.h"
#include "base/text.h"
#include "ctl/health.h"
#include "ctl/session.h"
#include "ctl/view.h"
#include "ctl/when.h"

#include <stdio.h>
#include <string.h>

#define LINE_BYTES 2048

/* The words after the message that say more about a failure. */
static void
add_failure(const struct view_event *event, struct text *text)
{
	struct view_failure failure;
	char error[VIEW_ERROR_MAX];

	if (!event->failure || !view_failure(event->failure, &failure, error))
		return;
	text_addf(text, " %s in %s", failure.code, failure.stage);
	if (failure.address)
		text_addf(text, " at %s", failure.address);
	if (failure.error)
		text_addf(text, " (%s)", failure.error);
	if (failure.retry_in >= 0) {
		text_add(text, ", again in ");
		when_span((usec_t)failure.retry_in, text);
	}
	text_add(text, ":");
}

static void
add_event(const struct view_event *event, struct text *text)
{
	uint64_t then;

	if (when_parse(event->time, &then))
		when_clock(then, text);
	if (event->upstream)
		text_addf(text, " %s", event->upstream);
	if (event->upstream && event->link > 0)
		text_addf(text, "/%lld", (long long)event->link);
	text_addf(text, " %s", event->kind);
	/* What the daemon says of a new stage begins with its name; what it says of a new health does not. */
	if (event->health && strcmp(event->kind, "health") == 0)
		text_addf(text, " %s:", event->health);
	add_failure(event, text);
	if (event->reason)
		text_addf(text, " %s:", event->reason);
	text_addf(text, " %s", event->message);
}

static enum style
event_style(const struct view_event *event)
{
	if (strcmp(event->kind, "failure") == 0)
		return STYLE_BAD;
	if (strcmp(event->kind, "warning") == 0)
		return STYLE_WARN;
	if (strcmp(event->kind, "recovery") == 0)
		return STYLE_GOOD;
	if (event->health)
		return health_style(event->health);
	return strcmp(event->kind, "stage") == 0 ? STYLE_DIM : STYLE_PLAIN;
}

/* One line, however long: it must stay one line for whoever reads them with a program. */
static int
on_event(void *arg, json_t *parameters)
{
	const struct ctl *ctl = arg;
	json_t *value = json_object_get(parameters, "event");
	char buffer[LINE_BYTES], error[VIEW_ERROR_MAX];
	struct text text = TEXT_INIT(buffer);
	struct view_event event;

	if (!view_event(value, &event, error))
		return session_misread(error);
	if (arguments_has(ctl->arguments, OPTION_JSON)) {
		session_print_json(ctl, value, false);
	} else {
		struct screen wide = ctl->screen;

		wide.width = 0;
		add_event(&event, &text);
		screen_line(&wide, event_style(&event), buffer);
	}
	return fflush(ctl->screen.out) == 0 ? 0 : STATUS_ERROR;
}

int
command_watch(const struct ctl *ctl)
{
	_cleanup_(client_freep) struct client *client = NULL;
	int r = session_open(ctl, &client);

	if (r > 0)
		return r;
	return session_call(client, &(struct session_call){ .method = "Watch",
							    .parameters = session_names(ctl->arguments),
							    .more = true,
							    .timeout = USEC_INFINITY,
							    .fn = on_event,
							    .arg = (void *)ctl });
}
