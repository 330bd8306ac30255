/* The table of commands, and the help. */
#include "ctl/verb.h"

#include "base/cleanup.h"

#include <string.h>

#define HELP_INDENT  24
#define SYNOPSIS_MAX 40
#define USAGE_MAX    80

static const struct verb verbs[] = {
	{ "status", "[NAME...]", "all upstreams at a glance, those that are not up first", 0, 0,
	  NAMES_ANY, command_status },
	{ "show", "NAME", "everything that is known about one upstream", 0, 1, 1, command_show },
	{ "history", "[NAME]", "the last failures, oldest first", OPTION_BIT(OPTION_LIMIT), 0, 1,
	  command_history },
	{ "watch", "[NAME...]", "events as they happen, until Ctrl-C", 0, 0, NAMES_ANY, command_watch },
	{ "wait", "NAME...", "return once all of them are up",
	  OPTION_BIT(OPTION_FOR) | OPTION_BIT(OPTION_TIMEOUT), 1, NAMES_ANY, command_wait },
	{ "retry", "NAME...", "end the backoff: the next attempt starts now", 0, 1, NAMES_ANY,
	  command_retry },
	{ "reconnect", "NAME...", "replace the connections by fresh ones",
	  OPTION_BIT(OPTION_ROLLING), 1, NAMES_ANY, command_reconnect },
	{ "pause", "NAME...", "close the connections and make no attempts", 0, 1, NAMES_ANY,
	  command_pause },
	{ "resume", "NAME...", "end the pause", 0, 1, NAMES_ANY, command_resume },
	{ "reload", "", "read the configuration again", OPTION_BIT(OPTION_DRY_RUN), 0, 0, command_reload },
	{ "check", "NAME|URL", "try every address once, without the daemon, and show each stage",
	  OPTION_BIT(OPTION_CONFIG) | OPTION_BIT(OPTION_TIMEOUT) | OPTION_BIT(OPTION_CA_FILE) |
		  OPTION_BIT(OPTION_CRL_FILE) | OPTION_BIT(OPTION_PIN) | OPTION_BIT(OPTION_OCSP) |
		  OPTION_BIT(OPTION_VIA) | OPTION_BIT(OPTION_PROXY_USER) |
		  OPTION_BIT(OPTION_PROXY_PASSWORD_FILE) | OPTION_BIT(OPTION_PROXY_PROTOCOL) |
		  OPTION_BIT(OPTION_PROBE) | OPTION_BIT(OPTION_CERTIFICATE) |
		  OPTION_BIT(OPTION_KEY) | OPTION_BIT(OPTION_VERIFY) | OPTION_BIT(OPTION_NAME) |
		  OPTION_BIT(OPTION_SNI) | OPTION_BIT(OPTION_ALPN) |
		  OPTION_BIT(OPTION_MIN_VERSION) | OPTION_BIT(OPTION_IPV4) | OPTION_BIT(OPTION_IPV6),
	  1, 1, command_check },
	{ "explain", "[CODE|CLASS]", "what a failure means and what to do about it", 0, 0, 1,
	  command_explain },
	{ "config", "", "the daemon's configuration in force, after defaults", 0, 0, 0, command_config },
	{ "metrics", "", "the daemon's metrics, in the OpenMetrics text format", 0, 0, 0,
	  command_metrics },
	{ "log-level", "LEVEL", "how much is logged: error, warning, notice, info, debug", 0, 1, 1,
	  command_log_level },
};

const struct verb *
verb_find(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(verbs); i++) {
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	}
	return NULL;
}

const char *
verb_nearest(const char *name)
{
	const char *names[COUNT_OF(verbs)];

	for (size_t i = 0; i < COUNT_OF(verbs); i++)
		names[i] = verbs[i].name;
	return arguments_suggest(name, names, COUNT_OF(verbs));
}

static void
list_options(const struct screen *screen, unsigned int options)
{
	for (int i = 0; i < OPTION_COUNT; i++) {
		if (options & OPTION_BIT(i))
			arguments_describe(screen, (enum option)i);
	}
}

static void
help_all(const struct screen *screen)
{
	screen_line(screen, STYLE_PLAIN, "usage: holdfastctl [OPTION...] COMMAND [NAME...]");
	screen_title(screen, STYLE_BOLD, "commands");
	for (size_t i = 0; i < COUNT_OF(verbs); i++) {
		char synopsis[SYNOPSIS_MAX];

		snprintf(synopsis, sizeof(synopsis), "%s%s%s", verbs[i].name,
			 verbs[i].synopsis[0] ? " " : "", verbs[i].synopsis);
		screen_item(screen, synopsis, HELP_INDENT, verbs[i].summary);
	}
	screen_title(screen, STYLE_BOLD, "options");
	list_options(screen, OPTIONS_GENERAL);
	screen_title(screen, STYLE_PLAIN, "%s",
		     "exit status: 0 up or done, 1 error, 2 degraded, 3 usage, 4 no daemon; down: 11 address, "
		     "12 connection, 13 timeout, 14 socket, 15 tls, 16 protocol, 17 local");
}

void
verb_help(const struct screen *screen, const struct verb *verb)
{
	char usage[USAGE_MAX];

	if (!verb) {
		help_all(screen);
		return;
	}
	snprintf(usage, sizeof(usage), "usage: holdfastctl [OPTION...] %s%s%s", verb->name,
		 verb->synopsis[0] ? " " : "", verb->synopsis);
	screen_line(screen, STYLE_PLAIN, usage);
	fputc('\n', screen->out);
	screen_line(screen, STYLE_PLAIN, verb->summary);
	screen_title(screen, STYLE_BOLD, "options");
	list_options(screen, verb->options | OPTIONS_GENERAL);
}
