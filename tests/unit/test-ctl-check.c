/* check: from the command line to an upstream, and from a report to words and an exit status. */
#include "ctl-fixture.h"
#include "ctl-sample.h"

#include "ctl/check.h"
#include "ctl/check_url.h"

#define PLAN(plan, ...) plan_of((const char *[]){ "holdfastctl", "check", __VA_ARGS__, NULL }, plan)

static int
plan_of(const char **words, struct check_plan *plan)
{
	struct arguments arguments;
	int argc = 0, r;

	while (words[argc])
		argc++;
	assert_true(arguments_parse(argc, words, &arguments));
	*plan = (struct check_plan){ 0 };
	r = check_plan(&arguments, plan);
	arguments_done(&arguments);
	return r;
}

static void
a_url_is_an_upstream(void **state)
{
	const struct upstream *upstream;
	struct check_plan plan;

	(void)state;
	assert_int_equal(PLAN(&plan, "tls://ldap.example.org:636"), 0);
	upstream = plan.config->upstreams[0];
	assert_int_equal(upstream->target_count, 1);
	assert_string_equal(upstream->targets[0].host, "ldap.example.org");
	assert_int_equal(upstream->targets[0].port, 636);
	assert_true(upstream->policy.tls.enabled);
	assert_int_equal(upstream->policy.tls.verify, VERIFY_FULL);
	check_plan_done(&plan);
	assert_int_equal(PLAN(&plan, "tcp://[2001:db8::1]:80"), 0);
	assert_false(plan.config->upstreams[0]->policy.tls.enabled);
	check_plan_done(&plan);
	assert_int_equal(PLAN(&plan, "unix:/run/a \"b\"\\c"), 0);
	assert_string_equal(plan.config->upstreams[0]->targets[0].address.un.sun_path,
			    "/run/a \"b\"\\c");
	check_plan_done(&plan);
}

static void
options_are_the_configurations_keys(void **state)
{
	const struct policy *policy;
	struct check_plan plan;

	(void)state;
	assert_int_equal(PLAN(&plan, "tls://192.0.2.7:443", "--name=www.example.org", "--sni=other",
			      "--alpn=h2,http/1.1", "--min-version=1.3", "--ca-file=/ca.pem", "-4",
			      "--timeout=700ms"),
			 0);
	policy = &plan.config->upstreams[0]->policy;
	assert_string_equal(policy->tls.verify_name, "www.example.org");
	assert_string_equal(policy->tls.sni, "other");
	assert_int_equal(policy->tls.alpn_length, 12);
	assert_memory_equal(policy->tls.alpn, "\2h2\10http/1.1", 12);
	assert_int_equal(policy->tls.min_version, TLS_POLICY_VERSION_1_3);
	assert_string_equal(policy->tls.ca_file, "/ca.pem");
	assert_int_equal(policy->family, FAMILY_IPV4);
	assert_int_equal(policy->timeout[STAGE_CONNECT], 700 * USEC_PER_MSEC);
	assert_int_equal(policy->timeout[STAGE_HANDSHAKE], 700 * USEC_PER_MSEC);
	check_plan_done(&plan);
	assert_int_equal(
		PLAN(&plan, "tls://a.example:443", "--name=b", "--verify=chain", "--timeout=1h"), 0);
	policy = &plan.config->upstreams[0]->policy;
	assert_int_equal(policy->tls.verify, VERIFY_CHAIN);
	assert_string_equal(policy->tls.sni, "b");
	assert_int_equal(policy->timeout[STAGE_CONNECT], DEFAULT_CONNECT_TIMEOUT);
	check_plan_done(&plan);
}

/* What a URL makes of the upstream: where, with which STARTTLS and probe. */
struct expected_url {
	const char *url, *host;
	uint16_t port;
	bool tls;
	enum starttls starttls;
	enum probe_kind probe;
	const char *request;
};

static void
assert_url(const struct expected_url *expected)
{
	const struct upstream *upstream;
	struct check_plan plan;

	assert_int_equal(PLAN(&plan, expected->url), 0);
	assert_non_null(plan.config);
	upstream = plan.config->upstreams[0];
	assert_string_equal(upstream->targets[0].host, expected->host);
	assert_int_equal(upstream->targets[0].port, expected->port);
	assert_int_equal(upstream->policy.tls.enabled, expected->tls);
	assert_int_equal(upstream->policy.starttls, expected->starttls);
	assert_int_equal(upstream->policy.probe.kind, expected->probe);
	if (expected->request)
		assert_string_equal(upstream->policy.probe.request, expected->request);
	check_plan_done(&plan);
}

static void
a_scheme_says_what_is_spoken(void **state)
{
	static const struct expected_url urls[] = {
		{ "smtp+starttls://mx.example", "mx.example", 25, true, STARTTLS_SMTP, PROBE_NONE, NULL },
		{ "smtp+starttls://mx.example:587/", "mx.example", 587, true, STARTTLS_SMTP,
		  PROBE_NONE, NULL },
		{ "postgres+starttls://[::1]", "::1", 5432, true, STARTTLS_POSTGRES, PROBE_NONE, NULL },
		{ "xmpp-server+starttls://a", "a", 5269, true, STARTTLS_XMPP_SERVER, PROBE_NONE, NULL },
		{ "https://a/health?x=1", "a", 443, true, STARTTLS_NONE, PROBE_HTTP, "GET /health?x=1" },
		{ "http://a:8080", "a", 8080, false, STARTTLS_NONE, PROBE_HTTP, DEFAULT_PROBE_REQUEST },
		{ "HTTPS://a?x=1#part", "a", 443, true, STARTTLS_NONE, PROBE_HTTP, "GET /?x=1" },
		{ "rediss://a", "a", 6379, true, STARTTLS_NONE, PROBE_REDIS, NULL },
		{ "ldaps://a", "a", 636, true, STARTTLS_NONE, PROBE_NONE, NULL },
		{ "tls://srv:_ldaps._tcp.a", "_ldaps._tcp.a", 0, true, STARTTLS_NONE, PROBE_NONE, NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(urls); i++)
		assert_url(&urls[i]);
}

static void
options_say_what_is_asked_and_by_which_way(void **state)
{
	const struct policy *policy;
	struct check_plan plan;

	(void)state;
	assert_int_equal(PLAN(&plan, "tls://a:1", "--via=socks5://p.example:1080", "--proxy-user=me",
			      "--proxy-protocol=v2", "--probe=http:/health", "--ocsp=require"),
			 0);
	policy = &plan.config->upstreams[0]->policy;
	assert_int_equal(policy->proxy.kind, PROXY_SOCKS5);
	assert_string_equal(policy->proxy.target.host, "p.example");
	assert_string_equal(policy->proxy.user, "me");
	assert_int_equal(policy->proxy.header, PROXY_HEADER_V2);
	assert_string_equal(policy->probe.request, "GET /health");
	assert_int_equal(policy->tls.ocsp, OCSP_REQUIRE);
	check_plan_done(&plan);
	assert_int_equal(PLAN(&plan, "tcp://a:1", "--probe=expect:+PONG\\r"), 0);
	policy = &plan.config->upstreams[0]->policy;
	assert_int_equal(policy->probe.kind, PROBE_EXPECT);
	assert_int_equal(policy->probe.steps[0].expect_length, 6);
	assert_memory_equal(policy->probe.steps[0].expect, "+PONG\r", 6);
	check_plan_done(&plan);
	assert_int_equal(PLAN(&plan, "https://a", "--probe=none"), 0);
	assert_int_equal(plan.config->upstreams[0]->policy.probe.kind, PROBE_NONE);
	check_plan_done(&plan);
}

static void
an_address_that_cannot_be_right_is_a_failure(void **state)
{
	static const char *const urls[] = { "tls://a..b:443",
					    "tls://a",
					    "tls://a:0",
					    "tcp://1.2:80",
					    "tls://fe80::1:443",
					    "tcp://b\xc3\xbc.example:1",
					    "unix:x",
					    "tls://" };
	struct check_plan plan;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(urls); i++) {
		assert_int_equal(PLAN(&plan, urls[i]), 0);
		assert_null(plan.config);
		assert_int_equal(plan.failure.code, FAILURE_ADDRESS_INVALID);
		check_plan_done(&plan);
	}
	assert_int_equal(PLAN(&plan, "tcp://192.0.2.7:80", "-6"), 0);
	assert_int_equal(plan.failure.code, FAILURE_ADDRESS_INVALID);
	check_plan_done(&plan);
}

static void
options_that_cannot_be_right_are_refused(void **state)
{
	struct check_plan plan;

	(void)state;
	assert_int_equal(PLAN(&plan, "gopher://a:70"), STATUS_USAGE);
	assert_int_equal(PLAN(&plan, "tcp://a:1", "--ca-file=x"), STATUS_USAGE);
	assert_int_equal(PLAN(&plan, "tls://a:1", "-c", "x"), STATUS_USAGE);
	assert_int_equal(PLAN(&plan, "tls://a:1", "--min-version=9"), STATUS_USAGE);
	assert_int_equal(PLAN(&plan, "tls://a:1", "--verify=perhaps"), STATUS_USAGE);
	assert_int_equal(PLAN(&plan, "tls://a:1", "--timeout=soon"), STATUS_USAGE);
	assert_int_equal(PLAN(&plan, "tls://a:1", "--timeout=1ms"), STATUS_USAGE);
	assert_int_equal(PLAN(&plan, "tls://a:1", "--cert=/c.pem"), STATUS_USAGE); /* and no key */
	assert_int_equal(PLAN(&plan, "smtp+tls://a"), STATUS_USAGE);
	assert_int_equal(PLAN(&plan, "https://me:secret@a/"), STATUS_USAGE);
	assert_int_equal(PLAN(&plan, "tls://a:1/path"), STATUS_USAGE);
	assert_int_equal(PLAN(&plan, "pop3://a"), STATUS_USAGE);
	assert_int_equal(PLAN(&plan, "tcp://a:1", "--probe=rediss"), STATUS_USAGE);
	assert_int_equal(PLAN(&plan, "tcp://a:1", "--probe=redis:x"), STATUS_USAGE);
	assert_int_equal(PLAN(&plan, "tcp://a:1", "--via=ftp://p:1"), STATUS_USAGE);
	assert_int_equal(PLAN(&plan, "tcp://a:1", "--proxy-user=me"), STATUS_USAGE); /* and no proxy */
	assert_int_equal(PLAN(&plan, "tls://a:1", "--ocsp=perhaps"), STATUS_USAGE);
	assert_int_equal(PLAN(&plan, "tls://a:1", "--pin=abc"), STATUS_USAGE);
}

static void
urls_are_told_from_names(void **state)
{
	(void)state;
	assert_true(check_is_url("tls://a:1"));
	assert_true(check_is_url("smtp+starttls://a:25"));
	assert_true(check_is_url("unix:/a"));
	assert_false(check_is_url("ldap"));
	assert_false(check_is_url("ldap:636"));
}

#define WORKED \
	"{\"worked\": true, \"address\": \"192.0.2.7:636\", \"timings\": {\"connect\": 3000, \"handshake\": 9000}}"
#define FAILED \
	"{\"worked\": false, \"address\": \"192.0.2.8:636\", \"timings\": {}, \"failure\": " SAMPLE_FAILURE \
	"}"

static void
show(const struct screen *screen, const json_t *report)
{
	struct check_view view;
	json_t *attempt;
	size_t index;

	check_show_begin(&view, screen, json_string_value(json_object_get(report, "target")));
	view.now = SAMPLE_NOW;
	check_show_queries(&view, json_object_get(report, "queries"));
	json_array_foreach(json_object_get(report, "attempts"), index, attempt)
	{
		check_show_attempt(&view, attempt);
	}
	check_show_end(&view, report);
}

static void
assert_status(const char *attempts, const char *queries, int expected)
{
	json_t *report = json_pack("{s:s, s:o, s:o}", "target", "tls://a:1", "attempts",
				   sample(attempts), "queries", sample(queries));

	assert_int_equal(check_status(report), expected);
	json_decref(report);
}

static void
the_exit_status_counts_addresses(void **state)
{
	(void)state;
	assert_status("[" WORKED "]", "[]", 0);
	assert_status("[" WORKED ", " FAILED "]", "[]", 2);
	assert_status("[" FAILED ", " WORKED "]", "[]", 2);
	assert_status("[" FAILED "]", "[]", 15);
	assert_status("[]",
		      "[{\"failure\": {\"code\": \"address.nxdomain\", \"class\": \"address\"}}]", 11);
	assert_status("[]",
		      "[{\"failure\": {\"code\": \"address.no-data\", \"class\": \"address\"}},"
		      " {\"failure\": {\"code\": \"timeout.resolve\", \"class\": \"timeout\"}}]",
		      13);
	assert_status("[]",
		      "[{\"failure\": {\"code\": \"timeout.resolve\", \"class\": \"timeout\"}},"
		      " {\"failure\": {\"code\": \"address.nxdomain\", \"class\": \"address\"}}]",
		      11);
	assert_status("[]", "[]", 17);
}

static void
a_report_has_a_timeline(void **state)
{
	static const char *const wanted[] = {
		"resolve a.example\n",
		"192.0.2.7:636, 192.0.2.8:636  [12 ms]\n",
		"192.0.2.7:636: works\n",
		"  +0.00 ms      connect 3.0 ms\n",
		"  +3.0 ms       handshake 9.0 ms\n",
		"  +12 ms        ready\n",
		"192.0.2.8:636: tls.certificate-expired\n",
		"certificate",
	};
	json_t *report = sample(
		"{\"target\": \"tls://a.example:636\", \"queries\": [{\"host\": \"a.example\","
		" \"family\": \"ipv4\", \"elapsedUSec\": 12000, \"addresses\": [\"192.0.2.7:636\","
		" \"192.0.2.8:636\"]}], \"attempts\": [" WORKED ", " FAILED "]}");
	struct capture capture;

	(void)state;
	for (unsigned int width = SCREEN_WIDTH_MIN; width <= 200; width++) {
		capture_begin(&capture, width);
		show(&capture.screen, report);
		capture_end(&capture);
		assert_fits(capture.text, width);
		for (size_t i = 0; i < COUNT_OF(wanted) && width >= 80; i++) {
			if (!strstr(capture.text, wanted[i]))
				fail_msg("nowhere: %s in:\n%s", wanted[i], capture.text);
		}
		free(capture.text);
	}
	json_decref(report);
}

static void
no_address_at_all_has_its_failure(void **state)
{
	json_t *report = sample(
		"{\"target\": \"tls://a.example:636\", \"attempts\": [], \"queries\": [{\"host\": \"a.example\","
		" \"family\": \"ipv6\", \"elapsedUSec\": 12000, \"addresses\": [], \"failure\": " SAMPLE_FAILURE
		"}]}");
	struct capture capture;

	(void)state;
	capture_begin(&capture, 0);
	show(&capture.screen, report);
	capture_end(&capture);
	assert_non_null(strstr(capture.text, "  AAAA          tls.certificate-expired: "));
	assert_non_null(strstr(capture.text, "\nno address: tls.certificate-expired\n  what "));
	free(capture.text);
	json_decref(report);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_url_is_an_upstream),
		cmocka_unit_test(options_are_the_configurations_keys),
		cmocka_unit_test(a_scheme_says_what_is_spoken),
		cmocka_unit_test(options_say_what_is_asked_and_by_which_way),
		cmocka_unit_test(an_address_that_cannot_be_right_is_a_failure),
		cmocka_unit_test(options_that_cannot_be_right_are_refused),
		cmocka_unit_test(urls_are_told_from_names),
		cmocka_unit_test(the_exit_status_counts_addresses),
		cmocka_unit_test(a_report_has_a_timeline),
		cmocka_unit_test(no_address_at_all_has_its_failure),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	RUN_TESTS(tests);
}
