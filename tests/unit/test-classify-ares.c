/* sys/classify_ares: each status has a code and a name. */
#include "check.h"

#include "sys/classify_ares.h"

#include <ares.h>

#define STATUSES 27 /* of c-ares 1.34: ARES_SUCCESS to ARES_ENOSERVER */

static void
statuses_have_their_codes(void **state)
{
	static const struct {
		int status;
		enum failure_code code;
	} rows[] = {
		{ ARES_ENOTFOUND, FAILURE_ADDRESS_NXDOMAIN },
		{ ARES_ENODATA, FAILURE_ADDRESS_NO_DATA },
		{ ARES_ESERVFAIL, FAILURE_ADDRESS_SERVFAIL },
		{ ARES_EREFUSED, FAILURE_ADDRESS_REFUSED },
		{ ARES_ECONNREFUSED, FAILURE_ADDRESS_NO_SERVER },
		{ ARES_EFILE, FAILURE_ADDRESS_NO_SERVER },
		{ STATUSES - 1, FAILURE_ADDRESS_NO_SERVER },
		{ ARES_EBADRESP, FAILURE_ADDRESS_BAD_REPLY },
		{ ARES_EBADSTR, FAILURE_ADDRESS_BAD_REPLY },
		{ ARES_EFORMERR, FAILURE_ADDRESS_BAD_REPLY },
		{ ARES_ENOTIMP, FAILURE_ADDRESS_BAD_REPLY },
		{ ARES_EBADNAME, FAILURE_ADDRESS_INVALID },
		{ ARES_ESERVICE, FAILURE_ADDRESS_INVALID },
		{ ARES_ETIMEOUT, FAILURE_TIMEOUT_RESOLVE },
		{ ARES_ENOMEM, FAILURE_LOCAL_NO_MEMORY },
		{ ARES_EOF, FAILURE_ADDRESS_OTHER },
		{ ARES_EBADQUERY, FAILURE_ADDRESS_OTHER },
		{ 4711, FAILURE_ADDRESS_OTHER },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (classify_ares(rows[i].status) != rows[i].code)
			fail_msg("%s is %s", classify_ares_name(rows[i].status),
				 failure_name(classify_ares(rows[i].status)));
	}
}

static void
statuses_have_names(void **state)
{
	(void)state;
	for (int status = 0; status < STATUSES; status++)
		assert_non_null(classify_ares_name(status));
	assert_string_equal(classify_ares_name(ARES_ENOTFOUND), "ARES_ENOTFOUND");
	assert_string_equal(classify_ares_name(STATUSES - 1), "ARES_ENOSERVER");
	assert_string_equal(classify_ares_name(STATUSES), "ARES_STATUS_UNKNOWN");
	assert_string_equal(classify_ares_name(-1), "ARES_STATUS_UNKNOWN");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(statuses_have_their_codes),
		cmocka_unit_test(statuses_have_names),
	};

	RUN_TESTS(tests);
}
