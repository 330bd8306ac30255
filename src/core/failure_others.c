/* What became of the other addresses of an attempt: an immutable, counted list. */
#include "base/must.h"
#include "core/failure.h"

#include <stdatomic.h>
#include <string.h>

struct others {
	atomic_uint references;
	unsigned int count;
	struct address_failure at[];
};

struct others *
others_new(const struct address_failure *list, unsigned int count)
{
	struct others *others;

	if (count == 0)
		return NULL;
	others = malloc(sizeof(*others) + count * sizeof(*list));
	if (!others)
		return NULL;
	atomic_init(&others->references, 1);
	others->count = count;
	memcpy(others->at, list, count * sizeof(*list));
	return others;
}

struct others *
others_ref(struct others *others)
{
	if (others)
		atomic_fetch_add_explicit(&others->references, 1, memory_order_relaxed);
	return others;
}

struct others *
others_unref(struct others *others)
{
	if (others && atomic_fetch_sub_explicit(&others->references, 1, memory_order_acq_rel) == 1)
		free(others);
	return NULL;
}

unsigned int
others_count(const struct others *others)
{
	return others ? others->count : 0;
}

const struct address_failure *
others_at(const struct others *others, unsigned int index)
{
	must(index < others_count(others));
	return &others->at[index];
}
