#include "ctl/check_url.h"

#include "base/cleanup.h"
#include "ctl/arguments.h"
#include "ctl/ctl.h"
#include "ctl/verb.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MARK	"://"
#define UNIX	"unix:"
#define SERVICE "srv:"

#define PLAIN(id, scheme_port, probe_kind) \
	{ \
		.name = (id), .port = (scheme_port), .probe = (probe_kind) \
	}
#define OVER_TLS(id, scheme_port, probe_kind) \
	{ \
		.name = (id), .port = (scheme_port), .tls = true, .probe = (probe_kind) \
	}
#define UPGRADED(word, scheme_port, protocol) \
	{ \
		.name = word "+starttls", .port = (scheme_port), .tls = true, .starttls = (protocol) \
	}

/* Ports are those of IANA's register. */
static const struct check_scheme schemes[] = {
	PLAIN("tcp", 0, PROBE_NONE),
	OVER_TLS("tls", 0, PROBE_NONE),
	UPGRADED("smtp", 25, STARTTLS_SMTP),
	UPGRADED("lmtp", 24, STARTTLS_LMTP),
	UPGRADED("imap", 143, STARTTLS_IMAP),
	UPGRADED("pop3", 110, STARTTLS_POP3),
	UPGRADED("ftp", 21, STARTTLS_FTP),
	UPGRADED("nntp", 119, STARTTLS_NNTP),
	UPGRADED("ldap", 389, STARTTLS_LDAP),
	UPGRADED("xmpp", 5222, STARTTLS_XMPP),
	UPGRADED("xmpp-server", 5269, STARTTLS_XMPP_SERVER),
	UPGRADED("sieve", 4190, STARTTLS_SIEVE),
	UPGRADED("postgres", 5432, STARTTLS_POSTGRES),
	UPGRADED("mysql", 3306, STARTTLS_MYSQL),
	PLAIN("http", 80, PROBE_HTTP),
	OVER_TLS("https", 443, PROBE_HTTP),
	PLAIN("smtp", 25, PROBE_SMTP),
	OVER_TLS("smtps", 465, PROBE_SMTP),
	PLAIN("imap", 143, PROBE_IMAP),
	OVER_TLS("imaps", 993, PROBE_IMAP),
	PLAIN("redis", 6379, PROBE_REDIS),
	OVER_TLS("rediss", 6379, PROBE_REDIS),
	PLAIN("memcached", 11211, PROBE_MEMCACHED),
	PLAIN("mqtt", 1883, PROBE_MQTT),
	OVER_TLS("mqtts", 8883, PROBE_MQTT),
	PLAIN("postgres", 5432, PROBE_POSTGRES),
	PLAIN("mysql", 3306, PROBE_MYSQL),
	OVER_TLS("pop3s", 995, PROBE_NONE),
	OVER_TLS("ldaps", 636, PROBE_NONE),
	OVER_TLS("ftps", 990, PROBE_NONE),
	OVER_TLS("nntps", 563, PROBE_NONE),
	OVER_TLS("xmpps", 5223, PROBE_NONE),
	OVER_TLS("amqps", 5671, PROBE_NONE),
};

/* What unix:/path stands for. */
static const struct check_scheme *const plain = &schemes[0];

bool
check_is_url(const char *word)
{
	return strstr(word, MARK) || strncmp(word, UNIX, strlen(UNIX)) == 0;
}

static const struct check_scheme *
find_scheme(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(schemes); i++) {
		if (strcmp(schemes[i].name, name) == 0)
			return &schemes[i];
	}
	return NULL;
}

static void
complain_scheme(const char *name)
{
	const char *names[COUNT_OF(schemes)], *nearest;
	size_t length = strcspn(name, "+");
	char upgraded[64];

	for (size_t i = 0; i < COUNT_OF(schemes); i++)
		names[i] = schemes[i].name;
	nearest = arguments_suggest(name, names, COUNT_OF(schemes));
	snprintf(upgraded, sizeof(upgraded), "%.*s+starttls", (int)(length < 32 ? length : 32), name);
	if (find_scheme(upgraded))
		nearest = upgraded;
	if (nearest)
		ctl_complain("check knows no scheme %s; did you mean %s://host:port?", name, nearest);
	else
		ctl_complain("check knows no scheme %s; it takes tls://host:port, tcp://host:port, "
			     "unix:/path, https://host/path, smtp+starttls://host:port and others: see "
			     "holdfastctl(1)",
			     name);
}

/* Whether `address` names a port, or a place that has none. */
static bool
has_port(const char *address)
{
	const char *colon = strrchr(address, ':');

	if (strncmp(address, UNIX, strlen(UNIX)) == 0 || strncmp(address, SERVICE, strlen(SERVICE)) == 0)
		return true;
	return colon && !strchr(colon, ']');
}

/* Returns what stands in the configuration for the place `length` octets of `word` name. */
static char *
make_address(const char *word, size_t length, uint16_t port)
{
	_cleanup_(freep) char *address = ctl_need(strndup(word, length));
	char *whole;

	if (port == 0 || length == 0 || has_port(address))
		return steal(address);
	if (asprintf(&whole, "%s:%u", address, port) < 0)
		whole = NULL;
	return ctl_need(whole);
}

/* The scheme's name as the table has it: its case means nothing (RFC 3986, section 3.1). */
static char *
scheme_name(const char *word, const char *mark)
{
	char *name = ctl_need(mark ? strndup(word, (size_t)(mark - word)) : strdup(plain->name));

	for (char *letter = name; *letter; letter++) {
		if (*letter >= 'A' && *letter <= 'Z')
			*letter = (char)(*letter - 'A' + 'a');
	}
	return name;
}

/* "/path?query" of what follows the place; a fragment is for browsers alone. */
static char *
make_path(const char *rest)
{
	char *path;

	if (rest[0] != '/' && rest[0] != '?')
		return NULL;
	if (asprintf(&path, "%s%.*s", rest[0] == '?' ? "/" : "", (int)strcspn(rest, "#"), rest) < 0)
		path = NULL;
	return ctl_need(path);
}

static bool
complain_url(const char *word, const char *problem)
{
	ctl_complain("\"%s\" %s", word, problem);
	return false;
}

/* `place`: what stands behind "://". */
static bool
split_place(const char *word, const char *place, struct check_url *url)
{
	size_t length = strcspn(place, "/?#");
	const char *rest = place + length;

	if (memchr(place, '@', length))
		return complain_url(word, "names a user or password; check takes none in a URL");
	if (url->scheme->probe == PROBE_HTTP)
		url->path = make_path(rest);
	else if (rest[0] != '\0' && strcmp(rest, "/") != 0)
		return complain_url(word, "has a path; that is for http and https alone");
	url->address = make_address(place, length, url->scheme->port);
	return true;
}

bool
check_url_parse(const char *word, struct check_url *ret_url)
{
	const char *mark = strstr(word, MARK), *place = mark ? mark + strlen(MARK) : word;
	_cleanup_(freep) char *name = scheme_name(word, mark);

	*ret_url = (struct check_url){ .scheme = find_scheme(name) };
	if (!ret_url->scheme) {
		complain_scheme(name);
		return false;
	}
	if (strncmp(place, UNIX, strlen(UNIX)) != 0)
		return split_place(word, place, ret_url);
	ret_url->address = ctl_need(strdup(place));
	return true;
}

void
check_url_done(struct check_url *url)
{
	free(url->address);
	free(url->path);
	*url = (struct check_url){ 0 };
}
