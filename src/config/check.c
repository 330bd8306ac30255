#include "config/check_internal.h"

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

void
check_blame(const struct check_site *site, const char *path, const char *format, ...)
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

bool
check_sound(const struct check_site *site, const char *const *paths)
{
	for (; *paths; paths++) {
		const struct schema_key *key = schema_find(SCOPE_UPSTREAM, *paths);

		must(key);
		if (site->bad[schema_index(key)])
			return false;
	}
	return true;
}

void
check_no_effect(const struct check_site *site, const char *path, const char *format, ...)
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
	check_blame(site, path, "has no effect %s", reason);
}

const char *
check_word(const char *path, int value)
{
	const struct schema_key *key = schema_find(SCOPE_UPSTREAM, path);

	must(key && key->words);
	for (const struct schema_word *word = key->words; word->word; word++)
		if (word->value == value)
			return word->word;
	must_not_reach();
}

void
check_crossed(const struct check_site *site, const char *low_path, const char *low,
	      const char *high_path, const char *high)
{
	if (!check_setting(site->own, low_path) && check_setting(site->own, high_path))
		check_blame(site, high_path, "\"%s\" is less than %s = \"%s\"", high, low_path, low);
	else
		check_blame(site, low_path, "\"%s\" is more than %s = \"%s\"", low, high_path, high);
}

bool
check_all_are(const struct upstream *upstream, enum target_kind kind)
{
	for (unsigned int i = 0; i < upstream->target_count; i++)
		if (upstream->targets[i].kind != kind)
			return false;
	return true;
}

bool
check_some_is(const struct upstream *upstream, enum target_kind kind)
{
	for (unsigned int i = 0; i < upstream->target_count; i++)
		if (upstream->targets[i].kind == kind)
			return true;
	return false;
}

static void
check_retry(const struct check_site *site)
{
	const struct retry_policy *retry = &site->upstream->policy.retry;
	char initial[DURATION_TEXT_MAX], max[DURATION_TEXT_MAX];

	if (retry->initial > retry->max && SOUND(site, "retry.initial", "retry.max"))
		check_crossed(site, "retry.initial",
			      duration_format(retry->initial, initial, sizeof(initial)),
			      "retry.max", duration_format(retry->max, max, sizeof(max)));
}

static void
check_source(const struct check_site *site)
{
	const struct upstream *upstream = site->upstream;
	const struct address *source = &upstream->policy.transport.source;
	bool ipv6 = address_is_ipv6(source);
	enum family other = ipv6 ? FAMILY_IPV4 : FAMILY_IPV6;
	/* One proxy leads to all of them. */
	unsigned int count = upstream->policy.proxy.kind == PROXY_NONE ? upstream->target_count : 1;

	if (!address_is_set(source) || !SOUND(site, "source", "address", "family", "proxy"))
		return;
	if (upstream->policy.family == other)
		check_blame(site, "source", "is an %s address, but family = \"%s\"",
			    ipv6 ? "IPv6" : "IPv4", check_word("family", (int)other));
	for (unsigned int i = 0; i < count; i++) {
		const struct target *target = upstream_reach(upstream, i);
		char text[TARGET_HOST_MAX + 16];

		if (target->kind == TARGET_ADDRESS && address_is_ipv6(&target->address) != ipv6)
			check_blame(site, "source", "is an %s address, but \"%s\" is not",
				    ipv6 ? "IPv6" : "IPv4", target_format(target, text, sizeof(text)));
	}
}

static void
check_unix(const struct check_site *site)
{
	static const char *const of_networks[] = { "source", "interface", "mark", "family", "proxy" };

	if (!SOUND(site, "address") || !check_all_are(site->upstream, TARGET_UNIX))
		return;
	for (size_t i = 0; i < COUNT_OF(of_networks); i++)
		check_no_effect(site, of_networks[i], "on a unix: address");
}

void
check_upstream(const struct check_site *site)
{
	check_retry(site);
	check_unix(site);
	check_proxy(site);
	check_source(site);
	check_starttls(site);
	check_probe(site);
	if (site->upstream->policy.tls.enabled)
		check_tls(site);
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
		check_blame(site, path, "%s", why);
		good = false;
		/* Once more without it: it may not be the only one. */
		if (!key || value_reset(key, &asked) < 0)
			break;
	}
	return good;
}
