/* core/upstream: what is configured, and the verdict over its links. */
#include "check.h"

#include "core/upstream.h"

#include <string.h>

static void
it_lives_as_long_as_somebody_holds_it(void **state)
{
	_cleanup_(upstream_unrefp) struct upstream *upstream = upstream_new("ldap", 2);
	struct upstream *same = upstream_ref(upstream);

	(void)state;
	assert_true(same == upstream);
	assert_string_equal(upstream->name, "ldap");
	assert_int_equal(upstream->target_count, 2);
	assert_int_equal(upstream->targets[1].port, 0);
	assert_null(upstream_unref(same));
	assert_string_equal(upstream->name, "ldap");
	assert_null(upstream_ref(NULL));
	assert_null(upstream_unref(NULL));
}

static void
what_is_kept_lives_with_it(void **state)
{
	_cleanup_(upstream_unrefp) struct upstream *upstream = upstream_new("ldap", 1);
	unsigned char pin[2][32] = { { 1 }, { 2 } };
	char text[] = "ca.pem";
	const char *kept;
	void *empty;

	(void)state;
	kept = upstream_keep(upstream, text, sizeof(text));
	upstream->policy.tls.pins = upstream_keep(upstream, pin, sizeof(pin));
	empty = upstream_keep(upstream, NULL, 0);
	text[0] = 'x';
	assert_string_equal(kept, "ca.pem");
	assert_int_equal(upstream->policy.tls.pins[1][0], 2);
	assert_non_null(empty);
	assert_int_equal((uintptr_t)kept % _Alignof(max_align_t), 0);
}

static void
the_longest_name_fits(void **state)
{
	char name[UPSTREAM_NAME_MAX];
	struct upstream *upstream;

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	upstream = upstream_new(name, 1);
	assert_string_equal(upstream->name, name);
	upstream_unref(upstream);
}

static void
a_proxy_stands_before_every_target(void **state)
{
	struct upstream *upstream = upstream_new("test", 2);

	(void)state;
	assert_ptr_equal(upstream_reach(upstream, 0), &upstream->targets[0]);
	assert_ptr_equal(upstream_reach(upstream, 1), &upstream->targets[1]);
	upstream->policy.proxy.header = PROXY_HEADER_V2; /* which is said to the upstream itself */
	assert_ptr_equal(upstream_reach(upstream, 1), &upstream->targets[1]);
	upstream->policy.proxy.kind = PROXY_SOCKS5;
	assert_ptr_equal(upstream_reach(upstream, 0), &upstream->policy.proxy.target);
	assert_ptr_equal(upstream_reach(upstream, 1), &upstream->policy.proxy.target);
	upstream_unref(upstream);
}

static void
links_add_up_to_health(void **state)
{
	static const struct {
		struct link_census census;
		enum health health;
	} rows[] = {
		{ { .wanted = 2 }, HEALTH_STARTING },
		{ { .wanted = 2, .attempted = true }, HEALTH_DOWN },
		{ { .wanted = 2, .ready = 1, .attempted = true }, HEALTH_DEGRADED },
		{ { .wanted = 2, .ready = 1 }, HEALTH_DEGRADED },
		{ { .wanted = 2, .ready = 2, .attempted = true }, HEALTH_UP },
		{ { .wanted = 2, .ready = 3, .attempted = true }, HEALTH_UP }, /* a successor */
		{ { .wanted = 2, .ready = 1, .lent = 1, .attempted = true }, HEALTH_UP },
		{ { .wanted = 2, .lent = 1, .attempted = true }, HEALTH_DEGRADED },
		{ { .wanted = 2, .paused = 2, .attempted = true }, HEALTH_PAUSED },
		{ { .wanted = 2, .paused = 2 }, HEALTH_PAUSED },
		{ { .wanted = 2, .paused = 1, .attempted = true }, HEALTH_DOWN },
		{ { .wanted = 2, .paused = 1, .ready = 1, .attempted = true }, HEALTH_DEGRADED },
		{ { .wanted = 2, .held = 2, .attempted = true }, HEALTH_OFFLINE },
		{ { .wanted = 2, .held = 1, .attempted = true }, HEALTH_OFFLINE },
		{ { .wanted = 2, .held = 1, .ready = 1, .attempted = true }, HEALTH_DEGRADED },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_string_equal(health_name(upstream_health(&rows[i].census)),
				    health_name(rows[i].health));
}

static void
health_has_the_names_of_the_wire(void **state)
{
	static const char *const names[HEALTH_COUNT] = { "starting", "up",     "degraded",
							 "down",     "paused", "offline" };

	(void)state;
	for (enum health i = 0; i < HEALTH_COUNT; i++)
		assert_string_equal(health_name(i), names[i]);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_lives_as_long_as_somebody_holds_it),
		cmocka_unit_test(what_is_kept_lives_with_it),
		cmocka_unit_test(the_longest_name_fits),
		cmocka_unit_test(a_proxy_stands_before_every_target),
		cmocka_unit_test(links_add_up_to_health),
		cmocka_unit_test(health_has_the_names_of_the_wire),
	};

	RUN_TESTS(tests);
}
