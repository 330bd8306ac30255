/* The command line. */
#include "ctl/arguments.h"

#include "base/cleanup.h"
#include "base/text.h"
#include "ctl/verb.h"

#include <stdlib.h>
#include <string.h>

struct option_row {
	const char *name;  /* without the dashes */
	char letter;	   /* or 0 */
	const char *value; /* what it is called in the help; NULL: a flag */
	const char *says;
};

static const struct option_row rows[OPTION_COUNT] = {
	[OPTION_SOCKET] = { "socket", 0, "PATH", "the daemon's control socket" },
	[OPTION_JSON] = { "json", 0, NULL, "print JSON, for scripts" },
	[OPTION_COLOUR] = { "color", 0, "WHEN", "auto, always or never" },
	[OPTION_HELP] = { "help", 'h', NULL, "this text; after a command, the command's" },
	[OPTION_VERSION] = { "version", 0, NULL, "the version of holdfastctl" },
	[OPTION_LIMIT] = { "limit", 'n', "N", "show the newest N failures (default 64)" },
	[OPTION_FOR] = { "for", 0, "HEALTH", "up (default), degraded, down, paused, offline, starting" },
	[OPTION_TIMEOUT] = { "timeout", 0, "TIME",
			     "give up after TIME, e.g. 500ms or 1m (wait: 30s, or none; check: each stage)" },
	[OPTION_ROLLING] = { "rolling", 0, NULL, "never fewer ready connections than before" },
	[OPTION_DRY_RUN] = { "dry-run", 0, NULL, "only say what would change" },
	[OPTION_CONFIG] = { "config", 'c', "FILE", "the configuration that NAME is looked up in" },
	[OPTION_CA_FILE] = { "ca-file", 0, "FILE", "trust these CA certificates, not the system's" },
	[OPTION_CRL_FILE] = { "crl-file", 0, "FILE", "lists of what these have revoked" },
	[OPTION_CERTIFICATE] = { "cert", 0, "FILE", "our certificate, with its chain" },
	[OPTION_KEY] = { "key", 0, "FILE", "its key" },
	[OPTION_VERIFY] = { "verify", 0, "WHAT", "full (default), chain (not the name), pin or none" },
	[OPTION_NAME] = { "name", 0, "NAME", "the name to verify, and to send as SNI" },
	[OPTION_PIN] = { "pin", 0, "LIST", "SHA-256 of the server's public key, as check shows it" },
	[OPTION_OCSP] = { "ocsp", 0, "WHAT", "off (default), check or require a stapled OCSP response" },
	[OPTION_SNI] = { "sni", 0, "NAME", "another name to send; \"\" sends none" },
	[OPTION_ALPN] = { "alpn", 0, "LIST", "protocols to offer, e.g. h2,http/1.1" },
	[OPTION_MIN_VERSION] = { "min-version", 0, "VERSION", "1.0, 1.1, 1.2 (default) or 1.3" },
	[OPTION_VIA] = { "via", 0, "URL", "a proxy: http://host:port or socks5://host:port" },
	[OPTION_PROXY_USER] = { "proxy-user", 0, "NAME", "who we are to the proxy" },
	[OPTION_PROXY_PASSWORD_FILE] = { "proxy-password-file", 0, "FILE",
					 "its first line is the password" },
	[OPTION_PROXY_PROTOCOL] = { "proxy-protocol", 0, "VERSION",
				    "send a PROXY header first: v1 or v2" },
	[OPTION_PROBE] = { "probe", 0, "KIND", "ask the application: http:/health, redis, ... or none" },
	[OPTION_IPV4] = { "ipv4", '4', NULL, "IPv4 addresses only" },
	[OPTION_IPV6] = { "ipv6", '6', NULL, "IPv6 addresses only" },
};

#define SYNOPSIS_MAX	40
#define HELP_INDENT	24
#define SUGGEST_LETTERS 3 /* so many letters of a word for each one that may be wrong */

const char *
arguments_suggest(const char *word, const char *const *candidates, unsigned int count)
{
	unsigned int best = (unsigned int)strlen(word) / SUGGEST_LETTERS + 1;
	const char *found = NULL;

	for (unsigned int i = 0; i < count; i++) {
		unsigned int distance = text_distance(word, candidates[i]);

		if (distance <= best && distance < strlen(candidates[i])) {
			if (found && distance == best)
				continue;
			best = distance;
			found = candidates[i];
		}
	}
	return found;
}

static int
find_long(const char *name, size_t length)
{
	for (int i = 0; i < OPTION_COUNT; i++) {
		if (strlen(rows[i].name) == length && strncmp(rows[i].name, name, length) == 0)
			return i;
	}
	return -1;
}

static int
find_letter(char letter)
{
	for (int i = 0; i < OPTION_COUNT; i++) {
		if (rows[i].letter != 0 && rows[i].letter == letter)
			return i;
	}
	return -1;
}

static void
complain_unknown(const char *word)
{
	_cleanup_(freep) char *name = ctl_need(strdup(word + strspn(word, "-")));
	const char *candidates[OPTION_COUNT], *nearest;

	name[strcspn(name, "=")] = '\0';
	for (int i = 0; i < OPTION_COUNT; i++)
		candidates[i] = rows[i].name;
	nearest = strlen(name) > 1 ? arguments_suggest(name, candidates, OPTION_COUNT) : NULL;
	if (nearest)
		ctl_complain("there is no option %s; did you mean --%s?", word, nearest);
	else
		ctl_complain("there is no option %s; see holdfastctl --help", word);
}

struct reader {
	int argc, at;
	const char *const *argv;
	struct arguments *arguments;
};

/* The value of option `found`: `attached`, or the next word. */
static bool
take_option(struct reader *reader, int found, const char *attached)
{
	const struct option_row *row = &rows[found];

	if (!row->value && attached) {
		ctl_complain("--%s takes no value", row->name);
		return false;
	}
	if (row->value && !attached && reader->at < reader->argc)
		attached = reader->argv[reader->at++];
	/* An empty shell variable shall not stand for the default; only SNI can be switched off by it. */
	if (row->value && attached && !attached[0] && found != OPTION_SNI)
		attached = NULL;
	if (row->value && !attached) {
		ctl_complain("--%s needs a value: --%s=%s", row->name, row->name, row->value);
		return false;
	}
	reader->arguments->values[found] = attached ? attached : "";
	return true;
}

static bool
take_long(struct reader *reader, const char *word)
{
	const char *name = word + 2, *equals = strchr(name, '=');
	int found = find_long(name, equals ? (size_t)(equals - name) : strlen(name));

	if (found < 0) {
		complain_unknown(word);
		return false;
	}
	return take_option(reader, found, equals ? equals + 1 : NULL);
}

/* One word of letters: flags may stand together, and the value of the last one may be attached. */
static bool
take_letters(struct reader *reader, const char *word)
{
	for (const char *letter = word + 1; *letter; letter++) {
		int found = find_letter(*letter);

		if (found < 0) {
			complain_unknown(word);
			return false;
		}
		if (rows[found].value)
			return take_option(reader, found, letter[1] ? letter + 1 : NULL);
		reader->arguments->values[found] = "";
	}
	return true;
}

static bool
take_word(struct reader *reader, const char *word)
{
	struct arguments *arguments = reader->arguments;
	const char *nearest;

	if (arguments->verb) {
		arguments->names[arguments->name_count++] = word;
		return true;
	}
	arguments->verb = verb_find(word);
	if (arguments->verb)
		return true;
	nearest = verb_nearest(word);
	if (nearest)
		ctl_complain("there is no command %s; did you mean %s?", word, nearest);
	else
		ctl_complain("there is no command %s; see holdfastctl --help", word);
	return false;
}

static bool
read_words(struct reader *reader)
{
	bool only_names = false;

	while (reader->at < reader->argc) {
		const char *word = reader->argv[reader->at++];
		bool good = true;

		if (only_names || word[0] != '-' || word[1] == '\0')
			good = take_word(reader, word);
		else if (strcmp(word, "--") == 0)
			only_names = true;
		else if (word[1] == '-')
			good = take_long(reader, word);
		else
			good = take_letters(reader, word);
		if (!good)
			return false;
	}
	return true;
}

/* Whether the options and the number of names fit the command. */
static bool
fits(const struct arguments *arguments)
{
	const struct verb *verb = arguments->verb;

	if (!verb || arguments_has(arguments, OPTION_HELP))
		return true;
	for (int i = 0; i < OPTION_COUNT; i++) {
		if (arguments->values[i] && !((verb->options | OPTIONS_GENERAL) & OPTION_BIT(i))) {
			ctl_complain("%s has no option --%s; see holdfastctl %s --help", verb->name,
				     rows[i].name, verb->name);
			return false;
		}
	}
	if (arguments->name_count >= verb->names_min && arguments->name_count <= verb->names_max)
		return true;
	ctl_complain("usage: holdfastctl %s%s%s", verb->name, verb->synopsis[0] ? " " : "",
		     verb->synopsis);
	return false;
}

bool
arguments_parse(int argc, const char *const *argv, struct arguments *ret_arguments)
{
	struct reader reader = { .argc = argc, .at = 1, .argv = argv, .arguments = ret_arguments };

	*ret_arguments = (struct arguments){ 0 };
	ret_arguments->names = ctl_need(calloc((size_t)argc + 1, sizeof(char *)));
	if (read_words(&reader) && fits(ret_arguments))
		return true;
	arguments_done(ret_arguments);
	return false;
}

void
arguments_done(struct arguments *arguments)
{
	free(arguments->names);
	arguments->names = NULL;
}

void
arguments_describe(const struct screen *screen, enum option option)
{
	const struct option_row *row = &rows[option];
	char synopsis[SYNOPSIS_MAX];
	struct text text = TEXT_INIT(synopsis);

	if (row->letter)
		text_addf(&text, "-%c, ", row->letter);
	text_addf(&text, "--%s", row->name);
	if (row->value)
		text_addf(&text, "=%s", row->value);
	screen_item(screen, synopsis, HELP_INDENT, row->says);
}
