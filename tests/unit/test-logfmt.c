/* main/logfmt: notices as records, and records as lines. */
#include "check.h"

#include "main/logfmt.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#define NOON UINT64_C(1767182400123456) /* 2025-12-31 12:00:00.123456 UTC */

static const char *
line_of(const struct log_record *record)
{
	static char line[LOG_LINE_MAX];
	struct text text = TEXT_INIT(line);

	logfmt_line(record, &text);
	return line;
}

static struct address
address_of(const char *ip, uint16_t port)
{
	struct in_addr in;
	struct address address;

	assert_int_equal(inet_pton(AF_INET, ip, &in), 1);
	address_from_ip(AF_INET, &in, port, &address);
	return address;
}

static const char *
value_line(const char *value)
{
	static struct log_record record;

	log_record_init(&record, LEVEL_INFO, MESSAGE_ID_DAEMON, NOON);
	log_record_add(&record, "k", value);
	return line_of(&record);
}

static void
values_are_quoted_where_needed(void **state)
{
	(void)state;
	assert_string_equal(value_line("plain-value:1.2/x"), "k=plain-value:1.2/x");
	assert_string_equal(value_line(""), "k=\"\"");
	assert_string_equal(value_line("two words"), "k=\"two words\"");
	assert_string_equal(value_line("a=b"), "k=\"a=b\"");
	assert_string_equal(value_line("say \"x\""), "k=\"say \\\"x\\\"\"");
	assert_string_equal(value_line("back\\slash"), "k=\"back\\\\slash\"");
	assert_string_equal(value_line("a\nb\tc\x7f"), "k=\"a\\x0ab\\x09c\\x7f\"");
	assert_string_equal(value_line("caf\xc3\xa9"), "k=\"caf\\xc3\\xa9\"");
	/* What was escaped where it came in is not escaped again. */
	assert_string_equal(value_line("220 x\\x0d\\x0a"), "k=\"220 x\\x0d\\x0a\"");
	assert_string_equal(value_line("\\xzz"), "k=\"\\\\xzz\"");
}

/* The example of DESIGN.md, section 5, and what may stand between its keys. */
static void
a_failure_is_one_line(void **state)
{
	struct failure failure;
	struct log_record record;
	struct notice notice = {
		.kind = NOTICE_FAILURE,
		.level = LEVEL_WARNING,
		.upstream = "ldap",
		.link = 1,
		.stage = STAGE_READY,
		.health = -1,
		.failure = &failure,
		.message = "peer reset the connection",
	};

	(void)state;
	failure_init(&failure, FAILURE_CONNECTION_RESET, STAGE_READY);
	failure.peer = address_of("192.0.2.7", 636);
	failure_set_error(&failure, ECONNRESET, "ECONNRESET");
	failure.attempt = 1;
	failure.elapsed = 21720000 * USEC_PER_MSEC;
	failure.retry_delay = 800 * USEC_PER_MSEC;
	log_record_notice(&record, &notice);
	assert_int_equal(record.message_id, MESSAGE_ID_CONNECTION);
	assert_int_equal(
		strncmp(line_of(&record),
			"upstream=ldap link=1 event=failure class=connection code=connection.reset "
			"stage=ready address=192.0.2.7:636 error=ECONNRESET attempt=1 "
			"elapsed_ms=21720000 retry_in_ms=800 msg=\"peer reset the connection\" hint=\"",
			strlen("upstream=ldap link=1 event=failure class=connection "
			       "code=connection.reset stage=ready address=192.0.2.7:636 "
			       "error=ECONNRESET attempt=1 elapsed_ms=21720000 retry_in_ms=800 "
			       "msg=\"peer reset the connection\" hint=\"")),
		0);
}

static void
all_keys_in_their_order(void **state)
{
	static const char *const order[] = { "upstream", "link",       "event",	      "class",
					     "code",	 "stage",      "address",     "error",
					     "alert",	 "verify",     "evidence",    "others",
					     "attempt",	 "elapsed_ms", "retry_in_ms", "msg",
					     "hint" };
	struct address_failure other = { .code = FAILURE_TIMEOUT_CONNECT };
	struct failure failure;
	struct log_record record;
	struct notice notice = { .kind = NOTICE_FAILURE,
				 .upstream = "x",
				 .link = 2,
				 .stage = -1,
				 .health = -1,
				 .failure = &failure,
				 .message = "m" };
	const char *key, *value;
	size_t at = 0, count = 0;

	(void)state;
	failure_init(&failure, FAILURE_TLS_CERTIFICATE_EXPIRED, STAGE_HANDSHAKE);
	failure.peer = address_of("192.0.2.7", 636);
	other.address = address_of("192.0.2.8", 636);
	failure_set_error(&failure, 17, "");
	failure.alert_direction = ALERT_SENT;
	failure.alert = 45;
	failure.verify = 10;
	failure_set_evidence(&failure, "HTTP/1.1 400\r\n", 14);
	failure.attempt = 3;
	failure.retry_delay = 0;
	failure.others = others_new(&other, 1);
	log_record_notice(&record, &notice);
	while ((at = log_record_next(&record, at, &key, &value)) > 0) {
		assert_true(count < COUNT_OF(order));
		assert_string_equal(key, order[count++]);
		if (strcmp(key, "error") == 0)
			assert_string_equal(value, "17");
		if (strcmp(key, "others") == 0)
			assert_string_equal(value, "192.0.2.8:636 timeout.connect");
	}
	assert_int_equal(count, COUNT_OF(order));
	assert_int_equal(record.message_id, MESSAGE_ID_TLS);
	assert_non_null(strstr(line_of(&record), " evidence=\"HTTP/1.1 400\\x0d\\x0a\" "));
	failure_done(&failure);
}

static void
repeats_are_counted_from_the_second_on(void **state)
{
	struct log_record record;
	struct failure failure;
	struct notice notice = {
		.kind = NOTICE_FAILURE,
		.stage = -1,
		.health = -1,
		.failure = &failure,
		.message = "x",
		.repeats = 1,
	};

	(void)state;
	failure_init(&failure, FAILURE_CONNECTION_REFUSED, STAGE_CONNECT);
	log_record_notice(&record, &notice);
	assert_null(strstr(line_of(&record), "repeats"));
	notice.repeats = 10;
	log_record_notice(&record, &notice);
	assert_non_null(strstr(line_of(&record), " repeats=10 msg=x "));
}

static void
other_notices(void **state)
{
	struct log_record record;
	struct failure failure;

	(void)state;
	log_record_notice(&record, &(struct notice){ .kind = NOTICE_RECOVERY,
						     .upstream = "x",
						     .link = 1,
						     .stage = STAGE_READY,
						     .health = -1,
						     .ready_after = 1500 * USEC_PER_MSEC,
						     .message = "ready" });
	assert_string_equal(line_of(&record),
			    "upstream=x link=1 event=recovery stage=ready down_ms=1500 msg=ready");
	log_record_notice(&record, &(struct notice){ .kind = NOTICE_HEALTH,
						     .upstream = "x",
						     .stage = -1,
						     .health = HEALTH_DOWN,
						     .message = "no link is ready" });
	assert_string_equal(line_of(&record),
			    "upstream=x event=health health=down msg=\"no link is ready\"");
	log_record_notice(&record, &(struct notice){ .kind = NOTICE_CLOSE,
						     .upstream = "x",
						     .link = 2,
						     .stage = -1,
						     .health = -1,
						     .reason = "lifetime",
						     .message = "old" });
	assert_string_equal(line_of(&record), "upstream=x link=2 event=close reason=lifetime msg=old");
	failure_init(&failure, FAILURE_CONNECTION_REFUSED, STAGE_CONNECT);
	log_record_notice(&record, &(struct notice){ .kind = NOTICE_STAGE,
						     .level = LEVEL_DEBUG,
						     .upstream = "x",
						     .link = 1,
						     .stage = -1,
						     .health = -1,
						     .failure = &failure,
						     .reason = "address-lost",
						     .message = "refused" });
	assert_int_equal(strncmp(line_of(&record),
				 "upstream=x link=1 event=address-lost class=connection code=", 59),
			 0);
}

static void
standard_error_gets_the_time(void **state)
{
	struct log_record record;
	char line[256];
	struct text text = TEXT_INIT(line);

	(void)state;
	log_record_init(&record, LEVEL_WARNING, MESSAGE_ID_DAEMON, NOON);
	log_record_add(&record, "event", "x");
	logfmt_stderr(&record, &text);
	assert_string_equal(line, "time=2025-12-31T12:00:00.123Z level=warning event=x");
}

static void
what_does_not_fit_is_left_out(void **state)
{
	static char huge[2 * LOG_RECORD_MAX];
	struct log_record record;
	const char *key, *value;
	size_t at = 0;
	unsigned int count = 0;

	(void)state;
	memset(huge, 'a', sizeof(huge) - 1);
	log_record_init(&record, LEVEL_INFO, MESSAGE_ID_DAEMON, NOON);
	log_record_add(&record, "first", "1");
	log_record_add(&record, "huge", huge);
	log_record_add(&record, "late", "2");
	while ((at = log_record_next(&record, at, &key, &value)) > 0)
		count++;
	assert_int_equal(count, 2);
	assert_string_equal(key, "huge");
	assert_true(strlen(value) > LOG_RECORD_MAX - 64);
	assert_true(log_record_size(&record) <= sizeof(record));

	log_record_init(&record, LEVEL_INFO, MESSAGE_ID_DAEMON, NOON);
	for (unsigned int i = 0; i < LOG_FIELDS_MAX + 5; i++)
		log_record_addf(&record, "n", "%u", i);
	assert_int_equal(record.count, LOG_FIELDS_MAX);
}

static void
journal_names(void **state)
{
	char name[64];
	struct text text = TEXT_INIT(name);

	(void)state;
	logfmt_journal_key("retry_in_ms", &text);
	assert_string_equal(name, "HOLDFAST_RETRY_IN_MS");
	for (int a = 0; a < MESSAGE_ID_COUNT; a++) {
		const char *id = message_id_text((enum message_id)a);

		assert_int_equal(strlen(id), 32);
		assert_int_equal(strspn(id, "0123456789abcdef"), 32);
		for (int b = 0; b < a; b++)
			assert_string_not_equal(id, message_id_text((enum message_id)b));
	}
}

static const char *
span(usec_t value)
{
	static char buffer[64];
	struct text text = TEXT_INIT(buffer);

	span_text(value, &text);
	return buffer;
}

static void
spans_as_people_say_them(void **state)
{
	(void)state;
	assert_string_equal(span(0), "0 ms");
	assert_string_equal(span(999999), "999 ms");
	assert_string_equal(span(12345 * USEC_PER_MSEC), "12.3 s");
	assert_string_equal(span(252 * USEC_PER_SEC), "4 min 12 s");
	assert_string_equal(span(3 * USEC_PER_HOUR + 5 * USEC_PER_MINUTE), "3 h 5 min");
	assert_string_equal(span(52 * USEC_PER_HOUR), "2 d 4 h");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_quoted_where_needed),
		cmocka_unit_test(a_failure_is_one_line),
		cmocka_unit_test(all_keys_in_their_order),
		cmocka_unit_test(repeats_are_counted_from_the_second_on),
		cmocka_unit_test(other_notices),
		cmocka_unit_test(standard_error_gets_the_time),
		cmocka_unit_test(what_does_not_fit_is_left_out),
		cmocka_unit_test(journal_names),
		cmocka_unit_test(spans_as_people_say_them),
	};

	RUN_TESTS(tests);
}
