#include "check.h"
#include "parse-case.h"

#include <errno.h>
#include <string.h>

static void
test_good(void **state)
{
	static const struct parse_case cases[] = {
		{ "", "" },
		{ "upstreams = ();", "" },
		{ "upstreams = [];", "" }, /* an array to libconfig; it can mean nothing else */
		{ "workers = 64;\r\nlog = { level = \"debug\"; };\r\n", "" },
		{ DB(""), "" },
		{ DB("mark = 0xffffffff; lifetime = \"none\"; source = \"2001:db8::1\";"), "" },
		{ "control = { mode = \"660\"; };", "" },
		{ DB("retry = { multiplier = 3; };"), "" }, /* an integer is a number */
		{ DB("tls = true;"), "" },
		{ TLS("pins = \"" PIN "\"; verify = \"pin\";"), "" },
		{ TLS("alpn = [ \"h2\", \"http/1.1\" ]; alpn_required = true; sni = \"\";"), "" },
		{ TLS("certificate = \"/c\"; key = \"/c\"; key_password_file = \"/p\";"), "" },
		{ "upstreams = ( { name = \"a\"; address = ( \"a:1\", \"[::1]:2\", \"unix:/x\" ); } );",
		  "" },
		{ "upstreams = ( { name = \"a\"; address = [ \"a:1\", \"a:2\", \"a:3\", \"a:4\", "
		  "\"a:5\", \"a:6\", \"a:7\", \"a:8\", \"a:9\", \"a:10\", \"a:11\", \"a:12\", "
		  "\"a:13\", \"a:14\", \"a:15\", \"a:16\" ]; } );",
		  "" },
		{ "upstreams = ( { name = \"a\"; address = \"unix:/x\"; tls = { verify_name = \"a\"; }; } );",
		  "" },
		{ DB("starttls = \"xmpp-server\"; tls = { ocsp = \"require\"; expiry_warning = \"90d\"; };"),
		  "" },
		{ DB("starttls = \"none\"; tls = false;"), "" },
		{ DB("proxy = \"socks5://[2001:db8::1]:1080\"; proxy_user = \"a:b\"; "
		     "proxy_password_file = \"/p\"; proxy_protocol = \"v2\"; "
		     "family = \"ipv6\"; source = \"2001:db8::2\";"),
		  "" },
		{ "upstreams = ( { name = \"a\"; address = [ \"srv:_a._tcp.b\", \"srv:_a._tcp.c.\" ]; "
		  "tls = { verify_name = \"@target\"; }; } );",
		  "" },
		/* through a proxy, another family leads there */
		{ "upstreams = ( { name = \"a\"; address = \"192.0.2.1:1\"; family = \"ipv6\"; "
		  "source = \"2001:db8::2\"; proxy = \"http://p:1\"; } );",
		  "" },
		{ PROBE("kind = \"expect\"; expect_regex = \"^220[- ]\\r\";"), "" },
		{ PROBE("kind = \"expect\"; send = \"PING\\r\\n\"; expect = \"\\\\x00\\0\";"), "" },
		{ PROBE("kind = \"expect\"; steps = ( { expect = \"a\"; }, { send = \"b\"; } );"), "" },
		{ PROBE("kind = \"http\"; request = \"HEAD /a\"; host = \"a.example:80\"; status = 204; "
			"header = \"X: y\";"),
		  "" },
		{ PROBE("kind = \"http\"; host = \"[2001:db8::1]:80\"; body = \"ä\\n\"; status = \"100-599\";"),
		  "" },
		{ PROBE("kind = \"mysql\"; user = \"u\"; interval = \"100ms\"; failures = 100;"), "" },
		{ DB("starttls = \"mysql\"; probe = { kind = \"mysql\"; };"), "" },
		{ DB("starttls = \"ldap\"; probe = { kind = \"expect\"; send = \"x\"; };"), "" },
		/* an upstream of its own word is without the defaults' STARTTLS */
		{ "defaults = { starttls = \"smtp\"; };" DB("tls = false;"), "" },
		{ "defaults = { starttls = \"smtp\"; proxy = \"http://p:1\"; proxy_user = \"u\"; };"
		  "upstreams = ( { name = \"a\"; address = \"unix:/x\"; tls = false; } );",
		  "" },
		{ "defaults = { probe = { kind = \"http\"; body = \"b\"; interval = \"none\"; }; };" PROBE(
			  "kind = \"none\";"),
		  "" },
		/* what comes from the defaults may be without effect */
		{ "defaults = { source = \"192.0.2.1\"; tls = { ca_file = \"/ca\"; }; };"
		  "upstreams = ( { name = \"a\"; address = \"unix:/x\"; tls = { verify = \"none\"; }; } );",
		  "" },
	};

	(void)state;
	CHECK_CASES(cases);
}

static void
test_syntax(void **state)
{
	static const struct parse_case cases[] = {
		{ "workers = 2\n\nlog = = 3;", "t:3: syntax error, at or before: log = = 3;" },
		{ "upstreams = (\n{ name = \"a\";\n",
		  "t:2: syntax error at the end: is a bracket not closed?" },
		{ "workers = 2;\nworkers = 3;",
		  "t:2: this key stands twice in one group, at or before: workers = 3;" },
		{ DB("tls = { pins = [ \"a\", 1 ]; };"),
		  "t:1: the values of an array [ ] are of different types (a list ( ) takes any), at or "
		  "before: upstreams = ( { name = \"db\"; address = \"db:1\"; t…" },
		{ "a = yes;", "t:1: syntax error, at or before: a = yes;" },
		{ "a = \"x;\n", "t:1: this string is never closed: \" is missing" },
		{ "workers = 2; /* ", "t:1: this comment is never closed: */ is missing" },
	};

	(void)state;
	CHECK_CASES(cases);
}

static void
test_unknown_keys(void **state)
{
	static const struct parse_case cases[] = {
		{ "wokers = 2;", "t:1: unknown key \"wokers\" (did you mean \"workers\"?)" },
		{ "log = { lvel = 2; };", "t:1: unknown key \"log.lvel\" (did you mean \"log.level\"?)" },
		{ "metrics = { listen = 1; };", "t:1: unknown key \"metrics\"" },
		{ DB("timeouts = {\n conect = 3; };"), "t:2: upstream \"db\": unknown key \"timeouts.conect\" "
						       "(did you mean \"timeouts.connect\"?)" },
		{ DB("verify = \"none\";"),
		  AT_DB "unknown key \"verify\" (did you mean \"tls.verify\"?)" },
		{ DB("lend = { };"), AT_DB "unknown key \"lend\"" },
		{ PROBE("expct = \"a\";"),
		  AT_DB "unknown key \"probe.expct\" (did you mean \"probe.expect\"?)" },
		{ PROBE("kind = \"expect\"; steps = ( { sned = \"a\"; },\n{ foo = 1; } );"), AT_DB
		  "probe.steps: step 1: unknown key \"sned\" (did you mean \"send\"?)\n"
		  "t:2: upstream \"db\": probe.steps: step 2: unknown key \"foo\" (there are send, "
		  "expect and expect_regex)" },
		{ "defaults = { timeout = { }; };",
		  "t:1: defaults: unknown key \"timeout\" (did you mean \"timeouts\"?)" },
		/* cut, but not overrun */
		{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa = 1;",
		  "t:1: unknown key \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"" },
	};

	(void)state;
	CHECK_CASES(cases);
}

static void
test_wrong_types(void **state)
{
	static const struct parse_case cases[] = {
		{ "workers = \"2\";", "t:1: workers: expected an integer, found a string" },
		{ "workers = 2.5;", "t:1: workers: expected an integer, found a number with a point" },
		{ "workers = true;", "t:1: workers: expected an integer, found true or false" },
		{ "log = \"stderr\";", "t:1: log: expected a group { … }, found a string" },
		{ "log = { level = 3; };", "t:1: log.level: expected a string, found an integer" },
		{ "log = { ident = { }; };", "t:1: log.ident: expected a string, found a group" },
		{ "control = { path = 1; mode = 0660; };",
		  "t:1: control.path: expected a path (e.g. \"/etc/ssl/ca.pem\"), found an integer\n"
		  "t:1: control.mode: expected an octal mode in quotes (e.g. \"0660\"), found an integer" },
		{ "upstreams = { db = { }; };",
		  "t:1: upstreams: expected a list of groups ( { … }, { … } ), found a group" },
		{ "upstreams = [ 1 ];",
		  "t:1: upstreams: expected a list of groups ( { … }, { … } ), found an array" },
		{ "upstreams = \"db\";",
		  "t:1: upstreams: expected a list of groups ( { … }, { … } ), found a string" },
		{ "upstreams = ( 1, ( ) );", "t:1: upstream 1: expected a group { … }, found an integer\n"
					     "t:1: upstream 2: expected a group { … }, found a list" },
		{ "defaults = ();", "t:1: defaults: expected a group { … }, found a list" },
		{ DB("timeouts = { connect = 5; };"),
		  AT_DB "timeouts.connect: expected a duration (e.g. \"5s\"), found an integer" },
		{ DB("timeouts = \"5s\";"), AT_DB "timeouts: expected a group { … }, found a string" },
		{ DB("enabled = 1;"), AT_DB "enabled: expected true or false, found an integer" },
		{ DB("tls = \"yes\";"),
		  AT_DB "tls: expected true, false or a group { … }, found a string" },
		{ DB("retry = { multiplier = \"2\"; };"),
		  AT_DB "retry.multiplier: expected a number, found a string" },
		{ DB("source = 1; interface = 2; family = 3;"),
		  AT_DB "source: expected an IP address in quotes, found an integer\n" AT_DB
			"interface: expected a string, found an integer\n" AT_DB
			"family: expected a string, found an integer" },
		{ TLS("pins = { }; alpn = 1;"),
		  AT_DB "tls.pins: expected a string or a list of strings, found a group\n" AT_DB
			"tls.alpn: expected a string or a list of strings, found an integer" },
		{ TLS("ciphers = [ \"a\" ];"), AT_DB "tls.ciphers: expected a string, found an array" },
		{ "upstreams = ( { name = 1; address = 2; } );",
		  "t:1: upstream 1: name: expected a string, found an integer\n"
		  "t:1: upstream 1: address: expected a string or a list of strings, found an integer" },
		{ "upstreams = ( { name = \"a\"; address = { }; } );",
		  "t:1: upstream \"a\": address: expected a string or a list of strings, found a group" },
		{ "upstreams = ( { name = \"a\"; address = [ 1, 2 ]; } );",
		  "t:1: upstream \"a\": address: expected strings, found an integer\n"
		  "t:1: upstream \"a\": address: expected strings, found an integer" },
	};

	(void)state;
	CHECK_CASES(cases);
}

static void
test_bounds(void **state)
{
	static const struct parse_case cases[] = {
		{ "workers = 0;", "t:1: workers: 0 is out of bounds (1 to 64)" },
		{ "workers = 65;", "t:1: workers: 65 is out of bounds (1 to 64)" },
		{ "workers = -1;", "t:1: workers: -1 is out of bounds (1 to 64)" },
		{ DB("connections = 4294967298;"),
		  AT_DB "connections: 4294967298 is out of bounds (1 to 1024)" },
		{ DB("connections = 99999999999999999999999;"),
		  AT_DB "connections: 9223372036854775807 is out of bounds (1 to 1024)" },
		{ DB("mark = 4294967296;"), AT_DB "mark: 4294967296 is out of bounds (0 to 4294967295)" },
		{ DB("retry = { multiplier = 0.99; };"),
		  AT_DB "retry.multiplier: 0.99 is out of bounds (1 to 100)" },
		{ DB("retry = { multiplier = 1e400; };"),
		  AT_DB "retry.multiplier: inf is out of bounds (1 to 100)" },
		{ DB("timeouts = { connect = \"99ms\"; };"),
		  AT_DB "timeouts.connect: \"99ms\" is out of bounds (100ms to 10m)" },
		{ DB("timeouts = { connect = \"10m1ms\"; };"),
		  AT_DB "timeouts.connect: \"10m1ms\" is out of bounds (100ms to 10m)" },
		{ DB("timeouts = { connect = \"99999999999999999999d\"; };"), AT_DB
		  "timeouts.connect: \"99999999999999999999d\" is out of bounds (100ms to 10m)" },
		{ DB("lifetime = \"31d\";"), AT_DB "lifetime: \"31d\" is out of bounds (100ms to 30d)" },
		{ DB("lifetime = \"0s\";"), AT_DB "lifetime: \"0s\" is out of bounds (100ms to 30d)" },
		{ DB("keepalive = { count = 128; };"),
		  AT_DB "keepalive.count: 128 is out of bounds (1 to 127)" },
		{ DB("keepalive = { idle = \"1500ms\"; };"),
		  AT_DB "keepalive.idle: \"1500ms\" is not whole seconds" },
		{ DB("keepalive = { interval = \"10h\"; };"),
		  AT_DB "keepalive.interval: \"10h\" is out of bounds (1s to 32767s)" },
		{ TLS("security_level = 6;"), AT_DB "tls.security_level: 6 is out of bounds (-1 to 5)" },
	};

	(void)state;
	CHECK_CASES(cases);
}

static void
test_words(void **state)
{
	static const struct parse_case cases[] = {
		{ "log = { level = \"loud\"; target = \"\"; facility = \"kern\"; };",
		  "t:1: log.level: \"loud\" is not one of \"error\", \"warning\", \"notice\", \"info\", "
		  "\"debug\"\n"
		  "t:1: log.target: \"\" is not one of \"syslog\", \"journal\", \"stderr\"\n"
		  "t:1: log.facility: \"kern\" is not one of \"daemon\", \"auth\", \"authpriv\", \"cron\", "
		  "\"ftp\", \"lpr\", \"mail\", \"news\", \"syslog\", \"user\", \"uucp\", \"local0\", "
		  "\"local1\", \"local2\", \"local3\", \"local4\", \"local5\", \"local6\", \"local7\"" },
		{ DB("timeouts = { connect = \"5 apples\"; };"),
		  AT_DB "timeouts.connect: \"5 apples\" is not a duration (e.g. \"5s\")" },
		{ DB("idle_limit = \"5\";"),
		  AT_DB "idle_limit: \"5\" is not a duration (e.g. \"5s\"), nor \"none\"" },
		{ DB("timeouts = { close = \"none\"; };"),
		  AT_DB "timeouts.close: \"none\" is not a duration (e.g. \"5s\")" },
		{ DB("family = \"ipv5\"; order = \"Random\"; retry = { jitter = \"x\"; };"),
		  AT_DB "family: \"ipv5\" is not one of \"any\", \"ipv4\", \"ipv6\"\n" AT_DB
			"order: \"Random\" is not one of \"listed\", \"random\"\n" AT_DB
			"retry.jitter: \"x\" is not one of \"full\", \"equal\", \"none\"" },
		{ TLS("verify = \"all\"; min_version = \"1\";"), AT_DB
		  "tls.verify: \"all\" is not one of \"full\", \"chain\", \"pin\", \"none\"\n" AT_DB
		  "tls.min_version: \"1\" is not one of \"1.0\", \"1.1\", \"1.2\", \"1.3\"" },
		{ TLS("max_version = \"SSLv3\";"), AT_DB
		  "tls.max_version: \"SSLv3\" is not one of \"1.0\", \"1.1\", \"1.2\", \"1.3\", "
		  "\"highest\"" },
		{ "control = { mode = \"999\"; };",
		  "t:1: control.mode: \"999\" is not an octal mode (e.g. \"0660\")" },
		{ "control = { mode = \"66\"; };",
		  "t:1: control.mode: \"66\" is not an octal mode (e.g. \"0660\")" },
		{ "control = { mode = \"4755\"; };",
		  "t:1: control.mode: \"4755\" is out of bounds (\"0000\" to \"0777\")" },
		{ "control = { path = \"run/x\"; };",
		  "t:1: control.path: \"run/x\" is not an absolute path" },
		{ "control = { path = \"/a\\x7f\"; };",
		  "t:1: control.path: \"/a\\x7f\" holds control characters" },
		{ "control = { path = \"\"; };", "t:1: control.path: must not be empty" },
		{ "control = { admin_group = \"-x\"; group = \"a b\"; };",
		  "t:1: control.admin_group: \"-x\" is not one word of letters, digits, \".\", \"_\", \"-\"\n"
		  "t:1: control.group: \"a b\" is not one word of letters, digits, \".\", \"_\", \"-\"" },
		{ "log = { ident = \"\"; };", "t:1: log.ident: must not be empty" },
		{ "log = { ident = \"a\\nb\"; };",
		  "t:1: log.ident: \"a\\x0ab\" holds control characters" },
		{ "log = { ident = \"123456789012345678901234567890123\"; };",
		  "t:1: log.ident: \"123456789012345678901234567890123\" is longer than 32 bytes" },
		{ TLS("ciphers = \"\xc3\xa4\";"),
		  AT_DB "tls.ciphers: \"\\xc3\\xa4\" holds characters beyond ASCII" },
		{ DB("source = \"1.2.3\";"), AT_DB "source: \"1.2.3\" is not an IPv4 or IPv6 address" },
		{ DB("source = \"192.0.2.1:80\";"),
		  AT_DB "source: \"192.0.2.1:80\" is not an IPv4 or IPv6 address" },
		{ DB("source = \"0.0.0.0\";"),
		  AT_DB "source: \"0.0.0.0\" is not the address of one host" },
		{ DB("source = \"fe80::1\";"),
		  AT_DB "source: \"fe80::1\" is link-local: name its zone, e.g. %eth0" },
		{ DB("source = \"::1%lo\";"),
		  AT_DB "source: \"::1%lo\" is not link-local and needs no zone" },
		{ DB("source = \"fe80::1%\";"),
		  AT_DB "source: \"fe80::1%\" is not an IPv4 or IPv6 address" },
		{ DB("interface = \"a/b\";"),
		  AT_DB "interface: \"a/b\" is not the name of a network interface" },
		{ DB("interface = \"a234567890123456\";"),
		  AT_DB "interface: \"a234567890123456\" is not the name of a network interface" },
	};

	(void)state;
	CHECK_CASES(cases);
}

static void
test_names_and_addresses(void **state)
{
	static const struct parse_case cases[] = {
		{ "upstreams = (\n{ address = \"a:1\"; },\n{ name = \"b\"; } );",
		  "t:2: upstream 1: a name is missing\nt:3: upstream \"b\": an address is missing" },
		{ "upstreams = ( { name = \"a b\"; address = \"a:1\"; } );",
		  "t:1: upstream 1: name: \"a b\" is not a name (a letter or digit, then up to 63 letters, "
		  "digits, \".\", \"_\", \"-\")" },
		{ "upstreams = ( { name = \"\"; address = \"a:1\"; } );",
		  "t:1: upstream 1: name: \"\" is not a name (a letter or digit, then up to 63 letters, "
		  "digits, \".\", \"_\", \"-\")" },
		{ "upstreams = ( { name = \"a\\x1b[31m\"; address = \"a:1\"; } );",
		  "t:1: upstream 1: name: \"a\\x1b[31m\" is not a name (a letter or digit, then up to 63 "
		  "letters, digits, \".\", \"_\", \"-\")" },
		{ "upstreams = ( { name = \"x234567890123456789012345678901234567890123456789012345678901234"
		  "5\"; address = \"a:1\"; } );",
		  "t:1: upstream 1: name: \"x23456789012345678901234567890123456789012345678901234567890123"
		  "4…\" is not a name (a letter or digit, then up to 63 letters, digits, \".\", \"_\", "
		  "\"-\")" },
		{ "upstreams = (\n{ name = \"a\"; address = \"a:1\"; },\n{ name = \"a\"; address = \"a:2\"; } );",
		  "t:3: upstream \"a\": name: stands already in t:2" },
		{ "upstreams = ( { name = \"a\"; address = [ ]; } );",
		  "t:1: upstream \"a\": address: at least 1 is needed" },
		{ "upstreams = ( { name = \"a\"; address = [ \"a:1\", \"b:1\", \"a:1\" ]; } );",
		  "t:1: upstream \"a\": address: \"a:1\" is listed twice" },
		{ "upstreams = ( { name = \"a\"; address = [ \"a\", \"b:0\" ]; } );",
		  "t:1: upstream \"a\": address: \"a\" has no port (expected host:port, e.g. example.org:443)\n"
		  "t:1: upstream \"a\": address: \"b:0\" has port 0 (expected 1 to 65535)" },
		{ "upstreams = ( { name = \"a\"; address = [ \"a:1\", \"a:2\", \"a:3\", \"a:4\", \"a:5\", \"a:6\", "
		  "\"a:7\", \"a:8\", \"a:9\", \"a:10\", \"a:11\", \"a:12\", \"a:13\", \"a:14\", \"a:15\", \"a:16\", "
		  "\"a:17\" ]; } );",
		  "t:1: upstream \"a\": address: 17 are too many (at most 16)" },
		{ "upstreams = ( { name = \"a\"; address = \"unix:/a\\nb\"; } );",
		  "t:1: upstream \"a\": address: \"unix:/a\\x0ab\" holds control characters" },
		{ "defaults = { name = \"a\"; address = \"b:1\"; };",
		  "t:1: defaults: name: each upstream has its own\n"
		  "t:1: defaults: address: each upstream has its own" },
	};

	(void)state;
	CHECK_CASES(cases);
}

static void
test_pins_and_protocols(void **state)
{
	static const struct parse_case cases[] = {
		{ TLS("pins = \"x\";"), AT_DB "tls.pins: \"x\" is not a pin: 64 hexadecimal digits, the SHA-256 "
					      "of the public key" },
		{ TLS("pins = [ \"" PIN "0\", \"\" ];"), AT_DB
		  "tls.pins: \"" PIN "…\" is not a pin: 64 hexadecimal digits, the SHA-256 of the public "
		  "key\n" AT_DB "tls.pins: \"\" is not a pin: 64 hexadecimal digits, the SHA-256 of the "
		  "public key" },
		{ TLS("pins = \"00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF\";"),
		  AT_DB "tls.pins: \"00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF\": a pin is "
			"written in lower case and without colons: \"" PIN "\"" },
		{ TLS("pins = \"00:112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\";"),
		  AT_DB "tls.pins: \"00:112233445566778899aabbccddeeff00112233445566778899aabbccddeef…\": a pin "
			"is written in lower case and without colons: \"" PIN "\"" },
		{ TLS("alpn = [ \"h2\", \"\" ];"),
		  AT_DB "tls.alpn: \"\" is not a protocol's name (1 to 255 bytes)" },
	};

	(void)state;
	CHECK_CASES(cases);
}

/* Values that are right by themselves. */
static void
test_contradictions(void **state)
{
	static const struct parse_case cases[] = {
		{ TLS("certificate = \"/c\";"), AT_DB "tls.certificate: needs a key: name its file in tls.key "
						      "(it may be the same file)" },
		{ TLS("key = \"/c\";"),
		  AT_DB "tls.key: needs a certificate: name its file in tls.certificate" },
		{ TLS("key_password_file = \"/c\";"),
		  AT_DB "tls.key_password_file: has no effect without tls.key" },
		{ TLS("alpn_required = true;"), AT_DB "tls.alpn_required: needs tls.alpn" },
		{ TLS("verify = \"pin\";"), AT_DB "tls.verify: \"pin\" needs tls.pins" },
		{ TLS("verify = \"none\"; pins = \"" PIN "\";"), AT_DB
		  "tls.pins: has no effect with tls.verify = \"none\" (\"pin\" checks the pins alone)" },
		{ TLS("verify = \"none\"; ca_file = \"/c\"; ca_dir = \"/d\"; crl_file = \"/e\";"),
		  AT_DB "tls.ca_file: has no effect with tls.verify = \"none\"\n" AT_DB
			"tls.ca_dir: has no effect with tls.verify = \"none\"\n" AT_DB
			"tls.crl_file: has no effect with tls.verify = \"none\"" },
		{ TLS("verify = \"chain\"; verify_name = \"a\";"),
		  AT_DB "tls.verify_name: has no effect with tls.verify = \"chain\"" },
		{ TLS("min_version = \"1.3\"; max_version = \"1.2\";"),
		  AT_DB "tls.min_version: \"1.3\" is more than tls.max_version = \"1.2\"" },
		{ TLS("max_version = \"1.1\";"),
		  AT_DB "tls.max_version: \"1.1\" is less than tls.min_version = \"1.2\"" },
		{ TLS("min_version = \"1.3\"; ciphers = \"HIGH\";"), AT_DB
		  "tls.ciphers: has no effect with TLS 1.3 alone, which has tls.ciphersuites" },
		{ TLS("max_version = \"1.2\"; ciphersuites = \"X\";"),
		  AT_DB "tls.ciphersuites: has no effect below TLS 1.3, which has tls.ciphers" },
		{ TLS("sni = \"192.0.2.1\";"),
		  AT_DB "tls.sni: \"192.0.2.1\" is an address; only a host name can be sent" },
		{ TLS("sni = \"::1\"; verify_name = \"::1\";"),
		  AT_DB "tls.sni: \"::1\" is an address; only a host name can be sent" },
		{ "upstreams = ( { name = \"a\"; address = \"unix:/x\"; tls = true; } );",
		  "t:1: upstream \"a\": address: a unix: address has no host to verify: set "
		  "tls.verify_name, or another tls.verify" },
		{ "upstreams = ( { name = \"a\"; address = \"unix:/x\"; mark = 1; interface = \"lo\"; } );",
		  "t:1: upstream \"a\": interface: has no effect on a unix: address\n"
		  "t:1: upstream \"a\": mark: has no effect on a unix: address" },
		{ DB("retry = { initial = \"6m\"; };"),
		  AT_DB "retry.initial: \"6m\" is more than retry.max = \"5m\"" },
		{ DB("retry = { max = \"500ms\"; };"),
		  AT_DB "retry.max: \"500ms\" is less than retry.initial = \"1s\"" },
		{ DB("source = \"::1\"; family = \"ipv4\";"),
		  AT_DB "source: is an IPv6 address, but family = \"ipv4\"" },
		{ "upstreams = ( { name = \"a\"; address = \"192.0.2.1:80\"; source = \"::1\"; } );",
		  "t:1: upstream \"a\": source: is an IPv6 address, but \"192.0.2.1:80\" is not" },
		/* a value that could not be read is held against nothing */
		{ TLS("certificate = \"c\"; key = \"/k\";"),
		  AT_DB "tls.certificate: \"c\" is not an absolute path" },
		{ TLS("verify = \"pin\"; pins = \"x\";"), AT_DB
		  "tls.pins: \"x\" is not a pin: 64 hexadecimal digits, the SHA-256 of the public key" },
		/* a contradiction with the defaults is said of the upstream that brings it about */
		{ "defaults = {\n tls = { min_version = \"1.3\"; }; };\n" TLS("max_version = \"1.2\";"),
		  "t:3: upstream \"db\": tls.max_version: \"1.2\" is less than tls.min_version = \"1.3\"" },
		{ "defaults = {\n tls = { key = \"/k\"; }; };\n" DB(""),
		  "t:2: upstream \"db\": tls.key: needs a certificate: name its file in tls.certificate" },
	};

	(void)state;
	CHECK_CASES(cases);
}

/* One pass finds them all, in the order of their lines. */
static void
test_all_in_one_pass(void **state)
{
	static const struct parse_case wanted = {
		"wokers = 1;\n"
		"upstreams = (\n"
		"  { name = \"a\"; address = \"a\";\n"
		"    timeouts = { connect = \"5 apples\"; };\n"
		"    tls = { certificate = \"/c\"; }; },\n"
		"  { address = \"b:1\"; connections = 0; } );\n"
		"log = { level = 1; };\n",
		"t:1: unknown key \"wokers\" (did you mean \"workers\"?)\n"
		"t:3: upstream \"a\": address: \"a\" has no port (expected host:port, e.g. example.org:443)\n"
		"t:4: upstream \"a\": timeouts.connect: \"5 apples\" is not a duration (e.g. \"5s\")\n"
		"t:5: upstream \"a\": tls.certificate: needs a key: name its file in tls.key (it may be the "
		"same file)\n"
		"t:6: upstream 2: a name is missing\n"
		"t:6: upstream 2: connections: 0 is out of bounds (1 to 1024)\n"
		"t:7: log.level: expected a string, found an integer",
	};

	(void)state;
	check_case(&wanted, NULL);
}

static unsigned int judged;

static int
refuse_rot13(const struct tls_policy *policy, const char **ret_option, char *why, size_t why_size)
{
	judged++;
	text_copy(why, why_size, "OpenSSL knows no such cipher");
	*ret_option = policy->ciphers && strcmp(policy->ciphers, "ROT13") == 0	     ? "ciphers" :
		      policy->ciphersuites && strcmp(policy->ciphersuites, "X") == 0 ? "ciphersuites" :
										       NULL;
	return *ret_option ? -EINVAL : 0;
}

/* A judge whom nothing contents is not asked for ever. */
static int
refuse_all(const struct tls_policy *policy, const char **ret_option, char *why, size_t why_size)
{
	(void)policy;
	judged++;
	text_copy(why, why_size, "no");
	*ret_option = "security_level";
	return -EINVAL;
}

/* Whoever knows OpenSSL is asked once for equal settings, and not about what could not be read. */
static void
test_judge(void **state)
{
	static const struct parse_case bad = { TLS("ciphers = \"ROT13\";"),
					       AT_DB "tls.ciphers: OpenSSL knows no such cipher" };
	static const struct parse_case two = { TLS("ciphersuites = \"X\"; ciphers = \"ROT13\";"), AT_DB
					       "tls.ciphers: OpenSSL knows no such cipher\n" AT_DB
					       "tls.ciphersuites: OpenSSL knows no such cipher" };
	static const struct parse_case stubborn = { TLS("security_level = 3;"),
						    AT_DB "tls.security_level: no" };
	static const struct parse_case unread = {
		TLS("ciphers = \"ROT13\"; min_version = \"9\";"),
		AT_DB "tls.min_version: \"9\" is not one of \"1.0\", \"1.1\", \"1.2\", \"1.3\""
	};
	static const struct parse_case equal = {
		"defaults = { tls = true; };"
		"upstreams = ( { name = \"a\"; address = \"a:1\"; }, { name = \"b\"; address = \"b:1\"; },"
		"{ name = \"c\"; address = \"c:1\"; tls = { ciphers = \"HIGH\"; }; },"
		"{ name = \"d\"; address = \"d:1\"; tls = false; } );",
		""
	};

	(void)state;
	judged = 0;
	check_case(&unread, refuse_rot13);
	assert_int_equal(judged, 0);
	check_case(&equal, refuse_rot13);
	assert_int_equal(judged, 2);
	check_case(&bad, refuse_rot13);
	check_case(&two, refuse_rot13);
	check_case(&stubborn, refuse_all);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_syntax),
		cmocka_unit_test(test_unknown_keys),
		cmocka_unit_test(test_wrong_types),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_names_and_addresses),
		cmocka_unit_test(test_pins_and_protocols),
		cmocka_unit_test(test_contradictions),
		cmocka_unit_test(test_all_in_one_pass),
		cmocka_unit_test(test_judge),
	};

	RUN_TESTS(tests);
}
