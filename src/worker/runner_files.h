/*
 * The files a runner's links depend on: certificate, key, CA, CRL, and the proxy's password.  For src/worker alone.
 */
#pragma once

#include "worker/runner.h"

/*
 * runner_load(runner, upstream, now, failure):
 * The load stage for a link that goes by `upstream`.  A warning about stale files is told once, and so is its end.  Returns 0,
 * or a negative errno with `failure` filled.
 */
int runner_load(struct runner *runner, const struct upstream *upstream, usec_t now,
		struct failure *failure);

/*
 * runner_password(runner):
 * The proxy's, as loaded last; NULL where none is configured.  Borrowed until the next load.
 */
const char *runner_password(const struct runner *runner);

/*
 * proxy_secret_free(secret):
 * Wipe and free it.  Takes NULL.
 */
void proxy_secret_free(struct proxy_secret *secret);

/*
 * runner_watch_files(runner):
 * If a link waits because a file could not be used, look whether a file has changed, and let it try again at once if so.
 * Returns whether there is such a link.  A stat(2) of each file, for such a link alone; nothing else changes.
 */
bool runner_watch_files(struct runner *runner);

/*
 * runner_judge_files(runner, now):
 * Look at the files.  One that has changed and cannot be used is told.  Where what we trust has changed, ready links are judged by
 * it; those that are not trusted any more fail.  Where our certificate has changed, they are renewed one after the other; the round
 * stops, and that is told, where no connection can be made with it: nobody has asked for it, and what works is kept.
 */
void runner_judge_files(struct runner *runner, usec_t now);

/*
 * runner_judge_slot(slot, now):
 * If its present connection is ready, judge the peer once more, by the files and by the clock; it fails where it is not trusted.
 */
void runner_judge_slot(struct slot *slot, usec_t now);

/*
 * runner_judge_reload(runner, now):
 * The settings have changed: a ready link whose peer they do not trust fails at once, instead of being kept until its successor
 * is ready.
 */
void runner_judge_reload(struct runner *runner, usec_t now);
