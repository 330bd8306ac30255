/*
 * Fuzzes probes: the first octet chooses the probe, the second what has gone before, and the rest is what the server says.  In
 * whatever pieces it comes, it comes to the same; what fails has one of a probe's codes and a hint that can be printed.
 */
#include "base/must.h"
#include "base/text.h"
#include "core/probe.h"

#include <string.h>

#define OUTPUT_MAX ((size_t)64 * 1024)

/* The second octet. */
#define FLAG_AGAIN   0x01
#define FLAG_GREETED 0x02
#define FLAG_MEMORY  0x04
#define FLAG_USER    0x08

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TEXT(name, literal) \
	.name = (const unsigned char *)(literal), .name##_length = sizeof(literal) - 1

static struct probe_step literals[] = {
	{ TEXT(expect, "220") },
	{ TEXT(send, "a\n"), TEXT(expect, "25\n") },
	{ TEXT(send, "b\n") },
	{ TEXT(expect, "22") },
};
static struct probe_step pattern[] = {
	{ TEXT(send, "a\n"), .expect_regex = "^(O+K|[^a-z]{3})$" },
};

#define PAGE .request = "GET /", .status_min = 200, .status_max = 399

static const struct probe_policy policies[] = {
	{ .kind = PROBE_EXPECT, .steps = literals, .step_count = COUNT_OF(literals) },
	{ .kind = PROBE_EXPECT, .steps = pattern, .step_count = COUNT_OF(pattern) },
	{ .kind = PROBE_HTTP, PAGE },
	{ .kind = PROBE_HTTP, PAGE, .header = "X: y", .body = "aabaaa" },
	{ .kind = PROBE_REDIS },
	{ .kind = PROBE_POSTGRES },
	{ .kind = PROBE_MYSQL },
	{ .kind = PROBE_SMTP },
	{ .kind = PROBE_IMAP },
	{ .kind = PROBE_MEMCACHED },
	{ .kind = PROBE_MQTT },
};

struct outcome {
	enum dialogue_verdict verdict;
	struct failure failure;
};

static void
check_failure(const struct failure *failure)
{
	char buffer[2048];
	struct text text = TEXT_INIT(buffer);

	switch (failure->code) {
	case FAILURE_PROTOCOL_PROBE_MISMATCH:
	case FAILURE_PROTOCOL_PROBE_STATUS:
	case FAILURE_PROTOCOL_PROBE_AUTH:
	case FAILURE_PROTOCOL_PROBE_CLOSED:
	case FAILURE_PROTOCOL_GREETING_REJECTED:
	case FAILURE_TIMEOUT_PROBE: break;
	default: must_not_reach();
	}
	must(failure->stage == STAGE_PROBE);
	failure_hint(failure, &text);
	must(text.length > 0 && !text.cut);
	for (size_t i = 0; i < text.length; i++)
		must(buffer[i] >= 0x20 && buffer[i] < 0x7f);
}

static size_t
drain(struct dialogue *dialogue)
{
	size_t length;

	must(dialogue_output(dialogue, &length));
	dialogue_sent(dialogue, length);
	return length;
}

/* The input in pieces of `piece` octets, and then the end of the connection, or the deadline. */
static void
converse(const struct probe_setup *setup, struct octets input, size_t piece, bool ends,
	 struct outcome *outcome)
{
	const unsigned char *bytes = input.bytes;
	struct dialogue *dialogue = NULL;
	size_t at = 0, said = 0;

	failure_init(&outcome->failure, FAILURE_NONE, STAGE_PROBE);
	must(probe_new(setup, &dialogue) == 0);
	outcome->verdict = dialogue_start(dialogue, &outcome->failure);
	while (at < input.length && outcome->verdict == DIALOGUE_MORE) {
		size_t taken = 0, length = input.length - at < piece ? input.length - at : piece;

		said += drain(dialogue);
		outcome->verdict = dialogue_take(dialogue, (struct octets){ bytes + at, length },
						 &taken, &outcome->failure);
		must(taken == length || (taken < length && outcome->verdict == DIALOGUE_DONE));
		at += taken;
	}
	if (outcome->verdict != DIALOGUE_FAILED)
		must(said + drain(dialogue) <= OUTPUT_MAX);
	if (outcome->verdict == DIALOGUE_MORE && ends) {
		outcome->verdict = dialogue_end(dialogue, &outcome->failure);
		must(outcome->verdict != DIALOGUE_MORE);
	} else if (outcome->verdict == DIALOGUE_MORE) {
		dialogue_overdue(dialogue, &outcome->failure);
		outcome->verdict = DIALOGUE_FAILED;
	}
	must((outcome->verdict == DIALOGUE_FAILED) == (outcome->failure.code != FAILURE_NONE));
	if (outcome->verdict == DIALOGUE_FAILED)
		check_failure(&outcome->failure);
	dialogue_free(dialogue);
}

static void
check(const struct probe_setup *setup, struct octets input, bool ends)
{
	static const size_t pieces[] = { 1, 7, 100 };
	struct outcome whole, other;

	converse(setup, input, SIZE_MAX, ends, &whole);
	for (size_t i = 0; i < COUNT_OF(pieces); i++) {
		converse(setup, input, pieces[i], ends, &other);
		must(other.verdict == whole.verdict && other.failure.code == whole.failure.code);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct target target = { .kind = TARGET_NAME, .host = "fuzz.test", .port = 1 };
	struct probe_policy policy;
	struct probe_setup setup = { .policy = &policy, .target = &target };

	if (size < 2)
		return 0;
	policy = policies[data[0] % COUNT_OF(policies)];
	policy.user = data[1] & FLAG_USER ? "joe" : NULL;
	setup.again = data[1] & FLAG_AGAIN;
	setup.greeted = data[1] & FLAG_GREETED;
	setup.memory = data[1] & FLAG_MEMORY ? 1 : 0;
	check(&setup, (struct octets){ data + 2, size - 2 }, true);
	check(&setup, (struct octets){ data + 2, size - 2 }, false);
	return 0;
}
