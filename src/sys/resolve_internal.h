/*
 * What the parts of the resolver share: the queries of resolve.c, the jobs of resolve_job.c, the services of resolve_service.c.
 *
 * A query is one asker's; a job is one question to c-ares (or to the cache), shared by equal queries.  A service is a query that
 * asks through others: one for the records, then one for each host they name.  Everything belongs to one thread.
 */
#pragma once

#include "base/list.h"
#include "sys/resolve.h"
#include "sys/resolve_channel.h"
#include "sys/resolve_names.h"
#include "sys/resolve_srv.h"

#include <sys/stat.h>

#define LANES_MAX \
	8 /* different timeouts served exactly; further ones use the nearest shorter one */
#define RESOLVE_FILES 2 /* of the host's configuration, watched for changes */

/* The channel for questions of one timeout: its options are fixed when it is opened. */
struct lane {
	usec_t timeout;
	struct channel *channel; /* NULL: not open */
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
	bool shared; /* equal questions may join */
	/*
	 * The second time, to learn the reason, on a channel of its own: when c-ares loses a server's TCP connection it takes a try
	 * from every question that is with that server, so one name's truncated answer could fail all the others.
	 */
	bool second;
	struct channel *own; /* NULL: not open */
	usec_t timeout, asked_at;
	/* The result. */
	int status, socket_error; /* of c-ares; errno where that is the true reason, or 0 */
	const char *evidence;	  /* what was wrong with a service's records, or NULL; static */
	enum failure_code code;	  /* FAILURE_NONE: there are items */
	usec_t ttl;
	unsigned int left_out; /* so many more than could be kept */
	unsigned int count;
	void *items; /* addresses with the port of whom was told last, or the records of a service */
};

typedef void (*records_fn)(void *arg, const struct job *job, usec_t now);

struct query {
	struct list place;	 /* in job->queries */
	struct job *job;	 /* NULL: a service's */
	struct service *service; /* NULL: a plain one */
	uint16_t port;
	resolve_fn fn;
	records_fn on_records; /* of a service's query for its records, instead of fn; else NULL */
	void *arg;
};

struct resolver {
	struct loop *loop;
	struct post *post;
	struct lane lanes[LANES_MAX];
	unsigned int lane_count, asked_count;
	struct name_table jobs;
	struct list queue, asked, done;
	struct list services;
	struct cache *cache;
	struct stat files[RESOLVE_FILES];
	usec_t files_checked_at;
};

/*
 * job_find(resolver, name, question):
 * The job that answers `question`, which is about `name`: one out of the cache, one under way, or one that is queued by this.
 * The caller adds itself to its queries.  NULL means no memory.
 */
struct job *job_find(struct resolver *resolver, const struct name *name,
		     const struct question *question);

/*
 * job_free(job):
 * End a job that nobody wants any more and that is not with c-ares.  Not from within a callback of c-ares.
 */
void job_free(struct job *job);

/*
 * jobs_ask(resolver):
 * Ask what is queued, as far as the limit of questions on the wire allows.
 */
void jobs_ask(struct resolver *resolver);

/*
 * jobs_recall(resolver):
 * Close all channels: what was with c-ares is in the queue again.
 */
void jobs_recall(struct resolver *resolver);

/*
 * job_failure(job, ret_failure):
 * Fill the record of how `job` failed; its code is FAILURE_NONE where it did not.
 */
void job_failure(const struct job *job, struct failure *ret_failure);

/*
 * query_begin(resolver, question, query):
 * Let `query`, filled by the caller, wait for the answer to `question` (of a service: for its records).  It comes from malloc() and is
 * freed before it is answered, or by query_cancel().  Returns 0, or -ENOMEM and `query` stays the caller's.
 */
int query_begin(struct resolver *resolver, const struct question *question, struct query *query);

/*
 * service_start(resolver, question, fn, arg, ret_query):
 * What query_start() is for a service.
 */
int service_start(struct resolver *resolver, const struct question *question, resolve_fn fn,
		  void *arg, struct query **ret_query);

/*
 * service_free(service):
 * Forget it and what it has asked; takes NULL, returns NULL.
 */
struct service *service_free(struct service *service);

/*
 * services_restart(resolver), services_free(resolver):
 * Give the hosts that are being waited for their grace again; end all services without a word.
 */
void services_restart(struct resolver *resolver);
void services_free(struct resolver *resolver);
