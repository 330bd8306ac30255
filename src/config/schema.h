/*
 * Every key of the configuration, once: its place, type, bounds, default, what it says, and how a change
 * of it is applied.  The parser, the defaults, the dump, the difference and the manual page all walk
 * this table; a new key is a new row (and, for a new type, a row in value.c).
 */
#pragma once

#include "config/config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum schema_scope {
	SCOPE_DAEMON,	/* the file's top level; lives in struct config */
	SCOPE_UPSTREAM, /* an element of `upstreams`, or `defaults`; lives in struct upstream */
	SCOPE_COUNT
};

enum schema_type {
	TYPE_BOOL,	/* bool */
	TYPE_INTEGER,	/* four bytes, signed or not */
	TYPE_NUMBER,	/* double */
	TYPE_DURATION,	/* usec_t */
	TYPE_WORD,	/* enum (four bytes): one of .words */
	TYPE_MODE,	/* mode_t, written in octal */
	TYPE_TEXT,	/* char *; one of .words if there are any; NULL where unset */
	TYPE_PATH,	/* char *; absolute; NULL where unset */
	TYPE_LABEL,	/* char *; a name of one word; NULL where unset */
	TYPE_NAME,	/* the name of an upstream */
	TYPE_TARGETS,	/* struct target[], counted */
	TYPE_IP,	/* struct address without a port; unset where empty */
	TYPE_INTERFACE, /* char[IF_NAMESIZE] */
	TYPE_SWITCH,	/* bool; a group of keys instead of it means true */
	TYPE_PINS,	/* unsigned char[][32], counted */
	TYPE_PROTOCOLS, /* ALPN names in wire format, counted in bytes */
	TYPE_PHRASE,	/* char *; any characters; NULL where unset */
	TYPE_STATUS,	/* unsigned int, the least, and as its count another one, the greatest */
	TYPE_PROXY,	/* kind and target of a struct proxy_policy */
	TYPE_STEP_SEND, /* these three: a part of the only struct probe_step there is */
	TYPE_STEP_EXPECT,
	TYPE_STEP_REGEX,
	TYPE_STEPS,	/* struct probe_step[], counted */
	TYPE_UPSTREAM,	/* a whole group of keys of SCOPE_UPSTREAM: `defaults` */
	TYPE_UPSTREAMS, /* a list of them: `upstreams` */
	TYPE_COUNT
};

enum schema_apply {
	APPLY_IN_PLACE,	 /* connections stay as they are */
	APPLY_RECONNECT, /* needs new connections */
	APPLY_RESTART,	 /* needs a restart of the daemon */
};

struct schema_word {
	const char *word;
	int value;
};

struct schema_key {
	const char *path; /* e.g. "timeouts.connect" */
	enum schema_scope scope;
	enum schema_type type;
	enum schema_apply apply;
	size_t offset;	     /* of the value in struct config or struct upstream */
	size_t count_offset; /* of its count, for the types that are counted */

	/* Inclusive; of the value, a duration's microseconds, a text's bytes, or a list's elements. */
	int64_t min, max;
	const struct schema_word *words; /* ended by a NULL word */
	int64_t initial; /* the default of a bool, integer, duration, word or mode */
	double initial_number;
	const char *initial_text; /* of a text, path, label or status; NULL: unset */

	bool own;	    /* each upstream has its own: not allowed in `defaults` */
	bool whole_seconds; /* of a duration */
	bool none;	    /* a duration that may be "none", which is 0 */
	bool empty_means;   /* a text whose "" is not the same as unset */
	bool judged;	    /* config_check_fn looks at it */
	unsigned int probes; /* the kinds of probes it is for, one bit each; 0: it is no key of a probe, or for all */

	const char *unset; /* the default in words, where it is no constant: "the system's trust store" */
	const char *says; /* what the key is for: mdoc text, whole sentences */
};

#define SCHEMA_KEYS_MAX	     128 /* room for one mark per key */
#define SCHEMA_PATH_TEXT_MAX 64	 /* of a path with its NUL */

extern const struct schema_key schema[];
extern const size_t schema_count;

/* Walks over the keys of one scope. */
#define schema_for_each(key, of_scope) \
	for (const struct schema_key *key = schema; key < schema + schema_count; key++) \
		if (key->scope == (of_scope))

/*
 * schema_fits(key, upstream):
 * Whether `key` can have an effect on `upstream` at all: not a key of TLS without TLS, nor one of another kind of probe.  Any thread.
 */
bool schema_fits(const struct schema_key *key, const struct upstream *upstream);

/*
 * schema_find(scope, path):
 * The key of `scope` at `path`, or NULL.  Any thread.
 */
const struct schema_key *schema_find(enum schema_scope scope, const char *path);

/*
 * schema_is_group(scope, path):
 * Whether `path` is the name of a group of keys, e.g. "timeouts" (also "tls", which is a key as well).
 */
bool schema_is_group(enum schema_scope scope, const char *path);

/*
 * schema_nearest(scope, path):
 * The path of the key or group of `scope` that somebody who wrote `path` most likely meant, or NULL: one
 * that is spelled much the same, or one of the same last name in another group.  The result stands in a
 * static or the caller's `buffer` of `size` bytes.
 */
const char *schema_nearest(enum schema_scope scope, const char *path, char *buffer, size_t size);

/*
 * schema_index(key):
 * The row of `key` in the table.
 */
static inline size_t
schema_index(const struct schema_key *key)
{
	return (size_t)(key - schema);
}

/*
 * schema_at(key, object), schema_at_const(key, object):
 * Where the value of `key` lives in `object`, a struct config or a struct upstream as its scope says.
 */
static inline void *
schema_at(const struct schema_key *key, void *object)
{
	return (char *)object + key->offset;
}

static inline const void *
schema_at_const(const struct schema_key *key, const void *object)
{
	return (const char *)object + key->offset;
}

/*
 * schema_counter(key, object), schema_count_of(key, object):
 * Where the count of a counted `key` lives in `object`; what it is.
 */
static inline unsigned int *
schema_counter(const struct schema_key *key, void *object)
{
	return (unsigned int *)(void *)((char *)object + key->count_offset);
}

static inline unsigned int
schema_count_of(const struct schema_key *key, const void *object)
{
	return *(const unsigned int *)(const void *)((const char *)object + key->count_offset);
}
