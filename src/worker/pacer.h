/*
 * Mass starts in order: of 10,000 links that want to begin at once, no more than PACER_BURST begin every
 * PACER_INTERVAL, so that they do not time out each other.
 */
#pragma once

#include "base/list.h"
#include "core/input.h"
#include "sys/loop.h"

/* 1,000 attempts a second: about half of what one core can do in full handshakes (MEASURED.md). */
#define PACER_BURST    20
#define PACER_INTERVAL (20 * USEC_PER_MSEC)

struct driver;

struct pacer {
	struct loop *loop; /* borrowed */
	struct timer *timer;
	struct list waiting;
	usec_t next; /* the next burst is not before it */
};

/*
 * pacer_init(pacer, loop), pacer_done(pacer):
 * Begin and end; nobody may wait any more.  pacer_init() returns 0 or -ENOMEM.
 */
int pacer_init(struct pacer *pacer, struct loop *loop);
void pacer_done(struct pacer *pacer);

/*
 * pacer_request(pacer, driver, kind):
 * Feed `driver` the input `kind` (START, RESUME, RECONNECT, RETRY, DEADLINE or ONLINE) when its turn comes, never before the
 * next turn of the loop.  Of several requests of one driver the weightiest is kept, in that order.  DEADLINE is the end of a backoff, and
 * void once the link is elsewhere.
 */
void pacer_request(struct pacer *pacer, struct driver *driver, enum input_kind kind);

/*
 * pacer_withdraw(driver):
 * Whatever it waits for, it does no more.
 */
void pacer_withdraw(struct driver *driver);
