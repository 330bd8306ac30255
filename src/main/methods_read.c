/* The methods of one reply that only read. */
#include "main/methods.h"

#include "main/metrics.h"

#include <stdio.h>
#include <unistd.h>

void
method_status(struct call *call)
{
	const struct services *services = call->services;
	struct model_totals totals;

	model_totals(manager_model(services->manager), &totals);
	call_reply(call, json_pack("{s:s, s:i, s:o, s:o, s:s, s:i, s:i, s:i, s:i, s:i, s:I}",
				   "version", PACKAGE_VERSION, "pid", (int)getpid(), "started",
				   reply_time(services->started), "configured",
				   reply_time(services->configured), "health",
				   health_name(totals.health), "upstreams", (int)totals.upstreams,
				   "up", (int)totals.by_health[HEALTH_UP], "degraded",
				   (int)totals.by_health[HEALTH_DEGRADED], "down",
				   (int)totals.by_health[HEALTH_DOWN], "paused",
				   (int)totals.by_health[HEALTH_PAUSED], "logLost",
				   (json_int_t)report_lost(services->report)));
}

/* Whatever wrote the text, a reply of it is JSON or there is none. */
static void
reply_text(struct call *call, FILE *stream, char **text)
{
	bool whole = !ferror(stream);

	if (fclose(stream) != 0)
		whole = false;
	call_reply(call, whole ? json_pack("{s:o}", "text", reply_word(*text)) : NULL);
}

void
method_config(struct call *call)
{
	_cleanup_(freep) char *text = NULL;
	size_t length;
	FILE *stream = open_memstream(&text, &length);

	if (!stream) {
		call_reply(call, NULL);
		return;
	}
	/* What goes wrong shows in the stream. */
	(void)config_dump(manager_config(call->services->manager), stream);
	reply_text(call, stream, &text);
}

void
method_metrics(struct call *call)
{
	const struct services *services = call->services;
	const struct metrics_daemon daemon = {
		.started = services->started,
		.log_lost = report_lost(services->report),
	};
	_cleanup_(freep) char *text = NULL;
	size_t length;
	FILE *stream = open_memstream(&text, &length);

	if (!stream) {
		call_reply(call, NULL);
		return;
	}
	metrics_write(manager_model(services->manager), &daemon, stream);
	reply_text(call, stream, &text);
}
