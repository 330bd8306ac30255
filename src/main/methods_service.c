/* org.varlink.service: what this service is, and what it can do. */
#include "main/methods.h"

#include "main/interface.h"

#include <string.h>

/* The interface as https://varlink.org/Service defines it, with comments of our own. */
static const char service_text[] =
	"# What every Varlink service provides: who it is and which interfaces it has.\n"
	"interface org.varlink.service\n"
	"\n"
	"# The service, and the names of its interfaces.\n"
	"method GetInfo() -> (\n"
	"\tvendor: string,\n"
	"\tproduct: string,\n"
	"\tversion: string,\n"
	"\turl: string,\n"
	"\tinterfaces: []string\n"
	")\n"
	"\n"
	"# The text of one of its interfaces.\n"
	"method GetInterfaceDescription(interface: string) -> (description: string)\n"
	"\n"
	"# The service has no interface of that name.\n"
	"error InterfaceNotFound(interface: string)\n"
	"\n"
	"# The interface has no method of that name.\n"
	"error MethodNotFound(method: string)\n"
	"\n"
	"# The interface has that method, but this service does not carry it out.\n"
	"error MethodNotImplemented(method: string)\n"
	"\n"
	"# A parameter is missing, unknown, of the wrong type or out of range.\n"
	"error InvalidParameter(parameter: string)\n"
	"\n"
	"# The caller may not do that.\n"
	"error PermissionDenied()\n"
	"\n"
	"# The method has several replies and must be called with 'more'.\n"
	"error ExpectedMore()\n";

void
method_get_info(struct call *call)
{
	call_reply(call, json_pack("{s:s, s:s, s:s, s:s, s:[s, s]}", "vendor", "holdfast",
				   "product", "holdfastd", "version", PACKAGE_VERSION, "url",
				   PACKAGE_URL, "interfaces", CONTROL_INTERFACE, VARLINK_SERVICE));
}

void
method_get_interface_description(struct call *call)
{
	const char *name = call_string(call, "interface"), *text = NULL;

	if (strcmp(name, VARLINK_SERVICE) == 0)
		text = service_text;
	else if (strcmp(name, CONTROL_INTERFACE) == 0)
		text = interface_text;
	if (text)
		call_reply(call, json_pack("{s:s}", "description", text));
	else
		call_fail_name(call, VARLINK_INTERFACE_NOT_FOUND, "interface", name);
}
