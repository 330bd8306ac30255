/* base/list: the intrusive list. */
#include "check.h"

#include "base/list.h"

struct item {
	int value;
	struct list node;
};

static void
order_is_kept(void **state)
{
	struct list head = LIST_INIT(head);
	struct item items[3] = { { .value = 1 }, { .value = 2 }, { .value = 3 } };
	int seen = 0;

	(void)state;
	assert_true(list_is_empty(&head));
	for (size_t i = 0; i < COUNT_OF(items); i++)
		list_append(&head, &items[i].node);
	assert_false(list_is_empty(&head));
	assert_ptr_equal(list_first(&head, struct item, node), &items[0]);
	list_for_each(node, &head)
		seen = seen * 10 + container_of(node, struct item, node)->value;
	assert_int_equal(seen, 123);
}

static void
the_shown_node_may_leave(void **state)
{
	struct list head = LIST_INIT(head);
	struct item items[3] = { { .value = 1 }, { .value = 2 }, { .value = 3 } };
	int seen = 0;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(items); i++)
		list_append(&head, &items[i].node);
	list_for_each(node, &head) {
		seen++;
		list_remove(node);
	}
	assert_int_equal(seen, 3);
	assert_true(list_is_empty(&head));
}

static void
removing_twice_is_harmless(void **state)
{
	struct list head = LIST_INIT(head);
	struct item one = { .value = 1 }, two = { .value = 2 };

	(void)state;
	list_append(&head, &one.node);
	list_append(&head, &two.node);
	list_remove(&one.node);
	list_remove(&one.node);
	assert_true(list_is_empty(&one.node));
	assert_ptr_equal(list_first(&head, struct item, node), &two);
	assert_ptr_equal(two.node.next, &head);
	assert_ptr_equal(two.node.previous, &head);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_is_kept),
		cmocka_unit_test(the_shown_node_may_leave),
		cmocka_unit_test(removing_twice_is_harmless),
	};

	RUN_TESTS(tests);
}
