/*
 * Instants and durations for people.
 */
#pragma once

#include "base/text.h"
#include "base/usec.h"

#include <stdbool.h>
#include <stdint.h>

#define WHEN_TEXT_MAX 40 /* any text made here */

/*
 * when_parse(text, ret_realtime):
 * Read a time as the daemon tells it (RFC 3339, UTC, with or without microseconds) into microseconds since 1970.  Returns false
 * where it is none.
 */
bool when_parse(const char *text, uint64_t *ret_realtime);

/*
 * when_local(realtime, text):
 * Append "2026-11-22 21:03:07", in this host's time zone.
 */
void when_local(uint64_t realtime, struct text *text);

/*
 * when_clock(realtime, text):
 * Append "21:03:07.123", in this host's time zone.
 */
void when_clock(uint64_t realtime, struct text *text);

/*
 * when_day(realtime, text):
 * Append "2026-11-22", in UTC, as certificates count.
 */
void when_day(uint64_t realtime, struct text *text);

/*
 * when_span(span, text):
 * Append a duration roughly, in one unit: "800 ms", "12 s", "5 min", "3 h", "40 d".
 */
void when_span(usec_t span, struct text *text);

/*
 * when_brief(span, text):
 * The same for tables: "800ms", "12s", "5m", "3h", "40d".
 */
void when_brief(usec_t span, struct text *text);

/*
 * when_timing(timing, text):
 * Append a measured duration with three digits: "0.12 ms", "3.4 ms", "28 ms", "1.25 s".
 */
void when_timing(usec_t timing, struct text *text);

/*
 * when_since(text, now):
 * The time from the daemon's time `text` to `now` (realtime, microseconds); 0 where it is no time, or is still to come.
 */
usec_t when_since(const char *text, uint64_t now);
