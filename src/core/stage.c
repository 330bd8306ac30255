#include "core/stage.h"

#include "base/must.h"

#include <assert.h>
#include <stdint.h>

#define TO(id) (UINT32_C(1) << STAGE_##id)

static_assert(STAGE_COUNT <= 32, "a row of the table of moves is one word");

/* An attempt begins with the first of these that applies: an order may begin one from every stage. */
#define TO_ATTEMPT (TO(LOAD) | TO(RESOLVE) | TO(CONNECT))
/* The connection stands: the application is asked, or not. */
#define TO_ESTABLISHED (TO(PROBE) | TO(READY))
/* Orders may end what goes on in every stage. */
#define TO_REST (TO(IDLE) | TO(PAUSED))

/* Where each stage may lead.  LENT has no machine; LEND is no link's. */
static const uint32_t moves[STAGE_COUNT] = {
	[STAGE_IDLE] = TO_ATTEMPT | TO_REST,
	[STAGE_LOAD] = TO_ATTEMPT | TO_REST | TO(BACKOFF),
	[STAGE_RESOLVE] = TO_ATTEMPT | TO_REST | TO(BACKOFF),
	[STAGE_CONNECT] = TO_ATTEMPT | TO_REST | TO(BACKOFF) | TO(PROXY) | TO(STARTTLS) |
			  TO(HANDSHAKE) | TO_ESTABLISHED,
	[STAGE_PROXY] = TO_ATTEMPT | TO_REST | TO(BACKOFF) | TO(STARTTLS) | TO(HANDSHAKE) | TO_ESTABLISHED,
	[STAGE_STARTTLS] = TO_ATTEMPT | TO_REST | TO(BACKOFF) | TO(HANDSHAKE),
	[STAGE_HANDSHAKE] = TO_ATTEMPT | TO_REST | TO(BACKOFF) | TO(SETTLE) | TO_ESTABLISHED,
	[STAGE_SETTLE] = TO_ATTEMPT | TO_REST | TO(BACKOFF) | TO_ESTABLISHED,
	[STAGE_PROBE] = TO_ATTEMPT | TO_REST | TO(BACKOFF) | TO(READY),
	[STAGE_READY] = TO(BACKOFF) | TO(CLOSING),
	[STAGE_BACKOFF] = TO_ATTEMPT | TO_REST,
	[STAGE_PAUSED] = TO_ATTEMPT | TO_REST,
	[STAGE_CLOSING] = TO_ATTEMPT | TO_REST,
};

const char *
stage_name(enum stage stage)
{
	static const char *const names[STAGE_COUNT] = {
#define S(id, name) [STAGE_##id] = (name),
		STAGE_LIST(S)
#undef S
	};

	must(stage < STAGE_COUNT);
	return names[stage];
}

bool
stage_may_follow(enum stage from, enum stage next)
{
	must(from < STAGE_COUNT && next < STAGE_COUNT);
	return moves[from] & (UINT32_C(1) << next);
}
