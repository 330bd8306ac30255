/* core/chain: a presented certificate chain, shared and immutable. */
#include "check.h"

#include "base/text.h"
#include "core/chain.h"

#include <string.h>

static struct certificate
certificate_of(const char *digest)
{
	struct certificate certificate = { .subject = strdup("CN=a.example"),
					   .issuer = strdup("CN=some CA"),
					   .names = calloc(3, sizeof(char *)) };

	certificate.names[0] = strdup("a.example");
	certificate.names[1] = strdup("192.0.2.1");
	text_copy(certificate.sha256, sizeof(certificate.sha256), digest);
	return certificate;
}

static struct chain *
chain_of(const char *leaf, const char *above)
{
	struct certificate list[2] = { certificate_of(leaf) };

	if (above)
		list[1] = certificate_of(above);
	return chain_new(list, above ? 2 : 1);
}

static void
it_keeps_what_it_was_given(void **state)
{
	_cleanup_(chain_unrefp) struct chain *chain = chain_of("11", "22");
	struct chain *same = chain_ref(chain);

	(void)state;
	assert_true(same == chain);
	assert_int_equal(chain_count(chain), 2);
	assert_string_equal(chain_certificate(chain, 0)->sha256, "11");
	assert_string_equal(chain_certificate(chain, 1)->sha256, "22");
	assert_string_equal(chain_certificate(chain, 1)->names[1], "192.0.2.1");
	assert_null(chain_unref(same));
	assert_string_equal(chain_certificate(chain, 0)->subject, "CN=a.example");
}

static void
equal_is_the_same_certificates_in_the_same_order(void **state)
{
	_cleanup_(chain_unrefp) struct chain *a = chain_of("11", "22");
	_cleanup_(chain_unrefp) struct chain *b = chain_of("11", "22");
	_cleanup_(chain_unrefp) struct chain *turned = chain_of("22", "11");
	_cleanup_(chain_unrefp) struct chain *shorter = chain_of("11", NULL);

	(void)state;
	assert_true(chain_equal(a, b));
	assert_true(chain_equal(a, a));
	assert_false(chain_equal(a, turned));
	assert_false(chain_equal(a, shorter));
	assert_false(chain_equal(a, NULL));
	assert_false(chain_equal(NULL, a));
	assert_true(chain_equal(NULL, NULL));
}

static void
nothing_is_no_chain(void **state)
{
	(void)state;
	assert_null(chain_ref(NULL));
	assert_null(chain_unref(NULL));
	assert_int_equal(chain_count(NULL), 0);
}

static void
a_certificate_of_ones_own_is_freed(void **state)
{
	struct certificate whole = certificate_of("11"), empty = { 0 };

	(void)state;
	certificate_done(&whole);
	certificate_done(&whole);
	certificate_done(&empty);
	assert_null(whole.subject);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_keeps_what_it_was_given),
		cmocka_unit_test(equal_is_the_same_certificates_in_the_same_order),
		cmocka_unit_test(nothing_is_no_chain),
		cmocka_unit_test(a_certificate_of_ones_own_is_freed),
	};

	RUN_TESTS(tests);
}
