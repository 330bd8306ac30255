/*
 * Scripts of STARTTLS dialogues.
 */
#pragma once

#include "dialogue-fixture.h"

#include "core/starttls.h"

static inline struct dialogue *
starttls_make(const void *setup)
{
	struct dialogue *dialogue = NULL;

	assert_int_equal(starttls_new(setup, &dialogue), 0);
	return dialogue;
}

/* What a protocol's dialogue must come to; `exchanges` is an array. */
#define STARTTLS_SCRIPT(setup_, exchanges_) \
	.make = starttls_make, .setup = (setup_), .stage = STAGE_STARTTLS, \
	.exchanges = (exchanges_), .count = COUNT_OF(exchanges_)

/* It goes well, and at every place before it does not where the peer ends or says no more. */
#define GOES_WELL(setup_, ...) \
	do { \
		const struct exchange exchanges[] = { __VA_ARGS__ }; \
		play(&(struct script){ STARTTLS_SCRIPT(setup_, exchanges), .verdict = DIALOGUE_DONE, \
				       .closed = FAILURE_PROTOCOL_STARTTLS_CLOSED, \
				       .overdue = FAILURE_TIMEOUT_STARTTLS }); \
	} while (0)

/* It fails with `code_` and, unless NULL, the detail {reply}. */
#define FAILS(setup_, code_, reply_, ...) \
	do { \
		const struct exchange exchanges[] = { __VA_ARGS__ }; \
		play(&(struct script){ STARTTLS_SCRIPT(setup_, exchanges), .verdict = DIALOGUE_FAILED, \
				       .code = FAILURE_PROTOCOL_##code_, .reply = (reply_) }); \
	} while (0)

/* The last exchange holds more than the go-ahead. */
#define IS_INJECTED(setup_, ...) \
	do { \
		const struct exchange exchanges[] = { __VA_ARGS__ }; \
		play(&(struct script){ STARTTLS_SCRIPT(setup_, exchanges), .verdict = DIALOGUE_FAILED, \
				       .code = FAILURE_PROTOCOL_STARTTLS_INJECTION, \
				       .together = true }); \
	} while (0)

/* The last exchange is what no server of the protocol says at once. */
#define IS_NONSENSE(setup_, ...) \
	do { \
		const struct exchange exchanges[] = { __VA_ARGS__ }; \
		play(&(struct script){ STARTTLS_SCRIPT(setup_, exchanges), .verdict = DIALOGUE_FAILED, \
				       .code = FAILURE_PROTOCOL_STARTTLS_REPLY, .together = true }); \
	} while (0)

/* Exchanges: the peer says, and we say; and the beginning, at which the peer has said nothing. */
#define SAYS(peer_, ours_) \
	{ \
		OCTETS(peer_), OCTETS(ours_) \
	}
#define BEGIN(ours_)	 SAYS("", ours_)
#define ENDS_WITH(peer_) SAYS(peer_, "")
