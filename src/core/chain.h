/*
 * A certificate chain as the peer presented it, as text: immutable, counted, and shared between the
 * threads (the count is atomic).  It holds nothing of OpenSSL.
 */
#pragma once

#include "base/cleanup.h"

#include <stdbool.h>
#include <stdint.h>

#define CHAIN_DIGEST_TEXT_MAX  65 /* SHA-256 as lower-case hex, and the NUL */
#define CHAIN_CERTIFICATES_MAX 16 /* of a longer chain the rest is left out */
#define CHAIN_NAMES_MAX	       64 /* of more subject alternative names the rest is left out */

struct certificate {
	char *subject, *issuer; /* RFC 2253 text, ASCII, escaped */
	char **names; /* DNS names, IP addresses, …; NULL-terminated; printable ASCII, escaped */
	int64_t not_before; /* seconds since 1970, UTC */
	int64_t not_after;
	char sha256[CHAIN_DIGEST_TEXT_MAX];	 /* of the certificate's DER */
	char spki_sha256[CHAIN_DIGEST_TEXT_MAX]; /* of the public key's DER (what `pins` hold) */
};

struct chain; /* leaf first */

/*
 * chain_new(certificates, count):
 * Make a chain of `count` (at least 1, at most CHAIN_CERTIFICATES_MAX) certificates, taking over their
 * strings also on failure.  Returns it with one reference, or NULL for want of memory.  Any thread.
 */
struct chain *chain_new(struct certificate *certificates, unsigned int count);

/*
 * chain_ref(chain), chain_unref(chain):
 * Take or give back a reference; both take NULL.  chain_unref returns NULL.  Any thread.
 */
struct chain *chain_ref(struct chain *chain);
struct chain *chain_unref(struct chain *chain);

/*
 * chain_count(chain), chain_certificate(chain, index):
 * How many certificates there are (0 for NULL); the one at `index`, 0 being the leaf; borrowed.  Any thread.
 */
unsigned int chain_count(const struct chain *chain);
const struct certificate *chain_certificate(const struct chain *chain, unsigned int index);

/*
 * chain_equal(a, b):
 * Whether both hold the same certificates in the same order (by digest); NULL equals only NULL.  Any thread.
 */
bool chain_equal(const struct chain *a, const struct chain *b);

/*
 * certificate_done(certificate):
 * Free the strings of a certificate that was not given to chain_new().
 */
void certificate_done(struct certificate *certificate);

CLEANUP_DEFINE(struct chain *, chain_unref)
