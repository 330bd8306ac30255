/* The probe of PostgreSQL (its manual, "Frontend/Backend Protocol", 3.0). */
#include "core/probe_internal.h"

#include "base/must.h"
#include "base/text.h"

#include <string.h>

#define PROTOCOL_3_0	  0x00030000
#define HEAD_OCTETS	  5 /* of a message: its type and its length, which counts itself */
#define MESSAGE_MAX	  DIALOGUE_INPUT_MAX /* a longer message is nonsense */
#define DEFAULT_USER	  "holdfast"	     /* whom we are until the server asks for a password */
#define STARTUP_MAX	  (PROBE_TEXT_MAX + 32)
#define STATUS_TEXT_MAX	  FAILURE_EVIDENCE_MAX
#define WANTED_FIRST	  "an authentication request"
#define WANTED_READY	  "ReadyForQuery"
#define AUTHENTICATION_OK 0

/* dialogue_memory() */
#define LOGGED_IN 1

struct postgres {
	struct probe probe;
	enum {
		AWAIT_FIRST, /* the answer to the start-up message */
		AWAIT_LOGIN, /* trusted: parameters follow, until the server is ready */
		AWAIT_READY, /* an empty query has been asked */
	} state;
	size_t skipped; /* octets of messages passed over */
};

struct message {
	unsigned char type;
	const unsigned char *body;
	size_t length;
};

static uint32_t
read_be32(const unsigned char *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void
write_be32(unsigned char *at, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		at[i] = (unsigned char)(value >> (24 - 8 * i));
}

/* No database is named: the server takes the one that is called like the user. */
static void
say_startup(struct dialogue *dialogue, const char *user)
{
	unsigned char message[STARTUP_MAX];
	size_t user_bytes = strlen(user) + 1, at = 8;

	must(user_bytes <= PROBE_TEXT_MAX);
	write_be32(message + 4, PROTOCOL_3_0);
	memcpy(message + at, "user", sizeof("user"));
	at += sizeof("user");
	memcpy(message + at, user, user_bytes);
	at += user_bytes;
	message[at++] = '\0';
	write_be32(message, (uint32_t)at);
	dialogue_send(dialogue, message, at);
}

static enum dialogue_verdict
postgres_start(struct dialogue *dialogue, struct failure *failure)
{
	static const unsigned char empty_query[] = { 'Q', 0, 0, 0, 5, '\0' };
	struct postgres *postgres = dialogue->state;
	const struct probe_setup *setup = &postgres->probe.setup;

	(void)failure;
	dialogue->memory = setup->memory;
	if (!setup->again) {
		dialogue->asked = "the login";
		say_startup(dialogue, setup->policy->user ? setup->policy->user : DEFAULT_USER);
		return DIALOGUE_MORE;
	}
	if (setup->memory != LOGGED_IN)
		return DIALOGUE_DONE;
	postgres->state = AWAIT_READY;
	dialogue->asked = "an empty query";
	dialogue_send(dialogue, empty_query, sizeof(empty_query));
	return DIALOGUE_MORE;
}

/* A field of an ErrorResponse, "" where it is not there or not ended. */
static const char *
error_field(const struct message *message, char type)
{
	const char *at = (const char *)message->body, *end = at + message->length;

	while (at < end && *at != '\0') {
		const char *value = at + 1, *stop = memchr(value, '\0', (size_t)(end - value));

		if (!stop)
			break;
		if (*at == type)
			return value;
		at = stop + 1;
	}
	return "";
}

/* 28: invalid authorization.  42501: no privilege to connect to that database. */
static bool
is_about_login(const char *sqlstate)
{
	return strncmp(sqlstate, "28", 2) == 0 || strcmp(sqlstate, "42501") == 0;
}

/* After an error that is not the end of the connection the server says that it is ready: until then the verdict is kept. */
static enum dialogue_verdict
take_error(struct dialogue *dialogue, const struct message *message, struct failure *failure)
{
	struct postgres *postgres = dialogue->state;
	const char *sqlstate = error_field(message, 'C');
	char buffer[STATUS_TEXT_MAX + 1];
	struct text text = TEXT_INIT(buffer);
	struct octets reply;

	text_addf(&text, "%s%s%s", sqlstate, sqlstate[0] ? " " : "", error_field(message, 'M'));
	reply = (struct octets){ buffer, text.length };
	if (postgres->state == AWAIT_READY && !is_about_login(sqlstate)) {
		probe_status(reply, &postgres->probe.kept);
		return DIALOGUE_MORE;
	}
	if (is_about_login(sqlstate))
		return probe_auth(reply, failure);
	return postgres->state == AWAIT_FIRST ? probe_rejected(reply, failure) :
						probe_status(reply, failure);
}

static enum dialogue_verdict
take_authentication(struct dialogue *dialogue, const struct message *message, struct failure *failure)
{
	struct postgres *postgres = dialogue->state;

	if (message->length < sizeof(uint32_t))
		return probe_mismatch(dialogue, WANTED_FIRST, failure);
	if (read_be32(message->body) != AUTHENTICATION_OK)
		return DIALOGUE_DONE;
	postgres->state = AWAIT_LOGIN;
	return DIALOGUE_MORE;
}

static enum dialogue_verdict
take_ready(struct dialogue *dialogue, struct failure *failure)
{
	dialogue->memory = LOGGED_IN;
	return probe_kept(dialogue, failure) ? DIALOGUE_FAILED : DIALOGUE_DONE;
}

/* The types of messages that mean something while they are awaited: others need not come whole. */
static const char *
possible_types(const struct postgres *postgres)
{
	switch (postgres->state) {
	case AWAIT_FIRST: return "REvN";
	case AWAIT_LOGIN: return "ESKNvZ";
	case AWAIT_READY: return "EISNAZ";
	}
	must_not_reach();
}

static enum dialogue_verdict
mismatch(const struct dialogue *dialogue, struct failure *failure)
{
	const struct postgres *postgres = dialogue->state;

	if (probe_kept(dialogue, failure))
		return DIALOGUE_FAILED;
	return probe_mismatch(dialogue,
			      postgres->state == AWAIT_FIRST ? WANTED_FIRST : WANTED_READY, failure);
}

static enum dialogue_verdict
take_message(struct dialogue *dialogue, const struct message *message, struct failure *failure)
{
	switch (message->type) {
	case 'E': return take_error(dialogue, message, failure);
	case 'R': return take_authentication(dialogue, message, failure);
	case 'Z': return take_ready(dialogue, failure);
	default: return DIALOGUE_MORE;
	}
}

/* A postmaster that cannot even fork says so in the way of protocol 2: 'E' and a text that NUL ends; no other protocol's line ends so. */
static enum dialogue_verdict
take_old_error(struct dialogue *dialogue, struct failure *failure)
{
	size_t length;
	const char *text = (const char *)dialogue_pending(dialogue, &length) + 1;
	const char *end = memchr(text, '\0', length - 1);

	if (memchr(text, '\r', end ? (size_t)(end - text) : length - 1))
		return mismatch(dialogue, failure);
	if (!end)
		return DIALOGUE_MORE;
	length = strcspn(text, "\n");
	return probe_rejected((struct octets){ text, length }, failure);
}

static bool
is_old_error(const struct postgres *postgres, const unsigned char *bytes)
{
	bool is_text = true;

	for (int i = 1; i < HEAD_OCTETS; i++)
		is_text = is_text && bytes[i] >= ' ' && bytes[i] < 0x7f;
	return postgres->state == AWAIT_FIRST && bytes[0] == 'E' && is_text;
}

/* Take the message that is pending, if it is whole; *ret_taken says so. */
static enum dialogue_verdict
look_once(struct dialogue *dialogue, bool *ret_taken, struct failure *failure)
{
	struct postgres *postgres = dialogue->state;
	size_t length, whole;
	const unsigned char *bytes = dialogue_pending(dialogue, &length);
	struct message message;

	*ret_taken = false;
	if (length > 0 && (bytes[0] == '\0' || !strchr(possible_types(postgres), bytes[0])))
		return mismatch(dialogue, failure);
	if (length < HEAD_OCTETS)
		return DIALOGUE_MORE;
	if (is_old_error(postgres, bytes))
		return take_old_error(dialogue, failure);
	whole = 1 + (size_t)read_be32(bytes + 1);
	if (whole < HEAD_OCTETS || whole > MESSAGE_MAX || whole > PROBE_SKIP_MAX - postgres->skipped)
		return mismatch(dialogue, failure);
	if (length < whole)
		return DIALOGUE_MORE;
	message = (struct message){ bytes[0], bytes + HEAD_OCTETS, whole - HEAD_OCTETS };
	postgres->skipped += whole;
	dialogue_consume(dialogue, whole);
	*ret_taken = true;
	return take_message(dialogue, &message, failure);
}

static enum dialogue_verdict
postgres_look(struct dialogue *dialogue, struct failure *failure)
{
	enum dialogue_verdict verdict;
	bool taken;

	for (;;) {
		verdict = look_once(dialogue, &taken, failure);
		if (verdict != DIALOGUE_MORE || !taken)
			return verdict;
		dialogue_new_reply(dialogue);
	}
}

const struct dialogue_kind probe_postgres = {
	.start = postgres_start,
	.look = postgres_look,
	.end = probe_end,
	.overdue = probe_overdue,
	.state_bytes = sizeof(struct postgres),
	PROBE_KIND_CODES,
};
