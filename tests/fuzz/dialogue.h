/*
 * What the fuzzers of dialogues share: a dialogue is fed with the input in several ways, which must come to the same.
 */
#pragma once

#include "base/must.h"
#include "core/dialogue.h"
#include "fuzz.h"

struct outcome {
	enum dialogue_verdict verdict;
	enum failure_code code;
	size_t taken; /* of the input, up to the verdict */
};

/* What is to be sent is bounded, and goes out in pieces. */
static inline void
fuzz_send(struct dialogue *dialogue)
{
	size_t length;

	must(dialogue_output(dialogue, &length));
	must(length <= DIALOGUE_OUTPUT_MAX);
	dialogue_sent(dialogue, length / 2);
	dialogue_output(dialogue, &length);
	dialogue_sent(dialogue, length);
	dialogue_output(dialogue, &length);
	must(length == 0);
}

/* A failure is one of the stage's, with what may be kept of it, and can be told. */
static inline void
fuzz_failure(const struct failure *failure)
{
	char buffer[4096];
	struct text text = TEXT_INIT(buffer);

	must(failure->code != FAILURE_NONE && failure->code < FAILURE_COUNT);
	must(failure->evidence_length <= FAILURE_EVIDENCE_MAX);
	failure_hint(failure, &text);
	must(text.length > 0 && !text.cut);
	for (size_t i = 0; i < text.length; i++)
		must(buffer[i] >= 0x20 && buffer[i] < 0x7f);
}

/* The peer goes away, or says no more, where the dialogue would go on. */
static inline void
fuzz_leave(struct dialogue *dialogue, enum stage stage)
{
	struct failure failure;

	failure_init(&failure, FAILURE_NONE, stage);
	dialogue_overdue(dialogue, &failure);
	fuzz_failure(&failure);
	failure_init(&failure, FAILURE_NONE, stage);
	must(dialogue_end(dialogue, &failure) == DIALOGUE_FAILED);
	fuzz_failure(&failure);
}

/* Take over `dialogue` and feed it with at most `piece` octets at once. */
static inline struct outcome
fuzz_feed(struct dialogue *dialogue, struct octets input, size_t piece, enum stage stage)
{
	_cleanup_(dialogue_freep) struct dialogue *owned = dialogue;
	struct outcome outcome = { 0 };
	struct failure failure;

	failure_init(&failure, FAILURE_NONE, stage);
	outcome.verdict = dialogue_start(owned, &failure);
	fuzz_send(owned);
	while (outcome.verdict == DIALOGUE_MORE && outcome.taken < input.length) {
		size_t rest = input.length - outcome.taken, taken;
		struct octets part = { (const uint8_t *)input.bytes + outcome.taken,
				       rest < piece ? rest : piece };

		outcome.verdict = dialogue_take(owned, part, &taken, &failure);
		must(dialogue_has_spoken(owned));
		must(outcome.verdict == DIALOGUE_DONE ? taken <= part.length : taken == part.length);
		outcome.taken += taken;
		if (outcome.verdict != DIALOGUE_FAILED)
			fuzz_send(owned);
	}
	outcome.code = failure.code;
	if (outcome.verdict == DIALOGUE_FAILED)
		fuzz_failure(&failure);
	if (outcome.verdict == DIALOGUE_MORE)
		fuzz_leave(owned, stage);
	return outcome;
}
