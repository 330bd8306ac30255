/* core/proxy: dialogues with HTTP and SOCKS proxies, and proxies in the configuration. */
#include "dialogue-fixture.h"

#include "core/proxy.h"

#include <errno.h>

static struct target by_name, by_ipv4, by_ipv6, by_zone;
static const struct proxy_policy plain_http = { .kind = PROXY_HTTP };
static const struct proxy_policy http_with_user = { .kind = PROXY_HTTP, .user = "Aladdin" };
static const struct proxy_policy plain_socks = { .kind = PROXY_SOCKS5 };
static const struct proxy_policy socks_with_user = { .kind = PROXY_SOCKS5, .user = "me" };

static const struct proxy_setup http = { .policy = &plain_http, .target = &by_name };
static const struct proxy_setup socks = { .policy = &plain_socks, .target = &by_name };
static const struct proxy_setup socks_user = { .policy = &socks_with_user,
					       .target = &by_name,
					       .password = "pw" };

static struct dialogue *
make(const void *setup)
{
	struct dialogue *dialogue = NULL;

	assert_int_equal(proxy_new(setup, &dialogue), 0);
	return dialogue;
}

#define PROXY_SCRIPT(setup_, exchanges_) \
	.make = make, .setup = (setup_), .stage = STAGE_PROXY, .exchanges = (exchanges_), \
	.count = COUNT_OF(exchanges_)

/* It goes well, with `left_` octets for whoever speaks next. */
#define GOES_WELL(setup_, left_, ...) \
	do { \
		const struct exchange exchanges[] = { __VA_ARGS__ }; \
		play(&(struct script){ PROXY_SCRIPT(setup_, exchanges), .verdict = DIALOGUE_DONE, \
				       .left = (left_), .closed = FAILURE_PROTOCOL_PROXY_CLOSED, \
				       .overdue = FAILURE_TIMEOUT_PROXY }); \
	} while (0)

#define FAILS(setup_, code_, reply_, ...) \
	do { \
		const struct exchange exchanges[] = { __VA_ARGS__ }; \
		play(&(struct script){ PROXY_SCRIPT(setup_, exchanges), .verdict = DIALOGUE_FAILED, \
				       .code = FAILURE_PROTOCOL_PROXY_##code_, .reply = (reply_) }); \
	} while (0)

#define SAYS(peer_, ours_) \
	{ \
		OCTETS(peer_), OCTETS(ours_) \
	}
#define BEGIN(ours_)	 SAYS("", ours_)
#define ENDS_WITH(peer_) SAYS(peer_, "")

#define CONNECTS(authority) BEGIN("CONNECT " authority " HTTP/1.1\r\nHost: " authority "\r\n\r\n")
#define CONNECTS_NAME	    CONNECTS("ldap.example.org:636")

static void
http_goes_well(void **state)
{
	struct proxy_setup setup = http;

	(void)state;
	GOES_WELL(&http, 0, CONNECTS_NAME, ENDS_WITH("HTTP/1.1 200 Connection established\r\n\r\n"));
	GOES_WELL(&http, 5, CONNECTS_NAME,
		  ENDS_WITH("HTTP/1.0 204\r\nVia: x\r\nContent-Length: 7\r\n\r\n220 x"));
	GOES_WELL(&http, 0, CONNECTS_NAME, ENDS_WITH("http/1.1 299 \nA: b\n\n"));
	setup.target = &by_ipv4;
	GOES_WELL(&setup, 0, CONNECTS("192.0.2.7:25"), ENDS_WITH("HTTP/1.1 200 OK\r\n\r\n"));
	setup.target = &by_ipv6;
	GOES_WELL(&setup, 0, CONNECTS("[2001:db8::7]:25"), ENDS_WITH("HTTP/1.1 200 OK\r\n\r\n"));
	setup.target = &by_zone;
	GOES_WELL(&setup, 0, CONNECTS("[fe80::1]:25"), ENDS_WITH("HTTP/1.1 200 OK\r\n\r\n"));
}

/* RFC 7617, section 2, and all lengths of padding. */
static void
http_with_credentials(void **state)
{
	struct proxy_setup setup = http;

	(void)state;
	setup.policy = &http_with_user;
	setup.password = "open sesame";
	GOES_WELL(&setup, 0,
		  BEGIN("CONNECT ldap.example.org:636 HTTP/1.1\r\nHost: ldap.example.org:636\r\n"
			"Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n"),
		  ENDS_WITH("HTTP/1.1 200 OK\r\n\r\n"));
	setup.password = NULL;
	GOES_WELL(&setup, 0,
		  BEGIN("CONNECT ldap.example.org:636 HTTP/1.1\r\nHost: ldap.example.org:636\r\n"
			"Proxy-Authorization: Basic QWxhZGRpbjo=\r\n\r\n"),
		  ENDS_WITH("HTTP/1.1 200 OK\r\n\r\n"));
	setup.password = "\xff";
	GOES_WELL(&setup, 0,
		  BEGIN("CONNECT ldap.example.org:636 HTTP/1.1\r\nHost: ldap.example.org:636\r\n"
			"Proxy-Authorization: Basic QWxhZGRpbjr/\r\n\r\n"),
		  ENDS_WITH("HTTP/1.1 200 OK\r\n\r\n"));
}

static void
http_fails(void **state)
{
	(void)state;
	FAILS(&http, AUTH, "HTTP/1.1 407 Proxy Authentication Required", CONNECTS_NAME,
	      ENDS_WITH("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"));
	FAILS(&http, DENIED, "HTTP/1.1 403 Forbidden", CONNECTS_NAME,
	      ENDS_WITH("HTTP/1.1 403 Forbidden\r\nX: y\r\n"));
	FAILS(&http, DENIED, "HTTP/1.1 405", CONNECTS_NAME, ENDS_WITH("HTTP/1.1 405\r\n"));
	FAILS(&http, TARGET, "HTTP/1.1 503 Service Unavailable", CONNECTS_NAME,
	      ENDS_WITH("HTTP/1.1 503 Service Unavailable\r\n\r\n"));
	FAILS(&http, REPLY, NULL, CONNECTS_NAME, ENDS_WITH("HTTP/1.1 302 Found\r\n"));
	FAILS(&http, REPLY, NULL, CONNECTS_NAME, ENDS_WITH("HTTP/1.1 100 Continue\r\n"));
	FAILS(&http, REPLY, NULL, CONNECTS_NAME, ENDS_WITH("HTTP/1.1 600 what\r\n"));
	FAILS(&http, REPLY, NULL, CONNECTS_NAME, ENDS_WITH("HTTP/1.1 099 what\r\n"));
	FAILS(&http, REPLY, NULL, CONNECTS_NAME, ENDS_WITH("HTTP/1.1 2000 what\r\n"));
	FAILS(&http, REPLY, NULL, CONNECTS_NAME, ENDS_WITH("HTTP/1.1 20\r\n"));
	FAILS(&http, REPLY, NULL, CONNECTS_NAME, ENDS_WITH("HTTP/1.1 20x OK\r\n"));
	FAILS(&http, REPLY, NULL, CONNECTS_NAME, ENDS_WITH("HTTP/1.1200 OK\r\n"));
	FAILS(&http, REPLY, NULL, CONNECTS_NAME, ENDS_WITH("HTTP/1.x 200 OK\r\n"));
	FAILS(&http, REPLY, NULL, CONNECTS_NAME, ENDS_WITH("HTTP/2"));
	FAILS(&http, REPLY, NULL, CONNECTS_NAME, ENDS_WITH("\r\n"));
	FAILS(&http, REPLY, NULL, CONNECTS_NAME, ENDS_WITH("SSH-2.0-x\r\n"));
	FAILS(&http, REPLY, NULL, CONNECTS_NAME, ENDS_WITH("\x15\x03\x01\x00\x02\x02\x46"));
}

static void
http_says_too_much(void **state)
{
	_cleanup_(dialogue_freep) struct dialogue *dialogue = make(&http);
	struct octets status = OCTETS("HTTP/1.1 200 OK\r\n"), field = OCTETS("A: b\r\n");
	struct failure failure;
	size_t taken, lines = 1;

	(void)state;
	failure_init(&failure, FAILURE_NONE, STAGE_PROXY);
	assert_int_equal(peer_says(dialogue, status, status.length, &taken, &failure), DIALOGUE_MORE);
	while (peer_says(dialogue, field, field.length, &taken, &failure) == DIALOGUE_MORE)
		lines++;
	assert_int_equal(lines, DIALOGUE_LINES_MAX);
	assert_int_equal(failure.code, FAILURE_PROTOCOL_PROXY_REPLY);
	assert_string_equal(failure_detail(&failure, "bytes"), "HTTP/1.1 200 OK");
}

#define SOCKS_BEGINS	  BEGIN("\x05\x01\0")
#define SOCKS_USER_BEGINS BEGIN("\x05\x02\0\x02")
#define SOCKS_CONNECT \
	"\x05\x01\0\x03\x10" \
	"ldap.example.org" \
	"\x02\x7c"
#define SOCKS_OPEN SAYS("\x05\0", SOCKS_CONNECT)

static void
socks_goes_well(void **state)
{
	struct proxy_setup setup = socks;

	(void)state;
	GOES_WELL(&socks, 0, SOCKS_BEGINS, SOCKS_OPEN, ENDS_WITH("\x05\0\0\x01\0\0\0\0\0\0"));
	GOES_WELL(&socks, 3, SOCKS_BEGINS, SOCKS_OPEN,
		  ENDS_WITH("\x05\0\0\x04"
			    "0123456789abcdef"
			    "\x12\x34"
			    "220"));
	GOES_WELL(&socks, 1, SOCKS_BEGINS, SOCKS_OPEN, ENDS_WITH("\x05\0\0\x03\x05proxy\x12\x34\x05"));
	GOES_WELL(&socks, 0, SOCKS_BEGINS, SOCKS_OPEN, ENDS_WITH("\x05\0\0\x03\0\x12\x34"));
	setup.target = &by_ipv4;
	GOES_WELL(&setup, 0, SOCKS_BEGINS, SAYS("\x05\0", "\x05\x01\0\x01\xc0\0\x02\x07\0\x19"),
		  ENDS_WITH("\x05\0\0\x01\0\0\0\0\0\0"));
	setup.target = &by_ipv6;
	GOES_WELL(&setup, 0, SOCKS_BEGINS,
		  SAYS("\x05\0", "\x05\x01\0\x04\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07\0\x19"),
		  ENDS_WITH("\x05\0\0\x01\0\0\0\0\0\0"));
}

static void
socks_with_credentials(void **state)
{
	struct proxy_setup without_password = socks_user;

	(void)state;
	GOES_WELL(&socks_user, 0, SOCKS_USER_BEGINS, SAYS("\x05\x02", "\x01\x02me\x02pw"),
		  SAYS("\x01\0", SOCKS_CONNECT), ENDS_WITH("\x05\0\0\x01\0\0\0\0\0\0"));
	GOES_WELL(&socks_user, 0, SOCKS_USER_BEGINS, SOCKS_OPEN, ENDS_WITH("\x05\0\0\x01\0\0\0\0\0\0"));
	without_password.password = NULL;
	GOES_WELL(&without_password, 0, SOCKS_USER_BEGINS, SAYS("\x05\x02", "\x01\x02me\0"),
		  SAYS("\x01\0", SOCKS_CONNECT), ENDS_WITH("\x05\0\0\x01\0\0\0\0\0\0"));
	FAILS(&socks_user, AUTH, "user or password refused", SOCKS_USER_BEGINS,
	      SAYS("\x05\x02", "\x01\x02me\x02pw"), ENDS_WITH("\x01\x01"));
	FAILS(&socks_user, AUTH, "no acceptable method of authentication", SOCKS_USER_BEGINS,
	      ENDS_WITH("\x05\xff"));
	FAILS(&socks, AUTH, NULL, SOCKS_BEGINS, ENDS_WITH("\x05\xff"));
	FAILS(&socks_user, REPLY, NULL, SOCKS_USER_BEGINS, SAYS("\x05\x02", "\x01\x02me\x02pw"),
	      ENDS_WITH("\x05\0"));
	/* A method that was not offered. */
	FAILS(&socks, REPLY, NULL, SOCKS_BEGINS, ENDS_WITH("\x05\x02"));
	FAILS(&socks_user, REPLY, NULL, SOCKS_USER_BEGINS, ENDS_WITH("\x05\x01"));
}

static void
socks_fails(void **state)
{
	(void)state;
	FAILS(&socks, TARGET, "general failure(1)", SOCKS_BEGINS, SOCKS_OPEN, ENDS_WITH("\x05\x01"));
	FAILS(&socks, DENIED, "connection not allowed(2)", SOCKS_BEGINS, SOCKS_OPEN,
	      ENDS_WITH("\x05\x02\0\x01\0\0\0\0\0\0"));
	FAILS(&socks, TARGET, "network unreachable(3)", SOCKS_BEGINS, SOCKS_OPEN, ENDS_WITH("\x05\x03"));
	FAILS(&socks, TARGET, "host unreachable(4)", SOCKS_BEGINS, SOCKS_OPEN, ENDS_WITH("\x05\x04"));
	FAILS(&socks, TARGET, "connection refused(5)", SOCKS_BEGINS, SOCKS_OPEN, ENDS_WITH("\x05\x05"));
	FAILS(&socks, TARGET, "TTL expired(6)", SOCKS_BEGINS, SOCKS_OPEN, ENDS_WITH("\x05\x06"));
	FAILS(&socks, REPLY, "command not supported(7)", SOCKS_BEGINS, SOCKS_OPEN,
	      ENDS_WITH("\x05\x07"));
	FAILS(&socks, REPLY, "address type not supported(8)", SOCKS_BEGINS, SOCKS_OPEN,
	      ENDS_WITH("\x05\x08"));
	FAILS(&socks, REPLY, "reply(145)", SOCKS_BEGINS, SOCKS_OPEN, ENDS_WITH("\x05\x91"));
	FAILS(&socks, REPLY, NULL, SOCKS_BEGINS, SOCKS_OPEN, ENDS_WITH("\x04\0"));
	FAILS(&socks, REPLY, NULL, SOCKS_BEGINS, SOCKS_OPEN, ENDS_WITH("\x05\0\0\x02\0\0\0\0\0\0"));
	FAILS(&socks, REPLY, NULL, SOCKS_BEGINS, ENDS_WITH("HTTP/1.1 400 Bad Request\r\n"));
	FAILS(&socks, REPLY, NULL, SOCKS_BEGINS, ENDS_WITH("\0\x5b"));
}

static void
hints(void **state)
{
	_cleanup_(dialogue_freep) struct dialogue *dialogue = make(&http);
	struct octets said = OCTETS("HTTP/1.1 502 Bad Gateway.\r\n");
	char buffer[256];
	struct text hint = TEXT_INIT(buffer);
	struct failure failure;
	size_t taken;

	(void)state;
	failure_init(&failure, FAILURE_NONE, STAGE_PROXY);
	assert_int_equal(peer_says(dialogue, said, said.length, &taken, &failure), DIALOGUE_FAILED);
	failure_hint(&failure, &hint);
	assert_string_equal(buffer, "The proxy could not reach the upstream: HTTP/1.1 502 Bad Gateway.");
}

/* nginx as the "proxy". */
static void
a_web_server_is_no_proxy(void **state)
{
	_cleanup_(dialogue_freep) struct dialogue *dialogue = make(&http);
	struct octets said = OCTETS("HTTP/1.1 405 Not Allowed\r\n");
	char buffer[256];
	struct text hint = TEXT_INIT(buffer);
	struct failure failure;
	size_t taken;

	(void)state;
	failure_init(&failure, FAILURE_NONE, STAGE_PROXY);
	assert_int_equal(peer_says(dialogue, said, said.length, &taken, &failure), DIALOGUE_FAILED);
	assert_int_equal(failure.code, FAILURE_PROTOCOL_PROXY_DENIED);
	failure_hint(&failure, &hint);
	assert_string_equal(buffer, "The proxy's policy forbids this destination: HTTP/1.1 405 Not Allowed. But a web "
				    "server that is no proxy says so, too.");
}

static const char *
overdue_hint(const struct proxy_setup *setup, struct octets said)
{
	_cleanup_(dialogue_freep) struct dialogue *dialogue = make(setup);
	static char buffer[512];
	struct text hint = TEXT_INIT(buffer);
	struct failure failure;
	size_t taken;

	failure_init(&failure, FAILURE_NONE, STAGE_PROXY);
	assert_int_equal(dialogue_start(dialogue, &failure), DIALOGUE_MORE);
	if (said.length > 0)
		assert_int_equal(peer_says(dialogue, said, said.length, &taken, &failure),
				 DIALOGUE_MORE);
	dialogue_overdue(dialogue, &failure);
	assert_int_equal(failure.code, FAILURE_TIMEOUT_PROXY);
	failure_hint(&failure, &hint);
	return buffer;
}

static void
hints_at_the_deadline(void **state)
{
	(void)state;
	assert_string_equal(overdue_hint(&http, (struct octets){ "", 0 }),
			    "The proxy accepted but sent no reply to CONNECT: perhaps it is a proxy of another "
			    "kind, or it waits for the upstream.");
	assert_string_equal(
		overdue_hint(&http, (struct octets)OCTETS("HTTP/1.1 200 OK\r\n")),
		"The proxy accepted but sent no whole reply to CONNECT. It had said: HTTP/1.1 200 OK.");
	assert_string_equal(overdue_hint(&socks, (struct octets){ "", 0 }),
			    "The proxy accepted but sent no reply to the offer of methods: perhaps it is a proxy of "
			    "another kind, or it waits for the upstream.");
	assert_string_equal(
		overdue_hint(&socks, (struct octets)OCTETS("\x05\0")),
		"The proxy accepted but sent no reply to the request to connect. It had said: \\x05\\x00.");
}

static void
takes(const char *text, enum proxy_kind kind, const char *formatted)
{
	char buffer[TARGET_HOST_MAX + 32];
	struct proxy_policy policy = { 0 };
	const char *problem = NULL;

	if (proxy_parse(text, &policy.kind, &policy.target, &problem) != 0)
		fail_msg("\"%s\" is refused: it %s", text, problem);
	assert_int_equal(policy.kind, kind);
	assert_string_equal(proxy_format(&policy, buffer, sizeof(buffer)), formatted);
}

static void
refuses(const char *text, const char *because)
{
	enum proxy_kind kind = PROXY_NONE;
	struct target target = { .port = 7 };
	const char *problem = NULL;

	assert_int_equal(proxy_parse(text, &kind, &target, &problem), -EINVAL);
	assert_non_null(problem);
	if (!strstr(problem, because))
		fail_msg("\"%s\": \"%s\" does not say \"%s\"", text, problem, because);
	assert_int_equal(kind, PROXY_NONE); /* untouched */
	assert_int_equal(target.port, 7);
}

static void
texts(void **state)
{
	static const struct proxy_policy none = { 0 };
	char buffer[300] = "x", long_name[300] = "http://";

	(void)state;
	takes("http://proxy.example.org:3128", PROXY_HTTP, "http://proxy.example.org:3128");
	takes("http://proxy.example.org.:3128/", PROXY_HTTP, "http://proxy.example.org.:3128");
	takes("socks5://192.0.2.1:1080", PROXY_SOCKS5, "socks5://192.0.2.1:1080");
	takes("socks5://[2001:DB8::1]:1080", PROXY_SOCKS5, "socks5://[2001:db8::1]:1080");
	assert_string_equal(proxy_format(&none, buffer, sizeof(buffer)), "");
	refuses("", "expected http://");
	refuses("proxy:3128", "expected http://");
	refuses("ftp://proxy:3128", "expected http://");
	refuses("https://proxy:3128", "over TLS");
	refuses("socks5h://proxy:1080", "socks5://");
	refuses("socks4://proxy:1080", "expected http://");
	refuses("http://me:pw@proxy:3128", "proxy_user");
	refuses("http://proxy:3128/path", "path");
	refuses("http://proxy", "no port");
	refuses("http://", "empty");
	refuses("http:///", "empty");
	refuses("http://unix:/run/proxy", "path");
	refuses("http://srv:_x._tcp.example.org", "names no host");
	refuses("http://http://proxy:1", "path");
	refuses("http://0.0.0.0:1", "unspecified");
	memset(long_name + 7, 'a', 280);
	refuses(long_name, "253");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(http_goes_well),
		cmocka_unit_test(http_with_credentials),
		cmocka_unit_test(http_fails),
		cmocka_unit_test(http_says_too_much),
		cmocka_unit_test(socks_goes_well),
		cmocka_unit_test(socks_with_credentials),
		cmocka_unit_test(socks_fails),
		cmocka_unit_test(hints),
		cmocka_unit_test(a_web_server_is_no_proxy),
		cmocka_unit_test(hints_at_the_deadline),
		cmocka_unit_test(texts),
	};
	const char *problem;

	target_parse("ldap.example.org.:636", FAMILY_ANY, &by_name, &problem);
	target_parse("192.0.2.7:25", FAMILY_ANY, &by_ipv4, &problem);
	target_parse("[2001:db8::7]:25", FAMILY_ANY, &by_ipv6, &problem);
	target_parse("[fe80::1%eth0]:25", FAMILY_ANY, &by_zone, &problem);
	RUN_TESTS(tests);
}
