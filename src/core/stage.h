/*
 * Where a link is.  The wire names are those of io.holdfast.Control's type Stage.
 */
#pragma once

#include <stdbool.h>

#define STAGE_LIST(S) \
	S(IDLE, "idle") \
	S(LOAD, "load") \
	S(RESOLVE, "resolve") \
	S(CONNECT, "connect") \
	S(PROXY, "proxy") \
	S(STARTTLS, "starttls") \
	S(HANDSHAKE, "handshake") \
	S(SETTLE, "settle") \
	S(PROBE, "probe") \
	S(READY, "ready") \
	S(LENT, "lent") \
	S(BACKOFF, "backoff") \
	S(PAUSED, "paused") \
	S(CLOSING, "closing") \
	S(LEND, "lend")

/*
 * IDLE		Nothing is open, no timer runs: a new link, or one that was stopped for good.
 *		INPUT_START, or an INPUT_RESUME that comes before it, leads to LOAD.
 * LOAD		The TLS context is being prepared, or the proxy's password (files are read).  Nothing is open.  Leads to RESOLVE,
 *		or to CONNECT where every target is numeric, or to BACKOFF.
 * RESOLVE	Names are with the resolver and no address is known yet.  Leads to CONNECT or BACKOFF.
 * CONNECT	At most RACE_MAX sockets race; all are in link->race, no TLS object exists; queries may
 *		still be out and add addresses.  First to connect leads to the next stage that applies, READY at last; the last
 *		to fail, or the deadline, to BACKOFF.
 * PROXY	One socket, spoken to in plain text: to the proxy, or the PROXY header to the upstream.  Leads to
 *		STARTTLS, HANDSHAKE, PROBE or READY, whichever applies first, back to CONNECT, or to BACKOFF.
 * STARTTLS	One socket, spoken to in plain text up to the server's go-ahead.  Leads to HANDSHAKE, back to
 *		CONNECT, or to BACKOFF.
 * HANDSHAKE	One socket with a TLS object.  Leads to SETTLE, PROBE, READY, back to CONNECT when the failure
 *		blames the address and another is left, or to BACKOFF.
 * SETTLE	TLS 1.3, the server asked for a certificate: its verdict is awaited.  The deadline passing
 *		is consent.  Leads to PROBE, READY, CONNECT or BACKOFF.
 * PROBE	One connection, with TLS or without, over which the application is asked whether it is well.
 *		Leads to READY, back to CONNECT, or to BACKOFF.
 * READY	One established, verified connection, read-armed so that its end is seen at once.  At most one probe
 *		is out on it at any time.
 *		Leads to BACKOFF or CLOSING.
 * LENT		The connection belongs to a borrower.  Declared; comes later.
 * BACKOFF	Nothing is open; the timer runs until the next attempt.  Leads to LOAD.
 * PAUSED	Nothing is open, no timer runs; only INPUT_RESUME or INPUT_STOP lead out.
 * CLOSING	One connection is being closed in order (close_notify); the deadline ends it by force.
 *		Leads to PAUSED, LOAD or IDLE.
 * LEND		No link is ever in it: the stage of a failure that met a waiting borrower.
 */
enum stage {
#define S(id, name) STAGE_##id,
	STAGE_LIST(S)
#undef S
		STAGE_COUNT
};

/*
 * stage_name(stage):
 * The wire name of `stage`, for example "handshake".  A static string.  Any thread.
 */
const char *stage_name(enum stage stage);

/*
 * stage_may_follow(from, next):
 * Whether a link in stage `from` may enter stage `next`: the table of legal moves.  Any thread.
 */
bool stage_may_follow(enum stage from, enum stage next);
