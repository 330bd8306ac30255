/* The methods whose replies are a stream with an end: one upstream, or one failure, to a reply. */
#include "main/methods.h"

#include "base/must.h"

#include <string.h>

/* ---- List ------------------------------------------------------------------------------------------------------- */

/* A walk in the order of names, or of the caller's list; it survives a reload between its steps. */
struct walk {
	const json_t *names; /* the request's, or NULL: all */
	size_t next;	     /* of `names` */
	char last[UPSTREAM_NAME_MAX];
};

static struct model_upstream *
next_in_order(const struct model *model, struct walk *walk)
{
	struct model_upstream *known = model_next(model, walk->last);

	if (known)
		text_copy(walk->last, sizeof(walk->last), known->upstream->name);
	return known;
}

/* One that a reload has removed since the call began is passed over. */
static struct model_upstream *
next_named(const struct model *model, struct walk *walk)
{
	struct model_upstream *known = NULL;

	while (!known && walk->next < json_array_size(walk->names))
		known = model_find(model, json_string_value(json_array_get(walk->names, walk->next++)));
	return known;
}

static struct model_upstream *
walk_next(const struct model *model, struct walk *walk)
{
	return walk->names ? next_named(model, walk) : next_in_order(model, walk);
}

static void
list_step(struct call *call)
{
	struct model_upstream *known = walk_next(manager_model(call->services->manager), call->own);
	struct moment moment = call_moment(call);

	if (known)
		call_next(call, json_pack("{s:o}", "upstream", reply_upstream(known, &moment)));
	else if (call->held)
		call_last(call);
	else
		call_reply(call, json_pack("{s:n}", "upstream"));
}

static void
free_own(struct call *call)
{
	free(call->own);
}

bool
methods_know_all(struct call *call, const json_t *names)
{
	const struct model *model = manager_model(call->services->manager);
	size_t index;
	json_t *name;

	json_array_foreach(names, index, name)
	{
		if (model_find(model, json_string_value(name)))
			continue;
		call_fail_name(call, CONTROL_NO_SUCH_UPSTREAM, "name", json_string_value(name));
		return false;
	}
	return true;
}

/* Whether there is more than one reply to give; `walk` is a copy. */
static bool
walk_is_long(const struct model *model, struct walk walk)
{
	return walk_next(model, &walk) && walk_next(model, &walk);
}

void
method_list(struct call *call)
{
	struct walk *walk;

	if (!methods_know_all(call, call_array(call, "names")))
		return;
	walk = calloc(1, sizeof(*walk));
	if (!walk) {
		call_reply(call, NULL);
		return;
	}
	walk->names = call_array(call, "names");
	call->own = walk;
	call->abandon = free_own;
	if (!call->request.more && walk_is_long(manager_model(call->services->manager), *walk))
		call_fail(call, VARLINK_EXPECTED_MORE, json_object());
	else
		call_stream(call, list_step);
}

/* ---- History ---------------------------------------------------------------------------------------------------- */

/*
 * The failures of many upstreams are merged by a heap of one place for each upstream.  A place counts from the first
 * failure there ever was, so that it stays right when newer failures push the oldest ones out.
 */
struct place {
	usec_t at; /* when the failure was that comes next */
	upstream_id id;
	uint64_t next, end; /* what came after the call began is not part of the answer */
};

struct merge {
	size_t count;  /* of places with something left */
	uint64_t skip; /* failures older than the `limit` newest ones */
	struct place places[];
};

/* Passed-over failures cost little: so many are looked at in one step. */
#define SKIP_STEPS 64

static const struct history_entry *
place_entry(const struct model *model, struct place *place, struct model_upstream **ret_known)
{
	struct model_upstream *known = model_by_id(model, place->id);
	uint64_t dropped;

	if (!known || known->dropped)
		return NULL;
	dropped = history_dropped(known->history);
	if (place->next < dropped)
		place->next = dropped;
	if (place->next >= place->end || place->next - dropped >= history_count(known->history))
		return NULL;
	*ret_known = known;
	return history_at(known->history, (unsigned int)(place->next - dropped));
}

static void
merge_sink(struct merge *merge, size_t at)
{
	size_t child;

	while ((child = 2 * at + 1) < merge->count) {
		struct place place = merge->places[at];

		if (child + 1 < merge->count && merge->places[child + 1].at < merge->places[child].at)
			child++;
		if (place.at <= merge->places[child].at)
			return;
		merge->places[at] = merge->places[child];
		merge->places[child] = place;
		at = child;
	}
}

/* The heap's root goes on to its next failure, or out. */
static void
merge_advance(struct merge *merge, const struct model *model)
{
	struct place *root = &merge->places[0];
	const struct history_entry *entry;
	struct model_upstream *known;

	root->next++;
	entry = place_entry(model, root, &known);
	if (entry)
		root->at = entry->failure.at;
	else
		*root = merge->places[--merge->count];
	merge_sink(merge, 0);
}

/* Says the oldest failure that is left; what has left the history meanwhile is passed over in silence. */
static void
history_say(struct call *call, struct merge *merge, const struct model *model)
{
	struct model_upstream *known;
	const struct history_entry *entry = place_entry(model, &merge->places[0], &known);

	if (entry)
		call_next(call,
			  json_pack("{s:o}", "failure", reply_failure(known->upstream->name, entry)));
	merge_advance(merge, model);
}

static void
history_step(struct call *call)
{
	const struct model *model = manager_model(call->services->manager);
	struct merge *merge = call->own;

	for (int i = 0; i < SKIP_STEPS && merge->skip > 0 && merge->count > 0; i++) {
		merge_advance(merge, model);
		merge->skip--;
	}
	if (merge->count > 0 && merge->skip == 0)
		history_say(call, merge, model);
	else if (merge->count == 0 && call->held)
		call_last(call);
	else if (merge->count == 0)
		call_reply(call, json_pack("{s:n}", "failure"));
}

/* Gives `known` its place, if it has a failure to tell of; returns how many. */
static unsigned int
merge_add(struct merge *merge, const struct model_upstream *known)
{
	unsigned int count = history_count(known->history);
	uint64_t dropped = history_dropped(known->history);

	if (count > 0)
		merge->places[merge->count++] = (struct place){
			.at = history_at(known->history, 0)->failure.at,
			.id = known->id,
			.next = dropped,
			.end = dropped + count,
		};
	return count;
}

/* One place for each of the walk's upstreams; NULL for want of memory. */
static struct merge *
merge_new(const struct model *model, struct walk walk, uint64_t *ret_total)
{
	struct walk first = walk;
	struct model_upstream *known;
	struct merge *merge;
	size_t count = 0;

	while (walk_next(model, &walk))
		count++;
	merge = calloc(1, sizeof(*merge) + count * sizeof(merge->places[0]));
	if (!merge)
		return NULL;
	*ret_total = 0;
	while ((known = walk_next(model, &first)))
		*ret_total += merge_add(merge, known);
	for (size_t i = merge->count; i > 0; i--)
		merge_sink(merge, i - 1);
	return merge;
}

static void
history_begin(struct call *call, const json_t *names, uint64_t limit)
{
	const struct walk walk = { .names = names };
	uint64_t total;
	struct merge *merge = merge_new(manager_model(call->services->manager), walk, &total);

	if (!merge) {
		call_reply(call, NULL);
		return;
	}
	call->own = merge;
	call->abandon = free_own;
	if (total > limit) {
		merge->skip = total - limit;
		total = limit;
	}
	if (total > 1 && !call->request.more)
		call_fail(call, VARLINK_EXPECTED_MORE, json_object());
	else
		call_stream(call, history_step);
}

void
method_history(struct call *call)
{
	_cleanup_(json_decrefp) json_t *names = NULL;
	json_int_t limit = call_integer(call, "limit", INT64_MAX);

	if (limit < 1) {
		call_invalid(call, "limit");
		return;
	}
	if (call_has(call, "name")) {
		names = json_pack("[s]", call_string(call, "name"));
		if (!names) {
			call_reply(call, NULL);
			return;
		}
	}
	if (methods_know_all(call, names))
		history_begin(call, names, (uint64_t)limit);
}
