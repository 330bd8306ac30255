/*
 * What the kinds of probes share.  For nobody else.
 */
#pragma once

#include "core/dialogue_internal.h"
#include "core/probe.h"

/* Octets of one answer that are passed over while counted: the body of a web page, packets that are not for us. */
#define PROBE_SKIP_MAX ((size_t)1024 * 1024)

/* Begins the state of every kind. */
struct probe {
	struct probe_setup setup;
	/* What the answer has already been found to mean, while its rest is still read so that the connection stays in step. */
	struct failure kept;
};

extern const struct dialogue_kind probe_expect, probe_http, probe_redis, probe_postgres,
	probe_mysql, probe_smtp, probe_imap, probe_memcached, probe_mqtt;

/* What the kinds have in common. */
#define PROBE_KIND_CODES \
	.code_closed = FAILURE_PROTOCOL_PROBE_CLOSED, .code_overdue = FAILURE_TIMEOUT_PROBE, \
	.code_nonsense = FAILURE_PROTOCOL_PROBE_MISMATCH, \
	.silence = "perhaps it hangs, or another protocol, or TLS from the first octet, is spoken " \
		   "on this port"

/*
 * probe_of(dialogue):
 * The common beginning of the dialogue's state.
 */
static inline struct probe *
probe_of(const struct dialogue *dialogue)
{
	return dialogue->state;
}

/*
 * probe_fail(code, key, reply, failure):
 * Fill `failure`: the code, `reply` as evidence, and, escaped and cut, as the hint's {key}.  Returns DIALOGUE_FAILED.
 */
enum dialogue_verdict probe_fail(enum failure_code code, const char *key, struct octets reply,
				 struct failure *failure);

/*
 * probe_status(reply, failure), probe_auth(reply, failure), probe_rejected(reply, failure):
 * The application says by `reply` that it is not well, that it wants a login, or (its first words) that it will not serve us.
 */
enum dialogue_verdict probe_status(struct octets reply, struct failure *failure);
enum dialogue_verdict probe_auth(struct octets reply, struct failure *failure);
enum dialogue_verdict probe_rejected(struct octets reply, struct failure *failure);

/*
 * probe_mismatch(dialogue, wanted, failure):
 * The answer, whose first octets are the evidence, is not `wanted` (printable; what fits after "wanted": the hint's {wanted}).
 */
enum dialogue_verdict probe_mismatch(const struct dialogue *dialogue, const char *wanted,
				     struct failure *failure);

/*
 * probe_kept(dialogue, failure):
 * Whether something has been kept; then `failure` is filled with it.
 */
bool probe_kept(const struct dialogue *dialogue, struct failure *failure);

/*
 * probe_end(dialogue, failure), probe_overdue(dialogue, failure):
 * dialogue_kind.end and .overdue of a kind that keeps.
 */
enum dialogue_verdict probe_end(struct dialogue *dialogue, struct failure *failure);
void probe_overdue(const struct dialogue *dialogue, struct failure *failure);
