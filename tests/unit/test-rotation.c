/* core/rotation: when an address that answers lack is gone, and what is mere rotation. */
#include "check.h"

#include "base/prng.h"
#include "core/policy.h"
#include "core/rotation.h"

#include <arpa/inet.h>
#include <netinet/in.h>

static struct address
address_number(unsigned int number)
{
	struct in_addr in = { htonl(0xc0000200 + number) };
	struct address address;

	address_from_ip(AF_INET, &in, 636, &address);
	return address;
}

/* An answer with the addresses whose bits are set. */
static void
answer(struct rotation *rotation, unsigned int bits)
{
	for (unsigned int i = 0; i < 32; i++) {
		const struct address address = address_number(i);

		if (bits & 1u << i)
			rotation_hear(rotation, &address);
	}
	rotation_end(rotation, true);
}

static void
what_several_equal_answers_lack_is_gone(void **state)
{
	struct rotation rotation;

	(void)state;
	rotation_init(&rotation);
	answer(&rotation, 3);
	for (unsigned int lacking = 1; lacking <= ADDRESS_GONE_ANSWERS; lacking++) {
		answer(&rotation, 2);
		assert_int_equal(rotation_is_gone(&rotation, lacking), lacking == ADDRESS_GONE_ANSWERS);
	}
}

/* The first answer that is heard may lack it already. */
static void
what_was_never_there_is_gone_as_soon(void **state)
{
	struct rotation rotation;

	(void)state;
	rotation_init(&rotation);
	for (unsigned int lacking = 1; lacking <= ADDRESS_GONE_ANSWERS; lacking++) {
		answer(&rotation, 2);
		assert_int_equal(rotation_is_gone(&rotation, lacking), lacking == ADDRESS_GONE_ANSWERS);
	}
}

static void
the_order_makes_no_difference(void **state)
{
	const struct address one = address_number(1), two = address_number(2);
	struct rotation rotation;

	(void)state;
	rotation_init(&rotation);
	for (unsigned int i = 0; i < ADDRESS_GONE_ANSWERS; i++) {
		rotation_hear(&rotation, i % 2 ? &one : &two);
		rotation_hear(&rotation, i % 2 ? &two : &one);
		rotation_end(&rotation, true);
	}
	assert_true(rotation_is_gone(&rotation, ADDRESS_GONE_ANSWERS));
}

static void
what_is_not_whole_counts_for_nothing(void **state)
{
	const struct address other = address_number(9);
	struct rotation rotation;

	(void)state;
	rotation_init(&rotation);
	for (unsigned int i = 0; i < ADDRESS_GONE_ANSWERS; i++) {
		rotation_hear(&rotation, &other);
		rotation_end(&rotation, false);
		answer(&rotation, 2);
	}
	assert_true(rotation_is_gone(&rotation, ADDRESS_GONE_ANSWERS));
}

static void
while_answers_keep_differing_nothing_is_gone(void **state)
{
	struct rotation rotation;

	(void)state;
	rotation_init(&rotation);
	for (unsigned int i = 1; i < 1000; i++) {
		answer(&rotation, 1 + i % 7);
		assert_false(rotation_is_gone(&rotation, i));
	}
}

/* One of two at random: a run of the same looks like calm, but not for long. */
static void
random_answers_move_hardly_anybody(void **state)
{
	unsigned int moves = 0;

	(void)state;
	for (uint64_t seed = 0; seed < 100; seed++) {
		unsigned int at = 1, lacking = 0;
		struct rotation rotation;
		struct prng prng;

		prng_init(&prng, seed);
		rotation_init(&rotation);
		for (unsigned int i = 0; i < 10000; i++) {
			unsigned int bits = 1 + (unsigned int)prng_below(&prng, 2);

			answer(&rotation, bits);
			lacking = bits == at ? 0 : lacking + 1;
			if (!rotation_is_gone(&rotation, lacking))
				continue;
			moves++;
			at = bits;
			lacking = 0;
		}
	}
	assert_true(moves <= 100);
}

static void
a_name_that_has_calmed_down_is_trusted_again(void **state)
{
	struct rotation rotation;

	(void)state;
	rotation_init(&rotation);
	for (unsigned int i = 0; i < 100; i++)
		answer(&rotation, 1 + i % 2);
	for (unsigned int i = 1; i < ADDRESS_CALM_ANSWERS; i++) {
		answer(&rotation, 4);
		assert_false(rotation_is_gone(&rotation, i));
	}
	answer(&rotation, 4);
	assert_true(rotation_is_gone(&rotation, ADDRESS_CALM_ANSWERS));
	for (unsigned int lacking = 1; lacking <= ADDRESS_GONE_ANSWERS; lacking++)
		answer(&rotation, 8);
	assert_true(rotation_is_gone(&rotation, ADDRESS_GONE_ANSWERS));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_several_equal_answers_lack_is_gone),
		cmocka_unit_test(what_was_never_there_is_gone_as_soon),
		cmocka_unit_test(the_order_makes_no_difference),
		cmocka_unit_test(what_is_not_whole_counts_for_nothing),
		cmocka_unit_test(while_answers_keep_differing_nothing_is_gone),
		cmocka_unit_test(random_answers_move_hardly_anybody),
		cmocka_unit_test(a_name_that_has_calmed_down_is_trusted_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
