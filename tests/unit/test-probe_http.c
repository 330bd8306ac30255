/* core/probe_http: the request, the status and the headers of the answer. */
#include "probe-fixture.h"

#include <stdio.h>

static struct probe_policy policy;
static struct target target;
static struct address source;
static struct outcome outcome;

#define OK	   "HTTP/1.1 200 OK\r\n"
#define NO_BODY	   "Content-Length: 0\r\n\r\n"
#define BAD_STATUS FAILURE_PROTOCOL_PROBE_STATUS
#define MISMATCH   FAILURE_PROTOCOL_PROBE_MISMATCH

static struct probe_setup
setup_for(const char *request)
{
	policy = (struct probe_policy){
		.kind = PROBE_HTTP, .request = request, .status_min = 200, .status_max = 399
	};
	return (struct probe_setup){ .policy = &policy, .target = &target, .source = &source };
}

static void
check_host(const char *address, const char *expected)
{
	struct probe_setup setup = setup_for("GET /health");
	const char *problem = "";
	char request[256];

	if (target_parse(address, FAMILY_ANY, &target, &problem) < 0)
		fail_msg("%s %s", address, problem);
	converse(&setup, (struct octets)SAYS(OK NO_BODY), ENDING_NONE, &outcome);
	assert_int_equal(outcome.verdict, DIALOGUE_DONE);
	snprintf(request, sizeof(request),
		 "GET /health HTTP/1.1\r\nHost: %s\r\nUser-Agent: holdfast\r\nAccept: */*\r\n"
		 "Connection: keep-alive\r\n\r\n",
		 expected);
	assert_string_equal(outcome.said, request);
}

static void
the_host_is_the_targets(void **state)
{
	struct probe_setup setup = setup_for("GET /");

	(void)state;
	check_host("www.example.test:80", "www.example.test");
	check_host("www.example.test:443", "www.example.test");
	check_host("www.example.test.:8080", "www.example.test:8080");
	check_host("192.0.2.7:81", "192.0.2.7:81");
	check_host("[2001:db8::1]:81", "[2001:db8::1]:81");
	check_host("[fe80::1%lo]:443", "[fe80::1]");
	check_host("unix:/run/app.sock", "localhost");
	check_host("srv:_http._tcp.example.test", "example.test");
	policy.host = "other.test:1";
	converse(&setup, (struct octets)SAYS(OK NO_BODY), ENDING_NONE, &outcome);
	assert_non_null(strstr(outcome.said, "\r\nHost: other.test:1\r\n"));
}

static void
statuses(void **state)
{
	static const struct answer answers[] = {
		{ SAYS(OK NO_BODY), FAILURE_NONE },
		{ SAYS("HTTP/1.1 200\r\n" NO_BODY), FAILURE_NONE },
		{ SAYS("HTTP/1.0 302 Found\r\nLocation: /x\r\n" NO_BODY), FAILURE_NONE },
		{ SAYS("HTTP/1.1 204 No Content\r\n\r\n"), FAILURE_NONE },
		{ SAYS("HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n"), FAILURE_NONE },
		{ SAYS("HTTP/1.1 401 Unauthorized\r\n" NO_BODY), FAILURE_PROTOCOL_PROBE_AUTH },
		{ SAYS("HTTP/1.1 403 Forbidden\r\n" NO_BODY), FAILURE_PROTOCOL_PROBE_AUTH },
		{ SAYS("HTTP/1.1 407 Proxy\r\n" NO_BODY), FAILURE_PROTOCOL_PROBE_AUTH },
		{ SAYS("HTTP/1.1 400 Bad Request\r\n" NO_BODY), BAD_STATUS },
		{ SAYS("HTTP/1.1 503 Service Unavailable\r\n" NO_BODY), BAD_STATUS },
		{ SAYS("HTTP/1.1 503 x\r\nContent-Length: 99999999999999999999999\r\n\r\n"), BAD_STATUS },
		{ SAYS("HTTP/1.1 503 x\r\nContent-Length: -1\r\n\r\n"), BAD_STATUS },
		{ SAYS("HTTP/1.1 101 Switching Protocols\r\n\r\n"), BAD_STATUS },
		{ SAYS("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" OK NO_BODY),
		  FAILURE_NONE },
		{ SAYS("HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\nHTTP/1.1 500 x\r\n" NO_BODY),
		  BAD_STATUS },
		{ SAYS("HTTP/1.1 102 x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" OK NO_BODY),
		  FAILURE_NONE },
		{ SAYS("HTTP/1.1 099 x\r\n\r\n"), MISMATCH },
		{ SAYS("HTTP/1.1 20 x\r\n\r\n"), MISMATCH },
		{ SAYS("HTTP/1.1 2000 x\r\n\r\n"), MISMATCH },
		{ SAYS("HTTP/1.x 200 x\r\n\r\n"), MISMATCH },
		{ SAYS("HTTP/1.1\t200 x\r\n\r\n"), MISMATCH },
		{ SAYS("HTTP/1.1 200x\r\n\r\n"), MISMATCH },
		{ SAYS("HTTP/2"), MISMATCH },
		{ SAYS("\r\n"), MISMATCH },
		{ SAYS("\0\0\6\4"), MISMATCH },
		{ SAYS("220 mail"), MISMATCH },
	};
	struct probe_setup setup = setup_for("GET /");

	(void)state;
	CHECK_ANSWERS(&setup, answers);
	policy.status_min = policy.status_max = 401;
	converse(&setup, answers[5].input, ENDING_NONE, &outcome);
	assert_int_equal(outcome.verdict, DIALOGUE_DONE);
	converse(&setup, answers[0].input, ENDING_NONE, &outcome);
	assert_int_equal(outcome.failure.code, BAD_STATUS);
}

static void
every_octet_is_missed(void **state)
{
	struct probe_setup setup = setup_for("GET /");

	(void)state;
	check_every_end(&setup, (struct octets)SAYS(OK "Content-Length: 3\r\n\r\nabc"));
	check_every_end(&setup, (struct octets)SAYS(OK "Transfer-Encoding: chunked\r\n\r\n"
						       "3\r\nabc\r\n0\r\n\r\n"));
}

static void
lengths_that_cannot_be(void **state)
{
	static const struct answer answers[] = {
		{ SAYS(OK "Content-Length: 1x\r\n\r\n"), MISMATCH },
		{ SAYS(OK "Content-Length:\r\n\r\n"), MISMATCH },
		{ SAYS(OK "Content-Length: 1\r\nContent-Length: 2\r\n\r\n"), MISMATCH },
		{ SAYS(OK "Content-Length: 1\r\ncontent-length: 1\r\n\r\nx"), FAILURE_NONE },
		{ SAYS(OK "Content-Length: 1048577\r\n\r\n"), MISMATCH },
		{ SAYS(OK "Content-Length: 18446744073709551616\r\n\r\n"), MISMATCH },
	};
	struct probe_setup setup = setup_for("GET /");

	(void)state;
	CHECK_ANSWERS(&setup, answers);
	assert_string_equal(hint_after(&setup, answers[4].input, ENDING_NONE),
			    "Unexpected answer: HTTP/1.1 200 OK; wanted: a body of at most 1 MiB.");
}

static void
a_wanted_header(void **state)
{
	static const struct answer answers[] = {
		{ SAYS(OK "X-State: good\r\n" NO_BODY), FAILURE_NONE },
		{ SAYS(OK "x-sTATE:\t good \r\n" NO_BODY), FAILURE_NONE },
		{ SAYS(OK "X-State: bad\r\nX-State: good\r\n" NO_BODY), FAILURE_NONE },
		{ SAYS(OK "X-State: Good\r\n" NO_BODY), MISMATCH },
		{ SAYS(OK "X-State: good, bad\r\n" NO_BODY), MISMATCH },
		{ SAYS(OK "X-Stat: good\r\nno header\r\n" NO_BODY), MISMATCH },
		{ SAYS(OK "Content-Length: 2\r\n\r\nX-"), MISMATCH },
	};
	struct probe_setup setup = setup_for("GET /");

	(void)state;
	policy.header = "X-State: good";
	CHECK_ANSWERS(&setup, answers);
	assert_string_equal(hint_after(&setup, answers[6].input, ENDING_NONE),
			    "Unexpected answer: HTTP/1.1 200 OK; wanted: the header X-State: good.");
}

static void
a_head_has_no_body(void **state)
{
	struct probe_setup setup = setup_for("HEAD /");

	(void)state;
	converse(&setup, (struct octets)SAYS(OK "Content-Length: 700\r\n\r\nHTTP"), ENDING_NONE,
		 &outcome);
	assert_int_equal(outcome.verdict, DIALOGUE_DONE);
	assert_int_equal(outcome.left, strlen("HTTP"));
}

static void
headers_have_limits(void **state)
{
	static char input[DIALOGUE_INPUT_MAX * 2];
	struct probe_setup setup = setup_for("GET /");
	size_t length = strlen(OK);

	(void)state;
	memset(input, 'a', sizeof(input));
	memcpy(input, OK, length);
	converse(&setup, (struct octets){ input, DIALOGUE_INPUT_MAX + 1 }, ENDING_NONE, &outcome);
	assert_int_equal(outcome.failure.code, MISMATCH);
	for (int i = 0; i < DIALOGUE_LINES_MAX; i++, length += 5)
		memcpy(input + length, "a: b\n", 5);
	converse(&setup, (struct octets){ input, length }, ENDING_NONE, &outcome);
	assert_int_equal(outcome.failure.code, MISMATCH);
	length = 0;
	for (int i = 0; i < 9; i++, length += strlen("HTTP/1.1 100 x\r\n\r\n"))
		memcpy(input + length, "HTTP/1.1 100 x\r\n\r\n", strlen("HTTP/1.1 100 x\r\n\r\n"));
	converse(&setup, (struct octets){ input, length }, ENDING_NONE, &outcome);
	assert_int_equal(outcome.failure.code, MISMATCH);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_host_is_the_targets), cmocka_unit_test(statuses),
		cmocka_unit_test(every_octet_is_missed),   cmocka_unit_test(lengths_that_cannot_be),
		cmocka_unit_test(a_wanted_header),	   cmocka_unit_test(a_head_has_no_body),
		cmocka_unit_test(headers_have_limits),
	};

	RUN_TESTS(tests);
}
