#include "main/report.h"

#include "main/log_writer.h"
#include "sys/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define FREE_TIMEOUT (1 * USEC_PER_SEC) /* what is queued at the end gets no more time than this */
#define SAY_MAX	     1024 /* bytes of a line of the daemon's own; what is beyond is cut */

struct report {
	struct log_writer *writer;
	struct subscriber subscriber;
	enum log_level level;	   /* in force */
	enum log_level configured; /* by the file: SetLogLevel holds until this changes */
};

static void
on_notice(void *arg, const struct notice *notice)
{
	struct report *report = arg;
	struct log_record record;

	if (notice->level > report->level)
		return;
	log_record_notice(&record, notice);
	log_writer_put(report->writer, &record);
}

int
report_new(const struct log_config *config, struct notices *notices, struct report **ret_report)
{
	struct report *report = calloc(1, sizeof(*report));
	int r;

	if (!report)
		return -ENOMEM;
	r = log_writer_new(config, &report->writer);
	if (r < 0) {
		free(report);
		return r;
	}
	report->level = report->configured = config->level;
	report->subscriber = (struct subscriber){ .fn = on_notice, .arg = report };
	notices_subscribe(notices, &report->subscriber);
	*ret_report = report;
	return 0;
}

struct report *
report_free(struct report *report)
{
	if (!report)
		return NULL;
	notices_unsubscribe(&report->subscriber);
	report->writer = log_writer_free(report->writer, FREE_TIMEOUT);
	free(report);
	return NULL;
}

void
report_configure(struct report *report, const struct log_config *config)
{
	if (config->level != report->configured)
		report->level = report->configured = config->level;
	if (log_writer_configure(report->writer, config) < 0)
		report_say(report, LEVEL_ERROR, "config",
			   "out of memory: the log goes on as it was configured before");
}

void
report_set_level(struct report *report, enum log_level level)
{
	report->level = level;
}

void
report_say(struct report *report, enum log_level level, const char *event, const char *format, ...)
{
	char message[SAY_MAX];
	struct log_record record;
	va_list arguments;

	if (level > report->level)
		return;
	va_start(arguments, format);
	vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	log_record_init(&record, level, MESSAGE_ID_DAEMON, clock_realtime());
	log_record_add(&record, "event", event);
	log_record_add(&record, "msg", message);
	log_writer_put(report->writer, &record);
}

uint64_t
report_lost(const struct report *report)
{
	return log_writer_lost(report->writer);
}
