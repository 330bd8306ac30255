/*
 * What the kinds of dialogues (starttls, proxy, probe) share.  For nobody else.
 */
#pragma once

#include "core/dialogue.h"

#include <stdint.h>

/* A kind of dialogue: what it makes of what comes.  Each function may send (dialogue_send()) and take (dialogue_consume()). */
struct dialogue_kind {
	/* Begin: speak first, or wait.  NULL: wait for the peer's first words. */
	enum dialogue_verdict (*start)(struct dialogue *dialogue, struct failure *failure);
	/*
	 * There is more in dialogue->input than before: understand as much of it as is whole, consuming it.  Called again only when more
	 * has come.  What is left unconsumed at DIALOGUE_DONE is given back to the caller.
	 */
	enum dialogue_verdict (*look)(struct dialogue *dialogue, struct failure *failure);
	/* The peer has ended.  NULL: it is always too early, with code_closed. */
	enum dialogue_verdict (*end)(struct dialogue *dialogue, struct failure *failure);
	/* The deadline has passed.  NULL: code_overdue. */
	void (*overdue)(const struct dialogue *dialogue, struct failure *failure);
	/* Add the kind's own details for the hint to a failure that is being filled.  NULL: none. */
	void (*detail)(const struct dialogue *dialogue, struct failure *failure);
	/* Free what `state` holds beyond itself.  NULL: nothing. */
	void (*done)(struct dialogue *dialogue);
	size_t state_bytes;
	/* What it may mean that the peer has not said a word, for the hint's {perhaps}.  NULL: nothing to add. */
	const char *silence;
	enum failure_code code_closed, code_overdue, code_nonsense;
};

struct dialogue {
	const struct dialogue_kind *kind;
	void *state;	      /* of the kind: state_bytes of it, zeroed at first */
	unsigned char *input; /* what has come and has not been consumed; grows up to DIALOGUE_INPUT_MAX */
	size_t input_length, input_size;
	size_t consumed;	 /* of the input, within the present look */
	size_t reply_consumed;	 /* octets of the present reply that have been consumed */
	bool more_behind;	 /* the peer has said more than has found room in the input */
	unsigned int line_count; /* of the present reply */
	bool lines_too_many;	 /* a line beyond DIALOGUE_LINES_MAX has come: code_nonsense */
	unsigned char output[DIALOGUE_OUTPUT_MAX];
	size_t output_length;
	unsigned char first[FAILURE_EVIDENCE_MAX]; /* of the present reply: its first octets, as evidence */
	size_t first_length;
	unsigned char greeting[FAILURE_EVIDENCE_MAX]; /* the first octets of the first reply, once that has ended */
	size_t greeting_length;
	bool greeted;
	bool first_is_old; /* they are of the reply before: nothing of the present one has come */
	bool spoken;
	const char *asked; /* what we have said last, in a word or two for people: "EHLO"; NULL: nothing.  Static, set by the kind */
	unsigned int memory; /* for dialogue_memory() */
};

/*
 * dialogue_new(kind, ret_dialogue):
 * A dialogue of that kind with a zeroed state.  Returns 0 or -ENOMEM.
 */
int dialogue_new(const struct dialogue_kind *kind, struct dialogue **ret_dialogue);

/*
 * dialogue_send(dialogue, bytes, length), dialogue_say(dialogue, format, …):
 * Append to what is to be sent.  There is room: what we say is bounded by the configuration's own bounds (must()).
 */
void dialogue_send(struct dialogue *dialogue, const void *bytes, size_t length);
void dialogue_say(struct dialogue *dialogue, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * dialogue_pending(dialogue, ret_length):
 * What has come and has not been consumed.
 */
const unsigned char *dialogue_pending(const struct dialogue *dialogue, size_t *ret_length);

/*
 * dialogue_consume(dialogue, length):
 * The first `length` pending octets are understood.
 */
void dialogue_consume(struct dialogue *dialogue, size_t length);

/*
 * dialogue_line(dialogue, ret_line):
 * Consume one whole line, ended by LF; *ret_line is borrowed until the next look, without CR LF and not NUL-terminated.  Returns
 * false where no whole line has come, or where it is one too many: the look returns DIALOGUE_MORE, and it becomes code_nonsense.
 */
bool dialogue_line(struct dialogue *dialogue, struct octets *ret_line);

/*
 * dialogue_new_reply(dialogue):
 * Another reply begins with what is pending: lines, octets and evidence are counted anew.  Until something of it has come, the reply before stays
 * the evidence: it is the last that has been said.
 */
void dialogue_new_reply(struct dialogue *dialogue);

/*
 * dialogue_fail(dialogue, code, failure):
 * Fill `failure`: the code, and the first octets of the present reply as evidence and as {bytes}.  Returns DIALOGUE_FAILED.
 */
enum dialogue_verdict dialogue_fail(const struct dialogue *dialogue, enum failure_code code,
				    struct failure *failure);

/*
 * dialogue_fail_reply(dialogue, code, reply, failure):
 * The same, with `reply` (what the peer said, or the part of it that tells) as evidence and, its first line, escaped and cut, as {bytes} and,
 * without a dot at its end, as the hint's {reply}.
 */
enum dialogue_verdict dialogue_fail_reply(const struct dialogue *dialogue, enum failure_code code,
					  struct octets reply, struct failure *failure);

/*
 * dialogue_fail_told(dialogue, code, told, failure):
 * The same, with `told` (what the peer said in octets, made readable) as the hint's {reply}; the evidence is the first octets of the present
 * reply.
 */
enum dialogue_verdict dialogue_fail_told(const struct dialogue *dialogue, enum failure_code code,
					 struct octets told, struct failure *failure);

/*
 * dialogue_add_greeting(dialogue, failure):
 * Add the first line of the peer's first reply, where another has begun since, as the hint's {greeting}: it tells best who speaks.
 */
void dialogue_add_greeting(const struct dialogue *dialogue, struct failure *failure);

/*
 * octets_begin(octets, word), octets_equal(octets, word):
 * Whether they begin with, or are, `word`, whatever the case of ASCII letters.
 */
bool octets_begin(struct octets octets, const char *word);
bool octets_equal(struct octets octets, const char *word);

/*
 * octets_may_begin(octets, word):
 * Whether what has come, `octets`, begins with `word`, or may do so once more has come, whatever the case of ASCII letters.
 */
bool octets_may_begin(struct octets octets, const char *word);
