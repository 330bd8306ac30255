/*
 * STARTTLS of LDAP (RFC 4511, sections 4.4.1, 4.12 and 4.14): one extended request and its response, in BER with definite lengths.
 */
#include "core/starttls_internal.h"

#include "base/text.h"

#include <string.h>

#define TAG_INTEGER	      0x02
#define TAG_OCTETS	      0x04
#define TAG_ENUMERATED	      0x0a
#define TAG_SEQUENCE	      0x30
#define TAG_EXTENDED_RESPONSE 0x78 /* [APPLICATION 24] */
#define TAG_RESPONSE_NAME     0x8a /* [10] */

#define RESULT_SUCCESS	      0
#define RESULT_PROTOCOL_ERROR 2

#define NOTICE_OF_DISCONNECTION "1.3.6.1.4.1.1466.20036"
#define LENGTH_OCTETS_MAX	4 /* of BER's long form; some servers always write four */
#define INTEGER_OCTETS_MAX	4
#define REPLY_MAX		256 /* of a result made readable; cut beyond */

/* Message 1: ExtendedRequest { requestName [0] "1.3.6.1.4.1.1466.20037" }. */
static const char request[] = "\x30\x1d\x02\x01\x01\x77\x18\x80\x16"
			      "1.3.6.1.4.1.1466.20037";

static const struct {
	unsigned int code;
	const char *name;
} result_names[] = {
	{ 1, "operationsError" },
	{ RESULT_PROTOCOL_ERROR, "protocolError" },
	{ 8, "strongerAuthRequired" },
	{ 10, "referral" },
	{ 12, "unavailableCriticalExtension" },
	{ 13, "confidentialityRequired" },
	{ 50, "insufficientAccessRights" },
	{ 51, "busy" },
	{ 52, "unavailable" },
	{ 53, "unwillingToPerform" },
	{ 80, "other" },
};

struct response {
	unsigned int id, result;
	struct octets diagnostic;
	struct octets name; /* bytes NULL: none */
};

static const char *
result_name(unsigned int result)
{
	for (size_t i = 0; i < COUNT_OF(result_names); i++) {
		if (result_names[i].code == result)
			return result_names[i].name;
	}
	return "result";
}

enum progress {
	PROGRESS_WHOLE,
	PROGRESS_PART, /* more has to come */
	PROGRESS_BAD,  /* that is no BER, or too long */
};

/* The tag and the length at the head of `from`. */
static enum progress
read_head(struct octets from, unsigned char *ret_tag, size_t *ret_head, size_t *ret_length)
{
	const unsigned char *bytes = from.bytes;
	size_t count, length = 0;

	if (from.length < 2)
		return PROGRESS_PART;
	*ret_tag = bytes[0];
	*ret_head = 2;
	*ret_length = bytes[1];
	if (bytes[1] < 0x80)
		return PROGRESS_WHOLE;
	count = bytes[1] & 0x7f;
	if (count == 0 || count > LENGTH_OCTETS_MAX)
		return PROGRESS_BAD; /* 0: the indefinite form, which RFC 4511, section 5.1, forbids */
	if (from.length < 2 + count)
		return PROGRESS_PART;
	for (size_t i = 0; i < count; i++)
		length = length << 8 | bytes[2 + i];
	*ret_head = 2 + count;
	*ret_length = length;
	return length <= DIALOGUE_INPUT_MAX ? PROGRESS_WHOLE : PROGRESS_BAD;
}

/* Cut an element off the head of `from`, which has all of it.  Returns whether it has. */
static bool
next_element(struct octets *from, unsigned char *ret_tag, struct octets *ret_content)
{
	const unsigned char *bytes = from->bytes;
	size_t head, length;

	if (read_head(*from, ret_tag, &head, &length) != PROGRESS_WHOLE || length > from->length - head)
		return false;
	*ret_content = (struct octets){ bytes + head, length };
	*from = (struct octets){ bytes + head + length, from->length - head - length };
	return true;
}

/* The same, where it must be of `tag`. */
static bool
next_of(struct octets *from, unsigned char tag, struct octets *ret_content)
{
	unsigned char found;

	return next_element(from, &found, ret_content) && found == tag;
}

/* A number that is not negative. */
static bool
next_number(struct octets *from, unsigned char tag, unsigned int *ret_number)
{
	struct octets content;
	const unsigned char *bytes;

	if (!next_of(from, tag, &content))
		return false;
	bytes = content.bytes;
	if (content.length == 0 || content.length > INTEGER_OCTETS_MAX || bytes[0] >= 0x80)
		return false;
	*ret_number = 0;
	for (size_t i = 0; i < content.length; i++)
		*ret_number = *ret_number << 8 | bytes[i];
	return true;
}

/* `message`: what is in LDAPMessage's sequence.  Controls and what further may follow are no matter. */
static bool
read_response(struct octets message, struct response *ret_response)
{
	struct octets operation, matched, content;
	unsigned char tag;

	*ret_response = (struct response){ 0 };
	if (!next_number(&message, TAG_INTEGER, &ret_response->id) ||
	    !next_of(&message, TAG_EXTENDED_RESPONSE, &operation) ||
	    !next_number(&operation, TAG_ENUMERATED, &ret_response->result) ||
	    !next_of(&operation, TAG_OCTETS, &matched) ||
	    !next_of(&operation, TAG_OCTETS, &ret_response->diagnostic))
		return false;
	while (operation.length > 0) {
		if (!next_element(&operation, &tag, &content))
			return false;
		if (tag == TAG_RESPONSE_NAME)
			ret_response->name = content;
	}
	return true;
}

static enum dialogue_verdict
fail_result(const struct dialogue *dialogue, enum failure_code code,
	    const struct response *response, struct failure *failure)
{
	char buffer[REPLY_MAX];
	struct text text = TEXT_INIT(buffer);

	text_addf(&text, "%s(%u)", result_name(response->result), response->result);
	if (response->diagnostic.length > 0) {
		text_add(&text, ": ");
		text_add_bytes(&text, response->diagnostic.bytes, response->diagnostic.length);
	}
	return dialogue_fail_told(dialogue, code, (struct octets){ buffer, text.length }, failure);
}

static enum dialogue_verdict
judge(struct dialogue *dialogue, const struct response *response, struct failure *failure)
{
	/* "Not implemented" is the same, whether it comes as the response or as a farewell. */
	enum failure_code code = response->id == 0 ? FAILURE_PROTOCOL_GREETING_REJECTED :
						     FAILURE_PROTOCOL_STARTTLS_REFUSED;

	if (response->id > 1)
		return starttls_nonsense(dialogue, failure);
	/* Of unsolicited notifications the one is known; others must be ignored (section 4.4). */
	if (response->id == 0 && response->name.bytes &&
	    !octets_equal(response->name, NOTICE_OF_DISCONNECTION))
		return DIALOGUE_MORE;
	if (response->id == 1 && response->result == RESULT_SUCCESS)
		return starttls_go_ahead(dialogue, failure);
	if (response->result == RESULT_PROTOCOL_ERROR)
		code = FAILURE_PROTOCOL_STARTTLS_MISSING;
	return fail_result(dialogue, code, response, failure);
}

/* The message at the head of what has come. */
static enum progress
next_message(struct dialogue *dialogue, struct octets *ret_message)
{
	struct octets pending;
	const unsigned char *bytes;
	size_t head, length;
	unsigned char tag;
	enum progress progress;

	bytes = dialogue_pending(dialogue, &pending.length);
	pending.bytes = bytes;
	if (pending.length > 0 && bytes[0] != TAG_SEQUENCE)
		return PROGRESS_BAD;
	progress = read_head(pending, &tag, &head, &length);
	if (progress != PROGRESS_WHOLE)
		return progress;
	if (pending.length - head < length)
		return PROGRESS_PART;
	dialogue_consume(dialogue, head + length);
	*ret_message = (struct octets){ bytes + head, length };
	return PROGRESS_WHOLE;
}

static enum dialogue_verdict
ldap_look(struct dialogue *dialogue, struct failure *failure)
{
	for (;;) {
		enum dialogue_verdict verdict;
		struct response response;
		struct octets message;
		enum progress progress = next_message(dialogue, &message);

		if (progress == PROGRESS_PART)
			return DIALOGUE_MORE;
		if (progress == PROGRESS_BAD || !read_response(message, &response))
			return starttls_nonsense(dialogue, failure);
		verdict = judge(dialogue, &response, failure);
		if (verdict != DIALOGUE_MORE)
			return verdict;
	}
}

static enum dialogue_verdict
ldap_start(struct dialogue *dialogue, struct failure *failure)
{
	(void)failure;
	dialogue_send(dialogue, request, sizeof(request) - 1);
	dialogue->asked = "StartTLS";
	return DIALOGUE_MORE;
}

const struct dialogue_kind starttls_ldap_kind = {
	.start = ldap_start,
	.look = ldap_look,
	.state_bytes = sizeof(struct starttls_common),
	STARTTLS_KIND_CODES,
};
