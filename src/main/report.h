/*
 * The log: notices become lines of logfmt (syslog, stderr) or native fields (journal), written by a thread of its own behind a
 * bounded queue, so that a blocked or slow reader of the log stalls neither main nor a worker.
 */
#pragma once

#include "config/config.h"
#include "main/notice.h"

#define REPORT_QUEUE_MAX \
	4096 /* lines; when full, new ones are lost, counted, and the loss is said once there is room */

struct report;

/*
 * report_new(config, notices, ret_report):
 * Open the log as `config` says, start the writer thread, and subscribe to `notices` (borrowed).  Returns 0 or a negative errno.
 */
int report_new(const struct log_config *config, struct notices *notices, struct report **ret_report);

/*
 * report_free(report):
 * Write what is queued, for at most a second, and end; a writer stuck in syslog(3) is left behind.  Takes NULL and returns NULL.
 */
struct report *report_free(struct report *report);

/*
 * report_configure(report, config):
 * A reload changed target, level, facility or ident.
 */
void report_configure(struct report *report, const struct log_config *config);

/*
 * report_set_level(report, level):
 * Log this much from now on (SetLogLevel); the next reload that changes log.level overrides it.
 */
void report_set_level(struct report *report, enum log_level level);

/*
 * report_say(report, level, event, format, ...):
 * One line of the daemon's own, e.g. event=start or event=config with msg="…".
 */
void report_say(struct report *report, enum log_level level, const char *event, const char *format,
		...) __attribute__((format(printf, 4, 5)));

/*
 * report_lost(report):
 * How many lines were lost since the start.
 */
uint64_t report_lost(const struct report *report);
