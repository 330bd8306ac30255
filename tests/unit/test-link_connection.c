/* core/link_connection: the stages of the one connection, which of them apply, and how each may fail. */
#include "link-fixture.h"

#define SEC  USEC_PER_SEC
#define MSEC USEC_PER_MSEC

#define TWO_TARGETS "192.0.2.1:443 192.0.2.2:443"

static void
set_proxy(struct fixture *f, enum proxy_kind kind, const char *target)
{
	struct proxy_policy *proxy = &f->upstream->policy.proxy;
	const char *problem;

	proxy->kind = kind;
	assert_int_equal(target_parse(target, FAMILY_ANY, &proxy->target, &problem), 0);
}

static void
connect_first(struct fixture *f)
{
	tell_kind(f, INPUT_START);
	if (f->link->stage == STAGE_LOAD)
		tell_kind(f, INPUT_LOADED);
	f->now += MSEC;
	tell_connected(f, 0);
}

/* A connection through everything there is has just been made. */
static void
open_full(struct fixture *f)
{
	fixture_open(f, TWO_TARGETS, true);
	set_proxy(f, PROXY_HTTP, "192.0.2.9:3128");
	f->upstream->policy.starttls = STARTTLS_SMTP;
	f->upstream->policy.probe.kind = PROBE_SMTP;
	connect_first(f);
	CHECK(f, STAGE_PROXY, "adopt stage proxy timer");
}

/* The stage ends well, after a millisecond. */
static void
pass_stage(struct fixture *f, bool pending)
{
	f->now += MSEC;
	switch (f->link->stage) {
	case STAGE_HANDSHAKE: tell_secured(f, 0, pending); break;
	case STAGE_SETTLE: tell_kind(f, INPUT_SETTLED); break;
	default: tell_kind(f, INPUT_PASSED); break;
	}
}

static void
go_to(struct fixture *f, enum stage stage)
{
	while (f->link->stage != stage)
		pass_stage(f, true);
}

static void
all_stages_come_in_their_order(void **state)
{
	static const struct {
		enum stage stage;
		const char *effects;
	} rows[] = {
		{ STAGE_STARTTLS, "stage starttls timer" },
		{ STAGE_HANDSHAKE, "stage handshake timer" },
		{ STAGE_SETTLE, "stage settle timer" },
		{ STAGE_PROBE, "stage probe timer" },
		{ STAGE_READY, "stage hold timer" },
	};
	struct fixture f;

	(void)state;
	open_full(&f);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		pass_stage(&f, true);
		CHECK(&f, rows[i].stage, rows[i].effects);
	}
	for (enum stage stage = STAGE_CONNECT; stage <= STAGE_PROBE; stage++)
		assert_int_equal(f.link->timing[stage], MSEC);
	fixture_close(&f);
}

static void
what_does_not_apply_is_skipped(void **state)
{
	static const struct {
		enum proxy_kind proxy;
		enum proxy_header header;
		enum starttls starttls;
		bool tls, pending;
		enum probe_kind probe;
		const char *stages;
	} rows[] = {
		{ PROXY_NONE, 0, 0, false, false, 0, "" },
		{ PROXY_NONE, 0, 0, false, false, PROBE_REDIS, "probe " },
		{ PROXY_NONE, PROXY_HEADER_V2, 0, false, false, 0, "proxy " },
		{ PROXY_NONE, PROXY_HEADER_V1, 0, false, false, PROBE_HTTP, "proxy probe " },
		{ PROXY_SOCKS5, 0, 0, false, false, 0, "proxy " },
		{ PROXY_HTTP, 0, 0, true, false, 0, "proxy handshake " },
		{ PROXY_HTTP, 0, STARTTLS_IMAP, true, false, 0, "proxy starttls handshake " },
		{ PROXY_NONE, 0, STARTTLS_IMAP, true, true, 0, "starttls handshake settle " },
		{ PROXY_NONE, 0, 0, true, false, PROBE_EXPECT, "handshake probe " },
		{ PROXY_NONE, 0, 0, true, true, PROBE_EXPECT, "handshake settle probe " },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char buffer[128];
		struct text text = TEXT_INIT(buffer);
		struct fixture f;

		fixture_open(&f, "192.0.2.1:443", rows[i].tls);
		set_proxy(&f, rows[i].proxy, "192.0.2.9:1080");
		f.upstream->policy.proxy.header = rows[i].header;
		f.upstream->policy.starttls = rows[i].starttls;
		f.upstream->policy.probe.kind = rows[i].probe;
		for (connect_first(&f); f.link->stage != STAGE_READY; pass_stage(&f, rows[i].pending))
			text_addf(&text, "%s ", stage_name(f.link->stage));
		assert_string_equal(buffer, rows[i].stages);
		fixture_close(&f);
	}
}

/* The code and stage under which the loss of the first address is told. */
static void
check_lost(const struct fixture *f, enum failure_code code, enum stage stage)
{
	const struct failure *failure = effect_of(f, EFFECT_LOST_ADDRESS)->failure;

	assert_string_equal(failure_name(failure->code), failure_name(code));
	assert_string_equal(stage_name(failure->stage), stage_name(stage));
	assert_true(address_is_set(&failure->peer));
}

static void
each_stage_has_its_own_timeout(void **state)
{
	static const struct {
		enum stage stage;
		enum failure_code code;
		usec_t timeout;
	} rows[] = {
		{ STAGE_STARTTLS, FAILURE_TIMEOUT_STARTTLS, DEFAULT_STARTTLS_TIMEOUT },
		{ STAGE_HANDSHAKE, FAILURE_TIMEOUT_HANDSHAKE, DEFAULT_HANDSHAKE_TIMEOUT },
		{ STAGE_PROBE, FAILURE_TIMEOUT_PROBE, DEFAULT_PROBE_TIMEOUT },
	};
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		open_full(&f);
		go_to(&f, rows[i].stage);
		assert_int_equal(f.link->armed, f.now + rows[i].timeout);
		f.now += SEC;
		tell_kind(&f, INPUT_DEADLINE); /* a timer that fires early changes nothing */
		CHECK(&f, rows[i].stage, "timer");
		tell_deadline(&f);
		assert_int_equal(f.link->stage, STAGE_CONNECT); /* towards the other one */
		check_lost(&f, rows[i].code, rows[i].stage);
		assert_int_equal(effect_of(&f, EFFECT_LOST_ADDRESS)->failure->elapsed, rows[i].timeout);
		assert_int_equal(effect_of(&f, EFFECT_CONNECT)->connect.target, 1);
		fixture_close(&f);
	}
	open_full(&f); /* a proxy that does not answer will not for another target */
	tell_deadline(&f);
	CHECK(&f, STAGE_BACKOFF, "discard report stage timer");
	assert_int_equal(effect_of(&f, EFFECT_REPORT)->failure->code, FAILURE_TIMEOUT_PROXY);
	fixture_close(&f);
}

static void
a_dialogue_says_what_its_deadline_means(void **state)
{
	const struct failure *failure;
	struct fixture f;

	(void)state;
	open_full(&f);
	go_to(&f, STAGE_PROBE);
	tell_overdue(&f, FAILURE_PROTOCOL_PROBE_MISMATCH, "200 but not yet");
	check_lost(&f, FAILURE_PROTOCOL_PROBE_MISMATCH, STAGE_PROBE);
	failure = effect_of(&f, EFFECT_LOST_ADDRESS)->failure;
	assert_int_equal(failure->evidence_length, strlen("200 but not yet"));
	fixture_close(&f);
}

/* The attempt has had its time in the middle of a dialogue. */
static void
an_attempt_that_takes_too_long_keeps_what_was_said(void **state)
{
	const struct failure *failure;
	struct fixture f;

	(void)state;
	open_full(&f);
	f.upstream->policy.attempt_timeout = 4 * SEC;
	go_to(&f, STAGE_STARTTLS);
	tell_overdue(&f, FAILURE_TIMEOUT_STARTTLS, "220-wait");
	CHECK(&f, STAGE_BACKOFF, "discard report stage timer");
	assert_int_equal(f.now, NOON + 4 * SEC);
	failure = effect_of(&f, EFFECT_REPORT)->failure;
	assert_int_equal(failure->code, FAILURE_TIMEOUT_ATTEMPT);
	assert_int_equal(failure->stage, STAGE_STARTTLS);
	assert_int_equal(failure->evidence_length, strlen("220-wait"));
	assert_true(address_equal(&failure->peer, &f.link->peer));
	fixture_close(&f);
}

static void
blame_decides_what_a_dialogues_failure_means(void **state)
{
	static const struct {
		enum stage stage;
		enum failure_code code;
		bool others;
	} rows[] = {
		{ STAGE_PROXY, FAILURE_PROTOCOL_PROXY_TARGET, true },
		{ STAGE_PROXY, FAILURE_PROTOCOL_PROXY_CLOSED, true },
		{ STAGE_PROXY, FAILURE_PROTOCOL_PROXY_DENIED, false },
		{ STAGE_PROXY, FAILURE_PROTOCOL_PROXY_AUTH, false },
		{ STAGE_STARTTLS, FAILURE_PROTOCOL_STARTTLS_MISSING, false },
		{ STAGE_STARTTLS, FAILURE_PROTOCOL_STARTTLS_REFUSED, true },
		{ STAGE_STARTTLS, FAILURE_PROTOCOL_STARTTLS_INJECTION, false },
		{ STAGE_STARTTLS, FAILURE_PROTOCOL_GREETING_REJECTED, true },
		{ STAGE_PROBE, FAILURE_PROTOCOL_PROBE_STATUS, true },
		{ STAGE_PROBE, FAILURE_PROTOCOL_PROBE_AUTH, false },
		{ STAGE_PROBE, FAILURE_PROTOCOL_PROBE_CLOSED, true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct fixture f;

		open_full(&f);
		go_to(&f, rows[i].stage);
		tell_failed(&f, rows[i].code);
		if (rows[i].others) {
			assert_int_equal(f.link->stage, STAGE_CONNECT);
			check_lost(&f, rows[i].code, rows[i].stage);
		} else {
			CHECK(&f, STAGE_BACKOFF, "discard report stage timer");
			assert_int_equal(effect_of(&f, EFFECT_REPORT)->failure->stage, rows[i].stage);
		}
		fixture_close(&f);
	}
}

static void
injection_is_no_matter_of_the_handshake(void **state)
{
	struct fixture f;

	(void)state;
	open_full(&f);
	go_to(&f, STAGE_HANDSHAKE);
	tell_failed(&f, FAILURE_PROTOCOL_STARTTLS_INJECTION);
	CHECK(&f, STAGE_BACKOFF, "discard report stage timer");
	assert_int_equal(effect_of(&f, EFFECT_REPORT)->failure->stage, STAGE_STARTTLS);
	fixture_close(&f);
}

static void
another_address_passes_all_stages_again(void **state)
{
	struct fixture f;

	(void)state;
	open_full(&f);
	go_to(&f, STAGE_PROBE);
	tell_failed(&f, FAILURE_PROTOCOL_PROBE_CLOSED);
	CHECK(&f, STAGE_CONNECT, "discard lost stage connect");
	assert_int_equal(effect_of(&f, EFFECT_CONNECT)->connect.target, 1);
	tell_connected(&f, effect_of(&f, EFFECT_CONNECT)->connect.slot);
	CHECK(&f, STAGE_PROXY, "adopt stage proxy");
	pass_stage(&f, true);
	pass_stage(&f, true);
	pass_stage(&f, false); /* this one does not ask for a certificate */
	CHECK(&f, STAGE_PROBE, "stage probe timer");
	assert_int_equal(f.link->timing[STAGE_HANDSHAKE], 2 * MSEC);
	assert_int_equal(f.link->timing[STAGE_SETTLE], MSEC);
	tell_failed(&f, FAILURE_PROTOCOL_PROBE_AUTH);
	CHECK(&f, STAGE_BACKOFF, "discard report stage timer");
	assert_int_equal(effect_of(&f, EFFECT_REPORT)->failure->code, FAILURE_PROTOCOL_PROBE_AUTH);
	fixture_close(&f);
}

/* What is read for a probe is no first octet any more: a reset after it is a reset. */
static void
an_application_that_has_spoken_does_not_reset_early(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, "192.0.2.1:443", false);
	f.upstream->policy.probe.kind = PROBE_REDIS;
	connect_first(&f);
	pass_stage(&f, false);
	assert_int_equal(f.link->stage, STAGE_READY);
	tell_failed(&f, FAILURE_CONNECTION_RESET);
	assert_int_equal(effect_of(&f, EFFECT_REPORT)->failure->code, FAILURE_CONNECTION_RESET);
	tell_deadline(&f);
	tell_connected(&f, 0);
	f.upstream->policy.probe.kind = PROBE_NONE;
	tell_policy(&f, f.upstream); /* nobody asks any more */
	CHECK(&f, STAGE_READY, "stage hold timer");
	tell_failed(&f, FAILURE_CONNECTION_RESET);
	assert_int_equal(effect_of(&f, EFFECT_REPORT)->failure->code, FAILURE_CONNECTION_RESET_EARLY);
	fixture_close(&f);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_stages_come_in_their_order),
		cmocka_unit_test(what_does_not_apply_is_skipped),
		cmocka_unit_test(each_stage_has_its_own_timeout),
		cmocka_unit_test(a_dialogue_says_what_its_deadline_means),
		cmocka_unit_test(an_attempt_that_takes_too_long_keeps_what_was_said),
		cmocka_unit_test(blame_decides_what_a_dialogues_failure_means),
		cmocka_unit_test(injection_is_no_matter_of_the_handshake),
		cmocka_unit_test(another_address_passes_all_stages_again),
		cmocka_unit_test(an_application_that_has_spoken_does_not_reset_early),
	};

	RUN_TESTS(tests);
}
