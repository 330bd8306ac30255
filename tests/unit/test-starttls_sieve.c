/* core/starttls_sieve: ManageSieve. */
#include "starttls-fixture.h"

static const struct starttls_setup sieve = { .protocol = STARTTLS_SIEVE };

#define GREETS \
	SAYS("\"IMPLEMENTATION\" \"Dovecot (Debian) Pigeonhole\"\r\n\"SIEVE\" \"fileinto reject\"\r\n" \
	     "\"SASL\" \"PLAIN\"\r\n\"STARTTLS\"\r\n\"VERSION\" \"1.0\"\r\nOK \"Dovecot ready.\"\r\n", \
	     "STARTTLS\r\n")

static void
goes_well(void **state)
{
	(void)state;
	GOES_WELL(&sieve, BEGIN(""), GREETS, ENDS_WITH("OK \"Begin TLS negotiation now.\"\r\n"));
	GOES_WELL(&sieve, BEGIN(""), SAYS("\"starttls\"\nok\n", "STARTTLS\r\n"), ENDS_WITH("OK\r\n"));
	/* Literals, also as a name, and with ends of lines and what looks like replies within. */
	GOES_WELL(&sieve, BEGIN(""),
		  SAYS("\"IMPLEMENTATION\" {12}\r\nNO \"x\"\r\nBYE\r\n{8+}\r\nSTARTTLS\r\n{1}\r\nx {0}\r\n {2}\r\n\r\n\r\n"
		       "OK (TAG {3}\r\na\nb) {5}\r\nhello\r\n",
		       "STARTTLS\r\n"),
		  ENDS_WITH("OK {6}\r\nOK\r\nNO\r\n"));
}

/* What only looks like a literal. */
static void
no_literals(void **state)
{
	(void)state;
	GOES_WELL(&sieve, BEGIN(""),
		  SAYS("\"A\" \"{5}\"\r\n\"B\" {}\r\n\"C\" 3}\r\n\"D\" {+}\r\n\"E\" }\r\n{\r\n\"F\" {x3}\r\n\"STARTTLS\"\r\nOK }\r\n",
		       "STARTTLS\r\n"),
		  ENDS_WITH("OK\r\n"));
}

static void
fails(void **state)
{
	(void)state;
	FAILS(&sieve, GREETING_REJECTED, "BYE \"Too many connections\"", BEGIN(""),
	      ENDS_WITH("BYE \"Too many connections\"\r\n"));
	FAILS(&sieve, GREETING_REJECTED, "Too many", BEGIN(""), ENDS_WITH("BYE {8}\r\nToo many\r\n"));
	FAILS(&sieve, GREETING_REJECTED, NULL, BEGIN(""), ENDS_WITH("\"SASL\"\r\nNO\r\n"));
	FAILS(&sieve, STARTTLS_MISSING, NULL, BEGIN(""),
	      ENDS_WITH("\"SIEVE\" \"STARTTLS\"\r\n\"STARTTLSX\"\r\n{9}\r\nSTARTTLS \r\nOK\r\n"));
	FAILS(&sieve, STARTTLS_REFUSED, "NO \"TLS support isn't enabled.\"", BEGIN(""), GREETS,
	      ENDS_WITH("NO \"TLS support isn't enabled.\"\r\n"));
	FAILS(&sieve, STARTTLS_REFUSED, "not now", BEGIN(""), GREETS,
	      ENDS_WITH("NO {7}\r\nnot now\r\n"));
	FAILS(&sieve, STARTTLS_REFUSED, "BYE (TRYLATER) \"x\"", BEGIN(""), GREETS,
	      ENDS_WITH("BYE (TRYLATER) \"x\"\r\n"));
	FAILS(&sieve, STARTTLS_REPLY, NULL, BEGIN(""), ENDS_WITH("220 mx ESMTP\r\n"));
	FAILS(&sieve, STARTTLS_REPLY, NULL, BEGIN(""), ENDS_WITH("* OK\r\n"));
	FAILS(&sieve, STARTTLS_REPLY, NULL, BEGIN(""), ENDS_WITH("OKAY\r\n"));
	FAILS(&sieve, STARTTLS_REPLY, NULL, BEGIN(""), ENDS_WITH("OK MPD 0.23.5\n"));
	FAILS(&sieve, STARTTLS_MISSING, NULL, BEGIN(""),
	      ENDS_WITH("\"IMPLEMENTATION\" \"x\"\r\nOK\r\n"));
	FAILS(&sieve, STARTTLS_REPLY, NULL, BEGIN(""), ENDS_WITH("\r\n"));
	FAILS(&sieve, STARTTLS_REPLY, NULL, BEGIN(""), ENDS_WITH("\"X\" {16385}\r\n"));
	FAILS(&sieve, STARTTLS_REPLY, NULL, BEGIN(""),
	      ENDS_WITH("\"X\" {99999999999999999999999999999}\r\n"));
	FAILS(&sieve, STARTTLS_REPLY, NULL, BEGIN(""), GREETS, ENDS_WITH("\"VERSION\"\r\n"));
	IS_INJECTED(&sieve, BEGIN(""), GREETS, ENDS_WITH("OK\r\n\"STARTTLS\"\r\n"));
}

static void
too_many_capabilities(void **state)
{
	_cleanup_(dialogue_freep) struct dialogue *dialogue = starttls_make(&sieve);
	struct octets line = OCTETS("\"X\"\r\n");
	struct failure failure;
	size_t taken, lines = 0;

	(void)state;
	failure_init(&failure, FAILURE_NONE, STAGE_STARTTLS);
	while (peer_says(dialogue, line, line.length, &taken, &failure) == DIALOGUE_MORE)
		lines++;
	assert_int_equal(lines, DIALOGUE_LINES_MAX);
	assert_int_equal(failure.code, FAILURE_PROTOCOL_STARTTLS_REPLY);
	assert_string_equal(failure_detail(&failure, "wanted"), "a reply of at most 128 lines");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(goes_well),
		cmocka_unit_test(no_literals),
		cmocka_unit_test(fails),
		cmocka_unit_test(too_many_capabilities),
	};

	RUN_TESTS(tests);
}
