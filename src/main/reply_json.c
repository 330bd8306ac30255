#include "main/reply_json.h"

#include "base/cleanup.h"
#include "base/text.h"

#include <string.h>
#include <time.h>

#define TEXT_MAX  4096 /* bytes of a message or a hint; cut beyond */
#define YEAR_LAST 9999 /* RFC 3339 knows no later one */

/* ---- words ------------------------------------------------------------------------------------------------------ */

/* A string that is not UTF-8 with every octet beyond ASCII as \xNN. */
static json_t *
escaped_word(const char *string)
{
	size_t size = 4 * strlen(string) + 1;
	_cleanup_(freep) char *buffer = malloc(size);
	struct text text;

	if (!buffer)
		return NULL;
	text_init(&text, buffer, size);
	for (; *string; string++) {
		if ((unsigned char)*string < 0x80)
			text_add_bytes(&text, string, 1);
		else
			text_addf(&text, "\\x%02x", (unsigned char)*string);
	}
	return json_string(buffer);
}

json_t *
reply_word(const char *string)
{
	json_t *value = json_string(string ? string : "");

	return value || !string ? value : escaped_word(string);
}

/* NULL where there is nothing to say; so all that end in _if_any. */
static json_t *
word_if_any(const char *string)
{
	return string && string[0] ? reply_word(string) : NULL;
}

static json_t *
address_if_any(const struct address *address)
{
	char buffer[ADDRESS_TEXT_MAX];

	return word_if_any(address_format(address, buffer, sizeof(buffer)));
}

static json_t *
number(uint64_t value)
{
	return json_integer(value > INT64_MAX ? INT64_MAX : (json_int_t)value);
}

static json_t *
number_if_any(uint64_t value)
{
	return value ? number(value) : NULL;
}

static json_t *
duration_if_any(usec_t duration)
{
	return duration == USEC_INFINITY ? NULL : number(duration);
}

struct member {
	const char *name;
	json_t *value; /* a reference for the object; NULL: not there */
	bool optional; /* left out if it is not there; otherwise its absence is want of memory */
};

/* The object of `count` members, which are consumed whatever happens. */
static json_t *
object_of(const struct member *members, size_t count)
{
	json_t *object = json_object();
	bool whole = object;

	for (size_t i = 0; i < count; i++) {
		const struct member *member = &members[i];

		if ((member->value || !member->optional) &&
		    json_object_set_new(object, member->name, member->value) < 0)
			whole = false;
	}
	if (whole)
		return object;
	json_decref(object);
	return NULL;
}

/* Adds one more to `array`; returns it, or NULL (and ends it) where either is missing. */
static json_t *
array_with(json_t *array, json_t *value)
{
	if (json_array_append_new(array, value) == 0)
		return array;
	json_decref(array);
	return NULL;
}

/* Likewise for the member `name` of `object`. */
static json_t *
object_with(json_t *object, const char *name, json_t *value)
{
	if (json_object_set_new(object, name, value) == 0)
		return object;
	json_decref(object);
	return NULL;
}

static json_t *
time_word(int64_t seconds, unsigned int micros)
{
	/* As the validity of a certificate that never ends is written (RFC 5280, section 4.1.2.5). */
	static const char latest[] = "9999-12-31T23:59:59.999999Z";
	time_t instant = (time_t)seconds;
	char whole[64];
	struct text text = TEXT_INIT(whole);
	struct tm parts;

	if (!gmtime_r(&instant, &parts) || parts.tm_year + 1900 > YEAR_LAST)
		return json_string(latest);
	text_addf(&text, "%04d-%02d-%02dT%02d:%02d:%02d.%06uZ", parts.tm_year + 1900,
		  parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, micros);
	return json_string(whole);
}

json_t *
reply_time(uint64_t realtime)
{
	return time_word((int64_t)(realtime / USEC_PER_SEC), (unsigned int)(realtime % USEC_PER_SEC));
}

/* ---- certificates and failures ---------------------------------------------------------------------------------- */

static json_t *
certificate_value(const struct certificate *certificate)
{
	json_t *names = json_array();

	for (char **name = certificate->names; name && *name && names; name++)
		names = array_with(names, reply_word(*name));

	const struct member members[] = {
		{ "subject", reply_word(certificate->subject) },
		{ "issuer", reply_word(certificate->issuer) },
		{ "names", names },
		{ "notBefore", time_word(certificate->not_before, 0) },
		{ "notAfter", time_word(certificate->not_after, 0) },
		{ "sha256", reply_word(certificate->sha256) },
		{ "spkiSha256", reply_word(certificate->spki_sha256) },
	};

	return object_of(members, COUNT_OF(members));
}

static json_t *
chain_value(const struct chain *chain)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < chain_count(chain) && list; i++)
		list = array_with(list, certificate_value(chain_certificate(chain, i)));
	return list;
}

static json_t *
address_failure_value(const struct address_failure *other)
{
	char buffer[ADDRESS_TEXT_MAX];
	const struct member members[] = {
		{ "address", reply_word(address_format(&other->address, buffer, sizeof(buffer))) },
		{ "code", reply_word(failure_name(other->code)) },
		{ "error", word_if_any(other->error), true },
	};

	return object_of(members, COUNT_OF(members));
}

static json_t *
others_if_any(const struct others *others)
{
	json_t *list = others_count(others) ? json_array() : NULL;

	for (unsigned int i = 0; i < others_count(others) && list; i++)
		list = array_with(list, address_failure_value(others_at(others, i)));
	return list;
}

/* One of failure.h's functions that append to a text, as a word. */
static json_t *
told(const struct failure *failure, void (*tell)(const struct failure *failure, struct text *text))
{
	char buffer[TEXT_MAX];
	struct text text = TEXT_INIT(buffer);

	tell(failure, &text);
	return reply_word(buffer);
}

static json_t *
told_if_any(const struct failure *failure,
	    void (*tell)(const struct failure *failure, struct text *text))
{
	json_t *value = told(failure, tell);

	if (json_string_length(value) > 0)
		return value;
	json_decref(value);
	return NULL;
}

/* A foreign number nobody has a name for keeps its value. */
static json_t *
error_if_any(const struct failure *failure)
{
	char digits[16];

	if (failure->error_name[0] || failure->error == 0)
		return word_if_any(failure->error_name);
	snprintf(digits, sizeof(digits), "%d", failure->error);
	return json_string(digits);
}

json_t *
reply_failure(const char *name, const struct history_entry *entry)
{
	const struct failure *failure = &entry->failure;
	enum failure_code code = failure->code;
	const struct member members[] = {
		{ "time", reply_time(entry->realtime) },
		{ "upstream", reply_word(name) },
		{ "link", number_if_any(entry->link), true },
		{ "code", reply_word(failure_name(code)) },
		{ "class", reply_word(failure_class_name(failure_class(code))) },
		{ "stage", reply_word(stage_name(failure->stage)) },
		{ "life", reply_word(failure_life_name(failure_life(code))) },
		{ "blame", reply_word(failure_blame_name(failure_blame(code))) },
		{ "address", address_if_any(&failure->peer), true },
		{ "otherAddresses", others_if_any(failure->others), true },
		{ "attempt", number(failure->attempt) },
		{ "elapsedUSec", number(failure->elapsed) },
		{ "retryInUSec", duration_if_any(failure->retry_delay), true },
		{ "error", error_if_any(failure), true },
		{ "alert", told_if_any(failure, failure_alert), true },
		{ "verify", told_if_any(failure, failure_verify), true },
		{ "evidence", told_if_any(failure, failure_evidence), true },
		{ "message", told(failure, failure_message) },
		{ "hint", told(failure, failure_hint) },
		{ "chain", failure->chain ? chain_value(failure->chain) : NULL, true },
	};

	return object_of(members, COUNT_OF(members));
}

/* ---- links ------------------------------------------------------------------------------------------------------ */

static json_t *
tls_value(const struct tls_info *tls)
{
	const struct member members[] = {
		{ "version", reply_word(tls->version) },
		{ "cipher", reply_word(tls->cipher) },
		{ "group", word_if_any(tls->group), true },
		{ "alpn", word_if_any(tls->alpn), true },
		{ "resumed", json_boolean(tls->resumed) },
		{ "chain", chain_value(tls->chain) },
	};

	return object_of(members, COUNT_OF(members));
}

/* The stages of the type Timings; load takes no time worth telling. */
static json_t *
timings_value(const usec_t *timing)
{
	static const enum stage told_stages[] = { STAGE_RESOLVE,  STAGE_CONNECT,   STAGE_PROXY,
						  STAGE_STARTTLS, STAGE_HANDSHAKE, STAGE_SETTLE,
						  STAGE_PROBE };
	json_t *value = json_object();

	for (size_t i = 0; i < COUNT_OF(told_stages) && value; i++) {
		enum stage stage = told_stages[i];

		if (timing[stage] != USEC_INFINITY)
			value = object_with(value, stage_name(stage), duration_if_any(timing[stage]));
	}
	return value;
}

static json_t *
link_value(const struct model_link *link, const struct moment *moment)
{
	const struct link_status *status = &link->status;
	const struct member members[] = {
		{ "number", number(link->number) },
		{ "stage", reply_word(stage_name(status->stage)) },
		{ "since", reply_time(moment->epoch + status->since) },
		{ "address", address_if_any(&status->address), true },
		{ "source", address_if_any(&status->source), true },
		{ "attempt", number(status->attempt) },
		{ "retryInUSec", duration_if_any(usec_sub(status->retry_at, moment->now)), true },
		{ "timings", timings_value(status->timing) },
		{ "rttUSec", number_if_any(status->rtt), true },
		{ "tls", status->has_tls ? tls_value(&status->tls) : NULL, true },
		{ "bytesReceived", number(status->bytes_received) },
		{ "bytesSent", number(status->bytes_sent) },
	};

	return object_of(members, COUNT_OF(members));
}

/* A link nobody has reported on yet has done nothing yet. */
static json_t *
new_link_value(const struct model_link *link, uint64_t since)
{
	const struct member members[] = {
		{ "number", number(link->number) }, { "stage", reply_word(stage_name(STAGE_IDLE)) },
		{ "since", reply_time(since) },	    { "attempt", number(0) },
		{ "timings", json_object() },	    { "bytesReceived", number(0) },
		{ "bytesSent", number(0) },
	};

	return object_of(members, COUNT_OF(members));
}

static json_t *
links_value(const struct model_upstream *known, const struct moment *moment)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < known->link_count && list; i++) {
		const struct model_link *link = &known->links[i];

		list = array_with(list, link->known ? link_value(link, moment) :
						      new_link_value(link, known->health_since));
	}
	return list;
}

/* ---- upstreams -------------------------------------------------------------------------------------------------- */

static json_t *
addresses_value(const struct upstream *upstream)
{
	char buffer[TARGET_HOST_MAX + 16];
	json_t *list = json_array();

	for (unsigned int i = 0; i < upstream->target_count && list; i++)
		list = array_with(list, reply_word(target_format(&upstream->targets[i], buffer,
								 sizeof(buffer))));
	return list;
}

static json_t *
warnings_value(uint32_t warnings)
{
	json_t *list = json_array();

	for (unsigned int kind = 0; kind < WARNING_COUNT && list; kind++) {
		if (warnings & (UINT32_C(1) << kind))
			list = array_with(list, reply_word(warning_name((enum warning_kind)kind)));
	}
	return list;
}

static json_t *
counters_value(const struct model_counters *counters)
{
	const struct member members[] = {
		{ "attempts", number(counters->attempts) },
		{ "established", number(counters->established) },
		{ "failed", number(counters->failed) },
		{ "closed", number(counters->closed) },
		{ "lent", number(counters->lent) },
		{ "lendFailed", number(counters->lend_failed) },
	};

	return object_of(members, COUNT_OF(members));
}

static json_t *
failures_value(const uint64_t *failures)
{
	json_t *value = json_object();

	for (int code = FAILURE_NONE + 1; code < FAILURE_COUNT && value; code++) {
		if (failures[code] > 0)
			value = object_with(value, failure_name((enum failure_code)code),
					    number(failures[code]));
	}
	return value;
}

static json_t *
closes_value(const uint64_t *closes)
{
	json_t *value = json_object();

	for (int reason = 0; reason < CLOSE_REASON_COUNT && value; reason++) {
		if (closes[reason] > 0)
			value = object_with(value, close_reason_name((enum close_reason)reason),
					    number(closes[reason]));
	}
	return value;
}

static json_t *
availability_value(struct availability *availability, usec_t now)
{
	static const char *const names[AVAILABILITY_WINDOWS] = {
		[AVAILABILITY_HOUR] = "hour",
		[AVAILABILITY_DAY] = "day",
		[AVAILABILITY_MONTH] = "month",
	};
	json_t *value = json_object();

	for (int window = 0; window < AVAILABILITY_WINDOWS && value; window++) {
		double share;

		if (availability_share(availability, (enum availability_window)window, now, &share))
			value = object_with(value, names[window], json_real(share));
	}
	return value;
}

static json_t *
last_failure_if_any(const struct model_upstream *known)
{
	unsigned int count = history_count(known->history);

	return count ? reply_failure(known->upstream->name, history_at(known->history, count - 1)) :
		       NULL;
}

json_t *
reply_upstream(struct model_upstream *known, const struct moment *moment)
{
	struct link_census census;

	model_census(known, &census);

	const struct member members[] = {
		{ "name", reply_word(known->upstream->name) },
		{ "health", reply_word(health_name(known->health)) },
		{ "since", reply_time(known->health_since) },
		{ "addresses", addresses_value(known->upstream) },
		{ "wanted", number(census.wanted) },
		{ "ready", number(census.ready) },
		{ "lent", number(census.lent) },
		{ "reach", number(known->reach) },
		{ "links", links_value(known, moment) },
		{ "lastFailure", last_failure_if_any(known), true },
		{ "warnings", warnings_value(known->warnings) },
		{ "counters", counters_value(&known->counters) },
		{ "failures", failures_value(known->failures) },
		{ "closes", closes_value(known->closes) },
		{ "availability", availability_value(&known->availability, moment->now) },
	};

	return object_of(members, COUNT_OF(members));
}

/* ---- events and reloads ----------------------------------------------------------------------------------------- */

static json_t *
notice_failure_if_any(const struct notice *notice)
{
	struct history_entry entry = { .realtime = notice->realtime, .link = notice->link };

	if (!notice->failure)
		return NULL;
	entry.failure = *notice->failure; /* borrowed with its references */
	return reply_failure(notice->upstream, &entry);
}

json_t *
reply_event(const struct notice *notice)
{
	const char *stage = notice->stage < 0 ? NULL : stage_name((enum stage)notice->stage);
	const char *health = notice->health < 0 ? NULL : health_name((enum health)notice->health);
	const struct member members[] = {
		{ "time", reply_time(notice->realtime) },
		{ "kind", reply_word(notice_kind_name(notice->kind)) },
		{ "upstream", word_if_any(notice->upstream), true },
		{ "link", number_if_any(notice->link), true },
		{ "stage", word_if_any(stage), true },
		{ "health", word_if_any(health), true },
		{ "failure", notice_failure_if_any(notice), true },
		{ "reason", word_if_any(notice->reason), true },
		{ "message", reply_word(notice->message) },
	};

	return object_of(members, COUNT_OF(members));
}

static json_t *
change_value(const struct change *change)
{
	const struct upstream *upstream = change->after ? change->after : change->before;
	json_t *keys = json_array();

	for (unsigned int i = 0; i < change->key_count && keys; i++)
		keys = array_with(keys, reply_word(change->keys[i]));

	const struct member members[] = {
		{ "upstream", reply_word(upstream->name) },
		{ "kind", reply_word(change_kind_name(change->kind)) },
		{ "keys", keys },
	};

	return object_of(members, COUNT_OF(members));
}

json_t *
reply_changes(const struct diff *diff)
{
	json_t *list = json_array();

	for (size_t i = 0; i < diff->count && list; i++)
		list = array_with(list, change_value(&diff->changes[i]));
	return list;
}

static json_t *
problem_value(const char *file, unsigned int line, const char *message)
{
	const struct member members[] = {
		{ "file", reply_word(file) },
		{ "line", number(line) },
		{ "message", reply_word(message) },
	};

	return object_of(members, COUNT_OF(members));
}

json_t *
reply_problems(const struct problems *problems)
{
	json_t *list = json_array();
	char rest[64];

	for (size_t i = 0; i < problems->count && list; i++) {
		const struct problem *problem = &problems->at[i];

		list = array_with(list, problem_value(problem->file, problem->line, problem->message));
	}
	if (list && problems->left_out > 0) {
		snprintf(rest, sizeof(rest), "%zu more are not shown", problems->left_out);
		list = array_with(list, problem_value("", 0, rest));
	}
	return list;
}
