/*
 * A proxy that speaks SOCKS 5 (RFC 1928), without authentication or with user and password (RFC 1929).
 */
#include "core/proxy_internal.h"

#include "base/must.h"
#include "base/text.h"

#include <string.h>

#define SOCKS_VERSION	    5
#define METHOD_NONE	    0x00
#define METHOD_PASSWORD	    0x02
#define METHOD_UNACCEPTABLE 0xff
#define PASSWORD_VERSION    1
#define COMMAND_CONNECT	    1
#define ADDRESS_IPV4	    1
#define ADDRESS_NAME	    3
#define ADDRESS_IPV6	    4
#define PORT_BYTES	    2

#define CHOICE_BYTES 2 /* of the reply to our methods, and to user and password */
#define REPLY_HEAD   4 /* of the reply to CONNECT: version, reply, nothing, kind of address */
#define REPLY_MAX    48

#define REPLY_DENIED 2
#define REPLY_TARGET_MAX \
	6 /* those up to it but REPLY_DENIED say that the upstream could not be reached */

/* What we wait for: the replies to our methods, to user and password, and to CONNECT. */
enum step {
	STEP_METHOD,
	STEP_PASSWORD,
	STEP_CONNECT,
};

/* RFC 1928, section 6. */
static const char *const reply_names[] = {
	"succeeded",	       "general failure",	"connection not allowed",
	"network unreachable", "host unreachable",	"connection refused",
	"TTL expired",	       "command not supported", "address type not supported",
};

static void
send_octet(struct dialogue *dialogue, size_t octet)
{
	const unsigned char byte = (unsigned char)octet;

	must(octet <= UINT8_MAX);
	dialogue_send(dialogue, &byte, 1);
}

static enum dialogue_verdict
go_on(struct dialogue *dialogue, enum step step)
{
	struct proxy_state *state = dialogue->state;

	state->step = step;
	dialogue_new_reply(dialogue);
	return DIALOGUE_MORE;
}

static enum dialogue_verdict
socks_start(struct dialogue *dialogue, struct failure *failure)
{
	static const unsigned char without[] = { SOCKS_VERSION, 1, METHOD_NONE };
	static const unsigned char with[] = { SOCKS_VERSION, 2, METHOD_NONE, METHOD_PASSWORD };
	const struct proxy_state *state = dialogue->state;

	(void)failure;
	dialogue->asked = "the offer of methods";
	if (state->user)
		dialogue_send(dialogue, with, sizeof(with));
	else
		dialogue_send(dialogue, without, sizeof(without));
	return DIALOGUE_MORE;
}

static void
send_counted(struct dialogue *dialogue, const char *string)
{
	send_octet(dialogue, strlen(string));
	dialogue_send(dialogue, string, strlen(string));
}

static enum dialogue_verdict
send_password(struct dialogue *dialogue)
{
	const struct proxy_state *state = dialogue->state;

	dialogue->asked = "user and password";
	send_octet(dialogue, PASSWORD_VERSION);
	send_counted(dialogue, state->user);
	send_counted(dialogue, state->password);
	return go_on(dialogue, STEP_PASSWORD);
}

static enum dialogue_verdict
send_connect(struct dialogue *dialogue)
{
	static const unsigned char head[] = { SOCKS_VERSION, COMMAND_CONNECT, 0 };
	const struct proxy_state *state = dialogue->state;
	const struct target *target = &state->target;

	dialogue->asked = "the request to connect";
	dialogue_send(dialogue, head, sizeof(head));
	if (target->kind == TARGET_NAME) {
		send_octet(dialogue, ADDRESS_NAME);
		send_counted(dialogue, target->host);
	} else if (address_is_ipv6(&target->address)) {
		send_octet(dialogue, ADDRESS_IPV6);
		dialogue_send(dialogue, &target->address.in6.sin6_addr,
			      sizeof(target->address.in6.sin6_addr));
	} else {
		send_octet(dialogue, ADDRESS_IPV4);
		dialogue_send(dialogue, &target->address.in.sin_addr,
			      sizeof(target->address.in.sin_addr));
	}
	send_octet(dialogue, target->port >> 8);
	send_octet(dialogue, target->port & 0xff);
	return go_on(dialogue, STEP_CONNECT);
}

static enum dialogue_verdict
fail_auth(struct dialogue *dialogue, const char *told, struct failure *failure)
{
	return dialogue_fail_told(dialogue, FAILURE_PROTOCOL_PROXY_AUTH,
				  (struct octets){ told, strlen(told) }, failure);
}

static enum dialogue_verdict
judge_method(struct dialogue *dialogue, const unsigned char *reply, struct failure *failure)
{
	const struct proxy_state *state = dialogue->state;

	if (reply[1] == METHOD_UNACCEPTABLE)
		return fail_auth(dialogue, "no acceptable method of authentication", failure);
	if (reply[1] == METHOD_PASSWORD && state->user)
		return send_password(dialogue);
	if (reply[1] != METHOD_NONE)
		return proxy_nonsense(dialogue, failure);
	return send_connect(dialogue);
}

static enum dialogue_verdict
judge_password(struct dialogue *dialogue, const unsigned char *reply, struct failure *failure)
{
	if (reply[1] != 0)
		return fail_auth(dialogue, "user or password refused", failure);
	return send_connect(dialogue);
}

static enum dialogue_verdict
refused(struct dialogue *dialogue, unsigned char reply, struct failure *failure)
{
	const char *name = reply < COUNT_OF(reply_names) ? reply_names[reply] : "reply";
	enum failure_code code = FAILURE_PROTOCOL_PROXY_TARGET;
	char buffer[REPLY_MAX];
	struct text text = TEXT_INIT(buffer);

	if (reply == REPLY_DENIED)
		code = FAILURE_PROTOCOL_PROXY_DENIED;
	else if (reply > REPLY_TARGET_MAX)
		code = FAILURE_PROTOCOL_PROXY_REPLY;
	text_addf(&text, "%s(%u)", name, reply);
	return dialogue_fail_told(dialogue, code, (struct octets){ buffer, text.length }, failure);
}

/* The length of the whole reply to CONNECT; 0 where that cannot be told yet; SIZE_MAX where it is none. */
static size_t
reply_length(const unsigned char *reply, size_t length)
{
	if (length < REPLY_HEAD + 1)
		return 0;
	switch (reply[REPLY_HEAD - 1]) {
	case ADDRESS_IPV4: return REPLY_HEAD + sizeof(struct in_addr) + PORT_BYTES;
	case ADDRESS_IPV6: return REPLY_HEAD + sizeof(struct in6_addr) + PORT_BYTES;
	case ADDRESS_NAME: return REPLY_HEAD + 1 + (size_t)reply[REPLY_HEAD] + PORT_BYTES;
	default: return SIZE_MAX;
	}
}

/* Where it is bad, the reply may end with that word; where it is good, not an octet of what follows it may be taken. */
static enum dialogue_verdict
look_connect(struct dialogue *dialogue, const unsigned char *reply, size_t length, struct failure *failure)
{
	size_t whole;

	if (length > 1 && reply[1] != 0)
		return refused(dialogue, reply[1], failure);
	whole = reply_length(reply, length);
	if (whole == SIZE_MAX)
		return proxy_nonsense(dialogue, failure);
	if (whole == 0 || length < whole)
		return DIALOGUE_MORE;
	dialogue_consume(dialogue, whole);
	return proxy_pass(dialogue);
}

static unsigned char
version_of(unsigned int step)
{
	return step == STEP_PASSWORD ? PASSWORD_VERSION : SOCKS_VERSION;
}

static enum dialogue_verdict
socks_look(struct dialogue *dialogue, struct failure *failure)
{
	const struct proxy_state *state = dialogue->state;
	enum dialogue_verdict verdict = DIALOGUE_MORE;

	while (verdict == DIALOGUE_MORE) {
		size_t length;
		const unsigned char *reply = dialogue_pending(dialogue, &length);

		if (length > 0 && reply[0] != version_of(state->step))
			return proxy_nonsense(dialogue, failure);
		if (state->step == STEP_CONNECT)
			return look_connect(dialogue, reply, length, failure);
		if (length < CHOICE_BYTES)
			return DIALOGUE_MORE;
		dialogue_consume(dialogue, CHOICE_BYTES);
		verdict = state->step == STEP_METHOD ? judge_method(dialogue, reply, failure) :
						       judge_password(dialogue, reply, failure);
	}
	return verdict;
}

const struct dialogue_kind proxy_socks_kind = {
	.start = socks_start,
	.look = socks_look,
	PROXY_KIND_COMMON,
};
