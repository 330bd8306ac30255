#include "config/value.h"

#include "base/must.h"
#include "config/duration.h"
#include "config/value_internal.h"
#include "core/proxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* A value of four bytes, signed where the key has negative values. */
static int64_t
integer_at(const struct schema_key *key, const void *at)
{
	int32_t bits;

	memcpy(&bits, at, sizeof(bits));
	return key->min < 0 ? bits : (int64_t)(uint32_t)bits;
}

static bool
is_string(enum schema_type type)
{
	return type == TYPE_TEXT || type == TYPE_PATH || type == TYPE_LABEL || type == TYPE_PHRASE;
}

static char *
string_at(const struct schema_key *key, const void *object)
{
	return *(char *const *)schema_at_const(key, object);
}

static int
reset_string(const struct schema_key *key, void *object)
{
	char *copy = NULL;

	if (key->scope == SCOPE_UPSTREAM) {
		/* Its strings are not freed one by one, so that a constant may stand among them. */
		*(const char **)schema_at(key, object) = key->initial_text;
		return 0;
	}
	if (key->initial_text) {
		copy = strdup(key->initial_text);
		if (!copy)
			return -ENOMEM;
	}
	value_done(key, object);
	*(char **)schema_at(key, object) = copy;
	return 0;
}

static struct probe_policy *
probe_of(void *object)
{
	return &((struct upstream *)object)->policy.probe;
}

static const struct probe_policy *
probe_of_const(const void *object)
{
	return &((const struct upstream *)object)->policy.probe;
}

/* The user, the password and the header are other keys' values. */
static void
reset_proxy(struct proxy_policy *proxy)
{
	proxy->kind = PROXY_NONE;
	proxy->target = (struct target){ 0 };
}

int
value_reset(const struct schema_key *key, void *object)
{
	uint32_t bits = (uint32_t)key->initial;
	void *at = schema_at(key, object);

	switch (key->type) {
	case TYPE_BOOL:
	case TYPE_SWITCH: *(bool *)at = key->initial != 0; break;
	case TYPE_INTEGER:
	case TYPE_WORD: memcpy(at, &bits, sizeof(bits)); break;
	case TYPE_NUMBER: *(double *)at = key->initial_number; break;
	case TYPE_DURATION: *(usec_t *)at = (usec_t)key->initial; break;
	case TYPE_MODE: *(mode_t *)at = (mode_t)key->initial; break;
	case TYPE_TEXT:
	case TYPE_PATH:
	case TYPE_LABEL:
	case TYPE_PHRASE: return reset_string(key, object);
	case TYPE_IP: *(struct address *)at = (struct address){ 0 }; break;
	case TYPE_INTERFACE: *(char *)at = '\0'; break;
	case TYPE_STATUS:
		must(value_parse_status(key->initial_text, at, schema_counter(key, object)) == 0);
		break;
	case TYPE_PROXY: reset_proxy(at); break;
	case TYPE_STEP_SEND:
	case TYPE_STEP_EXPECT:
	case TYPE_STEP_REGEX: value_reset_step(key, probe_of(object)); break;
	case TYPE_PINS:
	case TYPE_PROTOCOLS:
	case TYPE_STEPS:
		*(void **)at = NULL;
		*schema_counter(key, object) = 0;
		break;
	default: break; /* a name and addresses have no default */
	}
	return 0;
}

int
value_keep(const struct schema_key *key, struct config *object, const struct config *from)
{
	char *copy = NULL;

	must(key->scope == SCOPE_DAEMON && (key->type == TYPE_INTEGER || is_string(key->type)));
	if (key->type == TYPE_INTEGER) {
		memcpy(schema_at(key, object), schema_at_const(key, from), sizeof(uint32_t));
		return 0;
	}
	if (string_at(key, from)) {
		copy = strdup(string_at(key, from));
		if (!copy)
			return -ENOMEM;
	}
	value_done(key, object);
	*(char **)schema_at(key, object) = copy;
	return 0;
}

/* How many bytes a borrowed value has that *at points to. */
static size_t
borrowed_bytes(const struct schema_key *key, const struct upstream *upstream)
{
	switch (key->type) {
	case TYPE_TEXT:
	case TYPE_PATH:
	case TYPE_LABEL:
	case TYPE_PHRASE: return strlen(string_at(key, upstream)) + 1;
	case TYPE_PINS: return 32 * (size_t)schema_count_of(key, upstream);
	case TYPE_PROTOCOLS: return schema_count_of(key, upstream);
	default: return 0;
	}
}

int
value_own(const struct schema_key *key, struct upstream *upstream)
{
	void *at = schema_at(key, upstream);

	if (key->type == TYPE_STEPS)
		return value_own_steps(upstream);
	if (!is_string(key->type) && key->type != TYPE_PINS && key->type != TYPE_PROTOCOLS)
		return 0;
	if (!*(void **)at)
		return 0;
	*(void **)at = upstream_keep(upstream, *(void **)at, borrowed_bytes(key, upstream));
	return *(void **)at ? 0 : -ENOMEM;
}

void
value_done(const struct schema_key *key, void *object)
{
	if (key->scope != SCOPE_DAEMON || !is_string(key->type))
		return;
	free(string_at(key, object));
	*(char **)schema_at(key, object) = NULL;
}

int
value_parse_status(const char *string, unsigned int *ret_min, unsigned int *ret_max)
{
	static const char digits[] = "0123456789";
	unsigned int numbers[2] = { 0 }, count = 0;

	for (;;) {
		if (strspn(string, digits) != 3 || count == 2)
			return -EINVAL;
		numbers[count++] = (unsigned int)strtoul(string, NULL, 10);
		string += 3;
		if (*string != '-')
			break;
		string++;
	}
	if (*string || numbers[0] < 100 || numbers[count - 1] > 599 || numbers[0] > numbers[count - 1])
		return -EINVAL;
	*ret_min = numbers[0];
	*ret_max = numbers[count - 1];
	return 0;
}

static bool
equal_strings(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* A literal may be spelled in several ways: its address counts. */
static bool
equal_target(const struct target *a, const struct target *b)
{
	if (a->kind != b->kind || a->port != b->port || !address_equal(&a->address, &b->address))
		return false;
	return !target_is_asked(a) || (a->absolute == b->absolute && strcmp(a->host, b->host) == 0);
}

static bool
equal_targets(const struct upstream *a, const struct upstream *b)
{
	if (a->target_count != b->target_count)
		return false;
	for (unsigned int i = 0; i < a->target_count; i++)
		if (!equal_target(&a->targets[i], &b->targets[i]))
			return false;
	return true;
}

static bool
equal_proxy(const struct proxy_policy *a, const struct proxy_policy *b)
{
	return a->kind == b->kind && (a->kind == PROXY_NONE || equal_target(&a->target, &b->target));
}

static bool
equal_bytes(const struct schema_key *key, const void *a, const void *b)
{
	const void *at_a = *(void *const *)schema_at_const(key, a);
	const void *at_b = *(void *const *)schema_at_const(key, b);

	if (schema_count_of(key, a) != schema_count_of(key, b))
		return false;
	return schema_count_of(key, a) == 0 || memcmp(at_a, at_b, borrowed_bytes(key, a)) == 0;
}

bool
value_equal(const struct schema_key *key, const void *a, const void *b)
{
	const void *at_a = schema_at_const(key, a), *at_b = schema_at_const(key, b);

	switch (key->type) {
	case TYPE_BOOL:
	case TYPE_SWITCH: return *(const bool *)at_a == *(const bool *)at_b;
	case TYPE_INTEGER:
	case TYPE_WORD: return memcmp(at_a, at_b, sizeof(uint32_t)) == 0;
	case TYPE_NUMBER: return memcmp(at_a, at_b, sizeof(double)) == 0;
	case TYPE_DURATION: return *(const usec_t *)at_a == *(const usec_t *)at_b;
	case TYPE_MODE: return *(const mode_t *)at_a == *(const mode_t *)at_b;
	case TYPE_TEXT:
	case TYPE_PATH:
	case TYPE_LABEL:
	case TYPE_PHRASE: return equal_strings(string_at(key, a), string_at(key, b));
	case TYPE_NAME:
	case TYPE_INTERFACE: return strcmp(at_a, at_b) == 0;
	case TYPE_TARGETS: return equal_targets(a, b);
	case TYPE_IP: return address_equal(at_a, at_b);
	case TYPE_PINS:
	case TYPE_PROTOCOLS: return equal_bytes(key, a, b);
	case TYPE_STATUS:
		return memcmp(at_a, at_b, sizeof(unsigned int)) == 0 &&
		       schema_count_of(key, a) == schema_count_of(key, b);
	case TYPE_PROXY: return equal_proxy(at_a, at_b);
	case TYPE_STEP_SEND:
	case TYPE_STEP_EXPECT:
	case TYPE_STEP_REGEX:
	case TYPE_STEPS: return value_equal_steps(key, probe_of_const(a), probe_of_const(b));
	default: return true; /* upstreams are compared one by one */
	}
}

bool
value_is_empty(const struct schema_key *key, const void *object)
{
	const void *at = schema_at_const(key, object);

	switch (key->type) {
	case TYPE_TEXT:
	case TYPE_PATH:
	case TYPE_LABEL:
	case TYPE_PHRASE: return !string_at(key, object);
	case TYPE_PROXY: return ((const struct proxy_policy *)at)->kind == PROXY_NONE;
	case TYPE_STEP_SEND:
	case TYPE_STEP_EXPECT:
	case TYPE_STEP_REGEX: return value_is_default(key, object);
	case TYPE_IP: return !address_is_set(at);
	case TYPE_INTERFACE: return !*(const char *)at;
	case TYPE_PINS:
	case TYPE_PROTOCOLS: return schema_count_of(key, object) == 0;
	default: return false;
	}
}

bool
value_is_default(const struct schema_key *key, const struct upstream *upstream)
{
	struct upstream fresh = { 0 };

	must(key->scope == SCOPE_UPSTREAM);
	must(value_reset(key, &fresh) == 0); /* only the daemon's strings take memory */
	return value_equal(key, upstream, &fresh);
}

void
value_print_string(const char *string, size_t length, FILE *out)
{
	fputc('"', out);
	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)string[i];

		if (byte < 0x20 || byte == 0x7f)
			fprintf(out, "\\x%02x", byte);
		else if (byte == '"' || byte == '\\')
			fprintf(out, "\\%c", byte);
		else
			fputc(byte, out);
	}
	fputc('"', out);
}

static void
print_string(const char *string, FILE *out)
{
	value_print_string(string, strlen(string), out);
}

static void
print_word(const struct schema_key *key, const void *at, FILE *out)
{
	int value;

	memcpy(&value, at, sizeof(value));
	for (const struct schema_word *word = key->words; word->word; word++) {
		if (word->value == value) {
			print_string(word->word, out);
			return;
		}
	}
	must_not_reach();
}

/* So that it reads back as the same number, and as one with a point. */
static void
print_number(double number, FILE *out)
{
	char text[40];

	snprintf(text, sizeof(text), "%.17g", number);
	for (int digits = 1; digits < 17; digits++) {
		char shorter[40];

		snprintf(shorter, sizeof(shorter), "%.*g", digits, number);
		if (strtod(shorter, NULL) == number) {
			text_copy(text, sizeof(text), shorter);
			break;
		}
	}
	fprintf(out, "%s%s", text, strpbrk(text, ".e") ? "" : ".0");
}

static void
print_duration(const struct schema_key *key, usec_t duration, FILE *out)
{
	char text[DURATION_TEXT_MAX];

	print_string(key->none && duration == 0 ? "none" : duration_format(duration, text, sizeof(text)),
		     out);
}

static void
print_ip(const struct address *address, FILE *out)
{
	char ip[INET6_ADDRSTRLEN + 1 + IF_NAMESIZE] = "";

	if (address_is_set(address))
		must(inet_ntop(address->sa.sa_family,
			       address_is_ipv6(address) ? (const void *)&address->in6.sin6_addr :
							  (const void *)&address->in.sin_addr,
			       ip, sizeof(ip)));
	if (address->zone[0]) {
		size_t length = strlen(ip);

		snprintf(ip + length, sizeof(ip) - length, "%%%s", address->zone);
	}
	print_string(ip, out);
}

/* As the file has it: target_format() escapes a path for people. */
static void
print_target(const struct target *target, FILE *out)
{
	char text[TARGET_HOST_MAX + 16];

	if (target->kind == TARGET_UNIX)
		snprintf(text, sizeof(text), "unix:%s", target->address.un.sun_path);
	else
		target_format(target, text, sizeof(text));
	print_string(text, out);
}

static void
print_targets(const struct upstream *upstream, FILE *out)
{
	fputs(upstream->target_count == 1 ? "" : "[ ", out);
	for (unsigned int i = 0; i < upstream->target_count; i++) {
		fputs(i == 0 ? "" : ", ", out);
		print_target(&upstream->targets[i], out);
	}
	fputs(upstream->target_count == 1 ? "" : " ]", out);
}

static void
print_pins(const struct tls_policy *tls, FILE *out)
{
	fputs("[", out);
	for (unsigned int i = 0; i < tls->pin_count; i++) {
		fputs(i == 0 ? " \"" : ", \"", out);
		for (size_t j = 0; j < sizeof(tls->pins[i]); j++)
			fprintf(out, "%02x", tls->pins[i][j]);
		fputs("\"", out);
	}
	fputs(" ]", out);
}

static void
print_protocols(const struct tls_policy *tls, FILE *out)
{
	fputs("[", out);
	for (unsigned int i = 0; i < tls->alpn_length; i += 1 + tls->alpn[i]) {
		fputs(i == 0 ? " " : ", ", out);
		value_print_string((const char *)tls->alpn + i + 1, tls->alpn[i], out);
	}
	fputs(" ]", out);
}

static void
print_proxy(const struct proxy_policy *proxy, FILE *out)
{
	char text[TARGET_HOST_MAX + 32];

	print_string(proxy_format(proxy, text, sizeof(text)), out);
}

static void
print_status(unsigned int min, unsigned int max, FILE *out)
{
	if (min == max)
		fprintf(out, "\"%u\"", min);
	else
		fprintf(out, "\"%u-%u\"", min, max);
}

void
value_print(const struct schema_key *key, const void *object, FILE *out)
{
	const void *at = schema_at_const(key, object);

	switch (key->type) {
	case TYPE_BOOL:
	case TYPE_SWITCH: fputs(*(const bool *)at ? "true" : "false", out); break;
	case TYPE_INTEGER: fprintf(out, "%" PRId64, integer_at(key, at)); break;
	case TYPE_NUMBER: print_number(*(const double *)at, out); break;
	case TYPE_DURATION: print_duration(key, *(const usec_t *)at, out); break;
	case TYPE_WORD: print_word(key, at, out); break;
	case TYPE_MODE: fprintf(out, "\"%04o\"", *(const mode_t *)at); break;
	case TYPE_TEXT:
	case TYPE_PATH:
	case TYPE_LABEL:
	case TYPE_PHRASE:
		print_string(string_at(key, object) ? string_at(key, object) : "", out);
		break;
	case TYPE_NAME:
	case TYPE_INTERFACE: print_string(at, out); break;
	case TYPE_TARGETS: print_targets(object, out); break;
	case TYPE_IP: print_ip(at, out); break;
	case TYPE_PINS: print_pins(&((const struct upstream *)object)->policy.tls, out); break;
	case TYPE_PROTOCOLS:
		print_protocols(&((const struct upstream *)object)->policy.tls, out);
		break;
	case TYPE_STATUS:
		print_status(*(const unsigned int *)at, schema_count_of(key, object), out);
		break;
	case TYPE_PROXY: print_proxy(at, out); break;
	case TYPE_STEP_SEND:
	case TYPE_STEP_EXPECT:
	case TYPE_STEP_REGEX:
	case TYPE_STEPS: value_print_steps(key, probe_of_const(object), out); break;
	default: must_not_reach(); /* groups are walked into by whoever prints */
	}
}

const char *
value_type_name(enum schema_type type)
{
	static const char *const names[TYPE_COUNT] = {
		[TYPE_BOOL] = "true or false",
		[TYPE_INTEGER] = "an integer",
		[TYPE_NUMBER] = "a number",
		[TYPE_DURATION] = "a duration (e.g. \"5s\")",
		[TYPE_WORD] = "a string",
		[TYPE_MODE] = "an octal mode in quotes (e.g. \"0660\")",
		[TYPE_TEXT] = "a string",
		[TYPE_PATH] = "a path (e.g. \"/etc/ssl/ca.pem\")",
		[TYPE_LABEL] = "a string",
		[TYPE_NAME] = "a string",
		[TYPE_TARGETS] = "a string or a list of strings",
		[TYPE_IP] = "an IP address in quotes",
		[TYPE_INTERFACE] = "a string",
		[TYPE_SWITCH] = "true, false or a group { … }",
		[TYPE_PINS] = "a string or a list of strings",
		[TYPE_PROTOCOLS] = "a string or a list of strings",
		[TYPE_PHRASE] = "a string",
		[TYPE_STATUS] = "a status or a range of them in quotes (e.g. \"200-399\")",
		[TYPE_PROXY] = "a proxy (e.g. \"http://proxy.example.org:3128\")",
		[TYPE_STEP_SEND] = "a string",
		[TYPE_STEP_EXPECT] = "a string",
		[TYPE_STEP_REGEX] = "a string",
		[TYPE_STEPS] = "a list of groups ( { … }, { … } )",
		[TYPE_UPSTREAM] = "a group { … }",
		[TYPE_UPSTREAMS] = "a list of groups ( { … }, { … } )",
	};

	must(type < TYPE_COUNT);
	return names[type];
}
