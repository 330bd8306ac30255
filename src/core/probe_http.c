/* The probe of HTTP (RFC 9110, 9112): the request, and the answer's status and headers.  Its body: core/probe_http_body. */
#include "core/probe_http.h"

#include "base/must.h"
#include "base/text.h"

#include <ctype.h>
#include <string.h>

#define VERSION_PREFIX	  "HTTP/1."
#define VERSION_OCTETS	  sizeof("HTTP/1.x") /* with the blank behind it */
#define STATUS_DIGITS	  3
#define WANTED_TEXT_MAX	  120
#define PORT_HTTP	  80
#define PORT_HTTPS	  443
#define STATUS_SWITCHING  101 /* the only interim one after which HTTP does not go on */
#define STATUS_NO_CONTENT 204
#define STATUS_UNCHANGED  304

/* RFC 9110, section 7.2.  A Unix socket has no host; what listens there is of this one. */
static void
say_host(struct dialogue *dialogue)
{
	const struct probe_setup *setup = &probe_of(dialogue)->setup;
	const struct target *target = setup->target;
	const char *host = target_domain(target);
	bool ipv6 = target->kind == TARGET_ADDRESS && address_is_ipv6(&target->address);

	if (setup->policy->host) {
		dialogue_say(dialogue, "Host: %s\r\n", setup->policy->host);
		return;
	}
	if (host[0] == '\0')
		host = "localhost";
	/* A zone means something on this host only (RFC 6874, section 4). */
	dialogue_say(dialogue, ipv6 ? "Host: [%.*s]" : "Host: %.*s", (int)strcspn(host, "%"), host);
	if (target->port != 0 && target->port != PORT_HTTP && target->port != PORT_HTTPS)
		dialogue_say(dialogue, ":%u", target->port);
	dialogue_say(dialogue, "\r\n");
}

static enum dialogue_verdict
http_start(struct dialogue *dialogue, struct failure *failure)
{
	struct http *http = dialogue->state;
	const struct probe_policy *policy = http->probe.setup.policy;

	(void)failure;
	http->is_head = strncmp(policy->request, "HEAD ", strlen("HEAD ")) == 0;
	http_body_start(http);
	dialogue_say(dialogue, "%s HTTP/1.1\r\n", policy->request);
	dialogue->asked = "the request";
	say_host(dialogue);
	dialogue_say(dialogue, "User-Agent: holdfast\r\nAccept: */*\r\nConnection: keep-alive\r\n\r\n");
	return DIALOGUE_MORE;
}

static struct octets
trim(struct octets octets)
{
	const char *bytes = octets.bytes;
	size_t length = octets.length;

	while (length > 0 && (*bytes == ' ' || *bytes == '\t')) {
		bytes++;
		length--;
	}
	while (length > 0 && (bytes[length - 1] == ' ' || bytes[length - 1] == '\t'))
		length--;
	return (struct octets){ bytes, length };
}

static bool
split_header(struct octets line, struct octets *ret_name, struct octets *ret_value)
{
	const char *bytes = line.bytes;
	const char *colon = line.length > 0 ? memchr(bytes, ':', line.length) : NULL;

	if (!colon)
		return false;
	*ret_name = (struct octets){ bytes, (size_t)(colon - bytes) };
	*ret_value = trim((struct octets){ colon + 1, line.length - ret_name->length - 1 });
	return true;
}

/* ---- the status -------------------------------------------------------------------------------------------------- */

/* Where the status is none of the wanted: kept, since the body may say more, and must be read anyway. */
static void
judge_status(struct http *http, struct octets line)
{
	const struct probe_policy *policy = http->probe.setup.policy;
	struct octets status = { (const char *)line.bytes + VERSION_OCTETS,
				 line.length - VERSION_OCTETS };

	if (http->status >= policy->status_min && http->status <= policy->status_max)
		return;
	if (http->status == 401 || http->status == 403 || http->status == 407)
		probe_auth(status, &http->probe.kept);
	else
		probe_status(status, &http->probe.kept);
	failure_set_evidence(&http->probe.kept, line.bytes, line.length);
}

static bool
parse_status(struct octets line, unsigned int *ret_status)
{
	const char *bytes = line.bytes;
	unsigned int status = 0;

	if (line.length < VERSION_OCTETS + STATUS_DIGITS ||
	    memcmp(bytes, VERSION_PREFIX, strlen(VERSION_PREFIX)) != 0 ||
	    !isdigit((unsigned char)bytes[VERSION_OCTETS - 2]) || bytes[VERSION_OCTETS - 1] != ' ')
		return false;
	for (size_t i = VERSION_OCTETS; i < VERSION_OCTETS + STATUS_DIGITS; i++) {
		if (!isdigit((unsigned char)bytes[i]))
			return false;
		status = 10 * status + (unsigned int)(bytes[i] - '0');
	}
	*ret_status = status;
	return status >= 100 && (line.length == VERSION_OCTETS + STATUS_DIGITS ||
				 bytes[VERSION_OCTETS + STATUS_DIGITS] == ' ');
}

/* What does not begin like HTTP need not be waited for until it ends a line. */
static bool
may_be_http(const struct dialogue *dialogue)
{
	size_t length;
	const unsigned char *bytes = dialogue_pending(dialogue, &length);

	if (length > strlen(VERSION_PREFIX))
		length = strlen(VERSION_PREFIX);
	return length == 0 || memcmp(bytes, VERSION_PREFIX, length) == 0;
}

static enum dialogue_verdict
take_status(struct dialogue *dialogue, struct failure *failure)
{
	struct http *http = dialogue->state;
	struct octets line;

	if (!may_be_http(dialogue))
		return probe_mismatch(dialogue, "HTTP/1.1", failure);
	if (!dialogue_line(dialogue, &line))
		return DIALOGUE_MORE;
	if (!parse_status(line, &http->status))
		return probe_mismatch(dialogue, "HTTP/1.1", failure);
	http->is_interim = http->status < 200 && http->status != STATUS_SWITCHING;
	if (!http->is_interim)
		judge_status(http, line);
	http->part = HTTP_HEADER;
	return DIALOGUE_MORE;
}

/* ---- the headers ------------------------------------------------------------------------------------------------- */

/* RFC 9112, section 6.3: a length that is none, or two that differ, make the message's end unknown. */
static bool
take_length(struct http *http, struct octets value)
{
	const char *digits = value.bytes;
	size_t length = 0;

	for (size_t i = 0; i < value.length; i++) {
		if (!isdigit((unsigned char)digits[i]))
			return false;
		if (length <= PROBE_SKIP_MAX)
			length = 10 * length + (size_t)(digits[i] - '0');
	}
	if (value.length == 0 || (http->has_length && http->left != length))
		return false;
	http->has_length = true;
	http->left = length;
	return true;
}

static void
take_coding(struct http *http, struct octets value)
{
	static const char chunked[] = "chunked";
	size_t length = strlen(chunked);
	struct octets last = value;

	if (value.length > length)
		last = (struct octets){ (const char *)value.bytes + value.length - length, length };
	http->is_coded = true;
	http->is_chunked = octets_equal(last, chunked);
}

static bool
is_wanted_header(const struct http *http, struct octets name, struct octets value)
{
	const char *header = http->probe.setup.policy->header;
	struct octets wanted_name, wanted_value;

	if (!header ||
	    !split_header((struct octets){ header, strlen(header) }, &wanted_name, &wanted_value))
		return false;
	return name.length == wanted_name.length && value.length == wanted_value.length &&
	       strncasecmp(name.bytes, wanted_name.bytes, name.length) == 0 &&
	       memcmp(value.bytes, wanted_value.bytes, value.length) == 0;
}

static bool
take_header_line(struct http *http, struct octets line)
{
	struct octets name, value;

	if (!split_header(line, &name, &value))
		return true; /* a folded line, or nothing that matters to us */
	if (octets_equal(name, "Content-Length"))
		return take_length(http, value);
	if (octets_equal(name, "Transfer-Encoding"))
		take_coding(http, value);
	http->has_wanted_header = http->has_wanted_header || is_wanted_header(http, name, value);
	return true;
}

static void
judge_headers(struct dialogue *dialogue)
{
	struct http *http = dialogue->state;
	const char *header = http->probe.setup.policy->header;
	char buffer[WANTED_TEXT_MAX];
	struct text text = TEXT_INIT(buffer);

	if (!header || http->has_wanted_header || http->probe.kept.code != FAILURE_NONE)
		return;
	text_add(&text, "the header ");
	text_add_escaped(&text, header, strlen(header), NULL);
	probe_mismatch(dialogue, buffer, &http->probe.kept);
}

static enum dialogue_verdict
end_interim(struct dialogue *dialogue, struct failure *failure)
{
	struct http *http = dialogue->state;

	if (++http->interim_count > HTTP_INTERIM_MAX)
		return probe_mismatch(dialogue, "a final status", failure);
	http->part = HTTP_STATUS;
	http->has_length = http->is_coded = http->is_chunked = false;
	http->left = 0;
	dialogue_new_reply(dialogue);
	return DIALOGUE_MORE;
}

/* RFC 9112, section 6.3. */
static enum dialogue_verdict
end_headers(struct dialogue *dialogue, struct failure *failure)
{
	struct http *http = dialogue->state;
	bool bare = http->is_head || http->status == STATUS_NO_CONTENT ||
		    http->status == STATUS_UNCHANGED || http->status == STATUS_SWITCHING;

	if (http->is_interim)
		return end_interim(dialogue, failure);
	judge_headers(dialogue);
	dialogue_new_reply(dialogue);
	if (bare || (!http->is_coded && http->has_length && http->left == 0))
		return http_finish(dialogue, failure);
	if (http->is_chunked)
		http->part = HTTP_CHUNK_SIZE;
	else if (!http->is_coded && http->has_length)
		http->part = HTTP_BODY;
	else
		http->part = HTTP_BODY_TO_END;
	if (http->part == HTTP_BODY && http->left > PROBE_SKIP_MAX)
		return http_too_long(dialogue, failure);
	return DIALOGUE_MORE;
}

static enum dialogue_verdict
take_header(struct dialogue *dialogue, struct failure *failure)
{
	struct octets line;

	if (!dialogue_line(dialogue, &line))
		return DIALOGUE_MORE;
	if (line.length == 0)
		return end_headers(dialogue, failure);
	if (take_header_line(dialogue->state, line))
		return DIALOGUE_MORE;
	return http_fail(dialogue, "a length of the body", failure);
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

typedef enum dialogue_verdict (*part_fn)(struct dialogue *dialogue, struct failure *failure);

static const part_fn parts[] = {
	[HTTP_STATUS] = take_status,
	[HTTP_HEADER] = take_header,
	[HTTP_BODY] = http_take_body,
	[HTTP_BODY_TO_END] = http_take_to_end,
	[HTTP_CHUNK_SIZE] = http_take_chunk_size,
	[HTTP_CHUNK] = http_take_chunk,
	[HTTP_CHUNK_END] = http_take_chunk_end,
	[HTTP_TRAILER] = http_take_trailer,
};

static enum dialogue_verdict
http_look(struct dialogue *dialogue, struct failure *failure)
{
	struct http *http = dialogue->state;
	size_t before, after;

	dialogue_pending(dialogue, &after);
	do {
		enum dialogue_verdict verdict = parts[http->part](dialogue, failure);

		if (verdict != DIALOGUE_MORE)
			return verdict;
		before = after;
		dialogue_pending(dialogue, &after);
	} while (after < before && after > 0);
	return DIALOGUE_MORE;
}

static enum dialogue_verdict
http_end(struct dialogue *dialogue, struct failure *failure)
{
	const struct http *http = dialogue->state;

	if (http->part == HTTP_BODY_TO_END)
		return http_finish(dialogue, failure);
	http_show_body(dialogue);
	return probe_end(dialogue, failure);
}

const struct dialogue_kind probe_http = {
	.start = http_start,
	.look = http_look,
	.end = http_end,
	.overdue = probe_overdue,
	.state_bytes = sizeof(struct http),
	PROBE_KIND_CODES,
};
