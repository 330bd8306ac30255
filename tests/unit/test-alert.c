/* core/alert: the names of TLS alerts. */
#include "check.h"

#include "core/failure.h"

#include <string.h>

static void
alerts_have_their_registered_names(void **state)
{
	static const struct {
		uint8_t number;
		const char *name;
	} rows[] = {
		{ 0, "close_notify" },
		{ 40, "handshake_failure" },
		{ 42, "bad_certificate" },
		{ 48, "unknown_ca" },
		{ 70, "protocol_version" },
		{ 80, "internal_error" },
		{ 112, "unrecognized_name" },
		{ 120, "no_application_protocol" },
		{ 86, "inappropriate_fallback" },
		{ 109, "missing_extension" }, /* not in OpenSSL */
		{ 116, "certificate_required" },
		{ 121, "ech_required" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_string_equal(alert_name(rows[i].number), rows[i].name);
}

static void
every_number_has_some_name(void **state)
{
	unsigned int known = 0;

	(void)state;
	for (unsigned int i = 0; i <= UINT8_MAX; i++)
		known += strcmp(alert_name((uint8_t)i), "unknown") != 0;
	assert_int_equal(known, 37);
	assert_string_equal(alert_name(1), "unknown");
	assert_string_equal(alert_name(255), "unknown");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(alerts_have_their_registered_names),
		cmocka_unit_test(every_number_has_some_name),
	};

	RUN_TESTS(tests);
}
