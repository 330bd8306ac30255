#include "config/check.h"

#include "base/must.h"
#include "base/text.h"
#include "config/duration.h"
#include "config/value.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SENTENCE_MAX 512

const config_setting_t *
check_setting(const config_setting_t *group, const char *path)
{
	const char *dot = strchr(path, '.');
	char first[32];

	if (!group || !dot)
		return group ? config_setting_get_member(group, path) : NULL;
	snprintf(first, sizeof(first), "%.*s", (int)(dot - path), path);
	group = config_setting_get_member(group, first);
	return group ? config_setting_get_member(group, dot + 1) : NULL;
}

/* Blame the key at `path`, where it stands: with the upstream, in the defaults, or nowhere. */
static void __attribute__((format(printf, 3, 4)))
blame(const struct check_site *site, const char *path, const char *format, ...)
{
	const config_setting_t *setting = check_setting(site->own, path);
	char sentence[SENTENCE_MAX];
	va_list arguments;

	if (!setting)
		setting = check_setting(site->defaults, path);
	va_start(arguments, format);
	vsnprintf(sentence, sizeof(sentence), format, arguments);
	va_end(arguments);
	site->complain(site, setting ? setting : site->own, path, sentence);
}

/* Whether all keys in the NULL-ended list could be read, so that they can be held against each other. */
static bool
sound(const struct check_site *site, const char *const *paths)
{
	for (; *paths; paths++) {
		const struct schema_key *key = schema_find(SCOPE_UPSTREAM, *paths);

		must(key);
		if (site->bad[schema_index(key)])
			return false;
	}
	return true;
}

#define SOUND(site, ...) sound((site), (const char *const[]){ __VA_ARGS__, NULL })

/*
 * The value at `path`, if any, has no effect: a problem where the upstream itself gives it; what came from the
 * defaults is forgotten.
 */
static void __attribute__((format(printf, 3, 4)))
no_effect(const struct check_site *site, const char *path, const char *format, ...)
{
	const struct schema_key *key = schema_find(SCOPE_UPSTREAM, path);
	char reason[SENTENCE_MAX / 2];
	va_list arguments;

	must(key);
	if (!SOUND(site, path) || value_is_default(key, site->upstream))
		return;
	if (!check_setting(site->own, path)) {
		must(value_reset(key, site->upstream) == 0);
		return;
	}
	va_start(arguments, format);
	vsnprintf(reason, sizeof(reason), format, arguments);
	va_end(arguments);
	blame(site, path, "has no effect %s", reason);
}

static const char *
word_of(const char *path, int value)
{
	const struct schema_key *key = schema_find(SCOPE_UPSTREAM, path);

	must(key && key->words);
	for (const struct schema_word *word = key->words; word->word; word++)
		if (word->value == value)
			return word->word;
	must_not_reach();
}

static void
check_pairs(const struct check_site *site)
{
	const struct tls_policy *tls = &site->upstream->policy.tls;

	if (SOUND(site, "tls.certificate", "tls.key")) {
		if (tls->certificate && !tls->key)
			blame(site, "tls.certificate",
			      "needs a key: name its file in tls.key (it may be the same file)");
		if (tls->key && !tls->certificate)
			blame(site, "tls.key", "needs a certificate: name its file in tls.certificate");
	}
	if (SOUND(site, "tls.key") && tls->key_password_file && !tls->key)
		no_effect(site, "tls.key_password_file", "without tls.key");
	if (SOUND(site, "tls.alpn", "tls.alpn_required") && tls->alpn_required && !tls->alpn)
		blame(site, "tls.alpn_required", "needs tls.alpn");
}

/* Whether `name` is what stands before the port of an address, and of which kind. */
static bool
is_host(const char *name, enum target_kind *ret_kind, const char **ret_problem)
{
	char address[TARGET_HOST_MAX + 8];
	struct target target;

	snprintf(address, sizeof(address), strchr(name, ':') ? "[%s]:1" : "%s:1", name);
	if (target_parse(address, FAMILY_ANY, &target, ret_problem) < 0)
		return false;
	*ret_kind = target.kind;
	return true;
}

static void
check_names(const struct check_site *site)
{
	const struct tls_policy *tls = &site->upstream->policy.tls;
	const char *problem;
	enum target_kind kind;

	if (tls->verify_name && !is_host(tls->verify_name, &kind, &problem))
		blame(site, "tls.verify_name", "\"%s\" %s", tls->verify_name, problem);
	if (!tls->sni || !*tls->sni)
		return;
	if (!is_host(tls->sni, &kind, &problem))
		blame(site, "tls.sni", "\"%s\" %s", tls->sni, problem);
	else if (kind != TARGET_NAME)
		blame(site, "tls.sni", "\"%s\" is an address; only a host name can be sent", tls->sni);
}

static void
check_verify(const struct check_site *site)
{
	static const char *const of_chains[] = { "tls.ca_file", "tls.ca_dir", "tls.crl_file" };
	const struct upstream *upstream = site->upstream;
	const struct tls_policy *tls = &upstream->policy.tls;
	const char *verify = word_of("tls.verify", (int)tls->verify);

	if (!SOUND(site, "tls.verify"))
		return;
	if (tls->verify == VERIFY_PIN && tls->pin_count == 0 && SOUND(site, "tls.pins"))
		blame(site, "tls.verify", "\"pin\" needs tls.pins");
	if (tls->verify == VERIFY_NONE)
		no_effect(site, "tls.pins",
			  "with tls.verify = \"none\" (\"pin\" checks the pins alone)");
	for (size_t i = 0; i < COUNT_OF(of_chains); i++)
		if (tls->verify == VERIFY_PIN || tls->verify == VERIFY_NONE)
			no_effect(site, of_chains[i], "with tls.verify = \"%s\"", verify);
	if (tls->verify != VERIFY_FULL)
		no_effect(site, "tls.verify_name", "with tls.verify = \"%s\"", verify);

	if (tls->verify != VERIFY_FULL || tls->verify_name || !SOUND(site, "tls.verify_name", "address"))
		return;
	for (unsigned int i = 0; i < upstream->target_count; i++)
		if (upstream->targets[i].kind == TARGET_UNIX)
			blame(site, "address",
			      "a unix: address has no host to verify: set tls.verify_name, or another "
			      "tls.verify");
}

/* The lower bound is above the upper one; the one that the upstream gives itself is to blame. */
static void
crossed(const struct check_site *site, const char *low_path, const char *low, const char *high_path,
	const char *high)
{
	if (!check_setting(site->own, low_path) && check_setting(site->own, high_path))
		blame(site, high_path, "\"%s\" is less than %s = \"%s\"", high, low_path, low);
	else
		blame(site, low_path, "\"%s\" is more than %s = \"%s\"", low, high_path, high);
}

static void
check_versions(const struct check_site *site)
{
	const struct tls_policy *tls = &site->upstream->policy.tls;

	if (!SOUND(site, "tls.min_version", "tls.max_version"))
		return;
	if (tls->max_version && tls->min_version > tls->max_version)
		crossed(site, "tls.min_version", word_of("tls.min_version", tls->min_version),
			"tls.max_version", word_of("tls.max_version", tls->max_version));
	if (tls->min_version >= TLS_POLICY_VERSION_1_3)
		no_effect(site, "tls.ciphers", "with TLS 1.3 alone, which has tls.ciphersuites");
	if (tls->max_version && tls->max_version < TLS_POLICY_VERSION_1_3)
		no_effect(site, "tls.ciphersuites", "below TLS 1.3, which has tls.ciphers");
}

static void
check_retry(const struct check_site *site)
{
	const struct retry_policy *retry = &site->upstream->policy.retry;
	char initial[DURATION_TEXT_MAX], max[DURATION_TEXT_MAX];

	if (retry->initial > retry->max && SOUND(site, "retry.initial", "retry.max"))
		crossed(site, "retry.initial",
			duration_format(retry->initial, initial, sizeof(initial)), "retry.max",
			duration_format(retry->max, max, sizeof(max)));
}

static void
check_source(const struct check_site *site)
{
	const struct upstream *upstream = site->upstream;
	const struct address *source = &upstream->policy.transport.source;
	bool ipv6 = address_is_ipv6(source);
	enum family other = ipv6 ? FAMILY_IPV4 : FAMILY_IPV6;

	if (!address_is_set(source) || !SOUND(site, "source", "address", "family"))
		return;
	if (upstream->policy.family == other)
		blame(site, "source", "is an %s address, but family = \"%s\"",
		      ipv6 ? "IPv6" : "IPv4", word_of("family", (int)other));
	for (unsigned int i = 0; i < upstream->target_count; i++) {
		const struct target *target = &upstream->targets[i];
		char text[TARGET_HOST_MAX + 16];

		if (target->kind == TARGET_ADDRESS && address_is_ipv6(&target->address) != ipv6)
			blame(site, "source", "is an %s address, but \"%s\" is not",
			      ipv6 ? "IPv6" : "IPv4", target_format(target, text, sizeof(text)));
	}
}

static void
check_unix(const struct check_site *site)
{
	static const char *const of_networks[] = { "source", "interface", "mark", "family" };
	const struct upstream *upstream = site->upstream;

	if (!SOUND(site, "address"))
		return;
	for (unsigned int i = 0; i < upstream->target_count; i++)
		if (upstream->targets[i].kind != TARGET_UNIX)
			return;
	for (size_t i = 0; i < COUNT_OF(of_networks); i++)
		no_effect(site, of_networks[i], "on a unix: address");
}

void
check_upstream(const struct check_site *site)
{
	check_retry(site);
	check_source(site);
	check_unix(site);
	if (!site->upstream->policy.tls.enabled)
		return;
	check_pairs(site);
	check_names(site);
	check_verify(site);
	check_versions(site);
}

bool
check_judged(const struct check_site *site, config_check_fn judge)
{
	struct upstream asked = { .policy = site->upstream->policy };
	const char *option = "";
	char why[SENTENCE_MAX] = "", path[SCHEMA_PATH_TEXT_MAX];
	bool good = true;

	schema_for_each(key, SCOPE_UPSTREAM) if (key->judged &&
						 site->bad[schema_index(key)]) return false; /* it would be asked about something else */
	while (judge(&asked.policy.tls, &option, why, sizeof(why)) < 0) {
		const struct schema_key *key;

		snprintf(path, sizeof(path), "%s%s", strchr(option, '.') ? "" : "tls.", option);
		key = schema_find(SCOPE_UPSTREAM, path);
		if (!good && key && value_is_default(key, &asked))
			break; /* it has been said */
		blame(site, path, "%s", why);
		good = false;
		/* Once more without it: it may not be the only one. */
		if (!key || value_reset(key, &asked) < 0)
			break;
	}
	return good;
}
