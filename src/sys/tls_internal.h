/*
 * What the files of sys/tls share; for nobody else.
 *
 * tls_store	trust stores, CRLs and the stamps of files	tls_verify	judging the server's certificate
 * tls_context	contexts by setting, and the pool	tls_chain	certificates as text
 * tls_load	our certificate, key, CRLs		tls_wire	the socket under OpenSSL
 * tls_settings	versions, ciphers, groups		tls_failure	what OpenSSL left behind, as a failure
 * tls_session	tickets of one upstream			tls_ocsp	stapled OCSP responses
 * tls_judge	judging an established connection again	tls		one connection
 */
#pragma once

#include "base/list.h"
#include "sys/stamp.h"
#include "sys/tls.h"

#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/types.h>

/* ---- files (tls_store.c) ---------------------------------------------------------------------------------------- */

enum tls_file {
	TLS_FILE_CERTIFICATE,
	TLS_FILE_KEY,
	TLS_FILE_KEY_PASSWORD,
	TLS_FILE_CRL,
	TLS_FILE_CA,
	TLS_FILE_CA_DIR,
	TLS_FILE_COUNT
};

struct tls_stamps {
	struct stamp at[TLS_FILE_COUNT];
};

/*
 * tls_stamps_read(policy, ret_stamps):
 * Look at all files that the context of `policy` depends on, the system's CAs among them.
 */
void tls_stamps_read(const struct tls_policy *policy, struct tls_stamps *ret_stamps);

/*
 * tls_stamps_equal(a, b):
 * Whether no file has changed between the two.
 */
bool tls_stamps_equal(const struct tls_stamps *a, const struct tls_stamps *b);

/*
 * tls_needs_trust(policy):
 * Whether `policy` verifies chains, so that CA certificates are needed.
 */
bool tls_needs_trust(const struct tls_policy *policy);

/* ---- trust stores (tls_store.c) --------------------------------------------------------------------------------- */

/* CA certificates from one place in one state, shared by all contexts that use it. */
struct tls_store {
	struct list node; /* of a bucket of pool->stores */
	uint64_t hash;	  /* of the place */
	unsigned int references;
	char *file, *directory; /* where they came from; either may be NULL */
	struct stamp stamps[2];
	uint64_t number; /* of what is in it; another one where that differs */
	X509_STORE *x509;
};

/*
 * tls_store_get(pool, policy, stamps, ret_store, failure):
 * The store of the CA setting of `policy`, whose files are in the state `stamps`: an equal one if there is one, or a
 * new one.  Returns 0 with a reference, or a negative errno with `failure` filled (local.ca-load, local.no-memory).
 */
int tls_store_get(struct tls_pool *pool, const struct tls_policy *policy,
		  const struct tls_stamps *stamps, struct tls_store **ret_store,
		  struct failure *failure);

/*
 * tls_store_unref(store):
 * Give back a reference; the last one frees it.  Takes NULL, returns NULL.
 */
struct tls_store *tls_store_unref(struct tls_store *store);

/* The CRLs of one file in one state, likewise shared: companies have files of many megabytes. */
struct tls_crls {
	struct list node; /* of a bucket of pool->crls */
	uint64_t hash;	  /* of the path */
	unsigned int references;
	char *file;
	struct stamp stamp;
	uint64_t number;     /* of what is in it; another one where that differs */
	int64_t expiry, due; /* as struct tls_state has them */
	STACK_OF(X509_CRL) * list;
};

/*
 * tls_crls_get(pool, file, stamp, ret_crls, failure):
 * The CRLs of `file`, which is in the state `stamp`: those that are in use, or read anew.  Returns 0 with a reference, or a
 * negative errno with `failure` filled (local.ca-load, local.no-memory).
 */
int tls_crls_get(struct tls_pool *pool, const char *file, const struct stamp *stamp,
		 struct tls_crls **ret_crls, struct failure *failure);

/*
 * tls_crls_unref(crls):
 * Give back a reference; the last one frees it.  Takes NULL, returns NULL.
 */
struct tls_crls *tls_crls_unref(struct tls_crls *crls);

/* ---- loading our own files (tls_load.c) ------------------------------------------------------------------------- */

/*
 * tls_load_failed(failure, code, file):
 * Fill `failure` with `code`, the file (may be NULL) and the reason, which is read from OpenSSL's error queue or, where
 * that is empty, from errno.  Returns a fitting negative errno.
 */
int tls_load_failed(struct failure *failure, enum failure_code code, const char *file);

/*
 * tls_load_failed_why(failure, code, file, why):
 * The same with a reason of our own.  Returns -EINVAL.
 */
int tls_load_failed_why(struct failure *failure, enum failure_code code, const char *file,
			const char *why);

/*
 * tls_load_open(file, code, ret_bio, failure):
 * Open the regular file `file` for reading, and leave OpenSSL's error queue and errno empty; one that is larger than 32 MiB is
 * refused.  Returns 0 with a BIO that the caller frees, or a negative errno with `failure` filled with `code`.
 */
int tls_load_open(const char *file, enum failure_code code, BIO **ret_bio, struct failure *failure);

/*
 * tls_load_no_password(buffer, size, writing, arg):
 * A pem_password_cb(3) that has none: where OpenSSL finds none, it would ask the terminal.  Returns -1.
 */
int tls_load_no_password(char *buffer, int size, int writing, void *arg);

/*
 * tls_number_add(number, bytes, length), tls_number_certificate(number, x509), tls_number_crl(number, crl):
 * `number` with some octets, a certificate or a CRL added to it: what was made of the same things in the same order is
 * equal, and nothing else will be.  Never 0.
 */
uint64_t tls_number_add(uint64_t number, const void *bytes, size_t length);
uint64_t tls_number_certificate(uint64_t number, const X509 *x509);
uint64_t tls_number_crl(uint64_t number, const X509_CRL *crl);

/*
 * tls_load_credentials(ssl_ctx, policy, failure):
 * Give `ssl_ctx` the certificate chain and key of `policy`, if it names any.  Returns 0, or a negative errno with
 * `failure` filled (local.certificate-load, local.key-load, local.key-mismatch).  Never prompts.
 */
int tls_load_credentials(SSL_CTX *ssl_ctx, const struct tls_policy *policy, struct failure *failure);

/*
 * tls_load_crls(file, ret_crls, failure):
 * Read all CRLs of a PEM file.  Returns 0 with a list the caller owns, or a negative errno with `failure` filled (local.ca-load).
 */
int tls_load_crls(const char *file, STACK_OF(X509_CRL) * *ret_crls, struct failure *failure);

/* ---- settings (tls_settings.c) ---------------------------------------------------------------------------------- */

/*
 * tls_settings_apply(ssl_ctx, policy, ret_option):
 * Versions, ciphers, suites, groups, signature algorithms and security level.  Returns 0, or -EINVAL with the key that
 * was rejected (static) and OpenSSL's reason in its error queue.
 */
int tls_settings_apply(SSL_CTX *ssl_ctx, const struct tls_policy *policy, const char **ret_option);

/* ---- contexts (tls_context.c) ----------------------------------------------------------------------------------- */

/* Thousands of upstreams, each with files of its own, are looked up once in some seconds: so few share a bucket. */
#define TLS_BUCKETS 1024

struct tls_pool {
	struct list contexts[TLS_BUCKETS]; /* those that are up to date, each at least once referenced */
	struct list stores[TLS_BUCKETS]; /* likewise */
	struct list crls[TLS_BUCKETS];	 /* likewise */
	struct tls_stamps read; /* how the files were when a context was last made without an older one, or could not be */
	BIO_METHOD *wire;
};

/* The files of a context have changed and cannot be used: how they were, and why not. */
struct tls_broken {
	struct tls_stamps stamps;
	usec_t again_at; /* when they are read again although they have not changed */
	struct failure failure;
};

/* One SSL_CTX for all upstreams with equal settings. */
struct tls_context {
	struct list node; /* of a bucket of pool->contexts; in no list once a fresher one has taken its place */
	uint64_t hash; /* of the settings */
	unsigned int references;
	unsigned int judges; /* upstreams whose present one it is, and handshakes under way: those who look at store and CRLs */
	struct tls_policy settings; /* a copy of what concerns the context; owns its strings */
	struct tls_stamps stamps;   /* of the files when they were read */
	usec_t checked_at;	    /* when the stamps were last compared */
	struct tls_broken *broken;  /* or NULL */
	SSL_CTX *ssl_ctx;
	struct tls_store *store; /* NULL where no chain is verified, or it is out of date and nobody judges by it any more */
	struct tls_crls *crls; /* or NULL */
	int keylog_fd;	       /* or -1 */
	bool has_certificate;
	int64_t own_not_after; /* of our certificate; where has_certificate */
	uint64_t identity;     /* what our certificate and its chain are; 0: there is none */
	uint64_t trust;	       /* what the store and the CRLs are; 0: no chain is verified */
};

/*
 * tls_context_get(pool, policy, now, ret_context, failure):
 * As tls_prepare(); *ret_context is a reference.  After a negative errno pool->read is how the files were.
 */
int tls_context_get(struct tls_pool *pool, const struct tls_policy *policy, usec_t now,
		    struct tls_context **ret_context, struct failure *failure);

/*
 * tls_context_ref(context), tls_context_unref(context):
 * Take or give back a reference; both take NULL; tls_context_unref returns NULL.
 */
struct tls_context *tls_context_ref(struct tls_context *context);
struct tls_context *tls_context_unref(struct tls_context *context);

/*
 * tls_context_hold(context), tls_context_release(context):
 * Begin and end to judge chains by `context`.  One that is out of date gives up its store and CRLs with the last release: the
 * connections that were made by it keep the rest, and may last for months.  tls_context_release() takes NULL.
 */
void tls_context_hold(struct tls_context *context);
void tls_context_release(struct tls_context *context);

/* ---- sessions (tls_session.c) ----------------------------------------------------------------------------------- */

/* What a session vouches for: the judgement made in the full handshake it descends from. */
struct tls_origin {
	usec_t full_at;	       /* when that handshake was */
	int64_t trusted_until; /* when the first certificate of the verified chain, or its OCSP response, ends; INT64_MAX: nothing was verified */
	int64_t expiry; /* when the first certificate of it ends, the trust anchor apart; 0: nothing was verified */
	struct chain *chain; /* as presented; a reference */
};

/* One ticket. */
struct tls_ticket {
	SSL_SESSION *session; /* NULL: the place is free */
	enum verify verify;
	enum ocsp ocsp;
	char *name, *sni; /* that were verified and asked for; "" where there was none */
	char *peer;	  /* whom it is of, as the configuration or the SRV record says */
	struct tls_origin origin;
};

struct tls_sessions {
	struct tls_pool *pool;
	unsigned int references;     /* the upstream's, and one for each connection */
	bool closed;		     /* the upstream has let go: nothing is kept any more */
	struct tls_context *context; /* from the last tls_prepare(), or NULL */
	struct tls_stamps *failed;   /* what the last one that failed saw; NULL: none has */
	struct tls_ticket tickets[TLS_SESSIONS_MAX];
	struct chain *chain; /* the last one presented, to be shared; a reference */
};

/*
 * tls_sessions_ref(sessions), tls_sessions_unref(sessions):
 * A connection's own hold on its upstream's sessions.  Both take NULL; tls_sessions_unref returns NULL.
 */
struct tls_sessions *tls_sessions_ref(struct tls_sessions *sessions);
struct tls_sessions *tls_sessions_unref(struct tls_sessions *sessions);

/*
 * tls_sessions_use(sessions, context):
 * Make `context` (a reference, taken over) the present one; tickets of another are dropped.
 */
void tls_sessions_use(struct tls_sessions *sessions, struct tls_context *context);

/*
 * tls_sessions_offer(tls, now):
 * Find a ticket that `tls` may use: same context, verification and names; its origin recent, unexpired and pinned.
 * Those that can no longer be used by anyone are dropped.  Sets tls's session and origin.
 */
void tls_sessions_offer(struct tls *tls, usec_t now);

/*
 * tls_sessions_keep(tls, session):
 * Keep a copy of `session` for later connections, if it may be used again.
 */
void tls_sessions_keep(struct tls *tls, const SSL_SESSION *session);

/*
 * tls_sessions_distrust(tls):
 * A fatal alert has ended `tls`: forget all tickets of its upstream (RFC 8446, section 6.2).
 */
void tls_sessions_distrust(struct tls *tls);

/*
 * tls_sessions_reject(tls):
 * The handshake in which tls's ticket was offered has failed: forget that ticket.
 */
void tls_sessions_reject(struct tls *tls);

/*
 * tls_origin_done(origin):
 * Give back what it holds.
 */
void tls_origin_done(struct tls_origin *origin);

/* ---- the socket (tls_wire.c) ------------------------------------------------------------------------------------ */

/*
 * OpenSSL goes on reading for as long as records come that bear no data (key updates, tickets).  A peer that sends
 * nothing else without end shall not hold up all the others: one call reads no more than this, then the socket looks empty.
 */
#define TLS_WIRE_ALLOWANCE ((size_t)64 * 1024)

/*
 * The socket as OpenSSL sees it.  A write that fails because the peer has gone is noted and pretended to have worked,
 * so that OpenSSL goes on to read: the peer's alert may be waiting behind its reset.
 */
struct tls_wire {
	int fd;
	size_t allowance;	     /* octets that one call may still read */
	int read_error, write_error; /* errno, or 0 */
	bool ended;		     /* the peer's end has been read */
	uint64_t received, sent;     /* octets */
	unsigned int first_length;
	unsigned char first[FAILURE_EVIDENCE_MAX]; /* the peer's first octets */
};

/*
 * tls_wire_method():
 * The method for BIOs over a tls_wire; the caller frees it by BIO_meth_free().  NULL: no memory.
 */
BIO_METHOD *tls_wire_method(void);

/*
 * tls_wire_attach(wire, method, ssl):
 * Let `ssl` read and write through `wire`.  Returns 0 or -ENOMEM.
 */
int tls_wire_attach(struct tls_wire *wire, const BIO_METHOD *method, SSL *ssl);

/*
 * tls_wire_collect(wire):
 * Read what more has come into wire->first, without waiting, and note the end; for a peer with which nothing else will be done.
 */
void tls_wire_collect(struct tls_wire *wire);

/* ---- certificates as text (tls_chain.c) ------------------------------------------------------------------------- */

/*
 * tls_chain_new(presented, known, ret_chain):
 * The chain that `presented` (leaf first) amounts to: a reference to `known` (may be NULL) where it is equal to that.
 * Returns 0 or -ENOMEM.
 */
int tls_chain_new(const STACK_OF(X509) * presented, struct chain *known, struct chain **ret_chain);

/*
 * tls_certificate_text(x509, ret_certificate):
 * Describe one certificate in printable ASCII.  Returns 0 or -ENOMEM; the caller ends it by certificate_done().
 */
int tls_certificate_text(X509 *x509, struct certificate *ret_certificate);

/*
 * tls_name_text(name, text):
 * Append a distinguished name by RFC 2253, printable ASCII, at most TLS_NAME_TEXT_MAX characters.
 */
#define TLS_NAME_TEXT_MAX 512
void tls_name_text(const X509_NAME *name, struct text *text);

/*
 * tls_time_text(time, text):
 * Append an instant as "2026-11-22 21:00:00 UTC", or "an unreadable date".
 */
void tls_time_text(const ASN1_TIME *time, struct text *text);

/*
 * tls_seconds_text(seconds, text):
 * Append seconds since 1970 in the same way.
 */
void tls_seconds_text(int64_t seconds, struct text *text);

/*
 * tls_time_seconds(time):
 * Seconds since 1970, UTC; 0 where it cannot be read.
 */
int64_t tls_time_seconds(const ASN1_TIME *time);

/*
 * tls_issuer_place(x509, text):
 * Append where the issuer of `x509` can be had (authorityInfoAccess, caIssuers, RFC 5280 section 4.2.2.1), printable
 * ASCII.  Returns whether the certificate says so.
 */
bool tls_issuer_place(const X509 *x509, struct text *text);

/* ---- verification (tls_verify.c) -------------------------------------------------------------------------------- */

/*
 * tls_verify(store_ctx, arg):
 * OpenSSL's app_verify_callback: verifies by the connection's policy, collects all errors, judges by ruling 3, checks
 * the pins, keeps the presented chain.  Fills tls->failure where it refuses.  Returns 1 or 0.
 */
int tls_verify(X509_STORE_CTX *store_ctx, void *arg);

/*
 * tls_verify_chain(tls, policy, context, store_ctx, failure):
 * Judge the chain that `store_ctx` was given by `policy`: chain, name and pins; the store and the purpose have been set, the CRLs are
 * those of `context`.  tls->origin.chain is that chain as text.  Returns whether it is trusted, having noted in tls->origin
 * until when; else `failure` is filled.
 */
bool tls_verify_chain(struct tls *tls, const struct tls_policy *policy,
		      const struct tls_context *context, X509_STORE_CTX *store_ctx,
		      struct failure *failure);

/*
 * tls_verify_param(param, policy, context, name):
 * Tell OpenSSL what `policy` asks of a chain: the name and whether CRLs are looked at.  Returns 0 or -ENOMEM.
 */
int tls_verify_param(X509_VERIFY_PARAM *param, const struct tls_policy *policy,
		     const struct tls_context *context, const char *name);

/*
 * tls_verify_revoked(failure, date, reason):
 * The details of a revocation: its date, and its reason by number (CRL_REASON_…, or -1: none is known).
 */
void tls_verify_revoked(struct failure *failure, const ASN1_TIME *date, long reason);

/*
 * tls_pinned(policy, digest):
 * Whether `digest` (SHA-256 of the leaf's SPKI, lower-case hex) satisfies the pins of `policy`: it is among them, or
 * there are none and trust does not rest on them.
 */
bool tls_pinned(const struct tls_policy *policy, const char *digest);

/* ---- stapled OCSP responses (tls_ocsp.c) ------------------------------------------------------------------------ */

#define TLS_OCSP_BYTES_MAX \
	(64 * 1024) /* a longer response is refused: real ones have a few thousand octets */
#define TLS_OCSP_SINGLES_MAX \
	64 /* answers looked at in one response; certificates beyond are not found in it */
/* How far this host's clock and the responder's may be apart. */
#define TLS_OCSP_SKEW 300L /* s */
/* A response that does not say when there will be a newer one is good for so long. */
#define TLS_OCSP_AGE_MAX 86400L /* s */

/* Whom a response must be about, and who may have signed it. */
struct tls_ocsp_case {
	STACK_OF(X509) * verified; /* leaf first, its issuer next; a self-signed leaf stands alone */
	X509_STORE *store;
};

/*
 * tls_ocsp_judge(ocsp_case, response, length, ret_until, failure):
 * Judge a response in DER.  Returns true where it says that the leaf is good, *ret_until being when it ends (seconds since 1970); else
 * `failure` is filled: tls.certificate-revoked with the details date and reason, tls.ocsp-invalid with why.  Leaves OpenSSL's
 * error queue as it finds it, but for entries of its own.
 */
bool tls_ocsp_judge(const struct tls_ocsp_case *ocsp_case, const unsigned char *response,
		    size_t length, int64_t *ret_until, struct failure *failure);

/*
 * tls_ocsp_demanded(x509):
 * Whether `x509` demands that a response be stapled (RFC 7633, "must-staple").
 */
bool tls_ocsp_demanded(const X509 *x509);

/*
 * tls_ocsp_see(ssl, arg):
 * SSL_CTX_set_tlsext_status_cb(3): the server's certificate has been accepted; judge what it has stapled, or that it has not.
 * A resumed session brings none: the response of the handshake it descends from stands for it, as long as that response is
 * good (tls_origin.trusted_until), and no longer than TLS_FULL_HANDSHAKE_INTERVAL.  Returns 1 or 0, the failure being filled.
 */
int tls_ocsp_see(SSL *ssl, void *arg);

/*
 * tls_ocsp_wanted(policy):
 * Whether a response is asked for: `policy` says so, and chains are verified, for without that nobody knows who may sign it.
 */
bool tls_ocsp_wanted(const struct tls_policy *policy);

/* ---- one connection (tls.c) ------------------------------------------------------------------------------------- */

struct judgement;

struct tls {
	struct tls_sessions *sessions; /* a reference */
	struct tls_context *context;   /* a reference: sessions' may change meanwhile */
	const struct tls_policy *policy;
	const struct transport_policy *transport;
	SSL *ssl;
	struct tls_wire wire;
	char name[TARGET_HOST_MAX];	 /* to verify; "" where there is none */
	char sni[TARGET_HOST_MAX];	 /* to send; "": none */
	char peer[TARGET_HOST_MAX + 16]; /* whom we mean, to tell the tickets of several apart */
	struct tls_origin origin;	 /* of the session in use, or of the handshake under way */
	SSL_SESSION *offered; /* a reference: the session that was offered, until the handshake ends */
	usec_t started_at;
	struct failure *failure; /* of the call under way: for the verification to fill; else NULL */
	struct judgement *judgement; /* the verification under way (tls_verify.c), or NULL */
	bool handshake_done;
	bool holds_context;	 /* tls_context_hold(): until the handshake is done */
	bool certificate_judged; /* tls_verify() has accepted */
	bool ocsp_judged;	 /* tls_ocsp_see() has accepted */
	bool refused;		 /* one of them has refused, and filled the failure */
	bool plain; /* the peer's first octets are no TLS: OpenSSL is asked no more, and its name is waited for */
	unsigned long plain_error; /* what OpenSSL said of them, or 0 */
	/* What was seen on the way, by OpenSSL's callbacks. */
	bool certificate_requested, certificate_sent;
	bool ticket_seen, data_seen;	/* since the handshake ended */
	int alert_received, alert_sent; /* last fatal one, or -1 */
};

/*
 * tls_see_no_certificate(ssl, ret_x509, ret_key):
 * SSL_CTX_set_client_cert_cb(3): the server has asked for a certificate and `ssl` has none that fits.  Returns 0: none.
 */
int tls_see_no_certificate(SSL *ssl, X509 **ret_x509, EVP_PKEY **ret_key);

/*
 * tls_see_session(ssl, session):
 * SSL_CTX_sess_set_new_cb(3): a ticket has come.  Returns 0: `session` is not taken over.
 */
int tls_see_session(SSL *ssl, SSL_SESSION *session);

/* ---- what went wrong (tls_failure.c) ---------------------------------------------------------------------------- */

/*
 * tls_failure_fill(tls, ssl_error, failure):
 * After a call into OpenSSL has failed with `ssl_error` (SSL_get_error()): judge all that was seen and fill `failure`.
 */
void tls_failure_fill(struct tls *tls, int ssl_error, struct failure *failure);
