/* core/history: the last failures, oldest first. */
#include "check.h"

#include "core/history.h"

static void
add(struct history *history, uint32_t attempt)
{
	struct failure failure;

	failure_init(&failure, FAILURE_CONNECTION_REFUSED, STAGE_CONNECT);
	failure.attempt = attempt;
	assert_int_equal(history_add(history, 1000 + attempt, 7, &failure), 0);
}

static void
it_begins_empty(void **state)
{
	struct history *history = history_new();

	(void)state;
	assert_int_equal(history_count(history), 0);
	assert_int_equal(history_dropped(history), 0);
	assert_null(history_free(history));
	assert_null(history_free(NULL));
}

static void
the_oldest_comes_first_and_leaves_first(void **state)
{
	struct history *history = history_new();

	(void)state;
	for (uint32_t i = 0; i < HISTORY_MAX; i++)
		add(history, i);
	assert_int_equal(history_count(history), HISTORY_MAX);
	assert_int_equal(history_dropped(history), 0);
	assert_int_equal(history_at(history, 0)->failure.attempt, 0);
	for (uint32_t i = 0; i < HISTORY_MAX + 5; i++)
		add(history, HISTORY_MAX + i);
	assert_int_equal(history_count(history), HISTORY_MAX);
	assert_int_equal(history_dropped(history), HISTORY_MAX + 5);
	for (unsigned int i = 0; i < HISTORY_MAX; i++) {
		assert_int_equal(history_at(history, i)->failure.attempt, HISTORY_MAX + 5 + i);
		assert_int_equal(history_at(history, i)->realtime, 1000 + HISTORY_MAX + 5 + i);
		assert_int_equal(history_at(history, i)->link, 7);
	}
	history_free(history);
}

static void
an_entry_has_references_of_its_own(void **state)
{
	struct certificate leaf = { .sha256 = "11" };
	struct history *history = history_new();
	struct failure failure;

	(void)state;
	failure_init(&failure, FAILURE_TLS_CERTIFICATE_NAME, STAGE_HANDSHAKE);
	failure.chain = chain_new(&leaf, 1);
	assert_int_equal(history_add(history, 1, 0, &failure), 0);
	failure_done(&failure);
	assert_string_equal(chain_certificate(history_at(history, 0)->failure.chain, 0)->sha256, "11");
	for (uint32_t i = 0; i < HISTORY_MAX; i++)
		add(history, i); /* and gives them back when it leaves */
	history_free(history);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_begins_empty),
		cmocka_unit_test(the_oldest_comes_first_and_leaves_first),
		cmocka_unit_test(an_entry_has_references_of_its_own),
	};

	RUN_TESTS(tests);
}
