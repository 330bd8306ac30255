/*
 * The one connection of a driver: an established socket with its optional TLS object, from the race's end to its own.
 */
#pragma once

#include "core/address.h"
#include "core/dialogue.h"
#include "core/failure.h"
#include "core/upstream.h"
#include "mailbox/message.h"
#include "sys/loop.h"
#include "sys/tls.h"

struct driver;

/* The dialogue that goes on over a connection, and what those before it have left. */
struct speech {
	struct dialogue *dialogue; /* or NULL: none goes on */
	struct upstream *upstream; /* a reference, while there is one: its policy is borrowed */
	bool done;		   /* it has ended well once the rest of its output is sent */
	bool greeted, again;	   /* core/probe.h */
	unsigned int memory;	   /* likewise */
	bool starttls;		   /* TLS begins after a go-ahead in plain text */
	size_t stuck;		   /* TLS wants the same octets again: so many */
	unsigned char *kept;	   /* what came before the first probe could hear it, or NULL */
	size_t kept_length;
};

enum connection_use {
	CONNECTION_NONE,    /* nothing is open */
	CONNECTION_ADOPTED, /* connected; nobody reads or writes yet */
	CONNECTION_PROXY,   /* what comes before the upstream's own words is said (worker/speech) */
	CONNECTION_STARTTLS,  /* what comes before TLS is said (worker/speech) */
	CONNECTION_HANDSHAKE, /* TLS is being negotiated */
	CONNECTION_SETTLE,    /* read for the server's verdict */
	CONNECTION_PROBE, /* the application is asked, before anybody calls it ready (worker/speech) */
	CONNECTION_HOLD,  /* ready: read-armed; a probe may be going on */
	CONNECTION_CLOSE, /* our end has been said, the peer's is awaited */
};

struct connection {
	enum connection_use use;
	int fd;
	struct watch *watch;
	struct tls *tls;	   /* or NULL: plain */
	struct upstream *upstream; /* a reference: `tls` uses its policy */
	unsigned int target;
	struct address source;
	uint64_t received, sent; /* bytes, TLS's own apart */
	uint64_t unasked; /* of those received: what nobody had asked for since the last good probe in READY */
	unsigned char first[FAILURE_EVIDENCE_MAX]; /* of that, the first octets: a peer may say why it hangs up */
	size_t first_length;
	uint64_t untold;	/* likewise: what the link has not been told yet */
	uint64_t told_received; /* as of the last status */
	usec_t active_at;	/* when it last carried something */
	struct speech speech;
	struct tls_state made_with; /* as of its handshake */
	bool listed;		    /* by the answers that are being gathered (worker/refresh) */
	bool looked_up;		    /* it was there when the names were asked */
	unsigned int lacking;	    /* so many answers in a row did not have its address */
	bool gone;		    /* it is to be renewed because of that */
};

/*
 * connection_init(conn):
 * Nothing is open.
 */
void connection_init(struct connection *conn);

/*
 * connection_adopt(driver, fd, target):
 * The driver's connection is `fd` (taken over), connected to an address of the upstream's target number `target`.
 */
void connection_adopt(struct driver *driver, int fd, unsigned int target);

/*
 * connection_handshake(driver, now, failure), connection_settle(driver, now, failure), connection_hold(driver, now, failure):
 * What the effects of these names ask for; completions come as inputs from the loop.  Returns 0, or a negative errno with `failure`
 * (failure_init()ed) filled.
 */
int connection_handshake(struct driver *driver, usec_t now, struct failure *failure);
int connection_settle(struct driver *driver, usec_t now, struct failure *failure);
int connection_hold(struct driver *driver, usec_t now, struct failure *failure);

/*
 * connection_late(driver, failure):
 * A deadline has come.  Whether more is known about a handshake than that it is late: `failure` (failure_init()ed with the stage) is
 * filled then.
 */
bool connection_late(struct driver *driver, struct failure *failure);

/*
 * connection_close(driver):
 * Say our end.  Returns true where there is nothing to wait for and all is closed; otherwise INPUT_CLOSED follows.
 */
bool connection_close(struct driver *driver);

/*
 * connection_discard(driver):
 * Close it without a word, if there is one.
 */
void connection_discard(struct driver *driver);

/*
 * connection_change_keepalive(driver, keepalive):
 * Apply it to the socket, if there is one that knows it.
 */
void connection_change_keepalive(struct driver *driver, const struct keepalive_policy *keepalive);

/*
 * connection_status(driver, ret_status):
 * Fill in what is known of the connection: source, rtt, bytes, TLS.
 */
void connection_status(struct driver *driver, struct link_status *ret_status);

/*
 * connection_rest(driver, now):
 * If nothing was carried for a while, give buffers back and tell main changed figures.  Returns whether it is at rest.
 */
bool connection_rest(struct driver *driver, usec_t now);

/* ---- for worker/speech.c alone -------------------------------------------------------------------- */

/*
 * connection_await(driver, events):
 * Wait for `events` on the socket; the first call begins to watch.  Returns 0 or a negative errno.
 */
int connection_await(struct driver *driver, unsigned int events);

/*
 * connection_await_or_fail(driver, events, now):
 * For a completion from the loop: if even waiting fails, that is the connection's end.
 */
void connection_await_or_fail(struct driver *driver, unsigned int events, usec_t now);

/*
 * connection_fail_local(failure, error):
 * This host has failed us, not the peer: fill `failure` from the negative errno `error`, which is returned.
 */
int connection_fail_local(struct failure *failure, int error);

/*
 * connection_fail(driver, failure, now):
 * Tell the link that the connection has ended; `failure`'s references are given back.  What came unasked before a mere end is its
 * evidence.
 */
void connection_fail(struct driver *driver, struct failure *failure, usec_t now);

/*
 * connection_is_mere_end(failure):
 * Whether it only says that the connection is over; what the peer said, or what this host lacks, tells more.
 */
bool connection_is_mere_end(const struct failure *failure);

/*
 * connection_busy(driver, now):
 * It carries something: connection_rest() will be called until it has gone quiet.
 */
void connection_busy(struct driver *driver, usec_t now);

/*
 * connection_note_unasked(driver, length, failure):
 * `length` octets at the worker's scratch have come unasked.  Returns 0, or -EMSGSIZE with `failure` filled where that is too much.
 */
int connection_note_unasked(struct driver *driver, size_t length, struct failure *failure);

/*
 * connection_tell_received(driver, now):
 * Of a ready connection: tell the link what has come since it was told last.
 */
void connection_tell_received(struct driver *driver, usec_t now);

/*
 * connection_read_plain(driver, flags, ret_length, failure):
 * As tls_read(), for a plain socket and into the worker's scratch; `flags` are recv(2)'s.
 */
enum tls_result connection_read_plain(struct driver *driver, int flags, size_t *ret_length,
				      struct failure *failure);
