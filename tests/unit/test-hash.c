/* base/hash.h: FNV-1a. */
#include "check.h"

#include "base/hash.h"

/* The vectors of the algorithm's authors (draft-eastlake-fnv, appendix C). */
static void
it_is_fnv_1a(void **state)
{
	(void)state;
	assert_true(hash_bytes(HASH_SEED, "", 0) == UINT64_C(0xcbf29ce484222325));
	assert_true(hash_bytes(HASH_SEED, "a", 1) == UINT64_C(0xaf63dc4c8601ec8c));
	assert_true(hash_bytes(HASH_SEED, "foobar", 6) == UINT64_C(0x85944171f73967e8));
}

static void
texts_are_told_apart_where_they_end(void **state)
{
	(void)state;
	assert_true(hash_text(hash_text(HASH_SEED, "a"), "bc") !=
		    hash_text(hash_text(HASH_SEED, "ab"), "c"));
	assert_true(hash_text(HASH_SEED, NULL) != hash_text(HASH_SEED, ""));
	assert_true(hash_text(HASH_SEED, "a") == hash_text(HASH_SEED, "a"));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_fnv_1a),
		cmocka_unit_test(texts_are_told_apart_where_they_end),
	};

	RUN_TESTS(tests);
}
