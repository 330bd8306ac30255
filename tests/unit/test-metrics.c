/* main/metrics: the OpenMetrics text. */
#include "check.h"

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
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	assert_non_null(out);
	metrics_write(model, &daemon, out);
	assert_int_equal(fclose(out), 0);
	return text;
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

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_figures_are_told),
		cmocka_unit_test(the_text_is_well_formed),
	};

	RUN_TESTS(tests);
}
