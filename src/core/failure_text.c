/* A failure as text: what happened, what to do about it, and what was seen. */
#include "base/must.h"
#include "core/failure.h"

#include <string.h>

#define KEY_MAX	  16				 /* longest {key}, with its NUL */
#define VALUE_MAX (4 * FAILURE_EVIDENCE_MAX + 1) /* longest value: all evidence, escaped */

/* A piece of a hint's template. */
struct span {
	const char *at, *end;
};

void
failure_message(const struct failure *failure, struct text *text)
{
	text_add(text, failure_summary(failure->code));
}

/* What the record itself knows under `key`; nothing where it knows nothing. */
static void
add_own_value(const struct failure *failure, const char *key, struct text *text)
{
	char address[ADDRESS_TEXT_MAX];

	if (strcmp(key, "bytes") == 0)
		failure_evidence(failure, text);
	else if (strcmp(key, "alert") == 0 && failure->alert_direction != ALERT_NONE)
		text_addf(text, "%s(%u)", alert_name(failure->alert), failure->alert);
	else if (strcmp(key, "address") == 0)
		text_add(text, address_format(&failure->peer, address, sizeof(address)));
	else if (strcmp(key, "error") == 0)
		text_add(text, failure->error_name);
	else if (strcmp(key, "text") == 0)
		text_add(text, failure->verify_name);
}

static void
add_value(const struct failure *failure, const char *key, struct text *text)
{
	const char *detail = failure_detail(failure, key);

	if (detail)
		text_add(text, detail);
	else
		add_own_value(failure, key, text);
}

/* Append `span`, which holds no [clause], with its keys filled.  Returns whether all had a value. */
static bool
add_filled(const struct failure *failure, struct span span, struct text *text)
{
	bool all = true;

	while (span.at < span.end) {
		char key[KEY_MAX], buffer[VALUE_MAX];
		struct text value;
		const char *close;

		if (*span.at != '{') {
			text_add_bytes(text, span.at++, 1);
			continue;
		}
		close = memchr(span.at, '}', (size_t)(span.end - span.at));
		must(close && close - span.at <= KEY_MAX);
		text_init(&value, key, sizeof(key));
		text_add_bytes(&value, span.at + 1, (size_t)(close - span.at - 1));
		text_init(&value, buffer, sizeof(buffer));
		add_value(failure, key, &value);
		text_add(text, buffer);
		all = all && value.length > 0;
		span.at = close + 1;
	}
	return all;
}

static void
truncate_to(struct text *text, size_t length, bool cut)
{
	text->length = length;
	text->at[length] = '\0';
	text->cut = cut;
}

/* Append the first of the alternatives between the brackets all of whose keys have a value, or nothing. */
static void
add_clause(const struct failure *failure, struct span clause, struct text *text)
{
	size_t length = text->length;
	bool cut = text->cut;

	for (;;) {
		const char *bar = memchr(clause.at, '|', (size_t)(clause.end - clause.at));

		if (add_filled(failure, (struct span){ clause.at, bar ? bar : clause.end }, text))
			return;
		truncate_to(text, length, cut);
		if (!bar)
			return;
		clause.at = bar + 1;
	}
}

void
failure_hint(const struct failure *failure, struct text *text)
{
	const char *at = failure_hint_template(failure->code);

	while (*at != '\0') {
		const char *open = strchrnul(at, '['), *close = strchrnul(open, ']');

		add_filled(failure, (struct span){ at, open }, text);
		if (*open == '\0')
			return;
		must(*close == ']');
		add_clause(failure, (struct span){ open + 1, close }, text);
		at = close + 1;
	}
}

void
failure_alert(const struct failure *failure, struct text *text)
{
	if (failure->alert_direction == ALERT_NONE)
		return;
	text_addf(text, "%s %s(%u)", failure->alert_direction == ALERT_SENT ? "sent" : "received",
		  alert_name(failure->alert), failure->alert);
}

void
failure_verify(const struct failure *failure, struct text *text)
{
	if (failure->verify == 0)
		return;
	if (failure->verify_name[0] != '\0')
		text_add(text, failure->verify_name);
	else
		text_addf(text, "%d", failure->verify);
	text_addf(text, " depth=%d", failure->verify_depth);
}

void
failure_evidence(const struct failure *failure, struct text *text)
{
	text_add_escaped(text, failure->evidence, failure->evidence_length, NULL);
}
