#include "sys/resolve_internal.h"

#include "base/cleanup.h"
#include "base/must.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FILES_CHECK_INTERVAL USEC_PER_SEC /* between two looks at the host's configuration */

static const char *const watched_files[] = { "/etc/resolv.conf", "/etc/hosts" };
static_assert(COUNT_OF(watched_files) == RESOLVE_FILES, "each has its place");

/* ---- delivering ----------------------------------------------------------------------------------- */

static void
set_port(struct address *address, uint16_t port)
{
	if (address->sa.sa_family == AF_INET)
		address->in.sin_port = htons(port);
	else
		address->in6.sin6_port = htons(port);
}

static void
fill_answer(const struct job *job, uint16_t port, struct resolve_answer *answer)
{
	struct address *addresses = job->items;

	for (unsigned int i = 0; i < job->count; i++)
		set_port(&addresses[i], port);
	answer->count = job->count < ANSWER_ADDRESSES_MAX ? job->count : ANSWER_ADDRESSES_MAX;
	answer->rest_count = job->count - answer->count;
	answer->rest = answer->rest_count > 0 ? addresses + answer->count : NULL;
	answer->left_out = answer->rest_count + job->left_out;
	answer->partial = job->left_out > 0;
	answer->ttl = job->ttl;
	job_failure(job, &answer->failure);
	for (unsigned int i = 0; i < answer->count; i++) {
		answer->addresses[i] = addresses[i];
		answer->rank[i] = 0;
		answer->hosts[i] = NULL;
	}
}

static void
tell(const struct query *query, const struct job *job, usec_t now)
{
	struct resolve_answer answer;

	if (query->on_records) {
		query->on_records(query->arg, job, now);
		return;
	}
	fill_answer(job, query->port, &answer);
	query->fn(query->arg, &answer, now);
}

/* Each may ask and cancel others while it is being told: the lists are looked at afresh every time. */
static void
deliver(struct resolver *resolver, usec_t now)
{
	while (!list_is_empty(&resolver->done)) {
		struct job *job = list_first(&resolver->done, struct job, place);
		struct query *query, told;

		if (list_is_empty(&job->queries)) {
			job_free(job);
			continue;
		}
		query = list_first(&job->queries, struct query, place);
		list_remove(&query->place);
		told = *query;
		free(query);
		tell(&told, job, now);
	}
}

static void
on_post(void *arg, usec_t now)
{
	deliver(arg, now);
	jobs_ask(arg);
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
	list_init(&resolver->services);
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
	services_free(resolver);
	jobs_recall(resolver); /* what was asked is in the queue again */
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
	jobs_recall(resolver);
	services_restart(resolver);
	post_call(resolver->post);
}

/* ---- queries -------------------------------------------------------------------------------------- */

int
query_begin(struct resolver *resolver, const struct question *question, struct query *query)
{
	struct name name = {
		.absolute = question->absolute || question->service,
		.service = question->service,
		.family = question->service ? FAMILY_ANY : question->family,
	};
	struct job *job;

	must(strlen(question->host) < sizeof(name.host));
	text_copy(name.host, sizeof(name.host), question->host);
	job = job_find(resolver, &name, question);
	if (!job)
		return -ENOMEM;
	query->job = job;
	list_init(&query->place);
	list_append(&job->queries, &query->place);
	return 0;
}

int
query_start(struct resolver *resolver, const struct question *question, resolve_fn fn, void *arg,
	    struct query **ret_query)
{
	_cleanup_(freep) struct query *query = NULL;
	int r;

	must(question->family == FAMILY_IPV4 || question->family == FAMILY_IPV6);
	check_files(resolver);
	if (question->service)
		return service_start(resolver, question, fn, arg, ret_query);
	query = malloc(sizeof(*query));
	if (!query)
		return -ENOMEM;
	*query = (struct query){ .port = question->port, .fn = fn, .arg = arg };
	r = query_begin(resolver, question, query);
	if (r < 0)
		return r;
	*ret_query = steal(query);
	return 0;
}

struct query *
query_cancel(struct query *query)
{
	struct job *job;

	if (!query)
		return NULL;
	if (query->service) {
		service_free(query->service);
		return NULL;
	}
	job = query->job;
	list_remove(&query->place);
	free(query);
	/* What is with c-ares cannot be taken back; its answer will be of use to the next one. */
	if (list_is_empty(&job->queries) && job->state == JOB_QUEUED)
		job_free(job);
	return NULL;
}
