/*
 * From the prepared text of a file to upstreams and the daemon's keys, by the schema; every problem is
 * noted, and one key's problem hides no other's.
 */
#pragma once

#include "config/source.h"
#include "config/schema.h"

#define JUDGED_MAX 8 /* distinct TLS settings that are remembered to be good */

/* An upstream that has been read, and where. */
struct parsed_upstream {
	struct upstream *upstream; /* with a reference */
	const char *file;	   /* borrowed from struct parsed */
	unsigned int line;
};

/* What the files of one configuration have brought so far.  Zeroed at first; ended by parsed_done(). */
struct parsed {
	struct config *config; /* whose daemon keys are filled; borrowed */
	config_check_fn check;
	struct problems *problems; /* borrowed */
	struct parsed_upstream *upstreams;
	size_t upstream_count, upstream_room;
	char **files; /* names that upstreams refer to */
	size_t file_count, file_room;
	const struct upstream *judged[JUDGED_MAX]; /* borrowed from `upstreams` */
	unsigned int judged_count;
};

/*
 * parse_source(parsed, source, is_main):
 * Add what `source` says to `parsed`.  A drop-in (not `is_main`) may hold only `upstreams` and `defaults`;
 * defaults hold for the upstreams of their own source.  Returns 0, problems having been noted or not, or
 * -ENOMEM.  Any thread.
 */
int parse_source(struct parsed *parsed, const struct source *source, bool is_main);

/*
 * parsed_done(parsed):
 * Give back what it holds.
 */
void parsed_done(struct parsed *parsed);
