/* core/probe_line: Redis, memcached, SMTP and IMAP. */
#include "probe-fixture.h"

static struct probe_policy policy;
static struct target target;
static struct address source;

static struct probe_setup
setup_of(enum probe_kind kind)
{
	policy.kind = kind;
	return (struct probe_setup){ .policy = &policy, .target = &target, .source = &source };
}

/* ---- Redis ------------------------------------------------------------------------------------------------------- */

static void
redis_answers(void **state)
{
	static const struct answer answers[] = {
		{ SAYS("+PONG\r\n"), FAILURE_NONE },
		{ SAYS("+pong\n"), FAILURE_NONE },
		{ SAYS("-NOAUTH Authentication required.\r\n"), FAILURE_PROTOCOL_PROBE_AUTH },
		{ SAYS("-WRONGPASS invalid username-password pair\r\n"), FAILURE_PROTOCOL_PROBE_AUTH },
		{ SAYS("-NOPERM this user has no permissions to run the 'ping' command\r\n"),
		  FAILURE_PROTOCOL_PROBE_AUTH },
		{ SAYS("-ERR operation not permitted\r\n"), FAILURE_PROTOCOL_PROBE_AUTH },
		{ SAYS("-DENIED Redis is running in protected mode because…\r\n"),
		  FAILURE_PROTOCOL_GREETING_REJECTED },
		{ SAYS("-ERR max number of clients reached\r\n"), FAILURE_PROTOCOL_GREETING_REJECTED },
		{ SAYS("-LOADING Redis is loading the dataset in memory\r\n"),
		  FAILURE_PROTOCOL_PROBE_STATUS },
		{ SAYS("-MASTERDOWN Link with MASTER is down\r\n"), FAILURE_PROTOCOL_PROBE_STATUS },
		{ SAYS("-MISCONF Redis is configured to save\r\n"), FAILURE_PROTOCOL_PROBE_STATUS },
		{ SAYS("-BUSY Redis is busy running a script\r\n"), FAILURE_PROTOCOL_PROBE_STATUS },
		{ SAYS("-ERR unknown command 'PING'\r\n"), FAILURE_PROTOCOL_PROBE_STATUS },
		{ SAYS("-\r\n"), FAILURE_PROTOCOL_PROBE_STATUS },
		{ SAYS("+OK\r\n"), FAILURE_PROTOCOL_PROBE_MISMATCH },
		{ SAYS("HTTP/1.1 400 Bad Request\r\n\r\n"), FAILURE_PROTOCOL_PROBE_MISMATCH },
		{ SAYS("\0"), FAILURE_PROTOCOL_PROBE_MISMATCH },
		{ SAYS("\r\n+PONG\r\n"), FAILURE_PROTOCOL_PROBE_MISMATCH },
	};
	struct probe_setup setup = setup_of(PROBE_REDIS);

	(void)state;
	CHECK_ANSWERS(&setup, answers);
	check_every_end(&setup, (struct octets)SAYS("+PONG\r\n"));
}

static void
redis_again(void **state)
{
	static const struct answer answers[] = {
		{ SAYS("+PONG\r\n"), FAILURE_NONE },
		{ SAYS("-DENIED so late?\r\n"), FAILURE_PROTOCOL_PROBE_STATUS },
	};
	struct probe_setup setup = setup_of(PROBE_REDIS);
	static struct outcome outcome;

	(void)state;
	setup.again = true;
	CHECK_ANSWERS(&setup, answers);
	converse(&setup, (struct octets)SAYS("+PONG\r\n>push"), ENDING_NONE, &outcome);
	assert_string_equal(outcome.said, "*1\r\n$4\r\nPING\r\n");
	assert_int_equal(outcome.left, strlen(">push"));
}

static void
redis_hints(void **state)
{
	struct probe_setup setup = setup_of(PROBE_REDIS);

	(void)state;
	assert_string_equal(
		hint_after(&setup, (struct octets)SAYS("-LOADING the dataset. \r\n"), ENDING_NONE),
		"The application reports LOADING the dataset.");
	assert_string_equal(hint_after(&setup, (struct octets)SAYS("-NOAUTH who?\r\n"), ENDING_NONE),
			    "The application wants a login, or another one: NOAUTH who?.");
	assert_string_equal(hint_after(&setup, (struct octets)SAYS("+PO"), ENDING_CLOSED),
			    "Hung up in the middle of the probe; its last answer began with: +PO.");
	assert_string_equal(hint_after(&setup, (struct octets)SAYS(""), ENDING_CLOSED),
			    "Hung up in the middle of the probe.");
}

/* A line that never ends is given up at the limit, however it comes. */
static void
a_line_has_a_limit(void **state)
{
	static char line[DIALOGUE_INPUT_MAX + 1];
	struct probe_setup setup = setup_of(PROBE_REDIS);
	static struct outcome outcome;

	(void)state;
	memset(line, '+', sizeof(line));
	converse(&setup, (struct octets){ line, sizeof(line) }, ENDING_NONE, &outcome);
	assert_int_equal(outcome.failure.code, FAILURE_PROTOCOL_PROBE_MISMATCH);
	converse(&setup, (struct octets){ line, sizeof(line) - 1 }, ENDING_OVERDUE, &outcome);
	assert_int_equal(outcome.failure.code, FAILURE_TIMEOUT_PROBE);
	assert_int_equal(outcome.failure.evidence_length, FAILURE_EVIDENCE_MAX);
}

static void
a_long_error_is_cut(void **state)
{
	static char line[4096];
	struct probe_setup setup = setup_of(PROBE_REDIS);
	static struct outcome outcome;
	const char *status;

	(void)state;
	memset(line, 'x', sizeof(line));
	line[0] = '-';
	line[sizeof(line) - 1] = '\n';
	converse(&setup, (struct octets){ line, sizeof(line) }, ENDING_NONE, &outcome);
	status = failure_detail(&outcome.failure, "status");
	assert_non_null(status);
	assert_string_equal(status + strlen(status) - 4, "x...");
}

/* ---- memcached --------------------------------------------------------------------------------------------------- */

static void
memcached_answers(void **state)
{
	static const struct answer answers[] = {
		{ SAYS("VERSION 1.6.18\r\n"), FAILURE_NONE },
		{ SAYS("CLIENT_ERROR unauthenticated\r\n"), FAILURE_PROTOCOL_PROBE_AUTH },
		{ SAYS("CLIENT_ERROR bad command line format\r\n"), FAILURE_PROTOCOL_PROBE_STATUS },
		{ SAYS("SERVER_ERROR out of memory\r\n"), FAILURE_PROTOCOL_PROBE_STATUS },
		{ SAYS("ERROR\r\n"), FAILURE_PROTOCOL_PROBE_STATUS },
		{ SAYS("ERROR Too many open connections\r\n"), FAILURE_PROTOCOL_GREETING_REJECTED },
		{ SAYS("STAT\r\n"), FAILURE_PROTOCOL_PROBE_MISMATCH },
		{ SAYS("220 mail"), FAILURE_PROTOCOL_PROBE_MISMATCH },
	};
	struct probe_setup setup = setup_of(PROBE_MEMCACHED);
	static struct outcome outcome;

	(void)state;
	CHECK_ANSWERS(&setup, answers);
	check_every_end(&setup, (struct octets)SAYS("VERSION 1.6.18\r\n"));
	setup.again = true;
	converse(&setup, answers[5].input, ENDING_NONE, &outcome);
	assert_string_equal(outcome.said, "version\r\n");
	assert_int_equal(outcome.failure.code, FAILURE_PROTOCOL_PROBE_STATUS);
}

/* ---- SMTP -------------------------------------------------------------------------------------------------------- */

static void
smtp_answers(void **state)
{
	static const struct answer answers[] = {
		{ SAYS("220 server.test ESMTP Postfix\r\n250-server.test\r\n250-SIZE\r\n250 CHUNKING\r\n"),
		  FAILURE_NONE },
		{ SAYS("220-first\r\n220 second\r\n250 hello\r\n"), FAILURE_NONE },
		{ SAYS("220\r\n250\r\n"), FAILURE_NONE },
		{ SAYS("554 5.7.1 <localhost[127.0.0.1]>: Client host rejected\r\n"),
		  FAILURE_PROTOCOL_GREETING_REJECTED },
		{ SAYS("421 4.7.0 server.test Error: too many connections\r\n"),
		  FAILURE_PROTOCOL_GREETING_REJECTED },
		{ SAYS("521 we take no mail\r\n"), FAILURE_PROTOCOL_GREETING_REJECTED },
		{ SAYS("530 log in first\r\n"), FAILURE_PROTOCOL_PROBE_AUTH },
		{ SAYS("220 x\r\n530 5.7.0 Must log in\r\n"), FAILURE_PROTOCOL_PROBE_AUTH },
		{ SAYS("220 x\r\n421 4.7.1 No client certificate presented\r\n"),
		  FAILURE_PROTOCOL_GREETING_REJECTED },
		{ SAYS("220 x\r\n554 no\r\n"), FAILURE_PROTOCOL_GREETING_REJECTED },
		{ SAYS("220 x\r\n451 going down\r\n"), FAILURE_PROTOCOL_PROBE_STATUS },
		{ SAYS("220 x\r\n502 what?\r\n"), FAILURE_PROTOCOL_PROBE_STATUS },
		{ SAYS("220 x\r\n354 go ahead\r\n"), FAILURE_PROTOCOL_PROBE_MISMATCH },
		{ SAYS("200 news.test ready\r\n"), FAILURE_PROTOCOL_PROBE_MISMATCH },
		{ SAYS("+OK Dovecot ready.\r\n"), FAILURE_PROTOCOL_PROBE_MISMATCH },
		{ SAYS("22\r\n"), FAILURE_PROTOCOL_PROBE_MISMATCH },
		{ SAYS("220_x\r\n"), FAILURE_PROTOCOL_PROBE_MISMATCH },
		{ SAYS("22x x\r\n"), FAILURE_PROTOCOL_PROBE_MISMATCH },
		{ SAYS("SSH-2.0-OpenSSH_9.2\r\n"), FAILURE_PROTOCOL_PROBE_MISMATCH },
	};
	struct probe_setup setup = setup_of(PROBE_SMTP);

	(void)state;
	CHECK_ANSWERS(&setup, answers);
	check_every_end(&setup, (struct octets)SAYS("220 a b\r\n250-c\r\n250 d\r\n"));
}

static void
smtp_again_and_greeted(void **state)
{
	struct probe_setup setup = setup_of(PROBE_SMTP);
	static struct outcome outcome;

	(void)state;
	setup.greeted = true;
	converse(&setup, (struct octets)SAYS("250 ok\r\n"), ENDING_NONE, &outcome);
	assert_int_equal(outcome.verdict, DIALOGUE_DONE);
	assert_string_equal(outcome.said, "EHLO localhost\r\n");
	setup.again = true;
	converse(&setup, (struct octets)SAYS("250 ok\r\n"), ENDING_NONE, &outcome);
	assert_int_equal(outcome.verdict, DIALOGUE_DONE);
	assert_string_equal(outcome.said, "NOOP\r\n");
	converse(&setup, (struct octets)SAYS("421 shutting down\r\n"), ENDING_NONE, &outcome);
	assert_int_equal(outcome.failure.code, FAILURE_PROTOCOL_PROBE_STATUS);
}

static void
smtp_introduces_itself(void **state)
{
	static const unsigned char ipv4[4] = { 192, 0, 2, 7 }, ipv6[16] = { 0x20, 1, 0xd, 0xb8 };
	struct probe_setup setup = setup_of(PROBE_SMTP);
	static struct outcome outcome;

	(void)state;
	setup.greeted = true;
	address_from_ip(AF_INET, ipv4, 0, &source);
	converse(&setup, (struct octets)SAYS("250 ok\r\n"), ENDING_NONE, &outcome);
	assert_string_equal(outcome.said, "EHLO [192.0.2.7]\r\n");
	address_from_ip(AF_INET6, ipv6, 0, &source);
	converse(&setup, (struct octets)SAYS("250 ok\r\n"), ENDING_NONE, &outcome);
	assert_string_equal(outcome.said, "EHLO [IPv6:2001:db8::]\r\n");
	setup.source = NULL;
	converse(&setup, (struct octets)SAYS("250 ok\r\n"), ENDING_NONE, &outcome);
	assert_string_equal(outcome.said, "EHLO localhost\r\n");
	source = (struct address){ 0 };
}

static void
smtp_tells_the_first_line(void **state)
{
	struct probe_setup setup = setup_of(PROBE_SMTP);

	(void)state;
	assert_string_equal(hint_after(&setup,
				       (struct octets)SAYS("220 x\r\n451-4.3.0 full\r\n451 bye\r\n"),
				       ENDING_NONE),
			    "The application reports 451-4.3.0 full.");
	assert_string_equal(hint_after(&setup, (struct octets)SAYS("554-no\n554 way\n"), ENDING_NONE),
			    "The server turned us away at the door: 554-no.");
	assert_string_equal(hint_after(&setup, (struct octets)SAYS("+OK POP3\r\n"), ENDING_NONE),
			    "Unexpected answer: +OK POP3; wanted: an SMTP reply.");
}

/* ---- IMAP -------------------------------------------------------------------------------------------------------- */

static void
imap_answers(void **state)
{
	static const struct answer answers[] = {
		{ SAYS("* OK [CAPABILITY IMAP4rev1] ready.\r\nholdfast OK NOOP completed.\r\n"),
		  FAILURE_NONE },
		{ SAYS("* PREAUTH hi\r\n* 3 EXISTS\r\nHOLDFAST ok\r\n"), FAILURE_NONE },
		{ SAYS("* BYE too many connections\r\n"), FAILURE_PROTOCOL_GREETING_REJECTED },
		{ SAYS("* OK hi\r\n* BYE shutting down\r\n"), FAILURE_PROTOCOL_GREETING_REJECTED },
		{ SAYS("* OK hi\r\nholdfast NO [UNAVAILABLE] later\r\n"), FAILURE_PROTOCOL_PROBE_STATUS },
		{ SAYS("* OK hi\r\nholdfast BAD what\r\n"), FAILURE_PROTOCOL_PROBE_STATUS },
		{ SAYS("* OK hi\r\nother OK\r\n"), FAILURE_PROTOCOL_PROBE_MISMATCH },
		{ SAYS("* OK hi\r\nholdfast WHAT\r\n"), FAILURE_PROTOCOL_PROBE_MISMATCH },
		{ SAYS("* PREY\r\nholdfast OK\r\n"), FAILURE_PROTOCOL_PROBE_MISMATCH },
		{ SAYS("* CAPABILITY x\r\n"), FAILURE_PROTOCOL_PROBE_MISMATCH },
		{ SAYS("+OK POP3\r\n"), FAILURE_PROTOCOL_PROBE_MISMATCH },
	};
	struct probe_setup setup = setup_of(PROBE_IMAP);

	(void)state;
	CHECK_ANSWERS(&setup, answers);
	check_every_end(&setup, (struct octets)SAYS("* OK hi\r\n* x\r\nholdfast OK done\r\n"));
}

static void
imap_again(void **state)
{
	struct probe_setup setup = setup_of(PROBE_IMAP);
	static struct outcome outcome;

	(void)state;
	setup.greeted = true;
	converse(&setup, (struct octets)SAYS("holdfast OK\r\n"), ENDING_NONE, &outcome);
	assert_int_equal(outcome.verdict, DIALOGUE_DONE);
	assert_string_equal(outcome.said, "holdfast NOOP\r\n");
	setup.again = true;
	converse(&setup, (struct octets)SAYS("* BYE idle for too long\r\n"), ENDING_NONE, &outcome);
	assert_int_equal(outcome.failure.code, FAILURE_PROTOCOL_PROBE_STATUS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(redis_answers),
		cmocka_unit_test(redis_again),
		cmocka_unit_test(redis_hints),
		cmocka_unit_test(a_line_has_a_limit),
		cmocka_unit_test(a_long_error_is_cut),
		cmocka_unit_test(memcached_answers),
		cmocka_unit_test(smtp_answers),
		cmocka_unit_test(smtp_again_and_greeted),
		cmocka_unit_test(smtp_introduces_itself),
		cmocka_unit_test(smtp_tells_the_first_line),
		cmocka_unit_test(imap_answers),
		cmocka_unit_test(imap_again),
	};

	RUN_TESTS(tests);
}
