#include "sys/resolve_internal.h"

#include "base/cleanup.h"
#include "base/must.h"
#include "base/text.h"
#include "sys/classify_ares.h"
#include "sys/classify_errno.h"
#include "sys/fd.h"

#include <ares.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* ---- jobs ----------------------------------------------------------------------------------------- */

void
job_free(struct job *job)
{
	must(list_is_empty(&job->queries));
	must(job->state != JOB_ASKED);
	if (job->shared)
		name_remove(&job->resolver->jobs, &job->node);
	list_remove(&job->place);
	channel_free(job->own);
	free(job->items);
	free(job);
}

static void
job_move(struct job *job, struct list *list, enum job_state state)
{
	if (job->state == JOB_ASKED)
		job->resolver->asked_count--;
	if (state == JOB_ASKED)
		job->resolver->asked_count++;
	job->state = state;
	list_remove(&job->place);
	list_append(list, &job->place);
	post_call(job->resolver->post);
}

static void
job_fail(struct job *job, int status, enum failure_code code)
{
	job->status = status;
	job->code = code;
	job_move(job, &job->resolver->done, JOB_DONE);
}

static struct job *
job_new(struct resolver *resolver, const struct name *name, usec_t timeout)
{
	struct job *job = calloc(1, sizeof(*job));

	if (!job)
		return NULL;
	job->resolver = resolver;
	job->node.name = *name;
	job->timeout = timeout;
	list_init(&job->queries);
	list_init(&job->place);
	return job;
}

/*
 * c-ares calls it an unreachable server when it gets no socket.  The errno of a socket opened now, in
 * its place; 0 where there is one to be had.
 */
static int
socket_error(void)
{
	_cleanup_(fd_closep) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return fd < 0 ? errno : 0;
}

static void
job_fail_as_told(struct job *job, int status)
{
	enum failure_code code = classify_ares(status);
	int error = code == FAILURE_ADDRESS_NO_SERVER ? socket_error() : 0;

	job->socket_error = error;
	job_fail(job, status, error != 0 ? classify_open(error) : code);
}

/* ---- answers -------------------------------------------------------------------------------------- */

static usec_t
least_ttl(const struct ares_addrinfo *info)
{
	int least = INT32_MAX;

	for (const struct ares_addrinfo_node *node = info->nodes; node; node = node->ai_next)
		least = node->ai_ttl < least ? node->ai_ttl : least;
	for (const struct ares_addrinfo_cname *cname = info->cnames; cname; cname = cname->next)
		least = cname->ttl < least ? cname->ttl : least;
	return least > 0 ? usec_min((usec_t)least * USEC_PER_SEC, RESOLVE_TTL_MAX) : 0;
}

static bool
address_of_node(const struct ares_addrinfo_node *node, enum family family, struct address *ret)
{
	const void *address = node->ai_addr;

	if (family == FAMILY_IPV4 && node->ai_family == AF_INET)
		address_from_ip(AF_INET, &((const struct sockaddr_in *)address)->sin_addr, 0, ret);
	else if (family == FAMILY_IPV6 && node->ai_family == AF_INET6)
		address_from_ip(AF_INET6, &((const struct sockaddr_in6 *)address)->sin6_addr, 0, ret);
	else
		return false;
	return true;
}

/* Keeps the usable addresses of `info` in the job; what comes after `room` is left out. */
static void
take_addresses(struct job *job, const struct ares_addrinfo *info, unsigned int room)
{
	struct address *addresses = job->items, address;
	unsigned int excluded = 0;

	for (const struct ares_addrinfo_node *node = info->nodes; node; node = node->ai_next) {
		if (!address_of_node(node, job->node.name.family, &address))
			continue;
		if (address_is_excluded(&address))
			excluded++;
		else if (job->count == room)
			job->left_out++;
		else
			addresses[job->count++] = address;
	}
	job->ttl = least_ttl(info);
	if (job->count == 0)
		job->code = excluded > 0 ? FAILURE_ADDRESS_EXCLUDED : FAILURE_ADDRESS_NO_DATA;
}

/* The job has all it was asked for: its items, each of `size` bytes, are kept as long as their TTL says. */
static void
job_finish(struct job *job, size_t size)
{
	struct resolver *resolver = job->resolver;

	if (job->count > 0 && job->ttl > 0)
		cache_put(resolver->cache,
			  &(struct to_keep){ .name = &job->node.name,
					     .items = job->items,
					     .count = job->count,
					     .size = job->count * size,
					     .left_out = job->left_out,
					     .expires = loop_now(resolver->loop) + job->ttl });
	job_move(job, &resolver->done, JOB_DONE);
}

static unsigned int
room_for(const struct ares_addrinfo *info)
{
	unsigned int room = 1; /* calloc() of none may give NULL */

	for (const struct ares_addrinfo_node *node = info->nodes; node; node = node->ai_next)
		room += room < RESOLVE_ADDRESSES_MAX;
	return room;
}

static void
job_succeed(struct job *job, const struct ares_addrinfo *info)
{
	unsigned int room = room_for(info);

	job->items = calloc(room, sizeof(struct address));
	if (!job->items) {
		job_fail(job, ARES_ENOMEM, FAILURE_LOCAL_NO_MEMORY);
		return;
	}
	take_addresses(job, info, room);
	job_finish(job, sizeof(struct address));
}

/* Takes the SRV records of `message`. */
static void
job_take_records(struct job *job, const unsigned char *message, size_t length)
{
	_cleanup_(freep) struct srv_reply *reply = malloc(sizeof(*reply));

	if (!reply) {
		job_fail(job, ARES_ENOMEM, FAILURE_LOCAL_NO_MEMORY);
		return;
	}
	if (srv_parse(message, length, reply) < 0) {
		job_fail(job, ARES_EBADRESP, FAILURE_ADDRESS_BAD_REPLY);
		return;
	}
	job->evidence = reply->why;
	if (reply->count == 0) {
		job_fail(job, ARES_SUCCESS,
			 reply->broken ? FAILURE_ADDRESS_BAD_REPLY : FAILURE_ADDRESS_NO_DATA);
		return;
	}
	job->items = malloc(reply->count * sizeof(reply->records[0]));
	if (!job->items) {
		job_fail(job, ARES_ENOMEM, FAILURE_LOCAL_NO_MEMORY);
		return;
	}
	memcpy(job->items, reply->records, reply->count * sizeof(reply->records[0]));
	job->count = reply->count;
	job->left_out = reply->left_out;
	job->ttl = usec_min(reply->ttl, RESOLVE_TTL_MAX);
	job_finish(job, sizeof(reply->records[0]));
}

/* c-ares has no answer: ask again where that may help, or fail. */
static void
job_unanswered(struct job *job, int status)
{
	if (status == ARES_EDESTRUCTION) {
		job_move(job, &job->resolver->queue, JOB_QUEUED); /* its channel was closed: ask again */
	} else if (status == ARES_ECONNREFUSED && !job->second) {
		job->second = true;
		job_move(job, &job->resolver->queue, JOB_QUEUED);
	} else {
		job_fail_as_told(job, status);
	}
}

/* What c-ares calls, maybe before channel_ask() has returned: nobody is told before the post is called. */
static void
on_addresses(void *arg, int status, int timeouts, struct ares_addrinfo *info)
{
	struct job *job = arg;

	(void)timeouts;
	if (status == ARES_SUCCESS)
		job_succeed(job, info);
	else
		job_unanswered(job, status);
	ares_freeaddrinfo(info);
}

/* The same for a service. */
static void
on_records(void *arg, int status, int timeouts, unsigned char *message, int length)
{
	struct job *job = arg;

	(void)timeouts;
	if (status == ARES_SUCCESS)
		job_take_records(job, message, (size_t)length);
	else
		job_unanswered(job, status);
}

void
job_failure(const struct job *job, struct failure *ret_failure)
{
	failure_init(ret_failure, job->code, STAGE_RESOLVE);
	if (job->socket_error != 0)
		failure_set_error(ret_failure, job->socket_error, strerrorname_np(job->socket_error));
	else if (job->status != ARES_SUCCESS)
		failure_set_error(ret_failure, job->status, classify_ares_name(job->status));
	if (job->evidence)
		failure_set_evidence(ret_failure, job->evidence, strlen(job->evidence));
}

/* ---- asking --------------------------------------------------------------------------------------- */

static struct lane *
lane_find(struct resolver *resolver, usec_t timeout)
{
	struct lane *best = &resolver->lanes[0];

	for (unsigned int i = 0; i < resolver->lane_count; i++) {
		struct lane *lane = &resolver->lanes[i];

		if (lane->timeout == timeout)
			return lane;
		if (lane->timeout < timeout && (best->timeout > timeout || lane->timeout > best->timeout))
			best = lane;
	}
	if (resolver->lane_count == LANES_MAX)
		return best;
	resolver->lanes[resolver->lane_count] = (struct lane){ .timeout = timeout };
	return &resolver->lanes[resolver->lane_count++];
}

void
jobs_recall(struct resolver *resolver)
{
	for (unsigned int i = 0; i < resolver->lane_count; i++)
		resolver->lanes[i].channel = channel_free(resolver->lanes[i].channel);
	resolver->lane_count = 0;
	list_for_each(node, &resolver->asked) {
		struct job *job = container_of(node, struct job, place);

		job->own = channel_free(job->own);
	}
}

/* Opens the channel that `job` is asked on, unless it is open; returns NULL where the job has failed for want of it. */
static struct channel *
open_channel(struct job *job)
{
	struct resolver *resolver = job->resolver;
	struct lane *lane = lane_find(resolver, job->timeout);
	struct channel **channel = job->second ? &job->own : &lane->channel;
	const struct channel_setup setup = { lane->timeout, job->second };
	int status;

	if (*channel)
		return *channel;
	status = channel_new(resolver->loop, &setup, channel);
	if (status != ARES_SUCCESS)
		job_fail_as_told(job, status);
	return *channel;
}

static void
job_ask(struct job *job)
{
	const struct name *name = &job->node.name;
	struct channel *channel = open_channel(job);
	char host[TARGET_HOST_MAX + 1];
	struct text text;

	if (!channel)
		return;
	text_init(&text, host, sizeof(host));
	text_addf(&text, name->absolute ? "%s." : "%s", name->host);
	job->asked_at = loop_now(job->resolver->loop);
	job_move(job, &job->resolver->asked, JOB_ASKED);
	if (name->service)
		channel_ask_service(channel, host, on_records, job);
	else
		channel_ask(channel, host, name->family, on_addresses, job);
}

void
jobs_ask(struct resolver *resolver)
{
	while (!list_is_empty(&resolver->queue) && resolver->asked_count < RESOLVE_QUERIES_MAX) {
		struct job *job = list_first(&resolver->queue, struct job, place);

		/* It came back into the queue after all who wanted to know had cancelled. */
		if (list_is_empty(&job->queries))
			job_free(job);
		else
			job_ask(job);
	}
}

/* ---- finding -------------------------------------------------------------------------------------- */

/* A job an equal question may share: one whose time is not half over, so that nobody is given up early. */
static struct job *
job_join(struct resolver *resolver, const struct name *name, usec_t timeout)
{
	struct name_node *node = name_find(&resolver->jobs, name);
	struct job *job = node ? container_of(node, struct job, node) : NULL;

	if (!job || job->timeout != timeout || job->state == JOB_DONE)
		return NULL;
	if (job->state == JOB_ASKED && usec_sub(loop_now(resolver->loop), job->asked_at) > timeout / 2)
		return NULL;
	return job;
}

/* A job that is done already, with what the cache has; NULL where it has nothing (or there is no memory). */
static struct job *
job_from_cache(struct resolver *resolver, const struct name *name, usec_t timeout)
{
	usec_t now = loop_now(resolver->loop);
	const struct kept *kept = cache_get(resolver->cache, name, now);
	struct job *job = kept ? job_new(resolver, name, timeout) : NULL;

	if (!job)
		return NULL;
	job->items = malloc(kept->size);
	if (!job->items) {
		job_free(job);
		return NULL;
	}
	memcpy(job->items, kept->items, kept->size);
	job->count = kept->count;
	job->left_out = kept->left_out;
	job->ttl = kept->expires - now;
	job_move(job, &resolver->done, JOB_DONE);
	return job;
}

static struct job *
job_to_ask(struct resolver *resolver, const struct name *name, usec_t timeout)
{
	struct name_node *older = name_find(&resolver->jobs, name);
	struct job *job = job_new(resolver, name, timeout);

	if (!job)
		return NULL;
	if (older) {
		name_remove(&resolver->jobs, older);
		container_of(older, struct job, node)->shared = false;
	}
	name_insert(&resolver->jobs, &job->node);
	job->shared = true;
	job_move(job, &resolver->queue, JOB_QUEUED);
	return job;
}

struct job *
job_find(struct resolver *resolver, const struct name *name, const struct question *question)
{
	struct job *job = NULL;

	if (!question->fresh)
		job = job_from_cache(resolver, name, question->timeout);
	if (!job)
		job = job_join(resolver, name, question->timeout);
	if (!job)
		job = job_to_ask(resolver, name, question->timeout);
	return job;
}
