/* core/race: order and pacing as RFC 8305 has them. */
#include "check.h"

#include "core/race.h"

#include <arpa/inet.h>
#include <string.h>

#define NOON (1000 * USEC_PER_SEC)

static struct race *
open_race(struct race *race, unsigned int targets)
{
	struct prng prng;

	prng_init(&prng, 1);
	*race = (struct race){ 0 };
	race_init(race, targets, ORDER_LISTED, &prng);
	return race;
}

static struct address
place(const char *ip)
{
	struct address address;
	struct in6_addr ipv6;
	struct in_addr ipv4;

	if (inet_pton(AF_INET, ip, &ipv4) == 1) {
		address_from_ip(AF_INET, &ipv4, 443, &address);
	} else {
		assert_int_equal(inet_pton(AF_INET6, ip, &ipv6), 1);
		address_from_ip(AF_INET6, &ipv6, 443, &address);
	}
	return address;
}

static void
add(struct race *race, unsigned int target, const char *ip, usec_t now)
{
	struct address address = place(ip);

	race_add(race, target, &address, now);
}

/* Who starts at `now`, as text; "" for nobody. */
static const char *
next(struct race *race, usec_t now)
{
	static char buffer[ADDRESS_TEXT_MAX];
	unsigned int slot = RACE_MAX;
	int index = race_next(race, now, &slot);

	buffer[0] = '\0';
	if (index < 0) {
		assert_int_equal(slot, RACE_MAX);
		return buffer;
	}
	assert_int_equal(race->slot[slot], index);
	assert_int_equal(race->candidates[index].started_at, now);
	address_format(&race->candidates[index].address, buffer, sizeof(buffer));
	*strrchr(buffer, ':') = '\0';
	return buffer;
}

static void
families_take_turns_and_ipv6_begins(void **state)
{
	static const char *const order[] = { "[2001:db8::1]", "192.0.2.1", "[2001:db8::2]",
					     "192.0.2.2", "192.0.2.3" };
	struct race race;
	usec_t now = NOON;

	(void)state;
	open_race(&race, 1);
	for (int i = 1; i <= 3; i++)
		add(&race, 0, i == 1 ? "192.0.2.1" : i == 2 ? "192.0.2.2" : "192.0.2.3", NOON);
	add(&race, 0, "2001:db8::1", NOON);
	add(&race, 0, "2001:db8::2", NOON);
	for (size_t i = 0; i < COUNT_OF(order); i++) {
		assert_string_equal(next(&race, now), order[i]);
		assert_string_equal(next(&race, now), "");
		if (i + 1 < COUNT_OF(order))
			assert_int_equal(race_deadline(&race), now + RACE_PACING_DELAY);
		now += RACE_PACING_DELAY;
	}
	assert_true(race_deadline(&race) == USEC_INFINITY);
}

static void
targets_keep_their_order(void **state)
{
	struct race race;

	(void)state;
	open_race(&race, 2);
	add(&race, 1, "2001:db8::9", NOON);
	add(&race, 0, "192.0.2.1", NOON);
	add(&race, 0, "192.0.2.2", NOON);
	assert_string_equal(next(&race, NOON), "192.0.2.1");
	assert_string_equal(next(&race, NOON + RACE_PACING_DELAY), "192.0.2.2");
	assert_string_equal(next(&race, NOON + 2 * RACE_PACING_DELAY), "[2001:db8::9]");
}

static void
a_random_order_is_even_and_repeatable(void **state)
{
	unsigned int first[3] = { 0 };

	(void)state;
	for (uint64_t seed = 0; seed < 3000; seed++) {
		struct race a = { 0 }, b = { 0 };
		struct prng prng;

		prng_init(&prng, seed);
		race_init(&a, 3, ORDER_RANDOM, &prng);
		prng_init(&prng, seed);
		race_init(&b, 3, ORDER_RANDOM, &prng);
		assert_memory_equal(a.rank, b.rank, sizeof(a.rank));
		assert_int_equal(a.rank[0] + a.rank[1] + a.rank[2], 3);
		for (unsigned int i = 0; i < 3; i++)
			first[i] += a.rank[i] == 0;
	}
	for (unsigned int i = 0; i < 3; i++)
		assert_in_range(first[i], 850, 1150);
}

/* RFC 8305, section 3: A waits for AAAA, but not long; AAAA does not wait for A. */
static void
ipv4_waits_for_ipv6_and_not_the_other_way(void **state)
{
	struct race race;

	(void)state;
	open_race(&race, 1);
	race_expect(&race, 0, FAMILY_IPV4);
	race_expect(&race, 0, FAMILY_IPV6);
	add(&race, 0, "192.0.2.1", NOON);
	race_answered(&race, 0, FAMILY_IPV4);
	assert_string_equal(next(&race, NOON), "");
	assert_int_equal(race_deadline(&race), NOON + RESOLUTION_DELAY);
	assert_string_equal(next(&race, NOON + RESOLUTION_DELAY - 1), "");
	assert_string_equal(next(&race, NOON + RESOLUTION_DELAY), "192.0.2.1");

	open_race(&race, 1);
	race_expect(&race, 0, FAMILY_IPV4);
	race_expect(&race, 0, FAMILY_IPV6);
	add(&race, 0, "2001:db8::1", NOON);
	race_answered(&race, 0, FAMILY_IPV6);
	assert_string_equal(next(&race, NOON), "[2001:db8::1]");
}

static void
an_empty_answer_ends_the_wait(void **state)
{
	struct race race;

	(void)state;
	open_race(&race, 1);
	race_expect(&race, 0, FAMILY_IPV4);
	race_expect(&race, 0, FAMILY_IPV6);
	add(&race, 0, "192.0.2.1", NOON);
	race_answered(&race, 0, FAMILY_IPV4);
	race_answered(&race, 0, FAMILY_IPV6);
	assert_string_equal(next(&race, NOON), "192.0.2.1");
}

static void
a_worse_target_waits_for_a_better_one(void **state)
{
	struct race race;

	(void)state;
	open_race(&race, 2);
	race_expect(&race, 0, FAMILY_IPV4);
	add(&race, 1, "2001:db8::1", NOON);
	assert_string_equal(next(&race, NOON), "");
	assert_string_equal(next(&race, NOON + RESOLUTION_DELAY), "[2001:db8::1]");

	open_race(&race, 2);
	race_expect(&race, 1, FAMILY_IPV6); /* a worse one is not waited for */
	add(&race, 0, "192.0.2.1", NOON);
	assert_string_equal(next(&race, NOON), "192.0.2.1");
}

static void
a_failure_lets_the_next_one_start(void **state)
{
	struct race race;

	(void)state;
	open_race(&race, 1);
	add(&race, 0, "192.0.2.1", NOON);
	add(&race, 0, "192.0.2.2", NOON);
	assert_string_equal(next(&race, NOON), "192.0.2.1");
	assert_string_equal(next(&race, NOON + 1), "");
	race_lost(&race, 0, FAILURE_CONNECTION_REFUSED, "ECONNREFUSED");
	assert_false(race_is_over(&race));
	assert_string_equal(next(&race, NOON + 1), "192.0.2.2");
	race_lost(&race, 0, FAILURE_CONNECTION_RESET_EARLY, "ECONNRESET");
	assert_true(race_is_over(&race));
	assert_false(race_has_untried(&race));
}

static void
only_so_many_race_at_once(void **state)
{
	struct race race;
	usec_t now = NOON;

	(void)state;
	open_race(&race, 1);
	for (unsigned int i = 1; i <= RACE_MAX + 1; i++) {
		unsigned char ip[4] = { 192, 0, 2, (unsigned char)i };
		struct address address;

		address_from_ip(AF_INET, ip, 443, &address);
		race_add(&race, 0, &address, NOON);
	}
	for (unsigned int i = 0; i < RACE_MAX; i++, now += RACE_PACING_DELAY)
		assert_string_not_equal(next(&race, now), "");
	assert_string_equal(next(&race, now), "");
	assert_true(race_deadline(&race) == USEC_INFINITY); /* only an end can change anything */
	race_lost(&race, 5, FAILURE_TIMEOUT_CONNECT, "");
	assert_string_equal(next(&race, now), "192.0.2.9");
	assert_int_equal(race.candidates[8].slot, 5);
}

static void
there_is_room_for_so_many_candidates(void **state)
{
	struct race race;

	(void)state;
	open_race(&race, 1);
	for (unsigned int i = 0; i < RACE_CANDIDATES_MAX + 3; i++) {
		unsigned char ip[4] = { 192, 0, 2, (unsigned char)i };
		struct address address;

		address_from_ip(AF_INET, ip, 443, &address);
		race_add(&race, 0, &address, NOON);
		race_add(&race, 0, &address, NOON); /* known: neither added nor counted */
	}
	assert_int_equal(race.candidate_count, RACE_CANDIDATES_MAX);
	assert_int_equal(race.left_out, 6);
}

static void
losers_are_untried_again(void **state)
{
	unsigned int target;
	enum family family;
	struct race race;

	(void)state;
	open_race(&race, 2);
	race_expect(&race, 1, FAMILY_IPV6);
	add(&race, 0, "192.0.2.1", NOON);
	add(&race, 0, "192.0.2.2", NOON);
	assert_string_equal(next(&race, NOON), "192.0.2.1");
	assert_string_equal(next(&race, NOON + RACE_PACING_DELAY), "192.0.2.2");
	assert_int_equal(race_won(&race, 1), 1);
	assert_int_equal(race.pending, 0);
	assert_true(race_has_untried(&race));
	race_fail(&race, 1, FAILURE_TLS_CLOSED, "");
	assert_string_equal(next(&race, NOON + RACE_PACING_DELAY), "192.0.2.1");
	assert_true(race_ask_again(&race, &target, &family));
	assert_int_equal(target, 1);
	assert_int_equal(family, FAMILY_IPV6);
	assert_false(race_ask_again(&race, &target, &family));
	race_lost(&race, 0, FAILURE_CONNECTION_REFUSED, "ECONNREFUSED");
	assert_false(race_is_over(&race)); /* the question that was asked again */
	race_answered(&race, 1, FAMILY_IPV6);
	assert_true(race_is_over(&race));
}

static void
what_was_bad_lately_is_tried_last(void **state)
{
	struct prng prng;
	struct race race;

	(void)state;
	prng_init(&prng, 1);
	open_race(&race, 2);
	race.shunned = place("2001:db8::1");
	race_init(&race, 2, ORDER_LISTED, &prng); /* which keeps it */
	add(&race, 0, "2001:db8::1", NOON);
	add(&race, 0, "192.0.2.1", NOON);
	add(&race, 1, "192.0.2.2", NOON);
	assert_string_equal(next(&race, NOON), "192.0.2.1");
	assert_string_equal(next(&race, NOON + RACE_PACING_DELAY), "192.0.2.2");
	assert_string_equal(next(&race, NOON + 2 * RACE_PACING_DELAY), "[2001:db8::1]");
}

static void
others_are_those_that_failed(void **state)
{
	struct address_failure list[RACE_CANDIDATES_MAX];
	struct address first = place("192.0.2.1"), unset = { 0 };
	struct race race;

	(void)state;
	open_race(&race, 1);
	add(&race, 0, "192.0.2.1", NOON);
	add(&race, 0, "192.0.2.2", NOON);
	add(&race, 0, "192.0.2.3", NOON);
	assert_string_equal(next(&race, NOON), "192.0.2.1");
	race_lost(&race, 0, FAILURE_CONNECTION_REFUSED, "ECONNREFUSED");
	assert_string_equal(next(&race, NOON), "192.0.2.2");
	race_lost(&race, 0, FAILURE_CONNECTION_HOST_UNREACHABLE, "EHOSTUNREACH");
	assert_int_equal(race_others(&race, &first, list, COUNT_OF(list)), 1);
	assert_int_equal(list[0].code, FAILURE_CONNECTION_HOST_UNREACHABLE);
	assert_string_equal(list[0].error, "EHOSTUNREACH");
	assert_int_equal(race_others(&race, &unset, list, COUNT_OF(list)), 2);
	assert_int_equal(race_others(&race, &unset, list, 1), 1);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(families_take_turns_and_ipv6_begins),
		cmocka_unit_test(targets_keep_their_order),
		cmocka_unit_test(a_random_order_is_even_and_repeatable),
		cmocka_unit_test(ipv4_waits_for_ipv6_and_not_the_other_way),
		cmocka_unit_test(an_empty_answer_ends_the_wait),
		cmocka_unit_test(a_worse_target_waits_for_a_better_one),
		cmocka_unit_test(a_failure_lets_the_next_one_start),
		cmocka_unit_test(only_so_many_race_at_once),
		cmocka_unit_test(there_is_room_for_so_many_candidates),
		cmocka_unit_test(losers_are_untried_again),
		cmocka_unit_test(what_was_bad_lately_is_tried_last),
		cmocka_unit_test(others_are_those_that_failed),
	};

	RUN_TESTS(tests);
}
