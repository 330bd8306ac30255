#include "mailbox/mailbox.h"

#include "base/cleanup.h"
#include "base/must.h"

#include <assert.h>
#include <errno.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static_assert((MAILBOX_MAX & (MAILBOX_MAX - 1)) == 0, "a ring's size is a power of two");

#define CACHE_LINE_BYTES 64

/*
 * `head` and `tail` count messages and wrap; the ring's place is the count modulo MAILBOX_MAX.  Each side publishes its
 * own count first and looks at the other side's afterwards, all sequentially consistent.  So of two sides that act at once at
 * least one sees what the other has done, and no wake-up is lost:
 * - a receiver that finds the queue empty has published its `head` before, and the sender of the next message, which publishes
 *   `tail` later, sees it and wakes the receiver;
 * - a sender that finds the queue full sets `waiting` before it looks a second time; whoever makes room after that look sees it.
 */
struct mailbox {
	size_t message_bytes;
	unsigned char *ring;
	struct wakeup *receiver, *sender;
	alignas(CACHE_LINE_BYTES) atomic_uint head;    /* received; the receiver's */
	alignas(CACHE_LINE_BYTES) atomic_uint tail;    /* sent; the sender's */
	alignas(CACHE_LINE_BYTES) atomic_bool waiting; /* the sender has found no room */
};

int
mailbox_new(size_t message_bytes, struct mailbox **ret_mailbox)
{
	struct mailbox *mailbox;
	unsigned char *ring = calloc(MAILBOX_MAX, message_bytes);

	if (!ring)
		return -ENOMEM;
	mailbox = aligned_alloc(CACHE_LINE_BYTES, sizeof(*mailbox));
	if (!mailbox) {
		free(ring);
		return -ENOMEM;
	}
	memset(mailbox, 0, sizeof(*mailbox));
	mailbox->message_bytes = message_bytes;
	mailbox->ring = ring;
	*ret_mailbox = mailbox;
	return 0;
}

struct mailbox *
mailbox_free(struct mailbox *mailbox)
{
	if (!mailbox)
		return NULL;
	must(atomic_load(&mailbox->head) == atomic_load(&mailbox->tail));
	free(mailbox->ring);
	free(mailbox);
	return NULL;
}

void
mailbox_set_receiver(struct mailbox *mailbox, struct wakeup *wakeup)
{
	mailbox->receiver = wakeup;
}

void
mailbox_set_sender(struct mailbox *mailbox, struct wakeup *wakeup)
{
	mailbox->sender = wakeup;
}

static unsigned char *
place(struct mailbox *mailbox, unsigned int count)
{
	return mailbox->ring + (count % MAILBOX_MAX) * mailbox->message_bytes;
}

/* Whether there is no room for one more; if so, the receiver will say when there is. */
static bool
is_full(struct mailbox *mailbox, unsigned int tail)
{
	if (tail - atomic_load(&mailbox->head) < MAILBOX_MAX)
		return false;
	atomic_store(&mailbox->waiting, true);
	if (tail - atomic_load(&mailbox->head) == MAILBOX_MAX)
		return true;
	atomic_store(&mailbox->waiting, false); /* room was made between the two looks */
	return false;
}

int
mailbox_send(struct mailbox *mailbox, const void *message)
{
	unsigned int tail = atomic_load_explicit(&mailbox->tail, memory_order_relaxed);

	if (is_full(mailbox, tail))
		return -EAGAIN;
	memcpy(place(mailbox, tail), message, mailbox->message_bytes);
	atomic_store(&mailbox->tail, tail + 1);
	/* All before this one had been received: the receiver may be asleep. */
	if (atomic_load(&mailbox->head) == tail && mailbox->receiver)
		wakeup_send(mailbox->receiver);
	return 0;
}

bool
mailbox_receive(struct mailbox *mailbox, void *ret_message)
{
	unsigned int head = atomic_load_explicit(&mailbox->head, memory_order_relaxed);
	unsigned int tail = atomic_load(&mailbox->tail);

	if (head == tail)
		return false;
	memcpy(ret_message, place(mailbox, head), mailbox->message_bytes);
	atomic_store(&mailbox->head, head + 1);
	/* A half-empty queue is worth a wake-up; one free place would cost one for each message. */
	if (tail - (head + 1) <= MAILBOX_MAX / 2 && atomic_load(&mailbox->waiting) &&
	    atomic_exchange(&mailbox->waiting, false) && mailbox->sender)
		wakeup_send(mailbox->sender);
	return true;
}
