/*
 * The part of the driver that finds a way to the upstream: queries, and the sockets that race.  For driver.c alone.
 */
#pragma once

#include "worker/driver.h"

/*
 * driver_race_init(driver):
 * No query is out and no socket is open.
 */
void driver_race_init(struct driver *driver);

/*
 * driver_race_done(driver):
 * Drop all there is, the timers included.
 */
void driver_race_done(struct driver *driver);

/*
 * driver_resolve(driver, effect):
 * EFFECT_RESOLVE.  Without memory, driver->unasked says so.
 */
void driver_resolve(struct driver *driver, const struct effect *effect);

/*
 * driver_cancel_queries(driver):
 * EFFECT_CANCEL_QUERIES.
 */
void driver_cancel_queries(struct driver *driver);

/*
 * driver_connect(driver, effect, now, failure):
 * EFFECT_CONNECT.  Returns 0 where the completion will come from the loop, or a negative errno with `failure` filled.
 */
int driver_connect(struct driver *driver, const struct effect *effect, usec_t now,
		   struct failure *failure);

/*
 * driver_abandon(driver, slot):
 * EFFECT_ABANDON; of a slot without a socket too.
 */
void driver_abandon(struct driver *driver, unsigned int slot);

/*
 * driver_adopt(driver, slot):
 * EFFECT_ADOPT: the socket becomes driver->connection's.
 */
void driver_adopt(struct driver *driver, unsigned int slot);
