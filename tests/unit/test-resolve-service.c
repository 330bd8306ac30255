/* sys/resolve_service: SRV records, the hosts they name, and what comes of both. */
#include "resolve-fixture.h"

#define SERVICE "_x._tcp.test"

static struct question
service_question(enum family family)
{
	return (struct question){
		.host = SERVICE, .family = family, .service = true, .seed = 42, .timeout = PATIENCE
	};
}

/* The name server has a record of SERVICE with TTL 60 and weight 1. */
static void
offer(struct world *world, unsigned int priority, unsigned int port, const char *host)
{
	dns_offer(&world->server, &(struct dns_offer){ SERVICE, 60, priority, 1, port, host });
}

static void
expect_host(const struct asked *asked, unsigned int index, const char *address, unsigned int rank)
{
	expect_address(asked, index, address);
	assert_int_equal(asked->answer.rank[index], rank);
}

static void
expect_failure(struct world *world, const char *service, enum failure_code code, const char *error)
{
	struct question question = service_question(FAMILY_IPV4);
	struct asked asked;

	question.host = service;
	ask(world, &question, &asked);
	assert_int_equal(asked.answer.count, 0);
	assert_string_equal(failure_name(asked.answer.failure.code), failure_name(code));
	assert_string_equal(asked.answer.failure.error_name, error);
}

static void
expect_evidence(const struct asked *asked, const char *text)
{
	const struct failure *failure = &asked->answer.failure;

	assert_int_equal(failure->evidence_length, strlen(text));
	assert_memory_equal(failure->evidence, text, strlen(text));
}

/* ---- answers -------------------------------------------------------------------------------------- */

static char seen_hosts[ANSWER_ADDRESSES_MAX][TARGET_HOST_MAX];

static void
keep_hosts(void *arg, const struct resolve_answer *answer, usec_t now)
{
	for (unsigned int i = 0; i < answer->count; i++)
		snprintf(seen_hosts[i], sizeof(seen_hosts[i]), "%s", answer->hosts[i]);
	on_answer(arg, answer, now);
}

static void
both_families_share_the_records(void **state)
{
	struct question question = service_question(FAMILY_IPV4);
	struct world world;
	struct asked four = { 0 }, six;

	(void)state;
	open_world(&world, SERVING_ALL);
	offer(&world, 20, 1020, "ip-2.Test.");
	offer(&world, 10, 1010, "ip-1.test");
	assert_int_equal(query_start(world.resolver, &question, keep_hosts, &four, &four.query), 0);
	question.family = FAMILY_IPV6;
	start(&world, &question, &six);
	await(&world, &four);
	await(&world, &six);
	assert_int_equal(four.answer.count, 2);
	expect_host(&four, 0, "192.0.2.1:1010", 0);
	expect_host(&four, 1, "192.0.2.2:1020", 1);
	assert_string_equal(seen_hosts[0], "ip-1.test");
	assert_string_equal(seen_hosts[1], "ip-2.test");
	expect_host(&six, 0, "[2001:db8::1]:1010", 0);
	expect_host(&six, 1, "[2001:db8::2]:1020", 1);
	assert_false(four.answer.partial);
	assert_int_equal(dns_services(&world.server), 1);
	assert_int_equal(dns_questions(&world.server), 5);
	/* All is kept. */
	ask(&world, &question, &six);
	expect_host(&six, 1, "[2001:db8::2]:1020", 1);
	assert_int_equal(dns_questions(&world.server), 5);
	question.fresh = true;
	ask(&world, &question, &six);
	assert_int_equal(dns_services(&world.server), 2);
	assert_int_equal(dns_questions(&world.server), 8);
	close_world(&world);
}

static void
the_seed_draws_among_equals(void **state)
{
	struct question question = service_question(FAMILY_IPV4);
	unsigned int first[2] = { 0 };
	struct world world;
	struct asked asked, again;

	(void)state;
	open_world(&world, SERVING_ALL);
	offer(&world, 10, 1, "ip-1.test");
	offer(&world, 10, 1, "ip-2.test");
	for (question.seed = 0; question.seed < 64; question.seed++) {
		ask(&world, &question, &asked);
		ask(&world, &question, &again);
		assert_memory_equal(asked.answer.addresses, again.answer.addresses,
				    2 * sizeof(struct address));
		first[ntohl(asked.answer.addresses[0].in.sin_addr.s_addr) - 0xc0000201]++;
	}
	assert_in_range(first[0], 10, 54);
	assert_int_equal(first[0] + first[1], 64);
	close_world(&world);
}

static void
the_least_ttl_counts(void **state)
{
	struct question question = service_question(FAMILY_IPV4);
	struct world world;
	struct asked asked;

	(void)state;
	open_world(&world, SERVING_ALL);
	dns_offer(&world.server, &(struct dns_offer){ SERVICE, 300, 1, 1, 1, "ip-1.test" });
	dns_offer(&world.server, &(struct dns_offer){ SERVICE, 300, 2, 1, 1, "ttl-7.test" });
	dns_offer(&world.server, &(struct dns_offer){ "_short.test", 5, 2, 1, 1, "ip-1.test" });
	ask(&world, &question, &asked);
	assert_true(asked.answer.ttl == 7 * USEC_PER_SEC);
	question.host = "_short.test";
	question.fresh = true;
	ask(&world, &question, &asked);
	assert_true(asked.answer.ttl == 5 * USEC_PER_SEC);
	close_world(&world);
}

static void
every_host_gets_its_share_of_an_answer(void **state)
{
	struct question question = service_question(FAMILY_IPV4);
	struct world world;
	struct asked asked;

	(void)state;
	open_world(&world, SERVING_ALL);
	offer(&world, 1, 1, "many-20.test");
	offer(&world, 2, 2, "ip-7.test");
	offer(&world, 3, 1, "many-3.test"); /* the same addresses and port as of the first */
	offer(&world, 4, 4, "many-30.test");
	ask(&world, &question, &asked);
	assert_false(asked.answer.partial);
	/* 4 places each: what "ip-7" and "many-3" do not need goes to the first. */
	assert_int_equal(asked.answer.count, 16 - 3);
	expect_host(&asked, 0, "10.0.0.1:1", 0);
	expect_host(&asked, 7, "10.0.0.8:1", 0);
	expect_host(&asked, 8, "192.0.2.7:2", 1);
	expect_host(&asked, 9, "10.0.0.1:4", 3);
	expect_host(&asked, 12, "10.0.0.4:4", 3);
	expect_rest(&asked, 12 + 26, "10.0.0.30:4");
	assert_int_equal(asked.answer.left_out, 12 + 26);
	close_world(&world);
}

static void
so_many_hosts_are_asked_for(void **state)
{
	struct question question = service_question(FAMILY_IPV4);
	char hosts[RESOLVE_SERVICE_HOSTS_MAX + 2][16];
	struct world world;
	struct asked asked;

	(void)state;
	open_world(&world, SERVING_ALL);
	for (unsigned int i = 0; i < COUNT_OF(hosts); i++) {
		snprintf(hosts[i], sizeof(hosts[i]), "ip-%u.test", 100 - i);
		offer(&world, 100 - i, 1, hosts[i]);
	}
	ask(&world, &question, &asked);
	assert_int_equal(asked.answer.count, RESOLVE_SERVICE_HOSTS_MAX);
	assert_true(asked.answer.partial);
	expect_host(&asked, 0, "192.0.2.91:1", 0);
	expect_host(&asked, 7, "192.0.2.98:1", 7);
	assert_int_equal(dns_questions(&world.server), 1 + RESOLVE_SERVICE_HOSTS_MAX);
	close_world(&world);
}

static void
the_search_list_has_no_say(void **state)
{
	struct question question = service_question(FAMILY_IPV4);
	struct world world;
	struct asked asked;

	(void)state;
	open_world(&world, SERVING_ALL);
	offer(&world, 1, 1, "short");
	expect_failure(&world, "_x._tcp", FAILURE_ADDRESS_NXDOMAIN, "ARES_ENOTFOUND");
	assert_int_equal(dns_questions(&world.server), 1);
	ask(&world, &question, &asked);
	assert_int_equal(asked.answer.failure.code, FAILURE_ADDRESS_NXDOMAIN);
	assert_int_equal(dns_questions(&world.server), 3);
	close_world(&world);
}

/* ---- no answers ----------------------------------------------------------------------------------- */

static void
each_failure_of_the_records_has_its_code(void **state)
{
	struct world world;

	(void)state;
	open_world(&world, SERVING_ALL);
	expect_failure(&world, "_nx._tcp.test", FAILURE_ADDRESS_NXDOMAIN, "ARES_ENOTFOUND");
	expect_failure(&world, "_nodata._tcp.test", FAILURE_ADDRESS_NO_DATA, "ARES_ENODATA");
	expect_failure(&world, "_servfail._tcp.test", FAILURE_ADDRESS_SERVFAIL, "ARES_ESERVFAIL");
	expect_failure(&world, "_refused._tcp.test", FAILURE_ADDRESS_REFUSED, "ARES_EREFUSED");
	expect_failure(&world, "_notimp._tcp.test", FAILURE_ADDRESS_BAD_REPLY, "ARES_ENOTIMP");
	expect_failure(&world, "_broken._tcp.test", FAILURE_ADDRESS_BAD_REPLY, "ARES_EBADRESP");
	close_world(&world);
	open_world(&world, SERVING_NOBODY);
	expect_failure(&world, SERVICE, FAILURE_ADDRESS_NO_SERVER, "ARES_ECONNREFUSED");
	close_world(&world);
}

static void
a_service_that_is_not_offered_says_so(void **state)
{
	struct question question = service_question(FAMILY_IPV4);
	struct world world;
	struct asked asked;

	(void)state;
	open_world(&world, SERVING_ALL);
	offer(&world, 0, 0, ".");
	ask(&world, &question, &asked);
	assert_int_equal(asked.answer.failure.code, FAILURE_ADDRESS_NO_DATA);
	expect_evidence(&asked, "an SRV record says that the service is not offered");
	dns_offer(&world.server, &(struct dns_offer){ "_zero.test", 60, 1, 1, 0, "ip-1.test" });
	question.host = "_zero.test";
	ask(&world, &question, &asked);
	assert_int_equal(asked.answer.failure.code, FAILURE_ADDRESS_NO_DATA);
	expect_evidence(&asked, "every SRV record has port 0");
	dns_offer(&world.server, &(struct dns_offer){ "_odd.test", 60, 1, 1, 1, "not a host" });
	question.host = "_odd.test";
	ask(&world, &question, &asked);
	assert_int_equal(asked.answer.failure.code, FAILURE_ADDRESS_BAD_REPLY);
	expect_evidence(&asked, "the target of every SRV record is no host name");
	close_world(&world);
}

static void
the_most_telling_failure_of_the_hosts_counts(void **state)
{
	struct question question = service_question(FAMILY_IPV4);
	struct world world;
	struct asked asked;

	(void)state;
	open_world(&world, SERVING_ALL);
	offer(&world, 1, 1, "six-1.test");
	ask(&world, &question, &asked);
	assert_int_equal(asked.answer.failure.code, FAILURE_ADDRESS_NO_DATA);
	expect_evidence(&asked, "SRV host six-1.test");
	offer(&world, 2, 1, "nx.test");
	question.fresh = true;
	ask(&world, &question, &asked);
	assert_int_equal(asked.answer.failure.code, FAILURE_ADDRESS_NXDOMAIN);
	expect_evidence(&asked, "SRV host nx.test");
	assert_string_equal(asked.answer.failure.error_name, "ARES_ENOTFOUND");
	offer(&world, 3, 1, "servfail.test");
	ask(&world, &question, &asked);
	assert_int_equal(asked.answer.failure.code, FAILURE_ADDRESS_SERVFAIL);
	offer(&world, 4, 1, "refused.test");
	ask(&world, &question, &asked);
	assert_int_equal(asked.answer.failure.code, FAILURE_ADDRESS_REFUSED);
	/* And none of them counts where one host has an address. */
	offer(&world, 5, 1, "ip-5.test");
	ask(&world, &question, &asked);
	assert_int_equal(asked.answer.count, 1);
	assert_true(asked.answer.partial);
	expect_host(&asked, 0, "192.0.2.5:1", 4);
	close_world(&world);
}

/* ---- slow hosts ----------------------------------------------------------------------------------- */

/* Asks; at least `least`, and less than `less`, pass until the answer. */
static void
ask_within(struct world *world, struct asked *asked, usec_t least, usec_t less)
{
	struct question question = service_question(FAMILY_IPV4);
	usec_t begun = clock_now(), took;

	ask(world, &question, asked);
	took = clock_now() - begun;
	assert_true(took >= least);
	assert_true(took < less);
}

static void
a_silent_spare_holds_nobody_back(void **state)
{
	struct world world;
	struct asked asked;

	(void)state;
	open_world(&world, SERVING_ALL);
	offer(&world, 1, 1, "ip-1.test");
	offer(&world, 2, 2, "silent.test");
	ask_within(&world, &asked, RESOLVE_SPARES_GRACE, PATIENCE / 2);
	assert_int_equal(asked.answer.count, 1);
	assert_true(asked.answer.partial);
	expect_host(&asked, 0, "192.0.2.1:1", 0);
	close_world(&world);
}

static void
an_answer_does_not_prolong_the_grace(void **state)
{
	static const char *const spares[] = { "slow-150.test", "slow-300.test", "slow-450.test",
					      "slow-600.test", "slow-750.test", "slow-900.test",
					      "slow-1050.test" };
	struct world world;
	struct asked asked;

	(void)state;
	open_world(&world, SERVING_ALL);
	offer(&world, 1, 1, "ip-1.test");
	for (unsigned int i = 0; i < COUNT_OF(spares); i++)
		offer(&world, 2, 2 + i, spares[i]);
	ask_within(&world, &asked, 0, PATIENCE / 2);
	assert_in_range(asked.answer.count, 1, COUNT_OF(spares));
	close_world(&world);
}

static void
a_silent_first_host_is_waited_for_longer(void **state)
{
	struct world world;
	struct asked asked;

	(void)state;
	open_world(&world, SERVING_ALL);
	offer(&world, 1, 1, "silent.test");
	offer(&world, 2, 2, "ip-2.test");
	ask_within(&world, &asked, RESOLVE_BETTER_GRACE, PATIENCE / 2);
	assert_int_equal(asked.answer.count, 1);
	expect_host(&asked, 0, "192.0.2.2:2", 1);
	close_world(&world);
}

static void
a_slow_first_host_still_comes_first(void **state)
{
	struct world world;
	struct asked asked;

	(void)state;
	open_world(&world, SERVING_ALL);
	offer(&world, 1, 1, "slow-300.test");
	offer(&world, 2, 2, "ip-2.test");
	ask_within(&world, &asked, 300 * USEC_PER_MSEC, PATIENCE / 2);
	assert_int_equal(asked.answer.count, 2);
	assert_false(asked.answer.partial);
	expect_host(&asked, 0, "192.0.2.9:1", 0);
	expect_host(&asked, 1, "192.0.2.2:2", 1);
	close_world(&world);
}

static void
slow_hosts_alone_are_waited_for(void **state)
{
	struct world world;
	struct asked asked;

	(void)state;
	open_world(&world, SERVING_ALL);
	offer(&world, 1, 1, "nx.test");
	offer(&world, 2, 2, "slow-500.test");
	ask_within(&world, &asked, 500 * USEC_PER_MSEC, PATIENCE / 2);
	assert_int_equal(asked.answer.count, 1);
	assert_false(asked.answer.partial);
	expect_host(&asked, 0, "192.0.2.9:2", 1);
	close_world(&world);
}

/* The records alone take much of the asker's time: what has an address is answered before he gives up. */
static void
slow_records_shorten_the_grace(void **state)
{
	struct question question = service_question(FAMILY_IPV4);
	struct world world;
	struct asked asked;
	usec_t begun;

	(void)state;
	open_world(&world, SERVING_ALL);
	question.host = "_twice-silent._tcp.test";
	question.timeout = USEC_PER_SEC;
	dns_offer(&world.server, &(struct dns_offer){ question.host, 60, 1, 1, 1, "silent.test" });
	dns_offer(&world.server, &(struct dns_offer){ question.host, 60, 2, 1, 2, "ip-2.test" });
	begun = clock_now();
	ask(&world, &question, &asked);
	assert_int_equal(dns_services(&world.server), 3);
	/* The silent host would be given up, or the grace be over, after 1.3 s and more. */
	assert_true(clock_now() - begun < 1300 * USEC_PER_MSEC);
	assert_int_equal(asked.answer.count, 1);
	expect_host(&asked, 0, "192.0.2.2:2", 1);
	close_world(&world);
}

/* ---- the end -------------------------------------------------------------------------------------- */

static void
a_cancelled_service_is_silent(void **state)
{
	struct question question = service_question(FAMILY_IPV4);
	struct world world;
	struct asked early, late, asked;

	(void)state;
	open_world(&world, SERVING_ALL);
	offer(&world, 1, 1, "ip-1.test");
	offer(&world, 2, 2, "silent.test");
	start(&world, &question, &early);
	early.query = query_cancel(early.query);
	loop_turn(world.loop, false);
	assert_int_equal(dns_questions(&world.server), 0);
	/* While its hosts are asked for; the other family goes on. */
	start(&world, &question, &late);
	question.family = FAMILY_IPV6;
	start(&world, &question, &asked);
	while (dns_questions(&world.server) < 5)
		loop_turn(world.loop, false);
	late.query = query_cancel(late.query);
	await(&world, &asked);
	expect_host(&asked, 0, "[2001:db8::1]:1", 0);
	assert_int_equal(early.called + late.called, 0);
	close_world(&world);
}

static void
freeing_cancels_services(void **state)
{
	struct question question = service_question(FAMILY_IPV4);
	struct world world;
	struct asked asked[3];

	(void)state;
	open_world(&world, SERVING_ALL);
	offer(&world, 1, 1, "ip-1.test");
	offer(&world, 2, 2, "silent.test");
	start(&world, &question, &asked[0]);
	question.host = "_silent.test";
	start(&world, &question, &asked[1]);
	while (dns_questions(&world.server) < 4)
		loop_turn(world.loop, false);
	start(&world, &question, &asked[2]);
	close_world(&world);
	for (size_t i = 0; i < COUNT_OF(asked); i++)
		assert_int_equal(asked[i].called, 0);
}

static void
on_late(void *arg, usec_t late, usec_t now)
{
	(void)late;
	(void)now;
	resolver_restart(arg);
}

/* The process is held up until the grace is long over: it begins anew, and so do the questions. */
static void
a_stall_gives_the_grace_again(void **state)
{
	struct question question = service_question(FAMILY_IPV4);
	struct world world;
	struct asked asked;
	usec_t begun;

	(void)state;
	open_world(&world, SERVING_ALL);
	loop_on_late(world.loop, RESOLVE_SPARES_GRACE / 2, on_late, world.resolver);
	offer(&world, 1, 1, "ip-1.test");
	offer(&world, 2, 2, "once-silent.test");
	start(&world, &question, &asked);
	while (dns_questions(&world.server) < 3)
		loop_turn(world.loop, false);
	begun = clock_now();
	while (clock_now() < begun + RESOLVE_SPARES_GRACE / 10)
		loop_turn(world.loop, false); /* the first host's address comes */
	begun = clock_now();
	while (clock_now() < begun + 2 * RESOLVE_SPARES_GRACE)
		usleep(1000);
	await(&world, &asked);
	assert_int_equal(asked.answer.count, 2);
	close_world(&world);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_families_share_the_records),
		cmocka_unit_test(the_seed_draws_among_equals),
		cmocka_unit_test(the_least_ttl_counts),
		cmocka_unit_test(every_host_gets_its_share_of_an_answer),
		cmocka_unit_test(so_many_hosts_are_asked_for),
		cmocka_unit_test(the_search_list_has_no_say),
		cmocka_unit_test(each_failure_of_the_records_has_its_code),
		cmocka_unit_test(a_service_that_is_not_offered_says_so),
		cmocka_unit_test(the_most_telling_failure_of_the_hosts_counts),
		cmocka_unit_test(a_silent_spare_holds_nobody_back),
		cmocka_unit_test(an_answer_does_not_prolong_the_grace),
		cmocka_unit_test(a_silent_first_host_is_waited_for_longer),
		cmocka_unit_test(a_slow_first_host_still_comes_first),
		cmocka_unit_test(slow_hosts_alone_are_waited_for),
		cmocka_unit_test(slow_records_shorten_the_grace),
		cmocka_unit_test(a_cancelled_service_is_silent),
		cmocka_unit_test(freeing_cancels_services),
		cmocka_unit_test(a_stall_gives_the_grace_again),
	};

	return cmocka_run_group_tests(tests, enter, NULL);
}
