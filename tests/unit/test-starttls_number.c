/* core/starttls_number: SMTP, LMTP, FTP and NNTP. */
#include "starttls-fixture.h"

#include <arpa/inet.h>

static struct address source;

static const struct starttls_setup smtp = { .protocol = STARTTLS_SMTP, .source = &source };
static const struct starttls_setup lmtp = { .protocol = STARTTLS_LMTP };
static const struct starttls_setup ftp = { .protocol = STARTTLS_FTP };
static const struct starttls_setup nntp = { .protocol = STARTTLS_NNTP };

#define GREETS SAYS("220 mx.example.org ESMTP Postfix\r\n", "EHLO [192.0.2.1]\r\n")
#define LISTS \
	SAYS("250-mx.example.org\r\n250-PIPELINING\r\n250-SIZE 10240000\r\n250-STARTTLS\r\n" \
	     "250-ENHANCEDSTATUSCODES\r\n250 CHUNKING\r\n", \
	     "STARTTLS\r\n")
#define GREETS_FTP SAYS("220 (vsFTPd 3.0.3)\r\n", "AUTH TLS\r\n")
#define GREETS_NEWS \
	SAYS("200 news.example.org InterNetNews ready (posting ok)\r\n", "CAPABILITIES\r\n")
#define LISTS_NEWS \
	SAYS("101 Capability list:\r\nVERSION 2\r\nSTARTTLS\r\nREADER\r\n.\r\n", "STARTTLS\r\n")

static void
smtp_goes_well(void **state)
{
	(void)state;
	GOES_WELL(&smtp, BEGIN(""), GREETS, LISTS, ENDS_WITH("220 2.0.0 Ready to start TLS\r\n"));
	/* Several lines of greeting, lines without CR, small letters, the capability last, bare codes. */
	GOES_WELL(&smtp, BEGIN(""), SAYS("220-hello\r\n220 there\n", "EHLO [192.0.2.1]\r\n"),
		  SAYS("250-x\n250 starttls\n", "STARTTLS\r\n"), ENDS_WITH("220-go\n220\r\n"));
	GOES_WELL(&smtp, BEGIN(""), SAYS("220\r\n", "EHLO [192.0.2.1]\r\n"),
		  SAYS("250-x\r\n250-StartTLS \r\n250\r\n", "STARTTLS\r\n"), ENDS_WITH("220 \r\n"));
}

static void
smtp_is_turned_away(void **state)
{
	(void)state;
	FAILS(&smtp, GREETING_REJECTED,
	      "554 5.7.1 <x[192.0.2.1]>: Client host rejected: Access denied", BEGIN(""),
	      ENDS_WITH("554 5.7.1 <x[192.0.2.1]>: Client host rejected: Access denied\r\n"));
	FAILS(&smtp, GREETING_REJECTED, "421 4.7.0 too many connections", BEGIN(""),
	      ENDS_WITH("421-4.7.0 busy\r\n421 4.7.0 too many connections\r\n"));
	FAILS(&smtp, GREETING_REJECTED, NULL, BEGIN(""), ENDS_WITH("450 later\r\n"));
}

static void
smtp_has_no_tls(void **state)
{
	(void)state;
	FAILS(&smtp, STARTTLS_MISSING, NULL, BEGIN(""), GREETS,
	      ENDS_WITH("250-mx.example.org\r\n250-PIPELINING\r\n250 XSTARTTLS\r\n"));
	/* The first line is no capability, whatever the server is called. */
	FAILS(&smtp, STARTTLS_MISSING, NULL, BEGIN(""), GREETS, ENDS_WITH("250 STARTTLS\r\n"));
	FAILS(&smtp, STARTTLS_MISSING, NULL, BEGIN(""), GREETS, ENDS_WITH("250\r\n"));
	FAILS(&smtp, STARTTLS_MISSING, "502 5.5.1 Error: command not implemented", BEGIN(""),
	      GREETS, LISTS, ENDS_WITH("502 5.5.1 Error: command not implemented\r\n"));
	FAILS(&smtp, STARTTLS_MISSING, "500 what?", BEGIN(""), GREETS, ENDS_WITH("500 what?\r\n"));
	FAILS(&smtp, STARTTLS_MISSING, NULL, BEGIN(""), GREETS, LISTS, ENDS_WITH("504 no\r\n"));
}

static void
smtp_refuses(void **state)
{
	(void)state;
	FAILS(&smtp, STARTTLS_REFUSED, "454 TLS not available due to temporary reason", BEGIN(""),
	      GREETS, LISTS, ENDS_WITH("454 TLS not available due to temporary reason\r\n"));
	FAILS(&smtp, STARTTLS_REFUSED, "503 5.7.0 Error: access denied", BEGIN(""), GREETS,
	      ENDS_WITH("503 5.7.0 Error: access denied\r\n"));
	FAILS(&smtp, STARTTLS_REFUSED, NULL, BEGIN(""), GREETS, LISTS, ENDS_WITH("421 bye\r\n"));
	FAILS(&smtp, STARTTLS_REFUSED, NULL, BEGIN(""), GREETS, LISTS, ENDS_WITH("550 no\r\n"));
}

static void
smtp_makes_no_sense(void **state)
{
	(void)state;
	FAILS(&smtp, STARTTLS_REPLY, NULL, BEGIN(""), ENDS_WITH("SSH-2.0-OpenSSH_9.2p1\r\n"));
	FAILS(&smtp, STARTTLS_REPLY, NULL, BEGIN(""), ENDS_WITH("* OK IMAP4rev1 ready\r\n"));
	FAILS(&smtp, STARTTLS_REPLY, NULL, BEGIN(""), ENDS_WITH("HTTP/1.1 400 Bad Request"));
	FAILS(&smtp, STARTTLS_REPLY, NULL, BEGIN(""), ENDS_WITH("J\0\0\0\n8.0.36\0"));
	FAILS(&smtp, STARTTLS_REPLY, NULL, BEGIN(""), ENDS_WITH("220\0"));
	FAILS(&smtp, STARTTLS_REPLY, NULL, BEGIN(""), ENDS_WITH("\r\n"));
	FAILS(&smtp, STARTTLS_REPLY, NULL, BEGIN(""), ENDS_WITH("22\r\n"));
	FAILS(&smtp, STARTTLS_REPLY, NULL, BEGIN(""), ENDS_WITH("2200 x\r\n"));
	FAILS(&smtp, STARTTLS_REPLY, NULL, BEGIN(""), ENDS_WITH("020 x\r\n"));
	FAILS(&smtp, STARTTLS_REPLY, NULL, BEGIN(""), ENDS_WITH("200 news\r\n"));
	FAILS(&smtp, STARTTLS_REPLY, NULL, BEGIN(""), ENDS_WITH("120 wait\r\n"));
	FAILS(&smtp, STARTTLS_REPLY, NULL, BEGIN(""), ENDS_WITH("220-a\r\n221 b\r\n"));
	FAILS(&smtp, STARTTLS_REPLY, NULL, BEGIN(""), ENDS_WITH("220-a\r\nb\r\n"));
	FAILS(&smtp, STARTTLS_REPLY, NULL, BEGIN(""), GREETS, ENDS_WITH("220 again\r\n"));
	FAILS(&smtp, STARTTLS_REPLY, NULL, BEGIN(""), GREETS, LISTS, ENDS_WITH("250 ok\r\n"));
	FAILS(&smtp, STARTTLS_REPLY, NULL, BEGIN(""), GREETS, LISTS, ENDS_WITH("334 more\r\n"));
}

static void
plain_text_behind_the_go_ahead(void **state)
{
	(void)state;
	IS_INJECTED(&smtp, BEGIN(""), GREETS, LISTS, ENDS_WITH("220 go\r\n250 injected\r\n"));
	IS_INJECTED(&smtp, BEGIN(""), GREETS, LISTS, ENDS_WITH("220 go\r\n\n"));
	IS_INJECTED(&lmtp, BEGIN(""), SAYS("220 x\r\n", "LHLO localhost\r\n"),
		    SAYS("250-x\r\n250 STARTTLS\r\n", "STARTTLS\r\n"), ENDS_WITH("220 go\r\n\0"));
	IS_INJECTED(&ftp, BEGIN(""), GREETS_FTP, ENDS_WITH("234 go\r\n331 Password\r\n"));
	IS_INJECTED(&nntp, BEGIN(""), GREETS_NEWS, LISTS_NEWS, ENDS_WITH("382 go\r\n2"));
}

static void
lmtp_goes_well(void **state)
{
	(void)state;
	GOES_WELL(&lmtp, BEGIN(""),
		  SAYS("220 server.test Dovecot (Debian) ready.\r\n", "LHLO localhost\r\n"),
		  SAYS("250-server.test\r\n250-8BITMIME\r\n250 STARTTLS\r\n", "STARTTLS\r\n"),
		  ENDS_WITH("220 2.0.0 Begin TLS negotiation now.\r\n"));
	FAILS(&lmtp, STARTTLS_MISSING, NULL, BEGIN(""), SAYS("220 x\r\n", "LHLO localhost\r\n"),
	      ENDS_WITH("250-x\r\n250 8BITMIME\r\n"));
}

static void
ftp_goes_well(void **state)
{
	(void)state;
	GOES_WELL(&ftp, BEGIN(""), GREETS_FTP, ENDS_WITH("234 Proceed with negotiation.\r\n"));
	/* Anything may stand in the middle of a reply. */
	GOES_WELL(&ftp, BEGIN(""),
		  SAYS("220---------- Welcome ----------\r\nYou are user 1\r\n220-of 50\r\n 221 \r\n\r\n"
		       "220 \r\n",
		       "AUTH TLS\r\n"),
		  ENDS_WITH("234 AUTH TLS OK.\r\n"));
	GOES_WELL(&ftp, BEGIN(""), ENDS_WITH("120 ready in 1 minute\r\n"), GREETS_FTP,
		  ENDS_WITH("234-\r\nx\r\n234 go\r\n"));
}

static void
ftp_fails(void **state)
{
	(void)state;
	FAILS(&ftp, GREETING_REJECTED,
	      "421 There are too many connections from your internet address", BEGIN(""),
	      ENDS_WITH("421 There are too many connections from your internet address.\r\n"));
	FAILS(&ftp, STARTTLS_MISSING, "502 no", BEGIN(""), GREETS_FTP, ENDS_WITH("502 no\r\n"));
	FAILS(&ftp, STARTTLS_MISSING, "504 no", BEGIN(""), GREETS_FTP, ENDS_WITH("504 no\r\n"));
	FAILS(&ftp, STARTTLS_REFUSED, "534 Policy", BEGIN(""), GREETS_FTP, ENDS_WITH("534 Policy\r\n"));
	FAILS(&ftp, STARTTLS_REFUSED, "431 No key", BEGIN(""), GREETS_FTP, ENDS_WITH("431 No key\r\n"));
	FAILS(&ftp, STARTTLS_REPLY, NULL, BEGIN(""), GREETS_FTP, ENDS_WITH("334 more\r\n"));
	FAILS(&ftp, STARTTLS_REPLY, NULL, BEGIN(""), ENDS_WITH("+OK POP3\r\n"));
}

/* "Please login" may stand for "no such command". */
static void
ftp_is_asked_for_its_features(void **state)
{
	(void)state;
	FAILS(&ftp, STARTTLS_MISSING, "530 Please login with USER and PASS", BEGIN(""), GREETS_FTP,
	      SAYS("530 Please login with USER and PASS.\r\n", "FEAT\r\n"),
	      ENDS_WITH("211-Features:\r\n EPRT\r\n PASV\r\n AUTH SSL\r\n UTF8\r\n211 End\r\n"));
	FAILS(&ftp, STARTTLS_REFUSED, "530 Not you", BEGIN(""), GREETS_FTP,
	      SAYS("530 Not you\r\n", "FEAT\r\n"),
	      ENDS_WITH("211-Features:\r\n EPRT\r\n AUTH TLS\r\n211 End\r\n"));
	FAILS(&ftp, STARTTLS_REFUSED, "503 Not you", BEGIN(""), GREETS_FTP,
	      SAYS("503 Not you\r\n", "FEAT\r\n"),
	      ENDS_WITH("211-Features:\r\n AUTH SSL;TLS-C;\r\n211 End\r\n"));
	FAILS(&ftp, STARTTLS_MISSING, "530 Not you", BEGIN(""), GREETS_FTP,
	      SAYS("530 Not you\r\n", "FEAT\r\n"), ENDS_WITH("500 what?\r\n"));
	FAILS(&ftp, STARTTLS_MISSING, "530 Not you", BEGIN(""), GREETS_FTP,
	      SAYS("530 Not you\r\n", "FEAT\r\n"), ENDS_WITH("211 No features\r\n"));
	FAILS(&ftp, STARTTLS_REFUSED, "530 Not you", BEGIN(""), GREETS_FTP,
	      SAYS("530 Not you\r\n", "FEAT\r\n"), ENDS_WITH("530 Please login\r\n"));
}

static void
nntp_goes_well(void **state)
{
	(void)state;
	GOES_WELL(&nntp, BEGIN(""), GREETS_NEWS, LISTS_NEWS,
		  ENDS_WITH("382 Begin TLS negotiation now\r\n"));
	/* Older than the question, or wanting TLS before it answers any. */
	GOES_WELL(&nntp, BEGIN(""), SAYS("201 no posting\r\n", "CAPABILITIES\r\n"),
		  SAYS("500 what?\r\n", "STARTTLS\r\n"), ENDS_WITH("382 go\r\n"));
	GOES_WELL(&nntp, BEGIN(""), GREETS_NEWS,
		  SAYS("483 Encryption required\r\n", "STARTTLS\r\n"), ENDS_WITH("382 go\r\n"));
	/* What reads news may be another server behind the one that feeds them. */
	GOES_WELL(&nntp, BEGIN(""), GREETS_NEWS,
		  SAYS("101 list\r\nVERSION 2\r\nMODE-READER\r\n.\r\n", "MODE READER\r\n"),
		  SAYS("200 reader\r\n", "CAPABILITIES\r\n"), LISTS_NEWS, ENDS_WITH("382 go\r\n"));
}

static void
nntp_fails(void **state)
{
	(void)state;
	FAILS(&nntp, GREETING_REJECTED, "400 NNTP server unavailable.  Try later!", BEGIN(""),
	      ENDS_WITH("400 NNTP server unavailable.  Try later!\r\n"));
	FAILS(&nntp, GREETING_REJECTED, "502 Permission denied", BEGIN(""),
	      ENDS_WITH("502 Permission denied\r\n"));
	FAILS(&nntp, STARTTLS_REFUSED, "580 Error initializing TLS", BEGIN(""), GREETS_NEWS,
	      LISTS_NEWS, ENDS_WITH("580 Error initializing TLS\r\n"));
	FAILS(&nntp, STARTTLS_REFUSED, NULL, BEGIN(""), GREETS_NEWS, ENDS_WITH("400 bye\r\n"));
	FAILS(&nntp, STARTTLS_MISSING, NULL, BEGIN(""), GREETS_NEWS,
	      ENDS_WITH("101 list\r\nVERSION 2\r\nSTARTTLSX\r\n.\r\n"));
	FAILS(&nntp, STARTTLS_MISSING, "500 what?", BEGIN(""), GREETS_NEWS,
	      SAYS("500 what?\r\n", "STARTTLS\r\n"), ENDS_WITH("500 what?\r\n"));
	FAILS(&nntp, STARTTLS_MISSING, NULL, BEGIN(""), GREETS_NEWS,
	      SAYS("101 list\r\nMODE-READER\r\n.\r\n", "MODE READER\r\n"),
	      SAYS("201 reader\r\n", "CAPABILITIES\r\n"), ENDS_WITH("101 list\r\nREADER\r\n.\r\n"));
	FAILS(&nntp, STARTTLS_REFUSED, NULL, BEGIN(""), GREETS_NEWS,
	      SAYS("101 list\r\nMODE-READER\r\n.\r\n", "MODE READER\r\n"), ENDS_WITH("480 no\r\n"));
	FAILS(&nntp, STARTTLS_REPLY, NULL, BEGIN(""), ENDS_WITH("220 mx ESMTP\r\n"));
	FAILS(&nntp, STARTTLS_REPLY, NULL, BEGIN(""), GREETS_NEWS, ENDS_WITH("200 what\r\n"));
}

/* Some servers close on the heels of their last word, and lose its end. */
static void
a_rejection_without_an_end(void **state)
{
	static const struct {
		const char *said;
		enum failure_code code;
	} cases[] = {
		{ "421 too many connections", FAILURE_PROTOCOL_GREETING_REJECTED },
		{ "421", FAILURE_PROTOCOL_GREETING_REJECTED },
		{ "42", FAILURE_PROTOCOL_STARTTLS_CLOSED },
		{ "220 welcome", FAILURE_PROTOCOL_STARTTLS_CLOSED },
		{ "220 a\r\n250-x\r\n250 STA", FAILURE_PROTOCOL_STARTTLS_CLOSED },
		{ "220 a\r\n503 denied", FAILURE_PROTOCOL_STARTTLS_REFUSED },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		_cleanup_(dialogue_freep) struct dialogue *dialogue = starttls_make(&smtp);
		struct octets said = { cases[i].said, strlen(cases[i].said) };
		struct failure failure;
		size_t taken;

		failure_init(&failure, FAILURE_NONE, STAGE_STARTTLS);
		assert_int_equal(dialogue_start(dialogue, &failure), DIALOGUE_MORE);
		assert_int_equal(peer_says(dialogue, said, said.length, &taken, &failure),
				 DIALOGUE_MORE);
		assert_int_equal(dialogue_end(dialogue, &failure), DIALOGUE_FAILED);
		assert_string_equal(failure_name(failure.code), failure_name(cases[i].code));
		assert_string_equal(failure_detail(&failure, "protocol"), "SMTP");
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(smtp_goes_well),
		cmocka_unit_test(smtp_is_turned_away),
		cmocka_unit_test(smtp_has_no_tls),
		cmocka_unit_test(smtp_refuses),
		cmocka_unit_test(smtp_makes_no_sense),
		cmocka_unit_test(plain_text_behind_the_go_ahead),
		cmocka_unit_test(lmtp_goes_well),
		cmocka_unit_test(ftp_goes_well),
		cmocka_unit_test(ftp_fails),
		cmocka_unit_test(ftp_is_asked_for_its_features),
		cmocka_unit_test(nntp_goes_well),
		cmocka_unit_test(nntp_fails),
		cmocka_unit_test(a_rejection_without_an_end),
	};
	const unsigned char ip[] = { 192, 0, 2, 1 };

	address_from_ip(AF_INET, ip, 12345, &source);
	RUN_TESTS(tests);
}
