#include "main/methods.h"

#include "base/cleanup.h"

#include <string.h>

#define PARAMETERS_MAX 3 /* of any one method */

enum parameter_type {
	PARAMETER_NONE, /* ends the list */
	PARAMETER_STRING,
	PARAMETER_INTEGER,
	PARAMETER_FLAG,
	PARAMETER_STRINGS,
};

struct parameter {
	const char *name;
	enum parameter_type type;
	bool optional; /* may be absent or null */
};

struct method {
	const char *name; /* with its interface */
	void (*fn)(struct call *call);
	bool admin;
	bool more; /* makes no sense without */
	struct parameter parameters[PARAMETERS_MAX + 1];
};

#define NAME \
	{ \
		"name", PARAMETER_STRING, false \
	}

static const struct method methods[] = {
	{ VARLINK_SERVICE ".GetInfo", method_get_info },
	{ VARLINK_SERVICE ".GetInterfaceDescription", method_get_interface_description,
	  .parameters = { { "interface", PARAMETER_STRING, false } } },

	{ CONTROL_INTERFACE ".Status", method_status },
	{ CONTROL_INTERFACE ".List", method_list, .parameters = { { "names", PARAMETER_STRINGS, true } } },
	{ CONTROL_INTERFACE ".History", method_history,
	  .parameters = { { "name", PARAMETER_STRING, true }, { "limit", PARAMETER_INTEGER, true } } },
	{ CONTROL_INTERFACE ".Watch", method_watch, .more = true,
	  .parameters = { { "names", PARAMETER_STRINGS, true }, { "kinds", PARAMETER_STRINGS, true } } },
	{ CONTROL_INTERFACE ".Wait", method_wait,
	  .parameters = { { "names", PARAMETER_STRINGS, false },
			  { "health", PARAMETER_STRING, true },
			  { "timeoutUSec", PARAMETER_INTEGER, true } } },
	{ CONTROL_INTERFACE ".Config", method_config },
	{ CONTROL_INTERFACE ".Metrics", method_metrics },

	{ CONTROL_INTERFACE ".Retry", method_retry, .admin = true, .parameters = { NAME } },
	{ CONTROL_INTERFACE ".Reconnect", method_reconnect, .admin = true,
	  .parameters = { NAME, { "rolling", PARAMETER_FLAG, true } } },
	{ CONTROL_INTERFACE ".Pause", method_pause, .admin = true, .parameters = { NAME } },
	{ CONTROL_INTERFACE ".Resume", method_resume, .admin = true, .parameters = { NAME } },
	{ CONTROL_INTERFACE ".Reload", method_reload, .admin = true,
	  .parameters = { { "dryRun", PARAMETER_FLAG, true },
			  { "confirmWithinUSec", PARAMETER_INTEGER, true } } },
	{ CONTROL_INTERFACE ".Confirm", method_confirm, .admin = true },
	{ CONTROL_INTERFACE ".Borrow", method_borrow, .admin = true,
	  .parameters = { NAME, { "timeoutUSec", PARAMETER_INTEGER, true } } },
	{ CONTROL_INTERFACE ".SetLogLevel", method_set_log_level, .admin = true,
	  .parameters = { { "level", PARAMETER_STRING, false } } },
};

/* ---- the right method ------------------------------------------------------------------------------------------- */

static const struct method *
method_find(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(methods); i++) {
		if (strcmp(methods[i].name, name) == 0)
			return &methods[i];
	}
	return NULL;
}

static bool
interface_is_ours(const char *name, size_t length)
{
	static const char *const ours[] = { VARLINK_SERVICE, CONTROL_INTERFACE };

	for (size_t i = 0; i < COUNT_OF(ours); i++) {
		if (strlen(ours[i]) == length && memcmp(ours[i], name, length) == 0)
			return true;
	}
	return false;
}

/* Says which part of the method's name leads nowhere. */
static void
method_missing(struct call *call)
{
	const char *name = call->request.method, *dot = strrchr(name, '.');

	if (!dot || dot == name || dot[1] == '\0')
		call_invalid(call, "method");
	else if (interface_is_ours(name, (size_t)(dot - name)))
		call_fail_name(call, VARLINK_METHOD_NOT_FOUND, "method", name);
	else
		call_fail(call, VARLINK_INTERFACE_NOT_FOUND,
			  json_pack("{s:s%}", "interface", name, (size_t)(dot - name)));
}

/* ---- the right parameters --------------------------------------------------------------------------------------- */

static bool
all_strings(const json_t *array)
{
	size_t index;
	json_t *value;

	json_array_foreach(array, index, value)
	{
		if (!json_is_string(value))
			return false;
	}
	return json_is_array(array);
}

static bool
parameter_fits(const struct parameter *parameter, const json_t *value)
{
	if (!value || json_is_null(value))
		return parameter->optional;
	switch (parameter->type) {
	case PARAMETER_STRING: return json_is_string(value);
	case PARAMETER_INTEGER: return json_is_integer(value);
	case PARAMETER_FLAG: return json_is_boolean(value);
	case PARAMETER_STRINGS: return all_strings(value);
	case PARAMETER_NONE: break;
	}
	return false;
}

static bool
parameter_is_known(const struct method *method, const char *name)
{
	const struct parameter *parameter = method->parameters;

	while (parameter->type != PARAMETER_NONE && strcmp(parameter->name, name) != 0)
		parameter++;
	return parameter->type != PARAMETER_NONE;
}

/* The name of a parameter that is missing, of the wrong type or unknown; NULL where all is well. */
static const char *
parameter_wrong(const struct method *method, json_t *given)
{
	const struct parameter *parameter = method->parameters;
	const char *name;
	json_t *value;

	json_object_foreach(given, name, value)
	{
		if (!parameter_is_known(method, name))
			return name;
	}
	for (; parameter->type != PARAMETER_NONE; parameter++) {
		if (!parameter_fits(parameter, json_object_get(given, parameter->name)))
			return parameter->name;
	}
	return NULL;
}

/* Rights go first: who may not call a method need not learn how to. */
static void
method_run(struct call *call, const struct method *method)
{
	const char *wrong = call->request.wrong;

	/* A connection that is handed over is nothing any of our methods can do. */
	if (!wrong && call->request.upgrade)
		wrong = "upgrade";
	if (method->admin && !call->host->is_admin(call->host->arg)) {
		call_fail(call, VARLINK_PERMISSION_DENIED, json_object());
		return;
	}
	if (!wrong)
		wrong = parameter_wrong(method, call->request.parameters);
	if (wrong)
		call_invalid(call, wrong);
	else if (method->more && !call->request.more)
		call_fail(call, VARLINK_EXPECTED_MORE, json_object());
	else
		method->fn(call);
}

void
method_start(struct call *call)
{
	const struct method *method = method_find(call->request.method);

	if (method)
		method_run(call, method);
	else
		method_missing(call);
	/* Nobody would hear what a stream or an event has to say. */
	if (call->request.oneway && call->state != CALL_BROKEN)
		call->state = CALL_ENDED;
}
