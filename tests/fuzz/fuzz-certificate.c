/*
 * A certificate is the one thing a stranger writes that we show to people: whatever it holds, what is shown is
 * printable ASCII of bounded length.
 */
#include "base/must.h"
#include "sys/classify_tls.h"
#include "sys/tls_internal.h"

#include <openssl/err.h>
#include <string.h>

#define NAME_MAX_SHOWN 255

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_text(const char *text, size_t max)
{
	must(text && strlen(text) <= max);
	for (; *text != '\0'; text++)
		must(*text >= 0x20 && *text < 0x7f);
}

static void
check_certificate(const struct certificate *certificate)
{
	unsigned int names = 0;

	check_text(certificate->subject, TLS_NAME_TEXT_MAX);
	check_text(certificate->issuer, TLS_NAME_TEXT_MAX);
	check_text(certificate->sha256, CHAIN_DIGEST_TEXT_MAX - 1);
	check_text(certificate->spki_sha256, CHAIN_DIGEST_TEXT_MAX - 1);
	while (certificate->names[names])
		check_text(certificate->names[names++], NAME_MAX_SHOWN);
	must(names <= CHAIN_NAMES_MAX);
}

static void
check_dates_and_place(const X509 *x509)
{
	char buffer[128];
	struct text text = TEXT_INIT(buffer);

	tls_time_text(X509_get0_notBefore(x509), &text);
	check_text(buffer, sizeof(buffer) - 1);
	text_init(&text, buffer, sizeof(buffer));
	tls_time_text(X509_get0_notAfter(x509), &text);
	check_text(buffer, sizeof(buffer) - 1);
	text_init(&text, buffer, sizeof(buffer));
	tls_issuer_place(x509, &text);
	check_text(buffer, sizeof(buffer) - 1);
}

static void
check_chain(X509 *x509)
{
	STACK_OF(X509) *presented = sk_X509_new_null();
	struct chain *chain = NULL, *again = NULL;

	must(presented && sk_X509_push(presented, x509) > 0 && sk_X509_push(presented, x509) > 0);
	must(tls_chain_new(presented, NULL, &chain) == 0);
	must(tls_chain_new(presented, chain, &again) == 0);
	must(chain_count(chain) == 2 && chain_equal(chain, again));
	chain_unref(chain);
	chain_unref(again);
	sk_X509_free(presented);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const unsigned char *at = data;
	struct certificate certificate;
	X509 *x509;

	must(classify_plain_protocol(data, size));
	classify_is_tls(data, size);
	x509 = d2i_X509(NULL, &at, (long)size);
	if (x509) {
		must(tls_certificate_text(x509, &certificate) == 0);
		check_certificate(&certificate);
		certificate_done(&certificate);
		check_dates_and_place(x509);
		tls_ocsp_demanded(x509);
		check_chain(x509);
		X509_free(x509);
	}
	ERR_clear_error();
	return 0;
}
