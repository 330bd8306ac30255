/*
 * TLS towards upstreams (OpenSSL inside): contexts shared among equal settings, sessions shared among an
 * upstream's links, the handshake, strict verification, and the presented chain.
 *
 * Everything of one pool belongs to one thread.  Writing never raises SIGPIPE.  The error queue of OpenSSL is emptied
 * before each call into it and left empty.
 */
#pragma once

#include "base/usec.h"
#include "core/chain.h"
#include "core/failure.h"
#include "core/policy.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TLS_CHAIN_BYTES_MAX (512 * 1024) /* a longer certificate list is refused (ruling 10) */
/* A resumed handshake shows no new certificate: at least this often there is a full one. */
#define TLS_FULL_HANDSHAKE_INTERVAL USEC_PER_HOUR
/* Kept for one peer of an upstream, since TLS 1.3 tickets are single use (MEASURED.md); beyond, the oldest leaves. */
#define TLS_SESSIONS_PEER_MAX 2
#define TLS_SESSIONS_MAX      8 /* kept per upstream, of all its peers together; likewise */

struct tls_pool;     /* contexts and trust stores of one thread */
struct tls_sessions; /* tickets of one upstream */
struct tls;	     /* one connection's TLS object */

/*
 * tls_pool_new(ret_pool), tls_pool_free(pool):
 * Returns 0 or -ENOMEM.  All tls and sessions of the pool must have been freed before tls_pool_free(), which takes NULL and returns NULL.
 */
int tls_pool_new(struct tls_pool **ret_pool);
struct tls_pool *tls_pool_free(struct tls_pool *pool);

/*
 * tls_pool_look_again(pool):
 * The files may have changed just now (a reload): the next tls_prepare() of each context looks at them, however
 * lately it did.
 */
void tls_pool_look_again(struct tls_pool *pool);

/*
 * tls_sessions_new(pool, ret_sessions), tls_sessions_free(sessions):
 * The session cache and present context of one upstream.  Returns 0 or -ENOMEM.
 */
int tls_sessions_new(struct tls_pool *pool, struct tls_sessions **ret_sessions);
struct tls_sessions *tls_sessions_free(struct tls_sessions *sessions);

/*
 * tls_prepare(sessions, policy, now, failure):
 * The load stage: get the context for `policy` (shared among upstreams with equal settings; rebuilt when one of its files has
 * changed since, seen by its stat, at most once a second), and let go of sessions made under another context.  Returns 0; 1 where a changed file is unusable and the older context
 * stays in use (`failure` says why: a warning); a negative errno where there is no context at all (`failure` is filled: local.certificate-load,
 * local.key-load, local.key-mismatch, local.ca-load, local.tls-config, local.no-memory, details file and why).  Each file must be a
 * regular one of at most 32 MiB, and ca_dir a directory of such.  Blocks on the disk, and on nothing else.
 */
int tls_prepare(struct tls_sessions *sessions, const struct tls_policy *policy, usec_t now,
		struct failure *failure);

/*
 * tls_files_changed(sessions, policy):
 * Whether a file of `policy` is another one, or in another state, than when the last tls_prepare() of these sessions that
 * returned a negative errno looked at it: only then is it worth trying again.  False where none has failed.  A stat(2) of each file.
 */
bool tls_files_changed(const struct tls_sessions *sessions, const struct tls_policy *policy);

struct tls_setup {
	int fd;			     /* connected; stays the caller's */
	const struct target *target; /* whose domain is verified and named by SNI, unless the policy says otherwise */
	const char *srv_host; /* of a service: the host its record names, for VERIFY_NAME_SRV_TARGET; copied; or NULL */
	const struct tls_policy *policy;	  /* as prepared; lives as long as the tls object */
	const struct transport_policy *transport; /* likewise; of the socket, for ruling 5; or NULL */
};

/*
 * tls_new(sessions, setup, now, ret_tls):
 * A TLS client on a connected socket, with a ticket where one may be used: one of the same target or SRV host, and of a full handshake
 * in which as much was verified as is asked for now, less than TLS_FULL_HANDSHAKE_INTERVAL ago, whose chain and stapled OCSP
 * response (a resumed session brings none) have not ended since.  Returns 0 or -ENOMEM.
 */
int tls_new(struct tls_sessions *sessions, const struct tls_setup *setup, usec_t now,
	    struct tls **ret_tls);

/*
 * tls_free(tls):
 * Free it without a word to the peer; takes NULL, returns NULL.
 */
struct tls *tls_free(struct tls *tls);

enum tls_result {
	TLS_DONE, /* handshake: complete and verified; read: *ret_length bytes; shutdown: both sides said so */
	TLS_WANT_READ,	/* call again once the socket is readable */
	TLS_WANT_WRITE, /* … writable */
	TLS_FAILED, /* `failure` says why: code, error, alert, verify, evidence, details and chain are filled */
};

/*
 * tls_handshake(tls, failure):
 * Go on with the handshake.  Certificate, name and pins have been judged when it is TLS_DONE.  `failure` must have been failure_init()ed
 * with the stage; after TLS_FAILED the caller owns its references.
 */
enum tls_result tls_handshake(struct tls *tls, struct failure *failure);

/*
 * tls_late(tls, failure):
 * The deadline of the handshake has come.  Returns true with `failure` (failure_init()ed with the stage) filled where it is known
 * already that the peer speaks no TLS, and only the rest of its first line was waited for (tls.not-tls); false where it is late and
 * nothing more can be said.
 */
bool tls_late(struct tls *tls, struct failure *failure);

/*
 * tls_verdict_pending(tls):
 * After the handshake: TLS 1.3 and the server asked for a certificate, so that its verdict is still to come.
 */
bool tls_verdict_pending(const struct tls *tls);

/*
 * tls_verdict_seen(tls):
 * Whether a session ticket or application data has come since the handshake: the verdict was favourable.
 */
bool tls_verdict_seen(const struct tls *tls);

/*
 * tls_read(tls, buffer, size, ret_length, failure):
 * Read application data; tickets and key updates are dealt with on the way.  TLS_FAILED covers the orderly end too (connection.closed).
 */
enum tls_result tls_read(struct tls *tls, void *buffer, size_t size, size_t *ret_length,
			 struct failure *failure);

/*
 * tls_write(tls, buffer, length, ret_length, failure):
 * Write application data: TLS_DONE with *ret_length at least 1; after TLS_WANT_READ or TLS_WANT_WRITE call again with the same octets.
 */
enum tls_result tls_write(struct tls *tls, const void *buffer, size_t length, size_t *ret_length,
			  struct failure *failure);

/*
 * tls_judge(tls, sessions, policy, failure):
 * Judge the peer of an established connection once more, as if its chain were presented now: by the trust store, the CRLs and the pins of
 * `policy` as last prepared for `sessions`, and by the clock.  Returns 0 where it is trusted; -EACCES with `failure` filled as by a
 * handshake (chain included) where it is not; -ENOMEM.  A stapled OCSP response is not asked for again.
 */
int tls_judge(struct tls *tls, struct tls_sessions *sessions, const struct tls_policy *policy,
	      struct failure *failure);

/*
 * tls_expiry(tls):
 * When the first certificate of the chain that was relied upon ends, the trust anchor apart, in seconds since 1970; 0 where nothing was relied upon.
 */
int64_t tls_expiry(const struct tls *tls);

/* What the context of an upstream is made from; a number changes when that part of it was read anew and differs. */
struct tls_state {
	uint64_t trust;	    /* CA files and CRLs */
	uint64_t identity;  /* our certificate and key */
	int64_t own_expiry; /* when our certificate ends, in seconds since 1970; 0: we have none */
	int64_t crl_expiry; /* when the first issuer is without a current CRL, likewise; 0: there is none, or they do not end */
	int64_t crl_due; /* when the last tenth of that CRL's time begins: a new one should be there by then */
};

/*
 * tls_state(sessions, ret_state):
 * As of the last tls_prepare(); all 0 before there was one.
 */
void tls_state(const struct tls_sessions *sessions, struct tls_state *ret_state);

/*
 * tls_shutdown(tls):
 * Send close_notify and wait for the peer's: TLS_DONE, TLS_WANT_READ, TLS_WANT_WRITE, or TLS_FAILED where the transport has ended
 * anyhow (nothing to report).
 */
enum tls_result tls_shutdown(struct tls *tls);

/*
 * tls_bytes(tls, ret_received, ret_sent):
 * Octets that went over the socket so far, TLS's own included.
 */
void tls_bytes(const struct tls *tls, uint64_t *ret_received, uint64_t *ret_sent);

/*
 * tls_quiet(tls):
 * The connection has gone quiet: give back OpenSSL's buffers (MEASURED.md).
 */
void tls_quiet(struct tls *tls);

#define TLS_WORD_MAX 48

struct tls_info {
	char version[16]; /* "TLSv1.3" */
	char cipher[TLS_WORD_MAX];
	char group[TLS_WORD_MAX]; /* or "" */
	char alpn[TLS_WORD_MAX];  /* or ""; escaped */
	bool resumed;
	struct chain *chain; /* a reference of its owner's; of a resumed session the one of its full handshake */
};

/*
 * tls_info(tls, ret_info):
 * What was negotiated.  The caller gives back info->chain.
 */
void tls_info(const struct tls *tls, struct tls_info *ret_info);

/*
 * tls_check_policy(policy, ret_option, why, why_size):
 * Whether OpenSSL accepts ciphers, suites, groups, signature algorithms, versions of `policy` (no file is read): for the configuration's problems.
 * Returns 0, or -EINVAL with *ret_option the key's name (static) and a sentence in `why`.  Any thread.
 */
int tls_check_policy(const struct tls_policy *policy, const char **ret_option, char *why,
		     size_t why_size);
