#include "base/text.h"

#include "base/must.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define DISTANCE_WORD_MAX 63

void
text_init(struct text *text, char *buffer, size_t size)
{
	must(size > 0);
	buffer[0] = '\0';
	*text = (struct text){ .at = buffer, .size = size };
}

void
text_add_bytes(struct text *text, const void *bytes, size_t length)
{
	size_t room = text->size - 1 - text->length;

	if (length > room) {
		length = room;
		text->cut = true;
	}
	if (length > 0)
		memcpy(text->at + text->length, bytes, length);
	text->length += length;
	text->at[text->length] = '\0';
}

void
text_add(struct text *text, const char *string)
{
	text_add_bytes(text, string, strlen(string));
}

void
text_addf(struct text *text, const char *format, ...)
{
	size_t room = text->size - text->length;
	va_list arguments;
	int wanted;

	va_start(arguments, format);
	wanted = vsnprintf(text->at + text->length, room, format, arguments);
	va_end(arguments);
	must(wanted >= 0);
	if ((size_t)wanted >= room) {
		text->cut = true;
		wanted = (int)room - 1;
	}
	text->length += (size_t)wanted;
}

void
text_add_escaped(struct text *text, const void *bytes, size_t length, const char *extra)
{
	const unsigned char *byte = bytes;

	for (size_t i = 0; i < length; i++) {
		char piece[5];
		bool plain = byte[i] >= 0x20 && byte[i] < 0x7f && byte[i] != '\\' &&
			     !(extra && strchr(extra, byte[i]));

		snprintf(piece, sizeof(piece), plain ? "%c" : "\\x%02x", byte[i]);
		if (strlen(piece) > text->size - 1 - text->length) {
			text->cut = true;
			return;
		}
		text_add(text, piece);
	}
}

void
text_copy(char *buffer, size_t size, const char *string)
{
	struct text text;

	text_init(&text, buffer, size);
	if (string)
		text_add(&text, string);
}

static unsigned int
least(unsigned int a, unsigned int b, unsigned int c)
{
	unsigned int ab = a < b ? a : b;

	return ab < c ? ab : c;
}

unsigned int
text_distance(const char *a, const char *b)
{
	unsigned int row[3][DISTANCE_WORD_MAX + 1] = { 0 };
	size_t a_length = strnlen(a, DISTANCE_WORD_MAX), b_length = strnlen(b, DISTANCE_WORD_MAX);

	for (size_t j = 0; j <= b_length; j++)
		row[0][j] = (unsigned int)j;
	for (size_t i = 1; i <= a_length; i++) {
		unsigned int *here = row[i % 3], *above = row[(i - 1) % 3], *two = row[(i + 1) % 3];

		here[0] = (unsigned int)i;
		for (size_t j = 1; j <= b_length; j++) {
			here[j] = least(above[j] + 1, here[j - 1] + 1,
					above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				here[j] = least(here[j], two[j - 2] + 1, here[j]);
		}
	}
	return row[a_length % 3][b_length];
}
