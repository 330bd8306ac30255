/* The commands that change something: retry, reconnect, pause, resume, reload, log-level. */
#include "base/cleanup.h"
#include "base/text.h"
#include "config/diff.h"
#include "ctl/session.h"

#include <string.h>

#define NAMES_SHOWN 2048 /* bytes of a list of keys in a line; cut beyond */

/* ---- for each of the named upstreams ---------------------------------------------------------------------------- */

struct task {
	const struct ctl *ctl;
	const char *method;
	const char *done; /* what has been done: "paused" */
	const char *name; /* the present one */
	bool rolling;
};

static int
on_done(void *arg, json_t *parameters)
{
	const struct task *task = arg;
	const json_t *links = json_object_get(parameters, "links");
	long long count = (long long)json_integer_value(links);

	if (arguments_has(task->ctl->arguments, OPTION_JSON)) {
		json_object_set_new(parameters, "name", json_string(task->name));
		session_print_json(task->ctl, parameters, false);
	} else if (json_is_integer(links)) {
		fprintf(task->ctl->screen.out, "%s: %lld link%s %s\n", task->name, count,
			count == 1 ? "" : "s", task->done);
	} else {
		fprintf(task->ctl->screen.out, "%s: %s\n", task->name, task->done);
	}
	return 0;
}

/* All are tried, also when one of them fails; the first failure is the exit status. */
static int
for_each_name(struct task *task)
{
	_cleanup_(client_freep) struct client *client = NULL;
	int status = session_open(task->ctl, &client);

	if (status > 0)
		return status;
	for (const char **name = task->ctl->arguments->names; *name; name++) {
		json_t *parameters = ctl_need(json_pack("{s:s}", "name", *name));
		int r;

		if (task->rolling)
			json_object_set_new(parameters, "rolling", json_true());
		task->name = *name;
		r = session_call(client, &(struct session_call){ .method = task->method,
								 .parameters = parameters,
								 .fn = on_done,
								 .arg = task });
		if (status == 0)
			status = r;
		if (r == STATUS_NO_DAEMON)
			break;
	}
	return status;
}

int
command_retry(const struct ctl *ctl)
{
	return for_each_name(&(struct task){ .ctl = ctl, .method = "Retry", .done = "retrying now" });
}

int
command_reconnect(const struct ctl *ctl)
{
	return for_each_name(&(struct task){
		.ctl = ctl,
		.method = "Reconnect",
		.done = "reconnecting",
		.rolling = arguments_has(ctl->arguments, OPTION_ROLLING),
	});
}

int
command_pause(const struct ctl *ctl)
{
	return for_each_name(&(struct task){ .ctl = ctl, .method = "Pause", .done = "paused" });
}

int
command_resume(const struct ctl *ctl)
{
	return for_each_name(&(struct task){ .ctl = ctl, .method = "Resume", .done = "resumed" });
}

/* ---- reload ----------------------------------------------------------------------------------------------------- */

struct reloading {
	const struct ctl *ctl;
	unsigned int counts[CHANGE_KIND_COUNT];
};

static enum change_kind
find_kind(const char *word)
{
	int kind = 0;

	while (kind < CHANGE_KIND_COUNT && strcmp(change_kind_name((enum change_kind)kind), word) != 0)
		kind++;
	return (enum change_kind)kind;
}

/* One line for each upstream that does not stay as it is: "ldap: changed (timeouts.connect)". */
static bool
print_change(struct reloading *reloading, json_t *change)
{
	static const enum style styles[CHANGE_KIND_COUNT + 1] = {
		[CHANGE_ADDED] = STYLE_GOOD,
		[CHANGE_REMOVED] = STYLE_BAD,
		[CHANGE_RECONNECTED] = STYLE_WARN,
	};
	char buffer[NAMES_SHOWN];
	struct text text = TEXT_INIT(buffer);
	const char *name, *word;
	enum change_kind kind;
	size_t index;
	json_t *keys, *key;

	if (json_unpack(change, "{s:s, s:s, s:o}", "upstream", &name, "kind", &word, "keys", &keys) < 0)
		return false;
	kind = find_kind(word);
	if (kind < CHANGE_KIND_COUNT)
		reloading->counts[kind]++;
	if (kind == CHANGE_KEPT)
		return true;
	text_addf(&text, "%s: %s", name, word);
	json_array_foreach(keys, index, key)
	{
		text_addf(&text, "%s%s", index > 0 ? ", " : " (", json_string_value(key));
	}
	text_add(&text, json_array_size(keys) > 0 ? ")" : "");
	screen_line(&reloading->ctl->screen, styles[kind], buffer);
	return true;
}

static void
print_sum(const struct reloading *reloading)
{
	char buffer[256];
	struct text text = TEXT_INIT(buffer);
	bool dry = arguments_has(reloading->ctl->arguments, OPTION_DRY_RUN);

	text_add(&text, dry ? "dry run: " : "reloaded: ");
	for (int kind = 0; kind < CHANGE_KIND_COUNT; kind++)
		text_addf(&text, "%s%u %s", kind > 0 ? ", " : "", reloading->counts[kind],
			  change_kind_name((enum change_kind)kind));
	screen_line(&reloading->ctl->screen, STYLE_PLAIN, buffer);
}

static int
on_changes(void *arg, json_t *parameters)
{
	struct reloading *reloading = arg;
	json_t *changes = json_object_get(parameters, "changes"), *change;
	size_t index;

	if (!json_is_array(changes))
		return session_misread("the changes are no list");
	if (arguments_has(reloading->ctl->arguments, OPTION_JSON)) {
		session_print_json(reloading->ctl, parameters, true);
		return 0;
	}
	json_array_foreach(changes, index, change)
	{
		if (!print_change(reloading, change))
			return session_misread("a change is none");
	}
	print_sum(reloading);
	return 0;
}

int
command_reload(const struct ctl *ctl)
{
	_cleanup_(client_freep) struct client *client = NULL;
	struct reloading reloading = { .ctl = ctl };
	json_t *parameters = NULL;
	int r = session_open(ctl, &client);

	if (r > 0)
		return r;
	if (arguments_has(ctl->arguments, OPTION_DRY_RUN))
		parameters = ctl_need(json_pack("{s:b}", "dryRun", 1));
	return session_call(client, &(struct session_call){ .method = "Reload",
							    .parameters = parameters,
							    .fn = on_changes,
							    .arg = &reloading });
}

/* ---- log-level -------------------------------------------------------------------------------------------------- */

int
command_log_level(const struct ctl *ctl)
{
	_cleanup_(client_freep) struct client *client = NULL;
	const char *level = ctl->arguments->names[0];
	int r;

	if (log_level_find(level) < 0) {
		ctl_complain("a level is error, warning, notice, info or debug, not \"%s\"", level);
		return STATUS_USAGE;
	}
	r = session_open(ctl, &client);
	if (r > 0)
		return r;
	return session_call(client, &(struct session_call){
					    .method = "SetLogLevel",
					    .parameters = ctl_need(json_pack("{s:s}", "level", level)),
				    });
}
