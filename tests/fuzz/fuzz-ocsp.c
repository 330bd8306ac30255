/*
 * A stapled OCSP response comes from whoever calls itself the server, before its certificate has been found revoked: whatever it
 * holds, it is judged good only where the issuer has signed it, and what is told of it is printable.
 */
#include "base/must.h"
#include "ocsp-chain.h"
#include "sys/tls_internal.h"

#include <openssl/err.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static X509 *
read_certificate(const unsigned char *der, size_t length)
{
	X509 *x509 = d2i_X509(NULL, &der, (long)length);

	must(x509);
	return x509;
}

static void
check_detail(const struct failure *failure, const char *key)
{
	const char *text = failure_detail(failure, key);

	for (; text && *text != '\0'; text++)
		must(*text >= 0x20 && *text < 0x7f);
}

static void
check_failure(const struct failure *failure)
{
	must(failure->code == FAILURE_TLS_OCSP_INVALID ||
	     failure->code == FAILURE_TLS_CERTIFICATE_REVOKED);
	must(failure->code != FAILURE_TLS_OCSP_INVALID || failure_detail(failure, "why"));
	check_detail(failure, "why");
	check_detail(failure, "date");
	check_detail(failure, "status");
	check_detail(failure, "reason");
}

/* A stranger's chain: nothing that its responders have signed may pass. */
static void
check_foreign(X509 *leaf, X509 *issuer, const uint8_t *data, size_t size)
{
	struct tls_ocsp_case ocsp_case = { sk_X509_new_null(), X509_STORE_new() };
	struct failure failure;
	int64_t until;

	must(ocsp_case.verified && ocsp_case.store);
	must(sk_X509_push(ocsp_case.verified, leaf) && sk_X509_push(ocsp_case.verified, issuer));
	failure_init(&failure, FAILURE_NONE, STAGE_HANDSHAKE);
	must(!tls_ocsp_judge(&ocsp_case, data, size, &until, &failure));
	must(failure.code == FAILURE_TLS_OCSP_INVALID);
	sk_X509_free(ocsp_case.verified);
	X509_STORE_free(ocsp_case.store);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct tls_ocsp_case ocsp_case;
	static X509 *leaf, *issuer;
	struct failure failure;
	int64_t until = 0;

	if (!leaf) {
		leaf = read_certificate(chain_leaf, sizeof(chain_leaf));
		issuer = read_certificate(chain_issuer, sizeof(chain_issuer));
		ocsp_case = (struct tls_ocsp_case){ sk_X509_new_null(), X509_STORE_new() };
		must(sk_X509_push(ocsp_case.verified, leaf) && sk_X509_push(ocsp_case.verified, issuer));
		must(X509_STORE_add_cert(ocsp_case.store, issuer));
	}
	failure_init(&failure, FAILURE_NONE, STAGE_HANDSHAKE);
	if (tls_ocsp_judge(&ocsp_case, data, size, &until, &failure))
		must(failure.code == FAILURE_NONE && until > 0);
	else
		check_failure(&failure);
	must(ERR_peek_error() == 0);
	check_foreign(leaf, issuer, data, size);
	return 0;
}
