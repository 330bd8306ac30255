/* The caller's place in our source is no use to whoever reads the journal. */
#define SD_JOURNAL_SUPPRESS_LOCATION

#include "main/log_sink.h"

#include "base/must.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <syslog.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

/* Fields of a journal entry besides the record's own: MESSAGE, MESSAGE_ID, PRIORITY, SYSLOG_FACILITY, SYSLOG_IDENTIFIER. */
#define JOURNAL_EXTRA 5

struct log_sink {
	enum log_target target;
	int facility;	   /* LOG_DAEMON, … */
	bool from_journal; /* standard error is read by the journal, which keeps its own time */
	char ident[];
};

static const struct {
	const char *name;
	int number;
} facilities[] = {
	{ "kern", LOG_KERN },	  { "user", LOG_USER },		{ "mail", LOG_MAIL },
	{ "daemon", LOG_DAEMON }, { "auth", LOG_AUTH },		{ "syslog", LOG_SYSLOG },
	{ "lpr", LOG_LPR },	  { "news", LOG_NEWS },		{ "uucp", LOG_UUCP },
	{ "cron", LOG_CRON },	  { "authpriv", LOG_AUTHPRIV }, { "ftp", LOG_FTP },
	{ "local0", LOG_LOCAL0 }, { "local1", LOG_LOCAL1 },	{ "local2", LOG_LOCAL2 },
	{ "local3", LOG_LOCAL3 }, { "local4", LOG_LOCAL4 },	{ "local5", LOG_LOCAL5 },
	{ "local6", LOG_LOCAL6 }, { "local7", LOG_LOCAL7 },
};

static int
facility_find(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(facilities); i++)
		if (strcmp(facilities[i].name, name) == 0)
			return facilities[i].number;
	return -EINVAL;
}

int
log_sink_new(const struct log_config *config, struct log_sink **ret_sink)
{
	size_t ident_bytes = strlen(config->ident) + 1;
	int facility = facility_find(config->facility);
	struct log_sink *sink;

	if (facility < 0)
		return facility;
	sink = malloc(sizeof(*sink) + ident_bytes);
	if (!sink)
		return -ENOMEM;
	*sink = (struct log_sink){
		.target = config->target,
		.facility = facility,
		.from_journal = getenv("JOURNAL_STREAM") != NULL,
	};
	memcpy(sink->ident, config->ident, ident_bytes);
	*ret_sink = sink;
	return 0;
}

struct log_sink *
log_sink_free(struct log_sink *sink)
{
	free(sink);
	return NULL;
}

void
log_sink_open(const struct log_sink *sink)
{
	closelog();
	if (sink->target == LOG_TARGET_SYSLOG)
		openlog(sink->ident, LOG_PID | LOG_NDELAY, sink->facility);
}

/* Whether it makes sense to write once more after `error`; waits for room where there is none. */
static bool
may_write_again(int error)
{
	struct pollfd out = { .fd = STDERR_FILENO, .events = POLLOUT };

	if (error == EAGAIN)
		(void)poll(&out, 1, -1);
	return error == EAGAIN || error == EINTR;
}

static int
write_stderr(const struct log_sink *sink, const struct log_record *record)
{
	char line[LOG_LINE_MAX];
	struct text text;
	const char *at = line;
	size_t left;

	/* One byte is kept for the end of the line, also where the text was cut. */
	text_init(&text, line, sizeof(line) - 1);
	if (sink->from_journal) {
		text_addf(&text, "<%d>", (int)record->level);
		logfmt_line(record, &text);
	} else {
		logfmt_stderr(record, &text);
	}
	line[text.length] = '\n';
	for (left = text.length + 1; left > 0;) {
		ssize_t written = write(STDERR_FILENO, at, left);

		if (written < 0 && !may_write_again(errno))
			return -errno;
		at += written > 0 ? written : 0;
		left -= written > 0 ? (size_t)written : 0;
	}
	return 0;
}

/* The fields of a journal entry, one after the other in a buffer. */
struct entry {
	struct iovec fields[LOG_FIELDS_MAX + JOURNAL_EXTRA];
	int count;
	struct text text;
};

static void
entry_end_field(struct entry *entry, size_t start)
{
	entry->fields[entry->count].iov_base = entry->text.at + start;
	entry->fields[entry->count].iov_len = entry->text.length - start;
	entry->count++;
}

static void __attribute__((format(printf, 2, 3)))
entry_addf(struct entry *entry, const char *format, ...)
{
	char value[128];
	size_t start = entry->text.length;
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(value, sizeof(value), format, arguments);
	va_end(arguments);
	text_add(&entry->text, value);
	entry_end_field(entry, start);
}

static int
write_journal(const struct log_sink *sink, const struct log_record *record)
{
	char buffer[LOG_LINE_MAX + LOG_RECORD_MAX + LOG_FIELDS_MAX * 16 + 512];
	struct entry entry = { .text = TEXT_INIT(buffer) };
	const char *key, *value;
	size_t at = 0, start;

	entry_addf(&entry, "PRIORITY=%d", (int)record->level);
	entry_addf(&entry, "SYSLOG_FACILITY=%d", sink->facility >> 3);
	entry_addf(&entry, "SYSLOG_IDENTIFIER=%s", sink->ident);
	entry_addf(&entry, "MESSAGE_ID=%s", message_id_text(record->message_id));
	while ((at = log_record_next(record, at, &key, &value)) > 0) {
		start = entry.text.length;
		logfmt_journal_key(key, &entry.text);
		text_add(&entry.text, "=");
		text_add(&entry.text, value);
		entry_end_field(&entry, start);
	}
	/* The last, since it is the one that may be cut. */
	start = entry.text.length;
	text_add(&entry.text, "MESSAGE=");
	logfmt_line(record, &entry.text);
	entry_end_field(&entry, start);
	return sd_journal_sendv(entry.fields, entry.count);
}

static int
write_syslog(const struct log_record *record)
{
	char line[LOG_LINE_MAX];
	struct text text = TEXT_INIT(line);

	logfmt_line(record, &text);
	syslog((int)record->level, "%s", line);
	return 0;
}

int
log_sink_write(const struct log_sink *sink, const struct log_record *record)
{
	switch (sink->target) {
	case LOG_TARGET_SYSLOG: return write_syslog(record);
	case LOG_TARGET_JOURNAL: return write_journal(sink, record);
	case LOG_TARGET_STDERR: return write_stderr(sink, record);
	}
	must_not_reach();
}
