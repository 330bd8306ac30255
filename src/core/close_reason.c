#include "core/close_reason.h"

#include "base/must.h"

const char *
close_reason_name(enum close_reason reason)
{
	static const char *const names[CLOSE_REASON_COUNT] = {
#define R(id, name, summary) [CLOSE_##id] = (name),
		CLOSE_REASON_LIST(R)
#undef R
	};

	must(reason < CLOSE_REASON_COUNT);
	return names[reason];
}

const char *
close_reason_summary(enum close_reason reason)
{
	static const char *const summaries[CLOSE_REASON_COUNT] = {
#define R(id, name, summary) [CLOSE_##id] = (summary),
		CLOSE_REASON_LIST(R)
#undef R
	};

	must(reason < CLOSE_REASON_COUNT);
	return summaries[reason];
}
