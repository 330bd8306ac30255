/*
 * Fuzzes addresses: what is refused has a reason, and what is taken is printable and reads as the same again.
 */
#include "base/cleanup.h"
#include "base/must.h"
#include "core/address.h"
#include "fuzz.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The address that a target holds, if any, printed and judged. */
static void
check_address(const struct target *target, enum family family)
{
	char text[ADDRESS_TEXT_MAX];
	const struct address *address = &target->address;

	must(address_is_set(address) != target_is_asked(target));
	if (!address_is_set(address))
		return;
	must(*address_format(address, text, sizeof(text)));
	must(address_equal(address, address));
	must(!address_is_excluded(address));
	if (target->kind == TARGET_ADDRESS && family != FAMILY_ANY)
		must(address_is_ipv6(address) == (family == FAMILY_IPV6));
	if (target->kind == TARGET_UNIX)
		must(address_is_local(address));
}

static void
check_target(const char *text, enum family family)
{
	char canonical[TARGET_HOST_MAX + 16], twice[TARGET_HOST_MAX + 16];
	const char *problem = NULL;
	struct target target, again;

	if (target_parse(text, family, &target, &problem) < 0) {
		must(problem && *problem);
		return;
	}
	check_address(&target, family);
	target_format(&target, canonical, sizeof(canonical));
	if (strchr(canonical, '\\'))
		return; /* a path that was escaped for people */
	must(target_parse(canonical, family, &again, &problem) == 0);
	must(again.kind == target.kind && again.port == target.port);
	must(again.absolute == target.absolute);
	must(!target_is_asked(&target) || strcmp(again.host, target.host) == 0);
	must((*target_domain(&target) != '\0') == (target.kind != TARGET_UNIX));
	must(address_equal(&again.address, &target.address));
	must(strcmp(target_format(&again, twice, sizeof(twice)), canonical) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(freep) char *text = fuzz_text(data, size);

	must(text);
	check_target(text, FAMILY_ANY);
	check_target(text, FAMILY_IPV4);
	check_target(text, FAMILY_IPV6);
	return 0;
}
