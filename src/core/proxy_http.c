/*
 * A proxy that speaks HTTP: CONNECT (RFC 9110, section 9.3.6) with basic authentication (RFC 7617).
 */
#include "core/proxy_internal.h"

#include "base/text.h"

#include <arpa/inet.h>
#include <string.h>

#define VERSION_BEGIN  "HTTP/1."
#define STATUS_AT      9 /* where the status stands in "HTTP/1.1 200 OK" */
#define STATUS_DIGITS  3
#define AUTHORITY_MAX  (TARGET_HOST_MAX + 16)
#define BASE64_GROUP   3 /* octets that become four letters */
#define BASE64_DIGITS  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
#define BASE64_PADDING '='

/* What we wait for. */
enum step {
	STEP_STATUS,
	STEP_FIELDS, /* up to the empty line, once the status is good */
};

static void
say_base64(struct dialogue *dialogue, const unsigned char *bytes, size_t length)
{
	for (size_t at = 0; at < length; at += BASE64_GROUP) {
		size_t rest = length - at;
		unsigned int group = (unsigned int)bytes[at] << 16;
		char letters[BASE64_GROUP + 1];

		if (rest > 1)
			group |= (unsigned int)bytes[at + 1] << 8;
		if (rest > 2)
			group |= bytes[at + 2];
		for (size_t i = 0; i < sizeof(letters); i++) {
			unsigned int digit = group >> (18 - 6 * i) & 0x3f;

			letters[i] = i <= rest ? BASE64_DIGITS[digit] : BASE64_PADDING;
		}
		dialogue_send(dialogue, letters, sizeof(letters));
	}
}

static void
say_credentials(struct dialogue *dialogue, const struct proxy_state *state)
{
	unsigned char credentials[PROXY_USER_MAX + 1 + PROXY_PASSWORD_MAX];
	size_t user_length = strlen(state->user), password_length = strlen(state->password);

	memcpy(credentials, state->user, user_length);
	credentials[user_length] = ':';
	memcpy(credentials + user_length + 1, state->password, password_length);
	dialogue_say(dialogue, "Proxy-Authorization: Basic ");
	say_base64(dialogue, credentials, user_length + 1 + password_length);
	dialogue_say(dialogue, "\r\n");
	explicit_bzero(credentials, sizeof(credentials));
}

/* host:port; an address of IPv6 in brackets, without its zone, which means nothing elsewhere. */
static void
write_authority(const struct target *target, char *buffer, size_t size)
{
	char ip[INET6_ADDRSTRLEN];
	struct text text;

	text_init(&text, buffer, size);
	if (target->kind == TARGET_ADDRESS && address_is_ipv6(&target->address)) {
		inet_ntop(AF_INET6, &target->address.in6.sin6_addr, ip, sizeof(ip));
		text_addf(&text, "[%s]:%u", ip, target->port);
	} else {
		text_addf(&text, "%s:%u", target->host, target->port);
	}
}

static enum dialogue_verdict
http_start(struct dialogue *dialogue, struct failure *failure)
{
	const struct proxy_state *state = dialogue->state;
	char authority[AUTHORITY_MAX];

	(void)failure;
	write_authority(&state->target, authority, sizeof(authority));
	dialogue->asked = "CONNECT";
	dialogue_say(dialogue, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n", authority, authority);
	if (state->user)
		say_credentials(dialogue, state);
	dialogue_say(dialogue, "\r\n");
	return DIALOGUE_MORE;
}

static bool
is_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

/* The status in "HTTP/1.1 200 OK"; 0 where that is no status line. */
static unsigned int
read_status(struct octets line)
{
	const unsigned char *c = line.bytes;
	unsigned int status = 0;

	if (line.length < STATUS_AT + STATUS_DIGITS || !octets_begin(line, VERSION_BEGIN) ||
	    !is_digit(c[STATUS_AT - 2]) || c[STATUS_AT - 1] != ' ')
		return 0;
	for (size_t i = 0; i < STATUS_DIGITS; i++) {
		if (!is_digit(c[STATUS_AT + i]))
			return 0;
		status = 10 * status + (unsigned int)(c[STATUS_AT + i] - '0');
	}
	if (line.length > STATUS_AT + STATUS_DIGITS && c[STATUS_AT + STATUS_DIGITS] != ' ')
		return 0;
	return status;
}

/* What those say that have never heard of CONNECT (RFC 9110, section 15): bad request, not found, not allowed, not implemented. */
static bool
is_of_web_server(unsigned int status)
{
	return status == 400 || status == 404 || status == 405 || status == 501 || status == 505;
}

static enum dialogue_verdict
judge_status(struct dialogue *dialogue, struct octets line, struct failure *failure)
{
	struct proxy_state *state = dialogue->state;
	unsigned int status = read_status(line);
	enum failure_code code;

	switch (status / 100) {
	case 2: state->step = STEP_FIELDS; return DIALOGUE_MORE;
	case 4:
		code = status == 407 ? FAILURE_PROTOCOL_PROXY_AUTH : FAILURE_PROTOCOL_PROXY_DENIED;
		break;
	case 5: code = FAILURE_PROTOCOL_PROXY_TARGET; break;
	default: return proxy_nonsense(dialogue, failure);
	}
	dialogue_fail_reply(dialogue, code, line, failure);
	if (is_of_web_server(status))
		failure_add_detail(failure, "perhaps", "a web server that is no proxy says so, too");
	return DIALOGUE_FAILED;
}

/* Whether what has come can still become a status line: what cannot need not be waited for. */
static bool
may_become_status(const struct dialogue *dialogue)
{
	struct octets pending;

	pending.bytes = dialogue_pending(dialogue, &pending.length);
	return octets_may_begin(pending, VERSION_BEGIN);
}

static enum dialogue_verdict
http_look(struct dialogue *dialogue, struct failure *failure)
{
	const struct proxy_state *state = dialogue->state;
	struct octets line;

	while (dialogue_line(dialogue, &line)) {
		enum dialogue_verdict verdict = DIALOGUE_MORE;

		if (state->step == STEP_STATUS)
			verdict = judge_status(dialogue, line, failure);
		else if (line.length == 0)
			verdict = proxy_pass(dialogue);
		if (verdict != DIALOGUE_MORE)
			return verdict;
	}
	if (state->step == STEP_STATUS && !may_become_status(dialogue))
		return proxy_nonsense(dialogue, failure);
	return DIALOGUE_MORE;
}

const struct dialogue_kind proxy_http_kind = {
	.start = http_start,
	.look = http_look,
	PROXY_KIND_COMMON,
};
