/* wait: return once every named upstream has the wanted health. */
#include "base/cleanup.h"
#include "config/duration.h"
#include "ctl/session.h"
#include "ctl/verdict.h"

#include <string.h>

#define TIMEOUT_DEFAULT (30 * USEC_PER_SEC)
/* The daemon keeps the time; if it has not spoken so long after it, it is in trouble. */
#define GRACE SESSION_REPLY_TIMEOUT

struct wait {
	const struct ctl *ctl;
	const char *health;
	usec_t timeout; /* USEC_INFINITY: none */
	bool timed_out;
	struct verdict verdict;
};

static int
on_error(void *arg, const char *error)
{
	struct wait *wait = arg;

	if (strcmp(error, "io.holdfast.Control.TimedOut") != 0)
		return -1;
	wait->timed_out = true;
	return 0;
}

/* After a timeout: who is not there, and why. */
static int
on_upstream(void *arg, json_t *parameters)
{
	struct wait *wait = arg;
	char error[VIEW_ERROR_MAX];
	struct view_upstream upstream;
	struct view_failure failure;

	if (!view_upstream(json_object_get(parameters, "upstream"), &upstream, error))
		return session_misread(error);
	if (strcmp(upstream.health, wait->health) == 0)
		return 0;
	verdict_add(&wait->verdict, &upstream);
	if (upstream.last_failure && view_failure(upstream.last_failure, &failure, error))
		ctl_complain("%s is %s; last failure: %s: %s", upstream.name, upstream.health,
			     failure.code, failure.message);
	else
		ctl_complain("%s is %s", upstream.name, upstream.health);
	return 0;
}

static int
explain_timeout(struct wait *wait, struct client *client)
{
	int r = session_call(
		client, &(struct session_call){ .method = "List",
						.parameters = session_names(wait->ctl->arguments),
						.more = true,
						.fn = on_upstream,
						.arg = wait });

	if (r == 0)
		r = verdict_status(&wait->verdict);
	return r > 0 ? r : STATUS_ERROR; /* what was waited for did not come, however well they are */
}

static int
run_wait(struct wait *wait)
{
	_cleanup_(client_freep) struct client *client = NULL;
	json_t *parameters;
	int r = session_open(wait->ctl, &client);

	if (r > 0)
		return r;
	parameters = ctl_need(session_names(wait->ctl->arguments));
	json_object_set_new(parameters, "health", json_string(wait->health));
	if (wait->timeout != USEC_INFINITY)
		json_object_set_new(parameters, "timeoutUSec", json_integer((json_int_t)wait->timeout));
	r = session_call(client, &(struct session_call){ .method = "Wait",
							 .parameters = parameters,
							 .timeout = usec_add(wait->timeout, GRACE),
							 .on_error = on_error,
							 .arg = wait });
	return wait->timed_out ? explain_timeout(wait, client) : r;
}

static bool
read_timeout(const char *text, usec_t *ret_timeout)
{
	*ret_timeout = TIMEOUT_DEFAULT;
	if (!text)
		return true;
	if (strcmp(text, "none") == 0) {
		*ret_timeout = USEC_INFINITY;
		return true;
	}
	if (duration_parse(text, ret_timeout) == 0 && *ret_timeout <= INT64_MAX)
		return true;
	ctl_complain("--timeout is a duration (e.g. 30s) or none, not \"%s\"", text);
	return false;
}

int
command_wait(const struct ctl *ctl)
{
	struct wait wait = { .ctl = ctl, .health = ctl->arguments->values[OPTION_FOR] };

	wait.verdict.named = true;
	if (!wait.health)
		wait.health = "up";
	if (view_health(wait.health) == HEALTH_COUNT) {
		ctl_complain("--for is up, degraded, down, paused, offline or starting, not \"%s\"",
			     wait.health);
		return STATUS_USAGE;
	}
	if (!read_timeout(ctl->arguments->values[OPTION_TIMEOUT], &wait.timeout))
		return STATUS_USAGE;
	return run_wait(&wait);
}
