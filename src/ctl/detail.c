/* Failures, certificates and timings in full. */
#include "ctl/detail.h"

#include "core/stage.h"
#include "ctl/ctl.h"
#include "ctl/when.h"

#include <string.h>

#define LINE_MAX_BYTES 4096 /* of names and the like in one line; cut beyond */

void
detail_words(const json_t *list, struct text *text)
{
	size_t index;
	json_t *word;

	json_array_foreach(list, index, word)
	{
		text_addf(text, "%s%s", index > 0 ? ", " : "", json_string_value(word));
	}
}

void
detail_timings(const json_t *timings, struct text *text)
{
	size_t start = text->length;

	for (int stage = STAGE_LOAD; stage <= STAGE_PROBE; stage++) {
		const char *name = stage_name((enum stage)stage);
		const json_t *value = json_object_get(timings, name);

		if (!json_is_integer(value))
			continue;
		text_addf(text, "%s%s ", text->length > start ? ", " : "", name);
		when_timing((usec_t)json_integer_value(value), text);
	}
}

/* ---- failures --------------------------------------------------------------------------------------------------- */

static void
print_when(const struct screen *screen, const struct view_failure *failure, uint64_t now)
{
	char buffer[3 * WHEN_TEXT_MAX];
	struct text text = TEXT_INIT(buffer);
	uint64_t then;

	if (!when_parse(failure->time, &then))
		return;
	when_local(then, &text);
	text_add(&text, ", ");
	when_span(usec_sub(now, then), &text);
	text_add(&text, " ago");
	if (failure->link > 0)
		text_addf(&text, ", link %lld", (long long)failure->link);
	screen_pair(screen, "when", "%s", buffer);
}

static void
print_where(const struct screen *screen, const struct view_failure *failure)
{
	char buffer[WHEN_TEXT_MAX + 32];
	struct text text = TEXT_INIT(buffer);

	if (failure->elapsed > 0) {
		text_add(&text, ", ");
		when_timing((usec_t)failure->elapsed, &text);
		text_add(&text, " after it began");
	}
	screen_pair(screen, "stage", "%s%s%s%s", failure->stage, buffer,
		    failure->address ? ", at " : "", failure->address ? failure->address : "");
}

static void
print_others(const struct screen *screen, const json_t *others)
{
	size_t index;
	json_t *other;

	json_array_foreach(others, index, other)
	{
		const char *address, *code, *error = NULL;

		if (json_unpack(other, "{s:s, s:s, s?s}", "address", &address, "code", &code,
				"error", &error) == 0)
			screen_pair(screen, index ? "" : "other address", "%s: %s%s%s%s", address,
				    code, error ? " (" : "", error ? error : "", error ? ")" : "");
	}
}

static void
pair_if_any(const struct screen *screen, const char *name, const char *value)
{
	if (value)
		screen_pair(screen, name, "%s", value);
}

void
detail_failure(const struct screen *screen, const struct view_failure *failure, uint64_t now)
{
	if (now > 0)
		print_when(screen, failure, now);
	screen_pair(screen, "what", "%s", failure->message);
	screen_pair(screen, "hint", "%s", failure->hint);
	print_where(screen, failure);
	pair_if_any(screen, "error", failure->error);
	pair_if_any(screen, "alert", failure->alert);
	pair_if_any(screen, "verify", failure->verify);
	pair_if_any(screen, "evidence", failure->evidence);
	print_others(screen, failure->others);
	screen_pair(screen, "nature", "%s; blames %s", failure->life,
		    strcmp(failure->blame, "local") == 0   ? "this host" :
		    strcmp(failure->blame, "address") == 0 ? "that address" :
							     "the upstream");
}

/* ---- certificates ----------------------------------------------------------------------------------------------- */

static void
add_days(const char *not_before, const char *not_after, uint64_t now, struct text *text)
{
	uint64_t from, until;

	if (!when_parse(not_before, &from) || !when_parse(not_after, &until))
		return;
	when_day(from, text);
	text_add(text, " to ");
	when_day(until, text);
	if (now > until)
		text_addf(text, ", expired %llu days ago",
			  (unsigned long long)((now - until) / USEC_PER_DAY));
	else if (now < from)
		text_addf(text, ", not valid for another %llu days",
			  (unsigned long long)((from - now) / USEC_PER_DAY));
	else
		text_addf(text, ", %llu days left", (unsigned long long)((until - now) / USEC_PER_DAY));
}

static void
print_certificate(const struct screen *screen, const struct view_certificate *certificate,
		  size_t index, uint64_t now)
{
	char buffer[LINE_MAX_BYTES], days[3 * WHEN_TEXT_MAX] = "";
	struct text text = TEXT_INIT(buffer), days_text = TEXT_INIT(days);

	snprintf(buffer, sizeof(buffer), "cert %zu", index);
	screen_pair(screen, buffer, "%s",
		    certificate->subject[0] ? certificate->subject : "(no subject)");
	screen_pair(screen, "  issuer", "%s", certificate->issuer);
	text_init(&text, buffer, sizeof(buffer));
	detail_words(certificate->names, &text);
	if (text.length > 0)
		screen_pair(screen, "  names", "%s", buffer);
	add_days(certificate->not_before, certificate->not_after, now, &days_text);
	screen_pair(screen, "  valid", "%s", days);
	screen_pair(screen, "  sha256", "%s", certificate->sha256);
	screen_pair(screen, "  spki sha256", "%s", certificate->spki_sha256);
}

bool
detail_chain(const struct screen *screen, json_t *chain, uint64_t now, char *ret_error)
{
	struct view_certificate certificate;
	size_t index;
	json_t *item;

	json_array_foreach(chain, index, item)
	{
		if (!view_certificate(item, &certificate, ret_error))
			return false;
	}
	json_array_foreach(chain, index, item)
	{
		if (view_certificate(item, &certificate, ret_error))
			print_certificate(screen, &certificate, index, now);
	}
	return true;
}

void
detail_tls(const struct screen *screen, const struct view_tls *tls)
{
	screen_pair(screen, "tls", "%s, %s%s%s%s%s%s", tls->version, tls->cipher,
		    tls->group ? ", " : "", tls->group ? tls->group : "", tls->alpn ? ", ALPN " : "",
		    tls->alpn ? tls->alpn : "", tls->resumed ? ", resumed" : "");
}
