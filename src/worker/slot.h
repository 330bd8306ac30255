/*
 * A slot is one connection wanted of an upstream, with the number its links carry (the log's link=).
 *
 * Usually one driver fills it.  To renew a connection without ever having fewer, a successor makes its attempts
 * while the present driver stays ready; once the successor is ready, or the present one is no more, it takes the slot, and
 * the other is closed in order among the retired.  Main hears the status of the present driver only, and the failures of all.
 *
 * What follows from a driver's new stage is not done while it is fed, but in slot_look(), a turn later.
 */
#pragma once

#include "worker/driver.h"
#include "worker/outbox.h"

struct runner;

struct slot {
	struct list all;    /* in worker->slots */
	struct list look;   /* in worker->dirty or worker->starved */
	struct list leaves; /* in runner->leaving */
	struct runner *runner;
	unsigned int number;
	struct driver *current;	  /* NULL: not made yet, or gone */
	struct driver *successor; /* or NULL */
	struct list retired;
	struct mail mail;
	bool leaving; /* it is wanted no more */
	bool silent;  /* its going is not told: another has its number, or the worker ends */
	bool renew;   /* a successor is wanted, because of: */
	enum close_reason renew_reason;
	struct list replacing; /* in worker->replacing, while its successor has until: */
	usec_t replace_until;
	bool peer_ended; /* the slot is not taken then, but the present connection is judged */
	bool roll;	 /* its turn in a rolling reconnect is to come */
};

/*
 * slot_new(runner, number, ret_slot):
 * A slot whose first driver is made and started by slot_look().  Returns 0 or -ENOMEM.
 */
int slot_new(struct runner *runner, unsigned int number, struct slot **ret_slot);

/*
 * slot_free(slot):
 * Drop all it has without a word.  Takes NULL, returns NULL.
 */
struct slot *slot_free(struct slot *slot);

/*
 * slot_touch(slot):
 * Something changed: slot_look() will be called in the next turn.
 */
void slot_touch(struct slot *slot);

/*
 * slot_look(slot, now):
 * Free what has ended, let the successor take over, make what is missing.  It may free the slot itself, and its runner.
 */
void slot_look(struct slot *slot, usec_t now);

/*
 * slot_leave(slot, reason, now):
 * Close all it has; EVENT_LINK_GONE follows unless it is silent.
 */
void slot_leave(struct slot *slot, enum close_reason reason, usec_t now);

/*
 * slot_publish(slot, now):
 * Tell main its status.
 */
void slot_publish(struct slot *slot, usec_t now);

/*
 * slot_renew(slot, reason):
 * Make a successor; the present connection is closed for `reason` once that is ready.
 */
void slot_renew(struct slot *slot, enum close_reason reason);

/*
 * slot_peer_ended(slot, now):
 * The certificate its ready connection trusts the peer by has ended: make a successor, in case the peer has another one meanwhile.
 * Once that shows that the peer has none, or has not become ready within an attempt's time (timeouts.attempt), the
 * present connection is judged again.  Nothing where that is under way, or a reload replaces it anyhow.
 */
void slot_peer_ended(struct slot *slot, usec_t now);

/*
 * slot_pause(slot, now), slot_resume(slot), slot_retry(slot), slot_reconnect(slot, now):
 * The commands; whatever was being renewed or rolled is not any more, but for a retry.
 */
void slot_pause(struct slot *slot, usec_t now);
void slot_resume(struct slot *slot);
void slot_retry(struct slot *slot);
void slot_reconnect(struct slot *slot, usec_t now);

/*
 * slot_change_policy(slot, before, now):
 * Drivers that went by `before` go by what the runner's upstream is now, in place.
 */
void slot_change_policy(struct slot *slot, const struct upstream *before, usec_t now);

/*
 * slot_replace(slot, now):
 * The upstream needs new connections: a ready one stays until its successor is, or until that has had an attempt's time
 * (timeouts.attempt of what is configured now); anything else begins anew.
 */
void slot_replace(struct slot *slot, usec_t now);

/*
 * slot_check_replacement(slot, now):
 * Of a slot in worker->replacing: when its successor has not become ready within the attempt's timeout, it takes the slot all the
 * same, and the connection made under the old settings is closed.  They shall not stay in force for ever, nor hide that the
 * new ones do not work.  After slot_peer_ended() the present connection is judged instead.
 */
void slot_check_replacement(struct slot *slot, usec_t now);

/*
 * slot_grant_replacement(slot, now):
 * Of such a slot: the successor has all of its time again, from now on.
 */
void slot_grant_replacement(struct slot *slot, usec_t now);

/*
 * slot_lacks_file(slot):
 * Whether a link that goes by the upstream as it is now waits because a file could not be used.
 */
bool slot_lacks_file(const struct slot *slot);

/*
 * slot_retry_load(slot):
 * Files may have changed: if the link waits because one could not be used, let it look at once.
 */
void slot_retry_load(struct slot *slot);
