/* core/race: order and pacing as RFC 8305 has them. */
#include "check.h"

#include "core/race.h"

#include <arpa/inet.h>
#include <string.h>

#define NOON (1000 * USEC_PER_SEC)
#define SEC  USEC_PER_SEC
#define MSEC USEC_PER_MSEC

static struct race *
open_race(struct race *race, unsigned int targets)
{
	struct prng prng;

	prng_init(&prng, 1);
	*race = (struct race){ 0 };
	race_init(race, &(struct race_setup){ .target_count = targets }, &prng);
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

	race_add(race, target, 0, &address, now);
}

/* One of the service's addresses. */
static void
add_ranked(struct race *race, unsigned int rank, const char *ip)
{
	struct address address = place(ip);

	race_add(race, 0, rank, &address, NOON);
}

static const struct failure *
fallen(enum failure_code code, enum stage stage)
{
	static struct failure failure;

	failure_init(&failure, code, stage);
	return &failure;
}

static void
lose(struct race *race, unsigned int slot, enum failure_code code, const char *error)
{
	struct failure failure = *fallen(code, STAGE_CONNECT);

	failure_set_error(&failure, 1, error);
	race_lost(race, slot, &failure);
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
	const struct race_setup random = { .target_count = 3, .order = ORDER_RANDOM };
	unsigned int first[3] = { 0 };

	(void)state;
	for (uint64_t seed = 0; seed < 3000; seed++) {
		struct race a = { 0 }, b = { 0 };
		struct prng prng;

		prng_init(&prng, seed);
		race_init(&a, &random, &prng);
		prng_init(&prng, seed);
		race_init(&b, &random, &prng);
		assert_memory_equal(a.rank, b.rank, sizeof(a.rank));
		assert_int_equal(a.rank[0] + a.rank[1] + a.rank[2], 3);
		for (unsigned int i = 0; i < 3; i++)
			first[i] += a.rank[i] == 0;
	}
	for (unsigned int i = 0; i < 3; i++)
		assert_in_range(first[i], 850, 1150);
}

/* A name may lead to many addresses: they are several addresses, too. */
static void
the_addresses_of_one_name_are_shuffled_as_well(void **state)
{
	const struct race_setup random = { .target_count = 1, .order = ORDER_RANDOM };
	unsigned int first[3] = { 0 };

	(void)state;
	for (uint64_t seed = 0; seed < 3000; seed++) {
		static const char *const addresses[] = { "192.0.2.1", "192.0.2.2", "192.0.2.3" };
		struct race race = { 0 };
		struct prng prng;
		const char *begins;

		prng_init(&prng, seed);
		race_init(&race, &random, &prng);
		for (unsigned int i = 0; i < 3; i++)
			add(&race, 0, addresses[i], NOON);
		begins = next(&race, NOON);
		for (unsigned int i = 0; i < 3; i++)
			first[i] += strcmp(begins, addresses[i]) == 0;
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
	lose(&race, 0, FAILURE_CONNECTION_REFUSED, "ECONNREFUSED");
	assert_false(race_is_over(&race));
	assert_string_equal(next(&race, NOON + 1), "192.0.2.2");
	lose(&race, 0, FAILURE_CONNECTION_RESET_EARLY, "ECONNRESET");
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
		race_add(&race, 0, 0, &address, NOON);
	}
	for (unsigned int i = 0; i < RACE_MAX; i++, now += RACE_PACING_DELAY)
		assert_string_not_equal(next(&race, now), "");
	assert_string_equal(next(&race, now), "");
	assert_true(race_deadline(&race) == USEC_INFINITY); /* only an end can change anything */
	lose(&race, 5, FAILURE_TIMEOUT_CONNECT, "");
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
		race_add(&race, 0, 0, &address, NOON);
		race_add(&race, 0, 0, &address, NOON); /* known: neither added nor counted */
	}
	assert_int_equal(race.candidate_count, RACE_CANDIDATES_MAX);
	assert_int_equal(race.left_out, 6);
	race_leave_out(&race, 4); /* an answer had no room for these */
	assert_int_equal(race.left_out, 10);
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
	race_fail(&race, 1, fallen(FAILURE_TLS_CLOSED, STAGE_HANDSHAKE));
	assert_string_equal(next(&race, NOON + RACE_PACING_DELAY), "192.0.2.1");
	assert_true(race_ask_again(&race, &target, &family));
	assert_int_equal(target, 1);
	assert_int_equal(family, FAMILY_IPV6);
	assert_false(race_ask_again(&race, &target, &family));
	lose(&race, 0, FAILURE_CONNECTION_REFUSED, "ECONNREFUSED");
	assert_false(race_is_over(&race)); /* the question that was asked again */
	race_answered(&race, 1, FAMILY_IPV6);
	assert_true(race_is_over(&race));
}

static void
what_was_bad_lately_is_tried_last(void **state)
{
	struct address shunned;
	struct prng prng;
	struct race race;

	(void)state;
	prng_init(&prng, 1);
	open_race(&race, 2);
	shunned = place("2001:db8::1");
	race_shun(&race, &shunned, 0);
	race_init(&race, &(struct race_setup){ .target_count = 2 }, &prng); /* which keeps it */
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
	lose(&race, 0, FAILURE_CONNECTION_REFUSED, "ECONNREFUSED");
	assert_string_equal(next(&race, NOON), "192.0.2.2");
	lose(&race, 0, FAILURE_CONNECTION_HOST_UNREACHABLE, "EHOSTUNREACH");
	assert_int_equal(race_others(&race, &first, list, COUNT_OF(list)), 1);
	assert_int_equal(list[0].code, FAILURE_CONNECTION_HOST_UNREACHABLE);
	assert_string_equal(list[0].error, "EHOSTUNREACH");
	assert_int_equal(race_others(&race, &unset, list, COUNT_OF(list)), 2);
	assert_int_equal(race_others(&race, &unset, list, 1), 1);
}

static void
records_keep_their_order_and_families_take_turns_within_one(void **state)
{
	static const char *const order[] = { "[2001:db8::1]", "192.0.2.1", "[2001:db8::11]",
					     "192.0.2.2", "[2001:db8::2]" };
	struct race race;
	usec_t now = NOON;

	(void)state;
	open_race(&race, 1);
	add_ranked(&race, 1, "2001:db8::2");
	add_ranked(&race, 0, "2001:db8::1");
	add_ranked(&race, 0, "2001:db8::11");
	add_ranked(&race, 1, "192.0.2.2");
	add_ranked(&race, 3, "192.0.2.1");
	add_ranked(&race, 0, "192.0.2.1"); /* two records have it: the better one counts */
	for (size_t i = 0; i < COUNT_OF(order); i++, now += RACE_PACING_DELAY)
		assert_string_equal(next(&race, now), order[i]);
	assert_int_equal(race.candidate_count, COUNT_OF(order));
}

static void
a_worse_record_waits_for_the_other_family(void **state)
{
	struct race race;

	(void)state;
	open_race(&race, 1);
	race_expect(&race, 0, FAMILY_IPV4);
	add_ranked(&race, 1, "2001:db8::2");
	assert_string_equal(next(&race, NOON), "");
	assert_int_equal(race_deadline(&race), NOON + RESOLUTION_DELAY);
	add_ranked(&race, 0, "192.0.2.1");
	race_answered(&race, 0, FAMILY_IPV4);
	assert_string_equal(next(&race, NOON), "192.0.2.1");
}

/* A race through a proxy at two addresses, to two targets. */
static void
open_proxied(struct race *race)
{
	struct prng prng;

	prng_init(&prng, 1);
	*race = (struct race){ 0 };
	race_init(race, &(struct race_setup){ .target_count = 2, .proxied = true }, &prng);
	for (unsigned int target = 0; target < 2; target++) {
		add(race, target, "192.0.2.1", NOON);
		add(race, target, "192.0.2.2", NOON);
		add(race, target, "192.0.2.1", NOON);
	}
}

static void
behind_a_proxy_a_target_is_half_of_a_candidate(void **state)
{
	static const unsigned int targets[] = { 0, 0, 1, 1 };
	struct address first = place("192.0.2.1");
	unsigned int slot;
	struct race race;

	(void)state;
	open_proxied(&race);
	assert_int_equal(race.candidate_count, 4);
	for (unsigned int i = 0; i < 4; i++) {
		int index = race_next(&race, NOON + i * RACE_PACING_DELAY, &slot);

		assert_int_equal(index, i);
		assert_int_equal(race.candidates[index].target, targets[i]);
	}
	open_proxied(&race);
	race_shun(&race, &first, 0); /* on the way to the first target only */
	assert_int_equal(race_next(&race, NOON, &slot), 1);
	assert_int_equal(race_next(&race, NOON + RACE_PACING_DELAY, &slot), 2);
}

static void
behind_a_proxy_others_may_have_the_same_address(void **state)
{
	struct address_failure list[RACE_CANDIDATES_MAX];
	struct address first = place("192.0.2.1"), unset = { 0 };
	unsigned int slot;
	struct race race;

	(void)state;
	open_proxied(&race);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(race_next(&race, NOON + i * RACE_PACING_DELAY, &slot), i);
	assert_int_equal(race_won(&race, 0), 0);
	race_fail(&race, 0, fallen(FAILURE_PROTOCOL_PROXY_TARGET, STAGE_PROXY));
	assert_int_equal(race_next(&race, NOON + 9 * SEC, &slot), 1);
	lose(&race, slot, FAILURE_CONNECTION_REFUSED, "ECONNREFUSED");
	assert_int_equal(race_next(&race, NOON + 9 * SEC, &slot), 2);
	assert_int_equal(race_won(&race, slot), 2);
	race_fail(&race, 2, fallen(FAILURE_PROTOCOL_PROXY_DENIED, STAGE_PROXY));
	assert_int_equal(race_others(&race, &first, list, COUNT_OF(list)), 2);
	assert_int_equal(list[0].code, FAILURE_PROTOCOL_PROXY_TARGET);
	assert_int_equal(list[1].code, FAILURE_CONNECTION_REFUSED);
	assert_int_equal(race_others(&race, &unset, list, COUNT_OF(list)), 3);
}

/* ---- families --------------------------------------------------------------------------------------- */

/* What the race says once `slot` has connected at `now`, as a word. */
static const char *
said(const struct race *race, unsigned int slot, usec_t now)
{
	struct race_families families;

	race_families(race, slot, now, &families);
	if (families.winner == FAMILY_ANY)
		return "no family";
	if (!families.both)
		return "one family";
	if (!families.broken)
		return "nothing";
	return families.winner == FAMILY_IPV4 ? "6 is broken" : "4 is broken";
}

static void
a_family_that_does_not_answer_is_broken(void **state)
{
	struct race_families families;
	struct race race;

	(void)state;
	open_race(&race, 1);
	add(&race, 0, "2001:db8::1", NOON);
	assert_string_equal(next(&race, NOON), "[2001:db8::1]");
	assert_string_equal(said(&race, 0, NOON + 5), "one family");
	add(&race, 0, "192.0.2.1", NOON);
	assert_string_equal(said(&race, 0, NOON + 5), "nothing");
	assert_string_equal(next(&race, NOON + RACE_PACING_DELAY), "192.0.2.1");
	assert_string_equal(said(&race, 1, NOON + RACE_PACING_DELAY + 20 * MSEC), "6 is broken");
	/* The winner needed 100 ms: 350 ms are too little to tell, and 400 are not. */
	race.candidates[1].started_at = NOON + 250 * MSEC;
	assert_string_equal(said(&race, 1, NOON + 350 * MSEC), "nothing");
	race.candidates[1].started_at = NOON + 300 * MSEC;
	assert_string_equal(said(&race, 1, NOON + 400 * MSEC), "6 is broken");
	/* However fast the winner was, a moment proves nothing. */
	race.candidates[1].started_at = NOON + 248 * MSEC;
	assert_string_equal(said(&race, 1, NOON + 249 * MSEC), "nothing");
	race_families(&race, 1, NOON + 250 * MSEC, &families);
	assert_true(families.broken && families.last == &race.candidates[0]);
}

/* The first address fails with `code`, and then the second one connects. */
static const char *
said_of(const char *first, const char *second, enum failure_code code)
{
	struct race race;

	open_race(&race, 1);
	add(&race, 0, first, NOON);
	add(&race, 0, second, NOON);
	next(&race, NOON);
	lose(&race, 0, code, "");
	assert_string_equal(next(&race, NOON), second);
	return said(&race, 0, NOON + 1);
}

static const char *
said_after(enum failure_code code)
{
	return said_of("2001:db8::1", "192.0.2.1", code);
}

static void
nobody_at_one_loopback_address_is_no_broken_family(void **state)
{
	(void)state;
	assert_string_equal(said_of("::1", "127.0.0.1", FAILURE_CONNECTION_REFUSED), "nothing");
}

static void
a_family_that_fails_is_broken_but_not_by_this_host(void **state)
{
	(void)state;
	assert_string_equal(said_after(FAILURE_CONNECTION_REFUSED), "6 is broken");
	assert_string_equal(said_after(FAILURE_CONNECTION_HOST_UNREACHABLE), "6 is broken");
	assert_string_equal(said_after(FAILURE_TIMEOUT_CONNECT), "6 is broken");
	assert_string_equal(said_after(FAILURE_CONNECTION_NETWORK_UNREACHABLE), "nothing");
	assert_string_equal(said_after(FAILURE_SOCKET_NO_FAMILY), "nothing");
	assert_string_equal(said_after(FAILURE_CONNECTION_PROHIBITED), "nothing");
	assert_string_equal(said_after(FAILURE_LOCAL_OFFLINE), "nothing");
}

static void
one_that_may_yet_answer_leaves_it_open(void **state)
{
	struct race race;

	(void)state;
	open_race(&race, 1);
	add(&race, 0, "2001:db8::1", NOON);
	add(&race, 0, "192.0.2.1", NOON);
	add(&race, 0, "2001:db8::2", NOON);
	assert_string_equal(next(&race, NOON), "[2001:db8::1]");
	lose(&race, 0, FAILURE_CONNECTION_REFUSED, "");
	assert_string_equal(next(&race, NOON), "192.0.2.1");
	assert_string_equal(said(&race, 0, NOON + 200 * MSEC), "6 is broken"); /* ::2 was not tried */
	assert_string_equal(next(&race, NOON + 250 * MSEC), "[2001:db8::2]");
	assert_string_equal(said(&race, 0, NOON + 260 * MSEC), "nothing");
}

static void
a_later_failure_counts_too(void **state)
{
	struct race race;

	(void)state;
	open_race(&race, 1);
	add(&race, 0, "2001:db8::1", NOON);
	add(&race, 0, "192.0.2.1", NOON);
	assert_string_equal(next(&race, NOON), "[2001:db8::1]");
	assert_int_equal(race_won(&race, 0), 0);
	race_fail(&race, 0, fallen(FAILURE_TLS_CLOSED, STAGE_HANDSHAKE));
	assert_string_equal(next(&race, NOON), "192.0.2.1");
	assert_string_equal(said(&race, 0, NOON + 1), "6 is broken");
	race.proxied = true; /* then it was between the proxy and the target */
	assert_string_equal(said(&race, 0, NOON + 1), "nothing");
}

static void
a_host_that_is_down_is_no_broken_family(void **state)
{
	struct race race;

	(void)state;
	open_race(&race, 2);
	add(&race, 0, "2001:db8::1", NOON);
	add(&race, 0, "192.0.2.1", NOON);
	add(&race, 1, "2001:db8::2", NOON);
	add(&race, 1, "192.0.2.2", NOON);
	for (unsigned int i = 0; i < 2; i++) {
		assert_string_not_equal(next(&race, NOON), "");
		lose(&race, 0, FAILURE_CONNECTION_REFUSED, "");
	}
	assert_string_equal(next(&race, NOON), "[2001:db8::2]");
	assert_string_equal(said(&race, 0, NOON + 1), "nothing");
	/* But where a target has one family alone, nothing speaks for another reason. */
	open_race(&race, 2);
	add(&race, 0, "192.0.2.1", NOON);
	add(&race, 1, "2001:db8::2", NOON);
	assert_string_equal(next(&race, NOON), "192.0.2.1");
	lose(&race, 0, FAILURE_CONNECTION_REFUSED, "");
	assert_string_equal(next(&race, NOON), "[2001:db8::2]");
	assert_string_equal(said(&race, 0, NOON + 1), "4 is broken");
}

static void
a_unix_socket_is_of_no_family(void **state)
{
	struct target target;
	const char *problem;
	struct race race;

	(void)state;
	assert_int_equal(target_parse("unix:/run/x", FAMILY_ANY, &target, &problem), 0);
	open_race(&race, 2);
	add(&race, 0, "2001:db8::1", NOON);
	race_add(&race, 1, 0, &target.address, NOON);
	assert_string_equal(next(&race, NOON), "[2001:db8::1]");
	assert_string_equal(said(&race, 0, NOON), "one family");
	lose(&race, 0, FAILURE_CONNECTION_REFUSED, "");
	assert_int_equal(race_next(&race, NOON, &(unsigned int){ 0 }), 1);
	assert_string_equal(said(&race, 0, NOON), "no family");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(families_take_turns_and_ipv6_begins),
		cmocka_unit_test(targets_keep_their_order),
		cmocka_unit_test(a_random_order_is_even_and_repeatable),
		cmocka_unit_test(the_addresses_of_one_name_are_shuffled_as_well),
		cmocka_unit_test(ipv4_waits_for_ipv6_and_not_the_other_way),
		cmocka_unit_test(an_empty_answer_ends_the_wait),
		cmocka_unit_test(a_worse_target_waits_for_a_better_one),
		cmocka_unit_test(a_failure_lets_the_next_one_start),
		cmocka_unit_test(only_so_many_race_at_once),
		cmocka_unit_test(there_is_room_for_so_many_candidates),
		cmocka_unit_test(losers_are_untried_again),
		cmocka_unit_test(what_was_bad_lately_is_tried_last),
		cmocka_unit_test(others_are_those_that_failed),
		cmocka_unit_test(records_keep_their_order_and_families_take_turns_within_one),
		cmocka_unit_test(a_worse_record_waits_for_the_other_family),
		cmocka_unit_test(behind_a_proxy_a_target_is_half_of_a_candidate),
		cmocka_unit_test(behind_a_proxy_others_may_have_the_same_address),
		cmocka_unit_test(a_family_that_does_not_answer_is_broken),
		cmocka_unit_test(a_family_that_fails_is_broken_but_not_by_this_host),
		cmocka_unit_test(nobody_at_one_loopback_address_is_no_broken_family),
		cmocka_unit_test(one_that_may_yet_answer_leaves_it_open),
		cmocka_unit_test(a_later_failure_counts_too),
		cmocka_unit_test(a_host_that_is_down_is_no_broken_family),
		cmocka_unit_test(a_unix_socket_is_of_no_family),
	};

	RUN_TESTS(tests);
}
