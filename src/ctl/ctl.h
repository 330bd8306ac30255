/*
 * What all commands of holdfastctl share: its exit statuses, how it complains, and what it does without memory.
 */
#pragma once

#include "config/config.h"
#include "ctl/screen.h"

/* Down is 11 (address) to 17 (local): failure_exit_status(). */
enum ctl_status {
	STATUS_DONE = 0, /* done; or everything asked about is up */
	STATUS_ERROR = 1,
	STATUS_DEGRADED = 2,
	STATUS_USAGE = 3,
	STATUS_NO_DAEMON = 4,
};

/*
 * ctl_complain(format, ...):
 * Say on standard error, after "holdfastctl: ", what is wrong; control characters of foreign text are escaped.
 */
void ctl_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * ctl_complain_problems(problems):
 * Say each problem of a configuration on a line of its own ("file:line: message"), and how many more there are.
 */
void ctl_complain_problems(const struct problems *problems);

/*
 * ctl_need(memory):
 * `memory`, if it is not NULL; otherwise say so and exit with STATUS_ERROR: a program that only shows things has nothing
 * better to do.
 */
void *ctl_need(void *memory);

/*
 * ctl_finish(out, status):
 * Flush `out` at the end of a command.  Returns `status`, or STATUS_ERROR, having said so, where not everything could be written.
 */
int ctl_finish(FILE *out, int status);
