/*
 * For the tests of the worker: a main thread that receives events and remembers what they told, and servers on loopback that
 * do as they are told, each on a thread of its own.
 */
#pragma once

#include "check.h"

#include "core/failure.h"
#include "core/upstream.h"
#include "mailbox/message.h"
#include "worker/worker.h"

#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>

/* Nothing here waits longer: it is only reached where something is wrong, however slow the machine. */
#define PATIENCE (60 * USEC_PER_SEC)

/* ---- servers -------------------------------------------------------------------------------------- */

enum conduct {
	CONDUCT_HOLD,  /* accept, read and drop, close when the client does */
	CONDUCT_CLOSE, /* accept and close */
	CONDUCT_RESET, /* accept and reset */
	CONDUCT_FLOOD, /* accept and write without end */
	CONDUCT_GREET, /* accept and write one line */
	CONDUCT_DEAF,  /* accept and do nothing at all, also when the client closes */
};

struct served;

struct server {
	int listener, epoll, control; /* control: an eventfd */
	_Atomic enum conduct conduct;
	atomic_uint accepted, open, wanted_end; /* wanted_end: 1 close all, 2 reset all, 3 end the thread */
	pthread_t thread;
	SSL_CTX *tls; /* or NULL: plain */
	struct served *connections;
	char address[64]; /* as the configuration would write it */
};

/*
 * server_start(conduct, tls):
 * Listen on a free port of 127.0.0.1.  `tls` is taken over.
 */
struct server *server_start(enum conduct conduct, SSL_CTX *tls);

/*
 * server_close_all(server), server_reset_all(server):
 * End all connections it has, in order or by a reset, and wait until that is done.
 */
void server_close_all(struct server *server);
void server_reset_all(struct server *server);

/*
 * server_end(server):
 * End it with all its connections.
 */
void server_end(struct server *server);

/*
 * free_address(buffer, size):
 * An address of loopback nobody listens at (for now).
 */
char *free_address(char *buffer, size_t size);

/*
 * server_start_on(address, conduct):
 * A plain one at such an address.
 */
struct server *server_start_on(const char *address, enum conduct conduct);

/* ---- certificates --------------------------------------------------------------------------------- */

/* A throw-away authority and a server certificate for 127.0.0.1, in a directory of their own. */
struct authority {
	EVP_PKEY *key;
	X509 *certificate;
	char directory[64], ca_file[96];
	long serial;
};

void authority_make(struct authority *authority);
void authority_done(struct authority *authority);

/*
 * authority_server(authority, lifetime):
 * A server's context with a fresh certificate that ends `lifetime` seconds from now.
 */
SSL_CTX *authority_server(struct authority *authority, long lifetime);

/*
 * authority_demand_client(tls, authority):
 * The server asks for a client certificate, and refuses without one.
 */
void authority_demand_client(SSL_CTX *tls, const struct authority *authority);

/*
 * authority_client(authority, certificate_file, key_file):
 * Write a client's certificate and key; the buffers hold 128 bytes.
 */
void authority_client(struct authority *authority, char *certificate_file, char *key_file);

/* ---- main's side ---------------------------------------------------------------------------------- */

#define HOST_UPSTREAMS_MAX 8
#define HOST_LINKS_MAX	   2100

struct host_link {
	bool known, gone;
	struct link_status status; /* its chain's reference is dropped at once */
	unsigned int chain_length;
	unsigned int statuses, failures, lost_addresses, closes;
	unsigned int unready; /* statuses after the first READY one that were of another stage */
	bool was_ready;
	struct failure failure; /* the last one, without references */
	unsigned int others;	/* how many others it named */
	enum close_reason reason;
};

struct host {
	struct loop *loop;
	struct wakeup *notify;
	struct timer *patience, *pulse;
	struct worker *worker;
	bool out_of_patience, stopped, deaf;	   /* deaf: receive nothing */
	struct host_link (*links)[HOST_LINKS_MAX]; /* by id - 1, number - 1 */
	bool dropped[HOST_UPSTREAMS_MAX];
	unsigned int ready[HOST_UPSTREAMS_MAX];	      /* links whose last status was READY */
	unsigned int least_ready[HOST_UPSTREAMS_MAX]; /* since host_watch_ready() */
	unsigned int failures, closes, events;
	unsigned int warnings[WARNING_COUNT];
	uint64_t warning_number[WARNING_COUNT]; /* all of that kind together */
	uint64_t last_number[WARNING_COUNT];
	unsigned int overs[WARNING_COUNT];	    /* with number 0 */
	struct failure last_warning[WARNING_COUNT]; /* without references */
	struct failure warning_failure; /* of the last STALE_FILES, without references */
	uint64_t pong;
};

void host_start(struct host *host);

/*
 * host_end(host):
 * COMMAND_STOP with a generous deadline, and the end.
 */
void host_end(struct host *host);

/*
 * host_stop(host, deadline):
 * COMMAND_STOP, and wait for EVENT_STOPPED.
 */
void host_stop(struct host *host, usec_t deadline);

/*
 * host_send(host, command):
 * Send it, with patience.
 */
void host_send(struct host *host, const struct command *command);

/*
 * host_set(host, id, upstream, in_place), host_command(host, id, kind):
 * Shorthands; `upstream`'s reference is taken over.
 */
void host_set(struct host *host, upstream_id id, struct upstream *upstream, bool in_place);
void host_command(struct host *host, upstream_id id, enum command_kind kind);

/* host_until(host, condition): receive events until `condition` holds; fails where that takes for ever. */
#define host_until(host, condition) \
	do { \
		host_begin_waiting(host); \
		while (!(condition)) { \
			if ((host)->out_of_patience) \
				fail_msg("never came true: %s", #condition); \
			host_wait(host); \
		} \
	} while (0)
void host_begin_waiting(struct host *host);
void host_wait(struct host *host);

/*
 * host_for(host, duration):
 * Receive events for so long.
 */
void host_for(struct host *host, usec_t duration);

/*
 * host_watch_ready(host):
 * From now on remember the least number of ready links.
 */
void host_watch_ready(struct host *host);

struct host_link *host_link(struct host *host, upstream_id id, unsigned int number);

/*
 * make_upstream(name, address, connections):
 * Defaults, but with short delays; `address` may list several, separated by spaces.
 */
struct upstream *make_upstream(const char *name, const char *address, unsigned int connections);

/*
 * make_tls_upstream(name, address, connections, authority):
 * The same with TLS, verified by that authority.
 */
struct upstream *make_tls_upstream(const char *name, const char *address, unsigned int connections,
				   const struct authority *authority);
