/*
 * What the parts of the link share: link.c (the grid, the door between stages, deadlines, orders), link_attempt.c (from
 * the first query to the socket that wins), link_connection.c (from there to READY), link_hold.c (the ready connection, its
 * end, and the wait for the next attempt) and link_probe.c (its probes).  For nobody else.  All run on the thread that owns
 * the link.
 *
 * The functions of (link, input, now, out) are cells of the grid: what `input` does to `link` at `now`; what
 * is to be done about it is appended to `out`.
 */
#pragma once

#include "core/link.h"

/* What is known of a failure where it is seen. */
struct sighting {
	const struct failure *failure; /* as it came, or fresh from failure_init() */
	enum stage stage;	       /* whose failure it is */
	usec_t since;		       /* what it took began then */
	const struct address *peer;    /* or NULL */
};

/*
 * link_emit(out, kind):
 * Append an effect to `out` and return it, for the caller to fill in.
 */
struct effect *link_emit(struct effects *out, enum effect_kind kind);

/*
 * link_enter(link, next, now, out):
 * The only door to another stage: check the move, account the time spent, stamp the new stage and tell.
 */
void link_enter(struct link *link, enum stage next, usec_t now, struct effects *out);

/*
 * link_clock(link, since):
 * The instant from which a timeout that began at `since` is counted: a stall of this process is forgiven.
 */
usec_t link_clock(const struct link *link, usec_t since);

/*
 * link_forget_failures(link):
 * Empty link->failure and link->lost: another attempt or another connection begins or has ended.
 */
void link_forget_failures(struct link *link);

/*
 * link_fill(link, record, sighting, now):
 * Put a completed copy of the failure (stage, peer, attempt, at, elapsed; the proxy, where it is in the way) into `record`, which holds
 * one already.
 */
void link_fill(struct link *link, struct failure *record, const struct sighting *sighting, usec_t now);

/*
 * link_note(link, sighting, now):
 * Complete the failure in link->lost, and keep it in link->failure too where it tells more than what stands there.
 */
void link_note(struct link *link, const struct sighting *sighting, usec_t now);

/*
 * attempt_begin(link, now, out):
 * Begin an attempt with the first stage that applies.  Nothing is open.
 */
void attempt_begin(struct link *link, usec_t now, struct effects *out);

/*
 * attempt_end(link, now, out):
 * The attempt is over: link->failure says why.
 */
void attempt_end(struct link *link, usec_t now, struct effects *out);

/*
 * attempt_try_others(link, now, out):
 * The connection is lost (link->lost says why) and discarded: back to the other addresses, and to the names whose answers it had made
 * needless.
 */
void attempt_try_others(struct link *link, usec_t now, struct effects *out);

/*
 * attempt_wakeup(link):
 * In RESOLVE and CONNECT: the earliest instant at which a query or an address has had its time, or the
 * next address may start; USEC_INFINITY where there is none.
 */
usec_t attempt_wakeup(const struct link *link);

/*
 * attempt_expired:
 * In LOAD: the attempt as a whole may have had its time.  Every …_expired may also find that it has not.
 */
void attempt_expired(struct link *link, const struct input *input, usec_t now, struct effects *out);

/*
 * load_done, load_failed:
 * In LOAD: the TLS context is there; or it cannot be had, which ends the attempt.
 */
void load_done(struct link *link, const struct input *input, usec_t now, struct effects *out);
void load_failed(struct link *link, const struct input *input, usec_t now, struct effects *out);

/*
 * race_answer, race_connected, race_unconnected, race_expired:
 * In RESOLVE and CONNECT: a query has ended; a socket has connected, or failed; a deadline has passed.
 */
void race_answer(struct link *link, const struct input *input, usec_t now, struct effects *out);
void race_connected(struct link *link, const struct input *input, usec_t now, struct effects *out);
void race_unconnected(struct link *link, const struct input *input, usec_t now, struct effects *out);
void race_expired(struct link *link, const struct input *input, usec_t now, struct effects *out);

/*
 * connection_begin(link, now, out):
 * The race is won: enter the first stage of the connection that applies.
 */
void connection_begin(struct link *link, usec_t now, struct effects *out);

/*
 * connection_go_on(link, now, out):
 * In CONNECT to PROBE: enter the next stage of the connection that applies.
 */
void connection_go_on(struct link *link, usec_t now, struct effects *out);

/*
 * connection_passed, connection_secured, connection_expired, connection_failed:
 * In PROXY to PROBE: the dialogue has ended well, or our certificate is accepted; the handshake is done; the stage has had its time; the
 * connection has failed.
 */
void connection_passed(struct link *link, const struct input *input, usec_t now, struct effects *out);
void connection_secured(struct link *link, const struct input *input, usec_t now, struct effects *out);
void connection_expired(struct link *link, const struct input *input, usec_t now, struct effects *out);
void connection_failed(struct link *link, const struct input *input, usec_t now, struct effects *out);

/*
 * hold_begin(link, now, out):
 * The connection is established and verified: enter READY.
 */
void hold_begin(struct link *link, usec_t now, struct effects *out);

/*
 * hold_deadline(link):
 * In READY: when the connection is to be renewed or probed, or its probe has had its time; or USEC_INFINITY.
 */
usec_t hold_deadline(const struct link *link);

/*
 * hold_lose(link, failure, now, out):
 * In READY: the connection has ended, or is given up, with `failure` as it came.
 */
void hold_lose(struct link *link, const struct failure *failure, usec_t now, struct effects *out);

/*
 * hold_received, hold_expired, hold_failed, hold_reconnect, hold_pause, hold_stop:
 * In READY: data came; lifetime, idle limit or a probe is due; the connection has ended; or it is to be closed.
 */
void hold_received(struct link *link, const struct input *input, usec_t now, struct effects *out);
void hold_expired(struct link *link, const struct input *input, usec_t now, struct effects *out);
void hold_failed(struct link *link, const struct input *input, usec_t now, struct effects *out);
void hold_reconnect(struct link *link, const struct input *input, usec_t now, struct effects *out);
void hold_pause(struct link *link, const struct input *input, usec_t now, struct effects *out);
void hold_stop(struct link *link, const struct input *input, usec_t now, struct effects *out);

/*
 * link_probe_begin(link, now), link_probe_cancel(link, out):
 * READY is entered, or left: no probe is out, and none has failed.
 */
void link_probe_begin(struct link *link, usec_t now);
void link_probe_cancel(struct link *link, struct effects *out);

/*
 * link_probe_deadline(link):
 * In READY: when the next probe is due, or the one that is out has had its time; USEC_INFINITY: there is none.
 */
usec_t link_probe_deadline(const struct link *link);

/*
 * link_probe_expired(link, input, now, out):
 * In READY: that instant has come.
 */
void link_probe_expired(struct link *link, const struct input *input, usec_t now, struct effects *out);

/*
 * link_probe_passed, link_probe_failed:
 * In READY: the probe that is out has ended well, or badly on a connection that is whole.
 */
void link_probe_passed(struct link *link, const struct input *input, usec_t now, struct effects *out);
void link_probe_failed(struct link *link, const struct input *input, usec_t now, struct effects *out);

/*
 * link_probe_change_policy(link, now, out):
 * link->upstream has been replaced: a probe that nobody wants any more is not waited for.
 */
void link_probe_change_policy(struct link *link, usec_t now, struct effects *out);

/*
 * closing_done, closing_expired, closing_pause, closing_resume, closing_stop:
 * In CLOSING: the connection is closed; takes too long; or what comes afterwards is ordered anew.
 */
void closing_done(struct link *link, const struct input *input, usec_t now, struct effects *out);
void closing_expired(struct link *link, const struct input *input, usec_t now, struct effects *out);
void closing_pause(struct link *link, const struct input *input, usec_t now, struct effects *out);
void closing_resume(struct link *link, const struct input *input, usec_t now, struct effects *out);
void closing_stop(struct link *link, const struct input *input, usec_t now, struct effects *out);

/*
 * backoff_begin(link, now, out):
 * The attempt or the connection has ended with link->failure: report it (unless it says that this host is
 * offline, and was told before) and wait.
 */
void backoff_begin(struct link *link, usec_t now, struct effects *out);

/*
 * backoff_expired, backoff_online, backoff_retry:
 * In BACKOFF: the delay has passed; this host has a network again; or somebody will not wait.
 */
void backoff_expired(struct link *link, const struct input *input, usec_t now, struct effects *out);
void backoff_online(struct link *link, const struct input *input, usec_t now, struct effects *out);
void backoff_retry(struct link *link, const struct input *input, usec_t now, struct effects *out);
