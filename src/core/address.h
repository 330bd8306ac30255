/*
 * Addresses as values.  A target is what the configuration names (a host name, a numeric address or a
 * Unix socket, with its port); an address is one concrete place a socket can be connected to.
 */
#pragma once

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

/* Longest text of an address: "unix:" and a path of 107 octets, or "[v6%zone]:65535". */
#define ADDRESS_TEXT_MAX 128
#define TARGET_HOST_MAX	 254 /* 253 octets of a host name and the NUL */

struct address {
	socklen_t length; /* 0: unset */
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
	};
	char zone[IF_NAMESIZE]; /* of an IPv6 link-local address, by name; sys/socket looks it up */
};

enum family {
	FAMILY_ANY,
	FAMILY_IPV4,
	FAMILY_IPV6,
};

enum target_kind {
	TARGET_NAME,	/* must be resolved */
	TARGET_ADDRESS, /* IPv4 or IPv6 literal; a name to verify all the same (as an IP SAN) */
	TARGET_UNIX,
	TARGET_SERVICE, /* "srv:_ldaps._tcp.example.org": SRV records (RFC 2782) say where; no search list */
};

struct target {
	enum target_kind kind;
	/* As configured, without brackets and without a trailing dot; "" for unix; of a service the whole
	 * name, "_ldaps._tcp.example.org". */
	char host[TARGET_HOST_MAX];
	bool absolute;		/* a name was written with a trailing dot: no search list */
	uint16_t port;		/* host order; 0 for unix and service */
	struct address address; /* set for TARGET_ADDRESS and TARGET_UNIX */
};

/*
 * target_parse(text, family, ret_target, ret_problem):
 * Parse "host:port", "192.0.2.1:port", "[v6]:port", "[fe80::1%eth0]:port", "srv:_service._tcp.domain"
 * or "unix:/path" (a leading '@' of the path is no abstract name but a mistake).  All that FAILURES.md,
 * ruling 1, can see to be wrong is refused: `family` is the one allowed for literals.  The port is a
 * number; a service has none, and no protocol but _tcp, whatever its case.  Returns 0, or -EINVAL with
 * *ret_problem pointing to a static sentence that says what is wrong and what was expected, in words that fit after "address: \"TEXT\" ".  Any thread.
 */
int target_parse(const char *text, enum family family, struct target *ret_target,
		 const char **ret_problem);

/*
 * target_is_asked(target):
 * Whether the resolver has to be asked where `target` is: a name or a service.  Any thread.
 */
bool target_is_asked(const struct target *target);

/*
 * target_domain(target):
 * The name that stands for whom we mean: the host, and of a service the name without its two leading
 * labels.  Borrowed from `target`; "" for unix.  Any thread.
 */
const char *target_domain(const struct target *target);

/*
 * target_format(target, buffer, size):
 * Write the canonical text of `target` (host:port, [v6]:port, srv:_service._tcp.domain, unix:/path)
 * into `buffer` of `size` bytes; TARGET_HOST_MAX + 16 always suffice.  Returns `buffer`.  Any thread.
 */
char *target_format(const struct target *target, char *buffer, size_t size);

/*
 * address_from_ip(family, ip, port, ret_address):
 * Make an address from AF_INET or AF_INET6 `family`, 4 or 16 octets of `ip` in network order, and
 * `port` in host order.  Any thread.
 */
void address_from_ip(int family, const void *ip, uint16_t port, struct address *ret_address);

/*
 * address_format(address, buffer, size):
 * Write "192.0.2.7:636", "[2001:db8::1]:636", "[fe80::1%eth0]:636" or "unix:/path" into `buffer` of
 * `size` bytes (ADDRESS_TEXT_MAX suffices; unprintable octets of a path are escaped as \xNN); "" where
 * unset.  Returns `buffer`.  Any thread.
 */
char *address_format(const struct address *address, char *buffer, size_t size);

/*
 * address_equal(a, b):
 * Whether both are the same place, port included; two unset ones are equal.  Any thread.
 */
bool address_equal(const struct address *a, const struct address *b);

/*
 * address_is_set(address), address_is_ipv6(address):
 * Whether `address` holds anything; whether it is an IPv6 one.  Any thread.
 */
bool address_is_set(const struct address *address);
bool address_is_ipv6(const struct address *address);

/*
 * address_is_local(address):
 * Whether it never leaves this host: loopback (127.0.0.0/8, ::1, mapped forms) or a Unix socket.  Any thread.
 */
bool address_is_local(const struct address *address);

/*
 * address_is_excluded(address):
 * Whether nobody can be reached at it over a connection: unspecified, multicast, limited broadcast
 * (RFC 6890); for an IPv4-mapped IPv6 address, the IPv4 one counts.  Any thread.
 */
bool address_is_excluded(const struct address *address);
