/*
 * Conversations with a probe: what a server says goes in whole, octet by octet and in every two pieces, and always means the same.
 */
#pragma once

#include "check.h"

#include "base/text.h"
#include "core/probe.h"

#include <string.h>

#define SAID_MAX  (64 * 1024)
#define SPLIT_MAX 700 /* octets of an input that is split at every place; a longer one at some */

/* What one conversation came to. */
struct outcome {
	enum dialogue_verdict verdict;
	struct failure failure;
	size_t left; /* octets of the input that were not taken */
	unsigned int memory;
	size_t said_length;
	char said[SAID_MAX]; /* by us */
};

static inline void
hear(struct dialogue *dialogue, struct outcome *outcome)
{
	size_t length;
	const void *output = dialogue_output(dialogue, &length);

	assert_true(outcome->said_length + length < sizeof(outcome->said));
	memcpy(outcome->said + outcome->said_length, output, length);
	outcome->said_length += length;
	outcome->said[outcome->said_length] = '\0';
	dialogue_sent(dialogue, length);
}

/* Bring `input` in pieces: `first` octets, and then `piece` at a time. */
static inline void
bring(struct dialogue *dialogue, struct octets input, const size_t pieces[2], struct outcome *outcome)
{
	const char *bytes = input.bytes;
	size_t at = 0, piece = pieces[0];

	while (at < input.length && outcome->verdict == DIALOGUE_MORE) {
		size_t taken = 0, length = input.length - at < piece ? input.length - at : piece;
		_cleanup_(freep) char *exact = malloc(length);

		assert_non_null(exact);
		memcpy(exact, bytes + at, length);
		outcome->verdict = dialogue_take(dialogue, (struct octets){ exact, length }, &taken,
						 &outcome->failure);
		if (outcome->verdict != DIALOGUE_FAILED)
			hear(dialogue, outcome);
		at += taken;
		assert_true(taken == length || outcome->verdict == DIALOGUE_DONE);
		piece = pieces[1];
	}
	outcome->left = input.length - at;
}

enum ending {
	ENDING_NONE, /* the server waits */
	ENDING_CLOSED,
	ENDING_OVERDUE,
};

static inline void
converse_in(const struct probe_setup *setup, struct octets input, const size_t pieces[2],
	    enum ending ending, struct outcome *outcome)
{
	_cleanup_(dialogue_freep) struct dialogue *dialogue = NULL;

	memset(outcome, 0, offsetof(struct outcome, said));
	failure_init(&outcome->failure, FAILURE_NONE, STAGE_PROBE);
	assert_int_equal(probe_new(setup, &dialogue), 0);
	outcome->verdict = dialogue_start(dialogue, &outcome->failure);
	if (outcome->verdict != DIALOGUE_FAILED)
		hear(dialogue, outcome);
	bring(dialogue, input, pieces, outcome);
	if (outcome->verdict == DIALOGUE_MORE && ending == ENDING_CLOSED)
		outcome->verdict = dialogue_end(dialogue, &outcome->failure);
	if (outcome->verdict == DIALOGUE_MORE && ending == ENDING_OVERDUE) {
		dialogue_overdue(dialogue, &outcome->failure);
		outcome->verdict = DIALOGUE_FAILED;
	}
	if (outcome->verdict == DIALOGUE_DONE)
		outcome->memory = dialogue_memory(dialogue);
}

static inline void
assert_same(const struct outcome *a, const struct outcome *b)
{
	assert_int_equal(a->verdict, b->verdict);
	assert_string_equal(failure_name(a->failure.code), failure_name(b->failure.code));
	if (a->verdict == DIALOGUE_FAILED)
		return;
	assert_int_equal(a->left, b->left);
	assert_int_equal(a->memory, b->memory);
	assert_string_equal(a->said, b->said);
}

/* The conversation in one piece; in all other pieces it must come to the same. */
static inline void
converse(const struct probe_setup *setup, struct octets input, enum ending ending, struct outcome *outcome)
{
	static struct outcome other;
	const size_t whole[2] = { SIZE_MAX, SIZE_MAX }, octets[2] = { 1, 1 };
	size_t step = input.length > SPLIT_MAX ? input.length / 50 : 1;

	converse_in(setup, input, whole, ending, outcome);
	converse_in(setup, input, octets, ending, &other);
	assert_same(&other, outcome);
	for (size_t i = 1; i < input.length; i += step) {
		const size_t two[2] = { i, SIZE_MAX };

		converse_in(setup, input, two, ending, &other);
		assert_same(&other, outcome);
	}
}

/* What a server says, and what that means. */
struct answer {
	struct octets input;
	enum failure_code code; /* FAILURE_NONE: it is a good one */
};

#define SAYS(literal) \
	{ \
		literal, sizeof(literal) - 1 \
	}

static inline void
check_answers(const struct probe_setup *setup, const struct answer *answers, size_t count)
{
	static struct outcome outcome;

	for (size_t i = 0; i < count; i++) {
		enum failure_code code = answers[i].code;

		converse(setup, answers[i].input, ENDING_NONE, &outcome);
		if (strcmp(failure_name(outcome.failure.code), failure_name(code)) != 0)
			print_message("answer %zu: %.*s\n", i, (int)answers[i].input.length,
				      (const char *)answers[i].input.bytes);
		assert_string_equal(failure_name(outcome.failure.code), failure_name(code));
		assert_int_equal(outcome.verdict,
				 code == FAILURE_NONE ? DIALOGUE_DONE : DIALOGUE_FAILED);
	}
}

#define CHECK_ANSWERS(setup, answers) check_answers(setup, answers, COUNT_OF(answers))

/* `input` is a good answer: whatever of it is missing is missed at the end, and at the deadline. */
static inline void
check_every_end(const struct probe_setup *setup, struct octets input)
{
	static struct outcome outcome;
	const size_t whole[2] = { SIZE_MAX, SIZE_MAX };

	for (size_t i = 0; i < input.length; i++) {
		const struct octets part = { input.bytes, i };

		converse_in(setup, part, whole, ENDING_CLOSED, &outcome);
		assert_int_equal(outcome.verdict, DIALOGUE_FAILED);
		assert_int_equal(outcome.failure.code, FAILURE_PROTOCOL_PROBE_CLOSED);
		assert_true(i == 0 || outcome.failure.evidence_length > 0);
		converse_in(setup, part, whole, ENDING_OVERDUE, &outcome);
		assert_int_equal(outcome.failure.code, FAILURE_TIMEOUT_PROBE);
	}
	converse_in(setup, input, whole, ENDING_CLOSED, &outcome);
	assert_int_equal(outcome.verdict, DIALOGUE_DONE);
}

/* The hint of what `input` leads to. */
static inline const char *
hint_after(const struct probe_setup *setup, struct octets input, enum ending ending)
{
	static struct outcome outcome;
	static char buffer[1024];
	struct text text = TEXT_INIT(buffer);

	converse(setup, input, ending, &outcome);
	assert_int_equal(outcome.verdict, DIALOGUE_FAILED);
	failure_hint(&outcome.failure, &text);
	return buffer;
}
