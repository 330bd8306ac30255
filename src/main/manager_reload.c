/* A reload: the difference between two snapshots, applied one upstream at a time. */
#include "base/must.h"
#include "base/text.h"
#include "main/manager_internal.h"
#include "main/service.h"
#include "sys/clock.h"
#include "sys/tls.h"

#include <errno.h>

#define LINE_MAX_BYTES 1024 /* of one message; what is beyond is cut */

void
manager_say(struct manager *manager, enum log_level level, const char *upstream, const char *reason,
	    const char *message)
{
	notices_tell(manager->setup.notices, &(struct notice){
						     .kind = NOTICE_CONFIG,
						     .level = level,
						     .realtime = clock_realtime(),
						     .upstream = upstream,
						     .stage = -1,
						     .health = -1,
						     .reason = reason,
						     .message = message,
					     });
}

static void
add_keys(struct text *text, const char *const *keys, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		text_addf(text, "%s%s", i > 0 ? ", " : "", keys[i]);
}

static void
say_change(struct manager *manager, const struct change *change)
{
	static const char *const words[CHANGE_KIND_COUNT] = {
		[CHANGE_KEPT] = "unchanged",
		[CHANGE_ADDED] = "added to the configuration",
		[CHANGE_CHANGED] = "changed in place: ",
		[CHANGE_RECONNECTED] = "changed, which needs new connections: ",
		[CHANGE_REMOVED] = "removed from the configuration",
	};
	const struct upstream *upstream = change->after ? change->after : change->before;
	char message[LINE_MAX_BYTES];
	struct text text = TEXT_INIT(message);

	text_add(&text, words[change->kind]);
	if (change->kind == CHANGE_CHANGED || change->kind == CHANGE_RECONNECTED)
		add_keys(&text, change->keys, change->key_count);
	manager_say(manager, LEVEL_NOTICE, upstream->name, change_kind_name(change->kind), message);
}

static int
apply_change(struct manager *manager, const struct change *change, usec_t now)
{
	const struct upstream *either = change->after ? change->after : change->before;
	struct model_upstream *known = model_find(manager->model, either->name);

	/* One that could not be made for want of memory at the last reload is made now. */
	if (change->kind == CHANGE_ADDED || (change->after && !known))
		return managed_new(manager, change->after, now);
	if (!known || change->kind == CHANGE_KEPT)
		return 0;
	if (change->kind == CHANGE_REMOVED) {
		managed_drop(manager, known->managed);
		return 0;
	}
	return managed_change(manager, known->managed, change, now);
}

static void
apply(struct manager *manager, const struct diff *diff)
{
	usec_t now = loop_now(manager->setup.loop);

	for (size_t i = 0; i < diff->count; i++) {
		const struct change *change = &diff->changes[i];
		int r;

		if (change->kind != CHANGE_KEPT)
			say_change(manager, change);
		r = apply_change(manager, change, now);
		if (r < 0)
			manager_say(manager, LEVEL_ERROR, change->after->name, NULL,
				    "out of memory: it could not be put in force, reload again");
	}
}

static void
say_summary(struct manager *manager, const struct diff *diff)
{
	unsigned int counts[CHANGE_KIND_COUNT] = { 0 };
	char message[LINE_MAX_BYTES];
	struct text text = TEXT_INIT(message);

	for (size_t i = 0; i < diff->count; i++)
		counts[diff->changes[i].kind]++;
	text_addf(&text,
		  "%s is in force: %u upstreams added, %u changed, %u reconnected, %u removed, %u kept",
		  manager->config->file, counts[CHANGE_ADDED], counts[CHANGE_CHANGED],
		  counts[CHANGE_RECONNECTED], counts[CHANGE_REMOVED], counts[CHANGE_KEPT]);
	if (diff->daemon_key_count > 0) {
		text_add(&text, "; changed for the daemon: ");
		add_keys(&text, diff->daemon_keys, diff->daemon_key_count);
	}
	if (diff->restart_key_count > 0) {
		text_add(&text, "; needs a restart: ");
		add_keys(&text, diff->restart_keys, diff->restart_key_count);
	}
	manager_say(manager, diff->restart_key_count > 0 ? LEVEL_WARNING : LEVEL_NOTICE, NULL,
		    "reload", message);
}

static void
say_problems(struct manager *manager, const struct problems *problems)
{
	char message[LINE_MAX_BYTES];
	struct text text = TEXT_INIT(message);

	for (size_t i = 0; i < problems->count; i++)
		manager_say(manager, LEVEL_ERROR, NULL, "problem",
			    problems_format(&problems->at[i], message, sizeof(message)));
	text_addf(&text, "%s is not put in force, the running configuration stays: %zu problem%s",
		  manager->config->file, problems->count + problems->left_out,
		  problems->count + problems->left_out == 1 ? "" : "s");
	manager_say(manager, LEVEL_ERROR, NULL, "refused", message);
}

/* Certificates, keys, CA files and CRLs are looked at again by everybody, also where no key has changed. */
static void
reload_files(struct manager *manager)
{
	for (unsigned int i = 0; i < manager->station_count; i++) {
		manager->stations[i].reload_files = true;
		station_flush(manager, &manager->stations[i]);
	}
}

static void
put_in_force(struct manager *manager, const struct reload *reload)
{
	config_unref(manager->config);
	manager->config = config_ref(reload->after);
	manager->config->generation = ++manager->generation;
	apply(manager, &reload->diff);
	reload_files(manager);
	say_summary(manager, &reload->diff);
	if (manager->setup.on_config)
		manager->setup.on_config(manager->setup.arg, manager->config);
}

/* The files need descriptors also where upstreams have used up all others. */
static int
load(struct manager *manager, struct problems *problems, struct config **ret_config)
{
	int r;

	while (reserve_trade(&manager->reserve))
		continue;
	r = config_load(manager->config->file, tls_check_policy, problems, ret_config);
	(void)reserve_refill(&manager->reserve);
	return r;
}

/* Read and compare, without touching anything. */
static int
prepare(struct manager *manager, struct problems *problems, struct reload *ret_reload)
{
	struct reload reload = { .before = config_ref(manager->config) };
	int r = load(manager, problems, &reload.after);

	if (r >= 0) {
		config_share(reload.after, reload.before);
		r = config_diff(reload.before, reload.after, &reload.diff);
	}
	if (r >= 0)
		r = config_keep_restart(reload.after, reload.before);
	if (r < 0) {
		diff_done(&reload.diff);
		config_unref(reload.after);
		config_unref(reload.before);
		return r;
	}
	*ret_reload = reload;
	return 0;
}

int
manager_reload(struct manager *manager, bool dry_run, struct problems *problems, struct reload *ret_reload)
{
	int r;

	if (manager->stopping)
		return -ESHUTDOWN;
	if (dry_run)
		return prepare(manager, problems, ret_reload);
	service_reloading(clock_now());
	r = prepare(manager, problems, ret_reload);
	if (r >= 0)
		put_in_force(manager, ret_reload);
	else if (r == -ENOMEM)
		manager_say(manager, LEVEL_ERROR, NULL, "refused",
			    "out of memory: the running configuration stays");
	else
		say_problems(manager, problems);
	service_ready();
	return r;
}

void
reload_done(struct reload *reload)
{
	diff_done(&reload->diff);
	reload->before = config_unref(reload->before);
	reload->after = config_unref(reload->after);
}
