/* core/probe_http_body: the answer's body, read to its end and searched. */
#include "probe-fixture.h"

#define OK	 "HTTP/1.1 200 OK\r\n"
#define CHUNKED	 OK "Transfer-Encoding: chunked\r\n\r\n"
#define MISMATCH FAILURE_PROTOCOL_PROBE_MISMATCH

#define DOWN "HTTP/1.0 503 Busy\r\n\r\n"

#define BODY_MAX ((size_t)1024 * 1024)

static struct probe_policy policy;
static struct target target;
static struct address source;
static struct outcome outcome;

static struct probe_setup
setup_for(const char *body)
{
	policy = (struct probe_policy){
		.kind = PROBE_HTTP, .request = "GET /", .status_min = 200, .status_max = 399, .body = body
	};
	return (struct probe_setup){ .policy = &policy, .target = &target, .source = &source };
}

static void
what_the_body_must_hold(void **state)
{
	static const struct answer answers[] = {
		{ SAYS(OK "Content-Length: 6\r\n\r\nababac"), FAILURE_NONE },
		{ SAYS(OK "Content-Length: 13\r\n\r\n\0abaabababacx"), FAILURE_NONE },
		{ SAYS(OK "Content-Length: 8\r\n\r\nababxbac"), MISMATCH },
		{ SAYS(OK "Content-Length: 0\r\n\r\n"), MISMATCH },
		{ SAYS(OK "X: ababac\r\nContent-Length: 1\r\n\r\na"), MISMATCH },
		{ SAYS(CHUNKED "3\r\naba\r\n1;x=ababac\r\nb\r\n2\r\nac\r\n0\r\n\r\n"), FAILURE_NONE },
		{ SAYS(CHUNKED "3\r\naba\r\n1;x=ababac\r\nb\r\n2\r\nax\r\n0\r\nT: ababac\r\n\r\n"),
		  MISMATCH },
		{ SAYS(CHUNKED "0\r\n\r\n"), MISMATCH },
	};
	struct probe_setup setup = setup_for("ababac");

	(void)state;
	CHECK_ANSWERS(&setup, answers);
	policy.body = "aabaaac";
	converse(&setup, (struct octets)SAYS(OK "Content-Length: 11\r\n\r\naabaaabaaac"),
		 ENDING_NONE, &outcome);
	assert_int_equal(outcome.verdict, DIALOGUE_DONE);
	policy.body = "ababac";
	assert_string_equal(hint_after(&setup, answers[2].input, ENDING_NONE),
			    "Unexpected answer: ababxbac; wanted: a body with ababac.");
	assert_string_equal(hint_after(&setup, answers[3].input, ENDING_NONE),
			    "Unexpected answer: HTTP/1.1 200 OK; wanted: a body with ababac.");
}

static void
chunks(void **state)
{
	static const struct answer answers[] = {
		{ SAYS(CHUNKED "A ; x=\"y\"\r\n0123456789\r\n000\r\nTrailer: x\r\n\r\n"), FAILURE_NONE },
		{ SAYS(OK "Transfer-Encoding: gzip, Chunked\r\nContent-Length: 1\r\n\r\n1\n.\n0\n\n"),
		  FAILURE_NONE },
		{ SAYS(CHUNKED "x\r\n"), MISMATCH },
		{ SAYS(CHUNKED "\r\n"), MISMATCH },
		{ SAYS(CHUNKED "1x\r\n"), MISMATCH },
		{ SAYS(CHUNKED "1\r\nab\r\n"), MISMATCH },
		{ SAYS(CHUNKED "100001\r\n"), MISMATCH },
		{ SAYS(CHUNKED "10000000000000000000000000000001\r\n"), MISMATCH },
	};
	struct probe_setup setup = setup_for(NULL);

	(void)state;
	CHECK_ANSWERS(&setup, answers);
	converse(&setup, (struct octets)SAYS(CHUNKED "0\r\n\r\nHTTP"), ENDING_NONE, &outcome);
	assert_int_equal(outcome.left, strlen("HTTP"));
}

static void
a_body_up_to_the_end(void **state)
{
	struct probe_setup setup = setup_for("ready");

	(void)state;
	converse(&setup, (struct octets)SAYS("HTTP/1.0 200 OK\r\n\r\nI am ready"), ENDING_CLOSED,
		 &outcome);
	assert_int_equal(outcome.verdict, DIALOGUE_DONE);
	converse(&setup, (struct octets)SAYS("HTTP/1.0 200 OK\r\n\r\nI am not"), ENDING_CLOSED,
		 &outcome);
	assert_int_equal(outcome.failure.code, MISMATCH);
	converse(&setup, (struct octets)SAYS(OK "Transfer-Encoding: gzip\r\n\r\nready"),
		 ENDING_OVERDUE, &outcome);
	assert_int_equal(outcome.failure.code, FAILURE_TIMEOUT_PROBE);
}

/* nginx answers so to whoever shows no certificate; and the page says what the status does not. */
static void
a_page_says_why(void **state)
{
	static const char answer[] =
		"HTTP/1.1 400 Bad Request\r\nServer: nginx/1.22.1\r\nContent-Length: 110\r\n"
		"Connection: close\r\n\r\n"
		"<html>\r\n<head><title>400 No required SSL certificate was sent</title></head>\r\n"
		"<body> 0123456789 </body></html>";
	const struct octets whole = { answer, sizeof(answer) - 1 };
	struct probe_setup setup = setup_for("never there");

	(void)state;
	assert_string_equal(hint_after(&setup, whole, ENDING_NONE),
			    "The application reports 400 Bad Request: 400 No required SSL certificate "
			    "was sent.");
	converse(&setup, whole, ENDING_NONE, &outcome);
	assert_memory_equal(outcome.failure.evidence, "<html>\r\n<head>", 14);
	converse(&setup, (struct octets){ answer, sizeof(answer) - 20 }, ENDING_CLOSED, &outcome);
	assert_int_equal(outcome.failure.code, FAILURE_PROTOCOL_PROBE_STATUS);
	converse(&setup, (struct octets){ answer, 30 }, ENDING_OVERDUE, &outcome);
	assert_int_equal(outcome.failure.code, FAILURE_PROTOCOL_PROBE_STATUS);
	assert_string_equal(failure_detail(&outcome.failure, "status"), "400 Bad Request");
	assert_int_equal(outcome.failure.stage, STAGE_PROBE);
}

static void
a_body_says_more_or_nothing(void **state)
{
	static const struct {
		struct octets input;
		const char *hint;
	} rows[] = {
		{ SAYS(DOWN), "The application reports 503 Busy." },
		{ SAYS(DOWN "{\"disk\": \"full\"}\n"),
		  "The application reports 503 Busy: {\"disk\": \"full\"}." },
		{ SAYS(DOWN "no disk\0\xff\r\nnone"), "The application reports 503 Busy: no disk." },
		{ SAYS(DOWN "\xff\n"), "The application reports 503 Busy: \\xff." },
		{ SAYS(DOWN "<p>page</p>"), "The application reports 503 Busy." },
		{ SAYS(DOWN "<html><title>503 Busy</title>"), "The application reports 503 Busy." },
		{ SAYS(DOWN "<html><title>on hol"), "The application reports 503 Busy: on hol." },
		{ SAYS(DOWN "\r\n"), "The application reports 503 Busy." },
	};
	struct probe_setup setup = setup_for(NULL);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_string_equal(hint_after(&setup, rows[i].input, ENDING_CLOSED), rows[i].hint);
}

/* A body as long as may be, with what is wanted as its last word; and one octet more. */
static void
a_body_has_a_limit(void **state)
{
	static const char head[] = "HTTP/1.0 200 OK\r\n\r\n";
	static char input[sizeof(head) + BODY_MAX + 1];
	struct probe_setup setup = setup_for("last word");
	const size_t pieces[2] = { 7, 65536 };
	size_t length = strlen(head) + BODY_MAX;

	(void)state;
	memset(input, 'l', sizeof(input));
	memcpy(input, head, strlen(head));
	memcpy(input + length - strlen("last word"), "last word", strlen("last word"));
	converse_in(&setup, (struct octets){ input, length }, pieces, ENDING_CLOSED, &outcome);
	assert_int_equal(outcome.verdict, DIALOGUE_DONE);
	converse_in(&setup, (struct octets){ input, length + 1 }, pieces, ENDING_NONE, &outcome);
	assert_int_equal(outcome.failure.code, MISMATCH);
	assert_string_equal(failure_detail(&outcome.failure, "wanted"), "a body of at most 1 MiB");
}

/* Chunks of one octet: each is a few lines, and all of them no reply of too many. */
static void
many_chunks(void **state)
{
	static char input[64 * 1024];
	struct probe_setup setup = setup_for(NULL);
	size_t length = strlen(CHUNKED);

	(void)state;
	memcpy(input, CHUNKED, length);
	for (int i = 0; i < 5000; i++, length += 6)
		memcpy(input + length, "1\r\nx\r\n", 6);
	memcpy(input + length, "0\r\n\r\n", 5);
	converse(&setup, (struct octets){ input, length + 5 }, ENDING_NONE, &outcome);
	assert_int_equal(outcome.verdict, DIALOGUE_DONE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_body_must_hold),
		cmocka_unit_test(chunks),
		cmocka_unit_test(a_body_up_to_the_end),
		cmocka_unit_test(a_page_says_why),
		cmocka_unit_test(a_body_says_more_or_nothing),
		cmocka_unit_test(a_body_has_a_limit),
		cmocka_unit_test(many_chunks),
	};

	RUN_TESTS(tests);
}
