/* core/failure: the list of codes, and the record. */
#include "check.h"

#include "core/failure.h"

#include <ctype.h>
#include <string.h>

static void
there_are_101_codes(void **state)
{
	(void)state;
	assert_int_equal(FAILURE_COUNT - 1, 101);
	assert_string_equal(failure_name(FAILURE_NONE), "none");
}

static void
every_name_is_found_again(void **state)
{
	(void)state;
	for (enum failure_code i = FAILURE_NONE + 1; i < FAILURE_COUNT; i++)
		assert_int_equal(failure_find(failure_name(i)), i);
	assert_int_equal(failure_find("none"), FAILURE_NONE);
	assert_int_equal(failure_find("connection"), FAILURE_NONE);
	assert_int_equal(failure_find("connection.refused "), FAILURE_NONE);
	assert_int_equal(failure_find(""), FAILURE_NONE);
}

static void
names_are_of_one_form(void **state)
{
	(void)state;
	for (enum failure_code i = FAILURE_NONE + 1; i < FAILURE_COUNT; i++) {
		const char *name = failure_name(i);
		const char *class = failure_class_name(failure_class(i));

		assert_int_equal(strncmp(name, class, strlen(class)), 0);
		assert_int_equal(name[strlen(class)], '.');
		assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-."), strlen(name));
		assert_null(strchr(strchr(name, '.') + 1, '.'));
	}
}

static void
the_columns_are_those_of_the_document(void **state)
{
	static const struct {
		enum failure_code code;
		enum failure_class class;
		enum failure_life life;
		enum failure_blame blame;
	} rows[] = {
		{ FAILURE_ADDRESS_NXDOMAIN, CLASS_ADDRESS, LIFE_PERSISTENT, BLAME_UPSTREAM },
		{ FAILURE_ADDRESS_REFUSED, CLASS_ADDRESS, LIFE_PERSISTENT, BLAME_LOCAL },
		{ FAILURE_CONNECTION_REFUSED, CLASS_CONNECTION, LIFE_TRANSIENT, BLAME_ADDRESS },
		{ FAILURE_TIMEOUT_ATTEMPT, CLASS_TIMEOUT, LIFE_TRANSIENT, BLAME_UPSTREAM },
		{ FAILURE_SOCKET_BIND, CLASS_SOCKET, LIFE_PERSISTENT, BLAME_LOCAL },
		{ FAILURE_TLS_CERTIFICATE_NAME, CLASS_TLS, LIFE_PERSISTENT, BLAME_ADDRESS },
		{ FAILURE_TLS_OCSP_MISSING, CLASS_TLS, LIFE_TRANSIENT, BLAME_ADDRESS },
		{ FAILURE_PROTOCOL_PROXY_AUTH, CLASS_PROTOCOL, LIFE_PERSISTENT, BLAME_UPSTREAM },
		{ FAILURE_LOCAL_INTERNAL, CLASS_LOCAL, LIFE_PERSISTENT, BLAME_LOCAL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_int_equal(failure_class(rows[i].code), rows[i].class);
		assert_int_equal(failure_life(rows[i].code), rows[i].life);
		assert_int_equal(failure_blame(rows[i].code), rows[i].blame);
	}
}

/* Each class of the document, counted there. */
static void
the_classes_have_their_numbers(void **state)
{
	static const unsigned int expected[CLASS_COUNT] = { 10, 10, 11, 7, 36, 16, 11 };
	unsigned int counted[CLASS_COUNT] = { 0 };

	(void)state;
	for (enum failure_code i = FAILURE_NONE + 1; i < FAILURE_COUNT; i++)
		counted[failure_class(i)]++;
	for (enum failure_class i = 0; i < CLASS_COUNT; i++)
		assert_int_equal(counted[i], expected[i]);
}

static void
the_exit_status_is_the_class(void **state)
{
	(void)state;
	assert_int_equal(failure_exit_status(CLASS_ADDRESS), 11);
	assert_int_equal(failure_exit_status(CLASS_TLS), 15);
	assert_int_equal(failure_exit_status(CLASS_LOCAL), 17);
}

static void
summaries_are_clauses_and_hints_are_sentences(void **state)
{
	(void)state;
	for (enum failure_code i = FAILURE_NONE + 1; i < FAILURE_COUNT; i++) {
		const char *summary = failure_summary(i), *hint = failure_hint_template(i);

		assert_true(islower((unsigned char)summary[0]) || strncmp(summary, "OpenSSL", 7) == 0);
		assert_int_not_equal(summary[strlen(summary) - 1], '.');
		assert_true(strchr(".?]", hint[strlen(hint) - 1]) != NULL);
		assert_true(isupper((unsigned char)hint[0]) || hint[0] == '[' || hint[0] == '`' ||
			    strncmp(hint, "holdfast", 8) == 0);
	}
}

static void
words_of_the_wire(void **state)
{
	(void)state;
	assert_string_equal(failure_life_name(LIFE_TRANSIENT), "transient");
	assert_string_equal(failure_life_name(LIFE_PERSISTENT), "persistent");
	assert_string_equal(failure_blame_name(BLAME_ADDRESS), "address");
	assert_string_equal(failure_blame_name(BLAME_UPSTREAM), "upstream");
	assert_string_equal(failure_blame_name(BLAME_LOCAL), "local");
}

static void
a_fresh_record_is_empty(void **state)
{
	struct failure failure;

	(void)state;
	memset(&failure, 0xff, sizeof(failure));
	failure_init(&failure, FAILURE_TLS_CLOSED, STAGE_HANDSHAKE);
	assert_int_equal(failure.code, FAILURE_TLS_CLOSED);
	assert_int_equal(failure.stage, STAGE_HANDSHAKE);
	assert_true(failure.retry_delay == USEC_INFINITY);
	assert_string_equal(failure.error_name, "");
	assert_int_equal(failure.evidence_length, 0);
	assert_null(failure_detail(&failure, "date"));
	assert_null(failure.chain);
	assert_false(address_is_set(&failure.peer));
	failure_done(&failure);
}

static void
details_are_kept_by_key(void **state)
{
	struct failure failure;

	(void)state;
	failure_init(&failure, FAILURE_TLS_CERTIFICATE_EXPIRED, STAGE_HANDSHAKE);
	failure_add_detail(&failure, "date", "2026-01-01");
	failure_add_detail(&failure, "which", "");
	failure_add_detail(&failure, "name", "date");
	assert_string_equal(failure_detail(&failure, "date"), "2026-01-01");
	assert_string_equal(failure_detail(&failure, "which"), "");
	assert_string_equal(failure_detail(&failure, "name"), "date");
	assert_null(failure_detail(&failure, "2026-01-01"));
	assert_null(failure_detail(&failure, "dat"));
}

static void
details_that_do_not_fit_are_dropped_whole(void **state)
{
	char value[FAILURE_DETAILS_MAX];
	struct failure failure;

	(void)state;
	memset(value, 'v', sizeof(value));
	failure_init(&failure, FAILURE_LOCAL_KEY_LOAD, STAGE_LOAD);
	value[FAILURE_DETAILS_MAX - 1] = '\0';
	failure_add_detail(&failure, "file", value);
	assert_null(failure_detail(&failure, "file"));
	value[FAILURE_DETAILS_MAX - 6] = '\0'; /* with its key and both NULs: exactly all there is */
	failure_add_detail(&failure, "file", value);
	assert_string_equal(failure_detail(&failure, "file"), value);
	assert_int_equal(failure.details_length, FAILURE_DETAILS_MAX);
	failure_add_detail(&failure, "", "");
	assert_null(failure_detail(&failure, "why"));
}

static void
errors_and_evidence_are_cut(void **state)
{
	char name[2 * FAILURE_ERROR_MAX], evidence[2 * FAILURE_EVIDENCE_MAX];
	struct failure failure;

	(void)state;
	memset(name, 'E', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	memset(evidence, 'e', sizeof(evidence));
	failure_init(&failure, FAILURE_SOCKET_IO, STAGE_READY);
	failure_set_error(&failure, 5, name);
	assert_int_equal(strlen(failure.error_name), FAILURE_ERROR_MAX - 1);
	failure_set_error(&failure, 5, NULL);
	assert_string_equal(failure.error_name, "");
	failure_set_evidence(&failure, evidence, sizeof(evidence));
	assert_int_equal(failure.evidence_length, FAILURE_EVIDENCE_MAX);
	failure_set_evidence(&failure, NULL, 0);
	assert_int_equal(failure.evidence_length, 0);
}

static void
a_copy_has_references_of_its_own(void **state)
{
	struct certificate leaf = { .sha256 = "00" };
	struct address_failure other = { .code = FAILURE_CONNECTION_REFUSED };
	struct failure first, second;

	(void)state;
	failure_init(&first, FAILURE_TLS_CERTIFICATE_NAME, STAGE_HANDSHAKE);
	first.chain = chain_new(&leaf, 1);
	first.others = others_new(&other, 1);
	failure_copy(&second, &first);
	failure_done(&first);
	failure_done(&first); /* harmless */
	assert_null(first.chain);
	assert_int_equal(chain_count(second.chain), 1);
	assert_int_equal(others_count(second.others), 1);
	failure_done(&second);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_are_101_codes),
		cmocka_unit_test(every_name_is_found_again),
		cmocka_unit_test(names_are_of_one_form),
		cmocka_unit_test(the_columns_are_those_of_the_document),
		cmocka_unit_test(the_classes_have_their_numbers),
		cmocka_unit_test(the_exit_status_is_the_class),
		cmocka_unit_test(summaries_are_clauses_and_hints_are_sentences),
		cmocka_unit_test(words_of_the_wire),
		cmocka_unit_test(a_fresh_record_is_empty),
		cmocka_unit_test(details_are_kept_by_key),
		cmocka_unit_test(details_that_do_not_fit_are_dropped_whole),
		cmocka_unit_test(errors_and_evidence_are_cut),
		cmocka_unit_test(a_copy_has_references_of_its_own),
	};

	RUN_TESTS(tests);
}
