/* A text and its problems, for the tests of what can be wrong with a configuration. */
#pragma once

#include "base/text.h"
#include "config/config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* libconfig 1.5 forgets the string it was reading when it meets an error of syntax; that leak is not ours. */
const char *__lsan_default_suppressions(void);

const char *
__lsan_default_suppressions(void)
{
	return "leak:strbuf_append\nleak:libconfig_yylex";
}

/* A text, and all its problems, one a line; "" where there is none. */
struct parse_case {
	const char *text;
	const char *problems;
};

/* One upstream called db with `keys`. */
#define DB(keys)    "upstreams = ( { name = \"db\"; address = \"db:1\"; " keys " } );"
#define TLS(keys)   DB("tls = { " keys " };")
#define PROBE(keys) DB("probe = { " keys " };")
#define AT_DB	    "t:1: upstream \"db\": "
#define PIN	    "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static inline void
join(const struct problems *problems, struct text *text)
{
	for (size_t i = 0; i < problems->count; i++) {
		char line[1400];

		text_addf(text, "%s%s", i ? "\n" : "",
			  problems_format(&problems->at[i], line, sizeof(line)));
	}
}

static inline void
check_case(const struct parse_case *wanted, config_check_fn judge)
{
	struct problems problems = { 0 };
	_cleanup_(config_unrefp) struct config *config = NULL;
	char found[8192];
	struct text text = TEXT_INIT(found);
	int r = config_load_text(wanted->text, "t", judge, &problems, &config);

	join(&problems, &text);
	if (strcmp(found, wanted->problems) != 0)
		print_message("# in: %s\n", wanted->text);
	assert_string_equal(found, wanted->problems);
	assert_int_equal(r, *wanted->problems ? -EINVAL : 0);
	assert_true(!config == (r < 0));
	problems_done(&problems);
}

#define CHECK_CASES(cases) \
	for (size_t i = 0; i < COUNT_OF(cases); i++) \
	check_case(&(cases)[i], NULL)
