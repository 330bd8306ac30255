/* core/failure_advice: stages, causes and remedies of every code. */
#include "check.h"

#include "core/failure_advice.h"

#include <ctype.h>
#include <string.h>

static size_t
count(const char *const *sentences)
{
	size_t length = 0;

	while (sentences[length])
		length++;
	return length;
}

/* A sentence, with nothing left open. */
static void
reads_well(const char *code, const char *sentence)
{
	size_t length = strlen(sentence), quotes = 0;

	for (size_t i = 0; i < length; i++)
		quotes += sentence[i] == '`';
	if (length < 10 || length > 170 || quotes % 2 != 0 || strstr(sentence, "  ") ||
	    !strchr(".?", sentence[length - 1]) ||
	    !(isupper((unsigned char)sentence[0]) || sentence[0] == '`' ||
	      strncmp(sentence, "holdfast", 8) == 0))
		fail_msg("%s: \"%s\"", code, sentence);
	for (size_t i = 0; i < length; i++)
		assert_true(isprint((unsigned char)sentence[i]));
}

static void
every_code_has_advice(void **state)
{
	(void)state;
	for (enum failure_code code = FAILURE_NONE + 1; code < FAILURE_COUNT; code++) {
		const char *const *causes = failure_causes(code), *const *remedies =
									  failure_remedies(code);

		assert_in_range(count(causes), 1, ADVICE_MAX);
		assert_in_range(count(remedies), 1, ADVICE_MAX);
		for (size_t i = 0; causes[i]; i++)
			reads_well(failure_name(code), causes[i]);
		for (size_t i = 0; remedies[i]; i++)
			reads_well(failure_name(code), remedies[i]);
	}
}

/* Nobody is sent to the same place twice, and no advice is a copy that belongs to another code. */
static void
no_sentence_is_repeated(void **state)
{
	(void)state;
	for (enum failure_code code = FAILURE_NONE + 1; code < FAILURE_COUNT; code++) {
		const char *const *causes = failure_causes(code), *const *remedies =
									  failure_remedies(code);

		for (size_t i = 0; causes[i]; i++) {
			for (size_t j = 0; j < i; j++)
				assert_string_not_equal(causes[i], causes[j]);
		}
		for (size_t i = 0; remedies[i]; i++) {
			for (size_t j = 0; j < i; j++)
				assert_string_not_equal(remedies[i], remedies[j]);
		}
	}
}

static void
stages_of_some(void **state)
{
	const uint32_t all = (UINT32_C(1) << STAGE_COUNT) - 1;

	(void)state;
	for (enum failure_code code = FAILURE_NONE + 1; code < FAILURE_COUNT; code++) {
		assert_int_not_equal(failure_stages(code), 0);
		assert_int_equal(failure_stages(code) & ~all, 0);
	}
	assert_int_equal(failure_stages(FAILURE_ADDRESS_NXDOMAIN), 1 << STAGE_RESOLVE);
	assert_int_equal(failure_stages(FAILURE_TLS_CLIENT_ACCESS_DENIED),
			 1 << STAGE_HANDSHAKE | 1 << STAGE_SETTLE | 1 << STAGE_PROBE | 1 << STAGE_READY);
	assert_int_equal(failure_stages(FAILURE_LOCAL_INTERNAL), all);
}

static void
causes_of_one(void **state)
{
	(void)state;
	assert_non_null(strstr(failure_causes(FAILURE_CONNECTION_REFUSED)[0], "not running"));
	assert_non_null(strstr(failure_remedies(FAILURE_CONNECTION_REFUSED)[0], "ss -ltnp"));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_has_advice),
		cmocka_unit_test(no_sentence_is_repeated),
		cmocka_unit_test(stages_of_some),
		cmocka_unit_test(causes_of_one),
	};

	RUN_TESTS(tests);
}
