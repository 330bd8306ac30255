#include "sys/resolve.h"

#include "base/cleanup.h"
#include "base/list.h"
#include "base/must.h"
#include "base/text.h"
#include "sys/classify_ares.h"
#include "sys/classify_errno.h"
#include "sys/fd.h"
#include "sys/resolve_channel.h"
#include "sys/resolve_names.h"

#include <ares.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define FILES_CHECK_INTERVAL USEC_PER_SEC /* between two looks at the host's configuration */
#define LANES_MAX \
	8 /* different timeouts served exactly; further ones use the nearest shorter one */

static const char *const watched_files[] = { "/etc/resolv.conf", "/etc/hosts" };

/* The channels for questions of one timeout: their options are fixed when they are opened. */
struct lane {
	usec_t timeout;
	struct channel *ordinary, *show_rcode; /* NULL: not open */
};

enum job_state {
	JOB_QUEUED, /* waits for its turn; in resolver->queue */
	JOB_ASKED,  /* with c-ares; in resolver->asked */
	JOB_DONE,   /* has its result; in resolver->done, until the post delivers it */
};

/* One question to c-ares (or to the cache), and all who want to know. */
struct job {
	struct name_node node; /* in resolver->jobs while `shared` */
	struct list place;
	struct list queries; /* empty: all have cancelled */
	struct resolver *resolver;
	enum job_state state;
	bool shared;	 /* equal questions may join */
	bool show_rcode; /* the second time, to learn the reason */
	usec_t timeout, asked_at;
	/* The result. */
	int status, socket_error; /* of c-ares; errno where that is the true reason, or 0 */
	enum failure_code code;	  /* FAILURE_NONE: there are addresses */
	usec_t ttl;
	unsigned int count;
	struct address *addresses;
};

struct query {
	struct list place; /* in job->queries */
	struct job *job;
	uint16_t port;
	resolve_fn fn;
	void *arg;
};

struct resolver {
	struct loop *loop;
	struct post *post;
	struct lane lanes[LANES_MAX];
	unsigned int lane_count, asked_count;
	struct name_table jobs;
	struct list queue, asked, done;
	struct cache *cache;
	struct stat files[COUNT_OF(watched_files)];
	usec_t files_checked_at;
};

/* ---- jobs ----------------------------------------------------------------------------------------- */

static void
job_free(struct job *job)
{
	must(list_is_empty(&job->queries));
	if (job->shared)
		name_remove(&job->resolver->jobs, &job->node);
	list_remove(&job->place);
	free(job->addresses);
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

/* Keeps the usable addresses of `info` in the job; what comes after ANSWER_ADDRESSES_MAX is left out. */
static void
take_addresses(struct job *job, const struct ares_addrinfo *info)
{
	unsigned int excluded = 0;

	for (const struct ares_addrinfo_node *node = info->nodes; node; node = node->ai_next) {
		struct address *address = &job->addresses[job->count];

		if (job->count == ANSWER_ADDRESSES_MAX)
			break;
		if (!address_of_node(node, job->node.name.family, address))
			continue;
		if (address_is_excluded(address))
			excluded++;
		else
			job->count++;
	}
	job->ttl = least_ttl(info);
	if (job->count == 0)
		job->code = excluded > 0 ? FAILURE_ADDRESS_EXCLUDED : FAILURE_ADDRESS_NO_DATA;
}

static void
job_succeed(struct job *job, const struct ares_addrinfo *info)
{
	struct resolver *resolver = job->resolver;

	job->addresses = calloc(ANSWER_ADDRESSES_MAX, sizeof(*job->addresses));
	if (!job->addresses) {
		job_fail(job, ARES_ENOMEM, FAILURE_LOCAL_NO_MEMORY);
		return;
	}
	take_addresses(job, info);
	if (job->count > 0 && job->ttl > 0)
		cache_put(resolver->cache,
			  &(struct to_keep){ .name = &job->node.name,
					     .addresses = job->addresses,
					     .count = job->count,
					     .expires = loop_now(resolver->loop) + job->ttl });
	job_move(job, &resolver->done, JOB_DONE);
}

/* What c-ares calls, maybe before channel_ask() has returned: nobody is told before the post is called. */
static void
on_answer(void *arg, int status, int timeouts, struct ares_addrinfo *info)
{
	struct job *job = arg;

	(void)timeouts;
	if (status == ARES_SUCCESS) {
		job_succeed(job, info);
	} else if (status == ARES_EDESTRUCTION) {
		job_move(job, &job->resolver->queue, JOB_QUEUED); /* its channel was closed: ask again */
	} else if (status == ARES_ECONNREFUSED && !job->show_rcode) {
		job->show_rcode = true;
		job_move(job, &job->resolver->queue, JOB_QUEUED);
	} else {
		job_fail_as_told(job, status);
	}
	ares_freeaddrinfo(info);
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

static void
close_channels(struct resolver *resolver)
{
	for (unsigned int i = 0; i < resolver->lane_count; i++) {
		struct lane *lane = &resolver->lanes[i];

		lane->ordinary = channel_free(lane->ordinary);
		lane->show_rcode = channel_free(lane->show_rcode);
	}
	resolver->lane_count = 0;
}

static void
job_ask(struct job *job)
{
	struct resolver *resolver = job->resolver;
	const struct name *name = &job->node.name;
	struct lane *lane = lane_find(resolver, job->timeout);
	struct channel **channel = job->show_rcode ? &lane->show_rcode : &lane->ordinary;
	const struct channel_setup setup = { lane->timeout, job->show_rcode };
	char host[TARGET_HOST_MAX + 1];
	struct text text;

	if (!*channel) {
		int status = channel_new(resolver->loop, &setup, channel);

		if (status != ARES_SUCCESS) {
			job_fail_as_told(job, status);
			return;
		}
	}
	text_init(&text, host, sizeof(host));
	text_addf(&text, name->absolute ? "%s." : "%s", name->host);
	job->asked_at = loop_now(resolver->loop);
	job_move(job, &resolver->asked, JOB_ASKED);
	channel_ask(*channel, host, name->family, on_answer, job);
}

static void
ask_queued(struct resolver *resolver)
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

/* ---- delivering ----------------------------------------------------------------------------------- */

static void
fill_answer(const struct job *job, uint16_t port, struct resolve_answer *answer)
{
	answer->count = job->count;
	answer->ttl = job->ttl;
	failure_init(&answer->failure, job->code, STAGE_RESOLVE);
	if (job->socket_error != 0)
		failure_set_error(&answer->failure, job->socket_error,
				  strerrorname_np(job->socket_error));
	else if (job->status != ARES_SUCCESS)
		failure_set_error(&answer->failure, job->status, classify_ares_name(job->status));
	for (unsigned int i = 0; i < job->count; i++) {
		struct address *address = &answer->addresses[i];

		*address = job->addresses[i];
		if (job->node.name.family == FAMILY_IPV4)
			address->in.sin_port = htons(port);
		else
			address->in6.sin6_port = htons(port);
	}
}

/* Each may ask and cancel others while it is being told: the lists are looked at afresh every time. */
static void
deliver(struct resolver *resolver, usec_t now)
{
	while (!list_is_empty(&resolver->done)) {
		struct job *job = list_first(&resolver->done, struct job, place);
		struct resolve_answer answer;
		struct query *query, told;

		if (list_is_empty(&job->queries)) {
			job_free(job);
			continue;
		}
		query = list_first(&job->queries, struct query, place);
		list_remove(&query->place);
		told = *query;
		free(query);
		fill_answer(job, told.port, &answer);
		told.fn(told.arg, &answer, now);
	}
}

static void
on_post(void *arg, usec_t now)
{
	deliver(arg, now);
	ask_queued(arg);
}

/* ---- the resolver --------------------------------------------------------------------------------- */

static bool
same_file(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* Looks at the host's configuration; returns whether it has changed since the last look. */
static bool
files_changed(struct resolver *resolver)
{
	bool changed = false;

	for (size_t i = 0; i < COUNT_OF(watched_files); i++) {
		struct stat status;

		if (stat(watched_files[i], &status) < 0)
			status = (struct stat){ 0 };
		if (!same_file(&status, &resolver->files[i]))
			changed = true;
		resolver->files[i] = status;
	}
	return changed;
}

static void
check_files(struct resolver *resolver)
{
	usec_t now = loop_now(resolver->loop);

	if (now < resolver->files_checked_at + FILES_CHECK_INTERVAL)
		return;
	resolver->files_checked_at = now;
	if (!files_changed(resolver))
		return;
	cache_clear(resolver->cache);
	resolver_restart(resolver);
}

int
resolver_new(struct loop *loop, struct resolver **ret_resolver)
{
	struct resolver *resolver = calloc(1, sizeof(*resolver));

	if (!resolver)
		return -ENOMEM;
	resolver->loop = loop;
	list_init(&resolver->queue);
	list_init(&resolver->asked);
	list_init(&resolver->done);
	resolver->cache = cache_new(RESOLVE_CACHE_MAX);
	if (!resolver->cache || post_new(loop, on_post, resolver, &resolver->post) < 0) {
		resolver_free(resolver);
		return -ENOMEM;
	}
	files_changed(resolver);
	resolver->files_checked_at = loop_now(loop);
	*ret_resolver = resolver;
	return 0;
}

static void
free_jobs(struct list *jobs)
{
	list_for_each(job_node, jobs) {
		struct job *job = container_of(job_node, struct job, place);

		list_for_each(query_node, &job->queries) {
			list_remove(query_node);
			free(container_of(query_node, struct query, place));
		}
		job_free(job);
	}
}

struct resolver *
resolver_free(struct resolver *resolver)
{
	if (!resolver)
		return NULL;
	close_channels(resolver); /* what was asked is in the queue again */
	free_jobs(&resolver->queue);
	free_jobs(&resolver->done);
	post_free(resolver->post);
	cache_free(resolver->cache);
	free(resolver);
	return NULL;
}

void
resolver_restart(struct resolver *resolver)
{
	close_channels(resolver);
	post_call(resolver->post);
}

/* ---- queries -------------------------------------------------------------------------------------- */

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
	job->addresses = calloc(kept->count, sizeof(*job->addresses));
	if (!job->addresses) {
		job_free(job);
		return NULL;
	}
	memcpy(job->addresses, kept->addresses, kept->count * sizeof(*job->addresses));
	job->count = kept->count;
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

int
query_start(struct resolver *resolver, const struct question *question, resolve_fn fn, void *arg,
	    struct query **ret_query)
{
	struct name name = { .absolute = question->absolute, .family = question->family };
	struct query *query = calloc(1, sizeof(*query));
	struct job *job = NULL;

	must(question->family == FAMILY_IPV4 || question->family == FAMILY_IPV6);
	must(strlen(question->host) < sizeof(name.host));
	if (!query)
		return -ENOMEM;
	text_copy(name.host, sizeof(name.host), question->host);
	check_files(resolver);
	if (!question->fresh)
		job = job_from_cache(resolver, &name, question->timeout);
	if (!job)
		job = job_join(resolver, &name, question->timeout);
	if (!job)
		job = job_to_ask(resolver, &name, question->timeout);
	if (!job) {
		free(query);
		return -ENOMEM;
	}
	*query = (struct query){ .job = job, .port = question->port, .fn = fn, .arg = arg };
	list_init(&query->place);
	list_append(&job->queries, &query->place);
	*ret_query = query;
	return 0;
}

struct query *
query_cancel(struct query *query)
{
	struct job *job;

	if (!query)
		return NULL;
	job = query->job;
	list_remove(&query->place);
	free(query);
	/* What is with c-ares cannot be taken back; its answer will be of use to the next one. */
	if (list_is_empty(&job->queries) && job->state == JOB_QUEUED)
		job_free(job);
	return NULL;
}
