/*
 * The running daemon: its parts, the order in which they begin and end, and its signals.
 */
#pragma once

#include "config/config.h"

/*
 * daemon_run(config):
 * Serve `config` (borrowed) until a signal ends it.  Returns the exit status: 0 after an orderly end, 1 where it could not
 * start (said on standard error and in the log).  Main thread.
 */
int daemon_run(struct config *config);
