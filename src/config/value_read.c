#include "config/value.h"

#include "base/must.h"
#include "config/duration.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#define QUOTE_MAX    64	 /* bytes of a foreign word that a sentence repeats */
#define PROTOCOL_MAX 255 /* bytes of an ALPN name (RFC 7301) */

/* Say what is wrong; always -EINVAL. */
static int __attribute__((format(printf, 2, 3)))
complain(const struct value_site *site, const char *format, ...)
{
	char sentence[VALUE_SENTENCE_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(sentence, sizeof(sentence), format, arguments);
	va_end(arguments);
	site->complain(site, sentence);
	return -EINVAL;
}

/* A word of the file, fit for a sentence: quoted, escaped, cut. */
struct quoted {
	char text[QUOTE_MAX * 4 + 8];
};

static struct quoted
quote(const char *word)
{
	struct quoted quoted;
	struct text text = TEXT_INIT(quoted.text);
	size_t length = strnlen(word, QUOTE_MAX + 1);

	text_add(&text, "\"");
	text_add_escaped(&text, word, length > QUOTE_MAX ? QUOTE_MAX : length, "\"");
	text_add(&text, length > QUOTE_MAX ? "…\"" : "\"");
	return quoted;
}

const char *
value_setting_name(const config_setting_t *setting)
{
	switch (config_setting_type(setting)) {
	case CONFIG_TYPE_GROUP: return "a group";
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64: return "an integer";
	case CONFIG_TYPE_FLOAT: return "a number with a point";
	case CONFIG_TYPE_STRING: return "a string";
	case CONFIG_TYPE_BOOL: return "true or false";
	case CONFIG_TYPE_ARRAY: return "an array";
	default: return "a list";
	}
}

static int
wrong_type(const struct value_site *site)
{
	return complain(site, "expected %s, found %s", value_type_name(site->key->type),
			value_setting_name(site->setting));
}

static bool
is_integer(const config_setting_t *setting)
{
	return config_setting_type(setting) == CONFIG_TYPE_INT ||
	       config_setting_type(setting) == CONFIG_TYPE_INT64;
}

static bool
is_list(const config_setting_t *setting)
{
	return config_setting_type(setting) == CONFIG_TYPE_ARRAY ||
	       config_setting_type(setting) == CONFIG_TYPE_LIST;
}

/* The integer that `setting` holds, of either size. */
static int64_t
integer_of(const config_setting_t *setting)
{
	return config_setting_type(setting) == CONFIG_TYPE_INT ? config_setting_get_int(setting) :
								 config_setting_get_int64(setting);
}

/* Bytes that could deceive whoever reads them in a log or a table. */
static bool
has_control(const char *string)
{
	for (; *string; string++)
		if ((unsigned char)*string < 0x20 || *string == 0x7f)
			return true;
	return false;
}

static int
read_bool(const struct value_site *site, void *at)
{
	if (config_setting_type(site->setting) != CONFIG_TYPE_BOOL)
		return wrong_type(site);
	*(bool *)at = config_setting_get_bool(site->setting);
	return 0;
}

static int
read_integer(const struct value_site *site, void *at)
{
	const struct schema_key *key = site->key;
	int64_t value;
	uint32_t bits;

	if (!is_integer(site->setting))
		return wrong_type(site);
	value = integer_of(site->setting);
	if (value < key->min || value > key->max)
		return complain(site, "%" PRId64 " is out of bounds (%" PRId64 " to %" PRId64 ")",
				value, key->min, key->max);
	bits = (uint32_t)value; /* negative ones as two's complement, which int has */
	memcpy(at, &bits, sizeof(bits));
	return 0;
}

static int
read_number(const struct value_site *site, void *at)
{
	const struct schema_key *key = site->key;
	double value;

	if (is_integer(site->setting))
		value = (double)integer_of(site->setting);
	else if (config_setting_type(site->setting) == CONFIG_TYPE_FLOAT)
		value = config_setting_get_float(site->setting);
	else
		return wrong_type(site);
	if (!(value >= (double)key->min && value <= (double)key->max))
		return complain(site, "%g is out of bounds (%" PRId64 " to %" PRId64 ")", value,
				key->min, key->max);
	*(double *)at = value;
	return 0;
}

static int
read_duration(const struct value_site *site, void *at)
{
	char least[DURATION_TEXT_MAX], most[DURATION_TEXT_MAX];
	const struct schema_key *key = site->key;
	const char *word = config_setting_get_string(site->setting);
	usec_t value;

	if (!word)
		return wrong_type(site);
	if (key->none && strcmp(word, "none") == 0) {
		*(usec_t *)at = 0;
		return 0;
	}
	if (duration_parse(word, &value) < 0)
		return complain(site, "%s is not a duration (e.g. \"5s\")%s", quote(word).text,
				key->none ? ", nor \"none\"" : "");
	if (value < (usec_t)key->min || value > (usec_t)key->max)
		return complain(site, "%s is out of bounds (%s to %s)", quote(word).text,
				duration_format((usec_t)key->min, least, sizeof(least)),
				duration_format((usec_t)key->max, most, sizeof(most)));
	if (key->whole_seconds && value % USEC_PER_SEC != 0)
		return complain(site, "%s is not whole seconds", quote(word).text);
	*(usec_t *)at = value;
	return 0;
}

/* The word of `words` that `word` is; otherwise complains and returns NULL. */
static const struct schema_word *
find_word(const struct value_site *site, const char *word)
{
	char list[512];
	struct text text = TEXT_INIT(list);

	for (const struct schema_word *known = site->key->words; known->word; known++) {
		if (strcmp(known->word, word) == 0)
			return known;
		text_addf(&text, "%s\"%s\"", text.length ? ", " : "", known->word);
	}
	complain(site, "%s is not one of %s", quote(word).text, list);
	return NULL;
}

static int
read_word(const struct value_site *site, void *at)
{
	const char *word = config_setting_get_string(site->setting);
	const struct schema_word *found;

	if (!word)
		return wrong_type(site);
	found = find_word(site, word);
	if (!found)
		return -EINVAL;
	memcpy(at, &found->value, sizeof(found->value));
	return 0;
}

static int
read_mode(const struct value_site *site, void *at)
{
	const char *word = config_setting_get_string(site->setting);
	mode_t mode = 0;

	if (!word)
		return wrong_type(site);
	if (strlen(word) < 3 || strlen(word) > 4 || strspn(word, "01234567") != strlen(word))
		return complain(site, "%s is not an octal mode (e.g. \"0660\")", quote(word).text);
	for (; *word; word++)
		mode = mode * 8 + (mode_t)(*word - '0');
	if (mode > (mode_t)site->key->max)
		return complain(site, "%s is out of bounds (\"0000\" to \"0777\")",
				quote(config_setting_get_string(site->setting)).text);
	*(mode_t *)at = mode;
	return 0;
}

/* Put a copy of `string` in the place of the present one; "" unsets, unless the key says otherwise. */
static int
store_string(const struct value_site *site, char **at, const char *string)
{
	bool unset = !*string && !site->key->empty_means;
	char *copy = NULL;

	if (!unset)
		copy = site->key->scope == SCOPE_UPSTREAM ?
			       upstream_keep(site->object, string, strlen(string) + 1) :
			       strdup(string);
	if (!unset && !copy)
		return -ENOMEM;
	value_done(site->key, site->object);
	*at = copy;
	return 0;
}

/* What holds for all strings; a sentence is said where it does not. */
static int
check_string(const struct value_site *site, const char *string)
{
	if (has_control(string))
		return complain(site, "%s holds control characters", quote(string).text);
	if (strlen(string) < (size_t)site->key->min)
		return complain(site, "must not be empty");
	if (strlen(string) > (size_t)site->key->max)
		return complain(site, "%s is longer than %" PRId64 " bytes", quote(string).text,
				site->key->max);
	return 0;
}

static int
read_text(const struct value_site *site, void *at)
{
	const char *string = config_setting_get_string(site->setting);

	if (!string)
		return wrong_type(site);
	if (check_string(site, string) < 0)
		return -EINVAL;
	for (const char *byte = string; *byte; byte++)
		if ((unsigned char)*byte >= 0x80)
			return complain(site, "%s holds characters beyond ASCII", quote(string).text);
	if (site->key->words && !find_word(site, string))
		return -EINVAL;
	return store_string(site, at, string);
}

static int
read_path(const struct value_site *site, void *at)
{
	const char *string = config_setting_get_string(site->setting);

	if (!string)
		return wrong_type(site);
	if (check_string(site, string) < 0)
		return -EINVAL;
	if (*string && *string != '/')
		return complain(site, "%s is not an absolute path", quote(string).text);
	return store_string(site, at, string);
}

/* Whether `string` begins with a letter or digit (or _) and goes on with those, dots and hyphens. */
static bool
is_label(const char *string, const char *first, const char *others)
{
	if (!isalnum((unsigned char)*string) && !(*string && strchr(first, *string)))
		return false;
	for (; *string; string++)
		if ((unsigned char)*string >= 0x80 ||
		    (!isalnum((unsigned char)*string) && !strchr(others, *string)))
			return false;
	return true;
}

static int
read_label(const struct value_site *site, void *at)
{
	const char *string = config_setting_get_string(site->setting);

	if (!string)
		return wrong_type(site);
	if (check_string(site, string) < 0)
		return -EINVAL;
	if (*string && !is_label(string, "_", "_.-"))
		return complain(site, "%s is not one word of letters, digits, \".\", \"_\", \"-\"",
				quote(string).text);
	return store_string(site, at, string);
}

static int
read_name(const struct value_site *site, void *at)
{
	const char *string = config_setting_get_string(site->setting);

	if (!string)
		return wrong_type(site);
	if (strlen(string) >= UPSTREAM_NAME_MAX || !is_label(string, "", "._-"))
		return complain(site,
				"%s is not a name (a letter or digit, then up to 63 letters, digits, "
				"\".\", \"_\", \"-\")",
				quote(string).text);
	text_copy(at, UPSTREAM_NAME_MAX, string);
	return 0;
}

static bool
is_link_local(const struct address *address)
{
	return address_is_ipv6(address) && IN6_IS_ADDR_LINKLOCAL(&address->in6.sin6_addr);
}

/* Reads "192.0.2.1", "2001:db8::1" or "fe80::1%eth0".  Returns 0 or -EINVAL. */
static int
parse_ip(const char *word, struct address *ret_address)
{
	char ip[INET6_ADDRSTRLEN];
	const char *zone = strchr(word, '%');
	size_t length = zone ? (size_t)(zone - word) : strlen(word);
	unsigned char bytes[16];
	int family;

	if (length >= sizeof(ip) || (zone && (!zone[1] || strlen(zone + 1) >= IF_NAMESIZE)))
		return -EINVAL;
	text_copy(ip, sizeof(ip), "");
	memcpy(ip, word, length);
	ip[length] = '\0';
	family = strchr(ip, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(family, ip, bytes) != 1 || (zone && family != AF_INET6))
		return -EINVAL;
	address_from_ip(family, bytes, 0, ret_address);
	if (zone)
		text_copy(ret_address->zone, sizeof(ret_address->zone), zone + 1);
	return 0;
}

static int
read_ip(const struct value_site *site, void *at)
{
	const char *word = config_setting_get_string(site->setting);
	struct address address = { 0 };

	if (!word)
		return wrong_type(site);
	if (*word) {
		if (has_control(word) || parse_ip(word, &address) < 0)
			return complain(site, "%s is not an IPv4 or IPv6 address", quote(word).text);
		if (address_is_excluded(&address))
			return complain(site, "%s is not the address of one host", quote(word).text);
		if (is_link_local(&address) != (address.zone[0] != '\0'))
			return complain(site,
					address.zone[0] ? "%s is not link-local and needs no zone" :
							  "%s is link-local: name its zone, e.g. %%eth0",
					quote(word).text);
	}
	*(struct address *)at = address;
	return 0;
}

static int
read_interface(const struct value_site *site, void *at)
{
	const char *word = config_setting_get_string(site->setting);

	if (!word)
		return wrong_type(site);
	if (strlen(word) >= IF_NAMESIZE || has_control(word) || strpbrk(word, " /:") ||
	    strcmp(word, ".") == 0 || strcmp(word, "..") == 0)
		return complain(site, "%s is not the name of a network interface", quote(word).text);
	text_copy(at, IF_NAMESIZE, word);
	return 0;
}

/* How many elements there are: 1 where a single string stands for a list. */
static unsigned int
element_count(const struct value_site *site)
{
	return is_list(site->setting) ? (unsigned int)config_setting_length(site->setting) : 1;
}

static const char *
element(const struct value_site *site, unsigned int i)
{
	return config_setting_get_string(
		is_list(site->setting) ? config_setting_get_elem(site->setting, i) : site->setting);
}

/* A string, or a list of strings, as many as the key allows. */
static int
check_list(const struct value_site *site)
{
	unsigned int count = element_count(site);
	int r = 0;

	if (config_setting_type(site->setting) != CONFIG_TYPE_STRING && !is_list(site->setting))
		return wrong_type(site);
	if (count < site->key->min)
		return complain(site, "at least %" PRId64 " is needed", site->key->min);
	if (count > site->key->max)
		return complain(site, "%u are too many (at most %" PRId64 ")", count, site->key->max);
	for (unsigned int i = 0; i < count; i++)
		if (!element(site, i))
			r = complain(site, "expected strings, found %s",
				     value_setting_name(config_setting_get_elem(site->setting, i)));
	return r;
}

static int
read_targets(const struct value_site *site, void *at)
{
	struct upstream *upstream = site->object;
	unsigned int count = element_count(site);
	const char *problem;
	int r = check_list(site);

	(void)at;
	if (r < 0)
		return r;
	must(count == upstream->target_count); /* which was made for this list */
	for (unsigned int i = 0; i < count; i++) {
		const char *word = element(site, i);

		if (has_control(word))
			r = complain(site, "%s holds control characters", quote(word).text);
		else if (target_parse(word, upstream->policy.family, &upstream->targets[i], &problem) < 0)
			r = complain(site, "%s %s", quote(word).text, problem);
		for (unsigned int j = 0; j < i; j++)
			if (strcmp(word, element(site, j)) == 0)
				r = complain(site, "%s is listed twice", quote(word).text);
	}
	return r;
}

/* `word` in lower case and without colons, if that is a digest; else complains. */
static int
check_pin(const struct value_site *site, const char *word)
{
	char plain[65];
	size_t length = 0;

	for (const char *c = word; *c && length < sizeof(plain); c++)
		if (*c != ':')
			plain[length++] = (char)tolower((unsigned char)*c);
	plain[length < sizeof(plain) ? length : sizeof(plain) - 1] = '\0';
	if (length != 64 || strspn(plain, "0123456789abcdef") != 64)
		return complain(site,
				"%s is not a pin: 64 hexadecimal digits, the SHA-256 of the public key",
				quote(word).text);
	if (strcmp(plain, word) != 0)
		return complain(site, "%s: a pin is written in lower case and without colons: \"%s\"",
				quote(word).text, plain);
	return 0;
}

static unsigned char
hex_value(char digit)
{
	return (unsigned char)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
}

static int
read_pins(const struct value_site *site, void *at)
{
	unsigned char pins[PINS_MAX][32];
	unsigned int count = element_count(site);
	void *copy = NULL;
	int r = check_list(site);

	if (r < 0)
		return r;
	for (unsigned int i = 0; i < count; i++)
		if (check_pin(site, element(site, i)) < 0)
			r = -EINVAL;
	if (r < 0)
		return r;
	for (unsigned int i = 0; i < 32 * count; i++) {
		const char *digits = element(site, i / 32) + 2 * (i % 32);

		pins[i / 32][i % 32] = (unsigned char)(hex_value(digits[0]) << 4 | hex_value(digits[1]));
	}
	if (count > 0) {
		copy = upstream_keep(site->object, pins, count * sizeof(pins[0]));
		if (!copy)
			return -ENOMEM;
	}
	*(void **)at = copy;
	*schema_counter(site->key, site->object) = count;
	return 0;
}

static int
read_protocols(const struct value_site *site, void *at)
{
	unsigned char wire[16 * (PROTOCOL_MAX + 1)];
	unsigned int length = 0, count = element_count(site);
	void *copy = NULL;
	int r = check_list(site);

	must(site->key->max * (PROTOCOL_MAX + 1) <= (int64_t)sizeof(wire));
	if (r < 0)
		return r;
	for (unsigned int i = 0; i < count; i++) {
		const char *word = element(site, i);
		size_t bytes = strlen(word);

		if (bytes == 0 || bytes > PROTOCOL_MAX || has_control(word)) {
			r = complain(site, "%s is not a protocol's name (1 to %d bytes)",
				     quote(word).text, PROTOCOL_MAX);
			continue;
		}
		wire[length] = (unsigned char)bytes;
		memcpy(wire + length + 1, word, bytes);
		length += 1 + (unsigned int)bytes;
	}
	if (r < 0)
		return r;
	if (length > 0) {
		copy = upstream_keep(site->object, wire, length);
		if (!copy)
			return -ENOMEM;
	}
	*(void **)at = copy;
	*schema_counter(site->key, site->object) = length;
	return 0;
}

int
value_read(const struct value_site *site)
{
	static int (*const readers[TYPE_COUNT])(const struct value_site *site, void *at) = {
		[TYPE_BOOL] = read_bool,	   [TYPE_INTEGER] = read_integer,
		[TYPE_NUMBER] = read_number,	   [TYPE_DURATION] = read_duration,
		[TYPE_WORD] = read_word,	   [TYPE_MODE] = read_mode,
		[TYPE_TEXT] = read_text,	   [TYPE_PATH] = read_path,
		[TYPE_LABEL] = read_label,	   [TYPE_NAME] = read_name,
		[TYPE_TARGETS] = read_targets,	   [TYPE_IP] = read_ip,
		[TYPE_INTERFACE] = read_interface, [TYPE_SWITCH] = read_bool,
		[TYPE_PINS] = read_pins,	   [TYPE_PROTOCOLS] = read_protocols,
	};

	must(readers[site->key->type]);
	return readers[site->key->type](site, schema_at(site->key, site->object));
}
