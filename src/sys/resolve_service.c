#include "sys/resolve_internal.h"

#include "base/cleanup.h"
#include "base/must.h"
#include "base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* One host of a service, in the order of its records. */
struct service_host {
	struct service *service;
	struct srv_record record;
	struct query *query; /* NULL: it has ended */
	unsigned int count;  /* of its addresses */
	unsigned int taken;  /* of those, how many the answer has room for */
	struct address *addresses;
	unsigned int left_out; /* of its addresses, those that are only counted */
	bool partial;
	usec_t ttl;
	struct failure failure; /* count 0 and no query */
};

/* A query for a service: its records first, then the addresses of its hosts. */
struct service {
	struct query handle; /* what the asker holds */
	struct list place;   /* in resolver->services */
	struct resolver *resolver;
	struct query *records; /* NULL: they have come */
	enum family family;
	uint64_t seed;
	bool fresh, partial;
	usec_t timeout, ttl;
	struct timer *grace;
	usec_t latest; /* when an answer that can be given is given, so that the asker does not give up before */
	usec_t deadline;      /* of the grace; USEC_INFINITY: it has not begun */
	struct address *rest; /* of the answer that is being told */
	unsigned int host_count;
	struct service_host hosts[RESOLVE_SERVICE_HOSTS_MAX];
};

struct service *
service_free(struct service *service)
{
	if (!service)
		return NULL;
	list_remove(&service->place);
	timer_free(service->grace);
	query_cancel(service->records);
	free(service->rest);
	for (unsigned int i = 0; i < service->host_count; i++) {
		query_cancel(service->hosts[i].query);
		free(service->hosts[i].addresses);
	}
	free(service);
	return NULL;
}

/* The asker's time begins: three quarters of it are for the service and its hosts. */
static void
set_latest(struct service *service)
{
	service->latest = usec_add(loop_now(service->resolver->loop), service->timeout / 4 * 3);
}

/* ---- the answer ----------------------------------------------------------------------------------- */

/*
 * Divides the places of an answer: each host that has addresses gets an even share, and what the others do not need goes to those
 * that come first.
 */
static void
share_places(struct service *service)
{
	unsigned int with = 0, left = ANSWER_ADDRESSES_MAX, share;

	for (unsigned int i = 0; i < service->host_count; i++)
		with += service->hosts[i].count > 0;
	share = with > 0 ? ANSWER_ADDRESSES_MAX / with : 0;
	for (unsigned int i = 0; i < service->host_count; i++) {
		struct service_host *host = &service->hosts[i];

		host->taken = host->count < share ? host->count : share;
		left -= host->taken;
	}
	for (unsigned int i = 0; i < service->host_count; i++) {
		struct service_host *host = &service->hosts[i];
		unsigned int more = host->count - host->taken;

		more = more < left ? more : left;
		host->taken += more;
		left -= more;
	}
}

static bool
answer_has(const struct resolve_answer *answer, const struct address *address)
{
	for (unsigned int i = 0; i < answer->count; i++) {
		if (address_equal(&answer->addresses[i], address))
			return true;
	}
	return false;
}

static void
add_host(struct resolve_answer *answer, const struct service_host *host, unsigned int rank)
{
	for (unsigned int i = 0; i < host->taken; i++) {
		if (answer_has(answer, &host->addresses[i]))
			continue;
		answer->addresses[answer->count] = host->addresses[i];
		answer->rank[answer->count] = rank;
		answer->hosts[answer->count] = host->record.host;
		answer->count++;
	}
	if (host->count > 0)
		answer->ttl = usec_min(answer->ttl, host->ttl);
	answer->partial = answer->partial || host->partial;
	answer->left_out += host->left_out;
}

/* What has no place in the answer; without memory for it, the answer lacks it. */
static void
add_rest(struct service *service, struct resolve_answer *answer)
{
	unsigned int all = 0;

	for (unsigned int i = 0; i < service->host_count; i++)
		all += service->hosts[i].count - service->hosts[i].taken;
	service->rest = all > 0 ? calloc(all, sizeof(service->rest[0])) : NULL;
	if (all > 0 && !service->rest)
		answer->partial = true;
	for (unsigned int i = 0; service->rest && i < service->host_count; i++) {
		const struct service_host *host = &service->hosts[i];

		for (unsigned int k = host->taken; k < host->count; k++) {
			if (!answer_has(answer, &host->addresses[k]))
				service->rest[answer->rest_count++] = host->addresses[k];
		}
	}
	answer->rest = service->rest;
	answer->left_out += answer->rest_count;
}

/* Whether `failure` proves that a host has no address, rather than that none could be learnt. */
static bool
is_definite(const struct failure *failure)
{
	return failure->code == FAILURE_ADDRESS_NXDOMAIN ||
	       failure->code == FAILURE_ADDRESS_NO_DATA || failure->code == FAILURE_ADDRESS_EXCLUDED;
}

/*
 * How much a host's failure tells: trouble of this host's own comes first, since it may hide everything else, then what may pass, then
 * what is wrong in the zone.  That there is no address of one family says least: the other family may have one.
 */
static unsigned int
telling(const struct failure *failure)
{
	if (failure->code == FAILURE_ADDRESS_NO_DATA)
		return 0;
	if (failure_blame(failure->code) == BLAME_LOCAL)
		return 3;
	return failure_life(failure->code) == LIFE_TRANSIENT ? 2 : 1;
}

static void
fail_with_host(struct service *service, struct resolve_answer *answer)
{
	const struct service_host *most = &service->hosts[0];
	char evidence[FAILURE_EVIDENCE_MAX];
	struct text text;

	for (unsigned int i = 1; i < service->host_count; i++) {
		if (telling(&service->hosts[i].failure) > telling(&most->failure))
			most = &service->hosts[i];
	}
	answer->failure = most->failure;
	text_init(&text, evidence, sizeof(evidence));
	text_addf(&text, "SRV host %s", most->record.host);
	failure_set_evidence(&answer->failure, evidence, strlen(evidence));
}

static void
fill_answer(struct service *service, struct resolve_answer *answer)
{
	*answer = (struct resolve_answer){ .partial = service->partial, .ttl = service->ttl };
	failure_init(&answer->failure, FAILURE_NONE, STAGE_RESOLVE);
	share_places(service);
	for (unsigned int i = 0; i < service->host_count; i++) {
		const struct service_host *host = &service->hosts[i];

		add_host(answer, host, i);
		if (host->query || (host->count == 0 && !is_definite(&host->failure)))
			answer->partial = true;
	}
	add_rest(service, answer);
	if (answer->count == 0)
		fail_with_host(service, answer);
}

/* Tells the asker; the service ends. */
static void
tell(struct service *service, const struct resolve_answer *answer, usec_t now)
{
	const struct query handle = service->handle;

	/* The asker has no handle any more, and whoever looks for services must not find this one; but the hosts' names live on. */
	list_remove(&service->place);
	handle.fn(handle.arg, answer, now);
	service_free(service);
}

/* ---- the hosts ------------------------------------------------------------------------------------ */

/* When the hosts that have not ended are to be waited for no longer; USEC_INFINITY while none has an address. */
static usec_t
grace_end(const struct service *service, usec_t now)
{
	bool better = false;

	for (unsigned int i = 0; i < service->host_count; i++) {
		const struct service_host *host = &service->hosts[i];

		if (host->count > 0)
			return usec_min(service->latest, usec_add(now, better ? RESOLVE_BETTER_GRACE :
										RESOLVE_SPARES_GRACE));
		if (host->query)
			better = true;
	}
	return USEC_INFINITY;
}

static bool
all_ended(const struct service *service)
{
	for (unsigned int i = 0; i < service->host_count; i++) {
		if (service->hosts[i].query)
			return false;
	}
	return true;
}

/* A host has ended, or the grace has: answer, or wait for the others. */
static void
proceed(struct service *service, usec_t now)
{
	struct resolve_answer answer;

	if (!all_ended(service) && now < service->deadline) {
		service->deadline = usec_min(service->deadline, grace_end(service, now));
		timer_arm(service->grace, service->deadline);
		return;
	}
	fill_answer(service, &answer);
	tell(service, &answer, now);
}

static void
on_grace(void *arg, usec_t now)
{
	proceed(arg, now);
}

static void
take_addresses(struct service_host *host, const struct resolve_answer *answer)
{
	memcpy(host->addresses, answer->addresses, answer->count * sizeof(host->addresses[0]));
	if (answer->rest_count > 0)
		memcpy(host->addresses + answer->count, answer->rest,
		       answer->rest_count * sizeof(host->addresses[0]));
	host->count = answer->count + answer->rest_count;
}

static void
on_host(void *arg, const struct resolve_answer *answer, usec_t now)
{
	struct service_host *host = arg;

	host->query = NULL;
	host->ttl = answer->ttl;
	host->partial = answer->partial;
	host->failure = answer->failure; /* the resolver's hold no references */
	host->left_out = answer->left_out - answer->rest_count;
	if (answer->count > 0)
		host->addresses = calloc(answer->count + answer->rest_count,
					 sizeof(host->addresses[0]));
	if (host->addresses)
		take_addresses(host, answer);
	else if (answer->count > 0)
		failure_init(&host->failure, FAILURE_LOCAL_NO_MEMORY, STAGE_RESOLVE);
	proceed(host->service, now);
}

static void
ask_host(struct service *service, const struct srv_record *record)
{
	struct service_host *host = &service->hosts[service->host_count++];
	const struct question question = {
		.host = host->record.host,
		.absolute = true,
		.port = record->port,
		.family = service->family,
		.fresh = service->fresh,
		.timeout = service->timeout,
	};

	*host = (struct service_host){ .service = service, .record = *record };
	if (query_start(service->resolver, &question, on_host, host, &host->query) < 0)
		failure_init(&host->failure, FAILURE_LOCAL_NO_MEMORY, STAGE_RESOLVE);
}

/* ---- the records ---------------------------------------------------------------------------------- */

static void
tell_failure(struct service *service, const struct job *job, usec_t now)
{
	struct resolve_answer answer = { .count = 0 };

	job_failure(job, &answer.failure);
	tell(service, &answer, now);
}

/* Asks for the hosts of the records, in their order; without memory for that, none is asked for. */
static void
ask_hosts(struct service *service, const struct job *job)
{
	size_t size = job->count * sizeof(struct srv_record);
	_cleanup_(freep) struct srv_record *records = malloc(size);

	if (!records)
		return;
	memcpy(records, job->items, size);
	srv_order(records, job->count, service->seed);
	for (unsigned int i = 0; i < job->count && i < RESOLVE_SERVICE_HOSTS_MAX; i++)
		ask_host(service, &records[i]);
}

static void
on_records(void *arg, const struct job *job, usec_t now)
{
	struct service *service = arg;
	struct resolve_answer answer = { .count = 0 };

	service->records = NULL;
	if (job->code != FAILURE_NONE) {
		tell_failure(service, job, now);
		return;
	}
	service->ttl = job->ttl;
	service->partial = job->left_out > 0 || job->count > RESOLVE_SERVICE_HOSTS_MAX;
	ask_hosts(service, job);
	if (service->host_count > 0) {
		proceed(service, now);
		return;
	}
	failure_init(&answer.failure, FAILURE_LOCAL_NO_MEMORY, STAGE_RESOLVE);
	tell(service, &answer, now);
}

static int
ask_records(struct service *service, const struct question *question)
{
	_cleanup_(freep) struct query *query = malloc(sizeof(*query));
	int r;

	if (!query)
		return -ENOMEM;
	*query = (struct query){ .on_records = on_records, .arg = service };
	r = query_begin(service->resolver, question, query);
	if (r < 0)
		return r;
	service->records = steal(query);
	return 0;
}

int
service_start(struct resolver *resolver, const struct question *question, resolve_fn fn, void *arg,
	      struct query **ret_query)
{
	struct service *service = calloc(1, sizeof(*service));

	if (!service)
		return -ENOMEM;
	service->handle = (struct query){ .service = service, .fn = fn, .arg = arg };
	service->resolver = resolver;
	service->family = question->family;
	service->seed = question->seed;
	service->fresh = question->fresh;
	service->timeout = question->timeout;
	service->deadline = USEC_INFINITY;
	set_latest(service);
	list_init(&service->place);
	list_append(&resolver->services, &service->place);
	if (timer_new(resolver->loop, on_grace, service, &service->grace) < 0 ||
	    ask_records(service, question) < 0) {
		service_free(service);
		return -ENOMEM;
	}
	*ret_query = &service->handle;
	return 0;
}

/* ---- all services --------------------------------------------------------------------------------- */

void
services_restart(struct resolver *resolver)
{
	usec_t now = loop_now(resolver->loop);

	list_for_each(node, &resolver->services) {
		struct service *service = container_of(node, struct service, place);

		set_latest(service);
		if (service->deadline == USEC_INFINITY)
			continue;
		service->deadline = grace_end(service, now);
		timer_arm(service->grace, service->deadline);
	}
}

void
services_free(struct resolver *resolver)
{
	list_for_each(node, &resolver->services)
		service_free(container_of(node, struct service, place));
}
