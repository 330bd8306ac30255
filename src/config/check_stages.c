/* What can be wrong with the proxy, STARTTLS and the probe, each by itself and together with the rest. */
#include "config/check_internal.h"

#include "base/text.h"
#include "config/value.h"
#include "core/dialogue.h"

#include <stdio.h>
#include <string.h>

/* ---- the proxy ---------------------------------------------------------------------------------------- */

static void
check_proxy_user(const struct check_site *site)
{
	const struct proxy_policy *proxy = &site->upstream->policy.proxy;

	if (!SOUND(site, "proxy", "proxy_user"))
		return;
	if (proxy->kind == PROXY_NONE) {
		check_no_effect(site, "proxy_user", "without proxy");
		check_no_effect(site, "proxy_password_file", "without proxy");
		return;
	}
	if (!proxy->user)
		check_no_effect(site, "proxy_password_file", "without proxy_user");
	else if (proxy->kind == PROXY_HTTP && strchr(proxy->user, ':'))
		check_blame(site, "proxy_user",
			    "\"%s\" holds a colon, where a proxy of HTTP would take the password to begin",
			    proxy->user);
}

void
check_proxy(const struct check_site *site)
{
	const struct upstream *upstream = site->upstream;
	const struct policy *policy = &upstream->policy;
	const struct target *target = &policy->proxy.target;

	check_proxy_user(site);
	if (policy->proxy.kind == PROXY_NONE || !SOUND(site, "proxy"))
		return;
	if (target->kind == TARGET_ADDRESS && policy->family != FAMILY_ANY && SOUND(site, "family") &&
	    address_is_ipv6(&target->address) != (policy->family == FAMILY_IPV6))
		check_blame(site, "proxy", "is an %s address, but family = \"%s\"",
			    address_is_ipv6(&target->address) ? "IPv6" : "IPv4",
			    check_word("family", (int)policy->family));
	if (!SOUND(site, "address"))
		return;
	if (check_some_is(upstream, TARGET_UNIX) && !check_all_are(upstream, TARGET_UNIX))
		check_blame(site, "proxy", "leads to no unix: address, which is on this host");
	if (check_some_is(upstream, TARGET_SERVICE))
		check_blame(site, "proxy",
			    "leads to no srv: address: a proxy resolves names, but asks for no "
			    "SRV records");
}

/* ---- STARTTLS ----------------------------------------------------------------------------------------- */

void
check_starttls(const struct check_site *site)
{
	enum starttls starttls = site->upstream->policy.starttls;

	if (!SOUND(site, "starttls", "address"))
		return;
	if ((starttls == STARTTLS_XMPP || starttls == STARTTLS_XMPP_SERVER) &&
	    check_some_is(site->upstream, TARGET_UNIX))
		check_blame(site, "starttls", "\"%s\" must name a domain, which a unix: address has not",
			    check_word("starttls", (int)starttls));
}

/* ---- the probe ---------------------------------------------------------------------------------------- */

static const char *const step_paths[] = { "probe.steps", "probe.send", "probe.expect",
					  "probe.expect_regex" };

static bool
says_anything(const struct probe_policy *probe)
{
	size_t length = 0;

	for (unsigned int i = 0; i < probe->step_count; i++)
		length += probe->steps[i].send_length + probe->steps[i].expect_length +
			  (probe->steps[i].expect_regex != NULL);
	return length > 0;
}

/* The steps are those of another kind: a problem where the upstream gives any of them, else forgotten. */
static void
check_no_steps(const struct check_site *site, const char *reason)
{
	struct probe_policy *probe = &site->upstream->policy.probe;
	bool own = false;

	if (!says_anything(probe))
		return;
	for (size_t i = 0; i < COUNT_OF(step_paths); i++) {
		if (!check_setting(site->own, step_paths[i]))
			continue;
		check_blame(site, step_paths[i], "has no effect %s", reason);
		own = true;
	}
	if (own)
		return;
	probe->steps = NULL;
	probe->step_count = 0;
}

/* Whether `group` gives any of the keys from number `first` on. */
static bool
gives_steps(const config_setting_t *group, size_t first)
{
	for (size_t i = first; i < COUNT_OF(step_paths); i++)
		if (check_setting(group, step_paths[i]))
			return true;
	return false;
}

/* The list and the parts in one group: which of them holds would be a matter of their order. */
static void
check_both_ways(const struct check_site *site)
{
	const config_setting_t *group = gives_steps(site->own, 0) ? site->own : site->defaults;

	if (check_setting(group, "probe.steps") && gives_steps(group, 1))
		check_blame(site, "probe.steps",
			    "stands beside probe.send, probe.expect or probe.expect_regex: give one or the other");
}

static void
check_steps(const struct check_site *site)
{
	const struct probe_policy *probe = &site->upstream->policy.probe;
	size_t length = 0;

	check_both_ways(site);
	if (!SOUND(site, "probe.steps", "probe.send", "probe.expect", "probe.expect_regex"))
		return;
	if (!says_anything(probe))
		check_blame(site, "probe.kind",
			    "\"expect\" needs probe.send, probe.expect, "
			    "probe.expect_regex or probe.steps");
	if (probe->step_count == 1 && probe->steps[0].expect_length > 0 && probe->steps[0].expect_regex)
		check_blame(site, "probe.expect_regex",
			    "stands beside probe.expect: one of them is enough");
	for (unsigned int i = 0; i < probe->step_count; i++)
		length += probe->steps[i].send_length;
	if (length > DIALOGUE_OUTPUT_MAX)
		check_blame(site, "probe.steps", "send %zu octets together (at most %d)", length,
			    DIALOGUE_OUTPUT_MAX);
}

/* Whether `text` begins with a token (RFC 9110, section 5.6.2), and with what *ret_rest then goes on. */
static bool
skip_token(const char *text, const char **ret_rest)
{
	static const char token[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	size_t length = strspn(text, token);

	*ret_rest = text + length;
	return length > 0;
}

static void
check_request(const struct check_site *site)
{
	const struct probe_policy *probe = &site->upstream->policy.probe;
	const char *rest;

	if (!SOUND(site, "probe.request"))
		return;
	if (!skip_token(probe->request, &rest) || strncmp(rest, " /", 2) != 0 || strchr(rest + 1, ' '))
		check_blame(site, "probe.request",
			    "\"%s\" is not a method and a path (e.g. \"GET /health\")", probe->request);
	if (strncmp(probe->request, "HEAD ", strlen("HEAD ")) == 0)
		check_no_effect(site, "probe.body", "with a HEAD request, whose answer has none");
}

static void
check_header(const struct check_site *site)
{
	const char *header = site->upstream->policy.probe.header, *rest;

	if (header &&
	    (!skip_token(header, &rest) || strncmp(rest, ": ", 2) != 0 || !rest[2] || rest[2] == ' '))
		check_blame(site, "probe.header",
			    "\"%s\" is not a header (e.g. \"X-Role: primary\")", header);
}

static void
check_host(const struct check_site *site)
{
	const char *host = site->upstream->policy.probe.host, *problem, *ignored;
	struct target target;
	enum target_kind kind;

	if (!host || (target_parse(host, FAMILY_ANY, &target, &problem) == 0 &&
		      (target.kind == TARGET_NAME || target.kind == TARGET_ADDRESS)))
		return;
	if (!strchr(host, ':') && check_is_host(host, &kind, &ignored))
		return;
	check_blame(site, "probe.host",
		    "\"%s\" is not a host with or without a port (e.g. \"example.org\", "
		    "\"example.org:8080\", \"[2001:db8::1]:8080\")",
		    host);
}

/* An application that began in one protocol is not asked in another. */
static void
check_same_protocol(const struct check_site *site)
{
	static const enum probe_kind spoken[STARTTLS_COUNT] = {
		[STARTTLS_SMTP] = PROBE_SMTP,
		[STARTTLS_IMAP] = PROBE_IMAP,
		[STARTTLS_POSTGRES] = PROBE_POSTGRES,
		[STARTTLS_MYSQL] = PROBE_MYSQL,
	};
	const struct policy *policy = &site->upstream->policy;

	if (policy->starttls == STARTTLS_NONE || !SOUND(site, "starttls"))
		return;
	if (policy->probe.kind != PROBE_EXPECT && policy->probe.kind != spoken[policy->starttls])
		check_blame(site, "probe.kind", "\"%s\" is not what is spoken with starttls = \"%s\"",
			    check_word("probe.kind", (int)policy->probe.kind),
			    check_word("starttls", (int)policy->starttls));
}

/* Keys of other kinds; those of the steps, which share one place, apart. */
static void
check_other_kinds(const struct check_site *site, const char *reason)
{
	if (site->upstream->policy.probe.kind != PROBE_EXPECT)
		check_no_steps(site, reason);
	schema_for_each(key, SCOPE_UPSTREAM)
	{
		bool is_step = key->type == TYPE_STEPS || key->type == TYPE_STEP_SEND ||
			       key->type == TYPE_STEP_EXPECT || key->type == TYPE_STEP_REGEX;

		if (key->probes && !is_step && !schema_fits(key, site->upstream))
			check_no_effect(site, key->path, "%s", reason);
	}
}

void
check_probe(const struct check_site *site)
{
	const struct probe_policy *probe = &site->upstream->policy.probe;
	char reason[128] = "without probe.kind";

	if (!SOUND(site, "probe.kind"))
		return;
	if (probe->kind != PROBE_NONE)
		snprintf(reason, sizeof(reason), "with probe.kind = \"%s\"",
			 check_word("probe.kind", (int)probe->kind));
	check_other_kinds(site, reason);
	if (probe->kind == PROBE_NONE)
		return;
	check_same_protocol(site);
	if (probe->interval == 0)
		check_no_effect(site, "probe.failures", "with probe.interval = \"none\"");
	if (probe->kind == PROBE_EXPECT)
		check_steps(site);
	if (probe->kind != PROBE_HTTP)
		return;
	check_request(site);
	check_header(site);
	check_host(site);
}
