/* The names of what is no TLS: real first words of real servers, and what they answer to a ClientHello. */
#include "check.h"

#include "sys/classify_tls.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct sample {
	const char *octets;
	size_t length;
	const char *protocol;
};

#define SAMPLE(octets, protocol) \
	{ \
		octets, sizeof(octets) - 1, protocol \
	}
#define UNKNOWN	  "something else"
#define OTHER_TLS "TLS record of a wrong version"

static const struct sample samples[] = {
	/* nginx, Apache, haproxy, Go, lighttpd, an old balancer, one that answers in HTTP/0.9 */
	SAMPLE("HTTP/1.1 400 Bad Request\r\nServer: nginx/1.22.1\r\nDate: Sun, 22 Nov 2026 21:00:00 GMT\r\n",
	       "HTTP"),
	SAMPLE("<html>\r\n<head><title>400 Bad Request</title></head>\r\n<body>\r\n", "HTTP"),
	SAMPLE("<!DOCTYPE HTML PUBLIC \"-//IETF//DTD HTML 2.0//EN\">\n<html><head>\n<title>400 Bad Request",
	       "HTTP"),
	SAMPLE("HTTP/1.0 400 Bad request\r\nCache-Control: no-cache\r\nConnection: close\r\n", "HTTP"),
	SAMPLE("<?xml version=\"1.0\" encoding=\"iso-8859-1\"?>\n<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0",
	       "HTTP"),
	/* Postfix, postscreen, Exim, Sendmail, qmail, Exchange, Haraka */
	SAMPLE("220 mail.example.org ESMTP Postfix (Debian/GNU)\r\n", "SMTP"),
	SAMPLE("220-mail.example.org ESMTP Postfix\r\n", "SMTP"),
	SAMPLE("220 mx ESMTP Exim 4.96 Sun, 22 Nov 2026 21:00:00 +0000\r\n", "SMTP"),
	SAMPLE("220 mx.example ESMTP Sendmail 8.17.1/8.17.1; Sun, 22 Nov 2026\r\n", "SMTP"),
	SAMPLE("220 EX1.example Microsoft ESMTP MAIL Service ready at Sun, 22 Nov\r\n", "SMTP"),
	SAMPLE("554 5.7.1 No SMTP service here\r\n", "SMTP"),
	SAMPLE("521 5.7.1 Service unavailable; client [192.0.2.1] blocked\r\n", "SMTP"),
	SAMPLE("421 4.7.0 mail.example Error: too many connections\r\n", "SMTP"),
	SAMPLE("450 4.3.2 Service currently unavailable\r\n", "SMTP"),
	/* Dovecot, Cyrus */
	SAMPLE("220 mail.example Dovecot (Debian) ready.\r\n", "LMTP or SMTP"),
	SAMPLE("220 mail.example Cyrus LMTP 3.6.1-Debian server ready\r\n", "LMTP"),
	SAMPLE("* OK [CAPABILITY IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE STARTTLS] Dovecot ready.\r\n",
	       "IMAP"),
	SAMPLE("* BYE Disconnected: Auth process broken\r\n", "IMAP"),
	SAMPLE("* BAD invalid command\r\n", "IMAP"),
	SAMPLE("+OK Dovecot (Debian) ready.\r\n", "POP3"),
	SAMPLE("-ERR Unknown command.\r\n", "Redis"), /* POP3's words are as often these: the port tells */
	SAMPLE("-ERR no POP3 service for you\r\n", "POP3"),
	SAMPLE("\"IMPLEMENTATION\" \"Dovecot Pigeonhole\"\r\n\"SIEVE\" \"fileinto reject\"\r\n",
	       "ManageSieve"),
	/* vsftpd, ProFTPD, Pure-FTPd, FileZilla, IIS */
	SAMPLE("220 (vsFTPd 3.0.3)\r\n", "FTP"),
	SAMPLE("220 ProFTPD Server (Debian) [::ffff:127.0.0.1]\r\n", "FTP"),
	SAMPLE("220---------- Welcome to Pure-FTPd [privsep] [TLS] ----------\r\n", "FTP"),
	SAMPLE("220-FileZilla Server 1.7.0\r\n", "FTP"),
	SAMPLE("220-Welcome to our archive\r\n220-no anonymous logins\r\n220 ProFTPD Server\r\n", "FTP"),
	SAMPLE("220 welcome\r\n214 FTP, if you ask\r\n", "SMTP or FTP"),
	SAMPLE("220 Microsoft FTP Service\r\n", "FTP"),
	SAMPLE("500 OOPS: vsftpd: refusing to run with writable root inside chroot()\r\n", "FTP"),
	SAMPLE("530 Please login with USER and PASS.\r\n", "FTP"),
	SAMPLE("220 welcome\r\n", "SMTP or FTP"),
	SAMPLE("421 Too many connected users\r\n", "SMTP or FTP"),
	/* OpenSSH, dropbear */
	SAMPLE("SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n", "SSH"),
	SAMPLE("SSH-2.0-dropbear_2022.83\r\n", "SSH"),
	/* INN, Leafnode */
	SAMPLE("200 news.example InterNetNews NNRP server INN 2.7.1 ready (posting ok)\r\n", "NNTP"),
	SAMPLE("201 server ready - no posting allowed\r\n", "NNTP"),
	SAMPLE("502 You have no permission to talk.  Goodbye.\r\n", "NNTP"),
	SAMPLE("400 service temporarily unavailable\r\n", "NNTP"),
	/* Redis answers ClientHellos, and clients that may not be */
	SAMPLE("-ERR unknown command '\\x16\\x03\\x01', with args beginning with: \r\n", "Redis"),
	SAMPLE("-ERR Protocol error: too big mbulk count string\r\n", "Redis"),
	SAMPLE("-ERR wrong number of arguments for 'get' command\r\n", "Redis"),
	SAMPLE("-DENIED Redis is running in protected mode because protected mode is enabled\r\n",
	       "Redis"),
	SAMPLE("-NOAUTH Authentication required.\r\n", "Redis"),
	/* memcached, in words and in octets */
	SAMPLE("ERROR\r\n", "memcached"),
	SAMPLE("CLIENT_ERROR bad command line format\r\n", "memcached"),
	SAMPLE("\x81\0\0\0\0\0\0\x81\0\0\0\x0f\0\0\0\0\0\0\0\0\0\0\0\0Unknown command", "memcached"),
	/* MySQL and MariaDB: a greeting, a client that may not, one too many; the X protocol */
	SAMPLE("J\0\0\0\n8.0.36\0\x08\0\0\0abcdefgh\0\xff\xff\xff\2\0\xff\xdf", "MySQL"),
	SAMPLE("Y\0\0\0\n5.5.5-10.11.6-MariaDB-0+deb12u1\0\x1f\0\0\0", "MySQL"),
	SAMPLE("H\0\0\0\xffj\4Host '192.0.2.1' is not allowed to connect to this MariaDB server", "MySQL"),
	SAMPLE("\x17\0\0\0\xff\x10\4Too many connections", "MySQL"), /* begins like an alert's record */
	SAMPLE("\x16\0\0\0\xff\x10\4Too many connection", "MySQL"),
	SAMPLE("\5\0\0\0\x0b\x08\5\x1a\0", "MySQL"),
	/* PostgreSQL, of version 3 and of version 2 of its protocol */
	SAMPLE("E\0\0\0\x8dSFATAL\0VFATAL\0C0A000\0Munsupported frontend protocol 774.257", "PostgreSQL"),
	SAMPLE("EFATAL:  unsupported frontend protocol\n", "PostgreSQL"),
	/* Prosody, ejabberd */
	SAMPLE("<?xml version='1.0'?><stream:stream xmlns:stream='http://etherx.jabber.org/streams' xmlns=",
	       "XMPP"),
	SAMPLE("<stream:error><not-well-formed xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>",
	       "XMPP"),
	SAMPLE("AMQP\0\0\x09\1", "AMQP"),
	/* slapd's Notice of Disconnection; Active Directory's, with lengths of four octets */
	SAMPLE("0\x24\2\1\0x\x1f\x0a\1\2\4\0\4\0\x8a\x16"
	       "1.3.6.1.4.1.1466.20036",
	       "LDAP"),
	SAMPLE("0\x84\0\0\0\x2d\2\1\0x\x84\0\0\0\x24\x0a\1\x34", "LDAP"),
	/* mosquitto refuses; MQTT 5's CONNACK and DISCONNECT */
	SAMPLE(" \2\0\1", "MQTT"),
	SAMPLE(" \3\0\x84\0", "MQTT"),
	SAMPLE("\xe0\1\x82", "MQTT"),
	SAMPLE("\5\xff", "SOCKS"),
	SAMPLE("\5\0", "SOCKS"),
	SAMPLE("\0\x5b\0\0\0\0\0\0", "SOCKS"),
	SAMPLE("RFB 003.008\n", "VNC"),
	SAMPLE("@RSYNCD: 31.0 sha512 sha256 sha1 md5 md4\n", "rsync"),
	SAMPLE("ERROR :Closing Link: [192.0.2.1] (Connection refused)\r\n", "IRC"),
	SAMPLE("INFO {\"server_id\":\"NBX\",\"version\":\"2.9.10\"}\r\n", "NATS"),
	SAMPLE("\xff\xfd\x18\xff\xfd ", "Telnet"),
	/* SSLv2's SERVER-HELLO and ERROR; DTLS; a version of no TLS */
	SAMPLE("\x80\x2e\4\0\1\0\2\0\x10\0\x09\0\x10", OTHER_TLS),
	SAMPLE("\x80\3\0\0\1", OTHER_TLS),
	SAMPLE("\x16\xfe\xfd\0\0\0\0\0\0\0\0\0\x2c\2", OTHER_TLS),
	SAMPLE("\x15\2\0\0\2\2\x46", OTHER_TLS),
	SAMPLE("\x16\3\x09\0\2\2\x46", OTHER_TLS),
	/* None of these */
	SAMPLE("", UNKNOWN),
	SAMPLE("x", UNKNOWN),
	SAMPLE("\0\0\0", UNKNOWN),
	SAMPLE("hello, world\r\n", UNKNOWN),
	SAMPLE("\x80\x2e\1\3\1", UNKNOWN),
	SAMPLE("J\0\0\0\nabc", UNKNOWN),
	SAMPLE("\x16hello", UNKNOWN),
	SAMPLE("E\0\0\0\x09X", UNKNOWN),
	SAMPLE("0\x24\2\1\0\x42", UNKNOWN),
};

/* In memory of its own size, so that a sanitizer sees what is read beyond. */
static const char *
protocol_of(const char *octets, size_t length, bool *ret_settled)
{
	unsigned char *copy = malloc(length ? length : 1);
	const char *protocol;

	assert_non_null(copy);
	memcpy(copy, octets, length);
	protocol = classify_plain_protocol(copy, length);
	*ret_settled = classify_plain_settled(copy, length);
	free(copy);
	return protocol;
}

static void
test_samples(void **state)
{
	bool settled;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(samples); i++) {
		const char *protocol = protocol_of(samples[i].octets, samples[i].length, &settled);

		if (strcmp(protocol, samples[i].protocol) != 0)
			fail_msg("%.*s: %s instead of %s", (int)samples[i].length,
				 samples[i].octets, protocol, samples[i].protocol);
	}
}

/* None of them is TLS, whatever OpenSSL calls it. */
static void
test_code(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(samples); i++) {
		const unsigned char *octets = (const unsigned char *)samples[i].octets;
		struct tls_signs signs = {
			.stage = STAGE_HANDSHAKE,
			.alert = -1,
			.first = octets,
			.first_length = samples[i].length,
		};

		if (samples[i].length < 2)
			continue;
		assert_false(classify_is_tls(octets, samples[i].length));
		assert_string_equal(failure_name(classify_tls(&signs)), "tls.not-tls");
	}
}

/* However it is cut, what has been settled stays what it is; but SOCKS is known by being so short. */
static void
test_cuts(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(samples); i++) {
		const char *last = NULL;

		for (size_t length = 1; length <= samples[i].length; length++) {
			bool settled;
			const char *protocol = protocol_of(samples[i].octets, length, &settled);

			if (last && strcmp(last, UNKNOWN) != 0 && strcmp(last, "SOCKS") != 0)
				assert_string_equal(protocol, last);
			last = settled ? protocol : NULL;
		}
	}
}

static void
expect_settled(const char *octets, bool expected)
{
	bool settled;

	protocol_of(octets, strlen(octets), &settled);
	assert_int_equal(settled, expected);
}

static void
test_settled(void **state)
{
	(void)state;
	expect_settled("S", false);
	expect_settled("SSH", false);
	expect_settled("SSH-", true);
	expect_settled("220", false);
	expect_settled("220 mail.example ", false);
	expect_settled("220 mail.example ESMTP", false);
	expect_settled("220 mail.example\r\n", true);
	expect_settled("220-welcome\r\n", false);
	expect_settled("220-welcome\r\n220 \r\n", true);
	expect_settled("-ERR un", false);
	expect_settled("-ERR unknown command", false);
	expect_settled("-ERR unknown command\r\n", true);
	expect_settled("ht", false);
	expect_settled("hu", true);
	expect_settled("x", true);
	expect_settled("OK", true);
	expect_settled("<?xml version='1.0'?>", false);
}

static void
test_first_octets(void **state)
{
	(void)state;
	assert_true(classify_is_tls(NULL, 0));
	for (unsigned int type = 0; type < 256; type++) {
		unsigned char first[3] = { (unsigned char)type, 3, 4 };

		assert_int_equal(classify_is_tls(first, 3), type >= 20 && type <= 24);
		assert_int_equal(classify_is_tls(first, 2), type >= 20 && type <= 24);
		assert_int_equal(classify_is_tls(first, 1), type >= 20 && type <= 24);
		first[2] = 5;
		assert_false(classify_is_tls(first, 3));
		first[1] = 2;
		assert_false(classify_is_tls(first, 2));
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_samples),	     cmocka_unit_test(test_code),
		cmocka_unit_test(test_cuts),	     cmocka_unit_test(test_settled),
		cmocka_unit_test(test_first_octets),
	};

	RUN_TESTS(tests);
}
