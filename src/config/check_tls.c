/* What can be wrong with the keys of TLS together. */
#include "config/check_internal.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

static void
check_pairs(const struct check_site *site)
{
	const struct tls_policy *tls = &site->upstream->policy.tls;

	if (SOUND(site, "tls.certificate", "tls.key")) {
		if (tls->certificate && !tls->key)
			check_blame(site, "tls.certificate",
				    "needs a key: name its file in tls.key (it may be the same file)");
		if (tls->key && !tls->certificate)
			check_blame(site, "tls.key",
				    "needs a certificate: name its file in tls.certificate");
	}
	if (SOUND(site, "tls.key") && tls->key_password_file && !tls->key)
		check_no_effect(site, "tls.key_password_file", "without tls.key");
	if (SOUND(site, "tls.alpn", "tls.alpn_required") && tls->alpn_required && !tls->alpn)
		check_blame(site, "tls.alpn_required", "needs tls.alpn");
}

bool
check_is_host(const char *name, enum target_kind *ret_kind, const char **ret_problem)
{
	char address[TARGET_HOST_MAX + 8];
	struct target target;

	snprintf(address, sizeof(address), strchr(name, ':') ? "[%s]:1" : "%s:1", name);
	if (target_parse(address, FAMILY_ANY, &target, ret_problem) < 0)
		return false;
	*ret_kind = target.kind;
	return true;
}

/* Only an SRV record leads to a host other than the one that is configured. */
static void
check_srv_target(const struct check_site *site)
{
	if (SOUND(site, "address") && !check_all_are(site->upstream, TARGET_SERVICE))
		check_blame(site, "tls.verify_name",
			    "\"%s\" needs srv: addresses: it is the host that their records name",
			    VERIFY_NAME_SRV_TARGET);
}

static void
check_names(const struct check_site *site)
{
	const struct tls_policy *tls = &site->upstream->policy.tls;
	const char *problem;
	enum target_kind kind;

	if (tls->verify_name && strcmp(tls->verify_name, VERIFY_NAME_SRV_TARGET) == 0)
		check_srv_target(site);
	else if (tls->verify_name && !check_is_host(tls->verify_name, &kind, &problem))
		check_blame(site, "tls.verify_name", "\"%s\" %s", tls->verify_name, problem);
	if (!tls->sni || !*tls->sni)
		return;
	if (!check_is_host(tls->sni, &kind, &problem))
		check_blame(site, "tls.sni", "\"%s\" %s", tls->sni, problem);
	else if (kind != TARGET_NAME)
		check_blame(site, "tls.sni", "\"%s\" is an address; only a host name can be sent",
			    tls->sni);
}

static void
check_verify(const struct check_site *site)
{
	static const char *const of_chains[] = { "tls.ca_file", "tls.ca_dir", "tls.crl_file",
						 "tls.ocsp" };
	const struct upstream *upstream = site->upstream;
	const struct tls_policy *tls = &upstream->policy.tls;
	const char *verify = check_word("tls.verify", (int)tls->verify);

	if (!SOUND(site, "tls.verify"))
		return;
	if (tls->verify == VERIFY_PIN && tls->pin_count == 0 && SOUND(site, "tls.pins"))
		check_blame(site, "tls.verify", "\"pin\" needs tls.pins");
	if (tls->verify == VERIFY_NONE)
		check_no_effect(site, "tls.pins",
				"with tls.verify = \"none\" (\"pin\" checks the pins alone)");
	for (size_t i = 0; i < COUNT_OF(of_chains); i++)
		if (tls->verify == VERIFY_PIN || tls->verify == VERIFY_NONE)
			check_no_effect(site, of_chains[i], "with tls.verify = \"%s\"", verify);
	if ((tls->verify == VERIFY_PIN || tls->verify == VERIFY_NONE) && !tls->certificate &&
	    SOUND(site, "tls.certificate"))
		check_no_effect(site, "tls.expiry_warning",
				"with tls.verify = \"%s\" and without tls.certificate", verify);
	if (tls->verify != VERIFY_FULL)
		check_no_effect(site, "tls.verify_name", "with tls.verify = \"%s\"", verify);

	if (tls->verify != VERIFY_FULL || tls->verify_name || !SOUND(site, "tls.verify_name", "address"))
		return;
	if (check_some_is(upstream, TARGET_UNIX))
		check_blame(site, "address",
			    "a unix: address has no host to verify: set tls.verify_name, or another "
			    "tls.verify");
}

static void
check_versions(const struct check_site *site)
{
	const struct tls_policy *tls = &site->upstream->policy.tls;

	if (!SOUND(site, "tls.min_version", "tls.max_version"))
		return;
	if (tls->max_version && tls->min_version > tls->max_version)
		check_crossed(site, "tls.min_version", check_word("tls.min_version", tls->min_version),
			      "tls.max_version", check_word("tls.max_version", tls->max_version));
	if (tls->min_version >= TLS_POLICY_VERSION_1_3)
		check_no_effect(site, "tls.ciphers", "with TLS 1.3 alone, which has tls.ciphersuites");
	if (tls->max_version && tls->max_version < TLS_POLICY_VERSION_1_3)
		check_no_effect(site, "tls.ciphersuites", "below TLS 1.3, which has tls.ciphers");
}

void
check_tls(const struct check_site *site)
{
	check_pairs(site);
	check_names(site);
	check_verify(site);
	check_versions(site);
}
