/* The body of an answer to the probe of HTTP: read to its end, so that the connection stays in step, and searched. */
#include "core/probe_http.h"

#include "base/must.h"
#include "base/text.h"

#include <ctype.h>
#include <string.h>

#define WANTED_TEXT_MAX 120
#define HEX		16

static size_t
wanted_length(const struct http *http)
{
	const char *wanted = http->probe.setup.policy->body;

	return wanted ? strlen(wanted) : 0;
}

void
http_body_start(struct http *http)
{
	const char *wanted = http->probe.setup.policy->body;
	size_t length = wanted_length(http), common = 0;

	must(length <= COUNT_OF(http->back));
	for (size_t i = 1; i < length; i++) {
		while (common > 0 && wanted[i] != wanted[common])
			common = http->back[common - 1];
		if (wanted[i] == wanted[common])
			common++;
		http->back[i] = (uint16_t)common;
	}
}

static void
search(struct http *http, const unsigned char *bytes, size_t length)
{
	const char *wanted = http->probe.setup.policy->body;
	size_t all = wanted_length(http);

	for (size_t i = 0; i < length && http->matched < all; i++) {
		while (http->matched > 0 && (char)bytes[i] != wanted[http->matched])
			http->matched = http->back[http->matched - 1];
		if ((char)bytes[i] == wanted[http->matched])
			http->matched++;
	}
}

static void
keep_first(struct http *http, const unsigned char *bytes, size_t length)
{
	size_t room = sizeof(http->first) - http->first_length;

	if (length > room)
		length = room;
	memcpy(http->first + http->first_length, bytes, length);
	http->first_length += length;
}

/* What a person would read first of a body: the title of a page, or the first line of what is none. */
static struct octets
headline(const struct http *http)
{
	static const char title[] = "<title>";
	const char *at = (const char *)http->first, *end = at + http->first_length;
	const char *found = memmem(at, http->first_length, title, strlen(title));
	size_t length = 0;

	if (!found && *at == '<')
		return (struct octets){ at, 0 };
	if (found)
		at = found + strlen(title);
	while (at + length < end && !strchr("<\r\n", at[length]))
		length++;
	return (struct octets){ at, length };
}

/* A server that refuses us often says why on the page. */
static void
add_says(const struct http *http, struct failure *kept)
{
	struct octets line = headline(http);
	const char *status = failure_detail(kept, "status");
	char buffer[FAILURE_EVIDENCE_MAX + 1];
	struct text text = TEXT_INIT(buffer);

	text_add_escaped(&text, line.bytes, line.length, NULL);
	if (text.length > 0 && (!status || strcmp(buffer, status) != 0))
		failure_add_detail(kept, "says", buffer);
}

void
http_show_body(struct dialogue *dialogue)
{
	struct http *http = dialogue->state;
	struct failure *kept = &http->probe.kept;

	if (http->first_length == 0)
		return;
	memcpy(dialogue->first, http->first, http->first_length);
	dialogue->first_length = http->first_length;
	if (kept->code == FAILURE_PROTOCOL_PROBE_STATUS || kept->code == FAILURE_PROTOCOL_PROBE_AUTH)
		failure_set_evidence(kept, http->first, http->first_length);
	if (kept->code == FAILURE_PROTOCOL_PROBE_STATUS)
		add_says(http, kept);
}

enum dialogue_verdict
http_fail(struct dialogue *dialogue, const char *wanted, struct failure *failure)
{
	http_show_body(dialogue);
	if (probe_kept(dialogue, failure))
		return DIALOGUE_FAILED;
	return probe_mismatch(dialogue, wanted, failure);
}

enum dialogue_verdict
http_too_long(struct dialogue *dialogue, struct failure *failure)
{
	return http_fail(dialogue, "a body of at most 1 MiB", failure);
}

enum dialogue_verdict
http_finish(struct dialogue *dialogue, struct failure *failure)
{
	const struct http *http = dialogue->state;
	const char *wanted = http->probe.setup.policy->body;
	char buffer[WANTED_TEXT_MAX];
	struct text text = TEXT_INIT(buffer);

	if (http->probe.kept.code == FAILURE_NONE && http->matched == wanted_length(http))
		return DIALOGUE_DONE;
	text_add(&text, "a body with ");
	if (wanted)
		text_add_escaped(&text, wanted, strlen(wanted), NULL);
	return http_fail(dialogue, buffer, failure);
}

/* Read what is pending of the body, `max` octets at most.  Returns how many there were. */
static size_t
eat(struct dialogue *dialogue, size_t max)
{
	struct http *http = dialogue->state;
	size_t length;
	const unsigned char *bytes = dialogue_pending(dialogue, &length);

	if (length > max)
		length = max;
	if (length == 0)
		return 0;
	http->body_length += length;
	search(http, bytes, length);
	keep_first(http, bytes, length);
	dialogue_consume(dialogue, length);
	dialogue_new_reply(dialogue);
	return length;
}

enum dialogue_verdict
http_take_body(struct dialogue *dialogue, struct failure *failure)
{
	struct http *http = dialogue->state;

	http->left -= eat(dialogue, http->left);
	return http->left == 0 ? http_finish(dialogue, failure) : DIALOGUE_MORE;
}

enum dialogue_verdict
http_take_to_end(struct dialogue *dialogue, struct failure *failure)
{
	struct http *http = dialogue->state;

	eat(dialogue, SIZE_MAX);
	return http->body_length > PROBE_SKIP_MAX ? http_too_long(dialogue, failure) : DIALOGUE_MORE;
}

/* RFC 9112, section 7.1.  Returns false where the line begins with no hexadecimal number; what is too long becomes no less so. */
static bool
parse_size(struct octets line, size_t *ret_size)
{
	const unsigned char *at = line.bytes;
	size_t size = 0, i;

	for (i = 0; i < line.length && isxdigit(at[i]); i++) {
		int digit = isdigit(at[i]) ? at[i] - '0' : tolower(at[i]) - 'a' + 10;

		if (size <= PROBE_SKIP_MAX)
			size = HEX * size + (size_t)digit;
	}
	*ret_size = size;
	return i > 0 && (i == line.length || at[i] == ';' || at[i] == ' ' || at[i] == '\t');
}

enum dialogue_verdict
http_take_chunk_size(struct dialogue *dialogue, struct failure *failure)
{
	struct http *http = dialogue->state;
	struct octets line;

	if (!dialogue_line(dialogue, &line))
		return DIALOGUE_MORE;
	if (!parse_size(line, &http->left))
		return http_fail(dialogue, "a chunk's size", failure);
	if (http->left > PROBE_SKIP_MAX - http->body_length)
		return http_too_long(dialogue, failure);
	http->part = http->left > 0 ? HTTP_CHUNK : HTTP_TRAILER;
	return DIALOGUE_MORE;
}

enum dialogue_verdict
http_take_chunk(struct dialogue *dialogue, struct failure *failure)
{
	struct http *http = dialogue->state;

	(void)failure;
	http->left -= eat(dialogue, http->left);
	if (http->left == 0)
		http->part = HTTP_CHUNK_END;
	return DIALOGUE_MORE;
}

enum dialogue_verdict
http_take_chunk_end(struct dialogue *dialogue, struct failure *failure)
{
	struct http *http = dialogue->state;
	struct octets line;

	if (!dialogue_line(dialogue, &line))
		return DIALOGUE_MORE;
	if (line.length > 0)
		return http_fail(dialogue, "a chunk's end", failure);
	http->part = HTTP_CHUNK_SIZE;
	return DIALOGUE_MORE;
}

enum dialogue_verdict
http_take_trailer(struct dialogue *dialogue, struct failure *failure)
{
	struct octets line;

	if (!dialogue_line(dialogue, &line))
		return DIALOGUE_MORE;
	return line.length == 0 ? http_finish(dialogue, failure) : DIALOGUE_MORE;
}
