/*
 * The text of one configuration file with everything it includes, made ready for libconfig.
 *
 * libconfig 1.5 would include directories (and end the process), wait for ever for a FIFO, take an
 * unclosed comment for an empty rest of the file, and cut integers to 32 bits without a word.  So the text
 * is prepared here: @include is replaced by the file, integers that need it get their L, and what is not
 * closed is a problem.  A map leads from the lines of the prepared text back to files and lines.
 */
#pragma once

#include "base/text.h"
#include "config/problems.h"

#include <stddef.h>

#define SOURCE_BYTES_MAX    (64 * 1024 * 1024) /* of a file with its includes; more is a problem */
#define SOURCE_INCLUDES_MAX 256 /* in one file with its includes; more are a problem */
#define SOURCE_DEPTH_MAX    10	/* files that include files; so a circle ends as a problem */

/* From line `from` of the prepared text on, the lines are those of `file` from `line` on. */
struct source_piece {
	unsigned int from;
	unsigned int file; /* index into files */
	unsigned int line;
};

struct source {
	char *text; /* prepared, ended by NUL */
	size_t length, room;
	unsigned int lines;		      /* newlines in `text` so far, plus 1 */
	char *files[SOURCE_INCLUDES_MAX + 1]; /* names, the first is the file itself */
	unsigned int file_count;
	struct source_piece pieces[2 * SOURCE_INCLUDES_MAX + 1];
	unsigned int piece_count;
};

/*
 * source_read(path, directory, problems, ret_source):
 * Read and prepare the file at `path`; a relative name in @include counts from `directory`.  Returns 0;
 * -EINVAL with `problems` added to, where the text is not worth parsing; -ENOMEM.  The caller ends a
 * success with source_free().  Blocks on the disk, but never on a FIFO or device.  Any thread.
 */
int source_read(const char *path, const char *directory, struct problems *problems,
		struct source **ret_source);

/*
 * source_prepare(text, length, name, problems, ret_source):
 * The same for `length` bytes of `text` in memory, called `name` in problems; it may include nothing.
 */
int source_prepare(const char *text, size_t length, const char *name, struct problems *problems,
		   struct source **ret_source);

/*
 * source_free(source):
 * Takes NULL, returns NULL.
 */
struct source *source_free(struct source *source);

/*
 * source_place(source, line, ret_line):
 * Where line `line` of the prepared text came from: returns the file's name (borrowed), and its line.
 */
const char *source_place(const struct source *source, unsigned int line, unsigned int *ret_line);

/*
 * source_excerpt(source, line, out):
 * Append what line `line` of the prepared text says, without its blanks, escaped, cut to a few words.
 */
void source_excerpt(const struct source *source, unsigned int line, struct text *out);

CLEANUP_DEFINE(struct source *, source_free)
