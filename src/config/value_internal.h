/*
 * What the files that read values share.  For nobody else.
 */
#pragma once

#include "config/value.h"

#define QUOTE_MAX 64 /* bytes of a foreign word that a sentence repeats */

/*
 * value_complain(site, format, ...):
 * Say what is wrong with the value.  Always returns -EINVAL.
 */
int value_complain(const struct value_site *site, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * value_wrong_type(site):
 * Say that it is not of its key's type.  Always returns -EINVAL.
 */
int value_wrong_type(const struct value_site *site);

struct quoted {
	char text[QUOTE_MAX * 4 + 8];
};

/*
 * value_quote(word):
 * A word of the file, fit for a sentence: quoted, escaped, cut.
 */
struct quoted value_quote(const char *word);

/*
 * value_is_list(setting):
 * Whether it is a list ( ) or an array [ ].
 */
bool value_is_list(const config_setting_t *setting);

/*
 * value_has_control(string):
 * Whether it holds bytes that could deceive whoever reads them in a log or a table.
 */
bool value_has_control(const char *string);

/*
 * value_read_targets(site, at), value_read_pins(site, at), value_read_protocols(site, at):
 * value_read() of these types.
 */
int value_read_targets(const struct value_site *site, void *at);
int value_read_pins(const struct value_site *site, void *at);
int value_read_protocols(const struct value_site *site, void *at);

/*
 * value_parse_status(string, ret_min, ret_max):
 * Read "204" or "200-399".  Returns 0 or -EINVAL.
 */
int value_parse_status(const char *string, unsigned int *ret_min, unsigned int *ret_max);

/*
 * value_read_step(site, at), value_read_steps(site, at):
 * value_read() of a part of the only step, and of the list of them.
 */
int value_read_step(const struct value_site *site, void *at);
int value_read_steps(const struct value_site *site, void *at);

/*
 * value_own_steps(upstream):
 * value_own() of them.
 */
int value_own_steps(struct upstream *upstream);

/*
 * value_reset_step(key, probe):
 * Take the part that `key` stands for from the only step, if there is only one.
 */
void value_reset_step(const struct schema_key *key, struct probe_policy *probe);

/*
 * value_equal_steps(key, a, b):
 * value_equal() of the list or a part: what at most one step has is told by its parts, otherwise by the list.
 */
bool value_equal_steps(const struct schema_key *key, const struct probe_policy *a,
		       const struct probe_policy *b);

/*
 * value_print_steps(key, probe, out):
 * value_print() of the list or a part.
 */
void value_print_steps(const struct schema_key *key, const struct probe_policy *probe, FILE *out);
