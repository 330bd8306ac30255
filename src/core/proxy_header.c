/*
 * The PROXY protocol's header, version 1 and 2 (haproxy.org, proxy-protocol.txt, section 2): whence this connection comes and where to.
 */
#include "core/proxy_internal.h"

#include "base/text.h"

#include <arpa/inet.h>
#include <string.h>

#define IPV4_BYTES 4
#define IPV6_BYTES 16

#define V2_SIGNATURE   "\r\n\r\n\0\r\nQUIT\n"
#define V2_LOCAL       0x20 /* version 2, "judge by the socket itself" */
#define V2_PROXIED     0x21 /* version 2, the addresses follow */
#define V2_TCP_OF_IPV4 0x11
#define V2_TCP_OF_IPV6 0x21
#define V2_UNSPECIFIED 0x00

/* Both ends, of one family. */
struct ends {
	int family; /* AF_UNSPEC: not to be told */
	unsigned char source_ip[IPV6_BYTES], peer_ip[IPV6_BYTES];
	uint16_t source_port, peer_port;
};

/* AF_INET also for an IPv4-mapped address; AF_UNSPEC where it is none of IP. */
static int
read_ip(const struct address *address, unsigned char *ret_ip, uint16_t *ret_port)
{
	if (!address || !address_is_set(address))
		return AF_UNSPEC;
	if (address->sa.sa_family == AF_INET) {
		memcpy(ret_ip, &address->in.sin_addr, IPV4_BYTES);
		*ret_port = ntohs(address->in.sin_port);
		return AF_INET;
	}
	if (address->sa.sa_family != AF_INET6)
		return AF_UNSPEC;
	*ret_port = ntohs(address->in6.sin6_port);
	if (IN6_IS_ADDR_V4MAPPED(&address->in6.sin6_addr)) {
		memcpy(ret_ip, &address->in6.sin6_addr.s6_addr[IPV6_BYTES - IPV4_BYTES], IPV4_BYTES);
		return AF_INET;
	}
	memcpy(ret_ip, &address->in6.sin6_addr, IPV6_BYTES);
	return AF_INET6;
}

static void
read_ends(const struct proxy_setup *setup, struct ends *ends)
{
	int source, peer;

	*ends = (struct ends){ .family = AF_UNSPEC };
	if (setup->policy->kind != PROXY_NONE)
		return;
	source = read_ip(setup->source, ends->source_ip, &ends->source_port);
	peer = read_ip(setup->peer, ends->peer_ip, &ends->peer_port);
	if (source == peer)
		ends->family = source;
}

static size_t
write_v1(const struct ends *ends, unsigned char *buffer)
{
	char source[INET6_ADDRSTRLEN], peer[INET6_ADDRSTRLEN];
	struct text text;

	text_init(&text, (char *)buffer, PROXY_HEADER_MAX + 1);
	if (ends->family == AF_UNSPEC) {
		text_add(&text, "PROXY UNKNOWN\r\n");
		return text.length;
	}
	inet_ntop(ends->family, ends->source_ip, source, sizeof(source));
	inet_ntop(ends->family, ends->peer_ip, peer, sizeof(peer));
	text_addf(&text, "PROXY TCP%s %s %s %u %u\r\n", ends->family == AF_INET6 ? "6" : "4",
		  source, peer, ends->source_port, ends->peer_port);
	return text.length;
}

static size_t
append(unsigned char *buffer, size_t at, const void *bytes, size_t length)
{
	memcpy(buffer + at, bytes, length);
	return at + length;
}

static size_t
append_number(unsigned char *buffer, size_t at, uint16_t number)
{
	const unsigned char bytes[] = { (unsigned char)(number >> 8), (unsigned char)number };

	return append(buffer, at, bytes, sizeof(bytes));
}

static size_t
write_v2(const struct ends *ends, unsigned char *buffer)
{
	size_t ip_bytes = ends->family == AF_INET6 ? IPV6_BYTES : IPV4_BYTES;
	size_t at = append(buffer, 0, V2_SIGNATURE, sizeof(V2_SIGNATURE) - 1);

	if (ends->family == AF_UNSPEC) {
		buffer[at++] = V2_LOCAL;
		buffer[at++] = V2_UNSPECIFIED;
		return append_number(buffer, at, 0);
	}
	buffer[at++] = V2_PROXIED;
	buffer[at++] = ends->family == AF_INET6 ? V2_TCP_OF_IPV6 : V2_TCP_OF_IPV4;
	at = append_number(buffer, at, (uint16_t)(2 * ip_bytes + 2 * sizeof(uint16_t)));
	at = append(buffer, at, ends->source_ip, ip_bytes);
	at = append(buffer, at, ends->peer_ip, ip_bytes);
	at = append_number(buffer, at, ends->source_port);
	return append_number(buffer, at, ends->peer_port);
}

size_t
proxy_header(const struct proxy_setup *setup, unsigned char *buffer)
{
	struct ends ends;

	if (setup->policy->header == PROXY_HEADER_NONE)
		return 0;
	read_ends(setup, &ends);
	return setup->policy->header == PROXY_HEADER_V1 ? write_v1(&ends, buffer) :
							  write_v2(&ends, buffer);
}
