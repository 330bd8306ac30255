/*
 * Durations as the configuration and the command line write them: whole numbers with a unit, greatest
 * unit first ("500ms", "5s", "1h30m", "14d").
 */
#pragma once

#include "base/usec.h"

#include <stddef.h>

/* The longest text of duration_format(): 20 digits, "ms" and the NUL. */
#define DURATION_TEXT_MAX 24

/*
 * duration_parse(text, ret_duration):
 * Read one or more whole numbers, each with one of the units d, h, m, s, ms, without spaces; each unit at
 * most once and smaller than the one before.  What does not fit is USEC_INFINITY.  Returns 0, or -EINVAL
 * where `text` is no duration.  Any thread.
 */
int duration_parse(const char *text, usec_t *ret_duration);

/*
 * duration_format(duration, buffer, size):
 * Write the text with the greatest single unit that says it exactly ("90s", "5m", "1500ms"); what is
 * below a millisecond is dropped.  duration_parse() reads it back.  `size` at least DURATION_TEXT_MAX.
 * Returns `buffer`.  Any thread.
 */
char *duration_format(usec_t duration, char *buffer, size_t size);
