/* explain: what a failure's code means, what it comes from and what to do about it; needs no daemon. */
#include "base/cleanup.h"
#include "base/text.h"
#include "core/failure_advice.h"
#include "ctl/session.h"

#include <string.h>

#define HINT_BYTES  1024
#define LIST_INDENT 42 /* leaves room for the longest code */
#define ITEM_INDENT 4

static const char *
blame_words(enum failure_blame blame)
{
	switch (blame) {
	case BLAME_ADDRESS: return "one address of the upstream: the next one is tried at once";
	case BLAME_UPSTREAM: return "the upstream: holdfastd backs off";
	case BLAME_LOCAL: return "this host; it counts against no upstream";
	}
	return "";
}

static const char *
life_words(enum failure_life life)
{
	return life == LIFE_TRANSIENT ? "transient: it may pass by itself" :
					"persistent: somebody must act, so it is retried seldom";
}

/* The hint as it reads where nothing is known about the particular case. */
static char *
hint_of(enum failure_code code, char *buffer, size_t size)
{
	struct failure failure;
	struct text text;

	failure_init(&failure, code, STAGE_IDLE);
	text_init(&text, buffer, size);
	failure_hint(&failure, &text);
	failure_done(&failure);
	return buffer;
}

static bool
occurs_in(enum failure_code code, int stage)
{
	return (failure_stages(code) & UINT32_C(1) << stage) != 0;
}

/* "handshake, settle", or "any". */
static const char *
stages_of(enum failure_code code, struct text *text)
{
	bool any = true;

	for (int stage = 0; stage < STAGE_COUNT; stage++) {
		any = any && occurs_in(code, stage);
		if (occurs_in(code, stage))
			text_addf(text, "%s%s", text->length > 0 ? ", " : "",
				  stage_name((enum stage)stage));
	}
	return any ? "any" : text->at;
}

static json_t *
stages_json(enum failure_code code)
{
	json_t *array = ctl_need(json_array());

	for (int stage = 0; stage < STAGE_COUNT; stage++) {
		if (occurs_in(code, stage))
			json_array_append_new(array,
					      ctl_need(json_string(stage_name((enum stage)stage))));
	}
	return array;
}

static json_t *
sentences_json(const char *const *sentences)
{
	json_t *array = ctl_need(json_array());

	for (; *sentences; sentences++)
		json_array_append_new(array, ctl_need(json_string(*sentences)));
	return array;
}

static json_t *
code_json(enum failure_code code)
{
	char hint[HINT_BYTES];

	return ctl_need(json_pack(
		"{s:s, s:s, s:s, s:s, s:i, s:s, s:s, s:o, s:o, s:o}", "code", failure_name(code),
		"class", failure_class_name(failure_class(code)), "life",
		failure_life_name(failure_life(code)), "blame", failure_blame_name(failure_blame(code)),
		"exitStatus", failure_exit_status(failure_class(code)), "message",
		failure_summary(code), "hint", hint_of(code, hint, sizeof(hint)), "stages",
		stages_json(code), "causes", sentences_json(failure_causes(code)), "remedies",
		sentences_json(failure_remedies(code))));
}

static void
list_sentences(const struct screen *screen, const char *title, const char *const *sentences)
{
	screen_title(screen, STYLE_BOLD, "%s", title);
	for (; *sentences; sentences++)
		screen_item(screen, "-", ITEM_INDENT, *sentences);
}

static void
explain_code(const struct ctl *ctl, enum failure_code code)
{
	const struct screen *screen = &ctl->screen;
	char hint[HINT_BYTES], stages[HINT_BYTES];
	struct text text = TEXT_INIT(stages);

	if (arguments_has(ctl->arguments, OPTION_JSON)) {
		json_t *value = code_json(code);

		session_print_json(ctl, value, true);
		json_decref(value);
		return;
	}
	screen_line(screen, STYLE_BOLD, failure_name(code));
	screen_pair(screen, "what", "%s", failure_summary(code));
	screen_pair(screen, "hint", "%s", hint_of(code, hint, sizeof(hint)));
	screen_pair(screen, "stages", "%s", stages_of(code, &text));
	screen_pair(screen, "life", "%s", life_words(failure_life(code)));
	screen_pair(screen, "blame", "%s", blame_words(failure_blame(code)));
	screen_pair(screen, "exit status", "%d where an upstream is down for it",
		    failure_exit_status(failure_class(code)));
	list_sentences(screen, "Likely causes", failure_causes(code));
	list_sentences(screen, "What to do", failure_remedies(code));
}

static void
list_class(const struct ctl *ctl, enum failure_class class)
{
	screen_line(&ctl->screen, STYLE_BOLD, failure_class_name(class));
	for (int code = FAILURE_NONE + 1; code < FAILURE_COUNT; code++) {
		if (failure_class((enum failure_code)code) == class)
			screen_item(&ctl->screen, failure_name((enum failure_code)code),
				    LIST_INDENT, failure_summary((enum failure_code)code));
	}
}

/* As JSON, one code to a line. */
static void
list_json(const struct ctl *ctl, int class)
{
	for (int code = FAILURE_NONE + 1; code < FAILURE_COUNT; code++) {
		json_t *value = code_json((enum failure_code)code);

		if (class < 0 || failure_class((enum failure_code)code) == (enum failure_class) class)
			session_print_json(ctl, value, false);
		json_decref(value);
	}
}

/* Those of one class, or all with -1. */
static void
list_codes(const struct ctl *ctl, int class)
{
	if (arguments_has(ctl->arguments, OPTION_JSON)) {
		list_json(ctl, class);
		return;
	}
	for (int i = 0; i < CLASS_COUNT; i++) {
		if (class >= 0 && class != i)
			continue;
		if (class < 0 && i > 0)
			fputc('\n', ctl->screen.out);
		list_class(ctl, (enum failure_class)i);
	}
}

static int
find_class(const char *name)
{
	for (int i = 0; i < CLASS_COUNT; i++) {
		if (strcmp(failure_class_name((enum failure_class)i), name) == 0)
			return i;
	}
	return -1;
}

/* People remember the second half of a code, which several classes may have. */
static void
add_same_ends(const char *name, struct text *text)
{
	for (int code = FAILURE_NONE + 1; code < FAILURE_COUNT; code++) {
		const char *whole = failure_name((enum failure_code)code);

		if (strcmp(strchr(whole, '.') + 1, name) == 0)
			text_addf(text, "%s%s", text->length > 0 ? " or " : "", whole);
	}
}

static int
complain_unknown(const char *name)
{
	const char *names[FAILURE_COUNT], *nearest;
	char meant[HINT_BYTES];
	struct text text = TEXT_INIT(meant);

	add_same_ends(name, &text);
	for (int code = FAILURE_NONE + 1; code < FAILURE_COUNT; code++)
		names[code] = failure_name((enum failure_code)code);
	nearest = arguments_suggest(name, names + 1, FAILURE_COUNT - 1);
	if (text.length == 0 && nearest)
		text_add(&text, nearest);
	if (text.length > 0)
		ctl_complain("there is no code %s; did you mean %s?", name, meant);
	else
		ctl_complain("there is no code %s; holdfastctl explain lists them all", name);
	return STATUS_USAGE;
}

int
command_explain(const struct ctl *ctl)
{
	const char *name = ctl->arguments->names[0];
	enum failure_code code = name ? failure_find(name) : FAILURE_NONE;

	if (!name || find_class(name) >= 0) {
		list_codes(ctl, name ? find_class(name) : -1);
		return STATUS_DONE;
	}
	if (code != FAILURE_NONE) {
		explain_code(ctl, code);
		return STATUS_DONE;
	}
	return complain_unknown(name);
}
