#include "config/source.h"

#include "base/must.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define EXCERPT_MAX 48

/* One file on its way into the prepared text. */
struct scan {
	struct source *source;
	struct problems *problems;
	const char *directory; /* that names in @include count from; NULL: there is no including */
	unsigned int depth;
	unsigned int file;
	const char *at, *end;
	unsigned int line;
};

static int scan_text(struct scan *scan);

/* Note what is wrong at the present place; always -EINVAL. */
static int __attribute__((format(printf, 3, 4)))
complain(const struct scan *scan, unsigned int line, const char *format, ...)
{
	char sentence[PATH_MAX + 128];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(sentence, sizeof(sentence), format, arguments);
	va_end(arguments);
	problems_add(scan->problems, scan->source->files[scan->file], line, "%s", sentence);
	return -EINVAL;
}

/* Make room for `length` more bytes and a NUL. */
static int
reserve(struct source *source, size_t length)
{
	size_t room = source->room ? source->room : 4096;
	char *text;

	while (room < source->length + length + 1)
		room *= 2;
	if (room == source->room)
		return 0;
	text = realloc(source->text, room);
	if (!text)
		return -ENOMEM;
	source->text = text;
	source->room = room;
	return 0;
}

static int
append(struct source *source, const char *bytes, size_t length)
{
	int r = reserve(source, length);

	if (r < 0)
		return r;
	for (size_t i = 0; i < length; i++)
		source->lines += bytes[i] == '\n';
	memcpy(source->text + source->length, bytes, length);
	source->length += length;
	source->text[source->length] = '\0';
	return 0;
}

/* Pass `length` bytes on as they are. */
static int
pass(struct scan *scan, size_t length)
{
	int r = append(scan->source, scan->at, length);

	for (size_t i = 0; i < length; i++)
		scan->line += scan->at[i] == '\n';
	scan->at += length;
	return r;
}

static size_t
left(const struct scan *scan)
{
	return (size_t)(scan->end - scan->at);
}

static bool
looking_at(const struct scan *scan, const char *word)
{
	return left(scan) >= strlen(word) && memcmp(scan->at, word, strlen(word)) == 0;
}

/* From here on the prepared text comes from line `line` of `file`. */
static int
begin_piece(struct source *source, unsigned int file, unsigned int line)
{
	int r = source->length > 0 ? append(source, "\n", 1) : 0;

	must(source->piece_count < COUNT_OF(source->pieces));
	source->pieces[source->piece_count++] =
		(struct source_piece){ .from = source->lines, .file = file, .line = line };
	return r;
}

static int
scan_line_comment(struct scan *scan)
{
	const char *newline = memchr(scan->at, '\n', left(scan));

	return pass(scan, newline ? (size_t)(newline - scan->at) : left(scan));
}

static int
scan_block_comment(struct scan *scan)
{
	const char *close = memmem(scan->at + 2, left(scan) - 2, "*/", 2);

	if (!close)
		return complain(scan, scan->line, "this comment is never closed: */ is missing");
	return pass(scan, (size_t)(close + 2 - scan->at));
}

static int
scan_string(struct scan *scan)
{
	size_t length = 1;

	while (length < left(scan) && scan->at[length] != '"') {
		const char *here = scan->at + length;

		/* libconfig would silently end the string there. */
		if (left(scan) - length >= 4 && strncasecmp(here, "\\x00", 4) == 0)
			return complain(
				scan, scan->line,
				"a string cannot hold \\x00 (but probe.send and probe.expect read \\0 as one)");
		length += left(scan) - length >= 2 && here[0] == '\\' &&
					  (here[1] == '"' || here[1] == '\\') ?
				  2 :
				  1;
	}
	if (length >= left(scan))
		return complain(scan, scan->line, "this string is never closed: \" is missing");
	return pass(scan, length + 1);
}

static int
scan_name(struct scan *scan)
{
	size_t length = 1;

	while (length < left(scan) &&
	       (isalnum((unsigned char)scan->at[length]) || memchr("-_*", scan->at[length], 3)))
		length++;
	return pass(scan, length);
}

/* The bytes from `length` on that are digits, in `base`. */
static size_t
skip_digits(const struct scan *scan, size_t length, int base)
{
	while (length < left(scan) && (base == 16 ? isxdigit((unsigned char)scan->at[length]) :
						    isdigit((unsigned char)scan->at[length])))
		length++;
	return length;
}

/* An integer of `length` bytes, L's not counted: as 64 bits where 32 are too few, clamped to those. */
static int
pass_integer(struct scan *scan, size_t length, size_t suffix)
{
	char digits[40];
	long long value;
	int r;

	must(length > 0);
	snprintf(digits, sizeof(digits), "%.*s", (int)length, scan->at);
	errno = 0;
	value = length >= sizeof(digits) ? LLONG_MAX : strtoll(digits, NULL, 0);
	if (length < sizeof(digits) && digits[0] != '0') /* "010" is ten to libconfig */
		value = strtoll(digits, NULL, 10);
	if (value >= INT32_MIN && value <= INT32_MAX && errno != ERANGE)
		return pass(scan, length + suffix);
	scan->at += length + suffix;
	snprintf(digits, sizeof(digits), "%lldL", value);
	r = append(scan->source, digits, strlen(digits));
	return r;
}

static int
scan_number(struct scan *scan)
{
	size_t sign = scan->at[0] == '-' || scan->at[0] == '+', length = sign, suffix = 0;

	if (looking_at(scan, "0x") || looking_at(scan, "0X")) {
		length = skip_digits(scan, 2, 16);
	} else {
		length = skip_digits(scan, length, 10);
		if (length < left(scan) && memchr(".eE", scan->at[length], 3)) {
			while (length < left(scan) && (isdigit((unsigned char)scan->at[length]) ||
						       memchr(".eE+-", scan->at[length], 5)))
				length++;
			return pass(scan, length);
		}
	}
	if (length == sign)
		return pass(scan, 1);
	while (length + suffix < left(scan) && scan->at[length + suffix] == 'L')
		suffix++;
	return pass_integer(scan, length, suffix);
}

/* Put why a file cannot be taken into `why`; always -EINVAL. */
static int __attribute__((format(printf, 2, 3))) refuse(struct text *why, const char *format, ...)
{
	char sentence[256];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(sentence, sizeof(sentence), format, arguments);
	va_end(arguments);
	text_add(why, sentence);
	return -EINVAL;
}

/* Reads a regular file whole.  -EINVAL: `why` says what is wrong with it. */
static int
read_file(const char *path, struct text *why, char **ret_bytes, size_t *ret_length)
{
	_cleanup_(freep) char *bytes = NULL;
	struct stat status;
	FILE *file;
	size_t length;
	int r;

	if (stat(path, &status) < 0)
		return refuse(why, "cannot be read: %s", strerror(errno));
	/* Only now: opening a FIFO would wait for its writer. */
	if (S_ISDIR(status.st_mode))
		return refuse(why, "is a directory, not a file");
	if (!S_ISREG(status.st_mode))
		return refuse(why, "is not a regular file");
	if (status.st_size > SOURCE_BYTES_MAX)
		return refuse(why, "is larger than %d MiB", SOURCE_BYTES_MAX / 1024 / 1024);
	bytes = malloc((size_t)status.st_size + 1);
	if (!bytes)
		return -ENOMEM;
	file = fopen(path, "re");
	if (!file)
		return refuse(why, "cannot be read: %s", strerror(errno));
	errno = 0;
	length = fread(bytes, 1, (size_t)status.st_size, file);
	r = ferror(file) ? refuse(why, "cannot be read: %s", strerror(errno)) : 0;
	fclose(file);
	if (r < 0)
		return r;
	*ret_bytes = steal(bytes);
	*ret_length = length;
	return 0;
}

/* Scan `bytes`, which are the file called `name` (whose ownership passes), after what is there. */
static int
scan_file(const struct scan *outer, char *name, const char *bytes, size_t length)
{
	struct source *source = outer->source;
	struct scan scan = *outer;
	int r;

	scan.file = source->file_count;
	source->files[source->file_count++] = name;
	scan.line = 1;
	scan.at = bytes;
	scan.end = bytes + length;
	if (looking_at(&scan, "\xef\xbb\xbf"))
		scan.at += 3; /* a byte order mark, as some editors leave it */
	if (memchr(bytes, '\0', length))
		return complain(&scan, 0, "holds NUL bytes: this is no text");
	if (source->length + length > SOURCE_BYTES_MAX)
		return complain(&scan, 0, "with what includes it, is larger than %d MiB",
				SOURCE_BYTES_MAX / 1024 / 1024);
	r = begin_piece(source, scan.file, 1);
	if (r < 0)
		return r;
	return scan_text(&scan);
}

/* Bytes that would deceive whoever reads the name in a problem. */
static bool
has_control(const char *name, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f)
			return true;
	return false;
}

/* The name between the quotes that begin at scan->at, as an absolute or relative path; steps over them. */
static int
read_include_name(struct scan *scan, char *path, size_t size)
{
	const char *close = memchr(scan->at + 1, '"', left(scan) - 1);
	const char *newline = memchr(scan->at, '\n', left(scan));
	const char *name = scan->at + 1;
	size_t length;

	if (!close || (newline && newline < close))
		return complain(scan, scan->line,
				"the file name of @include is not closed: \" is missing");
	length = (size_t)(close - name);
	if (has_control(name, length))
		return complain(scan, scan->line, "@include: the file name holds control characters");
	if (length == 0 || length + strlen(scan->directory) + 2 > size)
		return complain(scan, scan->line, "@include: \"%.*s\" is no file name",
				(int)(length > 64 ? 64 : length), name);
	if (name[0] == '/')
		snprintf(path, size, "%.*s", (int)length, name);
	else
		snprintf(path, size, "%s/%.*s", scan->directory, (int)length, name);
	scan->at = close + 1;
	return 0;
}

static int
scan_include(struct scan *scan)
{
	_cleanup_(freep) char *bytes = NULL;
	struct scan inner = *scan;
	char path[PATH_MAX], why[256];
	struct text text = TEXT_INIT(why);
	size_t length;
	char *name;
	int r;

	scan->at += strlen("@include");
	while (left(scan) > 0 && (*scan->at == ' ' || *scan->at == '\t'))
		scan->at++;
	if (left(scan) < 2 || *scan->at != '"')
		return complain(scan, scan->line, "@include wants a file name in quotes");
	if (!scan->directory)
		return complain(scan, scan->line, "@include is possible in files only");
	r = read_include_name(scan, path, sizeof(path));
	if (r < 0)
		return r;
	if (scan->depth >= SOURCE_DEPTH_MAX)
		r = refuse(&text, "more than %d files deep: a circle?", SOURCE_DEPTH_MAX);
	else if (scan->source->file_count > SOURCE_INCLUDES_MAX)
		r = refuse(&text, "more than %d files are included", SOURCE_INCLUDES_MAX);
	else
		r = read_file(path, &text, &bytes, &length);
	if (r == -EINVAL) {
		complain(scan, scan->line, "@include \"%s\": %s", path, why);
		return 0; /* there may be more to find fault with */
	}
	name = r < 0 ? NULL : strdup(path);
	if (!name)
		return -ENOMEM;
	inner.depth++;
	r = scan_file(&inner, name, bytes, length);
	return r < 0 ? r : begin_piece(scan->source, scan->file, scan->line);
}

/* The next word, whatever it is; `fresh`: only blanks stand before it on its line. */
static int
scan_word(struct scan *scan, bool fresh)
{
	char first = *scan->at;

	if (first == '#' || looking_at(scan, "//"))
		return scan_line_comment(scan);
	if (looking_at(scan, "/*"))
		return scan_block_comment(scan);
	if (first == '"')
		return scan_string(scan);
	if (isalpha((unsigned char)first) || first == '*')
		return scan_name(scan);
	if (isdigit((unsigned char)first) || memchr("+-.", first, 3))
		return scan_number(scan);
	if (fresh && looking_at(scan, "@include"))
		return scan_include(scan);
	return pass(scan, 1);
}

static int
scan_text(struct scan *scan)
{
	bool fresh = true;

	while (left(scan) > 0) {
		char first = *scan->at;
		int r = scan_word(scan, fresh);

		if (r < 0)
			return r;
		fresh = first == '\n' || (fresh && (first == ' ' || first == '\t'));
	}
	return 0;
}

/* A source that has scanned `bytes`; all but `ret_source` as in source_prepare(). */
static int
source_new(const struct scan *scan, const char *name, const char *bytes, size_t length,
	   struct source **ret_source)
{
	_cleanup_(source_freep) struct source *source = calloc(1, sizeof(*source));
	struct scan outer = *scan;
	char *copy = strdup(name);
	int r;

	if (!source || !copy) {
		free(copy);
		return -ENOMEM;
	}
	outer.source = source;
	source->lines = 1;
	r = scan_file(&outer, copy, bytes, length);
	if (r == 0 && (source->length == 0 || source->text[source->length - 1] != '\n'))
		r = append(source, "\n", 1); /* so that `text` is there, and its last line ended */
	if (r < 0)
		return r;
	*ret_source = steal(source);
	return 0;
}

int
source_read(const char *path, const char *directory, struct problems *problems, struct source **ret_source)
{
	_cleanup_(freep) char *bytes = NULL;
	struct scan scan = { .problems = problems, .directory = directory };
	char why[256];
	struct text text = TEXT_INIT(why);
	size_t length;
	int r = read_file(path, &text, &bytes, &length);

	if (r == -EINVAL)
		problems_add(problems, path, 0, "%s", why);
	if (r < 0)
		return r;
	return source_new(&scan, path, bytes, length, ret_source);
}

int
source_prepare(const char *text, size_t length, const char *name, struct problems *problems,
	       struct source **ret_source)
{
	struct scan scan = { .problems = problems };

	return source_new(&scan, name, text, length, ret_source);
}

struct source *
source_free(struct source *source)
{
	if (!source)
		return NULL;
	for (unsigned int i = 0; i < source->file_count; i++)
		free(source->files[i]);
	free(source->text);
	free(source);
	return NULL;
}

const char *
source_place(const struct source *source, unsigned int line, unsigned int *ret_line)
{
	const struct source_piece *piece = &source->pieces[0];

	for (unsigned int i = 1; i < source->piece_count && source->pieces[i].from <= line; i++)
		piece = &source->pieces[i];
	*ret_line = piece->line + (line > piece->from ? line - piece->from : 0);
	return source->files[piece->file];
}

void
source_excerpt(const struct source *source, unsigned int line, struct text *out)
{
	const char *begin = source->text;
	size_t length;

	for (unsigned int i = 1; i < line && begin; i++) {
		begin = strchr(begin, '\n');
		begin = begin ? begin + 1 : NULL;
	}
	if (!begin)
		return;
	begin += strspn(begin, " \t\r");
	length = strcspn(begin, "\n\r");
	text_add_escaped(out, begin, length > EXCERPT_MAX ? EXCERPT_MAX : length, NULL);
	if (length > EXCERPT_MAX)
		text_add(out, "…");
}
