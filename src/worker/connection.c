#include "worker/connection.h"

#include "base/must.h"
#include "sys/fd.h"
#include "sys/socket.h"
#include "worker/driver.h"
#include "worker/driver_race.h"
#include "worker/runner.h"
#include "worker/speech.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* After so long without a word a connection has gone quiet. */
#define REST_DELAY USEC_PER_SEC

static void on_event(void *arg, unsigned int events, usec_t now);

void
connection_init(struct connection *conn)
{
	*conn = (struct connection){ .fd = -1 };
}

void
connection_adopt(struct driver *driver, int fd, unsigned int target)
{
	struct connection *conn = &driver->connection;

	must(conn->use == CONNECTION_NONE);
	conn->use = CONNECTION_ADOPTED;
	conn->fd = fd;
	conn->target = target;
	conn->upstream = upstream_ref(driver->upstream);
	if (socket_source(fd, &conn->source) < 0)
		conn->source = (struct address){ 0 };
}

void
connection_discard(struct driver *driver)
{
	struct connection *conn = &driver->connection;

	conn->watch = watch_cancel(conn->watch);
	list_remove(&driver->busy);
	speech_end(driver);
	conn->tls = tls_free(conn->tls);
	conn->fd = fd_close(conn->fd);
	conn->upstream = upstream_unref(conn->upstream);
	connection_init(conn);
}

int
connection_await(struct driver *driver, unsigned int events)
{
	struct connection *conn = &driver->connection;
	const struct watch_setup setup = {
		.fd = conn->fd,
		.events = events,
		.fn = on_event,
		.arg = driver,
	};

	if (conn->watch)
		return watch_change(conn->watch, events);
	return watch_start(driver->worker->loop, &setup, &conn->watch);
}

int
connection_fail_local(struct failure *failure, int error)
{
	failure->code = error == -ENOMEM ? FAILURE_LOCAL_NO_MEMORY : FAILURE_SOCKET_NO_BUFFERS;
	failure_set_error(failure, -error, strerrorname_np(-error));
	return error;
}

bool
connection_is_mere_end(const struct failure *failure)
{
	switch (failure->code) {
	case FAILURE_CONNECTION_CLOSED:
	case FAILURE_CONNECTION_TRUNCATED:
	case FAILURE_CONNECTION_RESET: return true;
	default: return false;
	}
}

void
connection_fail(struct driver *driver, struct failure *failure, usec_t now)
{
	const struct connection *conn = &driver->connection;

	if (connection_is_mere_end(failure) && failure->evidence_length == 0)
		failure_set_evidence(failure, conn->first, conn->first_length);
	driver_feed(driver, &(struct input){ .kind = INPUT_FAILED, .failure = failure }, now);
	failure_done(failure);
}

void
connection_await_or_fail(struct driver *driver, unsigned int events, usec_t now)
{
	struct failure failure;
	int r = connection_await(driver, events);

	if (r == 0)
		return;
	failure_init(&failure, FAILURE_NONE, driver->link->stage);
	connection_fail_local(&failure, r);
	connection_fail(driver, &failure, now);
}

/* ---- handshake ------------------------------------------------------------------------------------ */

/* A connected socket is writable: the loop calls at once. */
int
connection_handshake(struct driver *driver, usec_t now, struct failure *failure)
{
	struct connection *conn = &driver->connection;
	struct tls_sessions *sessions = driver->slot->runner->sessions;
	const struct tls_setup setup = {
		.fd = conn->fd,
		.target = &conn->upstream->targets[conn->target],
		.srv_host = driver_srv_host(driver),
		.policy = &conn->upstream->policy.tls,
		.transport = &conn->upstream->policy.transport,
	};
	int r;

	must(conn->use != CONNECTION_NONE && !conn->tls);
	conn->use = CONNECTION_HANDSHAKE;
	tls_state(sessions, &conn->made_with);
	r = tls_new(sessions, &setup, now, &conn->tls);
	if (r == 0)
		r = connection_await(driver, WATCH_WRITE);
	return r < 0 ? connection_fail_local(failure, r) : 0;
}

static void
feed_secured(struct driver *driver, usec_t now)
{
	struct connection *conn = &driver->connection;
	struct input input = { .kind = INPUT_SECURED };
	struct socket_state state;

	input.secured.verdict_pending = tls_verdict_pending(conn->tls);
	if (socket_state(conn->fd, &state) == 0)
		input.secured.rtt = state.rtt;
	driver_feed(driver, &input, now);
}

/*
 * After a go-ahead nothing but TLS may come.  What came with it is the dialogue's to find; what comes later is looked for right
 * before our first octet, and is nothing that we could have asked for.
 */
static bool
is_injected(struct driver *driver, struct failure *failure)
{
	struct connection *conn = &driver->connection;
	uint64_t sent, received;
	ssize_t n;

	if (!conn->speech.starttls)
		return false;
	tls_bytes(conn->tls, &received, &sent);
	if (sent > 0)
		return false;
	n = recv(conn->fd, driver->worker->scratch, sizeof(driver->worker->scratch), MSG_PEEK);
	if (n <= 0)
		return false;
	failure->code = FAILURE_PROTOCOL_STARTTLS_INJECTION;
	failure_set_evidence(failure, driver->worker->scratch, (size_t)n);
	return true;
}

/* What is no TLS after a go-ahead was not sent by whom we asked for it. */
static void
refine_not_tls(const struct connection *conn, struct failure *failure)
{
	if (failure->code == FAILURE_TLS_NOT_TLS && conn->speech.starttls)
		failure->code = FAILURE_PROTOCOL_STARTTLS_INJECTION;
}

static enum tls_result
handshake(struct driver *driver, struct failure *failure)
{
	enum tls_result result;

	if (is_injected(driver, failure))
		return TLS_FAILED;
	result = tls_handshake(driver->connection.tls, failure);
	if (result == TLS_FAILED)
		refine_not_tls(&driver->connection, failure);
	return result;
}

bool
connection_late(struct driver *driver, struct failure *failure)
{
	struct connection *conn = &driver->connection;

	if (conn->use != CONNECTION_HANDSHAKE || !tls_late(conn->tls, failure))
		return false;
	refine_not_tls(conn, failure);
	return true;
}

static void
go_on_handshake(struct driver *driver, usec_t now)
{
	struct failure failure;

	failure_init(&failure, FAILURE_NONE, STAGE_HANDSHAKE);
	switch (handshake(driver, &failure)) {
	case TLS_DONE: feed_secured(driver, now); break;
	case TLS_WANT_READ: connection_await_or_fail(driver, WATCH_READ, now); break;
	case TLS_WANT_WRITE: connection_await_or_fail(driver, WATCH_WRITE, now); break;
	case TLS_FAILED: connection_fail(driver, &failure, now); break;
	}
}

/* ---- settle, hold --------------------------------------------------------------------------------- */

/* OpenSSL may hold bytes that the socket does not show any more: as it is writable, the loop calls at once. */
static int
arm_for_reading(struct driver *driver)
{
	return connection_await(driver, driver->connection.tls ? WATCH_READ | WATCH_WRITE : WATCH_READ);
}

void
connection_busy(struct driver *driver, usec_t now)
{
	driver->connection.active_at = now;
	if (list_is_empty(&driver->busy))
		list_append(&driver->worker->busy, &driver->busy);
}

int
connection_settle(struct driver *driver, usec_t now, struct failure *failure)
{
	int r;

	(void)now;
	driver->connection.use = CONNECTION_SETTLE;
	r = arm_for_reading(driver);
	return r < 0 ? connection_fail_local(failure, r) : 0;
}

int
connection_hold(struct driver *driver, usec_t now, struct failure *failure)
{
	int r;

	driver->connection.use = CONNECTION_HOLD;
	connection_busy(driver, now);
	r = arm_for_reading(driver);
	return r < 0 ? connection_fail_local(failure, r) : 0;
}

enum tls_result
connection_read_plain(struct driver *driver, int flags, size_t *ret_length, struct failure *failure)
{
	struct connection *conn = &driver->connection;
	struct worker *worker = driver->worker;
	ssize_t n;

	do {
		n = recv(conn->fd, worker->scratch, sizeof(worker->scratch), flags);
	} while (n < 0 && errno == EINTR);
	if (n > 0) {
		*ret_length = (size_t)n;
		return TLS_DONE;
	}
	if (n < 0 && errno == EAGAIN)
		return TLS_WANT_READ;
	if (n < 0)
		socket_io_failed(conn->fd, errno, &conn->upstream->policy.transport, failure);
	else
		failure->code = FAILURE_CONNECTION_CLOSED;
	return TLS_FAILED;
}

/* They are in the worker's scratch. */
static void
keep_first(struct driver *driver, size_t length)
{
	struct connection *conn = &driver->connection;
	size_t room = sizeof(conn->first) - conn->first_length;

	length = length < room ? length : room;
	memcpy(conn->first + conn->first_length, driver->worker->scratch, length);
	conn->first_length += length;
}

int
connection_note_unasked(struct driver *driver, size_t length, struct failure *failure)
{
	struct connection *conn = &driver->connection;

	conn->unasked += length;
	keep_first(driver, length);
	if (conn->unasked <= UNSOLICITED_BYTES_MAX)
		return 0;
	failure->code = FAILURE_PROTOCOL_UNSOLICITED_DATA;
	failure_set_evidence(failure, driver->worker->scratch, length);
	return -EMSGSIZE;
}

/*
 * Read all there is; what comes unasked is counted and dropped, or kept for the first probe.  It ends, since there is a bound to
 * what may come.  TLS_FAILED: `failure` says why.
 */
static enum tls_result
drain(struct driver *driver, struct failure *failure)
{
	struct connection *conn = &driver->connection;
	struct worker *worker = driver->worker;
	enum tls_result result;
	size_t length = 0;

	for (;;) {
		if (conn->tls)
			result = tls_read(conn->tls, worker->scratch, sizeof(worker->scratch),
					  &length, failure);
		else
			result = connection_read_plain(driver, 0, &length, failure);
		if (result != TLS_DONE)
			return result;
		conn->received += length;
		conn->untold += length;
		if (connection_note_unasked(driver, length, failure) < 0)
			return TLS_FAILED;
		if (conn->use == CONNECTION_SETTLE && speech_keep(driver, length, failure) < 0)
			return TLS_FAILED;
	}
}

void
connection_tell_received(struct driver *driver, usec_t now)
{
	struct connection *conn = &driver->connection;
	size_t bytes = conn->untold;

	if (conn->use != CONNECTION_HOLD || bytes == 0)
		return;
	conn->untold = 0;
	driver_feed(driver, &(struct input){ .kind = INPUT_RECEIVED, .bytes = bytes }, now);
}

static void
go_on_reading(struct driver *driver, usec_t now)
{
	struct connection *conn = &driver->connection;
	struct failure failure;
	enum tls_result result;

	failure_init(&failure, FAILURE_NONE, driver->link->stage);
	result = drain(driver, &failure);
	connection_busy(driver, now);
	connection_tell_received(driver, now);
	if (result == TLS_FAILED) {
		connection_fail(driver, &failure, now);
		return;
	}
	if (conn->use == CONNECTION_SETTLE && tls_verdict_seen(conn->tls)) {
		driver_feed(driver, &(struct input){ .kind = INPUT_SETTLED }, now);
		return;
	}
	connection_await_or_fail(
		driver, result == TLS_WANT_WRITE ? WATCH_READ | WATCH_WRITE : WATCH_READ, now);
}

bool
connection_rest(struct driver *driver, usec_t now)
{
	struct connection *conn = &driver->connection;

	if (usec_sub(now, conn->active_at) < REST_DELAY)
		return false;
	if (conn->use == CONNECTION_HOLD && conn->tls)
		tls_quiet(conn->tls);
	if (conn->use == CONNECTION_HOLD && conn->received != conn->told_received &&
	    driver == driver->slot->current)
		slot_publish(driver->slot, now);
	return true;
}

/* ---- close ---------------------------------------------------------------------------------------- */

/* As tls_shutdown(), for a plain socket whose own end has been said; one read a turn, whatever still comes. */
static enum tls_result
await_end(struct connection *conn, struct worker *worker)
{
	ssize_t n = recv(conn->fd, worker->scratch, sizeof(worker->scratch), 0);

	if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
		return TLS_WANT_READ;
	return TLS_DONE;
}

/* Whether both ends have been said, or nothing more can be. */
static bool
close_is_done(struct driver *driver)
{
	struct connection *conn = &driver->connection;
	enum tls_result result = conn->tls ? tls_shutdown(conn->tls) : await_end(conn, driver->worker);

	if (result == TLS_WANT_READ)
		return connection_await(driver, WATCH_READ) < 0;
	if (result == TLS_WANT_WRITE)
		return connection_await(driver, WATCH_WRITE) < 0;
	return true;
}

bool
connection_close(struct driver *driver)
{
	struct connection *conn = &driver->connection;

	must(conn->use == CONNECTION_HOLD);
	conn->use = CONNECTION_CLOSE;
	list_remove(&driver->busy);
	speech_end(driver);
	if (!conn->tls && shutdown(conn->fd, SHUT_WR) < 0) {
		connection_discard(driver);
		return true;
	}
	if (!close_is_done(driver))
		return false;
	connection_discard(driver);
	return true;
}

static void
go_on_closing(struct driver *driver, usec_t now)
{
	if (!close_is_done(driver))
		return;
	connection_discard(driver);
	driver_feed(driver, &(struct input){ .kind = INPUT_CLOSED }, now);
}

/* ---- whatever happens ----------------------------------------------------------------------------- */

static void
on_event(void *arg, unsigned int events, usec_t now)
{
	struct driver *driver = arg;
	struct connection *conn = &driver->connection;

	(void)events;
	switch (conn->use) {
	case CONNECTION_HANDSHAKE: go_on_handshake(driver, now); break;
	case CONNECTION_SETTLE: go_on_reading(driver, now); break;
	case CONNECTION_PROXY:
	case CONNECTION_STARTTLS:
	case CONNECTION_PROBE: speech_go_on(driver, now); break;
	case CONNECTION_HOLD:
		if (conn->speech.dialogue)
			speech_go_on(driver, now);
		else
			go_on_reading(driver, now);
		break;
	case CONNECTION_CLOSE: go_on_closing(driver, now); break;
	case CONNECTION_NONE:
	case CONNECTION_ADOPTED: must_not_reach();
	}
}

/* The kernel has judged these values when the sockets were set up: a refusal now leaves the old ones in force. */
void
connection_change_keepalive(struct driver *driver, const struct keepalive_policy *keepalive)
{
	if (driver->connection.fd >= 0 && driver->connection.source.sa.sa_family != AF_UNIX)
		(void)socket_change_keepalive(driver->connection.fd, keepalive);
}

void
connection_status(struct driver *driver, struct link_status *ret_status)
{
	struct connection *conn = &driver->connection;
	struct socket_state state;

	if (conn->use == CONNECTION_NONE)
		return;
	ret_status->source = conn->source;
	ret_status->bytes_received = conn->received;
	ret_status->bytes_sent = conn->sent;
	if (conn->tls)
		tls_bytes(conn->tls, &ret_status->bytes_received, &ret_status->bytes_sent);
	conn->told_received = conn->received;
	if (!driver_is_ready(driver))
		return;
	if (socket_state(conn->fd, &state) == 0)
		ret_status->rtt = state.rtt;
	if (conn->tls) {
		ret_status->has_tls = true;
		tls_info(conn->tls, &ret_status->tls);
	}
}
