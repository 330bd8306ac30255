/* core/probe_postgres: PostgreSQL. */
#include "probe-fixture.h"

static struct probe_policy policy;
static struct target target;
static struct address source;
static struct outcome outcome;

#define AUTH	 FAILURE_PROTOCOL_PROBE_AUTH
#define REJECTED FAILURE_PROTOCOL_GREETING_REJECTED
#define MISMATCH FAILURE_PROTOCOL_PROBE_MISMATCH
#define STATUS	 FAILURE_PROTOCOL_PROBE_STATUS

#define ASKS_SCRAM "R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0"
#define TRUSTS	   "R\0\0\0\x08\0\0\0\0"
#define PARAMETER \
	"S\0\0\0\x0e" \
	"a\0b\0c\0d\0e\0"
#define KEY   "K\0\0\0\x0c\0\0\0\1\0\0\0\2"
#define READY "Z\0\0\0\5I"
/* Errors of 14 octets of fields: SQLSTATE and a message of three letters, and their end. */
#define ERROR(sqlstate, text) \
	"E\0\0\0\x11" \
	"C" sqlstate "\0M" text "\0\0"

static struct probe_setup
setup_for(const char *user)
{
	policy = (struct probe_policy){ .kind = PROBE_POSTGRES, .user = user };
	return (struct probe_setup){ .policy = &policy, .target = &target, .source = &source };
}

static void
logging_in(void **state)
{
	static const struct answer answers[] = {
		{ SAYS(ASKS_SCRAM), FAILURE_NONE },
		{ SAYS("R\0\0\0\x08\0\0\0\3"), FAILURE_NONE },
		{ SAYS("R\0\0\0\x0c\0\0\0\5salt"), FAILURE_NONE },
		{ SAYS("v\0\0\0\x0c\0\3\0\0\0\0\0\0" ASKS_SCRAM), FAILURE_NONE },
		{ SAYS(TRUSTS PARAMETER KEY READY), FAILURE_NONE },
		{ SAYS(ERROR("28000", "hba")), AUTH },
		{ SAYS(ERROR("28P01", "pwd")), AUTH },
		{ SAYS(ERROR("53300", "ful")), REJECTED },
		{ SAYS(ERROR("57P03", "up?")), REJECTED },
		{ SAYS(TRUSTS ERROR("28000", "who")), AUTH },
		{ SAYS(TRUSTS ERROR("42501", "db?")), AUTH },
		{ SAYS(TRUSTS ERROR("3D000", "no!")), STATUS },
		{ SAYS("Ecould not fork new process for connection: busy\n\0"), REJECTED },
		{ SAYS("E\0\0\0\4"), REJECTED },
		{ SAYS("E\0\0\0\x08"
		       "Cxxx"),
		  REJECTED },
		{ SAYS("ERROR\r\n"), MISMATCH },
		{ SAYS("E\0\0\0\3"), MISMATCH },
		{ SAYS("R\0\0\0\7\0\0\0"), MISMATCH },
		{ SAYS("R\1\0\0\0"), MISMATCH },
		{ SAYS("R\xff\xff\xff\xff"), MISMATCH },
		{ SAYS("HTTP"), MISMATCH },
		{ SAYS("\0"), MISMATCH },
		{ SAYS("Z"), MISMATCH },
		{ SAYS(TRUSTS "R"), MISMATCH },
	};
	static const char startup[] = "\0\0\0\x17\0\3\0\0user\0holdfast\0";
	struct probe_setup setup = setup_for(NULL);

	(void)state;
	CHECK_ANSWERS(&setup, answers);
	check_every_end(&setup, answers[0].input);
	check_every_end(&setup, answers[4].input);
	converse(&setup, answers[0].input, ENDING_NONE, &outcome);
	assert_int_equal(outcome.said_length, sizeof(startup));
	assert_memory_equal(outcome.said, startup, sizeof(startup));
	assert_int_equal(outcome.memory, 0);
	converse(&setup, (struct octets)SAYS(TRUSTS PARAMETER READY "N"), ENDING_NONE, &outcome);
	assert_int_equal(outcome.left, 1);
	assert_int_equal(outcome.memory, 1);
	setup = setup_for("joe");
	converse(&setup, answers[0].input, ENDING_NONE, &outcome);
	assert_memory_equal(outcome.said, "\0\0\0\x12\0\3\0\0user\0joe\0\0", 18);
}

static void
hints(void **state)
{
	struct probe_setup setup = setup_for(NULL);

	(void)state;
	assert_string_equal(hint_after(&setup, (struct octets)SAYS(ERROR("57P03", "up?")), ENDING_NONE),
			    "The server turned us away at the door: 57P03 up?.");
	assert_string_equal(
		hint_after(&setup,
			   (struct octets)SAYS("Ecould not fork new process for connection: x\n\0"),
			   ENDING_NONE),
		"The server turned us away at the door: could not fork new process for connection: x.");
	assert_string_equal(
		hint_after(&setup, (struct octets)SAYS(TRUSTS ERROR("3D000", "no!")), ENDING_NONE),
		"The application reports 3D000 no!.");
	assert_string_equal(hint_after(&setup, (struct octets)SAYS("220 x\r\n"), ENDING_NONE),
			    "Unexpected answer: 220 x; wanted: an authentication request.");
}

static void
asking_again(void **state)
{
	static const struct answer answers[] = {
		{ SAYS("I\0\0\0\4" READY), FAILURE_NONE },
		{ SAYS("N\0\0\0\5\0S\0\0\0\6a\0I\0\0\0\4" READY), FAILURE_NONE },
		{ SAYS(ERROR("57P01", "bye") READY), STATUS },
		{ SAYS(ERROR("57P01", "bye") "x"), STATUS },
		{ SAYS(ERROR("28000", "bye")), AUTH },
		{ SAYS("R"), MISMATCH },
	};
	struct probe_setup setup = setup_for(NULL);

	(void)state;
	setup.again = true;
	converse(&setup, (struct octets)SAYS(""), ENDING_NONE, &outcome);
	assert_int_equal(outcome.verdict, DIALOGUE_DONE);
	assert_int_equal(outcome.said_length, 0);
	setup.memory = 1;
	CHECK_ANSWERS(&setup, answers);
	check_every_end(&setup, answers[1].input);
	converse(&setup, answers[0].input, ENDING_NONE, &outcome);
	assert_int_equal(outcome.said_length, 6);
	assert_memory_equal(outcome.said, "Q\0\0\0\5\0", 6);
	assert_int_equal(outcome.memory, 1);
	/* What ends the connection is not followed by anything. */
	converse(&setup, (struct octets)SAYS(ERROR("57P01", "bye")), ENDING_CLOSED, &outcome);
	assert_int_equal(outcome.failure.code, STATUS);
	converse(&setup, (struct octets)SAYS(ERROR("57P01", "bye")), ENDING_OVERDUE, &outcome);
	assert_int_equal(outcome.failure.code, STATUS);
	assert_string_equal(failure_detail(&outcome.failure, "status"), "57P01 bye");
}

static void
talk_has_a_limit(void **state)
{
	static char input[1100 * 1024];
	struct probe_setup setup = setup_for(NULL);
	const size_t pieces[2] = { 3, 65536 };
	size_t length = 9;

	(void)state;
	memcpy(input, TRUSTS, length);
	for (; length + 1024 < sizeof(input); length += 1024)
		memcpy(input + length, "N\0\0\3\xff", 5);
	converse_in(&setup, (struct octets){ input, length }, pieces, ENDING_NONE, &outcome);
	assert_int_equal(outcome.failure.code, MISMATCH);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(logging_in),
		cmocka_unit_test(hints),
		cmocka_unit_test(asking_again),
		cmocka_unit_test(talk_has_a_limit),
	};

	RUN_TESTS(tests);
}
