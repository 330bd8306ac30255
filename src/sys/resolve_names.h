/*
 * What the resolver keeps by name: questions under way, and answers until their time is up.
 *
 * A name is a host (compared without regard to case), whether it is absolute, and a family; or a service.  Everything belongs
 * to one thread.
 */
#pragma once

#include "base/usec.h"
#include "core/address.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NAME_BUCKETS 4096 /* of a table; a longer chain is only slower */

struct name {
	char host[TARGET_HOST_MAX];
	bool absolute;
	bool service;	    /* asked for SRV records */
	enum family family; /* FAMILY_ANY of a service */
};

/* A node of a table: the first member of what is kept. */
struct name_node {
	struct name_node *next;
	struct name name;
};

struct name_table {
	struct name_node *buckets[NAME_BUCKETS];
};

/*
 * name_find(table, name):
 * The node of an equal name, or NULL.
 */
struct name_node *name_find(const struct name_table *table, const struct name *name);

/*
 * name_insert(table, node):
 * Add `node`, whose name must not be in `table` yet.  It stays the caller's.
 */
void name_insert(struct name_table *table, struct name_node *node);

/*
 * name_remove(table, node):
 * Take `node` out, if it is in.
 */
void name_remove(struct name_table *table, struct name_node *node);

/* An answer that is kept. */
struct kept {
	struct name_node node;
	usec_t expires;
	size_t place;	       /* in the cache's heap */
	unsigned int left_out; /* there were so many more */
	unsigned int count;
	size_t size;				    /* of the items, in bytes */
	alignas(max_align_t) unsigned char items[]; /* addresses, or the records of a service */
};

struct cache;

/*
 * cache_new(max), cache_free(cache):
 * A cache of at most `max` answers.  NULL means no memory.  cache_free() takes NULL and returns NULL.
 */
struct cache *cache_new(size_t max);
struct cache *cache_free(struct cache *cache);

/* What cache_put() is to keep. */
struct to_keep {
	const struct name *name;
	const void *items;
	unsigned int count;
	size_t size;	       /* of all items, in bytes */
	unsigned int left_out; /* there were so many more of them */
	usec_t expires;
};

/*
 * cache_put(cache, answer):
 * Keep a copy of `answer`, in the place of an older one of that name.  A full cache lets go of the answer that expires first.
 * Without memory nothing is kept.
 */
void cache_put(struct cache *cache, const struct to_keep *answer);

/*
 * cache_get(cache, name, now):
 * The answer of `name` that has not expired at `now`, borrowed until the next call; or NULL.
 */
const struct kept *cache_get(struct cache *cache, const struct name *name, usec_t now);

/*
 * cache_clear(cache):
 * Forget all.
 */
void cache_clear(struct cache *cache);
