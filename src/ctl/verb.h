/*
 * The commands of holdfastctl: one table, from which the command line is checked and the help is made.
 */
#pragma once

#include "ctl/arguments.h"
#include "ctl/ctl.h"

/* What a command gets to work with. */
struct ctl {
	const struct arguments *arguments;
	struct screen screen; /* standard output */
};

struct verb {
	const char *name;
	const char *synopsis; /* of its names, "" where it takes none */
	const char *summary;
	unsigned int options; /* bits, besides OPTIONS_GENERAL */
	unsigned int names_min, names_max;
	int (*run)(const struct ctl *ctl); /* returns an exit status */
};

#define NAMES_ANY UINT32_MAX

/*
 * verb_find(name):
 * The command called `name`, or NULL.
 */
const struct verb *verb_find(const char *name);

/*
 * verb_nearest(name):
 * The name of the command that was probably meant, or NULL.
 */
const char *verb_nearest(const char *name);

/*
 * verb_help(screen, verb):
 * Print how to use `verb`, or with NULL all of holdfastctl.
 */
void verb_help(const struct screen *screen, const struct verb *verb);

/*
 * command_status(ctl), command_show(ctl), command_history(ctl), command_watch(ctl), command_wait(ctl), command_retry(ctl),
 * command_reconnect(ctl), command_pause(ctl), command_resume(ctl), command_reload(ctl), command_check(ctl), command_explain(ctl),
 * command_config(ctl), command_metrics(ctl), command_log_level(ctl):
 * The commands.  Each returns the exit status, having said what went wrong.
 */
int command_status(const struct ctl *ctl);
int command_show(const struct ctl *ctl);
int command_history(const struct ctl *ctl);
int command_watch(const struct ctl *ctl);
int command_wait(const struct ctl *ctl);
int command_retry(const struct ctl *ctl);
int command_reconnect(const struct ctl *ctl);
int command_pause(const struct ctl *ctl);
int command_resume(const struct ctl *ctl);
int command_reload(const struct ctl *ctl);
int command_check(const struct ctl *ctl);
int command_explain(const struct ctl *ctl);
int command_config(const struct ctl *ctl);
int command_metrics(const struct ctl *ctl);
int command_log_level(const struct ctl *ctl);
