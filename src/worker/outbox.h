/*
 * The way of a worker's events to main.  It never blocks: while main is slow and the mailbox is full, each
 * sender has room for one event of each kind, and what it says later replaces or outlives it:
 * a link's status is made anew when it is sent, a second failure (close, lost address) is counted as lost, and
 * main is told how many were.  Of the warnings the latest of each kind is kept, since it may say that an earlier one is over.
 */
#pragma once

#include "base/list.h"
#include "mailbox/mailbox.h"
#include "mailbox/message.h"

struct mail;
struct kept_warning;

/* Fill in the status of the link that `mail` belongs to, as it is now. */
typedef void (*mail_status_fn)(struct mail *mail, struct link_status *ret_status);
/* The last event of `mail`'s sender has been sent: the sender may be freed. */
typedef void (*mail_last_fn)(struct mail *mail);

/* What one sender (a link's slot, or an upstream's runner) has still to tell. */
struct mail {
	struct list node; /* in outbox->waiting while there is something */
	upstream_id id;
	unsigned int link;     /* 0: an upstream's */
	mail_status_fn status; /* NULL: an upstream's */
	mail_last_fn last;
	bool has_status, has_close, has_last;
	enum event_kind last_kind; /* EVENT_LINK_GONE or EVENT_DROPPED */
	enum close_reason reason;
	usec_t close_at;
	struct failure *failure; /* of EVENT_FAILURE, or NULL; allocated while main is slow only */
	struct kept_warning *warnings; /* likewise: one of a kind, in the order they came */
};

struct outbox {
	struct mailbox *mailbox; /* borrowed */
	struct list waiting;
	uint64_t lost; /* events, not told yet */
	usec_t stall;  /* of WARNING_STALL, not told yet */
	bool has_pong;
	uint64_t ping;
};

/*
 * outbox_init(outbox, mailbox), outbox_done(outbox):
 * Begin and end.  All mail must be done before outbox_done().
 */
void outbox_init(struct outbox *outbox, struct mailbox *mailbox);
void outbox_done(struct outbox *outbox);

/*
 * mail_init(mail, id, link), mail_done(mail):
 * An empty one; and forget what it has still to tell.
 */
void mail_init(struct mail *mail, upstream_id id, unsigned int link);
void mail_done(struct mail *mail);

/*
 * outbox_status(outbox, mail, now):
 * Tell the status of mail's link.
 */
void outbox_status(struct outbox *outbox, struct mail *mail, usec_t now);

/*
 * outbox_failure(outbox, mail, kind, failure, now):
 * Tell a failure (EVENT_FAILURE or EVENT_LOST_ADDRESS), taking over the references of `failure`.
 */
void outbox_failure(struct outbox *outbox, struct mail *mail, enum event_kind kind,
		    struct failure *failure, usec_t now);

/*
 * outbox_close(outbox, mail, reason, now):
 * Tell that a ready connection has ended for a reason that is no failure.
 */
void outbox_close(struct outbox *outbox, struct mail *mail, enum close_reason reason, usec_t now);

/* A warning about an upstream. */
struct warning {
	enum warning_kind kind; /* not STALL, LOST or FLAPPING, which are others' to tell */
	uint64_t number;
	struct failure *failure; /* where the kind has one: its references are taken over; else NULL */
};

/*
 * outbox_warning(outbox, mail, warning, now):
 * Tell it.
 */
void outbox_warning(struct outbox *outbox, struct mail *mail, const struct warning *warning, usec_t now);

/*
 * outbox_last(outbox, mail, kind, now):
 * Tell that the sender is no more (EVENT_LINK_GONE, EVENT_DROPPED).  Returns true where all has been told; otherwise mail->last is
 * called once it has (from outbox_flush()).
 */
bool outbox_last(struct outbox *outbox, struct mail *mail, enum event_kind kind, usec_t now);

/*
 * outbox_no_memory(outbox, id, now):
 * Tell that an upstream could not be taken on for want of memory (an EVENT_FAILURE without a link), or count it as lost.
 */
void outbox_no_memory(struct outbox *outbox, upstream_id id, usec_t now);

/*
 * outbox_stall(outbox, late, now), outbox_pong(outbox, ping, now):
 * Tell of the worker itself.
 */
void outbox_stall(struct outbox *outbox, usec_t late, usec_t now);
void outbox_pong(struct outbox *outbox, uint64_t ping, usec_t now);

/*
 * outbox_flush(outbox, now):
 * There is room again: send what waits.  Returns whether nothing is left.
 */
bool outbox_flush(struct outbox *outbox, usec_t now);
