/* worker/outbox: what becomes of events while main does not listen. */
#include "check.h"

#include "worker/outbox.h"

#include <errno.h>
#include <string.h>

#define ID 7u

static struct mailbox *mailbox;
static struct outbox outbox;
static unsigned int statuses_made, last_called;

static int
set_up(void **state)
{
	(void)state;
	statuses_made = last_called = 0;
	if (mailbox_new(sizeof(struct event), &mailbox) < 0)
		return -1;
	outbox_init(&outbox, mailbox);
	return 0;
}

static int
tear_down(void **state)
{
	struct event event;

	(void)state;
	while (mailbox_receive(mailbox, &event))
		event_done(&event);
	outbox_done(&outbox);
	mailbox = mailbox_free(mailbox);
	return 0;
}

static void
make_status(struct mail *mail, struct link_status *ret_status)
{
	(void)mail;
	*ret_status = (struct link_status){ .attempt = ++statuses_made };
}

static void
note_last(struct mail *mail)
{
	(void)mail;
	last_called++;
}

static void
begin(struct mail *mail, unsigned int link)
{
	mail_init(mail, ID, link);
	mail->status = link ? make_status : NULL;
	mail->last = note_last;
}

static void
fill(void)
{
	const struct event event = { .kind = EVENT_PONG };

	while (mailbox_send(mailbox, &event) == 0)
		;
}

/* Receives what was there before fill() and fill()'s own, so that only what had to wait is left. */
static void
empty(void)
{
	struct event event;

	while (mailbox_receive(mailbox, &event))
		event_done(&event);
}

static struct event
next(enum event_kind kind)
{
	struct event event;

	assert_true(mailbox_receive(mailbox, &event));
	assert_int_equal(event.kind, kind);
	return event;
}

static void
fail_link(struct mail *mail, enum failure_code code, usec_t now)
{
	const struct address_failure other = { .code = FAILURE_CONNECTION_REFUSED };
	struct failure failure;

	failure_init(&failure, code, STAGE_CONNECT);
	failure.at = now;
	failure.others = others_new(&other, 1); /* the sanitized build sees whether it is given back */
	outbox_failure(&outbox, mail, EVENT_FAILURE, &failure, now);
}

static void
with_room_all_goes_out_at_once(void **state)
{
	struct mail mail;
	struct event event;

	(void)state;
	begin(&mail, 3);
	outbox_status(&outbox, &mail, 10);
	fail_link(&mail, FAILURE_TIMEOUT_CONNECT, 20);
	outbox_close(&outbox, &mail, CLOSE_ADMIN, 30);
	assert_true(outbox_last(&outbox, &mail, EVENT_LINK_GONE, 40));
	event = next(EVENT_LINK);
	assert_int_equal(event.id, ID);
	assert_int_equal(event.link, 3);
	assert_int_equal(event.at, 10);
	event = next(EVENT_FAILURE);
	assert_int_equal(event.failure.code, FAILURE_TIMEOUT_CONNECT);
	assert_int_equal(others_count(event.failure.others), 1);
	event_done(&event);
	assert_int_equal(next(EVENT_CLOSE).reason, CLOSE_ADMIN);
	next(EVENT_LINK_GONE);
	assert_int_equal(last_called, 0); /* it was told by the result */
	mail_done(&mail);
}

static void
without_room_each_kind_is_kept_once(void **state)
{
	struct mail mail;
	struct event event;

	(void)state;
	begin(&mail, 1);
	fill();
	for (unsigned int i = 0; i < 3; i++) {
		fail_link(&mail, i == 0 ? FAILURE_TIMEOUT_CONNECT : FAILURE_CONNECTION_RESET, 100 + i);
		outbox_status(&outbox, &mail, 100 + i);
	}
	outbox_close(&outbox, &mail, CLOSE_ADMIN, 50); /* it was before the failure */
	outbox_close(&outbox, &mail, CLOSE_LIFETIME, 200);
	assert_false(outbox_flush(&outbox, 300));
	empty();
	statuses_made = 0;
	assert_true(outbox_flush(&outbox, 300));
	event = next(EVENT_WARNING);
	assert_int_equal(event.warning.kind, WARNING_LOST);
	assert_int_equal(event.warning.number, 3); /* two failures and a close */
	event = next(EVENT_CLOSE);
	assert_int_equal(event.reason, CLOSE_ADMIN);
	assert_int_equal(event.at, 50);
	event = next(EVENT_FAILURE);
	assert_int_equal(event.failure.code, FAILURE_TIMEOUT_CONNECT);
	assert_int_equal(event.at, 100);
	event_done(&event);
	next(EVENT_LINK);
	assert_int_equal(statuses_made, 1); /* made when it was sent */
	assert_false(mailbox_receive(mailbox, &event));
	mail_done(&mail);
}

static void
nobody_overtakes(void **state)
{
	struct mail first, second;

	(void)state;
	begin(&first, 1);
	begin(&second, 2);
	fill();
	outbox_status(&outbox, &first, 10);
	empty();
	outbox_status(&outbox, &second, 20); /* there is room, but the first one waits */
	assert_true(outbox_flush(&outbox, 30));
	assert_int_equal(next(EVENT_LINK).link, 1);
	assert_int_equal(next(EVENT_LINK).link, 2);
	mail_done(&first);
	mail_done(&second);
}

static void
the_end_comes_last_and_is_told(void **state)
{
	struct mail mail;
	struct event event;

	(void)state;
	begin(&mail, 1);
	fill();
	outbox_status(&outbox, &mail, 10);
	outbox_close(&outbox, &mail, CLOSE_SURPLUS, 20);
	assert_false(outbox_last(&outbox, &mail, EVENT_LINK_GONE, 30));
	assert_int_equal(last_called, 0);
	empty();
	assert_true(outbox_flush(&outbox, 40));
	assert_int_equal(last_called, 1);
	next(EVENT_CLOSE);
	next(EVENT_LINK_GONE); /* what is gone has no status */
	assert_false(mailbox_receive(mailbox, &event));
	mail_done(&mail);
}

static void
an_upstreams_warnings_wait_too(void **state)
{
	struct warning stale = { .kind = WARNING_STALE_FILES };
	struct failure failure;
	struct mail mail;
	struct event event;

	(void)state;
	begin(&mail, 0);
	fill();
	outbox_warning(&outbox, &mail, &(struct warning){ WARNING_LEFT_OUT, 4, NULL }, 10);
	outbox_warning(&outbox, &mail, &(struct warning){ WARNING_LEFT_OUT, 5, NULL }, 20);
	outbox_warning(&outbox, &mail, &(struct warning){ WARNING_VERIFICATION_DISABLED, 0, NULL }, 30);
	failure_init(&failure, FAILURE_LOCAL_CA_LOAD, STAGE_LOAD);
	stale.failure = &failure;
	outbox_warning(&outbox, &mail, &stale, 40);
	assert_false(outbox_last(&outbox, &mail, EVENT_DROPPED, 50));
	empty();
	assert_true(outbox_flush(&outbox, 60));
	event = next(EVENT_WARNING);
	assert_int_equal(event.warning.kind, WARNING_LEFT_OUT);
	assert_int_equal(event.warning.number, 5);
	event = next(EVENT_WARNING);
	assert_int_equal(event.warning.kind, WARNING_VERIFICATION_DISABLED);
	assert_int_equal(event.warning.failure.code, FAILURE_NONE);
	event = next(EVENT_WARNING);
	assert_int_equal(event.warning.kind, WARNING_STALE_FILES);
	assert_int_equal(event.warning.failure.code, FAILURE_LOCAL_CA_LOAD);
	event = next(EVENT_DROPPED);
	assert_int_equal(event.link, 0);
	mail_done(&mail);
}

/* What begins and is over while main is slow is told as over; what it carried is given back. */
static void
the_latest_warning_of_a_kind_counts(void **state)
{
	struct failure failure;
	const struct warning begun = { WARNING_PROBE_FAILING, 2, &failure };
	struct mail mail;
	struct event event;

	(void)state;
	begin(&mail, 0);
	fill();
	failure_init(&failure, FAILURE_TIMEOUT_PROBE, STAGE_READY);
	failure.others = others_new(&(struct address_failure){ .code = FAILURE_TIMEOUT_PROBE }, 1);
	outbox_warning(&outbox, &mail, &begun, 10);
	outbox_warning(&outbox, &mail, &(struct warning){ WARNING_FAMILY_BROKEN, 6, NULL }, 20);
	outbox_warning(&outbox, &mail, &(struct warning){ WARNING_PROBE_FAILING, 0, NULL }, 30);
	empty();
	assert_true(outbox_flush(&outbox, 60));
	assert_int_equal(next(EVENT_WARNING).warning.kind, WARNING_LOST);
	event = next(EVENT_WARNING);
	assert_int_equal(event.warning.kind, WARNING_PROBE_FAILING);
	assert_int_equal(event.warning.number, 0);
	assert_int_equal(event.at, 30);
	assert_int_equal(event.warning.failure.code, FAILURE_NONE);
	event = next(EVENT_WARNING);
	assert_int_equal(event.warning.kind, WARNING_FAMILY_BROKEN);
	assert_int_equal(event.warning.number, 6);
	assert_false(mailbox_receive(mailbox, &event));
	/* Never told: nothing is left behind. */
	fill();
	failure_init(&failure, FAILURE_TIMEOUT_PROBE, STAGE_READY);
	failure.others = others_new(&(struct address_failure){ .code = FAILURE_TIMEOUT_PROBE }, 1);
	outbox_warning(&outbox, &mail, &begun, 70);
	mail_done(&mail);
}

static void
the_workers_own_words_wait_and_add_up(void **state)
{
	struct event event;

	(void)state;
	fill();
	outbox_stall(&outbox, 700, 10);
	outbox_stall(&outbox, 800, 20);
	outbox_pong(&outbox, 1, 30);
	outbox_pong(&outbox, 2, 40);
	outbox_no_memory(&outbox, ID, 50);
	empty();
	assert_true(outbox_flush(&outbox, 60));
	assert_int_equal(next(EVENT_PONG).ping, 2);
	event = next(EVENT_WARNING);
	assert_int_equal(event.warning.kind, WARNING_STALL);
	assert_int_equal(event.warning.number, 1500);
	assert_int_equal(event.id, 0);
	event = next(EVENT_WARNING);
	assert_int_equal(event.warning.kind, WARNING_LOST);
	assert_int_equal(event.warning.number, 1);
	assert_false(mailbox_receive(mailbox, &event));
	assert_true(outbox_flush(&outbox, 70));
	assert_false(mailbox_receive(mailbox, &event)); /* each is told once */
}

static void
what_is_done_before_it_was_told_leaves_nothing(void **state)
{
	struct mail mail;
	struct event event;

	(void)state;
	begin(&mail, 1);
	fill();
	fail_link(&mail, FAILURE_CONNECTION_RESET, 10);
	outbox_status(&outbox, &mail, 20);
	mail_done(&mail);
	empty();
	assert_true(outbox_flush(&outbox, 30));
	assert_false(mailbox_receive(mailbox, &event));
}

#define WITH_AN_OUTBOX(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		WITH_AN_OUTBOX(with_room_all_goes_out_at_once),
		WITH_AN_OUTBOX(without_room_each_kind_is_kept_once),
		WITH_AN_OUTBOX(nobody_overtakes),
		WITH_AN_OUTBOX(the_end_comes_last_and_is_told),
		WITH_AN_OUTBOX(an_upstreams_warnings_wait_too),
		WITH_AN_OUTBOX(the_latest_warning_of_a_kind_counts),
		WITH_AN_OUTBOX(the_workers_own_words_wait_and_add_up),
		WITH_AN_OUTBOX(what_is_done_before_it_was_told_leaves_nothing),
	};

	RUN_TESTS(tests);
}
