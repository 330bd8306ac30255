#include "check.h"

#include "config/source.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A directory that a test may write to; removed by hand at its end. */
static char directory[] = "/tmp/test-source-XXXXXX";

static const char *
in_directory(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

static void
write_file(const char *name, const char *text)
{
	FILE *file = fopen(in_directory(name), "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

/* The prepared text of `text`, which must be without problems. */
static void
assert_prepared(const char *text, const char *expected)
{
	struct problems problems = { 0 };
	_cleanup_(source_freep) struct source *source = NULL;

	assert_int_equal(source_prepare(text, strlen(text), "t", &problems, &source), 0);
	assert_int_equal(problems.count, 0);
	assert_string_equal(source->text, expected);
}

/* The one problem of `text`; `r` is what preparing it returns. */
static void
assert_problem(const char *text, size_t length, int r, const char *expected)
{
	struct problems problems = { 0 };
	_cleanup_(source_freep) struct source *source = NULL;
	char buffer[512];

	assert_int_equal(source_prepare(text, length, "t", &problems, &source), r);
	assert_int_equal(problems.count, 1);
	assert_string_equal(problems_format(&problems.at[0], buffer, sizeof(buffer)), expected);
	problems_done(&problems);
}

static void
test_passes_text_on(void **state)
{
	(void)state;
	assert_prepared("", "\n");
	assert_prepared("a = 1;", "a = 1;\n");
	assert_prepared("a = 1;\n", "a = 1;\n");
	assert_prepared("\xef\xbb\xbf"
			"a = 1;",
			"a = 1;\n");
	assert_prepared(
		"a = \"/* no comment \\\" // # 99999999999\"; /* 99999999999 \" */ # 99999999999\n",
		"a = \"/* no comment \\\" // # 99999999999\"; /* 99999999999 \" */ # 99999999999\n");
	assert_prepared("a = \"\\\\\"; b = 3000000000;", "a = \"\\\\\"; b = 3000000000L;\n");
	assert_prepared("a-9999999999 = 1;", "a-9999999999 = 1;\n"); /* a name */
	assert_prepared("x = \"@include \\\"y\\\"\";", "x = \"@include \\\"y\\\"\";\n");
}

/* libconfig 1.5 would take 4294967298 for 2. */
static void
test_widens_integers(void **state)
{
	(void)state;
	assert_prepared("a = 2147483647, b = 2147483648", "a = 2147483647, b = 2147483648L\n");
	assert_prepared("-2147483648 -2147483649", "-2147483648 -2147483649L\n");
	assert_prepared("+4294967298", "4294967298L\n");
	assert_prepared("4294967298L", "4294967298L\n");
	assert_prepared("1L", "1L\n");
	assert_prepared("0x7fffffff 0xffffffff 0x1ffffffff", "0x7fffffff 4294967295L 8589934591L\n");
	assert_prepared("010", "010\n");
	assert_prepared("99999999999999999999", "9223372036854775807L\n");
	assert_prepared("-99999999999999999999", "-9223372036854775808L\n");
	assert_prepared("0xffffffffffffffffffff", "9223372036854775807L\n");
	assert_prepared("111111111122222222223333333333444444444455555555556666666666",
			"9223372036854775807L\n");
	assert_prepared("1.5 .5 9999999999.5 9999999999e3 1e-5",
			"1.5 .5 9999999999.5 9999999999e3 1e-5\n");
	assert_prepared("- + . 0x", "- + . 0x\n");
}

static void
test_unclosed(void **state)
{
	static const char nul[] = "a = \0 1;";

	(void)state;
#define PROBLEM(text, r, expected) assert_problem(text, strlen(text), r, expected)
	PROBLEM("a = 1;\n/* b", -EINVAL, "t:2: this comment is never closed: */ is missing");
	PROBLEM("/*/", -EINVAL, "t:1: this comment is never closed: */ is missing");
	PROBLEM("a = \"x\nb = 1;\n", -EINVAL, "t:1: this string is never closed: \" is missing");
	PROBLEM("\"\\\"", -EINVAL, "t:1: this string is never closed: \" is missing");
	PROBLEM("\n\"a\\x00b\"", -EINVAL,
		"t:2: a string cannot hold \\x00 (but probe.send and probe.expect read \\0 as one)");
	PROBLEM("@include \"x\"", -EINVAL, "t:1: @include is possible in files only");
	PROBLEM("@include x", -EINVAL, "t:1: @include wants a file name in quotes");
	assert_problem(nul, sizeof(nul) - 1, -EINVAL, "t: holds NUL bytes: this is no text");
#undef PROBLEM
}

static void
test_include(void **state)
{
	static const struct {
		unsigned int line;
		const char *file;
		unsigned int at;
		const char *says;
	} places[] = {
		{ 1, "main", 1, "a = 1;" },  { 3, "one", 1, "b = 1;" },	  { 5, "two", 1, "" },
		{ 6, "two", 2, "c = 1;" },   { 7, "one", 2, "d = 1;" },	  { 8, "one", 3, "e = 1;" },
		{ 10, "main", 2, "f = 1;" }, { 11, "main", 3, "g = 1;" },
	};
	struct problems problems = { 0 };
	_cleanup_(source_freep) struct source *source = NULL;

	(void)state;
	write_file("main", "a = 1;\n \t@include \"one\" f = 1;\ng = 1;\n");
	write_file("one", "b = 1;\n@include \"two\" d = 1;\ne = 1;\n");
	write_file("two", "\nc = 1;"); /* without a newline at its end */
	assert_int_equal(source_read(in_directory("main"), directory, &problems, &source), 0);
	assert_int_equal(problems.count, 0);
	for (size_t i = 0; i < COUNT_OF(places); i++) {
		unsigned int line;
		char excerpt[64];
		struct text text = TEXT_INIT(excerpt);
		const char *file = source_place(source, places[i].line, &line);

		source_excerpt(source, places[i].line, &text);
		assert_string_equal(excerpt, places[i].says);
		assert_string_equal(strrchr(file, '/') + 1, places[i].file);
		assert_int_equal(line, places[i].at);
	}
}

/* What cannot be included is named, and the rest is still read. */
static void
test_bad_includes(void **state)
{
	static const char *const problem_ends[] = {
		"main:1: @include \"/nonexistent/x\": cannot be read: No such file or directory",
		": is a directory, not a file",
		"fifo\": is not a regular file",
		"circle\": more than 10 files deep: a circle?",
	};
	struct problems problems = { 0 };
	_cleanup_(source_freep) struct source *source = NULL;

	(void)state;
	write_file("main",
		   "@include \"/nonexistent/x\"\n@include \".\"\n@include \"fifo\"\n@include \"circle\"\nz = 1;\n");
	write_file("circle", "@include \"circle\"\n");
	assert_int_equal(mkfifo(in_directory("fifo"), 0600), 0);
	assert_int_equal(source_read(in_directory("main"), directory, &problems, &source), 0);
	assert_int_equal(problems.count, COUNT_OF(problem_ends));
	for (size_t i = 0; i < COUNT_OF(problem_ends); i++) {
		char text[512];

		problems_format(&problems.at[i], text, sizeof(text));
		assert_string_equal(text + strlen(text) - strlen(problem_ends[i]), problem_ends[i]);
	}
	assert_non_null(strstr(source->text, "z = 1;"));
	problems_done(&problems);
}

/* Names that cannot be, after which nothing is read. */
static void
test_include_names(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "@include \"a\tb\"\n", "@include: the file name holds control characters" },
		{ "@include \"\"\n", "@include: \"\" is no file name" },
		{ "@include \"a\n\"\n", "the file name of @include is not closed: \" is missing" },
		{ "@include a\n", "@include wants a file name in quotes" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct problems problems = { 0 };
		struct source *source = NULL;

		write_file("main", cases[i].text);
		assert_int_equal(source_read(in_directory("main"), directory, &problems, &source),
				 -EINVAL);
		assert_int_equal(problems.count, 1);
		assert_string_equal(problems.at[0].message, cases[i].message);
		problems_done(&problems);
	}
}

/* A file that includes itself many times ends at the bound, not at the end of memory. */
static void
test_many_includes(void **state)
{
	struct problems problems = { 0 };
	_cleanup_(source_freep) struct source *source = NULL;

	(void)state;
	write_file("main",
		   "@include \"main\"\n@include \"main\"\n@include \"main\"\n@include \"main\"\n");
	assert_int_equal(source_read(in_directory("main"), directory, &problems, &source), 0);
	assert_true(problems.count > 0);
	assert_true(source->file_count <= SOURCE_INCLUDES_MAX + 1);
	problems_done(&problems);
}

static void
test_unreadable(void **state)
{
	struct problems problems = { 0 };
	struct source *source = NULL;
	char text[512];

	(void)state;
	assert_int_equal(source_read("/nonexistent", "/", &problems, &source), -EINVAL);
	assert_int_equal(source_read("/dev/zero", "/", &problems, &source), -EINVAL);
	assert_int_equal(source_read("/", "/", &problems, &source), -EINVAL);
	assert_int_equal(problems.count, 3);
	assert_string_equal(problems_format(&problems.at[0], text, sizeof(text)),
			    "/nonexistent: cannot be read: No such file or directory");
	assert_string_equal(problems_format(&problems.at[1], text, sizeof(text)),
			    "/dev/zero: is not a regular file");
	assert_string_equal(problems_format(&problems.at[2], text, sizeof(text)),
			    "/: is a directory, not a file");
	problems_done(&problems);
}

/* A sparse file costs nothing to refuse. */
static void
test_too_large(void **state)
{
	struct problems problems = { 0 };
	struct source *source = NULL;

	(void)state;
	write_file("large", "");
	assert_int_equal(truncate(in_directory("large"), SOURCE_BYTES_MAX + 1), 0);
	assert_int_equal(source_read(in_directory("large"), directory, &problems, &source), -EINVAL);
	assert_int_equal(problems.count, 1);
	assert_string_equal(problems.at[0].message, "is larger than 64 MiB");
	problems_done(&problems);
}

static void
test_excerpt(void **state)
{
	static const char long_line[] =
		"a = 1;\n\t  x123456789x123456789x123456789x123456789x123456789x123456789\n\001\n";
	struct problems problems = { 0 };
	_cleanup_(source_freep) struct source *source = NULL;
	char excerpt[64];
	struct text text = TEXT_INIT(excerpt);

	(void)state;
	assert_int_equal(source_prepare(long_line, sizeof(long_line) - 1, "t", &problems, &source), 0);
	source_excerpt(source, 2, &text);
	assert_string_equal(excerpt, "x123456789x123456789x123456789x123456789x1234567…");
	text_init(&text, excerpt, sizeof(excerpt));
	source_excerpt(source, 3, &text);
	assert_string_equal(excerpt, "\\x01");
	text_init(&text, excerpt, sizeof(excerpt));
	source_excerpt(source, 99, &text);
	assert_string_equal(excerpt, "");
}

static int
make_directory(void **state)
{
	(void)state;
	return mkdtemp(directory) ? 0 : -1;
}

static int
remove_directory(void **state)
{
	static const char *const names[] = { "main", "one", "two", "circle", "fifo", "large" };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(names); i++)
		unlink(in_directory(names[i]));
	return rmdir(directory);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_passes_text_on), cmocka_unit_test(test_widens_integers),
		cmocka_unit_test(test_unclosed),       cmocka_unit_test(test_include),
		cmocka_unit_test(test_bad_includes),   cmocka_unit_test(test_include_names),
		cmocka_unit_test(test_many_includes),  cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_too_large),      cmocka_unit_test(test_excerpt),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
