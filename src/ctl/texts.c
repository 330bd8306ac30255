/* The commands that print a text of the daemon: config and metrics. */
#include "base/cleanup.h"
#include "ctl/session.h"

#include <string.h>

/* On a terminal each line is cleaned; elsewhere the text goes out as it is. */
static void
print_text(const struct screen *screen, const char *content)
{
	while (screen->terminal && *content) {
		size_t length = strcspn(content, "\n");
		_cleanup_(freep) char *line = ctl_need(strndup(content, length));
		_cleanup_(freep) char *clean = NULL;

		for (char *tab = line; (tab = strchr(tab, '\t'));)
			*tab = ' ';
		clean = screen_clean(screen, line);
		fprintf(screen->out, "%s\n", clean);
		content += length + (content[length] == '\n');
	}
	fputs(content, screen->out);
}

static int
on_text(void *arg, json_t *parameters)
{
	const struct ctl *ctl = arg;
	const char *content = json_string_value(json_object_get(parameters, "text"));

	if (!content)
		return session_misread("there is no text in it");
	if (arguments_has(ctl->arguments, OPTION_JSON))
		session_print_json(ctl, parameters, true);
	else
		print_text(&ctl->screen, content);
	return 0;
}

static int
print_answer(const struct ctl *ctl, const char *method)
{
	_cleanup_(client_freep) struct client *client = NULL;
	int r = session_open(ctl, &client);

	if (r > 0)
		return r;
	return session_call(client, &(struct session_call){
					    .method = method, .fn = on_text, .arg = (void *)ctl });
}

int
command_config(const struct ctl *ctl)
{
	return print_answer(ctl, "Config");
}

int
command_metrics(const struct ctl *ctl)
{
	return print_answer(ctl, "Metrics");
}
