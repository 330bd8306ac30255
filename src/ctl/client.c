/* The wire: sending calls, and cutting the stream into replies. */
#include "ctl/client.h"

#include "sys/clock.h"
#include "sys/fd.h"
#include "sys/unix.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define INTERFACE  "io.holdfast.Control"
#define READ_BYTES ((size_t)64 * 1024) /* asked for at once */

struct client {
	int fd;
	char *buffer; /* what has come and not been taken */
	size_t length, size;
	size_t taken;	/* bytes at its beginning that have been handed out */
	size_t scanned; /* bytes that hold no NUL for certain */
};

int
client_open(const char *path, struct client **ret_client)
{
	_cleanup_(client_freep) struct client *client = calloc(1, sizeof(*client));
	int r;

	if (!client)
		return -ENOMEM;
	client->fd = -1;
	r = unix_connect(path, &client->fd);
	if (r < 0)
		return r;
	*ret_client = steal(client);
	return 0;
}

struct client *
client_free(struct client *client)
{
	if (!client)
		return NULL;
	client->fd = fd_close(client->fd);
	free(client->buffer);
	free(client);
	return NULL;
}

/* Waits until `events` are there.  Returns 0, -ETIMEDOUT or another negative errno. */
static int
wait_for(const struct client *client, short events, usec_t deadline)
{
	struct pollfd poller = { .fd = client->fd, .events = events };

	for (;;) {
		usec_t left = deadline == USEC_INFINITY ? USEC_INFINITY :
							  usec_sub(deadline, clock_now());
		usec_t ms = left / USEC_PER_MSEC + 1;
		int r = poll(&poller, 1,
			     left == USEC_INFINITY ? -1 :
			     ms > INT_MAX	   ? INT_MAX :
						     (int)ms);

		if (r > 0)
			return 0;
		if (r < 0 && errno != EINTR)
			return -errno;
		if (deadline != USEC_INFINITY && clock_now() >= deadline)
			return -ETIMEDOUT;
	}
}

/* ---- sending ---------------------------------------------------------------------------------------------------- */

static int
send_bytes(const struct client *client, const char *bytes, size_t length, usec_t deadline)
{
	while (length > 0) {
		ssize_t sent;
		int r = wait_for(client, POLLOUT, deadline);

		if (r < 0)
			return r;
		sent = send(client->fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent < 0 && errno == EPIPE)
			return -ECONNRESET;
		if (sent < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		if (sent > 0) {
			bytes += sent;
			length -= (size_t)sent;
		}
	}
	return 0;
}

int
client_send(struct client *client, const struct call *call)
{
	_cleanup_(freep) char *text = NULL;
	json_t *message = json_pack("{s:s++, s:o*}", "method", INTERFACE, ".", call->method,
				    "parameters", call->parameters);

	if (message && call->more && json_object_set_new(message, "more", json_true()) == 0)
		text = json_dumps(message, JSON_COMPACT);
	else if (message && !call->more)
		text = json_dumps(message, JSON_COMPACT);
	json_decref(message);
	if (!text)
		return -ENOMEM;
	return send_bytes(client, text, strlen(text) + 1, usec_add(clock_now(), call->timeout));
}

/* ---- receiving -------------------------------------------------------------------------------------------------- */

/* Moves what has not been handed out to the front, and sees to it that there is room to read. */
static int
make_room(struct client *client)
{
	char *buffer;
	size_t size;

	if (client->taken > 0) {
		client->length -= client->taken;
		memmove(client->buffer, client->buffer + client->taken, client->length);
		client->taken = 0;
		client->scanned = 0;
	}
	if (client->length >= CLIENT_MESSAGE_MAX)
		return -EMSGSIZE;
	if (client->size - client->length >= READ_BYTES)
		return 0;
	size = 2 * client->size + READ_BYTES;
	buffer = realloc(client->buffer, size);
	if (!buffer)
		return -ENOMEM;
	client->buffer = buffer;
	client->size = size;
	return 0;
}

static int
read_more(struct client *client, usec_t deadline)
{
	ssize_t got;
	int r = make_room(client);

	if (r < 0)
		return r;
	r = wait_for(client, POLLIN, deadline);
	if (r < 0)
		return r;
	got = recv(client->fd, client->buffer + client->length, client->size - client->length,
		   MSG_DONTWAIT);
	if (got == 0)
		return -ECONNRESET;
	if (got < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	client->length += (size_t)got;
	return 0;
}

/* The next whole message that has come, without its NUL; NULL: none yet. */
static const char *
next_message(struct client *client, size_t *ret_length)
{
	const char *start = client->buffer + client->taken, *end;

	if (client->scanned < client->taken)
		client->scanned = client->taken;
	end = client->length > client->scanned ?
		      memchr(client->buffer + client->scanned, 0, client->length - client->scanned) :
		      NULL;
	if (!end) {
		client->scanned = client->length;
		return NULL;
	}
	*ret_length = (size_t)(end - start);
	client->taken += *ret_length + 1;
	return start;
}

/* In Varlink a member that is null is one that is not there. */
static void
drop_nulls(json_t *value)
{
	const char *key;
	json_t *member;
	size_t index;
	void *next;

	json_object_foreach_safe(value, next, key, member)
	{
		if (json_is_null(member))
			json_object_del(value, key);
		else
			drop_nulls(member);
	}
	json_array_foreach(value, index, member)
	{
		drop_nulls(member);
	}
}

static int
read_reply(const char *text, size_t length, struct reply *ret_reply)
{
	struct reply reply = { .message = json_loadb(text, length, 0, NULL) };
	int continues = 0;

	if (!json_is_object(reply.message)) {
		json_decref(reply.message);
		return -EBADMSG;
	}
	drop_nulls(reply.message);
	if (!json_object_get(reply.message, "parameters"))
		json_object_set_new(reply.message, "parameters", json_object());
	if (json_unpack(reply.message, "{s:o, s?s, s?b}", "parameters", &reply.parameters, "error",
			&reply.error, "continues", &continues) < 0 ||
	    !json_is_object(reply.parameters)) {
		json_decref(reply.message);
		return -EBADMSG;
	}
	reply.continues = continues != 0;
	*ret_reply = reply;
	return 0;
}

int
client_receive(struct client *client, usec_t timeout, struct reply *ret_reply)
{
	usec_t deadline = usec_add(clock_now(), timeout);
	const char *message;
	size_t length;

	while (!(message = next_message(client, &length))) {
		int r = read_more(client, deadline);

		if (r < 0)
			return r;
	}
	if (length > CLIENT_MESSAGE_MAX)
		return -EMSGSIZE;
	return read_reply(message, length, ret_reply);
}

void
reply_done(struct reply *reply)
{
	json_decref(reply->message);
	*reply = (struct reply){ 0 };
}
