/* sys/resolve_names: the table and the cache, against plain arrays. */
#include "check.h"

#include "base/prng.h"
#include "sys/resolve_names.h"

#include <stdio.h>
#include <string.h>

static struct name
name_of(const char *host, enum family family)
{
	struct name name = { .family = family };

	strcpy(name.host, host);
	return name;
}

static void
names_differ_in_everything_but_case(void **state)
{
	static struct name_table table;
	struct name_node node = { .name = name_of("ldap.Example.org", FAMILY_IPV4) };
	struct name_node other = { .name = name_of("ldap.example.org", FAMILY_IPV6) };
	struct name name = name_of("LDAP.example.ORG", FAMILY_IPV4);

	(void)state;
	assert_null(name_find(&table, &name));
	name_insert(&table, &node);
	name_insert(&table, &other);
	assert_ptr_equal(name_find(&table, &name), &node);
	name.absolute = true;
	assert_null(name_find(&table, &name));
	name.absolute = false;
	name.service = true;
	assert_null(name_find(&table, &name));
	name.service = false;
	name.family = FAMILY_IPV6;
	assert_ptr_equal(name_find(&table, &name), &other);
	name_remove(&table, &other);
	assert_null(name_find(&table, &name));
	name_remove(&table, &other); /* harmless */
	name.family = FAMILY_IPV4;
	assert_ptr_equal(name_find(&table, &name), &node);
}

static void
put(struct cache *cache, const char *host, usec_t expires, uint16_t mark)
{
	struct name name = name_of(host, FAMILY_IPV4);
	struct address addresses[2] = { { .in.sin_port = mark }, { .in.sin_port = 1 } };

	cache_put(cache, &(struct to_keep){ .name = &name,
					    .items = addresses,
					    .count = 2,
					    .size = sizeof(addresses),
					    .expires = expires });
}

/* The mark of what is kept, or -1. */
static int
get(struct cache *cache, const char *host, usec_t now)
{
	struct name name = name_of(host, FAMILY_IPV4);
	const struct kept *kept = cache_get(cache, &name, now);
	const struct address *addresses;

	if (!kept)
		return -1;
	addresses = (const void *)kept->items;
	assert_int_equal(kept->count, 2);
	assert_int_equal(kept->size, 2 * sizeof(*addresses));
	assert_int_equal(addresses[1].in.sin_port, 1);
	return addresses[0].in.sin_port;
}

static void
an_answer_is_kept_until_it_expires(void **state)
{
	struct cache *cache = cache_new(8);

	(void)state;
	put(cache, "a", 100, 7);
	assert_int_equal(get(cache, "a", 99), 7);
	assert_int_equal(get(cache, "A", 99), 7);
	put(cache, "a", 200, 8);
	assert_int_equal(get(cache, "a", 150), 8);
	assert_int_equal(get(cache, "a", 200), -1);
	assert_int_equal(get(cache, "a", 0), -1);
	put(cache, "a", 100, 9);
	cache_clear(cache);
	assert_int_equal(get(cache, "a", 0), -1);
	assert_null(cache_free(cache));
	assert_null(cache_free(NULL));
}

#define HOSTS	 200
#define KEPT_MAX 32

struct model {
	usec_t expires[HOSTS]; /* 0: not kept */
	uint16_t mark[HOSTS];
};

static void
model_put(struct model *model, unsigned int host, usec_t expires, uint16_t mark)
{
	unsigned int count = 0, first = HOSTS;

	model->expires[host] = 0;
	for (unsigned int i = 0; i < HOSTS; i++) {
		if (model->expires[i] == 0)
			continue;
		count++;
		if (first == HOSTS || model->expires[i] < model->expires[first])
			first = i;
	}
	if (count == KEPT_MAX)
		model->expires[first] = 0;
	model->expires[host] = expires;
	model->mark[host] = mark;
}

/* Every expiry is another one, so that it is clear who has to leave. */
static void
what_expires_first_leaves_a_full_cache(void **state)
{
	struct cache *cache = cache_new(KEPT_MAX);
	struct model model = { 0 };
	struct prng prng;

	(void)state;
	prng_init(&prng, 2);
	for (unsigned int step = 1; step < 20000; step++) {
		unsigned int host = (unsigned int)prng_below(&prng, HOSTS);
		usec_t now = step, expires = (now + prng_below(&prng, 500)) * 20000 + step;
		char text[16];

		snprintf(text, sizeof(text), "h%u", host);
		if (prng_below(&prng, 3) > 0) {
			put(cache, text, expires, (uint16_t)step);
			model_put(&model, host, expires, (uint16_t)step);
			continue;
		}
		if (model.expires[host] <= now * 20000)
			model.expires[host] = 0;
		assert_int_equal(get(cache, text, now * 20000),
				 model.expires[host] ? model.mark[host] : -1);
	}
	cache_free(cache);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_differ_in_everything_but_case),
		cmocka_unit_test(an_answer_is_kept_until_it_expires),
		cmocka_unit_test(what_expires_first_leaves_a_full_cache),
	};

	RUN_TESTS(tests);
}
