/* The wire of Varlink: every way in which bytes may come, and what goes out. */
#include "check.h"

#include "main/varlink.h"

#include <errno.h>
#include <string.h>

#define LONGEST 64 /* of a message, in these tests */

static struct varlink_reader reader;

static int
setup(void **state)
{
	(void)state;
	varlink_reader_init(&reader, LONGEST);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	varlink_reader_done(&reader);
	return 0;
}

/* Gives the reader as many of `length` bytes as it takes; returns how many. */
static size_t
feed(const char *bytes, size_t length)
{
	size_t fed = 0, room;
	char *at;

	while (fed < length) {
		assert_int_equal(varlink_reader_room(&reader, &at, &room), 0);
		if (room > length - fed)
			room = length - fed;
		if (room == 0)
			break;
		memcpy(at, bytes + fed, room);
		varlink_reader_added(&reader, room);
		fed += room;
	}
	return fed;
}

#define FEED(literal) feed(literal, sizeof(literal) - 1)

/* Takes one call, which must be there, and checks the name of its method. */
static void
take(const char *method)
{
	struct varlink_request request;

	assert_int_equal(varlink_reader_next(&reader, &request), 1);
	assert_string_equal(request.method, method);
	varlink_request_done(&request);
}

static void
refuse(int error)
{
	struct varlink_request request;

	assert_int_equal(varlink_reader_next(&reader, &request), error);
}

static void
a_call_is_read_whole(void **state)
{
	struct varlink_request request;

	(void)state;
	FEED("{\"method\":\"a.B\",\"parameters\":{\"x\":1},\"more\":true}\0");
	assert_true(varlink_reader_has_message(&reader));
	assert_int_equal(varlink_reader_next(&reader, &request), 1);
	assert_string_equal(request.method, "a.B");
	assert_int_equal(json_integer_value(json_object_get(request.parameters, "x")), 1);
	assert_true(request.more);
	assert_false(request.oneway);
	assert_false(request.upgrade);
	assert_null(request.wrong);
	varlink_request_done(&request);
	refuse(0);
	assert_false(varlink_reader_has_message(&reader));
}

static void
byte_by_byte_is_the_same(void **state)
{
	static const char call[] = "{\"method\":\"a.B\"}";

	(void)state;
	for (size_t i = 0; i < sizeof(call); i++) {
		refuse(0);
		assert_false(varlink_reader_has_message(&reader));
		assert_int_equal(feed(call + i, 1), 1);
	}
	take("a.B");
	refuse(0);
}

static void
many_calls_come_in_order(void **state)
{
	(void)state;
	FEED("{\"method\":\"a.A\"}\0{\"method\":\"a.B\"}\0{\"method\":\"a.C\"}\0{\"met");
	take("a.A");
	take("a.B");
	take("a.C");
	refuse(0);
	FEED("hod\":\"a.D\"}\0");
	take("a.D");
	refuse(0);
	/* What has been searched of one is not taken for the next, which is shorter. */
	FEED("{\"method\":\"a.Endless");
	refuse(0);
	FEED("\"}\0{\"method\":\"b\"}\0");
	take("a.Endless");
	take("b");
}

static void
nothing_is_kept_between_calls(void **state)
{
	char *at;
	size_t room;

	(void)state;
	FEED("{\"method\":\"a.A\"}\0");
	take("a.A");
	assert_int_equal(varlink_reader_room(&reader, &at, &room), 0);
	assert_int_equal(reader.length, 0);
	assert_true(room > 0 && room <= LONGEST + 1);
}

static void
the_longest_fits_and_no_longer_one(void **state)
{
	char message[LONGEST + 2];

	(void)state;
	memset(message, ' ', sizeof(message));
	memcpy(message, "{\"method\":\"a.A\"}", 16);
	message[LONGEST] = '\0';
	assert_int_equal(feed(message, LONGEST + 1), LONGEST + 1);
	take("a.A");

	message[LONGEST] = ' ';
	message[LONGEST + 1] = '\0';
	assert_int_equal(feed(message, LONGEST + 2), LONGEST + 1);
	assert_true(varlink_reader_is_full(&reader));
	assert_true(varlink_reader_has_message(&reader));
	refuse(-EMSGSIZE);
}

static void
what_is_no_call_is_refused(void **state)
{
	static const char *const rubbish[] = {
		"",
		" ",
		"\n",
		"x",
		"null",
		"1",
		"\"a.B\"",
		"[]",
		"[{\"method\":\"a.B\"}]",
		"{}",
		"{",
		"{\"method\":1}",
		"{\"method\":null}",
		"{\"method\":\"a.B\"",
		"{\"method\":\"a.B\"}}",
		"{\"method\":\"a.B\"} x",
		"{\"method\":\"a.B\"}{}",
		"{\"method\":\"a\xff\"}",
		"{\"method\":\"a\xc0\x80\"}",
		"{\"method\":\"a.B\\u0000\"}",
		"{\"method\":\"\\ud800\"}",
		"{\"method\":\"a.A\",\"method\":\"a.B\"}",
		"{'method':'a.B'}",
		"\xef\xbb\xbf{\"method\":\"a\"}",
		"{\"method\":\"a.B\",\"x\":1e999}",
		"{\"method\":\"a.B\",\"x\":9223372036854775808}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rubbish); i++) {
		assert_int_equal(feed(rubbish[i], strlen(rubbish[i]) + 1), strlen(rubbish[i]) + 1);
		refuse(-EBADMSG);
		refuse(0);
	}
}

static void
depth_is_bounded(void **state)
{
	enum { DEPTH = 60000 };
	char *message = malloc(DEPTH + 64);

	(void)state;
	assert_non_null(message);
	varlink_reader_done(&reader);
	varlink_reader_init(&reader, 64 * 1024);
	strcpy(message, "{\"method\":\"a.B\",\"parameters\":");
	memset(message + strlen(message), '[', DEPTH);
	message[29 + DEPTH] = '\0';
	assert_int_equal(feed(message, 30 + DEPTH), 30 + DEPTH);
	refuse(-EBADMSG);
	free(message);
}

static void
check_wrong(const char *call, const char *wrong)
{
	struct varlink_request request;

	feed(call, strlen(call) + 1);
	assert_int_equal(varlink_reader_next(&reader, &request), 1);
	assert_string_equal(request.wrong, wrong);
	varlink_request_done(&request);
}

static void
wrong_members_are_named(void **state)
{
	(void)state;
	check_wrong("{\"method\":\"a.B\",\"parameters\":[]}", "parameters");
	check_wrong("{\"method\":\"a.B\",\"parameters\":\"\"}", "parameters");
	check_wrong("{\"method\":\"a.B\",\"more\":1}", "more");
	check_wrong("{\"method\":\"a.B\",\"oneway\":\"true\"}", "oneway");
	check_wrong("{\"method\":\"a.B\",\"upgrade\":{}}", "upgrade");
}

static void
null_is_absent_and_strangers_are_let_be(void **state)
{
	static const char call[] = "{\"method\":\"a.B\",\"parameters\":null,\"more\":null,\"x.y\":{}}";
	struct varlink_request request;

	(void)state;
	feed(call, sizeof(call));
	assert_int_equal(varlink_reader_next(&reader, &request), 1);
	assert_null(request.wrong);
	assert_null(request.parameters);
	assert_false(request.more);
	varlink_request_done(&request);
}

static void
check_output(struct varlink_output *output, const char *text, size_t length)
{
	assert_int_equal(output->length, length);
	assert_memory_equal(output->at + output->start, text, length);
	varlink_output_sent(output, length);
}

#define CHECK_OUTPUT(output, literal) check_output(output, literal, sizeof(literal))

static void
replies_and_errors_are_framed(void **state)
{
	struct varlink_output output;

	(void)state;
	varlink_output_init(&output);
	assert_int_equal(varlink_output_reply(&output, json_object(), false), 0);
	CHECK_OUTPUT(&output, "{\"parameters\":{}}");
	assert_int_equal(varlink_output_reply(&output, json_pack("{s:i}", "x", 1), true), 0);
	CHECK_OUTPUT(&output, "{\"parameters\":{\"x\":1},\"continues\":true}");
	assert_int_equal(varlink_output_error(&output, "a.E", json_pack("{s:s}", "m", "\xc3\xa4")), 0);
	CHECK_OUTPUT(&output, "{\"error\":\"a.E\",\"parameters\":{\"m\":\"\\u00E4\"}}");
	assert_null(output.at);
}

static void
an_answer_that_cannot_be_made_leaves_no_half(void **state)
{
	struct varlink_output output;

	(void)state;
	varlink_output_init(&output);
	assert_int_equal(varlink_output_reply(&output, NULL, false), -ENOMEM);
	assert_int_equal(varlink_output_error(&output, "a.E", NULL), -ENOMEM);
	assert_int_equal(varlink_output_error(&output, "a.\xff", json_object()), -ENOMEM);
	assert_int_equal(output.length, 0);
	varlink_output_done(&output);
}

/* Whatever is sent when, all bytes come out once and in order. */
static void
output_may_leave_in_pieces(void **state)
{
	struct varlink_output output;
	size_t sent = 0, put = 0;
	char expected[64], got[64];
	unsigned int said = 0, seen = 0;

	(void)state;
	varlink_output_init(&output);
	while (seen < 5000) {
		int length = snprintf(expected, sizeof(expected), "{\"parameters\":{\"n\":%u}}", seen);

		for (; said < 5000 && said < seen + 700; said++, put++)
			assert_int_equal(varlink_output_reply(
						 &output, json_pack("{s:i}", "n", (int)said), false),
					 0);
		memcpy(got, output.at + output.start, (size_t)length + 1);
		assert_string_equal(got, expected);
		varlink_output_sent(&output, 1);
		varlink_output_sent(&output, (size_t)length);
		seen++;
		sent++;
	}
	assert_int_equal(sent, put);
	assert_int_equal(output.length, 0);
	assert_null(output.at);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	static const struct CMUnitTest tests[] = {
		TEST(a_call_is_read_whole),
		TEST(byte_by_byte_is_the_same),
		TEST(many_calls_come_in_order),
		TEST(nothing_is_kept_between_calls),
		TEST(the_longest_fits_and_no_longer_one),
		TEST(what_is_no_call_is_refused),
		TEST(depth_is_bounded),
		TEST(wrong_members_are_named),
		TEST(null_is_absent_and_strangers_are_let_be),
		TEST(replies_and_errors_are_framed),
		TEST(an_answer_that_cannot_be_made_leaves_no_half),
		TEST(output_may_leave_in_pieces),
	};

	RUN_TESTS(tests);
}
