/* What a peer speaks that does not speak TLS: named by how servers begin, and by what they answer to a ClientHello. */
#include "sys/classify_tls.h"

#include "base/cleanup.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define CONTENT_TYPE_FIRST 20 /* change_cipher_spec */
#define CONTENT_TYPE_LAST  24 /* heartbeat */
#define MAJOR_VERSION	   3
#define MINOR_VERSION_LAST 4 /* of TLS 1.3; its records say 3 */

#define UNKNOWN		  "something else"
#define OTHER_TLS_VERSION "TLS record of a wrong version"

bool
classify_is_tls(const unsigned char *first, size_t length)
{
	if (length >= 1 && (first[0] < CONTENT_TYPE_FIRST || first[0] > CONTENT_TYPE_LAST))
		return false;
	return (length < 2 || first[1] == MAJOR_VERSION) &&
	       (length < 3 || first[2] <= MINOR_VERSION_LAST);
}

/* ---- words ------------------------------------------------------------------------------------------------------ */

/* A protocol, by what its server's first line begins with, and a word that must follow somewhere (or NULL). */
struct greeting {
	const char *begin, *word, *protocol;
};

/* The first row that fits counts; of rows with one beginning the one without a word ("") comes last. */
static const struct greeting greetings[] = {
	{ "HTTP/", NULL, "HTTP" },
	{ "<!DOCTYPE html", NULL, "HTTP" },
	{ "<html", NULL, "HTTP" },
	{ "<head", NULL, "HTTP" },
	{ "SSH-", NULL, "SSH" },
	{ "* OK", NULL, "IMAP" },
	{ "* PREAUTH", NULL, "IMAP" },
	{ "* BYE", NULL, "IMAP" },
	{ "* BAD", NULL, "IMAP" },
	{ "+OK", NULL, "POP3" },
	{ "-ERR", "Protocol error", "Redis" },
	{ "-ERR", "unknown command", "Redis" },
	{ "-ERR", "wrong number of arg", "Redis" },
	{ "-ERR", "max number of clients", "Redis" },
	{ "-ERR", "operation not permitted", "Redis" },
	{ "-ERR", "", "POP3" },
	{ "-DENIED", NULL, "Redis" },
	{ "-NOAUTH", NULL, "Redis" },
	{ "-NOPERM", NULL, "Redis" },
	{ "-LOADING", NULL, "Redis" },
	{ "-BUSY", NULL, "Redis" },
	{ "-MASTERDOWN", NULL, "Redis" },
	{ "-MISCONF", NULL, "Redis" },
	{ "220", "LMTP", "LMTP" },
	{ "220", "SMTP", "SMTP" },
	{ "220", "FTP", "FTP" },
	{ "220", "FileZilla", "FTP" },
	{ "220", "Dovecot", "LMTP or SMTP" }, /* it introduces both in one way */
	{ "220", "", "SMTP or FTP" },
	{ "421", "FTP", "FTP" },
	{ "421 4.", NULL, "SMTP" }, /* enhanced status codes (RFC 3463) are mail's own */
	{ "421", "", "SMTP or FTP" },
	{ "450", NULL, "SMTP" },
	{ "521", NULL, "SMTP" },
	{ "554", NULL, "SMTP" },
	{ "500 OOPS", NULL, "FTP" },
	{ "530", NULL, "FTP" },
	{ "200 ", NULL, "NNTP" },
	{ "201 ", NULL, "NNTP" },
	{ "400 ", NULL, "NNTP" },
	{ "502 ", NULL, "NNTP" },
	{ "<?xml", "<stream:", "XMPP" },
	{ "<?xml", "html", "HTTP" },
	{ "<stream:", NULL, "XMPP" },
	{ "EFATAL", NULL, "PostgreSQL" },
	{ "AMQP", NULL, "AMQP" },
	{ "RFB ", NULL, "VNC" },
	{ "ERROR\r\n", NULL, "memcached" },
	{ "CLIENT_ERROR", NULL, "memcached" },
	{ "SERVER_ERROR", NULL, "memcached" },
	{ "ERROR :", NULL, "IRC" },
	{ "NOTICE ", NULL, "IRC" },
	{ "@RSYNCD:", NULL, "rsync" },
	{ "INFO {", NULL, "NATS" },
	{ "RTSP/", NULL, "RTSP" },
	{ "SIP/", NULL, "SIP" },
	{ "\"IMPLEMENTATION\"", NULL, "ManageSieve" },
	{ "\"SIEVE\"", NULL, "ManageSieve" },
	{ "\"SASL\"", NULL, "ManageSieve" },
	{ "BYE \"", NULL, "ManageSieve" },
};

static bool
holds(const unsigned char *octets, size_t length, const char *word)
{
	size_t size = strlen(word);

	for (size_t i = 0; i + size <= length; i++) {
		if (strncasecmp((const char *)octets + i, word, size) == 0)
			return true;
	}
	return false;
}

enum fit {
	FIT_NO,
	FIT_NOT_YET, /* so far; more octets may tell */
	FIT_YES,
};

/* In "220-" and the like the octet that says that more lines follow (RFC 5321, section 4.2.1). */
#define MARK 3

/*
 * Where the first line ends, or of a reply in several lines the last of them; SIZE_MAX where its end has not come yet.  What
 * comes behind it says nothing about how the peer has greeted.
 */
static size_t
greeting_end(const unsigned char *first, size_t length)
{
	bool several = length > MARK && isdigit(first[0]) && first[MARK] == '-';
	size_t line = 0;

	if (length > 0 && first[0] == '<') /* markup has no lines */
		return SIZE_MAX;
	for (size_t i = 0; i < length; i++) {
		if (first[i] != '\n')
			continue;
		if (!several || (i > line + MARK && first[line + MARK] == ' '))
			return i;
		line = i + 1;
	}
	return SIZE_MAX;
}

static enum fit
fits(const struct greeting *greeting, const unsigned char *first, size_t length)
{
	size_t end = greeting_end(first, length);
	size_t begin = strlen(greeting->begin), common = length < begin ? length : begin;

	if (strncasecmp((const char *)first, greeting->begin, common) != 0)
		return FIT_NO;
	if (length < begin)
		return FIT_NOT_YET;
	if (end < length && end >= begin)
		length = end;
	if (!greeting->word || holds(first + begin, length - begin, greeting->word))
		return FIT_YES;
	return end != SIZE_MAX ? FIT_NO : FIT_NOT_YET;
}

/* The protocol by words, or NULL; whether more octets could make it another one. */
static const char *
by_words(const unsigned char *first, size_t length, bool *ret_settled)
{
	*ret_settled = true;
	for (size_t i = 0; i < COUNT_OF(greetings); i++) {
		switch (fits(&greetings[i], first, length)) {
		case FIT_YES:
			return greetings[i].protocol; /* but the word of a row above may still come */
		case FIT_NOT_YET: *ret_settled = false; break;
		case FIT_NO: break;
		}
	}
	return NULL;
}

/* ---- octets ----------------------------------------------------------------------------------------------------- */

/*
 * A packet: three octets of length and sequence number 0.  Then protocol version 10 and the server's version, which begins
 * with a digit; or the mark of an error, its number (server errors begin at 1000) and a text.
 */
static bool
is_mysql(const unsigned char *first, size_t length)
{
	size_t packet;

	if (length < 8 || first[3] != 0)
		return false;
	packet = first[0] | (size_t)first[1] << 8 | (size_t)first[2] << 16;
	if (packet < 4 || packet > 1024)
		return false;
	if (first[4] == 10)
		return isdigit(first[5]);
	return first[4] == 0xff && first[6] >= 3 && first[6] < 32 && isprint(first[7]);
}

/* MySQL's X protocol: four octets of length (LE), then message 11, a notice, of which the first is known. */
static bool
is_mysql_x(const unsigned char *first, size_t length)
{
	static const unsigned char hello[] = { 5, 0, 0, 0, 11, 8, 5, 26, 0 };

	return length >= sizeof(hello) && memcmp(first, hello, sizeof(hello)) == 0;
}

/* An ErrorResponse: 'E', its length in four octets (below 64 KiB), then a field, 'S' the first one. */
static bool
is_postgres(const unsigned char *first, size_t length)
{
	return length >= 6 && first[0] == 'E' && first[1] == 0 && first[2] == 0 && first[5] == 'S';
}

/*
 * An LDAPMessage (RFC 4511, section 4.1.1): a SEQUENCE, its length short or long, a messageID of one octet, and an operation that a
 * server sends: the Notice of Disconnection is an extendedResponse ([APPLICATION 24]); a bindResponse is [APPLICATION 1].
 */
static bool
is_ldap(const unsigned char *first, size_t length)
{
	size_t at = 2;

	if (length < 2 || first[0] != 0x30)
		return false;
	if (first[1] & 0x80)
		at += first[1] & 0x7f;
	return at <= 6 && length >= at + 4 && first[at] == 2 && first[at + 1] == 1 &&
	       (first[at + 3] == 0x78 || first[at + 3] == 0x61);
}

/* A CONNACK (MQTT 3.1.1, section 3.2; of MQTT 5 with properties), or MQTT 5's DISCONNECT with a reason that is an error. */
static bool
is_mqtt(const unsigned char *first, size_t length)
{
	if (length == 4 && first[0] == 0x20 && first[1] == 2)
		return first[2] <= 1 && first[3] <= 5;
	if (length >= 5 && first[0] == 0x20 && first[1] == length - 2)
		return first[2] <= 1 && (first[3] == 0 || first[3] >= 0x80);
	return length >= 3 && first[0] == 0xe0 && first[1] == length - 2 && first[2] >= 0x80;
}

/* SOCKS 5 chooses a method, or none (RFC 1928, section 3); SOCKS 4 answers with eight octets. */
static bool
is_socks(const unsigned char *first, size_t length)
{
	if (length == 2)
		return first[0] == 5 && (first[1] <= 2 || first[1] == 0xff);
	return length == 8 && first[0] == 0 && first[1] >= 0x5a && first[1] <= 0x5d;
}

/* memcached's binary protocol answers with the magic 0x81; what follows is an operation's number and a key's length. */
static bool
is_memcached(const unsigned char *first, size_t length)
{
	return length >= 24 && first[0] == 0x81 && first[2] == 0 && first[3] == 0 && first[5] == 0;
}

/* IAC and a word of negotiation (RFC 854). */
static bool
is_telnet(const unsigned char *first, size_t length)
{
	return length >= 3 && first[0] == 0xff && first[1] >= 0xfb && first[1] <= 0xfe;
}

/* SSLv2: two octets of length with the uppermost bit set, then ERROR, or SERVER-HELLO with two numbers that are 0 or 1. */
static bool
is_sslv2(const unsigned char *first, size_t length)
{
	if (length < 5 || !(first[0] & 0x80))
		return false;
	if (first[0] == 0x80 && first[1] == 3 && first[2] == 0)
		return true;
	return first[2] == 4 && first[3] <= 1 && first[4] <= 1;
}

/* A content type, and then a version that no TLS has (DTLS's is 254). */
static bool
is_other_tls(const unsigned char *first, size_t length)
{
	if (is_sslv2(first, length))
		return true;
	return length >= 2 && first[0] >= CONTENT_TYPE_FIRST && first[0] <= CONTENT_TYPE_LAST &&
	       first[1] != 0 && !isprint(first[1]);
}

static const char *
by_octets(const unsigned char *first, size_t length)
{
	static const struct {
		bool (*fits)(const unsigned char *first, size_t length);
		const char *protocol;
	} shapes[] = {
		{ is_mysql, "MySQL" },
		{ is_mysql_x, "MySQL" },
		{ is_postgres, "PostgreSQL" },
		{ is_ldap, "LDAP" },
		{ is_mqtt, "MQTT" },
		{ is_socks, "SOCKS" },
		{ is_telnet, "Telnet" },
		{ is_memcached, "memcached" },
		{ is_other_tls, OTHER_TLS_VERSION },
	};

	for (size_t i = 0; i < COUNT_OF(shapes); i++) {
		if (shapes[i].fits(first, length))
			return shapes[i].protocol;
	}
	return NULL;
}

const char *
classify_plain_protocol(const unsigned char *first, size_t length)
{
	bool settled;
	const char *protocol = by_words(first, length, &settled);

	if (!protocol)
		protocol = by_octets(first, length);
	return protocol ? protocol : UNKNOWN;
}

bool
classify_plain_settled(const unsigned char *first, size_t length)
{
	bool settled;

	by_words(first, length, &settled);
	return settled;
}
