/* Tables are aligned, in order, and never too wide. */
#include "ctl-fixture.h"

#include "ctl/table.h"

static const struct column columns[] = {
	{ .title = "NAME", .least = 6 },
	{ .title = "READY", .right = true, .rank = 1 },
	{ .title = "CODE", .least = 8 },
	{ .title = "AGO", .right = true, .rank = 2 },
};

static void
add(struct table *table, const struct screen *screen, unsigned int order, const char *const *words)
{
	struct cell cells[COUNT_OF(columns)];

	for (size_t i = 0; i < COUNT_OF(columns); i++)
		cells[i] = (struct cell){ words[i], STYLE_PLAIN };
	table_add(table, screen, order, cells);
}

/* Two upstreams, of which the second is in trouble, on a screen of `width`. */
static char *
print_two(unsigned int width)
{
	struct table *table = table_new(columns, COUNT_OF(columns));
	struct capture capture;

	capture_begin(&capture, width);
	add(table, &capture.screen, 1, (const char *const[]){ "directory", "2/2", "", "" });
	add(table, &capture.screen, 0,
	    (const char *const[]){ "db", "0/1", "connection.refused", "12s" });
	table_note(table, "nothing listens there", STYLE_DIM);
	assert_int_equal(table_count(table), 2);
	table_print(table, &capture.screen);
	capture_end(&capture);
	table_free(table);
	return capture.text;
}

static void
assert_printed(unsigned int width, const char *expected)
{
	_cleanup_(freep) char *text = print_two(width);

	assert_string_equal(text, expected);
}

static void
what_is_wrong_comes_first(void **state)
{
	(void)state;
	assert_printed(0, "NAME       READY  CODE                AGO\n"
			  "db           0/1  connection.refused  12s\n"
			  "    nothing listens there\n"
			  "directory    2/2\n");
}

static void
cells_are_cut_before_columns_go(void **state)
{
	(void)state;
	assert_printed(31, "NAME       READY  CODE      AGO\n"
			   "db           0/1  connect\xe2\x80\xa6  12s\n"
			   "    nothing listens there\n"
			   "directory    2/2\n");
	assert_printed(28, "NAME    READY  CODE      AGO\n"
			   "db        0/1  connect\xe2\x80\xa6  12s\n"
			   "    nothing listens there\n"
			   "direc\xe2\x80\xa6    2/2\n");
}

static void
the_least_wanted_column_goes_first(void **state)
{
	_cleanup_(freep) char *text = print_two(27);

	(void)state;
	assert_null(strstr(text, "AGO"));
	assert_non_null(strstr(text, "READY"));
	assert_non_null(strstr(text, "directory"));
}

static void
no_table_is_too_wide(void **state)
{
	struct prng prng;

	(void)state;
	prng_init(&prng, 7);
	for (unsigned int width = 1; width <= 200; width++) {
		struct table *table = table_new(columns, COUNT_OF(columns));
		struct capture capture;

		capture_begin(&capture, width < SCREEN_WIDTH_MIN ? SCREEN_WIDTH_MIN : width);
		for (unsigned int row = 0; row < 12; row++) {
			char words[COUNT_OF(columns)][64];

			for (size_t i = 0; i < COUNT_OF(columns); i++) {
				random_word(&prng, words[i], sizeof(words[i]) - 1);
				strcat(words[i], "!");
			}
			add(table, &capture.screen, (unsigned int)prng_below(&prng, 3),
			    (const char *const[]){ words[0], words[1], words[2], words[3] });
			table_note(table, words[2], STYLE_PLAIN);
		}
		table_print(table, &capture.screen);
		capture_end(&capture);
		assert_fits(capture.text, capture.screen.width);
		free(capture.text);
		table_free(table);
	}
}

/* Rows that rank equal stay as they were added, however many there are. */
static void
order_is_stable(void **state)
{
	struct table *table = table_new(columns, COUNT_OF(columns));
	struct capture capture;
	char *at;

	(void)state;
	capture_begin(&capture, 0);
	for (int i = 0; i < 1000; i++) {
		char name[16];

		snprintf(name, sizeof(name), "n%04d", i);
		add(table, &capture.screen, i % 2, (const char *const[]){ name, "", "", "" });
	}
	table_print(table, &capture.screen);
	capture_end(&capture);
	at = capture.text;
	for (int i = 0; i < 1000; i++) {
		char name[16];

		snprintf(name, sizeof(name), "\nn%04d\n", i < 500 ? 2 * i : 2 * (i - 500) + 1);
		at = strstr(at, name);
		assert_non_null(at);
		at += 1;
	}
	free(capture.text);
	table_free(table);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_wrong_comes_first),
		cmocka_unit_test(cells_are_cut_before_columns_go),
		cmocka_unit_test(the_least_wanted_column_goes_first),
		cmocka_unit_test(no_table_is_too_wide),
		cmocka_unit_test(order_is_stable),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	RUN_TESTS(tests);
}
