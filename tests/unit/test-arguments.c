/* The command line: what is understood, what is refused, what is suggested. */
#include "check.h"

#include "ctl/verb.h"

#include <string.h>

#define PARSE(arguments, ...) \
	arguments_parse((int)COUNT_OF(((const char *[]){ "holdfastctl", __VA_ARGS__ })), \
			(const char *[]){ "holdfastctl", __VA_ARGS__, NULL }, arguments)

static void
options_may_stand_anywhere(void **state)
{
	struct arguments arguments;

	(void)state;
	assert_true(PARSE(&arguments, "--socket", "/a", "wait", "db", "--timeout=5s", "--json", "ldap"));
	assert_string_equal(arguments.verb->name, "wait");
	assert_string_equal(arguments.values[OPTION_SOCKET], "/a");
	assert_string_equal(arguments.values[OPTION_TIMEOUT], "5s");
	assert_true(arguments_has(&arguments, OPTION_JSON));
	assert_false(arguments_has(&arguments, OPTION_FOR));
	assert_int_equal(arguments.name_count, 2);
	assert_string_equal(arguments.names[0], "db");
	assert_string_equal(arguments.names[1], "ldap");
	assert_null(arguments.names[2]);
	arguments_done(&arguments);
}

static void
letters_stand_together(void **state)
{
	struct arguments arguments;

	(void)state;
	assert_true(PARSE(&arguments, "check", "-4cfile", "db"));
	assert_true(arguments_has(&arguments, OPTION_IPV4));
	assert_string_equal(arguments.values[OPTION_CONFIG], "file");
	arguments_done(&arguments);
	assert_true(PARSE(&arguments, "history", "-n", "3"));
	assert_string_equal(arguments.values[OPTION_LIMIT], "3");
	arguments_done(&arguments);
}

static void
names_may_look_like_options(void **state)
{
	struct arguments arguments;

	(void)state;
	assert_true(PARSE(&arguments, "show", "--", "--json"));
	assert_string_equal(arguments.names[0], "--json");
	assert_false(arguments_has(&arguments, OPTION_JSON));
	arguments_done(&arguments);
}

static void
an_empty_value_is_a_value(void **state)
{
	struct arguments arguments;

	(void)state;
	assert_true(PARSE(&arguments, "check", "tls://a:1", "--sni="));
	assert_string_equal(arguments.values[OPTION_SNI], "");
	arguments_done(&arguments);
}

static void
what_makes_no_sense_is_refused(void **state)
{
	struct arguments arguments;

	(void)state;
	assert_false(PARSE(&arguments, "stats")); /* no command */
	assert_false(PARSE(&arguments, "check", "tls://a:1", "--ca-file="));
	assert_false(PARSE(&arguments, "check", "tls://a:1", "--ca-file", ""));
	assert_true(PARSE(&arguments, "check", "tls://a:1", "--sni="));
	arguments_done(&arguments);
	assert_false(PARSE(&arguments, "--sokcet=x", "status")); /* no option */
	assert_false(PARSE(&arguments, "-x", "status"));
	assert_false(PARSE(&arguments, "status", "--rolling"));	 /* another command's */
	assert_false(PARSE(&arguments, "status", "--json=yes")); /* a flag */
	assert_false(PARSE(&arguments, "status", "--socket"));	 /* nothing follows */
	assert_false(PARSE(&arguments, "show"));		 /* too few names, too many */
	assert_false(PARSE(&arguments, "show", "a", "b"));
	assert_false(PARSE(&arguments, "reload", "a"));
	assert_false(PARSE(&arguments, "confirm")); /* of a later version */
	assert_false(PARSE(&arguments, "reload", "--confirm-within=60s"));
}

static void
help_needs_no_names(void **state)
{
	struct arguments arguments;

	(void)state;
	assert_true(PARSE(&arguments, "show", "--help"));
	arguments_done(&arguments);
	assert_true(arguments_parse(1, (const char *[]){ "holdfastctl", NULL }, &arguments));
	assert_null(arguments.verb);
	arguments_done(&arguments);
}

static void
near_words_are_suggested(void **state)
{
	static const char *const words[] = { "status", "show", "wait", "watch" };

	(void)state;
	assert_string_equal(verb_nearest("stauts"), "status");
	assert_string_equal(verb_nearest("recconect"), "reconnect");
	assert_null(verb_nearest("frobnicate"));
	assert_string_equal(arguments_suggest("wacth", words, COUNT_OF(words)), "watch");
	assert_null(arguments_suggest("xyz", words, COUNT_OF(words)));
	assert_null(arguments_suggest("a", words, 0));
	assert_null(arguments_suggest("a", (const char *const[]){ "b" }, 1)); /* nothing in common */
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_may_stand_anywhere),
		cmocka_unit_test(letters_stand_together),
		cmocka_unit_test(names_may_look_like_options),
		cmocka_unit_test(an_empty_value_is_a_value),
		cmocka_unit_test(what_makes_no_sense_is_refused),
		cmocka_unit_test(help_needs_no_names),
		cmocka_unit_test(near_words_are_suggested),
	};

	RUN_TESTS(tests);
}
