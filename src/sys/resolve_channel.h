/*
 * A channel of c-ares on our loop: its sockets, its timer and its options.
 */
#pragma once

#include "base/usec.h"
#include "core/address.h"
#include "sys/loop.h"

#include <ares.h>
#include <stdbool.h>

struct channel;

struct channel_setup {
	usec_t timeout; /* in which every configured server is to be asked, three times if need be */
	bool show_rcode; /* ARES_FLAG_NOCHECKRESP: give the server's own verdict (FAILURES.md, note 1) */
};

/*
 * channel_new(loop, setup, ret_channel):
 * Open a channel, reading the host's configuration as it is now.  Returns ARES_SUCCESS or another status of c-ares.
 */
int channel_new(struct loop *loop, const struct channel_setup *setup, struct channel **ret_channel);

/*
 * channel_free(channel):
 * Close it; what is under way is called back with ARES_EDESTRUCTION.  Not from within a callback of c-ares.  Takes NULL, returns NULL.
 */
struct channel *channel_free(struct channel *channel);

/*
 * channel_ask(channel, name, family, fn, arg):
 * Look `name` up (hosts file and search list count; a trailing dot rules the list out).  `fn` may be called before this returns.
 */
void channel_ask(struct channel *channel, const char *name, enum family family,
		 ares_addrinfo_callback fn, void *arg);

/*
 * channel_ask_service(channel, name, fn, arg):
 * Ask for the SRV records of `name`, which is absolute; `fn` gets the message, and may be called before this returns.
 */
void channel_ask_service(struct channel *channel, const char *name, ares_callback fn, void *arg);
