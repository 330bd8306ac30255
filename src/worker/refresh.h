/*
 * The names of an upstream are asked again while its links are ready: an address that is gone from the DNS is left, without
 * killing what works.  For src/worker alone.
 */
#pragma once

#include "worker/runner.h"

/*
 * refresh_note(runner, ttl, now):
 * An answer to one of its links brought addresses that hold for `ttl`.
 */
void refresh_note(struct runner *runner, usec_t ttl, usec_t now);

/*
 * refresh_start(runner, now):
 * The answers have had their time: ask again, if there are ready links whose address came from a name, and if the worker's share of this
 * tick allows it.
 */
void refresh_start(struct runner *runner, usec_t now);

/*
 * refresh_cancel(runner):
 * Forget what is with the resolver, when it was to be asked again, and what the answers were like.
 */
void refresh_cancel(struct runner *runner);

/*
 * refresh_drain(runner):
 * If none of its links is being renewed because its address has gone from the DNS, renew the next one that is to be: one after the
 * other, so that those that go to the same new address do not all meet there at once.
 */
void refresh_drain(struct runner *runner);
