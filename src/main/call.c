#include "main/call.h"

#include "base/must.h"
#include "sys/clock.h"

void
call_init(struct call *call, const struct services *services, const struct call_host *host,
	  struct varlink_output *output, struct varlink_request *request)
{
	*call = (struct call){
		.services = services,
		.host = host,
		.output = output,
		.request = *request,
		.state = CALL_WAITING,
		.epoch = clock_epoch(),
	};
	*request = (struct varlink_request){ 0 };
}

void
call_done(struct call *call)
{
	if (call->abandon)
		call->abandon(call);
	call->abandon = NULL;
	call->own = NULL;
	call->step = NULL;
	json_decref(steal(call->held));
	varlink_request_done(&call->request);
	call->state = CALL_ENDED;
}

void
call_step(struct call *call)
{
	must(call->state == CALL_STREAMING);
	call->step(call);
}

/* ---- saying something ------------------------------------------------------------------------------------------- */

static void
say(struct call *call, json_t *parameters, bool continues)
{
	if (call->request.oneway)
		json_decref(parameters);
	else if (varlink_output_reply(call->output, parameters, continues) < 0)
		call->state = CALL_BROKEN;
}

void
call_reply(struct call *call, json_t *parameters)
{
	call->state = CALL_ENDED;
	say(call, parameters, false);
}

void
call_fail(struct call *call, const char *error, json_t *parameters)
{
	call->state = CALL_ENDED;
	if (call->request.oneway)
		json_decref(parameters);
	else if (varlink_output_error(call->output, error, parameters) < 0)
		call->state = CALL_BROKEN;
}

void
call_fail_name(struct call *call, const char *error, const char *member, const char *name)
{
	call_fail(call, error, json_pack("{s:s}", member, name));
}

void
call_invalid(struct call *call, const char *parameter)
{
	call_fail_name(call, VARLINK_INVALID_PARAMETER, "parameter", parameter);
}

void
call_stream(struct call *call, void (*step)(struct call *call))
{
	call->step = step;
	call->state = CALL_STREAMING;
}

void
call_next(struct call *call, json_t *parameters)
{
	json_t *before = steal(call->held);

	call->held = parameters;
	if (!parameters)
		call->state = CALL_BROKEN;
	if (before)
		say(call, before, true);
}

void
call_last(struct call *call)
{
	must(call->held);
	call_reply(call, steal(call->held));
}

void
call_text(struct call *call, json_t *piece)
{
	int r = 0;

	if (call->request.oneway) {
		json_decref(piece);
		return;
	}
	if (!call->in_text)
		r = varlink_output_text_begin(call->output, "text");
	call->in_text = true;
	if (r < 0)
		json_decref(piece);
	else
		r = varlink_output_text(call->output, piece);
	if (r < 0)
		call->state = CALL_BROKEN;
}

void
call_text_end(struct call *call)
{
	must(call->in_text || call->request.oneway);
	call->state = CALL_ENDED;
	if (!call->request.oneway && varlink_output_text_end(call->output) < 0)
		call->state = CALL_BROKEN;
}

void
call_event(struct call *call, json_t *parameters)
{
	say(call, parameters, true);
}

/* ---- what the caller said --------------------------------------------------------------------------------------- */

static json_t *
parameter(const struct call *call, const char *name)
{
	return json_object_get(call->request.parameters, name);
}

const char *
call_string(const struct call *call, const char *name)
{
	return json_string_value(parameter(call, name));
}

const json_t *
call_array(const struct call *call, const char *name)
{
	const json_t *value = parameter(call, name);

	return json_is_array(value) ? value : NULL;
}

json_int_t
call_integer(const struct call *call, const char *name, json_int_t otherwise)
{
	const json_t *value = parameter(call, name);

	return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

bool
call_flag(const struct call *call, const char *name)
{
	return json_is_true(parameter(call, name));
}

bool
call_has(const struct call *call, const char *name)
{
	const json_t *value = parameter(call, name);

	return value && !json_is_null(value);
}

struct moment
call_moment(const struct call *call)
{
	return (struct moment){ .now = loop_now(call->services->loop), .epoch = call->epoch };
}
