/* check: one traced attempt over every address, without the daemon. */
#include "ctl/check.h"

#include "base/cleanup.h"
#include "config/duration.h"
#include "ctl/detail.h"
#include "ctl/session.h"
#include "sys/clock.h"

#include <errno.h>
#include <string.h>

/* Options that say how to connect: with NAME that is the configuration's business. */
#define URL_OPTIONS \
	(OPTION_BIT(OPTION_CA_FILE) | OPTION_BIT(OPTION_CERTIFICATE) | OPTION_BIT(OPTION_KEY) | \
	 OPTION_BIT(OPTION_VERIFY) | OPTION_BIT(OPTION_NAME) | OPTION_BIT(OPTION_SNI) | \
	 OPTION_BIT(OPTION_ALPN) | OPTION_BIT(OPTION_MIN_VERSION))

/* ---- the result of a trace -------------------------------------------------------------------------------------- */

static void
print_report(const struct ctl *ctl, const json_t *report)
{
	if (arguments_has(ctl->arguments, OPTION_JSON))
		session_print_json(ctl, report, true);
	else
		check_show(&ctl->screen, report, clock_realtime());
}

static int
run_trace(const struct ctl *ctl, const struct upstream *upstream)
{
	_cleanup_(trace_done) struct trace trace = { 0 };
	json_t *report;
	int status, r = trace_run(upstream, &trace);

	if (r < 0) {
		ctl_complain("cannot try anything: %s", strerror(-r));
		return STATUS_ERROR;
	}
	report = check_report(ctl->arguments->names[0], &trace);
	print_report(ctl, report);
	status = check_status(report);
	json_decref(report);
	return status;
}

/* ---- check URL -------------------------------------------------------------------------------------------------- */

/* An address that cannot be right is reported as any other failure: scripts need not care. */
static int
report_invalid(const struct ctl *ctl, const struct failure *failure)
{
	struct trace_attempt attempt = { .ended = true };
	struct trace trace = { .attempts = &attempt, .attempt_count = 1 };
	json_t *report;
	int status;

	for (int stage = 0; stage < STAGE_COUNT; stage++)
		attempt.timing[stage] = USEC_INFINITY;
	attempt.failure = *failure; /* borrowed */
	report = check_report(ctl->arguments->names[0], &trace);
	print_report(ctl, report);
	status = check_status(report);
	json_decref(report);
	return status;
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
			ctl_complain("with the name of an upstream, its TLS settings are those of the "
				     "configuration; give them with a URL");
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
