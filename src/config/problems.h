/*
 * What is wrong with a configuration: all of it, each with its file and line.
 */
#pragma once

#include "base/cleanup.h"

#include <stddef.h>

/* More are counted, not kept: a file that is rubbish from end to end shall not fill memory. */
#define PROBLEMS_MAX 1000

struct problem {
	char *file;	   /* as it was opened, e.g. "/etc/holdfast/holdfast.conf" */
	unsigned int line; /* from 1; 0 where no line is concerned */
	char *message; /* e.g. upstream "db": timeouts.connect: "5 apples" is not a duration (e.g. "5s") */
};

struct problems {
	struct problem *at; /* in the order of files and lines */
	size_t count;
	size_t room;	 /* that `at` has been allocated for */
	size_t left_out; /* found, but not kept */
};

/*
 * problems_add(problems, file, line, format, ...):
 * Note one problem; strings are copied.  Want of memory is noted as one problem left out.
 */
void problems_add(struct problems *problems, const char *file, unsigned int line,
		  const char *format, ...) __attribute__((format(printf, 4, 5)));

/*
 * problems_sort(problems, first):
 * Put them in order: those of the file called `first`, then the other files by name; in each by line, and
 * on one line as they were added.
 */
void problems_sort(struct problems *problems, const char *first);

/*
 * problems_format(problem, buffer, size):
 * "file:line: message", cut to `size`.  Returns `buffer`.
 */
char *problems_format(const struct problem *problem, char *buffer, size_t size);

/*
 * problems_done(problems):
 * Free what it holds; it is empty afterwards.
 */
void problems_done(struct problems *problems);
