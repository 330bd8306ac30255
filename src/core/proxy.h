/*
 * What is said before anything else: to a proxy that is to lead to the upstream (HTTP CONNECT: RFC 9110, section 9.3.6; SOCKS5: RFC 1928
 * and 1929), and the PROXY protocol's header (version 1 or 2, haproxy.org's proxy-protocol.txt) to the upstream itself.
 */
#pragma once

#include "core/dialogue.h"
#include "core/policy.h"

/* All is borrowed during proxy_new(). */
struct proxy_setup {
	const struct proxy_policy *policy;
	const struct target *target; /* whom the proxy is to connect to; a name is resolved by the proxy */
	const char *password;	     /* NULL: none; at most PROXY_PASSWORD_MAX octets */
	const struct address *source, *peer; /* of the socket: what the PROXY header tells */
};

#define PROXY_PASSWORD_MAX \
	255 /* octets, as RFC 1929 has it; a longer one in the file is a failure at load */

/*
 * proxy_new(setup, ret_dialogue):
 * The dialogue with the proxy, if there is one, and then the header, if it is wanted (behind a proxy it is UNKNOWN or LOCAL: the addresses would
 * be the proxy's).  What the upstream says first may follow the proxy's verdict in the same breath: it is left over at DIALOGUE_DONE.  Fails with
 * protocol.proxy-auth, -denied, -target, -reply, -closed or timeout.proxy.  Returns 0 or -ENOMEM.
 */
int proxy_new(const struct proxy_setup *setup, struct dialogue **ret_dialogue);

/*
 * proxy_parse(text, ret_kind, ret_target, ret_problem):
 * "http://host:port" or "socks5://host:port" of the configuration.  Returns 0, or -EINVAL with a static sentence as target_parse() gives it.  Any thread.
 */
int proxy_parse(const char *text, enum proxy_kind *ret_kind, struct target *ret_target,
		const char **ret_problem);

/*
 * proxy_format(policy, buffer, size):
 * The inverse: "http://proxy.example.org:3128"; "" where there is none.  TARGET_HOST_MAX + 32 bytes suffice.  Returns `buffer`.
 */
char *proxy_format(const struct proxy_policy *policy, char *buffer, size_t size);
