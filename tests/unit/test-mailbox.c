/* mailbox: the one-way queue, alone and between two real threads. */
#include "check.h"

#include "mailbox/mailbox.h"
#include "mailbox/message.h"
#include "sys/loop.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#define MESSAGES 200000u /* through the queue in the tests with threads */

static void
what_goes_in_comes_out_in_order(void **state)
{
	struct mailbox *mailbox;
	uint64_t value, next = 0, sent = 0;

	(void)state;
	assert_int_equal(mailbox_new(sizeof(value), &mailbox), 0);
	assert_false(mailbox_receive(mailbox, &value));
	for (unsigned int round = 0; round < 5; round++) {
		for (unsigned int i = 0; i < MAILBOX_MAX - 7; i++, sent++)
			assert_int_equal(mailbox_send(mailbox, &sent), 0);
		while (mailbox_receive(mailbox, &value))
			assert_int_equal(value, next++);
		assert_int_equal(next, sent);
	}
	mailbox = mailbox_free(mailbox);
	assert_null(mailbox_free(mailbox));
}

static void
a_full_one_refuses_and_keeps_what_it_has(void **state)
{
	struct mailbox *mailbox;
	uint64_t value, next = 0;

	(void)state;
	assert_int_equal(mailbox_new(sizeof(value), &mailbox), 0);
	for (uint64_t i = 0; i < MAILBOX_MAX; i++)
		assert_int_equal(mailbox_send(mailbox, &i), 0);
	value = 4711;
	assert_int_equal(mailbox_send(mailbox, &value), -EAGAIN);
	assert_int_equal(mailbox_send(mailbox, &value), -EAGAIN);
	assert_true(mailbox_receive(mailbox, &value));
	assert_int_equal(value, next++);
	value = MAILBOX_MAX;
	assert_int_equal(mailbox_send(mailbox, &value), 0);
	assert_int_equal(mailbox_send(mailbox, &value), -EAGAIN);
	while (mailbox_receive(mailbox, &value))
		assert_int_equal(value, next++);
	assert_int_equal(next, MAILBOX_MAX + 1);
	mailbox_free(mailbox);
}

static void
on_poke(void *arg, usec_t now)
{
	(void)now;
	++*(unsigned int *)arg;
}

/* Turns until nothing is left to do at once. */
static void
turn(struct loop *loop)
{
	for (unsigned int i = 0; i < 3; i++)
		loop_turn(loop, false);
}

static void
wake_ups_come_when_due_and_only_then(void **state)
{
	struct mailbox *mailbox;
	struct loop *loop;
	struct wakeup *receiver, *sender;
	unsigned int received = 0, roomy = 0;
	uint64_t value = 1;

	(void)state;
	assert_int_equal(loop_new(&loop), 0);
	assert_int_equal(wakeup_new(loop, on_poke, &received, &receiver), 0);
	assert_int_equal(wakeup_new(loop, on_poke, &roomy, &sender), 0);
	assert_int_equal(mailbox_new(sizeof(value), &mailbox), 0);
	mailbox_set_receiver(mailbox, receiver);
	mailbox_set_sender(mailbox, sender);
	assert_int_equal(mailbox_send(mailbox, &value), 0);
	turn(loop);
	assert_int_equal(received, 1);
	for (unsigned int i = 1; i < MAILBOX_MAX; i++)
		assert_int_equal(mailbox_send(mailbox, &value), 0);
	turn(loop);
	assert_int_equal(received, 1); /* it was not empty */
	assert_int_equal(mailbox_send(mailbox, &value), -EAGAIN);
	for (unsigned int i = 0; i < MAILBOX_MAX / 2 - 1; i++)
		assert_true(mailbox_receive(mailbox, &value));
	turn(loop);
	assert_int_equal(roomy, 0); /* room there is, but not worth a wake-up yet */
	while (mailbox_receive(mailbox, &value))
		;
	turn(loop);
	assert_int_equal(roomy, 1);
	assert_int_equal(mailbox_send(mailbox, &value), 0);
	turn(loop);
	assert_int_equal(received, 2);
	assert_int_equal(roomy, 1);
	assert_true(mailbox_receive(mailbox, &value));
	wakeup_free(receiver);
	wakeup_free(sender);
	mailbox_free(mailbox);
	loop_free(loop);
}

/* One side of the test with threads: a loop that does nothing unless it is woken. */
struct side {
	struct mailbox *mailbox;
	struct loop *loop;
	struct wakeup *wakeup;
	uint64_t next; /* to be sent, or expected */
	unsigned int batch; /* of the receiver: leave the loop's turn after that many; 0: go on until empty */
	struct post *post;
	bool in_order;
};

static void
send_all(void *arg, usec_t now)
{
	struct side *side = arg;

	(void)now;
	while (side->next < MESSAGES && mailbox_send(side->mailbox, &side->next) == 0)
		side->next++;
	if (side->next == MESSAGES)
		loop_stop(side->loop);
}

static void
receive_some(void *arg, usec_t now)
{
	struct side *side = arg;
	uint64_t value;
	unsigned int count = 0;

	(void)now;
	while (mailbox_receive(side->mailbox, &value)) {
		side->in_order = side->in_order && value == side->next;
		side->next++;
		if (side->batch && ++count == side->batch) {
			post_call(side->post);
			return;
		}
	}
	if (side->next == MESSAGES)
		loop_stop(side->loop);
}

static void *
run_side(void *arg)
{
	struct side *side = arg;

	loop_run(side->loop);
	return NULL;
}

/* A lost wake-up leaves both loops asleep: the test driver's time limit sees it. */
static void
exchange(unsigned int batch)
{
	struct side sender = { .in_order = true }, receiver = { .batch = batch, .in_order = true };
	pthread_t threads[2];

	assert_int_equal(mailbox_new(sizeof(uint64_t), &sender.mailbox), 0);
	receiver.mailbox = sender.mailbox;
	assert_int_equal(loop_new(&sender.loop), 0);
	assert_int_equal(loop_new(&receiver.loop), 0);
	assert_int_equal(wakeup_new(sender.loop, send_all, &sender, &sender.wakeup), 0);
	assert_int_equal(wakeup_new(receiver.loop, receive_some, &receiver, &receiver.wakeup), 0);
	assert_int_equal(post_new(receiver.loop, receive_some, &receiver, &receiver.post), 0);
	mailbox_set_sender(sender.mailbox, sender.wakeup);
	mailbox_set_receiver(sender.mailbox, receiver.wakeup);
	assert_int_equal(pthread_create(&threads[0], NULL, run_side, &sender), 0);
	assert_int_equal(pthread_create(&threads[1], NULL, run_side, &receiver), 0);
	wakeup_send(sender.wakeup);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	assert_true(receiver.in_order);
	assert_int_equal(receiver.next, MESSAGES);
	post_free(receiver.post);
	wakeup_free(sender.wakeup);
	wakeup_free(receiver.wakeup);
	loop_free(sender.loop);
	loop_free(receiver.loop);
	mailbox_free(sender.mailbox);
}

static void
two_threads_lose_nothing(void **state)
{
	(void)state;
	exchange(0);
}

static void
a_receiver_in_small_bites_loses_nothing(void **state)
{
	(void)state;
	exchange(3);
}

/* Each message waits for an empty queue: every single one depends on its wake-up. */
struct ping {
	struct mailbox *in, *out;
	struct loop *loop;
	struct wakeup *wakeup;
	uint64_t left;
};

static void
return_it(void *arg, usec_t now)
{
	struct ping *ping = arg;
	uint64_t value;

	(void)now;
	while (mailbox_receive(ping->in, &value)) {
		if (value > 0) {
			value--;
			assert_int_equal(mailbox_send(ping->out, &value), 0);
		}
		ping->left = value;
	}
	if (ping->left <= 1)
		loop_stop(ping->loop);
}

static void *
run_ping(void *arg)
{
	struct ping *ping = arg;

	loop_run(ping->loop);
	return NULL;
}

static void
one_at_a_time_needs_every_wake_up(void **state)
{
	struct ping a = { .left = 20000 }, b = { .left = 20000 };
	uint64_t value = 20000;
	pthread_t threads[2];

	(void)state;
	assert_int_equal(mailbox_new(sizeof(value), &a.in), 0);
	assert_int_equal(mailbox_new(sizeof(value), &a.out), 0);
	b.in = a.out;
	b.out = a.in;
	assert_int_equal(loop_new(&a.loop), 0);
	assert_int_equal(loop_new(&b.loop), 0);
	assert_int_equal(wakeup_new(a.loop, return_it, &a, &a.wakeup), 0);
	assert_int_equal(wakeup_new(b.loop, return_it, &b, &b.wakeup), 0);
	mailbox_set_receiver(a.in, a.wakeup);
	mailbox_set_receiver(b.in, b.wakeup);
	assert_int_equal(mailbox_send(a.in, &value), 0);
	assert_int_equal(pthread_create(&threads[0], NULL, run_ping, &a), 0);
	assert_int_equal(pthread_create(&threads[1], NULL, run_ping, &b), 0);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	wakeup_free(a.wakeup);
	wakeup_free(b.wakeup);
	loop_free(a.loop);
	loop_free(b.loop);
	while (mailbox_receive(a.in, &value) || mailbox_receive(a.out, &value))
		;
	mailbox_free(a.in);
	mailbox_free(a.out);
}

static void
warnings_have_their_names(void **state)
{
	(void)state;
	assert_string_equal(warning_name(WARNING_STALL), "stall");
	assert_string_equal(warning_name(WARNING_STALE_FILES), "stale-files");
	assert_string_equal(warning_name(WARNING_VERIFICATION_DISABLED), "verification-disabled");
	assert_string_equal(warning_name(WARNING_LEFT_OUT), "addresses-left-out");
	assert_string_equal(warning_name(WARNING_LOST), "events-lost");
}

static void
messages_give_back_what_they_hold(void **state)
{
	struct upstream *upstream = upstream_new("db", 1);
	struct command command = { .kind = COMMAND_SET, .set.upstream = upstream_ref(upstream) };
	struct event event = { .kind = EVENT_FAILURE };
	struct address_failure other = { .code = FAILURE_CONNECTION_REFUSED };

	(void)state;
	assert_non_null(upstream);
	assert_int_equal(atomic_load(&upstream->references), 2);
	command_done(&command);
	assert_int_equal(atomic_load(&upstream->references), 1);
	upstream_unref(upstream);
	/* What is not given back here, the leak checker of the sanitized build sees. */
	failure_init(&event.failure, FAILURE_TIMEOUT_CONNECT, STAGE_CONNECT);
	event.failure.others = others_new(&other, 1);
	event_done(&event);
	event = (struct event){ .kind = EVENT_PONG, .ping = 7 };
	event_done(&event);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_goes_in_comes_out_in_order),
		cmocka_unit_test(a_full_one_refuses_and_keeps_what_it_has),
		cmocka_unit_test(wake_ups_come_when_due_and_only_then),
		cmocka_unit_test(two_threads_lose_nothing),
		cmocka_unit_test(a_receiver_in_small_bites_loses_nothing),
		cmocka_unit_test(one_at_a_time_needs_every_wake_up),
		cmocka_unit_test(warnings_have_their_names),
		cmocka_unit_test(messages_give_back_what_they_hold),
	};

	RUN_TESTS(tests);
}
