/* check: one traced attempt over every address, without the daemon. */
#include "ctl/check.h"

#include "base/cleanup.h"
#include "config/duration.h"
#include "ctl/check_url.h"
#include "ctl/detail.h"
#include "ctl/session.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Options that say how to connect: with NAME that is the configuration's business. */
#define URL_OPTIONS \
	(OPTION_BIT(OPTION_CRL_FILE) | OPTION_BIT(OPTION_PIN) | OPTION_BIT(OPTION_OCSP) | \
	 OPTION_BIT(OPTION_VIA) | OPTION_BIT(OPTION_PROXY_USER) | \
	 OPTION_BIT(OPTION_PROXY_PASSWORD_FILE) | OPTION_BIT(OPTION_PROXY_PROTOCOL) | \
	 OPTION_BIT(OPTION_PROBE) | OPTION_BIT(OPTION_CA_FILE) | OPTION_BIT(OPTION_CERTIFICATE) | \
	 OPTION_BIT(OPTION_KEY) | OPTION_BIT(OPTION_VERIFY) | OPTION_BIT(OPTION_NAME) | \
	 OPTION_BIT(OPTION_SNI) | OPTION_BIT(OPTION_ALPN) | OPTION_BIT(OPTION_MIN_VERSION))

/* ---- the result of a trace -------------------------------------------------------------------------------------- */

/* What is printed while the trace goes on. */
struct showing {
	struct check_view view;
	bool wanted; /* with --json it is printed in one piece at the end */
};

static void
on_resolved(void *arg, const struct trace *trace)
{
	struct showing *showing = arg;
	json_t *queries = check_queries(trace);

	check_show_queries(&showing->view, queries);
	json_decref(queries);
	fflush(stdout);
}

static void
on_ended(void *arg, const struct trace *trace, unsigned int attempt)
{
	struct showing *showing = arg;
	json_t *value = check_attempt(trace, &trace->attempts[attempt]);

	check_show_attempt(&showing->view, value);
	json_decref(value);
	fflush(stdout);
}

/* The rest of what is to be printed; returns the exit status. */
static int
conclude(const struct ctl *ctl, struct showing *showing, const struct trace *trace)
{
	json_t *report = check_report(ctl->arguments->names[0], trace);
	int status = check_status(report);

	if (showing->wanted)
		check_show_end(&showing->view, report);
	else
		session_print_json(ctl, report, true);
	json_decref(report);
	return status;
}

static void
begin_showing(const struct ctl *ctl, struct showing *ret_showing)
{
	*ret_showing = (struct showing){ .wanted = !arguments_has(ctl->arguments, OPTION_JSON) };
	if (ret_showing->wanted)
		check_show_begin(&ret_showing->view, &ctl->screen, ctl->arguments->names[0]);
}

static int
run_trace(const struct ctl *ctl, const struct upstream *upstream)
{
	_cleanup_(trace_done) struct trace trace = { 0 };
	struct showing showing;
	const struct trace_watcher watcher = { on_resolved, on_ended, &showing };
	int r;

	begin_showing(ctl, &showing);
	r = trace_run(upstream, showing.wanted ? &watcher : NULL, &trace);
	if (r == 0)
		return conclude(ctl, &showing, &trace);
	ctl_complain("cannot try anything: %s", strerror(-r));
	return STATUS_ERROR;
}

/* ---- check URL -------------------------------------------------------------------------------------------------- */

/* An address that cannot be right is reported as any other failure: scripts need not care. */
static int
report_invalid(const struct ctl *ctl, const struct failure *failure)
{
	struct trace_attempt attempt = { .ended = true };
	struct trace trace = { .attempts = &attempt, .attempt_count = 1 };
	struct showing showing;

	for (int stage = 0; stage < STAGE_COUNT; stage++)
		attempt.timing[stage] = USEC_INFINITY;
	attempt.failure = *failure; /* borrowed */
	begin_showing(ctl, &showing);
	if (showing.wanted)
		on_ended(&showing, &trace, 0);
	return conclude(ctl, &showing, &trace);
}

static int
check_url(const struct ctl *ctl)
{
	_cleanup_(check_plan_done) struct check_plan plan = { 0 };
	int r = check_plan(ctl->arguments, &plan);

	if (r > 0)
		return r;
	if (!plan.config)
		return report_invalid(ctl, &plan.failure);
	return run_trace(ctl, plan.config->upstreams[0]);
}

/* ---- check NAME ------------------------------------------------------------------------------------------------- */

static const struct upstream *
find_upstream(const struct config *config, const char *name)
{
	const struct upstream *found = config_find(config, name);
	const char **names, *nearest;

	if (found)
		return found;
	names = ctl_need(calloc(config->upstream_count + 1, sizeof(*names)));
	for (size_t i = 0; i < config->upstream_count; i++)
		names[i] = config->upstreams[i]->name;
	nearest = arguments_suggest(name, names, (unsigned int)config->upstream_count);
	if (strchr(name, ':'))
		ctl_complain("%s is no upstream's name; did you mean tls://%s?", name, name);
	else if (nearest)
		ctl_complain("%s has no upstream called %s; did you mean %s?", config->file, name,
			     nearest);
	else
		ctl_complain("%s has no upstream called %s", config->file, name);
	free(names);
	return NULL;
}

/* The configured upstream, but for what the command line says otherwise; its strings stay the configuration's. */
static struct upstream *
adapted(const struct upstream *configured, const struct arguments *arguments)
{
	struct upstream *upstream = ctl_need(upstream_new(configured->name, configured->target_count));
	usec_t timeout;

	memcpy(upstream->targets, configured->targets,
	       configured->target_count * sizeof(upstream->targets[0]));
	upstream->policy = configured->policy;
	if (arguments_has(arguments, OPTION_IPV4))
		upstream->policy.family = FAMILY_IPV4;
	if (arguments_has(arguments, OPTION_IPV6))
		upstream->policy.family = FAMILY_IPV6;
	if (!arguments_has(arguments, OPTION_TIMEOUT) ||
	    duration_parse(arguments->values[OPTION_TIMEOUT], &timeout) < 0)
		return upstream;
	for (int stage = STAGE_RESOLVE; stage <= STAGE_PROBE; stage++)
		upstream->policy.timeout[stage] = usec_min(upstream->policy.timeout[stage], timeout);
	return upstream;
}

static bool
name_options_fit(const struct arguments *arguments)
{
	usec_t timeout;

	for (int option = 0; option < OPTION_COUNT; option++) {
		if (arguments->values[option] && (URL_OPTIONS & OPTION_BIT(option))) {
			ctl_complain("with the name of an upstream, how to connect is the configuration's "
				     "business; give such options with a URL");
			return false;
		}
	}
	if (arguments_has(arguments, OPTION_TIMEOUT) &&
	    duration_parse(arguments->values[OPTION_TIMEOUT], &timeout) < 0) {
		ctl_complain("--timeout is a duration (e.g. 5s), not \"%s\"",
			     arguments->values[OPTION_TIMEOUT]);
		return false;
	}
	return true;
}

static int
check_name(const struct ctl *ctl)
{
	_cleanup_(problems_done) struct problems problems = { 0 };
	_cleanup_(config_unrefp) struct config *config = NULL;
	_cleanup_(upstream_unrefp) struct upstream *upstream = NULL;
	const char *file = ctl->arguments->values[OPTION_CONFIG];
	const struct upstream *found;
	int r;

	if (!name_options_fit(ctl->arguments))
		return STATUS_USAGE;
	r = config_load(file ? file : DEFAULT_CONFIG_FILE, tls_check_policy, &problems, &config);
	if (r < 0) {
		ctl_complain_problems(&problems);
		if (problems.count == 0)
			ctl_complain("cannot read the configuration: %s", strerror(-r));
		return STATUS_ERROR;
	}
	found = find_upstream(config, ctl->arguments->names[0]);
	if (!found)
		return STATUS_ERROR;
	upstream = adapted(found, ctl->arguments);
	return run_trace(ctl, upstream);
}

int
command_check(const struct ctl *ctl)
{
	if (arguments_has(ctl->arguments, OPTION_IPV4) && arguments_has(ctl->arguments, OPTION_IPV6)) {
		ctl_complain("-4 and -6 exclude each other");
		return STATUS_USAGE;
	}
	return check_is_url(ctl->arguments->names[0]) ? check_url(ctl) : check_name(ctl);
}
