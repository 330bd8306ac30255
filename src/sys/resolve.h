/*
 * Names to addresses through c-ares, without blocking, one family a query.
 *
 * At most RESOLVE_QUERIES_MAX queries are on the wire at once; more wait in order (MEASURED.md: the socket
 * overflows, and each loss costs 5 s).  Equal questions asked at once share one query.  Answers are kept
 * for their TTL.  The hosts file and the search list count (not for services).  A changed /etc/resolv.conf is noticed.
 *
 * A service's records are asked for once for both families, ordered (RFC 2782), and then the addresses of the first
 * RESOLVE_SERVICE_HOSTS_MAX hosts are asked for at once.  When every host has been answered for, or a grace has passed since the first
 * had an address, or three quarters of the question's timeout, the answer is what is there; every host gets its share of its places.
 */
#pragma once

#include "core/address.h"
#include "core/failure.h"
#include "core/input.h"
#include "sys/loop.h"

#define RESOLVE_QUERIES_MAX 64
#define RESOLVE_CACHE_MAX   4096	    /* names kept; the one that expires first leaves */
#define RESOLVE_TTL_MAX	    (USEC_PER_HOUR) /* a longer TTL counts as this */

/*
 * Of one name: those that an answer has no room for are needed to tell whether an address has gone from the DNS.  More are only counted.
 */
#define RESOLVE_ADDRESSES_MAX 256

#define RESOLVE_SERVICE_HOSTS_MAX \
	8 /* of a service asked for; those whose turn comes later are left out */
/*
 * How long a service's hosts are waited for that come after the first that has an address (its spares, which can be learnt the next
 * time), and those that come before it (RFC 2782 wants them tried first; a lost packet is sent again within this time).
 */
#define RESOLVE_SPARES_GRACE (200 * USEC_PER_MSEC)
#define RESOLVE_BETTER_GRACE (USEC_PER_SEC)

struct resolver;
struct query;

struct resolve_answer {
	unsigned int count;				/* 0: failure is set */
	struct address addresses[ANSWER_ADDRESSES_MAX]; /* with the port asked for, or the SRV record's */
	unsigned int rank[ANSWER_ADDRESSES_MAX]; /* of a service: its record's place in the order of RFC 2782, 0 the first; else 0 */
	const char *hosts[ANSWER_ADDRESSES_MAX]; /* of a service: the host its record names, without a trailing dot; borrowed; else NULL */
	unsigned int rest_count; /* known, but without a place in `addresses`: */
	const struct address *rest; /* with their ports; borrowed; of a service, some may be in it twice */
	unsigned int left_out; /* as many as are known not to be in `addresses`: those of `rest`, and what is only counted */
	bool partial; /* there are, or may be, addresses that are neither in `addresses` nor in `rest`: what is missing is not gone */
	usec_t ttl;   /* of a service, the least of its records' and its hosts' */
	struct failure failure; /* code, error and error_name (ARES_…, or an errno where no socket could be had); stage is RESOLVE; of a
				 * service the evidence says which host or what about its records */
};

/* `answer` is borrowed during the call. */
typedef void (*resolve_fn)(void *arg, const struct resolve_answer *answer, usec_t now);

struct question {
	const char *host;   /* copied */
	bool absolute;	    /* no search list */
	uint16_t port;	    /* 0 of a service */
	enum family family; /* FAMILY_IPV4 or FAMILY_IPV6 */
	bool service; /* ask for SRV records first, then for the addresses of the hosts they name (RFC 2782) */
	uint64_t seed; /* of a service: draws the order among records of one priority; equal seeds draw alike */
	bool fresh; /* do not answer from what is kept */
	usec_t timeout; /* the stage's: sets the resolver's patience; the asker keeps the deadline and cancels */
};

/*
 * resolver_new(loop, ret_resolver):
 * A resolver on `loop`, set up from the host's configuration; a host without any is no error (the queries will
 * say so).  Returns 0 or a negative errno.  resolver_free() cancels all queries; takes NULL, returns NULL.
 */
int resolver_new(struct loop *loop, struct resolver **ret_resolver);
struct resolver *resolver_free(struct resolver *resolver);

/*
 * query_start(resolver, question, fn, arg, ret_query):
 * Ask.  `fn` is called once, never before this has returned, unless query_cancel() comes first; the query is gone then.
 * Returns 0 or -ENOMEM.
 */
int query_start(struct resolver *resolver, const struct question *question, resolve_fn fn,
		void *arg, struct query **ret_query);

/*
 * query_cancel(query):
 * Forget it; takes NULL, returns NULL.
 */
struct query *query_cancel(struct query *query);

/*
 * resolver_restart(resolver):
 * This process was held up: give what is on the wire its time again.
 */
void resolver_restart(struct resolver *resolver);
