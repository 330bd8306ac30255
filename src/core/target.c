/* Targets: what the configuration may name, and all that can be seen to be wrong with it. */
#include "base/text.h"
#include "core/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#define LABEL_MAX	    63
#define PORT_DIGITS_MAX	    5
#define UNIX_PREFIX	    "unix:"
#define SERVICE_PREFIX	    "srv:"
#define SERVICE_PROTOCOL    "_tcp"
#define UNIX_PATH_BYTES_MAX (sizeof(((struct sockaddr_un *)0)->sun_path) - 1)

#define DIGITS	   "0123456789"
#define HEX_DIGITS DIGITS "abcdefABCDEF"

static int
refuse(const char **ret_problem, const char *sentence)
{
	*ret_problem = sentence;
	return -EINVAL;
}

static bool
is_letter_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static int
parse_port(const char *text, uint16_t *ret_port, const char **ret_problem)
{
	unsigned int port = 0;

	if (text[0] == '\0')
		return refuse(ret_problem, "has no port (expected host:port, e.g. example.org:443)");
	if (text[strspn(text, DIGITS)] != '\0')
		return refuse(ret_problem, "has a port that is no number (expected 1 to 65535)");
	if (strlen(text) > PORT_DIGITS_MAX)
		return refuse(ret_problem, "has a port above 65535 (expected 1 to 65535)");
	for (const char *digit = text; *digit != '\0'; digit++)
		port = 10 * port + (unsigned int)(*digit - '0');
	if (port == 0)
		return refuse(ret_problem, "has port 0 (expected 1 to 65535)");
	if (port > UINT16_MAX)
		return refuse(ret_problem, "has a port above 65535 (expected 1 to 65535)");
	*ret_port = (uint16_t)port;
	return 0;
}

static int
parse_unix(const char *path, struct target *ret_target, const char **ret_problem)
{
	struct address address = { 0 };

	if (path[0] == '\0')
		return refuse(ret_problem, "has no path (expected unix:/path)");
	if (path[0] == '@')
		return refuse(ret_problem,
			      "is no path (abstract sockets cannot be named; expected unix:/path)");
	if (path[0] != '/')
		return refuse(ret_problem, "has a path that is not absolute (expected unix:/path)");
	if (strlen(path) > UNIX_PATH_BYTES_MAX)
		return refuse(ret_problem, "has a path over 107 octets, longer than the kernel takes");
	if (path[strlen(path) - 1] == '/')
		return refuse(ret_problem, "names a directory (expected unix:/path of a socket)");
	address.length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path) + 1);
	address.un.sun_family = AF_UNIX;
	memcpy(address.un.sun_path, path, strlen(path) + 1);
	*ret_target = (struct target){ .kind = TARGET_UNIX, .address = address };
	return 0;
}

static int
parse_zone(const char *zone, struct address *address, const char **ret_problem)
{
	bool link_local = IN6_IS_ADDR_LINKLOCAL(&address->in6.sin6_addr);

	if (link_local && !zone)
		return refuse(ret_problem,
			      "is a link-local address without a zone (expected e.g. [fe80::1%eth0]:636)");
	if (!zone)
		return 0;
	if (!link_local)
		return refuse(ret_problem,
			      "has a zone, which only a link-local address (fe80::/10) takes");
	if (zone[0] == '\0' || strlen(zone) >= sizeof(address->zone) || strchr(zone, '/'))
		return refuse(ret_problem,
			      "has a zone that cannot be an interface's name (expected e.g. %eth0)");
	for (const char *c = zone; *c != '\0'; c++) {
		if (*c <= ' ' || *c == 0x7f)
			return refuse(ret_problem,
				      "has a zone that cannot be an interface's name (expected e.g. %eth0)");
	}
	text_copy(address->zone, sizeof(address->zone), zone);
	return 0;
}

static int
check_literal(const struct address *address, enum family family, const char **ret_problem)
{
	bool ipv6 = address_is_ipv6(address);

	if (family == FAMILY_IPV4 && ipv6)
		return refuse(ret_problem, "is an IPv6 address, but family is \"ipv4\"");
	if (family == FAMILY_IPV6 && !ipv6)
		return refuse(ret_problem, "is an IPv4 address, but family is \"ipv6\"");
	if (address_is_excluded(address))
		return refuse(ret_problem,
			      "is an unspecified, multicast or broadcast address: nobody answers there");
	return 0;
}

/* `text` begins behind the opening bracket. */
static int
parse_bracketed(const char *text, enum family family, struct target *ret_target, const char **ret_problem)
{
	struct target target = { .kind = TARGET_ADDRESS };
	const char *close = strchr(text, ']');
	struct in6_addr ip;
	char *zone;
	int r;

	if (!close)
		return refuse(ret_problem, "has no closing bracket (expected e.g. [2001:db8::1]:636)");
	if (close[1] != '\0' && close[1] != ':')
		return refuse(ret_problem, "has something other than a port after the bracket (expected e.g. "
					   "[2001:db8::1]:636)");
	if ((size_t)(close - text) >= sizeof(target.host))
		return refuse(ret_problem,
			      "has no IPv6 address in its brackets (expected e.g. [2001:db8::1]:636)");
	memcpy(target.host, text, (size_t)(close - text));
	zone = strchr(target.host, '%');
	if (zone)
		*zone++ = '\0';
	if (inet_pton(AF_INET6, target.host, &ip) != 1)
		return refuse(ret_problem,
			      "has no IPv6 address in its brackets (expected e.g. [2001:db8::1]:636)");
	r = parse_port(close[1] == ':' ? close + 2 : "", &target.port, ret_problem);
	if (r < 0)
		return r;
	address_from_ip(AF_INET6, &ip, target.port, &target.address);
	r = parse_zone(zone, &target.address, ret_problem);
	if (r < 0)
		return r;
	r = check_literal(&target.address, family, ret_problem);
	if (r < 0)
		return r;
	*ret_target = target;
	return 0;
}

static int
check_characters(const char *host, const char **ret_problem)
{
	for (const char *c = host; *c != '\0'; c++) {
		if ((unsigned char)*c >= 0x80)
			return refuse(ret_problem,
				      "has a character outside ASCII (write the xn-- form of the name)");
		if (*c == ' ' || *c == '\t')
			return refuse(ret_problem, "has a space in its host name");
		if (*c == '\\')
			return refuse(ret_problem, "has a backslash in its host name");
		if (!is_letter_or_digit(*c) && *c != '-' && *c != '_' && *c != '.')
			return refuse(ret_problem,
				      "has a character that no host name has (expected letters, digits, "
				      "'-', '_' and dots)");
	}
	return 0;
}

static int
check_label(const char *label, size_t length, const char **ret_problem)
{
	if (length == 0)
		return refuse(ret_problem,
			      "has an empty label in its host name (two dots in a row, or one in front)");
	if (length > LABEL_MAX)
		return refuse(ret_problem, "has a label of more than 63 characters in its host name");
	if (label[0] == '-' || label[length - 1] == '-')
		return refuse(ret_problem, "has a label that begins or ends with '-' in its host name");
	return 0;
}

/* Whether the last label of `host` is a number, as inet_aton() would read it: then the host is no name but a mistyped address. */
static bool
ends_in_number(const char *host)
{
	const char *dot = strrchr(host, '.');
	const char *label = dot ? dot + 1 : host;
	bool hex = label[0] == '0' && (label[1] == 'x' || label[1] == 'X') &&
		   label[2 + strspn(label + 2, HEX_DIGITS)] == '\0';

	return hex || label[strspn(label, DIGITS)] == '\0';
}

/* `host` has no trailing dot, and at most 253 characters. */
static int
check_labels(const char *host, const char **ret_problem)
{
	const char *label = host;
	int r = check_characters(host, ret_problem);

	if (r < 0)
		return r;
	for (;;) {
		size_t length = strcspn(label, ".");

		r = check_label(label, length, ret_problem);
		if (r < 0)
			return r;
		if (label[length] == '\0')
			return 0;
		label += length + 1;
	}
}

static int
check_name(const char *host, const char **ret_problem)
{
	int r = check_labels(host, ret_problem);

	if (r < 0)
		return r;
	if (ends_in_number(host))
		return refuse(ret_problem,
			      "ends in a number but is no dotted quad (expected four numbers from 0 to 255 "
			      "without leading zeros, e.g. 192.0.2.1, or a name)");
	return 0;
}

/* Puts the `length` characters of a host into `target`, a trailing dot apart. */
static int
store_host(const char *host, size_t length, struct target *target, const char **ret_problem)
{
	if (length > 1 && host[length - 1] == '.') {
		target->absolute = true;
		length--;
	}
	if (length >= sizeof(target->host))
		return refuse(ret_problem, "has a host name of more than 253 characters");
	memcpy(target->host, host, length);
	return 0;
}

/* What follows the first label of `host`; NULL where it has no other. */
static const char *
after_label(const char *host)
{
	const char *dot = strchr(host, '.');

	return dot ? dot + 1 : NULL;
}

/* The labels of "_service._tcp.domain", each of which is one that a host name may have. */
static int
check_service(const char *host, const char **ret_problem)
{
	const char *protocol = after_label(host);
	const char *domain = protocol ? after_label(protocol) : NULL;

	if (host[0] != '_' || !protocol || protocol[0] != '_')
		return refuse(ret_problem, "does not begin with a service and a protocol, both with an "
					   "underscore (expected e.g. srv:_ldaps._tcp.example.org)");
	if (host[1] == '.' || host[1] == '-')
		return refuse(ret_problem,
			      "has a service without a name (expected e.g. srv:_ldaps._tcp.example.org)");
	if (strcspn(protocol, ".") != strlen(SERVICE_PROTOCOL) ||
	    strncasecmp(protocol, SERVICE_PROTOCOL, strlen(SERVICE_PROTOCOL)) != 0)
		return refuse(ret_problem, "asks for a protocol other than _tcp, which is all that is spoken "
					   "here (expected e.g. srv:_ldaps._tcp.example.org)");
	if (!domain)
		return refuse(ret_problem, "has no domain (expected e.g. srv:_ldaps._tcp.example.org)");
	if (ends_in_number(domain))
		return refuse(ret_problem,
			      "has a domain that ends in a number, as no name does (expected e.g. "
			      "srv:_ldaps._tcp.example.org)");
	return 0;
}

/* `name` follows the prefix. */
static int
parse_service(const char *name, struct target *ret_target, const char **ret_problem)
{
	struct target target = { .kind = TARGET_SERVICE };
	int r;

	if (strchr(name, ':'))
		return refuse(ret_problem,
			      "has a port, but the port is what an SRV record tells (expected e.g. "
			      "srv:_ldaps._tcp.example.org)");
	if (name[0] == '\0' || strcmp(name, ".") == 0)
		return refuse(ret_problem,
			      "names no service (expected e.g. srv:_ldaps._tcp.example.org)");
	r = store_host(name, strlen(name), &target, ret_problem);
	if (r < 0)
		return r;
	r = check_labels(target.host, ret_problem);
	if (r < 0)
		return r;
	r = check_service(target.host, ret_problem);
	if (r < 0)
		return r;
	*ret_target = target;
	return 0;
}

/* Fills in `target`, whose port is known, from the `length` characters of its host. */
static int
parse_host(const char *host, size_t length, enum family family, struct target *target,
	   const char **ret_problem)
{
	struct in_addr ip;
	int r = store_host(host, length, target, ret_problem);

	if (r < 0)
		return r;
	if (!target->absolute && inet_pton(AF_INET, target->host, &ip) == 1) {
		target->kind = TARGET_ADDRESS;
		address_from_ip(AF_INET, &ip, target->port, &target->address);
		return check_literal(&target->address, family, ret_problem);
	}
	target->kind = TARGET_NAME;
	return check_name(target->host, ret_problem);
}

static int
check_shape(const char *text, const char **ret_problem)
{
	const char *colon = strchr(text, ':');

	if (text[0] == '\0')
		return refuse(ret_problem, "is empty (expected host:port, [IPv6]:port, unix:/path or "
					   "srv:_service._tcp.domain)");
	if (strstr(text, "://"))
		return refuse(ret_problem, "is a URL (expected host:port, e.g. example.org:443)");
	if (!colon)
		return refuse(ret_problem, "has no port (expected host:port, e.g. example.org:443)");
	if (strchr(colon + 1, ':'))
		return refuse(ret_problem,
			      "has several colons (an IPv6 address needs brackets, e.g. [2001:db8::1]:636)");
	if (colon == text)
		return refuse(ret_problem, "has no host (expected host:port, e.g. example.org:443)");
	return 0;
}

int
target_parse(const char *text, enum family family, struct target *ret_target, const char **ret_problem)
{
	struct target target = { 0 };
	const char *colon;
	int r;

	if (strncmp(text, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0)
		return parse_unix(text + strlen(UNIX_PREFIX), ret_target, ret_problem);
	if (strncmp(text, SERVICE_PREFIX, strlen(SERVICE_PREFIX)) == 0)
		return parse_service(text + strlen(SERVICE_PREFIX), ret_target, ret_problem);
	if (text[0] == '[')
		return parse_bracketed(text + 1, family, ret_target, ret_problem);
	r = check_shape(text, ret_problem);
	if (r < 0)
		return r;
	colon = strchr(text, ':');
	r = parse_port(colon + 1, &target.port, ret_problem);
	if (r < 0)
		return r;
	r = parse_host(text, (size_t)(colon - text), family, &target, ret_problem);
	if (r < 0)
		return r;
	*ret_target = target;
	return 0;
}

bool
target_is_asked(const struct target *target)
{
	return target->kind == TARGET_NAME || target->kind == TARGET_SERVICE;
}

const char *
target_domain(const struct target *target)
{
	if (target->kind != TARGET_SERVICE)
		return target->host;
	return after_label(after_label(target->host));
}

char *
target_format(const struct target *target, char *buffer, size_t size)
{
	const char *dot = target->absolute ? "." : "";
	struct text text;

	if (!target_is_asked(target))
		return address_format(&target->address, buffer, size);
	text_init(&text, buffer, size);
	if (target->kind == TARGET_SERVICE)
		text_addf(&text, SERVICE_PREFIX "%s%s", target->host, dot);
	else
		text_addf(&text, "%s%s:%u", target->host, dot, target->port);
	return buffer;
}
