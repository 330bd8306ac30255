#include "worker/speech.h"

#include "base/must.h"
#include "core/probe.h"
#include "core/proxy.h"
#include "core/starttls.h"
#include "sys/classify_tls.h"
#include "sys/socket.h"
#include "worker/driver.h"
#include "worker/runner_files.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

/* A peer that talks without end shall not have the loop for itself. */
#define READS_PER_TURN 8
#define TLS_LEAST      3 /* octets by which TLS is told */

/* How a dialogue stands once all that can be done at the moment has been. */
enum state {
	STATE_QUIET,  /* nothing more has come; the rest of the output waits for room */
	STATE_MORE,   /* something came, and there may be more */
	STATE_PASSED, /* it has ended well, and all is sent */
	STATE_FAILED, /* it has ended badly: `failure` says why; the connection is whole */
	STATE_ENDED,  /* the connection has ended: likewise */
};

/* ---- begin and end -------------------------------------------------------------------------------- */

/* The dialogue's end, not the connection's. */
static void
forget(struct speech *speech)
{
	speech->dialogue = dialogue_free(speech->dialogue);
	speech->upstream = upstream_unref(speech->upstream);
	speech->done = false;
	speech->stuck = 0;
}

static void
forget_kept(struct speech *speech)
{
	free(speech->kept);
	speech->kept = NULL;
	speech->kept_length = 0;
}

void
speech_end(struct driver *driver)
{
	struct speech *speech = &driver->connection.speech;

	forget(speech);
	forget_kept(speech);
}

/* What a dialogue that has passed leaves for those after it. */
static void
conclude(struct connection *conn)
{
	struct speech *speech = &conn->speech;

	if (conn->use == CONNECTION_STARTTLS)
		speech->starttls = speech->greeted = true;
	if (conn->use == CONNECTION_PROBE || conn->use == CONNECTION_HOLD) {
		speech->greeted = speech->again = true;
		speech->memory = dialogue_memory(speech->dialogue);
	}
	forget(speech);
}

/* `r`: of the …_new() that made speech->dialogue. */
static int
begin(struct driver *driver, int r, struct failure *failure)
{
	struct connection *conn = &driver->connection;
	struct speech *speech = &conn->speech;
	enum dialogue_verdict verdict;
	size_t length;

	if (r < 0)
		return connection_fail_local(failure, r);
	speech->upstream = upstream_ref(driver->upstream);
	verdict = dialogue_start(speech->dialogue, failure);
	if (verdict == DIALOGUE_FAILED) {
		forget(speech);
		return -EPROTO;
	}
	speech->done = verdict == DIALOGUE_DONE;
	dialogue_output(speech->dialogue, &length);
	if (speech->done && length == 0) {
		conclude(conn);
		return 1;
	}
	/* As the socket is writable, the loop calls at once. */
	r = connection_await(driver, WATCH_READ | WATCH_WRITE);
	return r < 0 ? connection_fail_local(failure, r) : 0;
}

int
speech_proxy(struct driver *driver, usec_t now, struct failure *failure)
{
	struct connection *conn = &driver->connection;
	const struct upstream *upstream = driver->upstream;
	const struct proxy_setup setup = {
		.policy = &upstream->policy.proxy,
		.target = &upstream->targets[conn->target],
		.password = runner_password(driver->slot->runner),
		.source = &conn->source,
		.peer = &driver->link->peer,
	};

	(void)now;
	conn->use = CONNECTION_PROXY;
	return begin(driver, proxy_new(&setup, &conn->speech.dialogue), failure);
}

/* Whom XMPP is told that we mean: the name that will be verified. */
static const char *
domain_of(const struct upstream *upstream, unsigned int target)
{
	const char *name = upstream->policy.tls.verify_name;

	if (name && strcmp(name, VERIFY_NAME_SRV_TARGET) != 0)
		return name;
	return target_domain(&upstream->targets[target]);
}

int
speech_starttls(struct driver *driver, usec_t now, struct failure *failure)
{
	struct connection *conn = &driver->connection;
	const struct starttls_setup setup = {
		.protocol = driver->upstream->policy.starttls,
		.domain = domain_of(driver->upstream, conn->target),
		.source = &conn->source,
	};

	(void)now;
	conn->use = CONNECTION_STARTTLS;
	return begin(driver, starttls_new(&setup, &conn->speech.dialogue), failure);
}

int
speech_probe(struct driver *driver, usec_t now, struct failure *failure)
{
	struct connection *conn = &driver->connection;
	struct speech *speech = &conn->speech;
	const struct upstream *upstream = driver->upstream;
	/* A greeting that came while nobody meant to probe was read as something unasked. */
	bool ready = driver->link->stage == STAGE_READY;
	const struct probe_setup setup = {
		.policy = &upstream->policy.probe,
		.target = &upstream->targets[conn->target],
		.source = &conn->source,
		.greeted = speech->greeted || (ready && !speech->again && conn->unasked > 0),
		.again = speech->again,
		.memory = speech->memory,
	};

	if (speech->dialogue)
		return 0;
	if (!ready)
		conn->use = CONNECTION_PROBE;
	connection_busy(driver, now);
	return begin(driver, probe_new(&setup, &speech->dialogue), failure);
}

int
speech_keep(struct driver *driver, size_t length, struct failure *failure)
{
	struct speech *speech = &driver->connection.speech;
	unsigned char *kept;

	if (driver->upstream->policy.probe.kind == PROBE_NONE)
		return 0;
	kept = realloc(speech->kept, speech->kept_length + length);
	if (!kept)
		return connection_fail_local(failure, -ENOMEM);
	memcpy(kept + speech->kept_length, driver->worker->scratch, length);
	speech->kept = kept;
	speech->kept_length += length;
	return 0;
}

/* In what the dialogue is held, as its kind is called. */
static const char *
protocol_of(const struct driver *driver)
{
	const struct policy *policy = &driver->upstream->policy;

	switch (driver->connection.use) {
	case CONNECTION_PROXY: return policy->proxy.kind == PROXY_HTTP ? "http" : "socks5";
	case CONNECTION_STARTTLS: return starttls_name(policy->starttls);
	default: return probe_kind_name(policy->probe.kind);
	}
}

/* What the evidence looks like; NULL where nobody knows. */
static const char *
look_of(const struct failure *evidence)
{
	const char *look;

	if (evidence->evidence_length < TLS_LEAST)
		return NULL;
	if (classify_is_tls(evidence->evidence, evidence->evidence_length))
		return "TLS";
	look = classify_plain_protocol(evidence->evidence, evidence->evidence_length);
	return strcmp(look, "something else") == 0 ? NULL : look;
}

/* An answer that makes no sense makes it in another protocol: which one is the first thing to be known. */
static void
name_protocol(const struct driver *driver, struct failure *failure)
{
	const char *wanted = protocol_of(driver), *look = look_of(failure);
	bool expect = strcmp(wanted, probe_kind_name(PROBE_EXPECT)) == 0;
	size_t same;

	if (failure->code != FAILURE_PROTOCOL_PROXY_REPLY &&
	    failure->code != FAILURE_PROTOCOL_STARTTLS_REPLY &&
	    failure->code != FAILURE_PROTOCOL_PROBE_MISMATCH)
		return;
	if (!look)
		return;
	/* Our words are "postgres" and "xmpp-server" for PostgreSQL and XMPP; and whoever writes a probe of his own knows the protocol. */
	same = strlen(look) < strlen(wanted) ? strlen(look) : strlen(wanted);
	if (strncasecmp(look, wanted, same) != 0 && (!expect || strcmp(look, "TLS") == 0))
		failure_add_detail(failure, "spoken", look);
}

/* A server that does not expect the header takes it for the first words of its own protocol, and answers them. */
static void
tell_header(const struct driver *driver, struct failure *failure)
{
	enum proxy_header header = driver->upstream->policy.proxy.header;

	if (header == PROXY_HEADER_NONE || failure->code == FAILURE_NONE ||
	    driver->connection.use == CONNECTION_PROXY || driver->connection.speech.again)
		return;
	failure_add_detail(failure, "header", header == PROXY_HEADER_V1 ? "v1" : "v2");
}

static void
explain(const struct driver *driver, struct failure *failure)
{
	name_protocol(driver, failure);
	tell_header(driver, failure);
}

bool
speech_overdue(const struct driver *driver, struct failure *failure)
{
	if (!driver->connection.speech.dialogue)
		return false;
	dialogue_overdue(driver->connection.speech.dialogue, failure);
	explain(driver, failure);
	return true;
}

void
speech_stop_probe(struct driver *driver)
{
	struct connection *conn = &driver->connection;

	if (conn->use == CONNECTION_PROBE || conn->use == CONNECTION_HOLD)
		forget(&conn->speech);
}

/* ---- hearing -------------------------------------------------------------------------------------- */

/* The transport has failed with `end`: its end belongs to the dialogue (FAILURES.md, ruling 7). */
static enum state
take_end(struct driver *driver, struct failure *end, struct failure *failure)
{
	struct speech *speech = &driver->connection.speech;

	if (!connection_is_mere_end(end)) {
		*failure = *end; /* with its references */
		return STATE_ENDED;
	}
	if (!speech->done && dialogue_end(speech->dialogue, failure) == DIALOGUE_DONE) {
		failure_done(end);
		return STATE_PASSED;
	}
	if (speech->done)
		failure->code = end->code; /* only our own last words are missing */
	failure_set_error(failure, end->error, end->error_name);
	failure_done(end);
	return STATE_ENDED;
}

/* What came earlier than the dialogue began; it was counted as unasked then. */
static enum tls_result
fetch_kept(struct driver *driver, size_t *ret_length)
{
	struct connection *conn = &driver->connection;
	struct speech *speech = &conn->speech;

	*ret_length = speech->kept_length;
	must(speech->kept_length <= sizeof(driver->worker->scratch));
	memcpy(driver->worker->scratch, speech->kept, speech->kept_length);
	conn->unasked -= speech->kept_length;
	conn->first_length = 0;
	forget_kept(speech);
	return TLS_DONE;
}

/* Before TLS, and before the upstream's own words, what comes is only looked at: part of it may be for whoever speaks next. */
static bool
must_peek(const struct connection *conn)
{
	return conn->use == CONNECTION_PROXY || conn->use == CONNECTION_STARTTLS;
}

/* Into the worker's scratch. */
static enum tls_result
fetch(struct driver *driver, size_t *ret_length, struct failure *failure)
{
	struct connection *conn = &driver->connection;
	struct worker *worker = driver->worker;
	enum tls_result result;

	if (conn->speech.kept)
		return fetch_kept(driver, ret_length);
	if (conn->tls)
		result = tls_read(conn->tls, worker->scratch, sizeof(worker->scratch), ret_length,
				  failure);
	else
		result = connection_read_plain(driver, must_peek(conn) ? MSG_PEEK : 0, ret_length,
					       failure);
	if (result == TLS_DONE && !must_peek(conn)) {
		conn->received += *ret_length;
		conn->untold += *ret_length;
	}
	return result;
}

/* Takes what was peeked at and understood; it is there, so that nothing can go wrong. */
static void
consume(struct driver *driver, size_t length)
{
	struct connection *conn = &driver->connection;

	conn->received += length;
	conn->untold += length;
	while (length > 0) {
		ssize_t n = recv(conn->fd, driver->worker->scratch, length, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return; /* a reset has swept it away: the next read says so */
		length -= (size_t)n;
	}
}

/* What was left over by a probe came unasked. */
static enum state
take_left_over(struct driver *driver, size_t taken, size_t length, struct failure *failure)
{
	unsigned char *scratch = driver->worker->scratch;

	if (must_peek(&driver->connection) || taken == length)
		return STATE_QUIET;
	memmove(scratch, scratch + taken, length - taken);
	if (connection_note_unasked(driver, length - taken, failure) < 0)
		return STATE_ENDED;
	return STATE_QUIET;
}

/* One read: QUIET where nothing came, or where the dialogue needs no more; MORE, FAILED or ENDED. */
static enum state
hear(struct driver *driver, struct failure *failure)
{
	struct connection *conn = &driver->connection;
	struct octets octets = { .bytes = driver->worker->scratch };
	enum dialogue_verdict verdict;
	struct failure end;
	size_t taken = 0;

	if (conn->speech.done)
		return STATE_QUIET;
	failure_init(&end, FAILURE_NONE, driver->link->stage);
	switch (fetch(driver, &octets.length, &end)) {
	case TLS_FAILED: return take_end(driver, &end, failure);
	case TLS_DONE: break;
	default: return STATE_QUIET;
	}
	verdict = dialogue_take(conn->speech.dialogue, octets, &taken, failure);
	if (must_peek(conn))
		consume(driver, taken);
	if (verdict == DIALOGUE_FAILED)
		return STATE_FAILED;
	if (verdict == DIALOGUE_MORE)
		return STATE_MORE;
	conn->speech.done = true;
	return take_left_over(driver, taken, octets.length, failure);
}

static enum state
listen_to(struct driver *driver, struct failure *failure)
{
	enum state state = STATE_MORE;

	for (unsigned int i = 0; i < READS_PER_TURN && state == STATE_MORE; i++)
		state = hear(driver, failure);
	return state;
}

/* ---- speaking ------------------------------------------------------------------------------------- */

/* As tls_write(), for a plain socket. */
static enum tls_result
write_plain(struct connection *conn, struct octets octets, size_t *ret_length, struct failure *failure)
{
	ssize_t n;

	do {
		n = send(conn->fd, octets.bytes, octets.length, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	if (n >= 0) {
		*ret_length = (size_t)n;
		return TLS_DONE;
	}
	if (errno == EAGAIN)
		return TLS_WANT_WRITE;
	socket_io_failed(conn->fd, errno, &conn->upstream->policy.transport, failure);
	return TLS_FAILED;
}

static enum tls_result
send_some(struct connection *conn, struct octets octets, size_t *ret_length, struct failure *failure)
{
	struct speech *speech = &conn->speech;
	enum tls_result result;

	if (!conn->tls)
		return write_plain(conn, octets, ret_length, failure);
	if (speech->stuck > 0)
		octets.length = speech->stuck;
	result = tls_write(conn->tls, octets.bytes, octets.length, ret_length, failure);
	speech->stuck = result == TLS_DONE ? 0 : octets.length;
	return result;
}

/* Send all there is to send; TLS_DONE where nothing is left. */
static enum tls_result
speak(struct driver *driver, struct failure *failure)
{
	struct connection *conn = &driver->connection;
	struct dialogue *dialogue = conn->speech.dialogue;
	enum tls_result result = TLS_DONE;
	struct octets octets;
	size_t sent = 0;

	for (;;) {
		octets.bytes = dialogue_output(dialogue, &octets.length);
		if (octets.length == 0)
			return TLS_DONE;
		result = send_some(conn, octets, &sent, failure);
		if (result != TLS_DONE)
			return result;
		conn->sent += sent;
		dialogue_sent(dialogue, sent);
	}
}

/* What the peer said before it hung up may be waiting behind the end that our write has met. */
static enum state
listen_once_more(struct driver *driver, struct failure *end, struct failure *failure)
{
	enum state state = listen_to(driver, failure);

	if (state != STATE_QUIET && state != STATE_MORE) {
		failure_done(end);
		return state;
	}
	return take_end(driver, end, failure);
}

/* Hear, then speak; *ret_events is what to wait for where the dialogue goes on. */
static enum state
converse(struct driver *driver, unsigned int *ret_events, struct failure *failure)
{
	enum state state = listen_to(driver, failure);
	enum tls_result result;
	struct failure end;

	if (state != STATE_QUIET && state != STATE_MORE)
		return state;
	failure_init(&end, FAILURE_NONE, driver->link->stage);
	result = speak(driver, &end);
	if (result == TLS_FAILED)
		return listen_once_more(driver, &end, failure);
	if (result == TLS_DONE && driver->connection.speech.done)
		return STATE_PASSED;
	/* OpenSSL may hold more than the socket shows: as that is writable, the loop calls at once. */
	*ret_events = WATCH_READ;
	if (result == TLS_WANT_WRITE || (state == STATE_MORE && driver->connection.tls))
		*ret_events |= WATCH_WRITE;
	if (driver->connection.speech.done && result == TLS_WANT_WRITE)
		*ret_events = WATCH_WRITE; /* what comes meanwhile is for whoever is next */
	return state;
}

/* ---- the loop ------------------------------------------------------------------------------------- */

static void
fail_probe(struct driver *driver, struct failure *failure, usec_t now)
{
	struct connection *conn = &driver->connection;

	conn->speech.again = true;
	conn->speech.greeted = conn->speech.greeted || dialogue_has_spoken(conn->speech.dialogue);
	forget(&conn->speech);
	connection_await_or_fail(driver, WATCH_READ | WATCH_WRITE, now);
	if (conn->use == CONNECTION_HOLD)
		driver_feed(driver,
			    &(struct input){ .kind = INPUT_PROBE_FAILED, .failure = failure }, now);
	failure_done(failure);
}

static void
pass(struct driver *driver, usec_t now)
{
	struct connection *conn = &driver->connection;

	conclude(conn);
	/* What came before is nothing that a borrower could take for the server's first words. */
	if (conn->use == CONNECTION_HOLD)
		conn->unasked = conn->first_length = 0;
	/* In READY the connection is held on as it was; OpenSSL may have read more than was asked for. */
	if (conn->use == CONNECTION_HOLD)
		connection_await_or_fail(driver, WATCH_READ | WATCH_WRITE, now);
	if (conn->use != CONNECTION_NONE)
		driver_feed(driver, &(struct input){ .kind = INPUT_PASSED }, now);
}

void
speech_go_on(struct driver *driver, usec_t now)
{
	struct connection *conn = &driver->connection;
	unsigned int events = WATCH_READ;
	struct failure failure;
	enum state state;

	failure_init(&failure, FAILURE_NONE, driver->link->stage);
	state = converse(driver, &events, &failure);
	explain(driver, &failure);
	if (state == STATE_FAILED && conn->use != CONNECTION_HOLD)
		state = STATE_ENDED; /* before it is ready, a connection is worth no more than what is said over it */
	if (conn->use == CONNECTION_HOLD)
		connection_busy(driver, now);
	connection_tell_received(driver, now);
	switch (state) {
	case STATE_QUIET:
	case STATE_MORE: connection_await_or_fail(driver, events, now); break;
	case STATE_PASSED: pass(driver, now); break;
	case STATE_FAILED: fail_probe(driver, &failure, now); break;
	case STATE_ENDED: connection_fail(driver, &failure, now); break;
	}
}
