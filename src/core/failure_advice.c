#include "core/failure_advice.h"

#include "base/must.h"
#include "core/advice_protocol.h"
#include "core/advice_tls.h"
#include "core/advice_transport.h"

#include <assert.h>

#define AT(id)	 (UINT32_C(1) << STAGE_##id)
#define ANYWHERE (AT(COUNT) - 1)
/* TLS 1.3's verdict on our certificate comes after the handshake, and may come later than is waited for. */
#define LATE_VERDICT (AT(HANDSHAKE) | AT(SETTLE) | AT(PROBE) | AT(READY))
#define SAYS(...) \
	{ \
		__VA_ARGS__ \
	}

struct advice {
	uint32_t stages;
	const char *causes[ADVICE_MAX + 1], *remedies[ADVICE_MAX + 1];
};

/* clang-format off */
#define ADVICE_LIST(A) \
	ADVICE_ADDRESS_LIST(A) ADVICE_CONNECTION_LIST(A) ADVICE_TIMEOUT_LIST(A) ADVICE_SOCKET_LIST(A) \
	ADVICE_TLS_LIST(A) ADVICE_CERTIFICATE_LIST(A) ADVICE_PROTOCOL_LIST(A) ADVICE_LOCAL_LIST(A)

/* The compiler refuses a second row of one code. */
static const struct advice rows[FAILURE_COUNT] = {
#define A(id, stages, causes, remedies) [FAILURE_##id] = { stages, causes, remedies },
	ADVICE_LIST(A)
#undef A
};

/* So each code has one. */
#define A(id, stages, causes, remedies) + 1
static_assert(0 ADVICE_LIST(A) == FAILURE_COUNT - 1, "a code has no advice");
#undef A
/* clang-format on */

static const struct advice *
row_of(enum failure_code code)
{
	must(code > FAILURE_NONE && code < FAILURE_COUNT);
	return &rows[code];
}

uint32_t
failure_stages(enum failure_code code)
{
	return row_of(code)->stages;
}

const char *const *
failure_causes(enum failure_code code)
{
	return row_of(code)->causes;
}

const char *const *
failure_remedies(enum failure_code code)
{
	return row_of(code)->remedies;
}
