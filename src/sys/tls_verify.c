/*
 * Judging the server's certificate.  OpenSSL stops at the first error it meets, the name being early among them; here
 * it goes on and all errors are collected, so that the one that helps most is named.  Any error still refuses.
 */
#include "sys/classify_tls.h"
#include "sys/tls_internal.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#define DETAIL_MAX 160 /* characters of one detail; a failure's details share FAILURE_DETAILS_MAX */

/* The error that is to be named, of all that were met. */
struct finding {
	int error, depth; /* error 0: none */
	X509 *x509;	  /* at that depth; a reference */
	X509_CRL *crl;	  /* that was being looked at, or NULL; a reference */
};

/* One verification under way. */
struct judgement {
	struct tls *tls;
	X509_STORE_CTX *store_ctx;
	const STACK_OF(X509) * presented; /* leaf first */
	X509 *leaf;
	struct finding finding;
};

static struct tls *
tls_of(X509_STORE_CTX *store_ctx)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store_ctx, SSL_get_ex_data_X509_STORE_CTX_idx());

	return SSL_get_app_data(ssl);
}

static void
finding_done(struct finding *finding)
{
	X509_free(finding->x509);
	X509_CRL_free(finding->crl);
	*finding = (struct finding){ 0 };
}

/* X509_STORE_CTX's verify_cb: notes the error and lets OpenSSL go on. */
static int
collect(int ok, X509_STORE_CTX *store_ctx)
{
	struct finding *best = &tls_of(store_ctx)->judgement->finding;
	int error = X509_STORE_CTX_get_error(store_ctx);
	int depth = X509_STORE_CTX_get_error_depth(store_ctx);

	if (ok || error == X509_V_OK)
		return 1;
	if (best->error != 0 && !classify_verify_outranks(error, depth, best->error, best->depth))
		return 1;
	finding_done(best);
	best->error = error;
	best->depth = depth;
	best->x509 = X509_STORE_CTX_get_current_cert(store_ctx);
	if (best->x509)
		X509_up_ref(best->x509);
	best->crl = X509_STORE_CTX_get0_current_crl(store_ctx);
	if (best->crl)
		X509_CRL_up_ref(best->crl);
	return 1;
}

/* ---- details for the hints -------------------------------------------------------------------------------------- */

static void
add_name_detail(struct failure *failure, const char *key, const X509_NAME *name)
{
	char buffer[DETAIL_MAX];
	struct text text = TEXT_INIT(buffer);

	tls_name_text(name, &text);
	failure_add_detail(failure, key, buffer);
}

static void
add_time_detail(struct failure *failure, const ASN1_TIME *time)
{
	char buffer[DETAIL_MAX];
	struct text text = TEXT_INIT(buffer);

	tls_time_text(time, &text);
	failure_add_detail(failure, "date", buffer);
}

static void
add_which_detail(struct failure *failure, const struct finding *finding)
{
	char buffer[DETAIL_MAX];
	struct text text = TEXT_INIT(buffer);

	if (finding->depth == 0) {
		text_add(&text, "leaf");
	} else if (X509_get_extension_flags(finding->x509) & EXFLAG_SS) {
		text_add(&text, "root");
	} else {
		text_add(&text, "intermediate ");
		tls_name_text(X509_get_subject_name(finding->x509), &text);
	}
	failure_add_detail(failure, "which", buffer);
}

/* The names the certificate is for, as far as there is room. */
static void
add_names_details(struct failure *failure, const struct tls *tls, const struct chain *chain)
{
	char buffer[DETAIL_MAX];
	struct text text = TEXT_INIT(buffer);
	char *const *name = chain_count(chain) > 0 ? chain_certificate(chain, 0)->names : NULL;

	failure_add_detail(failure, "name", tls->name);
	for (; name && *name; name++) {
		if (text.length + strlen(*name) + strlen(", ...") >= sizeof(buffer)) {
			text_add(&text, text.length > 0 ? ", ..." : "a name too long to show");
			break;
		}
		text_addf(&text, "%s%s", text.length > 0 ? ", " : "", *name);
	}
	failure_add_detail(failure, "names", text.length > 0 ? buffer : "no name at all");
}

static void
add_revocation_details(struct failure *failure, const struct finding *finding)
{
	X509_REVOKED *revoked = NULL;
	ASN1_ENUMERATED *reason;

	if (!finding->crl || X509_CRL_get0_by_cert(finding->crl, &revoked, finding->x509) != 1)
		return;
	add_time_detail(failure, X509_REVOKED_get0_revocationDate(revoked));
	reason = X509_REVOKED_get_ext_d2i(revoked, NID_crl_reason, NULL, NULL);
	if (!reason)
		return;
	for (const ENUMERATED_NAMES *known = X509V3_EXT_get_nid(NID_crl_reason)->usr_data;
	     known && known->lname; known++) {
		if (known->bitnum == ASN1_ENUMERATED_get(reason))
			failure_add_detail(failure, "reason", known->lname);
	}
	ASN1_ENUMERATED_free(reason);
}

static void
add_crl_details(struct failure *failure, const struct finding *finding)
{
	if (finding->error == X509_V_ERR_CRL_NOT_YET_VALID && finding->crl)
		add_time_detail(failure, X509_CRL_get0_lastUpdate(finding->crl));
	else if (finding->crl)
		add_time_detail(failure, X509_CRL_get0_nextUpdate(finding->crl));
	if (finding->x509)
		add_name_detail(failure, "issuer", X509_get_issuer_name(finding->x509));
}

static void
add_validity_details(struct failure *failure, const struct finding *finding)
{
	add_time_detail(failure, failure->code == FAILURE_TLS_CERTIFICATE_EXPIRED ?
					 X509_get0_notAfter(finding->x509) :
					 X509_get0_notBefore(finding->x509));
	add_which_detail(failure, finding);
}

static void
add_details(struct failure *failure, const struct judgement *judgement)
{
	const struct finding *finding = &judgement->finding;

	failure_add_detail(failure, "text", X509_verify_cert_error_string(finding->error));
	if (!finding->x509)
		return;
	switch (failure->code) {
	case FAILURE_TLS_CERTIFICATE_EXPIRED:
	case FAILURE_TLS_CERTIFICATE_NOT_YET_VALID: add_validity_details(failure, finding); break;
	case FAILURE_TLS_CERTIFICATE_NAME:
		add_names_details(failure, judgement->tls, judgement->tls->origin.chain);
		break;
	case FAILURE_TLS_CERTIFICATE_UNKNOWN_ISSUER:
		add_name_detail(failure, "dn", X509_get_issuer_name(finding->x509));
		break;
	case FAILURE_TLS_CERTIFICATE_REVOKED: add_revocation_details(failure, finding); break;
	case FAILURE_TLS_CRL_MISSING:
	case FAILURE_TLS_CRL_UNUSABLE: add_crl_details(failure, finding); break;
	default: break;
	}
}

/* ---- the judgement ---------------------------------------------------------------------------------------------- */

/*
 * An intermediate whose extensions do not parse is passed over when the chain is built, and a leaf's go unsaid: both look
 * like an unknown issuer.  Returns the depth of the first such certificate, or -1.
 */
static int
malformed_depth(const STACK_OF(X509) * presented)
{
	for (int i = 0; i < sk_X509_num(presented); i++) {
		if (X509_get_extension_flags(sk_X509_value(presented, i)) & EXFLAG_INVALID)
			return i;
	}
	return -1;
}

/* A heuristic: the leaf came alone, is not its own issuer, and says where its issuer could be had. */
static bool
is_incomplete(const struct judgement *judgement, struct failure *failure)
{
	char buffer[DETAIL_MAX];
	struct text text = TEXT_INIT(buffer);
	int error = judgement->finding.error;

	if ((error != X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY &&
	     error != X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE) ||
	    sk_X509_num(judgement->presented) != 1 || !tls_issuer_place(judgement->leaf, &text))
		return false;
	failure_add_detail(failure, "aia", buffer);
	return true;
}

static void
refuse_chain(struct judgement *judgement, struct failure *failure)
{
	const struct finding *finding = &judgement->finding;
	int malformed = malformed_depth(judgement->presented);

	failure->code = classify_verify(finding->error, finding->depth);
	failure->verify = finding->error;
	failure->verify_depth = finding->depth;
	text_copy(failure->verify_name, sizeof(failure->verify_name),
		  classify_verify_name(finding->error));
	if (malformed == 0 ||
	    (malformed > 0 && failure->code == FAILURE_TLS_CERTIFICATE_UNKNOWN_ISSUER)) {
		failure->code = FAILURE_TLS_CERTIFICATE_MALFORMED;
		failure->verify_depth = malformed;
	} else if (is_incomplete(judgement, failure)) {
		failure->code = FAILURE_TLS_CERTIFICATE_CHAIN_INCOMPLETE;
	}
	add_details(failure, judgement);
	X509_STORE_CTX_set_error(judgement->store_ctx, finding->error);
}

/* When the first certificate of the verified chain ends: no session may outlive it. */
static int64_t
chain_end(X509_STORE_CTX *store_ctx)
{
	const STACK_OF(X509) *verified = X509_STORE_CTX_get0_chain(store_ctx);
	int64_t end = INT64_MAX;

	for (int i = 0; verified && i < sk_X509_num(verified); i++) {
		int64_t own = tls_time_seconds(X509_get0_notAfter(sk_X509_value(verified, i)));

		if (own < end)
			end = own;
	}
	return end;
}

/* Returns whether the chain (and name) satisfies the policy; else `failure` is filled. */
static bool
judge_chain(struct judgement *judgement, struct failure *failure)
{
	struct tls *tls = judgement->tls;
	int verified;

	if (!tls_needs_trust(tls->policy))
		return true;
	if (tls->context->crls)
		X509_STORE_CTX_set0_crls(judgement->store_ctx, tls->context->crls);
	X509_STORE_CTX_set_verify_cb(judgement->store_ctx, collect);
	verified = X509_verify_cert(judgement->store_ctx);
	if (verified <= 0 && judgement->finding.error == 0) {
		int error = X509_STORE_CTX_get_error(judgement->store_ctx);

		judgement->finding.error = error == X509_V_OK ? X509_V_ERR_UNSPECIFIED : error;
	}
	if (judgement->finding.error == 0 && (X509_get_extension_flags(judgement->leaf) & EXFLAG_INVALID))
		judgement->finding.error = X509_V_ERR_INVALID_EXTENSION;
	if (judgement->finding.error != 0) {
		refuse_chain(judgement, failure);
		return false;
	}
	tls->origin.trusted_until = chain_end(judgement->store_ctx);
	return true;
}

static bool
is_pin(const struct tls_policy *policy, const char *digest, unsigned int index)
{
	char text[CHAIN_DIGEST_TEXT_MAX];

	for (size_t i = 0; i < sizeof(policy->pins[0]); i++)
		snprintf(text + i * 2, 3, "%02x", policy->pins[index][i]);
	return strcmp(text, digest) == 0;
}

bool
tls_pinned(const struct tls_policy *policy, const char *digest)
{
	for (unsigned int i = 0; i < policy->pin_count; i++) {
		if (is_pin(policy, digest, i))
			return true;
	}
	return policy->pin_count == 0 && policy->verify != VERIFY_PIN;
}

static bool
judge_pins(struct judgement *judgement, struct failure *failure)
{
	const struct certificate *leaf = chain_certificate(judgement->tls->origin.chain, 0);

	if (tls_pinned(judgement->tls->policy, leaf->spki_sha256))
		return true;
	failure->code = FAILURE_TLS_CERTIFICATE_PIN;
	failure_add_detail(failure, "sha256", leaf->spki_sha256);
	X509_STORE_CTX_set_error(judgement->store_ctx, X509_V_ERR_CERT_REJECTED);
	return false;
}

/* Keeps the chain as it was presented, whatever comes of it, and remembers it for those that will present the same. */
static int
keep_chain(struct judgement *judgement)
{
	struct tls *tls = judgement->tls;
	struct tls_sessions *sessions = tls->sessions;

	tls_origin_done(&tls->origin);
	tls->origin.full_at = tls->started_at;
	tls->origin.trusted_until = INT64_MAX;
	if (tls_chain_new(judgement->presented, sessions->chain, &tls->origin.chain) < 0)
		return -ENOMEM;
	chain_unref(sessions->chain);
	sessions->chain = chain_ref(tls->origin.chain);
	return 0;
}

int
tls_verify(X509_STORE_CTX *store_ctx, void *arg)
{
	struct tls *tls = tls_of(store_ctx);
	struct judgement judgement = {
		.tls = tls,
		.store_ctx = store_ctx,
		.presented = X509_STORE_CTX_get0_untrusted(store_ctx),
		.leaf = X509_STORE_CTX_get0_cert(store_ctx),
	};

	(void)arg;
	tls->judgement = &judgement;
	if (keep_chain(&judgement) < 0) {
		tls->failure->code = FAILURE_LOCAL_NO_MEMORY;
		X509_STORE_CTX_set_error(store_ctx, X509_V_ERR_OUT_OF_MEM);
	} else if (judge_chain(&judgement, tls->failure) && judge_pins(&judgement, tls->failure)) {
		tls->certificate_judged = true;
		X509_STORE_CTX_set_error(store_ctx, X509_V_OK);
	}
	tls->judgement = NULL;
	finding_done(&judgement.finding);
	tls->refused = !tls->certificate_judged;
	return tls->certificate_judged ? 1 : 0;
}

int
tls_verify_setup(struct tls *tls)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(tls->ssl);
	int r = 1;

	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
						       X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
	if (tls->context->crls)
		X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
	if (tls->policy->verify != VERIFY_FULL)
		return 0;
	ERR_clear_error();
	if (!X509_VERIFY_PARAM_set1_ip_asc(param, tls->name))
		r = X509_VERIFY_PARAM_set1_host(param, tls->name, 0);
	ERR_clear_error();
	return r ? 0 : -ENOMEM;
}
