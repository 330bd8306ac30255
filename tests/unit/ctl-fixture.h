/*
 * For the tests of src/ctl: output kept in memory, and the rule that no line is wider than the screen.
 */
#pragma once

#include "check.h"

#include "base/prng.h"
#include "ctl/screen.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>

/* Output of one screen; begin with capture_begin(), read .text after capture_end(), then free it. */
struct capture {
	struct screen screen;
	char *text;
	size_t length;
};

static inline void
capture_begin(struct capture *capture, unsigned int width)
{
	*capture = (struct capture){ .screen = { .width = width, .utf8 = true } };
	capture->screen.out = open_memstream(&capture->text, &capture->length);
	assert_non_null(capture->screen.out);
}

static inline void
capture_end(struct capture *capture)
{
	assert_int_equal(fclose(capture->screen.out), 0);
}

/* Every line of `text` fits into `width`, none ends in a space, and nothing in it can move a cursor. */
static inline void
assert_fits(const char *text, unsigned int width)
{
	while (*text) {
		size_t length = strcspn(text, "\n");
		_cleanup_(freep) char *line = strndup(text, length);

		assert_non_null(line);
		if (screen_columns(line) > width)
			fail_msg("%u columns instead of %u: %s", screen_columns(line), width, line);
		if (length > 0 && line[length - 1] == ' ')
			fail_msg("a space at the end of: %s", line);
		for (const char *at = line; *at; at++)
			assert_true((unsigned char)*at >= 0x20 && *at != 0x7f);
		text += length + (text[length] == '\n');
	}
}

/* A word of at most `longest` characters, some of them strange: spaces, escapes, UTF-8 of two columns, rubbish. */
static inline void
random_word(struct prng *prng, char *buffer, size_t longest)
{
	static const char *const pieces[] = {
		"a", "b", "Z", "-", "x", " ", "\033[2J", "\xc3\xa4", "\xe6\xbc\xa2", "\xff"
	};
	size_t length = prng_below(prng, longest + 1);

	buffer[0] = '\0';
	while (strlen(buffer) + 4 < length)
		strcat(buffer, pieces[prng_below(prng, COUNT_OF(pieces))]);
}
