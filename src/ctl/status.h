/*
 * What `holdfastctl status` makes of the daemon's answers; apart from command_status() it needs no daemon.
 */
#pragma once

#include "ctl/table.h"
#include "ctl/view.h"

#include <stdint.h>

/*
 * status_table():
 * The empty table of upstreams.  The caller frees it.
 */
struct table *status_table(void);

/*
 * status_add(table, screen, upstream, now):
 * Add an upstream's row, and below it, unless it is up, what failed last and what to do about it; `now` is the realtime in microseconds.
 */
void status_add(struct table *table, const struct screen *screen,
		const struct view_upstream *upstream, uint64_t now);

/*
 * status_headline(screen, daemon, now):
 * Print the daemon's verdict in a line.
 */
void status_headline(const struct screen *screen, const struct view_daemon *daemon, uint64_t now);
