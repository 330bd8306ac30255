/*
 * A daemon without workers, shared by the tests of main/control and main/methods: a real model that is told what the test
 * wants, and a manager, a log and metrics that only remember what they were asked.
 */
#pragma once

#include "check.h"

#include "base/text.h"
#include "main/call.h"
#include "main/metrics.h"
#include "sys/clock.h"
#include "sys/loop.h"

#include <errno.h>
#include <string.h>

struct manager {
	struct model *model;
	struct config config;
	char asked[128]; /* the last command, in words */
	int reload;	 /* what the next reload comes to */
};

struct world {
	struct loop *loop;
	struct notices notices;
	struct manager manager;
	upstream_id last_id;
	int level;	/* SetLogLevel's last */
	char said[256]; /* the daemon's own last line of the log */
};

static struct world world;

/* ---- the others of main/ ---------------------------------------------------------------------------------------- */

struct model *
manager_model(struct manager *manager)
{
	return manager->model;
}

const struct config *
manager_config(const struct manager *manager)
{
	return &manager->config;
}

static int
command(struct manager *manager, const char *word, const char *name)
{
	snprintf(manager->asked, sizeof(manager->asked), "%s %s", word, name);
	return model_find(manager->model, name) ? 0 : -ENOENT;
}

int
manager_retry(struct manager *manager, const char *name, unsigned int *ret_links)
{
	*ret_links = 3;
	return command(manager, "retry", name);
}

int
manager_reconnect(struct manager *manager, const char *name, bool rolling, unsigned int *ret_links)
{
	*ret_links = 2;
	return command(manager, rolling ? "roll" : "reconnect", name);
}

int
manager_pause(struct manager *manager, const char *name)
{
	return command(manager, "pause", name);
}

int
manager_resume(struct manager *manager, const char *name)
{
	return command(manager, "resume", name);
}

int
manager_reload(struct manager *manager, bool dry_run, struct problems *problems, struct reload *ret_reload)
{
	struct model_upstream *known = model_next(manager->model, "");

	text_copy(manager->asked, sizeof(manager->asked), dry_run ? "reload dry" : "reload");
	*ret_reload = (struct reload){ 0 };
	if (manager->reload < 0) {
		problems_add(problems, "a.conf", 7, "wrong \xff here");
		problems_add(problems, "a.conf", 9, "wrong there");
		return manager->reload;
	}
	ret_reload->diff.count = 1;
	ret_reload->diff.changes = calloc(1, sizeof(struct change));
	assert_non_null(ret_reload->diff.changes);
	ret_reload->diff.changes[0] = (struct change){
		.kind = CHANGE_CHANGED,
		.after = known->upstream,
		.keys = { "retry.max", "timeouts.connect" },
		.key_count = 2,
	};
	return 0;
}

void
reload_done(struct reload *reload)
{
	diff_done(&reload->diff);
}

void
report_set_level(struct report *report, enum log_level level)
{
	(void)report;
	world.level = (int)level;
}

uint64_t
report_lost(const struct report *report)
{
	(void)report;
	return 5;
}

void
report_say(struct report *report, enum log_level level, const char *event, const char *format, ...)
{
	size_t used = (size_t)snprintf(world.said, sizeof(world.said), "%s %s ",
				       log_level_name(level), event);
	va_list arguments;

	(void)report;
	va_start(arguments, format);
	vsnprintf(world.said + used, sizeof(world.said) - used, format, arguments);
	va_end(arguments);
	print_message("# %s\n", world.said);
}

bool
metrics_next(struct metrics_walk *walk, const struct model *model,
	     const struct metrics_daemon *daemon, struct text *text)
{
	(void)model;
	if (walk->family++ == 0)
		text_addf(text, "lost %u\n", (unsigned int)daemon->log_lost);
	else
		text_add(text, "# EOF\n");
	return walk->family == 1;
}

/* ---- the world -------------------------------------------------------------------------------------------------- */

static inline int
world_begin(void **state)
{
	(void)state;
	world = (struct world){ .level = -1 };
	assert_int_equal(loop_new(&world.loop), 0);
	notices_init(&world.notices);
	assert_int_equal(model_new(&world.notices, &world.manager.model), 0);
	return 0;
}

static inline int
world_end(void **state)
{
	(void)state;
	assert_true(list_is_empty(&world.notices.subscribers));
	model_free(world.manager.model);
	loop_free(world.loop);
	return 0;
}

static inline struct model_upstream *
world_add(const char *name)
{
	struct upstream *upstream = upstream_new(name, 1);
	struct model_upstream *known = NULL;
	const char *problem = NULL;

	assert_non_null(upstream);
	upstream->policy.enabled = true;
	upstream->policy.connections = 1;
	assert_int_equal(target_parse("192.0.2.7:636", FAMILY_ANY, &upstream->targets[0], &problem), 0);
	const struct model_setup setup = {
		.id = ++world.last_id,
		.upstream = upstream,
		.now = loop_now(world.loop),
	};
	assert_int_equal(model_add(world.manager.model, &setup, &known), 0);
	upstream_unref(upstream);
	return known;
}

static inline void
world_drop(struct model_upstream *known)
{
	model_drop(world.manager.model, known);
	model_remove(world.manager.model, known);
}

static inline void
world_link(struct model_upstream *known, enum stage stage)
{
	struct event event = {
		.kind = EVENT_LINK,
		.id = known->id,
		.link = 1,
		.at = loop_now(world.loop),
		.status = { .stage = stage, .since = loop_now(world.loop), .retry_at = USEC_INFINITY },
	};

	for (int i = 0; i < STAGE_COUNT; i++)
		event.status.timing[i] = USEC_INFINITY;
	model_event(world.manager.model, &event, loop_now(world.loop));
}

static inline void
world_fail(struct model_upstream *known, enum failure_code code, usec_t at)
{
	struct event event = { .kind = EVENT_FAILURE, .id = known->id, .link = 1, .at = at };

	failure_init(&event.failure, code, STAGE_CONNECT);
	event.failure.at = event.failure.elapsed = at;
	event.failure.attempt = 1;
	failure_set_error(&event.failure, ECONNREFUSED, "ECONNREFUSED");
	model_event(world.manager.model, &event, loop_now(world.loop));
}
