#include "main/notice.h"

#include "base/must.h"

#include <errno.h>
#include <string.h>

static const char *const kind_names[NOTICE_KIND_COUNT] = {
#define N(id, name) [NOTICE_##id] = name,
	NOTICE_LIST(N)
#undef N
};

void
notices_init(struct notices *notices)
{
	list_init(&notices->subscribers);
}

void
notices_subscribe(struct notices *notices, struct subscriber *subscriber)
{
	must(subscriber->fn);
	list_append(&notices->subscribers, &subscriber->node);
}

void
notices_unsubscribe(struct subscriber *subscriber)
{
	list_remove(&subscriber->node);
}

/*
 * Whoever is told may unsubscribe himself or anybody else, and may cause another notice: our place in the
 * list is kept by a node of our own, which has no fn and is passed over by everybody else.
 */
void
notices_tell(struct notices *notices, const struct notice *notice)
{
	struct subscriber place = { .fn = NULL };

	must(notice->message);
	list_init(&place.node);
	list_append(notices->subscribers.next, &place.node);
	while (place.node.next != &notices->subscribers) {
		struct subscriber *next = container_of(place.node.next, struct subscriber, node);

		list_remove(&place.node);
		list_append(next->node.next, &place.node);
		if (next->fn)
			next->fn(next->arg, notice);
	}
	list_remove(&place.node);
}

const char *
notice_kind_name(enum notice_kind kind)
{
	must(kind < NOTICE_KIND_COUNT);
	return kind_names[kind];
}

int
notice_kind_find(const char *name)
{
	for (int kind = 0; kind < NOTICE_KIND_COUNT; kind++)
		if (strcmp(kind_names[kind], name) == 0)
			return kind;
	return -EINVAL;
}
