/*
 * The event loop of one thread (libuv inside): descriptors, timers, deferred calls, signals, wake-ups.
 *
 * One turn of the loop has one `now`; it handles descriptors, signals and wake-ups first, then posts, then timers.  Cancelling anything is synchronous and final: its callback is
 * never called again (libuv closes handles later; the handle outlives its owner by a turn, unseen).  No
 * function here calls back before it has returned.  Everything belongs to the loop's own thread, except
 * wakeup_send().
 */
#pragma once

#include "base/usec.h"

#include <stdbool.h>

struct loop;
struct watch;
struct timer;
struct post;
struct signal_watch;
struct wakeup;

#define WATCH_READ  1u
#define WATCH_WRITE 2u
/* Shown with an event only: the descriptor is in error or hung up; read or write to learn how. */
#define WATCH_ERROR 4u

typedef void (*watch_fn)(void *arg, unsigned int events, usec_t now);
typedef void (*timer_fn)(void *arg, usec_t now);
typedef void (*post_fn)(void *arg, usec_t now);
typedef void (*late_fn)(void *arg, usec_t late, usec_t now);

/*
 * loop_new(ret_loop):
 * Create a loop for the calling thread (or for the one that will run it).  Returns 0 or a negative errno.
 */
int loop_new(struct loop **ret_loop);

/*
 * loop_free(loop):
 * End it; all that was started on it must have been cancelled.  Takes NULL, returns NULL.
 */
struct loop *loop_free(struct loop *loop);

/*
 * loop_run(loop):
 * Turn until loop_stop().  Returns 0 or a negative errno.
 */
int loop_run(struct loop *loop);

/*
 * loop_turn(loop, wait):
 * One turn: handle what is due; with `wait`, sleep until something is.  For tests and simple programs.
 */
int loop_turn(struct loop *loop, bool wait);

/*
 * loop_stop(loop):
 * Let loop_run() return after this turn.
 */
void loop_stop(struct loop *loop);

/*
 * loop_now(loop):
 * The instant at which this turn began.  Before the first turn, the instant of loop_new().
 */
usec_t loop_now(const struct loop *loop);

/*
 * loop_on_late(loop, limit, fn, arg):
 * Call `fn` before anything else of a turn whenever the loop was held up: a timer that was due is found
 * more than `limit` late, a whole turn (callbacks and all) took longer than `limit`, or the machine was suspended for longer.
 * `late` is by how much.  The caller keeps a timer running (a tick) so that there is something to be late for.
 */
void loop_on_late(struct loop *loop, usec_t limit, late_fn fn, void *arg);

/*
 * watch_start(loop, fd, events, fn, arg, ret_watch):
 * Call `fn` whenever one of `events` (WATCH_READ, WATCH_WRITE; 0: only errors and hang-ups, the end of what the peer sends included) is there on `fd`: level-triggered,
 * on a very busy loop more than once a turn.  One watch a descriptor (-EEXIST).  `fd`
 * stays the caller's and is closed by it only after watch_cancel().  Returns 0 or a negative errno.
 */
struct watch_setup {
	int fd;
	unsigned int events;
	watch_fn fn;
	void *arg;
};
int watch_start(struct loop *loop, const struct watch_setup *setup, struct watch **ret_watch);

/*
 * watch_change(watch, events):
 * Wait for other events from now on.  Returns 0 or a negative errno.
 */
int watch_change(struct watch *watch, unsigned int events);

/*
 * watch_cancel(watch):
 * End it; takes NULL, returns NULL.  Call it before closing the descriptor.
 */
struct watch *watch_cancel(struct watch *watch);

/*
 * timer_new(loop, fn, arg, ret_timer):
 * A timer that is not running.  Returns 0 or -ENOMEM.
 */
int timer_new(struct loop *loop, timer_fn fn, void *arg, struct timer **ret_timer);

/*
 * timer_arm(timer, deadline):
 * Fire once at `deadline` (not before the next turn, at most about a millisecond late on an idle machine);
 * USEC_INFINITY disarms.  A running timer is moved.
 */
void timer_arm(struct timer *timer, usec_t deadline);

/*
 * timer_free(timer):
 * Disarm and free; takes NULL, returns NULL.
 */
struct timer *timer_free(struct timer *timer);

/*
 * post_new(loop, fn, arg, ret_post):
 * A deferred call, not pending.  Returns 0 or -ENOMEM.
 */
int post_new(struct loop *loop, post_fn fn, void *arg, struct post **ret_post);

/*
 * post_call(post):
 * Call `fn` once in the next turn, without sleeping before it; if it is pending already, nothing is added.
 */
void post_call(struct post *post);

/*
 * post_free(post):
 * Cancel and free; takes NULL, returns NULL.
 */
struct post *post_free(struct post *post);

/*
 * signal_start(loop, number, fn, arg, ret_signal):
 * Call `fn` in the loop, outside any handler, when the process receives signal `number`.
 * Returns 0 or a negative errno.  signal_cancel() takes NULL and returns NULL.
 */
int signal_start(struct loop *loop, int number, post_fn fn, void *arg, struct signal_watch **ret_signal);
struct signal_watch *signal_cancel(struct signal_watch *signal);

/*
 * wakeup_new(loop, fn, arg, ret_wakeup):
 * Something another thread can poke: `fn` is called in the loop's thread once or more after wakeup_send().
 * Returns 0 or a negative errno.
 */
int wakeup_new(struct loop *loop, post_fn fn, void *arg, struct wakeup **ret_wakeup);

/*
 * wakeup_send(wakeup):
 * Poke it.  Any thread; never blocks.
 */
void wakeup_send(struct wakeup *wakeup);

/*
 * wakeup_free(wakeup):
 * End it, on the loop's thread, when nobody can send any more; takes NULL, returns NULL.
 */
struct wakeup *wakeup_free(struct wakeup *wakeup);
