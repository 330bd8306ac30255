/*
 * Warnings in words: what is wrong, and with whom.
 */
#pragma once

#include "mailbox/message.h"

#define WARNING_MESSAGE_MAX 1024 /* bytes of a message with its NUL; what is beyond is cut */

/*
 * warning_message(event, realtime, text):
 * Append what the warning of `event` (EVENT_WARNING) says while it is in force: one clause for the log's msg=.  `realtime` is when it came,
 * in microseconds since 1970, UTC.
 */
void warning_message(const struct event *event, uint64_t realtime, struct text *text);
