#include "core/failure.h"

#include "base/cleanup.h"
#include "base/must.h"

#include <string.h>

struct row {
	const char *name;
	enum failure_life life;
	enum failure_blame blame;
	const char *summary, *hint;
};

/* clang-format off */
static const struct row rows[FAILURE_COUNT] = {
	[FAILURE_NONE] = { .name = "none" },
#define F(id, name, life, blame, summary, hint) \
	[FAILURE_##id] = { name, LIFE_##life, BLAME_##blame, summary, hint },
	FAILURE_LIST(F)
#undef F
};
/* clang-format on */

static const char *const class_names[CLASS_COUNT] = {
	[CLASS_ADDRESS] = "address", [CLASS_CONNECTION] = "connection",
	[CLASS_TIMEOUT] = "timeout", [CLASS_SOCKET] = "socket",
	[CLASS_TLS] = "tls",	     [CLASS_PROTOCOL] = "protocol",
	[CLASS_LOCAL] = "local",
};

static const struct row *
row_of(enum failure_code code)
{
	must(code > FAILURE_NONE && code < FAILURE_COUNT);
	return &rows[code];
}

const char *
failure_name(enum failure_code code)
{
	must(code < FAILURE_COUNT);
	return rows[code].name;
}

/* The class is the part of the name before the dot, so that the list cannot contradict itself. */
enum failure_class
failure_class(enum failure_code code)
{
	const char *name = row_of(code)->name;
	size_t length = strcspn(name, ".");

	for (enum failure_class i = 0; i < CLASS_COUNT; i++) {
		if (strlen(class_names[i]) == length && strncmp(class_names[i], name, length) == 0)
			return i;
	}
	must_not_reach();
}

enum failure_life
failure_life(enum failure_code code)
{
	return row_of(code)->life;
}

enum failure_blame
failure_blame(enum failure_code code)
{
	return row_of(code)->blame;
}

const char *
failure_summary(enum failure_code code)
{
	return row_of(code)->summary;
}

const char *
failure_hint_template(enum failure_code code)
{
	return row_of(code)->hint;
}

const char *failure_class_name(enum failure_class class)
{
	must(class < CLASS_COUNT);
	return class_names[class];
}

const char *
failure_life_name(enum failure_life life)
{
	return life == LIFE_PERSISTENT ? "persistent" : "transient";
}

const char *
failure_blame_name(enum failure_blame blame)
{
	switch (blame) {
	case BLAME_ADDRESS: return "address";
	case BLAME_UPSTREAM: return "upstream";
	case BLAME_LOCAL: return "local";
	}
	must_not_reach();
}

enum failure_code
failure_find(const char *name)
{
	for (enum failure_code code = FAILURE_NONE + 1; code < FAILURE_COUNT; code++) {
		if (strcmp(rows[code].name, name) == 0)
			return code;
	}
	return FAILURE_NONE;
}

int failure_exit_status(enum failure_class class)
{
	must(class < CLASS_COUNT);
	return 11 + (int)class;
}

void
failure_init(struct failure *failure, enum failure_code code, enum stage stage)
{
	*failure = (struct failure){
		.code = code,
		.stage = stage,
		.retry_delay = USEC_INFINITY,
	};
}

void
failure_copy(struct failure *to, const struct failure *from)
{
	*to = *from;
	to->chain = chain_ref(from->chain);
	to->others = others_ref(from->others);
}

void
failure_done(struct failure *failure)
{
	failure->chain = chain_unref(failure->chain);
	failure->others = others_unref(failure->others);
}

void
failure_set_error(struct failure *failure, int error, const char *name)
{
	failure->error = error;
	text_copy(failure->error_name, sizeof(failure->error_name), name);
}

void
failure_set_evidence(struct failure *failure, const void *bytes, size_t length)
{
	if (length > FAILURE_EVIDENCE_MAX)
		length = FAILURE_EVIDENCE_MAX;
	if (length > 0)
		memcpy(failure->evidence, bytes, length);
	failure->evidence_length = (uint16_t)length;
}

void
failure_add_detail(struct failure *failure, const char *key, const char *value)
{
	size_t key_bytes = strlen(key) + 1, value_bytes = strlen(value) + 1;
	char *end = failure->details + failure->details_length;

	if (key_bytes + value_bytes > (size_t)FAILURE_DETAILS_MAX - failure->details_length)
		return;
	memcpy(end, key, key_bytes);
	memcpy(end + key_bytes, value, value_bytes);
	failure->details_length = (uint16_t)(failure->details_length + key_bytes + value_bytes);
}

const char *
failure_detail(const struct failure *failure, const char *key)
{
	const char *at = failure->details, *end = at + failure->details_length;

	while (at < end) {
		const char *value = at + strlen(at) + 1;

		if (strcmp(at, key) == 0)
			return value;
		at = value + strlen(value) + 1;
	}
	return NULL;
}
