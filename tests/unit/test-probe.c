/* core/probe: the kinds there are, and what every one of them does. */
#include "probe-fixture.h"

static struct probe_step step = { .send = (const unsigned char *)"x",
				  .send_length = 1,
				  .expect_regex = "y" };
static struct probe_policy policy = {
	.request = "GET /", .status_min = 200, .status_max = 299, .steps = &step, .step_count = 1
};
static struct target target;
static struct address source;
static struct outcome outcome;

static void
names(void **state)
{
	static const char *const expected[PROBE_COUNT] = { "none",	"expect", "http", "redis",
							   "postgres",	"mysql",  "smtp", "imap",
							   "memcached", "mqtt" };

	(void)state;
	for (enum probe_kind kind = PROBE_NONE; kind < PROBE_COUNT; kind++)
		assert_string_equal(probe_kind_name(kind), expected[kind]);
}

/* What each begins with, on a connection whose server has greeted. */
static void
first_words(void **state)
{
	static const char *const expected[PROBE_COUNT] = {
		[PROBE_EXPECT] = "x",
		[PROBE_HTTP] = "GET / HTTP/1.1\r\n",
		[PROBE_REDIS] = "*1\r\n",
		[PROBE_POSTGRES] = "",
		[PROBE_MYSQL] = "",
		[PROBE_SMTP] = "EHLO ",
		[PROBE_IMAP] = "holdfast NOOP\r\n",
		[PROBE_MEMCACHED] = "version\r\n",
		[PROBE_MQTT] = "\x10\x0c",
	};
	const struct probe_setup setup = {
		.policy = &policy, .target = &target, .source = &source, .greeted = true
	};

	(void)state;
	for (enum probe_kind kind = PROBE_NONE + 1; kind < PROBE_COUNT; kind++) {
		policy.kind = kind;
		converse(&setup, (struct octets)SAYS(""), ENDING_NONE, &outcome);
		assert_memory_equal(outcome.said, expected[kind], strlen(expected[kind]));
		assert_int_equal(outcome.verdict, kind == PROBE_MYSQL ? DIALOGUE_DONE : DIALOGUE_MORE);
	}
}

/* What is missing at the deadline, where the server has not said a word. */
static const char *const missing[PROBE_COUNT] = {
	[PROBE_EXPECT] = "no reply to what the probe sends",
	[PROBE_HTTP] = "no reply to the request",
	[PROBE_REDIS] = "no reply to PING",
	[PROBE_POSTGRES] = "no reply to the login",
	[PROBE_MYSQL] = "no greeting",
	[PROBE_SMTP] = "no greeting",
	[PROBE_IMAP] = "no greeting",
	[PROBE_MEMCACHED] = "no reply to version",
	[PROBE_MQTT] = "no reply to CONNECT",
};

static void
silence_and_an_end(void **state)
{
	const struct probe_setup setup = { .policy = &policy, .target = &target, .source = &source };

	(void)state;
	for (enum probe_kind kind = PROBE_NONE + 1; kind < PROBE_COUNT; kind++) {
		policy.kind = kind;
		converse(&setup, (struct octets)SAYS(""), ENDING_OVERDUE, &outcome);
		assert_int_equal(outcome.failure.code, FAILURE_TIMEOUT_PROBE);
		assert_int_equal(outcome.failure.stage, STAGE_PROBE);
		assert_string_equal(failure_detail(&outcome.failure, "missing"), missing[kind]);
		assert_non_null(strstr(failure_detail(&outcome.failure, "perhaps"), "another protocol"));
		converse(&setup, (struct octets)SAYS(""), ENDING_CLOSED, &outcome);
		assert_int_equal(outcome.failure.code, FAILURE_PROTOCOL_PROBE_CLOSED);
		assert_int_equal(outcome.failure.evidence_length, 0);
	}
}

static void
hints_at_the_deadline(void **state)
{
	const struct probe_setup setup = { .policy = &policy, .target = &target, .source = &source };

	(void)state;
	policy.kind = PROBE_REDIS;
	assert_string_equal(hint_after(&setup, (struct octets)SAYS(""), ENDING_OVERDUE),
			    "Connected, but the application sent no reply to PING: perhaps it hangs, or another "
			    "protocol, or TLS from the first octet, is spoken on this port.");
	assert_string_equal(
		hint_after(&setup, (struct octets)SAYS("+PO"), ENDING_OVERDUE),
		"Connected, but the application sent no whole reply to PING. It had said: +PO.");
	policy.kind = PROBE_SMTP;
	assert_string_equal(hint_after(&setup, (struct octets)SAYS("220 a\r\n"), ENDING_OVERDUE),
			    "Connected, but the application sent no reply to EHLO. It had said: 220 a.");
}

/* Nobody is talked to for ever, whatever is said. */
static void
a_flood_ends(void **state)
{
	static char flood[3 * 1024 * 1024];
	const struct probe_setup setup = { .policy = &policy, .target = &target, .source = &source };
	const size_t pieces[2] = { 1, 65536 };

	(void)state;
	for (int octet = 0; octet < 256; octet++) {
		memset(flood, octet, sizeof(flood));
		for (enum probe_kind kind = PROBE_NONE + 1; kind < PROBE_COUNT; kind++) {
			policy.kind = kind;
			converse_in(&setup, (struct octets){ flood, sizeof(flood) }, pieces,
				    ENDING_NONE, &outcome);
			if (kind != PROBE_EXPECT || octet != 'y')
				assert_int_equal(outcome.verdict, DIALOGUE_FAILED);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(first_words),
		cmocka_unit_test(silence_and_an_end),
		cmocka_unit_test(hints_at_the_deadline),
		cmocka_unit_test(a_flood_ends),
	};

	RUN_TESTS(tests);
}
