/* sys/resolve_srv: records out of messages, good and bad, and their order. */
#include "check.h"

#include "base/prng.h"
#include "sys/resolve_srv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* A message: one question, "_x.t" (at octet 12), SRV, IN; records are added to it. */
struct message {
	unsigned char bytes[4096];
	size_t length;
};

static const unsigned char beginning[] = "\0\1\x81\x80\0\1\0\0\0\0\0\0"
					 "\2_x\1t\0"
					 "\0\41\0\1";

static void
begin(struct message *message)
{
	message->length = sizeof(beginning) - 1;
	memcpy(message->bytes, beginning, message->length);
}

static void
put(struct message *message, const void *bytes, size_t length)
{
	assert_true(message->length + length <= sizeof(message->bytes));
	memcpy(message->bytes + message->length, bytes, length);
	message->length += length;
}

static void
put_number(struct message *message, unsigned int value, unsigned int octets)
{
	while (octets-- > 0)
		put(message, &(unsigned char){ (unsigned char)(value >> 8 * octets) }, 1);
}

/* A record of the question's name. */
static void
put_record(struct message *message, unsigned int type, unsigned int ttl, const char *data, size_t length)
{
	put_number(message, 0xc00c, 2);
	put_number(message, type, 2);
	put_number(message, 1, 2);
	put_number(message, ttl, 4);
	put_number(message, (unsigned int)length, 2);
	put(message, data, length);
	message->bytes[7]++;
}

#define PUT_SRV(message, ttl, data) put_record(message, 33, ttl, data, sizeof(data) - 1)

/* The message in a block of its own size, so that a sanitizer sees every octet read beyond it. */
static int
parse(const struct message *message, struct srv_reply *reply)
{
	_cleanup_(freep) unsigned char *exact = malloc(message->length + (message->length == 0));

	assert_non_null(exact);
	memcpy(exact, message->bytes, message->length);
	memset(reply, 0xa5, sizeof(*reply));
	return srv_parse(exact, message->length, reply);
}

static void
expect_record(const struct srv_reply *reply, unsigned int index, const char *text)
{
	const struct srv_record *record = &reply->records[index];
	char buffer[512];

	assert_true(index < reply->count);
	snprintf(buffer, sizeof(buffer), "%u %u %u %s", record->priority, record->weight,
		 record->port, record->host);
	assert_string_equal(buffer, text);
}

static void
records_are_read(void **state)
{
	struct message message;
	struct srv_reply reply;

	(void)state;
	begin(&message);
	put_record(&message, 5, 30, "\3foo\0", 5); /* an alias on the way counts with its TTL */
	PUT_SRV(&message, 300, "\0\12\1\0\2\x7c\3Ld1\4Test\0");
	PUT_SRV(&message, 60, "\0\0\0\0\0\1\4_h-2\xc0\x0f"); /* compressed: ".t" of the question */
	put_record(&message, 16, 1, "\3txt", 4);	     /* nobody asked for that */
	assert_int_equal(parse(&message, &reply), 0);
	assert_int_equal(reply.count, 2);
	expect_record(&reply, 0, "10 256 636 ld1.test");
	expect_record(&reply, 1, "0 0 1 _h-2.t");
	assert_true(reply.ttl == 30 * USEC_PER_SEC);
	assert_null(reply.why);
	assert_int_equal(reply.left_out, 0);
}

static void
a_ttl_beyond_its_range_is_none(void **state)
{
	struct message message;
	struct srv_reply reply;

	(void)state;
	begin(&message);
	PUT_SRV(&message, 0x80000000, "\0\1\0\1\0\1\1h\0");
	assert_int_equal(parse(&message, &reply), 0);
	assert_true(reply.ttl == 0);
}

static void
what_cannot_be_used_is_left_out(void **state)
{
	struct message message;
	struct srv_reply reply;

	(void)state;
	begin(&message);
	PUT_SRV(&message, 60, "\0\1\0\1\0\0\4zero\0"); /* port 0 */
	assert_int_equal(parse(&message, &reply), 0);
	assert_int_equal(reply.count, 0);
	assert_string_equal(reply.why, "every SRV record has port 0");
	PUT_SRV(&message, 60, "\0\1\0\1\0\1\3a b\0"); /* no host name */
	assert_int_equal(parse(&message, &reply), 0);
	assert_int_equal(reply.count, 0);
	assert_false(reply.broken);
	PUT_SRV(&message, 60, "\0\1\0\1\0\1\0"); /* "." */
	assert_int_equal(parse(&message, &reply), 0);
	assert_int_equal(reply.count, 0);
	assert_string_equal(reply.why, "an SRV record says that the service is not offered");
	PUT_SRV(&message, 60, "\0\1\0\1\0\1\4good\0");
	assert_int_equal(parse(&message, &reply), 0);
	assert_int_equal(reply.count, 1);
	assert_null(reply.why);
	assert_false(reply.broken);
	expect_record(&reply, 0, "1 1 1 good");

	begin(&message);
	assert_int_equal(parse(&message, &reply), 0);
	assert_string_equal(reply.why, "the answer holds no SRV record");
	PUT_SRV(&message, 60, "\0\1\0\1\0\1\3a\0b\0");
	assert_int_equal(parse(&message, &reply), 0);
	assert_true(reply.broken);
	assert_string_equal(reply.why, "the target of every SRV record is no host name");
}

static void
malformed_messages_are_refused(void **state)
{
	static const struct {
		const char *data;
		size_t length;
	} bad[] = {
#define BAD(text) { text, sizeof(text) - 1 }
		BAD(""),
		BAD("\0\1\0\1\0"),		/* shorter than its numbers */
		BAD("\0\1\0\1\0\1"),		/* no target */
		BAD("\0\1\0\1\0\1\4hos"),	/* a label that is not all there */
		BAD("\0\1\0\1\0\1\1h"),		/* no end of the name */
		BAD("\0\1\0\1\0\1\1h\0more"),	/* octets after the target */
		BAD("\0\1\0\1\0\1\xc0"),	/* half a pointer */
		BAD("\0\1\0\1\0\1\xc0\x28"),	/* a pointer to itself */
		BAD("\0\1\0\1\0\1\1h\xc0\x28"), /* a loop over a label */
		BAD("\0\1\0\1\0\1\xff\xff"),	/* beyond the message */
		BAD("\0\1\0\1\0\1\x40"		/* a kind of label that does not exist */
		    "0123456789012345678901234567890123456789012345678901234567890123\0"),
#undef BAD
	};
	struct message message;
	struct srv_reply reply;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		begin(&message);
		put_record(&message, 33, 60, bad[i].data, bad[i].length);
		/* The target of a record begins at octet 40. */
		assert_int_equal(message.length, 34 + bad[i].length);
		assert_int_equal(parse(&message, &reply), -EBADMSG);
	}
	begin(&message);
	PUT_SRV(&message, 60, "\0\1\0\1\0\1\xc0\x3c"); /* a pointer ahead, to the next record's target */
	PUT_SRV(&message, 60, "\0\1\0\1\0\1\1h\0");
	assert_int_equal(parse(&message, &reply), -EBADMSG);
	begin(&message);
	PUT_SRV(&message, 60, "\0\1\0\1\0\1\1h\0");
	message.bytes[7]++; /* one more than there are */
	assert_int_equal(parse(&message, &reply), -EBADMSG);
	message.bytes[7]--;
	assert_int_equal(parse(&message, &reply), 0);
	message.bytes[33]++; /* RDLENGTH beyond the end */
	assert_int_equal(parse(&message, &reply), -EBADMSG);
}

static void
every_beginning_of_a_message_is_refused(void **state)
{
	struct message message;
	struct srv_reply reply;

	(void)state;
	begin(&message);
	PUT_SRV(&message, 300, "\0\12\1\0\2\x7c\3ld1\xc0\x0f");
	for (size_t whole = message.length--; message.length > 0; message.length--) {
		assert_true(message.length < whole);
		assert_int_equal(parse(&message, &reply), -EBADMSG);
	}
	assert_int_equal(parse(&message, &reply), -EBADMSG);
}

static void
names_are_as_long_as_names_may_be(void **state)
{
	char data[6 + 4 * 64 + 1] = "\0\1\0\1\0\1";
	struct message message;
	struct srv_reply reply;

	(void)state;
	for (size_t label = 0; label < 4; label++) {
		size_t length = label == 3 ? 61 : 63;

		data[6 + label * 64] = (char)length;
		memset(data + 6 + label * 64 + 1, 'a', length);
	}
	begin(&message);
	put_record(&message, 33, 60, data, 6 + 3 * 64 + 62 + 1);
	assert_int_equal(parse(&message, &reply), 0);
	assert_int_equal(reply.count, 1);
	assert_int_equal(strlen(reply.records[0].host), 253);
	/* One letter more, and it is a name no longer. */
	data[6 + 3 * 64] = 62;
	data[6 + 3 * 64 + 62] = 'a';
	begin(&message);
	put_record(&message, 33, 60, data, 6 + 3 * 64 + 63 + 1);
	assert_int_equal(parse(&message, &reply), 0);
	assert_int_equal(reply.count, 0);
	assert_true(reply.broken);
}

static void
of_too_many_the_first_priorities_stay(void **state)
{
	struct message message;
	struct srv_reply reply;

	(void)state;
	begin(&message);
	for (unsigned int i = 0; i < SRV_RECORDS_MAX + 20; i++) {
		char data[] = "\0\0\0\1\0\1\1h\0";

		data[1] = (char)(100 - i);
		put_record(&message, 33, 60, data, sizeof(data) - 1);
	}
	assert_int_equal(parse(&message, &reply), 0);
	assert_int_equal(reply.count, SRV_RECORDS_MAX);
	assert_int_equal(reply.left_out, 20);
	for (unsigned int i = 0; i < reply.count; i++)
		assert_true(reply.records[i].priority <= 80);
}

/* ---- order ---------------------------------------------------------------------------------------- */

static struct srv_record
record_of(unsigned int priority, unsigned int weight, const char *host)
{
	struct srv_record record = {
		.priority = (uint16_t)priority,
		.weight = (uint16_t)weight,
		.port = 1,
	};

	strcpy(record.host, host);
	return record;
}

#define SET \
	{ \
		record_of(20, 0, "spare"), record_of(10, 60, "big"), record_of(10, 20, "small"), \
			record_of(10, 20, "other"), record_of(10, 0, "never"), \
			record_of(0, 5, "first") \
	}

static void
priorities_come_in_order(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 1000; seed++) {
		struct srv_record records[] = SET;

		srv_order(records, COUNT_OF(records), seed);
		assert_string_equal(records[0].host, "first");
		assert_string_equal(records[5].host, "spare");
		for (unsigned int i = 1; i < 5; i++)
			assert_int_equal(records[i].priority, 10);
	}
}

static void
equal_seeds_draw_alike_whatever_the_server_sends_first(void **state)
{
	struct prng prng;

	(void)state;
	prng_init(&prng, 1);
	for (uint64_t seed = 0; seed < 200; seed++) {
		struct srv_record one[] = SET, other[] = SET;

		for (unsigned int i = COUNT_OF(other); i > 1; i--) {
			unsigned int at = (unsigned int)prng_below(&prng, i);
			struct srv_record last = other[i - 1];

			other[i - 1] = other[at];
			other[at] = last;
		}
		srv_order(one, COUNT_OF(one), seed);
		srv_order(other, COUNT_OF(other), seed);
		for (unsigned int i = 0; i < COUNT_OF(one); i++)
			assert_string_equal(one[i].host, other[i].host);
	}
}

#define DRAWS 20000

/* How often `host` came first of its priority, in percent. */
static unsigned int
share_of(const char *host)
{
	unsigned int count = 0;

	for (uint64_t seed = 0; seed < DRAWS; seed++) {
		struct srv_record records[] = SET;

		srv_order(records, COUNT_OF(records), seed);
		count += strcmp(records[1].host, host) == 0;
	}
	return count * 100 / DRAWS;
}

static void
weights_are_shares(void **state)
{
	(void)state;
	assert_in_range(share_of("big"), 57, 61);
	assert_in_range(share_of("small"), 18, 21);
	assert_in_range(share_of("other"), 18, 21);
	/* RFC 2782: very small, but not none. */
	assert_in_range(share_of("never"), 0, 2);
}

static void
without_weights_each_is_as_likely(void **state)
{
	unsigned int first[4] = { 0 };

	(void)state;
	for (uint64_t seed = 0; seed < DRAWS; seed++) {
		struct srv_record records[] = { record_of(1, 0, "a"), record_of(1, 0, "b"),
						record_of(1, 0, "c"), record_of(1, 0, "d") };

		srv_order(records, COUNT_OF(records), seed);
		first[records[0].host[0] - 'a']++;
	}
	for (unsigned int i = 0; i < COUNT_OF(first); i++)
		assert_in_range(first[i], DRAWS * 23 / 100, DRAWS * 27 / 100);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_are_read),
		cmocka_unit_test(a_ttl_beyond_its_range_is_none),
		cmocka_unit_test(what_cannot_be_used_is_left_out),
		cmocka_unit_test(malformed_messages_are_refused),
		cmocka_unit_test(every_beginning_of_a_message_is_refused),
		cmocka_unit_test(names_are_as_long_as_names_may_be),
		cmocka_unit_test(of_too_many_the_first_priorities_stay),
		cmocka_unit_test(priorities_come_in_order),
		cmocka_unit_test(equal_seeds_draw_alike_whatever_the_server_sends_first),
		cmocka_unit_test(weights_are_shares),
		cmocka_unit_test(without_weights_each_is_as_likely),
	};

	RUN_TESTS(tests);
}
