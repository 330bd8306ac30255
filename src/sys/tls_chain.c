/*
 * Certificates as text.  All that is printed here comes from a stranger: it leaves as printable ASCII of bounded
 * length, with NULs and control characters escaped.
 */
#include "base/must.h"
#include "sys/tls_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define SAN_TEXT_MAX \
	256 /* longest text of one alternative name; a DNS name has at most 253 octets */

CLEANUP_DEFINE(BIO *, BIO_free_all)
CLEANUP_DEFINE(GENERAL_NAMES *, GENERAL_NAMES_free)
CLEANUP_DEFINE(AUTHORITY_INFO_ACCESS *, AUTHORITY_INFO_ACCESS_free)

/* RFC 2253 text is printable ASCII already, with backslashes that mean something; trust nobody all the same. */
static void
add_printable(struct text *text, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (bytes[i] >= 0x20 && bytes[i] < 0x7f)
			text_add_bytes(text, &bytes[i], 1);
		else
			text_add_escaped(text, &bytes[i], 1, NULL);
	}
}

void
tls_name_text(const X509_NAME *name, struct text *text)
{
	_cleanup_(BIO_free_allp) BIO *bio = BIO_new(BIO_s_mem());
	char *bytes = NULL;
	long length;

	if (!bio || X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) < 0) {
		text_add(text, "(unreadable name)");
		return;
	}
	length = BIO_get_mem_data(bio, &bytes);
	if (length > TLS_NAME_TEXT_MAX)
		length = TLS_NAME_TEXT_MAX;
	if (length > 0)
		add_printable(text, bytes, (size_t)length);
}

int64_t
tls_time_seconds(const ASN1_TIME *time)
{
	struct tm tm;

	if (!time || ASN1_TIME_to_tm(time, &tm) != 1)
		return 0;
	return timegm(&tm);
}

void
tls_seconds_text(int64_t seconds, struct text *text)
{
	time_t time = seconds;
	struct tm tm;
	char buffer[40];

	if (gmtime_r(&time, &tm) && strftime(buffer, sizeof(buffer), "%Y-%m-%d %H:%M:%S UTC", &tm) > 0)
		text_add(text, buffer);
	else
		text_add(text, "an unreadable date");
}

void
tls_time_text(const ASN1_TIME *time, struct text *text)
{
	struct tm tm;

	if (time && ASN1_TIME_to_tm(time, &tm) == 1)
		tls_seconds_text(timegm(&tm), text);
	else
		text_add(text, "an unreadable date");
}

static void
add_ip(const ASN1_OCTET_STRING *ip, struct text *text)
{
	const unsigned char *octets = ASN1_STRING_get0_data(ip);
	int length = ASN1_STRING_length(ip);
	char buffer[INET6_ADDRSTRLEN];

	if ((length == 4 && inet_ntop(AF_INET, octets, buffer, sizeof(buffer))) ||
	    (length == 16 && inet_ntop(AF_INET6, octets, buffer, sizeof(buffer))))
		text_add(text, buffer);
	else
		text_add(text, "(unreadable address)");
}

/* The separators of the lists in which names are shown are escaped too, so that one name never looks like two. */
static void
add_string(const char *prefix, const ASN1_STRING *string, struct text *text)
{
	text_add(text, prefix);
	text_add_escaped(text, ASN1_STRING_get0_data(string), (size_t)ASN1_STRING_length(string),
			 " ,\"");
}

static void
add_general_name(const GENERAL_NAME *name, struct text *text)
{
	int type;
	const void *value = GENERAL_NAME_get0_value(name, &type);

	switch (type) {
	case GEN_DNS: add_string("", value, text); return;
	case GEN_EMAIL: add_string("email:", value, text); return;
	case GEN_URI: add_string("URI:", value, text); return;
	case GEN_IPADD: add_ip(value, text); return;
	default: text_add(text, "(other kind of name)"); return;
	}
}

/* The alternative names; no certificate is too broken to have none. */
static char **
names_of(const X509 *x509)
{
	_cleanup_(GENERAL_NAMES_freep)
		GENERAL_NAMES *all = X509_get_ext_d2i(x509, NID_subject_alt_name, NULL, NULL);
	int count = all ? sk_GENERAL_NAME_num(all) : 0;
	char **names;

	if (count > CHAIN_NAMES_MAX)
		count = CHAIN_NAMES_MAX;
	names = calloc((size_t)count + 1, sizeof(*names));
	for (int i = 0; names && i < count; i++) {
		char buffer[SAN_TEXT_MAX];
		struct text text = TEXT_INIT(buffer);

		add_general_name(sk_GENERAL_NAME_value(all, i), &text);
		names[i] = strdup(buffer);
		if (!names[i])
			break;
	}
	return names;
}

static void
hex(const unsigned char *digest, unsigned int length, char *ret_text)
{
	must(length * 2 < CHAIN_DIGEST_TEXT_MAX);
	for (unsigned int i = 0; i < length; i++)
		snprintf(ret_text + (size_t)i * 2, 3, "%02x", digest[i]);
}

static void
digest_certificate(const X509 *x509, char *ret_text)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int length = 0;

	ret_text[0] = '\0';
	if (X509_digest(x509, EVP_sha256(), digest, &length))
		hex(digest, length, ret_text);
}

static void
digest_key(const X509 *x509, char *ret_text)
{
	unsigned char digest[EVP_MAX_MD_SIZE], *der = NULL;
	unsigned int length = 0;
	int der_length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x509), &der);

	ret_text[0] = '\0';
	if (der_length > 0 && EVP_Digest(der, (size_t)der_length, digest, &length, EVP_sha256(), NULL))
		hex(digest, length, ret_text);
	OPENSSL_free(der);
}

static char *
name_of(const X509_NAME *name)
{
	char buffer[TLS_NAME_TEXT_MAX + 1];
	struct text text = TEXT_INIT(buffer);

	tls_name_text(name, &text);
	return strdup(buffer);
}

int
tls_certificate_text(X509 *x509, struct certificate *ret_certificate)
{
	struct certificate certificate = {
		.subject = name_of(X509_get_subject_name(x509)),
		.issuer = name_of(X509_get_issuer_name(x509)),
		.names = names_of(x509),
		.not_before = tls_time_seconds(X509_get0_notBefore(x509)),
		.not_after = tls_time_seconds(X509_get0_notAfter(x509)),
	};

	if (!certificate.subject || !certificate.issuer || !certificate.names) {
		certificate_done(&certificate);
		return -ENOMEM;
	}
	digest_certificate(x509, certificate.sha256);
	digest_key(x509, certificate.spki_sha256);
	*ret_certificate = certificate;
	return 0;
}

/* Compares digests only: most handshakes bring the chain that is known already, and need not print it again. */
static bool
is_known(const STACK_OF(X509) * presented, unsigned int count, const struct chain *known)
{
	char sha256[CHAIN_DIGEST_TEXT_MAX];

	if (chain_count(known) != count)
		return false;
	for (unsigned int i = 0; i < count; i++) {
		digest_certificate(sk_X509_value(presented, (int)i), sha256);
		if (strcmp(sha256, chain_certificate(known, i)->sha256) != 0)
			return false;
	}
	return true;
}

int
tls_chain_new(const STACK_OF(X509) * presented, struct chain *known, struct chain **ret_chain)
{
	struct certificate certificates[CHAIN_CERTIFICATES_MAX];
	unsigned int count = (unsigned int)sk_X509_num(presented), made = 0;

	must(count > 0);
	if (count > CHAIN_CERTIFICATES_MAX)
		count = CHAIN_CERTIFICATES_MAX;
	if (is_known(presented, count, known)) {
		*ret_chain = chain_ref(known);
		return 0;
	}
	while (made < count &&
	       tls_certificate_text(sk_X509_value(presented, (int)made), &certificates[made]) == 0)
		made++;
	if (made < count) {
		while (made > 0)
			certificate_done(&certificates[--made]);
		return -ENOMEM;
	}
	*ret_chain = chain_new(certificates, count);
	return *ret_chain ? 0 : -ENOMEM;
}

bool
tls_issuer_place(const X509 *x509, struct text *text)
{
	_cleanup_(AUTHORITY_INFO_ACCESS_freep)
		AUTHORITY_INFO_ACCESS *all = X509_get_ext_d2i(x509, NID_info_access, NULL, NULL);

	for (int i = 0; all && i < sk_ACCESS_DESCRIPTION_num(all); i++) {
		const ACCESS_DESCRIPTION *one = sk_ACCESS_DESCRIPTION_value(all, i);

		if (OBJ_obj2nid(one->method) != NID_ad_ca_issuers || one->location->type != GEN_URI)
			continue;
		add_string("", one->location->d.uniformResourceIdentifier, text);
		return true;
	}
	return false;
}
