/*
 * A line of the log as a record of keys and values, and its two forms: a line of logfmt for syslog and standard
 * error, and fields for the journal.  Pure: nothing is written from here.
 */
#pragma once

#include "base/text.h"
#include "main/message_id.h"
#include "main/notice.h"

#define LOG_KEY_MAX 32 /* bytes of a key with its NUL; keys are our own words and shorter */
#define LOG_RECORD_MAX \
	4096 /* bytes of all keys and values with their NULs; a value that does not fit is cut, later keys are left out */
#define LOG_LINE_MAX   8192 /* bytes of a line; what is beyond is cut */
#define LOG_FIELDS_MAX 32   /* keys of a record; later ones are left out */

struct log_record {
	enum log_level level;
	enum message_id message_id;
	uint64_t realtime; /* microseconds since 1970, UTC */
	unsigned int count;
	size_t length;		 /* bytes of `at` in use */
	char at[LOG_RECORD_MAX]; /* key NUL value NUL key NUL value NUL … */
};

/*
 * log_record_init(record, level, message_id, realtime):
 * An empty record.
 */
void log_record_init(struct log_record *record, enum log_level level, enum message_id message_id,
		     uint64_t realtime);

/*
 * log_record_add(record, key, value), log_record_addf(record, key, format, ...):
 * Add a key, which is a word of lower-case letters, digits and '_', and its value, which may hold anything but NUL.
 */
void log_record_add(struct log_record *record, const char *key, const char *value);
void log_record_addf(struct log_record *record, const char *key, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * log_record_notice(record, notice):
 * Make `record` the line that tells `notice`, keys in the order of DESIGN.md, section 5.
 */
void log_record_notice(struct log_record *record, const struct notice *notice);

/*
 * log_record_next(record, at, ret_key, ret_value):
 * A walk over the keys: `at` is 0 for the first; the result is the `at` of the next call, or 0 where there is no
 * further one (then the outputs are not set).  The strings are borrowed from `record`.
 */
size_t log_record_next(const struct log_record *record, size_t at, const char **ret_key,
		       const char **ret_value);

/*
 * log_record_size(record):
 * How many bytes of the structure are in use: a copy of so many is a whole record.
 */
size_t log_record_size(const struct log_record *record);

/*
 * logfmt_line(record, text):
 * Append key=value, separated by spaces.  A value that is empty or holds spaces, quotes, '=' or backslashes is put in
 * quotes, where a quote or a backslash has a backslash before it; control characters and octets beyond ASCII are written
 * \xNN, and a \xNN that stands in the value stays as it is.
 */
void logfmt_line(const struct log_record *record, struct text *text);

/*
 * logfmt_stderr(record, text):
 * The same with time= and level= before it.
 */
void logfmt_stderr(const struct log_record *record, struct text *text);

/*
 * logfmt_journal_key(key, text):
 * Append the journal's name of `key`: "HOLDFAST_RETRY_IN_MS" for "retry_in_ms".
 */
void logfmt_journal_key(const char *key, struct text *text);

/*
 * message_id_text(message_id):
 * The 32 hex digits.  Static.
 */
const char *message_id_text(enum message_id message_id);

/*
 * span_text(span, text):
 * Append a length of time, in microseconds, as people say it: "850 ms", "12.3 s", "4 min 12 s", "3 h 5 min", "2 d 4 h".
 */
void span_text(usec_t span, struct text *text);
