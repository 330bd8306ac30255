/* Judging the peer of an established connection again: files, pins and the clock may have changed since the handshake. */
#include "base/must.h"
#include "sys/tls_internal.h"

#include <errno.h>
#include <openssl/err.h>

CLEANUP_DEFINE(X509_STORE_CTX *, X509_STORE_CTX_free)
CLEANUP_DEFINE(X509_VERIFY_PARAM *, X509_VERIFY_PARAM_free)

/* Prepares `store_ctx` as libssl does for a client, with what the present context says in place of the one of the handshake. */
static int
prepare(X509_STORE_CTX *store_ctx, const struct tls *tls, const struct tls_context *context,
	const struct tls_policy *policy)
{
	_cleanup_(X509_VERIFY_PARAM_freep) X509_VERIFY_PARAM *asked = X509_VERIFY_PARAM_new();
	STACK_OF(X509) *presented = SSL_get_peer_cert_chain(tls->ssl);
	X509_STORE *store = SSL_CTX_get_cert_store(context->ssl_ctx);
	X509_VERIFY_PARAM *param;

	if (!asked || !X509_STORE_CTX_init(store_ctx, store, sk_X509_value(presented, 0), presented) ||
	    !X509_STORE_CTX_set_ex_data(store_ctx, SSL_get_ex_data_X509_STORE_CTX_idx(), tls->ssl) ||
	    !X509_STORE_CTX_set_default(store_ctx, "ssl_server"))
		return -ENOMEM;
	param = X509_STORE_CTX_get0_param(store_ctx);
	X509_VERIFY_PARAM_set_auth_level(param, SSL_CTX_get_security_level(context->ssl_ctx));
	if (tls_verify_param(asked, policy, context, tls->name) < 0 ||
	    !X509_VERIFY_PARAM_set1(param, asked))
		return -ENOMEM;
	return 0;
}

/* Whether there is something to judge: a policy that trusts everybody asks for nothing, and shows nobody. */
static bool
has_chain(const struct tls *tls)
{
	return chain_count(tls->origin.chain) > 0 && sk_X509_num(SSL_get_peer_cert_chain(tls->ssl)) > 0;
}

static int
refuse_chainless(const struct tls_policy *policy, struct failure *failure)
{
	if (policy->verify == VERIFY_NONE && policy->pin_count == 0)
		return 0;
	failure->code = FAILURE_TLS_CERTIFICATE_OTHER;
	failure_add_detail(failure, "text", "the server showed no certificate");
	return -EACCES;
}

int
tls_judge(struct tls *tls, struct tls_sessions *sessions, const struct tls_policy *policy,
	  struct failure *failure)
{
	_cleanup_(X509_STORE_CTX_freep) X509_STORE_CTX *store_ctx = NULL;
	const struct tls_context *context = sessions->context;
	bool trusted;

	must(context && tls->handshake_done);
	if (!has_chain(tls))
		return refuse_chainless(policy, failure);
	ERR_clear_error();
	store_ctx = X509_STORE_CTX_new();
	if (!store_ctx || prepare(store_ctx, tls, context, policy) < 0) {
		ERR_clear_error();
		return -ENOMEM;
	}
	trusted = tls_verify_chain(tls, policy, context, store_ctx, failure);
	ERR_clear_error();
	if (trusted)
		return 0;
	if (!failure->chain)
		failure->chain = chain_ref(tls->origin.chain);
	return -EACCES;
}

int64_t
tls_expiry(const struct tls *tls)
{
	return tls->origin.expiry;
}
