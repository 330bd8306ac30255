/*
 * A driver performs the effects of one link and turns completions into its inputs.
 *
 * Inputs come in through driver_feed() alone.  What is known at once (a connect that fails immediately) waits in a queue until
 * link_step() has returned.  No function here frees a driver but driver_free(); who feeds one may go on using it.
 */
#pragma once

#include "base/list.h"
#include "core/link.h"
#include "sys/resolve.h"
#include "worker/connection.h"

struct completions;
struct slot;
struct worker;

/* A socket of the race. */
struct racer {
	struct driver *driver;
	unsigned int slot; /* of the race */
	int fd;
	struct watch *watch;
	struct timer *retry; /* a Unix socket's queue was full; made when it is needed */
	struct address address;
	unsigned int target;
};

/* A query that is out. */
struct asked {
	struct driver *driver;
	struct query *query; /* NULL: answered, or never asked */
	unsigned int target;
	enum family family;
	struct srv_hosts *hosts; /* of a service, until the link is ready: whom its records name; or NULL */
};

struct driver {
	struct list all;     /* in worker->drivers */
	struct list busy;    /* in worker->busy */
	struct list paced;   /* in the pacer */
	struct list loaded;  /* in worker->loaded */
	struct list retired; /* in slot->retired */
	enum input_kind paced_input;
	struct worker *worker;
	struct slot *slot;
	struct upstream *upstream; /* a reference: what the link goes by */
	struct link *link;
	struct timer *timer;
	bool probe_fails; /* the last probe of its ready connection went wrong; told */
	bool ended;	  /* after INPUT_STOP: nothing is open, it may be freed */
	struct completions *completions; /* while it is being fed */
	uint32_t unasked; /* queries there was no memory for: bit 2 * target, + 1 for IPv6 */
	struct connection connection;
	struct racer racers[RACE_MAX];
	struct asked asked[]; /* two for each target: IPv4, IPv6 */
};

/*
 * driver_new(slot, ret_driver):
 * A driver with an idle link for `slot`, going by what the slot's upstream is configured as now.  Returns 0 or -ENOMEM.
 */
int driver_new(struct slot *slot, struct driver **ret_driver);

/*
 * driver_free(driver):
 * Drop all that is open, without a word to anybody.  Takes NULL, returns NULL.  Not while it is being fed.
 */
struct driver *driver_free(struct driver *driver);

/*
 * driver_feed(driver, input, now):
 * Tell the link, and perform what follows.
 */
void driver_feed(struct driver *driver, const struct input *input, usec_t now);

/*
 * driver_stop(driver, reason, now):
 * Close for good: driver->ended follows.
 */
void driver_stop(struct driver *driver, enum close_reason reason, usec_t now);

/*
 * driver_change_policy(driver, upstream, now):
 * From now on it goes by `upstream` (takes a reference), which needs no new connection.
 */
void driver_change_policy(struct driver *driver, struct upstream *upstream, usec_t now);

/*
 * driver_is_ready(driver):
 * Whether its link has a connection that may be lent.
 */
bool driver_is_ready(const struct driver *driver);

/*
 * driver_status(driver, now, ret_status):
 * Its link, whole; with a reference to the chain.
 */
void driver_status(struct driver *driver, usec_t now, struct link_status *ret_status);
