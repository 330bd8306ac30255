/*
 * Where text for people goes: how wide it is, whether it has colours, and which characters it can show.
 *
 * Foreign text passes screen_clean() before it is measured or printed.  Every function here keeps lines within the width, and
 * the styles count for nothing in it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Narrower screens are treated as this wide. */
#define SCREEN_WIDTH_MIN     20
#define SCREEN_WIDTH_DEFAULT 80 /* of a terminal that does not tell */

enum colour_mode {
	COLOUR_AUTO, /* on a terminal, unless NO_COLOR is set or it is a dumb one */
	COLOUR_ALWAYS,
	COLOUR_NEVER,
};

enum style { STYLE_PLAIN, STYLE_BOLD, STYLE_DIM, STYLE_GOOD, STYLE_WARN, STYLE_BAD, STYLE_COUNT };

struct screen {
	FILE *out;
	unsigned int width; /* columns; 0: without end (no terminal) */
	bool colour;
	bool utf8; /* the locale can show more than ASCII */
	bool terminal;
};

/*
 * screen_init(screen, out, mode):
 * Look at `out`, which stays the caller's: the width comes from the terminal, then from COLUMNS, then it is 80; where `out` is no
 * terminal there is no limit.  The locale must have been set.
 */
void screen_init(struct screen *screen, FILE *out, enum colour_mode mode);

/*
 * screen_clean(screen, foreign):
 * A copy of `foreign` (NULL counts as "") that can do nothing to a terminal: control characters, and where the locale is
 * not UTF-8 everything beyond ASCII, stand as \xNN.  The caller frees it.  Never NULL: without memory the program ends.
 */
char *screen_clean(const struct screen *screen, const char *foreign);

/*
 * screen_columns(clean):
 * How many columns a clean text takes.
 */
unsigned int screen_columns(const char *clean);

/*
 * screen_cut(screen, clean, style, columns):
 * Print a clean text in at most `columns` (at least 1); what does not fit is replaced by an ellipsis.  Returns the columns used.
 */
unsigned int screen_cut(const struct screen *screen, const char *clean, enum style style,
			unsigned int columns);

/*
 * screen_style(screen, style):
 * From here on print in that style; STYLE_PLAIN ends it.  Nothing without colours.
 */
void screen_style(const struct screen *screen, enum style style);

/*
 * screen_spaces(screen, count):
 * Print so many spaces.
 */
void screen_spaces(const struct screen *screen, unsigned int count);

/* Text that is broken into lines between words. */
struct paragraph {
	unsigned int column; /* where we are in the first line */
	unsigned int indent; /* of the lines that follow */
	enum style style;
};

/*
 * screen_wrap(screen, paragraph, foreign):
 * Clean and print `foreign` from paragraph->column on, with a line break after it; a word that is longer than a line is broken.
 */
void screen_wrap(const struct screen *screen, const struct paragraph *paragraph, const char *foreign);

/*
 * screen_line(screen, style, foreign):
 * A paragraph that begins at the left and goes on there.
 */
void screen_line(const struct screen *screen, enum style style, const char *foreign);

/*
 * screen_item(screen, name, indent, foreign):
 * One line of a list: a name of our own, and from column `indent` on, wrapped, what is said about it; below it where the screen is too
 * narrow for two columns.
 */
void screen_item(const struct screen *screen, const char *name, unsigned int indent,
		 const char *foreign);

/*
 * screen_title(screen, style, format, ...):
 * The same, formatted, after an empty line.
 */
void screen_title(const struct screen *screen, enum style style, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * screen_pair(screen, name, format, ...):
 * One line of a form, "  name          value", wrapped under the value.
 */
void screen_pair(const struct screen *screen, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
