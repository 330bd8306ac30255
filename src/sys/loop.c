#include "sys/loop.h"

#include "base/cleanup.h"
#include "base/list.h"
#include "base/must.h"
#include "sys/clock.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <uv.h>

/*
 * A turn goes from one sleep to the next: libuv polls and calls on_poll(), on_signal() and on_wakeup(), then its
 * check phase runs the posts that were pending when the turn began, and the timers that are due.  libuv's own
 * timers count milliseconds and are rounded: `driver` only wakes the loop up, the heap decides what is due.
 */
struct loop {
	uv_loop_t uv;
	uv_prepare_t prepare; /* before the sleep: ends the turn */
	uv_check_t check;     /* after the descriptors: posts and timers */
	uv_timer_t driver;
	usec_t now;
	bool in_turn;	    /* `now` has been read for this turn */
	unsigned int users; /* watches, timers, posts, signals and wakeups that nobody has cancelled */

	struct timer **heap; /* the armed ones, earliest first (a binary heap) */
	size_t armed_count, timer_count, heap_size;

	struct list posts_now;	/* will be called in this turn */
	struct list posts_next; /* … in the next one */

	late_fn late;
	void *late_arg;
	usec_t late_limit, held_up; /* held_up: how long the last turn took, if it was too long */
	usec_t suspended;	    /* as of the last turn */
};

struct watch {
	uv_poll_t uv;
	struct loop *loop;
	unsigned int events;
	watch_fn fn; /* NULL once cancelled: libuv still holds the handle */
	void *arg;
};

struct timer {
	struct loop *loop;
	size_t place; /* in the heap; NOT_ARMED: not there */
	usec_t due;
	timer_fn fn;
	void *arg;
};

struct post {
	struct loop *loop;
	struct list pending;
	post_fn fn;
	void *arg;
};

struct signal_watch {
	uv_signal_t uv;
	struct loop *loop;
	post_fn fn; /* NULL once cancelled */
	void *arg;
};

struct wakeup {
	uv_async_t uv;
	struct loop *loop;
	post_fn fn; /* NULL once freed */
	void *arg;
};

#define NOT_ARMED SIZE_MAX

/* ---- the turn ------------------------------------------------------------------------------------- */

/* The first callback of a turn reads the clock for all of them, and sees whether the loop was held up. */
static void
turn_begin(struct loop *loop)
{
	usec_t suspended = loop->suspended, late;

	if (loop->in_turn)
		return;
	loop->in_turn = true;
	loop->now = clock_now();
	loop->suspended = usec_max(suspended, clock_suspended());
	late = usec_max(loop->held_up, usec_sub(loop->suspended, suspended));
	loop->held_up = 0;
	if (loop->armed_count > 0)
		late = usec_max(late, usec_sub(loop->now, loop->heap[0]->due));
	if (loop->late && late > loop->late_limit)
		loop->late(loop->late_arg, late, loop->now);
}

static void
run_posts(struct loop *loop)
{
	while (!list_is_empty(&loop->posts_now)) {
		struct post *post = list_first(&loop->posts_now, struct post, pending);

		list_remove(&post->pending);
		post->fn(post->arg, loop->now);
	}
}

/* What is armed in this turn is due after `now` (timer_arm()), so that this comes to an end. */
static void
run_timers(struct loop *loop)
{
	while (loop->armed_count > 0 && loop->heap[0]->due <= loop->now) {
		struct timer *timer = loop->heap[0];

		timer_arm(timer, USEC_INFINITY);
		timer->fn(timer->arg, loop->now);
	}
}

static void
on_check(uv_check_t *check)
{
	struct loop *loop = check->data;
	usec_t took;

	turn_begin(loop);
	run_posts(loop);
	run_timers(loop);
	took = usec_sub(clock_now(), loop->now);
	if (loop->late && took > loop->late_limit)
		loop->held_up = took;
}

static void
on_driver(uv_timer_t *driver)
{
	/* It has ended the sleep; on_check() does the rest. */
	(void)driver;
}

static void
list_move(struct list *to, struct list *from)
{
	list_for_each(node, from) {
		list_remove(node);
		list_append(to, node);
	}
}

static void
on_prepare(uv_prepare_t *prepare)
{
	struct loop *loop = prepare->data;
	uint64_t sleep_msec = 0;

	loop->in_turn = false;
	list_move(&loop->posts_now, &loop->posts_next);
	if (list_is_empty(&loop->posts_now) && loop->held_up == 0) {
		if (loop->armed_count == 0) {
			uv_timer_stop(&loop->driver);
			return;
		}
		sleep_msec = (usec_sub(loop->heap[0]->due, clock_now()) + USEC_PER_MSEC - 1) /
			     USEC_PER_MSEC;
	}
	uv_update_time(&loop->uv);
	must(uv_timer_start(&loop->driver, on_driver, sleep_msec, 0) == 0);
}

/* ---- the loop ------------------------------------------------------------------------------------- */

int
loop_new(struct loop **ret_loop)
{
	_cleanup_(freep) struct loop *loop = calloc(1, sizeof(*loop));
	int r;

	if (!loop)
		return -ENOMEM;
	r = uv_loop_init(&loop->uv);
	if (r < 0)
		return r;
	list_init(&loop->posts_now);
	list_init(&loop->posts_next);
	loop->now = clock_now();
	loop->suspended = clock_suspended();
	loop->prepare.data = loop->check.data = loop;
	must(uv_prepare_init(&loop->uv, &loop->prepare) == 0);
	must(uv_prepare_start(&loop->prepare, on_prepare) == 0);
	must(uv_check_init(&loop->uv, &loop->check) == 0);
	must(uv_check_start(&loop->check, on_check) == 0);
	must(uv_timer_init(&loop->uv, &loop->driver) == 0);
	*ret_loop = steal(loop);
	return 0;
}

struct loop *
loop_free(struct loop *loop)
{
	if (!loop)
		return NULL;
	must(loop->users == 0);
	uv_close((uv_handle_t *)&loop->prepare, NULL);
	uv_close((uv_handle_t *)&loop->check, NULL);
	uv_close((uv_handle_t *)&loop->driver, NULL);
	uv_run(&loop->uv, UV_RUN_DEFAULT); /* nothing is left but handles to close */
	must(uv_loop_close(&loop->uv) == 0);
	free(loop->heap);
	free(loop);
	return NULL;
}

int
loop_run(struct loop *loop)
{
	uv_run(&loop->uv, UV_RUN_DEFAULT);
	return 0;
}

int
loop_turn(struct loop *loop, bool wait)
{
	uv_run(&loop->uv, wait ? UV_RUN_ONCE : UV_RUN_NOWAIT);
	return 0;
}

void
loop_stop(struct loop *loop)
{
	uv_stop(&loop->uv);
}

usec_t
loop_now(const struct loop *loop)
{
	return loop->now;
}

void
loop_on_late(struct loop *loop, usec_t limit, late_fn fn, void *arg)
{
	loop->late_limit = limit;
	loop->late = fn;
	loop->late_arg = arg;
}

/* ---- watches -------------------------------------------------------------------------------------- */

/* Waiting for nothing means waiting for the end: libuv would otherwise leave the descriptor out altogether. */
static int
watch_wanted(unsigned int events)
{
	if (events == 0)
		return UV_DISCONNECT;
	return (events & WATCH_READ ? UV_READABLE : 0) | (events & WATCH_WRITE ? UV_WRITABLE : 0);
}

static void
on_poll(uv_poll_t *poll, int status, int shown)
{
	struct watch *watch = poll->data;
	unsigned int events = (shown & UV_READABLE ? WATCH_READ : 0) |
			      (shown & UV_WRITABLE ? WATCH_WRITE : 0);

	turn_begin(watch->loop);
	if (!watch->fn)
		return; /* the late callback has cancelled it */
	if (status < 0) {
		/* libuv stops a handle when it sees EPOLLERR; we are level-triggered all the same. */
		must(uv_poll_start(poll, watch_wanted(watch->events), on_poll) == 0);
		events = WATCH_READ | WATCH_ERROR | watch->events;
	} else if (shown & UV_DISCONNECT) {
		events |= WATCH_READ | WATCH_ERROR;
	}
	watch->fn(watch->arg, events, watch->loop->now);
}

static void
on_watch_closed(uv_handle_t *handle)
{
	free(handle->data);
}

int
watch_start(struct loop *loop, const struct watch_setup *setup, struct watch **ret_watch)
{
	_cleanup_(freep) struct watch *watch = calloc(1, sizeof(*watch));
	int r;

	if (!watch)
		return -ENOMEM;
	r = uv_poll_init(&loop->uv, &watch->uv, setup->fd);
	if (r < 0)
		return r;
	watch->uv.data = watch;
	watch->loop = loop;
	watch->events = setup->events;
	watch->fn = setup->fn;
	watch->arg = setup->arg;
	r = uv_poll_start(&watch->uv, watch_wanted(setup->events), on_poll);
	if (r < 0) {
		uv_close((uv_handle_t *)&steal(watch)->uv, on_watch_closed);
		return r;
	}
	loop->users++;
	*ret_watch = steal(watch);
	return 0;
}

int
watch_change(struct watch *watch, unsigned int events)
{
	int r;

	if (watch->events == events)
		return 0;
	r = uv_poll_start(&watch->uv, watch_wanted(events), on_poll);
	if (r == 0)
		watch->events = events;
	return r;
}

struct watch *
watch_cancel(struct watch *watch)
{
	if (!watch)
		return NULL;
	must(watch->fn);
	watch->fn = NULL;
	watch->loop->users--;
	uv_close((uv_handle_t *)&watch->uv, on_watch_closed);
	return NULL;
}

/* ---- timers --------------------------------------------------------------------------------------- */

static void
heap_put(struct loop *loop, size_t place, struct timer *timer)
{
	loop->heap[place] = timer;
	timer->place = place;
}

/* Moves `timer` from the free `place` towards the root until its parent is no later. */
static void
heap_rise(struct loop *loop, size_t place, struct timer *timer)
{
	while (place > 0 && loop->heap[(place - 1) / 2]->due > timer->due) {
		heap_put(loop, place, loop->heap[(place - 1) / 2]);
		place = (place - 1) / 2;
	}
	heap_put(loop, place, timer);
}

/* Moves `timer` from the free `place` away from the root until no child is earlier. */
static void
heap_sink(struct loop *loop, size_t place, struct timer *timer)
{
	size_t child;

	while ((child = 2 * place + 1) < loop->armed_count) {
		if (child + 1 < loop->armed_count && loop->heap[child + 1]->due < loop->heap[child]->due)
			child++;
		if (loop->heap[child]->due >= timer->due)
			break;
		heap_put(loop, place, loop->heap[child]);
		place = child;
	}
	heap_put(loop, place, timer);
}

static void
heap_remove(struct loop *loop, struct timer *timer)
{
	size_t place = timer->place;
	struct timer *last = loop->heap[--loop->armed_count];

	timer->place = NOT_ARMED;
	if (last == timer)
		return;
	if (place > 0 && loop->heap[(place - 1) / 2]->due > last->due)
		heap_rise(loop, place, last);
	else
		heap_sink(loop, place, last);
}

/* There is a place for every timer before it is armed: arming cannot fail. */
static int
heap_reserve(struct loop *loop)
{
	size_t size = loop->heap_size ? 2 * loop->heap_size : 64;
	struct timer **heap;

	if (loop->timer_count < loop->heap_size)
		return 0;
	heap = reallocarray(loop->heap, size, sizeof(struct timer *));
	if (!heap)
		return -ENOMEM;
	loop->heap = heap;
	loop->heap_size = size;
	return 0;
}

int
timer_new(struct loop *loop, timer_fn fn, void *arg, struct timer **ret_timer)
{
	struct timer *timer;

	if (heap_reserve(loop) < 0)
		return -ENOMEM;
	timer = calloc(1, sizeof(*timer));
	if (!timer)
		return -ENOMEM;
	*timer = (struct timer){ .loop = loop, .place = NOT_ARMED, .fn = fn, .arg = arg };
	loop->timer_count++;
	loop->users++;
	*ret_timer = timer;
	return 0;
}

void
timer_arm(struct timer *timer, usec_t deadline)
{
	struct loop *loop = timer->loop;

	if (timer->place != NOT_ARMED)
		heap_remove(loop, timer);
	if (deadline == USEC_INFINITY)
		return;
	/* Never in this turn; and a deadline in the past does not make the loop look late. */
	timer->due = usec_max(deadline, usec_add(loop->now, 1));
	heap_rise(loop, loop->armed_count++, timer);
}

struct timer *
timer_free(struct timer *timer)
{
	if (!timer)
		return NULL;
	timer_arm(timer, USEC_INFINITY);
	timer->loop->timer_count--;
	timer->loop->users--;
	free(timer);
	return NULL;
}

/* ---- posts ---------------------------------------------------------------------------------------- */

int
post_new(struct loop *loop, post_fn fn, void *arg, struct post **ret_post)
{
	struct post *post = calloc(1, sizeof(*post));

	if (!post)
		return -ENOMEM;
	*post = (struct post){ .loop = loop, .fn = fn, .arg = arg };
	list_init(&post->pending);
	loop->users++;
	*ret_post = post;
	return 0;
}

void
post_call(struct post *post)
{
	if (list_is_empty(&post->pending))
		list_append(&post->loop->posts_next, &post->pending);
}

struct post *
post_free(struct post *post)
{
	if (!post)
		return NULL;
	list_remove(&post->pending);
	post->loop->users--;
	free(post);
	return NULL;
}

/* ---- signals and wake-ups ------------------------------------------------------------------------- */

static void
on_signal(uv_signal_t *handle, int number)
{
	struct signal_watch *signal = handle->data;

	(void)number;
	turn_begin(signal->loop);
	if (signal->fn)
		signal->fn(signal->arg, signal->loop->now);
}

static void
on_signal_closed(uv_handle_t *handle)
{
	free(handle->data);
}

struct signal_watch *
signal_cancel(struct signal_watch *signal)
{
	if (!signal)
		return NULL;
	must(signal->fn);
	signal->fn = NULL;
	signal->loop->users--;
	uv_close((uv_handle_t *)&signal->uv, on_signal_closed);
	return NULL;
}

int
signal_start(struct loop *loop, int number, post_fn fn, void *arg, struct signal_watch **ret_signal)
{
	struct signal_watch *signal = calloc(1, sizeof(*signal));
	int r;

	if (!signal)
		return -ENOMEM;
	r = uv_signal_init(&loop->uv, &signal->uv);
	if (r < 0) {
		free(signal);
		return r;
	}
	signal->uv.data = signal;
	signal->loop = loop;
	signal->fn = fn;
	signal->arg = arg;
	loop->users++;
	r = uv_signal_start(&signal->uv, on_signal, number);
	if (r < 0) {
		signal_cancel(signal);
		return r;
	}
	*ret_signal = signal;
	return 0;
}

static void
on_wakeup(uv_async_t *async)
{
	struct wakeup *wakeup = async->data;

	turn_begin(wakeup->loop);
	if (wakeup->fn)
		wakeup->fn(wakeup->arg, wakeup->loop->now);
}

static void
on_wakeup_closed(uv_handle_t *handle)
{
	free(handle->data);
}

int
wakeup_new(struct loop *loop, post_fn fn, void *arg, struct wakeup **ret_wakeup)
{
	struct wakeup *wakeup = calloc(1, sizeof(*wakeup));
	int r;

	if (!wakeup)
		return -ENOMEM;
	r = uv_async_init(&loop->uv, &wakeup->uv, on_wakeup);
	if (r < 0) {
		free(wakeup);
		return r;
	}
	wakeup->uv.data = wakeup;
	wakeup->loop = loop;
	wakeup->fn = fn;
	wakeup->arg = arg;
	loop->users++;
	*ret_wakeup = wakeup;
	return 0;
}

void
wakeup_send(struct wakeup *wakeup)
{
	uv_async_send(&wakeup->uv);
}

struct wakeup *
wakeup_free(struct wakeup *wakeup)
{
	if (!wakeup)
		return NULL;
	must(wakeup->fn);
	wakeup->fn = NULL;
	wakeup->loop->users--;
	uv_close((uv_handle_t *)&wakeup->uv, on_wakeup_closed);
	return NULL;
}
