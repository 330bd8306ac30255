#include "sys/resolve_names.h"

#include "base/cleanup.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct cache {
	struct name_table table;
	size_t count, max;
	struct kept *heap[]; /* the one that expires first comes first (a binary heap) */
};

/* ---- tables --------------------------------------------------------------------------------------- */

/* FNV-1a (Fowler, Noll, Vo): short, and good enough for names out of our own configuration. */
static size_t
bucket_of(const struct name *name)
{
	uint32_t hash = 2166136261u;

	for (const char *at = name->host; *at != '\0'; at++)
		hash = (hash ^ (uint32_t)tolower((unsigned char)*at)) * 16777619u;
	hash = (hash ^ (uint32_t)(name->family * 4 + name->service * 2 + name->absolute)) * 16777619u;
	return hash % NAME_BUCKETS;
}

static bool
name_equal(const struct name *a, const struct name *b)
{
	return a->family == b->family && a->absolute == b->absolute && a->service == b->service &&
	       strcasecmp(a->host, b->host) == 0;
}

struct name_node *
name_find(const struct name_table *table, const struct name *name)
{
	struct name_node *node = table->buckets[bucket_of(name)];

	while (node && !name_equal(&node->name, name))
		node = node->next;
	return node;
}

void
name_insert(struct name_table *table, struct name_node *node)
{
	struct name_node **bucket = &table->buckets[bucket_of(&node->name)];

	node->next = *bucket;
	*bucket = node;
}

void
name_remove(struct name_table *table, struct name_node *node)
{
	struct name_node **at = &table->buckets[bucket_of(&node->name)];

	while (*at && *at != node)
		at = &(*at)->next;
	if (*at)
		*at = node->next;
}

/* ---- the cache ------------------------------------------------------------------------------------ */

struct cache *
cache_new(size_t max)
{
	struct cache *cache = calloc(1, sizeof(*cache) + max * sizeof(struct kept *));

	if (cache)
		cache->max = max;
	return cache;
}

struct cache *
cache_free(struct cache *cache)
{
	if (cache)
		cache_clear(cache);
	free(cache);
	return NULL;
}

static void
heap_put(struct cache *cache, size_t place, struct kept *kept)
{
	cache->heap[place] = kept;
	kept->place = place;
}

/* Finds the place of `kept`, coming from the free `place`: first towards the root, then away from it. */
static void
heap_settle(struct cache *cache, size_t place, struct kept *kept)
{
	size_t child;

	while (place > 0 && cache->heap[(place - 1) / 2]->expires > kept->expires) {
		heap_put(cache, place, cache->heap[(place - 1) / 2]);
		place = (place - 1) / 2;
	}
	while ((child = 2 * place + 1) < cache->count) {
		if (child + 1 < cache->count &&
		    cache->heap[child + 1]->expires < cache->heap[child]->expires)
			child++;
		if (cache->heap[child]->expires >= kept->expires)
			break;
		heap_put(cache, place, cache->heap[child]);
		place = child;
	}
	heap_put(cache, place, kept);
}

static void
forget(struct cache *cache, struct kept *kept)
{
	struct kept *last = cache->heap[--cache->count];

	name_remove(&cache->table, &kept->node);
	if (last != kept)
		heap_settle(cache, kept->place, last);
	free(kept);
}

static struct kept *
find(const struct cache *cache, const struct name *name)
{
	struct name_node *node = name_find(&cache->table, name);

	return node ? container_of(node, struct kept, node) : NULL;
}

void
cache_put(struct cache *cache, const struct to_keep *answer)
{
	struct kept *older = find(cache, answer->name), *kept = malloc(sizeof(*kept) + answer->size);

	if (older)
		forget(cache, older);
	if (!kept)
		return;
	if (cache->count == cache->max)
		forget(cache, cache->heap[0]);
	kept->node.name = *answer->name;
	kept->expires = answer->expires;
	kept->left_out = answer->left_out;
	kept->count = answer->count;
	kept->size = answer->size;
	memcpy(kept->items, answer->items, answer->size);
	name_insert(&cache->table, &kept->node);
	heap_settle(cache, cache->count++, kept);
}

const struct kept *
cache_get(struct cache *cache, const struct name *name, usec_t now)
{
	struct kept *kept = find(cache, name);

	if (!kept || kept->expires > now)
		return kept;
	forget(cache, kept);
	return NULL;
}

void
cache_clear(struct cache *cache)
{
	while (cache->count > 0)
		forget(cache, cache->heap[cache->count - 1]);
}
