/*
 * What the fuzzers of texts share.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/*
 * fuzz_text(data, size):
 * The input as a string of its own, which the caller frees; NULL for want of memory.  (strndup() would be told by
 * strict_string_checks that the input has no NUL.)
 */
static inline char *
fuzz_text(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	if (!text)
		return NULL;
	memcpy(text, data, size);
	text[size] = '\0';
	return text;
}
