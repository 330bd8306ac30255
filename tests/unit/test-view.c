/* The daemon's types are read strictly, and nothing that looks like them does harm. */
#include "ctl-fixture.h"
#include "ctl-sample.h"

#include "core/failure.h"
#include "ctl/show.h"
#include "ctl/verdict.h"

static void
an_upstream_is_read_whole(void **state)
{
	json_t *value = sample(SAMPLE_UPSTREAM);
	char error[VIEW_ERROR_MAX];
	struct view_upstream view;

	(void)state;
	assert_true(view_upstream(value, &view, error));
	assert_string_equal(view.name, "ldap");
	assert_int_equal(view.wanted, 2);
	assert_int_equal(view.established, 12);
	assert_int_equal(json_array_size(view.links), 2);
	assert_non_null(view.last_failure);
	json_decref(value);
}

static void
what_may_be_absent_is_marked(void **state)
{
	json_t *value = sample(SAMPLE_FAILURE);
	char error[VIEW_ERROR_MAX];
	struct view_failure view;

	(void)state;
	assert_true(view_failure(value, &view, error));
	assert_int_equal(view.retry_in, 8000000);
	assert_string_equal(view_telling(&view), "X509_V_ERR_CERT_HAS_EXPIRED depth=0");
	json_object_del(value, "retryInUSec");
	json_object_del(value, "verify");
	json_object_del(value, "address");
	assert_true(view_failure(value, &view, error));
	assert_int_equal(view.retry_in, -1);
	assert_null(view.address);
	assert_string_equal(view_telling(&view), "sent certificate_expired(45)");
	json_decref(value);
}

/* Each of these alone makes an upstream unreadable. */
static void
every_member_has_its_type(void **state)
{
	static const struct {
		const char *member, *wrong;
	} cases[] = {
		{ "name", "[7]" },
		{ "health", "[null]" },
		{ "since", "[0]" },
		{ "addresses", "[[7]]" },
		{ "addresses", "[{}]" },
		{ "wanted", "[\"2\"]" },
		{ "ready", "[1.5]" },
		{ "reach", "[true]" },
		{ "links", "[[7]]" },
		{ "links", "[{}]" },
		{ "warnings", "[[null]]" },
		{ "counters", "[{}]" },
		{ "failures", "[{\"a\": \"b\"}]" },
		{ "closes", "[[]]" },
		{ "availability", "[{\"hour\": \"x\"}]" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		json_t *value = sample(SAMPLE_UPSTREAM), *wrong = sample(cases[i].wrong);
		char error[VIEW_ERROR_MAX] = "";
		struct view_upstream view;

		json_object_set(value, cases[i].member, json_array_get(wrong, 0));
		if (view_upstream(value, &view, error))
			fail_msg("%s may be %s", cases[i].member, cases[i].wrong);
		assert_true(error[0] != '\0');
		json_decref(wrong);
		json_decref(value);
	}
}

/* A newer daemon may say more. */
static void
unknown_members_are_passed_over(void **state)
{
	json_t *value = sample(SAMPLE_UPSTREAM);
	char error[VIEW_ERROR_MAX];
	struct view_upstream view;

	(void)state;
	json_object_set_new(value, "mood", json_string("good"));
	assert_true(view_upstream(value, &view, error));
	json_decref(value);
}

/* Shows `value` as an upstream, on a narrow screen; whatever it is, nothing breaks. */
static bool
try_to_show(json_t *value)
{
	char error[VIEW_ERROR_MAX] = "";
	struct view_upstream view;
	struct capture capture;
	bool shown;

	if (!view_upstream(value, &view, error))
		return error[0] == '\0'; /* it must say why */
	capture_begin(&capture, 40);
	shown = show_upstream(&capture.screen, &view, SAMPLE_NOW, error);
	capture_end(&capture);
	free(capture.text);
	return shown;
}

/* Puts each of `others` in the place of each member of `value`, at every depth, and shows `root`. */
static void
mutate(json_t *root, json_t *value, json_t *others, unsigned int *refused)
{
	const char *key;
	json_t *member, *other;
	json_t *members = json_is_object(value) ? json_copy(value) : NULL; /* `value` changes meanwhile */
	size_t index;

	json_object_foreach(members, key, member)
	{
		json_array_foreach(others, index, other)
		{
			json_object_set(value, key, other);
			*refused += !try_to_show(root);
		}
		json_object_del(value, key);
		*refused += !try_to_show(root);
		json_object_set(value, key, member);
		mutate(root, member, others, refused);
	}
	json_decref(members);
	json_array_foreach(value, index, member)
	{
		mutate(root, member, others, refused);
	}
}

static void
nothing_that_is_wrong_breaks_show(void **state)
{
	json_t *root = sample(SAMPLE_UPSTREAM);
	json_t *others = sample(
		"[null, true, -1, 9223372036854775807, 1e308, \"\\u001b[2J\", \"\", [], [7], [{}], {},"
		" {\"a\": \"b\"}]");
	unsigned int refused = 0;

	(void)state;
	assert_true(try_to_show(root));
	mutate(root, root, others, &refused);
	assert_true(refused > 400); /* most of these are noticed */
	json_decref(others);
	json_decref(root);
}

static int
status_of(const char *health, const char *class, bool named)
{
	struct verdict verdict = { .named = named };
	struct view_upstream view = { .health = health };

	view.last_failure = class ? json_pack("{s:s}", "class", class) : NULL;
	verdict_add(&verdict, &view);
	verdict_add(&verdict, &(struct view_upstream){ .health = "up" });
	json_decref(view.last_failure);
	return verdict_status(&verdict);
}

static void
the_worst_health_is_the_exit_status(void **state)
{
	(void)state;
	assert_int_equal(status_of("up", NULL, false), 0);
	assert_int_equal(status_of("degraded", "tls", false), 2);
	assert_int_equal(status_of("starting", NULL, false), 2);
	assert_int_equal(status_of("paused", NULL, false), 0);
	assert_int_equal(status_of("paused", NULL, true), 2);
	assert_int_equal(status_of("offline", "local", false), 17);
	assert_int_equal(status_of("down", "address", false), 11);
	assert_int_equal(status_of("down", "connection", false), 12);
	assert_int_equal(status_of("down", "timeout", false), 13);
	assert_int_equal(status_of("down", "socket", false), 14);
	assert_int_equal(status_of("down", "tls", false), 15);
	assert_int_equal(status_of("down", "protocol", false), 16);
	assert_int_equal(status_of("down", "local", false), 17);
	assert_int_equal(status_of("down", NULL, false), 17);
	assert_int_equal(status_of("rather well", NULL, false), 2);
}

static void
down_outranks_degraded_and_the_first_counts(void **state)
{
	struct verdict verdict = { 0 };
	json_t *tls = json_pack("{s:s}", "class", "tls"),
	       *address = json_pack("{s:s}", "class", "address");

	(void)state;
	verdict_add(&verdict, &(struct view_upstream){ .health = "degraded" });
	verdict_add(&verdict, &(struct view_upstream){ .health = "down", .last_failure = tls });
	verdict_add(&verdict, &(struct view_upstream){ .health = "down", .last_failure = address });
	assert_int_equal(verdict_status(&verdict), 15);
	json_decref(tls);
	json_decref(address);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_upstream_is_read_whole),
		cmocka_unit_test(what_may_be_absent_is_marked),
		cmocka_unit_test(every_member_has_its_type),
		cmocka_unit_test(unknown_members_are_passed_over),
		cmocka_unit_test(nothing_that_is_wrong_breaks_show),
		cmocka_unit_test(the_worst_health_is_the_exit_status),
		cmocka_unit_test(down_outranks_degraded_and_the_first_counts),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	RUN_TESTS(tests);
}
