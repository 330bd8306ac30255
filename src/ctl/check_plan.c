/* From a URL and options to an upstream: by way of a configuration, so that the same rules hold. */
#include "ctl/check.h"

#include "base/cleanup.h"
#include "config/duration.h"
#include "core/policy.h"
#include "core/probe.h"
#include "core/starttls.h"
#include "ctl/check_url.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the configuration takes for each stage. */
#define TIMEOUT_LEAST (100 * USEC_PER_MSEC)
/* Of the configuration that stands for the command line. */
#define PLAN_BYTES ((size_t)64 * 1024)

/* ---- the configuration ------------------------------------------------------------------------------------------ */

/* A string in libconfig's syntax. */
static void
add_string(struct text *text, const char *value)
{
	text_add(text, "\"");
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			text_add(text, "\\");
		if ((unsigned char)*value < 0x20)
			text_addf(text, "\\x%02x", (unsigned char)*value);
		else
			text_add_bytes(text, value, 1);
	}
	text_add(text, "\"");
}

static void
add_key(struct text *text, const char *key, const char *value)
{
	if (!value)
		return;
	text_addf(text, "%s = ", key);
	add_string(text, value);
	text_add(text, "; ");
}

/* A path as the configuration wants it: absolute. */
static void
add_path(struct text *text, const char *key, const char *value)
{
	_cleanup_(freep) char *whole = value && value[0] ? realpath(value, NULL) : NULL;

	add_key(text, key, whole ? whole : value);
}

/* "h2,http/1.1" as a list. */
static void
add_list(struct text *text, const char *key, const char *value)
{
	if (!value)
		return;
	text_addf(text, "%s = [ ", key);
	for (const char *at = value; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
		_cleanup_(freep) char *word = ctl_need(strndup(at, strcspn(at, ",")));

		if (at != value)
			text_add(text, ", ");
		add_string(text, word);
	}
	text_add(text, " ]; ");
}

/* What is sent as SNI; NULL: the host of the URL.  Not every name that can be verified can be sent. */
static const char *
name_to_send(const char *const *values)
{
	const char *name = values[OPTION_NAME];
	struct in6_addr ip;

	if (values[OPTION_SNI] || !name)
		return values[OPTION_SNI];
	if (strcmp(name, VERIFY_NAME_SRV_TARGET) == 0)
		return NULL;
	return inet_pton(AF_INET, name, &ip) == 1 || inet_pton(AF_INET6, name, &ip) == 1 ? "" : name;
}

static void
add_tls(struct text *text, const struct arguments *arguments)
{
	const char *const *values = arguments->values;
	bool full = !values[OPTION_VERIFY] || strcmp(values[OPTION_VERIFY], "full") == 0;

	text_add(text, "tls = { ");
	add_path(text, "ca_file", values[OPTION_CA_FILE]);
	add_path(text, "certificate", values[OPTION_CERTIFICATE]);
	add_path(text, "key", values[OPTION_KEY]);
	add_key(text, "verify", values[OPTION_VERIFY]);
	add_key(text, "verify_name", full ? values[OPTION_NAME] : NULL);
	add_key(text, "sni", name_to_send(values));
	add_key(text, "min_version", values[OPTION_MIN_VERSION]);
	add_path(text, "crl_file", values[OPTION_CRL_FILE]);
	add_key(text, "ocsp", values[OPTION_OCSP]);
	add_list(text, "pins", values[OPTION_PIN]);
	add_list(text, "alpn", values[OPTION_ALPN]);
	text_add(text, "}; ");
}

static void
add_proxy(struct text *text, const struct arguments *arguments)
{
	const char *const *values = arguments->values;

	add_key(text, "proxy", values[OPTION_VIA]);
	add_key(text, "proxy_user", values[OPTION_PROXY_USER]);
	add_path(text, "proxy_password_file", values[OPTION_PROXY_PASSWORD_FILE]);
	add_key(text, "proxy_protocol", values[OPTION_PROXY_PROTOCOL]);
}

/* ---- the probe -------------------------------------------------------------------------------------------------- */

/* What --probe says, KIND or KIND:WHAT, and where WHAT stands in the configuration. */
static const struct {
	const char *word, *kind, *key;
} probes[] = {
	{ "none", NULL, NULL },
	{ "expect", "expect", "expect" },
	{ "regex", "expect", "expect_regex" },
	{ "http", "http", "request" },
	{ "redis", "redis", NULL },
	{ "postgres", "postgres", "user" },
	{ "mysql", "mysql", "user" },
	{ "smtp", "smtp", NULL },
	{ "imap", "imap", NULL },
	{ "memcached", "memcached", NULL },
	{ "mqtt", "mqtt", NULL },
};

static void
complain_probe(const char *word)
{
	const char *words[COUNT_OF(probes)], *nearest;

	for (size_t i = 0; i < COUNT_OF(probes); i++)
		words[i] = probes[i].word;
	nearest = arguments_suggest(word, words, COUNT_OF(words));
	if (nearest)
		ctl_complain("there is no probe %s; did you mean --probe=%s?", word, nearest);
	else
		ctl_complain("there is no probe %s; see holdfastctl(1)", word);
}

/* "/health" is as good as "GET /health". */
static void
add_request(struct text *text, const char *what)
{
	char request[PROBE_TEXT_MAX + 8];

	snprintf(request, sizeof(request), "%s%s", what[0] == '/' ? "GET " : "", what);
	add_key(text, "request", request);
}

/* Returns false where there is no such probe; `what` may be NULL. */
static bool
add_probe_kind(struct text *text, const char *word, const char *what)
{
	size_t row = 0;

	while (row < COUNT_OF(probes) && strcmp(probes[row].word, word) != 0)
		row++;
	if (row == COUNT_OF(probes)) {
		complain_probe(word);
		return false;
	}
	if (what && what[0] && !probes[row].key) {
		ctl_complain("the probe %s asks one thing only: --probe=%s", word, word);
		return false;
	}
	if (!probes[row].kind)
		return true;
	text_add(text, "probe = { ");
	add_key(text, "kind", probes[row].kind);
	if (what && what[0] && strcmp(probes[row].key, "request") == 0)
		add_request(text, what);
	else if (what && what[0])
		add_key(text, probes[row].key, what);
	text_add(text, "}; ");
	return true;
}

/* What --probe says, or what goes with the scheme. */
static bool
add_probe(struct text *text, const struct arguments *arguments, const struct check_url *url)
{
	const char *wanted = arguments->values[OPTION_PROBE];
	_cleanup_(freep) char *word = NULL;

	if (!wanted && url->scheme->probe == PROBE_NONE)
		return true;
	if (!wanted)
		return add_probe_kind(text, probe_kind_name(url->scheme->probe), url->path);
	word = ctl_need(strndup(wanted, strcspn(wanted, ":")));
	if (strchr(wanted, ':'))
		return add_probe_kind(text, word, strchr(wanted, ':') + 1);
	return add_probe_kind(text, word, strcmp(word, "http") == 0 ? url->path : NULL);
}

/* ---- all of it -------------------------------------------------------------------------------------------------- */

/* Each stage gets at most `timeout`; the attempt has none of its own to be in the way. */
static bool
add_timeouts(struct text *text, const char *value)
{
	static const struct {
		const char *key;
		usec_t initial;
	} stages[] = {
		{ "resolve", DEFAULT_RESOLVE_TIMEOUT },
		{ "connect", DEFAULT_CONNECT_TIMEOUT },
		{ "proxy", DEFAULT_PROXY_TIMEOUT },
		{ "starttls", DEFAULT_STARTTLS_TIMEOUT },
		{ "handshake", DEFAULT_HANDSHAKE_TIMEOUT },
		{ "probe", DEFAULT_PROBE_TIMEOUT },
	};
	char buffer[DURATION_TEXT_MAX];
	usec_t timeout;

	if (!value)
		return true;
	if (duration_parse(value, &timeout) < 0 || timeout == 0) {
		ctl_complain("--timeout is a duration (e.g. 5s), not \"%s\"", value);
		return false;
	}
	if (timeout < TIMEOUT_LEAST) {
		ctl_complain("--timeout is at least 100ms, not \"%s\"", value);
		return false;
	}
	text_add(text, "timeouts = { ");
	for (size_t i = 0; i < COUNT_OF(stages); i++)
		add_key(text, stages[i].key,
			duration_format(usec_min(timeout, stages[i].initial), buffer, sizeof(buffer)));
	text_add(text, "}; ");
	return true;
}

static bool
has_tls_options(const struct arguments *arguments)
{
	for (int option = OPTION_CA_FILE; option <= OPTION_MIN_VERSION; option++) {
		if (arguments->values[option])
			return true;
	}
	return false;
}

static enum family
family_of(const struct arguments *arguments)
{
	if (arguments_has(arguments, OPTION_IPV4))
		return FAMILY_IPV4;
	return arguments_has(arguments, OPTION_IPV6) ? FAMILY_IPV6 : FAMILY_ANY;
}

/* The problems are about a file nobody has written: what they say of its place is left out. */
static int
complain_options(const struct problems *problems)
{
	static const char prefix[] = "upstream \"check\": ";

	for (size_t i = 0; i < problems->count; i++) {
		const char *message = problems->at[i].message;

		if (strncmp(message, prefix, strlen(prefix)) == 0)
			message += strlen(prefix);
		ctl_complain("%s", message);
	}
	return STATUS_USAGE;
}

/* Returns false, having said why, where the options make no sense. */
static bool
write_plan(struct text *text, const struct arguments *arguments, const struct check_url *url)
{
	static const char *const families[] = {
		[FAMILY_ANY] = NULL,
		[FAMILY_IPV4] = "ipv4",
		[FAMILY_IPV6] = "ipv6",
	};

	text_add(text, "upstreams = ( { name = \"check\"; ");
	add_key(text, "address", url->address);
	add_key(text, "family", families[family_of(arguments)]);
	if (url->scheme->starttls != STARTTLS_NONE)
		add_key(text, "starttls", starttls_name(url->scheme->starttls));
	if (url->scheme->tls)
		add_tls(text, arguments);
	add_proxy(text, arguments);
	if (!add_probe(text, arguments, url) || !add_timeouts(text, arguments->values[OPTION_TIMEOUT]))
		return false;
	text_add(text, "} );\n");
	if (text->cut)
		ctl_complain("the options are too long");
	return !text->cut;
}

static int
load_plan(const struct arguments *arguments, const struct check_url *url, struct config **ret_config)
{
	_cleanup_(problems_done) struct problems problems = { 0 };
	_cleanup_(freep) char *buffer = ctl_need(malloc(PLAN_BYTES));
	struct text text;

	text_init(&text, buffer, PLAN_BYTES);
	if (!write_plan(&text, arguments, url))
		return STATUS_USAGE;
	if (config_load_text(buffer, "check", tls_check_policy, &problems, ret_config) < 0)
		return complain_options(&problems);
	return 0;
}

/* Whether the options that were given go together. */
static bool
options_fit(const struct arguments *arguments, const struct check_url *url)
{
	if (!url->scheme->tls && has_tls_options(arguments)) {
		ctl_complain("options about TLS need a URL that speaks it, such as tls://host:port");
		return false;
	}
	if (arguments_has(arguments, OPTION_CONFIG)) {
		ctl_complain("--config goes with the name of an upstream, not with a URL");
		return false;
	}
	return true;
}

/* The record says what is wrong, too: with --json it is all there is to read. */
static void
refuse_address(const char *address, const char *problem, struct failure *failure)
{
	char buffer[FAILURE_DETAILS_MAX / 2];
	struct text text = TEXT_INIT(buffer);

	failure_init(failure, FAILURE_ADDRESS_INVALID, STAGE_LOAD);
	text_add(&text, "\"");
	text_add_escaped(&text, address, strlen(address), NULL);
	text_addf(&text, "\" %s", problem);
	failure_add_detail(failure, "why", buffer);
}

static int
plan_url(const struct arguments *arguments, const struct check_url *url, struct check_plan *plan)
{
	struct target target;
	const char *problem;

	if (!options_fit(arguments, url))
		return STATUS_USAGE;
	if (target_parse(url->address, family_of(arguments), &target, &problem) < 0) {
		refuse_address(url->address, problem, &plan->failure);
		ctl_complain("\"%s\" %s", url->address, problem);
		return 0;
	}
	return load_plan(arguments, url, &plan->config);
}

int
check_plan(const struct arguments *arguments, struct check_plan *ret_plan)
{
	struct check_url url;
	int r = STATUS_USAGE;

	*ret_plan = (struct check_plan){ 0 };
	if (check_url_parse(arguments->names[0], &url))
		r = plan_url(arguments, &url, ret_plan);
	check_url_done(&url);
	return r;
}

void
check_plan_done(struct check_plan *plan)
{
	failure_done(&plan->failure);
	plan->config = config_unref(plan->config);
}
