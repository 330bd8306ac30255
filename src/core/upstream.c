#include "core/upstream.h"

#include "base/must.h"
#include "base/text.h"

#include <string.h>

/* One piece of memory that lives as long as its upstream. */
struct kept {
	struct kept *next;
	_Alignas(max_align_t) unsigned char bytes[];
};

static void
upstream_destroy(struct upstream *upstream)
{
	struct kept *kept = upstream->owned;

	while (kept) {
		struct kept *next = kept->next;

		free(kept);
		kept = next;
	}
	free(upstream->targets);
	free(upstream);
}

struct upstream *
upstream_new(const char *name, unsigned int target_count)
{
	_cleanup_(upstream_unrefp) struct upstream *upstream = calloc(1, sizeof(*upstream));

	if (!upstream)
		return NULL;
	atomic_init(&upstream->references, 1);
	must(strlen(name) < sizeof(upstream->name));
	text_copy(upstream->name, sizeof(upstream->name), name);
	upstream->targets = calloc(target_count ? target_count : 1, sizeof(*upstream->targets));
	if (!upstream->targets)
		return NULL;
	upstream->target_count = target_count;
	return steal(upstream);
}

void *
upstream_keep(struct upstream *upstream, const void *bytes, size_t length)
{
	struct kept *kept = malloc(sizeof(*kept) + length);

	if (!kept)
		return NULL;
	if (length > 0)
		memcpy(kept->bytes, bytes, length);
	kept->next = upstream->owned;
	upstream->owned = kept;
	return kept->bytes;
}

const struct target *
upstream_reach(const struct upstream *upstream, unsigned int index)
{
	must(index < upstream->target_count);
	if (upstream->policy.proxy.kind != PROXY_NONE)
		return &upstream->policy.proxy.target;
	return &upstream->targets[index];
}

struct upstream *
upstream_ref(struct upstream *upstream)
{
	if (upstream)
		atomic_fetch_add_explicit(&upstream->references, 1, memory_order_relaxed);
	return upstream;
}

struct upstream *
upstream_unref(struct upstream *upstream)
{
	if (upstream && atomic_fetch_sub_explicit(&upstream->references, 1, memory_order_acq_rel) == 1)
		upstream_destroy(upstream);
	return NULL;
}

enum health
upstream_health(const struct link_census *census)
{
	unsigned int usable = census->ready + census->lent;

	if (census->wanted == 0 || (census->paused >= census->wanted && usable == 0))
		return HEALTH_PAUSED;
	if (usable >= census->wanted)
		return HEALTH_UP;
	if (usable > 0)
		return HEALTH_DEGRADED;
	if (census->held > 0)
		return HEALTH_OFFLINE;
	return census->attempted ? HEALTH_DOWN : HEALTH_STARTING;
}

const char *
health_name(enum health health)
{
	static const char *const names[HEALTH_COUNT] = {
		[HEALTH_STARTING] = "starting", [HEALTH_UP] = "up",
		[HEALTH_DEGRADED] = "degraded", [HEALTH_DOWN] = "down",
		[HEALTH_PAUSED] = "paused",	[HEALTH_OFFLINE] = "offline",
	};

	must(health < HEALTH_COUNT);
	return names[health];
}
