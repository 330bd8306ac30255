/* Values that are lists of strings. */
#include "config/value_internal.h"

#include "base/must.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define PROTOCOL_MAX 255 /* bytes of an ALPN name (RFC 7301) */

/* How many elements there are: 1 where a single string stands for a list. */
static unsigned int
element_count(const struct value_site *site)
{
	return value_is_list(site->setting) ? (unsigned int)config_setting_length(site->setting) : 1;
}

static const char *
element(const struct value_site *site, unsigned int i)
{
	return config_setting_get_string(value_is_list(site->setting) ?
						 config_setting_get_elem(site->setting, i) :
						 site->setting);
}

/* A string, or a list of strings, as many as the key allows. */
static int
check_list(const struct value_site *site)
{
	unsigned int count = element_count(site);
	int r = 0;

	if (config_setting_type(site->setting) != CONFIG_TYPE_STRING && !value_is_list(site->setting))
		return value_wrong_type(site);
	if (count < site->key->min)
		return value_complain(site, "at least %" PRId64 " is needed", site->key->min);
	if (count > site->key->max)
		return value_complain(site, "%u are too many (at most %" PRId64 ")", count,
				      site->key->max);
	for (unsigned int i = 0; i < count; i++)
		if (!element(site, i))
			r = value_complain(
				site, "expected strings, found %s",
				value_setting_name(config_setting_get_elem(site->setting, i)));
	return r;
}

int
value_read_targets(const struct value_site *site, void *at)
{
	struct upstream *upstream = site->object;
	unsigned int count = element_count(site);
	/* A proxy that goes there has families of its own. */
	enum family family = upstream->policy.proxy.kind == PROXY_NONE ? upstream->policy.family :
									 FAMILY_ANY;
	const char *problem;
	int r = check_list(site);

	(void)at;
	if (r < 0)
		return r;
	must(count == upstream->target_count); /* which was made for this list */
	for (unsigned int i = 0; i < count; i++) {
		const char *word = element(site, i);

		if (value_has_control(word))
			r = value_complain(site, "%s holds control characters", value_quote(word).text);
		else if (target_parse(word, family, &upstream->targets[i], &problem) < 0)
			r = value_complain(site, "%s %s", value_quote(word).text, problem);
		for (unsigned int j = 0; j < i; j++)
			if (strcmp(word, element(site, j)) == 0)
				r = value_complain(site, "%s is listed twice", value_quote(word).text);
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
		return value_complain(
			site, "%s is not a pin: 64 hexadecimal digits, the SHA-256 of the public key",
			value_quote(word).text);
	if (strcmp(plain, word) != 0)
		return value_complain(site,
				      "%s: a pin is written in lower case and without colons: \"%s\"",
				      value_quote(word).text, plain);
	return 0;
}

static unsigned char
hex_value(char digit)
{
	return (unsigned char)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
}

int
value_read_pins(const struct value_site *site, void *at)
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

int
value_read_protocols(const struct value_site *site, void *at)
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

		if (bytes == 0 || bytes > PROTOCOL_MAX || value_has_control(word)) {
			r = value_complain(site, "%s is not a protocol's name (1 to %d bytes)",
					   value_quote(word).text, PROTOCOL_MAX);
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
