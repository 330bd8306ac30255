/*
 * The first octets of a peer: whatever they are, they have a name, what has been settled stays settled, and TLS is never taken
 * for anything else.
 */
#include "base/must.h"
#include "sys/classify_tls.h"

#include <string.h>

#define LENGTH_MAX FAILURE_EVIDENCE_MAX /* no more is ever looked at */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Known by the shape of their octets, not by words: more octets may take these names away. */
static bool
is_shape(const char *protocol)
{
	static const char *const shapes[] = {
		"SOCKS", "MQTT",   "MySQL",	"PostgreSQL",
		"LDAP",	 "Telnet", "memcached", "TLS record of a wrong version",
	};

	for (size_t i = 0; i < COUNT_OF(shapes); i++) {
		if (strcmp(protocol, shapes[i]) == 0)
			return true;
	}
	return strcmp(protocol, "something else") == 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *settled = NULL;

	if (size > LENGTH_MAX)
		size = LENGTH_MAX;
	for (size_t length = 0; length <= size; length++) {
		const char *protocol = classify_plain_protocol(data, length);

		must(protocol && strlen(protocol) < 40);
		if (settled && !is_shape(settled))
			must(strcmp(protocol, settled) == 0);
		settled = classify_plain_settled(data, length) ? protocol : NULL;
		if (length > 0 && !classify_is_tls(data, length - 1))
			must(!classify_is_tls(data, length));
	}
	return 0;
}
