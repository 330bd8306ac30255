/* core/probe_expect: steps that the configuration spells out. */
#include "probe-fixture.h"

#define SENDS(literal) .send = (const unsigned char *)(literal), .send_length = sizeof(literal) - 1
#define EXPECTS(literal) \
	.expect = (const unsigned char *)(literal), .expect_length = sizeof(literal) - 1

static struct probe_policy policy;
static struct target target;
static struct address source;
static struct outcome outcome;

/* `steps` must outlive the result. */
static struct probe_setup
setup_with(struct probe_step *steps, unsigned int count)
{
	policy = (struct probe_policy){ .kind = PROBE_EXPECT, .steps = steps, .step_count = count };
	return (struct probe_setup){ .policy = &policy, .target = &target, .source = &source };
}

static void
a_literal_is_what_the_answer_begins_with(void **state)
{
	static struct probe_step steps[] = { { SENDS("PING\r\n"), EXPECTS("+PONG") } };
	static const struct answer answers[] = {
		{ SAYS("+PONG"), FAILURE_NONE },
		{ SAYS("+P\r\n"), FAILURE_PROTOCOL_PROBE_MISMATCH },
		{ SAYS("-"), FAILURE_PROTOCOL_PROBE_MISMATCH },
		{ SAYS("\0"), FAILURE_PROTOCOL_PROBE_MISMATCH },
		{ SAYS(" +PONG"), FAILURE_PROTOCOL_PROBE_MISMATCH },
	};
	struct probe_setup setup = setup_with(steps, 1);
	const size_t whole[2] = { SIZE_MAX, SIZE_MAX };

	(void)state;
	CHECK_ANSWERS(&setup, answers);
	check_every_end(&setup, (struct octets)SAYS("+PONG"));
	converse(&setup, (struct octets)SAYS("+PONG"), ENDING_NONE, &outcome);
	assert_string_equal(outcome.said, "PING\r\n");
	/* What has come with the expected octets belongs to the answer. */
	converse_in(&setup, (struct octets)SAYS("+PONG and so on\r\n+more\r\n"), whole, ENDING_NONE,
		    &outcome);
	assert_int_equal(outcome.verdict, DIALOGUE_DONE);
	assert_int_equal(outcome.left, 0);
	setup.again = true;
	CHECK_ANSWERS(&setup, answers);
}

static void
any_octet_may_be_said_and_expected(void **state)
{
	static struct probe_step steps[] = { { SENDS("\0\1"), EXPECTS("\0\xff\t\0") } };
	static const struct answer answers[] = {
		{ SAYS("\0\xff\t\0"), FAILURE_NONE },
		{ SAYS("\0\xff\t\1"), FAILURE_PROTOCOL_PROBE_MISMATCH },
	};
	struct probe_setup setup = setup_with(steps, 1);

	(void)state;
	CHECK_ANSWERS(&setup, answers);
	assert_string_equal(hint_after(&setup, answers[1].input, ENDING_NONE),
			    "Unexpected answer: \\x00\\xff\\x09\\x01; wanted: \\x00\\xff\\x09\\x00.");
}

/* The rest of a line is passed over once, and only where it is one. */
static void
each_step_has_its_answer(void **state)
{
	static struct probe_step steps[] = { { EXPECTS("220") },
					     { SENDS("HELO x\r\n"), EXPECTS("250") },
					     { SENDS("QUIT\r\n") },
					     { EXPECTS("221 bye\r\n") } };
	static const struct answer answers[] = {
		{ SAYS("220 hello\r\n250 ok\r\n221 bye\r\n"), FAILURE_NONE },
		{ SAYS("220250221 bye\r\n"), FAILURE_NONE },
		{ SAYS("220\n250\n221 bye\r\n"), FAILURE_NONE },
		{ SAYS("220 25\r\n250 ok\r\n221 bye\r\n"), FAILURE_NONE },
		{ SAYS("220-hello\r\n220 hello\r\n"), FAILURE_PROTOCOL_PROBE_MISMATCH },
		{ SAYS("220 hello\r\n251 ok\r\n"), FAILURE_PROTOCOL_PROBE_MISMATCH },
		{ SAYS("220 hello\r\n250 ok\r\n221 by\r\n"), FAILURE_PROTOCOL_PROBE_MISMATCH },
	};
	struct probe_setup setup = setup_with(steps, COUNT_OF(steps));

	(void)state;
	CHECK_ANSWERS(&setup, answers);
	converse(&setup, answers[0].input, ENDING_NONE, &outcome);
	assert_string_equal(outcome.said, "HELO x\r\nQUIT\r\n");
	check_every_end(&setup, answers[0].input);
}

static void
a_line_that_has_ended_has_no_rest(void **state)
{
	static struct probe_step steps[] = { { EXPECTS("a\n") }, { EXPECTS("b") } };
	static const struct answer answers[] = {
		{ SAYS("a\nb"), FAILURE_NONE },
		{ SAYS("a\nx\nb"), FAILURE_PROTOCOL_PROBE_MISMATCH },
	};
	struct probe_setup setup = setup_with(steps, COUNT_OF(steps));

	(void)state;
	CHECK_ANSWERS(&setup, answers);
}

static void
a_greeting_is_not_awaited_again(void **state)
{
	static struct probe_step steps[] = { { EXPECTS("220") }, { SENDS("NOOP\r\n"), EXPECTS("250") } };
	struct probe_setup setup = setup_with(steps, COUNT_OF(steps));

	(void)state;
	setup.again = true;
	converse(&setup, (struct octets)SAYS("250"), ENDING_NONE, &outcome);
	assert_int_equal(outcome.verdict, DIALOGUE_DONE);
	assert_string_equal(outcome.said, "NOOP\r\n");
	setup = setup_with(steps, 1);
	converse(&setup, (struct octets)SAYS("220"), ENDING_NONE, &outcome);
	assert_int_equal(outcome.verdict, DIALOGUE_DONE);
	setup.again = true;
	converse(&setup, (struct octets)SAYS(""), ENDING_NONE, &outcome);
	assert_int_equal(outcome.verdict, DIALOGUE_DONE);
}

static void
saying_alone_will_do(void **state)
{
	static struct probe_step steps[] = { { SENDS("beat\n") } };
	struct probe_setup setup = setup_with(steps, 1);

	(void)state;
	converse(&setup, (struct octets)SAYS(""), ENDING_NONE, &outcome);
	assert_int_equal(outcome.verdict, DIALOGUE_DONE);
	assert_string_equal(outcome.said, "beat\n");
}

static void
a_pattern_may_match_anywhere(void **state)
{
	static struct probe_step steps[] = { { SENDS("?"), .expect_regex = "^(OK|READY) [0-9]+\r$" } };
	static const struct answer answers[] = {
		{ SAYS("OK 1\r\n"), FAILURE_NONE },
		{ SAYS("wait\r\n\0\xff\r\nREADY 27\r\n"), FAILURE_NONE },
	};
	struct probe_setup setup = setup_with(steps, 1);

	(void)state;
	CHECK_ANSWERS(&setup, answers);
	converse(&setup, (struct octets)SAYS("NO OK 1\r\nOK x\r\nOK 1\r"), ENDING_OVERDUE, &outcome);
	assert_int_equal(outcome.failure.code, FAILURE_PROTOCOL_PROBE_MISMATCH);
	converse(&setup, (struct octets)SAYS(""), ENDING_OVERDUE, &outcome);
	assert_int_equal(outcome.failure.code, FAILURE_TIMEOUT_PROBE);
	converse(&setup, (struct octets)SAYS("OK "), ENDING_CLOSED, &outcome);
	assert_int_equal(outcome.failure.code, FAILURE_PROTOCOL_PROBE_CLOSED);
	assert_string_equal(hint_after(&setup, (struct octets)SAYS("down\r\n"), ENDING_OVERDUE),
			    "Unexpected answer: down; wanted: ^(OK|READY) [0-9]+\\x0d$.");
}

static void
patterns_and_literals_mix(void **state)
{
	static struct probe_step steps[] = { { .expect_regex = "^220 " },
					     { SENDS("EHLO x\r\n"), .expect_regex = "^250 " },
					     { SENDS("NOOP\r\n"), EXPECTS("250") } };
	static const struct answer answers[] = {
		{ SAYS("220 a\r\n"), FAILURE_PROTOCOL_PROBE_MISMATCH },
		{ SAYS("250-b\r\n250 c\r\n"), FAILURE_PROTOCOL_PROBE_MISMATCH },
		{ SAYS("250 "), FAILURE_NONE },
	};
	struct probe_setup setup = setup_with(steps, COUNT_OF(steps));
	_cleanup_(dialogue_freep) struct dialogue *dialogue = NULL;

	(void)state;
	/* Each answer comes after its question, as it must: what comes with a match is dropped with it. */
	memset(&outcome, 0, sizeof(outcome));
	assert_int_equal(probe_new(&setup, &dialogue), 0);
	outcome.verdict = dialogue_start(dialogue, &outcome.failure);
	for (size_t i = 0; i < COUNT_OF(answers); i++) {
		const size_t whole[2] = { SIZE_MAX, SIZE_MAX };

		assert_int_equal(outcome.verdict, DIALOGUE_MORE);
		hear(dialogue, &outcome);
		bring(dialogue, answers[i].input, whole, &outcome);
	}
	assert_int_equal(outcome.verdict, DIALOGUE_DONE);
	assert_string_equal(outcome.said, "EHLO x\r\nNOOP\r\n");
}

static void
an_answer_has_a_limit(void **state)
{
	static struct probe_step steps[] = { { .expect_regex = "never" } };
	static char input[DIALOGUE_INPUT_MAX + 1];
	struct probe_setup setup = setup_with(steps, 1);
	const size_t half[2] = { DIALOGUE_INPUT_MAX, 1 }, octets[2] = { 1, 1 };

	(void)state;
	memset(input, 'n', sizeof(input));
	converse_in(&setup, (struct octets){ input, sizeof(input) - 1 }, half, ENDING_NONE, &outcome);
	assert_int_equal(outcome.verdict, DIALOGUE_MORE);
	converse_in(&setup, (struct octets){ input, sizeof(input) }, half, ENDING_NONE, &outcome);
	assert_int_equal(outcome.failure.code, FAILURE_PROTOCOL_PROBE_MISMATCH);
	/* Who dribbles is given up sooner. */
	converse_in(&setup, (struct octets){ input, 4000 }, octets, ENDING_NONE, &outcome);
	assert_int_equal(outcome.verdict, DIALOGUE_MORE);
	converse_in(&setup, (struct octets){ input, 5000 }, octets, ENDING_NONE, &outcome);
	assert_int_equal(outcome.failure.code, FAILURE_PROTOCOL_PROBE_MISMATCH);
}

/* Whoever answers before we could ask, and reads nothing, must not make us hold more than there is room for. */
static void
answers_to_what_was_not_asked_yet(void **state)
{
	static unsigned char much[PROBE_TEXT_MAX];
	static struct probe_step steps[8];
	_cleanup_(dialogue_freep) struct dialogue *dialogue = NULL;
	struct probe_setup setup = setup_with(steps, COUNT_OF(steps));
	size_t taken;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(steps); i++)
		steps[i] = (struct probe_step){ EXPECTS("ok\n"), .send = much,
						.send_length = sizeof(much) };
	failure_init(&outcome.failure, FAILURE_NONE, STAGE_PROBE);
	assert_int_equal(probe_new(&setup, &dialogue), 0);
	assert_int_equal(dialogue_start(dialogue, &outcome.failure), DIALOGUE_MORE);
	assert_int_equal(dialogue_take(dialogue, (struct octets)SAYS("ok\nok\nok\n"), &taken,
				       &outcome.failure),
			 DIALOGUE_MORE);
	assert_int_equal(dialogue_take(dialogue, (struct octets)SAYS("ok\n"), &taken, &outcome.failure),
			 DIALOGUE_FAILED);
	assert_int_equal(outcome.failure.code, FAILURE_PROTOCOL_PROBE_MISMATCH);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_literal_is_what_the_answer_begins_with),
		cmocka_unit_test(any_octet_may_be_said_and_expected),
		cmocka_unit_test(each_step_has_its_answer),
		cmocka_unit_test(a_line_that_has_ended_has_no_rest),
		cmocka_unit_test(a_greeting_is_not_awaited_again),
		cmocka_unit_test(saying_alone_will_do),
		cmocka_unit_test(a_pattern_may_match_anywhere),
		cmocka_unit_test(patterns_and_literals_mix),
		cmocka_unit_test(an_answer_has_a_limit),
		cmocka_unit_test(answers_to_what_was_not_asked_yet),
	};

	RUN_TESTS(tests);
}
