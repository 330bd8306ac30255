/* main/model: what the workers' events add up to, and the notices that follow from them. */
#include "check.h"

#include "base/text.h"
#include "main/model.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOLD_MAX 64

/* A notice as it was told; `line` has the parts that the tests look at. */
struct told {
	enum notice_kind kind;
	enum log_level level;
	enum failure_code code;
	uint64_t repeats;
	char line[256];
};

struct world {
	struct notices notices;
	struct subscriber subscriber;
	struct model *model;
	struct told told[TOLD_MAX];
	unsigned int told_count;
	usec_t now;
	upstream_id last_id;
};

static struct world world;

static void
on_notice(void *arg, const struct notice *notice)
{
	struct told *told = &world.told[world.told_count++ % TOLD_MAX];
	struct text text;

	(void)arg;
	told->kind = notice->kind;
	told->level = notice->level;
	told->code = notice->failure ? notice->failure->code : FAILURE_NONE;
	told->repeats = notice->repeats;
	text_init(&text, told->line, sizeof(told->line));
	text_addf(&text, "%s %s %u %s%s %s", notice_kind_name(notice->kind),
		  notice->upstream ? notice->upstream : "-", notice->link,
		  notice->health >= 0 ? health_name((enum health)notice->health) : "",
		  notice->reason ? notice->reason : "", notice->message);
}

static int
set_up(void **state)
{
	(void)state;
	memset(&world, 0, sizeof(world));
	world.now = 1000 * USEC_PER_SEC;
	notices_init(&world.notices);
	world.subscriber.fn = on_notice;
	notices_subscribe(&world.notices, &world.subscriber);
	return model_new(&world.notices, &world.model);
}

static int
tear_down(void **state)
{
	(void)state;
	world.model = model_free(world.model);
	return 0;
}

/* The last notice of `kind`, which must have been told since told_none(). */
static const struct told *
last_told(enum notice_kind kind)
{
	for (unsigned int i = world.told_count; i-- > 0;)
		if (world.told[i % TOLD_MAX].kind == kind)
			return &world.told[i % TOLD_MAX];
	fail_msg("no %s was told", notice_kind_name(kind));
	return NULL;
}

static unsigned int
count_told(enum notice_kind kind)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < world.told_count; i++)
		count += world.told[i % TOLD_MAX].kind == kind;
	return count;
}

static void
told_none(void)
{
	world.told_count = 0;
}

static struct upstream *
make(const char *name, unsigned int connections)
{
	struct upstream *upstream = upstream_new(name, 1);

	assert_non_null(upstream);
	upstream->policy.enabled = true;
	upstream->policy.connections = connections;
	return upstream;
}

static struct model_upstream *
add(const char *name, unsigned int connections)
{
	struct upstream *upstream = make(name, connections);
	struct model_setup setup = { .id = ++world.last_id, .upstream = upstream, .now = world.now };
	struct model_upstream *known;

	assert_int_equal(model_add(world.model, &setup, &known), 0);
	upstream_unref(upstream);
	return known;
}

static void
enter(const struct model_upstream *known, unsigned int link, enum stage stage)
{
	struct event event = { .kind = EVENT_LINK, .id = known->id, .link = link };

	world.now += USEC_PER_SEC;
	event.at = world.now;
	event.status = (struct link_status){ .stage = stage, .since = world.now, .retry_at = USEC_INFINITY };
	model_event(world.model, &event, world.now);
}

static void
fail_with(const struct model_upstream *known, unsigned int link, enum failure_code code, enum stage stage)
{
	struct event event = { .kind = EVENT_FAILURE, .id = known->id, .link = link };

	world.now += USEC_PER_SEC;
	event.at = world.now;
	failure_init(&event.failure, code, stage);
	event.failure.at = world.now;
	model_event(world.model, &event, world.now);
}

/* ---- health --------------------------------------------------------------------------------------- */

static void
a_life(void **state)
{
	struct model_upstream *known = add("ldap", 2);
	struct model_totals totals;

	(void)state;
	assert_int_equal(known->health, HEALTH_STARTING);
	assert_int_equal(known->link_count, 2);
	assert_false(known->links[0].known);
	assert_int_equal(world.told_count, 0);

	enter(known, 1, STAGE_CONNECT);
	assert_int_equal(known->health, HEALTH_STARTING);
	assert_int_equal(last_told(NOTICE_STAGE)->level, LEVEL_DEBUG);
	enter(known, 1, STAGE_READY);
	assert_int_equal(known->health, HEALTH_DEGRADED);
	enter(known, 2, STAGE_READY);
	assert_int_equal(known->health, HEALTH_UP);
	assert_string_equal(last_told(NOTICE_HEALTH)->line, "health ldap 0 up all 2 links are ready");
	assert_int_equal(last_told(NOTICE_HEALTH)->level, LEVEL_NOTICE);
	assert_int_equal(count_told(NOTICE_RECOVERY), 0);

	fail_with(known, 2, FAILURE_CONNECTION_RESET, STAGE_READY);
	enter(known, 2, STAGE_BACKOFF);
	assert_int_equal(known->health, HEALTH_DEGRADED);
	assert_string_equal(last_told(NOTICE_HEALTH)->line,
			    "health ldap 0 degraded 1 of 2 links is ready");
	fail_with(known, 1, FAILURE_CONNECTION_RESET, STAGE_READY);
	enter(known, 1, STAGE_BACKOFF);
	assert_string_equal(last_told(NOTICE_HEALTH)->line,
			    "health ldap 0 down no link is ready, last failure connection.reset");
	model_totals(world.model, &totals);
	assert_int_equal(totals.by_health[HEALTH_DOWN], 1);
	assert_int_equal(totals.health, HEALTH_DOWN);
}

static void
a_failed_attempt_makes_it_down(void **state)
{
	struct model_upstream *known = add("ldap", 1);

	(void)state;
	fail_with(known, 1, FAILURE_CONNECTION_REFUSED, STAGE_CONNECT);
	assert_int_equal(known->health, HEALTH_DOWN);
}

static void
a_pause_is_no_outage(void **state)
{
	struct model_upstream *known = add("ldap", 1);

	(void)state;
	enter(known, 1, STAGE_READY);
	told_none();
	model_set_paused(world.model, known, true, world.now);
	assert_int_equal(known->health, HEALTH_UP);
	enter(known, 1, STAGE_CLOSING);
	assert_int_equal(known->health, HEALTH_PAUSED);
	enter(known, 1, STAGE_PAUSED);
	assert_int_equal(count_told(NOTICE_HEALTH), 1);
	model_set_paused(world.model, known, false, world.now);
	enter(known, 1, STAGE_LOAD);
	assert_int_equal(known->health, HEALTH_STARTING);
	enter(known, 1, STAGE_READY);
	assert_int_equal(known->health, HEALTH_UP);
	assert_int_equal(count_told(NOTICE_RECOVERY), 0);
}

static void
a_disabled_one_is_paused(void **state)
{
	struct upstream *upstream = make("off", 1);
	struct model_setup setup = { .id = 7, .upstream = upstream, .now = world.now };
	struct model_upstream *known;
	struct model_totals totals;

	(void)state;
	upstream->policy.enabled = false;
	assert_int_equal(model_add(world.model, &setup, &known), 0);
	upstream_unref(upstream);
	assert_true(known->paused);
	assert_int_equal(known->health, HEALTH_PAUSED);
	model_totals(world.model, &totals);
	assert_int_equal(totals.health, HEALTH_PAUSED);
}

static void
held_links_are_offline(void **state)
{
	struct model_upstream *known = add("ldap", 1);
	struct event event = { .kind = EVENT_LINK, .id = known->id, .link = 1, .at = world.now };

	(void)state;
	event.status = (struct link_status){ .stage = STAGE_BACKOFF, .held = true };
	model_event(world.model, &event, world.now);
	assert_int_equal(known->health, HEALTH_OFFLINE);
	enter(known, 1, STAGE_READY);
	assert_int_equal(known->health, HEALTH_UP);
}

static void
the_end_is_nobodys_outage(void **state)
{
	struct model_upstream *known = add("ldap", 1);

	(void)state;
	enter(known, 1, STAGE_READY);
	told_none();
	model_stop(world.model);
	enter(known, 1, STAGE_CLOSING);
	assert_int_equal(count_told(NOTICE_HEALTH), 0);
	assert_int_equal(known->health, HEALTH_UP);
}

/* ---- figures -------------------------------------------------------------------------------------- */

static void
attempts_and_connections_are_counted_apart(void **state)
{
	struct model_upstream *known = add("ldap", 1);

	(void)state;
	fail_with(known, 1, FAILURE_CONNECTION_REFUSED, STAGE_CONNECT);
	fail_with(known, 1, FAILURE_TLS_ALPN, STAGE_HANDSHAKE);
	enter(known, 1, STAGE_READY);
	fail_with(known, 1, FAILURE_CONNECTION_RESET, STAGE_READY);
	fail_with(known, 1, FAILURE_TIMEOUT_LEND, STAGE_LEND);
	assert_int_equal(known->counters.attempts, 3);
	assert_int_equal(known->counters.failed, 2);
	assert_int_equal(known->counters.established, 1);
	assert_int_equal(known->counters.lend_failed, 1);
	assert_int_equal(known->reach, 1);
	assert_int_equal(known->failures[FAILURE_CONNECTION_REFUSED], 1);
	assert_int_equal(known->failures[FAILURE_CONNECTION_RESET], 1);
	assert_int_equal(history_count(known->history), 4);
	assert_int_equal(history_at(known->history, 0)->failure.code, FAILURE_CONNECTION_REFUSED);
	assert_int_equal(history_at(known->history, 0)->link, 1);
}

/* A status is sent again when figures change: the stage has not been entered again. */
static void
a_repeated_status_counts_once(void **state)
{
	struct model_upstream *known = add("ldap", 1);
	struct event event = { .kind = EVENT_LINK, .id = known->id, .link = 1, .at = world.now };

	(void)state;
	enter(known, 1, STAGE_READY);
	event.status = known->links[0].status;
	event.status.bytes_received = 4711;
	model_event(world.model, &event, world.now);
	assert_int_equal(known->counters.established, 1);
	assert_int_equal(count_told(NOTICE_STAGE), 1);
	assert_int_equal(known->links[0].status.bytes_received, 4711);
	/* Entered anew, though nothing else was seen in between. */
	enter(known, 1, STAGE_READY);
	assert_int_equal(known->counters.established, 2);
}

static void
closes_are_counted_by_reason(void **state)
{
	struct model_upstream *known = add("ldap", 1);
	struct event event = { .kind = EVENT_CLOSE, .id = known->id, .link = 1, .at = world.now };

	(void)state;
	event.reason = CLOSE_LIFETIME;
	model_event(world.model, &event, world.now);
	assert_int_equal(known->counters.closed, 1);
	assert_int_equal(known->closes[CLOSE_LIFETIME], 1);
	assert_int_equal(last_told(NOTICE_CLOSE)->level, LEVEL_INFO);
	assert_int_equal(strncmp(last_told(NOTICE_CLOSE)->line, "close ldap 1 lifetime ", 22), 0);
}

/* ---- notices -------------------------------------------------------------------------------------- */

static void
a_recovery_tells_how_long_it_took(void **state)
{
	struct model_upstream *known = add("ldap", 1);

	(void)state;
	enter(known, 1, STAGE_READY);
	fail_with(known, 1, FAILURE_CONNECTION_RESET, STAGE_READY);
	fail_with(known, 1, FAILURE_CONNECTION_REFUSED, STAGE_CONNECT);
	enter(known, 1, STAGE_BACKOFF);
	enter(known, 1, STAGE_READY);
	assert_int_equal(count_told(NOTICE_RECOVERY), 1);
	assert_non_null(strstr(last_told(NOTICE_RECOVERY)->line, "after 3.0 s of failures"));
	assert_int_equal(last_told(NOTICE_RECOVERY)->level, LEVEL_NOTICE);
	told_none();
	enter(known, 1, STAGE_READY);
	assert_int_equal(count_told(NOTICE_RECOVERY), 0);
}

static void
severity_is_by_life_and_class(void **state)
{
	struct model_upstream *known = add("ldap", 1);

	(void)state;
	fail_with(known, 1, FAILURE_CONNECTION_REFUSED, STAGE_CONNECT);
	assert_int_equal(last_told(NOTICE_FAILURE)->level, LEVEL_WARNING);
	fail_with(known, 1, FAILURE_TLS_CERTIFICATE_EXPIRED, STAGE_HANDSHAKE);
	assert_int_equal(last_told(NOTICE_FAILURE)->level, LEVEL_ERROR);
	fail_with(known, 1, FAILURE_LOCAL_NO_MEMORY, STAGE_CONNECT);
	assert_int_equal(last_told(NOTICE_FAILURE)->level, LEVEL_ERROR);
}

static void
an_address_that_was_lost_is_debug(void **state)
{
	struct model_upstream *known = add("ldap", 1);
	struct event event = { .kind = EVENT_LOST_ADDRESS, .id = known->id, .link = 1 };

	(void)state;
	failure_init(&event.failure, FAILURE_CONNECTION_REFUSED, STAGE_CONNECT);
	model_event(world.model, &event, world.now);
	assert_int_equal(last_told(NOTICE_STAGE)->level, LEVEL_DEBUG);
	assert_int_equal(last_told(NOTICE_STAGE)->code, FAILURE_CONNECTION_REFUSED);
	assert_int_equal(known->counters.attempts, 0);
	assert_int_equal(history_count(known->history), 0);
}

static void
warn(upstream_id id, enum warning_kind kind, uint64_t number, enum failure_code code)
{
	struct event event = { .kind = EVENT_WARNING, .id = id, .at = world.now };

	event.warning.kind = kind;
	event.warning.number = number;
	failure_init(&event.warning.failure, code, STAGE_LOAD);
	model_event(world.model, &event, world.now);
}

static void
warnings_last_or_pass(void **state)
{
	struct model_upstream *known = add("ldap", 1);

	(void)state;
	warn(0, WARNING_STALL, 2 * USEC_PER_SEC, FAILURE_NONE);
	assert_int_equal(last_told(NOTICE_WARNING)->code, FAILURE_LOCAL_STALL);
	assert_int_equal(strncmp(last_told(NOTICE_WARNING)->line, "warning - 0 stall ", 18), 0);
	assert_non_null(strstr(last_told(NOTICE_WARNING)->line, "2.0 s"));
	assert_int_equal(known->health, HEALTH_STARTING);
	warn(known->id, WARNING_STALE_FILES, 0, FAILURE_LOCAL_KEY_LOAD);
	assert_int_equal(last_told(NOTICE_WARNING)->code, FAILURE_LOCAL_KEY_LOAD);
	assert_int_equal(known->warnings, 1u << WARNING_STALE_FILES);
	assert_int_equal(known->failures[FAILURE_LOCAL_KEY_LOAD], 0);
	warn(known->id, WARNING_LEFT_OUT, 3, FAILURE_NONE);
	warn(known->id, WARNING_STALE_FILES, 0, FAILURE_NONE);
	assert_int_equal(known->warnings, 1u << WARNING_LEFT_OUT);
	assert_int_equal(last_told(NOTICE_WARNING)->level, LEVEL_NOTICE);
	warn(known->id, WARNING_LEFT_OUT, 0, FAILURE_NONE);
	assert_int_equal(known->warnings, 0);
}

static void
verification_off_is_in_force_from_the_start(void **state)
{
	struct upstream *upstream = make("x", 1), *safe = make("x", 1);
	struct model_setup setup = { .id = 1, .upstream = upstream, .now = world.now };
	struct model_upstream *known;

	(void)state;
	upstream->policy.tls.enabled = safe->policy.tls.enabled = true;
	upstream->policy.tls.verify = VERIFY_NONE;
	safe->policy.tls.verify = VERIFY_FULL;
	assert_int_equal(model_add(world.model, &setup, &known), 0);
	assert_int_equal(known->warnings, 1u << WARNING_VERIFICATION_DISABLED);
	assert_int_equal(model_change(world.model, known, safe, world.now), 0);
	assert_int_equal(known->warnings, 0);
	upstream_unref(upstream);
	upstream_unref(safe);
}

/* ---- links and upstreams come and go -------------------------------------------------------------- */

static void
links_come_and_go(void **state)
{
	struct model_upstream *known = add("ldap", 3);
	struct upstream *fewer = make("ldap", 1), *more = make("ldap", 4);
	struct event gone = { .kind = EVENT_LINK_GONE, .id = known->id, .link = 2 };
	struct link_census census;

	(void)state;
	for (unsigned int link = 1; link <= 3; link++)
		enter(known, link, STAGE_READY);
	assert_int_equal(model_change(world.model, known, fewer, world.now), 0);
	assert_int_equal(known->link_count, 3);
	model_event(world.model, &gone, world.now);
	assert_int_equal(known->link_count, 2);
	assert_int_equal(known->links[1].number, 3);
	model_census(known, &census);
	assert_int_equal(census.wanted, 1);
	assert_int_equal(census.ready, 2);
	/* Unheard of: nothing happens. */
	model_event(world.model, &gone, world.now);
	assert_int_equal(known->link_count, 2);
	assert_int_equal(model_change(world.model, known, more, world.now), 0);
	assert_int_equal(known->link_count, 4);
	assert_int_equal(known->health, HEALTH_DEGRADED);
	upstream_unref(fewer);
	upstream_unref(more);
}

static void
names_are_walked_in_order(void **state)
{
	static const char *const names[] = { "m", "b", "z", "a", "c" };
	struct model_upstream *known, *dropped, *again;
	char order[16] = "";
	struct text text = TEXT_INIT(order);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(names); i++)
		add(names[i], 1);
	for (known = model_next(world.model, ""); known;
	     known = model_next(world.model, known->upstream->name))
		text_add(&text, known->upstream->name);
	assert_string_equal(order, "abcmz");
	assert_null(model_find(world.model, "bb"));
	assert_string_equal(model_next(world.model, "bb")->upstream->name, "c");

	dropped = model_find(world.model, "b");
	model_drop(world.model, dropped);
	assert_null(model_find(world.model, "b"));
	assert_ptr_equal(model_by_id(world.model, dropped->id), dropped);
	/* The same name may come back before the old one is gone. */
	again = add("b", 1);
	assert_ptr_equal(model_find(world.model, "b"), again);
	told_none();
	fail_with(dropped, 1, FAILURE_CONNECTION_RESET, STAGE_READY);
	assert_int_equal(count_told(NOTICE_FAILURE), 1);
	assert_int_equal(count_told(NOTICE_HEALTH), 0);
	model_remove(world.model, dropped);
	assert_ptr_equal(model_find(world.model, "b"), again);
	/* Events that were under way find nobody. */
	told_none();
	fail_with(&(struct model_upstream){ .id = 2 }, 1, FAILURE_CONNECTION_RESET, STAGE_READY);
	assert_int_equal(world.told_count, 0);
}

static void
ten_thousand(void **state)
{
	struct model_totals totals;
	char name[16];

	(void)state;
	for (unsigned int i = 0; i < 10000; i++) {
		snprintf(name, sizeof(name), "u%u", i * 7919 % 10000);
		add(name, 1);
	}
	for (upstream_id id = 1; id <= 5000; id++)
		enter(model_by_id(world.model, id), 1, STAGE_READY);
	model_totals(world.model, &totals);
	assert_int_equal(totals.upstreams, 10000);
	assert_int_equal(totals.by_health[HEALTH_UP], 5000);
	assert_int_equal(totals.by_health[HEALTH_STARTING], 5000);
	assert_int_equal(totals.health, HEALTH_STARTING);
	assert_non_null(model_find(world.model, "u4711"));
}

static void
the_verdict_over_all(void **state)
{
	struct model_upstream *a = add("a", 1), *b = add("b", 1), *c = add("c", 1);
	struct model_totals totals;

	(void)state;
	enter(a, 1, STAGE_READY);
	enter(b, 1, STAGE_READY);
	fail_with(c, 1, FAILURE_CONNECTION_REFUSED, STAGE_CONNECT);
	model_totals(world.model, &totals);
	assert_int_equal(totals.health, HEALTH_DEGRADED);
	model_set_paused(world.model, c, true, world.now);
	model_totals(world.model, &totals);
	assert_int_equal(totals.health, HEALTH_UP);
	model_drop(world.model, a);
	model_drop(world.model, b);
	model_drop(world.model, c);
	model_totals(world.model, &totals);
	assert_int_equal(totals.upstreams, 0);
	assert_int_equal(totals.health, HEALTH_UP);
}

/* ---- references ----------------------------------------------------------------------------------- */

/* ASan counts for us: chains and others that come with events must be given back, once. */
static void
references_are_taken_over(void **state)
{
	struct certificate leaf = { .subject = strdup("CN=x"),
				    .issuer = strdup("CN=y"),
				    .names = calloc(1, sizeof(char *)) };
	struct chain *chain = chain_new(&leaf, 1);
	struct model_upstream *known = add("ldap", 1);
	struct event event = { .kind = EVENT_LINK, .id = known->id, .link = 1, .at = world.now };

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		event.kind = EVENT_LINK;
		event.status = (struct link_status){ .stage = STAGE_READY, .since = i, .has_tls = true };
		event.status.tls.chain = chain_ref(chain);
		model_event(world.model, &event, world.now);
	}
	assert_ptr_equal(known->links[0].status.tls.chain, chain);
	event.kind = EVENT_FAILURE;
	failure_init(&event.failure, FAILURE_CONNECTION_RESET, STAGE_READY);
	event.failure.chain = chain_ref(chain);
	model_event(world.model, &event, world.now);
	/* One of an upstream that nobody knows. */
	event.id = 4711;
	failure_init(&event.failure, FAILURE_CONNECTION_RESET, STAGE_READY);
	event.failure.chain = chain_ref(chain);
	model_event(world.model, &event, world.now);
	assert_ptr_equal(history_at(known->history, 0)->failure.chain, chain);
	chain_unref(chain);
}

/* ---- the list of subscribers ---------------------------------------------------------------------- */

struct leaver {
	struct subscriber subscriber, *victim;
	unsigned int told;
};

static void
leave(void *arg, const struct notice *notice)
{
	struct leaver *leaver = arg;

	(void)notice;
	leaver->told++;
	notices_unsubscribe(leaver->victim);
	notices_unsubscribe(leaver->victim);
}

static void
subscribers_may_leave_while_told(void **state)
{
	struct leaver leavers[3] = { 0 };
	struct notice notice = { .kind = NOTICE_CONFIG, .message = "x" };

	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		leavers[i].subscriber = (struct subscriber){ .fn = leave, .arg = &leavers[i] };
		notices_subscribe(&world.notices, &leavers[i].subscriber);
	}
	leavers[0].victim = &leavers[1].subscriber; /* the next one */
	leavers[1].victim = &leavers[1].subscriber;
	leavers[2].victim = &leavers[2].subscriber; /* itself */
	notices_tell(&world.notices, &notice);
	notices_tell(&world.notices, &notice);
	assert_int_equal(leavers[0].told, 2);
	assert_int_equal(leavers[1].told, 0);
	assert_int_equal(leavers[2].told, 1);
	assert_int_equal(notice_kind_find("recovery"), NOTICE_RECOVERY);
	assert_true(notice_kind_find("nonsense") < 0);
}

static void
tell_once_more(void *arg, const struct notice *notice)
{
	unsigned int *depth = arg;

	if ((*depth)++ < 2)
		notices_tell(&world.notices, notice);
}

static void
a_notice_may_cause_another(void **state)
{
	unsigned int depth = 0;
	struct subscriber subscriber = { .fn = tell_once_more, .arg = &depth };
	struct notice notice = { .kind = NOTICE_CONFIG, .message = "x" };

	(void)state;
	notices_subscribe(&world.notices, &subscriber);
	notices_tell(&world.notices, &notice);
	notices_unsubscribe(&subscriber);
	assert_int_equal(depth, 3);
	assert_int_equal(world.told_count, 3);
}

/* ---- noise ---------------------------------------------------------------------------------------- */

static void
expect_failure(enum log_level level, uint64_t repeats)
{
	assert_int_equal(last_told(NOTICE_FAILURE)->level, level);
	assert_int_equal(last_told(NOTICE_FAILURE)->repeats, repeats);
}

/* Nothing but the level changes: everybody is told of every failure. */
static void
what_a_link_repeats_is_said_softly(void **state)
{
	struct model_upstream *known = add("ldap", 2);

	(void)state;
	for (unsigned int i = 1; i <= 12; i++) {
		fail_with(known, 1, FAILURE_CONNECTION_REFUSED, STAGE_CONNECT);
		expect_failure(i <= 3 || i == 10 ? LEVEL_WARNING : LEVEL_DEBUG, i);
	}
	fail_with(known, 2, FAILURE_CONNECTION_REFUSED, STAGE_CONNECT);
	expect_failure(LEVEL_WARNING, 1);
	fail_with(known, 1, FAILURE_ADDRESS_NXDOMAIN, STAGE_RESOLVE);
	expect_failure(LEVEL_ERROR, 1);
	fail_with(known, 1, FAILURE_CONNECTION_REFUSED, STAGE_CONNECT);
	expect_failure(LEVEL_WARNING, 1);
	assert_int_equal(count_told(NOTICE_FAILURE), 15);
	assert_int_equal(history_count(known->history), 15);
	assert_int_equal(known->counters.failed, 15);
	assert_int_equal(known->failures[FAILURE_CONNECTION_REFUSED], 14);
}

static void
a_fresh_start_is_loud_again(void **state)
{
	struct model_upstream *known = add("ldap", 1);

	(void)state;
	for (unsigned int i = 0; i < 5; i++)
		fail_with(known, 1, FAILURE_CONNECTION_REFUSED, STAGE_CONNECT);
	expect_failure(LEVEL_DEBUG, 5);
	enter(known, 1, STAGE_READY);
	assert_int_equal(last_told(NOTICE_RECOVERY)->level, LEVEL_NOTICE);
	for (unsigned int i = 0; i < 5; i++)
		fail_with(known, 1, FAILURE_CONNECTION_REFUSED, STAGE_CONNECT);
	expect_failure(LEVEL_DEBUG, 5);
	model_set_paused(world.model, known, true, world.now);
	model_set_paused(world.model, known, false, world.now);
	fail_with(known, 1, FAILURE_CONNECTION_REFUSED, STAGE_CONNECT);
	expect_failure(LEVEL_WARNING, 1);
	for (unsigned int i = 0; i < 5; i++)
		fail_with(known, 1, FAILURE_CONNECTION_REFUSED, STAGE_CONNECT);
	assert_int_equal(model_change(world.model, known, known->upstream, world.now), 0);
	fail_with(known, 1, FAILURE_CONNECTION_REFUSED, STAGE_CONNECT);
	expect_failure(LEVEL_WARNING, 1);
}

/* Let in and thrown out again and again is a repetition; having been well for long enough is not. */
static void
flapping_is_no_fresh_start(void **state)
{
	struct model_upstream *known = add("ldap", 1);
	struct event late = { .kind = EVENT_FAILURE, .id = known->id, .link = 1 };

	(void)state;
	known->upstream->policy.retry.stable_after = 30 * USEC_PER_SEC;
	for (unsigned int i = 1; i <= 5; i++) {
		enter(known, 1, STAGE_READY);
		fail_with(known, 1, FAILURE_CONNECTION_CLOSED_EARLY, STAGE_READY);
		expect_failure(i <= 3 ? LEVEL_WARNING : LEVEL_DEBUG, i);
	}
	enter(known, 1, STAGE_READY);
	assert_int_equal(last_told(NOTICE_RECOVERY)->level, LEVEL_NOTICE);
	world.now += USEC_PER_MINUTE;
	failure_init(&late.failure, FAILURE_CONNECTION_CLOSED_EARLY, STAGE_READY);
	late.at = late.failure.at = world.now;
	late.failure.elapsed = USEC_PER_MINUTE;
	model_event(world.model, &late, world.now);
	expect_failure(LEVEL_WARNING, 1);
}

static void
an_hour_is_never_silent(void **state)
{
	struct model_upstream *known = add("ldap", 1);

	(void)state;
	for (unsigned int i = 0; i < 5; i++)
		fail_with(known, 1, FAILURE_CONNECTION_REFUSED, STAGE_CONNECT);
	world.now += USEC_PER_HOUR;
	fail_with(known, 1, FAILURE_CONNECTION_REFUSED, STAGE_CONNECT);
	expect_failure(LEVEL_WARNING, 6);
	fail_with(known, 1, FAILURE_CONNECTION_REFUSED, STAGE_CONNECT);
	expect_failure(LEVEL_DEBUG, 7);
}

/* ---- flapping ------------------------------------------------------------------------------------- */

#define FLAPS(known) ((known)->warnings >> WARNING_FLAPPING & 1)

/* A link becomes ready, and its connection ends badly `later`. */
static void
flap(const struct model_upstream *known, usec_t later)
{
	enter(known, 1, STAGE_READY);
	world.now += later;
	fail_with(known, 1, FAILURE_CONNECTION_CLOSED, STAGE_READY);
}

static void
connections_that_end_again_and_again_are_a_warning(void **state)
{
	struct model_upstream *known = add("ldap", 1);
	usec_t over;

	(void)state;
	for (unsigned int i = 1; i < FLAPS_MIN; i++)
		flap(known, 10 * USEC_PER_SEC);
	assert_int_equal(count_told(NOTICE_WARNING), 0);
	assert_true(model_tick(world.model, world.now) == USEC_INFINITY);
	flap(known, 10 * USEC_PER_SEC);
	assert_true(FLAPS(known));
	assert_string_equal(last_told(NOTICE_WARNING)->line,
			    "warning ldap 0 flapping 5 ready connections have failed within 48.0 s, "
			    "the last one with connection.closed");
	assert_int_equal(last_told(NOTICE_WARNING)->level, LEVEL_WARNING);
	/* It is said once, and is over ten minutes after the last. */
	flap(known, 10 * USEC_PER_SEC);
	assert_int_equal(count_told(NOTICE_WARNING), 1);
	over = model_tick(world.model, world.now);
	assert_true(over == world.now + FLAPS_WINDOW);
	assert_true(model_tick(world.model, over - 1) == over);
	assert_true(FLAPS(known));
	assert_true(model_tick(world.model, over) == USEC_INFINITY);
	assert_false(FLAPS(known));
	assert_int_equal(count_told(NOTICE_WARNING), 2);
	assert_int_equal(last_told(NOTICE_WARNING)->level, LEVEL_NOTICE);
	/* Then it takes five again. */
	world.now = over;
	for (unsigned int i = 1; i < FLAPS_MIN; i++)
		flap(known, 0);
	assert_false(FLAPS(known));
	flap(known, 0);
	assert_true(FLAPS(known));
}

static void
seldom_ends_and_failed_attempts_are_no_flapping(void **state)
{
	struct model_upstream *known = add("ldap", 1);

	(void)state;
	for (unsigned int i = 0; i < 3 * FLAPS_MIN; i++)
		flap(known, FLAPS_WINDOW / (FLAPS_MIN - 1));
	for (unsigned int i = 0; i < 3 * FLAPS_MIN; i++)
		fail_with(known, 1, FAILURE_CONNECTION_REFUSED, STAGE_CONNECT);
	assert_false(FLAPS(known));
}

static void
each_upstream_flaps_for_itself(void **state)
{
	struct model_upstream *first = add("a", 1), *second = add("b", 1), *third = add("c", 1);
	usec_t first_over, second_over;

	(void)state;
	for (unsigned int i = 0; i < FLAPS_MIN; i++)
		flap(first, 0);
	first_over = world.now + FLAPS_WINDOW;
	for (unsigned int i = 0; i < FLAPS_MIN; i++)
		flap(second, 0);
	second_over = world.now + FLAPS_WINDOW;
	for (unsigned int i = 0; i < FLAPS_MIN; i++)
		flap(third, 0);
	assert_true(model_tick(world.model, world.now) == first_over);
	/* The first goes on: the second is the next to end.  The third is dropped, and waited for no more. */
	flap(first, 0);
	first_over = world.now + FLAPS_WINDOW;
	model_drop(world.model, third);
	assert_true(model_tick(world.model, world.now) == second_over);
	assert_true(model_tick(world.model, second_over) == first_over);
	assert_true(FLAPS(first));
	assert_false(FLAPS(second));
	model_remove(world.model, third);
	model_drop(world.model, first);
	for (unsigned int i = 0; i < FLAPS_MIN; i++)
		flap(first, 0);
	assert_true(model_tick(world.model, world.now) == USEC_INFINITY);
}

int
main(void)
{
#define WORLD_TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	static const struct CMUnitTest tests[] = {
		WORLD_TEST(a_life),
		WORLD_TEST(a_failed_attempt_makes_it_down),
		WORLD_TEST(a_pause_is_no_outage),
		WORLD_TEST(a_disabled_one_is_paused),
		WORLD_TEST(held_links_are_offline),
		WORLD_TEST(the_end_is_nobodys_outage),
		WORLD_TEST(attempts_and_connections_are_counted_apart),
		WORLD_TEST(a_repeated_status_counts_once),
		WORLD_TEST(closes_are_counted_by_reason),
		WORLD_TEST(a_recovery_tells_how_long_it_took),
		WORLD_TEST(severity_is_by_life_and_class),
		WORLD_TEST(an_address_that_was_lost_is_debug),
		WORLD_TEST(warnings_last_or_pass),
		WORLD_TEST(verification_off_is_in_force_from_the_start),
		WORLD_TEST(links_come_and_go),
		WORLD_TEST(names_are_walked_in_order),
		WORLD_TEST(ten_thousand),
		WORLD_TEST(the_verdict_over_all),
		WORLD_TEST(references_are_taken_over),
		WORLD_TEST(subscribers_may_leave_while_told),
		WORLD_TEST(a_notice_may_cause_another),
		WORLD_TEST(what_a_link_repeats_is_said_softly),
		WORLD_TEST(flapping_is_no_fresh_start),
		WORLD_TEST(a_fresh_start_is_loud_again),
		WORLD_TEST(an_hour_is_never_silent),
		WORLD_TEST(connections_that_end_again_and_again_are_a_warning),
		WORLD_TEST(seldom_ends_and_failed_attempts_are_no_flapping),
		WORLD_TEST(each_upstream_flaps_for_itself),
	};

	RUN_TESTS(tests);
}
