#include "config/diff.h"

#include "base/must.h"
#include "config/schema.h"
#include "config/value.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

static_assert(SCHEMA_KEYS_MAX >= CHANGE_KEYS_MAX, "a change has no more keys than the schema");

/* Compares two upstreams of one name. */
static void
compare_upstreams(struct change *change)
{
	change->kind = CHANGE_KEPT;
	if (change->before == change->after)
		return; /* shared: config_share() */
	schema_for_each(key, SCOPE_UPSTREAM)
	{
		if (value_equal(key, change->before, change->after))
			continue;
		must(change->key_count < CHANGE_KEYS_MAX);
		change->keys[change->key_count++] = key->path;
		if (key->apply == APPLY_RECONNECT)
			change->kind = CHANGE_RECONNECTED;
		else if (change->kind == CHANGE_KEPT)
			change->kind = CHANGE_CHANGED;
	}
}

/* Compares what concerns the daemon as a whole. */
static void
compare_daemons(const struct config *before, const struct config *after, struct diff *diff)
{
	schema_for_each(key, SCOPE_DAEMON)
	{
		if (value_equal(key, before, after))
			continue;
		if (key->apply == APPLY_RESTART) {
			must(diff->restart_key_count < COUNT_OF(diff->restart_keys));
			diff->restart_keys[diff->restart_key_count++] = key->path;
		} else {
			must(diff->daemon_key_count < COUNT_OF(diff->daemon_keys));
			diff->daemon_keys[diff->daemon_key_count++] = key->path;
		}
	}
}

/* The next change of two lists that are sorted by name, from before[*i] and after[*j], which it steps over. */
static struct change
next_change(const struct config *before, size_t *i, const struct config *after, size_t *j)
{
	struct upstream *old = before && *i < before->upstream_count ? before->upstreams[*i] : NULL;
	struct upstream *new = *j < after->upstream_count ? after->upstreams[*j] : NULL;
	int order = old && new ? strcmp(old->name, new->name) : old ? -1 : 1;
	struct change change = { 0 };

	if (order <= 0) {
		change.before = old;
		change.kind = CHANGE_REMOVED;
		(*i)++;
	}
	if (order >= 0) {
		change.after = new;
		change.kind = CHANGE_ADDED;
		(*j)++;
	}
	if (order == 0)
		compare_upstreams(&change);
	return change;
}

int
config_diff(const struct config *before, const struct config *after, struct diff *ret_diff)
{
	size_t old_count = before ? before->upstream_count : 0, i = 0, j = 0;
	struct diff diff = { 0 };

	diff.changes = calloc(old_count + after->upstream_count + 1, sizeof(*diff.changes));
	if (!diff.changes)
		return -ENOMEM;
	while (i < old_count || j < after->upstream_count)
		diff.changes[diff.count++] = next_change(before, &i, after, &j);
	if (before)
		compare_daemons(before, after, &diff);
	*ret_diff = diff;
	return 0;
}

void
config_share(struct config *after, const struct config *before)
{
	size_t i = 0, j = 0;

	while (i < before->upstream_count && j < after->upstream_count) {
		size_t place = j;
		struct change change = next_change(before, &i, after, &j);

		if (change.kind != CHANGE_KEPT || change.before == change.after)
			continue;
		upstream_unref(change.after);
		after->upstreams[place] = upstream_ref(change.before);
	}
}

int
config_keep_restart(struct config *after, const struct config *before)
{
	schema_for_each(key, SCOPE_DAEMON)
	{
		int r = key->apply == APPLY_RESTART ? value_keep(key, after, before) : 0;

		if (r < 0)
			return r;
	}
	return 0;
}

void
diff_done(struct diff *diff)
{
	free(diff->changes);
	*diff = (struct diff){ 0 };
}

const char *
change_kind_name(enum change_kind kind)
{
	static const char *const names[CHANGE_KIND_COUNT] = {
		[CHANGE_KEPT] = "kept",	      [CHANGE_ADDED] = "added",
		[CHANGE_CHANGED] = "changed", [CHANGE_RECONNECTED] = "reconnected",
		[CHANGE_REMOVED] = "removed",
	};

	must(kind < CHANGE_KIND_COUNT);
	return names[kind];
}
