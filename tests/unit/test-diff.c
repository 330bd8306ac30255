#include "check.h"

#include "config/diff.h"
#include "config/schema.h"

#include <stdio.h>
#include <string.h>

static struct config *
load(const char *text)
{
	struct problems problems = { 0 };
	struct config *config = NULL;

	if (config_load_text(text, "t", NULL, &problems, &config) < 0)
		fail_msg("%s: %s", text, problems.at[0].message);
	return config;
}

/* An upstream called u with the keys given, on top of what TLS keys need. */
static struct config *
load_upstream(const char *keys)
{
	char text[1024];

	snprintf(text, sizeof(text), "upstreams = ( { name = \"u\"; %s } );", keys);
	return load(text);
}

static struct diff
diff_of(const char *before, const char *after)
{
	_cleanup_(config_unrefp) struct config *old = load(before);
	_cleanup_(config_unrefp) struct config *new = load(after);
	struct diff diff;

	assert_int_equal(config_diff(old, new, &diff), 0);
	return diff;
}

#define PIN_A "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define PIN_B "ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

/* For each key of an upstream, two texts that differ in it alone. */
static const struct key_case {
	const char *path;
	enum change_kind kind;
	const char *before, *after;
} upstream_keys[] = {
#define KEY(path, kind, before, after) \
	{ \
		path, CHANGE_##kind, before, after \
	}
#define PLAIN(path, kind, keys) KEY(path, kind, "address = \"a:1\";", "address = \"a:1\"; " keys)
#define WITH_TLS(path, keys) \
	KEY(path, RECONNECTED, "address = \"a:1\"; tls = true;", \
	    "address = \"a:1\"; tls = { " keys " };")
#define WITH_PROXY(path, keys) \
	KEY(path, RECONNECTED, "address = \"a:1\"; proxy = \"http://p:1\"; proxy_user = \"a\";", \
	    "address = \"a:1\"; proxy = \"http://p:1\"; " keys)
#define PROBE(path, before, after) \
	KEY(path, CHANGED, "address = \"a:1\"; probe = { " before " };", \
	    "address = \"a:1\"; probe = { " after " };")
	KEY("address", RECONNECTED, "address = \"a:1\";", "address = \"a:2\";"),
	KEY("address", RECONNECTED, "address = \"a:1\";", "address = \"a.:1\";"),
	KEY("address", RECONNECTED, "address = \"a:1\";", "address = [ \"a:1\", \"b:1\" ];"),
	KEY("address", RECONNECTED, "address = [ \"b:1\", \"a:1\" ];", "address = [ \"a:1\", \"b:1\" ];"),
	KEY("address", RECONNECTED, "address = \"[fe80::1%a]:1\";", "address = \"[fe80::1%b]:1\";"),
	KEY("address", RECONNECTED, "address = \"unix:/a\";", "address = \"unix:/b\";"),
	PLAIN("enabled", CHANGED, "enabled = false;"),
	PLAIN("connections", CHANGED, "connections = 2;"),
	PLAIN("family", RECONNECTED, "family = \"ipv6\";"),
	PLAIN("order", CHANGED, "order = \"random\";"),
	PLAIN("source", RECONNECTED, "source = \"192.0.2.1\";"),
	KEY("source", RECONNECTED, "address = \"a:1\"; source = \"fe80::1%a\";",
	    "address = \"a:1\"; source = \"fe80::1%b\";"),
	PLAIN("interface", RECONNECTED, "interface = \"eth0\";"),
	PLAIN("mark", RECONNECTED, "mark = 4294967295;"),
	PLAIN("lifetime", CHANGED, "lifetime = \"1h\";"),
	PLAIN("idle_limit", CHANGED, "idle_limit = \"1h\";"),
	PLAIN("timeouts.resolve", CHANGED, "timeouts = { resolve = \"1s\"; };"),
	PLAIN("timeouts.connect", CHANGED, "timeouts = { connect = \"1s\"; };"),
	PLAIN("timeouts.handshake", CHANGED, "timeouts = { handshake = \"1s\"; };"),
	PLAIN("timeouts.settle", CHANGED, "timeouts = { settle = \"1s\"; };"),
	PLAIN("timeouts.attempt", CHANGED, "timeouts = { attempt = \"1s\"; };"),
	PLAIN("timeouts.close", CHANGED, "timeouts = { close = \"1s\"; };"),
	PLAIN("retry.initial", CHANGED, "retry = { initial = \"2s\"; };"),
	PLAIN("retry.max", CHANGED, "retry = { max = \"2s\"; };"),
	PLAIN("retry.multiplier", CHANGED, "retry = { multiplier = 2.1; };"),
	PLAIN("retry.jitter", CHANGED, "retry = { jitter = \"none\"; };"),
	PLAIN("retry.stable_after", CHANGED, "retry = { stable_after = \"1s\"; };"),
	PLAIN("keepalive.idle", CHANGED, "keepalive = { idle = \"1s\"; };"),
	PLAIN("keepalive.interval", CHANGED, "keepalive = { interval = \"1s\"; };"),
	PLAIN("keepalive.count", CHANGED, "keepalive = { count = 1; };"),
	PLAIN("keepalive.user_timeout", CHANGED, "keepalive = { user_timeout = \"none\"; };"),
	KEY("address", RECONNECTED, "address = \"srv:_a._tcp.b\";", "address = \"srv:_a._tcp.c\";"),
	KEY("address", RECONNECTED, "address = \"srv:_a._tcp.b\";", "address = \"srv:_a._tcp.b.\";"),
	KEY("starttls", RECONNECTED, "address = \"a:1\"; tls = true;",
	    "address = \"a:1\"; starttls = \"smtp\";"),
	PLAIN("proxy", RECONNECTED, "proxy = \"http://p:1\";"),
	KEY("proxy", RECONNECTED, "address = \"a:1\"; proxy = \"http://p:1\";",
	    "address = \"a:1\"; proxy = \"socks5://p:1\";"),
	KEY("proxy", RECONNECTED, "address = \"a:1\"; proxy = \"http://p:1\";",
	    "address = \"a:1\"; proxy = \"http://p:2\";"),
	KEY("proxy", RECONNECTED, "address = \"a:1\"; proxy = \"http://p:1\";",
	    "address = \"a:1\"; proxy = \"http://q:1\";"),
	WITH_PROXY("proxy_user", "proxy_user = \"b\";"),
	WITH_PROXY("proxy_password_file", "proxy_user = \"a\"; proxy_password_file = \"/p\";"),
	PLAIN("proxy_protocol", RECONNECTED, "proxy_protocol = \"v2\";"),
	PLAIN("timeouts.proxy", CHANGED, "timeouts = { proxy = \"1s\"; };"),
	PLAIN("timeouts.starttls", CHANGED, "timeouts = { starttls = \"1s\"; };"),
	PLAIN("timeouts.probe", CHANGED, "timeouts = { probe = \"1s\"; };"),
	PLAIN("probe.kind", RECONNECTED, "probe = { kind = \"redis\"; };"),
	PROBE("probe.send", "kind = \"expect\"; send = \"a\";", "kind = \"expect\"; send = \"a\\0\";"),
	PROBE("probe.expect", "kind = \"expect\"; send = \"a\";",
	      "kind = \"expect\"; send = \"a\"; expect = \"b\";"),
	PROBE("probe.expect", "kind = \"expect\"; expect = \"ab\";",
	      "kind = \"expect\"; expect = \"ac\";"),
	PROBE("probe.expect_regex", "kind = \"expect\"; expect_regex = \"a\";",
	      "kind = \"expect\"; expect_regex = \"b\";"),
	PROBE("probe.steps", "kind = \"expect\"; steps = ( { send = \"a\"; }, { expect = \"b\"; } );",
	      "kind = \"expect\"; steps = ( { send = \"a\"; }, { expect_regex = \"b\"; } );"),
	PROBE("probe.steps", "kind = \"expect\"; steps = ( { send = \"a\"; }, { expect = \"b\"; } );",
	      "kind = \"expect\"; send = \"a\";"),
	PROBE("probe.send", "kind = \"expect\"; steps = ( { send = \"a\"; } );",
	      "kind = \"expect\"; send = \"b\";"),
	PROBE("probe.request", "kind = \"http\";", "kind = \"http\"; request = \"HEAD /\";"),
	PROBE("probe.host", "kind = \"http\";", "kind = \"http\"; host = \"b\";"),
	PROBE("probe.status", "kind = \"http\";", "kind = \"http\"; status = \"200-398\";"),
	PROBE("probe.status", "kind = \"http\"; status = 200;", "kind = \"http\"; status = \"201\";"),
	PROBE("probe.header", "kind = \"http\";", "kind = \"http\"; header = \"a: b\";"),
	PROBE("probe.body", "kind = \"http\";", "kind = \"http\"; body = \"b\";"),
	PROBE("probe.user", "kind = \"mysql\";", "kind = \"mysql\"; user = \"b\";"),
	PROBE("probe.interval", "kind = \"mqtt\";", "kind = \"mqtt\"; interval = \"none\";"),
	PROBE("probe.failures", "kind = \"mqtt\";", "kind = \"mqtt\"; failures = 1;"),
	PLAIN("tls", RECONNECTED, "tls = true;"),
	WITH_TLS("tls.ocsp", "ocsp = \"check\";"),
	KEY("tls.expiry_warning", CHANGED, "address = \"a:1\"; tls = true;",
	    "address = \"a:1\"; tls = { expiry_warning = \"none\"; };"),
	WITH_TLS("tls.verify", "verify = \"chain\";"),
	WITH_TLS("tls.verify_name", "verify_name = \"b\";"),
	WITH_TLS("tls.sni", "sni = \"b\";"),
	WITH_TLS("tls.sni", "sni = \"\";"),
	WITH_TLS("tls.ca_file", "ca_file = \"/a\";"),
	WITH_TLS("tls.ca_dir", "ca_dir = \"/a\";"),
	KEY("tls.certificate", RECONNECTED,
	    "address = \"a:1\"; tls = { certificate = \"/a\"; key = \"/k\"; };",
	    "address = \"a:1\"; tls = { certificate = \"/b\"; key = \"/k\"; };"),
	KEY("tls.key", RECONNECTED, "address = \"a:1\"; tls = { certificate = \"/a\"; key = \"/k\"; };",
	    "address = \"a:1\"; tls = { certificate = \"/a\"; key = \"/l\"; };"),
	KEY("tls.key_password_file", RECONNECTED,
	    "address = \"a:1\"; tls = { certificate = \"/a\"; key = \"/k\"; };",
	    "address = \"a:1\"; tls = { certificate = \"/a\"; key = \"/k\"; key_password_file = \"/p\"; };"),
	WITH_TLS("tls.crl_file", "crl_file = \"/a\";"),
	WITH_TLS("tls.pins", "pins = \"" PIN_A "\";"),
	KEY("tls.pins", RECONNECTED, "address = \"a:1\"; tls = { pins = \"" PIN_A "\"; };",
	    "address = \"a:1\"; tls = { pins = \"" PIN_B "\"; };"),
	WITH_TLS("tls.alpn", "alpn = \"h2\";"),
	KEY("tls.alpn", RECONNECTED, "address = \"a:1\"; tls = { alpn = [ \"a\", \"b\" ]; };",
	    "address = \"a:1\"; tls = { alpn = [ \"b\", \"a\" ]; };"),
	KEY("tls.alpn_required", RECONNECTED, "address = \"a:1\"; tls = { alpn = \"a\"; };",
	    "address = \"a:1\"; tls = { alpn = \"a\"; alpn_required = true; };"),
	WITH_TLS("tls.min_version", "min_version = \"1.1\";"),
	WITH_TLS("tls.max_version", "max_version = \"1.3\";"),
	WITH_TLS("tls.ciphers", "ciphers = \"HIGH\";"),
	WITH_TLS("tls.ciphersuites", "ciphersuites = \"TLS_AES_128_GCM_SHA256\";"),
	WITH_TLS("tls.groups", "groups = \"X25519\";"),
	WITH_TLS("tls.signature_algorithms", "signature_algorithms = \"ECDSA+SHA256\";"),
	WITH_TLS("tls.security_level", "security_level = 0;"),
	WITH_TLS("tls.resumption", "resumption = false;"),
	WITH_TLS("tls.keylog_file", "keylog_file = \"/a\";"),
};

static void
check_one_key(const struct key_case *wanted, const struct config *old, const struct config *new)
{
	struct diff diff;

	assert_int_equal(config_diff(old, new, &diff), 0);
	assert_int_equal(diff.count, 1);
	assert_string_equal(change_kind_name(diff.changes[0].kind), change_kind_name(wanted->kind));
	assert_int_equal(diff.changes[0].key_count, 1);
	assert_string_equal(diff.changes[0].keys[0], wanted->path);
	assert_ptr_equal(diff.changes[0].before, old->upstreams[0]);
	assert_ptr_equal(diff.changes[0].after, new->upstreams[0]);
	diff_done(&diff);
}

static void
test_each_key_of_an_upstream(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(upstream_keys); i++) {
		const struct key_case *wanted = &upstream_keys[i];
		_cleanup_(config_unrefp) struct config *old = load_upstream(wanted->before);
		_cleanup_(config_unrefp) struct config *new = load_upstream(wanted->after);
		_cleanup_(config_unrefp) struct config *same = load_upstream(wanted->after);
		struct diff diff;

		check_one_key(wanted, old, new);
		check_one_key(wanted, new, old);
		assert_int_equal(config_diff(new, same, &diff), 0);
		assert_int_equal(diff.changes[0].kind, CHANGE_KEPT);
		assert_int_equal(diff.changes[0].key_count, 0);
		diff_done(&diff);
	}
}

/* The table above forgets no key. */
static void
test_all_keys_are_tried(void **state)
{
	(void)state;
	schema_for_each(key, SCOPE_UPSTREAM)
	{
		bool found = strcmp(key->path, "name") == 0; /* another name is another upstream */

		for (size_t i = 0; i < COUNT_OF(upstream_keys); i++)
			found = found || strcmp(upstream_keys[i].path, key->path) == 0;
		if (!found)
			fail_msg("%s is not in the table", key->path);
	}
}

static void
test_daemon_keys(void **state)
{
	static const struct {
		const char *text, *path;
		bool restart;
	} cases[] = {
		{ "workers = 63;", "workers", true },
		{ "control = { path = \"/x\"; };", "control.path", true },
		{ "control = { mode = \"0600\"; };", "control.mode", false },
		{ "control = { group = \"x\"; };", "control.group", false },
		{ "control = { admin_group = \"x\"; };", "control.admin_group", false },
		{ "log = { target = \"stderr\"; };", "log.target", false },
		{ "log = { level = \"debug\"; };", "log.level", false },
		{ "log = { facility = \"local0\"; };", "log.facility", false },
		{ "log = { ident = \"x\"; };", "log.ident", false },
		{ "conf_dir = \"/x\";", "conf_dir", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct diff diff = diff_of("", cases[i].text);

		assert_int_equal(diff.count, 0);
		assert_int_equal(diff.restart_key_count, cases[i].restart);
		assert_int_equal(diff.daemon_key_count, !cases[i].restart);
		assert_string_equal(cases[i].restart ? diff.restart_keys[0] : diff.daemon_keys[0],
				    cases[i].path);
		diff_done(&diff);
	}
}

#define UPSTREAM(name, keys) "{ name = \"" name "\"; address = \"h:1\"; " keys " }"

/* Added, removed and kept ones, whatever the order of the files. */
static void
test_upstreams(void **state)
{
	static const struct {
		const char *name;
		enum change_kind kind;
	} wanted[] = {
		{ "a", CHANGE_REMOVED },     { "b", CHANGE_KEPT },  { "c", CHANGE_ADDED },
		{ "d", CHANGE_RECONNECTED }, { "e", CHANGE_ADDED }, { "f", CHANGE_CHANGED },
	};
	_cleanup_(config_unrefp) struct config *old = load("upstreams = (" UPSTREAM(
		"f", "") "," UPSTREAM("b", "") "," UPSTREAM("a", "") "," UPSTREAM("d", "") ");");
	_cleanup_(config_unrefp) struct config *new = load(
		"upstreams = (" UPSTREAM("e", "") "," UPSTREAM("d", "mark = 1; connections = 3;") "," UPSTREAM(
			"c", "") "," UPSTREAM("b", "") "," UPSTREAM("f", "connections = 3;") ");");
	struct diff diff;

	(void)state;
	assert_int_equal(config_diff(old, new, &diff), 0);
	assert_int_equal(diff.count, COUNT_OF(wanted));
	for (size_t i = 0; i < COUNT_OF(wanted); i++) {
		const struct change *change = &diff.changes[i];
		const struct upstream *any = change->after ? change->after : change->before;

		assert_int_equal(change->kind, wanted[i].kind);
		assert_string_equal(any->name, wanted[i].name);
		assert_true(!change->before == (change->kind == CHANGE_ADDED));
		assert_true(!change->after == (change->kind == CHANGE_REMOVED));
	}
	assert_int_equal(diff.changes[3].key_count, 2);
	diff_done(&diff);
}

/* Another spelling of the same address is no change. */
static void
test_spelling(void **state)
{
	struct diff diff = diff_of(
		"upstreams = ( { name = \"a\"; address = \"[2001:db8::0:1]:1\"; } );",
		"upstreams = ( { name = \"a\"; address = [ \"[2001:DB8::1]:1\" ]; } );");

	(void)state;
	assert_int_equal(diff.count, 1);
	assert_int_equal(diff.changes[0].kind, CHANGE_KEPT);
	diff_done(&diff);
}

/* Nor is another spelling of the same octets, or of the same steps. */
static void
test_spelling_of_probes(void **state)
{
	struct diff diff = diff_of(
		"upstreams = ( { name = \"a\"; address = \"a:1\"; probe = { kind = \"expect\"; "
		"send = \"\\x41\\r\\t\\\\r\\\\\\\\\"; expect = \"\\\\0\"; }; }, "
		"{ name = \"b\"; address = \"a:1\"; probe = { kind = \"http\"; status = 200; }; } );",
		"upstreams = ( { name = \"a\"; address = \"a:1\"; probe = { kind = \"expect\"; "
		"steps = ( { expect = \"\\0\"; send = \"A\\\\x0d\\\\t\\x0d\\\\x5c\"; } ); }; }, "
		"{ name = \"b\"; address = \"a:1\"; probe = { kind = \"http\"; status = \"200-200\"; }; } );");

	(void)state;
	assert_int_equal(diff.count, 2);
	for (size_t i = 0; i < diff.count; i++)
		assert_int_equal(diff.changes[i].kind, CHANGE_KEPT);
	diff_done(&diff);
}

static void
test_from_nothing(void **state)
{
	_cleanup_(config_unrefp) struct config *new = load("upstreams = (" UPSTREAM("a", "") ");");
	struct diff diff;

	(void)state;
	assert_int_equal(config_diff(NULL, new, &diff), 0);
	assert_int_equal(diff.count, 1);
	assert_int_equal(diff.changes[0].kind, CHANGE_ADDED);
	assert_int_equal(diff.restart_key_count + diff.daemon_key_count, 0);
	diff_done(&diff);
}

static void
test_share(void **state)
{
	_cleanup_(config_unrefp) struct config *old = load(
		"upstreams = (" UPSTREAM("a", "") "," UPSTREAM("b", "") "," UPSTREAM("x", "") ");");
	_cleanup_(config_unrefp) struct config *new = load("upstreams = (" UPSTREAM("a", "") "," UPSTREAM(
		"aa", "") "," UPSTREAM("b", "mark = 1;") "," UPSTREAM("x", "") ");");
	struct diff diff;

	(void)state;
	config_share(new, old);
	assert_ptr_equal(new->upstreams[0], old->upstreams[0]);
	assert_ptr_not_equal(new->upstreams[2], old->upstreams[1]);
	assert_ptr_equal(new->upstreams[3], old->upstreams[2]);
	assert_string_equal(new->upstreams[1]->name, "aa");
	assert_int_equal(config_diff(old, new, &diff), 0);
	assert_int_equal(diff.changes[0].kind, CHANGE_KEPT);
	diff_done(&diff);

	/* What is shared outlives the older snapshot. */
	old = config_unref(old);
	assert_string_equal(new->upstreams[0]->name, "a");
	config_share(new, new);
	assert_string_equal(new->upstreams[3]->name, "x");
}

/* What needs a restart stays as it is in force, and differs from the file again the next time. */
static void
test_keep_restart(void **state)
{
	static const char text[] = "workers = 63; control = { path = \"/x\"; mode = \"0600\"; };";
	_cleanup_(config_unrefp) struct config *old = load("workers = 2;");
	_cleanup_(config_unrefp) struct config *new = load(text), *next = load(text);
	struct diff diff;

	(void)state;
	assert_int_equal(config_keep_restart(new, old), 0);
	assert_int_equal(new->workers, 2);
	assert_string_equal(new->control.path, old->control.path);
	assert_ptr_not_equal(new->control.path, old->control.path);
	assert_int_equal(new->control.mode, 0600);
	assert_int_equal(config_diff(new, next, &diff), 0);
	assert_int_equal(diff.restart_key_count, 2);
	assert_int_equal(diff.daemon_key_count, 0);
	diff_done(&diff);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_key_of_an_upstream),
		cmocka_unit_test(test_all_keys_are_tried),
		cmocka_unit_test(test_daemon_keys),
		cmocka_unit_test(test_upstreams),
		cmocka_unit_test(test_spelling),
		cmocka_unit_test(test_spelling_of_probes),
		cmocka_unit_test(test_from_nothing),
		cmocka_unit_test(test_share),
		cmocka_unit_test(test_keep_restart),
	};

	RUN_TESTS(tests);
}
