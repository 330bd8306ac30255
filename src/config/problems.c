#include "config/problems.h"

#include "base/text.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Make room for one more problem; the array doubles. */
static bool
make_room(struct problems *problems)
{
	size_t room = problems->room ? problems->room * 2 : 8;
	struct problem *at;

	if (problems->count >= PROBLEMS_MAX)
		return false;
	if (problems->count < problems->room)
		return true;
	at = reallocarray(problems->at, room, sizeof(*at));
	if (!at)
		return false;
	problems->at = at;
	problems->room = room;
	return true;
}

void
problems_add(struct problems *problems, const char *file, unsigned int line, const char *format, ...)
{
	_cleanup_(freep) char *name = strdup(file), *message = NULL;
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vasprintf(&message, format, arguments);
	va_end(arguments);
	if (length < 0)
		message = NULL;
	if (!name || !message || !make_room(problems)) {
		problems->left_out++;
		return;
	}
	problems->at[problems->count++] =
		(struct problem){ .file = steal(name), .line = line, .message = steal(message) };
}

/* Where `file` belongs: `first` before all, the others by name. */
static int
compare_places(const struct problem *a, const struct problem *b, const char *first)
{
	bool a_first = strcmp(a->file, first) == 0, b_first = strcmp(b->file, first) == 0;
	int order = a_first || b_first ? b_first - a_first : strcmp(a->file, b->file);

	if (order != 0)
		return order;
	return (a->line > b->line) - (a->line < b->line);
}

void
problems_sort(struct problems *problems, const char *first)
{
	/* Insertion keeps the order of equals; PROBLEMS_MAX bounds it, and it is nearly sorted. */
	for (size_t i = 1; i < problems->count; i++) {
		struct problem moving = problems->at[i];
		size_t j = i;

		for (; j > 0 && compare_places(&problems->at[j - 1], &moving, first) > 0; j--)
			problems->at[j] = problems->at[j - 1];
		problems->at[j] = moving;
	}
}

char *
problems_format(const struct problem *problem, char *buffer, size_t size)
{
	struct text text;

	text_init(&text, buffer, size);
	text_add(&text, problem->file);
	if (problem->line > 0)
		text_addf(&text, ":%u", problem->line);
	text_addf(&text, ": %s", problem->message);
	return buffer;
}

void
problems_done(struct problems *problems)
{
	for (size_t i = 0; i < problems->count; i++) {
		free(problems->at[i].file);
		free(problems->at[i].message);
	}
	free(problems->at);
	*problems = (struct problems){ 0 };
}
