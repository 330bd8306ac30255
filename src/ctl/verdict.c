/* Healths to one exit status. */
#include "ctl/verdict.h"

#include "core/failure.h"
#include "ctl/ctl.h"

void
verdict_add(struct verdict *verdict, const struct view_upstream *upstream)
{
	int down = 0;

	switch (view_health(upstream->health)) {
	case HEALTH_UP: break;
	case HEALTH_PAUSED: verdict->degraded |= verdict->named; break;
	case HEALTH_DOWN: down = view_down_status(upstream->last_failure); break;
	case HEALTH_OFFLINE: down = failure_exit_status(CLASS_LOCAL); break;
	case HEALTH_DEGRADED:
	case HEALTH_STARTING:
	case HEALTH_COUNT: verdict->degraded = true; break;
	}
	if (verdict->down == 0)
		verdict->down = down;
}

int
verdict_status(const struct verdict *verdict)
{
	if (verdict->down)
		return verdict->down;
	return verdict->degraded ? STATUS_DEGRADED : STATUS_DONE;
}
