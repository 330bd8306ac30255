/* The methods that change something. */
#include "main/methods.h"

#include "main/reply_json.h"

#include <errno.h>

/* Answers a command of the manager that gave `r`. */
static void
command_answer(struct call *call, int r, json_t *parameters)
{
	if (r == 0) {
		call_reply(call, parameters);
		return;
	}
	json_decref(parameters);
	if (r == -ENOENT)
		call_fail_name(call, CONTROL_NO_SUCH_UPSTREAM, "name", call_string(call, "name"));
	else
		call_reply(call, NULL); /* no memory, or the daemon ends: there is no answer */
}

void
method_retry(struct call *call)
{
	unsigned int links = 0;
	int r = manager_retry(call->services->manager, call_string(call, "name"), &links);

	command_answer(call, r, json_pack("{s:i}", "links", (int)links));
}

void
method_reconnect(struct call *call)
{
	unsigned int links = 0;
	int r = manager_reconnect(call->services->manager, call_string(call, "name"),
				  call_flag(call, "rolling"), &links);

	command_answer(call, r, json_pack("{s:i}", "links", (int)links));
}

void
method_pause(struct call *call)
{
	int r = manager_pause(call->services->manager, call_string(call, "name"));

	command_answer(call, r, json_object());
}

void
method_resume(struct call *call)
{
	int r = manager_resume(call->services->manager, call_string(call, "name"));

	command_answer(call, r, json_object());
}

void
method_reload(struct call *call)
{
	_cleanup_(problems_done) struct problems problems = { 0 };
	bool dry_run = call_flag(call, "dryRun");
	struct reload reload;
	int r;

	/* Going back by itself comes later; until then nobody shall believe that it would. */
	if (call_has(call, "confirmWithinUSec")) {
		call_invalid(call, "confirmWithinUSec");
		return;
	}
	r = manager_reload(call->services->manager, dry_run, &problems, &reload);
	if (r == 0) {
		call_reply(call, json_pack("{s:o}", "changes", reply_changes(&reload.diff)));
		reload_done(&reload);
	} else if (r == -EINVAL) {
		call_fail(call, CONTROL_INVALID_CONFIGURATION,
			  json_pack("{s:o}", "problems", reply_problems(&problems)));
	} else {
		call_reply(call, NULL); /* no memory, or the daemon ends: there is no answer */
	}
}

/* No reload asks for a confirmation yet. */
void
method_confirm(struct call *call)
{
	call_fail(call, CONTROL_NOT_CONFIRMABLE, json_object());
}

/* No upstream can be lent yet. */
void
method_borrow(struct call *call)
{
	const char *name = call_string(call, "name");
	bool known = model_find(manager_model(call->services->manager), name);

	call_fail_name(call, known ? CONTROL_NOT_LENDABLE : CONTROL_NO_SUCH_UPSTREAM, "name", name);
}

void
method_set_log_level(struct call *call)
{
	int level = log_level_find(call_string(call, "level"));

	if (level < 0) {
		call_invalid(call, "level");
		return;
	}
	report_set_level(call->services->report, (enum log_level)level);
	call_reply(call, json_object());
}
