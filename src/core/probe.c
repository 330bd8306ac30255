/* The kinds of probes, and how they say what they have found. */
#include "core/probe_internal.h"

#include "base/must.h"
#include "base/text.h"

#include <string.h>

/* Characters of a foreign text in a hint: a sentence of a person's length, and it fits into the record's details. */
#define FOREIGN_TEXT_MAX 200
#define CUT_MARK	 "..."

struct row {
	const char *name;
	const struct dialogue_kind *kind;
};

static const struct row rows[PROBE_COUNT] = {
	[PROBE_NONE] = { "none", NULL },
	[PROBE_EXPECT] = { "expect", &probe_expect },
	[PROBE_HTTP] = { "http", &probe_http },
	[PROBE_REDIS] = { "redis", &probe_redis },
	[PROBE_POSTGRES] = { "postgres", &probe_postgres },
	[PROBE_MYSQL] = { "mysql", &probe_mysql },
	[PROBE_SMTP] = { "smtp", &probe_smtp },
	[PROBE_IMAP] = { "imap", &probe_imap },
	[PROBE_MEMCACHED] = { "memcached", &probe_memcached },
	[PROBE_MQTT] = { "mqtt", &probe_mqtt },
};

int
probe_new(const struct probe_setup *setup, struct dialogue **ret_dialogue)
{
	enum probe_kind kind = setup->policy->kind;
	int r;

	must(kind > PROBE_NONE && kind < PROBE_COUNT);
	r = dialogue_new(rows[kind].kind, ret_dialogue);
	if (r < 0)
		return r;
	probe_of(*ret_dialogue)->setup = *setup;
	return 0;
}

const char *
probe_kind_name(enum probe_kind kind)
{
	must(kind < PROBE_COUNT);
	return rows[kind].name;
}

enum dialogue_verdict
probe_fail(enum failure_code code, const char *key, struct octets reply, struct failure *failure)
{
	char buffer[FOREIGN_TEXT_MAX + sizeof(CUT_MARK)];
	const char *bytes = reply.bytes;
	size_t length = reply.length;
	struct text text;

	failure->code = code;
	failure_set_evidence(failure, reply.bytes, reply.length);
	/* The hint goes on, or ends, with a full stop of its own. */
	while (length > 0 && (bytes[length - 1] == '.' || bytes[length - 1] == ' '))
		length--;
	text_init(&text, buffer, sizeof(buffer) - strlen(CUT_MARK));
	text_add_escaped(&text, bytes, length, NULL);
	if (text.cut)
		memcpy(text.at + text.length, CUT_MARK, sizeof(CUT_MARK));
	if (text.length > 0)
		failure_add_detail(failure, key, buffer);
	return DIALOGUE_FAILED;
}

enum dialogue_verdict
probe_status(struct octets reply, struct failure *failure)
{
	return probe_fail(FAILURE_PROTOCOL_PROBE_STATUS, "status", reply, failure);
}

enum dialogue_verdict
probe_auth(struct octets reply, struct failure *failure)
{
	return probe_fail(FAILURE_PROTOCOL_PROBE_AUTH, "reply", reply, failure);
}

enum dialogue_verdict
probe_rejected(struct octets reply, struct failure *failure)
{
	return probe_fail(FAILURE_PROTOCOL_GREETING_REJECTED, "reply", reply, failure);
}

enum dialogue_verdict
probe_mismatch(const struct dialogue *dialogue, const char *wanted, struct failure *failure)
{
	dialogue_fail(dialogue, FAILURE_PROTOCOL_PROBE_MISMATCH, failure);
	failure_add_detail(failure, "wanted", wanted);
	return DIALOGUE_FAILED;
}

/* The stage, the attempt and the like are the caller's. */
bool
probe_kept(const struct dialogue *dialogue, struct failure *failure)
{
	const struct failure *kept = &probe_of(dialogue)->kept;

	if (kept->code == FAILURE_NONE)
		return false;
	failure->code = kept->code;
	failure_set_evidence(failure, kept->evidence, kept->evidence_length);
	memcpy(failure->details, kept->details, kept->details_length);
	failure->details_length = kept->details_length;
	return true;
}

enum dialogue_verdict
probe_end(struct dialogue *dialogue, struct failure *failure)
{
	if (probe_kept(dialogue, failure))
		return DIALOGUE_FAILED;
	return dialogue_fail(dialogue, dialogue->kind->code_closed, failure);
}

void
probe_overdue(const struct dialogue *dialogue, struct failure *failure)
{
	if (!probe_kept(dialogue, failure))
		dialogue_fail(dialogue, dialogue->kind->code_overdue, failure);
}
