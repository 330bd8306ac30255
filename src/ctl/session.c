/* Talking to the daemon on behalf of a command. */
#include "ctl/session.h"

#include "base/text.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define INTERFACE_PREFIX "io.holdfast.Control."
#define SERVICE_PREFIX	 "org.varlink.service."

/* ---- no daemon -------------------------------------------------------------------------------------------------- */

static int
complain_unreachable(const char *path, int error)
{
	switch (error) {
	case ENOENT:
		ctl_complain("no daemon: there is no socket at %s (is holdfastd running?)", path);
		break;
	case ECONNREFUSED:
		ctl_complain("no daemon: nobody listens at %s (has holdfastd ended?)", path);
		break;
	case EACCES:
	case EPERM:
		ctl_complain("no permission to open %s: user %u may not use the control socket",
			     path, (unsigned int)geteuid());
		break;
	case EAGAIN:
		ctl_complain("the daemon at %s does not accept connections: it is too busy", path);
		break;
	default: ctl_complain("cannot connect to the daemon at %s: %s", path, strerror(error));
	}
	return STATUS_NO_DAEMON;
}

int
session_open(const struct ctl *ctl, struct client **ret_client)
{
	const char *path = ctl->arguments->values[OPTION_SOCKET];
	int r;

	if (!path)
		path = DEFAULT_CONTROL_SOCKET;
	r = client_open(path, ret_client);
	return r < 0 ? complain_unreachable(path, -r) : 0;
}

/* What client_send() or client_receive() gave. */
static int
complain_broken(int error)
{
	switch (error) {
	case ECONNRESET:
	case EPIPE: ctl_complain("the daemon hung up"); return STATUS_NO_DAEMON;
	case ETIMEDOUT: ctl_complain("the daemon does not answer"); break;
	case EMSGSIZE:
		ctl_complain("the daemon's answer is longer than %zu MiB", CLIENT_MESSAGE_MAX >> 20);
		break;
	case EBADMSG: return session_misread("it is no Varlink reply");
	default: ctl_complain("talking to the daemon failed: %s", strerror(error));
	}
	return STATUS_ERROR;
}

int
session_misread(const char *why)
{
	ctl_complain("the daemon's answer is not what it should be: %s", why);
	return STATUS_ERROR;
}

/* ---- errors of the daemon --------------------------------------------------------------------------------------- */

struct nearest {
	const char *wanted;
	unsigned int distance;
	char *name;
};

static int
compare_name(void *arg, json_t *parameters)
{
	struct nearest *nearest = arg;
	const char *name;
	unsigned int distance;

	if (json_unpack(parameters, "{s:{s:s}}", "upstream", "name", &name) < 0)
		return 0;
	distance = text_distance(nearest->wanted, name);
	if (distance < nearest->distance) {
		free(nearest->name);
		nearest->name = ctl_need(strdup(name));
		nearest->distance = distance;
	}
	return 0;
}

static int
say_nothing(void *arg, const char *error)
{
	(void)arg;
	(void)error;
	return STATUS_ERROR;
}

static void
complain_no_such(struct client *client, const char *name)
{
	struct nearest nearest = { .wanted = name, .distance = (unsigned int)strlen(name) / 3 + 2 };

	if (client)
		session_call(client, &(struct session_call){ .method = "List",
							     .more = true,
							     .fn = compare_name,
							     .on_error = say_nothing,
							     .arg = &nearest });
	if (nearest.name)
		ctl_complain("there is no upstream called %s; did you mean %s?", name, nearest.name);
	else
		ctl_complain("there is no upstream called %s", name);
	free(nearest.name);
}

static void
complain_configuration(const json_t *parameters)
{
	json_t *problems = json_object_get(parameters, "problems"), *problem;
	size_t index;

	ctl_complain("the configuration has problems; the one in force stays as it is:");
	json_array_foreach(problems, index, problem)
	{
		const char *file = NULL, *message = NULL;
		json_int_t line = 0;

		if (json_unpack(problem, "{s:s, s:I, s:s}", "file", &file, "line", &line, "message",
				&message) == 0)
			ctl_complain("%s:%lld: %s", file, (long long)line, message);
	}
}

/* The errors that say all by their name. */
static const struct {
	const char *name, *says;
} plain_errors[] = {
	{ SERVICE_PREFIX "PermissionDenied",
	  "permission denied: this needs root, the daemon's user, or the admin group" },
	{ SERVICE_PREFIX "MethodNotFound", "the daemon does not know this command: is it an older one?" },
	{ SERVICE_PREFIX "MethodNotImplemented", "the daemon cannot do this yet" },
	{ SERVICE_PREFIX "InterfaceNotFound", "whoever listens there is not holdfastd" },
	{ INTERFACE_PREFIX "TimedOut", "it took too long" },
};

static const char *
plain_error(const char *error)
{
	for (size_t i = 0; i < COUNT_OF(plain_errors); i++) {
		if (strcmp(plain_errors[i].name, error) == 0)
			return plain_errors[i].says;
	}
	return NULL;
}

/* A string or a number among the parameters of an error; "?" where it is missing. */
static const char *
detail(const json_t *parameters, const char *name)
{
	const char *word = json_string_value(json_object_get(parameters, name));

	return word ? word : "?";
}

static long long
figure(const json_t *parameters, const char *name)
{
	return (long long)json_integer_value(json_object_get(parameters, name));
}

int
session_complain(struct client *client, const char *error, const json_t *parameters)
{
	if (strcmp(error, INTERFACE_PREFIX "NoSuchUpstream") == 0)
		complain_no_such(client, detail(parameters, "name"));
	else if (strcmp(error, INTERFACE_PREFIX "InvalidConfiguration") == 0)
		complain_configuration(parameters);
	else if (strcmp(error, INTERFACE_PREFIX "Busy") == 0)
		ctl_complain("the daemon is busy: it serves %lld clients at once",
			     figure(parameters, "limit"));
	else if (strcmp(error, INTERFACE_PREFIX "Overrun") == 0)
		ctl_complain("events came faster than they were read: %lld were lost",
			     figure(parameters, "lost"));
	else if (strcmp(error, SERVICE_PREFIX "InvalidParameter") == 0)
		ctl_complain("the daemon does not accept the value of %s",
			     detail(parameters, "parameter"));
	else if (plain_error(error))
		ctl_complain("%s", plain_error(error));
	else
		ctl_complain("the daemon says %s", error);
	return STATUS_ERROR;
}

/* ---- calls ------------------------------------------------------------------------------------------------------ */

static int
on_reply(struct client *client, const struct session_call *call, const struct reply *reply)
{
	int status = -1;

	if (!reply->error)
		return call->fn ? call->fn(call->arg, reply->parameters) : 0;
	if (call->on_error)
		status = call->on_error(call->arg, reply->error);
	return status >= 0 ? status : session_complain(client, reply->error, reply->parameters);
}

int
session_call(struct client *client, const struct session_call *call)
{
	usec_t timeout = call->timeout ? call->timeout : SESSION_REPLY_TIMEOUT;
	const struct call wire = {
		.method = call->method,
		.parameters = call->parameters,
		.more = call->more,
		.timeout = SESSION_REPLY_TIMEOUT,
	};
	bool continues = true;
	int r = client_send(client, &wire);

	while (r == 0 && continues) {
		_cleanup_(reply_done) struct reply reply = { 0 };
		int status;

		r = client_receive(client, timeout, &reply);
		if (r < 0)
			break;
		continues = reply.continues && !reply.error;
		if (continues && !call->more)
			return session_misread("it goes on where one reply was asked for");
		status = on_reply(client, call, &reply);
		if (status > 0 || reply.error)
			return status;
	}
	return r < 0 ? complain_broken(-r) : 0;
}

json_t *
session_names(const struct arguments *arguments)
{
	json_t *names;

	if (arguments->name_count == 0)
		return NULL;
	names = ctl_need(json_array());
	for (unsigned int i = 0; i < arguments->name_count; i++)
		json_array_append_new(names, json_string(arguments->names[i]));
	return ctl_need(json_pack("{s:o}", "names", names));
}

void
session_print_json(const struct ctl *ctl, const json_t *value, bool pretty)
{
	json_dumpf(value, ctl->screen.out, pretty ? JSON_INDENT(2) : JSON_COMPACT);
	fputc('\n', ctl->screen.out);
}
