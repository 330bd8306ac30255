#include "sys/network.h"

#include "base/cleanup.h"
#include "sys/classify_errno.h"
#include "sys/fd.h"

#include <errno.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define TELL_INTERVAL  (200 * USEC_PER_MSEC) /* a link that comes up brings a burst of changes */
#define MESSAGES_BYTES 32768 /* the kernel fills no more than that in one dump read */
#define READS_MAX      64    /* of one event; what is left makes another event */

struct network {
	struct loop *loop;
	int fd;
	struct watch *watch;
	struct timer *timer;
	usec_t tell_not_before;
	bool telling; /* the timer is armed */
	network_fn fn;
	void *arg;
};

union messages {
	struct nlmsghdr header;
	char bytes[MESSAGES_BYTES];
};

/* ---- changes -------------------------------------------------------------------------------------- */

static void
on_tell(void *arg, usec_t now)
{
	struct network *network = arg;

	network->telling = false;
	network->tell_not_before = now + TELL_INTERVAL;
	network->fn(network->arg, now);
}

static bool
is_gain(const struct nlmsghdr *message)
{
	return message->nlmsg_type == RTM_NEWLINK || message->nlmsg_type == RTM_NEWADDR ||
	       message->nlmsg_type == RTM_NEWROUTE;
}

/* The message at an offset of a datagram of `length` octets, or NULL where no whole one is left. */
static const struct nlmsghdr *
message_at(const union messages *messages, size_t length, size_t offset)
{
	const struct nlmsghdr *message = (const void *)(messages->bytes + offset);

	if (offset > length || length - offset < sizeof(*message))
		return NULL;
	if (message->nlmsg_len < sizeof(*message) || message->nlmsg_len > length - offset)
		return NULL;
	return message;
}

static bool
has_gain(const union messages *messages, size_t length)
{
	const struct nlmsghdr *message;

	for (size_t at = 0; (message = message_at(messages, length, at));
	     at += NLMSG_ALIGN(message->nlmsg_len)) {
		if (is_gain(message))
			return true;
	}
	return false;
}

static void
on_messages(void *arg, unsigned int events, usec_t now)
{
	struct network *network = arg;
	union messages messages;
	bool gained = false;

	(void)events;
	for (unsigned int i = 0; i < READS_MAX; i++) {
		ssize_t length = recv(network->fd, &messages, sizeof(messages), 0);

		if (length < 0 && errno != ENOBUFS)
			break;
		/* ENOBUFS: more came than there was room for, so anything may have. */
		if (length < 0 || has_gain(&messages, (size_t)length))
			gained = true;
	}
	if (!gained || network->telling)
		return;
	network->telling = true;
	timer_arm(network->timer, usec_max(now, network->tell_not_before));
}

static int
open_route_socket(int flags, uint32_t groups)
{
	struct sockaddr_nl name = { .nl_family = AF_NETLINK, .nl_groups = groups };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | flags, NETLINK_ROUTE);
	int r;

	if (fd < 0)
		return -errno;
	if (bind(fd, (const struct sockaddr *)&name, sizeof(name)) == 0)
		return fd;
	r = -errno;
	fd_close(fd);
	return r;
}

static int
start(struct network *network)
{
	int r;

	network->fd = open_route_socket(SOCK_NONBLOCK,
					RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR |
						RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE);
	if (network->fd < 0)
		return network->fd;
	r = timer_new(network->loop, on_tell, network, &network->timer);
	if (r < 0)
		return r;
	return watch_start(network->loop,
			   &(struct watch_setup){ network->fd, WATCH_READ, on_messages, network },
			   &network->watch);
}

int
network_new(struct loop *loop, network_fn fn, void *arg, struct network **ret_network)
{
	struct network *network = malloc(sizeof(*network));
	int r;

	if (!network)
		return -ENOMEM;
	*network = (struct network){ .loop = loop, .fd = -1, .fn = fn, .arg = arg };
	r = start(network);
	if (r < 0) {
		network_free(network);
		return r;
	}
	*ret_network = network;
	return 0;
}

struct network *
network_free(struct network *network)
{
	if (!network)
		return NULL;
	watch_cancel(network->watch);
	timer_free(network->timer);
	fd_close(network->fd);
	free(network);
	return NULL;
}

/* ---- offline or not ------------------------------------------------------------------------------- */

static bool
is_running(const struct ifaddrs *entry)
{
	return (entry->ifa_flags & IFF_UP) && (entry->ifa_flags & IFF_RUNNING);
}

static bool
is_same_host(const struct sockaddr *a, const struct address *b)
{
	const void *at = a;

	if (!a || a->sa_family != b->sa.sa_family)
		return false;
	if (a->sa_family == AF_INET)
		return ((const struct sockaddr_in *)at)->sin_addr.s_addr == b->in.sin_addr.s_addr;
	return IN6_ARE_ADDR_EQUAL(&((const struct sockaddr_in6 *)at)->sin6_addr, &b->in6.sin6_addr);
}

/* Whether packets could leave from `source`: one of the interfaces that have it is running. */
static bool
is_source_running(const struct ifaddrs *all, const struct address *source)
{
	for (const struct ifaddrs *entry = all; entry; entry = entry->ifa_next) {
		if (is_running(entry) && is_same_host(entry->ifa_addr, source))
			return true;
	}
	return false;
}

/* Connecting a datagram socket asks the routes and sends nothing. */
static bool
leads_to(const struct ifaddrs *all, const struct address *peer)
{
	_cleanup_(fd_closep) int fd = socket(peer->sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct address source = { .length = sizeof(source.in6) };

	if (fd < 0)
		return !classify_is_routeless(errno);
	if (connect(fd, &peer->sa, peer->length) < 0)
		return !classify_is_routeless(errno);
	if (getsockname(fd, &source.sa, &source.length) < 0)
		return true;
	return is_source_running(all, &source);
}

static bool
is_beyond_link(const struct sockaddr *sa)
{
	const void *at = sa;

	if (sa->sa_family == AF_INET) {
		uint32_t ip = ntohl(((const struct sockaddr_in *)at)->sin_addr.s_addr);

		return ip >> 24 != 127 && ip >> 16 != 0xa9fe; /* 169.254.0.0/16, RFC 3927 */
	}
	if (sa->sa_family == AF_INET6) {
		const struct in6_addr *ip = &((const struct sockaddr_in6 *)at)->sin6_addr;

		return !IN6_IS_ADDR_LOOPBACK(ip) && !IN6_IS_ADDR_LINKLOCAL(ip);
	}
	return false;
}

static bool
has_address(const struct ifaddrs *all)
{
	for (const struct ifaddrs *entry = all; entry; entry = entry->ifa_next) {
		if (is_running(entry) && entry->ifa_addr && is_beyond_link(entry->ifa_addr))
			return true;
	}
	return false;
}

/* The attribute at an offset of a message, or NULL where no whole one is left. */
static const struct rtattr *
attribute_at(const struct nlmsghdr *message, size_t offset)
{
	const struct rtattr *attribute = (const void *)((const char *)message + offset);
	size_t length = message->nlmsg_len;

	if (offset > length || length - offset < sizeof(*attribute))
		return NULL;
	if (attribute->rta_len < sizeof(*attribute) || attribute->rta_len > length - offset)
		return NULL;
	return attribute;
}

static bool
is_of_link_only(int family, const unsigned char *destination)
{
	return family == AF_INET6 && (destination[0] == 0xff ||
				      (destination[0] == 0xfe && (destination[1] & 0xc0) == 0x80));
}

/* Whether a route of a dump carries packets out through anything but loopback, further than its own link. */
static bool
is_way_out(const struct nlmsghdr *message, int loopback)
{
	const struct rtmsg *route = NLMSG_DATA(message);
	const struct rtattr *attribute;
	int out = 0;

	if (message->nlmsg_type != RTM_NEWROUTE || route->rtm_type != RTN_UNICAST)
		return false;
	for (size_t at = NLMSG_SPACE(sizeof(*route)); (attribute = attribute_at(message, at));
	     at += RTA_ALIGN(attribute->rta_len)) {
		const void *value = attribute + 1;

		if (attribute->rta_type == RTA_MULTIPATH)
			return true;
		if (attribute->rta_type == RTA_DST && is_of_link_only(route->rtm_family, value))
			return false;
		if (attribute->rta_type == RTA_OIF)
			memcpy(&out, value, sizeof(out));
	}
	return out != 0 && out != loopback;
}

/* Reads a part of a dump: 1 where it has a way out or cannot be read, 0 where it goes on, -1 at its end. */
static int
read_routes(int fd, int loopback)
{
	union messages messages;
	ssize_t length = recv(fd, &messages, sizeof(messages), 0);
	const struct nlmsghdr *message;

	if (length <= 0)
		return 1;
	for (size_t at = 0; (message = message_at(&messages, (size_t)length, at));
	     at += NLMSG_ALIGN(message->nlmsg_len)) {
		if (message->nlmsg_type == NLMSG_DONE)
			return -1;
		if (message->nlmsg_type == NLMSG_ERROR || is_way_out(message, loopback))
			return 1;
	}
	return 0;
}

/* Stops at the first route that serves; a kernel that does not answer counts as having one. */
static bool
has_way_out(void)
{
	const struct {
		struct nlmsghdr header;
		struct rtmsg route;
	} request = {
		.header = { .nlmsg_len = NLMSG_LENGTH(sizeof(request.route)),
			    .nlmsg_type = RTM_GETROUTE,
			    .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.route = { .rtm_family = AF_UNSPEC },
	};
	_cleanup_(fd_closep) int fd = open_route_socket(0, 0);
	int loopback = (int)if_nametoindex("lo"), r;

	if (fd < 0 || send(fd, &request, request.header.nlmsg_len, 0) < 0)
		return true;
	do {
		r = read_routes(fd, loopback);
	} while (r == 0);
	return r > 0;
}

bool
network_is_offline(const struct address *peer)
{
	struct ifaddrs *all;
	bool offline;

	if (address_is_set(peer) && address_is_local(peer))
		return false;
	if (getifaddrs(&all) < 0)
		return false;
	offline = !(address_is_set(peer) && leads_to(all, peer)) &&
		  !(has_address(all) && has_way_out());
	freeifaddrs(all);
	return offline;
}
