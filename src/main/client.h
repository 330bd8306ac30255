/*
 * One client of the control socket: its descriptor, what has come and is not yet understood, what is not yet sent, and
 * the one call that is running.  Calls are answered in order; a stream or a wait ends before the next call is looked at.
 *
 * Nothing a client does or leaves undone harms anybody else: what is held for it is bounded (CONTROL_MESSAGE_MAX, CONTROL_OUTPUT_MAX),
 * so is the work of one turn, and so is the time it may say nothing or not read.
 */
#pragma once

#include "base/list.h"
#include "main/call.h"

#include <sys/types.h>

struct client;

struct client_setup {
	int fd;				 /* connected, non-blocking; taken over on success */
	const struct services *services; /* borrowed */
	const gid_t *admin_group; /* where the admins' group, or UNIX_NO_GROUP, is to be found; borrowed */
	usec_t idle_timeout;
	unsigned int busy_limit; /* not 0: one too many; its first call is answered with Busy and this limit, and that is all */
	/* It is done for: the receiver ends it with client_free() at once, and closes the descriptor that this returns. */
	void (*on_gone)(void *arg, struct client *client);
	void *arg;
};

/*
 * client_new(setup, ret_client):
 * Begin to listen to a client.  Returns 0 or a negative errno.
 */
int client_new(const struct client_setup *setup, struct client **ret_client);

/*
 * client_free(client):
 * End what is running and send what can be sent at once.  Takes NULL.  Returns the descriptor, which is the caller's again, or -1.
 */
int client_free(struct client *client);

/*
 * client_node(client), client_of(node), client_is_busy(client):
 * The node by which its owner keeps it in a list, free at first; the client of a node; whether busy_limit was set.
 */
struct list *client_node(struct client *client);
struct client *client_of(struct list *node);
bool client_is_busy(const struct client *client);
