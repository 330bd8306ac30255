/*
 * Failures, certificates and timings in full, as `show` and `check` print them.
 */
#pragma once

#include "base/text.h"
#include "ctl/screen.h"
#include "ctl/view.h"

#include <stdint.h>

/*
 * detail_failure(screen, failure, now):
 * Print the lines about a failure, but not its chain.  `now` is the realtime in microseconds; 0: times are not shown.
 */
void detail_failure(const struct screen *screen, const struct view_failure *failure, uint64_t now);

/*
 * detail_chain(screen, chain, now):
 * Print each certificate of a list, the leaf first.  Returns false, having printed nothing of it, where one cannot be read; the
 * reason is in `ret_error` (VIEW_ERROR_MAX bytes).
 */
bool detail_chain(const struct screen *screen, json_t *chain, uint64_t now, char *ret_error);

/*
 * detail_timings(timings, text):
 * Append "resolve 1.2 ms, connect 3.4 ms, …" in the order of the stages.
 */
void detail_timings(const json_t *timings, struct text *text);

/*
 * detail_tls(screen, tls):
 * Print what was negotiated, but not the chain.
 */
void detail_tls(const struct screen *screen, const struct view_tls *tls);

/*
 * detail_words(list, text):
 * Append the words of a list, with commas between them.
 */
void detail_words(const json_t *list, struct text *text);
