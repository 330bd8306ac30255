/* Writing: whole, in parts, into a full socket, to a peer that has gone. */
#include "tls-lab.h"

#include "sys/fd.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define MUCH ((size_t)4 * 1024 * 1024)

static void
begin_ready(struct lab *lab, int version)
{
	lab_begin(lab);
	lab->policy.max_version = version;
	assert_code(lab_code(lab, NULL), FAILURE_NONE);
	for (unsigned int i = 0; i < 3; i++)
		lab_serve(lab);
	lab->failure.stage = STAGE_READY;
}

static void
test_small(void **state)
{
	(void)state;
	for (int version = TLS_POLICY_VERSION_1_2; version <= TLS_POLICY_VERSION_1_3; version++) {
		struct lab lab;
		char buffer[64] = "";
		size_t written;

		begin_ready(&lab, version);
		assert_int_equal(tls_write(lab.tls, "hello", 5, &written, &lab.failure), TLS_DONE);
		assert_int_equal(written, 5);
		lab_wait(lab.fds[1]);
		assert_int_equal(SSL_read(lab.server, buffer, sizeof(buffer)), 5);
		assert_string_equal(buffer, "hello");
		lab_end(&lab);
	}
}

static char
octet_at(size_t place)
{
	return (char)(place * 7 + place / 251);
}

/* Reads what is there and compares it with what was written. */
static size_t
take(struct lab *lab, size_t taken)
{
	char buffer[16384];
	size_t length;

	ERR_clear_error();
	if (!SSL_read_ex(lab->server, buffer, sizeof(buffer), &length))
		return taken;
	for (size_t i = 0; i < length; i++)
		assert_int_equal(buffer[i], octet_at(taken + i));
	return taken + length;
}

/* A full socket: the same octets are offered again, from wherever they lie by then; none is lost, none comes twice. */
static void
test_full(void **state)
{
	(void)state;
	for (int version = TLS_POLICY_VERSION_1_2; version <= TLS_POLICY_VERSION_1_3; version++) {
		size_t sent = 0, taken = 0, written, waits = 0, parts = 0;
		char *last = NULL;
		struct lab lab;

		begin_ready(&lab, version);
		while (sent < MUCH) {
			size_t length = MUCH - sent < 40000 ? MUCH - sent : 40000;
			char *octets = malloc(length);
			enum tls_result result;

			assert_non_null(octets);
			for (size_t i = 0; i < length; i++)
				octets[i] = octet_at(sent + i);
			result = tls_write(lab.tls, octets, length, &written, &lab.failure);
			free(last); /* only now, so that the next ones lie elsewhere */
			last = octets;
			if (result == TLS_DONE) {
				assert_in_range(written, 1, length);
				sent += written;
				parts += written < length;
				continue;
			}
			assert_int_equal(result, TLS_WANT_WRITE);
			waits++;
			taken = take(&lab, taken);
		}
		while (taken < sent)
			taken = take(&lab, taken);
		assert_true(waits > 0 && parts > 0);
		free(last);
		lab_end(&lab);
	}
}

/* The peer has gone: writing seems to work, and reading tells. */
static void
test_gone(void **state)
{
	(void)state;
	for (int version = TLS_POLICY_VERSION_1_2; version <= TLS_POLICY_VERSION_1_3; version++) {
		struct lab lab;
		size_t written;

		begin_ready(&lab, version);
		lab_hang_up(&lab, true);
		lab_wait(lab.fds[0]);
		for (unsigned int i = 0; i < 3; i++)
			assert_int_equal(tls_write(lab.tls, "hello", 5, &written, &lab.failure),
					 TLS_DONE);
		assert_code(lab_read_code(&lab), FAILURE_CONNECTION_RESET);
		assert_string_equal(lab.failure.error_name, "ECONNRESET");
		lab_end(&lab);
	}
}

/* What it said last is read although writing has failed before. */
static void
test_last_words(void **state)
{
	struct lab lab;
	char buffer[64];
	size_t written;

	(void)state;
	begin_ready(&lab, 0);
	assert_int_equal(lab_read(&lab, buffer, sizeof(buffer)),
			 TLS_WANT_READ); /* the tickets are on their way no more */
	assert_int_equal(SSL_write(lab.server, "421 bye", 7), 7);
	lab_wait(lab.fds[0]);
	lab_hang_up(&lab, true);
	assert_int_equal(tls_write(lab.tls, "QUIT", 4, &written, &lab.failure), TLS_DONE);
	assert_int_equal(tls_write(lab.tls, "QUIT", 4, &written, &lab.failure), TLS_DONE);
	assert_int_equal(lab_read(&lab, buffer, sizeof(buffer)), TLS_DONE);
	assert_string_equal(buffer, "421 bye");
	assert_code(lab_read_code(&lab), FAILURE_CONNECTION_RESET);
	lab_end(&lab);
}

/* After a fatal alert nothing can be written, and the alert is what is told. */
static void
test_after_alert(void **state)
{
	static const unsigned char bad_mac[5 + 40] = { 23, 3, 3, 0, 40 };
	struct lab lab;
	size_t written;

	(void)state;
	begin_ready(&lab, 0);
	assert_int_equal(send(lab.fds[1], bad_mac, sizeof(bad_mac), 0), sizeof(bad_mac));
	assert_code(lab_read_code(&lab), FAILURE_TLS_CORRUPT);
	failure_done(&lab.failure);
	failure_init(&lab.failure, FAILURE_NONE, STAGE_READY);
	assert_int_equal(tls_write(lab.tls, "hello", 5, &written, &lab.failure), TLS_FAILED);
	assert_true(lab.failure.code != FAILURE_NONE);
	lab_end(&lab);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_small),	    cmocka_unit_test(test_full),
		cmocka_unit_test(test_gone),	    cmocka_unit_test(test_last_words),
		cmocka_unit_test(test_after_alert),
	};

	return cmocka_run_group_tests(tests, lab_setup, lab_teardown);
}
