/* Our own certificate, key and CRLs, and what to say when they cannot be read. */
#include "sys/tls_internal.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PASSWORD_MAX \
	1024 /* octets of the first line of key_password_file; a longer one is refused */
#define WHY_MAX	 160
#define CRLS_MAX 4096 /* of one file; more are refused */

CLEANUP_DEFINE(BIO *, BIO_free_all)
CLEANUP_DEFINE(EVP_PKEY *, EVP_PKEY_free)

static void
x509_infos_freep(STACK_OF(X509_INFO) * *infos)
{
	sk_X509_INFO_pop_free(*infos, X509_INFO_free);
}

static void
crls_freep(STACK_OF(X509_CRL) * *crls)
{
	sk_X509_CRL_pop_free(*crls, X509_CRL_free);
}

static void
fclosep(FILE **stream)
{
	if (*stream)
		fclose(*stream);
}

/* ---- what went wrong -------------------------------------------------------------------------------------------- */

/* An errno among the queue's entries says most ("Permission denied"); else the first entry, where it began. */
static unsigned long
telling_error(void)
{
	unsigned long first = 0, error;

	while ((error = ERR_get_error()) != 0) {
		if (ERR_SYSTEM_ERROR(error)) {
			ERR_clear_error();
			return error;
		}
		if (first == 0)
			first = error;
	}
	return first;
}

static void
add_reason(unsigned long error, struct text *why)
{
	const char *reason = ERR_reason_error_string(error);

	if (ERR_SYSTEM_ERROR(error))
		text_add(why, strerror(ERR_GET_REASON(error)));
	else if (reason)
		text_add(why, reason);
	else
		text_addf(why, "error %08lx", error);
}

static void
fill(struct failure *failure, enum failure_code code, const char *file, const char *why)
{
	failure_init(failure, code, STAGE_LOAD);
	if (file) {
		char buffer[FAILURE_DETAILS_MAX / 2];
		struct text text = TEXT_INIT(buffer);

		text_add_escaped(&text, file, strlen(file), NULL);
		failure_add_detail(failure, "file", buffer);
	}
	failure_add_detail(failure, "why", why);
}

int
tls_load_failed(struct failure *failure, enum failure_code code, const char *file)
{
	int error = errno;
	unsigned long queued = telling_error();
	char buffer[WHY_MAX];
	struct text why = TEXT_INIT(buffer);

	if (queued != 0 && ERR_GET_REASON(queued) == ERR_R_MALLOC_FAILURE)
		code = FAILURE_LOCAL_NO_MEMORY;
	if (code == FAILURE_LOCAL_NO_MEMORY)
		error = ENOMEM;
	else if (queued != 0)
		error = ERR_SYSTEM_ERROR(queued) ? ERR_GET_REASON(queued) : EINVAL;
	if (queued != 0 && code != FAILURE_LOCAL_NO_MEMORY)
		add_reason(queued, &why);
	else
		text_add(&why, error ? strerror(error) : "empty or unreadable");
	fill(failure, code, file, buffer);
	if (error == 0)
		error = EINVAL;
	if (error != EINVAL)
		failure_set_error(failure, error, strerrorname_np(error));
	return -error;
}

int
tls_load_failed_why(struct failure *failure, enum failure_code code, const char *file, const char *why)
{
	ERR_clear_error();
	fill(failure, code, file, why);
	return -EINVAL;
}

/* ---- certificate and key ---------------------------------------------------------------------------------------- */

/* The key's password, read when OpenSSL asks for it. */
struct password {
	const char *file;
	bool asked;  /* the key is encrypted */
	bool failed; /* the file could not be read */
	int error;   /* errno then, or 0 */
};

/* pem_password_cb: the first line of the file.  Never prompts: without a file there is no password. */
static int
password_give(char *buffer, int size, int writing, void *arg)
{
	struct password *password = arg;
	_cleanup_(fclosep) FILE *stream = NULL;
	char line[PASSWORD_MAX + 2] = "";
	size_t length;

	(void)writing;
	password->asked = true;
	if (!password->file)
		return -1;
	stream = fopen(password->file, "re");
	if (stream)
		setvbuf(stream, NULL, _IONBF, 0); /* no copy of the secret in a freed buffer */
	if (!stream || !fgets(line, sizeof(line), stream)) {
		password->failed = true;
		password->error = stream && feof(stream) ? 0 : errno;
		return -1;
	}
	length = strcspn(line, "\r\n");
	if (length > PASSWORD_MAX || length > (size_t)size) {
		password->failed = true;
		length = 0;
	}
	memcpy(buffer, line, length);
	OPENSSL_cleanse(line, sizeof(line));
	return password->failed ? -1 : (int)length;
}

static int
key_failed(const char *file, const struct password *password, struct failure *failure)
{
	if (password->failed) {
		ERR_clear_error();
		errno = password->error;
		return tls_load_failed(failure, FAILURE_LOCAL_KEY_LOAD, password->file);
	}
	if (password->asked && !password->file)
		return tls_load_failed_why(failure, FAILURE_LOCAL_KEY_LOAD, file,
					   "it is encrypted, and key_password_file is not set");
	if (password->asked)
		return tls_load_failed_why(failure, FAILURE_LOCAL_KEY_LOAD, file,
					   "the password does not open it");
	return tls_load_failed(failure, FAILURE_LOCAL_KEY_LOAD, file);
}

static int
load_key(SSL_CTX *ssl_ctx, const struct tls_policy *policy, struct failure *failure)
{
	const char *file = policy->key ? policy->key : policy->certificate;
	struct password password = { .file = policy->key_password_file };
	_cleanup_(BIO_free_allp) BIO *bio = NULL;
	_cleanup_(EVP_PKEY_freep) EVP_PKEY *key = NULL;

	ERR_clear_error();
	errno = 0;
	bio = BIO_new_file(file, "r");
	if (!bio)
		return tls_load_failed(failure, FAILURE_LOCAL_KEY_LOAD, file);
	key = PEM_read_bio_PrivateKey(bio, NULL, password_give, &password);
	if (!key)
		return key_failed(file, &password, failure);
	if (!X509_check_private_key(SSL_CTX_get0_certificate(ssl_ctx), key))
		return tls_load_failed(failure, FAILURE_LOCAL_KEY_MISMATCH, file);
	if (!SSL_CTX_use_PrivateKey(ssl_ctx, key))
		return tls_load_failed(failure, FAILURE_LOCAL_KEY_LOAD, file);
	return 0;
}

int
tls_load_credentials(SSL_CTX *ssl_ctx, const struct tls_policy *policy, struct failure *failure)
{
	if (!policy->certificate)
		return 0;
	ERR_clear_error();
	errno = 0;
	if (SSL_CTX_use_certificate_chain_file(ssl_ctx, policy->certificate) != 1)
		return tls_load_failed(failure, FAILURE_LOCAL_CERTIFICATE_LOAD, policy->certificate);
	return load_key(ssl_ctx, policy, failure);
}

/* ---- CRLs ------------------------------------------------------------------------------------------------------- */

static int
pick_crls(const STACK_OF(X509_INFO) * infos, STACK_OF(X509_CRL) * crls)
{
	for (int i = 0; i < sk_X509_INFO_num(infos); i++) {
		X509_CRL *crl = sk_X509_INFO_value(infos, i)->crl;

		if (!crl)
			continue;
		if (sk_X509_CRL_num(crls) == CRLS_MAX)
			return -E2BIG;
		if (!sk_X509_CRL_push(crls, crl))
			return -ENOMEM;
		X509_CRL_up_ref(crl);
	}
	return 0;
}

int
tls_load_crls(const char *file, STACK_OF(X509_CRL) * *ret_crls, struct failure *failure)
{
	_cleanup_(BIO_free_allp) BIO *bio = NULL;
	_cleanup_(x509_infos_freep) STACK_OF(X509_INFO) *infos = NULL;
	_cleanup_(crls_freep) STACK_OF(X509_CRL) *crls = NULL;
	int r;

	ERR_clear_error();
	errno = 0;
	bio = BIO_new_file(file, "r");
	infos = bio ? PEM_X509_INFO_read_bio(bio, NULL, NULL, NULL) : NULL;
	if (!infos)
		return tls_load_failed(failure, FAILURE_LOCAL_CA_LOAD, file);
	crls = sk_X509_CRL_new_null();
	r = crls ? pick_crls(infos, crls) : -ENOMEM;
	if (r == -E2BIG)
		return tls_load_failed_why(failure, FAILURE_LOCAL_CA_LOAD, file, "too many CRLs in it");
	if (r < 0)
		return tls_load_failed(failure, FAILURE_LOCAL_NO_MEMORY, NULL);
	if (sk_X509_CRL_num(crls) == 0)
		return tls_load_failed_why(failure, FAILURE_LOCAL_CA_LOAD, file, "no CRL in it");
	*ret_crls = steal(crls);
	return 0;
}
