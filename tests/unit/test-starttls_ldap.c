/* core/starttls_ldap: the extended request and its response. */
#include "starttls-fixture.h"

static const struct starttls_setup ldap = { .protocol = STARTTLS_LDAP };

#define REQUEST \
	"\x30\x1d\x02\x01\x01\x77\x18\x80\x16" \
	"1.3.6.1.4.1.1466.20037"
#define ASKS BEGIN(REQUEST)
#define NOTICE \
	"\x8a\x16" \
	"1.3.6.1.4.1.1466.20036"

static void
goes_well(void **state)
{
	(void)state;
	GOES_WELL(&ldap, ASKS, ENDS_WITH("\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00"));
	/* With the name of the response, and lengths in four octets. */
	GOES_WELL(&ldap, ASKS,
		  ENDS_WITH("\x30\x84\x00\x00\x00\x28\x02\x01\x01\x78\x84\x00\x00\x00\x1f\x0a\x01\x00\x04\x00\x04\x00"
			    "\x8a\x16"
			    "1.3.6.1.4.1.1466.20037"));
	/* With controls behind it, and a number with more octets than it needs. */
	GOES_WELL(&ldap, ASKS,
		  ENDS_WITH("\x30\x81\x0f\x02\x02\x00\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00\xa0\x00"));
	/* An unsolicited notification that we do not know is to be ignored. */
	GOES_WELL(&ldap, ASKS,
		  ENDS_WITH("\x30\x11\x02\x01\x00\x78\x0c\x0a\x01\x00\x04\x00\x04\x00\x8a\x03"
			    "1.2"
			    "\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00"));
}

static void
fails(void **state)
{
	(void)state;
	FAILS(&ldap, STARTTLS_MISSING, "protocolError(2): unsupported", ASKS,
	      ENDS_WITH("\x30\x17\x02\x01\x01\x78\x12\x0a\x01\x02\x04\x00\x04\x0b"
			"unsupported"));
	FAILS(&ldap, STARTTLS_REFUSED, "unavailable(52): no TLS", ASKS,
	      ENDS_WITH("\x30\x16\x02\x01\x01\x78\x11\x0a\x01\x34\x04\x00\x04\x0a"
			"no TLS\nnow"));
	FAILS(&ldap, STARTTLS_REFUSED, "result(123)", ASKS,
	      ENDS_WITH("\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x7b\x04\x00\x04\x00"));
	/* A notice of disconnection. */
	FAILS(&ldap, GREETING_REJECTED, "busy(51)", ASKS,
	      ENDS_WITH("\x30\x24\x02\x01\x00\x78\x1f\x0a\x01\x33\x04\x00\x04\x00" NOTICE));
	FAILS(&ldap, GREETING_REJECTED, "unavailable(52)", ASKS,
	      ENDS_WITH("\x30\x0c\x02\x01\x00\x78\x07\x0a\x01\x34\x04\x00\x04\x00"));
	FAILS(&ldap, STARTTLS_MISSING, "protocolError(2)", ASKS,
	      ENDS_WITH("\x30\x24\x02\x01\x00\x78\x1f\x0a\x01\x02\x04\x00\x04\x00" NOTICE));
	IS_INJECTED(&ldap, ASKS,
		    ENDS_WITH("\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00\x30"));
}

static void
makes_no_sense(void **state)
{
	(void)state;
	FAILS(&ldap, STARTTLS_REPLY, NULL, ASKS, ENDS_WITH("220 mx ESMTP\r\n"));
	FAILS(&ldap, STARTTLS_REPLY, NULL, ASKS, ENDS_WITH("HTTP/1.1 400 Bad Request\r\n"));
	/* An indefinite length, one in too many octets, one too long. */
	FAILS(&ldap, STARTTLS_REPLY, NULL, ASKS, ENDS_WITH("\x30\x80\x02\x01\x01"));
	FAILS(&ldap, STARTTLS_REPLY, NULL, ASKS, ENDS_WITH("\x30\x85\x00\x00\x00\x00\x01"));
	FAILS(&ldap, STARTTLS_REPLY, NULL, ASKS, ENDS_WITH("\x30\x84\xff\xff\xff\xff"));
	FAILS(&ldap, STARTTLS_REPLY, NULL, ASKS, ENDS_WITH("\x30\x82\x40\x01"));
	/* No number, another number, a negative one, another operation, elements that reach beyond theirs. */
	FAILS(&ldap, STARTTLS_REPLY, NULL, ASKS, ENDS_WITH("\x30\x00"));
	FAILS(&ldap, STARTTLS_REPLY, NULL, ASKS, ENDS_WITH("\x30\x02\x02\x00"));
	FAILS(&ldap, STARTTLS_REPLY, NULL, ASKS,
	      ENDS_WITH("\x30\x0c\x02\x01\x02\x78\x07\x0a\x01\x00\x04\x00\x04\x00"));
	FAILS(&ldap, STARTTLS_REPLY, NULL, ASKS,
	      ENDS_WITH("\x30\x0c\x02\x01\x81\x78\x07\x0a\x01\x00\x04\x00\x04\x00"));
	FAILS(&ldap, STARTTLS_REPLY, NULL, ASKS,
	      ENDS_WITH("\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00"));
	FAILS(&ldap, STARTTLS_REPLY, NULL, ASKS,
	      ENDS_WITH("\x30\x0c\x02\x01\x01\x78\x08\x0a\x01\x00\x04\x00\x04\x00"));
	FAILS(&ldap, STARTTLS_REPLY, NULL, ASKS,
	      ENDS_WITH("\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x01"));
	FAILS(&ldap, STARTTLS_REPLY, NULL, ASKS,
	      ENDS_WITH("\x30\x0e\x02\x01\x01\x78\x09\x0a\x01\x00\x04\x00\x04\x00\x8a\x01"));
	FAILS(&ldap, STARTTLS_REPLY, NULL, ASKS,
	      ENDS_WITH("\x30\x09\x02\x01\x01\x78\x04\x04\x00\x04\x00"));
	FAILS(&ldap, STARTTLS_REPLY, NULL, ASKS,
	      ENDS_WITH("\x30\x10\x02\x05\x00\x00\x00\x00\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00"));
	FAILS(&ldap, STARTTLS_REPLY, NULL, ASKS,
	      ENDS_WITH("\x30\x0b\x02\x00\x78\x07\x0a\x01\x00\x04\x00\x04\x00"));
	FAILS(&ldap, STARTTLS_REPLY, NULL, ASKS,
	      ENDS_WITH("\x30\x0a\x02\x01\x01\x78\x05\x0a\x01\x00\x04\x00"));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(goes_well),
		cmocka_unit_test(fails),
		cmocka_unit_test(makes_no_sense),
	};

	RUN_TESTS(tests);
}
