/*
 * What the dialogues with a proxy share.  For core/proxy*.c only.
 */
#pragma once

#include "core/dialogue_internal.h"
#include "core/proxy.h"

#define PROXY_USER_MAX 255 /* octets, as RFC 1929 has it and the configuration allows */
#define PROXY_HEADER_MAX \
	107 /* octets of the PROXY protocol's header in version 1, the longest we write */

/* The state of all kinds: copies, since what proxy_new() is given is only borrowed during it. */
struct proxy_state {
	struct target target;
	const char *user; /* points into `credentials`; NULL: none */
	const char *password;
	char credentials[PROXY_USER_MAX + 1 + PROXY_PASSWORD_MAX + 1];
	unsigned char header[PROXY_HEADER_MAX + 1];
	size_t header_length;
	unsigned int step; /* of the kind; 0 at first */
};

extern const struct dialogue_kind proxy_http_kind;
extern const struct dialogue_kind proxy_socks_kind;

/* What the kinds have in common. */
#define PROXY_KIND_COMMON \
	.done = proxy_done, .state_bytes = sizeof(struct proxy_state), \
	.code_closed = FAILURE_PROTOCOL_PROXY_CLOSED, .code_overdue = FAILURE_TIMEOUT_PROXY, \
	.code_nonsense = FAILURE_PROTOCOL_PROXY_REPLY, \
	.silence = "perhaps it is a proxy of another kind, or it waits for the upstream"

/*
 * proxy_done(dialogue):
 * dialogue_kind.done: no password stays behind in freed memory.
 */
void proxy_done(struct dialogue *dialogue);

/*
 * proxy_pass(dialogue):
 * The way is open: say the header, if one is wanted.  Returns DIALOGUE_DONE.
 */
enum dialogue_verdict proxy_pass(struct dialogue *dialogue);

/*
 * proxy_nonsense(dialogue, failure):
 * Fail with protocol.proxy-reply.
 */
enum dialogue_verdict proxy_nonsense(const struct dialogue *dialogue, struct failure *failure);

/*
 * proxy_header(setup, buffer):
 * Write the PROXY protocol's header that `setup` wants into `buffer` of PROXY_HEADER_MAX + 1 octets.  Returns its length, 0 where none is
 * wanted.
 */
size_t proxy_header(const struct proxy_setup *setup, unsigned char *buffer);
