/*
 * Stapled OCSP responses (RFC 6960, RFC 6066 section 8, RFC 7633): what the issuer of the server's certificate says about it,
 * brought by the server itself.
 */
#include "base/must.h"
#include "sys/clock.h"
#include "sys/tls_internal.h"

#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

#define TLS_FEATURE_STATUS_REQUEST 5 /* RFC 7633, section 4.2.1: the number of the TLS extension */

CLEANUP_DEFINE(OCSP_RESPONSE *, OCSP_RESPONSE_free)
CLEANUP_DEFINE(OCSP_BASICRESP *, OCSP_BASICRESP_free)
CLEANUP_DEFINE(OCSP_CERTID *, OCSP_CERTID_free)
CLEANUP_DEFINE(TLS_FEATURE *, TLS_FEATURE_free)

static void
stack_freep(STACK_OF(X509) * *stack)
{
	sk_X509_free(*stack);
}

static bool
refuse(struct failure *failure, const char *why)
{
	failure->code = FAILURE_TLS_OCSP_INVALID;
	failure_add_detail(failure, "why", why);
	return false;
}

static bool
refuse_at(struct failure *failure, const char *why, const ASN1_TIME *date)
{
	char buffer[40];
	struct text text = TEXT_INIT(buffer);

	tls_time_text(date, &text);
	failure_add_detail(failure, "date", buffer);
	return refuse(failure, why);
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

/* The basic response in the octets, or NULL and why there is none. */
static OCSP_BASICRESP *
parse(const unsigned char *octets, size_t length, struct failure *failure)
{
	const unsigned char *at = octets;
	_cleanup_(OCSP_RESPONSE_freep) OCSP_RESPONSE *response = NULL;
	OCSP_BASICRESP *basic;
	int status;

	if (length > TLS_OCSP_BYTES_MAX) {
		refuse(failure, "it is too long");
		return NULL;
	}
	response = d2i_OCSP_RESPONSE(NULL, &at, (long)length);
	if (!response || at != octets + length) {
		refuse(failure, "it cannot be parsed");
		return NULL;
	}
	status = OCSP_response_status(response);
	if (status != OCSP_RESPONSE_STATUS_SUCCESSFUL) {
		failure_add_detail(failure, "status", OCSP_response_status_str(status));
		refuse(failure, "the responder had an error to report instead of an answer");
		return NULL;
	}
	basic = OCSP_response_get1_basic(response);
	if (!basic)
		refuse(failure, "it is of a kind nobody knows, or cannot be parsed");
	return basic;
}

static X509 *
issuer_of(const STACK_OF(X509) * verified)
{
	return sk_X509_value(verified, sk_X509_num(verified) > 1 ? 1 : 0);
}

/* A certificate is named by digests, and the responder has chosen which. */
static bool
is_about(const OCSP_SINGLERESP *single, const STACK_OF(X509) * verified)
{
	const OCSP_CERTID *id = OCSP_SINGLERESP_get0_id(single);
	_cleanup_(OCSP_CERTID_freep) OCSP_CERTID *wanted = NULL;
	ASN1_OBJECT *algorithm = NULL;
	const EVP_MD *digest;

	if (!OCSP_id_get0_info(NULL, &algorithm, NULL, NULL, (OCSP_CERTID *)id))
		return false;
	digest = EVP_get_digestbyobj(algorithm);
	if (!digest)
		return false;
	wanted = OCSP_cert_to_id(digest, sk_X509_value(verified, 0), issuer_of(verified));
	return wanted && OCSP_id_cmp(wanted, id) == 0;
}

/* What is said of one certificate. */
struct answer {
	int status, reason;
	ASN1_GENERALIZEDTIME *revoked_at, *this_update, *next_update;
};

/* Looks for the leaf's answer.  Where there are several, one of a revocation outranks the others, and else the first counts. */
static bool
find_answer(OCSP_BASICRESP *basic, const STACK_OF(X509) * verified, struct answer *ret_answer)
{
	int count = OCSP_resp_count(basic);
	bool found = false;

	if (count > TLS_OCSP_SINGLES_MAX)
		count = TLS_OCSP_SINGLES_MAX;
	for (int i = 0; i < count; i++) {
		OCSP_SINGLERESP *single = OCSP_resp_get0(basic, i);
		struct answer answer = { 0 };

		if (!is_about(single, verified))
			continue;
		answer.status = OCSP_single_get0_status(single, &answer.reason, &answer.revoked_at,
							&answer.this_update, &answer.next_update);
		if (!found || answer.status == V_OCSP_CERTSTATUS_REVOKED)
			*ret_answer = answer;
		found = true;
	}
	return found;
}

/* ---- judging ---------------------------------------------------------------------------------------------------- */

/*
 * Signed by the issuer itself, or by one whom the issuer made its responder (id-kp-OCSPSigning): OCSP_basic_verify(3)
 * sees to both, and to the signer's own chain.  An anchor that is trusted for all the OCSP of the world is not accepted.
 */
static bool
is_signed(OCSP_BASICRESP *basic, const struct tls_ocsp_case *ocsp_case)
{
	_cleanup_(stack_freep) STACK_OF(X509) *others = sk_X509_dup(ocsp_case->verified);

	if (!others)
		return false;
	if (sk_X509_num(others) > 1) /* a leaf alone is its own issuer */
		sk_X509_shift(others);
	return OCSP_basic_verify(basic, others, ocsp_case->store, OCSP_NOEXPLICIT) == 1;
}

static bool
is_recent(const struct answer *answer, int64_t *ret_until, struct failure *failure)
{
	long age_max = answer->next_update ? -1 : TLS_OCSP_AGE_MAX;
	time_t latest = (time_t)(clock_realtime() / USEC_PER_SEC) + TLS_OCSP_SKEW;

	if (X509_cmp_time(answer->this_update, &latest) > 0)
		return refuse_at(failure, "it is of the future", answer->this_update);
	if (!OCSP_check_validity(answer->this_update, answer->next_update, TLS_OCSP_SKEW, age_max))
		return refuse_at(failure, "it is stale",
				 answer->next_update ? answer->next_update : answer->this_update);
	*ret_until = tls_time_seconds(answer->next_update ? answer->next_update : answer->this_update) +
		     (answer->next_update ? TLS_OCSP_SKEW : TLS_OCSP_AGE_MAX);
	return true;
}

/* A revocation is not taken back by getting old. */
static bool
judge_answer(const struct answer *answer, int64_t *ret_until, struct failure *failure)
{
	switch (answer->status) {
	case V_OCSP_CERTSTATUS_REVOKED:
		failure->code = FAILURE_TLS_CERTIFICATE_REVOKED;
		tls_verify_revoked(failure, answer->revoked_at, answer->reason);
		return false;
	case V_OCSP_CERTSTATUS_GOOD: return is_recent(answer, ret_until, failure);
	default: return refuse(failure, "the responder does not know the certificate");
	}
}

static bool
judge(const struct tls_ocsp_case *ocsp_case, OCSP_BASICRESP *basic, int64_t *ret_until,
      struct failure *failure)
{
	struct answer answer = { 0 };

	if (!find_answer(basic, ocsp_case->verified, &answer))
		return refuse(failure, "it is about another certificate");
	if (!is_signed(basic, ocsp_case))
		return refuse(failure, "its signature cannot be verified");
	return judge_answer(&answer, ret_until, failure);
}

bool
tls_ocsp_judge(const struct tls_ocsp_case *ocsp_case, const unsigned char *response, size_t length,
	       int64_t *ret_until, struct failure *failure)
{
	_cleanup_(OCSP_BASICRESP_freep) OCSP_BASICRESP *basic = NULL;
	bool good;

	must(sk_X509_num(ocsp_case->verified) > 0);
	ERR_set_mark();
	basic = parse(response, length, failure);
	good = basic && judge(ocsp_case, basic, ret_until, failure);
	ERR_pop_to_mark();
	return good;
}

bool
tls_ocsp_demanded(const X509 *x509)
{
	_cleanup_(TLS_FEATURE_freep)
		TLS_FEATURE *features = X509_get_ext_d2i(x509, NID_tlsfeature, NULL, NULL);

	for (int i = 0; features && i < sk_ASN1_INTEGER_num(features); i++) {
		if (ASN1_INTEGER_get(sk_ASN1_INTEGER_value(features, i)) == TLS_FEATURE_STATUS_REQUEST)
			return true;
	}
	return false;
}

/* ---- in the handshake ------------------------------------------------------------------------------------------- */

bool
tls_ocsp_wanted(const struct tls_policy *policy)
{
	return policy->ocsp != OCSP_OFF && tls_needs_trust(policy);
}

/* Nothing was stapled.  Returns whether that will do. */
static bool
judge_nothing(const struct tls *tls, const X509 *leaf)
{
	if (tls->policy->ocsp == OCSP_CHECK && !tls_ocsp_demanded(leaf))
		return true;
	tls->failure->code = FAILURE_TLS_OCSP_MISSING;
	if (tls_ocsp_demanded(leaf))
		failure_add_detail(tls->failure, "why", "its certificate demands one (must-staple)");
	return false;
}

static bool
judge_stapled(struct tls *tls, const unsigned char *response, long length)
{
	STACK_OF(X509) *verified = SSL_get0_verified_chain(tls->ssl);
	const struct tls_ocsp_case ocsp_case = { verified, tls->context->store->x509 };
	int64_t until;

	if (length < 0)
		return judge_nothing(tls, sk_X509_value(verified, 0));
	if (!tls_ocsp_judge(&ocsp_case, response, (size_t)length, &until, tls->failure))
		return false;
	if (until < tls->origin.trusted_until)
		tls->origin.trusted_until = until;
	return true;
}

int
tls_ocsp_see(SSL *ssl, void *arg)
{
	struct tls *tls = SSL_get_app_data(ssl);
	const unsigned char *response = NULL;
	long length = SSL_get_tlsext_status_ocsp_resp(ssl, &response);

	(void)arg;
	if (!tls_ocsp_wanted(tls->policy) || SSL_session_reused(ssl))
		return 1;
	must(tls->failure);
	tls->ocsp_judged = tls->certificate_judged && judge_stapled(tls, response, length);
	tls->refused = !tls->ocsp_judged;
	SSL_set_tlsext_status_ocsp_resp(ssl, NULL, 0); /* an idle connection need not keep it */
	return tls->ocsp_judged ? 1 : 0;
}
