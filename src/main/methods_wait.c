/* The methods that wait for something to happen: both listen to the notices, as the log does. */
#include "main/methods.h"

#include "main/control.h"

#include <errno.h>
#include <string.h>

/*
 * The request's names as the keys of an object, which the caller owns; NULL for want of memory.  They are looked at again
 * and again: who says one of them 16,000 times shall not make that so much dearer for everybody.
 */
static json_t *
set_of(const json_t *names)
{
	json_t *set = json_object(), *name;
	size_t index;

	json_array_foreach(names, index, name)
	{
		if (json_object_set_new(set, json_string_value(name), json_true()) == 0)
			continue;
		json_decref(set);
		return NULL;
	}
	return set;
}

/* ---- Watch ------------------------------------------------------------------------------------------------------ */

struct watcher {
	struct subscriber subscriber;
	struct call *call;
	json_t *names;	/* a set; NULL: all */
	uint32_t kinds; /* bit n: enum notice_kind n is wanted */
	uint64_t lost;	/* events there was no room for */
};

static void
watch_overrun(struct call *call)
{
	const struct watcher *watcher = call->own;

	call->hang_up = true;
	call_fail(call, CONTROL_OVERRUN, json_pack("{s:I}", "lost", (json_int_t)watcher->lost));
}

static bool
watcher_wants(const struct watcher *watcher, const struct notice *notice)
{
	if (!(watcher->kinds & (UINT32_C(1) << notice->kind)))
		return false;
	return !watcher->names ||
	       (notice->upstream && json_object_get(watcher->names, notice->upstream));
}

/* Once something is lost, what follows would tell a wrong story: it is only counted, until the caller can be told. */
static void
on_watched(void *arg, const struct notice *notice)
{
	struct watcher *watcher = arg;
	struct call *call = watcher->call;

	if (call->state == CALL_ENDED || call->state == CALL_BROKEN || !watcher_wants(watcher, notice))
		return;
	if (watcher->lost > 0 || call->output->length >= CONTROL_OUTPUT_MAX) {
		watcher->lost++;
		call_stream(call, watch_overrun);
	} else {
		call_event(call, json_pack("{s:o}", "event", reply_event(notice)));
	}
	call->host->poke(call->host->arg);
}

static void
watch_abandon(struct call *call)
{
	struct watcher *watcher = call->own;

	notices_unsubscribe(&watcher->subscriber);
	json_decref(watcher->names);
	free(watcher);
}

/* Returns false where one of the names is no kind. */
static bool
kinds_of(const json_t *names, uint32_t *ret_kinds)
{
	size_t index;
	json_t *name;

	*ret_kinds = names ? 0 : UINT32_MAX;
	json_array_foreach(names, index, name)
	{
		int kind = notice_kind_find(json_string_value(name));

		if (kind < 0)
			return false;
		*ret_kinds |= UINT32_C(1) << kind;
	}
	return true;
}

static void
watch_begin(struct call *call, uint32_t kinds)
{
	const json_t *names = call_array(call, "names");
	struct watcher *watcher = calloc(1, sizeof(*watcher));
	json_t *set = names ? set_of(names) : NULL;

	if (!watcher || (names && !set)) {
		free(watcher);
		json_decref(set);
		call_reply(call, NULL);
		return;
	}
	*watcher = (struct watcher){
		.subscriber = { .fn = on_watched, .arg = watcher },
		.call = call,
		.names = set,
		.kinds = kinds,
	};
	list_init(&watcher->subscriber.node);
	notices_subscribe(call->services->notices, &watcher->subscriber);
	call->own = watcher;
	call->abandon = watch_abandon;
	call->state = CALL_WAITING;
}

void
method_watch(struct call *call)
{
	uint32_t kinds;

	if (!kinds_of(call_array(call, "kinds"), &kinds))
		call_invalid(call, "kinds");
	else if (methods_know_all(call, call_array(call, "names")))
		watch_begin(call, kinds);
}

/* ---- Wait ------------------------------------------------------------------------------------------------------- */

struct waiter {
	struct subscriber subscriber;
	struct call *call;
	json_t *names;	     /* a set */
	struct timer *timer; /* NULL: it may take for ever */
	enum health health;
};

/* A reload may have removed one of them: that is said before anything else. */
static void
wait_step(struct call *call)
{
	const struct waiter *waiter = call->own;
	const struct model *model = manager_model(call->services->manager);
	bool all_have = true;
	const char *name;
	json_t *value;

	call->state = CALL_WAITING;
	json_object_foreach(waiter->names, name, value)
	{
		const struct model_upstream *known = model_find(model, name);

		if (!known) {
			call_fail_name(call, CONTROL_NO_SUCH_UPSTREAM, "name", name);
			return;
		}
		all_have = all_have && known->health == waiter->health;
	}
	if (all_have)
		call_reply(call, json_object());
}

/* The model may be in the middle of a change: what it amounts to is looked at in the next turn. */
static void
on_waited(void *arg, const struct notice *notice)
{
	struct waiter *waiter = arg;
	struct call *call = waiter->call;

	if ((notice->kind != NOTICE_HEALTH && notice->kind != NOTICE_CONFIG) ||
	    call->state != CALL_WAITING)
		return;
	call_stream(call, wait_step);
	call->host->poke(call->host->arg);
}

static void
on_wait_timeout(void *arg, usec_t now)
{
	struct waiter *waiter = arg;
	struct call *call = waiter->call;

	(void)now;
	if (call->state == CALL_STREAMING)
		wait_step(call); /* what came just in time counts */
	if (call->state == CALL_WAITING)
		call_fail(call, CONTROL_TIMED_OUT, json_object());
	call->host->poke(call->host->arg);
}

static void
wait_abandon(struct call *call)
{
	struct waiter *waiter = call->own;

	notices_unsubscribe(&waiter->subscriber);
	timer_free(waiter->timer);
	json_decref(waiter->names);
	free(waiter);
}

static int
wait_arm(struct call *call, struct waiter *waiter)
{
	struct loop *loop = call->services->loop;
	usec_t timeout = (usec_t)call_integer(call, "timeoutUSec", 0);
	int r;

	if (!call_has(call, "timeoutUSec"))
		return 0;
	r = timer_new(loop, on_wait_timeout, waiter, &waiter->timer);
	if (r == 0)
		timer_arm(waiter->timer, usec_add(loop_now(loop), timeout));
	return r;
}

static void
wait_begin(struct call *call, enum health health)
{
	json_t *names = set_of(call_array(call, "names"));
	struct waiter *waiter = calloc(1, sizeof(*waiter));

	if (!waiter || !names) {
		free(waiter);
		json_decref(names);
		call_reply(call, NULL);
		return;
	}
	*waiter = (struct waiter){
		.subscriber = { .fn = on_waited, .arg = waiter },
		.call = call,
		.names = names,
		.health = health,
	};
	list_init(&waiter->subscriber.node);
	notices_subscribe(call->services->notices, &waiter->subscriber);
	call->own = waiter;
	call->abandon = wait_abandon;
	if (wait_arm(call, waiter) < 0)
		call_reply(call, NULL);
	else
		wait_step(call);
}

static int
health_find(const char *name)
{
	for (int health = 0; health < HEALTH_COUNT; health++) {
		if (strcmp(health_name((enum health)health), name) == 0)
			return health;
	}
	return -EINVAL;
}

void
method_wait(struct call *call)
{
	const char *name = call_string(call, "health");
	int health = name ? health_find(name) : HEALTH_UP;

	if (health < 0)
		call_invalid(call, "health");
	else if (call_integer(call, "timeoutUSec", 0) < 0)
		call_invalid(call, "timeoutUSec");
	else
		wait_begin(call, (enum health)health);
}
