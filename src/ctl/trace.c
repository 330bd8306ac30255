/* Names, then a worker with one upstream for each address. */
#include "ctl/trace.h"

#include "base/must.h"
#include "base/text.h"
#include "ctl/ctl.h"
#include "sys/clock.h"
#include "sys/entropy.h"
#include "sys/resolve.h"
#include "worker/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Each attempt keeps its own deadlines; this is for a worker that has broken down. */
#define PATIENCE (10 * USEC_PER_SEC)
/*
 * A connection that nobody has asked anything over is looked at for a while before it counts: a balancer without backends, an access list
 * or a limit lets us in and closes at once.  As long as what settle waits for a server's second thoughts.
 */
#define HOLD_TIMEOUT DEFAULT_SETTLE_TIMEOUT
/* How long the good connections may take to be closed in order. */
#define CLOSE_PATIENCE (500 * USEC_PER_MSEC)

static void
arm(struct trace *trace)
{
	trace->due = usec_add(clock_now(), trace->patience);
	timer_arm(trace->timer, trace->due);
}

/* If it fires late, this process was held up (stopped, starved), and so was the worker, which grants everything its time again. */
static void
on_expired(void *arg, usec_t now)
{
	struct trace *trace = arg;

	if (usec_sub(now, trace->due) > WORKER_STALL_LIMIT)
		arm(trace);
	else
		trace->expired = true;
}

/* Turns the loop until `is_done` says so, or `timeout` has passed. */
static void
turn_until(struct trace *trace, bool (*is_done)(const struct trace *trace), usec_t timeout)
{
	trace->expired = false;
	trace->patience = timeout;
	arm(trace);
	while (!is_done(trace) && !trace->expired)
		loop_turn(trace->loop, true);
	timer_arm(trace->timer, USEC_INFINITY);
}

/* ---- names ------------------------------------------------------------------------------------------------------ */

static void
on_answer(void *arg, const struct resolve_answer *answer, usec_t now)
{
	struct trace_query *query = arg;

	query->query = NULL;
	query->elapsed = usec_sub(now, query->trace->since);
	query->count = answer->count;
	query->partial = answer->partial || answer->left_out > 0;
	memcpy(query->addresses, answer->addresses, sizeof(query->addresses));
	for (unsigned int i = 0; i < answer->count; i++)
		query->hosts[i] = answer->hosts[i] ? ctl_need(strdup(answer->hosts[i])) : NULL;
	if (answer->count == 0) {
		failure_copy(&query->failure, &answer->failure);
		query->failure.elapsed = query->elapsed;
	}
}

static void
ask(struct trace *trace, struct trace_query *query)
{
	const struct question question = {
		.host = query->target->host,
		.absolute = query->target->absolute,
		.port = query->target->port,
		.service = query->target->kind == TARGET_SERVICE,
		.seed = trace->seed,
		.family = query->family,
		.fresh = true,
		.timeout = trace->upstream->policy.timeout[STAGE_RESOLVE],
	};

	query->trace = trace;
	if (query_start(trace->resolver, &question, on_answer, query, &query->query) < 0)
		failure_init(&query->failure, FAILURE_LOCAL_NO_MEMORY, STAGE_RESOLVE);
}

static bool
all_answered(const struct trace *trace)
{
	for (unsigned int i = 0; i < trace->query_count; i++) {
		if (trace->queries[i].query)
			return false;
	}
	return true;
}

/* A question nobody answered in time. */
static void
give_up(struct trace *trace, struct trace_query *query)
{
	query->query = query_cancel(query->query);
	query->elapsed = usec_sub(clock_now(), trace->since);
	failure_init(&query->failure, FAILURE_TIMEOUT_RESOLVE, STAGE_RESOLVE);
	query->failure.elapsed = query->elapsed;
}

static void
add_query(struct trace *trace, const struct target *target, enum family family)
{
	enum family wanted = trace->upstream->policy.family;

	if (wanted == FAMILY_ANY || wanted == family)
		trace->queries[trace->query_count++] = (struct trace_query){ .target = target,
									     .family = family };
}

/* Whether that is asked for already: one proxy leads to all targets. */
static bool
is_asked(const struct trace *trace, const struct target *reach)
{
	for (unsigned int i = 0; i < trace->query_count; i++) {
		if (trace->queries[i].target == reach)
			return true;
	}
	return false;
}

static void
resolve_all(struct trace *trace)
{
	const struct upstream *upstream = trace->upstream;

	trace->queries = ctl_need(calloc(2 * (size_t)upstream->target_count, sizeof(trace->queries[0])));
	for (unsigned int i = 0; i < upstream->target_count; i++) {
		const struct target *reach = upstream_reach(upstream, i);

		if (!target_is_asked(reach) || is_asked(trace, reach))
			continue;
		add_query(trace, reach, FAMILY_IPV4);
		add_query(trace, reach, FAMILY_IPV6);
	}
	trace->since = clock_now();
	trace->seed = entropy_seed();
	for (unsigned int i = 0; i < trace->query_count; i++)
		ask(trace, &trace->queries[i]);
	turn_until(trace, all_answered, upstream->policy.timeout[STAGE_RESOLVE]);
	for (unsigned int i = 0; i < trace->query_count; i++) {
		if (trace->queries[i].query)
			give_up(trace, &trace->queries[i]);
	}
}

/* ---- addresses -------------------------------------------------------------------------------------------------- */

/* The same address of the same name twice (from the hosts file and the like) is tried once. */
static bool
is_known(const struct trace *trace, const struct target *target, const struct address *address)
{
	for (unsigned int i = 0; i < trace->attempt_count; i++) {
		if (trace->attempts[i].target == target &&
		    address_equal(&trace->attempts[i].address, address))
			return true;
	}
	return false;
}

static void
add_attempt(struct trace *trace, const struct target *target, const struct address *address,
	    const char *host)
{
	struct trace_attempt *attempt;

	if (is_known(trace, target, address))
		return;
	attempt = &trace->attempts[trace->attempt_count++];
	*attempt = (struct trace_attempt){ .target = target, .host = host, .address = *address };
	for (int stage = 0; stage < STAGE_COUNT; stage++)
		attempt->timing[stage] = USEC_INFINITY;
	if (address_is_excluded(address)) {
		failure_init(&attempt->failure, FAILURE_ADDRESS_EXCLUDED, STAGE_RESOLVE);
		attempt->failure.peer = *address;
		attempt->ended = true;
	}
}

/* The addresses of all that was asked about `reach`, for `target`. */
static void
add_answers(struct trace *trace, const struct target *target, const struct target *reach)
{
	for (unsigned int i = 0; i < trace->query_count; i++) {
		const struct trace_query *query = &trace->queries[i];

		for (unsigned int k = 0; query->target == reach && k < query->count; k++)
			add_attempt(trace, target, &query->addresses[k], query->hosts[k]);
	}
}

static void
collect_addresses(struct trace *trace)
{
	const struct upstream *upstream = trace->upstream;
	size_t room = 1;

	for (unsigned int i = 0; i < trace->query_count; i++)
		room += trace->queries[i].count;
	trace->attempts = ctl_need(calloc(room * upstream->target_count, sizeof(trace->attempts[0])));
	for (unsigned int i = 0; i < upstream->target_count; i++) {
		const struct target *reach = upstream_reach(upstream, i);

		if (target_is_asked(reach))
			add_answers(trace, &upstream->targets[i], reach);
		else
			add_attempt(trace, &upstream->targets[i], &reach->address, NULL);
	}
}

/* What a name would have decided is written out; the port is that of the address. */
static void
make_numeric(struct target *target, const struct address *address)
{
	target->kind = address->sa.sa_family == AF_UNIX ? TARGET_UNIX : TARGET_ADDRESS;
	target->address = *address;
	if (address->sa.sa_family == AF_INET6)
		target->port = ntohs(address->in6.sin6_port);
	else if (address->sa.sa_family == AF_INET)
		target->port = ntohs(address->in.sin_port);
}

/* Whom the certificate must be for, and what SNI says, where the policy leaves it to the target. */
static void
name_peer(struct tls_policy *tls, const struct trace_attempt *attempt)
{
	const char *name = target_domain(attempt->target);

	if (tls->verify_name && strcmp(tls->verify_name, VERIFY_NAME_SRV_TARGET) == 0) {
		name = attempt->host ? attempt->host : name;
		tls->verify_name = name;
	}
	if (!tls->verify_name)
		tls->verify_name = name;
	if (!tls->sni)
		tls->sni = name;
}

/*
 * An upstream of that one address alone.  The strings of its policy stay those of the traced one, which outlives it; what a
 * host name would have decided is written out.
 */
static struct upstream *
single(const struct trace *trace, const struct trace_attempt *attempt)
{
	struct upstream *upstream = ctl_need(upstream_new(trace->upstream->name, 1));
	struct policy *policy = &upstream->policy;
	struct target *target = &upstream->targets[0];

	*policy = trace->upstream->policy;
	policy->enabled = true;
	policy->connections = 1;
	policy->family = FAMILY_ANY;
	policy->retry.initial = policy->retry.max = USEC_PER_DAY;
	policy->retry.jitter = JITTER_NONE;
	policy->probe.interval = 0;
	*target = *attempt->target;
	if (policy->proxy.kind != PROXY_NONE) {
		make_numeric(&policy->proxy.target, &attempt->address);
		return upstream;
	}
	if (!target_is_asked(target))
		return upstream;
	name_peer(&policy->tls, attempt);
	if (attempt->host)
		text_copy(target->host, sizeof(target->host), attempt->host);
	make_numeric(target, &attempt->address);
	return upstream;
}

/* ---- the worker ------------------------------------------------------------------------------------------------- */

/* A failure at `at`; one that comes after the connection has been held for long enough says nothing about the attempt. */
static void
attempt_failed(struct trace_attempt *attempt, struct failure *failure, usec_t at, usec_t elapsed)
{
	if (attempt->held_until != 0 && at >= attempt->held_until) {
		attempt->worked = attempt->ended = true;
		return;
	}
	failure_copy(&attempt->failure, failure);
	attempt->elapsed = elapsed;
	attempt->ended = true;
	if (failure->stage < STAGE_READY)
		attempt->timing[failure->stage] = failure->elapsed;
}

/* In order, whichever ended first. */
static void
tell_ended(struct trace *trace)
{
	while (trace->watcher && trace->told < trace->attempt_count &&
	       trace->attempts[trace->told].ended) {
		trace->watcher->ended(trace->watcher->arg, trace, trace->told);
		trace->told++;
	}
}

/* It is ready.  An application that has answered a probe has proved enough. */
static void
hold(const struct trace *trace, struct trace_attempt *attempt, const struct event *event, usec_t elapsed)
{
	usec_t rtt = event->status.rtt;

	attempt->elapsed = elapsed;
	attempt->held_until = event->at;
	if (trace->upstream->policy.probe.kind == PROBE_NONE)
		attempt->held_until = usec_add(event->at, usec_max(HOLD_TIMEOUT, usec_add(rtt, rtt)));
}

static void
attempt_told(const struct trace *trace, struct trace_attempt *attempt, struct event *event, usec_t elapsed)
{
	memcpy(attempt->timing, event->status.timing, sizeof(attempt->timing));
	if (event->status.stage != STAGE_READY)
		return;
	chain_unref(attempt->status.tls.chain);
	attempt->status = event->status;
	event->status.tls.chain = NULL; /* the reference has moved */
	if (attempt->held_until == 0)
		hold(trace, attempt, event, elapsed);
}

/* Those that have been ready for long enough work. */
static void
release_held(struct trace *trace, usec_t now)
{
	usec_t next = USEC_INFINITY;

	for (unsigned int i = 0; i < trace->attempt_count; i++) {
		struct trace_attempt *attempt = &trace->attempts[i];

		if (attempt->ended || attempt->held_until == 0)
			continue;
		if (attempt->held_until <= now)
			attempt->worked = attempt->ended = true;
		else
			next = usec_min(next, attempt->held_until);
	}
	timer_arm(trace->hold, next);
	tell_ended(trace);
}

static void
on_held(void *arg, usec_t now)
{
	release_held(arg, now);
}

static void
on_event(struct trace *trace, struct event *event)
{
	struct trace_attempt *attempt;
	usec_t elapsed = usec_sub(event->at, trace->since);

	trace->stopped |= event->kind == EVENT_STOPPED;
	if (event->id == 0 || event->id > trace->attempt_count)
		return;
	attempt = &trace->attempts[event->id - 1];
	if (attempt->ended)
		return;
	if (event->kind == EVENT_FAILURE)
		attempt_failed(attempt, &event->failure, event->at, elapsed);
	else if (event->kind == EVENT_LINK)
		attempt_told(trace, attempt, event, elapsed);
}

static void
on_wakeup(void *arg, usec_t now)
{
	struct trace *trace = arg;
	struct event event;

	while (trace->worker && worker_receive(trace->worker, &event)) {
		on_event(trace, &event);
		event_done(&event);
	}
	release_held(trace, now);
}

static bool
all_ended(const struct trace *trace)
{
	for (unsigned int i = 0; i < trace->attempt_count; i++) {
		if (!trace->attempts[i].ended)
			return false;
	}
	return true;
}

static bool
has_stopped(const struct trace *trace)
{
	return trace->stopped;
}

static void
send_command(struct trace *trace, const struct command *command)
{
	while (worker_send(trace->worker, command) == -EAGAIN)
		loop_turn(trace->loop, true);
}

static void
try_all(struct trace *trace)
{
	trace->since = clock_now();
	for (unsigned int i = 0; i < trace->attempt_count; i++) {
		struct command command = { .kind = COMMAND_SET, .id = i + 1 };

		if (trace->attempts[i].ended)
			continue;
		command.set.upstream = single(trace, &trace->attempts[i]);
		send_command(trace, &command);
	}
	turn_until(trace, all_ended, usec_add(trace->upstream->policy.attempt_timeout, PATIENCE));
	for (unsigned int i = 0; i < trace->attempt_count; i++) {
		struct trace_attempt *attempt = &trace->attempts[i];

		if (attempt->ended)
			continue;
		failure_init(&attempt->failure, FAILURE_LOCAL_INTERNAL, STAGE_IDLE);
		attempt->failure.peer = attempt->address;
		attempt->ended = true;
	}
	tell_ended(trace);
}

/* A worker that does not even stop takes the process with it when it exits. */
static void
stop_worker(struct trace *trace)
{
	const struct command stop = { .kind = COMMAND_STOP,
				      .deadline = usec_add(clock_now(), CLOSE_PATIENCE) };

	send_command(trace, &stop);
	turn_until(trace, has_stopped, PATIENCE);
	if (trace->stopped)
		trace->worker = worker_join(trace->worker);
}

static int
try_addresses(struct trace *trace)
{
	const struct worker_setup setup = { .number = 1, .seed = entropy_seed(), .notify = trace->wakeup };
	int r;

	collect_addresses(trace);
	tell_ended(trace);
	if (all_ended(trace))
		return 0;
	r = worker_start(&setup, &trace->worker);
	if (r < 0)
		return r;
	try_all(trace);
	stop_worker(trace);
	return 0;
}

/* ---- all of it -------------------------------------------------------------------------------------------------- */

static int
open_loop(struct trace *trace)
{
	int r = loop_new(&trace->loop);

	if (r == 0)
		r = timer_new(trace->loop, on_expired, trace, &trace->timer);
	if (r == 0)
		r = timer_new(trace->loop, on_held, trace, &trace->hold);
	if (r == 0)
		r = wakeup_new(trace->loop, on_wakeup, trace, &trace->wakeup);
	if (r == 0)
		r = resolver_new(trace->loop, &trace->resolver);
	return r;
}

static void
close_loop(struct trace *trace)
{
	if (trace->worker)
		return; /* it may still poke us */
	trace->resolver = resolver_free(trace->resolver);
	trace->wakeup = wakeup_free(trace->wakeup);
	trace->hold = timer_free(trace->hold);
	trace->timer = timer_free(trace->timer);
	trace->loop = loop_free(trace->loop);
}

int
trace_run(const struct upstream *upstream, const struct trace_watcher *watcher, struct trace *ret_trace)
{
	int r;

	*ret_trace = (struct trace){ .upstream = upstream, .watcher = watcher };
	r = open_loop(ret_trace);
	if (r == 0) {
		resolve_all(ret_trace);
		if (watcher)
			watcher->resolved(watcher->arg, ret_trace);
		r = try_addresses(ret_trace);
	}
	close_loop(ret_trace);
	return r;
}

void
trace_done(struct trace *trace)
{
	for (unsigned int i = 0; i < trace->query_count; i++) {
		failure_done(&trace->queries[i].failure);
		for (unsigned int k = 0; k < ANSWER_ADDRESSES_MAX; k++)
			free(trace->queries[i].hosts[k]);
	}
	for (unsigned int i = 0; i < trace->attempt_count; i++) {
		failure_done(&trace->attempts[i].failure);
		trace->attempts[i].status.tls.chain = chain_unref(trace->attempts[i].status.tls.chain);
	}
	free(trace->queries);
	free(trace->attempts);
	*trace = (struct trace){ 0 };
}
