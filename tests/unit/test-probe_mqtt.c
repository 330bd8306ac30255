/* core/probe_mqtt: MQTT. */
#include "probe-fixture.h"

static struct probe_policy policy = { .kind = PROBE_MQTT };
static struct target target;
static struct address source;
static struct outcome outcome;

static struct probe_setup
setup_for(bool again)
{
	return (struct probe_setup){
		.policy = &policy, .target = &target, .source = &source, .again = again
	};
}

static void
connecting(void **state)
{
	static const struct answer answers[] = {
		{ SAYS("\x20\x02\x00\x00"), FAILURE_NONE },
		{ SAYS("\x20\x02\x01\x00"), FAILURE_NONE },
		{ SAYS("\x20\x02\x00\x01"), FAILURE_PROTOCOL_PROBE_STATUS },
		{ SAYS("\x20\x02\x00\x02"), FAILURE_PROTOCOL_PROBE_STATUS },
		{ SAYS("\x20\x02\x00\x03"), FAILURE_PROTOCOL_PROBE_STATUS },
		{ SAYS("\x20\x02\x00\x04"), FAILURE_PROTOCOL_PROBE_AUTH },
		{ SAYS("\x20\x02\x00\x05"), FAILURE_PROTOCOL_PROBE_AUTH },
		{ SAYS("\x20\x02\x00\x77"), FAILURE_PROTOCOL_PROBE_STATUS },
		{ SAYS("\x20\x03\x00\x84\x00"), FAILURE_PROTOCOL_PROBE_STATUS },
		{ SAYS("\x20\x03\x00\x87\x00"), FAILURE_PROTOCOL_PROBE_AUTH },
		{ SAYS("\x20\x03\x00\x00\x00"), FAILURE_PROTOCOL_PROBE_MISMATCH },
		{ SAYS("\xe0\x02\x89\x00"), FAILURE_PROTOCOL_PROBE_STATUS },
		{ SAYS("\xe0\x00"), FAILURE_PROTOCOL_PROBE_STATUS },
		{ SAYS("\x20\x02\x02\x00"), FAILURE_PROTOCOL_PROBE_MISMATCH },
		{ SAYS("\x20\x01\x00"), FAILURE_PROTOCOL_PROBE_MISMATCH },
		{ SAYS("\x20\xff\xff\xff\xff"), FAILURE_PROTOCOL_PROBE_MISMATCH },
		{ SAYS("\x20\xff\xff\xff\x7f"), FAILURE_PROTOCOL_PROBE_MISMATCH },
		{ SAYS("\xd0\x00"), FAILURE_PROTOCOL_PROBE_MISMATCH },
		{ SAYS("HTTP/1.1 400"), FAILURE_PROTOCOL_PROBE_MISMATCH },
		{ SAYS("\x15\x03"), FAILURE_PROTOCOL_PROBE_MISMATCH },
	};
	static const char connect[] = "\x10\x0c\0\4MQTT\4\2\0\0\0";
	struct probe_setup setup = setup_for(false);

	(void)state;
	CHECK_ANSWERS(&setup, answers);
	check_every_end(&setup, answers[0].input);
	converse(&setup, answers[0].input, ENDING_NONE, &outcome);
	assert_int_equal(outcome.said_length, sizeof(connect));
	assert_memory_equal(outcome.said, connect, sizeof(connect));
	assert_string_equal(hint_after(&setup, answers[4].input, ENDING_NONE),
			    "The application reports CONNACK 3 (server unavailable).");
	assert_string_equal(hint_after(&setup, answers[7].input, ENDING_NONE),
			    "The application reports CONNACK 119.");
}

static void
pinging(void **state)
{
	static const struct answer answers[] = {
		{ SAYS("\xd0\x00"), FAILURE_NONE },
		{ SAYS("\x30\x05\0\1tab\xd0\x00"), FAILURE_NONE },
		{ SAYS("\x30\x00\x40\x02\0\1\xd0\x00"), FAILURE_NONE },
		{ SAYS("\xe0\x01\x8b"), FAILURE_PROTOCOL_PROBE_STATUS },
		{ SAYS("\xd0\x01?"), FAILURE_PROTOCOL_PROBE_MISMATCH },
		{ SAYS("\x20\x02\0\0"), FAILURE_PROTOCOL_PROBE_MISMATCH },
	};
	struct probe_setup setup = setup_for(true);

	(void)state;
	CHECK_ANSWERS(&setup, answers);
	converse(&setup, (struct octets)SAYS("\xd0\x00\x30\x00"), ENDING_NONE, &outcome);
	assert_int_equal(outcome.left, 2);
	assert_int_equal(outcome.said_length, 2);
	assert_memory_equal(outcome.said, "\xc0\0", 2);
	check_every_end(&setup, answers[1].input);
}

/* Packets for nobody are passed over, up to a bound. */
static void
packets_in_between_have_a_limit(void **state)
{
	static char input[PROBE_TEXT_MAX * 1100];
	struct probe_setup setup = setup_for(true);
	const size_t pieces[2] = { 5, 4099 };

	(void)state;
	memset(input, 0, sizeof(input));
	memcpy(input, "\x30\x80\x80\x20", 4); /* 524288 octets */
	memcpy(input + 524292, "\xd0", 1);
	converse_in(&setup, (struct octets){ input, 524294 }, pieces, ENDING_NONE, &outcome);
	assert_int_equal(outcome.verdict, DIALOGUE_DONE);
	memcpy(input + 524292, "\x30\x80\x80\x20", 4);
	converse_in(&setup, (struct octets){ input, 524296 }, pieces, ENDING_NONE, &outcome);
	assert_int_equal(outcome.failure.code, FAILURE_PROTOCOL_PROBE_MISMATCH);
	memset(input, 0x30, sizeof(input));
	for (size_t i = 1; i < sizeof(input); i += 2)
		input[i] = 0;
	converse_in(&setup, (struct octets){ input, sizeof(input) }, pieces, ENDING_NONE, &outcome);
	assert_int_equal(outcome.failure.code, FAILURE_PROTOCOL_PROBE_MISMATCH);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(connecting),
		cmocka_unit_test(pinging),
		cmocka_unit_test(packets_in_between_have_a_limit),
	};

	RUN_TESTS(tests);
}
