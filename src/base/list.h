/*
 * An intrusive, circular, doubly linked list.  The head and a free node point at themselves, so that
 * unlinking a node that is in no list is harmless.
 */
#pragma once

#include "base/cleanup.h"

#include <stdbool.h>

struct list {
	struct list *next, *previous;
};

#define LIST_INIT(name) \
	{ \
		&(name), &(name) \
	}

/*
 * list_init(list):
 * Make `list` an empty head, or a node in no list.
 */
static inline void
list_init(struct list *list)
{
	list->next = list->previous = list;
}

/*
 * list_is_empty(list):
 * Whether the head `list` has no nodes, or the node `list` is in no list.
 */
static inline bool
list_is_empty(const struct list *list)
{
	return list->next == list;
}

/*
 * list_append(head, node):
 * Put `node`, which must be in no list, at the end of `head`.
 */
static inline void
list_append(struct list *head, struct list *node)
{
	node->previous = head->previous;
	node->next = head;
	head->previous->next = node;
	head->previous = node;
}

/*
 * list_remove(node):
 * Take `node` out of its list, if it is in one; it is a free node afterwards.
 */
static inline void
list_remove(struct list *node)
{
	node->previous->next = node->next;
	node->next->previous = node->previous;
	list_init(node);
}

/* The structure of `type` whose `member` is the first node of `head`, which must not be empty. */
#define list_first(head, type, member) container_of((head)->next, type, member)

/* Walks over all nodes; the body may remove (and free) the node it is shown, and no other. */
#define list_for_each(node, head) \
	for (struct list *node = (head)->next, *node##_next = node->next; node != (head); \
	     node = node##_next, node##_next = node->next)
