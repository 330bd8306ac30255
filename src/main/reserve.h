/*
 * Descriptors kept in reserve, so that the control socket answers, and a reload can read its files, also when upstreams have used up
 * all others: open on /dev/null, traded in for a client when accept(2) finds none left, and while a reload reads.
 */
#pragma once

#include <stdbool.h>

#define RESERVE_MAX \
	8 /* clients that get in, or files that are open at once, although there is no descriptor left */

struct reserve {
	int seed; /* never traded: a client's descriptor is turned back into a reserve through it */
	int fds[RESERVE_MAX];
	int count;
};

/*
 * reserve_open(reserve), reserve_close(reserve):
 * Open them all; close what is left.  reserve_open() returns 0 or a negative errno.
 */
int reserve_open(struct reserve *reserve);
void reserve_close(struct reserve *reserve);

/*
 * reserve_trade(reserve):
 * Close one, so that somebody may have it.  Returns false where none is left.
 */
bool reserve_trade(struct reserve *reserve);

/*
 * reserve_take(reserve, fd):
 * Close `fd`, and keep its number as a reserve if one is missing: there is no moment at which another thread could snatch it.  Returns -1.
 */
int reserve_take(struct reserve *reserve, int fd);

/*
 * reserve_refill(reserve):
 * Open what is missing, as far as there are descriptors.  Returns whether it is whole.
 */
bool reserve_refill(struct reserve *reserve);
