/*
 * A Varlink client on a blocking Unix socket: JSON objects ended by NUL, one call at a time.
 *
 * Nothing a server says can do harm: messages are bounded, and what is no reply is refused.
 */
#pragma once

#include "base/cleanup.h"
#include "base/usec.h"

#include <jansson.h>
#include <stdbool.h>

#define CLIENT_MESSAGE_MAX \
	((size_t)16 * 1024 * 1024) /* bytes of one reply; a longer one is refused */

struct client;

struct call {
	const char *method; /* of io.holdfast.Control, e.g. "List" */
	json_t *parameters; /* the call's reference; NULL: none */
	bool more;	    /* several replies are welcome */
	usec_t timeout;	    /* for each reply; USEC_INFINITY: for ever */
};

struct reply {
	json_t *message; /* holds all the rest */
	json_t *parameters; /* borrowed; an object; members that are null have been dropped, at every depth */
	const char *error; /* borrowed; NULL: none */
	bool continues;
};

/*
 * client_open(path, ret_client):
 * Connect.  Returns 0 or a negative errno (-ENOENT, -ECONNREFUSED, -EACCES, …).
 */
int client_open(const char *path, struct client **ret_client);

/*
 * client_free(client):
 * Hang up.  Takes NULL, returns NULL.
 */
struct client *client_free(struct client *client);

/*
 * client_send(client, call):
 * Send a call; its parameters are consumed whatever happens.  Returns 0 or a negative errno.
 */
int client_send(struct client *client, const struct call *call);

/*
 * client_receive(client, timeout, ret_reply):
 * Wait for the next reply; the caller ends it with reply_done().  Returns 0, or -ECONNRESET where the server hung up, -ETIMEDOUT,
 * -EMSGSIZE where the reply is too long, -EBADMSG where it is none, or another negative errno.
 */
int client_receive(struct client *client, usec_t timeout, struct reply *ret_reply);

/*
 * reply_done(reply):
 * Free it.
 */
void reply_done(struct reply *reply);

CLEANUP_DEFINE(struct client *, client_free)
