#include "main/logfmt.h"

#include "base/must.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define VALUE_MAX    1024 /* bytes of one formatted value; what is beyond is cut */
#define OTHERS_SHOWN 4	  /* other addresses told in a line; of more there is a count */

/* ---- the record ----------------------------------------------------------------------------------- */

void
log_record_init(struct log_record *record, enum log_level level, enum message_id message_id,
		uint64_t realtime)
{
	record->level = level;
	record->message_id = message_id;
	record->realtime = realtime;
	record->count = 0;
	record->length = 0;
}

void
log_record_add(struct log_record *record, const char *key, const char *value)
{
	size_t key_bytes = strlen(key) + 1, room = sizeof(record->at) - record->length;
	size_t value_bytes = strlen(value) + 1;

	must(key_bytes <= LOG_KEY_MAX);
	if (record->count == LOG_FIELDS_MAX || room < key_bytes + 1)
		return;
	memcpy(record->at + record->length, key, key_bytes);
	record->length += key_bytes;
	room -= key_bytes;
	text_copy(record->at + record->length, room, value);
	record->length += value_bytes < room ? value_bytes : room;
	record->count++;
}

void
log_record_addf(struct log_record *record, const char *key, const char *format, ...)
{
	char value[VALUE_MAX];
	va_list arguments;

	va_start(arguments, format);
	must(vsnprintf(value, sizeof(value), format, arguments) >= 0);
	va_end(arguments);
	log_record_add(record, key, value);
}

size_t
log_record_next(const struct log_record *record, size_t at, const char **ret_key, const char **ret_value)
{
	const char *key = record->at + at, *value;

	if (at >= record->length)
		return 0;
	value = key + strlen(key) + 1;
	*ret_key = key;
	*ret_value = value;
	return (size_t)(value - record->at) + strlen(value) + 1;
}

size_t
log_record_size(const struct log_record *record)
{
	return offsetof(struct log_record, at) + record->length;
}

/* ---- a notice as a record ------------------------------------------------------------------------- */

/* Add `key` with what `say` appends about `failure`, if it appends anything. */
static void
add_said(struct log_record *record, const char *key, const struct failure *failure,
	 void (*say)(const struct failure *failure, struct text *text))
{
	char value[VALUE_MAX];
	struct text text = TEXT_INIT(value);

	say(failure, &text);
	if (text.length > 0)
		log_record_add(record, key, value);
}

/* The foreign number by name; one that has no name, as a number. */
static void
say_error(const struct failure *failure, struct text *text)
{
	if (failure->error_name[0] != '\0')
		text_add(text, failure->error_name);
	else if (failure->error != 0)
		text_addf(text, "%d", failure->error);
}

static void
say_address(const struct failure *failure, struct text *text)
{
	char address[ADDRESS_TEXT_MAX];

	text_add(text, address_format(&failure->peer, address, sizeof(address)));
}

/* "[2001:db8::7]:636 timeout.connect; 192.0.2.8:636 connection.refused": what became of the other addresses. */
static void
say_others(const struct failure *failure, struct text *text)
{
	unsigned int count = others_count(failure->others);

	for (unsigned int i = 0; i < count && i < OTHERS_SHOWN; i++) {
		const struct address_failure *other = others_at(failure->others, i);
		char address[ADDRESS_TEXT_MAX];

		text_addf(text, "%s%s %s", i > 0 ? "; " : "",
			  address_format(&other->address, address, sizeof(address)),
			  failure_name(other->code));
	}
	if (count > OTHERS_SHOWN)
		text_addf(text, "; and %u more", count - OTHERS_SHOWN);
}

static void
add_failure(struct log_record *record, const struct failure *failure)
{
	log_record_add(record, "class", failure_class_name(failure_class(failure->code)));
	log_record_add(record, "code", failure_name(failure->code));
	log_record_add(record, "stage", stage_name(failure->stage));
	add_said(record, "address", failure, say_address);
	add_said(record, "error", failure, say_error);
	add_said(record, "alert", failure, failure_alert);
	add_said(record, "verify", failure, failure_verify);
	add_said(record, "evidence", failure, failure_evidence);
	add_said(record, "others", failure, say_others);
	if (failure->attempt > 0)
		log_record_addf(record, "attempt", "%u", (unsigned int)failure->attempt);
	log_record_addf(record, "elapsed_ms", "%llu",
			(unsigned long long)(failure->elapsed / USEC_PER_MSEC));
	if (failure->retry_delay != USEC_INFINITY)
		log_record_addf(record, "retry_in_ms", "%llu",
				(unsigned long long)(failure->retry_delay / USEC_PER_MSEC));
}

static enum message_id
notice_message_id(const struct notice *notice)
{
	static const enum message_id ids[NOTICE_KIND_COUNT] = {
		[NOTICE_STAGE] = MESSAGE_ID_STAGE,   [NOTICE_HEALTH] = MESSAGE_ID_HEALTH,
		[NOTICE_FAILURE] = MESSAGE_ID_LOCAL, [NOTICE_RECOVERY] = MESSAGE_ID_RECOVERY,
		[NOTICE_CLOSE] = MESSAGE_ID_CLOSE,   [NOTICE_WARNING] = MESSAGE_ID_WARNING,
		[NOTICE_CONFIG] = MESSAGE_ID_CONFIG,
	};

	static_assert((int)MESSAGE_ID_ADDRESS == (int)CLASS_ADDRESS &&
			      (int)MESSAGE_ID_LOCAL == (int)CLASS_LOCAL,
		      "the first message ids are the classes'");
	if (notice->failure && notice->kind == NOTICE_FAILURE)
		return (enum message_id)failure_class(notice->failure->code);
	return ids[notice->kind];
}

/* An address that failed within an attempt that went on travels as NOTICE_STAGE, and is told by its reason. */
static const char *
notice_event(const struct notice *notice)
{
	if (notice->kind == NOTICE_STAGE && notice->failure && notice->reason)
		return notice->reason;
	return notice_kind_name(notice->kind);
}

/* The part between event= and msg= where no failure is told. */
static void
add_plain(struct log_record *record, const struct notice *notice)
{
	if (notice->stage >= 0)
		log_record_add(record, "stage", stage_name((enum stage)notice->stage));
	if (notice->health >= 0)
		log_record_add(record, "health", health_name((enum health)notice->health));
	if (notice->kind == NOTICE_RECOVERY)
		log_record_addf(record, "down_ms", "%llu",
				(unsigned long long)(notice->ready_after / USEC_PER_MSEC));
}

void
log_record_notice(struct log_record *record, const struct notice *notice)
{
	const char *event = notice_event(notice);

	log_record_init(record, notice->level, notice_message_id(notice), notice->realtime);
	if (notice->upstream)
		log_record_add(record, "upstream", notice->upstream);
	if (notice->link > 0)
		log_record_addf(record, "link", "%u", notice->link);
	log_record_add(record, "event", event);
	if (notice->reason && notice->reason != event)
		log_record_add(record, "reason", notice->reason);
	if (notice->failure)
		add_failure(record, notice->failure);
	else
		add_plain(record, notice);
	if (notice->repeats > 1)
		log_record_addf(record, "repeats", "%llu", (unsigned long long)notice->repeats);
	log_record_add(record, "msg", notice->message);
	if (notice->failure)
		add_said(record, "hint", notice->failure, failure_hint);
}

/* ---- the record as a line ------------------------------------------------------------------------- */

static bool
is_plain(const char *value)
{
	for (const char *at = value; *at != '\0'; at++)
		if (*at <= ' ' || *at >= 0x7f || strchr("\"=\\", *at))
			return false;
	return value[0] != '\0';
}

/* Evidence and foreign names come with \xNN in them; said once is enough for whoever reads the line. */
static bool
is_escape(const char *at)
{
	return at[0] == '\\' && at[1] == 'x' && isxdigit((unsigned char)at[2]) &&
	       isxdigit((unsigned char)at[3]);
}

static void
add_quoted(const char *value, struct text *text)
{
	text_add(text, "\"");
	for (const char *at = value; *at != '\0'; at++) {
		unsigned char byte = (unsigned char)*at;

		if (byte == '"' || (byte == '\\' && !is_escape(at)))
			text_addf(text, "\\%c", byte);
		else if (byte < ' ' || byte >= 0x7f)
			text_addf(text, "\\x%02x", byte);
		else
			text_add_bytes(text, &byte, 1);
	}
	text_add(text, "\"");
}

static void
add_pair(const char *key, const char *value, struct text *text)
{
	text_add(text, key);
	text_add(text, "=");
	if (is_plain(value))
		text_add(text, value);
	else
		add_quoted(value, text);
}

void
logfmt_line(const struct log_record *record, struct text *text)
{
	const char *key, *value;
	size_t at = 0;

	while ((at = log_record_next(record, at, &key, &value)) > 0) {
		add_pair(key, value, text);
		if (at < record->length)
			text_add(text, " ");
	}
}

void
logfmt_stderr(const struct log_record *record, struct text *text)
{
	time_t seconds = (time_t)(record->realtime / USEC_PER_SEC);
	char stamp[32];
	struct tm tm;

	must(gmtime_r(&seconds, &tm));
	must(strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &tm) > 0);
	text_addf(text, "time=%s.%03uZ level=%s ", stamp,
		  (unsigned int)(record->realtime % USEC_PER_SEC / USEC_PER_MSEC),
		  log_level_name(record->level));
	logfmt_line(record, text);
}

void
logfmt_journal_key(const char *key, struct text *text)
{
	text_add(text, "HOLDFAST_");
	for (; *key != '\0'; key++) {
		char upper = (char)toupper((unsigned char)*key);

		text_add_bytes(text, &upper, 1);
	}
}

const char *
message_id_text(enum message_id message_id)
{
	static const char *const texts[MESSAGE_ID_COUNT] = {
#define M(id, hex, subject) [MESSAGE_ID_##id] = hex,
		MESSAGE_ID_LIST(M)
#undef M
	};

	must(message_id < MESSAGE_ID_COUNT);
	return texts[message_id];
}

/* ---- words ---------------------------------------------------------------------------------------- */

void
span_text(usec_t span, struct text *text)
{
	unsigned long long value = span;

	if (value < USEC_PER_SEC)
		text_addf(text, "%llu ms", value / USEC_PER_MSEC);
	else if (value < USEC_PER_MINUTE)
		text_addf(text, "%llu.%llu s", value / USEC_PER_SEC,
			  value % USEC_PER_SEC / (USEC_PER_SEC / 10));
	else if (value < USEC_PER_HOUR)
		text_addf(text, "%llu min %llu s", value / USEC_PER_MINUTE,
			  value % USEC_PER_MINUTE / USEC_PER_SEC);
	else if (value < USEC_PER_DAY)
		text_addf(text, "%llu h %llu min", value / USEC_PER_HOUR,
			  value % USEC_PER_HOUR / USEC_PER_MINUTE);
	else
		text_addf(text, "%llu d %llu h", value / USEC_PER_DAY,
			  value % USEC_PER_DAY / USEC_PER_HOUR);
}
