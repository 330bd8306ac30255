/* holdfastctl: how a person and a script use holdfastd. */
#include "ctl/verb.h"

#include "base/cleanup.h"
#include "sys/fd.h"

#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static bool
colour_mode_of(const char *word, enum colour_mode *ret_mode)
{
	static const char *const words[] = {
		[COLOUR_AUTO] = "auto",
		[COLOUR_ALWAYS] = "always",
		[COLOUR_NEVER] = "never",
	};

	*ret_mode = COLOUR_AUTO;
	if (!word)
		return true;
	for (size_t i = 0; i < COUNT_OF(words); i++) {
		if (strcmp(word, words[i]) == 0) {
			*ret_mode = (enum colour_mode)i;
			return true;
		}
	}
	ctl_complain("--color is auto, always or never, not \"%s\"", word);
	return false;
}

static int
run(const struct arguments *arguments)
{
	struct ctl ctl = { .arguments = arguments };
	enum colour_mode mode;

	if (!colour_mode_of(arguments->values[OPTION_COLOUR], &mode))
		return STATUS_USAGE;
	screen_init(&ctl.screen, stdout, mode);
	if (arguments_has(arguments, OPTION_VERSION)) {
		printf("holdfastctl %s\n", VERSION);
		return STATUS_DONE;
	}
	if (arguments_has(arguments, OPTION_HELP)) {
		verb_help(&ctl.screen, arguments->verb);
		return STATUS_DONE;
	}
	if (arguments->verb)
		return arguments->verb->run(&ctl);
	screen_init(&ctl.screen, stderr, mode);
	verb_help(&ctl.screen, NULL);
	return STATUS_USAGE;
}

int
main(int argc, char **argv)
{
	_cleanup_(arguments_done) struct arguments arguments = { 0 };
	int status;

	fd_fill_standard();
	setlocale(LC_CTYPE, "");
	signal(SIGPIPE, SIG_IGN); /* the end of a pipe is seen by ctl_finish() */
	if (!arguments_parse(argc, (const char *const *)argv, &arguments))
		return STATUS_USAGE;
	status = run(&arguments);
	return ctl_finish(stdout, status);
}
