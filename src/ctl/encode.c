/* Failures, chains and timings to JSON. */
#include "ctl/encode.h"

#include "ctl/ctl.h"

#include <string.h>
#include <time.h>

#define TEXT_BYTES 4096 /* of a message or a hint; cut beyond */
#define YEAR_LAST  9999 /* RFC 3339 knows no later one */

static json_t *
time_word(int64_t seconds)
{
	time_t instant = (time_t)seconds;
	char buffer[64];
	struct text text = TEXT_INIT(buffer);
	struct tm parts;

	/* The second is how a certificate that never ends is written (RFC 5280, section 4.1.2.5). */
	if (gmtime_r(&instant, &parts) && parts.tm_year + 1900 <= YEAR_LAST)
		text_addf(&text, "%04d-%02d-%02dT%02d:%02d:%02dZ", parts.tm_year + 1900,
			  parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
	else
		text_add(&text, "9999-12-31T23:59:59Z");
	return ctl_need(json_string(buffer));
}

json_t *
encode_text(const char *text)
{
	json_t *value = json_string(text);
	char buffer[TEXT_BYTES];
	struct text escaped = TEXT_INIT(buffer);

	if (value)
		return value;
	text_add_escaped(&escaped, text, strlen(text), NULL);
	return ctl_need(json_string(buffer));
}

json_t *
encode_address(const struct address *address)
{
	char buffer[ADDRESS_TEXT_MAX];

	if (!address_is_set(address))
		return NULL;
	return ctl_need(json_string(address_format(address, buffer, sizeof(buffer))));
}

static json_t *
encode_certificate(const struct certificate *certificate)
{
	json_t *names = ctl_need(json_array());

	for (char **name = certificate->names; name && *name; name++)
		json_array_append_new(names, json_string(*name));
	return ctl_need(json_pack("{s:s, s:s, s:o, s:o, s:o, s:s, s:s}", "subject",
				  certificate->subject, "issuer", certificate->issuer, "names",
				  names, "notBefore", time_word(certificate->not_before),
				  "notAfter", time_word(certificate->not_after), "sha256",
				  certificate->sha256, "spkiSha256", certificate->spki_sha256));
}

static json_t *
encode_chain(const struct chain *chain)
{
	json_t *list = ctl_need(json_array());

	for (unsigned int i = 0; i < chain_count(chain); i++)
		json_array_append_new(list, encode_certificate(chain_certificate(chain, i)));
	return list;
}

/* Sets a member that has something to say; an empty word says nothing. */
static void
set_word(json_t *object, const char *name, const char *word)
{
	if (word && word[0])
		json_object_set_new(object, name, ctl_need(json_string(word)));
}

/* Likewise what one of failure.h's functions appends. */
static void
set_told(json_t *object, const char *name, const struct failure *failure,
	 void (*tell)(const struct failure *failure, struct text *text))
{
	char buffer[TEXT_BYTES];
	struct text text = TEXT_INIT(buffer);

	tell(failure, &text);
	set_word(object, name, buffer);
}

/* A foreign number nobody has a name for keeps its value. */
static void
set_error(json_t *object, const struct failure *failure)
{
	char digits[16];

	snprintf(digits, sizeof(digits), "%d", failure->error);
	set_word(object, "error",
		 failure->error_name[0] ? failure->error_name :
		 failure->error != 0	? digits :
					  NULL);
}

json_t *
encode_failure(const struct failure *failure, uint64_t realtime, const char *upstream)
{
	enum failure_code code = failure->code;
	json_t *value = ctl_need(json_pack(
		"{s:o, s:s, s:s, s:s, s:s, s:s, s:s, s:o*, s:i, s:I}", "time",
		time_word((int64_t)(realtime / USEC_PER_SEC)), "upstream", upstream, "code",
		failure_name(code), "class", failure_class_name(failure_class(code)), "stage",
		stage_name(failure->stage), "life", failure_life_name(failure_life(code)), "blame",
		failure_blame_name(failure_blame(code)), "address", encode_address(&failure->peer),
		"attempt", (int)failure->attempt, "elapsedUSec", (json_int_t)failure->elapsed));

	json_object_set_new(value, "message", ctl_need(json_string("")));
	json_object_set_new(value, "hint", ctl_need(json_string("")));
	set_told(value, "message", failure, failure_message);
	set_told(value, "hint", failure, failure_hint);
	set_error(value, failure);
	set_told(value, "alert", failure, failure_alert);
	set_told(value, "verify", failure, failure_verify);
	set_told(value, "evidence", failure, failure_evidence);
	if (failure->chain)
		json_object_set_new(value, "chain", encode_chain(failure->chain));
	return value;
}

json_t *
encode_tls(const struct tls_info *tls)
{
	json_t *value = ctl_need(json_pack("{s:s, s:s, s:b, s:o}", "version", tls->version,
					   "cipher", tls->cipher, "resumed", tls->resumed, "chain",
					   encode_chain(tls->chain)));

	set_word(value, "group", tls->group);
	set_word(value, "alpn", tls->alpn);
	return value;
}

json_t *
encode_timings(const usec_t *timing)
{
	json_t *value = ctl_need(json_object());

	for (int stage = STAGE_LOAD; stage <= STAGE_PROBE; stage++) {
		if (timing[stage] != USEC_INFINITY && stage != STAGE_LOAD)
			json_object_set_new(value, stage_name((enum stage)stage),
					    json_integer((json_int_t)timing[stage]));
	}
	return value;
}
