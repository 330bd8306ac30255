/* core/starttls: names, how we introduce ourselves, and what every failure tells. */
#include "starttls-fixture.h"

#include <arpa/inet.h>

static void
names(void **state)
{
	(void)state;
	assert_string_equal(starttls_name(STARTTLS_NONE), "none");
	assert_string_equal(starttls_name(STARTTLS_XMPP_SERVER), "xmpp-server");
	assert_string_equal(starttls_title(STARTTLS_XMPP_SERVER), "XMPP");
	assert_string_equal(starttls_name(STARTTLS_POSTGRES), "postgres");
	assert_string_equal(starttls_title(STARTTLS_POSTGRES), "PostgreSQL");
	for (int i = 0; i < STARTTLS_COUNT; i++) {
		assert_non_null(starttls_name((enum starttls)i));
		assert_non_null(starttls_title((enum starttls)i));
		for (int j = 0; j < i; j++)
			assert_string_not_equal(starttls_name((enum starttls)i),
						starttls_name((enum starttls)j));
	}
}

static void
introduces_itself(const struct address *source, const char *expected)
{
	struct starttls_setup setup = { .protocol = STARTTLS_SMTP, .source = source };
	_cleanup_(dialogue_freep) struct dialogue *dialogue = starttls_make(&setup);
	struct octets greeting = OCTETS("220 x\r\n");
	struct failure failure;
	size_t taken;

	failure_init(&failure, FAILURE_NONE, STAGE_STARTTLS);
	assert_int_equal(dialogue_start(dialogue, &failure), DIALOGUE_MORE);
	we_say(dialogue, (struct octets){ "", 0 });
	assert_int_equal(peer_says(dialogue, greeting, greeting.length, &taken, &failure),
			 DIALOGUE_MORE);
	we_say(dialogue, (struct octets){ expected, strlen(expected) });
}

static void
introductions(void **state)
{
	struct address address = { 0 }, unix_address = { .length = 2, .un.sun_family = AF_UNIX };
	struct in6_addr ip6;
	struct in_addr ip;

	(void)state;
	introduces_itself(NULL, "EHLO localhost\r\n");
	introduces_itself(&address, "EHLO localhost\r\n");
	introduces_itself(&unix_address, "EHLO localhost\r\n");
	assert_int_equal(inet_pton(AF_INET, "192.0.2.1", &ip), 1);
	address_from_ip(AF_INET, &ip, 1, &address);
	introduces_itself(&address, "EHLO [192.0.2.1]\r\n");
	assert_int_equal(inet_pton(AF_INET6, "2001:db8::1", &ip6), 1);
	address_from_ip(AF_INET6, &ip6, 1, &address);
	introduces_itself(&address, "EHLO [IPv6:2001:db8::1]\r\n");
	assert_int_equal(inet_pton(AF_INET6, "::ffff:192.0.2.1", &ip6), 1);
	address_from_ip(AF_INET6, &ip6, 1, &address);
	introduces_itself(&address, "EHLO [192.0.2.1]\r\n");
}

static void
hint_is(enum starttls protocol, const char *said, const char *expected)
{
	struct starttls_setup setup = { .protocol = protocol };
	_cleanup_(dialogue_freep) struct dialogue *dialogue = starttls_make(&setup);
	struct octets octets = { said, strlen(said) };
	char buffer[512];
	struct text hint = TEXT_INIT(buffer);
	struct failure failure;
	size_t taken;

	failure_init(&failure, FAILURE_NONE, STAGE_STARTTLS);
	assert_int_equal(dialogue_start(dialogue, &failure), DIALOGUE_MORE);
	assert_int_equal(peer_says(dialogue, octets, octets.length, &taken, &failure), DIALOGUE_FAILED);
	failure_hint(&failure, &hint);
	assert_string_equal(buffer, expected);
}

static void
hints(void **state)
{
	(void)state;
	hint_is(STARTTLS_SMTP, "* OK [CAPABILITY IMAP4rev1] ready\r\n",
		"No SMTP server? First bytes: * OK [CAPABILITY IMAP4rev1] ready.");
	hint_is(STARTTLS_POSTGRES, "HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n",
		"No PostgreSQL server? First bytes: HTTP/1.1 400 Bad Request.");
	hint_is(STARTTLS_SMTP, "220 a LMTP ready.\r\n500 what\r\n",
		"The server offers no TLS on this port: 500 what. Its greeting: 220 a LMTP ready.");
	hint_is(STARTTLS_SMTP, "220 a\r\n250 b\r\n",
		"The server offers no TLS on this port. Its greeting: 220 a.");
	hint_is(STARTTLS_POSTGRES, "N", "The server offers no TLS on this port.");
	hint_is(STARTTLS_IMAP, "* BYE busy. \r\n", "The server turned us away at the door: * BYE busy.");
	hint_is(STARTTLS_FTP, "220 a\r\n431 no key\r\n",
		"The server refused to begin TLS: 431 no key. Its greeting: 220 a.");
	hint_is(STARTTLS_FTP, "220 a\r\n234 go\r\n331 x\r\n",
		"Plain text injected before TLS (331 x), possibly an attack; never continued.");
}

static const char *
overdue_hint(enum starttls protocol, const char *said)
{
	struct starttls_setup setup = { .protocol = protocol, .domain = "" };
	_cleanup_(dialogue_freep) struct dialogue *dialogue = starttls_make(&setup);
	struct octets octets = { said, strlen(said) };
	static char buffer[512];
	struct text hint = TEXT_INIT(buffer);
	struct failure failure;
	size_t taken;

	failure_init(&failure, FAILURE_NONE, STAGE_STARTTLS);
	assert_int_equal(dialogue_start(dialogue, &failure), DIALOGUE_MORE);
	if (octets.length > 0)
		assert_int_equal(peer_says(dialogue, octets, octets.length, &taken, &failure),
				 DIALOGUE_MORE);
	dialogue_overdue(dialogue, &failure);
	assert_int_equal(failure.code, FAILURE_TIMEOUT_STARTTLS);
	failure_hint(&failure, &hint);
	return buffer;
}

#define IN_SILENCE(missing) \
	"The server sent " missing \
	": perhaps TLS from the first octet (no STARTTLS), or another protocol, is spoken on this port."

/* What is missing is said: who waits for whom. */
static void
hints_at_the_deadline(void **state)
{
	(void)state;
	for (enum starttls i = STARTTLS_NONE + 1; i < STARTTLS_COUNT; i++) {
		const char *missing = IN_SILENCE("no greeting");

		if (i == STARTTLS_LDAP)
			missing = IN_SILENCE("no reply to StartTLS");
		else if (i == STARTTLS_POSTGRES)
			missing = IN_SILENCE("no reply to SSLRequest");
		else if (i == STARTTLS_XMPP || i == STARTTLS_XMPP_SERVER)
			missing = IN_SILENCE("no reply to the stream's header");
		assert_string_equal(overdue_hint(i, ""), missing);
	}
	assert_string_equal(overdue_hint(STARTTLS_SMTP, "220-a\r\n"),
			    "The server sent no whole greeting. It had said: 220-a.");
	assert_string_equal(overdue_hint(STARTTLS_SMTP, "220 a\r\n"),
			    "The server sent no reply to EHLO. It had said: 220 a.");
	assert_string_equal(overdue_hint(STARTTLS_LMTP, "220 a\r\n250-b\r\n"),
			    "The server sent no whole reply to LHLO. It had said: 250-b.");
	assert_string_equal(overdue_hint(STARTTLS_SMTP, "220 a\r\n250-b\r\n250 STARTTLS\r\n"),
			    "The server sent no reply to STARTTLS. It had said: 250-b.");
	assert_string_equal(overdue_hint(STARTTLS_FTP, "120 soon\r\n"),
			    "The server sent no greeting. It had said: 120 soon.");
	assert_string_equal(overdue_hint(STARTTLS_FTP, "220 a\r\n"),
			    "The server sent no reply to AUTH TLS. It had said: 220 a.");
	assert_string_equal(
		overdue_hint(STARTTLS_IMAP, "* OK [CAPABILITY STARTTLS] a\r\n"),
		"The server sent no reply to STARTTLS. It had said: * OK [CAPABILITY STARTTLS] a.");
	assert_string_equal(overdue_hint(STARTTLS_POP3, "+OK a\r\n"),
			    "The server sent no reply to CAPA. It had said: +OK a.");
	assert_string_equal(overdue_hint(STARTTLS_SIEVE, "\"STARTTLS\"\r\nOK\r\n"),
			    "The server sent no reply to STARTTLS. It had said: \"STARTTLS\".");
}

static void
hints_on_length(void **state)
{
	char said[10 * (DIALOGUE_LINES_MAX + 2)];
	struct text text = TEXT_INIT(said);

	(void)state;
	for (int i = 0; i <= DIALOGUE_LINES_MAX; i++)
		text_add(&text, "220-a\r\n");
	hint_is(STARTTLS_SMTP, said,
		"The reply is too long, wanted is a reply of at most 128 lines. First bytes: 220-a.");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),	   cmocka_unit_test(introductions),
		cmocka_unit_test(hints),	   cmocka_unit_test(hints_at_the_deadline),
		cmocka_unit_test(hints_on_length),
	};

	RUN_TESTS(tests);
}
