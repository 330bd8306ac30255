/*
 * Fuzzes the dialogues with proxies: the first octet chooses kind, target, user and header, the second the pieces, the rest is what the proxy
 * says.  However it comes, it comes to the same, and the same octets are left over.  As text, it is a proxy of the configuration as well.
 */
#include "core/proxy.h"
#include "dialogue.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const targets[] = { "ldap.example.org:636", "192.0.2.1:25", "[2001:db8::1]:25" };

static struct outcome
feed(unsigned int choice, struct octets input, size_t piece)
{
	const struct proxy_policy policy = {
		.kind = choice & 1 ? PROXY_HTTP : PROXY_SOCKS5,
		.user = choice & 2 ? "user" : NULL,
		.header = choice & 4 ? PROXY_HEADER_V2 : PROXY_HEADER_NONE,
	};
	struct target target;
	const struct proxy_setup setup = { .policy = &policy,
					   .target = &target,
					   .password = choice & 8 ? "password" : NULL };
	struct dialogue *dialogue;
	const char *problem;

	must(target_parse(targets[(choice >> 4) % COUNT_OF(targets)], FAMILY_ANY, &target, &problem) ==
	     0);
	must(proxy_new(&setup, &dialogue) == 0);
	return fuzz_feed(dialogue, input, piece, STAGE_PROXY);
}

/* What is taken is written the same, and taken again. */
static void
check_text(const char *text)
{
	char buffer[TARGET_HOST_MAX + 32], again[TARGET_HOST_MAX + 32];
	struct proxy_policy policy = { 0 };
	const char *problem = NULL;

	if (proxy_parse(text, &policy.kind, &policy.target, &problem) < 0) {
		must(problem && *problem && policy.kind == PROXY_NONE);
		return;
	}
	proxy_format(&policy, buffer, sizeof(buffer));
	must(proxy_parse(buffer, &policy.kind, &policy.target, &problem) == 0);
	must(strcmp(proxy_format(&policy, again, sizeof(again)), buffer) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(freep) char *text = fuzz_text(data, size);
	struct outcome whole, singly, pieces;
	struct octets input;

	must(text);
	check_text(text);
	if (size < 3)
		return 0;
	input = (struct octets){ data + 2, size - 2 };
	whole = feed(data[0], input, input.length);
	singly = feed(data[0], input, 1);
	pieces = feed(data[0], input, 1 + data[1]);
	must(singly.verdict == whole.verdict && singly.code == whole.code);
	must(pieces.verdict == whole.verdict && pieces.code == whole.code);
	if (whole.verdict == DIALOGUE_DONE)
		must(singly.taken == whole.taken && pieces.taken == whole.taken);
	return 0;
}
