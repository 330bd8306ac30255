/* Cleaning, measuring, cutting and wrapping of text for people. */
#include "ctl/screen.h"

#include "base/cleanup.h"
#include "base/text.h"
#include "ctl/ctl.h"

#include <langinfo.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>
#include <wctype.h>

#define PAIR_INDENT   2	   /* before the name in a form */
#define PAIR_NAME_MAX 13   /* columns of the names: beside them, a digest fits into 80 */
#define WIDTH_MAX     1000 /* a COLUMNS beyond it is rubbish */
#define ITEM_LEAST    28   /* columns for what is said about an item, or it goes below */

static unsigned int
width_of(int fd)
{
	const char *variable = getenv("COLUMNS");
	unsigned long columns = variable ? strtoul(variable, NULL, 10) : 0;
	struct winsize size;

	if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		columns = size.ws_col;
	if (columns == 0 || columns > WIDTH_MAX)
		columns = SCREEN_WIDTH_DEFAULT;
	return columns < SCREEN_WIDTH_MIN ? SCREEN_WIDTH_MIN : (unsigned int)columns;
}

static bool
wants_colour(bool terminal)
{
	const char *no_color = getenv("NO_COLOR"), *kind = getenv("TERM");

	return terminal && !(no_color && no_color[0]) && !(kind && strcmp(kind, "dumb") == 0);
}

void
screen_init(struct screen *screen, FILE *out, enum colour_mode mode)
{
	bool terminal = isatty(fileno(out)) == 1;

	*screen = (struct screen){
		.out = out,
		.width = terminal ? width_of(fileno(out)) : 0,
		.colour = mode == COLOUR_ALWAYS || (mode == COLOUR_AUTO && wants_colour(terminal)),
		.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
		.terminal = terminal,
	};
}

/* ---- characters ------------------------------------------------------------------------------------------------- */

struct character {
	size_t bytes;
	unsigned int columns;
	bool printable;
};

/* Marks that turn the direction of writing (Unicode, UAX 9): what comes after them would be read as something else. */
static bool
turns_writing(wchar_t wide)
{
	return wide == 0x061c || wide == 0x200e || wide == 0x200f ||
	       (wide >= 0x202a && wide <= 0x202e) || (wide >= 0x2066 && wide <= 0x2069);
}

/* What stands first in `text`, which is not at its end. */
static struct character
character_at(const char *text, bool utf8)
{
	const unsigned char first = (unsigned char)*text;
	mbstate_t state = { 0 };
	wchar_t wide;
	size_t bytes;

	if (first < 0x80)
		return (struct character){ 1, 1, first >= 0x20 && first != 0x7f };
	bytes = utf8 ? mbrtowc(&wide, text, strlen(text), &state) : 0;
	if (bytes == 0 || bytes > MB_LEN_MAX || !iswprint((wint_t)wide) || wcwidth(wide) < 0 ||
	    turns_writing(wide))
		return (struct character){ 1, 1, false };
	return (struct character){ bytes, (unsigned int)wcwidth(wide), true };
}

char *
screen_clean(const struct screen *screen, const char *foreign)
{
	const char *from = foreign ? foreign : "";
	size_t size = 4 * strlen(from) + 1;
	char *clean = ctl_need(malloc(size));
	struct text text;

	text_init(&text, clean, size);
	while (*from) {
		struct character next = character_at(from, screen->utf8);

		if (next.printable)
			text_add_bytes(&text, from, next.bytes);
		else
			text_addf(&text, "\\x%02x", (unsigned char)*from);
		from += next.bytes;
	}
	return clean;
}

unsigned int
screen_columns(const char *clean)
{
	unsigned int columns = 0;

	while (*clean) {
		struct character next = character_at(clean, true);

		columns += next.columns;
		clean += next.bytes;
	}
	return columns;
}

/* How many bytes of `clean` fit into `columns`; *ret_used are those they take. */
static size_t
fitting(const char *clean, unsigned int columns, unsigned int *ret_used)
{
	size_t bytes = 0;

	*ret_used = 0;
	while (clean[bytes]) {
		struct character next = character_at(clean + bytes, true);

		if (*ret_used + next.columns > columns)
			break;
		*ret_used += next.columns;
		bytes += next.bytes;
	}
	return bytes;
}

void
screen_style(const struct screen *screen, enum style style)
{
	static const char *const codes[STYLE_COUNT] = {
		[STYLE_PLAIN] = "0", [STYLE_BOLD] = "1",  [STYLE_DIM] = "2",
		[STYLE_GOOD] = "32", [STYLE_WARN] = "33", [STYLE_BAD] = "1;31",
	};

	if (screen->colour)
		fprintf(screen->out, "\033[%sm", codes[style]);
}

static void
put_styled(const struct screen *screen, enum style style, const char *bytes, size_t length)
{
	bool styled = style != STYLE_PLAIN && length > 0;

	if (styled)
		screen_style(screen, style);
	fwrite(bytes, 1, length, screen->out);
	if (styled)
		screen_style(screen, STYLE_PLAIN);
}

unsigned int
screen_cut(const struct screen *screen, const char *clean, enum style style, unsigned int columns)
{
	const char *ellipsis = screen->utf8 ? "\xe2\x80\xa6" : "...";
	unsigned int dots = screen->utf8 ? 1 : columns < 3 ? columns : 3;
	unsigned int used = screen_columns(clean);
	_cleanup_(freep) char *cut = NULL;
	size_t bytes;

	if (used <= columns) {
		put_styled(screen, style, clean, strlen(clean));
		return used;
	}
	bytes = fitting(clean, columns - dots, &used);
	if (asprintf(&cut, "%.*s%.*s", (int)bytes, clean, screen->utf8 ? 3 : (int)dots, ellipsis) < 0)
		cut = NULL;
	ctl_need(cut);
	put_styled(screen, style, cut, strlen(cut));
	return used + dots;
}

void
screen_spaces(const struct screen *screen, unsigned int count)
{
	fprintf(screen->out, "%*s", (int)count, "");
}

/* ---- lines ------------------------------------------------------------------------------------------------------ */

/* How many bytes of `rest` go into a line with room for `room` columns; `fresh`: nothing stands in it yet but the indent. */
static size_t
line_length(const char *rest, unsigned int room, bool fresh)
{
	unsigned int used;
	size_t most = fitting(rest, room, &used), end = most;
	bool whole = rest[most] == '\0' || rest[most] == ' '; /* no word is in two here */

	while (!whole && end > 0 && rest[end - 1] != ' ')
		end--;
	while (end > 0 && rest[end - 1] == ' ')
		end--;
	return end > 0 || !fresh ? end : most;
}

void
screen_wrap(const struct screen *screen, const struct paragraph *paragraph, const char *foreign)
{
	_cleanup_(freep) char *clean = screen_clean(screen, foreign);
	unsigned int width = screen->width > 0 ? screen->width : UINT_MAX;
	unsigned int column = paragraph->column;
	unsigned int indent = paragraph->indent < width / 2 ? paragraph->indent : width / 2;
	const char *rest = clean;

	for (;;) {
		size_t length = line_length(rest, width > column ? width - column : 0,
					    column <= indent && width > column);

		put_styled(screen, paragraph->style, rest, length);
		fputc('\n', screen->out);
		rest += length;
		rest += strspn(rest, " ");
		if (*rest == '\0')
			return;
		screen_spaces(screen, indent);
		column = indent;
	}
}

void
screen_line(const struct screen *screen, enum style style, const char *foreign)
{
	screen_wrap(screen, &(struct paragraph){ .style = style }, foreign);
}

void
screen_item(const struct screen *screen, const char *name, unsigned int indent, const char *foreign)
{
	static const struct paragraph above = { .column = 2, .indent = 4 };
	struct paragraph paragraph = { .column = indent, .indent = indent };
	unsigned int used = PAIR_INDENT + screen_columns(name);

	screen_spaces(screen, PAIR_INDENT);
	if (used >= indent || (screen->width > 0 && screen->width < indent + ITEM_LEAST)) {
		screen_wrap(screen, &above, name);
		paragraph.column = paragraph.indent = above.indent;
		screen_spaces(screen, paragraph.column);
	} else {
		fputs(name, screen->out);
		screen_spaces(screen, indent - used);
	}
	screen_wrap(screen, &paragraph, foreign);
}

static char *__attribute__((format(printf, 1, 0))) format_text(const char *format, va_list arguments)
{
	char *value = NULL;

	if (vasprintf(&value, format, arguments) < 0)
		value = NULL;
	return ctl_need(value);
}

void
screen_title(const struct screen *screen, enum style style, const char *format, ...)
{
	_cleanup_(freep) char *value = NULL;
	va_list arguments;

	va_start(arguments, format);
	value = format_text(format, arguments);
	va_end(arguments);
	fputc('\n', screen->out);
	screen_line(screen, style, value);
}

void
screen_pair(const struct screen *screen, const char *name, const char *format, ...)
{
	struct paragraph paragraph = { .indent = PAIR_INDENT + PAIR_NAME_MAX + 1 };
	_cleanup_(freep) char *value = NULL;
	_cleanup_(freep) char *clean = screen_clean(screen, name);
	unsigned int names = PAIR_NAME_MAX;
	va_list arguments;

	/* On a narrow screen the value needs the room more than the name does. */
	if (screen->width > 0 && paragraph.indent > screen->width / 2) {
		paragraph.indent = screen->width / 2;
		names = paragraph.indent - PAIR_INDENT - 1;
	}
	va_start(arguments, format);
	value = format_text(format, arguments);
	va_end(arguments);
	screen_spaces(screen, PAIR_INDENT);
	paragraph.column = PAIR_INDENT + screen_cut(screen, clean, STYLE_DIM, names);
	screen_spaces(screen, paragraph.indent - paragraph.column);
	paragraph.column = paragraph.indent;
	screen_wrap(screen, &paragraph, value);
}
