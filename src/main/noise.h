/*
 * How loud a failure is: a link that fails again and again in the same way is said a few times, and then only now and then.
 *
 * This is for the log alone: history, counters and watchers get every failure.
 */
#pragma once

#include "base/usec.h"
#include "core/failure.h"

#include <stdbool.h>
#include <stdint.h>

#define NOISE_LOUD     3	       /* so many equal failures in a row are said as they come */
#define NOISE_INTERVAL (USEC_PER_HOUR) /* at least so often one is said, however many there were */

/* Of one link; zeros at first, and whenever what comes is a fresh start. */
struct noise {
	enum failure_code code; /* of the last failure; FAILURE_NONE: there was none */
	uint64_t repeats;	/* how often it came in a row */
	usec_t said_at;		/* when it was last said */
};

/*
 * noise_hear(noise, code, now):
 * A failure has come.  Returns whether it is to be said at its usual level: where it is another one than before, one of the first
 * NOISE_LOUD, the 10th, 100th, 1000th …, or the first since NOISE_INTERVAL; noise->repeats counts it in.
 */
bool noise_hear(struct noise *noise, enum failure_code code, usec_t now);
