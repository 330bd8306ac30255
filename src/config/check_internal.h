/*
 * What the files that check an upstream share.  For nobody else.
 */
#pragma once

#include "config/check.h"

/*
 * check_blame(site, path, format, ...):
 * Blame the key at `path`, where it stands: with the upstream, in the defaults, or nowhere.
 */
void check_blame(const struct check_site *site, const char *path, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * check_sound(site, paths), SOUND(site, path, ...):
 * Whether all keys in the NULL-ended list could be read, so that they can be held against each other.
 */
bool check_sound(const struct check_site *site, const char *const *paths);
#define SOUND(site, ...) check_sound((site), (const char *const[]){ __VA_ARGS__, NULL })

/*
 * check_no_effect(site, path, format, ...):
 * The value at `path`, if any, has no effect, as the words say ("with tls.verify = ..."): a problem where the upstream itself
 * gives it; what came from the defaults is forgotten.
 */
void check_no_effect(const struct check_site *site, const char *path, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * check_word(path, value):
 * The word that the file has for `value` of the key at `path`.
 */
const char *check_word(const char *path, int value);

/*
 * check_crossed(site, low_path, low, high_path, high):
 * The lower bound is above the upper one: the one that the upstream gives itself is to blame.
 */
void check_crossed(const struct check_site *site, const char *low_path, const char *low,
		   const char *high_path, const char *high);

/*
 * check_all_are(upstream, kind), check_some_is(upstream, kind):
 * Whether all, or any, of its targets are of that kind.
 */
bool check_all_are(const struct upstream *upstream, enum target_kind kind);
bool check_some_is(const struct upstream *upstream, enum target_kind kind);

/*
 * check_proxy(site), check_starttls(site), check_probe(site), check_tls(site):
 * The parts of check_upstream(); the last only where TLS is spoken.
 */
void check_proxy(const struct check_site *site);
void check_starttls(const struct check_site *site);
void check_probe(const struct check_site *site);
void check_tls(const struct check_site *site);

/*
 * check_is_host(name, ret_kind, ret_problem):
 * Whether `name` is what stands before the port of an address, and of which kind; otherwise *ret_problem is a sentence.
 */
bool check_is_host(const char *name, enum target_kind *ret_kind, const char **ret_problem);
