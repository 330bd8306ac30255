/* Probes that the configuration spells out: what is said, and what the answer begins with or matches. */
#include "core/probe_internal.h"

#include "base/must.h"
#include "base/text.h"

#include <regex.h>
#include <string.h>

#define WANTED_TEXT_MAX 80 /* characters of an expected literal or pattern in a hint; cut beyond */
/*
 * Octets looked through for a pattern, again and again as more comes.  Whoever dribbles so much that this does not suffice has given no
 * answer that was expected, and costs no more than some tens of milliseconds, unless the pattern remembers much: with one that needs a state of
 * its own for each octet ("a[ab]{480}c"), one look through a whole answer takes half a second, and 80 MB while it lasts.
 */
#define LOOKED_MAX ((size_t)8 * 1024 * 1024)
/*
 * What stands before a pattern: any octets from the beginning of what has come.  So regexec() walks through it once; left to look for a place to
 * begin, it would start anew at every octet (glibc's does).
 */
#define PATTERN_BEGIN "\\`([^x]|[x\n])*("
#define PATTERN_END   ")"

struct expect {
	struct probe probe;
	unsigned int step; /* what is being awaited */
	bool in_line;	   /* the rest of a line of the answer before may still be on its way */
	size_t looked;	   /* octets looked through for patterns, however often */
	unsigned int compiled; /* how many of `regex` are in use: those of the first steps that have one */
	regex_t regex[PROBE_STEPS_MAX];
	const regex_t *of_step[PROBE_STEPS_MAX];
};

static const struct probe_step *
present_step(const struct expect *expect)
{
	return &expect->probe.setup.policy->steps[expect->step];
}

static bool
expects(const struct probe_step *step)
{
	return step->expect_regex || step->expect_length > 0;
}

/*
 * Lines are what people match: with REG_NEWLINE `^` is the beginning of any line, `$` the end of one, and `.` stays in it.
 * Where the match stands is not asked, which spares regexec() most of its work.
 */
static enum dialogue_verdict
compile(struct dialogue *dialogue, struct failure *failure)
{
	struct expect *expect = dialogue->state;
	const struct probe_policy *policy = expect->probe.setup.policy;

	must(policy->step_count <= PROBE_STEPS_MAX);
	for (unsigned int i = 0; i < policy->step_count; i++) {
		const char *pattern = policy->steps[i].expect_regex;
		char whole[sizeof(PATTERN_BEGIN PATTERN_END) + PROBE_TEXT_MAX];
		struct text text = TEXT_INIT(whole);
		regex_t *regex = &expect->regex[expect->compiled];
		int r;

		if (!pattern)
			continue;
		text_addf(&text, "%s%s%s", PATTERN_BEGIN, pattern, PATTERN_END);
		must(!text.cut);
		r = regcomp(regex, whole, REG_EXTENDED | REG_NEWLINE | REG_NOSUB);
		must(r == 0 || r == REG_ESPACE); /* probe_check_regex() has taken it */
		if (r != 0)
			return dialogue_fail(dialogue, FAILURE_LOCAL_NO_MEMORY, failure);
		expect->compiled++;
		expect->of_step[i] = regex;
	}
	return DIALOGUE_MORE;
}

static void
expect_done(struct dialogue *dialogue)
{
	struct expect *expect = dialogue->state;

	while (expect->compiled > 0)
		regfree(&expect->regex[--expect->compiled]);
}

static enum dialogue_verdict
mismatch(const struct dialogue *dialogue, struct failure *failure)
{
	const struct probe_step *step = present_step(dialogue->state);
	char buffer[WANTED_TEXT_MAX + 1];
	struct text text = TEXT_INIT(buffer);

	if (step->expect_regex)
		text_add_escaped(&text, step->expect_regex, strlen(step->expect_regex), NULL);
	else
		text_add_escaped(&text, step->expect, step->expect_length, NULL);
	return probe_mismatch(dialogue, buffer, failure);
}

/* Say what the steps from the present one on have to say, up to one that awaits an answer. */
static enum dialogue_verdict
go_on(struct dialogue *dialogue, struct failure *failure)
{
	struct expect *expect = dialogue->state;
	const struct probe_policy *policy = expect->probe.setup.policy;

	for (; expect->step < policy->step_count; expect->step++) {
		const struct probe_step *step = present_step(expect);

		/* Whoever answers everything before having read any of it does not answer us. */
		if (step->send_length > sizeof(dialogue->output) - dialogue->output_length)
			return mismatch(dialogue, failure);
		dialogue_send(dialogue, step->send, step->send_length);
		if (step->send_length > 0)
			dialogue->asked = "what the probe sends";
		if (expects(step))
			return DIALOGUE_MORE;
	}
	return DIALOGUE_DONE;
}

/* A greeting comes once: the first steps that only listen are left out where the connection has been probed before. */
static enum dialogue_verdict
expect_start(struct dialogue *dialogue, struct failure *failure)
{
	struct expect *expect = dialogue->state;
	const struct probe_setup *setup = &expect->probe.setup;

	if (compile(dialogue, failure) == DIALOGUE_FAILED)
		return DIALOGUE_FAILED;
	while (setup->again && expect->step < setup->policy->step_count &&
	       present_step(expect)->send_length == 0)
		expect->step++;
	return go_on(dialogue, failure);
}

/* The present step has been answered by the first `length` pending octets. */
static enum dialogue_verdict
answered(struct dialogue *dialogue, size_t length, struct failure *failure)
{
	struct expect *expect = dialogue->state;
	size_t pending;
	const unsigned char *bytes = dialogue_pending(dialogue, &pending);
	enum dialogue_verdict verdict;

	must(length > 0);
	expect->in_line = bytes[length - 1] != '\n';
	dialogue_consume(dialogue, length);
	expect->step++;
	verdict = go_on(dialogue, failure);
	if (verdict == DIALOGUE_DONE)
		dialogue_consume(dialogue, pending - length);
	else if (verdict == DIALOGUE_MORE)
		dialogue_new_reply(dialogue);
	return verdict;
}

/* Returns whether the answer is still undecided. */
static bool
skip_rest_of_line(struct dialogue *dialogue)
{
	struct expect *expect = dialogue->state;
	size_t length;
	const unsigned char *bytes = dialogue_pending(dialogue, &length);
	const unsigned char *end = memchr(bytes, '\n', length);

	if (!end)
		return true;
	dialogue_consume(dialogue, (size_t)(end - bytes) + 1);
	dialogue_new_reply(dialogue);
	expect->in_line = false;
	return false;
}

static enum dialogue_verdict
look_for_literal(struct dialogue *dialogue, struct failure *failure)
{
	const struct expect *expect = dialogue->state;
	const struct probe_step *step = present_step(expect);
	size_t length, common;
	const unsigned char *bytes = dialogue_pending(dialogue, &length);

	common = length < step->expect_length ? length : step->expect_length;
	if (common > 0 && memcmp(bytes, step->expect, common) != 0) {
		if (!expect->in_line)
			return mismatch(dialogue, failure);
		if (skip_rest_of_line(dialogue))
			return DIALOGUE_MORE;
		return look_for_literal(dialogue, failure);
	}
	if (common < step->expect_length)
		return DIALOGUE_MORE;
	return answered(dialogue, step->expect_length, failure);
}

static enum dialogue_verdict
look_for_regex(struct dialogue *dialogue, struct failure *failure)
{
	struct expect *expect = dialogue->state;
	size_t length;
	const unsigned char *bytes = dialogue_pending(dialogue, &length);
	regmatch_t range = { .rm_so = 0, .rm_eo = (regoff_t)length };
	_cleanup_(freep) char *text = malloc(length + 1);
	int r = REG_ESPACE;

	expect->looked += length;
	if (expect->looked > LOOKED_MAX)
		return mismatch(dialogue, failure);
	/* REG_STARTEND lets NULs be searched; the one at the end is for those who look for it all the same (ASan does). */
	if (text) {
		memcpy(text, bytes, length);
		text[length] = '\0';
		/* The end of what has come is no end of a line: more may follow. */
		r = regexec(expect->of_step[expect->step], text, 1, &range, REG_STARTEND | REG_NOTEOL);
	}
	if (r == REG_NOMATCH)
		return DIALOGUE_MORE;
	if (r != 0)
		return dialogue_fail(dialogue, FAILURE_LOCAL_NO_MEMORY, failure);
	return answered(dialogue, length, failure);
}

static enum dialogue_verdict
expect_look(struct dialogue *dialogue, struct failure *failure)
{
	const struct expect *expect = dialogue->state;
	enum dialogue_verdict verdict = DIALOGUE_MORE;
	unsigned int step;
	size_t length;

	do {
		step = expect->step;
		dialogue_pending(dialogue, &length);
		if (length == 0)
			break;
		verdict = present_step(expect)->expect_regex ? look_for_regex(dialogue, failure) :
							       look_for_literal(dialogue, failure);
	} while (verdict == DIALOGUE_MORE && expect->step > step);
	return verdict;
}

/* What deviates from a literal is a mismatch at once; so only a pattern can have been given something else. */
static void
expect_overdue(const struct dialogue *dialogue, struct failure *failure)
{
	if (dialogue->input_length > 0 && present_step(dialogue->state)->expect_regex)
		mismatch(dialogue, failure);
	else
		dialogue_fail(dialogue, FAILURE_TIMEOUT_PROBE, failure);
}

const struct dialogue_kind probe_expect = {
	.start = expect_start,
	.look = expect_look,
	.overdue = expect_overdue,
	.done = expect_done,
	.state_bytes = sizeof(struct expect),
	PROBE_KIND_CODES,
};
