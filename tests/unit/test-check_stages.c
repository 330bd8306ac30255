/* config/check_stages: what can be wrong with STARTTLS, proxies and probes, and with services. */
#include "check.h"
#include "parse-case.h"

static void
test_stages(void **state)
{
	static const struct parse_case cases[] = {
		{ DB("starttls = \"smpt\";"), AT_DB
		  "starttls: \"smpt\" is not one of \"none\", \"smtp\", \"lmtp\", \"imap\", \"pop3\", "
		  "\"ftp\", \"nntp\", \"ldap\", \"xmpp\", \"xmpp-server\", \"sieve\", \"postgres\", "
		  "\"mysql\"" },
		{ DB("starttls = \"smtp\"; tls = false;"),
		  AT_DB "starttls: leads to TLS, but tls = false" },
		{ "defaults = { tls = false; };\n" DB("starttls = \"smtp\";"),
		  "t:2: upstream \"db\": starttls: leads to TLS, but tls = false" },
		{ "defaults = {\nstarttls = \"smtp\"; tls = false; };\n" DB(""),
		  "t:2: upstream \"db\": starttls: leads to TLS, but tls = false" },
		{ DB("starttls = \"smtp\"; tls = 1;"),
		  AT_DB "tls: expected true, false or a group { … }, found an integer" },
		{ "upstreams = ( { name = \"a\"; address = \"unix:/x\"; starttls = \"xmpp\"; "
		  "tls = { verify_name = \"a\"; }; } );",
		  "t:1: upstream \"a\": starttls: \"xmpp\" must name a domain, which a unix: address has not" },
		{ DB("proxy = \"p:1\\n\"; proxy_protocol = \"v3\";"),
		  AT_DB "proxy: \"p:1\\x0a\" holds control characters\n" AT_DB
			"proxy_protocol: \"v3\" is not one of \"none\", \"v1\", \"v2\"" },
		{ DB("proxy = 1;"), AT_DB
		  "proxy: expected a proxy (e.g. \"http://proxy.example.org:3128\"), found an integer" },
		{ DB("proxy = \"http://p:1\"; proxy_user = \"a:b\";"), AT_DB
		  "proxy_user: \"a:b\" holds a colon, where a proxy of HTTP would take the password to begin" },
		{ DB("proxy_user = \"a\"; proxy_password_file = \"/p\";"),
		  AT_DB "proxy_user: has no effect without proxy\n" AT_DB
			"proxy_password_file: has no effect without proxy" },
		{ DB("proxy = \"http://p:1\"; proxy_password_file = \"/p\";"),
		  AT_DB "proxy_password_file: has no effect without proxy_user" },
		{ DB("proxy = \"http://192.0.2.1:1\"; family = \"ipv6\";"),
		  AT_DB "proxy: is an IPv4 address, but family = \"ipv6\"" },
		{ DB("proxy = \"http://192.0.2.1:1\"; source = \"::1\";"),
		  AT_DB "source: is an IPv6 address, but \"192.0.2.1:1\" is not" },
		{ "upstreams = ( { name = \"a\"; address = \"unix:/x\"; proxy = \"http://p:1\"; } );",
		  "t:1: upstream \"a\": proxy: has no effect on a unix: address" },
		{ "defaults = {\nproxy = \"http://p:1\"; };\n"
		  "upstreams = ( { name = \"a\"; address = [ \"a:1\", \"unix:/x\", \"srv:_a._tcp.b\" ]; } );",
		  "t:2: upstream \"a\": proxy: leads to no unix: address, which is on this host\n"
		  "t:2: upstream \"a\": proxy: leads to no srv: address: a proxy resolves names, but asks for no "
		  "SRV records" },
		/* nothing is held against an address that is missing */
		{ "upstreams = ( { name = \"a\"; proxy = \"http://p:1\"; source = \"::1\"; mark = 1; "
		  "starttls = \"xmpp\"; tls = { verify_name = \"@target\"; }; } );",
		  "t:1: upstream \"a\": an address is missing" },
		{ DB("timeouts = { starttls = \"1ms\"; proxy = 1; };"),
		  AT_DB "timeouts.starttls: \"1ms\" is out of bounds (100ms to 10m)\n" AT_DB
			"timeouts.proxy: expected a duration (e.g. \"5s\"), found an integer" },
		{ TLS("verify_name = \"@target\";"), AT_DB
		  "tls.verify_name: \"@target\" needs srv: addresses: it is the host that their records name" },
		{ TLS("verify_name = \"@host\";"), AT_DB
		  "tls.verify_name: \"@host\" has a character that no host name has (expected letters, digits, "
		  "'-', '_' and dots)" },
		{ TLS("verify = \"pin\"; pins = \"" PIN "\"; ocsp = \"check\"; expiry_warning = \"1d\";"), AT_DB
		  "tls.ocsp: has no effect with tls.verify = \"pin\"\n" AT_DB
		  "tls.expiry_warning: has no effect with tls.verify = \"pin\" and without tls.certificate" },
		{ TLS("verify = \"none\"; certificate = \"/c\"; key = \"/c\"; expiry_warning = \"none\";"),
		  "" },
		{ TLS("expiry_warning = \"30s\";"),
		  AT_DB "tls.expiry_warning: \"30s\" is out of bounds (1m to 400d)" },
	};

	(void)state;
	CHECK_CASES(cases);
}

#define K16  "0123456789abcdef"
#define K256 K16 K16 K16 K16 K16 K16 K16 K16 K16 K16 K16 K16 K16 K16 K16 K16

static void
test_probes(void **state)
{
	static const struct parse_case cases[] = {
		{ DB("probe = \"http\";"), AT_DB "probe: expected a group { … }, found a string" },
		{ PROBE("kind = \"ping\";"), AT_DB
		  "probe.kind: \"ping\" is not one of \"none\", \"expect\", \"http\", \"redis\", "
		  "\"postgres\", \"mysql\", \"smtp\", \"imap\", \"memcached\", \"mqtt\"" },
		{ PROBE("kind = \"expect\";"), AT_DB
		  "probe.kind: \"expect\" needs probe.send, probe.expect, probe.expect_regex or probe.steps" },
		{ PROBE("kind = \"expect\"; send = \"a\\\\q\"; expect = 1;"), AT_DB
		  "probe.send: a backslash and \"q\" are no escape (there are \\r, \\n, \\t, \\0, \\xNN and, "
		  "for one backslash, \\\\, which the file writes as \\\\\\\\)\n" AT_DB
		  "probe.expect: expected a string, found an integer" },
		{ PROBE("kind = \"expect\"; send = \"\\x00\";"),
		  "t:1: a string cannot hold \\x00 (but probe.send and probe.expect read \\0 as one)" },
		{ PROBE("kind = \"expect\"; send = \"" K256 K256 K256 K256 "x\";"),
		  AT_DB "probe.send: \"" K16 K16 K16 K16 "…\" is longer than 1024 octets" },
		{ PROBE("kind = \"expect\"; expect = \"a\"; expect_regex = \"b\";"),
		  AT_DB "probe.expect_regex: stands beside probe.expect: one of them is enough" },
		{ PROBE("kind = \"expect\"; send = \"a\"; steps = ( { send = \"b\"; } );"), AT_DB
		  "probe.steps: stands beside probe.send, probe.expect or probe.expect_regex: give one or the "
		  "other" },
		{ "defaults = {\nprobe = { send = \"a\"; steps = ( { send = \"b\"; } ); }; };\n" PROBE(
			  "kind = \"expect\"; interval = \"1s\";"),
		  "t:2: upstream \"db\": probe.steps: stands beside probe.send, probe.expect or "
		  "probe.expect_regex: give one or the other" },
		{ PROBE("kind = \"expect\"; steps = ( 1,\n{ },\n{ send = 1; expect = \"\\\\\"; },\n"
			"{ send = \"\"; }, { expect = \"a\"; expect_regex = \"b\"; } );"),
		  AT_DB
		  "probe.steps: step 1: expected a group { … }, found an integer\n"
		  "t:2: upstream \"db\": probe.steps: step 2: neither sends nor expects anything\n"
		  "t:3: upstream \"db\": probe.steps: step 3: send: expected a string, found an integer\n"
		  "t:3: upstream \"db\": probe.steps: step 3: expect: a backslash and the end of the string are no escape (there "
		  "are \\r, \\n, \\t, \\0, \\xNN and, for one backslash, \\\\, which the file writes as "
		  "\\\\\\\\)\n"
		  "t:4: upstream \"db\": probe.steps: step 4: neither sends nor expects anything\n"
		  "t:4: upstream \"db\": probe.steps: step 5: has both expect and expect_regex: one is "
		  "enough" },
		{ PROBE("kind = \"expect\"; steps = { send = \"a\"; };"),
		  AT_DB "probe.steps: expected a list of groups ( { … }, { … } ), found a group" },
		{ PROBE("kind = \"expect\"; steps = ( { send = \"" K256 K256 K256 K256 "\"; }, "
			"{ send = \"" K256 K256 K256 K256 "\"; }, { send = \"" K256 K256 K256 K256 "\"; }, "
			"{ send = \"" K256 K256 K256 K256 "\"; }, { send = \"a\"; } );"),
		  AT_DB "probe.steps: send 4097 octets together (at most 4096)" },
		{ PROBE("send = \"a\"; interval = \"1s\";"),
		  AT_DB "probe.send: has no effect without probe.kind\n" AT_DB
			"probe.interval: has no effect without probe.kind" },
		{ PROBE("kind = \"redis\"; steps = ( { send = \"a\"; } ); request = \"GET /a\"; user = \"u\"; "
			"status = 204; host = \"h\";"),
		  AT_DB "probe.steps: has no effect with probe.kind = \"redis\"\n" AT_DB
			"probe.request: has no effect with probe.kind = \"redis\"\n" AT_DB
			"probe.host: has no effect with probe.kind = \"redis\"\n" AT_DB
			"probe.status: has no effect with probe.kind = \"redis\"\n" AT_DB
			"probe.user: has no effect with probe.kind = \"redis\"" },
		{ PROBE("kind = \"mqtt\"; interval = \"none\"; failures = 2;"),
		  AT_DB "probe.failures: has no effect with probe.interval = \"none\"" },
		{ PROBE("kind = \"http\"; request = \"/health\"; header = \"a\"; host = \"a b\"; "
			"status = \"2xx\";"),
		  AT_DB
		  "probe.status: \"2xx\" is neither a status from 100 to 599 nor a range of them (e.g. "
		  "\"204\", \"200-399\")\n" AT_DB
		  "probe.request: \"/health\" is not a method and a path (e.g. \"GET /health\")\n" AT_DB
		  "probe.header: \"a\" is not a header (e.g. \"X-Role: primary\")\n" AT_DB
		  "probe.host: \"a b\" is not a host with or without a port (e.g. \"example.org\", "
		  "\"example.org:8080\", \"[2001:db8::1]:8080\")" },
		{ PROBE("kind = \"http\"; request = \"GET /a HTTP/1.1\";"), AT_DB
		  "probe.request: \"GET /a HTTP/1.1\" is not a method and a path (e.g. \"GET /health\")" },
		{ PROBE("kind = \"http\"; request = \"GET /\\r\\nX: y\"; header = \"a: b\\r\";"),
		  AT_DB "probe.request: \"GET /\\x0d\\x0aX: y\" holds control characters\n" AT_DB
			"probe.header: \"a: b\\x0d\" holds control characters" },
		{ PROBE("kind = \"http\"; request = \"\"; status = \"399-200\";"), AT_DB
		  "probe.request: must not be empty\n" AT_DB
		  "probe.status: \"399-200\" is neither a status from 100 to 599 nor a range of them (e.g. "
		  "\"204\", \"200-399\")" },
		{ PROBE("kind = \"http\"; request = \"HEAD /\"; body = \"a\"; status = 99;"), AT_DB
		  "probe.status: \"99\" is neither a status from 100 to 599 nor a range of them (e.g. "
		  "\"204\", \"200-399\")\n" AT_DB
		  "probe.body: has no effect with a HEAD request, whose answer has none" },
		{ DB("starttls = \"imap\"; probe = { kind = \"smtp\"; };"),
		  AT_DB "probe.kind: \"smtp\" is not what is spoken with starttls = \"imap\"" },
		/* LMTP knows no EHLO */
		{ DB("starttls = \"lmtp\"; probe = { kind = \"smtp\"; };"),
		  AT_DB "probe.kind: \"smtp\" is not what is spoken with starttls = \"lmtp\"" },
		{ DB("starttls = \"ldap\"; probe = { kind = \"http\"; };"),
		  AT_DB "probe.kind: \"http\" is not what is spoken with starttls = \"ldap\"" },
	};

	(void)state;
	CHECK_CASES(cases);
}

/* A bad pattern is the probe's to judge; here it only must be said with its place. */
static void
test_bad_regex(void **state)
{
	struct problems problems = { 0 };
	struct config *config = NULL;
	char text[1400];

	(void)state;
	assert_int_equal(
		config_load_text(PROBE("kind = \"expect\"; steps = (\n{ expect_regex = \"a(b\"; } );"),
				 "t", NULL, &problems, &config),
		-EINVAL);
	assert_int_equal(problems.count, 1);
	problems_format(&problems.at[0], text, sizeof(text));
	assert_non_null(
		strstr(text, "t:2: upstream \"db\": probe.steps: step 1: expect_regex: \"a(b\" "));
	problems_done(&problems);
}

/* What STARTTLS implies, what an upstream's own word takes back, and steps that outlive the defaults they come from. */
static void
test_values(void **state)
{
	static const char text[] =
		"defaults = { starttls = \"smtp\"; probe = { kind = \"expect\"; steps = ( "
		"{ send = \"a\\0\"; expect = \"b\"; }, { expect_regex = \"c+\"; } ); }; };"
		"upstreams = ( { name = \"a\"; address = \"a:1\"; }, "
		"{ name = \"b\"; address = \"a:1\"; tls = false; probe = { send = \"d\"; }; } );";
	struct problems problems = { 0 };
	_cleanup_(config_unrefp) struct config *config = NULL;
	const struct policy *a, *b;

	(void)state;
	assert_int_equal(config_load_text(text, "t", NULL, &problems, &config), 0);
	a = &config->upstreams[0]->policy;
	b = &config->upstreams[1]->policy;
	assert_true(a->tls.enabled);
	assert_int_equal(a->starttls, STARTTLS_SMTP);
	assert_int_equal(a->timeout[STAGE_STARTTLS], DEFAULT_STARTTLS_TIMEOUT);
	assert_int_equal(a->tls.expiry_warning, DEFAULT_EXPIRY_WARNING);
	assert_int_equal(a->probe.step_count, 2);
	assert_int_equal(a->probe.steps[0].send_length, 2);
	assert_memory_equal(a->probe.steps[0].send, "a", 2);
	assert_memory_equal(a->probe.steps[0].expect, "b", 1);
	assert_null(a->probe.steps[0].expect_regex);
	assert_string_equal(a->probe.steps[1].expect_regex, "c+");
	assert_null(a->probe.steps[1].send);
	assert_string_equal(a->probe.request, DEFAULT_PROBE_REQUEST);
	assert_int_equal(a->probe.status_min, 200);
	assert_int_equal(a->probe.status_max, 399);
	assert_false(b->tls.enabled);
	assert_int_equal(b->starttls, STARTTLS_NONE);
	assert_int_equal(b->probe.step_count, 1);
	assert_int_equal(b->probe.steps[0].send_length, 1);
	assert_memory_equal(b->probe.steps[0].send, "d", 1);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stages),
		cmocka_unit_test(test_probes),
		cmocka_unit_test(test_bad_regex),
		cmocka_unit_test(test_values),
	};

	RUN_TESTS(tests);
}
