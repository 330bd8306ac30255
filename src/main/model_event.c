/* Events of the workers become knowledge and notices. */
#include "base/must.h"
#include "base/text.h"
#include "main/logfmt.h"
#include "main/model_internal.h"
#include "main/warning.h"
#include "sys/clock.h"

#include <string.h>

#define MESSAGE_MAX 256 /* bytes of a message of the model's own */

/* What the functions below need to know about one event. */
struct news {
	struct model *model;
	struct model_upstream *known; /* NULL: no upstream is concerned */
	struct event *event;
	usec_t now;
	uint64_t realtime; /* when it happened, as people tell time */
};

/* A notice about this event; the caller fills in what is special about it. */
static struct notice
notice_of(const struct news *news, enum notice_kind kind, enum log_level level)
{
	return (struct notice){
		.kind = kind,
		.level = level,
		.realtime = news->realtime,
		.link = news->event->link,
		.stage = -1,
		.health = -1,
	};
}

static void
tell(const struct news *news, struct notice *notice, const char *message)
{
	notice->message = message;
	model_tell(news->model, news->known, notice);
}

/* ---- a link's status ------------------------------------------------------------------------------ */

static void
tell_recovery(const struct news *news, struct model_link *link)
{
	struct notice notice = notice_of(news, NOTICE_RECOVERY, LEVEL_NOTICE);
	char message[MESSAGE_MAX], address[ADDRESS_TEXT_MAX];
	struct text text = TEXT_INIT(message);

	if (link->failing_since == USEC_INFINITY)
		return;
	notice.stage = STAGE_READY;
	notice.ready_after = usec_sub(link->status.since, link->failing_since);
	text_addf(&text, "ready at %s after ",
		  address_format(&link->status.address, address, sizeof(address)));
	span_text(notice.ready_after, &text);
	text_add(&text, " of failures");
	link->failing_since = USEC_INFINITY;
	tell(news, &notice, message);
}

/* A link that has become ready: an attempt has ended well. */
static void
count_established(const struct news *news, struct model_link *link)
{
	struct model_upstream *known = news->known;

	link->ready_since = link->status.since;
	known->counters.attempts++;
	known->counters.established++;
	known->reach = (uint8_t)(known->reach << 1 | 1);
	known->census.attempted = true;
}

static void
tell_stage(const struct news *news, const struct model_link *link)
{
	const struct link_status *status = &link->status;
	struct notice notice = notice_of(news, NOTICE_STAGE, LEVEL_DEBUG);
	char message[MESSAGE_MAX], address[ADDRESS_TEXT_MAX];
	struct text text = TEXT_INIT(message);

	notice.stage = (int)status->stage;
	text_add(&text, stage_name(status->stage));
	if (status->stage == STAGE_BACKOFF && status->retry_at != USEC_INFINITY) {
		text_add(&text, " for ");
		span_text(usec_sub(status->retry_at, status->since), &text);
	} else if (address_is_set(&status->source)) {
		text_addf(&text, " at %s from ",
			  address_format(&status->address, address, sizeof(address)));
		text_add(&text, address_format(&status->source, address, sizeof(address)));
	}
	tell(news, &notice, message);
}

static void
replace_status(struct model_upstream *known, struct model_link *link, struct event *event)
{
	model_link_count(known, link, -1);
	if (link->known && link->status.has_tls)
		chain_unref(link->status.tls.chain);
	link->status = event->status;
	link->known = true;
	/* The chain's reference has moved. */
	event->status.has_tls = false;
	event->status.tls.chain = NULL;
	model_link_count(known, link, 1);
}

static void
on_link(const struct news *news)
{
	struct model_link *link = model_link_get(news->known, news->event->link);
	bool entered;

	if (!link)
		return;
	entered = !link->known || link->status.stage != news->event->status.stage ||
		  link->status.since != news->event->status.since;
	replace_status(news->known, link, news->event);
	if (entered)
		tell_stage(news, link);
	if (link->status.stage == STAGE_READY && link->ready_since != link->status.since) {
		count_established(news, link);
		tell_recovery(news, link);
	}
	model_judge(news->model, news->known, news->now);
}

static void
on_link_gone(const struct news *news)
{
	struct model_link *link = model_link_find(news->known, news->event->link);

	if (!link)
		return;
	model_link_remove(news->known, link);
	model_judge(news->model, news->known, news->now);
}

/* ---- failures ------------------------------------------------------------------------------------- */

static enum log_level
failure_level(enum failure_code code)
{
	bool grave = failure_class(code) == CLASS_LOCAL || failure_life(code) == LIFE_PERSISTENT;

	return grave ? LEVEL_ERROR : LEVEL_WARNING;
}

/* A notice about a failure that this event brought. */
static void
tell_failure(const struct news *news, const struct notice *about, const struct failure *failure)
{
	char message[MESSAGE_MAX];
	struct text text = TEXT_INIT(message);
	struct notice notice = {
		.kind = about->kind,
		.level = about->level,
		.realtime = about->realtime,
		.link = about->link,
		.stage = (int)failure->stage,
		.health = -1,
		.failure = failure,
		.reason = about->reason,
		.repeats = about->repeats,
	};

	failure_message(failure, &text);
	tell(news, &notice, message);
}

/* Whether `failure` ended a connection that had been ready, and not an attempt. */
static bool
ended_connection(const struct failure *failure)
{
	return failure->stage == STAGE_READY || failure->stage == STAGE_LENT ||
	       failure->stage == STAGE_CLOSING;
}

static void
count_failure(struct model_upstream *known, const struct failure *failure)
{
	known->failures[failure->code]++;
	if (failure->stage == STAGE_LEND) {
		known->counters.lend_failed++;
		return;
	}
	known->census.attempted = true;
	if (ended_connection(failure))
		return;
	known->counters.attempts++;
	known->counters.failed++;
	known->reach = (uint8_t)(known->reach << 1);
}

static void
mark_failing(const struct news *news, const struct failure *failure)
{
	struct model_link *link = model_link_find(news->known, news->event->link);

	if (!link || link->failing_since != USEC_INFINITY)
		return;
	link->failing_since = ended_connection(failure) ? failure->at :
							  usec_sub(failure->at, failure->elapsed);
}

/* Whether the link had been well for long enough that what comes is a new story: else it flaps, and that is a repetition. */
static bool
had_been_well(const struct news *news, const struct model_link *link)
{
	const struct failure *failure = &news->event->failure;
	usec_t stable_after = news->known->upstream->policy.retry.stable_after;

	if (ended_connection(failure))
		return failure->elapsed >= stable_after;
	return link->ready_since != USEC_INFINITY && link->failing_since == USEC_INFINITY;
}

/* What a link repeats is said more softly.  A failure that met no link stands for itself. */
static void
soften(const struct news *news, struct notice *notice)
{
	enum failure_code code = news->event->failure.code;
	struct model_link *link = model_link_find(news->known, news->event->link);

	if (!link)
		return;
	if (had_been_well(news, link))
		link->noise = (struct noise){ 0 };
	if (!noise_hear(&link->noise, code, news->now))
		notice->level = LEVEL_DEBUG;
	notice->repeats = link->noise.repeats;
}

static void
on_failure(const struct news *news)
{
	const struct failure *failure = &news->event->failure;
	struct notice notice = notice_of(news, NOTICE_FAILURE, failure_level(failure->code));

	soften(news, &notice);
	history_add(news->known->history, news->realtime, news->event->link, failure);
	count_failure(news->known, failure);
	mark_failing(news, failure);
	tell_failure(news, &notice, failure);
	if (failure->stage == STAGE_READY || failure->stage == STAGE_LENT)
		model_flap(news->model, news->known, failure->code, news->now);
	model_judge(news->model, news->known, news->now);
}

static void
on_lost_address(const struct news *news)
{
	struct notice notice = notice_of(news, NOTICE_STAGE, LEVEL_DEBUG);

	notice.reason = "address-lost";
	tell_failure(news, &notice, &news->event->failure);
}

static void
on_close(const struct news *news)
{
	struct notice notice = notice_of(news, NOTICE_CLOSE, LEVEL_INFO);
	enum close_reason reason = news->event->reason;

	news->known->counters.closed++;
	news->known->closes[reason]++;
	notice.reason = close_reason_name(reason);
	tell(news, &notice, close_reason_summary(reason));
}

/* ---- warnings ------------------------------------------------------------------------------------- */

/* The record that goes with a warning: the worker's, or one made for a stall, which has a code of its own. */
static const struct failure *
warning_failure(const struct news *news, struct failure *stall)
{
	const struct failure *told = &news->event->warning.failure;

	if (told->code != FAILURE_NONE)
		return told;
	if (news->event->warning.kind != WARNING_STALL)
		return NULL;
	failure_init(stall, FAILURE_LOCAL_STALL, STAGE_IDLE);
	stall->at = news->event->at;
	stall->elapsed = news->event->warning.number;
	return stall;
}

/*
 * Whether a warning says that it is over: no address is left out any more, no file is stale, ….  The others are of the
 * moment, or last as long as the configuration says so.
 */
static bool
is_over(const struct event *event)
{
	switch (event->warning.kind) {
	case WARNING_LEFT_OUT:
	case WARNING_FAMILY_BROKEN:
	case WARNING_CERTIFICATE_EXPIRES:
	case WARNING_OWN_CERTIFICATE:
	case WARNING_CRL:
	case WARNING_PROBE_FAILING:
	case WARNING_FLAPPING: return event->warning.number == 0;
	case WARNING_ROTATION_STOPPED:
	case WARNING_STALE_FILES: return event->warning.failure.code == FAILURE_NONE;
	default: return false;
	}
}

static void
keep_warning(struct model_upstream *known, enum warning_kind kind, bool over)
{
	uint32_t bit = UINT32_C(1) << kind;

	if (!known || kind == WARNING_STALL || kind == WARNING_LOST || kind == WARNING_CERTIFICATE_CHANGED)
		return;
	known->warnings = over ? known->warnings & ~bit : known->warnings | bit;
}

static void
on_warning(const struct news *news)
{
	enum warning_kind kind = news->event->warning.kind;
	bool over = is_over(news->event);
	struct notice notice = notice_of(news, NOTICE_WARNING, over ? LEVEL_NOTICE : LEVEL_WARNING);
	char message[WARNING_MESSAGE_MAX];
	struct text text = TEXT_INIT(message);
	struct failure stall;

	keep_warning(news->known, kind, over);
	notice.reason = warning_name(kind);
	notice.failure = warning_failure(news, &stall);
	if (over)
		text_add(&text, "that is over");
	else
		warning_message(news->event, news->realtime, &text);
	tell(news, &notice, message);
}

/* ---- the door ------------------------------------------------------------------------------------- */

static void
take_in(const struct news *news)
{
	if (news->event->kind == EVENT_WARNING) {
		on_warning(news);
		return;
	}
	if (!news->known)
		return;
	switch (news->event->kind) {
	case EVENT_LINK: on_link(news); return;
	case EVENT_LINK_GONE: on_link_gone(news); return;
	case EVENT_FAILURE: on_failure(news); return;
	case EVENT_LOST_ADDRESS: on_lost_address(news); return;
	case EVENT_CLOSE: on_close(news); return;
	default: return; /* the manager's */
	}
}

void
model_event(struct model *model, struct event *event, usec_t now)
{
	struct news news = {
		.model = model,
		.known = event->id ? model_by_id(model, event->id) : NULL,
		.event = event,
		.now = now,
		.realtime = clock_realtime() - usec_sub(now, event->at),
	};

	if (event->id == 0 || news.known)
		take_in(&news);
	event_done(event);
}
