/*
 * The part of the driver that finds a way to the upstream: queries, and the sockets that race.  For driver.c alone.
 */
#pragma once

#include "worker/driver.h"

/* Whom the SRV records of a service name, as one query brought it. */
struct srv_hosts;

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

/*
 * driver_srv_host(driver):
 * Of a connection whose target is a service: the host that the SRV record of its address names, or NULL.  Borrowed until the link is ready.
 */
const char *driver_srv_host(const struct driver *driver);

/*
 * driver_forget_hosts(driver):
 * The names that SRV records gave are needed no more.
 */
void driver_forget_hosts(struct driver *driver);

/*
 * driver_race_change_keepalive(driver, keepalive):
 * Apply it to the sockets that race.
 */
void driver_race_change_keepalive(struct driver *driver, const struct keepalive_policy *keepalive);
