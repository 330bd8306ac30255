/*
 * The installed sample and the examples of holdfast.conf(5) are what people copy: they must be right.
 */
#include "check.h"

#include "base/text.h"
#include "config/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_MAX (256 * 1024)

/* The file at `path` of the source tree, which the caller frees. */
static char *
read_source(const char *path)
{
	const char *tree = getenv("HOLDFAST_SRCDIR");
	char name[1024], *bytes = calloc(1, PAGE_MAX);
	FILE *file;

	snprintf(name, sizeof(name), "%s/%s", tree ? tree : ".", path);
	file = fopen(name, "r");
	if (!file || !bytes)
		fail_msg("%s cannot be read", name);
	assert_true(fread(bytes, 1, PAGE_MAX - 1, file) < PAGE_MAX - 1);
	fclose(file);
	return bytes;
}

/* Loads `text`, which must be without problems; returns how many upstreams it has. */
static size_t
load(const char *text)
{
	struct problems problems = { 0 };
	_cleanup_(config_unrefp) struct config *config = NULL;

	if (config_load_text(text, "example", NULL, &problems, &config) < 0)
		fail_msg("%u: %s, in:\n%s", problems.at[0].line, problems.at[0].message, text);
	return config->upstream_count;
}

/* A fresh start has nothing to do, and works. */
static void
test_sample(void **state)
{
	_cleanup_(freep) char *text = read_source("conf/holdfast.conf");

	(void)state;
	assert_int_equal(load(text), 0);
}

/* With the marks of comment taken away; sentences stand one blank after theirs. */
static void
test_sample_in_use(void **state)
{
	_cleanup_(freep) char *text = read_source("conf/holdfast.conf");
	_cleanup_(freep) char *bare = calloc(1, PAGE_MAX);
	struct text out;

	(void)state;
	assert_non_null(bare);
	text_init(&out, bare, PAGE_MAX);
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		bool sentence = strncmp(line, "# ", 2) == 0 && line[2] != ' ';

		text_addf(&out, "%s\n",
			  !sentence && line[0] == '#' && strpbrk(line, "{}=") ? line + 1 : line);
	}
	assert_int_equal(load(bare), 4);
}

/* mdoc writes a backslash as \e. */
static void
undo_mdoc(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++) {
		if (from[0] == '\\' && from[1] == 'e')
			*to++ = *from++;
		else
			*to++ = *from;
	}
	*to = '\0';
}

static void
test_examples(void **state)
{
	_cleanup_(freep) char *page = read_source("conf/holdfast.conf.5.in");
	static const char begin[] = ".Bd -literal -offset indent\n", end[] = ".Ed\n";
	unsigned int count = 0;

	(void)state;
	for (char *at = strstr(page, begin); at; count++) {
		char *text = at + strlen(begin), *rest = strstr(text, end);

		assert_non_null(rest);
		*rest = '\0';
		undo_mdoc(text);
		assert_true(load(text) > 0);
		at = strstr(rest + 1, begin);
	}
	assert_true(count >= 10);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sample),
		cmocka_unit_test(test_sample_in_use),
		cmocka_unit_test(test_examples),
	};

	RUN_TESTS(tests);
}
