/*
 * What a worker has told, as the types of io.holdfast.Control: `check` shows and prints the same things as the daemon would.
 *
 * Each returns a new reference, never NULL: without memory the program ends.
 */
#pragma once

#include "core/failure.h"
#include "sys/tls.h"

#include <jansson.h>

/*
 * encode_text(text):
 * A text from the command line or the like; what is no UTF-8 is escaped as \xNN.
 */
json_t *encode_text(const char *text);

/*
 * encode_address(address):
 * Its text, or NULL where it is unset.
 */
json_t *encode_address(const struct address *address);

/*
 * encode_failure(failure, realtime, upstream):
 * The type Failure, seen at `realtime` (microseconds).
 */
json_t *encode_failure(const struct failure *failure, uint64_t realtime, const char *upstream);

/*
 * encode_tls(tls):
 * The type TLS.
 */
json_t *encode_tls(const struct tls_info *tls);

/*
 * encode_timings(timing):
 * The type Timings, from durations by stage; USEC_INFINITY: it did not run.
 */
json_t *encode_timings(const usec_t *timing);
