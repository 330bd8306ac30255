#include "config/escape.h"

#include <ctype.h>
#include <errno.h>

static unsigned int
hex_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return (unsigned int)(digit - '0');
	return (unsigned int)(tolower((unsigned char)digit) - 'a' + 10);
}

/* The octet that the escape at `text` stands for; returns how many characters it has, or 0. */
static size_t
parse_one(const char *text, unsigned char *ret_octet)
{
	switch (text[1]) {
	case 'r': *ret_octet = '\r'; return 2;
	case 'n': *ret_octet = '\n'; return 2;
	case 't': *ret_octet = '\t'; return 2;
	case '0': *ret_octet = '\0'; return 2;
	case '\\': *ret_octet = '\\'; return 2;
	case 'x':
		if (!isxdigit((unsigned char)text[2]) || !isxdigit((unsigned char)text[3]))
			return 0;
		*ret_octet = (unsigned char)(hex_value(text[2]) << 4 | hex_value(text[3]));
		return 4;
	default: return 0;
	}
}

int
escape_parse(const char *string, unsigned char *buffer, size_t size, size_t *ret_length,
	     const char **ret_bad)
{
	size_t length = 0;

	while (*string) {
		unsigned char octet = (unsigned char)*string;
		size_t step = octet == '\\' ? parse_one(string, &octet) : 1;

		if (step == 0) {
			*ret_bad = string;
			return -EINVAL;
		}
		if (length == size)
			return -ENOBUFS;
		buffer[length++] = octet;
		string += step;
	}
	*ret_length = length;
	return 0;
}

/* NUL and the backslash are for our own reading, and so have their backslash doubled for libconfig's. */
static void
print_one(unsigned char octet, FILE *out)
{
	switch (octet) {
	case '\r': fputs("\\r", out); return;
	case '\n': fputs("\\n", out); return;
	case '\t': fputs("\\t", out); return;
	case '\0': fputs("\\\\0", out); return;
	case '\\': fputs("\\\\\\\\", out); return;
	case '"': fputs("\\\"", out); return;
	default: break;
	}
	if (octet < 0x20 || octet >= 0x7f)
		fprintf(out, "\\x%02x", octet);
	else
		fputc(octet, out);
}

void
escape_print(const unsigned char *octets, size_t length, FILE *out)
{
	fputc('"', out);
	for (size_t i = 0; i < length; i++)
		print_one(octets[i], out);
	fputc('"', out);
}
