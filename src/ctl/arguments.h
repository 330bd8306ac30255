/*
 * The command line: options may stand anywhere, names only after the command.
 */
#pragma once

#include "ctl/screen.h"

#include <stdbool.h>

enum option {
	OPTION_SOCKET,
	OPTION_JSON,
	OPTION_COLOUR,
	OPTION_HELP,
	OPTION_VERSION,
	OPTION_LIMIT,
	OPTION_FOR,
	OPTION_TIMEOUT,
	OPTION_ROLLING,
	OPTION_DRY_RUN,
	OPTION_CONFIG,
	OPTION_CA_FILE, /* from here to OPTION_MIN_VERSION: about TLS */
	OPTION_CRL_FILE,
	OPTION_CERTIFICATE,
	OPTION_KEY,
	OPTION_VERIFY,
	OPTION_NAME,
	OPTION_PIN,
	OPTION_OCSP,
	OPTION_SNI,
	OPTION_ALPN,
	OPTION_MIN_VERSION,
	OPTION_VIA,
	OPTION_PROXY_USER,
	OPTION_PROXY_PASSWORD_FILE,
	OPTION_PROXY_PROTOCOL,
	OPTION_PROBE,
	OPTION_IPV4,
	OPTION_IPV6,
	OPTION_COUNT
};

#define OPTION_BIT(option) (1u << (option))
/* Those that go with every command. */
#define OPTIONS_GENERAL \
	(OPTION_BIT(OPTION_SOCKET) | OPTION_BIT(OPTION_JSON) | OPTION_BIT(OPTION_COLOUR) | \
	 OPTION_BIT(OPTION_HELP) | OPTION_BIT(OPTION_VERSION))

struct verb;

struct arguments {
	const struct verb *verb;	  /* NULL: none was given */
	const char *values[OPTION_COUNT]; /* NULL: not given; "" of a flag that was */
	const char **names; /* what is no option, after the command; NULL-terminated; owned */
	unsigned int name_count;
};

/*
 * arguments_parse(argc, argv, ret_arguments):
 * Read the command line; strings are borrowed from it.  Returns false, having said what is wrong (and what might have been
 * meant), where it makes no sense.  arguments_done() frees what is owned.
 */
bool arguments_parse(int argc, const char *const *argv, struct arguments *ret_arguments);
void arguments_done(struct arguments *arguments);

/*
 * arguments_has(arguments, option):
 * Whether it was given.
 */
static inline bool
arguments_has(const struct arguments *arguments, enum option option)
{
	return arguments->values[option] != NULL;
}

/*
 * arguments_describe(screen, option):
 * Print the lines of the help about `option`.
 */
void arguments_describe(const struct screen *screen, enum option option);

/*
 * arguments_suggest(word, candidates, count):
 * The one of `count` candidates that is spelled most like `word`, if it is near enough to have been meant; else NULL.
 */
const char *arguments_suggest(const char *word, const char *const *candidates, unsigned int count);
