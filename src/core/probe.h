/*
 * What is asked of the application behind a connection, after the handshake and from time to time while the link is ready.
 *
 * No probe logs in with a password.  An application that wants a login says so: protocol.probe-auth (HTTP 401, 403 and 407, 530, NOAUTH, MQTT's return
 * codes 4 and 5, an SQL server's refusal of the user).  That a PostgreSQL server asks for a password is an answer, and a good one.
 *
 * Of PROBE_EXPECT: a literal is what an answer begins with; anything else is a mismatch at once.  What follows it in the same line, up to
 * LF, belongs to that answer: the next literal is looked for where the one before ended and, if it is not there, once more behind the end of that
 * line.  So a reply of several lines is better matched by a pattern for its last one.  A pattern may match anywhere in what has come since the
 * answer before; `^` is the beginning of any line, `$` the end of one (before its LF: CR must be written), and `.` stays within a line.  What has come
 * with a match, and with the last literal, is dropped with it.  When the same connection is probed again, the first steps that only listen
 * (for a greeting) are left out.
 *
 * An answer is read to its end also where its beginning has already told that it is a bad one (HTTP, an error of PostgreSQL), so that a
 * failed probe does not put the connection out of step with the next.
 */
#pragma once

#include "core/dialogue.h"
#include "core/policy.h"

/* All is borrowed as long as the dialogue lives. */
struct probe_setup {
	const struct probe_policy *policy; /* its kind is not PROBE_NONE */
	const struct target *target;	   /* for HTTP's Host */
	const struct address *source;	   /* ours: how we introduce ourselves to SMTP */
	bool greeted; /* the server's greeting has been read: by STARTTLS, or by an earlier probe of this connection */
	bool again; /* this connection has been probed before: only what may be repeated is said */
	unsigned int memory; /* dialogue_memory() of the probe before; 0 at first */
};

/*
 * probe_new(setup, ret_dialogue):
 * The dialogue of one probe.  What is left over at DIALOGUE_DONE came unasked.  Fails with protocol.probe-mismatch, -status, -auth, -closed,
 * greeting-rejected, timeout.probe or local.no-memory.  A kind that cannot ask anything a second time (PostgreSQL before a login, MySQL without a
 * user) is DIALOGUE_DONE at once when `again` is set.  Returns 0 or -ENOMEM.
 */
int probe_new(const struct probe_setup *setup, struct dialogue **ret_dialogue);

/*
 * probe_kind_name(kind):
 * The configuration's word, e.g. "memcached".  A static string.  Any thread.
 */
const char *probe_kind_name(enum probe_kind kind);

/*
 * probe_check_regex(pattern, problem, size):
 * Whether `pattern` is a POSIX extended regular expression that we take: no back-references, whose matching may take for ever on what a peer
 * sends, and no repetitions of repetitions, which regcomp() would write out.  Returns 0, or -EINVAL with `problem` (of `size` octets; cut beyond) saying what is wrong,
 * in words that fit after the pattern: "has a back-reference, …".  Any thread.
 */
int probe_check_regex(const char *pattern, char *problem, size_t size);
