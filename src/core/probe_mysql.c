/* The probe of MySQL and MariaDB (their manuals, "Client/Server Protocol"; protocol version 10). */
#include "core/probe_internal.h"

#include "base/must.h"
#include "base/text.h"

#include <string.h>

#define HEAD_OCTETS	4 /* of a packet: three of its length, and its number */
#define PACKET_MAX	(DIALOGUE_INPUT_MAX - HEAD_OCTETS) /* a longer packet is nonsense */
#define PROTOCOL	10
#define STATUS_TEXT_MAX FAILURE_EVIDENCE_MAX

/* A packet's first octet. */
#define PACKET_OK 0x00
#define PACKET_MORE \
	0x01 /* of an authentication method: the server wants more than an empty password */
#define PACKET_SWITCH 0xfe
#define PACKET_ERR    0xff
#define COMMAND_PING  0x0e

/* Capabilities we claim (the manual's CLIENT_…). */
#define LONG_PASSWORD	  0x00000001
#define PROTOCOL_41	  0x00000200
#define SSL		  0x00000800
#define SECURE_CONNECTION 0x00008000
#define PLUGIN_AUTH	  0x00080000

#define CHARSET_UTF8 33 /* known to every version */
#define METHOD	     "mysql_native_password"
#define RESPONSE_MAX (32 + PROBE_TEXT_MAX + 1 + sizeof(METHOD))

/* dialogue_memory() */
#define LOGGED_IN 1

struct mysql {
	struct probe probe;
	enum {
		AWAIT_GREETING,
		AWAIT_LOGIN, /* the verdict on our user */
		AWAIT_PONG,  /* COM_PING has been said */
	} state;
	bool switched; /* the server has chosen another method of authentication; it may once */
};

struct packet {
	unsigned char number;
	const unsigned char *body;
	size_t length;
};

/* Errors that mean that the user may not in, or not without a password. */
static const unsigned int login_errors[] = {
	1044, /* ER_DBACCESS_DENIED_ERROR */
	1045, /* ER_ACCESS_DENIED_ERROR */
	1130, /* ER_HOST_NOT_PRIVILEGED */
	1227, /* ER_SPECIFIC_ACCESS_DENIED_ERROR */
	1251, /* ER_NOT_SUPPORTED_AUTH_MODE */
	1524, /* ER_PLUGIN_IS_NOT_LOADED: the account's method of authentication */
	1698, /* ER_ACCESS_DENIED_NO_PASSWORD_ERROR */
	1820, /* ER_MUST_CHANGE_PASSWORD */
	1862, /* ER_MUST_CHANGE_PASSWORD_LOGIN */
	3118, /* ER_ACCOUNT_HAS_BEEN_LOCKED */
	3955, /* ER_USER_ACCESS_DENIED_FOR_USER_ACCOUNT_BLOCKED_BY_PASSWORD_LOCK */
	4151, /* MariaDB's ER_ACCOUNT_HAS_BEEN_LOCKED */
};

static bool
is_about_login(unsigned int error)
{
	for (size_t i = 0; i < COUNT_OF(login_errors); i++) {
		if (login_errors[i] == error)
			return true;
	}
	return false;
}

static void
send_packet(struct dialogue *dialogue, unsigned char number, struct octets body)
{
	const unsigned char head[HEAD_OCTETS] = { (unsigned char)body.length,
						  (unsigned char)(body.length >> 8),
						  (unsigned char)(body.length >> 16), number };

	dialogue_send(dialogue, head, sizeof(head));
	dialogue_send(dialogue, body.bytes, body.length);
}

/*
 * HandshakeResponse41 with an empty password.  After STARTTLS the server goes by the capabilities of the SSLRequest: what stands here reads
 * the same with and without the later two.
 */
static enum dialogue_verdict
log_in(struct dialogue *dialogue, unsigned char number)
{
	struct mysql *mysql = dialogue->state;
	const struct probe_setup *setup = &mysql->probe.setup;
	size_t user_bytes = strlen(setup->policy->user) + 1, length = 32;
	uint32_t flags = LONG_PASSWORD | PROTOCOL_41 | SECURE_CONNECTION | PLUGIN_AUTH;
	unsigned char body[RESPONSE_MAX] = { 0 };

	must(user_bytes <= PROBE_TEXT_MAX);
	if (setup->greeted)
		flags |= SSL;
	for (int i = 0; i < 4; i++)
		body[i] = (unsigned char)(flags >> (8 * i));
	body[7] = 1; /* the longest packet we take: 16 MiB */
	body[8] = CHARSET_UTF8;
	memcpy(body + length, setup->policy->user, user_bytes);
	length += user_bytes;
	body[length++] = 0; /* the password's length */
	memcpy(body + length, METHOD, sizeof(METHOD));
	length += sizeof(METHOD);
	send_packet(dialogue, number, (struct octets){ body, length });
	dialogue->asked = "the login";
	mysql->state = AWAIT_LOGIN;
	return DIALOGUE_MORE;
}

static enum dialogue_verdict
mysql_start(struct dialogue *dialogue, struct failure *failure)
{
	static const unsigned char ping[] = { COMMAND_PING };
	struct mysql *mysql = dialogue->state;
	const struct probe_setup *setup = &mysql->probe.setup;

	(void)failure;
	dialogue->memory = setup->memory;
	if (setup->again && setup->memory == LOGGED_IN) {
		mysql->state = AWAIT_PONG;
		send_packet(dialogue, 0, (struct octets){ ping, sizeof(ping) });
		dialogue->asked = "COM_PING";
		return DIALOGUE_MORE;
	}
	if (setup->again)
		return DIALOGUE_DONE;
	if (!setup->greeted)
		return DIALOGUE_MORE;
	/* The greeting was packet 0, the SSLRequest 1. */
	return setup->policy->user ? log_in(dialogue, 2) : DIALOGUE_DONE;
}

static const char *
wanted(const struct dialogue *dialogue)
{
	const struct mysql *mysql = dialogue->state;

	return mysql->state == AWAIT_GREETING ? "a greeting of MySQL" : "an OK packet of MySQL";
}

static enum dialogue_verdict
take_error(const struct mysql *mysql, const struct packet *packet, struct failure *failure)
{
	const unsigned char *at = packet->body + 3, *end = packet->body + packet->length;
	unsigned int error = packet->body[1] | (unsigned int)packet->body[2] << 8;
	char buffer[STATUS_TEXT_MAX + 1];
	struct text text = TEXT_INIT(buffer);
	struct octets reply;

	if (end - at >= 6 && *at == '#')
		at += 6; /* the SQLSTATE says less than the number */
	text_addf(&text, "%u ", error);
	text_add_bytes(&text, at, (size_t)(end - at));
	reply = (struct octets){ buffer, text.length };
	if (mysql->state == AWAIT_GREETING)
		return probe_rejected(reply, failure);
	return is_about_login(error) ? probe_auth(reply, failure) : probe_status(reply, failure);
}

static enum dialogue_verdict
take_greeting(struct dialogue *dialogue, const struct packet *packet, struct failure *failure)
{
	const struct mysql *mysql = dialogue->state;

	if (packet->body[0] != PROTOCOL || !memchr(packet->body + 1, '\0', packet->length - 1))
		return probe_mismatch(dialogue, wanted(dialogue), failure);
	if (!mysql->probe.setup.policy->user)
		return DIALOGUE_DONE;
	return log_in(dialogue, (unsigned char)(packet->number + 1));
}

/* An empty password is all we have; a lone octet asks for the passwords of before version 4.1. */
static enum dialogue_verdict
take_switch(struct dialogue *dialogue, const struct packet *packet, struct failure *failure)
{
	struct mysql *mysql = dialogue->state;
	const char *name = (const char *)packet->body + 1;

	if (packet->length == 1)
		return probe_auth((struct octets){ "mysql_old_password", 18 }, failure);
	if (mysql->switched)
		return probe_auth((struct octets){ name, strnlen(name, packet->length - 1) }, failure);
	mysql->switched = true;
	send_packet(dialogue, (unsigned char)(packet->number + 1), (struct octets){ "", 0 });
	return DIALOGUE_MORE;
}

static enum dialogue_verdict
take_login(struct dialogue *dialogue, const struct packet *packet, struct failure *failure)
{
	switch (packet->body[0]) {
	case PACKET_OK: dialogue->memory = LOGGED_IN; return DIALOGUE_DONE;
	case PACKET_SWITCH: return take_switch(dialogue, packet, failure);
	case PACKET_MORE: return probe_auth((struct octets){ "a password is wanted", 20 }, failure);
	default: return probe_mismatch(dialogue, wanted(dialogue), failure);
	}
}

static enum dialogue_verdict
take_packet(struct dialogue *dialogue, const struct packet *packet, struct failure *failure)
{
	const struct mysql *mysql = dialogue->state;

	if (packet->body[0] == PACKET_ERR && packet->length >= 3)
		return take_error(mysql, packet, failure);
	switch (mysql->state) {
	case AWAIT_GREETING: return take_greeting(dialogue, packet, failure);
	case AWAIT_LOGIN: return take_login(dialogue, packet, failure);
	case AWAIT_PONG:
		if (packet->body[0] == PACKET_OK)
			return DIALOGUE_DONE;
		return probe_mismatch(dialogue, wanted(dialogue), failure);
	}
	must_not_reach();
}

/* Whether what has come of a packet may be one that is awaited: a peer that speaks something else need not be waited for. */
static bool
is_possible(const struct mysql *mysql, const unsigned char *bytes, size_t length)
{
	if (length >= 3) {
		size_t body = bytes[0] | (size_t)bytes[1] << 8 | (size_t)bytes[2] << 16;

		if (body == 0 || body > PACKET_MAX)
			return false;
	}
	return mysql->state != AWAIT_GREETING || length < HEAD_OCTETS || bytes[3] == 0;
}

static enum dialogue_verdict
mysql_look(struct dialogue *dialogue, struct failure *failure)
{
	const struct mysql *mysql = dialogue->state;

	for (;;) {
		size_t length, body;
		const unsigned char *bytes = dialogue_pending(dialogue, &length);
		struct packet packet;
		enum dialogue_verdict verdict;

		if (!is_possible(mysql, bytes, length))
			return probe_mismatch(dialogue, wanted(dialogue), failure);
		if (length < HEAD_OCTETS)
			return DIALOGUE_MORE;
		body = bytes[0] | (size_t)bytes[1] << 8 | (size_t)bytes[2] << 16;
		if (length < HEAD_OCTETS + body)
			return DIALOGUE_MORE;
		packet = (struct packet){ bytes[3], bytes + HEAD_OCTETS, body };
		dialogue_consume(dialogue, HEAD_OCTETS + body);
		verdict = take_packet(dialogue, &packet, failure);
		if (verdict != DIALOGUE_MORE)
			return verdict;
		dialogue_new_reply(dialogue);
	}
}

const struct dialogue_kind probe_mysql = {
	.start = mysql_start,
	.look = mysql_look,
	.state_bytes = sizeof(struct mysql),
	PROBE_KIND_CODES,
};
