/*
 * What `holdfastctl show` makes of one upstream; apart from command_show() it needs no daemon.
 */
#pragma once

#include "ctl/screen.h"
#include "ctl/view.h"

#include <stdint.h>

/*
 * show_upstream(screen, upstream, now, ret_error):
 * Print everything; `now` is the realtime in microseconds.  Returns false with the reason in `ret_error` (VIEW_ERROR_MAX bytes)
 * where a part of it cannot be read.
 */
bool show_upstream(const struct screen *screen, const struct view_upstream *upstream, uint64_t now,
		   char *ret_error);
