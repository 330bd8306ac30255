/* core/target: what may be named, and what is refused with a sentence (FAILURES.md, ruling 1). */
#include "check.h"

#include "base/text.h"
#include "core/address.h"

#include <errno.h>
#include <string.h>

static void
accepts(const char *text, enum target_kind kind, const char *formatted)
{
	const char *problem = NULL;
	char buffer[TARGET_HOST_MAX + 16];
	struct target target, again;

	if (target_parse(text, FAMILY_ANY, &target, &problem) != 0)
		fail_msg("\"%s\" is refused: it %s", text, problem);
	assert_int_equal(target.kind, kind);
	assert_string_equal(target_format(&target, buffer, sizeof(buffer)), formatted);
	assert_int_equal(target_parse(buffer, FAMILY_ANY, &again, &problem), 0);
	assert_int_equal(again.kind, kind);
	assert_int_equal(target_is_asked(&target), kind == TARGET_NAME || kind == TARGET_SERVICE);
	if (target_is_asked(&target))
		assert_string_equal(again.host, target.host);
	assert_int_equal(address_is_set(&target.address), !target_is_asked(&target));
	assert_int_equal(again.port, target.port);
	assert_int_equal(again.absolute, target.absolute);
	assert_true(address_equal(&again.address, &target.address));
}

static void
refuses_in(enum family family, const char *text, const char *because)
{
	struct target target = { .port = 7 };
	const char *problem = NULL;

	if (target_parse(text, family, &target, &problem) != -EINVAL)
		fail_msg("\"%s\" is accepted", text);
	assert_non_null(problem);
	if (!strstr(problem, because))
		fail_msg("\"%s\": \"%s\" does not say \"%s\"", text, problem, because);
	assert_int_equal(target.port, 7); /* untouched */
}

static void
refuses(const char *text, const char *because)
{
	refuses_in(FAMILY_ANY, text, because);
}

static void
names(void **state)
{
	struct target target;
	const char *problem;

	(void)state;
	accepts("ldap.example.org:636", TARGET_NAME, "ldap.example.org:636");
	accepts("localhost:1", TARGET_NAME, "localhost:1");
	accepts("_ldaps._tcp.example.org:65535", TARGET_NAME, "_ldaps._tcp.example.org:65535");
	accepts("xn--bcher-kva.example:80", TARGET_NAME, "xn--bcher-kva.example:80");
	accepts("1and1.example:80", TARGET_NAME, "1and1.example:80");
	accepts("a1.b2.3c:80", TARGET_NAME, "a1.b2.3c:80");
	accepts("0xyz:80", TARGET_NAME, "0xyz:80");
	accepts("example.org.:80", TARGET_NAME, "example.org.:80");
	assert_int_equal(target_parse("Example.ORG.:80", FAMILY_IPV6, &target, &problem), 0);
	assert_string_equal(target.host, "Example.ORG");
	assert_true(target.absolute);
	assert_int_equal(target.port, 80);
	assert_false(address_is_set(&target.address));
}

static void
numbers(void **state)
{
	(void)state;
	accepts("192.0.2.1:443", TARGET_ADDRESS, "192.0.2.1:443");
	accepts("127.0.0.1:1", TARGET_ADDRESS, "127.0.0.1:1");
	accepts("[2001:db8::1]:443", TARGET_ADDRESS, "[2001:db8::1]:443");
	accepts("[2001:DB8:0:0::1]:443", TARGET_ADDRESS, "[2001:db8::1]:443");
	accepts("[::1]:443", TARGET_ADDRESS, "[::1]:443");
	accepts("[fe80::1%eth0]:636", TARGET_ADDRESS, "[fe80::1%eth0]:636");
	accepts("[fe80::1%2]:636", TARGET_ADDRESS, "[fe80::1%2]:636");
	accepts("[::ffff:192.0.2.1]:636", TARGET_ADDRESS, "[::ffff:192.0.2.1]:636");
}

static void
sockets_of_unix(void **state)
{
	char longest[128] = "unix:/", name[128];

	(void)state;
	accepts("unix:/run/x.sock", TARGET_UNIX, "unix:/run/x.sock");
	accepts("unix:/a b:c", TARGET_UNIX, "unix:/a b:c");
	memset(longest + 6, 'x', 106);
	accepts(longest, TARGET_UNIX, longest);
	text_copy(name, sizeof(name), longest);
	strcat(longest, "x");
	refuses(longest, "over 107 octets");
	refuses("unix:", "has no path");
	refuses("unix:run/x.sock", "not absolute");
	refuses("unix:@name", "abstract");
	refuses("unix:/run/", "directory");
}

static void
has_domain(const char *text, const char *domain)
{
	struct target target;
	const char *problem;

	assert_int_equal(target_parse(text, FAMILY_ANY, &target, &problem), 0);
	assert_string_equal(target_domain(&target), domain);
}

static void
services(void **state)
{
	struct target target;
	const char *problem;

	(void)state;
	accepts("srv:_ldaps._tcp.example.org", TARGET_SERVICE, "srv:_ldaps._tcp.example.org");
	accepts("srv:_xmpp-server._tcp.example.org.", TARGET_SERVICE,
		"srv:_xmpp-server._tcp.example.org.");
	accepts("srv:_ldap._tcp.dc._msdcs.example.org", TARGET_SERVICE,
		"srv:_ldap._tcp.dc._msdcs.example.org");
	accepts("srv:_LDAP._TCP.localdomain", TARGET_SERVICE, "srv:_LDAP._TCP.localdomain");
	accepts("srv:_9p._tcp.10.example", TARGET_SERVICE, "srv:_9p._tcp.10.example");
	assert_int_equal(target_parse("srv:_a._tcp.Example.ORG.", FAMILY_IPV4, &target, &problem), 0);
	assert_string_equal(target.host, "_a._tcp.Example.ORG");
	assert_true(target.absolute);
	assert_int_equal(target.port, 0);
	assert_false(address_is_set(&target.address));
}

static void
domains(void **state)
{
	(void)state;
	has_domain("srv:_ldaps._tcp.example.org", "example.org");
	has_domain("srv:_ldap._tcp.dc._msdcs.example.org.", "dc._msdcs.example.org");
	has_domain("srv:_a._tcp.b", "b");
	has_domain("example.org.:80", "example.org");
	has_domain("_ldaps._tcp.example.org:80", "_ldaps._tcp.example.org");
	has_domain("192.0.2.1:80", "192.0.2.1");
	has_domain("[2001:db8::1]:80", "2001:db8::1");
	has_domain("unix:/run/x", "");
}

static void
services_that_cannot_be(void **state)
{
	(void)state;
	refuses("srv:", "names no service");
	refuses("srv:.", "names no service");
	refuses("srv:example.org", "with an underscore");
	refuses("srv:ldaps.tcp.example.org", "with an underscore");
	refuses("srv:_ldaps", "with an underscore");
	refuses("srv:_ldaps.example.org", "with an underscore");
	refuses("srv:ldaps._tcp.example.org", "with an underscore");
	refuses("srv:_._tcp.example.org", "without a name");
	refuses("srv:_-a._tcp.example.org", "without a name");
	refuses("srv:_dns._udp.example.org", "other than _tcp");
	refuses("srv:_dns._tc.example.org", "other than _tcp");
	refuses("srv:_dns._tcpx.example.org", "other than _tcp");
	refuses("srv:_ldaps._tcp", "no domain");
	refuses("srv:_ldaps._tcp.", "no domain");
	refuses("srv:_ldaps._tcp..", "empty label");
	refuses("srv:_ldaps._tcp..example.org", "empty label");
	refuses("srv:_ldaps._tcp.example.org:636", "has a port");
	refuses("srv:_ldaps._tcp.192.0.2.1", "ends in a number");
	refuses("srv:_ldaps._tcp.[2001:db8::1]", "has a port");
	refuses("srv://_ldaps._tcp.example.org", "character that no host name has");
	refuses("srv: _ldaps._tcp.example.org", "space");
	refuses("srv:_ldaps._tcp.exam_ple-.org", "begins or ends with '-'");
	refuses("srv:_ldaps._tcp.b\xc3\xbc"
		"cher.example",
		"xn--");
}

static void
ports(void **state)
{
	(void)state;
	refuses("example.org", "has no port");
	refuses("example.org:", "has no port");
	refuses("192.0.2.1", "has no port");
	refuses("[2001:db8::1]", "has no port");
	refuses("[2001:db8::1]:", "has no port");
	refuses("example.org:0", "port 0");
	refuses("example.org:00000", "port 0");
	refuses("example.org:65536", "above 65535");
	refuses("example.org:99999999999999999999", "above 65535");
	refuses("example.org:https", "no number");
	refuses("example.org:-1", "no number");
	refuses("example.org: 80", "no number");
	refuses("example.org:80 ", "no number");
	refuses("[::1]:8o", "no number");
}

static void
hosts_that_cannot_be(void **state)
{
	char text[400] = "";
	struct text label = TEXT_INIT(text);

	(void)state;
	refuses("", "is empty");
	refuses(":80", "has no host");
	refuses(".:80", "empty label");
	refuses("a..b:80", "empty label");
	refuses(".a:80", "empty label");
	refuses("a..:80", "empty label");
	refuses("exam ple.org:80", "space");
	refuses(" example.org:80", "space");
	refuses("-a.example:80", "begins or ends with '-'");
	refuses("a.-b:80", "begins or ends with '-'");
	refuses("a-.example:80", "begins or ends with '-'");
	refuses("a\\032b:80", "backslash");
	refuses("b\xc3\xbc"
		"cher.example:80",
		"xn--");
	refuses("a/b:80", "character that no host name has");
	refuses("*.example.org:80", "character that no host name has");
	refuses("a\nb:80", "character that no host name has");
	refuses("https://example.org:443", "is a URL");
	for (int i = 0; i < 63; i++)
		text_add(&label, "x");
	text_add(&label, ".org:80");
	accepts(text, TARGET_NAME, text);
	memmove(text + 1, text, strlen(text) + 1);
	refuses(text, "more than 63");
}

static void
a_name_has_253_characters_at_most(void **state)
{
	char text[400];
	struct text name = TEXT_INIT(text);

	(void)state;
	for (int i = 0; i < 126; i++)
		text_add(&name, "a.");
	text_add(&name, "b:80"); /* 253 and the port */
	accepts(text, TARGET_NAME, text);
	text_init(&name, text, sizeof(text));
	for (int i = 0; i < 126; i++)
		text_add(&name, "a.");
	text_add(&name, "b.:80"); /* the trailing dot does not count */
	accepts(text, TARGET_NAME, text);
	text_init(&name, text, sizeof(text));
	for (int i = 0; i < 126; i++)
		text_add(&name, "a.");
	text_add(&name, "bb:80");
	refuses(text, "253");
	text_init(&name, text, sizeof(text));
	for (int i = 0; i < 126; i++)
		text_add(&name, "a.");
	text_add(&name, "bb.:80");
	refuses(text, "253");
	text_init(&name, text, sizeof(text));
	text_add(&name, "srv:_aa._tcp."); /* 9 of them, of which the prefix is none */
	for (int i = 0; i < 122; i++)
		text_add(&name, "a.");
	accepts(text, TARGET_SERVICE, text);
	text_add(&name, "b");
	refuses(text, "253");
}

static void
numbers_that_are_no_quad(void **state)
{
	static const char *const texts[] = {
		"1.2:80",	 "0x7f.1:80",	  "0177.0.0.1:80",  "256.1.1.1:80",
		"1.2.3.4.5:80",	 "1.2.3:80",	  "2130706433:80",  "0x7f000001:80",
		"192.0.2.01:80", "example.42:80", "example.0x1:80", "192.0.2.1.:80",
		"0x:80",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		refuses(texts[i], "no dotted quad");
}

static void
addresses_that_cannot_be(void **state)
{
	(void)state;
	refuses("2001:db8::1:443", "needs brackets");
	refuses("::1", "needs brackets");
	refuses("[2001:db8::1:443", "closing bracket");
	refuses("[2001:db8::1]443", "after the bracket");
	refuses("[192.0.2.1]:443", "no IPv6 address");
	refuses("[example.org]:443", "no IPv6 address");
	refuses("[]:443", "no IPv6 address");
	refuses("[fe80::1]:443", "without a zone");
	refuses("[fe80::1%]:443", "interface's name");
	refuses("[fe80::1%a b]:443", "interface's name");
	refuses("[fe80::1%a/b]:443", "interface's name");
	refuses("[fe80::1%sixteen-letters-]:443", "interface's name");
	refuses("[2001:db8::1%eth0]:443", "only a link-local");
	refuses("0.0.0.0:80", "nobody answers");
	refuses("255.255.255.255:80", "nobody answers");
	refuses("224.0.0.1:80", "nobody answers");
	refuses("[::]:80", "nobody answers");
	refuses("[ff02::1]:80", "nobody answers");
	refuses("[::ffff:0.0.0.0]:80", "nobody answers");
	refuses_in(FAMILY_IPV4, "[2001:db8::1]:443", "\"ipv4\"");
	refuses_in(FAMILY_IPV6, "192.0.2.1:443", "\"ipv6\"");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(numbers),
		cmocka_unit_test(sockets_of_unix),
		cmocka_unit_test(services),
		cmocka_unit_test(domains),
		cmocka_unit_test(services_that_cannot_be),
		cmocka_unit_test(ports),
		cmocka_unit_test(hosts_that_cannot_be),
		cmocka_unit_test(a_name_has_253_characters_at_most),
		cmocka_unit_test(numbers_that_are_no_quad),
		cmocka_unit_test(addresses_that_cannot_be),
	};

	RUN_TESTS(tests);
}
