#include "sys/classify_errno.h"

#include <errno.h>

enum failure_code
classify_open(int error)
{
	switch (error) {
	case EMFILE:
	case ENFILE: return FAILURE_SOCKET_DESCRIPTOR_LIMIT;
	case EAFNOSUPPORT:
	case EPROTONOSUPPORT: return FAILURE_SOCKET_NO_FAMILY;
	case ENOBUFS:
	case ENOMEM: return FAILURE_SOCKET_NO_BUFFERS;
	default: return FAILURE_SOCKET_SETUP;
	}
}

enum failure_code
classify_setup(int error)
{
	switch (error) {
	case ENOBUFS:
	case ENOMEM: return FAILURE_SOCKET_NO_BUFFERS;
	default: return FAILURE_SOCKET_SETUP;
	}
}

enum failure_code
classify_bind(int error)
{
	switch (error) {
	case EADDRNOTAVAIL:
	case EADDRINUSE:
	case EACCES:
	case EAFNOSUPPORT: /* the source is of the other family */
	case ENODEV: return FAILURE_SOCKET_BIND;
	default: return classify_setup(error);
	}
}

/* The errno rows that mean the same whether a connection is being made or has been (ruling 11). */
static enum failure_code
classify_path(int error, enum failure_code otherwise)
{
	switch (error) {
	case ECONNREFUSED: return FAILURE_CONNECTION_REFUSED;
	case ENETUNREACH:
	case ENETDOWN:
	case ENONET: return FAILURE_CONNECTION_NETWORK_UNREACHABLE;
	case EHOSTUNREACH:
	case EHOSTDOWN: return FAILURE_CONNECTION_HOST_UNREACHABLE;
	case EACCES: /* also ICMPv6 "administratively prohibited", which a dying connection reports */
	case EPERM: return FAILURE_CONNECTION_PROHIBITED;
	case ENOBUFS:
	case ENOMEM: return FAILURE_SOCKET_NO_BUFFERS;
	default: return otherwise;
	}
}

enum failure_code
classify_connect(int error, const struct address *peer, bool host_has_source)
{
	bool is_unix = peer->un.sun_family == AF_UNIX;

	switch (error) {
	case ECONNRESET: return FAILURE_CONNECTION_RESET_EARLY;
	case ETIMEDOUT: return FAILURE_TIMEOUT_CONNECT;
	case EINVAL: return FAILURE_CONNECTION_PROHIBITED; /* a blackhole route */
	case ENOENT:
	case ENOTDIR: return is_unix ? FAILURE_ADDRESS_UNIX_MISSING : FAILURE_CONNECTION_OTHER;
	case EMFILE:
	case ENFILE: return FAILURE_SOCKET_DESCRIPTOR_LIMIT;
	case EAFNOSUPPORT:
	case EPROTONOSUPPORT: return FAILURE_SOCKET_NO_FAMILY;
	case EADDRNOTAVAIL:
		return host_has_source ? FAILURE_SOCKET_NO_PORTS : FAILURE_SOCKET_NO_FAMILY;
	default: return classify_path(error, FAILURE_CONNECTION_OTHER);
	}
}

enum failure_code
classify_io(int error, bool peer_acknowledges)
{
	switch (error) {
	case ECONNRESET:
	case EPIPE:
	case ECONNABORTED: return FAILURE_CONNECTION_RESET;
	case ETIMEDOUT:
		return peer_acknowledges ? FAILURE_TIMEOUT_WRITE : FAILURE_TIMEOUT_DEAD_PEER;
	default: return classify_path(error, FAILURE_SOCKET_IO);
	}
}

bool
classify_is_routeless(int error)
{
	switch (error) {
	case ENETUNREACH:
	case EHOSTUNREACH:
	case ENETDOWN:
	case EADDRNOTAVAIL:
	case EAFNOSUPPORT: return true;
	default: return false;
	}
}
