/*
 * A dialogue: what is said in a protocol of the upstream's own, before TLS or after it, up to a verdict.  Pure: octets in,
 * octets out, verdict.  core/starttls, core/proxy and core/probe make the kinds there are.
 *
 * The walk: dialogue_start(), then as long as the verdict is DIALOGUE_MORE send what dialogue_output() shows (dialogue_sent()), and
 * bring what comes (dialogue_take()).  DIALOGUE_DONE holds once the last of the output has been sent as well.  The deadline is the
 * stage's, and so the caller's.  Nothing here may be called any more after DIALOGUE_FAILED but dialogue_free().
 *
 * Before TLS not an octet may be taken from the socket that belongs to whoever speaks next: the caller peeks, and then reads
 * what *ret_taken says.
 */
#pragma once

#include "base/cleanup.h"
#include "core/failure.h"

#include <stddef.h>

/* A longer reply, all its lines together, is refused with the code the stage has for nonsense, and the hint's {wanted} says why. */
#define DIALOGUE_INPUT_MAX ((size_t)16 * 1024)
/* A reply of more lines, likewise: no server has so many capabilities. */
#define DIALOGUE_LINES_MAX 128
/* The longest thing we ever say, all that waits to be sent together: a request for a probe with its host and path. */
#define DIALOGUE_OUTPUT_MAX 4096

enum dialogue_verdict {
	DIALOGUE_MORE,	 /* it goes on: send what there is to send, and bring what comes */
	DIALOGUE_DONE,	 /* it has ended well */
	DIALOGUE_FAILED, /* `failure` says why: code, evidence and details are filled */
};

struct dialogue;

/*
 * dialogue_start(dialogue, failure):
 * Begin.  Once, before anything else.  `failure` must have been failure_init()ed with the stage, here and below; it is only
 * written where the result is DIALOGUE_FAILED.
 */
enum dialogue_verdict dialogue_start(struct dialogue *dialogue, struct failure *failure);

/*
 * dialogue_output(dialogue, ret_length):
 * What is to be sent, borrowed until the next call that is not this one; *ret_length is 0 where there is nothing.
 */
const void *dialogue_output(const struct dialogue *dialogue, size_t *ret_length);

/*
 * dialogue_sent(dialogue, length):
 * The first `length` octets of it have been sent.
 */
void dialogue_sent(struct dialogue *dialogue, size_t length);

/*
 * dialogue_take(dialogue, input, ret_taken, failure):
 * The peer has said `input` (at least one octet).  *ret_taken: how many of its octets belonged to this dialogue; all of them unless the result is
 * DIALOGUE_DONE.  What was not taken belongs to whoever speaks next.
 */
struct octets {
	const void *bytes;
	size_t length;
};
enum dialogue_verdict dialogue_take(struct dialogue *dialogue, struct octets input,
				    size_t *ret_taken, struct failure *failure);

/*
 * dialogue_end(dialogue, failure):
 * The peer has ended its side, or the transport has: no more will come.  DIALOGUE_DONE where the end is the last word that was
 * missing; otherwise DIALOGUE_FAILED with the stage's ….-closed code and what had been said so far as evidence; the caller adds
 * the foreign number of a reset.
 */
enum dialogue_verdict dialogue_end(struct dialogue *dialogue, struct failure *failure);

/*
 * dialogue_overdue(dialogue, failure):
 * The stage's deadline has passed: fill in what it means (timeout.proxy, timeout.starttls, timeout.probe; or
 * protocol.probe-mismatch where an answer came that is not the expected one), with what had been said as evidence, and with what is
 * missing as the hint's {missing}.
 */
void dialogue_overdue(const struct dialogue *dialogue, struct failure *failure);

/*
 * dialogue_has_spoken(dialogue):
 * Whether the peer has said anything in it.
 */
bool dialogue_has_spoken(const struct dialogue *dialogue);

/*
 * dialogue_memory(dialogue):
 * After DIALOGUE_DONE of a probe: what the next probe over the same connection must be given as probe_setup.memory.
 */
unsigned int dialogue_memory(const struct dialogue *dialogue);

/*
 * dialogue_free(dialogue):
 * Free it at any time; takes NULL, returns NULL.
 */
struct dialogue *dialogue_free(struct dialogue *dialogue);

CLEANUP_DEFINE(struct dialogue *, dialogue_free)
