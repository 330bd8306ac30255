/* core/dialogue: the base of every dialogue: input and its limits, lines, output, evidence. */
#include "check.h"

#include "core/dialogue_internal.h"

#include <string.h>

/*
 * The dialogue of these tests: a greeting, answered with "hello", and a reply.  A line ends the reply unless it begins with '-'; "bad" is refused,
 * and "done" ends well.
 */
struct talk {
	unsigned int replies;
	char *extra; /* for the destructor to find */
};

static enum dialogue_verdict
talk_start(struct dialogue *dialogue, struct failure *failure)
{
	struct talk *talk = dialogue->state;

	(void)failure;
	assert_int_equal(talk->replies, 0); /* zeroed */
	talk->extra = strdup("extra");
	assert_non_null(talk->extra);
	dialogue_say(dialogue, "%s %d\r\n", "start", 1);
	return DIALOGUE_MORE;
}

static enum dialogue_verdict
talk_look(struct dialogue *dialogue, struct failure *failure)
{
	struct talk *talk = dialogue->state;
	struct octets line;

	while (dialogue_line(dialogue, &line)) {
		if (octets_begin(line, "-"))
			continue;
		if (octets_begin(line, "bad"))
			return dialogue_fail_reply(dialogue, FAILURE_PROTOCOL_STARTTLS_REFUSED,
						   line, failure);
		if (octets_equal(line, "done"))
			return DIALOGUE_DONE;
		talk->replies++;
		dialogue->memory++;
		dialogue_new_reply(dialogue);
		dialogue_send(dialogue, "hello", 5);
		dialogue->asked = "hello";
	}
	return DIALOGUE_MORE;
}

static void
talk_done(struct dialogue *dialogue)
{
	struct talk *talk = dialogue->state;

	free(talk->extra);
}

static const struct dialogue_kind talk_kind = {
	.start = talk_start,
	.look = talk_look,
	.done = talk_done,
	.state_bytes = sizeof(struct talk),
	.code_closed = FAILURE_PROTOCOL_STARTTLS_CLOSED,
	.code_overdue = FAILURE_TIMEOUT_STARTTLS,
	.code_nonsense = FAILURE_PROTOCOL_STARTTLS_REPLY,
	.silence = "perhaps it is shy",
};

static enum dialogue_verdict
bare_end(struct dialogue *dialogue, struct failure *failure)
{
	(void)dialogue;
	(void)failure;
	return DIALOGUE_DONE;
}

static void
bare_overdue(const struct dialogue *dialogue, struct failure *failure)
{
	dialogue_fail(dialogue, FAILURE_PROTOCOL_PROBE_MISMATCH, failure);
}

static const struct dialogue_kind bare_kind = {
	.look = talk_look,
	.end = bare_end,
	.overdue = bare_overdue,
	.state_bytes = sizeof(struct talk),
};

static struct dialogue *
begin(struct failure *failure)
{
	struct dialogue *dialogue = NULL;

	failure_init(failure, FAILURE_NONE, STAGE_STARTTLS);
	assert_int_equal(dialogue_new(&talk_kind, &dialogue), 0);
	assert_int_equal(dialogue_start(dialogue, failure), DIALOGUE_MORE);
	return dialogue;
}

static enum dialogue_verdict
take(struct dialogue *dialogue, const void *bytes, size_t length, size_t *ret_taken,
     struct failure *failure)
{
	return dialogue_take(dialogue, (struct octets){ bytes, length }, ret_taken, failure);
}

static enum dialogue_verdict
take_text(struct dialogue *dialogue, const char *text, size_t *ret_taken, struct failure *failure)
{
	return take(dialogue, text, strlen(text), ret_taken, failure);
}

static void
output_is(const struct dialogue *dialogue, const char *expected)
{
	size_t length;
	const void *output = dialogue_output(dialogue, &length);

	assert_int_equal(length, strlen(expected));
	assert_memory_equal(output, expected, length);
}

static void
evidence_is(const struct failure *failure, const char *expected)
{
	assert_int_equal(failure->evidence_length, strlen(expected));
	assert_memory_equal(failure->evidence, expected, strlen(expected));
}

static void
output_waits_until_sent(void **state)
{
	struct failure failure;
	_cleanup_(dialogue_freep) struct dialogue *dialogue = begin(&failure);
	size_t taken;

	(void)state;
	output_is(dialogue, "start 1\r\n");
	dialogue_sent(dialogue, 0);
	dialogue_sent(dialogue, 6);
	output_is(dialogue, "1\r\n");
	assert_int_equal(take_text(dialogue, "greeting\r\n", &taken, &failure), DIALOGUE_MORE);
	output_is(dialogue, "1\r\nhello");
	dialogue_sent(dialogue, 8);
	output_is(dialogue, "");
}

static void
what_is_not_taken_is_given_back(void **state)
{
	static const char said[] = "one\ntwo\r\n-three\ndone\nLEFT\n";

	(void)state;
	for (size_t split = 1; split < sizeof(said) - 1; split++) {
		struct failure failure;
		_cleanup_(dialogue_freep) struct dialogue *dialogue = begin(&failure);
		enum dialogue_verdict verdict;
		size_t taken;

		assert_false(dialogue_has_spoken(dialogue));
		verdict = take(dialogue, said, split, &taken, &failure);
		assert_true(dialogue_has_spoken(dialogue));
		if (verdict == DIALOGUE_MORE) {
			size_t second;

			assert_int_equal(taken, split);
			verdict = take(dialogue, said + split, sizeof(said) - 1 - split, &second,
				       &failure);
			taken += second;
		}
		assert_int_equal(verdict, DIALOGUE_DONE);
		assert_int_equal(taken, sizeof(said) - 1 - strlen("LEFT\n"));
		assert_int_equal(dialogue_memory(dialogue), 2);
		output_is(dialogue, "start 1\r\nhellohello");
	}
}

static void
a_reply_that_refuses(void **state)
{
	struct failure failure;
	_cleanup_(dialogue_freep) struct dialogue *dialogue = begin(&failure);
	size_t taken;

	(void)state;
	assert_int_equal(take_text(dialogue, "one\nbad \"luck\"\x01\r\nmore", &taken, &failure),
			 DIALOGUE_FAILED);
	assert_int_equal(failure.code, FAILURE_PROTOCOL_STARTTLS_REFUSED);
	assert_int_equal(failure.stage, STAGE_STARTTLS);
	evidence_is(&failure, "bad \"luck\"\x01");
	assert_string_equal(failure_detail(&failure, "reply"), "bad \"luck\"\\x01");

	/* Octets made readable, and a dot that the hint has already. */
	failure_init(&failure, FAILURE_NONE, STAGE_STARTTLS);
	dialogue_fail_told(dialogue, FAILURE_PROTOCOL_STARTTLS_REFUSED,
			   (struct octets){ "busy(51): later. ", 17 }, &failure);
	evidence_is(&failure, "bad \"luck\"\x01\r\nmore");
	assert_string_equal(failure_detail(&failure, "reply"), "busy(51): later");
}

static void
end_and_deadline(void **state)
{
	struct failure failure;
	_cleanup_(dialogue_freep) struct dialogue *dialogue = begin(&failure);
	size_t taken;

	(void)state;
	dialogue_overdue(dialogue, &failure);
	assert_int_equal(failure.code, FAILURE_TIMEOUT_STARTTLS);
	evidence_is(&failure, "");
	assert_null(failure_detail(&failure, "bytes"));
	assert_string_equal(failure_detail(&failure, "missing"), "no greeting");
	assert_string_equal(failure_detail(&failure, "perhaps"), "perhaps it is shy");

	/* What was said last is the evidence, also once a further reply is waited for. */
	assert_int_equal(take_text(dialogue, "one\r\n", &taken, &failure), DIALOGUE_MORE);
	failure_init(&failure, FAILURE_NONE, STAGE_STARTTLS);
	dialogue_overdue(dialogue, &failure);
	evidence_is(&failure, "one\r\n");
	assert_string_equal(failure_detail(&failure, "missing"), "no reply to hello");
	assert_null(failure_detail(&failure, "perhaps"));
	assert_int_equal(take_text(dialogue, "tw", &taken, &failure), DIALOGUE_MORE);
	assert_int_equal(take_text(dialogue, "o", &taken, &failure), DIALOGUE_MORE);
	failure_init(&failure, FAILURE_NONE, STAGE_STARTTLS);
	dialogue_overdue(dialogue, &failure);
	assert_string_equal(failure_detail(&failure, "missing"), "no whole reply to hello");
	failure_init(&failure, FAILURE_NONE, STAGE_STARTTLS);
	assert_int_equal(dialogue_end(dialogue, &failure), DIALOGUE_FAILED);
	assert_int_equal(failure.code, FAILURE_PROTOCOL_STARTTLS_CLOSED);
	evidence_is(&failure, "two");
	assert_string_equal(failure_detail(&failure, "bytes"), "two");
}

static void
a_kind_may_judge_them_itself(void **state)
{
	_cleanup_(dialogue_freep) struct dialogue *dialogue = NULL;
	struct failure failure;
	size_t taken;

	(void)state;
	failure_init(&failure, FAILURE_NONE, STAGE_PROBE);
	assert_int_equal(dialogue_new(&bare_kind, &dialogue), 0);
	assert_int_equal(dialogue_start(dialogue, &failure), DIALOGUE_MORE);
	output_is(dialogue, "");
	assert_int_equal(take_text(dialogue, "what", &taken, &failure), DIALOGUE_MORE);
	dialogue_overdue(dialogue, &failure);
	assert_int_equal(failure.code, FAILURE_PROTOCOL_PROBE_MISMATCH);
	evidence_is(&failure, "what");
	assert_null(failure_detail(&failure, "missing"));
	assert_int_equal(dialogue_end(dialogue, &failure), DIALOGUE_DONE);
}

/* Feed `count` times `piece`, `step` octets at once; the octets until the end of it, or until it fails. */
static size_t
feed(struct dialogue *dialogue, const char *piece, size_t count, size_t step, struct failure *failure)
{
	size_t length = strlen(piece) * count, fed = 0;
	_cleanup_(freep) char *all = malloc(length);

	assert_non_null(all);
	for (size_t i = 0; i < length; i++)
		all[i] = piece[i % strlen(piece)];
	while (fed < length) {
		size_t now = length - fed < step ? length - fed : step, taken;

		if (take(dialogue, all + fed, now, &taken, failure) == DIALOGUE_FAILED)
			break;
		assert_int_equal(taken, now);
		fed += now;
	}
	return fed;
}

static void
a_reply_too_long(void **state)
{
	static const size_t steps[] = { 1, 7, 1000, DIALOGUE_INPUT_MAX, 3 * DIALOGUE_INPUT_MAX };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(steps); i++) {
		struct failure failure;
		_cleanup_(dialogue_freep) struct dialogue *dialogue = begin(&failure);
		size_t taken;

		/* One line, and exactly as much as it may have; the reply before does not count. */
		assert_int_equal(take_text(dialogue, "one\n", &taken, &failure), DIALOGUE_MORE);
		assert_int_equal(feed(dialogue, "x", DIALOGUE_INPUT_MAX - 1, steps[i], &failure),
				 DIALOGUE_INPUT_MAX - 1);
		assert_int_equal(take_text(dialogue, "\n", &taken, &failure), DIALOGUE_MORE);
		assert_int_equal(dialogue_memory(dialogue), 2);
		/* Many lines, one octet too many. */
		assert_true(feed(dialogue,
				 "-234567890123456789012345678901234567890123456789"
				 "0123456789012345678901234567890123456789012345678901"
				 "23456789012345678901234567890123456789012345678901234\n",
				 DIALOGUE_INPUT_MAX, steps[i], &failure) <= DIALOGUE_INPUT_MAX);
		assert_int_equal(failure.code, FAILURE_PROTOCOL_STARTTLS_REPLY);
		assert_int_equal(failure.evidence_length, FAILURE_EVIDENCE_MAX);
		assert_int_equal(strlen(failure_detail(&failure, "bytes")), 96);
		assert_string_equal(failure_detail(&failure, "bytes") + 93, "...");
		assert_string_equal(failure_detail(&failure, "wanted"), "a reply of at most 16 KiB");
	}
}

static void
too_many_lines(void **state)
{
	static const size_t steps[] = { 1, 2, 5, 10 * DIALOGUE_LINES_MAX };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(steps); i++) {
		struct failure failure;
		_cleanup_(dialogue_freep) struct dialogue *dialogue = begin(&failure);
		size_t taken;

		assert_int_equal(feed(dialogue, "-\n", DIALOGUE_LINES_MAX - 1, steps[i], &failure),
				 2 * (DIALOGUE_LINES_MAX - 1));
		assert_int_equal(take_text(dialogue, ".\n", &taken, &failure), DIALOGUE_MORE);
		assert_int_equal(dialogue_memory(dialogue), 1);
		assert_true(feed(dialogue, "-\n", DIALOGUE_LINES_MAX + 1, steps[i], &failure) <
			    2 * (DIALOGUE_LINES_MAX + 1));
		assert_int_equal(failure.code, FAILURE_PROTOCOL_STARTTLS_REPLY);
		assert_string_equal(failure_detail(&failure, "wanted"), "a reply of at most 128 lines");
	}
}

static void
evidence_reads_well(void **state)
{
	struct failure failure;
	_cleanup_(dialogue_freep) struct dialogue *dialogue = begin(&failure);
	size_t taken;

	(void)state;
	assert_int_equal(take_text(dialogue, "-HTTP/1.1 400 Bad\r\n-Server: x\r\n", &taken, &failure),
			 DIALOGUE_MORE);
	dialogue_fail(dialogue, FAILURE_PROTOCOL_STARTTLS_REPLY, &failure);
	evidence_is(&failure, "-HTTP/1.1 400 Bad\r\n-Server: x\r\n");
	assert_string_equal(failure_detail(&failure, "bytes"), "-HTTP/1.1 400 Bad");

	/* A dot is the hint's; octets have no lines. */
	failure_init(&failure, FAILURE_NONE, STAGE_STARTTLS);
	dialogue_fail_reply(dialogue, FAILURE_PROTOCOL_STARTTLS_REPLY,
			    (struct octets){ "+OK ready.\r\n", 12 }, &failure);
	assert_string_equal(failure_detail(&failure, "bytes"), "+OK ready");
	failure_init(&failure, FAILURE_NONE, STAGE_STARTTLS);
	dialogue_fail_reply(dialogue, FAILURE_PROTOCOL_STARTTLS_REPLY,
			    (struct octets){ "J\0\0\0\n8.0.30", 11 }, &failure);
	assert_string_equal(failure_detail(&failure, "bytes"), "J\\x00\\x00\\x00\\x0a8.0.30");

	/* A line of nothing tells nothing. */
	failure_init(&failure, FAILURE_NONE, STAGE_STARTTLS);
	dialogue_fail_reply(dialogue, FAILURE_PROTOCOL_STARTTLS_REPLY,
			    (struct octets){ "\r\nabc\r\n", 7 }, &failure);
	assert_string_equal(failure_detail(&failure, "bytes"), "\\x0d\\x0aabc");
}

static void
words(void **state)
{
	struct octets line = { "STARTTLS now", 8 };

	(void)state;
	assert_true(octets_begin(line, "start"));
	assert_true(octets_begin(line, ""));
	assert_true(octets_begin(line, "StartTLS"));
	assert_false(octets_begin(line, "StartTLS "));
	assert_true(octets_equal(line, "starttls"));
	assert_false(octets_equal(line, "starttl"));
	assert_false(octets_equal(line, "starttlsx"));
	assert_false(octets_equal((struct octets){ "[", 1 }, "{"));
	assert_false(octets_equal((struct octets){ "@", 1 }, "`"));
	assert_true(octets_equal((struct octets){ NULL, 0 }, ""));
	assert_true(octets_may_begin(line, "start"));
	assert_true(octets_may_begin(line, "StartTLSnow"));
	assert_true(octets_may_begin((struct octets){ NULL, 0 }, "x"));
	assert_false(octets_may_begin(line, "startx"));
	assert_false(octets_may_begin(line, "tart"));
}

static void
nothing_to_free(void **state)
{
	struct dialogue *dialogue = NULL;

	(void)state;
	assert_null(dialogue_free(NULL));
	assert_int_equal(dialogue_new(&talk_kind, &dialogue), 0);
	assert_null(dialogue_free(dialogue)); /* not started */
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(output_waits_until_sent),
		cmocka_unit_test(what_is_not_taken_is_given_back),
		cmocka_unit_test(a_reply_that_refuses),
		cmocka_unit_test(end_and_deadline),
		cmocka_unit_test(a_kind_may_judge_them_itself),
		cmocka_unit_test(a_reply_too_long),
		cmocka_unit_test(too_many_lines),
		cmocka_unit_test(evidence_reads_well),
		cmocka_unit_test(words),
		cmocka_unit_test(nothing_to_free),
	};

	RUN_TESTS(tests);
}
