/*
 * Sockets towards upstreams: opened, set up, bound and connected without blocking; and what the kernel
 * knows about them.
 */
#pragma once

#include "base/usec.h"
#include "core/address.h"
#include "core/failure.h"
#include "core/policy.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * socket_connect(peer, transport, ret_fd, failure):
 * Open a non-blocking, close-on-exec stream socket, set keepalive, TCP_USER_TIMEOUT, TCP_NODELAY, mark,
 * interface and source as `transport` says (Unix sockets take none of it), and begin to connect to `peer` (a zone of IPv6 is looked up now).
 * Returns 0 with *ret_fd connecting: writable once it has ended, see socket_connected(); an AF_UNIX connect ends at once.
 * Returns -EAGAIN where a Unix socket's queue is full (try again until timeout.connect; no descriptor is left open).
 * Otherwise returns the negative errno and fills `failure`'s code (classified), error and error_name; the other
 * fields stay as they were (failure_init() first).
 */
int socket_connect(const struct address *peer, const struct transport_policy *transport,
		   int *ret_fd, struct failure *failure);

/*
 * socket_connected(fd, peer, failure):
 * After `fd` has become writable: 0 where it is connected (a TCP self-connection, source equal to peer, counts
 * as refused), -EINPROGRESS where it still connects, otherwise the negative errno with `failure` filled as in socket_connect().
 */
int socket_connected(int fd, const struct address *peer, struct failure *failure);

/*
 * socket_change_keepalive(fd, keepalive):
 * Apply other keepalive settings to a live TCP socket (a reload in place).  Returns 0 or a negative errno.
 */
int socket_change_keepalive(int fd, const struct keepalive_policy *keepalive);

/*
 * socket_source(fd, ret_address):
 * The local address of a connected socket.  Returns 0 or a negative errno.
 */
int socket_source(int fd, struct address *ret_address);

/* What the kernel knows about an established TCP connection (TCP_INFO). */
struct socket_state {
	usec_t rtt;		 /* smoothed; 0: unknown */
	usec_t since_last_ack;	 /* since the peer acknowledged anything */
	unsigned int unacked;	 /* segments sent and not acknowledged */
	unsigned int unanswered; /* probes sent (keepalive, zero window) since then */
};

/*
 * socket_state(fd, ret_state):
 * Ask.  Returns 0, or a negative errno (a Unix socket has none of it).
 */
int socket_state(int fd, struct socket_state *ret_state);

/*
 * socket_io_failed(fd, error, transport, failure):
 * Classify the errno of a failed read or write on an established socket into `failure` (ETIMEDOUT by ruling 5: dead peer or a
 * peer that does not read).
 */
void socket_io_failed(int fd, int error, const struct transport_policy *transport,
		      struct failure *failure);
