#include "sys/socket.h"

#include "base/cleanup.h"
#include "sys/classify_errno.h"
#include "sys/fd.h"

#include <errno.h>
#include <ifaddrs.h>
#include <limits.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define KEEPALIVE_SECONDS_MAX 32767 /* MAX_TCP_KEEPIDLE and MAX_TCP_KEEPINTVL of Linux */
#define KEEPALIVE_COUNT_MAX   127   /* MAX_TCP_KEEPCNT; what is above any of these counts as it */

static int
failed(struct failure *failure, enum failure_code code, int error)
{
	failure->code = code;
	failure_set_error(failure, error, strerrorname_np(error));
	return -error;
}

static int
set_number(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) < 0 ? -errno : 0;
}

/* ---- keepalive ------------------------------------------------------------------------------------ */

static int
whole_seconds(usec_t time)
{
	usec_t seconds = usec_max(time / USEC_PER_SEC, 1);

	return (int)usec_min(seconds, KEEPALIVE_SECONDS_MAX);
}

int
socket_change_keepalive(int fd, const struct keepalive_policy *keepalive)
{
	const struct {
		int level, option, value;
	} settings[] = {
		{ SOL_SOCKET, SO_KEEPALIVE, 1 },
		{ IPPROTO_TCP, TCP_KEEPIDLE, whole_seconds(keepalive->idle) },
		{ IPPROTO_TCP, TCP_KEEPINTVL, whole_seconds(keepalive->interval) },
		{ IPPROTO_TCP, TCP_KEEPCNT,
		  (int)usec_min(usec_max(keepalive->count, 1), KEEPALIVE_COUNT_MAX) },
		{ IPPROTO_TCP, TCP_USER_TIMEOUT,
		  (int)usec_min(keepalive->user_timeout / USEC_PER_MSEC, INT_MAX) },
	};

	for (size_t i = 0; i < COUNT_OF(settings); i++) {
		int r = set_number(fd, settings[i].level, settings[i].option, settings[i].value);

		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- before the connect --------------------------------------------------------------------------- */

/* The number of an interface by its name, or by its number written out; 0: there is none. */
static unsigned int
zone_index(const char *zone)
{
	char name[IF_NAMESIZE], *end;
	unsigned int index = if_nametoindex(zone);
	unsigned long number;

	if (index != 0)
		return index;
	number = strtoul(zone, &end, 10);
	if (zone[0] < '0' || zone[0] > '9' || *end != '\0' || number > INT_MAX)
		return 0;
	return if_indextoname((unsigned int)number, name) ? (unsigned int)number : 0;
}

/* Gives a copy of `address` whose zone has become a number, as the kernel wants it. */
static int
resolve_zone(const struct address *address, struct address *ret_address)
{
	*ret_address = *address;
	if (!address_is_ipv6(address) || address->zone[0] == '\0')
		return 0;
	ret_address->in6.sin6_scope_id = zone_index(address->zone);
	return ret_address->in6.sin6_scope_id == 0 ? -ENODEV : 0;
}

static int
bind_source(int fd, const struct address *peer, const struct address *source)
{
	struct address from;
	int r;

	if (!address_is_set(source))
		return 0;
	if (source->sa.sa_family != peer->sa.sa_family)
		return -EAFNOSUPPORT;
	r = resolve_zone(source, &from);
	if (r < 0)
		return r;
	/* The port is chosen at connect, so that one may serve several peers; Linux before 4.2 cannot. */
	(void)set_number(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
	return bind(fd, &from.sa, from.length) < 0 ? -errno : 0;
}

static int
set_up(int fd, const struct address *peer, const struct transport_policy *transport,
       struct failure *failure)
{
	size_t interface_length = strnlen(transport->interface, sizeof(transport->interface));
	int r;

	if (peer->sa.sa_family == AF_UNIX)
		return 0;
	r = set_number(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	if (r == 0)
		r = socket_change_keepalive(fd, &transport->keepalive);
	if (r == 0 && transport->mark != 0)
		r = set_number(fd, SOL_SOCKET, SO_MARK, (int)transport->mark);
	if (r < 0)
		return failed(failure, classify_setup(-r), -r);
	if (interface_length > 0 && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, transport->interface,
					       (socklen_t)interface_length) < 0)
		return failed(failure, classify_bind(errno), errno);
	r = bind_source(fd, peer, &transport->source);
	return r < 0 ? failed(failure, classify_bind(-r), -r) : 0;
}

/* ---- the connect ---------------------------------------------------------------------------------- */

static bool
is_source_for(const struct ifaddrs *entry, const struct address *peer)
{
	const struct sockaddr_in6 *in6;

	if (!entry->ifa_addr || entry->ifa_addr->sa_family != AF_INET6)
		return false;
	in6 = (const struct sockaddr_in6 *)(const void *)entry->ifa_addr;
	return IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr) == address_is_local(peer);
}

/* Ruling 6: IPv6 and no IPv6 address on this host.  Where the kernel cannot be asked, it has one. */
static bool
host_has_source(const struct address *peer)
{
	struct ifaddrs *all;
	bool found = false;

	if (!address_is_ipv6(peer) || getifaddrs(&all) < 0)
		return true;
	for (struct ifaddrs *entry = all; entry && !found; entry = entry->ifa_next)
		found = is_source_for(entry, peer);
	freeifaddrs(all);
	return found;
}

static int
connect_failed(const struct address *peer, int error, struct failure *failure)
{
	bool has_source = error != EADDRNOTAVAIL || host_has_source(peer);

	return failed(failure, classify_connect(error, peer, has_source), error);
}

int
socket_connect(const struct address *peer, const struct transport_policy *transport, int *ret_fd,
	       struct failure *failure)
{
	_cleanup_(fd_closep) int fd = -1;
	struct address to;
	int r;

	r = resolve_zone(peer, &to);
	if (r < 0)
		return failed(failure, FAILURE_ADDRESS_INVALID, -r);
	fd = socket(to.sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return failed(failure, classify_open(errno), errno);
	r = set_up(fd, &to, transport, failure);
	if (r < 0)
		return r;
	if (connect(fd, &to.sa, to.length) < 0 && errno != EINPROGRESS) {
		if (errno == EAGAIN && to.sa.sa_family == AF_UNIX)
			return -EAGAIN;
		return connect_failed(peer, errno, failure);
	}
	*ret_fd = fd;
	fd = -1;
	return 0;
}

static int
tcp_info(int fd, struct tcp_info *ret_info)
{
	socklen_t length = sizeof(*ret_info);

	*ret_info = (struct tcp_info){ 0 };
	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, ret_info, &length) < 0 ? -errno : 0;
}

static bool
is_still_connecting(int fd)
{
	struct tcp_info info;

	return tcp_info(fd, &info) == 0 &&
	       (info.tcpi_state == TCP_SYN_SENT || info.tcpi_state == TCP_SYN_RECV);
}

enum end {
	END_HERE,
	END_THERE,
};

static int
name_of(int fd, enum end end, struct address *ret_address)
{
	struct address address = { 0 };
	socklen_t length = sizeof(address.un);

	if ((end == END_HERE ? getsockname(fd, &address.sa, &length) :
			       getpeername(fd, &address.sa, &length)) < 0)
		return -errno;
	address.length = length;
	if (address_is_ipv6(&address) && address.in6.sin6_scope_id != 0 &&
	    !if_indextoname(address.in6.sin6_scope_id, address.zone))
		address.zone[0] = '\0';
	*ret_address = address;
	return 0;
}

int
socket_source(int fd, struct address *ret_address)
{
	return name_of(fd, END_HERE, ret_address);
}

/*
 * Connecting to a port of our own ephemeral range where nobody listens, the kernel may choose that very port and
 * connect the socket to itself (a simultaneous open with oneself, RFC 9293, section 3.5).
 */
static bool
is_connected_to_itself(int fd, const struct address *there)
{
	struct address here;

	return there->sa.sa_family != AF_UNIX && socket_source(fd, &here) == 0 &&
	       address_equal(&here, there);
}

int
socket_connected(int fd, const struct address *peer, struct failure *failure)
{
	struct address there;
	int error = 0, r;
	socklen_t length = sizeof(error);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
		error = errno;
	if (error != 0)
		return connect_failed(peer, error, failure);
	r = name_of(fd, END_THERE, &there);
	if (r < 0)
		return is_still_connecting(fd) ? -EINPROGRESS : connect_failed(peer, -r, failure);
	if (is_connected_to_itself(fd, &there))
		return connect_failed(peer, ECONNREFUSED, failure);
	return 0;
}

/* ---- afterwards ----------------------------------------------------------------------------------- */

int
socket_state(int fd, struct socket_state *ret_state)
{
	struct tcp_info info;
	int r = tcp_info(fd, &info);

	if (r < 0)
		return r;
	*ret_state = (struct socket_state){
		.rtt = info.tcpi_rtt,
		.since_last_ack = info.tcpi_last_ack_recv * USEC_PER_MSEC,
		.unacked = info.tcpi_unacked,
		.unanswered = info.tcpi_probes,
	};
	return 0;
}

/*
 * Ruling 5.  A peer that does not read acknowledges our window probes, of which the next one may be long after the last
 * when the kernel gives up; a dead one has been silent for the whole of the time it was given.
 */
static bool
is_peer_acknowledging(int fd, const struct keepalive_policy *keepalive)
{
	struct socket_state state;

	return socket_state(fd, &state) == 0 && state.unanswered <= 1 &&
	       state.since_last_ack < keepalive->user_timeout;
}

void
socket_io_failed(int fd, int error, const struct transport_policy *transport, struct failure *failure)
{
	bool acknowledges = error == ETIMEDOUT && is_peer_acknowledging(fd, &transport->keepalive);

	failed(failure, classify_io(error, acknowledges), error);
}
