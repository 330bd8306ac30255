/*
 * What a runner makes of the certificates its ready links were shown, and of our own: warnings, and the renewal of a connection whose peer's
 * certificate has ended meanwhile.  For src/worker alone.
 */
#pragma once

#include "worker/runner.h"

/*
 * runner_note_ready(driver, now):
 * One of its links has become ready: tell if the peer's leaf is another one than before; the rest is for the next
 * runner_judge_certificates() and runner_judge_files().
 */
void runner_note_ready(struct driver *driver, usec_t now);

/*
 * runner_judge_certificates(runner, now):
 * If a link has become ready, a certificate has ended, or an hour has passed: warn of certificates that end within
 * tls.expiry_warning, and of ours; tell when that is over.  Connections whose peer's has ended are renewed, or fail where
 * that cannot be.
 */
void runner_judge_certificates(struct runner *runner, usec_t now);
