#include "main/client.h"

#include "base/cleanup.h"
#include "main/control.h"
#include "main/methods.h"
#include "sys/loop.h"
#include "sys/unix.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

/* In one turn of the loop a client gets so much, then the others and the upstreams have their turn. */
#define TURN_STEPS 16			/* calls, or replies of a stream */
#define TURN_BYTES ((size_t)256 * 1024) /* of output made, or sent */
#define HANG_UP_INTERVAL \
	(1 * USEC_PER_SEC) /* how often one who cannot be watched is asked whether he is there */

struct client {
	struct list node;
	struct client_setup setup;
	int fd;
	struct watch *watch;
	unsigned int watched; /* events it waits for */
	struct timer *timer;  /* for who says or reads nothing */
	struct post *post;    /* the rest of the work, in the next turn */
	struct varlink_reader reader;
	struct varlink_output output;
	struct call_host host;
	struct call call;
	bool in_call; /* `call` is running */
	bool ended;   /* nothing more will come from it */
	bool closing; /* nothing more is wanted from it: it goes once all is sent */
	bool gone;    /* it cannot be reached or served */
	usec_t since; /* it said or read something */
};

/* ---- calls ------------------------------------------------------------------------------------------------------ */

static bool
on_is_admin(void *arg)
{
	const struct client *client = arg;

	return unix_peer_is_admin(client->fd, *client->setup.admin_group);
}

static void
on_poke(void *arg)
{
	struct client *client = arg;

	post_call(client->post);
}

static void
call_begin(struct client *client, struct varlink_request *request)
{
	unsigned int limit = client->setup.busy_limit;

	call_init(&client->call, client->setup.services, &client->host, &client->output, request);
	client->in_call = true;
	if (limit == 0) {
		method_start(&client->call);
		return;
	}
	client->call.hang_up = true;
	call_fail(&client->call, CONTROL_BUSY, json_pack("{s:i}", "limit", (int)limit));
}

/* Returns whether a call was there to begin with. */
static bool
next_call(struct client *client, usec_t now)
{
	struct varlink_request request;
	int r = 0;

	/* Whoever does not read his answers shall not ask for more. */
	if (!client->closing && client->output.length < CONTROL_OUTPUT_MAX)
		r = varlink_reader_next(&client->reader, &request);
	if (r < 0)
		client->closing = true;
	if (r <= 0)
		return false;
	client->since = now;
	call_begin(client, &request);
	return true;
}

static void
call_end(struct client *client, usec_t now)
{
	client->gone = client->gone || client->call.state == CALL_BROKEN;
	client->closing = client->closing || client->call.hang_up;
	client->in_call = false;
	client->since = now;
	call_done(&client->call);
}

/* One piece of work; returns whether there was any. */
static bool
client_step(struct client *client, usec_t now)
{
	bool worked = true;

	if (!client->in_call)
		worked = next_call(client, now);
	else if (client->call.state == CALL_STREAMING && client->output.length < CONTROL_OUTPUT_MAX)
		call_step(&client->call);
	else
		worked = false;
	if (client->in_call && (client->call.state == CALL_ENDED || client->call.state == CALL_BROKEN)) {
		call_end(client, now);
		worked = true;
	}
	return worked && !client->gone;
}

/* ---- bytes ------------------------------------------------------------------------------------------------------ */

static bool
is_passing(int error)
{
	return error == EAGAIN || error == EINTR || error == ENOBUFS;
}

static void
client_read(struct client *client)
{
	size_t room;
	ssize_t length;
	char *at;

	if (varlink_reader_room(&client->reader, &at, &room) < 0) {
		client->gone = true;
		return;
	}
	if (room == 0)
		return;
	length = recv(client->fd, at, room, MSG_DONTWAIT);
	if (length > 0)
		varlink_reader_added(&client->reader, (size_t)length);
	else if (length == 0)
		client->ended = true;
	else if (!is_passing(errno))
		client->gone = true;
}

/* Sends what the kernel takes, within a turn's share. */
static void
client_send(struct client *client, usec_t now)
{
	struct varlink_output *output = &client->output;
	size_t sent = 0;

	while (output->length > 0 && sent < TURN_BYTES) {
		ssize_t length = send(client->fd, output->at + output->start, output->length,
				      MSG_DONTWAIT | MSG_NOSIGNAL);

		if (length < 0) {
			client->gone = client->gone || !is_passing(errno);
			return;
		}
		varlink_output_sent(output, (size_t)length);
		sent += (size_t)length;
		client->since = now;
	}
}

/* Whether the other side has closed its end altogether, and not just said that it will say no more. */
static bool
client_has_hung_up(const struct client *client)
{
	struct pollfd about = { .fd = client->fd };

	return poll(&about, 1, 0) > 0 && (about.revents & (POLLHUP | POLLERR));
}

/* ---- a turn ----------------------------------------------------------------------------------------------------- */

static void on_ready(void *arg, unsigned int events, usec_t now);

static unsigned int
events_wanted(const struct client *client)
{
	unsigned int events = 0;

	if (!client->ended && !client->closing && !varlink_reader_is_full(&client->reader))
		events |= WATCH_READ;
	if (client->output.length > 0)
		events |= WATCH_WRITE;
	return events;
}

/*
 * A client of whom we want nothing is not watched at all: one who has closed half of his connection would be shown
 * as ready for ever.
 */
static int
client_watch(struct client *client)
{
	unsigned int events = events_wanted(client);
	const struct watch_setup setup = {
		.fd = client->fd,
		.events = events,
		.fn = on_ready,
		.arg = client,
	};

	if (events == client->watched)
		return 0;
	client->watched = events;
	if (events == 0)
		client->watch = watch_cancel(client->watch);
	else if (client->watch)
		return watch_change(client->watch, events);
	else
		return watch_start(client->setup.services->loop, &setup, &client->watch);
	return 0;
}

/* A call that is running may take its time, as long as what it says is read. */
static usec_t
client_deadline(const struct client *client, usec_t now)
{
	if (!client->in_call || client->output.length > 0)
		return usec_add(client->since, client->setup.idle_timeout);
	return client->watched == 0 ? usec_add(now, HANG_UP_INTERVAL) : USEC_INFINITY;
}

static bool
client_is_finished(struct client *client)
{
	if (client->gone)
		return true;
	if (client->in_call || client->output.length > 0)
		return false;
	return client->closing || (client->ended && !varlink_reader_has_message(&client->reader));
}

/* Prepares for what comes next, or ends `client`, which must not be touched after this. */
static void
client_settle(struct client *client, usec_t now)
{
	if (!client->gone && !client_is_finished(client) && client_watch(client) < 0)
		client->gone = true;
	if (client_is_finished(client))
		client->setup.on_gone(client->setup.arg, client);
	else
		timer_arm(client->timer, client_deadline(client, now));
}

static bool
client_has_work(struct client *client)
{
	if (client->gone || client->output.length >= CONTROL_OUTPUT_MAX)
		return false;
	if (client->in_call)
		return client->call.state != CALL_WAITING;
	return !client->closing && varlink_reader_has_message(&client->reader);
}

static void
client_turn(struct client *client, usec_t now)
{
	size_t before = client->output.length;
	int steps = 0;

	while (steps < TURN_STEPS && client->output.length < before + TURN_BYTES &&
	       client_step(client, now))
		steps++;
	if (!client->gone)
		client_send(client, now);
	if (client_has_work(client))
		post_call(client->post);
	client_settle(client, now);
}

static void
on_ready(void *arg, unsigned int events, usec_t now)
{
	struct client *client = arg;

	if ((events & (WATCH_READ | WATCH_ERROR)) && !client->ended && !client->closing)
		client_read(client);
	/* Nobody is there any more to be answered; what was asked one-way is done all the same. */
	if (client->ended && client_has_hung_up(client) && !varlink_reader_has_message(&client->reader))
		client->gone = true;
	client_turn(client, now);
}

static void
on_rest(void *arg, usec_t now)
{
	client_turn(arg, now);
}

static void
on_timer(void *arg, usec_t now)
{
	struct client *client = arg;

	if (client_deadline(client, now) <= now || (client->watched == 0 && client_has_hung_up(client)))
		client->gone = true;
	client_settle(client, now);
}

/* ---- life ------------------------------------------------------------------------------------------------------- */

int
client_new(const struct client_setup *setup, struct client **ret_client)
{
	struct loop *loop = setup->services->loop;
	struct client *client = calloc(1, sizeof(*client));
	int r;

	if (!client)
		return -ENOMEM;
	list_init(&client->node);
	client->setup = *setup;
	client->fd = -1;
	client->host = (struct call_host){ on_is_admin, on_poke, client };
	client->since = loop_now(loop);
	varlink_reader_init(&client->reader, CONTROL_MESSAGE_MAX);
	varlink_output_init(&client->output);
	r = timer_new(loop, on_timer, client, &client->timer);
	if (r == 0)
		r = post_new(loop, on_rest, client, &client->post);
	if (r == 0) {
		client->fd = setup->fd;
		r = client_watch(client);
	}
	if (r < 0) {
		client_free(client);
		return r;
	}
	timer_arm(client->timer, client_deadline(client, client->since));
	*ret_client = client;
	return 0;
}

int
client_free(struct client *client)
{
	int fd;

	if (!client)
		return -1;
	client->watch = watch_cancel(client->watch);
	client->timer = timer_free(client->timer);
	client->post = post_free(client->post);
	if (client->in_call)
		call_done(&client->call);
	if (!client->gone)
		client_send(client, client->since);
	varlink_reader_done(&client->reader);
	varlink_output_done(&client->output);
	list_remove(&client->node);
	fd = client->fd;
	free(client);
	return fd;
}

struct list *
client_node(struct client *client)
{
	return &client->node;
}

struct client *
client_of(struct list *node)
{
	return container_of(node, struct client, node);
}

bool
client_is_busy(const struct client *client)
{
	return client->setup.busy_limit > 0;
}
