/* Complaints, and the end of a command. */
#include "ctl/ctl.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void
ctl_complain(const char *format, ...)
{
	_cleanup_(freep) char *message = NULL;
	_cleanup_(freep) char *clean = NULL;
	struct screen screen;
	va_list arguments;
	int r;

	va_start(arguments, format);
	r = vasprintf(&message, format, arguments);
	va_end(arguments);
	if (r < 0)
		message = NULL;
	screen_init(&screen, stderr, COLOUR_NEVER);
	clean = screen_clean(&screen, message ? message : "no memory");
	fflush(stdout);
	fprintf(stderr, "holdfastctl: %s\n", clean);
}

void
ctl_complain_problems(const struct problems *problems)
{
	for (size_t i = 0; i < problems->count; i++) {
		const struct problem *problem = &problems->at[i];

		if (problem->line > 0)
			ctl_complain("%s:%u: %s", problem->file, problem->line, problem->message);
		else
			ctl_complain("%s: %s", problem->file, problem->message);
	}
	if (problems->left_out > 0)
		ctl_complain("%zu more problems are not shown", problems->left_out);
}

void *
ctl_need(void *memory)
{
	if (!memory) {
		fprintf(stderr, "holdfastctl: no memory\n");
		exit(STATUS_ERROR);
	}
	return memory;
}

int
ctl_finish(FILE *out, int status)
{
	if (fflush(out) == 0 && !ferror(out))
		return status;
	if (errno != EPIPE) /* whoever reads has seen enough */
		ctl_complain("cannot write the output: %s", strerror(errno));
	return STATUS_ERROR;
}
