/* Which regular expressions are taken: none whose compiling or matching could be made to last by a pattern or a peer. */
#include "core/probe.h"

#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <regex.h>
#include <string.h>

#define DEPTH_MAX 32 /* parentheses within parentheses; more are refused */
/* A pattern written out, each repetition as often as it says; more is refused: regcomp() writes it out, and regexec() walks through it. */
#define SIZE_MAX_WRITTEN_OUT 512
#define REPETITIONS_MAX	     32767 /* RE_DUP_MAX; what is above, regcomp() refuses */
#define REGERROR_TEXT_MAX    80

/* A walk through a pattern: how long each open parenthesis, and what stood last in it, would be written out. */
struct walk {
	const char *at;
	unsigned int depth;
	size_t size[DEPTH_MAX + 1], last[DEPTH_MAX + 1];
	const char *problem; /* or NULL */
};

static void
add_atom(struct walk *walk, size_t size)
{
	walk->last[walk->depth] = size;
	walk->size[walk->depth] += size;
	if (walk->size[walk->depth] > SIZE_MAX_WRITTEN_OUT)
		walk->problem = "is too long with its repetitions written out (at most 512)";
}

static void
repeat(struct walk *walk, size_t count)
{
	size_t last = walk->last[walk->depth];

	if (count < 2)
		return;
	add_atom(walk, last * (count - 1));
	walk->last[walk->depth] = last * count;
}

/* Behind the '[': a ']' that comes first is one of the set, and [:class:], [.x.] and [=x=] may hold another. */
static void
skip_set(struct walk *walk)
{
	const char *at = walk->at;

	if (*at == '^')
		at++;
	if (*at == ']')
		at++;
	while (*at != '\0' && *at != ']') {
		bool inner = at[0] == '[' && at[1] != '\0' && strchr(":.=", at[1]);
		const char end[] = { at[1], ']', '\0' };
		const char *close = inner ? strstr(at + 2, end) : NULL;

		at = close ? close + 2 : at + 1;
	}
	walk->at = *at == ']' ? at + 1 : at;
	add_atom(walk, 1);
}

/* Behind the '{'. */
static void
take_interval(struct walk *walk)
{
	size_t count[2] = { 0, 0 };
	const char *at = walk->at;
	unsigned int i = 0;

	if (!isdigit((unsigned char)*at) && *at != ',') {
		add_atom(walk, 1);
		return;
	}
	for (; *at != '\0' && *at != '}'; at++) {
		if (*at == ',')
			i = 1;
		else if (isdigit((unsigned char)*at) && count[i] <= REPETITIONS_MAX)
			count[i] = 10 * count[i] + (size_t)(*at - '0');
	}
	walk->at = *at == '}' ? at + 1 : at;
	repeat(walk, i == 1 && count[1] == 0 ? count[0] + 1 : count[i]);
}

static void
take_escape(struct walk *walk)
{
	if (*walk->at >= '1' && *walk->at <= '9')
		walk->problem = "has a back-reference, whose matching may take for ever";
	if (*walk->at != '\0')
		walk->at++;
	add_atom(walk, 1);
}

static void
open_group(struct walk *walk)
{
	if (walk->depth == DEPTH_MAX) {
		walk->problem = "nests more than 32 parentheses";
		return;
	}
	walk->depth++;
	walk->size[walk->depth] = walk->last[walk->depth] = 0;
}

static void
close_group(struct walk *walk)
{
	if (walk->depth == 0)
		return;
	walk->depth--;
	add_atom(walk, walk->size[walk->depth + 1] + 1);
}

static const char *
find_problem(const char *pattern)
{
	struct walk walk = { .at = pattern };

	while (*walk.at != '\0' && !walk.problem) {
		switch (*walk.at++) {
		case '\\': take_escape(&walk); break;
		case '[': skip_set(&walk); break;
		case '(': open_group(&walk); break;
		case ')': close_group(&walk); break;
		case '{': take_interval(&walk); break;
		case '+': repeat(&walk, 2); break; /* regcomp() makes aa* of it */
		case '*':
		case '?': break;
		default: add_atom(&walk, 1); break;
		}
	}
	return walk.problem;
}

int
probe_check_regex(const char *pattern, char *problem, size_t size)
{
	const char *found = find_problem(pattern);
	char reason[REGERROR_TEXT_MAX];
	struct text text;
	regex_t regex;
	int r;

	text_init(&text, problem, size);
	if (pattern[0] == '\0')
		found = "is empty";
	if (found) {
		text_add(&text, found);
		return -EINVAL;
	}
	r = regcomp(&regex, pattern, REG_EXTENDED | REG_NEWLINE | REG_NOSUB);
	if (r == 0) {
		regfree(&regex);
		return 0;
	}
	regerror(r, &regex, reason, sizeof(reason));
	text_addf(&text, "is no POSIX extended regular expression: %s", reason);
	return -EINVAL;
}
