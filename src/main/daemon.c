#include "main/daemon.h"

#include "base/must.h"
#include "main/control.h"
#include "main/manager.h"
#include "main/report.h"
#include "main/service.h"
#include "sys/clock.h"
#include "sys/fd.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STATUS_INTERVAL \
	(1 * USEC_PER_SEC) /* the service manager is told no more often how things are */
#define STOP_TIMEOUT_MAX \
	(30 * USEC_PER_SEC) /* however long timeouts.close is: a shutdown waits behind us */

/* timeout(1), shells and others send a signal to a process and again to its group: that is one wish, not two. */
#define SECOND_SIGNAL_DELAY (100 * USEC_PER_MSEC)

/* Descriptors: what each worker has of its own (epoll, wake-ups, resolver, netlink), and all the rest (control clients and their
 * reserve, the log, the loop). */
#define DESCRIPTORS_PER_WORKER 16
#define DESCRIPTORS_OTHER      128

struct daemon {
	struct config *config; /* in force; a reference */
	uint64_t started;      /* realtime */
	struct loop *loop;
	struct notices notices;
	struct report *report;
	struct manager *manager;
	struct control *control;
	struct signal_watch *terminate, *interrupt, *hangup;
	struct timer *watchdog, *status;
	struct subscriber subscriber; /* refreshes STATUS= */
	usec_t watchdog_interval, status_told_at, stopping_since;
	bool status_due, stopping;
	int exit_status;
};

/* Say on standard error and in the log, if there is one, why we cannot start.  Returns the exit status. */
static int __attribute__((format(printf, 2, 3))) fatal(struct daemon *daemon, const char *format, ...)
{
	char message[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	fprintf(stderr, "holdfastd: %s\n", message);
	if (daemon->report)
		report_say(daemon->report, LEVEL_ERROR, "start", "%s", message);
	return EXIT_FAILURE;
}

/* ---- what the configuration asks of this host ----------------------------------------------------- */

static unsigned long
count_links(const struct config *config)
{
	unsigned long links = 0;

	for (size_t i = 0; i < config->upstream_count; i++)
		links += config->upstreams[i]->policy.connections;
	return links;
}

/*
 * Each link needs one descriptor for its connection, and for a while one more: when addresses race, or when a successor is
 * made.  Not to have the second for all at once is no harm; not to have the first is, and is said.
 */
static void
raise_descriptor_limit(struct daemon *daemon)
{
	unsigned long links = count_links(daemon->config), limit;
	unsigned long needed = links + daemon->config->workers * DESCRIPTORS_PER_WORKER +
			       DESCRIPTORS_OTHER;
	int r = fd_raise_limit(needed + links, &limit);

	if (r < 0)
		report_say(daemon->report, LEVEL_WARNING, "limits",
			   "RLIMIT_NOFILE cannot be raised: %s", strerrordesc_np(-r));
	else if (limit < needed)
		report_say(daemon->report, LEVEL_WARNING, "limits",
			   "%lu links need about %lu descriptors, but RLIMIT_NOFILE allows %lu: "
			   "raise LimitNOFILE= or hold fewer connections",
			   links, needed, limit);
}

static usec_t
stop_timeout(const struct config *config)
{
	usec_t longest = 0;

	for (size_t i = 0; i < config->upstream_count; i++)
		longest = usec_max(longest, config->upstreams[i]->policy.timeout[STAGE_CLOSING]);
	return usec_min(longest, STOP_TIMEOUT_MAX);
}

/* ---- callbacks ------------------------------------------------------------------------------------ */

static void
on_config(void *arg, const struct config *config)
{
	struct daemon *daemon = arg;
	struct config *before = daemon->config;

	daemon->config = config_ref((struct config *)config);
	config_unref(before);
	report_configure(daemon->report, &config->log);
	control_configure(daemon->control, &config->control);
	control_set_configured(daemon->control, clock_realtime());
	raise_descriptor_limit(daemon);
}

static void
on_alive(void *arg, usec_t now)
{
	(void)arg;
	(void)now;
	service_watchdog();
}

static void
on_stopped(void *arg, usec_t now)
{
	struct daemon *daemon = arg;

	(void)now;
	loop_stop(daemon->loop);
}

static void
on_watchdog(void *arg, usec_t now)
{
	struct daemon *daemon = arg;

	timer_arm(daemon->watchdog, usec_add(now, daemon->watchdog_interval));
	manager_ping(daemon->manager);
}

static void
on_status(void *arg, usec_t now)
{
	struct daemon *daemon = arg;

	daemon->status_due = false;
	daemon->status_told_at = now;
	if (!daemon->stopping)
		service_status(manager_model(daemon->manager));
}

/* Anything that is told may change the sentence of STATUS=. */
static void
on_notice(void *arg, const struct notice *notice)
{
	struct daemon *daemon = arg;

	if (daemon->status_due || notice->kind == NOTICE_STAGE)
		return;
	daemon->status_due = true;
	timer_arm(daemon->status, usec_add(daemon->status_told_at, STATUS_INTERVAL));
}

/* ---- the end -------------------------------------------------------------------------------------- */

static void
stop(struct daemon *daemon, const char *why)
{
	usec_t timeout = stop_timeout(daemon->config);

	daemon->stopping = true;
	daemon->stopping_since = clock_now();
	service_stopping();
	report_say(daemon->report, LEVEL_NOTICE, "stop",
		   "%s: closing all connections, which may take %llu ms", why,
		   (unsigned long long)(timeout / USEC_PER_MSEC));
	manager_stop(daemon->manager, usec_add(daemon->stopping_since, timeout));
}

/* The first one ends us in order; who sends a second one means at once. */
static void
on_terminate(void *arg, usec_t now)
{
	struct daemon *daemon = arg;

	if (daemon->stopping) {
		if (usec_sub(now, daemon->stopping_since) > SECOND_SIGNAL_DELAY)
			_exit(EXIT_FAILURE);
		return;
	}
	stop(daemon, "asked to end by a signal");
}

static void
on_hangup(void *arg, usec_t now)
{
	struct daemon *daemon = arg;
	struct problems problems = { 0 };
	struct reload reload;

	(void)now;
	if (daemon->stopping)
		return;
	if (manager_reload(daemon->manager, false, &problems, &reload) >= 0)
		reload_done(&reload);
	problems_done(&problems);
}

/* ---- the beginning -------------------------------------------------------------------------------- */

static int
start_log(struct daemon *daemon)
{
	int r = report_new(&daemon->config->log, &daemon->notices, &daemon->report);

	if (r < 0)
		return fatal(daemon, "cannot start the log: %s", strerrordesc_np(-r));
	report_say(daemon->report, LEVEL_NOTICE, "start",
		   "holdfastd %s starts with %s: %zu upstreams, %lu links, %u workers",
		   PACKAGE_VERSION, daemon->config->file, daemon->config->upstream_count,
		   count_links(daemon->config), daemon->config->workers);
	return 0;
}

static int
start_manager(struct daemon *daemon)
{
	struct manager_setup setup = {
		.loop = daemon->loop,
		.notices = &daemon->notices,
		.config = daemon->config,
		.on_stopped = on_stopped,
		.on_config = on_config,
		.on_alive = on_alive,
		.arg = daemon,
	};
	int r = manager_new(&setup, &daemon->manager);

	if (r < 0)
		return fatal(daemon, "cannot set up: %s", strerrordesc_np(-r));
	return 0;
}

static int
start_control(struct daemon *daemon)
{
	struct control_setup setup = {
		.loop = daemon->loop,
		.manager = daemon->manager,
		.notices = &daemon->notices,
		.report = daemon->report,
		.config = &daemon->config->control,
		.listener = service_listener("control"),
		.started = daemon->started,
	};
	bool passed = setup.listener >= 0;
	int r;

	service_close_passed();
	r = control_new(&setup, &daemon->control);
	if (r < 0)
		return fatal(daemon, "cannot listen at %s: %s%s",
			     passed ? "the passed socket" : daemon->config->control.path,
			     strerrordesc_np(-r),
			     r == -EADDRINUSE ? " (another holdfastd serves it)" : "");
	control_set_configured(daemon->control, daemon->started);
	return 0;
}

static int
start_signals(struct daemon *daemon)
{
	struct loop *loop = daemon->loop;
	int r = signal_start(loop, SIGTERM, on_terminate, daemon, &daemon->terminate);

	if (r >= 0)
		r = signal_start(loop, SIGINT, on_terminate, daemon, &daemon->interrupt);
	if (r >= 0)
		r = signal_start(loop, SIGHUP, on_hangup, daemon, &daemon->hangup);
	if (r >= 0)
		r = timer_new(loop, on_watchdog, daemon, &daemon->watchdog);
	if (r >= 0)
		r = timer_new(loop, on_status, daemon, &daemon->status);
	if (r < 0)
		return fatal(daemon, "cannot set up: %s", strerrordesc_np(-r));
	return 0;
}

/* From here on there are threads: whatever goes wrong, the end is the orderly one. */
static void
start_work(struct daemon *daemon)
{
	int r;

	daemon->subscriber = (struct subscriber){ .fn = on_notice, .arg = daemon };
	notices_subscribe(&daemon->notices, &daemon->subscriber);
	r = manager_start(daemon->manager);
	if (r < 0) {
		daemon->exit_status = fatal(daemon, "cannot start the workers: %s",
					    strerrordesc_np(-r));
		stop(daemon, "the workers did not start");
		return;
	}
	daemon->watchdog_interval = service_watchdog_interval();
	if (daemon->watchdog_interval != USEC_INFINITY)
		timer_arm(daemon->watchdog, clock_now());
	timer_arm(daemon->status, clock_now());
	daemon->status_due = true;
	service_ready();
}

static int
start(struct daemon *daemon)
{
	int r = loop_new(&daemon->loop);

	if (r < 0)
		return fatal(daemon, "cannot make an event loop: %s", strerrordesc_np(-r));
	r = start_log(daemon);
	if (r != 0)
		return r;
	raise_descriptor_limit(daemon);
	r = start_signals(daemon);
	if (r == 0)
		r = start_manager(daemon);
	if (r == 0)
		r = start_control(daemon);
	if (r == 0)
		start_work(daemon);
	return r;
}

/* Good for any part of it that has been started. */
static void
end(struct daemon *daemon)
{
	unsigned int given_up = daemon->manager ? manager_given_up(daemon->manager) : 0;

	control_free(daemon->control);
	if (given_up > 0)
		report_say(daemon->report, LEVEL_ERROR, "stopped",
			   "%u workers did not answer and are given up", given_up);
	else if (daemon->stopping)
		report_say(daemon->report, LEVEL_NOTICE, "stopped", "all is closed");
	if (daemon->subscriber.fn)
		notices_unsubscribe(&daemon->subscriber);
	manager_free(daemon->manager);
	report_free(daemon->report);
	config_unref(daemon->config);
	/* Their threads go on using the loop's wake-up until the process ends. */
	if (given_up > 0)
		_exit(EXIT_FAILURE);
	timer_free(daemon->status);
	timer_free(daemon->watchdog);
	signal_cancel(daemon->hangup);
	signal_cancel(daemon->interrupt);
	signal_cancel(daemon->terminate);
	loop_free(daemon->loop);
}

int
daemon_run(struct config *config)
{
	struct daemon daemon = {
		.config = config_ref(config),
		.started = clock_realtime(),
	};

	must(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
	notices_init(&daemon.notices);
	daemon.exit_status = start(&daemon);
	if (daemon.exit_status == 0 && loop_run(daemon.loop) < 0)
		daemon.exit_status = fatal(&daemon, "the event loop has failed");
	end(&daemon);
	return daemon.exit_status;
}
