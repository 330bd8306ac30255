/* How healths and stages look. */
#include "ctl/health.h"

#include "core/stage.h"
#include "ctl/view.h"

#include <string.h>

static const struct {
	enum style style;
	unsigned int order;
} looks[HEALTH_COUNT + 1] = {
	[HEALTH_DOWN] = { STYLE_BAD, 0 },      [HEALTH_OFFLINE] = { STYLE_BAD, 1 },
	[HEALTH_DEGRADED] = { STYLE_WARN, 2 }, [HEALTH_STARTING] = { STYLE_WARN, 3 },
	[HEALTH_PAUSED] = { STYLE_DIM, 4 },    [HEALTH_UP] = { STYLE_GOOD, 5 },
	[HEALTH_COUNT] = { STYLE_PLAIN, 3 },
};

enum style
health_style(const char *word)
{
	return looks[view_health(word)].style;
}

unsigned int
health_order(const char *word)
{
	return looks[view_health(word)].order;
}

bool
stage_is_attempt(const char *word)
{
	for (int stage = STAGE_LOAD; stage <= STAGE_PROBE; stage++) {
		if (strcmp(stage_name((enum stage)stage), word) == 0)
			return true;
	}
	return false;
}
