/*
 * What main tells the world: the log, the journal and the watchers of the control socket all say the same
 * notices, made in one place (main/model) and told through one list of subscribers.
 */
#pragma once

#include "base/list.h"
#include "base/usec.h"
#include "config/config.h"
#include "core/close_reason.h"
#include "core/failure.h"
#include "core/stage.h"
#include "core/upstream.h"

/* As io.holdfast.Control's EventKind. */
#define NOTICE_LIST(N) \
	N(STAGE, "stage") \
	N(HEALTH, "health") \
	N(FAILURE, "failure") \
	N(RECOVERY, "recovery") \
	N(CLOSE, "close") \
	N(WARNING, "warning") \
	N(CONFIG, "config")

enum notice_kind {
#define N(id, name) NOTICE_##id,
	NOTICE_LIST(N)
#undef N
		NOTICE_KIND_COUNT
};

/* All pointers are borrowed during the call. */
struct notice {
	enum notice_kind kind;
	enum log_level level;	       /* how grave it is for the log */
	uint64_t realtime;	       /* microseconds since 1970, UTC */
	const char *upstream;	       /* its name, or NULL */
	unsigned int link;	       /* 0: none is concerned */
	int stage;		       /* enum stage, or -1 */
	int health;		       /* enum health, or -1 */
	const struct failure *failure; /* or NULL */
	const char *reason;	       /* close reason's or warning's wire name, or NULL */
	const char *message;	       /* what happened, in words; not NULL */
	usec_t ready_after;	       /* RECOVERY: how long the link was not ready; else 0 */
	uint64_t repeats; /* FAILURE: how often that link has failed with that code in a row, this one included; 0: not counted */
};

typedef void (*notice_fn)(void *arg, const struct notice *notice);

struct subscriber {
	struct list node;
	notice_fn fn;
	void *arg;
};

/* The list of subscribers; each is told of every notice, in the order of subscription. */
struct notices {
	struct list subscribers;
};

/*
 * notices_init(notices):
 * No subscribers yet.
 */
void notices_init(struct notices *notices);

/*
 * notices_subscribe(notices, subscriber):
 * Tell `subscriber` (its fn and arg are set; it stays the caller's) from now on, until notices_unsubscribe(subscriber),
 * which may be called from within a notice, also twice.
 */
void notices_subscribe(struct notices *notices, struct subscriber *subscriber);
void notices_unsubscribe(struct subscriber *subscriber);

/*
 * notices_tell(notices, notice):
 * Tell all.
 */
void notices_tell(struct notices *notices, const struct notice *notice);

/*
 * notice_kind_name(kind):
 * The wire name.  notice_kind_find(name) is its inverse, or -EINVAL.
 */
const char *notice_kind_name(enum notice_kind kind);
int notice_kind_find(const char *name);
