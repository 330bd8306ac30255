#include "core/starttls_xml.h"

#include <string.h>

#define DECLARATION "<?xml"
#define NAMESPACE   "xmlns"

static bool
is_space(unsigned char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* What a name may begin with; octets beyond ASCII are not looked at. */
static bool
begins_name(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
}

static bool
is_of_name(unsigned char c)
{
	return begins_name(c) || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

static const unsigned char *
skip_spaces(const unsigned char *at, const unsigned char *end)
{
	while (at < end && is_space(*at))
		at++;
	return at;
}

static const unsigned char *
skip_name(const unsigned char *at, const unsigned char *end)
{
	while (at < end && is_of_name(*at))
		at++;
	return at;
}

/* Where the tag that begins at `at` ends: its '>' outside of quotes; NULL where that has not come, or cannot be it (*ret_bad). */
static const unsigned char *
find_end(const unsigned char *at, const unsigned char *end, bool *ret_bad)
{
	unsigned char quote = '\0';

	for (at++; at < end; at++) {
		if (*at == '\0' || (*at == '<')) {
			*ret_bad = true;
			return NULL;
		}
		if (quote != '\0')
			quote = *at == quote ? '\0' : quote;
		else if (*at == '"' || *at == '\'')
			quote = *at;
		else if (*at == '>')
			return at;
	}
	return NULL;
}

/* Whether what has come of the tag is no beginning of one. */
static bool
begins_badly(const unsigned char *at, const unsigned char *end)
{
	size_t length = (size_t)(end - at);

	if (length < 2)
		return false;
	if (at[1] == '?')
		return memcmp(at, DECLARATION,
			      length < strlen(DECLARATION) ? length : strlen(DECLARATION)) != 0;
	if (at[1] == '/')
		return length > 2 && !begins_name(at[2]);
	return !begins_name(at[1]);
}

/* Read prefix and name at `at`, up to `end`; what follows, or NULL where there is no name. */
static const unsigned char *
read_name(const unsigned char *at, const unsigned char *end, struct xml_token *token)
{
	const unsigned char *behind = skip_name(at, end);

	token->prefix = (struct octets){ at, 0 };
	if (behind < end && *behind == ':') {
		token->prefix.length = (size_t)(behind - at);
		at = behind + 1;
		behind = skip_name(at, end);
	}
	token->name = (struct octets){ at, (size_t)(behind - at) };
	if (behind == at || !begins_name(*at) || (behind < end && !is_space(*behind)))
		return NULL;
	return behind;
}

/* `at` points to its '<', `close` to its '>'. */
static void
read_tag(const unsigned char *at, const unsigned char *close, struct xml_token *token)
{
	const unsigned char *contents;

	token->length = (size_t)(close + 1 - at);
	if (at[1] == '?') {
		token->kind = close[-1] == '?' ? XML_DECLARATION : XML_BAD;
		return;
	}
	token->kind = XML_START;
	at++;
	if (*at == '/') {
		token->kind = XML_END;
		at++;
	} else if (close[-1] == '/') {
		token->kind = XML_EMPTY;
		close--;
	}
	contents = read_name(at, close, token);
	if (!contents) {
		token->kind = XML_BAD;
		return;
	}
	token->contents = (struct octets){ contents, (size_t)(close - contents) };
}

void
xml_next(struct octets from, struct xml_token *ret_token)
{
	const unsigned char *at = from.bytes, *end = at + from.length, *close;
	bool bad = false;

	*ret_token = (struct xml_token){ .kind = XML_PART };
	if (from.length == 0)
		return;
	if (*at != '<') {
		close = memchr(at, '<', from.length);
		ret_token->kind = XML_TEXT;
		ret_token->length = close ? (size_t)(close - at) : from.length;
		ret_token->contents = (struct octets){ at, ret_token->length };
		return;
	}
	close = find_end(at, end, &bad);
	if (bad || begins_badly(at, end))
		ret_token->kind = XML_BAD;
	else if (close)
		read_tag(at, close, ret_token);
}

/* Whether `name` is "xmlns" for no prefix, or "xmlns:PREFIX". */
static bool
declares(struct octets name, struct octets prefix)
{
	size_t length = strlen(NAMESPACE);
	const unsigned char *bytes = name.bytes;

	if (!octets_begin(name, NAMESPACE))
		return false;
	if (prefix.length == 0)
		return name.length == length;
	return name.length == length + 1 + prefix.length && bytes[length] == ':' &&
	       memcmp(bytes + length + 1, prefix.bytes, prefix.length) == 0;
}

bool
xml_namespace(const struct xml_token *token, struct octets *ret_namespace)
{
	const unsigned char *at = token->contents.bytes, *end = at + token->contents.length;

	for (;;) {
		struct octets name = { at = skip_spaces(at, end), 0 };
		const unsigned char *value;

		while (at < end && (is_of_name(*at) || *at == ':'))
			at++;
		name.length = (size_t)(at - (const unsigned char *)name.bytes);
		at = skip_spaces(at, end);
		if (at == end || *at != '=')
			return false;
		at = skip_spaces(at + 1, end);
		if (at == end || (*at != '"' && *at != '\''))
			return false;
		value = at + 1;
		at = memchr(value, *at, (size_t)(end - value));
		if (!at)
			return false;
		*ret_namespace = (struct octets){ value, (size_t)(at - value) };
		if (declares(name, token->prefix))
			return true;
		at++;
	}
}
