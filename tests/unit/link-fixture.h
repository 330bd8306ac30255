/* A link to be told things: shared by the tests of core/link. */
#pragma once

#include "check.h"

#include "base/text.h"
#include "core/link.h"

#include <arpa/inet.h>
#include <string.h>

#define NOON (1000 * USEC_PER_SEC) /* when every test begins */

struct fixture {
	struct upstream *upstream;
	struct link *link;
	usec_t now;
	struct effects out; /* of the latest step */
};

static inline void
fixture_policy(struct policy *policy, bool tls)
{
	policy->enabled = true;
	policy->connections = 1;
	policy->timeout[STAGE_RESOLVE] = DEFAULT_RESOLVE_TIMEOUT;
	policy->timeout[STAGE_CONNECT] = DEFAULT_CONNECT_TIMEOUT;
	policy->timeout[STAGE_PROXY] = DEFAULT_PROXY_TIMEOUT;
	policy->timeout[STAGE_STARTTLS] = DEFAULT_STARTTLS_TIMEOUT;
	policy->timeout[STAGE_HANDSHAKE] = DEFAULT_HANDSHAKE_TIMEOUT;
	policy->timeout[STAGE_SETTLE] = DEFAULT_SETTLE_TIMEOUT;
	policy->timeout[STAGE_PROBE] = DEFAULT_PROBE_TIMEOUT;
	policy->timeout[STAGE_CLOSING] = DEFAULT_CLOSE_TIMEOUT;
	policy->attempt_timeout = DEFAULT_ATTEMPT_TIMEOUT;
	policy->retry = (struct retry_policy){
		.initial = DEFAULT_RETRY_INITIAL,
		.max = DEFAULT_RETRY_MAX,
		.multiplier = DEFAULT_RETRY_MULTIPLIER,
		.jitter = JITTER_NONE,
		.stable_after = DEFAULT_STABLE_AFTER,
	};
	policy->tls.enabled = tls;
}

/* An upstream with the targets in `list`, which are separated by spaces. */
static inline struct upstream *
fixture_upstream(const char *list, bool tls)
{
	char copy[512], *rest = copy, *word;
	unsigned int count = 1;
	struct upstream *upstream;
	const char *problem = NULL;

	text_copy(copy, sizeof(copy), list);
	for (const char *c = list; *c; c++)
		count += *c == ' ';
	upstream = upstream_new("test", count);
	assert_non_null(upstream);
	for (unsigned int i = 0; (word = strsep(&rest, " ")); i++)
		assert_int_equal(target_parse(word, FAMILY_ANY, &upstream->targets[i], &problem), 0);
	fixture_policy(&upstream->policy, tls);
	return upstream;
}

static inline void
fixture_open(struct fixture *f, const char *targets, bool tls)
{
	*f = (struct fixture){ .upstream = fixture_upstream(targets, tls), .now = NOON };
	f->link = link_new(f->upstream, 1, 42);
	assert_non_null(f->link);
}

static inline void
fixture_close(struct fixture *f)
{
	f->link = link_free(f->link);
	f->upstream = upstream_unref(f->upstream);
}

static inline void
tell(struct fixture *f, const struct input *input)
{
	link_step(f->link, input, f->now, &f->out);
}

static inline void
tell_kind(struct fixture *f, enum input_kind kind)
{
	tell(f, &(struct input){ .kind = kind });
}

/* Let the armed timer fire when it is due. */
static inline void
tell_deadline(struct fixture *f)
{
	assert_true(f->link->armed != USEC_INFINITY);
	f->now = usec_max(f->now, f->link->armed);
	tell_kind(f, INPUT_DEADLINE);
}

static inline struct address
place(const char *ip)
{
	struct address address;
	struct in6_addr ipv6;
	struct in_addr ipv4;

	if (inet_pton(AF_INET, ip, &ipv4) == 1) {
		address_from_ip(AF_INET, &ipv4, 443, &address);
	} else {
		assert_int_equal(inet_pton(AF_INET6, ip, &ipv6), 1);
		address_from_ip(AF_INET6, &ipv6, 443, &address);
	}
	return address;
}

/* One query is answered with the addresses in `ips`, which are separated by spaces. */
static inline void
tell_answer(struct fixture *f, unsigned int target, enum family family, const char *ips)
{
	struct answer answer = { .target = target, .family = family };
	char copy[512], *rest = copy, *word;

	text_copy(copy, sizeof(copy), ips);
	while ((word = strsep(&rest, " ")))
		answer.addresses[answer.count++] = place(word);
	tell(f, &(struct input){ .kind = INPUT_ANSWERED, .answer = &answer });
}

static inline void
tell_no_answer(struct fixture *f, unsigned int target, enum family family, enum failure_code code)
{
	struct failure failure;
	struct answer answer = { .target = target, .family = family, .failure = &failure };

	failure_init(&failure, code, STAGE_RESOLVE);
	tell(f, &(struct input){ .kind = INPUT_ANSWERED, .answer = &answer });
}

static inline void
tell_connected(struct fixture *f, unsigned int slot)
{
	tell(f, &(struct input){ .kind = INPUT_CONNECTED, .slot = slot });
}

static inline void
tell_unconnected(struct fixture *f, unsigned int slot, enum failure_code code)
{
	struct failure failure;

	failure_init(&failure, code, STAGE_CONNECT);
	tell(f, &(struct input){ .kind = INPUT_UNCONNECTED, .unconnected = { slot, &failure } });
}

static inline void
tell_secured(struct fixture *f, usec_t rtt, bool pending)
{
	tell(f, &(struct input){ .kind = INPUT_SECURED, .secured = { rtt, pending } });
}

static inline void
tell_failed(struct fixture *f, enum failure_code code)
{
	struct failure failure;

	failure_init(&failure, code, f->link->stage);
	tell(f, &(struct input){ .kind = INPUT_FAILED, .failure = &failure });
}

/* The deadline passes while a dialogue goes on, which says `code` and what it has heard. */
static inline void
tell_overdue(struct fixture *f, enum failure_code code, const char *evidence)
{
	struct failure failure;

	failure_init(&failure, code, f->link->stage);
	failure_set_evidence(&failure, evidence, strlen(evidence));
	f->now = usec_max(f->now, f->link->armed);
	tell(f, &(struct input){ .kind = INPUT_DEADLINE, .failure = &failure });
}

static inline void
tell_probe_failed(struct fixture *f, enum failure_code code)
{
	struct failure failure;

	failure_init(&failure, code, f->link->stage);
	tell(f, &(struct input){ .kind = INPUT_PROBE_FAILED, .failure = &failure });
}

static inline void
tell_stop(struct fixture *f, enum close_reason reason)
{
	tell(f, &(struct input){ .kind = INPUT_STOP, .reason = reason });
}

static inline void
tell_policy(struct fixture *f, const struct upstream *upstream)
{
	tell(f, &(struct input){ .kind = INPUT_POLICY, .upstream = upstream });
}

/* The effects of the latest step, as words. */
static inline const char *
done(const struct fixture *f)
{
	static const char *const words[EFFECT_COUNT] = {
		[EFFECT_LOAD] = "load",		  [EFFECT_RESOLVE] = "resolve",
		[EFFECT_CONNECT] = "connect",	  [EFFECT_ABANDON] = "abandon",
		[EFFECT_ADOPT] = "adopt",	  [EFFECT_PROXY] = "proxy",
		[EFFECT_STARTTLS] = "starttls",	  [EFFECT_PROBE] = "probe",
		[EFFECT_HANDSHAKE] = "handshake", [EFFECT_SETTLE] = "settle",
		[EFFECT_HOLD] = "hold",		  [EFFECT_CLOSE] = "close",
		[EFFECT_DISCARD] = "discard",	  [EFFECT_CANCEL_QUERIES] = "cancel",
		[EFFECT_STAGE] = "stage",	  [EFFECT_REPORT] = "report",
		[EFFECT_LOST_ADDRESS] = "lost",	  [EFFECT_FAMILY] = "family",
		[EFFECT_PROBING] = "probing",	  [EFFECT_REPORT_CLOSE] = "report-close",
		[EFFECT_RENEW] = "renew",	  [EFFECT_ARM_TIMER] = "timer",
		[EFFECT_ENDED] = "ended",
	};
	static char buffer[1024];
	struct text text = TEXT_INIT(buffer);

	for (unsigned int i = 0; i < f->out.count; i++)
		text_addf(&text, "%s%s", i ? " " : "", words[f->out.at[i].kind]);
	return buffer;
}

/* The first effect of `kind` in the latest step. */
static inline const struct effect *
effect_of(const struct fixture *f, enum effect_kind kind)
{
	for (unsigned int i = 0; i < f->out.count; i++) {
		if (f->out.at[i].kind == kind)
			return &f->out.at[i];
	}
	fail_msg("no such effect among: %s", done(f));
	return NULL;
}

/* Where the latest step sent a socket to. */
static inline const char *
sent_to(const struct fixture *f)
{
	static char buffer[ADDRESS_TEXT_MAX];

	return address_format(&effect_of(f, EFFECT_CONNECT)->connect.address, buffer, sizeof(buffer));
}

#define CHECK(f, stage_, effects) \
	do { \
		assert_string_equal(done(f), effects); \
		assert_string_equal(stage_name((f)->link->stage), stage_name(stage_)); \
	} while (0)
