#include "worker/pacer.h"

#include "base/must.h"
#include "sys/clock.h"
#include "worker/driver.h"

/* Loading files blocks: a burst ends early when it has taken this long. */
#define BURST_DURATION_MAX (10 * USEC_PER_MSEC)

/* The weightier of two wishes stays: a link that never began has nothing to retry. */
static unsigned int
weight(enum input_kind kind)
{
	switch (kind) {
	case INPUT_START: return 6;
	case INPUT_RESUME: return 5;
	case INPUT_RECONNECT: return 4;
	case INPUT_RETRY: return 3;
	case INPUT_DEADLINE: return 2;
	case INPUT_ONLINE: return 1;
	default: must_not_reach();
	}
}

static void
begin(struct driver *driver, usec_t now)
{
	if (driver->paced_input == INPUT_DEADLINE && driver->link->stage != STAGE_BACKOFF)
		return;
	driver_feed(driver, &(struct input){ .kind = driver->paced_input }, now);
}

static void
on_burst(void *arg, usec_t now)
{
	struct pacer *pacer = arg;
	usec_t began = clock_now(); /* the turn may have done other things before */
	unsigned int left = PACER_BURST;

	while (left-- > 0 && !list_is_empty(&pacer->waiting)) {
		struct driver *driver = list_first(&pacer->waiting, struct driver, paced);

		list_remove(&driver->paced);
		begin(driver, now);
		if (usec_sub(clock_now(), began) > BURST_DURATION_MAX)
			break;
	}
	pacer->next = usec_add(now, PACER_INTERVAL);
	if (!list_is_empty(&pacer->waiting))
		timer_arm(pacer->timer, pacer->next);
}

int
pacer_init(struct pacer *pacer, struct loop *loop)
{
	*pacer = (struct pacer){ .loop = loop };
	list_init(&pacer->waiting);
	return timer_new(loop, on_burst, pacer, &pacer->timer);
}

void
pacer_done(struct pacer *pacer)
{
	must(!pacer->timer || list_is_empty(&pacer->waiting));
	pacer->timer = timer_free(pacer->timer);
}

void
pacer_request(struct pacer *pacer, struct driver *driver, enum input_kind kind)
{
	bool idle = list_is_empty(&pacer->waiting);

	if (!list_is_empty(&driver->paced)) {
		if (weight(kind) > weight(driver->paced_input))
			driver->paced_input = kind;
		return;
	}
	driver->paced_input = kind;
	list_append(&pacer->waiting, &driver->paced);
	if (idle)
		timer_arm(pacer->timer, pacer->next);
}

void
pacer_withdraw(struct driver *driver)
{
	list_remove(&driver->paced);
}
