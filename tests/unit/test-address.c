/* core/address: addresses as values. */
#include "check.h"

#include "core/address.h"

#include <arpa/inet.h>
#include <string.h>

static struct address
of(const char *text)
{
	struct target target;
	const char *problem = "";

	if (target_parse(text, FAMILY_ANY, &target, &problem) < 0)
		fail_msg("\"%s\" %s", text, problem);
	return target.address;
}

static struct address
ip(const char *text)
{
	struct address address;
	unsigned char octets[16];

	if (inet_pton(AF_INET, text, octets) == 1) {
		address_from_ip(AF_INET, octets, 1, &address);
	} else {
		assert_int_equal(inet_pton(AF_INET6, text, octets), 1);
		address_from_ip(AF_INET6, octets, 1, &address);
	}
	return address;
}

static void
text_and_back(void **state)
{
	static const char *const texts[] = { "192.0.2.7:636", "[2001:db8::1]:636",
					     "[fe80::1%eth0]:636", "unix:/run/x.sock" };
	char buffer[ADDRESS_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		struct address address = of(texts[i]);

		assert_true(address_format(&address, buffer, sizeof(buffer)) == buffer);
		assert_string_equal(buffer, texts[i]);
	}
}

static void
what_is_unset_has_no_text(void **state)
{
	struct address unset = { 0 };
	char buffer[ADDRESS_TEXT_MAX] = "x";

	(void)state;
	assert_false(address_is_set(&unset));
	assert_string_equal(address_format(&unset, buffer, sizeof(buffer)), "");
	assert_false(address_is_ipv6(&unset));
	assert_false(address_is_local(&unset));
	assert_false(address_is_excluded(&unset));
}

static void
the_longest_texts_fit(void **state)
{
	char path[120] = "unix:/", buffer[ADDRESS_TEXT_MAX];
	struct address address;

	(void)state;
	memset(path + strlen(path), 'p', 106);
	address = of(path);
	assert_string_equal(address_format(&address, buffer, sizeof(buffer)), path);
	address = of("[fe80:1111:2222:3333:4444:5555:6666:7777%fifteen-letters]:65535");
	assert_string_equal(address_format(&address, buffer, sizeof(buffer)),
			    "[fe80:1111:2222:3333:4444:5555:6666:7777%fifteen-letters]:65535");
}

static void
odd_octets_of_a_path_are_escaped(void **state)
{
	struct address address = of("unix:/a\n\xff");
	char buffer[ADDRESS_TEXT_MAX];

	(void)state;
	assert_string_equal(address_format(&address, buffer, sizeof(buffer)), "unix:/a\\x0a\\xff");
}

static void
a_zone_may_be_a_number(void **state)
{
	struct address address = ip("fe80::1");
	char buffer[ADDRESS_TEXT_MAX];

	(void)state;
	address.in6.sin6_scope_id = 3;
	assert_string_equal(address_format(&address, buffer, sizeof(buffer)), "[fe80::1%3]:1");
}

static void
equal_is_the_same_place(void **state)
{
	static const char *const texts[] = {
		"192.0.2.7:636",      "192.0.2.7:637",	    "192.0.2.8:636",
		"[2001:db8::1]:636",  "[2001:db8::2]:636",  "[2001:db8::1]:637",
		"[fe80::1%eth0]:636", "[fe80::1%eth1]:636", "unix:/a",
		"unix:/ab",
	};
	struct address unset = { 0 }, other_unset = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		for (size_t j = 0; j < COUNT_OF(texts); j++) {
			struct address a = of(texts[i]), b = of(texts[j]);

			assert_int_equal(address_equal(&a, &b), i == j);
		}
	}
	assert_true(address_equal(&unset, &other_unset));
	other_unset = of("unix:/a");
	assert_false(address_equal(&unset, &other_unset));
	assert_false(address_equal(&other_unset, &unset));
}

static void
zones_are_compared_by_number_where_they_have_no_name(void **state)
{
	struct address a = ip("fe80::1"), b = ip("fe80::1");

	(void)state;
	a.in6.sin6_scope_id = b.in6.sin6_scope_id = 2;
	assert_true(address_equal(&a, &b));
	b.in6.sin6_scope_id = 3;
	assert_false(address_equal(&a, &b));
}

static void
what_is_local(void **state)
{
	static const char *const local[] = { "127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1" };
	static const char *const remote[] = { "128.0.0.1", "192.0.2.1", "::2", "2001:db8::1",
					      "::ffff:192.0.2.1" };
	struct address address = of("unix:/a");

	(void)state;
	assert_true(address_is_local(&address));
	for (size_t i = 0; i < COUNT_OF(local); i++) {
		address = ip(local[i]);
		assert_true(address_is_local(&address));
	}
	for (size_t i = 0; i < COUNT_OF(remote); i++) {
		address = ip(remote[i]);
		assert_false(address_is_local(&address));
	}
}

static void
what_is_excluded(void **state)
{
	static const char *const excluded[] = {
		"0.0.0.0", "0.1.2.3", "224.0.0.1", "239.255.255.255",  "255.255.255.255",
		"::",	   "ff02::1", "ff0e::1",   "::ffff:224.0.0.1", "::ffff:0.0.0.0",
	};
	static const char *const fine[] = { "1.0.0.1",	 "223.255.255.255",
					    "240.0.0.1", "255.255.255.254",
					    "::1",	 "2001:db8::1",
					    "fe80::1",	 "::ffff:192.0.2.1" };
	struct address address = of("unix:/a");

	(void)state;
	assert_false(address_is_excluded(&address));
	for (size_t i = 0; i < COUNT_OF(excluded); i++) {
		address = ip(excluded[i]);
		assert_true(address_is_excluded(&address));
	}
	for (size_t i = 0; i < COUNT_OF(fine); i++) {
		address = ip(fine[i]);
		assert_false(address_is_excluded(&address));
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_and_back),
		cmocka_unit_test(what_is_unset_has_no_text),
		cmocka_unit_test(the_longest_texts_fit),
		cmocka_unit_test(odd_octets_of_a_path_are_escaped),
		cmocka_unit_test(a_zone_may_be_a_number),
		cmocka_unit_test(equal_is_the_same_place),
		cmocka_unit_test(zones_are_compared_by_number_where_they_have_no_name),
		cmocka_unit_test(what_is_local),
		cmocka_unit_test(what_is_excluded),
	};

	RUN_TESTS(tests);
}
