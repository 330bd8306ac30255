#include "check.h"

#include "base/prng.h"
#include "base/text.h"
#include "config/config.h"
#include "config/diff.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define PIN "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static struct config *
load_text(const char *text)
{
	struct problems problems = { 0 };
	struct config *config = NULL;

	if (config_load_text(text, "t", NULL, &problems, &config) < 0)
		fail_msg("%s: %s", text, problems.at[0].message);
	return config;
}

/* The text of `config`, which the caller frees. */
static char *
dump_of(const struct config *config)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	assert_int_equal(config_dump(config, out), 0);
	fclose(out);
	return text;
}

/* What is dumped reads back as the same, and dumps as the same. */
static void
assert_dump_reads_back(const struct config *config)
{
	_cleanup_(freep) char *first = dump_of(config), *second = NULL;
	_cleanup_(config_unrefp) struct config *again = load_text(first);
	struct diff diff;

	assert_int_equal(config_diff(config, again, &diff), 0);
	assert_int_equal(diff.restart_key_count + diff.daemon_key_count, 0);
	for (size_t i = 0; i < diff.count; i++)
		if (diff.changes[i].kind != CHANGE_KEPT)
			fail_msg("%s: %s of\n%s", change_kind_name(diff.changes[i].kind),
				 diff.changes[i].keys[0], first);
	assert_int_equal(diff.count, config->upstream_count);
	diff_done(&diff);
	second = dump_of(again);
	assert_string_equal(first, second);
}

static void
test_dump_to_full_disk(void **state)
{
	_cleanup_(config_unrefp) struct config *config = load_text("");
	FILE *full = fopen("/dev/full", "w");

	(void)state;
	assert_non_null(full);
	assert_int_equal(config_dump(config, full), -ENOSPC);
	fclose(full);
}

/* A group's random keys: each of `choices`, with `percent` likelihood, is one text to choose from. */
static void
add_random(struct text *text, struct prng *prng, const char *const *choices, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (prng_below(prng, 3) == 0)
			text_addf(text, "%s; ", choices[i]);
}

/* Any octets, as the file may spell them. */
static void
add_random_octets(struct text *text, struct prng *prng)
{
	static const char *const spellings[] = {
		"a",	 "0",	 "x41",	    " ",       "\\r",	   "\\n",
		"\\t",	 "\\\"", "\\x1b",   "\\xff",   "\xc3\xa4", "\\\\\\\\",
		"\\\\0", "\\0",	 "\\\\x00", "\\\\x5c", "\\\\xFe",
	};

	text_add(text, "\"a");
	for (uint64_t i = prng_below(prng, 12); i > 0; i--)
		text_add(text, spellings[prng_below(prng, COUNT_OF(spellings))]);
	text_add(text, "\"; ");
}

static void
add_random_step(struct text *text, struct prng *prng)
{
	text_add(text, "send = ");
	add_random_octets(text, prng);
	switch (prng_below(prng, 3)) {
	case 0:
		text_add(text, "expect = ");
		add_random_octets(text, prng);
		break;
	case 1: text_add(text, "expect_regex = \"^\\\\+(a|b)[\\\\n\\n]\\\"$\"; "); break;
	default: break;
	}
}

static void
add_random_steps(struct text *text, struct prng *prng)
{
	text_add(text, "steps = ( ");
	for (uint64_t i = 0; i <= prng_below(prng, 4); i++) {
		text_add(text, i ? ", { " : "{ ");
		add_random_step(text, prng);
		text_add(text, "}");
	}
	text_add(text, " ); ");
}

static void
add_random_probe(struct text *text, struct prng *prng)
{
	static const char *const http[] = {
		"request = \"PUT /a?b\\\"\"",
		"host = \"[::1]:7\"",
		"status = \"204\"",
		"header = \"X-A: \\\" b\"",
		"body = \"\\x01\xc3\xa4\xff\\n\\\\n\"",
	};
	static const char *const any[] = { "interval = \"none\"", "failures = 3" };

	text_add(text, "probe = { ");
	switch (prng_below(prng, 5)) {
	case 0:
		text_add(text, "kind = \"expect\"; ");
		add_random_step(text, prng);
		break;
	case 1:
		text_add(text, "kind = \"expect\"; ");
		add_random_steps(text, prng);
		break;
	case 2:
		text_add(text, "kind = \"http\"; ");
		add_random(text, prng, http, COUNT_OF(http));
		break;
	case 3: text_add(text, "kind = \"postgres\"; user = \"u\"; "); break;
	default: text_add(text, "}; "); return;
	}
	add_random(text, prng, any, COUNT_OF(any));
	text_add(text, "}; ");
}

static void
add_random_upstream(struct text *text, struct prng *prng, unsigned int number)
{
	static const char *const addresses[] = {
		"\"a.example:1\"",
		"\"a.example.:1\"",
		"[ \"a.example:1\", \"[2001:db8::1]:2\" ]",
		"\"[fe80::1%eth0]:65535\"",
		"\"a:1\"",
		"( \"192.0.2.1:7\", \"b-c.example:8\" )",
		"\"srv:_a._tcp.b.example.\"",
	};
	static const char *const plain[] = {
		"enabled = false",	  "connections = 1024", "order = \"random\"",
		"interface = \"eth0.1\"", "mark = 0x80000000",	"lifetime = \"1h30m\"",
		"idle_limit = \"100ms\"",
	};
	static const char *const proxies[] = {
		"proxy = \"http://p.example.:1\"; proxy_user = \"u \\\"\"; proxy_password_file = \"/p\"",
		"proxy_protocol = \"v1\"",
	};
	static const char *const timeouts[] = {
		"resolve = \"1234ms\"", "connect = \"10m\"", "handshake = \"1m1s\"",
		"settle = \"1ms\"",	"attempt = \"1h\"",  "close = \"60s\"",
		"proxy = \"1s\"",	"starttls = \"2s\"", "probe = \"3s\"",
	};
	static const char *const retry[] = {
		"initial = \"10ms\"", "max = \"30d\"",	       "multiplier = 1.1",
		"jitter = \"none\"",  "stable_after = \"1d\"",
	};
	static const char *const keepalive[] = {
		"idle = \"9h\"",
		"interval = \"1s\"",
		"count = 127",
		"user_timeout = \"none\"",
	};
	static const char *const tls[] = {
		"verify_name = \"x.example\"",
		"sni = \"\"",
		"ca_file = \"/a \\\"b\\\\c\xc3\xa4\xff\"",
		"ca_dir = \"/d\"",
		"certificate = \"/c\"; key = \"/k\"",
		"crl_file = \"/r\"",
		"pins = [ \"" PIN "\", \"" PIN "\" ]",
		"alpn = [ \"h2\", \"\xc3\xa4\\\"\" ]",
		"min_version = \"1.0\"",
		"max_version = \"1.3\"",
		"ciphers = \"A:B\"",
		"ciphersuites = \"C\"",
		"groups = \"G\"",
		"signature_algorithms = \"S\"",
		"security_level = 5",
		"resumption = false",
		"keylog_file = \"/l\"",
		"ocsp = \"require\"",
		"expiry_warning = \"400d\"",
	};

	unsigned int address = (unsigned int)prng_below(prng, COUNT_OF(addresses));

	text_addf(text, "{ name = \"u%u\"; address = %s; ", number, addresses[address]);
	add_random(text, prng, plain, COUNT_OF(plain));
	if (!strstr(addresses[address], "srv:"))
		add_random(text, prng, proxies, COUNT_OF(proxies));
	add_random_probe(text, prng);
	text_add(text, "timeouts = { ");
	add_random(text, prng, timeouts, COUNT_OF(timeouts));
	text_add(text, "}; retry = { ");
	add_random(text, prng, retry, COUNT_OF(retry));
	text_add(text, "}; keepalive = { ");
	add_random(text, prng, keepalive, COUNT_OF(keepalive));
	text_add(text, "}; ");
	if (prng_below(prng, 4) > 0) {
		text_add(text, "tls = { ");
		add_random(text, prng, tls, COUNT_OF(tls));
		text_add(text, "}; ");
	} else {
		text_addf(text, "tls = %s; ", prng_below(prng, 2) ? "true" : "false");
	}
	text_add(text, "}");
}

static void
test_random_dumps(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 300; seed++) {
		struct prng prng;
		char buffer[16384];
		struct text text = TEXT_INIT(buffer);
		_cleanup_(config_unrefp) struct config *config = NULL;

		prng_init(&prng, seed);
		if (prng_below(&prng, 2))
			text_add(&text, "workers = 7; control = { mode = \"0007\"; group = \"g\"; }; "
					"log = { level = \"error\"; target = \"stderr\"; };");
		if (prng_below(&prng, 2))
			text_add(&text, "defaults = { tls = { ca_dir = \"/x\"; }; connections = 3; };");
		text_add(&text, "upstreams = (");
		for (unsigned int i = 0; i <= prng_below(&prng, 8); i++) {
			text_add(&text, i ? ", " : "");
			add_random_upstream(&text, &prng, i);
		}
		text_add(&text, ");");
		assert_false(text.cut);
		config = load_text(buffer);
		assert_dump_reads_back(config);
	}
}

/* Values from the defaults that have no effect are forgotten: in a dump they would be a problem. */
static void
test_without_effect(void **state)
{
	static const char *const keys[] = {
		"address = \"a:1\"; tls = { verify = \"none\"; };",
		"address = \"a:1\"; tls = { verify = \"pin\"; };",
		"address = \"a:1\"; tls = { verify = \"chain\"; };",
		"address = \"a:1\"; tls = { min_version = \"1.3\"; };",
		"address = \"a:1\"; tls = { max_version = \"1.2\"; };",
		"address = \"unix:/x\"; tls = false;",
		"address = \"a:1\"; probe = { kind = \"http\"; };",
		"address = \"a:1\"; probe = { kind = \"none\"; };",
		"address = \"a:1\"; probe = { expect = \"x\"; };",
		"address = \"a:1\"; proxy = \"\";",
		"address = \"a:1\"; starttls = \"smtp\";",
		"address = \"unix:/a b\\\\x41\xc3\xa4\xff\";", /* and a path of any octets */
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		char text[2048];
		_cleanup_(config_unrefp) struct config *config = NULL;

		snprintf(text, sizeof(text),
			 "defaults = { source = \"192.0.2.1\"; interface = \"lo\"; mark = 7; family = "
			 "\"ipv4\"; proxy = \"http://p:1\"; proxy_user = \"u\"; proxy_password_file = \"/p\"; probe = { kind = \"expect\"; steps = ( { send = \"a\"; }, { send = \"b\"; } ); interval = \"1h\"; failures = 9; }; tls = { ca_file = \"/a\"; ca_dir = \"/b\"; crl_file = \"/c\"; "
			 "verify_name = \"v\"; pins = [ \"" PIN "\" ]; ciphers = \"C\"; ciphersuites = "
			 "\"S\"; }; }; upstreams = ( { name = \"a\"; %s } );",
			 keys[i]);
		config = load_text(text);
		assert_dump_reads_back(config);
	}
}

/* Every key is there, with its value or with what holds in its stead; the words as they are. */
static void
test_text(void **state)
{
	_cleanup_(config_unrefp) struct config *config = load_text(
		"workers = 2; upstreams = ( { name = \"a\"; address = \"unix:/a\"; lifetime = \"36h\"; } );");
	_cleanup_(freep) char *text = dump_of(config);
	static const char *const lines[] = {
		"conf_dir = \"\";\nworkers = 2;\ncontrol = {\n\tpath = \"",
		"\tgroup = \"\"; # the daemon's own\n",
		"upstreams = (\n\t{\n\t\tname = \"a\";\n\t\taddress = \"unix:/a\";\n\t\tenabled = true;\n",
		"\t\tlifetime = \"36h\";\n\t\tidle_limit = \"none\";\n",
		"\t\tretry = {\n\t\t\tinitial = \"1s\";\n",
		"\t\t\tmultiplier = 2.0;\n",
		"\t\t};\n\t\ttls = false;\n\t}\n);\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(lines); i++)
		if (!strstr(text, lines[i]))
			fail_msg("no\n%s\nin\n%s", lines[i], text);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dump_to_full_disk),
		cmocka_unit_test(test_random_dumps),
		cmocka_unit_test(test_without_effect),
		cmocka_unit_test(test_text),
	};

	RUN_TESTS(tests);
}
