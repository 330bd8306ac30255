/*
 * STARTTLS of ManageSieve (RFC 5804): strings in quotes or as literals, capabilities without being asked.
 */
#include "core/starttls_internal.h"

#include <string.h>

struct sieve_state {
	struct starttls_common common;
	bool listed; /* there has been a capability: one, IMPLEMENTATION, is mandatory (section 1.7) */
	bool offered, said; /* the server has offered it; we have said it */
};

/* A line with its literals. */
struct sieve_line {
	struct octets all; /* without the last CR LF */
	struct octets first; /* what stands first: a word as it is, a string without quotes or the literal's {count} */
	struct octets text; /* what tells: the first literal and what follows; all of it where there is none */
	bool string; /* it is a string */
};

enum progress {
	PROGRESS_WHOLE,
	PROGRESS_PART, /* more has to come */
	PROGRESS_BAD,  /* it cannot become one */
};

/* Whether a line of `length` octets ends in a literal's {count} or {count+}; *ret_count is then at most DIALOGUE_INPUT_MAX + 1. */
static bool
ends_in_literal(const unsigned char *line, size_t length, size_t *ret_count)
{
	size_t end = length, digit;

	if (end == 0 || line[--end] != '}')
		return false;
	if (end > 0 && line[end - 1] == '+')
		end--;
	digit = end;
	while (digit > 0 && line[digit - 1] >= '0' && line[digit - 1] <= '9')
		digit--;
	if (digit == end || digit == 0 || line[digit - 1] != '{')
		return false;
	for (*ret_count = 0; digit < end; digit++) {
		*ret_count = 10 * *ret_count + (size_t)(line[digit] - '0');
		if (*ret_count > DIALOGUE_INPUT_MAX)
			*ret_count = DIALOGUE_INPUT_MAX + 1;
	}
	return true;
}

/* The first thing in the line; literal: the octets of the first literal, if there is one. */
static void
read_first(struct sieve_line *line, struct octets literal)
{
	const unsigned char *bytes = line->all.bytes, *end;

	if (line->all.length > 0 && bytes[0] == '{') {
		line->string = true;
		line->first = literal;
	} else if (line->all.length > 0 && bytes[0] == '"') {
		end = memchr(bytes + 1, '"', line->all.length - 1);
		line->string = true;
		line->first = (struct octets){ bytes + 1, end ? (size_t)(end - bytes - 1) : 0 };
	} else {
		end = memchr(bytes, ' ', line->all.length);
		line->first = (struct octets){ bytes, end ? (size_t)(end - bytes) : line->all.length };
	}
}

/* The line at the head of `pending`, and with its CR LF how much of it, as far as it is whole. */
static enum progress
read_line(struct octets pending, struct sieve_line *ret_line, size_t *ret_length)
{
	const unsigned char *bytes = pending.bytes;
	struct octets literal = { 0 };
	size_t at = 0;

	for (;;) {
		const unsigned char *end = at < pending.length ?
						   memchr(bytes + at, '\n', pending.length - at) :
						   NULL;
		size_t length, count;

		if (!end)
			return PROGRESS_PART;
		length = (size_t)(end - (bytes + at));
		if (length > 0 && bytes[at + length - 1] == '\r')
			length--;
		if (!ends_in_literal(bytes + at, length, &count)) {
			*ret_length = (size_t)(end + 1 - bytes);
			*ret_line = (struct sieve_line){ .all = { bytes, at + length } };
			break;
		}
		if (count > DIALOGUE_INPUT_MAX)
			return PROGRESS_BAD;
		at = (size_t)(end + 1 - bytes);
		if (!literal.bytes)
			literal = (struct octets){ bytes + at, count };
		at += count;
	}
	ret_line->text = ret_line->all;
	if (literal.bytes)
		ret_line->text = (struct octets){
			literal.bytes,
			ret_line->all.length - (size_t)((const unsigned char *)literal.bytes - bytes)
		};
	read_first(ret_line, literal);
	return PROGRESS_WHOLE;
}

static enum dialogue_verdict
judge_line(struct dialogue *dialogue, const struct sieve_line *line, struct failure *failure)
{
	struct sieve_state *state = dialogue->state;

	if (line->string && !state->said) {
		state->listed = true;
		if (octets_equal(line->first, "STARTTLS"))
			state->offered = true;
		return DIALOGUE_MORE;
	}
	if (line->string)
		return starttls_nonsense(dialogue, failure);
	if (octets_equal(line->first, "NO") || octets_equal(line->first, "BYE"))
		return dialogue_fail_reply(dialogue,
					   state->said ? FAILURE_PROTOCOL_STARTTLS_REFUSED :
							 FAILURE_PROTOCOL_GREETING_REJECTED,
					   line->text, failure);
	if (!octets_equal(line->first, "OK"))
		return starttls_nonsense(dialogue, failure);
	if (state->said)
		return starttls_go_ahead(dialogue, failure);
	if (!state->listed)
		return starttls_nonsense(dialogue, failure);
	if (!state->offered)
		return starttls_missing(dialogue, failure);
	state->said = true;
	dialogue_say(dialogue, "STARTTLS\r\n");
	dialogue->asked = "STARTTLS";
	dialogue_new_reply(dialogue);
	return DIALOGUE_MORE;
}

static bool
may_become_line(struct octets pending)
{
	return octets_may_begin(pending, "\"") || octets_may_begin(pending, "{") ||
	       octets_may_begin(pending, "OK") || octets_may_begin(pending, "NO") ||
	       octets_may_begin(pending, "BYE");
}

static enum dialogue_verdict
sieve_look(struct dialogue *dialogue, struct failure *failure)
{
	for (;;) {
		enum dialogue_verdict verdict;
		struct sieve_line line;
		struct octets pending;
		size_t length = 0;
		enum progress progress;

		pending.bytes = dialogue_pending(dialogue, &pending.length);
		progress = may_become_line(pending) ? read_line(pending, &line, &length) : PROGRESS_BAD;
		if (progress == PROGRESS_PART)
			return DIALOGUE_MORE;
		if (progress == PROGRESS_BAD)
			return starttls_nonsense(dialogue, failure);
		dialogue->lines_too_many = dialogue->line_count++ == DIALOGUE_LINES_MAX;
		if (dialogue->lines_too_many)
			return DIALOGUE_MORE;
		dialogue_consume(dialogue, length);
		verdict = judge_line(dialogue, &line, failure);
		if (verdict != DIALOGUE_MORE)
			return verdict;
	}
}

const struct dialogue_kind starttls_sieve_kind = {
	.look = sieve_look,
	.end = starttls_line_end,
	.state_bytes = sizeof(struct sieve_state),
	STARTTLS_KIND_CODES,
};
