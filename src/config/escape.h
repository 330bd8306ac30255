/*
 * Octets in a string of the configuration, which itself can hold no NUL: \r \n \t \0 \xNN and \\ stand for one octet each, all
 * others for themselves.  libconfig reads its own escapes first, and leaves a backslash that it does not know.
 */
#pragma once

#include <stddef.h>
#include <stdio.h>

/*
 * escape_parse(string, buffer, size, ret_length, ret_bad):
 * Write the octets that `string` means into `buffer` of `size` bytes.  Returns 0; -ENOBUFS where there are more; -EINVAL with
 * *ret_bad at the backslash that begins no escape.  Any thread.
 */
int escape_parse(const char *string, unsigned char *buffer, size_t size, size_t *ret_length,
		 const char **ret_bad);

/*
 * escape_print(octets, length, out):
 * Write a string of libconfig, quoted, that reads back as these octets.
 */
void escape_print(const unsigned char *octets, size_t length, FILE *out);
