/* base/text: text that is cut, never overrun. */
#include "check.h"

#include "base/text.h"

#include <string.h>

static void
what_fits_is_kept(void **state)
{
	char buffer[16];
	struct text text;

	(void)state;
	text_init(&text, buffer, sizeof(buffer));
	assert_string_equal(buffer, "");
	text_add(&text, "link ");
	text_addf(&text, "%d of %d", 1, 2);
	text_add_bytes(&text, "!?", 1);
	assert_string_equal(buffer, "link 1 of 2!");
	assert_int_equal(text.length, 12);
	assert_false(text.cut);
}

static void
the_last_byte_is_the_end(void **state)
{
	char buffer[6];
	struct text text;

	(void)state;
	text_init(&text, buffer, sizeof(buffer));
	text_add(&text, "12345");
	assert_false(text.cut);
	text_add(&text, "6");
	assert_true(text.cut);
	assert_string_equal(buffer, "12345");
}

static void
a_long_format_is_cut(void **state)
{
	char buffer[6];
	struct text text;

	(void)state;
	text_init(&text, buffer, sizeof(buffer));
	text_addf(&text, "%s", "12345");
	assert_false(text.cut);
	text_init(&text, buffer, sizeof(buffer));
	text_addf(&text, "%d", 1234567);
	assert_true(text.cut);
	assert_string_equal(buffer, "12345");
	assert_int_equal(text.length, 5);
	text_addf(&text, "%d", 8);
	assert_string_equal(buffer, "12345");
}

static void
foreign_bytes_are_escaped(void **state)
{
	char buffer[64] = "";
	struct text text = TEXT_INIT(buffer);

	(void)state;
	text_add_escaped(&text, "a\\b\n\0\x7f\xff\"~ ", 10, NULL);
	assert_string_equal(buffer, "a\\x5cb\\x0a\\x00\\x7f\\xff\"~ ");
	text_init(&text, buffer, sizeof(buffer));
	text_add_escaped(&text, "a\"b", 3, "\"");
	assert_string_equal(buffer, "a\\x22b");
}

static void
an_escape_is_never_halved(void **state)
{
	char buffer[6];
	struct text text;

	(void)state;
	text_init(&text, buffer, sizeof(buffer));
	text_add_escaped(&text, "ab\ncd", 5, NULL);
	assert_string_equal(buffer, "ab");
	assert_true(text.cut);
}

static void
a_copy_is_cut_and_ended(void **state)
{
	char buffer[4];

	(void)state;
	text_copy(buffer, sizeof(buffer), "abcdef");
	assert_string_equal(buffer, "abc");
	text_copy(buffer, sizeof(buffer), NULL);
	assert_string_equal(buffer, "");
}

static void
distance_counts_edits(void **state)
{
	char long_word[100];

	(void)state;
	assert_int_equal(text_distance("connect", "connect"), 0);
	assert_int_equal(text_distance("", "abc"), 3);
	assert_int_equal(text_distance("abc", ""), 3);
	assert_int_equal(text_distance("conect", "connect"), 1);
	assert_int_equal(text_distance("connecct", "connect"), 1);
	assert_int_equal(text_distance("cannect", "connect"), 1);
	assert_int_equal(text_distance("ocnnect", "connect"), 1);
	assert_int_equal(text_distance("kitten", "sitting"), 3);
	memset(long_word, 'x', sizeof(long_word) - 1);
	long_word[sizeof(long_word) - 1] = '\0';
	assert_int_equal(text_distance(long_word, ""), 63);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_fits_is_kept),
		cmocka_unit_test(the_last_byte_is_the_end),
		cmocka_unit_test(a_long_format_is_cut),
		cmocka_unit_test(foreign_bytes_are_escaped),
		cmocka_unit_test(an_escape_is_never_halved),
		cmocka_unit_test(a_copy_is_cut_and_ended),
		cmocka_unit_test(distance_counts_edits),
	};

	RUN_TESTS(tests);
}
