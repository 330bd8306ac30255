/* Our own certificate, key and CRLs, and what to say when they cannot be read. */
#include "sys/regular.h"
#include "sys/secret.h"
#include "sys/tls_internal.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PASSWORD_MAX \
	1024 /* octets of the first line of key_password_file; a longer one is refused */
#define WHY_MAX	 160
#define CRLS_MAX 4096 /* of one file; more are refused */
/* Far more than any list of CAs or CRLs has; a larger file is refused unread, since reading it would hold up a whole worker. */
#define FILE_BYTES_MAX	    (32 * 1024 * 1024)
#define FILE_BYTES_MAX_TEXT "32 MiB"

CLEANUP_DEFINE(BIO *, BIO_free_all)
CLEANUP_DEFINE(EVP_PKEY *, EVP_PKEY_free)
CLEANUP_DEFINE(X509 *, X509_free)

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

static bool
is_too_large(FILE *stream)
{
	struct stat status;

	return fstat(fileno(stream), &status) == 0 && status.st_size > FILE_BYTES_MAX;
}

int
tls_load_open(const char *file, enum failure_code code, BIO **ret_bio, struct failure *failure)
{
	const char *why;
	FILE *stream;
	int r = regular_stream(file, &stream, &why);

	ERR_clear_error();
	if (r < 0 && why)
		return tls_load_failed_why(failure, code, file, why);
	if (r < 0) {
		errno = -r;
		return tls_load_failed(failure, code, file);
	}
	if (is_too_large(stream)) {
		fclose(stream);
		return tls_load_failed_why(failure, code, file,
					   "it is larger than " FILE_BYTES_MAX_TEXT);
	}
	*ret_bio = BIO_new_fp(stream, BIO_CLOSE);
	if (!*ret_bio) {
		fclose(stream);
		return tls_load_failed(failure, FAILURE_LOCAL_NO_MEMORY, NULL);
	}
	errno = 0;
	return 0;
}

int
tls_load_no_password(char *buffer, int size, int writing, void *arg)
{
	(void)buffer;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

uint64_t
tls_number_add(uint64_t number, const void *bytes, size_t length)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	uint64_t value = 0;

	if (EVP_Digest(bytes, length, digest, NULL, EVP_sha256(), NULL))
		memcpy(&value, digest, sizeof(value));
	number = (number ^ value) * UINT64_C(0x100000001b3);
	return number ? number : 1;
}

uint64_t
tls_number_certificate(uint64_t number, const X509 *x509)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int length = 0;

	X509_digest(x509, EVP_sha256(), digest, &length);
	return tls_number_add(number, digest, length);
}

uint64_t
tls_number_crl(uint64_t number, const X509_CRL *crl)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int length = 0;

	X509_CRL_digest(crl, EVP_sha256(), digest, &length);
	return tls_number_add(number, digest, length);
}

/* ---- certificate and key ---------------------------------------------------------------------------------------- */

/* The key's password, read when OpenSSL asks for it. */
struct password {
	const char *file;
	bool asked;	       /* the key is encrypted */
	bool failed;	       /* the file could not be read */
	struct failure reason; /* where failed */
};

/* pem_password_cb: the first line of the file.  Never prompts: without a file there is no password. */
static int
password_give(char *buffer, int size, int writing, void *arg)
{
	struct password *password = arg;
	char line[PASSWORD_MAX + 1];
	int length;

	(void)writing;
	password->asked = true;
	if (!password->file)
		return -1;
	failure_init(&password->reason, FAILURE_NONE, STAGE_LOAD);
	length = secret_load(password->file, line, sizeof(line), &password->reason);
	password->failed = length < 0;
	if (length > size)
		length = -1; /* OpenSSL takes no password as long as that */
	if (length > 0)
		memcpy(buffer, line, (size_t)length);
	OPENSSL_cleanse(line, sizeof(line));
	return length;
}

static int
key_failed(const char *file, const struct password *password, struct failure *failure)
{
	if (password->failed) {
		ERR_clear_error();
		failure_copy(failure, &password->reason);
		return failure->error ? -failure->error : -EINVAL;
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

	int r = tls_load_open(file, FAILURE_LOCAL_KEY_LOAD, &bio, failure);

	if (r < 0)
		return r;
	key = PEM_read_bio_PrivateKey(bio, NULL, password_give, &password);
	if (!key)
		return key_failed(file, &password, failure);
	if (!X509_check_private_key(SSL_CTX_get0_certificate(ssl_ctx), key))
		return tls_load_failed(failure, FAILURE_LOCAL_KEY_MISMATCH, file);
	if (!SSL_CTX_use_PrivateKey(ssl_ctx, key))
		return tls_load_failed(failure, FAILURE_LOCAL_KEY_LOAD, file);
	return 0;
}

/* Whether nothing is wrong but that the file has ended. */
static bool
is_end_of_pem(void)
{
	unsigned long error = ERR_peek_last_error();
	bool ended = ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;

	if (ended)
		ERR_clear_error();
	return ended;
}

/* The certificates that follow our own: its intermediates.  Returns whether all could be used. */
static bool
use_intermediates(SSL_CTX *ssl_ctx, BIO *bio)
{
	X509 *x509;

	while ((x509 = PEM_read_bio_X509(bio, NULL, tls_load_no_password, NULL))) {
		if (!SSL_CTX_add0_chain_cert(ssl_ctx, x509)) {
			X509_free(x509);
			return false;
		}
	}
	return is_end_of_pem();
}

/* As SSL_CTX_use_certificate_chain_file(3), which would wait for the writer of a FIFO and ask a terminal for passwords. */
static int
load_certificate(SSL_CTX *ssl_ctx, const char *file, struct failure *failure)
{
	_cleanup_(BIO_free_allp) BIO *bio = NULL;
	_cleanup_(X509_freep) X509 *x509 = NULL;
	int r = tls_load_open(file, FAILURE_LOCAL_CERTIFICATE_LOAD, &bio, failure);

	if (r < 0)
		return r;
	x509 = PEM_read_bio_X509_AUX(bio, NULL, tls_load_no_password, NULL);
	if (!x509 || !SSL_CTX_use_certificate(ssl_ctx, x509) || !use_intermediates(ssl_ctx, bio))
		return tls_load_failed(failure, FAILURE_LOCAL_CERTIFICATE_LOAD, file);
	return 0;
}

int
tls_load_credentials(SSL_CTX *ssl_ctx, const struct tls_policy *policy, struct failure *failure)
{
	int r;

	if (!policy->certificate)
		return 0;
	r = load_certificate(ssl_ctx, policy->certificate, failure);
	return r < 0 ? r : load_key(ssl_ctx, policy, failure);
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
	int r = tls_load_open(file, FAILURE_LOCAL_CA_LOAD, &bio, failure);

	if (r < 0)
		return r;
	infos = PEM_X509_INFO_read_bio(bio, NULL, tls_load_no_password, NULL);
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
