/* core/probe_mysql: MySQL and MariaDB. */
#include "probe-fixture.h"

static struct probe_policy policy;
static struct target target;
static struct address source;
static struct outcome outcome;

#define AUTH	 FAILURE_PROTOCOL_PROBE_AUTH
#define REJECTED FAILURE_PROTOCOL_GREETING_REJECTED
#define MISMATCH FAILURE_PROTOCOL_PROBE_MISMATCH
#define STATUS	 FAILURE_PROTOCOL_PROBE_STATUS

#define GREETING \
	"\x0c\0\0\0\x0a" \
	"8.0.36\0abcd"
#define OK(number) "\7\0\0" number "\0\0\0\2\0\0\0"
/* Errors with a message of three letters. */
#define ERR(number, error, text) "\x0c\0\0" number "\xff" error "#HY000" text

static struct probe_setup
setup_for(const char *user)
{
	policy = (struct probe_policy){ .kind = PROBE_MYSQL, .user = user };
	return (struct probe_setup){ .policy = &policy, .target = &target, .source = &source };
}

static void
the_greeting_is_an_answer(void **state)
{
	static const struct answer answers[] = {
		{ SAYS(GREETING), FAILURE_NONE },
		{ SAYS("\x0e\0\0\0\xff\x10\4Too many co"), REJECTED }, /* 1040, without an SQLSTATE */
		{ SAYS(ERR("\0", "\x6a\4", "no!")), REJECTED },
		{ SAYS("\3\0\0\0\xff\x10\4"), REJECTED },
		{ SAYS("\2\0\0\0\xff\x10"), MISMATCH },
		{ SAYS("\6\0\0\0\x09"
		       "3.23\0"),
		  MISMATCH },
		{ SAYS("\5\0\0\0\x0a"
		       "1234"),
		  MISMATCH },
		{ SAYS("\1\0\0\0\x0a"), MISMATCH },
		{ SAYS("\1\0\0\1"), MISMATCH },
		{ SAYS("\0\0\0\0"), MISMATCH },
		{ SAYS("\xff\xff\xff"), MISMATCH },
		{ SAYS("HTTP"), MISMATCH },
		{ SAYS("220 mail"), MISMATCH },
	};
	struct probe_setup setup = setup_for(NULL);

	(void)state;
	CHECK_ANSWERS(&setup, answers);
	check_every_end(&setup, answers[0].input);
	assert_string_equal(hint_after(&setup, answers[1].input, ENDING_NONE),
			    "The server turned us away at the door: 1040 Too many co.");
	converse(&setup, (struct octets)SAYS(GREETING "\7"), ENDING_NONE, &outcome);
	assert_int_equal(outcome.left, 1);
	assert_int_equal(outcome.said_length, 0);
	setup.greeted = true;
	converse(&setup, (struct octets)SAYS(""), ENDING_NONE, &outcome);
	assert_int_equal(outcome.verdict, DIALOGUE_DONE);
	setup.again = true;
	converse(&setup, (struct octets)SAYS(""), ENDING_NONE, &outcome);
	assert_int_equal(outcome.verdict, DIALOGUE_DONE);
}

static void
logging_in(void **state)
{
	static const struct answer answers[] = {
		{ SAYS(GREETING OK("\2")), FAILURE_NONE },
		{ SAYS(GREETING "\7\0\0\2\xfeold_pl" OK("\4")), FAILURE_NONE },
		{ SAYS(GREETING ERR("\2", "\x15\4", "who")), AUTH },	 /* 1045 */
		{ SAYS(GREETING ERR("\2", "\x14\4", "db?")), AUTH },	 /* 1044 */
		{ SAYS(GREETING ERR("\2", "\x6a\4", "hst")), AUTH },	 /* 1130 */
		{ SAYS(GREETING ERR("\2", "\xa2\6", "sck")), AUTH },	 /* 1698 */
		{ SAYS(GREETING ERR("\2", "\xe3\4", "old")), AUTH },	 /* 1251 */
		{ SAYS(GREETING ERR("\2", "\x57\x0c", "ssl")), STATUS }, /* 3159 */
		{ SAYS(GREETING ERR("\2", "\x10\4", "ful")), STATUS },	 /* 1040 */
		{ SAYS(GREETING "\1\0\0\2\xfe"), AUTH },
		{ SAYS(GREETING "\2\0\0\2\1\4"), AUTH },
		{ SAYS(GREETING "\2\0\0\2\xfe"
				"a"
				"\2\0\0\4\xfe"
				"b"),
		  AUTH },
		{ SAYS(GREETING "\1\0\0\2\x0b"), MISMATCH },
		{ SAYS(GREETING "\0\0\0\2"), MISMATCH },
	};
	struct probe_setup setup = setup_for("joe");

	(void)state;
	CHECK_ANSWERS(&setup, answers);
	check_every_end(&setup, answers[0].input);
	assert_string_equal(hint_after(&setup, answers[2].input, ENDING_NONE),
			    "The application wants a login, or another one: 1045 who.");
	assert_string_equal(hint_after(&setup, answers[8].input, ENDING_NONE),
			    "The application reports 1040 ful.");
	converse(&setup, answers[0].input, ENDING_NONE, &outcome);
	assert_int_equal(outcome.memory, 1);
	assert_int_equal(outcome.said_length, 4 + 32 + 4 + 1 + 22);
	assert_memory_equal(outcome.said, "\x3b\0\0\1\1\x82\x08\0\0\0\0\1\x21", 13);
	assert_memory_equal(outcome.said + 36, "joe\0\0mysql_native_password", 27);
	/* An empty password, as the packet after the server's. */
	converse(&setup, answers[1].input, ENDING_NONE, &outcome);
	assert_memory_equal(outcome.said + 63, "\0\0\0\3", 4);
}

static void
logging_in_after_starttls(void **state)
{
	struct probe_setup setup = setup_for("joe");

	(void)state;
	setup.greeted = true;
	converse(&setup, (struct octets)SAYS(OK("\3")), ENDING_NONE, &outcome);
	assert_int_equal(outcome.verdict, DIALOGUE_DONE);
	assert_int_equal(outcome.memory, 1);
	assert_memory_equal(outcome.said, "\x3b\0\0\2\1\x8a", 6);
}

static void
pinging(void **state)
{
	static const struct answer answers[] = {
		{ SAYS(OK("\1")), FAILURE_NONE },
		{ SAYS(ERR("\0", "\xbf\x0f", "idl")), STATUS }, /* 4031: idle for too long */
		{ SAYS(ERR("\0", "\x15\4", "who")), AUTH },
		{ SAYS("\1\0\0\1\xfe"), MISMATCH },
	};
	struct probe_setup setup = setup_for("joe");

	(void)state;
	setup.again = setup.greeted = true;
	setup.memory = 1;
	CHECK_ANSWERS(&setup, answers);
	check_every_end(&setup, answers[0].input);
	converse(&setup, answers[0].input, ENDING_NONE, &outcome);
	assert_int_equal(outcome.said_length, 5);
	assert_memory_equal(outcome.said, "\1\0\0\0\x0e", 5);
	assert_int_equal(outcome.memory, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_greeting_is_an_answer),
		cmocka_unit_test(logging_in),
		cmocka_unit_test(logging_in_after_starttls),
		cmocka_unit_test(pinging),
	};

	RUN_TESTS(tests);
}
