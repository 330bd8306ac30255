/* main/metrics: the OpenMetrics text. */
#include "check.h"

#include "base/text.h"
#include "main/metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct model_upstream *
add(struct model *model, upstream_id id, const char *name)
{
	struct upstream *upstream = upstream_new(name, 1);
	struct model_setup setup = { .id = id, .upstream = upstream };
	struct model_upstream *known;

	upstream->policy.enabled = true;
	upstream->policy.connections = 2;
	assert_int_equal(model_add(model, &setup, &known), 0);
	upstream_unref(upstream);
	return known;
}

static char *
text_of(const struct model *model)
{
	const struct metrics_daemon daemon = { .started = UINT64_C(1767182400000042), .log_lost = 3 };
	size_t size = 16 * METRICS_PIECE_MAX;
	char *buffer = malloc(size);
	struct metrics_walk walk = { 0 };
	struct text text;
	bool more = true;

	assert_non_null(buffer);
	text_init(&text, buffer, size);
	while (more)
		more = metrics_next(&walk, model, &daemon, &text);
	return buffer;
}

static void
has_line(const char *text, const char *line)
{
	const char *at = strstr(text, line);

	if (!at || (at != text && at[-1] != '\n') || at[strlen(line)] != '\n')
		fail_msg("there is no line %s in\n%s", line, text);
}

static void
the_figures_are_told(void **state)
{
	_cleanup_(freep) char *text = NULL;
	struct event event = { .kind = EVENT_LINK, .id = 1, .link = 1 };
	struct model_upstream *known;
	struct notices notices;
	struct model *model;

	(void)state;
	notices_init(&notices);
	assert_int_equal(model_new(&notices, &model), 0);
	known = add(model, 1, "db");
	add(model, 2, "web");
	event.status = (struct link_status){ .stage = STAGE_READY, .since = 1 };
	model_event(model, &event, 1);
	known->failures[FAILURE_CONNECTION_RESET] = 7;
	known->closes[CLOSE_LIFETIME] = 2;
	text = text_of(model);
	has_line(text, "holdfast_start_time_seconds 1767182400.000042");
	has_line(text, "holdfast_log_lost_lines_total 3");
	has_line(text, "holdfast_upstreams{health=\"degraded\"} 1");
	has_line(text, "holdfast_upstreams{health=\"starting\"} 1");
	has_line(text,
		 "holdfast_upstream_health{upstream=\"db\",holdfast_upstream_health=\"degraded\"} 1");
	has_line(text, "holdfast_upstream_health{upstream=\"db\",holdfast_upstream_health=\"up\"} 0");
	has_line(text, "holdfast_links_wanted{upstream=\"web\"} 2");
	has_line(text, "holdfast_links_ready{upstream=\"db\"} 1");
	has_line(text, "holdfast_attempts_total{upstream=\"db\"} 1");
	has_line(text, "holdfast_attempts_established_total{upstream=\"db\"} 1");
	has_line(text, "holdfast_failures_total{upstream=\"db\",code=\"connection.reset\"} 7");
	has_line(text, "holdfast_closes_total{upstream=\"db\",reason=\"lifetime\"} 2");
	assert_null(strstr(text, "connection.refused"));
	model_free(model);
}

/* The length of the family's name at the beginning of a sample. */
static size_t
family_length(const char *line)
{
	static const char *const suffixes[] = { "_total", "_info" };
	size_t length = strcspn(line, "{ ");

	for (size_t i = 0; i < COUNT_OF(suffixes); i++) {
		size_t suffix = strlen(suffixes[i]);

		if (length > suffix && strncmp(line + length - suffix, suffixes[i], suffix) == 0)
			return length - suffix;
	}
	return length;
}

/* Each sample stands below its family's TYPE, no family comes twice, and the text ends with "# EOF". */
static void
the_text_is_well_formed(void **state)
{
	_cleanup_(freep) char *text = NULL;
	char family[64] = "", seen[4096] = "";
	struct notices notices;
	struct model *model;
	char *line, *rest;

	(void)state;
	notices_init(&notices);
	assert_int_equal(model_new(&notices, &model), 0);
	add(model, 1, "db");
	text = text_of(model);
	assert_string_equal(text + strlen(text) - 6, "# EOF\n");
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		char type[32];

		if (sscanf(line, "# TYPE %63s %31s", family, type) == 2) {
			char mark[80];

			snprintf(mark, sizeof(mark), " %s ", family);
			assert_null(strstr(seen, mark));
			strcat(seen, mark);
		} else if (line[0] != '#') {
			assert_int_equal(family_length(line), strlen(family));
			assert_int_equal(strncmp(line, family, strlen(family)), 0);
		}
	}
	model_free(model);
}

/* How many lines of `text` begin with `word`. */
static unsigned int
count_lines(const char *text, const char *word)
{
	unsigned int count = 0;

	for (const char *at = text; at; at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL)
		count += strncmp(at, word, strlen(word)) == 0;
	return count;
}

/* A reload comes while the text is made: no family is told twice, none is missing, and nobody who stays is left out. */
static void
the_model_may_change_between_two_pieces(void **state)
{
	const struct metrics_daemon daemon = { .log_lost = 0 };
	static char buffer[16 * METRICS_PIECE_MAX];
	struct text text = TEXT_INIT(buffer);
	struct metrics_walk walk = { 0 };
	struct notices notices;
	struct model *model;
	upstream_id id = 10;

	(void)state;
	notices_init(&notices);
	assert_int_equal(model_new(&notices, &model), 0);
	add(model, 1, "m");
	add(model, 2, "z");
	while (metrics_next(&walk, model, &daemon, &text)) {
		struct model_upstream *other = model_find(model, "a");

		if (other) {
			model_drop(model, other);
			model_remove(model, other);
		} else {
			add(model, ++id, "a");
		}
	}
	assert_int_equal(count_lines(buffer, "# TYPE "), 13);
	assert_int_equal(count_lines(buffer, "# EOF"), 1);
	assert_int_equal(count_lines(buffer, "holdfast_links_ready{upstream=\"m\"}"), 1);
	assert_int_equal(count_lines(buffer, "holdfast_links_ready{upstream=\"z\"}"), 1);
	assert_int_equal(count_lines(buffer, "holdfast_upstream_health{upstream=\"z\""), HEALTH_COUNT);
	model_free(model);
}

/* Every code there is, and the longest name: one upstream still fits into a piece. */
static void
the_longest_piece_has_room(void **state)
{
	char name[UPSTREAM_NAME_MAX];
	_cleanup_(freep) char *text = NULL;
	struct model_upstream *known;
	struct notices notices;
	struct model *model;

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	notices_init(&notices);
	assert_int_equal(model_new(&notices, &model), 0);
	known = add(model, 1, name);
	memset(known->failures, 0xff, sizeof(known->failures));
	text = text_of(model);
	assert_int_equal(count_lines(text, "holdfast_failures_total"), FAILURE_COUNT - 1);
	for (const char *at = text; *at != '\0'; at = strchr(at, '\n') + 1)
		assert_true(strchr(at, '\n') - at < 192);
	model_free(model);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_figures_are_told),
		cmocka_unit_test(the_text_is_well_formed),
		cmocka_unit_test(the_model_may_change_between_two_pieces),
		cmocka_unit_test(the_longest_piece_has_room),
	};

	RUN_TESTS(tests);
}
