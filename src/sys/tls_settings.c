/* What a policy says about versions and algorithms, told to OpenSSL. */
#include "sys/tls_internal.h"

#include <errno.h>
#include <openssl/err.h>

static bool
has_algorithms(const struct tls_policy *policy)
{
	return policy->ciphers || policy->ciphersuites || policy->groups ||
	       policy->signature_algorithms || policy->security_level >= 0;
}

static const char *
apply_algorithms(SSL_CTX *ssl_ctx, const struct tls_policy *policy)
{
	if (policy->ciphers && !SSL_CTX_set_cipher_list(ssl_ctx, policy->ciphers))
		return "ciphers";
	if (policy->security_level >= 0) /* after the ciphers: "@SECLEVEL=" in them yields to the key made for it */
		SSL_CTX_set_security_level(ssl_ctx, policy->security_level);
	if (policy->ciphersuites && !SSL_CTX_set_ciphersuites(ssl_ctx, policy->ciphersuites))
		return "ciphersuites";
	if (policy->groups && !SSL_CTX_set1_groups_list(ssl_ctx, policy->groups))
		return "groups";
	if (policy->signature_algorithms &&
	    !SSL_CTX_set1_sigalgs_list(ssl_ctx, policy->signature_algorithms))
		return "signature_algorithms";
	return NULL;
}

int
tls_settings_apply(SSL_CTX *ssl_ctx, const struct tls_policy *policy, const char **ret_option)
{
	int min = policy->min_version ? policy->min_version : TLS_POLICY_VERSION_1_2;
	const char *rejected = NULL;

	ERR_clear_error();
	if (!SSL_CTX_set_min_proto_version(ssl_ctx, min))
		rejected = "min_version";
	else if (!SSL_CTX_set_max_proto_version(ssl_ctx, policy->max_version) ||
		 (policy->max_version != 0 && policy->max_version < min))
		rejected = "max_version";
	else
		rejected = apply_algorithms(ssl_ctx, policy);
	if (!rejected)
		return 0;
	*ret_option = rejected;
	return -EINVAL;
}

CLEANUP_DEFINE(SSL_CTX *, SSL_CTX_free)

/* Without strings there is nothing that OpenSSL could reject, and no need for the costly context. */
static int
check_with_openssl(const struct tls_policy *policy, const char **ret_option, struct text *why)
{
	_cleanup_(SSL_CTX_freep) SSL_CTX *ssl_ctx = NULL;
	const char *reason;
	unsigned long error;

	ERR_clear_error();
	ssl_ctx = SSL_CTX_new(TLS_client_method());
	if (!ssl_ctx || tls_settings_apply(ssl_ctx, policy, ret_option) == 0) {
		ERR_clear_error();
		return 0;
	}
	error = ERR_peek_error();
	reason = ERR_reason_error_string(error);
	ERR_clear_error();
	text_addf(why, "OpenSSL rejects it%s%s", reason ? ": " : "", reason ? reason : "");
	return -EINVAL;
}

int
tls_check_policy(const struct tls_policy *policy, const char **ret_option, char *why, size_t why_size)
{
	int min = policy->min_version ? policy->min_version : TLS_POLICY_VERSION_1_2;
	struct text text;

	text_init(&text, why, why_size);
	if (policy->max_version != 0 && policy->max_version < min) {
		*ret_option = "max_version";
		text_add(&text, "is below min_version");
		return -EINVAL;
	}
	return has_algorithms(policy) ? check_with_openssl(policy, ret_option, &text) : 0;
}
