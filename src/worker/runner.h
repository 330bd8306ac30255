/*
 * A runner keeps one upstream's connections: as many slots as are wanted.
 */
#pragma once

#include "core/rotation.h"
#include "worker/slot.h"
#include "worker/state.h"

struct proxy_secret;
struct refresh;

/* Servers behind one name may each have a certificate of their own: that one of so many comes again is no change. */
#define LEAVES_KNOWN_MAX 4

/* A leaf that was presented, by its digests. */
struct known_leaf {
	char sha256[CHAIN_DIGEST_TEXT_MAX]; /* "": none */
	char spki_sha256[CHAIN_DIGEST_TEXT_MAX];
};

struct runner {
	struct worker *worker;
	struct list leaves; /* in worker->leaving */
	upstream_id id;
	struct upstream *upstream;     /* a reference: what is configured */
	struct tls_sessions *sessions; /* made when they are first needed */
	struct proxy_secret *secret;   /* likewise */
	struct slot **slots;	       /* number 1 first */
	size_t slot_count, slot_size;
	struct list leaving; /* slots not wanted any more, until they are gone */
	bool rolls;	     /* a rolling reconnect goes on, because of: */
	enum close_reason roll_reason;
	struct slot *rolling; /* whose turn it is in it, or NULL */
	bool paused;
	bool dropped;
	unsigned int left_out; /* addresses, as told last */
	bool rotation_stopped; /* as told last: no connection can be made with our changed certificate */
	uint64_t stale;	       /* digest of the warning about stale files told last; 0: none */
	enum family broken;	     /* as told last; FAMILY_ANY: none */
	unsigned int probes_failing; /* ready links whose last probe went wrong */
	struct tls_state state;	     /* of the files, as the ready links have been judged by it */
	bool judge_again;	     /* a link became ready by another state of the files */
	bool look_again; /* a link became ready, or the settings changed: look at the certificates */
	int64_t look_at; /* seconds since 1970: when to look at them anyhow */
	int64_t told_expiry, told_own_expiry, told_crl_expiry; /* as warned of last; 0: not */
	struct known_leaf known[LEAVES_KNOWN_MAX];	       /* the latest first */
	struct refresh *refresh; /* the names are being asked again, or NULL */
	usec_t refresh_at; /* when they will be; USEC_INFINITY: not before an attempt has asked */
	struct rotation *rotations; /* two for each target, for worker/refresh: IPv4, IPv6; made with the first refresh */
	bool drains; /* links are renewed because of CLOSE_ADDRESS_GONE, one after the other */
	struct mail mail;
};

/*
 * runner_find(worker, id):
 * The runner of that upstream (not a dropped one), or NULL.
 */
struct runner *runner_find(const struct worker *worker, upstream_id id);

/* COMMAND_SET */
struct runner_change {
	struct upstream *upstream; /* borrowed */
	bool in_place;
};

/*
 * runner_set(worker, id, change, now):
 * Take on an upstream, or change the one with that id.
 */
void runner_set(struct worker *worker, upstream_id id, const struct runner_change *change, usec_t now);

/*
 * runner_fill(runner, now):
 * As many slots as are wanted: the highest numbers leave, missing ones come.
 */
void runner_fill(struct runner *runner, usec_t now);

/*
 * runner_drop(runner, reason, now):
 * Close all its slots; EVENT_DROPPED follows, unless the worker ends.
 */
void runner_drop(struct runner *runner, enum close_reason reason, usec_t now);

/*
 * runner_free(runner):
 * Drop all it has without a word.  Takes NULL, returns NULL.
 */
struct runner *runner_free(struct runner *runner);

/*
 * runner_look(runner, now):
 * From time to time: look at its files, its certificates, and whether its names are to be asked again.
 */
void runner_look(struct runner *runner, usec_t now);

/*
 * runner_pause(runner, now), runner_resume(runner), runner_retry(runner), runner_reconnect(runner, rolling, now),
 * runner_retry_load(runner):
 * The commands, to all its slots.
 */
void runner_pause(struct runner *runner, usec_t now);
void runner_resume(struct runner *runner);
void runner_retry(struct runner *runner);
void runner_reconnect(struct runner *runner, bool rolling, usec_t now);
void runner_retry_load(struct runner *runner);

/*
 * runner_roll(runner):
 * If the slot whose turn it is has been renewed, go on with the next.
 */
void runner_roll(struct runner *runner);

/*
 * runner_slot_gone(runner, slot, now):
 * A leaving slot has been closed and told: free it, and the runner with the last of a dropped one.
 */
void runner_slot_gone(struct runner *runner, struct slot *slot, usec_t now);

/*
 * runner_warn(runner, warning, now):
 * Tell a warning about its upstream; the references of warning->failure are taken over.
 */
void runner_warn(struct runner *runner, const struct warning *warning, usec_t now);

/*
 * runner_note_left_out(runner, count, now):
 * An attempt had no room for `count` addresses: tell it, unless that is known; 0 after others is the warning's end.
 */
void runner_note_left_out(struct runner *runner, unsigned int count, usec_t now);

/*
 * runner_note_family(runner, effect, now):
 * EFFECT_FAMILY of one of its links: tell when a family is broken, and when that is over.
 */
void runner_note_family(struct runner *runner, const struct effect *effect, usec_t now);

/*
 * runner_note_probing(driver, effect, now):
 * EFFECT_PROBING of one of its links: tell it; it is over once no link's probes fail.
 */
void runner_note_probing(struct driver *driver, const struct effect *effect, usec_t now);
