/*
 * STARTTLS of database servers: PostgreSQL (its manual, "Message Formats": SSLRequest, ErrorResponse) and MySQL (its internals manual,
 * "Connection Phase": HandshakeV10, SSLRequest, ERR_Packet).
 */
#include "core/starttls_internal.h"

#include "base/text.h"

#include <string.h>

#define REPLY_MAX 256 /* of an error made readable; cut beyond */

/* ---- PostgreSQL ------------------------------------------------------------------------------------------------ */

#define POSTGRES_HEAD 5 /* the kind of a message and its length, which counts itself */

/* SSLRequest: its length and the code 1234.5679. */
static const char postgres_request[] = { 0, 0, 0, 8, 0x04, (char)0xd2, 0x16, 0x2f };

/* The fields that tell, in the order in which they are told: severity, SQLSTATE, message. */
static const char postgres_fields[] = { 'S', 'C', 'M' };

/* The value of the field `kind` in `fields` (each a letter, a text, and NUL); empty where there is none. */
static struct octets
postgres_field(struct octets fields, char kind)
{
	const char *at = fields.bytes, *end = at + fields.length;

	while (at < end && *at != '\0') {
		const char *value = at + 1, *close = memchr(value, '\0', (size_t)(end - value));

		if (!close)
			break;
		if (*at == kind)
			return (struct octets){ value, (size_t)(close - value) };
		at = close + 1;
	}
	return (struct octets){ end, 0 };
}

/* An ErrorResponse: what is in it behind its head. */
static enum dialogue_verdict
postgres_error(struct dialogue *dialogue, struct octets fields, struct failure *failure)
{
	char buffer[REPLY_MAX];
	struct text text = TEXT_INIT(buffer);

	for (size_t i = 0; i < sizeof(postgres_fields); i++) {
		struct octets value = postgres_field(fields, postgres_fields[i]);

		if (value.length == 0)
			continue;
		if (text.length > 0)
			text_add(&text, " ");
		text_add_bytes(&text, value.bytes, value.length);
	}
	return dialogue_fail_told(dialogue, FAILURE_PROTOCOL_GREETING_REJECTED,
				  (struct octets){ buffer, text.length }, failure);
}

/*
 * 'E' without a length that could be one: a text up to NUL, as every version still says when it cannot even start a process for us.  No
 * other protocol's line ends so.
 */
static enum dialogue_verdict
postgres_text(struct dialogue *dialogue, struct octets said, struct failure *failure)
{
	const unsigned char *bytes = said.bytes;

	for (size_t i = 1; i < said.length; i++) {
		if (bytes[i] == '\0')
			return dialogue_fail_reply(dialogue, FAILURE_PROTOCOL_GREETING_REJECTED,
						   (struct octets){ bytes + 1, i - 1 }, failure);
		if (bytes[i] == '\r')
			return starttls_nonsense(dialogue, failure);
	}
	return DIALOGUE_MORE;
}

/* Whether all of it is text, as no message of PostgreSQL is: each has a length in four octets, the first of which is NUL. */
static bool
is_text(struct octets octets)
{
	const unsigned char *bytes = octets.bytes;

	for (size_t i = 0; i < octets.length; i++) {
		bool space = bytes[i] == '\r' || bytes[i] == '\n' || bytes[i] == '\t';

		if (!space && (bytes[i] < ' ' || bytes[i] > '~'))
			return false;
	}
	return true;
}

/*
 * The go-ahead and the refusal are one octet.  A text that begins with it is the greeting of another protocol ("SSH-2.0-", "NOTICE"); anything
 * else behind the go-ahead has been injected.
 */
static enum dialogue_verdict
postgres_octet(struct dialogue *dialogue, struct octets said, struct failure *failure)
{
	const unsigned char *bytes = said.bytes;

	if (said.length > 1 && (bytes[0] == 'N' || is_text(said)))
		return starttls_nonsense(dialogue, failure);
	if (bytes[0] == 'N')
		return starttls_missing(dialogue, failure);
	dialogue_consume(dialogue, 1);
	return starttls_go_ahead(dialogue, failure);
}

static enum dialogue_verdict
postgres_look(struct dialogue *dialogue, struct failure *failure)
{
	struct octets said;
	const unsigned char *bytes = dialogue_pending(dialogue, &said.length);
	size_t length;

	said.bytes = bytes;
	switch (bytes[0]) {
	case 'S':
	case 'N': return postgres_octet(dialogue, said, failure);
	case 'E': break;
	default: return starttls_nonsense(dialogue, failure);
	}
	if (said.length < POSTGRES_HEAD)
		return DIALOGUE_MORE;
	length = (size_t)bytes[1] << 24 | (size_t)bytes[2] << 16 | (size_t)bytes[3] << 8 | bytes[4];
	if (length < POSTGRES_HEAD - 1 || length >= DIALOGUE_INPUT_MAX)
		return postgres_text(dialogue, said, failure);
	if (said.length < 1 + length)
		return DIALOGUE_MORE;
	return postgres_error(dialogue,
			      (struct octets){ bytes + POSTGRES_HEAD, 1 + length - POSTGRES_HEAD },
			      failure);
}

static enum dialogue_verdict
postgres_start(struct dialogue *dialogue, struct failure *failure)
{
	(void)failure;
	dialogue_send(dialogue, postgres_request, sizeof(postgres_request));
	dialogue->asked = "SSLRequest";
	return DIALOGUE_MORE;
}

const struct dialogue_kind starttls_postgres_kind = {
	.start = postgres_start,
	.look = postgres_look,
	.state_bytes = sizeof(struct starttls_common),
	STARTTLS_KIND_CODES,
};

/* ---- MySQL ----------------------------------------------------------------------------------------------------- */

#define MYSQL_HEAD     4 /* a packet's length in three octets, and its number */
#define MYSQL_VERSION  10
#define MYSQL_OLDEST   9 /* spoken before 1998, when there was no TLS yet */
#define MYSQL_ERROR    0xff
#define MYSQL_SKIPPED  13 /* behind the server's version: thread (4), salt (8), filler (1) */
#define MYSQL_SQLSTATE 6  /* "#08004": may stand before an error's message */

#define CLIENT_LONG_PASSWORD	 0x0001U
#define CLIENT_PROTOCOL_41	 0x0200U
#define CLIENT_SSL		 0x0800U
#define CLIENT_SECURE_CONNECTION 0x8000U
#define CLIENT_PLUGIN_AUTH	 0x80000U

#define MYSQL_PACKET_MAX 0x1000000U /* the largest packet we would take: the clients' default */
#define MYSQL_CHARSET	 33	    /* utf8_general_ci: every version knows it */

#define MYSQL_REQUEST_LENGTH 32

/*
 * SSLRequest: the head of the answer to come after the handshake, as the second packet.  Servers go by what it claims: by what every client
 * since 5.5 does.
 */
static void
mysql_ask(struct dialogue *dialogue)
{
	const unsigned int flags = CLIENT_LONG_PASSWORD | CLIENT_PROTOCOL_41 | CLIENT_SSL |
				   CLIENT_SECURE_CONNECTION | CLIENT_PLUGIN_AUTH;
	unsigned char packet[MYSQL_HEAD + MYSQL_REQUEST_LENGTH] = { MYSQL_REQUEST_LENGTH, 0, 0, 1 };
	unsigned char *at = packet + MYSQL_HEAD;

	for (unsigned int i = 0; i < 4; i++) {
		at[i] = (unsigned char)(flags >> 8 * i);
		at[4 + i] = (unsigned char)(MYSQL_PACKET_MAX >> 8 * i);
	}
	at[8] = MYSQL_CHARSET;
	dialogue_send(dialogue, packet, sizeof(packet));
}

static enum dialogue_verdict
mysql_error(struct dialogue *dialogue, struct octets payload, struct failure *failure)
{
	const unsigned char *bytes = payload.bytes;
	char buffer[REPLY_MAX];
	struct text text = TEXT_INIT(buffer);
	size_t at = 3;

	if (payload.length < at)
		return starttls_nonsense(dialogue, failure);
	text_addf(&text, "%u ", (unsigned int)bytes[1] | (unsigned int)bytes[2] << 8);
	if (payload.length >= at + MYSQL_SQLSTATE && bytes[at] == '#')
		at += MYSQL_SQLSTATE;
	text_add_bytes(&text, bytes + at, payload.length - at);
	return dialogue_fail_told(dialogue, FAILURE_PROTOCOL_GREETING_REJECTED,
				  (struct octets){ buffer, text.length }, failure);
}

static enum dialogue_verdict
mysql_greeting(struct dialogue *dialogue, struct octets payload, struct failure *failure)
{
	const unsigned char *at = payload.bytes, *end = at + payload.length;
	const unsigned char *version = memchr(at + 1, '\0', payload.length - 1);
	unsigned int flags;

	if (!version || end - version < 1 + MYSQL_SKIPPED + 2)
		return starttls_nonsense(dialogue, failure);
	at = version + 1 + MYSQL_SKIPPED;
	flags = (unsigned int)at[0] | (unsigned int)at[1] << 8;
	if (!(flags & CLIENT_SSL))
		return starttls_missing(dialogue, failure);
	mysql_ask(dialogue);
	return starttls_go_ahead(dialogue, failure);
}

static enum dialogue_verdict
mysql_look(struct dialogue *dialogue, struct failure *failure)
{
	size_t pending, length;
	const unsigned char *bytes = dialogue_pending(dialogue, &pending);

	if (pending < MYSQL_HEAD)
		return DIALOGUE_MORE;
	length = (size_t)bytes[0] | (size_t)bytes[1] << 8 | (size_t)bytes[2] << 16;
	if (length == 0 || length > DIALOGUE_INPUT_MAX - MYSQL_HEAD || bytes[3] != 0)
		return starttls_nonsense(dialogue, failure);
	if (pending < MYSQL_HEAD + length)
		return DIALOGUE_MORE;
	dialogue_consume(dialogue, MYSQL_HEAD + length);
	switch (bytes[MYSQL_HEAD]) {
	case MYSQL_VERSION:
		return mysql_greeting(dialogue, (struct octets){ bytes + MYSQL_HEAD, length }, failure);
	case MYSQL_OLDEST: return starttls_missing(dialogue, failure);
	case MYSQL_ERROR:
		return mysql_error(dialogue, (struct octets){ bytes + MYSQL_HEAD, length }, failure);
	default: return starttls_nonsense(dialogue, failure);
	}
}

const struct dialogue_kind starttls_mysql_kind = {
	.look = mysql_look,
	.state_bytes = sizeof(struct starttls_common),
	STARTTLS_KIND_CODES,
};
