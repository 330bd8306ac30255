/*
 * An upstream: what is configured (immutable, counted, shared between threads) and how the stages of
 * its links add up to one verdict.
 */
#pragma once

#include "base/cleanup.h"
#include "core/address.h"
#include "core/policy.h"

#include <stdatomic.h>

#define UPSTREAM_NAME_MAX 65 /* 64 characters and the NUL */

struct upstream {
	atomic_uint references;
	char name[UPSTREAM_NAME_MAX];
	struct target *targets; /* at least one, at most TARGETS_MAX */
	unsigned int target_count;
	struct policy policy;
	void *owned; /* chunk list of the policy's strings and arrays; see upstream_keep() */
};

enum health {
	HEALTH_STARTING, /* no attempt has ended yet */
	HEALTH_UP,	 /* all wanted links are ready */
	HEALTH_DEGRADED, /* some are */
	HEALTH_DOWN,	 /* none is */
	HEALTH_PAUSED,	 /* by an administrator or `enabled = false` */
	HEALTH_OFFLINE,	 /* none is ready, and attempts are held because this host has no network */
	HEALTH_COUNT
};

/* How many links of an upstream are in which condition. */
struct link_census {
	unsigned int wanted, ready, lent, paused, held; /* held: local.offline */
	bool attempted;					/* an attempt has ended, well or badly */
};

/*
 * upstream_new(name, target_count):
 * An upstream with one reference, `target_count` zeroed targets and a zeroed policy, for its maker to
 * fill before anybody else sees it; NULL for want of memory.
 */
struct upstream *upstream_new(const char *name, unsigned int target_count);

/*
 * upstream_keep(upstream, bytes, length):
 * A copy of `length` bytes that lives as long as `upstream` (for strings of the policy; give
 * strlen() + 1); NULL for want of memory.  Only before the upstream is shared.
 */
void *upstream_keep(struct upstream *upstream, const void *bytes, size_t length);

/*
 * upstream_reach(upstream, index):
 * Where a socket must be connected to for target number `index`: the proxy, where there is one, else the target itself.  Borrowed.  Any thread.
 */
const struct target *upstream_reach(const struct upstream *upstream, unsigned int index);

/*
 * upstream_ref(upstream), upstream_unref(upstream):
 * Take or give back a reference; both take NULL; upstream_unref returns NULL.  Any thread.
 */
struct upstream *upstream_ref(struct upstream *upstream);
struct upstream *upstream_unref(struct upstream *upstream);

/*
 * upstream_health(census):
 * The verdict over the links that `census` counts (a lent link counts as ready).  Any thread.
 */
enum health upstream_health(const struct link_census *census);

/*
 * health_name(health):
 * The wire name, e.g. "degraded".  A static string.  Any thread.
 */
const char *health_name(enum health health);

CLEANUP_DEFINE(struct upstream *, upstream_unref)
