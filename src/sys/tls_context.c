/* One SSL_CTX for each distinct TLS setting, made afresh when one of its files has changed. */
#include "base/hash.h"
#include "base/must.h"
#include "sys/fd.h"
#include "sys/regular.h"
#include "sys/tls_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

/* A certificate renewed a second ago is soon enough; a thousand links failing at once are one look at the disk. */
#define CHECK_INTERVAL (1 * USEC_PER_SEC)

/* A shortage on this host that kept us from reading a file may be over by then; and it is not made worse meanwhile. */
#define SHORTAGE_RETRY_DELAY (10 * USEC_PER_SEC)

/* ---- the settings that concern a context ------------------------------------------------------------------------ */

static const size_t strings[] = {
	offsetof(struct tls_policy, ca_file),
	offsetof(struct tls_policy, ca_dir),
	offsetof(struct tls_policy, certificate),
	offsetof(struct tls_policy, key),
	offsetof(struct tls_policy, key_password_file),
	offsetof(struct tls_policy, crl_file),
	offsetof(struct tls_policy, keylog_file),
	offsetof(struct tls_policy, ciphers),
	offsetof(struct tls_policy, ciphersuites),
	offsetof(struct tls_policy, groups),
	offsetof(struct tls_policy, signature_algorithms),
};

static const char **
string_at(struct tls_policy *policy, size_t offset)
{
	return (const char **)(void *)((char *)policy + offset);
}

static const char *
string_of(const struct tls_policy *policy, size_t offset)
{
	return *(const char *const *)(const void *)((const char *)policy + offset);
}

static bool
settings_equal(const struct tls_policy *a, const struct tls_policy *b)
{
	if (a->min_version != b->min_version || a->max_version != b->max_version ||
	    a->security_level != b->security_level || tls_needs_trust(a) != tls_needs_trust(b))
		return false;
	for (size_t i = 0; i < COUNT_OF(strings); i++) {
		const char *x = string_of(a, strings[i]), *y = string_of(b, strings[i]);

		if (x != y && (!x || !y || strcmp(x, y) != 0))
			return false;
	}
	return true;
}

/* Of what settings_equal() compares. */
static uint64_t
settings_hash(const struct tls_policy *policy)
{
	const int numbers[] = { policy->min_version, policy->max_version, policy->security_level,
				tls_needs_trust(policy) };
	uint64_t hash = hash_bytes(HASH_SEED, numbers, sizeof(numbers));

	for (size_t i = 0; i < COUNT_OF(strings); i++)
		hash = hash_text(hash, string_of(policy, strings[i]));
	return hash;
}

static void
settings_done(struct tls_policy *settings)
{
	for (size_t i = 0; i < COUNT_OF(strings); i++)
		free((char *)*string_at(settings, strings[i]));
}

static int
settings_copy(const struct tls_policy *policy, struct tls_policy *ret_settings)
{
	*ret_settings = (struct tls_policy){
		.verify = policy->verify,
		.min_version = policy->min_version,
		.max_version = policy->max_version,
		.security_level = policy->security_level,
	};
	for (size_t i = 0; i < COUNT_OF(strings); i++) {
		const char *string = string_of(policy, strings[i]);

		*string_at(ret_settings, strings[i]) = string ? strdup(string) : NULL;
		if (string && !string_of(ret_settings, strings[i]))
			return -ENOMEM;
	}
	return 0;
}

/* ---- a context's life ------------------------------------------------------------------------------------------- */

struct tls_context *
tls_context_ref(struct tls_context *context)
{
	if (context)
		context->references++;
	return context;
}

struct tls_context *
tls_context_unref(struct tls_context *context)
{
	if (!context || --context->references > 0)
		return NULL;
	list_remove(&context->node);
	SSL_CTX_free(context->ssl_ctx);
	tls_store_unref(context->store);
	tls_crls_unref(context->crls);
	if (context->broken)
		failure_done(&context->broken->failure);
	free(context->broken);
	context->keylog_fd = fd_close(context->keylog_fd);
	settings_done(&context->settings);
	free(context);
	return NULL;
}

CLEANUP_DEFINE(struct tls_context *, tls_context_unref)

/* What verifies without a store trusts nobody. */
static void
shed(struct tls_context *context)
{
	X509_STORE *none = context->store ? X509_STORE_new() : NULL;

	if (!none)
		return;
	SSL_CTX_set_cert_store(context->ssl_ctx, none);
	context->store = tls_store_unref(context->store);
	context->crls = tls_crls_unref(context->crls);
}

void
tls_context_hold(struct tls_context *context)
{
	context->judges++;
}

void
tls_context_release(struct tls_context *context)
{
	if (!context)
		return;
	must(context->judges > 0);
	context->judges--;
	if (context->judges == 0 && list_is_empty(&context->node))
		shed(context);
}

/* One write for each line: other processes may append to the same file. */
static void
log_key(const SSL *ssl, const char *line)
{
	const struct tls_context *context = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	char end[] = "\n";
	struct iovec parts[] = {
		{ .iov_base = (char *)line, .iov_len = strlen(line) },
		{ .iov_base = end, .iov_len = 1 },
	};
	ssize_t written = writev(context->keylog_fd, parts, COUNT_OF(parts));

	(void)written; /* a debugging aid: a full disk must not end connections */
}

static int
open_keylog(struct tls_context *context, struct failure *failure)
{
	const char *file = context->settings.keylog_file, *why;
	int r;

	if (!file)
		return 0;
	r = regular_open(file, O_WRONLY | O_APPEND | O_CREAT, &why);
	if (r < 0) {
		ERR_clear_error();
		errno = -r;
		r = why ? tls_load_failed_why(failure, FAILURE_LOCAL_TLS_CONFIG, file, why) :
			  tls_load_failed(failure, FAILURE_LOCAL_TLS_CONFIG, file);
		failure_add_detail(failure, "option", "keylog_file");
		return r;
	}
	context->keylog_fd = r;
	SSL_CTX_set_keylog_callback(context->ssl_ctx, log_key);
	return 0;
}

static int
context_configure(struct tls_context *context, struct failure *failure)
{
	SSL_CTX *ssl_ctx = context->ssl_ctx;
	const char *option = NULL;
	int r;

	SSL_CTX_set_app_data(ssl_ctx, context);
	SSL_CTX_set_options(ssl_ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	SSL_CTX_clear_options(ssl_ctx, SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_LEGACY_SERVER_CONNECT);
	SSL_CTX_set_mode(ssl_ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
					  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_max_cert_list(ssl_ctx, TLS_CHAIN_BYTES_MAX);
	SSL_CTX_set_session_cache_mode(ssl_ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(ssl_ctx, tls_see_session);
	SSL_CTX_set_client_cert_cb(ssl_ctx, tls_see_no_certificate);
	SSL_CTX_set_verify(ssl_ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(ssl_ctx, tls_verify, NULL);
	SSL_CTX_set_tlsext_status_cb(ssl_ctx, tls_ocsp_see);
	errno = 0;
	if (tls_settings_apply(ssl_ctx, &context->settings, &option) == 0)
		return 0;
	r = tls_load_failed(failure, FAILURE_LOCAL_TLS_CONFIG, NULL);
	failure_add_detail(failure, "option", option);
	return r;
}

static void
note_own_certificate(struct tls_context *context)
{
	const X509 *own = SSL_CTX_get0_certificate(context->ssl_ctx);
	STACK_OF(X509) *others = NULL;

	context->has_certificate = own != NULL;
	if (!own)
		return;
	context->own_not_after = tls_time_seconds(X509_get0_notAfter(own));
	context->identity = tls_number_certificate(0, own); /* the key is the one that belongs to it */
	SSL_CTX_get0_chain_certs(context->ssl_ctx, &others);
	for (int i = 0; others && i < sk_X509_num(others); i++)
		context->identity = tls_number_certificate(context->identity, sk_X509_value(others, i));
}

/* Reads our own small files first, the CA bundle last. */
static int
context_load(struct tls_context *context, struct tls_pool *pool, struct failure *failure)
{
	const struct tls_policy *settings = &context->settings;
	int r = tls_load_credentials(context->ssl_ctx, settings, failure);

	if (r < 0)
		return r;
	note_own_certificate(context);
	if (settings->crl_file && tls_needs_trust(settings)) {
		r = tls_crls_get(pool, settings->crl_file, &context->stamps.at[TLS_FILE_CRL],
				 &context->crls, failure);
		if (r < 0)
			return r;
	}
	if (!tls_needs_trust(settings))
		return 0;
	r = tls_store_get(pool, settings, &context->stamps, &context->store, failure);
	if (r < 0)
		return r;
	SSL_CTX_set1_cert_store(context->ssl_ctx, context->store->x509);
	context->trust = context->store->number;
	if (context->crls)
		context->trust = tls_number_add(context->trust, &context->crls->number,
						sizeof(context->crls->number));
	return 0;
}

static struct tls_context *
context_alloc(const struct tls_policy *policy)
{
	struct tls_context *context = calloc(1, sizeof(*context));

	if (!context)
		return NULL;
	list_init(&context->node);
	context->references = 1;
	context->keylog_fd = -1;
	context->hash = settings_hash(policy);
	if (settings_copy(policy, &context->settings) < 0)
		return tls_context_unref(context);
	return context;
}

/* Reads all files afresh.  They were in the state `stamps` before: if one changes meanwhile, the next check sees it. */
static int
context_new(struct tls_pool *pool, const struct tls_policy *policy, const struct tls_stamps *stamps,
	    struct tls_context **ret_context, struct failure *failure)
{
	_cleanup_(tls_context_unrefp) struct tls_context *context = NULL;
	int r;

	ERR_clear_error();
	context = context_alloc(policy);
	if (!context)
		return tls_load_failed(failure, FAILURE_LOCAL_NO_MEMORY, NULL);
	context->stamps = *stamps;
	errno = 0;
	context->ssl_ctx = SSL_CTX_new(TLS_client_method());
	if (!context->ssl_ctx) /* no memory, or a host-wide configuration of OpenSSL that leaves nothing */
		return tls_load_failed(failure, FAILURE_LOCAL_TLS_CONFIG, NULL);
	r = context_configure(context, failure);
	if (r == 0)
		r = context_load(context, pool, failure);
	if (r == 0)
		r = open_keylog(context, failure);
	if (r < 0)
		return r;
	*ret_context = steal(context);
	return 0;
}

/* ---- the pool --------------------------------------------------------------------------------------------------- */

int
tls_pool_new(struct tls_pool **ret_pool)
{
	_cleanup_(freep) struct tls_pool *pool = calloc(1, sizeof(*pool));

	if (!pool)
		return -ENOMEM;
	for (size_t i = 0; i < TLS_BUCKETS; i++) {
		list_init(&pool->contexts[i]);
		list_init(&pool->stores[i]);
		list_init(&pool->crls[i]);
	}
	pool->wire = tls_wire_method();
	if (!pool->wire)
		return -ENOMEM;
	*ret_pool = steal(pool);
	return 0;
}

void
tls_pool_look_again(struct tls_pool *pool)
{
	for (size_t i = 0; i < TLS_BUCKETS; i++) {
		list_for_each(node, &pool->contexts[i])
			container_of(node, struct tls_context, node)->checked_at = 0;
	}
}

struct tls_pool *
tls_pool_free(struct tls_pool *pool)
{
	if (!pool)
		return NULL;
	for (size_t i = 0; i < TLS_BUCKETS; i++)
		must(list_is_empty(&pool->contexts[i]) && list_is_empty(&pool->stores[i]) &&
		     list_is_empty(&pool->crls[i]));
	BIO_meth_free(pool->wire);
	free(pool);
	return NULL;
}

static struct tls_context *
pool_find(struct tls_pool *pool, const struct tls_policy *policy)
{
	uint64_t hash = settings_hash(policy);

	list_for_each(node, &pool->contexts[hash % TLS_BUCKETS]) {
		struct tls_context *context = container_of(node, struct tls_context, node);

		if (context->hash == hash && settings_equal(&context->settings, policy))
			return context;
	}
	return NULL;
}

static void
pool_add(struct tls_pool *pool, struct tls_context *context)
{
	list_append(&pool->contexts[context->hash % TLS_BUCKETS], &context->node);
}

static void
forget_broken(struct tls_context *context)
{
	if (context->broken)
		failure_done(&context->broken->failure);
	free(context->broken);
	context->broken = NULL;
}

/* Whether a file that could not be used for `error` (an errno) cannot be as long as it stays what it is. */
static bool
is_lasting(int error)
{
	switch (error) {
	case EINVAL: /* what is in it */
	case ENOENT:
	case EACCES:
	case EPERM:
	case ENOTDIR:
	case ELOOP:
	case ENAMETOOLONG: return true;
	default: return false;
	}
}

/*
 * Notes that the files in the state `stamps` could not be used for `error`: they are not read again until they change, or for
 * a while where this host, not the file, was the reason.
 */
static void
note_broken(struct tls_context *context, const struct tls_stamps *stamps, int error,
	    const struct failure *failure)
{
	usec_t delay = is_lasting(error) ? USEC_INFINITY : SHORTAGE_RETRY_DELAY;

	forget_broken(context);
	context->broken = calloc(1, sizeof(*context->broken));
	if (!context->broken)
		return;
	context->broken->stamps = *stamps;
	context->broken->again_at = usec_add(context->checked_at, delay);
	failure_copy(&context->broken->failure, failure);
}

/* The state of `context` without looking at the disk: 0, or 1 with the failure of its changed files. */
static int
context_verdict(const struct tls_context *context, struct failure *failure)
{
	if (!context->broken)
		return 0;
	failure_copy(failure, &context->broken->failure);
	return 1;
}

/* Look at the files of `context`, and make a fresh one in its place if they have changed; as tls_prepare(). */
static int
context_check(struct tls_context *context, struct tls_pool *pool, struct tls_context **ret_context,
	      struct failure *failure)
{
	struct tls_context *fresh;
	struct tls_stamps stamps;
	int r;

	*ret_context = tls_context_ref(context);
	tls_stamps_read(&context->settings, &stamps);
	if (tls_stamps_equal(&stamps, &context->stamps)) {
		forget_broken(context);
		return 0;
	}
	if (context->broken && context->checked_at < context->broken->again_at &&
	    tls_stamps_equal(&stamps, &context->broken->stamps))
		return context_verdict(context, failure);
	r = context_new(pool, &context->settings, &stamps, &fresh, failure);
	if (r < 0) {
		failure_add_detail(failure, "kept", "an older good one stays in use");
		note_broken(context, &stamps, -r, failure);
		return 1;
	}
	fresh->checked_at = context->checked_at;
	list_remove(&context->node);
	pool_add(pool, fresh);
	tls_context_unref(context);
	*ret_context = fresh;
	return 0;
}

int
tls_context_get(struct tls_pool *pool, const struct tls_policy *policy, usec_t now,
		struct tls_context **ret_context, struct failure *failure)
{
	struct tls_context *context = pool_find(pool, policy);
	int r;

	if (context && now < usec_add(context->checked_at, CHECK_INTERVAL)) {
		*ret_context = tls_context_ref(context);
		return context_verdict(context, failure);
	}
	if (context) {
		context->checked_at = now;
		return context_check(context, pool, ret_context, failure);
	}
	tls_stamps_read(policy, &pool->read);
	r = context_new(pool, policy, &pool->read, &context, failure);
	if (r < 0)
		return r;
	context->checked_at = now;
	pool_add(pool, context);
	*ret_context = context;
	return 0;
}
