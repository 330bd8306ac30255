/* Cleaning, cutting and wrapping of text for people. */
#include "ctl-fixture.h"

#include "ctl/ctl.h"

static void
foreign_text_is_harmless(void **state)
{
	struct screen screen = { .utf8 = true };
	char *clean = screen_clean(&screen, "a\033[31m\r\n\x7f\xff\\x \xc3\xa4");

	(void)state;
	assert_string_equal(clean, "a\\x1b[31m\\x0d\\x0a\\x7f\\xff\\x \xc3\xa4");
	free(clean);
	screen.utf8 = false;
	clean = screen_clean(&screen, "\xc3\xa4");
	assert_string_equal(clean, "\\xc3\\xa4");
	free(clean);
	clean = screen_clean(&screen, NULL);
	assert_string_equal(clean, "");
	free(clean);
}

/* C1 controls are controls too, however they are encoded. */
static void
nothing_turns_the_writing_around(void **state)
{
	struct screen screen = { .utf8 = true };
	char *clean = screen_clean(&screen, "evil\xe2\x80\xae"
					    "fdp.exe \xe2\x81\xa6"
					    "x");

	(void)state;
	assert_string_equal(clean, "evil\\xe2\\x80\\xaefdp.exe \\xe2\\x81\\xa6x");
	free(clean);
}

static void
eight_bit_controls_are_controls(void **state)
{
	struct screen screen = { .utf8 = true };
	char *clean = screen_clean(&screen, "\xc2\x9b"
					    "31m");

	(void)state;
	assert_string_equal(clean, "\\xc2\\x9b"
				   "31m");
	free(clean);
}

static void
columns_are_those_of_the_terminal(void **state)
{
	(void)state;
	assert_int_equal(screen_columns(""), 0);
	assert_int_equal(screen_columns("abc"), 3);
	assert_int_equal(screen_columns("\xc3\xa4"), 1);
	assert_int_equal(screen_columns("\xe6\xbc\xa2"), 2);
}

static void
assert_cut(bool utf8, const char *text, unsigned int columns, const char *expected)
{
	struct capture capture;

	capture_begin(&capture, 80);
	capture.screen.utf8 = utf8;
	assert_int_equal(screen_cut(&capture.screen, text, STYLE_PLAIN, columns),
			 screen_columns(expected));
	capture_end(&capture);
	assert_string_equal(capture.text, expected);
	free(capture.text);
}

static void
what_is_too_long_ends_in_dots(void **state)
{
	(void)state;
	assert_cut(true, "connection", 10, "connection");
	assert_cut(true, "connection", 9, "connecti\xe2\x80\xa6");
	assert_cut(true, "connection", 1, "\xe2\x80\xa6");
	assert_cut(true, "\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2", 4, "\xe6\xbc\xa2\xe2\x80\xa6");
	assert_cut(false, "connection", 9, "connec...");
	assert_cut(false, "connection", 2, "..");
}

static void
styles_count_for_nothing(void **state)
{
	struct capture capture;

	(void)state;
	capture_begin(&capture, 80);
	capture.screen.colour = true;
	assert_int_equal(screen_cut(&capture.screen, "down", STYLE_BAD, 10), 4);
	capture_end(&capture);
	assert_string_equal(capture.text, "\033[1;31mdown\033[0m");
	free(capture.text);
}

static void
assert_wrapped(unsigned int width, const char *text, const char *expected)
{
	static const struct paragraph paragraph = { .column = 2, .indent = 2 };
	struct capture capture;

	capture_begin(&capture, width);
	screen_spaces(&capture.screen, 2);
	screen_wrap(&capture.screen, &paragraph, text);
	capture_end(&capture);
	assert_string_equal(capture.text, expected);
	free(capture.text);
}

static void
lines_break_between_words(void **state)
{
	(void)state;
	assert_wrapped(0, "one two three", "  one two three\n");
	assert_wrapped(20, "the connection was refused", "  the connection was\n  refused\n");
	assert_wrapped(20, "exactly eighteen..", "  exactly eighteen..\n");
	assert_wrapped(20, "", "  \n");
}

static void
a_word_without_end_is_broken(void **state)
{
	(void)state;
	assert_wrapped(20, "a 0123456789abcdef0123456789", "  a\n  0123456789abcdef01\n  23456789\n");
}

static void
no_paragraph_is_too_wide(void **state)
{
	struct prng prng;

	(void)state;
	prng_init(&prng, 20);
	for (unsigned int width = SCREEN_WIDTH_MIN; width <= 200; width++) {
		struct capture capture;
		char name[40], value[400];

		random_word(&prng, name, sizeof(name));
		random_word(&prng, value, sizeof(value));
		strcat(value, "."); /* no space at the end is ours */
		capture_begin(&capture, width);
		screen_pair(&capture.screen, name, "%s", value);
		screen_line(&capture.screen, STYLE_BOLD, value);
		screen_title(&capture.screen, STYLE_BAD, "%s", value);
		capture_end(&capture);
		assert_fits(capture.text, width);
		free(capture.text);
	}
}

static void
a_form_has_two_columns(void **state)
{
	struct capture capture;

	(void)state;
	capture_begin(&capture, 30);
	screen_pair(&capture.screen, "hint", "%s", "check spelling, zone");
	capture_end(&capture);
	assert_string_equal(capture.text, "  hint         check spelling,\n"
					  "               zone\n");
	free(capture.text);
}

/* What is no terminal has no width and no colours, unless they are asked for. */
static void
a_file_is_no_terminal(void **state)
{
	struct screen screen;
	FILE *file = tmpfile();

	(void)state;
	assert_non_null(file);
	screen_init(&screen, file, COLOUR_AUTO);
	assert_int_equal(screen.width, 0);
	assert_false(screen.colour || screen.terminal);
	screen_init(&screen, file, COLOUR_ALWAYS);
	assert_true(screen.colour);
	fclose(file);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(foreign_text_is_harmless),
		cmocka_unit_test(nothing_turns_the_writing_around),
		cmocka_unit_test(eight_bit_controls_are_controls),
		cmocka_unit_test(columns_are_those_of_the_terminal),
		cmocka_unit_test(what_is_too_long_ends_in_dots),
		cmocka_unit_test(styles_count_for_nothing),
		cmocka_unit_test(lines_break_between_words),
		cmocka_unit_test(a_word_without_end_is_broken),
		cmocka_unit_test(no_paragraph_is_too_wide),
		cmocka_unit_test(a_form_has_two_columns),
		cmocka_unit_test(a_file_is_no_terminal),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	RUN_TESTS(tests);
}
