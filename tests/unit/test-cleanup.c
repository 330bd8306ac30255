/* base/cleanup: what is declared with a variable happens when it leaves its scope. */
#include "check.h"

#include <string.h>

static unsigned int freed;

static void
count_free(int *thing)
{
	freed += thing != NULL;
	free(thing);
}

CLEANUP_DEFINE(int *, count_free)

static int *
make(void)
{
	_cleanup_(count_freep) int *thing = malloc(sizeof(*thing));

	*thing = 7;
	return steal(thing);
}

static void
what_leaves_its_scope_is_freed(void **state)
{
	(void)state;
	freed = 0;
	{
		_cleanup_(count_freep) int *thing = malloc(sizeof(*thing));
		_cleanup_(count_freep) int *nothing = NULL;
		_cleanup_(freep) char *text = strdup("text");

		assert_non_null(thing);
		assert_null(nothing);
		assert_non_null(text);
		assert_int_equal(freed, 0);
	}
	assert_int_equal(freed, 1);
}

static void
what_is_stolen_lives_on(void **state)
{
	_cleanup_(freep) int *thing = NULL;

	(void)state;
	freed = 0;
	thing = make();
	assert_int_equal(freed, 0);
	assert_int_equal(*thing, 7);
}

struct pair {
	int first, second;
};

static void
a_member_leads_to_its_whole(void **state)
{
	struct pair pair = { 1, 2 };

	(void)state;
	assert_true(container_of(&pair.second, struct pair, second) == &pair);
	assert_int_equal(COUNT_OF(((int[]){ 1, 2, 3 })), 3);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_leaves_its_scope_is_freed),
		cmocka_unit_test(what_is_stolen_lives_on),
		cmocka_unit_test(a_member_leads_to_its_whole),
	};

	RUN_TESTS(tests);
}
