/*
 * The one connection of a driver: an established socket with its optional TLS object, from the race's end to its own.
 */
#pragma once

#include "core/address.h"
#include "core/failure.h"
#include "core/upstream.h"
#include "mailbox/message.h"
#include "sys/loop.h"
#include "sys/tls.h"

struct driver;

enum connection_use {
	CONNECTION_NONE,      /* nothing is open */
	CONNECTION_ADOPTED,   /* connected; nobody reads or writes yet */
	CONNECTION_HANDSHAKE, /* TLS is being negotiated */
	CONNECTION_SETTLE,    /* read for the server's verdict */
	CONNECTION_HOLD,      /* ready: read-armed */
	CONNECTION_CLOSE,     /* our end has been said, the peer's is awaited */
};

struct connection {
	enum connection_use use;
	int fd;
	struct watch *watch;
	struct tls *tls;	   /* or NULL: plain */
	struct upstream *upstream; /* a reference: `tls` uses its policy */
	unsigned int target;
	struct address source;
	uint64_t received;	/* bytes that came unasked */
	uint64_t untold;	/* of them, what the link has not been told yet */
	uint64_t told_received; /* as of the last status */
	usec_t active_at;	/* when it last carried something */
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
 * connection_change_policy(driver, upstream):
 * Apply to a live socket what can be changed in place.
 */
void connection_change_policy(struct driver *driver, const struct upstream *upstream);

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
