#include "config/value.h"

#include "base/must.h"
#include "config/duration.h"
#include "config/value_internal.h"
#include "core/proxy.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

int
value_complain(const struct value_site *site, const char *format, ...)
{
	char sentence[VALUE_SENTENCE_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(sentence, sizeof(sentence), format, arguments);
	va_end(arguments);
	site->complain(site, sentence);
	return -EINVAL;
}

struct quoted
value_quote(const char *word)
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

int
value_wrong_type(const struct value_site *site)
{
	return value_complain(site, "expected %s, found %s", value_type_name(site->key->type),
			      value_setting_name(site->setting));
}

static bool
is_integer(const config_setting_t *setting)
{
	return config_setting_type(setting) == CONFIG_TYPE_INT ||
	       config_setting_type(setting) == CONFIG_TYPE_INT64;
}

bool
value_is_list(const config_setting_t *setting)
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

bool
value_has_control(const char *string)
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
		return value_wrong_type(site);
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
		return value_wrong_type(site);
	value = integer_of(site->setting);
	if (value < key->min || value > key->max)
		return value_complain(site, "%" PRId64 " is out of bounds (%" PRId64 " to %" PRId64 ")",
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
		return value_wrong_type(site);
	if (!(value >= (double)key->min && value <= (double)key->max))
		return value_complain(site, "%g is out of bounds (%" PRId64 " to %" PRId64 ")",
				      value, key->min, key->max);
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
		return value_wrong_type(site);
	if (key->none && strcmp(word, "none") == 0) {
		*(usec_t *)at = 0;
		return 0;
	}
	if (duration_parse(word, &value) < 0)
		return value_complain(site, "%s is not a duration (e.g. \"5s\")%s",
				      value_quote(word).text, key->none ? ", nor \"none\"" : "");
	if (value < (usec_t)key->min || value > (usec_t)key->max)
		return value_complain(site, "%s is out of bounds (%s to %s)", value_quote(word).text,
				      duration_format((usec_t)key->min, least, sizeof(least)),
				      duration_format((usec_t)key->max, most, sizeof(most)));
	if (key->whole_seconds && value % USEC_PER_SEC != 0)
		return value_complain(site, "%s is not whole seconds", value_quote(word).text);
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
	value_complain(site, "%s is not one of %s", value_quote(word).text, list);
	return NULL;
}

static int
read_word(const struct value_site *site, void *at)
{
	const char *word = config_setting_get_string(site->setting);
	const struct schema_word *found;

	if (!word)
		return value_wrong_type(site);
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
		return value_wrong_type(site);
	if (strlen(word) < 3 || strlen(word) > 4 || strspn(word, "01234567") != strlen(word))
		return value_complain(site, "%s is not an octal mode (e.g. \"0660\")",
				      value_quote(word).text);
	for (; *word; word++)
		mode = mode * 8 + (mode_t)(*word - '0');
	if (mode > (mode_t)site->key->max)
		return value_complain(site, "%s is out of bounds (\"0000\" to \"0777\")",
				      value_quote(config_setting_get_string(site->setting)).text);
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
	if (value_has_control(string))
		return value_complain(site, "%s holds control characters", value_quote(string).text);
	if (strlen(string) < (size_t)site->key->min)
		return value_complain(site, "must not be empty");
	if (strlen(string) > (size_t)site->key->max)
		return value_complain(site, "%s is longer than %" PRId64 " bytes",
				      value_quote(string).text, site->key->max);
	return 0;
}

static int
read_text(const struct value_site *site, void *at)
{
	const char *string = config_setting_get_string(site->setting);

	if (!string)
		return value_wrong_type(site);
	if (check_string(site, string) < 0)
		return -EINVAL;
	for (const char *byte = string; *byte; byte++)
		if ((unsigned char)*byte >= 0x80)
			return value_complain(site, "%s holds characters beyond ASCII",
					      value_quote(string).text);
	if (site->key->words && !find_word(site, string))
		return -EINVAL;
	return store_string(site, at, string);
}

/* Any characters: what a peer is to say, which nobody but the peer is to read. */
static int
read_phrase(const struct value_site *site, void *at)
{
	const char *string = config_setting_get_string(site->setting);

	if (!string)
		return value_wrong_type(site);
	if (strlen(string) > (size_t)site->key->max)
		return value_complain(site, "%s is longer than %" PRId64 " bytes",
				      value_quote(string).text, site->key->max);
	return store_string(site, at, string);
}

/* A status or a range of them; one may stand as a plain integer. */
static int
read_status(const struct value_site *site, void *at)
{
	const char *string = config_setting_get_string(site->setting);
	char number[32];

	if (is_integer(site->setting)) {
		snprintf(number, sizeof(number), "%" PRId64, integer_of(site->setting));
		string = number;
	}
	if (!string)
		return value_wrong_type(site);
	if (value_parse_status(string, at, schema_counter(site->key, site->object)) < 0)
		return value_complain(site,
				      "%s is neither a status from 100 to 599 nor a range of them "
				      "(e.g. \"204\", \"200-399\")",
				      value_quote(string).text);
	return 0;
}

static int
read_proxy(const struct value_site *site, void *at)
{
	const char *word = config_setting_get_string(site->setting), *problem = NULL;
	struct proxy_policy *proxy = at;
	enum proxy_kind kind = PROXY_NONE;
	struct target target = { 0 };

	if (!word)
		return value_wrong_type(site);
	if (value_has_control(word))
		return value_complain(site, "%s holds control characters", value_quote(word).text);
	if (*word && proxy_parse(word, &kind, &target, &problem) < 0)
		return value_complain(site, "%s %s", value_quote(word).text, problem);
	proxy->kind = kind;
	proxy->target = target;
	return 0;
}

static int
read_path(const struct value_site *site, void *at)
{
	const char *string = config_setting_get_string(site->setting);

	if (!string)
		return value_wrong_type(site);
	if (check_string(site, string) < 0)
		return -EINVAL;
	if (*string && *string != '/')
		return value_complain(site, "%s is not an absolute path", value_quote(string).text);
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
		return value_wrong_type(site);
	if (check_string(site, string) < 0)
		return -EINVAL;
	if (*string && !is_label(string, "_", "_.-"))
		return value_complain(site, "%s is not one word of letters, digits, \".\", \"_\", \"-\"",
				      value_quote(string).text);
	return store_string(site, at, string);
}

static int
read_name(const struct value_site *site, void *at)
{
	const char *string = config_setting_get_string(site->setting);

	if (!string)
		return value_wrong_type(site);
	if (strlen(string) >= UPSTREAM_NAME_MAX || !is_label(string, "", "._-"))
		return value_complain(site,
				      "%s is not a name (a letter or digit, then up to 63 letters, digits, "
				      "\".\", \"_\", \"-\")",
				      value_quote(string).text);
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
		return value_wrong_type(site);
	if (*word) {
		if (value_has_control(word) || parse_ip(word, &address) < 0)
			return value_complain(site, "%s is not an IPv4 or IPv6 address",
					      value_quote(word).text);
		if (address_is_excluded(&address))
			return value_complain(site, "%s is not the address of one host",
					      value_quote(word).text);
		if (is_link_local(&address) != (address.zone[0] != '\0'))
			return value_complain(site,
					      address.zone[0] ?
						      "%s is not link-local and needs no zone" :
						      "%s is link-local: name its zone, e.g. %%eth0",
					      value_quote(word).text);
	}
	*(struct address *)at = address;
	return 0;
}

static int
read_interface(const struct value_site *site, void *at)
{
	const char *word = config_setting_get_string(site->setting);

	if (!word)
		return value_wrong_type(site);
	if (strlen(word) >= IF_NAMESIZE || value_has_control(word) || strpbrk(word, " /:") ||
	    strcmp(word, ".") == 0 || strcmp(word, "..") == 0)
		return value_complain(site, "%s is not the name of a network interface",
				      value_quote(word).text);
	text_copy(at, IF_NAMESIZE, word);
	return 0;
}

int
value_read(const struct value_site *site)
{
	static int (*const readers[TYPE_COUNT])(const struct value_site *site, void *at) = {
		[TYPE_BOOL] = read_bool,
		[TYPE_INTEGER] = read_integer,
		[TYPE_NUMBER] = read_number,
		[TYPE_DURATION] = read_duration,
		[TYPE_WORD] = read_word,
		[TYPE_MODE] = read_mode,
		[TYPE_TEXT] = read_text,
		[TYPE_PATH] = read_path,
		[TYPE_LABEL] = read_label,
		[TYPE_NAME] = read_name,
		[TYPE_TARGETS] = value_read_targets,
		[TYPE_IP] = read_ip,
		[TYPE_INTERFACE] = read_interface,
		[TYPE_SWITCH] = read_bool,
		[TYPE_PINS] = value_read_pins,
		[TYPE_PROTOCOLS] = value_read_protocols,
		[TYPE_PHRASE] = read_phrase,
		[TYPE_STATUS] = read_status,
		[TYPE_PROXY] = read_proxy,
		[TYPE_STEP_SEND] = value_read_step,
		[TYPE_STEP_EXPECT] = value_read_step,
		[TYPE_STEP_REGEX] = value_read_step,
		[TYPE_STEPS] = value_read_steps,
	};

	must(readers[site->key->type]);
	return readers[site->key->type](site, schema_at(site->key, site->object));
}
