/*
 * Judging the server's certificate.  OpenSSL stops at the first error it meets, the name being early among them; here
 * it goes on and all errors are collected, so that the one that helps most is named.  Any error still refuses.
 */
#include "base/must.h"
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
	const struct tls_policy *policy;
	const struct tls_context *context;
	X509_STORE_CTX *store_ctx;
	const STACK_OF(X509) * presented; /* leaf first */
	X509 *leaf;
	struct finding finding;
};

/* To verify the issuer of a CRL, OpenSSL makes a context of its own: the connection is known to its parent. */
static struct tls *
tls_of(X509_STORE_CTX *store_ctx)
{
	X509_STORE_CTX *parent;
	SSL *ssl;

	while ((parent = X509_STORE_CTX_get0_parent_ctx(store_ctx)))
		store_ctx = parent;
	ssl = X509_STORE_CTX_get_ex_data(store_ctx, SSL_get_ex_data_X509_STORE_CTX_idx());

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

	if (ok)
		return 1;
	if (error == X509_V_OK)
		error = X509_V_ERR_UNSPECIFIED;
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

void
tls_verify_revoked(struct failure *failure, const ASN1_TIME *date, long reason)
{
	add_time_detail(failure, date);
	for (const ENUMERATED_NAMES *known = X509V3_EXT_get_nid(NID_crl_reason)->usr_data;
	     reason >= 0 && known->lname; known++) {
		if (known->bitnum == reason)
			failure_add_detail(failure, "reason", known->lname);
	}
}

static void
add_revocation_details(struct failure *failure, const struct finding *finding)
{
	X509_REVOKED *revoked = NULL;
	ASN1_ENUMERATED *reason;

	if (!finding->crl || X509_CRL_get0_by_cert(finding->crl, &revoked, finding->x509) != 1)
		return;
	reason = X509_REVOKED_get_ext_d2i(revoked, NID_crl_reason, NULL, NULL);
	tls_verify_revoked(failure, X509_REVOKED_get0_revocationDate(revoked),
			   reason ? ASN1_ENUMERATED_get(reason) : -1);
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

static bool
is_malformed(const X509 *x509)
{
	return (X509_get_extension_flags((X509 *)x509) & EXFLAG_INVALID) != 0;
}

/*
 * An intermediate whose extensions do not parse is passed over when the chain is built, and a leaf's go unsaid: both look
 * like an unknown issuer.  Returns the depth of the certificate that is to blame, or -1.
 */
static int
malformed_depth(const struct judgement *judgement)
{
	const struct finding *finding = &judgement->finding;

	if (is_malformed(judgement->leaf))
		return 0;
	if (!finding->x509 || classify_verify(finding->error, finding->depth) !=
				      FAILURE_TLS_CERTIFICATE_UNKNOWN_ISSUER)
		return -1;
	for (int i = 1; i < sk_X509_num(judgement->presented); i++) {
		X509 *x509 = sk_X509_value(judgement->presented, i);

		if (is_malformed(x509) && X509_NAME_cmp(X509_get_subject_name(x509),
							X509_get_issuer_name(finding->x509)) == 0)
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
	int malformed = malformed_depth(judgement);

	failure->code = classify_verify(finding->error, finding->depth);
	failure->verify = finding->error;
	failure->verify_depth = finding->depth;
	text_copy(failure->verify_name, sizeof(failure->verify_name),
		  classify_verify_name(finding->error));
	if (malformed >= 0) {
		failure->code = FAILURE_TLS_CERTIFICATE_MALFORMED;
		failure->verify_depth = malformed;
	} else if (is_incomplete(judgement, failure)) {
		failure->code = FAILURE_TLS_CERTIFICATE_CHAIN_INCOMPLETE;
	}
	add_details(failure, judgement);
	X509_STORE_CTX_set_error(judgement->store_ctx, finding->error);
}

/*
 * When the first certificate of the verified chain ends: no session may outlive it.  That the trust anchor ends is for this
 * host to know, and not worth a warning about the peer; but a leaf that is trusted by itself counts.
 */
static void
note_end(const STACK_OF(X509) * verified, struct tls_origin *origin)
{
	int count = sk_X509_num(verified);

	origin->trusted_until = INT64_MAX;
	for (int i = 0; i < count; i++) {
		int64_t end = tls_time_seconds(X509_get0_notAfter(sk_X509_value(verified, i)));

		if (end < origin->trusted_until)
			origin->trusted_until = end;
		if (i == 0 || (i < count - 1 && end < origin->expiry))
			origin->expiry = end;
	}
}

/* Returns whether the chain (and name) satisfies the policy; else `failure` is filled. */
static bool
judge_chain(struct judgement *judgement, struct failure *failure)
{
	int verified;

	if (!tls_needs_trust(judgement->policy))
		return true;
	if (judgement->context->crls)
		X509_STORE_CTX_set0_crls(judgement->store_ctx, judgement->context->crls->list);
	X509_STORE_CTX_set_verify_cb(judgement->store_ctx, collect);
	verified = X509_verify_cert(judgement->store_ctx);
	if (verified <= 0 && judgement->finding.error == 0) {
		int error = X509_STORE_CTX_get_error(judgement->store_ctx);

		judgement->finding.error = error == X509_V_OK ? X509_V_ERR_UNSPECIFIED : error;
	}
	if (judgement->finding.error == 0 && is_malformed(judgement->leaf))
		judgement->finding.error = X509_V_ERR_INVALID_EXTENSION;
	if (judgement->finding.error != 0) {
		refuse_chain(judgement, failure);
		return false;
	}
	note_end(X509_STORE_CTX_get0_chain(judgement->store_ctx), &judgement->tls->origin);
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

	if (tls_pinned(judgement->policy, leaf->spki_sha256))
		return true;
	failure->code = FAILURE_TLS_CERTIFICATE_PIN;
	failure_add_detail(failure, "sha256", leaf->spki_sha256);
	X509_STORE_CTX_set_error(judgement->store_ctx, X509_V_ERR_CERT_REJECTED);
	return false;
}

/* Keeps the chain as it was presented, whatever comes of it, and remembers it for those that will present the same. */
static int
keep_chain(struct tls *tls, const STACK_OF(X509) * presented)
{
	struct tls_sessions *sessions = tls->sessions;

	tls_origin_done(&tls->origin);
	tls->origin.full_at = tls->started_at;
	tls->origin.trusted_until = INT64_MAX;
	tls->origin.expiry = 0;
	if (tls_chain_new(presented, sessions->chain, &tls->origin.chain) < 0)
		return -ENOMEM;
	chain_unref(sessions->chain);
	sessions->chain = chain_ref(tls->origin.chain);
	return 0;
}

bool
tls_verify_chain(struct tls *tls, const struct tls_policy *policy, const struct tls_context *context,
		 X509_STORE_CTX *store_ctx, struct failure *failure)
{
	struct judgement judgement = {
		.tls = tls,
		.policy = policy,
		.context = context,
		.store_ctx = store_ctx,
		.presented = X509_STORE_CTX_get0_untrusted(store_ctx),
		.leaf = X509_STORE_CTX_get0_cert(store_ctx),
	};
	bool trusted;

	tls->judgement = &judgement;
	trusted = judge_chain(&judgement, failure) && judge_pins(&judgement, failure);
	tls->judgement = NULL;
	finding_done(&judgement.finding);
	return trusted;
}

int
tls_verify(X509_STORE_CTX *store_ctx, void *arg)
{
	struct tls *tls = tls_of(store_ctx);

	(void)arg;
	must(tls->failure);
	tls->certificate_judged = false;
	if (keep_chain(tls, X509_STORE_CTX_get0_untrusted(store_ctx)) < 0) {
		tls->failure->code = FAILURE_LOCAL_NO_MEMORY;
		X509_STORE_CTX_set_error(store_ctx, X509_V_ERR_OUT_OF_MEM);
	} else if (tls_verify_chain(tls, tls->policy, tls->context, store_ctx, tls->failure)) {
		tls->certificate_judged = true;
		X509_STORE_CTX_set_error(store_ctx, X509_V_OK);
	}
	tls->refused = !tls->certificate_judged;
	return tls->certificate_judged ? 1 : 0;
}

int
tls_verify_param(X509_VERIFY_PARAM *param, const struct tls_policy *policy,
		 const struct tls_context *context, const char *name)
{
	int r = 1;

	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
						       X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
	if (context->crls)
		X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
	if (policy->verify != VERIFY_FULL)
		return 0;
	ERR_clear_error();
	if (!X509_VERIFY_PARAM_set1_ip_asc(param, name))
		r = X509_VERIFY_PARAM_set1_host(param, name, 0);
	ERR_clear_error();
	return r ? 0 : -ENOMEM;
}
