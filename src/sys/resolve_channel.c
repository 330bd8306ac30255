/* ares_query(): what c-ares would have instead is not in 1.18. */
#define CARES_NO_DEPRECATED
#include "sys/resolve_channel.h"

#include "base/cleanup.h"
#include "base/list.h"
#include "base/must.h"

#include <arpa/nameser.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#define RESOLV_CONF "/etc/resolv.conf"

/* Two lost packets are no outage; each round over the servers waits twice as long as the one before. */
#define TRIES	       3
#define ROUNDS_SUM     7 /* 1 + 2 + 4 */
#define ROUND_MSEC_MIN 50
/* Room for the answers to all queries on the wire at once (MEASURED.md); the kernel may give less. */
#define RECEIVE_BUFFER_BYTES (256 * 1024)
/*
 * ARES_OPT_QUERY_CACHE of c-ares 1.31 and later: its lifetime in our zeroed options is 0, none.  Ours is the only cache, so
 * that a fresh answer can be had.  Older ones do not know the bit and ignore it.
 */
#define OPTION_QUERY_CACHE (1 << 21)

struct channel {
	struct loop *loop;
	ares_channel ares;
	struct timer *timer;
	struct list sockets;
};

struct channel_socket {
	struct list place; /* in channel->sockets */
	struct channel *channel;
	int fd;
	struct watch *watch;
};

/* ---- sockets and the timer ------------------------------------------------------------------------ */

static void
arm_timer(struct channel *channel)
{
	struct timeval left, *least = ares_timeout(channel->ares, NULL, &left);
	usec_t deadline = USEC_INFINITY;

	if (least)
		deadline = usec_add(loop_now(channel->loop),
				    (usec_t)least->tv_sec * USEC_PER_SEC + (usec_t)least->tv_usec);
	timer_arm(channel->timer, deadline);
}

static void
on_timer(void *arg, usec_t now)
{
	struct channel *channel = arg;

	(void)now;
	ares_process_fd(channel->ares, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	arm_timer(channel);
}

static void
on_socket_ready(void *arg, unsigned int events, usec_t now)
{
	struct channel_socket *socket = arg;
	struct channel *channel = socket->channel;
	int fd = socket->fd;

	(void)now;
	/* The socket may be gone when this returns. */
	ares_process_fd(channel->ares, events & WATCH_READ ? fd : ARES_SOCKET_BAD,
			events & WATCH_WRITE ? fd : ARES_SOCKET_BAD);
	arm_timer(channel);
}

static struct channel_socket *
socket_free(struct channel_socket *socket)
{
	list_remove(&socket->place);
	watch_cancel(socket->watch);
	free(socket);
	return NULL;
}

static struct channel_socket *
socket_find(struct channel *channel, int fd)
{
	list_for_each(node, &channel->sockets) {
		struct channel_socket *socket = container_of(node, struct channel_socket, place);

		if (socket->fd == fd)
			return socket;
	}
	return NULL;
}

/* A socket that cannot be watched gets no answer: the query times out, and says so. */
static void
socket_watch(struct channel *channel, int fd, unsigned int events)
{
	struct channel_socket *socket = calloc(1, sizeof(*socket));
	struct watch_setup setup = { fd, events, on_socket_ready, socket };

	if (!socket)
		return;
	if (watch_start(channel->loop, &setup, &socket->watch) < 0) {
		free(socket);
		return;
	}
	socket->channel = channel;
	socket->fd = fd;
	list_init(&socket->place);
	list_append(&channel->sockets, &socket->place);
}

/* c-ares tells what it waits for on a socket: neither means that it is about to close it. */
static void
on_socket_state(void *arg, ares_socket_t fd, int readable, int writable)
{
	struct channel *channel = arg;
	struct channel_socket *socket = socket_find(channel, fd);
	unsigned int events = (readable ? WATCH_READ : 0) | (writable ? WATCH_WRITE : 0);

	if (!socket && events != 0)
		socket_watch(channel, fd, events);
	else if (socket && events == 0)
		socket_free(socket);
	else if (socket)
		(void)watch_change(socket->watch, events);
}

/* ---- channels ------------------------------------------------------------------------------------- */

static void
library_init(void)
{
	must(ares_library_init(ARES_LIB_INIT_ALL) == ARES_SUCCESS);
}

/* How many servers are configured; c-ares falls back on one where none is. */
static unsigned int
count_servers(void)
{
	FILE *file = fopen(RESOLV_CONF, "re");
	_cleanup_(freep) char *line = NULL;
	size_t size = 0;
	unsigned int count = 0;

	if (!file)
		return 1;
	while (getline(&line, &size, file) > 0)
		count += strncmp(line, "nameserver", strlen("nameserver")) == 0;
	fclose(file);
	return count > 0 ? count : 1;
}

/* The first wait for one server, so that all rounds over all servers end a little before `timeout` does. */
static int
first_wait_msec(usec_t timeout)
{
	usec_t msec = timeout / USEC_PER_MSEC * 19 / 20 / (ROUNDS_SUM * count_servers());

	return (int)usec_min(usec_max(msec, ROUND_MSEC_MIN), INT_MAX / ROUNDS_SUM);
}

static int
open_ares(struct channel *channel, const struct channel_setup *setup)
{
	struct ares_options options = {
		.flags = ARES_FLAG_NOALIASES | (setup->show_rcode ? ARES_FLAG_NOCHECKRESP : 0),
		.timeout = first_wait_msec(setup->timeout),
		.tries = TRIES,
		.socket_receive_buffer_size = RECEIVE_BUFFER_BYTES,
		.sock_state_cb = on_socket_state,
		.sock_state_cb_data = channel,
	};

	return ares_init_options(&channel->ares, &options,
				 ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
					 ARES_OPT_SOCK_RCVBUF | ARES_OPT_SOCK_STATE_CB |
					 OPTION_QUERY_CACHE);
}

int
channel_new(struct loop *loop, const struct channel_setup *setup, struct channel **ret_channel)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	_cleanup_(freep) struct channel *channel = calloc(1, sizeof(*channel));
	int status;

	pthread_once(&once, library_init);
	if (!channel)
		return ARES_ENOMEM;
	channel->loop = loop;
	list_init(&channel->sockets);
	if (timer_new(loop, on_timer, channel, &channel->timer) < 0)
		return ARES_ENOMEM;
	status = open_ares(channel, setup);
	if (status != ARES_SUCCESS) {
		timer_free(channel->timer);
		return status;
	}
	*ret_channel = steal(channel);
	return ARES_SUCCESS;
}

struct channel *
channel_free(struct channel *channel)
{
	if (!channel)
		return NULL;
	ares_destroy(channel->ares);
	list_for_each(node, &channel->sockets)
		socket_free(container_of(node, struct channel_socket, place));
	timer_free(channel->timer);
	free(channel);
	return NULL;
}

void
channel_ask(struct channel *channel, const char *name, enum family family,
	    ares_addrinfo_callback fn, void *arg)
{
	const struct ares_addrinfo_hints hints = {
		.ai_flags = ARES_AI_NOSORT, /* sorting opens a socket for each address */
		.ai_family = family == FAMILY_IPV4 ? AF_INET : AF_INET6,
		.ai_socktype = SOCK_STREAM,
	};

	ares_getaddrinfo(channel->ares, name, NULL, &hints, fn, arg);
	arm_timer(channel);
}

void
channel_ask_service(struct channel *channel, const char *name, ares_callback fn, void *arg)
{
	ares_query(channel->ares, name, ns_c_in, ns_t_srv, fn, arg);
	arm_timer(channel);
}
