/*
 * How the healths of several upstreams make one exit status: the worst counts.
 */
#pragma once

#include "ctl/view.h"

struct verdict {
	bool named; /* the upstreams were asked for by name: a paused one counts then */
	int down;   /* exit status of the first one that is down or offline; 0: none */
	bool degraded;
};

/*
 * verdict_add(verdict, upstream):
 * Take one more into account: down counts by the class of its last failure, offline as local; degraded and starting count as
 * degraded, and so does paused where it was named.
 */
void verdict_add(struct verdict *verdict, const struct view_upstream *upstream);

/*
 * verdict_status(verdict):
 * The exit status.
 */
int verdict_status(const struct verdict *verdict);
