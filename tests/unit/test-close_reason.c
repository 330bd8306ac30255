/* core/close_reason: why a connection was closed where it is no failure. */
#include "check.h"

#include "core/close_reason.h"

#include <string.h>

static void
reasons_have_the_names_of_the_wire(void **state)
{
	static const char *const names[CLOSE_REASON_COUNT] = {
		"lifetime",	"idle-recycled", "reload", "certificate-rotated",
		"address-gone", "borrower-done", "admin",  "surplus",
		"shutdown",
	};

	(void)state;
	for (enum close_reason i = 0; i < CLOSE_REASON_COUNT; i++) {
		assert_string_equal(close_reason_name(i), names[i]);
		assert_true(strlen(close_reason_summary(i)) > strlen(names[i]));
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(reasons_have_the_names_of_the_wire),
	};

	RUN_TESTS(tests);
}
