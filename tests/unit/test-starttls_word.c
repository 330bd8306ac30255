/* core/starttls_word: IMAP and POP3. */
#include "starttls-fixture.h"

static const struct starttls_setup imap = { .protocol = STARTTLS_IMAP };
static const struct starttls_setup pop3 = { .protocol = STARTTLS_POP3 };

#define IMAP_GREETS SAYS("* OK ready.\r\n", "a1 CAPABILITY\r\n")
#define IMAP_LISTS \
	SAYS("* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED\r\na1 OK done\r\n", "a2 STARTTLS\r\n")
#define POP3_GREETS SAYS("+OK Dovecot (Debian) ready.\r\n", "CAPA\r\n")
#define POP3_LISTS  SAYS("+OK\r\nCAPA\r\nTOP\r\nUIDL\r\nSTLS\r\nUSER\r\n.\r\n", "STLS\r\n")

static void
imap_goes_well(void **state)
{
	(void)state;
	GOES_WELL(&imap, BEGIN(""), IMAP_GREETS, IMAP_LISTS,
		  ENDS_WITH("a2 OK Begin TLS negotiation now.\r\n"));
	/* Named in the greeting: not asked for again. */
	GOES_WELL(&imap, BEGIN(""),
		  SAYS("* OK [CAPABILITY IMAP4rev1 SASL-IR STARTTLS AUTH=PLAIN] Dovecot ready.\r\n",
		       "a2 STARTTLS\r\n"),
		  ENDS_WITH("a2 OK\r\n"));
	GOES_WELL(&imap, BEGIN(""), SAYS("* ok [capability imap4rev1 starttls] x\n", "a2 STARTTLS\r\n"),
		  ENDS_WITH("A2 ok go\n"));
	/* Not all of them in the greeting: asked for. */
	GOES_WELL(&imap, BEGIN(""),
		  SAYS("* OK [CAPABILITY IMAP4rev1] no STARTTLS here\r\n", "a1 CAPABILITY\r\n"),
		  IMAP_LISTS, ENDS_WITH("a2 OK\r\n"));
	/* What nobody asked for stands before the reply; capabilities may stand in it. */
	GOES_WELL(&imap, BEGIN(""), IMAP_GREETS,
		  SAYS("* OK still here\r\n* NO disk low\r\na1 OK [CAPABILITY STARTTLS] x\r\n",
		       "a2 STARTTLS\r\n"),
		  ENDS_WITH("* CAPABILITY x\r\na2 OK go\r\n"));
	GOES_WELL(&imap, BEGIN(""), IMAP_GREETS, SAYS("a1 BAD what?\r\n", "a2 STARTTLS\r\n"),
		  ENDS_WITH("a2 OK go\r\n"));
}

static void
imap_fails(void **state)
{
	(void)state;
	FAILS(&imap, GREETING_REJECTED, "* BYE Too many connections", BEGIN(""),
	      ENDS_WITH("* BYE Too many connections\r\n"));
	FAILS(&imap, STARTTLS_MISSING, "* PREAUTH welcome back", BEGIN(""),
	      ENDS_WITH("* PREAUTH welcome back\r\n"));
	FAILS(&imap, STARTTLS_MISSING, NULL, BEGIN(""), IMAP_GREETS,
	      ENDS_WITH("* CAPABILITY IMAP4rev1 XSTARTTLS STARTTLSX\r\na1 OK STARTTLS\r\n"));
	FAILS(&imap, STARTTLS_MISSING, "BAD TLS support isn't enabled", BEGIN(""), IMAP_GREETS,
	      IMAP_LISTS, ENDS_WITH("a2 BAD TLS support isn't enabled.\r\n"));
	FAILS(&imap, STARTTLS_REFUSED, "NO [UNAVAILABLE] later", BEGIN(""), IMAP_GREETS, IMAP_LISTS,
	      ENDS_WITH("a2 NO [UNAVAILABLE] later\r\n"));
	FAILS(&imap, STARTTLS_REFUSED, "* BYE going down", BEGIN(""), IMAP_GREETS,
	      ENDS_WITH("* BYE going down\r\n"));
	FAILS(&imap, STARTTLS_REPLY, NULL, BEGIN(""), ENDS_WITH("220 mx ESMTP\r\n"));
	FAILS(&imap, STARTTLS_REPLY, NULL, BEGIN(""), ENDS_WITH("*OK\r\n"));
	FAILS(&imap, STARTTLS_REPLY, NULL, BEGIN(""), ENDS_WITH("* OKAY\r\n"));
	FAILS(&imap, STARTTLS_REPLY, NULL, BEGIN(""), ENDS_WITH("* \r\n"));
	FAILS(&imap, STARTTLS_REPLY, NULL, BEGIN(""), ENDS_WITH("+OK POP3\r\n"));
	FAILS(&imap, STARTTLS_REPLY, NULL, BEGIN(""), IMAP_GREETS, ENDS_WITH("+ go on\r\n"));
	FAILS(&imap, STARTTLS_REPLY, NULL, BEGIN(""), IMAP_GREETS, ENDS_WITH("a2 OK\r\n"));
	FAILS(&imap, STARTTLS_REPLY, NULL, BEGIN(""), IMAP_GREETS, ENDS_WITH("a1 WHAT\r\n"));
	FAILS(&imap, STARTTLS_REPLY, NULL, BEGIN(""), IMAP_GREETS, IMAP_LISTS, ENDS_WITH("a2 \r\n"));
	FAILS(&imap, STARTTLS_REPLY, NULL, BEGIN(""), IMAP_GREETS, IMAP_LISTS, ENDS_WITH("a1 OK\r\n"));
	IS_INJECTED(&imap, BEGIN(""), IMAP_GREETS, IMAP_LISTS,
		    ENDS_WITH("a2 OK go\r\n* CAPABILITY AUTH=PLAIN\r\n"));
}

static void
pop3_goes_well(void **state)
{
	(void)state;
	GOES_WELL(&pop3, BEGIN(""), POP3_GREETS, POP3_LISTS,
		  ENDS_WITH("+OK Begin TLS negotiation now.\r\n"));
	GOES_WELL(&pop3, BEGIN(""), SAYS("+OK\n", "CAPA\r\n"), SAYS("+ok\nstls\n.\n", "STLS\r\n"),
		  ENDS_WITH("+OK\n"));
	/* Older than the question. */
	GOES_WELL(&pop3, BEGIN(""), POP3_GREETS, SAYS("-ERR what?\r\n", "STLS\r\n"),
		  ENDS_WITH("+OK go\r\n"));
}

static void
pop3_fails(void **state)
{
	(void)state;
	FAILS(&pop3, GREETING_REJECTED, "-ERR [SYS/TEMP] later", BEGIN(""),
	      ENDS_WITH("-ERR [SYS/TEMP] later\r\n"));
	FAILS(&pop3, STARTTLS_MISSING, NULL, BEGIN(""), POP3_GREETS,
	      ENDS_WITH("+OK STLS\r\nSASL\r\nSTLSX\r\n.\r\n"));
	FAILS(&pop3, STARTTLS_MISSING, "-ERR TLS support isn't enabled", BEGIN(""), POP3_GREETS,
	      SAYS("-ERR what?\r\n", "STLS\r\n"), ENDS_WITH("-ERR TLS support isn't enabled.\r\n"));
	FAILS(&pop3, STARTTLS_REFUSED, "-ERR not now", BEGIN(""), POP3_GREETS, POP3_LISTS,
	      ENDS_WITH("-ERR not now\r\n"));
	FAILS(&pop3, STARTTLS_REPLY, NULL, BEGIN(""), ENDS_WITH("* OK IMAP\r\n"));
	FAILS(&pop3, STARTTLS_REPLY, NULL, BEGIN(""), ENDS_WITH("+NO\r\n"));
	FAILS(&pop3, STARTTLS_REPLY, NULL, BEGIN(""), POP3_GREETS, ENDS_WITH("250 x\r\n"));
	FAILS(&pop3, STARTTLS_REPLY, NULL, BEGIN(""), POP3_GREETS, POP3_LISTS, ENDS_WITH("x\r\n"));
	IS_INJECTED(&pop3, BEGIN(""), POP3_GREETS, POP3_LISTS, ENDS_WITH("+OK go\r\n+OK\r\n"));
}

/* A capability list may not be endless. */
static void
too_many_capabilities(void **state)
{
	_cleanup_(dialogue_freep) struct dialogue *dialogue = starttls_make(&pop3);
	struct octets greeting = OCTETS("+OK\r\n+OK\r\n"), line = OCTETS("X\r\n");
	struct failure failure;
	size_t taken, lines = 0;

	(void)state;
	failure_init(&failure, FAILURE_NONE, STAGE_STARTTLS);
	assert_int_equal(peer_says(dialogue, greeting, greeting.length, &taken, &failure),
			 DIALOGUE_MORE);
	while (peer_says(dialogue, line, line.length, &taken, &failure) == DIALOGUE_MORE)
		lines++;
	assert_int_equal(lines, DIALOGUE_LINES_MAX - 1);
	assert_int_equal(failure.code, FAILURE_PROTOCOL_STARTTLS_REPLY);
	assert_string_equal(failure_detail(&failure, "protocol"), "POP3");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(imap_goes_well),	 cmocka_unit_test(imap_fails),
		cmocka_unit_test(pop3_goes_well),	 cmocka_unit_test(pop3_fails),
		cmocka_unit_test(too_many_capabilities),
	};

	RUN_TESTS(tests);
}
