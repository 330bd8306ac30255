/*
 * A bounded one-way queue between two threads: one sender, one receiver, no locks, fixed-size messages.
 *
 * The receiver is woken when something comes into an empty queue, and goes on until there is nothing
 * left (or sees to it that it will); the sender is woken when a queue it found full is half empty again.  Both ways cost one
 * wake-up (sys/loop) at most.
 */
#pragma once

#include "sys/loop.h"

#include <stdbool.h>
#include <stddef.h>

#define MAILBOX_MAX \
	1024 /* messages; when full, mailbox_send() refuses and the sender keeps what it has */

struct mailbox;

/*
 * mailbox_new(message_bytes, ret_mailbox), mailbox_free(mailbox):
 * A queue of MAILBOX_MAX messages of that size.  Returns 0 or -ENOMEM.  mailbox_free() takes NULL and
 * returns NULL; neither side may use it any more, and what it still holds must have been received (messages own references).
 */
int mailbox_new(size_t message_bytes, struct mailbox **ret_mailbox);
struct mailbox *mailbox_free(struct mailbox *mailbox);

/*
 * mailbox_set_receiver(mailbox, wakeup), mailbox_set_sender(mailbox, wakeup):
 * Whom to wake when there is something, and when there is room again; borrowed; NULL: nobody.  Before the
 * threads use the queue, or after the other side has ended.
 */
void mailbox_set_receiver(struct mailbox *mailbox, struct wakeup *wakeup);
void mailbox_set_sender(struct mailbox *mailbox, struct wakeup *wakeup);

/*
 * mailbox_send(mailbox, message):
 * Copy one message in.  Returns 0, or -EAGAIN where it is full (the sender is woken once there is room).
 * The sender's thread only.
 */
int mailbox_send(struct mailbox *mailbox, const void *message);

/*
 * mailbox_receive(mailbox, ret_message):
 * Copy the oldest message out.  Returns false where there is none.  The receiver's thread only.
 */
bool mailbox_receive(struct mailbox *mailbox, void *ret_message);
