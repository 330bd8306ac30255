/* What a probe says and expects: the list of its steps, and the keys that stand for the only step. */
#include "config/value_internal.h"

#include "base/must.h"
#include "config/escape.h"
#include "core/dialogue.h"
#include "core/probe.h"

#include <errno.h>
#include <string.h>

#define PART_COUNT 3

/* The parts of a step, under the names they have in it. */
static const struct part {
	const char *name;
	enum schema_type type;
} parts[PART_COUNT] = {
	{ "send", TYPE_STEP_SEND },
	{ "expect", TYPE_STEP_EXPECT },
	{ "expect_regex", TYPE_STEP_REGEX },
};

static const struct probe_step empty_step;

/* The only step there is, or one of nothing; there must not be several. */
static const struct probe_step *
only_step(const struct probe_policy *probe)
{
	must(probe->step_count <= 1);
	return probe->step_count == 1 ? probe->steps : &empty_step;
}

static bool
is_empty_step(const struct probe_step *step)
{
	return step->send_length == 0 && step->expect_length == 0 && !step->expect_regex;
}

static struct probe_policy *
probe_of(const struct value_site *site)
{
	struct upstream *upstream = site->object;

	return &upstream->policy.probe;
}

/* What follows a backslash cannot follow it. */
static int
no_escape(const struct value_site *site, const char *rest)
{
	char first[4];

	text_copy(first, sizeof(first), rest);
	return value_complain(site,
			      "a backslash and %s are no escape (there are \\r, \\n, \\t, \\0, \\xNN and, for "
			      "one backslash, \\\\, which the file writes as \\\\\\\\)",
			      *first ? value_quote(first).text : "the end of the string");
}

/* Reads octets that the upstream keeps; none are NULL. */
static int
read_octets(const struct value_site *site, const char *string, const unsigned char **ret_octets,
	    size_t *ret_length)
{
	unsigned char octets[PROBE_TEXT_MAX];
	const char *bad = NULL;
	void *copy = NULL;
	size_t length = 0;
	int r = escape_parse(string, octets, sizeof(octets), &length, &bad);

	if (r == -ENOBUFS)
		return value_complain(site, "%s is longer than %d octets", value_quote(string).text,
				      PROBE_TEXT_MAX);
	if (r < 0)
		return no_escape(site, bad + 1);
	if (length > 0) {
		copy = upstream_keep(site->object, octets, length);
		if (!copy)
			return -ENOMEM;
	}
	*ret_octets = copy;
	*ret_length = length;
	return 0;
}

static int
read_regex(const struct value_site *site, const char *string, const char **ret_regex)
{
	char problem[VALUE_SENTENCE_MAX / 2] = "";
	char *copy = NULL;

	if (strlen(string) > PROBE_TEXT_MAX)
		return value_complain(site, "%s is longer than %d octets", value_quote(string).text,
				      PROBE_TEXT_MAX);
	if (*string && probe_check_regex(string, problem, sizeof(problem)) < 0)
		return value_complain(site, "%s %s", value_quote(string).text, problem);
	if (*string) {
		copy = upstream_keep(site->object, string, strlen(string) + 1);
		if (!copy)
			return -ENOMEM;
	}
	*ret_regex = copy;
	return 0;
}

/* Reads one part of a step from site->setting. */
static int
read_part(const struct value_site *site, enum schema_type type, struct probe_step *step)
{
	const char *string = config_setting_get_string(site->setting);

	if (!string)
		return value_complain(site, "expected a string, found %s",
				      value_setting_name(site->setting));
	switch (type) {
	case TYPE_STEP_SEND: return read_octets(site, string, &step->send, &step->send_length);
	case TYPE_STEP_EXPECT:
		return read_octets(site, string, &step->expect, &step->expect_length);
	case TYPE_STEP_REGEX: return read_regex(site, string, &step->expect_regex);
	default: must_not_reach();
	}
}

/* Puts copies of `steps` in the place of those there are. */
static int
store_steps(const struct value_site *site, const struct probe_step *steps, unsigned int count)
{
	struct probe_policy *probe = probe_of(site);
	struct probe_step *copy = NULL;

	if (count > 0) {
		copy = upstream_keep(site->object, steps, count * sizeof(*steps));
		if (!copy)
			return -ENOMEM;
	}
	probe->steps = copy;
	probe->step_count = count;
	return 0;
}

int
value_read_step(const struct value_site *site, void *at)
{
	const struct probe_policy *probe = probe_of(site);
	struct probe_step step = probe->step_count == 1 ? *only_step(probe) : empty_step;
	int r = read_part(site, site->key->type, &step);

	(void)at;
	if (r < 0)
		return r;
	return store_steps(site, &step, is_empty_step(&step) ? 0 : 1);
}

/* One element of the list, or one setting in it: what is wrong is said with its place. */
struct inner_site {
	struct value_site site;
	const struct value_site *outer;
	unsigned int number;
	const char *name; /* of the part; "" for the step as a whole */
};

static void
inner_complains(const struct value_site *site, const char *sentence)
{
	const struct inner_site *inner = site->arg;
	struct value_site outer = *inner->outer;

	outer.setting = site->setting; /* for its line */
	value_complain(&outer, "step %u: %s%s%s", inner->number, inner->name,
		       *inner->name ? ": " : "", sentence);
}

static void
inner_init(struct inner_site *inner, const struct value_site *outer, unsigned int number,
	   const config_setting_t *setting)
{
	*inner = (struct inner_site){ .site = *outer, .outer = outer, .number = number, .name = "" };
	inner->site.setting = setting;
	inner->site.complain = inner_complains;
	inner->site.arg = inner;
}

static int
unknown_part(const struct value_site *site, const char *name)
{
	for (size_t i = 0; i < PART_COUNT; i++)
		if (text_distance(name, parts[i].name) <= 1 + strlen(parts[i].name) / 3)
			return value_complain(site, "unknown key %s (did you mean \"%s\"?)",
					      value_quote(name).text, parts[i].name);
	return value_complain(site, "unknown key %s (there are send, expect and expect_regex)",
			      value_quote(name).text);
}

static int
read_named_part(const struct inner_site *whole, const config_setting_t *setting, struct probe_step *step)
{
	const char *name = config_setting_name(setting);
	struct inner_site inner;

	inner_init(&inner, whole->outer, whole->number, setting);
	for (size_t i = 0; i < PART_COUNT; i++) {
		if (strcmp(name, parts[i].name) != 0)
			continue;
		inner.name = parts[i].name;
		return read_part(&inner.site, parts[i].type, step);
	}
	return unknown_part(&inner.site, name);
}

/* Reads one element of the list.  Everything that is wrong with it is said. */
static int
read_listed_step(const struct value_site *site, unsigned int i, struct probe_step *ret_step)
{
	const config_setting_t *group = config_setting_get_elem(site->setting, i);
	struct probe_step step = empty_step;
	struct inner_site whole;
	bool bad = false;

	inner_init(&whole, site, i + 1, group);
	if (!config_setting_is_group(group))
		return value_complain(&whole.site, "expected a group { … }, found %s",
				      value_setting_name(group));
	for (int j = 0; j < config_setting_length(group); j++) {
		int r = read_named_part(&whole, config_setting_get_elem(group, (unsigned int)j), &step);

		if (r == -ENOMEM)
			return r;
		bad = bad || r < 0;
	}
	if (bad)
		return -EINVAL;
	if (is_empty_step(&step))
		return value_complain(&whole.site, "neither sends nor expects anything");
	if (step.expect_length > 0 && step.expect_regex)
		return value_complain(&whole.site, "has both expect and expect_regex: one is enough");
	*ret_step = step;
	return 0;
}

int
value_read_steps(const struct value_site *site, void *at)
{
	struct probe_step steps[PROBE_STEPS_MAX] = { { 0 } };
	int count, bad = 0;

	(void)at;
	if (!value_is_list(site->setting))
		return value_wrong_type(site);
	count = config_setting_length(site->setting);
	if (count > site->key->max)
		return value_complain(site, "%d are too many (at most %d)", count, PROBE_STEPS_MAX);
	for (int i = 0; i < count; i++) {
		int r = read_listed_step(site, (unsigned int)i, &steps[i]);

		if (r == -ENOMEM)
			return r;
		bad = r < 0 ? r : bad;
	}
	return bad < 0 ? bad : store_steps(site, steps, (unsigned int)count);
}

/* A copy of what *at borrows; NULL stays. */
static int
own_octets(struct upstream *upstream, const unsigned char **at, size_t length)
{
	if (*at)
		*at = upstream_keep(upstream, *at, length);
	return *at || length == 0 ? 0 : -ENOMEM;
}

static int
own_regex(struct upstream *upstream, const char **at)
{
	if (!*at)
		return 0;
	*at = upstream_keep(upstream, *at, strlen(*at) + 1);
	return *at ? 0 : -ENOMEM;
}

int
value_own_steps(struct upstream *upstream)
{
	struct probe_policy *probe = &upstream->policy.probe;

	if (probe->step_count == 0)
		return 0;
	probe->steps = upstream_keep(upstream, probe->steps, probe->step_count * sizeof(*probe->steps));
	if (!probe->steps)
		return -ENOMEM;
	for (unsigned int i = 0; i < probe->step_count; i++) {
		struct probe_step *step = &probe->steps[i];

		if (own_octets(upstream, &step->send, step->send_length) < 0 ||
		    own_octets(upstream, &step->expect, step->expect_length) < 0 ||
		    own_regex(upstream, &step->expect_regex) < 0)
			return -ENOMEM;
	}
	return 0;
}

void
value_reset_step(const struct schema_key *key, struct probe_policy *probe)
{
	struct probe_step *step = probe->steps;

	if (probe->step_count != 1)
		return;
	switch (key->type) {
	case TYPE_STEP_SEND:
		step->send = NULL;
		step->send_length = 0;
		break;
	case TYPE_STEP_EXPECT:
		step->expect = NULL;
		step->expect_length = 0;
		break;
	case TYPE_STEP_REGEX: step->expect_regex = NULL; break;
	default: must_not_reach();
	}
}

static bool
equal_octets(const unsigned char *a, size_t a_length, const unsigned char *b, size_t b_length)
{
	return a_length == b_length && (a_length == 0 || memcmp(a, b, a_length) == 0);
}

static bool
equal_part(enum schema_type type, const struct probe_step *a, const struct probe_step *b)
{
	switch (type) {
	case TYPE_STEP_SEND: return equal_octets(a->send, a->send_length, b->send, b->send_length);
	case TYPE_STEP_EXPECT:
		return equal_octets(a->expect, a->expect_length, b->expect, b->expect_length);
	case TYPE_STEP_REGEX:
		return strcmp(a->expect_regex ? a->expect_regex : "",
			      b->expect_regex ? b->expect_regex : "") == 0;
	default: must_not_reach();
	}
}

bool
value_equal_steps(const struct schema_key *key, const struct probe_policy *a,
		  const struct probe_policy *b)
{
	bool listed = a->step_count > 1 || b->step_count > 1;

	if (listed != (key->type == TYPE_STEPS))
		return true; /* the other keys tell */
	if (!listed)
		return equal_part(key->type, only_step(a), only_step(b));
	if (a->step_count != b->step_count)
		return false;
	for (unsigned int i = 0; i < a->step_count; i++)
		for (size_t j = 0; j < PART_COUNT; j++)
			if (!equal_part(parts[j].type, &a->steps[i], &b->steps[i]))
				return false;
	return true;
}

static void
print_part(enum schema_type type, const struct probe_step *step, FILE *out)
{
	const char *regex = step->expect_regex ? step->expect_regex : "";

	switch (type) {
	case TYPE_STEP_SEND: escape_print(step->send, step->send_length, out); break;
	case TYPE_STEP_EXPECT: escape_print(step->expect, step->expect_length, out); break;
	case TYPE_STEP_REGEX: value_print_string(regex, strlen(regex), out); break;
	default: must_not_reach();
	}
}

static bool
has_part(enum schema_type type, const struct probe_step *step)
{
	return !equal_part(type, step, &empty_step);
}

static void
print_step(const struct probe_step *step, FILE *out)
{
	fputs("{", out);
	for (size_t i = 0; i < PART_COUNT; i++) {
		if (!has_part(parts[i].type, step))
			continue;
		fprintf(out, " %s = ", parts[i].name);
		print_part(parts[i].type, step, out);
		fputs(";", out);
	}
	fputs(" }", out);
}

void
value_print_steps(const struct schema_key *key, const struct probe_policy *probe, FILE *out)
{
	if (key->type != TYPE_STEPS) {
		print_part(key->type, only_step(probe), out);
		return;
	}
	fputs("(", out);
	for (unsigned int i = 0; i < probe->step_count; i++) {
		fputs(i == 0 ? " " : ", ", out);
		print_step(&probe->steps[i], out);
	}
	fputs(" )", out);
}

bool
value_is_elsewhere(const struct schema_key *key, const void *object)
{
	const struct upstream *upstream = object;

	switch (key->type) {
	case TYPE_STEPS: return upstream->policy.probe.step_count <= 1;
	case TYPE_STEP_SEND:
	case TYPE_STEP_EXPECT:
	case TYPE_STEP_REGEX: return upstream->policy.probe.step_count > 1;
	default: return false;
	}
}
