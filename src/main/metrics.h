/*
 * The metrics, in the OpenMetrics text format (https://openmetrics.io, version 1.0.0).
 */
#pragma once

#include "main/model.h"

#include <stdio.h>

/* Daemon-wide figures the model does not know. */
struct metrics_daemon {
	uint64_t started;  /* realtime, microseconds */
	uint64_t log_lost; /* lines */
};

/*
 * metrics_write(model, daemon, out):
 * Write all of it to `out`, ending with "# EOF".  Names begin with holdfast_; labels upstream, code, reason.
 */
void metrics_write(const struct model *model, const struct metrics_daemon *daemon, FILE *out);
