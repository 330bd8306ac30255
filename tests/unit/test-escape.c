#include "check.h"

#include "config/config.h"
#include "config/escape.h"

#include <errno.h>
#include <string.h>

static void
assert_octets(const char *string, const char *octets, size_t length)
{
	unsigned char buffer[64];
	const char *bad = NULL;
	size_t found = 99;

	assert_int_equal(escape_parse(string, buffer, sizeof(buffer), &found, &bad), 0);
	assert_int_equal(found, length);
	assert_memory_equal(buffer, octets, length);
}

static void
test_escapes(void **state)
{
	(void)state;
	assert_octets("", "", 0);
	assert_octets("PING\r\n", "PING\r\n", 6);
	assert_octets("PING\\r\\n\\t", "PING\r\n\t", 7);
	assert_octets("a\\0b", "a\0b", 3);
	assert_octets("\\01", "\0001", 2); /* no octal number */
	assert_octets("\\x00\\xfF\\x7f1",
		      "\0\xff\x7f"
		      "1",
		      4);
	assert_octets("\\\\r", "\\r", 2);
	assert_octets("\\\\\\r", "\\\r", 2);
	assert_octets("\xc3\xa4\xff", "\xc3\xa4\xff", 3);
}

static void
test_no_escapes(void **state)
{
	static const char *const strings[] = { "ab\\q",	  "ab\\",    "ab\\x",	"ab\\x4",
					       "ab\\xg0", "ab\\R",   "ab\\\"",	"ab\\1",
					       "ab\\x4g", "ab\\X41", "ab\\\xff" };
	unsigned char buffer[64];
	const char *bad;
	size_t length = 7;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(strings); i++) {
		assert_int_equal(escape_parse(strings[i], buffer, sizeof(buffer), &length, &bad),
				 -EINVAL);
		assert_ptr_equal(bad, strings[i] + 2);
	}
	assert_int_equal(length, 7);
}

static void
test_room(void **state)
{
	unsigned char buffer[3] = { 0 };
	const char *bad;
	size_t length = 7;

	(void)state;
	assert_int_equal(escape_parse("a\\0\\x41", buffer, 3, &length, &bad), 0);
	assert_int_equal(length, 3);
	assert_int_equal(escape_parse("abcd", buffer, 3, &length, &bad), -ENOBUFS);
	assert_int_equal(escape_parse("abc\\0", buffer, 3, &length, &bad), -ENOBUFS);
	assert_int_equal(escape_parse("abc\\q", buffer, 3, &length, &bad), -EINVAL);
	assert_int_equal(length, 3);
}

/* Each octet beside each, in a file, is those two octets again. */
static void
test_file(void **state)
{
	(void)state;
	for (unsigned int first = 0; first < 256; first++) {
		_cleanup_(config_unrefp) struct config *config = NULL;
		_cleanup_(freep) char *text = NULL;
		struct problems problems = { 0 };
		unsigned char octets[512];
		const struct probe_step *step;
		size_t size;
		FILE *out = open_memstream(&text, &size);

		for (unsigned int i = 0; i < 256; i++) {
			octets[2 * i] = (unsigned char)first;
			octets[2 * i + 1] = (unsigned char)i;
		}
		fputs("upstreams = ( { name = \"a\"; address = \"a:1\"; probe = { kind = \"expect\"; send = ",
		      out);
		escape_print(octets, sizeof(octets), out);
		fputs("; }; } );", out);
		fclose(out);
		assert_int_equal(config_load_text(text, "t", NULL, &problems, &config), 0);
		assert_int_equal(config->upstreams[0]->policy.probe.step_count, 1);
		step = config->upstreams[0]->policy.probe.steps;
		assert_int_equal(step->send_length, sizeof(octets));
		assert_memory_equal(step->send, octets, sizeof(octets));
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_no_escapes),
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_file),
	};

	RUN_TESTS(tests);
}
