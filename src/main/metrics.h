/*
 * The metrics, in the OpenMetrics text format (https://openmetrics.io, version 1.0.0).
 */
#pragma once

#include "main/model.h"

/* Daemon-wide figures the model does not know. */
struct metrics_daemon {
	uint64_t started;  /* realtime, microseconds */
	uint64_t log_lost; /* lines */
};

#define METRICS_PIECE_MAX 32768 /* bytes of one piece, with a NUL */

/* How far the text has been written; zeros at first. */
struct metrics_walk {
	unsigned int family;	      /* the one to be written; 0: what is told of the daemon */
	bool within;		      /* its head has been written */
	char last[UPSTREAM_NAME_MAX]; /* the last upstream whose figures were, or "" */
};

/*
 * metrics_next(walk, model, daemon, text):
 * Append the next piece to `text`, which has room for METRICS_PIECE_MAX bytes.  Returns false where the last one, "# EOF", has been
 * appended.  Names begin with holdfast_; labels upstream, code, reason.  The model may change between two pieces: each figure
 * is as of its own piece.
 */
bool metrics_next(struct metrics_walk *walk, const struct model *model,
		  const struct metrics_daemon *daemon, struct text *text);
