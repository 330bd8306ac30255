/*
 * One value of the schema: how it is read from a setting of libconfig, given its default, compared,
 * copied and written, by its type.
 */
#pragma once

#include "base/text.h"
#include "config/schema.h"

#include <libconfig.h>
#include <stdio.h>

/* Longest sentence about one value. */
#define VALUE_SENTENCE_MAX 1024

/* One value to be read, and who hears what is wrong with it. */
struct value_site {
	const struct schema_key *key;
	const config_setting_t *setting;
	void *object; /* the struct config or struct upstream that is being made */

	/* Called for each thing that is wrong, with a sentence that fits after "timeouts.connect: ". */
	void (*complain)(const struct value_site *site, const char *sentence);
	void *arg;
};

/*
 * value_read(site):
 * Read the setting into the object.  Returns 0; -EINVAL after having complained, with the value unchanged;
 * -ENOMEM.  Any thread that owns the object.
 */
int value_read(const struct value_site *site);

/*
 * value_reset(key, object):
 * Give `object` the default of `key`.  Returns 0 or -ENOMEM.
 */
int value_reset(const struct schema_key *key, void *object);

/*
 * value_keep(key, object, from):
 * Give `object` the value that `from` has of `key`, an integer or a string of the daemon's.  Returns 0 or -ENOMEM, with `object` as it was.
 */
int value_keep(const struct schema_key *key, struct config *object, const struct config *from);

/*
 * value_own(key, upstream):
 * After `upstream` has been given another one's policy as it stands: replace what the value of `key` borrows
 * by a copy of its own.  Returns 0 or -ENOMEM.
 */
int value_own(const struct schema_key *key, struct upstream *upstream);

/*
 * value_done(key, object):
 * Free what the value owns by itself: the strings of a struct config (an upstream's go with it).
 */
void value_done(const struct schema_key *key, void *object);

/*
 * value_equal(key, a, b):
 * Whether the value is the same in both objects.  Any thread.
 */
bool value_equal(const struct schema_key *key, const void *a, const void *b);

/*
 * value_is_empty(key, object):
 * Whether nothing has been set, so that what key->unset says holds.  It is written as "" or [ ], or, where
 * key->empty_means, by leaving the key out.
 */
bool value_is_empty(const struct schema_key *key, const void *object);

/*
 * value_is_default(key, upstream):
 * Whether the value of `key`, of an upstream, is what value_reset() gives it.
 */
bool value_is_default(const struct schema_key *key, const struct upstream *upstream);

/*
 * value_is_elsewhere(key, object):
 * Whether another key of `object` says what `key` could say: the list of a probe's steps, or the keys that stand for the only one.
 */
bool value_is_elsewhere(const struct schema_key *key, const void *object);

/*
 * value_print(key, object, out):
 * Write the value as libconfig has it, e.g. "5s" in quotes.
 */
void value_print(const struct schema_key *key, const void *object, FILE *out);

/*
 * value_print_string(string, length, out):
 * Write a string of libconfig, quoted and escaped.
 */
void value_print_string(const char *string, size_t length, FILE *out);

/*
 * value_type_name(type):
 * What the file is expected to hold, e.g. "a duration (e.g. \"5s\")".  Static.
 */
const char *value_type_name(enum schema_type type);

/*
 * value_setting_name(setting):
 * What `setting` holds, e.g. "an integer".  Static.
 */
const char *value_setting_name(const config_setting_t *setting);
