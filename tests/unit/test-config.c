#include "check.h"

#include "base/text.h"
#include "config/config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIN "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

/* A directory that a test may write to; removed by hand at its end. */
static char directory[] = "/tmp/test-config-XXXXXX";

static const char *
in_directory(const char *name)
{
	static char paths[4][256];
	static unsigned int turn;
	char *path = paths[turn++ % COUNT_OF(paths)];

	snprintf(path, sizeof(paths[0]), "%s/%s", directory, name);
	return path;
}

static void
write_file(const char *name, const char *text)
{
	FILE *file = fopen(in_directory(name), "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static struct config *
load_text(const char *text)
{
	struct problems problems = { 0 };
	struct config *config = NULL;

	if (config_load_text(text, "t", NULL, &problems, &config) < 0)
		fail_msg("%s: %s", text, problems.at[0].message);
	return config;
}

/* The problems of the main file and its drop-ins, one a line, paths without the directory. */
static void
assert_problems(const char *expected)
{
	struct problems problems = { 0 };
	struct config *config = NULL;
	char found[4096];
	struct text text = TEXT_INIT(found);
	int r = config_load(in_directory("main.conf"), NULL, &problems, &config);

	assert_int_equal(r, *expected ? -EINVAL : 0);
	for (size_t i = 0; i < problems.count; i++) {
		char line[1024], *at;

		problems_format(&problems.at[i], line, sizeof(line));
		while ((at = strstr(line, directory)))
			memmove(at, at + strlen(directory) + 1, strlen(at + strlen(directory) + 1) + 1);
		text_addf(&text, "%s%s", i ? "\n" : "", line);
	}
	assert_string_equal(found, expected);
	config_unref(config);
	problems_done(&problems);
}

static void
test_defaults(void **state)
{
	_cleanup_(config_unrefp) struct config *config = load_text(
		"upstreams = ( { name = \"a\"; address = \"h.example:1\"; } );");
	const struct policy *policy = &config->upstreams[0]->policy;

	(void)state;
	assert_true(config->workers >= 1 && config->workers <= 8);
	assert_string_equal(config->control.path, DEFAULT_CONTROL_SOCKET);
	assert_int_equal(config->control.mode, 0666);
	assert_null(config->control.group);
	assert_null(config->control.admin_group);
	assert_int_equal(config->log.target, LOG_TARGET_SYSLOG);
	assert_int_equal(config->log.level, LEVEL_INFO);
	assert_string_equal(config->log.facility, "daemon");
	assert_string_equal(config->log.ident, "holdfastd");
	assert_string_equal(config->conf_dir, "");
	assert_string_equal(config->file, "t");
	assert_int_equal(config->generation, 0);

	assert_true(policy->enabled);
	assert_int_equal(policy->connections, 1);
	assert_int_equal(policy->family, FAMILY_ANY);
	assert_int_equal(policy->order, ORDER_LISTED);
	assert_int_equal(policy->timeout[STAGE_RESOLVE], DEFAULT_RESOLVE_TIMEOUT);
	assert_int_equal(policy->timeout[STAGE_CONNECT], DEFAULT_CONNECT_TIMEOUT);
	assert_int_equal(policy->timeout[STAGE_HANDSHAKE], DEFAULT_HANDSHAKE_TIMEOUT);
	assert_int_equal(policy->timeout[STAGE_SETTLE], DEFAULT_SETTLE_TIMEOUT);
	assert_int_equal(policy->timeout[STAGE_CLOSING], DEFAULT_CLOSE_TIMEOUT);
	assert_true(policy->timeout[STAGE_LOAD] == USEC_INFINITY);
	assert_int_equal(policy->attempt_timeout, DEFAULT_ATTEMPT_TIMEOUT);
	assert_int_equal(policy->retry.initial, DEFAULT_RETRY_INITIAL);
	assert_int_equal(policy->retry.max, DEFAULT_RETRY_MAX);
	assert_true(policy->retry.multiplier == DEFAULT_RETRY_MULTIPLIER);
	assert_int_equal(policy->retry.jitter, JITTER_EQUAL);
	assert_int_equal(policy->retry.stable_after, DEFAULT_STABLE_AFTER);
	assert_int_equal(policy->lifetime, 0);
	assert_int_equal(policy->idle_limit, 0);
	assert_false(address_is_set(&policy->transport.source));
	assert_string_equal(policy->transport.interface, "");
	assert_int_equal(policy->transport.mark, 0);
	assert_int_equal(policy->transport.keepalive.idle, DEFAULT_KEEPALIVE_IDLE);
	assert_int_equal(policy->transport.keepalive.interval, DEFAULT_KEEPALIVE_INTERVAL);
	assert_int_equal(policy->transport.keepalive.count, DEFAULT_KEEPALIVE_COUNT);
	assert_int_equal(policy->transport.keepalive.user_timeout, DEFAULT_KEEPALIVE_USER_TIMEOUT);
	assert_false(policy->tls.enabled);
	assert_int_equal(policy->tls.verify, VERIFY_FULL);
	assert_int_equal(policy->tls.min_version, TLS_POLICY_VERSION_1_2);
	assert_int_equal(policy->tls.max_version, 0);
	assert_int_equal(policy->tls.security_level, -1);
	assert_true(policy->tls.resumption);
	assert_null(policy->tls.sni);
	assert_null(policy->tls.ca_file);
	assert_null(policy->tls.pins);
	assert_null(policy->tls.alpn);
}

/* Each value lands in its own field. */
static void
test_values(void **state)
{
	_cleanup_(config_unrefp) struct config *config = load_text(
		"workers = 3; control = { path = \"/c\"; mode = \"0640\"; group = \"g\"; admin_group = \"a\"; };"
		"log = { target = \"journal\"; level = \"debug\"; facility = \"local3\"; ident = \"x\"; };"
		"upstreams = ( { name = \"n\"; address = [ \"a.example.:1\", \"[2001:db8::1]:2\" ];"
		"enabled = false; connections = 4; family = \"ipv6\"; order = \"random\";"
		"source = \"fe80::5%eth0\"; interface = \"eth0\"; mark = 0xfffffffe;"
		"lifetime = \"1d\"; idle_limit = \"5m\";"
		"timeouts = { resolve = \"1s\"; connect = \"2s\"; handshake = \"3s\"; settle = \"4s\";"
		" attempt = \"5s\"; close = \"6s\"; };"
		"retry = { initial = \"7s\"; max = \"8s\"; multiplier = 1.5; jitter = \"full\"; stable_after ="
		" \"9s\"; };"
		"keepalive = { idle = \"10s\"; interval = \"11s\"; count = 12; user_timeout = \"13s\"; };"
		"tls = { verify = \"full\"; verify_name = \"v\"; sni = \"s\"; ca_file = \"/1\"; ca_dir = \"/2\";"
		" certificate = \"/3\"; key = \"/4\"; key_password_file = \"/5\"; crl_file = \"/6\";"
		" pins = [ \"" PIN "\" ]; alpn = [ \"h2\", \"x\" ]; alpn_required = true;"
		" min_version = \"1.1\"; max_version = \"1.3\"; ciphers = \"c\"; ciphersuites = \"cs\";"
		" groups = \"gr\"; signature_algorithms = \"sa\"; security_level = 0; resumption = false;"
		" keylog_file = \"/7\"; }; } );");
	const struct upstream *upstream = config->upstreams[0];
	const struct policy *policy = &upstream->policy;
	const struct tls_policy *tls = &policy->tls;
	char text[ADDRESS_TEXT_MAX];

	(void)state;
	assert_int_equal(config->workers, 3);
	assert_string_equal(config->control.path, "/c");
	assert_int_equal(config->control.mode, 0640);
	assert_string_equal(config->control.group, "g");
	assert_string_equal(config->control.admin_group, "a");
	assert_int_equal(config->log.target, LOG_TARGET_JOURNAL);
	assert_int_equal(config->log.level, LEVEL_DEBUG);
	assert_string_equal(config->log.facility, "local3");
	assert_string_equal(config->log.ident, "x");

	assert_string_equal(upstream->name, "n");
	assert_int_equal(upstream->target_count, 2);
	assert_string_equal(upstream->targets[0].host, "a.example");
	assert_true(upstream->targets[0].absolute);
	assert_string_equal(address_format(&upstream->targets[1].address, text, sizeof(text)),
			    "[2001:db8::1]:2");
	assert_false(policy->enabled);
	assert_int_equal(policy->connections, 4);
	assert_int_equal(policy->family, FAMILY_IPV6);
	assert_int_equal(policy->order, ORDER_RANDOM);
	assert_string_equal(address_format(&policy->transport.source, text, sizeof(text)),
			    "[fe80::5%eth0]:0");
	assert_string_equal(policy->transport.interface, "eth0");
	assert_int_equal(policy->transport.mark, 0xfffffffe);
	assert_int_equal(policy->lifetime, USEC_PER_DAY);
	assert_int_equal(policy->idle_limit, 5 * USEC_PER_MINUTE);
	assert_int_equal(policy->timeout[STAGE_RESOLVE], 1 * USEC_PER_SEC);
	assert_int_equal(policy->timeout[STAGE_CONNECT], 2 * USEC_PER_SEC);
	assert_int_equal(policy->timeout[STAGE_HANDSHAKE], 3 * USEC_PER_SEC);
	assert_int_equal(policy->timeout[STAGE_SETTLE], 4 * USEC_PER_SEC);
	assert_int_equal(policy->attempt_timeout, 5 * USEC_PER_SEC);
	assert_int_equal(policy->timeout[STAGE_CLOSING], 6 * USEC_PER_SEC);
	assert_int_equal(policy->retry.initial, 7 * USEC_PER_SEC);
	assert_int_equal(policy->retry.max, 8 * USEC_PER_SEC);
	assert_true(policy->retry.multiplier == 1.5);
	assert_int_equal(policy->retry.jitter, JITTER_FULL);
	assert_int_equal(policy->retry.stable_after, 9 * USEC_PER_SEC);
	assert_int_equal(policy->transport.keepalive.idle, 10 * USEC_PER_SEC);
	assert_int_equal(policy->transport.keepalive.interval, 11 * USEC_PER_SEC);
	assert_int_equal(policy->transport.keepalive.count, 12);
	assert_int_equal(policy->transport.keepalive.user_timeout, 13 * USEC_PER_SEC);
	assert_true(tls->enabled);
	assert_int_equal(tls->verify, VERIFY_FULL);
	assert_string_equal(tls->verify_name, "v");
	assert_string_equal(tls->sni, "s");
	assert_string_equal(tls->ca_file, "/1");
	assert_string_equal(tls->ca_dir, "/2");
	assert_string_equal(tls->certificate, "/3");
	assert_string_equal(tls->key, "/4");
	assert_string_equal(tls->key_password_file, "/5");
	assert_string_equal(tls->crl_file, "/6");
	assert_string_equal(tls->keylog_file, "/7");
	assert_int_equal(tls->pin_count, 1);
	assert_int_equal(tls->pins[0][1], 0x11);
	assert_int_equal(tls->pins[0][9], 0x99);
	assert_int_equal(tls->pins[0][10], 0xaa);
	assert_int_equal(tls->pins[0][31], 0xff);
	assert_int_equal(tls->alpn_length, 5);
	assert_memory_equal(tls->alpn, "\2h2\1x", 5);
	assert_true(tls->alpn_required);
	assert_int_equal(tls->min_version, TLS_POLICY_VERSION_1_1);
	assert_int_equal(tls->max_version, TLS_POLICY_VERSION_1_3);
	assert_string_equal(tls->ciphers, "c");
	assert_string_equal(tls->ciphersuites, "cs");
	assert_string_equal(tls->groups, "gr");
	assert_string_equal(tls->signature_algorithms, "sa");
	assert_int_equal(tls->security_level, 0);
	assert_false(tls->resumption);
}

/* An upstream's own keys win one by one; "" and `tls = false` take back what the defaults say. */
static void
test_upstream_over_defaults(void **state)
{
	_cleanup_(config_unrefp) struct config *config = load_text(
		"upstreams = ( { name = \"a\"; address = \"h:1\"; },"
		"{ name = \"b\"; address = \"h:1\"; tls = { ca_file = \"\"; verify = \"chain\"; sni = \"\"; };"
		"  timeouts = { close = \"1s\"; }; lifetime = \"none\"; source = \"\"; },"
		"{ name = \"c\"; address = \"h:1\"; tls = false; },"
		"{ name = \"d\"; address = \"h:1\"; tls = true; } );"
		"defaults = { timeouts = { connect = \"7s\"; close = \"3s\"; }; lifetime = \"2h\";" /* below them */
		"  source = \"192.0.2.1\"; tls = { ca_file = \"/ca\"; alpn = [ \"h2\" ]; sni = \"s\"; }; };");
	const struct policy *a = &config_find(config, "a")->policy,
			    *b = &config_find(config, "b")->policy;
	const struct policy *c = &config_find(config, "c")->policy,
			    *d = &config_find(config, "d")->policy;

	(void)state;
	assert_int_equal(a->timeout[STAGE_CONNECT], 7 * USEC_PER_SEC);
	assert_int_equal(a->timeout[STAGE_CLOSING], 3 * USEC_PER_SEC);
	assert_int_equal(a->lifetime, 2 * USEC_PER_HOUR);
	assert_true(a->tls.enabled);
	assert_string_equal(a->tls.ca_file, "/ca");
	assert_memory_equal(a->tls.alpn, "\2h2", 3);
	assert_true(address_is_set(&a->transport.source));

	assert_int_equal(b->timeout[STAGE_CONNECT], 7 * USEC_PER_SEC);
	assert_int_equal(b->timeout[STAGE_CLOSING], 1 * USEC_PER_SEC);
	assert_int_equal(b->lifetime, 0);
	assert_false(address_is_set(&b->transport.source));
	assert_true(b->tls.enabled);
	assert_int_equal(b->tls.verify, VERIFY_CHAIN);
	assert_null(b->tls.ca_file);
	assert_string_equal(b->tls.sni, ""); /* sends none, and is not the same as unset */
	assert_int_equal(b->tls.alpn_length, 3);

	assert_false(c->tls.enabled);
	assert_null(c->tls.ca_file);
	assert_true(d->tls.enabled);
	assert_string_equal(d->tls.ca_file, "/ca");
}

static void
test_find(void **state)
{
	_cleanup_(config_unrefp) struct config *empty = load_text("");
	_cleanup_(config_unrefp) struct config *config = load_text(
		"upstreams = ( { name = \"z\"; address = \"h:1\"; }, { name = \"B\"; address = \"h:1\"; },"
		"{ name = \"a\"; address = \"h:1\"; } );");

	(void)state;
	assert_null(config_find(empty, "a"));
	assert_int_equal(config->upstream_count, 3);
	assert_string_equal(config->upstreams[0]->name, "B"); /* by strcmp() */
	assert_string_equal(config_find(config, "a")->name, "a");
	assert_string_equal(config_find(config, "z")->name, "z");
	assert_null(config_find(config, "b"));
	assert_null(config_find(config, ""));
}

static void
test_references(void **state)
{
	struct config *config = load_text("upstreams = ( { name = \"a\"; address = \"h:1\"; } );");
	struct upstream *upstream = upstream_ref(config->upstreams[0]);

	(void)state;
	assert_ptr_equal(config_ref(config), config);
	assert_null(config_unref(config));
	assert_string_equal(config->file, "t");
	assert_null(config_unref(config));
	assert_string_equal(upstream->name, "a"); /* outlives its configuration */
	upstream_unref(upstream);
	assert_null(config_ref(NULL));
	assert_null(config_unref(NULL));
}

static void
test_levels(void **state)
{
	(void)state;
	assert_int_equal(log_level_find("error"), LEVEL_ERROR);
	assert_int_equal(log_level_find("debug"), LEVEL_DEBUG);
	assert_int_equal(log_level_find("Debug"), -EINVAL);
	assert_string_equal(log_level_name(LEVEL_NOTICE), "notice");
}

/* In the order of names; what is no *.conf, or hidden, is not read. */
static void
test_drop_ins(void **state)
{
	struct problems problems = { 0 };
	struct config *config = NULL;

	(void)state;
	write_file("main.conf", "upstreams = ( { name = \"m\"; address = \"h:1\"; } );"
				"defaults = { connections = 2; };");
	write_file("conf.d/10-a.conf", "upstreams = ( { name = \"a\"; address = \"h:1\"; } );");
	write_file("conf.d/20-b.conf", "defaults = { connections = 5; };\n"
				       "@include \"extra\"\n");
	write_file("extra", "upstreams = ( { name = \"b\"; address = \"h:1\"; } );");
	write_file("conf.d/.hidden.conf", "rubbish");
	write_file("conf.d/notes.txt", "rubbish");
	write_file("conf.d/.conf", "rubbish");
	assert_int_equal(config_load(in_directory("main.conf"), NULL, &problems, &config), 0);
	assert_int_equal(problems.count, 0);
	assert_int_equal(config->upstream_count, 3);
	assert_string_equal(config->conf_dir, in_directory("conf.d"));
	assert_string_equal(config->file, in_directory("main.conf"));
	/* Defaults hold for the file that they stand in. */
	assert_int_equal(config_find(config, "m")->policy.connections, 2);
	assert_int_equal(config_find(config, "a")->policy.connections, 1);
	assert_int_equal(config_find(config, "b")->policy.connections, 5);
	config_unref(config);
}

static void
test_drop_ins_with_problems(void **state)
{
	(void)state;
	write_file("main.conf", "workers = 1;\nupstreams = (\n{ name = \"m\"; address = \"h\"; } );");
	write_file("conf.d/10-a.conf", "workers = 2;\nlog = { level = \"info\"; };\nupstrems = ( );\n");
	write_file("conf.d/20-b.conf", "syntax error");
	write_file("conf.d/30-c.conf", "\nupstreams = ( { name = \"m\"; address = \"h:1\"; } );");
	assert_problems("main.conf:3: upstream \"m\": address: \"h\" has no port (expected host:port, e.g. "
			"example.org:443)\n"
			"conf.d/10-a.conf:1: workers: stands in the main file only, not in a drop-in\n"
			"conf.d/10-a.conf:2: log: stands in the main file only, not in a drop-in\n"
			"conf.d/10-a.conf:3: unknown key \"upstrems\" (did you mean \"upstreams\"?)\n"
			"conf.d/20-b.conf:1: syntax error, at or before: syntax error\n"
			"conf.d/30-c.conf:2: upstream \"m\": name: stands already in main.conf:3");
	unlink(in_directory("conf.d/20-b.conf"));
	unlink(in_directory("conf.d/30-c.conf"));

	write_file("main.conf", "syntax error");
	write_file("conf.d/10-a.conf", "wrong = 1;");
	assert_problems("main.conf:1: syntax error, at or before: syntax error\n"
			"conf.d/10-a.conf:1: unknown key \"wrong\"");
	unlink(in_directory("conf.d/10-a.conf"));
}

static void
test_conf_dir(void **state)
{
	(void)state;
	write_file("main.conf", "conf_dir = \"/nonexistent/conf.d\";");
	assert_problems("/nonexistent/conf.d: cannot be read: No such file or directory");
	write_file("conf.d/10-a.conf", "wrong = 1;");
	write_file("main.conf", "conf_dir = \"\";"); /* none */
	assert_problems("");
	write_file("main.conf", "");
	assert_problems("conf.d/10-a.conf:1: unknown key \"wrong\"");
	unlink(in_directory("conf.d/10-a.conf"));
	assert_int_equal(mkdir(in_directory("conf.d/20.conf"), 0700), 0);
	assert_problems("conf.d/20.conf: is a directory, not a file");
	rmdir(in_directory("conf.d/20.conf"));
}

static void
test_unreadable(void **state)
{
	struct problems problems = { 0 };
	struct config *config = NULL;

	(void)state;
	assert_int_equal(config_load("/nonexistent/x.conf", NULL, &problems, &config), -EINVAL);
	assert_int_equal(problems.count, 1);
	assert_string_equal(problems.at[0].message, "cannot be read: No such file or directory");
	assert_null(config);
	problems_done(&problems);
}

/* A dump can take the place of the file and its drop-ins. */
static void
test_dump_as_file(void **state)
{
	struct problems problems = { 0 };
	struct config *config = NULL, *again = NULL;
	FILE *out;

	(void)state;
	write_file("main.conf", "upstreams = ( { name = \"m\"; address = \"h:1\"; } );");
	write_file("conf.d/10-a.conf", "upstreams = ( { name = \"a\"; address = \"h:1\"; } );");
	assert_int_equal(config_load(in_directory("main.conf"), NULL, &problems, &config), 0);
	out = fopen(in_directory("main.conf"), "w");
	assert_non_null(out);
	assert_int_equal(config_dump(config, out), 0);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(config_load(in_directory("main.conf"), NULL, &problems, &again), 0);
	assert_int_equal(again->upstream_count, 2);
	config_unref(config);
	config_unref(again);
	unlink(in_directory("conf.d/10-a.conf"));
}

/* As many as are allowed; the time limit of the test sees what is quadratic. */
static void
test_many(void **state)
{
	struct problems problems = { 0 };
	_cleanup_(freep) char *buffer = malloc(UPSTREAMS_MAX * 96);
	_cleanup_(config_unrefp) struct config *config = NULL;
	struct config *none = NULL;
	struct text text;

	(void)state;
	assert_non_null(buffer);
	text_init(&text, buffer, UPSTREAMS_MAX * 96);
	text_add(&text, "defaults = { tls = { ca_file = \"/ca\"; }; }; upstreams = (");
	for (unsigned int i = 0; i < UPSTREAMS_MAX; i++)
		text_addf(&text, "%s{ name = \"u%u\"; address = \"h%u:1\"; connections = 2; }",
			  i ? ",\n" : "", i, i);
	config = load_text((text_add(&text, ");"), buffer));
	assert_int_equal(config->upstream_count, UPSTREAMS_MAX);
	assert_string_equal(config_find(config, "u19999")->targets[0].host, "h19999");

	text.length -= 2;
	text_add(&text, ", { name = \"x\"; address = \"y:1\"; } );");
	assert_int_equal(config_load_text(buffer, "t", NULL, &problems, &none), -EINVAL);
	assert_int_equal(problems.count, 1);
	assert_string_equal(problems.at[0].message, "upstreams: 20001 are too many (at most 20000)");
	problems_done(&problems);
}

static int
make_directory(void **state)
{
	(void)state;
	return mkdtemp(directory) && mkdir(in_directory("conf.d"), 0700) == 0 ? 0 : -1;
}

static int
remove_directory(void **state)
{
	static const char *const names[] = {
		"main.conf",	       "extra",
		"conf.d/.hidden.conf", "conf.d/notes.txt",
		"conf.d/.conf",	       "conf.d/10-a.conf",
		"conf.d/20-b.conf",    "conf.d/30-c.conf",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(names); i++)
		unlink(in_directory(names[i]));
	rmdir(in_directory("conf.d"));
	return rmdir(directory);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_upstream_over_defaults),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_references),
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_drop_ins),
		cmocka_unit_test(test_drop_ins_with_problems),
		cmocka_unit_test(test_conf_dir),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_dump_as_file),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
