/* The methods of one reply that only read; a long one is made and sent in pieces, so that nobody else has to wait for it. */
#include "main/methods.h"

#include "base/cleanup.h"
#include "base/text.h"
#include "main/metrics.h"

#include <errno.h>
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

/* ---- Config ----------------------------------------------------------------------------------------------------- */

/* A snapshot that is being told, one upstream to a piece. */
struct telling {
	struct config *config; /* a reference */
	size_t next;
};

static void
config_abandon(struct call *call)
{
	struct telling *telling = call->own;

	config_unref(telling->config);
	free(telling);
}

/* One piece as a string of JSON, or NULL for want of memory. */
static json_t *
config_piece(const struct config *config, size_t index)
{
	_cleanup_(freep) char *text = NULL;
	size_t length;
	FILE *stream = open_memstream(&text, &length);
	int r;

	if (!stream)
		return NULL;
	r = config_dump_piece(config, index, stream);
	if (fclose(stream) != 0)
		r = -ENOMEM;
	return r == 0 ? reply_word(text) : NULL;
}

static void
config_step(struct call *call)
{
	struct telling *telling = call->own;

	if (telling->next <= telling->config->upstream_count + 1)
		call_text(call, config_piece(telling->config, telling->next++));
	else
		call_text_end(call);
}

void
method_config(struct call *call)
{
	struct telling *telling = calloc(1, sizeof(*telling));

	if (!telling) {
		call_reply(call, NULL);
		return;
	}
	telling->config = config_ref((struct config *)manager_config(call->services->manager));
	call->own = telling;
	call->abandon = config_abandon;
	call_stream(call, config_step);
}

/* ---- Metrics ---------------------------------------------------------------------------------------------------- */

#define METRICS_STEP_BYTES 8192 /* at least so much of the text is written in one step */

struct scrape {
	struct metrics_walk walk;
	struct metrics_daemon daemon;
	char text[METRICS_STEP_BYTES + METRICS_PIECE_MAX];
};

static void
metrics_abandon(struct call *call)
{
	free(call->own);
}

static void
metrics_step(struct call *call)
{
	const struct model *model = manager_model(call->services->manager);
	struct scrape *scrape = call->own;
	struct text text;
	bool more = true;

	text_init(&text, scrape->text, sizeof(scrape->text));
	while (more && text.length < METRICS_STEP_BYTES)
		more = metrics_next(&scrape->walk, model, &scrape->daemon, &text);
	call_text(call, json_string(scrape->text));
	if (!more && call->state != CALL_BROKEN)
		call_text_end(call);
}

void
method_metrics(struct call *call)
{
	const struct services *services = call->services;
	struct scrape *scrape = calloc(1, sizeof(*scrape));

	if (!scrape) {
		call_reply(call, NULL);
		return;
	}
	scrape->daemon.started = services->started;
	scrape->daemon.log_lost = report_lost(services->report);
	call->own = scrape;
	call->abandon = metrics_abandon;
	call_stream(call, metrics_step);
}
