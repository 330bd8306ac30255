/* core/starttls_sql: PostgreSQL and MySQL. */
#include "starttls-fixture.h"

static const struct starttls_setup postgres = { .protocol = STARTTLS_POSTGRES };
static const struct starttls_setup mysql = { .protocol = STARTTLS_MYSQL };

#define POSTGRES_ASKS BEGIN("\0\0\0\x08\x04\xd2\x16\x2f")

/* SSLRequest: 32 octets as packet 1: flags, longest packet, character set, 23 zeros. */
#define MYSQL_REQUEST \
	"\x20\0\0\x01" \
	"\x01\x8a\x08\0" \
	"\0\0\0\x01" \
	"\x21" \
	"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"

/* HandshakeV10 with the lower half of its capabilities; `length` fits a version of six characters. */
#define MYSQL_GREETING(flags) \
	"\x4a\0\0\0\n8.0.36\0" \
	"\x07\0\0\0" \
	"saltsalt\0" flags "\xff\x02\0\xff\xdf\x15\0\0\0\0\0\0\0\0\0\0" \
	"saltsaltsalt\0" \
	"caching_sha2_password\0"

static void
postgres_goes_well(void **state)
{
	(void)state;
	GOES_WELL(&postgres, POSTGRES_ASKS, ENDS_WITH("S"));
	IS_INJECTED(&postgres, POSTGRES_ASKS, ENDS_WITH("SR\0\0\0\x08\0\0\0\0"));
}

static void
postgres_fails(void **state)
{
	(void)state;
	FAILS(&postgres, STARTTLS_MISSING, NULL, POSTGRES_ASKS, ENDS_WITH("N"));
	FAILS(&postgres, GREETING_REJECTED, "FATAL 53300 sorry, too many clients already", POSTGRES_ASKS,
	      ENDS_WITH("E\0\0\0\x3bSFATAL\0VFATAL\0C53300\0Msorry, too many clients already\0\0"));
	FAILS(&postgres, GREETING_REJECTED, NULL, POSTGRES_ASKS, ENDS_WITH("E\0\0\0\x04"));
	FAILS(&postgres, GREETING_REJECTED, "FATAL", POSTGRES_ASKS, ENDS_WITH("E\0\0\0\x0eSFATAL\0Cxx"));
	FAILS(&postgres, GREETING_REJECTED, "could not fork new process for connection: x",
	      POSTGRES_ASKS, ENDS_WITH("Ecould not fork new process for connection: x\n\0"));
	FAILS(&postgres, STARTTLS_REPLY, NULL, POSTGRES_ASKS, ENDS_WITH("ERROR\r\n"));
	FAILS(&postgres, STARTTLS_REPLY, NULL, POSTGRES_ASKS, ENDS_WITH("220 mx ESMTP\r\n"));
	FAILS(&postgres, STARTTLS_REPLY, NULL, POSTGRES_ASKS, ENDS_WITH("HTTP/1.1 400 Bad Request\r\n"));
	FAILS(&postgres, STARTTLS_REPLY, NULL, POSTGRES_ASKS, ENDS_WITH("s"));
}

/* What is said at once with an octet that has a meaning of its own. */
static void
postgres_octets_in_words(void **state)
{
	(void)state;
	IS_NONSENSE(&postgres, POSTGRES_ASKS, ENDS_WITH("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"));
	IS_NONSENSE(&postgres, POSTGRES_ASKS, ENDS_WITH("S\tx~\n"));
	IS_NONSENSE(&postgres, POSTGRES_ASKS, ENDS_WITH("NOTICE AUTH :*** Looking up\r\n"));
	IS_NONSENSE(&postgres, POSTGRES_ASKS, ENDS_WITH("N\0"));
	IS_INJECTED(&postgres, POSTGRES_ASKS, ENDS_WITH("S\x16\x03\x03"));
	IS_INJECTED(&postgres, POSTGRES_ASKS, ENDS_WITH("Sx\x7f"));
	IS_INJECTED(&postgres, POSTGRES_ASKS, ENDS_WITH("SE\0\0\0\x04"));
}

static void
mysql_goes_well(void **state)
{
	(void)state;
	GOES_WELL(&mysql, BEGIN(""), SAYS(MYSQL_GREETING("\xff\xff"), MYSQL_REQUEST));
	GOES_WELL(&mysql, BEGIN(""), SAYS(MYSQL_GREETING("\x00\x08"), MYSQL_REQUEST));
	/* As short as it was before 4.1. */
	GOES_WELL(&mysql, BEGIN(""),
		  SAYS("\x11\0\0\0\n\0"
		       "\x07\0\0\0"
		       "saltsalt\0"
		       "\x00\x08",
		       MYSQL_REQUEST));
	IS_INJECTED(&mysql, BEGIN(""), ENDS_WITH(MYSQL_GREETING("\xff\xff") "\0"));
}

static void
mysql_fails(void **state)
{
	(void)state;
	FAILS(&mysql, STARTTLS_MISSING, NULL, BEGIN(""), ENDS_WITH(MYSQL_GREETING("\xff\xf7")));
	FAILS(&mysql, STARTTLS_MISSING, NULL, BEGIN(""),
	      ENDS_WITH("\x02\0\0\0\x09"
			"3"));
	FAILS(&mysql, GREETING_REJECTED, "1040 Too many connections", BEGIN(""),
	      ENDS_WITH("\x17\0\0\0\xff\x10\x04Too many connections"));
	FAILS(&mysql, GREETING_REJECTED, "1040 Too many connections", BEGIN(""),
	      ENDS_WITH("\x1d\0\0\0\xff\x10\x04#08004Too many connections"));
	FAILS(&mysql, GREETING_REJECTED, "1040", BEGIN(""), ENDS_WITH("\x09\0\0\0\xff\x10\x04#08004"));
	FAILS(&mysql, GREETING_REJECTED, "1129", BEGIN(""), ENDS_WITH("\x03\0\0\0\xff\x69\x04"));
	FAILS(&mysql, STARTTLS_REPLY, NULL, BEGIN(""), ENDS_WITH("\x02\0\0\0\xff\x69"));
	FAILS(&mysql, STARTTLS_REPLY, NULL, BEGIN(""), ENDS_WITH("\0\0\0\0"));
	FAILS(&mysql, STARTTLS_REPLY, NULL, BEGIN(""), ENDS_WITH("\x01\0\0\x01\n"));
	FAILS(&mysql, STARTTLS_REPLY, NULL, BEGIN(""), ENDS_WITH("\x01\0\0\0\x0b"));
	FAILS(&mysql, STARTTLS_REPLY, NULL, BEGIN(""), ENDS_WITH("\x01\0\0\0\n"));
	FAILS(&mysql, STARTTLS_REPLY, NULL, BEGIN(""),
	      ENDS_WITH("\x05\0\0\0\n"
			"8888"));
	FAILS(&mysql, STARTTLS_REPLY, NULL, BEGIN(""),
	      ENDS_WITH("\x10\0\0\0\n\0"
			"\x07\0\0\0"
			"saltsalt\0"
			"\x00"));
	FAILS(&mysql, STARTTLS_REPLY, NULL, BEGIN(""), ENDS_WITH("\xfd\x3f\0\0"));
	FAILS(&mysql, STARTTLS_REPLY, NULL, BEGIN(""), ENDS_WITH("220 mx ESMTP\r\n"));
	FAILS(&mysql, STARTTLS_REPLY, NULL, BEGIN(""), ENDS_WITH("SSH-2.0-x\r\n"));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(postgres_goes_well),
		cmocka_unit_test(postgres_fails),
		cmocka_unit_test(postgres_octets_in_words),
		cmocka_unit_test(mysql_goes_well),
		cmocka_unit_test(mysql_fails),
	};

	RUN_TESTS(tests);
}
