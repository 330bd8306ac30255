/*
 * OpenSSL's numbers, alerts and a peer's first octets to failure codes (FAILURES.md).  Pure: all that was seen comes in
 * as values.
 */
#pragma once

#include "core/failure.h"

#include <stdbool.h>
#include <stddef.h>

/* All that was seen of a TLS connection that has failed. */
struct tls_signs {
	enum stage stage; /* the same sign may mean different things in different stages */
	bool handshake_done;
	int alert;		    /* a fatal one received, or -1 */
	bool certificate_requested; /* the server has sent CertificateRequest */
	bool certificate_sent;	    /* and we have answered with a certificate */
	bool certificate_expired;   /* ours, by this host's clock */
	bool verdict_pending; /* TLS 1.3: it has been asked for, and nothing has come since the handshake */
	const unsigned char *first; /* the peer's first octets */
	size_t first_length;
	bool closed;	     /* close_notify has come */
	bool ended;	     /* the transport's end has been read */
	int io_error;	     /* errno of the transport, or 0 */
	unsigned long error; /* of OpenSSL's queue: the last of libssl, else the first, else 0 */
	bool no_memory;	     /* some entry of the queue says so */
	bool malformed;	     /* some entry of the queue is an ASN.1 error */
};

/*
 * classify_tls(signs):
 * What they amount to.  What the peer said outranks errno.  FAILURE_NONE: the transport failed in a way that sys/socket
 * knows best (socket_io_failed() with signs->io_error).  Any thread.
 */
enum failure_code classify_tls(const struct tls_signs *signs);

/*
 * classify_verify(error, depth):
 * The code of X509_V_ERR_ `error` at `depth` (0: the leaf).  The heuristic for a missing intermediate is the caller's.
 * Any thread.
 */
enum failure_code classify_verify(int error, int depth);

/*
 * classify_verify_outranks(error, depth, best_error, best_depth):
 * Whether a certificate error found after the best one so far is to be named in its place (ruling 3).  Any thread.
 */
bool classify_verify_outranks(int error, int depth, int best_error, int best_depth);

/*
 * classify_verify_name(error):
 * "X509_V_ERR_CERT_HAS_EXPIRED"; NULL for a number that has no name here.  A static string.  Any thread.
 */
const char *classify_verify_name(int error);

/*
 * classify_tls_error_name(error, text):
 * Append the name of an entry of OpenSSL's error queue, e.g. "SSL_R_WRONG_VERSION_NUMBER"; nothing for 0.  Any thread.
 */
void classify_tls_error_name(unsigned long error, struct text *text);

/*
 * classify_is_tls(first, length):
 * Whether a peer's first octets may be the beginning of a TLS record: a content type from 20 to 24, then the major
 * version 3 and a minor version that some SSL 3 or TLS has (RFC 8446, section 5.1).  True where there are none yet.  Any thread.
 */
bool classify_is_tls(const unsigned char *first, size_t length);

/*
 * classify_plain_protocol(first, length):
 * The protocol that first octets which are no TLS look like: "HTTP", "SMTP", …, "TLS record of a wrong version" (SSLv2 too), or
 * "something else".  A static string.  Any thread.
 */
const char *classify_plain_protocol(const unsigned char *first, size_t length);

/*
 * classify_plain_settled(first, length):
 * Whether more octets would not change that name.  They may where a word that is known has only begun ("S", of "SSH-"), or where
 * the rest of the line may tell ("220 mail.example ").  Any thread.
 */
bool classify_plain_settled(const unsigned char *first, size_t length);
