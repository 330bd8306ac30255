/*
 * The log's writer: a thread behind a bounded queue of records, so that a reader of the log who is slow, stopped or
 * missing stalls nobody else (syslog(3) blocks for ever once its socket is full).
 */
#pragma once

#include "main/logfmt.h"

struct log_writer;

/*
 * log_writer_new(config, ret_writer):
 * Start the thread, which writes where `config` (copied) says.  Returns 0 or a negative errno.
 */
int log_writer_new(const struct log_config *config, struct log_writer **ret_writer);

/*
 * log_writer_free(writer, timeout):
 * Write what is queued, for at most `timeout`, and end.  A thread that is stuck by then is left behind with its memory.
 * Takes NULL, returns NULL.
 */
struct log_writer *log_writer_free(struct log_writer *writer, usec_t timeout);

/*
 * log_writer_put(writer, record):
 * Queue a copy of `record`.  Where REPORT_QUEUE_MAX wait already, or memory is short, it is lost and counted, and the loss is said
 * (event=log-lost) once there is room.  Never blocks.
 */
void log_writer_put(struct log_writer *writer, const struct log_record *record);

/*
 * log_writer_configure(writer, config):
 * Write where `config` (copied) says from the next line on.  Returns 0 or -ENOMEM (nothing changes then).
 */
int log_writer_configure(struct log_writer *writer, const struct log_config *config);

/*
 * log_writer_lost(writer):
 * How many lines were lost since the start.
 */
uint64_t log_writer_lost(struct log_writer *writer);
