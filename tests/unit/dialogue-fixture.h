/*
 * Plays a dialogue from a script, in every way in which its octets may come: whole, one by one, and split in two at every place;
 * and ends it, and lets its deadline pass, at every place.
 */
#pragma once

#include "check.h"

#include "core/dialogue.h"

#include <string.h>

/* A literal as octets; it may hold NULs. */
#define OCTETS(literal) \
	{ \
		(literal), sizeof(literal) - 1 \
	}

/* The peer says something (at first: nothing), whereupon we must have said something. */
struct exchange {
	struct octets peer, ours;
};

struct script {
	struct dialogue *(*make)(const void *setup); /* must not return NULL */
	const void *setup;
	enum stage stage;
	const struct exchange *exchanges;
	size_t count;
	enum dialogue_verdict verdict; /* of the last exchange; all before it go on */
	enum failure_code code;	       /* where that is DIALOGUE_FAILED */
	const char *reply;	       /* the detail, or NULL: no matter */
	size_t left;		       /* octets of the last exchange that are not taken */
	bool together; /* the last exchange comes whole: octets that came one by one would mean something else */
	enum failure_code closed,
		overdue; /* of an end and of a deadline within; FAILURE_NONE: not to be tried */
};

/* How the octets of one exchange, `at`, come: in two pieces, or one by one. */
struct pieces {
	size_t at, split; /* split 0: whole */
	bool singly;	  /* every exchange octet by octet */
};

static inline void
we_say(struct dialogue *dialogue, struct octets expected)
{
	size_t length;
	const void *output = dialogue_output(dialogue, &length);

	assert_int_equal(length, expected.length);
	if (length > 0)
		assert_memory_equal(output, expected.bytes, length);
	dialogue_sent(dialogue, length);
}

/* The peer says `said` in pieces of at most `piece` octets, until there is a verdict; *ret_taken counts what was taken. */
static inline enum dialogue_verdict
peer_says(struct dialogue *dialogue, struct octets said, size_t piece, size_t *ret_taken,
	  struct failure *failure)
{
	enum dialogue_verdict verdict = DIALOGUE_MORE;
	size_t at = 0;

	*ret_taken = 0;
	while (verdict == DIALOGUE_MORE && at < said.length) {
		/* A copy of its own, so that reading beyond it is seen. */
		size_t length = said.length - at < piece ? said.length - at : piece, taken;
		_cleanup_(freep) char *copy = malloc(length);

		assert_non_null(copy);
		memcpy(copy, (const char *)said.bytes + at, length);
		verdict = dialogue_take(dialogue, (struct octets){ copy, length }, &taken, failure);
		assert_true(taken <= length);
		if (verdict != DIALOGUE_DONE)
			assert_int_equal(taken, length);
		*ret_taken += taken;
		at += length;
	}
	return verdict;
}

static inline enum dialogue_verdict
play_exchange(struct dialogue *dialogue, const struct exchange *exchange,
	      const struct pieces *pieces, size_t *ret_taken, struct failure *failure)
{
	struct octets said = exchange->peer;
	struct octets first = { said.bytes, pieces->split };
	struct octets second = { (const char *)said.bytes + pieces->split, said.length - pieces->split };
	enum dialogue_verdict verdict;
	size_t taken;

	if (said.length == 0) {
		*ret_taken = 0;
		return dialogue_start(dialogue, failure);
	}
	if (pieces->singly)
		return peer_says(dialogue, said, 1, ret_taken, failure);
	if (pieces->split == 0)
		return peer_says(dialogue, said, said.length, ret_taken, failure);
	verdict = peer_says(dialogue, first, first.length, ret_taken, failure);
	if (verdict != DIALOGUE_MORE)
		return verdict;
	verdict = peer_says(dialogue, second, second.length, &taken, failure);
	*ret_taken += taken;
	return verdict;
}

static inline void
check_verdict(const struct script *script, enum dialogue_verdict verdict, const struct failure *failure)
{
	if (verdict == DIALOGUE_FAILED && failure->code != script->code)
		fail_msg("%s instead of %s", failure_name(failure->code), failure_name(script->code));
	assert_int_equal(verdict, script->verdict);
	if (verdict == DIALOGUE_FAILED)
		assert_int_equal(failure->stage, script->stage);
	if (verdict == DIALOGUE_FAILED && script->reply) {
		assert_non_null(failure_detail(failure, "reply"));
		assert_string_equal(failure_detail(failure, "reply"), script->reply);
	}
}

static inline void
play_in_pieces(const struct script *script, const struct pieces *pieces)
{
	static const struct pieces whole = { 0 };
	_cleanup_(dialogue_freep) struct dialogue *dialogue = script->make(script->setup);
	struct failure failure;

	failure_init(&failure, FAILURE_NONE, script->stage);
	for (size_t i = 0; i < script->count; i++) {
		const struct exchange *exchange = &script->exchanges[i];
		bool last = i + 1 == script->count, ours = pieces->singly || pieces->at == i;
		enum dialogue_verdict verdict;
		size_t taken;

		verdict = play_exchange(dialogue, exchange,
					ours && !(last && script->together) ? pieces : &whole,
					&taken, &failure);
		if (last)
			check_verdict(script, verdict, &failure);
		else if (verdict != DIALOGUE_MORE)
			fail_msg("ended with exchange %zu: %s", i,
				 failure.code ? failure_name(failure.code) : "well");
		if (verdict != DIALOGUE_FAILED) {
			assert_int_equal(taken, exchange->peer.length - (last ? script->left : 0));
			we_say(dialogue, exchange->ours);
		}
	}
}

/* The dialogue is left `length` octets into the exchange `at`: by its peer, and then once more by its deadline. */
static inline void
play_until(const struct script *script, size_t at, size_t length)
{
	_cleanup_(dialogue_freep) struct dialogue *dialogue = script->make(script->setup);
	struct failure failure;
	size_t taken;

	failure_init(&failure, FAILURE_NONE, script->stage);
	assert_int_equal(dialogue_start(dialogue, &failure), DIALOGUE_MORE);
	for (size_t i = 0; i <= at; i++) {
		struct octets said = script->exchanges[i].peer;

		if (i == at)
			said.length = length;
		assert_int_equal(peer_says(dialogue, said, said.length, &taken, &failure),
				 DIALOGUE_MORE);
	}
	dialogue_overdue(dialogue, &failure);
	assert_string_equal(failure_name(failure.code), failure_name(script->overdue));
	failure_init(&failure, FAILURE_NONE, script->stage);
	assert_int_equal(dialogue_end(dialogue, &failure), DIALOGUE_FAILED);
	assert_string_equal(failure_name(failure.code), failure_name(script->closed));
}

/*
 * play(script):
 * Play it in every way.
 */
static inline void
play(const struct script *script)
{
	play_in_pieces(script, &(struct pieces){ 0 });
	play_in_pieces(script, &(struct pieces){ .singly = true });
	for (size_t i = 0; i < script->count; i++) {
		size_t length = script->exchanges[i].peer.length;

		for (size_t split = 1; split < length; split++)
			play_in_pieces(script, &(struct pieces){ .at = i, .split = split });
		if (i + 1 == script->count)
			length -= length > script->left ? script->left : length;
		for (size_t end = 0; script->closed && end < length; end++)
			play_until(script, i, end);
	}
}
