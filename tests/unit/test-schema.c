#include "check.h"

#include "config/diff.h"
#include "config/schema.h"
#include "config/value.h"
#include "core/probe.h"
#include "core/starttls.h"

#include <string.h>

static const char *
nearest(enum schema_scope scope, const char *path)
{
	static char buffer[SCHEMA_PATH_TEXT_MAX];
	const char *found = schema_nearest(scope, path, buffer, sizeof(buffer));

	return found ? found : "(none)";
}

/* Every row is whole, so that whoever walks the table need not ask. */
static void
test_rows(void **state)
{
	(void)state;
	for (const struct schema_key *key = schema; key < schema + schema_count; key++) {
		assert_non_null(key->path);
		assert_true(strlen(key->path) < SCHEMA_PATH_TEXT_MAX);
		assert_true(strchr(key->path, '.') == strrchr(key->path, '.')); /* groups of groups: none */
		assert_true(key->scope < SCOPE_COUNT);
		assert_true(key->type < TYPE_COUNT);
		assert_non_null(key->says);
		assert_int_equal(key->says[strlen(key->says) - 1], '.');
		assert_ptr_equal(schema_find(key->scope, key->path), key); /* and so it is there once */
		assert_non_null(value_type_name(key->type));
		if (key->type == TYPE_WORD)
			assert_non_null(key->words);
		if (key->type == TYPE_DURATION && !key->none) {
			assert_true(key->initial >= key->min && key->initial <= key->max);
			assert_true(key->min >= (int64_t)USEC_PER_MSEC &&
				    key->max <= (int64_t)(30 * USEC_PER_DAY));
		}
		if (key->type == TYPE_INTEGER && !key->unset)
			assert_true(key->initial >= key->min && key->initial <= key->max);
	}
	assert_true(schema_count < SCHEMA_KEYS_MAX);
}

/* Whoever names a protocol elsewhere uses the file's word. */
static void
test_words(void **state)
{
	(void)state;
	for (const struct schema_word *word = schema_find(SCOPE_UPSTREAM, "starttls")->words;
	     word->word; word++)
		assert_string_equal(starttls_name((enum starttls)word->value), word->word);
	for (const struct schema_word *word = schema_find(SCOPE_UPSTREAM, "probe.kind")->words;
	     word->word; word++)
		assert_string_equal(probe_kind_name((enum probe_kind)word->value), word->word);
}

/* There is room for every key in which an upstream can differ. */
static void
test_changes(void **state)
{
	unsigned int count = 0;

	(void)state;
	schema_for_each(key, SCOPE_UPSTREAM) count++;
	assert_true(count < CHANGE_KEYS_MAX);
}

static void
test_fits(void **state)
{
	struct upstream upstream = { .policy = { .probe = { .kind = PROBE_HTTP } } };

	(void)state;
	assert_true(schema_fits(schema_find(SCOPE_UPSTREAM, "probe.kind"), &upstream));
	assert_true(schema_fits(schema_find(SCOPE_UPSTREAM, "probe.body"), &upstream));
	assert_true(schema_fits(schema_find(SCOPE_UPSTREAM, "probe.interval"), &upstream));
	assert_false(schema_fits(schema_find(SCOPE_UPSTREAM, "probe.steps"), &upstream));
	assert_false(schema_fits(schema_find(SCOPE_UPSTREAM, "probe.user"), &upstream));
	assert_true(schema_fits(schema_find(SCOPE_UPSTREAM, "tls"), &upstream));
	assert_false(schema_fits(schema_find(SCOPE_UPSTREAM, "tls.ocsp"), &upstream));
	upstream.policy.probe.kind = PROBE_NONE;
	upstream.policy.tls.enabled = true;
	assert_false(schema_fits(schema_find(SCOPE_UPSTREAM, "probe.interval"), &upstream));
	assert_true(schema_fits(schema_find(SCOPE_UPSTREAM, "tls.ocsp"), &upstream));
}

/* Keys whose feature comes later are unknown, never silently ignored. */
static void
test_absent(void **state)
{
	static const char *const later[] = {
		"lend",
		"metrics",
		"state",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(later); i++) {
		assert_null(schema_find(SCOPE_UPSTREAM, later[i]));
		assert_null(schema_find(SCOPE_DAEMON, later[i]));
	}
}

static void
test_groups(void **state)
{
	(void)state;
	assert_true(schema_is_group(SCOPE_UPSTREAM, "timeouts"));
	assert_true(schema_is_group(SCOPE_UPSTREAM, "tls"));
	assert_true(schema_is_group(SCOPE_DAEMON, "log"));
	assert_false(schema_is_group(SCOPE_DAEMON, "timeouts"));
	assert_false(schema_is_group(SCOPE_UPSTREAM, "time"));
	assert_false(schema_is_group(SCOPE_UPSTREAM, "timeouts.connect"));
	assert_false(schema_is_group(SCOPE_UPSTREAM, "name"));
}

static void
test_nearest(void **state)
{
	(void)state;
	assert_string_equal(nearest(SCOPE_UPSTREAM, "timeouts.conect"), "timeouts.connect");
	assert_string_equal(nearest(SCOPE_UPSTREAM, "conections"), "connections");
	assert_string_equal(nearest(SCOPE_UPSTREAM, "timeout"), "timeouts");
	assert_string_equal(nearest(SCOPE_UPSTREAM, "tsl"), "tls");
	assert_string_equal(nearest(SCOPE_UPSTREAM, "adress"), "address");
	assert_string_equal(nearest(SCOPE_UPSTREAM, "verify"), "tls.verify"); /* in the wrong group */
	assert_string_equal(nearest(SCOPE_UPSTREAM, "tls.interval"), "keepalive.interval");
	assert_string_equal(nearest(SCOPE_UPSTREAM, "probe.expct"), "probe.expect");
	assert_string_equal(nearest(SCOPE_UPSTREAM, "start_tls"), "starttls");
	assert_string_equal(nearest(SCOPE_UPSTREAM, "ocsp"), "tls.ocsp");
	assert_string_equal(nearest(SCOPE_DAEMON, "upstream"), "upstreams");
	assert_string_equal(nearest(SCOPE_DAEMON, "default"), "defaults");
	assert_string_equal(nearest(SCOPE_UPSTREAM, "foo"), "(none)");
	assert_string_equal(nearest(SCOPE_DAEMON, "metrics"), "(none)");
	assert_string_equal(nearest(SCOPE_UPSTREAM, ""), "(none)");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),	cmocka_unit_test(test_words),
		cmocka_unit_test(test_changes), cmocka_unit_test(test_fits),
		cmocka_unit_test(test_absent),	cmocka_unit_test(test_groups),
		cmocka_unit_test(test_nearest),
	};

	RUN_TESTS(tests);
}
