/*
 * A bounded string builder: everything that is printed into a buffer of fixed size goes through it,
 * so that a long name or a hostile peer's bytes can only ever be cut short.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct text {
	char *at;      /* the caller's buffer; always NUL-terminated */
	size_t size;   /* its size in bytes, at least 1 */
	size_t length; /* bytes written, without the NUL */
	bool cut;      /* something did not fit */
};

/* Initializer for a text over an array. */
#define TEXT_INIT(array) \
	{ \
		.at = ((array)[0] = '\0', (array)), .size = sizeof(array) \
	}

/*
 * text_init(text, buffer, size):
 * Make `text` empty over `buffer` of `size` bytes (at least 1), which stays the caller's.
 */
void text_init(struct text *text, char *buffer, size_t size);

/*
 * text_add(text, string):
 * Append `string`; what does not fit is dropped and `text->cut` set.
 */
void text_add(struct text *text, const char *string);

/*
 * text_add_bytes(text, bytes, length):
 * Append `length` bytes as they are, without looking at them.
 */
void text_add_bytes(struct text *text, const void *bytes, size_t length);

/*
 * text_addf(text, format, ...):
 * Append as printf(3) would.
 */
void text_addf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * text_add_escaped(text, bytes, length, extra):
 * Append `length` foreign bytes as printable ASCII: other octets, backslashes, and the characters in
 * `extra` (may be NULL) become \xNN.  An escape is written whole or not at all.
 */
void text_add_escaped(struct text *text, const void *bytes, size_t length, const char *extra);

/*
 * text_copy(buffer, size, string):
 * Copy `string` (NULL counts as "") into `buffer` of `size` bytes, cut if need be, always ended by NUL.
 */
void text_copy(char *buffer, size_t size, const char *string);

/*
 * text_distance(a, b):
 * The edit distance of two words (optimal string alignment: insertions, deletions, substitutions and
 * swaps of neighbours count 1), at most 255, for "did you mean".  Only the first 63 characters count.
 */
unsigned int text_distance(const char *a, const char *b);
