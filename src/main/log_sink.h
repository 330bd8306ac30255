/*
 * Where a line of the log goes: syslog(3), the journal, or standard error.  May block as long as its reader likes, so it
 * is used by the writer's thread alone (main/log_writer).
 */
#pragma once

#include "main/logfmt.h"

struct log_sink;

/*
 * log_sink_new(config, ret_sink), log_sink_free(sink):
 * What `config` (copied) says; nothing is opened yet.  Returns 0, -ENOMEM, or -EINVAL where the facility is unknown.
 * log_sink_free() takes NULL and returns NULL.  Any thread.
 */
int log_sink_new(const struct log_config *config, struct log_sink **ret_sink);
struct log_sink *log_sink_free(struct log_sink *sink);

/*
 * log_sink_open(sink):
 * Begin to use `sink`, which must live until another one is opened.  The writer's thread.
 */
void log_sink_open(const struct log_sink *sink);

/*
 * log_sink_write(sink, record):
 * Write one line.  Blocks, also where standard error is non-blocking and full.  Returns 0, or a negative errno where the line is lost as far
 * as can be seen: syslog(3) does not tell, and neither does libsystemd where there is no journal.  The writer's thread.
 */
int log_sink_write(const struct log_sink *sink, const struct log_record *record);

CLEANUP_DEFINE(struct log_sink *, log_sink_free)
