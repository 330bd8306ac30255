/* From a URL and options to an upstream: by way of a configuration, so that the same rules hold. */
#include "ctl/check.h"

#include "base/cleanup.h"
#include "config/duration.h"
#include "core/policy.h"

#include <stdlib.h>
#include <string.h>

#define SCHEME_TLS  "tls://"
#define SCHEME_TCP  "tcp://"
#define SCHEME_UNIX "unix:"

bool
check_is_url(const char *word)
{
	return strstr(word, "://") || strncmp(word, SCHEME_UNIX, strlen(SCHEME_UNIX)) == 0;
}

/* The address in the URL, or NULL; *ret_tls: whether TLS is to be spoken. */
static const char *
url_address(const char *url, bool *ret_tls)
{
	*ret_tls = strncmp(url, SCHEME_TLS, strlen(SCHEME_TLS)) == 0;
	if (*ret_tls)
		return url + strlen(SCHEME_TLS);
	if (strncmp(url, SCHEME_TCP, strlen(SCHEME_TCP)) == 0)
		return url + strlen(SCHEME_TCP);
	return strncmp(url, SCHEME_UNIX, strlen(SCHEME_UNIX)) == 0 ? url : NULL;
}

static void
complain_scheme(const char *url)
{
	static const char *const schemes[] = { "tls", "tcp", "unix" };
	_cleanup_(freep) char *scheme = ctl_need(strndup(url, strcspn(url, ":")));
	const char *nearest = arguments_suggest(scheme, schemes, COUNT_OF(schemes));

	if (strcmp(scheme, "https") == 0)
		nearest = "tls";
	if (nearest)
		ctl_complain("check knows no scheme %s; did you mean %s://host:port?", scheme, nearest);
	else
		ctl_complain("check knows no scheme %s; it takes tls://host:port, tcp://host:port or "
			     "unix:/path",
			     scheme);
}

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
add_protocols(struct text *text, const char *value)
{
	if (!value)
		return;
	text_add(text, "alpn = [ ");
	for (const char *at = value; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
		_cleanup_(freep) char *word = ctl_need(strndup(at, strcspn(at, ",")));

		if (at != value)
			text_add(text, ", ");
		add_string(text, word);
	}
	text_add(text, " ]; ");
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
	add_key(text, "sni", values[OPTION_SNI] ? values[OPTION_SNI] : values[OPTION_NAME]);
	add_key(text, "min_version", values[OPTION_MIN_VERSION]);
	add_protocols(text, values[OPTION_ALPN]);
	text_add(text, "}; ");
}

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
		{ "handshake", DEFAULT_HANDSHAKE_TIMEOUT },
	};
	char buffer[DURATION_TEXT_MAX];
	usec_t timeout;

	if (!value)
		return true;
	if (duration_parse(value, &timeout) < 0 || timeout == 0) {
		ctl_complain("--timeout is a duration (e.g. 5s), not \"%s\"", value);
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

static int
load_plan(const struct arguments *arguments, const char *address, bool tls, struct config **ret_config)
{
	static const char *const families[] = {
		[FAMILY_ANY] = NULL,
		[FAMILY_IPV4] = "ipv4",
		[FAMILY_IPV6] = "ipv6",
	};
	_cleanup_(problems_done) struct problems problems = { 0 };
	size_t size = 64 * 1024;
	_cleanup_(freep) char *buffer = ctl_need(malloc(size));
	struct text text;

	text_init(&text, buffer, size);
	text_add(&text, "upstreams = ( { name = \"check\"; ");
	add_key(&text, "address", address);
	add_key(&text, "family", families[family_of(arguments)]);
	if (tls)
		add_tls(&text, arguments);
	if (!add_timeouts(&text, arguments->values[OPTION_TIMEOUT]))
		return STATUS_USAGE;
	text_add(&text, "} );\n");
	if (text.cut) {
		ctl_complain("the options are too long");
		return STATUS_USAGE;
	}
	if (config_load_text(buffer, "check", tls_check_policy, &problems, ret_config) < 0)
		return complain_options(&problems);
	return 0;
}

int
check_plan(const struct arguments *arguments, struct check_plan *ret_plan)
{
	const char *problem, *address;
	struct target target;
	bool tls;

	address = url_address(arguments->names[0], &tls);
	if (!address) {
		complain_scheme(arguments->names[0]);
		return STATUS_USAGE;
	}
	if (!tls && has_tls_options(arguments)) {
		ctl_complain("options about TLS need a tls:// URL");
		return STATUS_USAGE;
	}
	if (arguments_has(arguments, OPTION_CONFIG)) {
		ctl_complain("--config goes with the name of an upstream, not with a URL");
		return STATUS_USAGE;
	}
	*ret_plan = (struct check_plan){ 0 };
	if (target_parse(address, family_of(arguments), &target, &problem) < 0) {
		failure_init(&ret_plan->failure, FAILURE_ADDRESS_INVALID, STAGE_LOAD);
		ctl_complain("\"%s\" %s", address, problem);
		return 0;
	}
	return load_plan(arguments, address, tls, &ret_plan->config);
}

void
check_plan_done(struct check_plan *plan)
{
	failure_done(&plan->failure);
	plan->config = config_unref(plan->config);
}
