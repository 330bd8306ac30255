/* sys/resolve: every answer a name server can give, and none. */
#include "check.h"
#include "resolve-fixture.h"

#include <sys/resource.h>

static void
expect_failure(struct world *world, const char *host, enum failure_code code, const char *error)
{
	struct question question = question_for(host, FAMILY_IPV4);
	struct asked asked;

	ask(world, &question, &asked);
	assert_int_equal(asked.answer.count, 0);
	assert_string_equal(failure_name(asked.answer.failure.code), failure_name(code));
	assert_int_equal(asked.answer.failure.stage, STAGE_RESOLVE);
	assert_string_equal(asked.answer.failure.error_name, error);
}

/* ---- answers -------------------------------------------------------------------------------------- */

static void
a_name_has_addresses_of_the_family_asked_for(void **state)
{
	struct question question = question_for("a.test", FAMILY_IPV4);
	struct world world;
	struct asked asked;

	(void)state;
	open_world(&world, SERVING_ALL);
	ask(&world, &question, &asked);
	assert_int_equal(asked.answer.count, 1);
	assert_int_equal(asked.answer.failure.code, FAILURE_NONE);
	expect_address(&asked, 0, "192.0.2.1:636");
	assert_true(asked.answer.ttl == 60 * USEC_PER_SEC);
	question.family = FAMILY_IPV6;
	ask(&world, &question, &asked);
	assert_int_equal(asked.answer.count, 1);
	expect_address(&asked, 0, "[2001:db8::1]:636");
	close_world(&world);
}

static void
each_rcode_has_its_code(void **state)
{
	struct world world;

	(void)state;
	open_world(&world, SERVING_ALL);
	expect_failure(&world, "nx.test", FAILURE_ADDRESS_NXDOMAIN, "ARES_ENOTFOUND");
	expect_failure(&world, "nodata.test", FAILURE_ADDRESS_NO_DATA, "ARES_ENODATA");
	expect_failure(&world, "servfail.test", FAILURE_ADDRESS_SERVFAIL, "ARES_ESERVFAIL");
	expect_failure(&world, "refused.test", FAILURE_ADDRESS_REFUSED, "ARES_EREFUSED");
	expect_failure(&world, "notimp.test", FAILURE_ADDRESS_BAD_REPLY, "ARES_ENOTIMP");
	expect_failure(&world, "formerr.test", FAILURE_ADDRESS_BAD_REPLY, "ARES_EFORMERR");
	expect_failure(&world, "broken.test", FAILURE_ADDRESS_BAD_REPLY, "ARES_EBADRESP");
	close_world(&world);
}

static void
excluded_addresses_are_dropped(void **state)
{
	struct question question = question_for("mixed.test", FAMILY_IPV4);
	struct world world;
	struct asked asked;

	(void)state;
	open_world(&world, SERVING_ALL);
	ask(&world, &question, &asked);
	assert_int_equal(asked.answer.count, 1);
	expect_address(&asked, 0, "192.0.2.1:636");
	expect_failure(&world, "excluded.test", FAILURE_ADDRESS_EXCLUDED, "");
	close_world(&world);
}

static void
an_answer_holds_so_many_addresses(void **state)
{
	struct question question = question_for("many-20.test", FAMILY_IPV4);
	struct world world;
	struct asked asked;

	(void)state;
	open_world(&world, SERVING_ALL);
	ask(&world, &question, &asked);
	assert_int_equal(asked.answer.count, ANSWER_ADDRESSES_MAX);
	expect_address(&asked, 0, "10.0.0.1:636");
	expect_address(&asked, 15, "10.0.0.16:636");
	expect_rest(&asked, 4, "10.0.0.20:636");
	assert_int_equal(asked.answer.left_out, 4);
	assert_false(asked.answer.partial);
	/* What is kept is all of it. */
	question.port = 25;
	ask(&world, &question, &asked);
	expect_address(&asked, 0, "10.0.0.1:25");
	expect_rest(&asked, 4, "10.0.0.20:25");
	assert_int_equal(dns_questions(&world.server), 1);
	close_world(&world);
}

static void
a_crowd_is_counted(void **state)
{
	struct question question = question_for("crowd", FAMILY_IPV4);
	char hosts[300 * 20], *at = hosts;
	struct world world;
	struct asked asked;

	(void)state;
	open_world(&world, SERVING_ALL);
	for (unsigned int i = 0; i < 300; i++)
		at += sprintf(at, "10.0.%u.%u crowd\n", i / 200, i % 200);
	write_hosts(hosts);
	ask(&world, &question, &asked);
	assert_int_equal(asked.answer.count, ANSWER_ADDRESSES_MAX);
	assert_int_equal(asked.answer.rest_count, RESOLVE_ADDRESSES_MAX - ANSWER_ADDRESSES_MAX);
	assert_int_equal(asked.answer.left_out, 300 - ANSWER_ADDRESSES_MAX);
	assert_true(asked.answer.partial);
	close_world(&world);
}

static void
a_truncated_answer_is_had_over_tcp(void **state)
{
	struct question question = question_for("cut.test", FAMILY_IPV4);
	struct world world;
	struct asked asked;

	(void)state;
	open_world(&world, SERVING_ALL);
	ask(&world, &question, &asked);
	expect_address(&asked, 0, "192.0.2.1:636");
	assert_int_equal(dns_questions(&world.server), 2);
	close_world(&world);
}

/*
 * A truncated answer is had over TCP only.  When that connection is lost, c-ares takes a try from all questions that are with the
 * server; three times, and they fail with it, whatever the server was about to say.
 */
static void
a_refused_tcp_connection_fails_no_other_name(void **state)
{
	struct question question = question_for("cut-1.test", FAMILY_IPV4);
	struct world world;
	struct asked cut, others[4];

	(void)state;
	open_world(&world, SERVING_UDP);
	start(&world, &question, &cut);
	for (unsigned int i = 0; i < COUNT_OF(others); i++) {
		char host[32];

		snprintf(host, sizeof(host), "slow-300-%u.test", i);
		question.host = host;
		start(&world, &question, &others[i]);
	}
	await(&world, &cut);
	assert_string_equal(failure_name(cut.answer.failure.code), "address.no-server");
	for (unsigned int i = 0; i < COUNT_OF(others); i++) {
		await(&world, &others[i]);
		assert_string_equal(failure_name(others[i].answer.failure.code), "none");
		expect_address(&others[i], 0, "192.0.2.9:636");
	}
	close_world(&world);
}

static void
the_shortest_ttl_counts(void **state)
{
	struct question question = question_for("cname.test", FAMILY_IPV4);
	struct world world;
	struct asked asked;

	(void)state;
	open_world(&world, SERVING_ALL);
	ask(&world, &question, &asked);
	expect_address(&asked, 0, "192.0.2.1:636");
	assert_true(asked.answer.ttl == 5 * USEC_PER_SEC);
	question.host = "ttl-86400.test";
	ask(&world, &question, &asked);
	assert_true(asked.answer.ttl == RESOLVE_TTL_MAX);
	close_world(&world);
}

static void
the_hosts_file_and_the_search_list_count(void **state)
{
	struct question question = question_for("from-hosts", FAMILY_IPV4);
	struct world world;
	struct asked asked;

	(void)state;
	open_world(&world, SERVING_ALL);
	ask(&world, &question, &asked);
	expect_address(&asked, 0, "198.51.100.7:636");
	question.family = FAMILY_IPV6;
	ask(&world, &question, &asked);
	expect_address(&asked, 0, "[2001:db8::7]:636");
	assert_int_equal(dns_questions(&world.server), 0);

	question = question_for("short", FAMILY_IPV4);
	ask(&world, &question, &asked);
	expect_address(&asked, 0, "192.0.2.1:636");
	question.absolute = true;
	ask(&world, &question, &asked);
	assert_int_equal(asked.answer.failure.code, FAILURE_ADDRESS_NXDOMAIN);
	/* Not one of ours has a search list added when it is absolute. */
	question.host = "short.nowhere";
	ask(&world, &question, &asked);
	assert_int_equal(asked.answer.failure.code, FAILURE_ADDRESS_NXDOMAIN);
	assert_int_equal(dns_questions(&world.server), 3);
	close_world(&world);
}

/* ---- no answers ----------------------------------------------------------------------------------- */

static void
silence_is_a_timeout_within_the_time_given(void **state)
{
	struct question question = question_for("silent.test", FAMILY_IPV4);
	struct world world;
	struct asked asked;

	(void)state;
	open_world(&world, SERVING_ALL);
	question.timeout = 700 * USEC_PER_MSEC;
	ask(&world, &question, &asked);
	assert_int_equal(asked.answer.failure.code, FAILURE_TIMEOUT_RESOLVE);
	assert_string_equal(asked.answer.failure.error_name, "ARES_ETIMEOUT");
	assert_int_equal(dns_questions(&world.server), 3);
	close_world(&world);
}

/* c-ares 1.34 calls such a reply broken; older ones take no notice of it, since it does not repeat the question. */
static void
noise_is_no_answer(void **state)
{
	struct question question = question_for("noise.test", FAMILY_IPV4);
	struct world world;
	struct asked asked;

	(void)state;
	open_world(&world, SERVING_ALL);
	question.timeout = 700 * USEC_PER_MSEC;
	ask(&world, &question, &asked);
	assert_true(asked.answer.failure.code == FAILURE_TIMEOUT_RESOLVE ||
		    asked.answer.failure.code == FAILURE_ADDRESS_BAD_REPLY);
	close_world(&world);
}

static void
a_lost_packet_is_sent_again(void **state)
{
	struct question question = question_for("once-silent.test", FAMILY_IPV4);
	struct world world;
	struct asked asked;

	(void)state;
	open_world(&world, SERVING_ALL);
	question.timeout = 2 * USEC_PER_SEC;
	ask(&world, &question, &asked);
	expect_address(&asked, 0, "192.0.2.1:636");
	close_world(&world);
}

static void
every_configured_server_is_asked(void **state)
{
	struct question question = question_for("a.test", FAMILY_IPV4);
	struct world world;
	struct asked asked;
	int deaf = socket(AF_INET, SOCK_DGRAM, 0);
	struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons(53) };

	(void)state;
	open_world(&world, SERVING_ALL);
	/* Two servers that take questions and never answer come first. */
	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);
	assert_int_equal(bind(deaf, (struct sockaddr *)&name, sizeof(name)), 0);
	write_resolv_conf("nameserver 127.0.0.2\nnameserver 127.0.0.2\nnameserver 127.0.0.1\n");
	question.timeout = 3 * USEC_PER_SEC;
	ask(&world, &question, &asked);
	expect_address(&asked, 0, "192.0.2.1:636");
	close(deaf);
	close_world(&world);
}

static void
no_server_is_said(void **state)
{
	struct world world;

	(void)state;
	open_world(&world, SERVING_NOBODY);
	expect_failure(&world, "a.test", FAILURE_ADDRESS_NO_SERVER, "ARES_ECONNREFUSED");
	close_world(&world);
	open_world(&world, SERVING_NOBODY);
	assert_int_equal(unlink("/etc/resolv.conf"), 0);
	expect_failure(&world, "a.test", FAILURE_ADDRESS_NO_SERVER, "ARES_ECONNREFUSED");
	close_world(&world);
}

static void
running_out_of_descriptors_is_not_the_servers_fault(void **state)
{
	struct question question = question_for("a.test", FAMILY_IPV4);
	struct rlimit limit, none;
	struct world world;
	struct asked asked;

	(void)state;
	open_world(&world, SERVING_ALL);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = 0;
	start(&world, &question, &asked);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	while (asked.called == 0)
		loop_turn(world.loop, true);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_string_equal(failure_name(asked.answer.failure.code), "socket.descriptor-limit");
	assert_string_equal(asked.answer.failure.error_name, "EMFILE");
	close_world(&world);
}

/* ---- sharing and keeping -------------------------------------------------------------------------- */

static void
equal_questions_share_one(void **state)
{
	struct question question = question_for("ttl-0.test", FAMILY_IPV4);
	struct world world;
	struct asked asked[5];

	(void)state;
	open_world(&world, SERVING_ALL);
	for (size_t i = 0; i < COUNT_OF(asked); i++) {
		question.port = (uint16_t)(1000 + i);
		question.host = i % 2 ? "ttl-0.test" : "TTL-0.Test";
		start(&world, &question, &asked[i]);
	}
	for (size_t i = 0; i < COUNT_OF(asked); i++) {
		while (asked[i].called == 0)
			loop_turn(world.loop, true);
	}
	expect_address(&asked[0], 0, "192.0.2.1:1000");
	expect_address(&asked[4], 0, "192.0.2.1:1004");
	assert_int_equal(dns_questions(&world.server), 1);
	/* A TTL of 0 is for those who asked together, and kept for nobody. */
	ask(&world, &question, &asked[0]);
	assert_int_equal(dns_questions(&world.server), 2);
	close_world(&world);
}

static void
an_answer_is_kept_for_its_ttl(void **state)
{
	struct question question = question_for("ttl-1.test", FAMILY_IPV4);
	struct world world;
	struct asked asked;
	usec_t begin;

	(void)state;
	open_world(&world, SERVING_ALL);
	question.host = "a.test";
	ask(&world, &question, &asked);
	ask(&world, &question, &asked);
	expect_address(&asked, 0, "192.0.2.1:636");
	assert_true(asked.answer.ttl <= 60 * USEC_PER_SEC);
	assert_int_equal(dns_questions(&world.server), 1);
	question.fresh = true;
	ask(&world, &question, &asked);
	assert_int_equal(dns_questions(&world.server), 2);
	question.fresh = false;
	question.host = "ttl-1.test";
	ask(&world, &question, &asked);
	begin = clock_now();
	while (clock_now() < begin + USEC_PER_SEC + 1)
		usleep(10000);
	loop_turn(world.loop, false);
	ask(&world, &question, &asked);
	expect_address(&asked, 0, "192.0.2.1:636");
	assert_int_equal(dns_questions(&world.server), 4);
	close_world(&world);
}

/* Lets a second pass, after which the resolver looks at the files again. */
static void
wait_for_the_next_look(struct world *world)
{
	usec_t begin = clock_now();

	while (clock_now() < begin + USEC_PER_SEC + 1)
		usleep(10000);
	loop_turn(world->loop, false);
}

static void
changed_files_are_noticed(void **state)
{
	struct question question = question_for("a.test", FAMILY_IPV4);
	struct world world;
	struct asked asked;

	(void)state;
	open_world(&world, SERVING_ALL);
	write_resolv_conf("nameserver 127.0.0.3\n");
	ask(&world, &question, &asked);
	assert_int_equal(asked.answer.failure.code, FAILURE_ADDRESS_NO_SERVER);
	write_resolv_conf("nameserver 127.0.0.1\n");
	wait_for_the_next_look(&world);
	ask(&world, &question, &asked);
	expect_address(&asked, 0, "192.0.2.1:636");
	/* Now it is kept; but what is kept goes by other files. */
	write_hosts("198.51.100.9 a.test\n");
	wait_for_the_next_look(&world);
	ask(&world, &question, &asked);
	expect_address(&asked, 0, "198.51.100.9:636");
	close_world(&world);
}

static void
a_cancelled_query_is_silent(void **state)
{
	struct question question = question_for("ttl-0.test", FAMILY_IPV4);
	struct world world;
	struct asked cancelled[3], asked;

	(void)state;
	open_world(&world, SERVING_ALL);
	/* One before it was sent, one that others share, and one that is on the wire. */
	start(&world, &question, &cancelled[0]);
	cancelled[0].query = query_cancel(cancelled[0].query);
	loop_turn(world.loop, false);
	assert_int_equal(dns_questions(&world.server), 0);
	start(&world, &question, &cancelled[1]);
	start(&world, &question, &asked);
	cancelled[1].query = query_cancel(cancelled[1].query);
	while (asked.called == 0)
		loop_turn(world.loop, true);
	question.host = "silent.test";
	start(&world, &question, &cancelled[2]);
	while (dns_questions(&world.server) < 2)
		loop_turn(world.loop, false);
	cancelled[2].query = query_cancel(cancelled[2].query);
	question.host = "ttl-0.test";
	ask(&world, &question, &asked);
	for (size_t i = 0; i < COUNT_OF(cancelled); i++)
		assert_int_equal(cancelled[i].called, 0);
	assert_null(query_cancel(NULL));
	close_world(&world);
}

#define MANY 1000

static void
a_thousand_names_at_once_are_answered(void **state)
{
	static struct asked asked[MANY];
	struct world world;
	unsigned int answered = 0;

	(void)state;
	open_world(&world, SERVING_ALL);
	for (unsigned int i = 0; i < MANY; i++) {
		char host[32];
		struct question question = question_for(host, FAMILY_IPV4);

		snprintf(host, sizeof(host), "a-%u.test", i);
		start(&world, &question, &asked[i]);
	}
	while (answered < MANY) {
		loop_turn(world.loop, true);
		answered = 0;
		for (unsigned int i = 0; i < MANY; i++)
			answered += asked[i].called;
	}
	for (unsigned int i = 0; i < MANY; i++)
		expect_address(&asked[i], 0, "192.0.2.1:636");
	/* None was lost and had to be sent again. */
	assert_int_equal(dns_questions(&world.server), MANY);
	close_world(&world);
}

static void
a_restart_gives_the_time_again(void **state)
{
	struct question question = question_for("once-silent.test", FAMILY_IPV4);
	struct world world;
	struct asked asked, orphan;
	usec_t begin;

	(void)state;
	open_world(&world, SERVING_ALL);
	start(&world, &question, &asked);
	while (dns_questions(&world.server) < 1)
		loop_turn(world.loop, false);
	question.host = "silent.test";
	start(&world, &question, &orphan);
	while (dns_questions(&world.server) < 2)
		loop_turn(world.loop, false);
	orphan.query = query_cancel(orphan.query);
	begin = clock_now();
	resolver_restart(world.resolver);
	while (asked.called == 0)
		loop_turn(world.loop, true);
	expect_address(&asked, 0, "192.0.2.1:636");
	/* It was asked again because of the restart, not because c-ares had waited its first 2.7 s. */
	assert_true(clock_now() - begin < 2 * USEC_PER_SEC);
	assert_int_equal(dns_questions(&world.server), 3);
	close_world(&world);
}

static void
freeing_cancels_all(void **state)
{
	struct question question = question_for("silent.test", FAMILY_IPV4);
	struct world world;
	struct asked asked[3];

	(void)state;
	open_world(&world, SERVING_ALL);
	start(&world, &question, &asked[0]);
	while (dns_questions(&world.server) < 1)
		loop_turn(world.loop, false);
	question.host = "queued.test";
	start(&world, &question, &asked[1]);
	question.host = "from-hosts";
	start(&world, &question, &asked[2]);
	close_world(&world);
	for (size_t i = 0; i < COUNT_OF(asked); i++)
		assert_int_equal(asked[i].called, 0);
}

static void
cancel_the_other(void *arg, const struct resolve_answer *answer, usec_t now)
{
	struct asked *asked = arg;

	on_answer(&asked[0], answer, now);
	asked[1].query = query_cancel(asked[1].query);
}

static void
an_answer_may_cancel_another(void **state)
{
	struct question question = question_for("from-hosts", FAMILY_IPV4);
	struct world world;
	struct asked asked[2] = { 0 };

	(void)state;
	open_world(&world, SERVING_ALL);
	assert_int_equal(
		query_start(world.resolver, &question, cancel_the_other, asked, &asked[0].query), 0);
	start(&world, &question, &asked[1]);
	while (asked[0].called == 0)
		loop_turn(world.loop, true);
	loop_turn(world.loop, false);
	assert_int_equal(asked[1].called, 0);
	close_world(&world);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_has_addresses_of_the_family_asked_for),
		cmocka_unit_test(each_rcode_has_its_code),
		cmocka_unit_test(excluded_addresses_are_dropped),
		cmocka_unit_test(an_answer_holds_so_many_addresses),
		cmocka_unit_test(a_crowd_is_counted),
		cmocka_unit_test(a_truncated_answer_is_had_over_tcp),
		cmocka_unit_test(a_refused_tcp_connection_fails_no_other_name),
		cmocka_unit_test(the_shortest_ttl_counts),
		cmocka_unit_test(the_hosts_file_and_the_search_list_count),
		cmocka_unit_test(silence_is_a_timeout_within_the_time_given),
		cmocka_unit_test(noise_is_no_answer),
		cmocka_unit_test(a_lost_packet_is_sent_again),
		cmocka_unit_test(every_configured_server_is_asked),
		cmocka_unit_test(no_server_is_said),
		cmocka_unit_test(running_out_of_descriptors_is_not_the_servers_fault),
		cmocka_unit_test(equal_questions_share_one),
		cmocka_unit_test(an_answer_is_kept_for_its_ttl),
		cmocka_unit_test(changed_files_are_noticed),
		cmocka_unit_test(a_cancelled_query_is_silent),
		cmocka_unit_test(a_thousand_names_at_once_are_answered),
		cmocka_unit_test(a_restart_gives_the_time_again),
		cmocka_unit_test(freeing_cancels_all),
		cmocka_unit_test(an_answer_may_cancel_another),
	};

	return cmocka_run_group_tests(tests, enter, NULL);
}
