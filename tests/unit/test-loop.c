/* sys/loop: turns, and that what is cancelled stays silent. */
#include "check.h"

#include "base/prng.h"
#include "sys/clock.h"
#include "sys/fd.h"
#include "sys/loop.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define MANY 20000

/* What a callback leaves for the test to look at, and what it is to do. */
struct seen {
	unsigned int count;
	unsigned int events;
	usec_t now;
	struct loop *loop;
	struct watch *watch, *victim;
	struct timer *timer, *victim_timer;
	struct post *post;
	int victim_fd, spare_fd;
	struct seen *third;
};

static struct loop *
loop_of_test(void)
{
	struct loop *loop;

	assert_int_equal(loop_new(&loop), 0);
	return loop;
}

static int
event_fd(unsigned int value)
{
	int fd = eventfd(value, EFD_NONBLOCK | EFD_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static struct watch *
start_watch(struct loop *loop, int fd, unsigned int events, watch_fn fn, void *arg)
{
	struct watch *watch;

	assert_int_equal(watch_start(loop, &(struct watch_setup){ fd, events, fn, arg }, &watch), 0);
	return watch;
}

static struct timer *
start_timer(struct loop *loop, usec_t deadline, timer_fn fn, void *arg)
{
	struct timer *timer;

	assert_int_equal(timer_new(loop, fn, arg, &timer), 0);
	timer_arm(timer, deadline);
	return timer;
}

static void
count_event(void *arg, unsigned int events, usec_t now)
{
	struct seen *seen = arg;

	seen->count++;
	seen->events = events;
	seen->now = now;
}

static void
count_call(void *arg, usec_t now)
{
	struct seen *seen = arg;

	seen->count++;
	seen->now = now;
}

/* ---- watches -------------------------------------------------------------------------------------- */

static void
a_watch_is_level_triggered(void **state)
{
	struct loop *loop = loop_of_test();
	struct seen seen = { 0 };
	uint64_t value;
	int fd = event_fd(0);
	struct watch *watch = start_watch(loop, fd, WATCH_READ, count_event, &seen);

	(void)state;
	loop_turn(loop, false);
	assert_int_equal(seen.count, 0);
	value = 1;
	assert_int_equal(write(fd, &value, sizeof(value)), sizeof(value));
	loop_turn(loop, true);
	loop_turn(loop, true);
	assert_int_equal(seen.count, 2);
	assert_int_equal(seen.events, WATCH_READ);
	assert_int_equal(read(fd, &value, sizeof(value)), sizeof(value));
	loop_turn(loop, false);
	assert_int_equal(seen.count, 2);
	assert_int_equal(watch_change(watch, WATCH_READ | WATCH_WRITE), 0);
	loop_turn(loop, true);
	assert_int_equal(seen.count, 3);
	assert_int_equal(seen.events, WATCH_WRITE);
	watch = watch_cancel(watch);
	loop_turn(loop, false);
	assert_int_equal(seen.count, 3);
	fd_close(fd);
	loop_free(loop);
}

static void
cancel_victim(void *arg, unsigned int events, usec_t now)
{
	struct seen *seen = arg;

	count_event(arg, events, now);
	seen->victim = watch_cancel(seen->victim);
}

static void
a_watch_cancelled_in_its_turn_is_silent(void **state)
{
	struct loop *loop = loop_of_test();
	struct seen a = { 0 }, b = { 0 };
	int fd_a = event_fd(1), fd_b = event_fd(1);

	(void)state;
	a.victim = start_watch(loop, fd_b, WATCH_READ, cancel_victim, &b);
	b.victim = start_watch(loop, fd_a, WATCH_READ, cancel_victim, &a);
	/* Whichever of them is called first cancels the other. */
	loop_turn(loop, true);
	assert_int_equal(a.count + b.count, 1);
	watch_cancel(a.victim);
	watch_cancel(b.victim);
	fd_close(fd_a);
	fd_close(fd_b);
	loop_free(loop);
}

/* Cancels the victim, closes its descriptor, and lets a new watch have the same number at once. */
static void
replace_victim(void *arg, unsigned int events, usec_t now)
{
	struct seen *seen = arg;

	count_event(arg, events, now);
	if (!seen->victim)
		return;
	seen->victim = watch_cancel(seen->victim);
	fd_close(seen->victim_fd);
	assert_int_equal(dup2(seen->spare_fd, seen->victim_fd), seen->victim_fd);
	seen->third->watch = start_watch(seen->loop, seen->victim_fd, WATCH_READ, count_event,
					 seen->third);
}

static void
a_number_used_again_in_its_turn_has_no_old_events(void **state)
{
	struct loop *loop = loop_of_test();
	struct seen third = { 0 }, a = { .loop = loop, .third = &third };
	struct seen b = { .loop = loop, .third = &third };
	uint64_t value = 1;
	int fd_a = event_fd(1), fd_b = event_fd(1);

	(void)state;
	a.victim_fd = fd_b;
	b.victim_fd = fd_a;
	a.spare_fd = b.spare_fd = event_fd(0);
	b.victim = a.watch = start_watch(loop, fd_a, WATCH_READ, replace_victim, &a);
	a.victim = b.watch = start_watch(loop, fd_b, WATCH_READ, replace_victim, &b);
	loop_turn(loop, true);
	assert_int_equal(a.count + b.count, 1);
	assert_int_equal(third.count, 0);
	assert_int_equal(write(a.spare_fd, &value, sizeof(value)), sizeof(value));
	loop_turn(loop, true);
	assert_int_equal(third.count, 1);
	watch_cancel(a.count ? a.watch : b.watch);
	watch_cancel(third.watch);
	fd_close(fd_a);
	fd_close(fd_b);
	fd_close(a.spare_fd);
	loop_free(loop);
}

/* A TCP connection on loopback whose other end has been reset. */
static int
reset_socket(void)
{
	struct sockaddr_in name = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct linger linger = { .l_onoff = 1 };
	socklen_t length = sizeof(name);
	int listener = socket(AF_INET, SOCK_STREAM, 0), fd = socket(AF_INET, SOCK_STREAM, 0), peer;

	assert_int_equal(bind(listener, (struct sockaddr *)&name, sizeof(name)), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&name, &length), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	peer = accept(listener, NULL, NULL);
	assert_true(peer >= 0);
	assert_int_equal(setsockopt(peer, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
	fd_close(peer);
	fd_close(listener);
	return fd;
}

static void
an_error_is_shown_and_goes_on_being_shown(void **state)
{
	static const unsigned int wanted[] = { WATCH_READ, WATCH_WRITE, 0 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(wanted); i++) {
		struct loop *loop = loop_of_test();
		struct seen seen = { 0 };
		int fd = reset_socket();
		struct watch *watch = start_watch(loop, fd, wanted[i], count_event, &seen);

		loop_turn(loop, true);
		assert_int_equal(seen.count, 1);
		assert_int_equal(seen.events, WATCH_ERROR | WATCH_READ | wanted[i]);
		loop_turn(loop, true);
		assert_int_equal(seen.count, 2);
		watch_cancel(watch);
		fd_close(fd);
		loop_free(loop);
	}
}

static void
waiting_for_nothing_sees_the_hang_up_only(void **state)
{
	struct loop *loop = loop_of_test();
	struct seen seen = { 0 };
	struct watch *watch;
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	watch = start_watch(loop, pair[0], 0, count_event, &seen);
	assert_int_equal(write(pair[1], "x", 1), 1);
	loop_turn(loop, false);
	assert_int_equal(seen.count, 0);
	pair[1] = fd_close(pair[1]);
	loop_turn(loop, true);
	assert_int_equal(seen.count, 1);
	assert_true(seen.events & WATCH_ERROR);
	watch_cancel(watch);
	fd_close(pair[0]);
	loop_free(loop);
}

static void
consume_event(void *arg, unsigned int events, usec_t now)
{
	struct seen *seen = arg;
	uint64_t value;

	count_event(arg, events, now);
	assert_int_equal(read(seen->victim_fd, &value, sizeof(value)), sizeof(value));
}

static void
many_watches_are_all_seen(void **state)
{
	static struct seen seen[MANY];
	static int fds[MANY];
	struct loop *loop = loop_of_test();
	unsigned long limit;
	size_t count;

	(void)state;
	assert_int_equal(fd_raise_limit(MANY + 64, &limit), 0);
	/* A host may allow fewer than that; what it allows is used up. */
	count = limit < MANY + 64 ? limit - 64 : MANY;
	assert_true(count > 900);
	for (size_t i = 0; i < count; i++) {
		fds[i] = event_fd(i % 2);
		seen[i].victim_fd = fds[i];
		seen[i].watch = start_watch(loop, fds[i], WATCH_READ, consume_event, &seen[i]);
	}
	loop_turn(loop, true);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(seen[i].count, i % 2);
		watch_cancel(seen[i].watch);
		fd_close(fds[i]);
	}
	loop_free(loop);
}

/* ---- timers --------------------------------------------------------------------------------------- */

struct alarm_clock {
	usec_t deadline;
	usec_t *last;
	unsigned int *left;
	struct timer *timer;
};

static void
check_alarm(void *arg, usec_t now)
{
	struct alarm_clock *alarm = arg;

	assert_true(now >= alarm->deadline);
	assert_true(clock_now() >= alarm->deadline);
	assert_true(*alarm->last <= alarm->deadline);
	*alarm->last = alarm->deadline;
	--*alarm->left;
}

static void
timers_fire_in_order_and_never_early(void **state)
{
	static struct alarm_clock alarms[MANY];
	struct loop *loop = loop_of_test();
	struct prng prng;
	usec_t last = 0, begin = clock_now() + 1000;
	unsigned int left = MANY;

	(void)state;
	prng_init(&prng, 1);
	for (size_t i = 0; i < MANY; i++) {
		alarms[i] = (struct alarm_clock){ .last = &last, .left = &left };
		/* Armed, moved, and some freed and made anew: the heap is turned over. */
		alarms[i].timer = start_timer(loop, begin + prng_below(&prng, 90000), check_alarm,
					      &alarms[i]);
	}
	begin = clock_now() + 1000;
	for (size_t i = 0; i < MANY; i++) {
		if (prng_below(&prng, 4) == 0) {
			timer_free(alarms[i].timer);
			alarms[i].timer = start_timer(loop, USEC_INFINITY, check_alarm, &alarms[i]);
		}
		alarms[i].deadline = begin + 50000 + prng_below(&prng, 50000);
		timer_arm(alarms[i].timer, alarms[i].deadline);
	}
	while (left > 0)
		loop_turn(loop, true);
	loop_turn(loop, false);
	assert_int_equal(left, 0);
	for (size_t i = 0; i < MANY; i++)
		timer_free(alarms[i].timer);
	loop_free(loop);
}

/* A single timer at a time, at odd microseconds: what libuv's milliseconds would round down. */
static void
one_timer_is_never_early(void **state)
{
	struct loop *loop = loop_of_test();
	struct alarm_clock alarm = { 0 };
	usec_t last = 0;
	unsigned int left = 0;
	struct timer *timer;

	(void)state;
	alarm.last = &last;
	alarm.left = &left;
	timer = start_timer(loop, USEC_INFINITY, check_alarm, &alarm);
	for (unsigned int i = 0; i < 40; i++) {
		left = 1;
		alarm.deadline = clock_now() + 1 + i * 137;
		timer_arm(timer, alarm.deadline);
		while (left > 0)
			loop_turn(loop, true);
	}
	timer_free(timer);
	loop_free(loop);
}

static void
arm_again(void *arg, usec_t now)
{
	struct seen *seen = arg;

	count_call(arg, now);
	timer_arm(seen->timer, 0);
}

static void
a_timer_armed_in_a_turn_waits_for_the_next(void **state)
{
	struct loop *loop = loop_of_test();
	struct seen seen = { 0 };

	(void)state;
	seen.timer = start_timer(loop, 0, arm_again, &seen);
	for (unsigned int i = 1; i <= 3; i++) {
		usec_t before = seen.now;

		while (seen.count < i)
			loop_turn(loop, true);
		assert_int_equal(seen.count, i);
		assert_true(seen.now > before);
	}
	timer_free(seen.timer);
	loop_free(loop);
}

static void
free_victim_timer(void *arg, usec_t now)
{
	struct seen *seen = arg;

	count_call(arg, now);
	seen->victim_timer = timer_free(seen->victim_timer);
}

static void
a_timer_freed_in_its_turn_is_silent(void **state)
{
	struct loop *loop = loop_of_test();
	struct seen seen = { 0 }, victim = { 0 };

	(void)state;
	seen.timer = start_timer(loop, 1, free_victim_timer, &seen);
	seen.victim_timer = start_timer(loop, 2, count_call, &victim);
	while (seen.count == 0)
		loop_turn(loop, true);
	loop_turn(loop, false);
	assert_int_equal(victim.count, 0);
	timer_free(seen.timer);
	loop_free(loop);
}

static void
a_disarmed_timer_is_silent(void **state)
{
	struct loop *loop = loop_of_test();
	struct seen seen = { 0 }, other = { 0 };
	struct timer *timer = start_timer(loop, 1, count_call, &seen);
	struct timer *end = start_timer(loop, clock_now() + 3000, count_call, &other);

	(void)state;
	timer_arm(timer, USEC_INFINITY);
	while (other.count == 0)
		loop_turn(loop, true);
	assert_int_equal(seen.count, 0);
	timer_free(timer);
	timer_free(end);
	loop_free(loop);
}

/* ---- posts ---------------------------------------------------------------------------------------- */

static void
post_again(void *arg, usec_t now)
{
	struct seen *seen = arg;

	count_call(arg, now);
	post_call(seen->post);
}

static void
a_post_is_called_once_a_turn(void **state)
{
	struct loop *loop = loop_of_test();
	struct seen seen = { 0 }, freed = { 0 };
	struct post *gone;

	(void)state;
	assert_int_equal(post_new(loop, post_again, &seen, &seen.post), 0);
	assert_int_equal(post_new(loop, count_call, &freed, &gone), 0);
	post_call(seen.post);
	post_call(seen.post);
	post_call(gone);
	gone = post_free(gone);
	assert_int_equal(seen.count, 0);
	/* Waiting would never end if a pending post did not keep the loop from sleeping. */
	loop_turn(loop, true);
	assert_int_equal(seen.count, 1);
	loop_turn(loop, true);
	assert_int_equal(seen.count, 2);
	assert_int_equal(freed.count, 0);
	post_free(seen.post);
	loop_free(loop);
}

/* ---- the turn ------------------------------------------------------------------------------------- */

static void
linger_event(void *arg, unsigned int events, usec_t now)
{
	count_event(arg, events, now);
	usleep(2000);
}

static void
a_turn_has_one_now(void **state)
{
	struct loop *loop = loop_of_test();
	struct seen a = { 0 }, b = { 0 }, c = { 0 };
	int fd_a = event_fd(1), fd_b = event_fd(1);
	struct watch *watch_a = start_watch(loop, fd_a, WATCH_READ, linger_event, &a);
	struct watch *watch_b = start_watch(loop, fd_b, WATCH_READ, linger_event, &b);
	struct timer *timer = start_timer(loop, 0, count_call, &c);

	(void)state;
	loop_turn(loop, true);
	assert_int_equal(a.count, 1);
	assert_int_equal(a.now, b.now);
	assert_int_equal(a.now, c.now);
	assert_int_equal(a.now, loop_now(loop));
	loop_turn(loop, true);
	assert_true(b.now > c.now);
	watch_cancel(watch_a);
	watch_cancel(watch_b);
	timer_free(timer);
	fd_close(fd_a);
	fd_close(fd_b);
	loop_free(loop);
}

struct lateness {
	unsigned int count;
	usec_t late, now;
	struct watch *victim;
	struct seen *others;
};

static void
on_late(void *arg, usec_t late, usec_t now)
{
	struct lateness *lateness = arg;

	lateness->count++;
	lateness->late = late;
	lateness->now = now;
	assert_int_equal(lateness->others->count, 0);
	lateness->victim = watch_cancel(lateness->victim);
}

static void
an_overdue_timer_is_late_before_anything_else(void **state)
{
	struct loop *loop = loop_of_test();
	struct seen seen = { 0 };
	struct lateness lateness = { .others = &seen };
	usec_t deadline = clock_now() + 5000;
	int fd = event_fd(1), victim = event_fd(1);
	struct watch *watch;
	struct timer *timer = start_timer(loop, deadline, count_call, &seen);

	(void)state;
	/* The victim's event comes first, and is what makes the loop look at the clock. */
	lateness.victim = start_watch(loop, victim, WATCH_READ, count_event, &seen);
	watch = start_watch(loop, fd, WATCH_READ, count_event, &seen);
	loop_on_late(loop, 30 * USEC_PER_MSEC, on_late, &lateness);
	usleep(60000);
	loop_turn(loop, true);
	assert_int_equal(lateness.count, 1);
	assert_true(lateness.late >= 30 * USEC_PER_MSEC);
	assert_int_equal(lateness.late, lateness.now - deadline);
	/* The watch and the timer; the victim was cancelled by the late callback although it was ready. */
	assert_int_equal(seen.count, 2);
	watch_cancel(watch);
	timer_free(timer);
	fd_close(fd);
	fd_close(victim);
	loop_free(loop);
}

static void
sleep_long(void *arg, usec_t now)
{
	count_call(arg, now);
	usleep(60000);
}

static void
a_long_turn_is_late_at_once(void **state)
{
	struct loop *loop = loop_of_test();
	struct seen sleeper = { 0 }, none = { 0 };
	struct lateness lateness = { .others = &none };
	struct timer *timer = start_timer(loop, 0, sleep_long, &sleeper);

	(void)state;
	loop_on_late(loop, 30 * USEC_PER_MSEC, on_late, &lateness);
	while (sleeper.count == 0)
		loop_turn(loop, true);
	assert_int_equal(lateness.count, 0);
	/* Nothing else is due; the loop does not sleep before it has told. */
	loop_turn(loop, true);
	assert_int_equal(lateness.count, 1);
	assert_true(lateness.late >= 60 * USEC_PER_MSEC);
	loop_turn(loop, false);
	assert_int_equal(lateness.count, 1);
	timer_free(timer);
	loop_free(loop);
}

static void
a_deadline_in_the_past_is_not_late(void **state)
{
	struct loop *loop = loop_of_test();
	struct seen seen = { 0 }, none = { 0 };
	struct lateness lateness = { .others = &none };
	struct timer *timer = start_timer(loop, 1, count_call, &seen);

	(void)state;
	loop_on_late(loop, USEC_PER_MINUTE, on_late, &lateness);
	while (seen.count == 0)
		loop_turn(loop, true);
	assert_int_equal(lateness.count, 0);
	timer_free(timer);
	loop_free(loop);
}

/*
 * What a suspend looks like to the clocks: a time namespace in which the machine has slept an hour.  Children will live in
 * it (a process with threads, as TSan's are, may not enter one itself).  False: not allowed here.
 */
static bool
make_another_time(void)
{
	static const char offset[] = "boottime 3600 0";
	int offsets;
	bool done;

	if (unshare(CLONE_NEWTIME) < 0)
		return false;
	offsets = open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC);
	done = offsets >= 0 && write(offsets, offset, strlen(offset)) > 0;
	fd_close(offsets);
	return done;
}

#define NOT_ALLOWED 77

/* The loop goes on in a child, to whom an hour has passed since the turn before. */
static int
suspended_grandchild(struct loop *loop, const struct lateness *lateness)
{
	loop_turn(loop, false);
	loop_turn(loop, false);
	/* The two clocks are read one after the other: the hour is not exact. */
	if (lateness->late < 59 * USEC_PER_MINUTE || lateness->late > 61 * USEC_PER_MINUTE)
		return 2;
	return lateness->count == 1 ? 0 : 4;
}

static int
suspended_child(void)
{
	struct loop *loop = loop_of_test();
	struct seen none = { 0 };
	struct lateness lateness = { .others = &none };
	pid_t grandchild;
	int status;

	loop_on_late(loop, USEC_PER_MINUTE, on_late, &lateness);
	loop_turn(loop, false);
	if (lateness.count != 0)
		return 1;
	if (!make_another_time())
		return NOT_ALLOWED;
	grandchild = fork();
	if (grandchild == 0)
		_exit(suspended_grandchild(loop, &lateness));
	if (grandchild < 0 || waitpid(grandchild, &status, 0) != grandchild || !WIFEXITED(status))
		return 3;
	loop_free(loop);
	return WEXITSTATUS(status);
}

static void
a_suspend_is_late(void **state)
{
	pid_t child = fork();
	int status;

	(void)state;
	assert_true(child >= 0);
	if (child == 0)
		_exit(suspended_child());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == NOT_ALLOWED)
		skip_because("a time namespace of its own is not allowed here");
	assert_int_equal(WEXITSTATUS(status), 0);
}

struct ticker {
	struct loop *loop;
	struct timer *timer;
};

static void
on_tick(void *arg, usec_t now)
{
	struct ticker *ticker = arg;

	timer_arm(ticker->timer, now + 10000);
}

static void
stop_at_late(void *arg, usec_t late, usec_t now)
{
	struct ticker *ticker = arg;

	(void)late;
	(void)now;
	loop_stop(ticker->loop);
}

static void
a_stopped_process_is_late(void **state)
{
	int status;
	pid_t child = fork();

	(void)state;
	assert_true(child >= 0);
	if (child == 0) {
		struct ticker ticker;

		if (loop_new(&ticker.loop) < 0 ||
		    timer_new(ticker.loop, on_tick, &ticker, &ticker.timer) < 0)
			_exit(1);
		loop_on_late(ticker.loop, 300 * USEC_PER_MSEC, stop_at_late, &ticker);
		timer_arm(ticker.timer, 0);
		_exit(loop_run(ticker.loop) == 0 ? 42 : 2);
	}
	usleep(50000);
	/* Stopped again and again, should the first time have come before its loop ran. */
	for (;;) {
		kill(child, SIGSTOP);
		usleep(400000);
		kill(child, SIGCONT);
		usleep(100000);
		if (waitpid(child, &status, WNOHANG) == child)
			break;
	}
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 42);
}

/* ---- signals, wake-ups, and the end --------------------------------------------------------------- */

static void
a_signal_is_a_callback(void **state)
{
	struct loop *loop = loop_of_test();
	struct seen seen = { 0 };
	struct signal_watch *signal;

	(void)state;
	assert_int_equal(signal_start(loop, SIGUSR1, count_call, &seen, &signal), 0);
	kill(getpid(), SIGUSR1);
	assert_int_equal(seen.count, 0);
	while (seen.count == 0)
		loop_turn(loop, true);
	signal = signal_cancel(signal);
	loop_free(loop);
}

#define POKES 1000

struct poke {
	struct wakeup *wakeup;
	unsigned int sent; /* atomic */
};

static void *
poke(void *arg)
{
	struct poke *poke = arg;

	for (unsigned int i = 0; i < POKES; i++) {
		__atomic_add_fetch(&poke->sent, 1, __ATOMIC_SEQ_CST);
		wakeup_send(poke->wakeup);
	}
	return NULL;
}

static void
a_wakeup_comes_from_another_thread(void **state)
{
	struct loop *loop = loop_of_test();
	struct seen seen = { 0 };
	struct poke shared = { 0 };
	pthread_t thread;

	(void)state;
	assert_int_equal(wakeup_new(loop, count_call, &seen, &shared.wakeup), 0);
	assert_int_equal(pthread_create(&thread, NULL, poke, &shared), 0);
	while (__atomic_load_n(&shared.sent, __ATOMIC_SEQ_CST) < POKES)
		loop_turn(loop, true);
	pthread_join(thread, NULL);
	wakeup_send(shared.wakeup);
	loop_turn(loop, true);
	assert_true(seen.count >= 1);
	wakeup_free(shared.wakeup);
	loop_free(loop);
}

static void
stop_the_loop(void *arg, usec_t now)
{
	(void)now;
	loop_stop(arg);
}

static void
a_loop_runs_until_it_is_stopped(void **state)
{
	struct loop *loop = loop_of_test();
	struct seen seen = { 0 };
	struct timer *first = start_timer(loop, clock_now() + 1000, count_call, &seen);
	struct timer *second = start_timer(loop, clock_now() + 5000, stop_the_loop, loop);

	(void)state;
	assert_int_equal(loop_run(loop), 0);
	assert_int_equal(seen.count, 1);
	timer_free(first);
	timer_free(second);
	assert_null(loop_free(loop));
	assert_null(loop_free(NULL));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_watch_is_level_triggered),
		cmocka_unit_test(a_watch_cancelled_in_its_turn_is_silent),
		cmocka_unit_test(a_number_used_again_in_its_turn_has_no_old_events),
		cmocka_unit_test(an_error_is_shown_and_goes_on_being_shown),
		cmocka_unit_test(waiting_for_nothing_sees_the_hang_up_only),
		cmocka_unit_test(many_watches_are_all_seen),
		cmocka_unit_test(timers_fire_in_order_and_never_early),
		cmocka_unit_test(one_timer_is_never_early),
		cmocka_unit_test(a_timer_armed_in_a_turn_waits_for_the_next),
		cmocka_unit_test(a_timer_freed_in_its_turn_is_silent),
		cmocka_unit_test(a_disarmed_timer_is_silent),
		cmocka_unit_test(a_post_is_called_once_a_turn),
		cmocka_unit_test(a_turn_has_one_now),
		cmocka_unit_test(an_overdue_timer_is_late_before_anything_else),
		cmocka_unit_test(a_long_turn_is_late_at_once),
		cmocka_unit_test(a_deadline_in_the_past_is_not_late),
		cmocka_unit_test(a_suspend_is_late),
		cmocka_unit_test(a_stopped_process_is_late),
		cmocka_unit_test(a_signal_is_a_callback),
		cmocka_unit_test(a_wakeup_comes_from_another_thread),
		cmocka_unit_test(a_loop_runs_until_it_is_stopped),
	};

	RUN_TESTS(tests);
}
