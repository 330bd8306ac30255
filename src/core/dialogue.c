/* What every kind of dialogue shares: the input as it comes, lines of it, what is to be sent, and how a failure is filled. */
#include "core/dialogue_internal.h"

#include "base/must.h"
#include "base/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define INPUT_FIRST \
	512 /* octets of the input's first buffer: enough for what most servers say at once */
/* Characters of {bytes} and {reply}: a sentence of a person's length, and both fit into the record's details. */
#define BYTES_TEXT_MAX	  96
#define REPLY_TEXT_MAX	  200
#define GREETING_TEXT_MAX 60 /* of {greeting} */
#define CUT_MARK	  "..."
#define MISSING_MAX	  64 /* bytes of {missing} and {wanted}: they are ours, and short */

static unsigned char
ascii_lower(unsigned char c)
{
	return c >= 'A' && c <= 'Z' ? (unsigned char)(c + ('a' - 'A')) : c;
}

int
dialogue_new(const struct dialogue_kind *kind, struct dialogue **ret_dialogue)
{
	_cleanup_(dialogue_freep) struct dialogue *dialogue = calloc(1, sizeof(*dialogue));

	if (!dialogue)
		return -ENOMEM;
	if (kind->state_bytes > 0) {
		dialogue->state = calloc(1, kind->state_bytes);
		if (!dialogue->state)
			return -ENOMEM;
	}
	dialogue->kind = kind;
	*ret_dialogue = steal(dialogue);
	return 0;
}

struct dialogue *
dialogue_free(struct dialogue *dialogue)
{
	if (!dialogue)
		return NULL;
	if (dialogue->kind && dialogue->kind->done)
		dialogue->kind->done(dialogue);
	free(dialogue->state);
	free(dialogue->input);
	free(dialogue);
	return NULL;
}

enum dialogue_verdict
dialogue_start(struct dialogue *dialogue, struct failure *failure)
{
	if (!dialogue->kind->start)
		return DIALOGUE_MORE;
	return dialogue->kind->start(dialogue, failure);
}

const void *
dialogue_output(const struct dialogue *dialogue, size_t *ret_length)
{
	*ret_length = dialogue->output_length;
	return dialogue->output;
}

void
dialogue_sent(struct dialogue *dialogue, size_t length)
{
	must(length <= dialogue->output_length);
	dialogue->output_length -= length;
	memmove(dialogue->output, dialogue->output + length, dialogue->output_length);
}

void
dialogue_send(struct dialogue *dialogue, const void *bytes, size_t length)
{
	must(length <= sizeof(dialogue->output) - dialogue->output_length);
	if (length > 0)
		memcpy(dialogue->output + dialogue->output_length, bytes, length);
	dialogue->output_length += length;
}

void
dialogue_say(struct dialogue *dialogue, const char *format, ...)
{
	size_t room = sizeof(dialogue->output) - dialogue->output_length;
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf((char *)dialogue->output + dialogue->output_length, room, format, arguments);
	va_end(arguments);
	must(length >= 0 && (size_t)length < room);
	dialogue->output_length += (size_t)length;
}

static bool
make_room(struct dialogue *dialogue, size_t length)
{
	size_t wanted = dialogue->input_length + length;
	size_t size = dialogue->input_size > 0 ? dialogue->input_size : INPUT_FIRST;
	unsigned char *input;

	if (wanted <= dialogue->input_size)
		return true;
	while (size < wanted)
		size *= 2;
	input = realloc(dialogue->input, size);
	if (!input)
		return false;
	dialogue->input = input;
	dialogue->input_size = size;
	return true;
}

/* The evidence of the reply before is kept until this one has begun: an end or a deadline in between is told by it. */
static void
keep_first(struct dialogue *dialogue, const unsigned char *bytes, size_t length)
{
	size_t room;

	if (length == 0)
		return;
	if (dialogue->first_is_old)
		dialogue->first_length = 0;
	dialogue->first_is_old = false;
	room = sizeof(dialogue->first) - dialogue->first_length;
	if (length > room)
		length = room;
	memcpy(dialogue->first + dialogue->first_length, bytes, length);
	dialogue->first_length += length;
}

/* How much more the present reply may still have. */
static size_t
reply_room(const struct dialogue *dialogue)
{
	size_t length = dialogue->reply_consumed + dialogue->input_length;

	must(length <= DIALOGUE_INPUT_MAX);
	return DIALOGUE_INPUT_MAX - length;
}

static void
forget_consumed(struct dialogue *dialogue)
{
	dialogue->input_length -= dialogue->consumed;
	if (dialogue->consumed > 0 && dialogue->input_length > 0)
		memmove(dialogue->input, dialogue->input + dialogue->consumed, dialogue->input_length);
	dialogue->consumed = 0;
}

/* It is the length that is refused, whatever the reply says. */
static enum dialogue_verdict
fail_long(const struct dialogue *dialogue, size_t limit, const char *unit, struct failure *failure)
{
	char wanted[MISSING_MAX];
	struct text text = TEXT_INIT(wanted);

	text_addf(&text, "a reply of at most %zu %s", limit, unit);
	dialogue_fail(dialogue, dialogue->kind->code_nonsense, failure);
	failure_add_detail(failure, "wanted", wanted);
	return DIALOGUE_FAILED;
}

static enum dialogue_verdict
take_piece(struct dialogue *dialogue, const unsigned char *bytes, size_t length, struct failure *failure)
{
	enum dialogue_verdict verdict;

	if (!make_room(dialogue, length))
		return dialogue_fail(dialogue, FAILURE_LOCAL_NO_MEMORY, failure);
	memcpy(dialogue->input + dialogue->input_length, bytes, length);
	dialogue->input_length += length;
	keep_first(dialogue, bytes, length);
	verdict = dialogue->kind->look(dialogue, failure);
	forget_consumed(dialogue);
	if (verdict == DIALOGUE_MORE && dialogue->lines_too_many)
		return fail_long(dialogue, DIALOGUE_LINES_MAX, "lines", failure);
	return verdict;
}

enum dialogue_verdict
dialogue_take(struct dialogue *dialogue, struct octets input, size_t *ret_taken, struct failure *failure)
{
	const unsigned char *bytes = input.bytes;
	size_t length = input.length;

	must(length > 0);
	dialogue->spoken = true;
	*ret_taken = input.length;
	while (length > 0) {
		size_t piece = reply_room(dialogue);
		enum dialogue_verdict verdict;

		/* Never more than the reply may have, so that its limit does not depend on the pieces it comes in. */
		if (piece == 0)
			return fail_long(dialogue, DIALOGUE_INPUT_MAX / 1024, "KiB", failure);
		if (piece > length)
			piece = length;
		dialogue->more_behind = piece < length;
		verdict = take_piece(dialogue, bytes, piece, failure);
		bytes += piece;
		length -= piece;
		if (verdict == DIALOGUE_FAILED)
			return verdict;
		if (verdict == DIALOGUE_DONE) {
			must(dialogue->input_length + length <= input.length);
			*ret_taken = input.length - length - dialogue->input_length;
			dialogue->input_length = 0;
			return verdict;
		}
	}
	return DIALOGUE_MORE;
}

enum dialogue_verdict
dialogue_end(struct dialogue *dialogue, struct failure *failure)
{
	if (dialogue->kind->end)
		return dialogue->kind->end(dialogue, failure);
	return dialogue_fail(dialogue, dialogue->kind->code_closed, failure);
}

/* What has been waited for in vain, and what it may mean that nothing at all has come. */
static void
add_missing(const struct dialogue *dialogue, struct failure *failure)
{
	const char *amount = dialogue->first_length > 0 && !dialogue->first_is_old ? "no whole" : "no";
	char missing[MISSING_MAX];
	struct text text = TEXT_INIT(missing);

	if (dialogue->asked)
		text_addf(&text, "%s reply to %s", amount, dialogue->asked);
	else
		text_addf(&text, "%s greeting", amount);
	failure_add_detail(failure, "missing", missing);
	if (!dialogue->spoken && dialogue->kind->silence)
		failure_add_detail(failure, "perhaps", dialogue->kind->silence);
}

void
dialogue_overdue(const struct dialogue *dialogue, struct failure *failure)
{
	if (dialogue->kind->overdue)
		dialogue->kind->overdue(dialogue, failure);
	else
		dialogue_fail(dialogue, dialogue->kind->code_overdue, failure);
	if (failure->code == dialogue->kind->code_overdue)
		add_missing(dialogue, failure);
}

bool
dialogue_has_spoken(const struct dialogue *dialogue)
{
	return dialogue->spoken;
}

unsigned int
dialogue_memory(const struct dialogue *dialogue)
{
	return dialogue->memory;
}

const unsigned char *
dialogue_pending(const struct dialogue *dialogue, size_t *ret_length)
{
	*ret_length = dialogue->input_length - dialogue->consumed;
	return dialogue->input ? dialogue->input + dialogue->consumed : NULL;
}

void
dialogue_consume(struct dialogue *dialogue, size_t length)
{
	must(length <= dialogue->input_length - dialogue->consumed);
	dialogue->consumed += length;
	dialogue->reply_consumed += length;
}

bool
dialogue_line(struct dialogue *dialogue, struct octets *ret_line)
{
	size_t pending;
	const unsigned char *line = dialogue_pending(dialogue, &pending);
	const unsigned char *end = pending > 0 ? memchr(line, '\n', pending) : NULL;
	size_t length;

	if (!end)
		return false;
	if (dialogue->line_count == DIALOGUE_LINES_MAX) {
		dialogue->lines_too_many = true;
		return false;
	}
	dialogue->line_count++;
	length = (size_t)(end - line);
	dialogue_consume(dialogue, length + 1);
	if (length > 0 && line[length - 1] == '\r')
		length--;
	*ret_line = (struct octets){ line, length };
	return true;
}

void
dialogue_new_reply(struct dialogue *dialogue)
{
	size_t pending;
	const unsigned char *bytes = dialogue_pending(dialogue, &pending);

	if (!dialogue->greeted) {
		memcpy(dialogue->greeting, dialogue->first, dialogue->first_length);
		dialogue->greeting_length = dialogue->first_length;
		dialogue->greeted = true;
	}
	dialogue->line_count = 0;
	dialogue->reply_consumed = 0;
	dialogue->first_is_old = true;
	keep_first(dialogue, bytes, pending);
}

static bool
is_control(unsigned char c)
{
	return (c < ' ' && c != '\t' && c != '\r') || c == 0x7f;
}

/* The first line, or NULL where that would tell nothing: it is empty, or the "line" is a piece of something that has none. */
static const unsigned char *
line_end(struct octets octets)
{
	const unsigned char *bytes = octets.bytes;
	const unsigned char *end = octets.length > 0 ? memchr(bytes, '\n', octets.length) : NULL;

	if (!end || end <= bytes + 1)
		return NULL;
	for (const unsigned char *at = bytes; at < end; at++) {
		if (is_control(*at))
			return NULL;
	}
	return end;
}

/* The first line of the evidence, or all of it where that would tell nothing, without the end of a line. */
static struct octets
telling(struct octets octets)
{
	const unsigned char *bytes = octets.bytes;
	size_t length = octets.length;
	const unsigned char *end = line_end(octets);

	if (end)
		length = (size_t)(end - bytes);
	while (length > 0 && (bytes[length - 1] == '\r' || bytes[length - 1] == '\n'))
		length--;
	return (struct octets){ bytes, length };
}

/* A hint ends with a dot of its own. */
static struct octets
without_dot(struct octets octets)
{
	const unsigned char *bytes = octets.bytes;

	while (octets.length > 0 && (bytes[octets.length - 1] == '.' || bytes[octets.length - 1] == ' '))
		octets.length--;
	return octets;
}

/* `size`: of the detail's text with its NUL. */
static void
add_foreign(struct failure *failure, const char *key, struct octets octets, size_t size)
{
	char buffer[REPLY_TEXT_MAX + 1];
	struct text text;

	must(size <= sizeof(buffer));
	text_init(&text, buffer, size - strlen(CUT_MARK));
	text_add_escaped(&text, octets.bytes, octets.length, NULL);
	if (text.cut)
		memcpy(text.at + text.length, CUT_MARK, sizeof(CUT_MARK));
	if (text.length > 0)
		failure_add_detail(failure, key, buffer);
}

static void
fill(const struct dialogue *dialogue, enum failure_code code, struct octets evidence,
     struct failure *failure)
{
	failure->code = code;
	failure_set_evidence(failure, evidence.bytes, evidence.length);
	add_foreign(failure, "bytes", without_dot(telling(evidence)), BYTES_TEXT_MAX + 1);
	if (dialogue->kind->detail)
		dialogue->kind->detail(dialogue, failure);
}

static struct octets
first_octets(const struct dialogue *dialogue)
{
	return (struct octets){ dialogue->first, dialogue->first_length };
}

void
dialogue_add_greeting(const struct dialogue *dialogue, struct failure *failure)
{
	struct octets greeting = { dialogue->greeting, dialogue->greeting_length };

	add_foreign(failure, "greeting", without_dot(telling(greeting)), GREETING_TEXT_MAX + 1);
}

enum dialogue_verdict
dialogue_fail(const struct dialogue *dialogue, enum failure_code code, struct failure *failure)
{
	fill(dialogue, code, first_octets(dialogue), failure);
	return DIALOGUE_FAILED;
}

enum dialogue_verdict
dialogue_fail_reply(const struct dialogue *dialogue, enum failure_code code, struct octets reply,
		    struct failure *failure)
{
	fill(dialogue, code, reply, failure);
	add_foreign(failure, "reply", without_dot(telling(reply)), REPLY_TEXT_MAX + 1);
	return DIALOGUE_FAILED;
}

enum dialogue_verdict
dialogue_fail_told(const struct dialogue *dialogue, enum failure_code code, struct octets told,
		   struct failure *failure)
{
	fill(dialogue, code, first_octets(dialogue), failure);
	add_foreign(failure, "reply", without_dot(telling(told)), REPLY_TEXT_MAX + 1);
	return DIALOGUE_FAILED;
}

/* Whether the first `length` octets are the same, whatever the case of ASCII letters. */
static bool
is_same(struct octets octets, const char *word, size_t length)
{
	const unsigned char *bytes = octets.bytes;

	for (size_t i = 0; i < length; i++) {
		if (ascii_lower(bytes[i]) != ascii_lower((unsigned char)word[i]))
			return false;
	}
	return true;
}

bool
octets_begin(struct octets octets, const char *word)
{
	size_t length = strlen(word);

	return octets.length >= length && is_same(octets, word, length);
}

bool
octets_equal(struct octets octets, const char *word)
{
	return octets.length == strlen(word) && octets_begin(octets, word);
}

bool
octets_may_begin(struct octets octets, const char *word)
{
	size_t length = strlen(word);

	return is_same(octets, word, octets.length < length ? octets.length : length);
}
