#include "worker/outbox.h"

#include "base/must.h"

void
outbox_init(struct outbox *outbox, struct mailbox *mailbox)
{
	*outbox = (struct outbox){ .mailbox = mailbox };
	list_init(&outbox->waiting);
}

void
outbox_done(struct outbox *outbox)
{
	must(list_is_empty(&outbox->waiting));
	outbox->mailbox = NULL;
}

void
mail_init(struct mail *mail, upstream_id id, unsigned int link)
{
	*mail = (struct mail){ .id = id, .link = link };
	list_init(&mail->node);
}

static struct failure *
kept_failure_free(struct failure *failure)
{
	if (failure)
		failure_done(failure);
	free(failure);
	return NULL;
}

/* Whether `event` is out; its references went with it.  Nobody overtakes the mail that waits. */
static bool
send_now(struct outbox *outbox, const struct event *event)
{
	return list_is_empty(&outbox->waiting) && mailbox_send(outbox->mailbox, event) == 0;
}

static void
wait_for_room(struct outbox *outbox, struct mail *mail)
{
	if (list_is_empty(&mail->node))
		list_append(&outbox->waiting, &mail->node);
}

static struct event
event_of(const struct mail *mail, enum event_kind kind, usec_t at)
{
	return (struct event){ .kind = kind, .id = mail->id, .link = mail->link, .at = at };
}

/* ---- what a sender tells -------------------------------------------------------------------------- */

static bool
send_status(struct outbox *outbox, struct mail *mail, usec_t now)
{
	struct event event = event_of(mail, EVENT_LINK, now);

	mail->status(mail, &event.status);
	if (mailbox_send(outbox->mailbox, &event) == 0)
		return true;
	event_done(&event);
	return false;
}

void
outbox_status(struct outbox *outbox, struct mail *mail, usec_t now)
{
	must(mail->status);
	if (list_is_empty(&outbox->waiting) && send_status(outbox, mail, now))
		return;
	mail->has_status = true;
	wait_for_room(outbox, mail);
}

/* Keep a copy that owns the references; without memory, or where one is kept already, it is lost. */
static void
keep_failure(struct outbox *outbox, struct failure **kept, struct failure *failure)
{
	if (!*kept) {
		*kept = malloc(sizeof(**kept));
		if (*kept) {
			**kept = *failure;
			return;
		}
	}
	outbox->lost++;
	failure_done(failure);
}

void
outbox_failure(struct outbox *outbox, struct mail *mail, enum event_kind kind,
	       struct failure *failure, usec_t now)
{
	struct event event = event_of(mail, kind, now);

	event.failure = *failure;
	if (send_now(outbox, &event))
		return;
	if (kind == EVENT_LOST_ADDRESS) {
		outbox->lost++; /* it is told for the counters only */
		failure_done(failure);
		return;
	}
	keep_failure(outbox, &mail->failure, failure);
	wait_for_room(outbox, mail);
}

void
outbox_close(struct outbox *outbox, struct mail *mail, enum close_reason reason, usec_t now)
{
	struct event event = event_of(mail, EVENT_CLOSE, now);

	event.reason = reason;
	if (send_now(outbox, &event))
		return;
	if (mail->has_close) {
		outbox->lost++;
		return;
	}
	mail->has_close = true;
	mail->reason = reason;
	mail->close_at = now;
	wait_for_room(outbox, mail);
}

/* ---- warnings ------------------------------------------------------------------------------------- */

struct kept_warning {
	struct kept_warning *next;
	enum warning_kind kind;
	uint64_t number;
	usec_t at;
	struct failure failure; /* code FAILURE_NONE: none */
};

static struct event
warning_event(const struct mail *mail, const struct warning *warning, usec_t at)
{
	struct event event = event_of(mail, EVENT_WARNING, at);

	event.warning.kind = warning->kind;
	event.warning.number = warning->number;
	if (warning->failure)
		event.warning.failure = *warning->failure;
	else
		failure_init(&event.warning.failure, FAILURE_NONE, STAGE_IDLE);
	return event;
}

/* Where the mail keeps a warning of that kind, or where one would come. */
static struct kept_warning **
warning_place(struct mail *mail, enum warning_kind kind)
{
	struct kept_warning **place = &mail->warnings;

	while (*place && (*place)->kind != kind)
		place = &(*place)->next;
	return place;
}

static void
drop_warning(struct kept_warning **place)
{
	struct kept_warning *kept = *place;

	*place = kept->next;
	failure_done(&kept->failure);
	free(kept);
}

/* The later one counts: it may say that the earlier one is over.  Without memory it is lost. */
static void
keep_warning(struct outbox *outbox, struct mail *mail, struct event *event)
{
	struct kept_warning **place = warning_place(mail, event->warning.kind), *kept = *place;

	if (kept) {
		outbox->lost += kept->failure.code != FAILURE_NONE ||
				kept->kind == WARNING_CERTIFICATE_CHANGED;
		failure_done(&kept->failure);
	} else {
		kept = calloc(1, sizeof(*kept));
		*place = kept;
	}
	if (!kept) {
		outbox->lost++;
		failure_done(&event->warning.failure);
		return;
	}
	kept->kind = event->warning.kind;
	kept->number = event->warning.number;
	kept->at = event->at;
	kept->failure = event->warning.failure;
}

void
outbox_warning(struct outbox *outbox, struct mail *mail, const struct warning *warning, usec_t now)
{
	struct event event = warning_event(mail, warning, now);

	if (send_now(outbox, &event))
		return;
	keep_warning(outbox, mail, &event);
	wait_for_room(outbox, mail);
}

void
mail_done(struct mail *mail)
{
	list_remove(&mail->node);
	mail->failure = kept_failure_free(mail->failure);
	while (mail->warnings)
		drop_warning(&mail->warnings);
}

static bool
flush_warnings(struct outbox *outbox, struct mail *mail)
{
	while (mail->warnings) {
		struct kept_warning *kept = mail->warnings;
		const struct warning warning = { kept->kind, kept->number, &kept->failure };
		struct event event = warning_event(mail, &warning, kept->at);

		if (mailbox_send(outbox->mailbox, &event) < 0)
			return false;
		mail->warnings = kept->next;
		free(kept); /* its references went with the event */
	}
	return true;
}

/* ---- the end -------------------------------------------------------------------------------------- */

bool
outbox_last(struct outbox *outbox, struct mail *mail, enum event_kind kind, usec_t now)
{
	struct event event = event_of(mail, kind, now);

	must(!mail->has_last);
	if (send_now(outbox, &event))
		return true;
	mail->has_last = true;
	mail->has_status = false; /* what is gone has none */
	mail->last_kind = kind;
	wait_for_room(outbox, mail);
	return false;
}

/* ---- what has waited ------------------------------------------------------------------------------ */

static bool
flush_failure(struct outbox *outbox, struct mail *mail)
{
	struct event event = event_of(mail, EVENT_FAILURE, 0);

	if (!mail->failure)
		return true;
	event.at = mail->failure->at;
	event.failure = *mail->failure;
	if (mailbox_send(outbox->mailbox, &event) < 0)
		return false;
	free(steal(mail->failure)); /* its references went with the event */
	return true;
}

static bool
flush_close(struct outbox *outbox, struct mail *mail)
{
	struct event event = event_of(mail, EVENT_CLOSE, mail->close_at);

	if (!mail->has_close)
		return true;
	event.reason = mail->reason;
	if (mailbox_send(outbox->mailbox, &event) < 0)
		return false;
	mail->has_close = false;
	return true;
}

/* What ended first is told first. */
static bool
flush_ends(struct outbox *outbox, struct mail *mail)
{
	bool close_first = mail->failure && mail->has_close && mail->close_at < mail->failure->at;

	if (close_first && !flush_close(outbox, mail))
		return false;
	return flush_failure(outbox, mail) && flush_close(outbox, mail);
}

static bool
flush_last(struct outbox *outbox, struct mail *mail, usec_t now)
{
	struct event event = event_of(mail, mail->last_kind, now);

	if (!mail->has_last)
		return true;
	if (mailbox_send(outbox->mailbox, &event) < 0)
		return false;
	mail->has_last = false;
	return true;
}

/* Failures before the status that follows from them, the end last. */
static bool
flush_mail(struct outbox *outbox, struct mail *mail, usec_t now)
{
	if (!flush_ends(outbox, mail) || !flush_warnings(outbox, mail))
		return false;
	if (mail->has_status && !send_status(outbox, mail, now))
		return false;
	mail->has_status = false;
	return flush_last(outbox, mail, now);
}

static bool
flush_worker(struct outbox *outbox, usec_t now)
{
	struct event pong = { .kind = EVENT_PONG, .at = now, .ping = outbox->ping };
	struct mail nobody = { .id = 0 };
	struct event stall = warning_event(
		&nobody, &(struct warning){ WARNING_STALL, outbox->stall, NULL }, now);
	struct event lost = warning_event(&nobody,
					  &(struct warning){ WARNING_LOST, outbox->lost, NULL }, now);

	if (outbox->has_pong && mailbox_send(outbox->mailbox, &pong) < 0)
		return false;
	outbox->has_pong = false;
	if (outbox->stall > 0 && mailbox_send(outbox->mailbox, &stall) < 0)
		return false;
	outbox->stall = 0;
	if (outbox->lost > 0 && mailbox_send(outbox->mailbox, &lost) < 0)
		return false;
	outbox->lost = 0;
	return true;
}

bool
outbox_flush(struct outbox *outbox, usec_t now)
{
	if (!flush_worker(outbox, now))
		return false;
	while (!list_is_empty(&outbox->waiting)) {
		struct mail *mail = list_first(&outbox->waiting, struct mail, node);
		bool ends = mail->has_last;

		if (!flush_mail(outbox, mail, now))
			return false;
		list_remove(&mail->node);
		if (ends)
			mail->last(mail);
	}
	return true;
}

void
outbox_no_memory(struct outbox *outbox, upstream_id id, usec_t now)
{
	struct event event = { .kind = EVENT_FAILURE, .id = id, .at = now };

	failure_init(&event.failure, FAILURE_LOCAL_NO_MEMORY, STAGE_IDLE);
	event.failure.at = now;
	if (!send_now(outbox, &event))
		outbox->lost++;
}

void
outbox_stall(struct outbox *outbox, usec_t late, usec_t now)
{
	outbox->stall = usec_add(outbox->stall, late);
	flush_worker(outbox, now);
}

void
outbox_pong(struct outbox *outbox, uint64_t ping, usec_t now)
{
	outbox->has_pong = true;
	outbox->ping = ping;
	flush_worker(outbox, now);
}
