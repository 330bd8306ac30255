#include "core/address.h"

#include "base/must.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <string.h>

void
address_from_ip(int family, const void *ip, uint16_t port, struct address *ret_address)
{
	struct address address = { 0 };

	must(family == AF_INET || family == AF_INET6);
	address.sa.sa_family = (sa_family_t)family;
	if (family == AF_INET) {
		address.length = sizeof(address.in);
		address.in.sin_port = htons(port);
		memcpy(&address.in.sin_addr, ip, sizeof(address.in.sin_addr));
	} else {
		address.length = sizeof(address.in6);
		address.in6.sin6_port = htons(port);
		memcpy(&address.in6.sin6_addr, ip, sizeof(address.in6.sin6_addr));
	}
	*ret_address = address;
}

static size_t
path_length(const struct address *address)
{
	size_t room = address->length - offsetof(struct sockaddr_un, sun_path);

	return strnlen(address->un.sun_path, room);
}

static void
format_ipv6(const struct address *address, struct text *text)
{
	char ip[INET6_ADDRSTRLEN];

	inet_ntop(AF_INET6, &address->in6.sin6_addr, ip, sizeof(ip));
	text_addf(text, "[%s", ip);
	if (address->zone[0] != '\0')
		text_addf(text, "%%%s", address->zone);
	else if (address->in6.sin6_scope_id != 0)
		text_addf(text, "%%%u", address->in6.sin6_scope_id);
	text_addf(text, "]:%u", ntohs(address->in6.sin6_port));
}

char *
address_format(const struct address *address, char *buffer, size_t size)
{
	char ip[INET_ADDRSTRLEN];
	struct text text;

	text_init(&text, buffer, size);
	if (!address_is_set(address))
		return buffer;
	switch (address->sa.sa_family) {
	case AF_INET:
		inet_ntop(AF_INET, &address->in.sin_addr, ip, sizeof(ip));
		text_addf(&text, "%s:%u", ip, ntohs(address->in.sin_port));
		break;
	case AF_INET6: format_ipv6(address, &text); break;
	case AF_UNIX:
		text_add(&text, "unix:");
		text_add_escaped(&text, address->un.sun_path, path_length(address), NULL);
		break;
	default: must_not_reach();
	}
	return buffer;
}

/* Two zones are the same by name where both are named, and by number otherwise. */
static bool
zone_equal(const struct address *a, const struct address *b)
{
	if (a->zone[0] != '\0' && b->zone[0] != '\0')
		return strcmp(a->zone, b->zone) == 0;
	return a->zone[0] == b->zone[0] && a->in6.sin6_scope_id == b->in6.sin6_scope_id;
}

bool
address_equal(const struct address *a, const struct address *b)
{
	if (!address_is_set(a) || !address_is_set(b))
		return address_is_set(a) == address_is_set(b);
	if (a->sa.sa_family != b->sa.sa_family)
		return false;
	switch (a->sa.sa_family) {
	case AF_INET:
		return a->in.sin_port == b->in.sin_port &&
		       a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
	case AF_INET6:
		return a->in6.sin6_port == b->in6.sin6_port && zone_equal(a, b) &&
		       memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr, sizeof(struct in6_addr)) == 0;
	case AF_UNIX:
		return path_length(a) == path_length(b) &&
		       memcmp(a->un.sun_path, b->un.sun_path, path_length(a)) == 0;
	default: must_not_reach();
	}
}

bool
address_is_set(const struct address *address)
{
	return address->length > 0;
}

bool
address_is_ipv6(const struct address *address)
{
	return address_is_set(address) && address->sa.sa_family == AF_INET6;
}

/* The IPv4 address, in host order, that `address` is or maps.  Returns whether there is one. */
static bool
get_ipv4(const struct address *address, uint32_t *ret_ip)
{
	if (!address_is_set(address))
		return false;
	if (address->sa.sa_family == AF_INET) {
		*ret_ip = ntohl(address->in.sin_addr.s_addr);
		return true;
	}
	if (address->sa.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&address->in6.sin6_addr)) {
		*ret_ip = ntohl(address->in6.sin6_addr.s6_addr32[3]);
		return true;
	}
	return false;
}

bool
address_is_local(const struct address *address)
{
	uint32_t ip;

	if (!address_is_set(address))
		return false;
	if (get_ipv4(address, &ip))
		return ip >> 24 == IN_LOOPBACKNET;
	if (address->sa.sa_family == AF_UNIX)
		return true;
	return IN6_IS_ADDR_LOOPBACK(&address->in6.sin6_addr);
}

bool
address_is_excluded(const struct address *address)
{
	uint32_t ip;

	if (get_ipv4(address, &ip))
		return ip >> 24 == 0 || IN_MULTICAST(ip) || ip == INADDR_BROADCAST;
	return address_is_ipv6(address) && (IN6_IS_ADDR_UNSPECIFIED(&address->in6.sin6_addr) ||
					    IN6_IS_ADDR_MULTICAST(&address->in6.sin6_addr));
}
