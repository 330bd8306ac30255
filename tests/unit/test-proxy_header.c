/* core/proxy_header: the PROXY protocol's header, alone and behind a proxy. */
#include "dialogue-fixture.h"

#include "core/proxy.h"

#include <arpa/inet.h>

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"

static struct address
address_of(const char *text, uint16_t port)
{
	struct address address = { 0 };
	struct in6_addr ip;
	int family = strchr(text, ':') ? AF_INET6 : AF_INET;

	assert_int_equal(inet_pton(family, text, &ip), 1);
	address_from_ip(family, &ip, port, &address);
	return address;
}

/* What is said between the two addresses, without a proxy. */
static void
header_is(enum proxy_header version, const struct address *source, const struct address *peer,
	  struct octets expected)
{
	struct proxy_policy policy = { .header = version };
	struct proxy_setup setup = { .policy = &policy, .source = source, .peer = peer };
	_cleanup_(dialogue_freep) struct dialogue *dialogue = NULL;
	struct failure failure;

	failure_init(&failure, FAILURE_NONE, STAGE_PROXY);
	assert_int_equal(proxy_new(&setup, &dialogue), 0);
	assert_int_equal(dialogue_start(dialogue, &failure), DIALOGUE_DONE);
	we_say(dialogue, expected);
}

#define HEADER_IS(version, source, peer, literal) \
	header_is(PROXY_HEADER_##version, source, peer, (struct octets)OCTETS(literal))

static void
addresses(void **state)
{
	struct address source4 = address_of("192.0.2.1", 65535), peer4 = address_of("198.51.100.2", 25);
	struct address source6 = address_of("2001:db8::1", 4660), peer6 = address_of("2001:db8::2", 25);

	(void)state;
	HEADER_IS(V1, &source4, &peer4, "PROXY TCP4 192.0.2.1 198.51.100.2 65535 25\r\n");
	HEADER_IS(V1, &source6, &peer6, "PROXY TCP6 2001:db8::1 2001:db8::2 4660 25\r\n");
	HEADER_IS(V2, &source4, &peer4,
		  SIGNATURE "\x21\x11\0\x0c\xc0\0\x02\x01\xc6\x33\x64\x02\xff\xff\0\x19");
	HEADER_IS(V2, &source6, &peer6,
		  SIGNATURE "\x21\x21\0\x24"
			    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"
			    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02"
			    "\x12\x34\0\x19");
	HEADER_IS(NONE, &source4, &peer4, "");
}

static void
mapped_addresses(void **state)
{
	struct address source = address_of("::ffff:192.0.2.1", 7),
		       peer = address_of("::ffff:198.51.100.2", 25);
	struct address plain = address_of("192.0.2.1", 7);

	(void)state;
	HEADER_IS(V1, &source, &peer, "PROXY TCP4 192.0.2.1 198.51.100.2 7 25\r\n");
	HEADER_IS(V1, &plain, &peer, "PROXY TCP4 192.0.2.1 198.51.100.2 7 25\r\n");
	HEADER_IS(V2, &source, &peer,
		  SIGNATURE "\x21\x11\0\x0c\xc0\0\x02\x01\xc6\x33\x64\x02\0\x07\0\x19");
}

static void
the_longest(void **state)
{
	const char *ip = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
	struct address source = address_of(ip, 65535), peer = address_of(ip, 65535);

	(void)state;
	HEADER_IS(V1, &source, &peer,
		  "PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
		  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n");
}

static void
nothing_to_tell(void **state)
{
	struct address unset = { 0 }, source4 = address_of("192.0.2.1", 7),
		       peer6 = address_of("2001:db8::2", 25);
	struct address path = { .length = sizeof(sa_family_t), .un.sun_family = AF_UNIX };

	(void)state;
	HEADER_IS(V1, &path, &path, "PROXY UNKNOWN\r\n");
	HEADER_IS(V2, &path, &path, SIGNATURE "\x20\0\0\0");
	HEADER_IS(V1, &unset, &unset, "PROXY UNKNOWN\r\n");
	HEADER_IS(V1, NULL, NULL, "PROXY UNKNOWN\r\n");
	HEADER_IS(V1, &source4, &peer6, "PROXY UNKNOWN\r\n");
	HEADER_IS(V2, &source4, &unset, SIGNATURE "\x20\0\0\0");
}

static struct dialogue *
make(const void *setup)
{
	struct dialogue *dialogue = NULL;

	assert_int_equal(proxy_new(setup, &dialogue), 0);
	return dialogue;
}

/* Behind a proxy the addresses would be the proxy's. */
static void
behind_a_proxy(void **state)
{
	struct address source = address_of("192.0.2.1", 7), peer = address_of("192.0.2.2", 3128);
	struct proxy_policy policy = { .kind = PROXY_HTTP, .header = PROXY_HEADER_V1 };
	struct target target = { 0 };
	struct proxy_setup setup = {
		.policy = &policy, .target = &target, .source = &source, .peer = &peer
	};
	const struct exchange with_http[] = {
		{ OCTETS(""), OCTETS("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n") },
		{ OCTETS("HTTP/1.1 200 OK\r\n\r\n220"), OCTETS("PROXY UNKNOWN\r\n") },
	};
	const struct exchange with_socks[] = {
		{ OCTETS(""), OCTETS("\x05\x01\0") },
		{ OCTETS("\x05\0"), OCTETS("\x05\x01\0\x03\x01"
					   "a\0\x01") },
		{ OCTETS("\x05\0\0\x01\0\0\0\0\0\0"
			 "220"),
		  OCTETS(SIGNATURE "\x20\0\0\0") },
	};
	struct script script = {
		.make = make, .setup = &setup, .stage = STAGE_PROXY, .verdict = DIALOGUE_DONE, .left = 3
	};
	const char *problem;

	(void)state;
	assert_int_equal(target_parse("a:1", FAMILY_ANY, &target, &problem), 0);
	script.exchanges = with_http;
	script.count = COUNT_OF(with_http);
	play(&script);
	policy.kind = PROXY_SOCKS5;
	policy.header = PROXY_HEADER_V2;
	script.exchanges = with_socks;
	script.count = COUNT_OF(with_socks);
	play(&script);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses),	  cmocka_unit_test(mapped_addresses),
		cmocka_unit_test(the_longest),	  cmocka_unit_test(nothing_to_tell),
		cmocka_unit_test(behind_a_proxy),
	};

	RUN_TESTS(tests);
}
