/* What a peer speaks that does not speak TLS. */
#include "sys/classify_tls.h"

#include "base/cleanup.h"

#include <stdlib.h>
#include <string.h>

#define CONTENT_TYPE_FIRST 20 /* change_cipher_spec */
#define CONTENT_TYPE_LAST  24 /* heartbeat */
#define MAJOR_VERSION	   3

bool
classify_is_tls(const unsigned char *first, size_t length)
{
	if (length >= 1 && (first[0] < CONTENT_TYPE_FIRST || first[0] > CONTENT_TYPE_LAST))
		return false;
	return length < 2 || first[1] == MAJOR_VERSION;
}

/* A protocol, by what its server's first line begins with, and a word that must follow somewhere (or NULL). */
struct greeting {
	const char *begin, *word, *protocol;
};

/* The first row that fits counts. */
static const struct greeting greetings[] = {
	{ "HTTP/", NULL, "HTTP" },
	{ "<!DOCTYPE", NULL, "HTTP" },
	{ "<html", NULL, "HTTP" },
	{ "SSH-", NULL, "SSH" },
	{ "* OK", NULL, "IMAP" },
	{ "* PREAUTH", NULL, "IMAP" },
	{ "* BYE", NULL, "IMAP" },
	{ "* BAD", NULL, "IMAP" },
	{ "+OK", NULL, "POP3" },
	{ "-ERR", "Protocol error", "Redis" },
	{ "-ERR", "unknown command", "Redis" },
	{ "-ERR", "wrong number of arguments", "Redis" },
	{ "-ERR", "max number of clients", "Redis" },
	{ "-ERR", "", "POP3" },
	{ "-DENIED", NULL, "Redis" },
	{ "-NOAUTH", NULL, "Redis" },
	{ "-LOADING", NULL, "Redis" },
	{ "-MISCONF", NULL, "Redis" },
	{ "220", "FTP", "FTP" },
	{ "220", "SMTP", "SMTP" },
	{ "220", "LMTP", "LMTP" },
	{ "220", "", "SMTP or FTP" },
	{ "421", "FTP", "FTP" },
	{ "421", "", "SMTP or FTP" },
	{ "554", NULL, "SMTP" },
	{ "530", NULL, "FTP" },
	{ "200 ", NULL, "NNTP" },
	{ "201 ", NULL, "NNTP" },
	{ "<?xml", NULL, "XMPP" },
	{ "<stream:", NULL, "XMPP" },
	{ "EFATAL", NULL, "PostgreSQL" },
	{ "AMQP", NULL, "AMQP" },
	{ "\"IMPLEMENTATION\"", NULL, "ManageSieve" },
};

static bool
fits(const struct greeting *greeting, const unsigned char *first, size_t length)
{
	size_t begin = strlen(greeting->begin);
	const char *word = greeting->word;

	if (length < begin || strncasecmp((const char *)first, greeting->begin, begin) != 0)
		return false;
	if (!word)
		return true;
	for (size_t i = begin; i + strlen(word) <= length; i++) {
		if (strncasecmp((const char *)first + i, word, strlen(word)) == 0)
			return true;
	}
	return false;
}

/* A packet: three octets of length, sequence number 0, then protocol version 10 or the mark of an error. */
static bool
is_mysql(const unsigned char *first, size_t length)
{
	return length >= 5 && first[2] == 0 && first[3] == 0 && (first[4] == 10 || first[4] == 0xff);
}

/* An ErrorResponse: 'E', its length in four octets (below 64 KiB), then a field, 'S' the first one. */
static bool
is_postgres(const unsigned char *first, size_t length)
{
	return length >= 6 && first[0] == 'E' && first[1] == 0 && first[2] == 0 && first[5] == 'S';
}

const char *
classify_plain_protocol(const unsigned char *first, size_t length)
{
	for (size_t i = 0; i < COUNT_OF(greetings); i++) {
		if (fits(&greetings[i], first, length))
			return greetings[i].protocol;
	}
	if (is_mysql(first, length))
		return "MySQL";
	if (is_postgres(first, length))
		return "PostgreSQL";
	return "something else";
}
