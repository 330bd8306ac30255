/* show: everything about one upstream. */
#include "ctl/show.h"

#include "base/cleanup.h"
#include "ctl/detail.h"
#include "ctl/health.h"
#include "ctl/session.h"
#include "ctl/verdict.h"
#include "ctl/when.h"
#include "sys/clock.h"

#include <string.h>

#define LINE_BYTES 4096 /* of a line's value; cut beyond */

/* ---- the upstream ----------------------------------------------------------------------------------------------- */

static void
print_headline(const struct screen *screen, const struct view_upstream *upstream, uint64_t now)
{
	char buffer[LINE_BYTES];
	struct text text = TEXT_INIT(buffer);

	text_addf(&text, "%s: %s for ", upstream->name, upstream->health);
	when_span(when_since(upstream->since, now), &text);
	text_addf(&text, ", %lld of %lld ready, reach %03o", (long long)upstream->ready,
		  (long long)upstream->wanted, (unsigned int)upstream->reach & 0xff);
	screen_line(screen, health_style(upstream->health), buffer);
}

/* "connection.refused 12, tls.closed 1" */
static void
print_counts(const struct screen *screen, const char *name, json_t *counts)
{
	char buffer[LINE_BYTES];
	struct text text = TEXT_INIT(buffer);
	const char *key;
	json_t *count;

	json_object_foreach(counts, key, count)
	{
		text_addf(&text, "%s%s %lld", text.length > 0 ? ", " : "", key,
			  (long long)json_integer_value(count));
	}
	if (text.length > 0)
		screen_pair(screen, name, "%s", buffer);
}

static void
print_availability(const struct screen *screen, const json_t *availability)
{
	static const char *const windows[] = { "hour", "day", "month" };
	char buffer[LINE_BYTES];
	struct text text = TEXT_INIT(buffer);

	for (size_t i = 0; i < COUNT_OF(windows); i++) {
		const json_t *share = json_object_get(availability, windows[i]);

		if (json_is_number(share))
			text_addf(&text, "%s%s %.3f %%", text.length > 0 ? ", " : "", windows[i],
				  100 * json_number_value(share));
	}
	if (text.length > 0)
		screen_pair(screen, "availability", "%s", buffer);
}

static void
print_upstream(const struct screen *screen, const struct view_upstream *upstream, uint64_t now)
{
	char buffer[LINE_BYTES];
	struct text text = TEXT_INIT(buffer);

	print_headline(screen, upstream, now);
	detail_words(upstream->addresses, &text);
	screen_pair(screen, "addresses", "%s", buffer);
	screen_pair(screen, "attempts", "%lld: %lld established, %lld failed",
		    (long long)upstream->attempts, (long long)upstream->established,
		    (long long)upstream->failed);
	print_counts(screen, "failures", upstream->failures);
	print_counts(screen, "closes", upstream->closes);
	print_availability(screen, upstream->availability);
	text_init(&text, buffer, sizeof(buffer));
	detail_words(upstream->warnings, &text);
	if (text.length > 0)
		screen_pair(screen, "warnings", "%s", buffer);
}

/* ---- links ------------------------------------------------------------------------------------------------------ */

struct shower {
	const struct screen *screen;
	uint64_t now;
	json_t *chain; /* shown last; borrowed */
	json_int_t chain_link;
	char *error;
};

/* A size for people: "812 B", "12 kB", "3.4 MB". */
static void
add_size(json_int_t bytes, struct text *text)
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB" };
	double value = (double)bytes;
	size_t unit = 0;

	while (value >= 1000 && unit + 1 < COUNT_OF(units)) {
		value /= 1000;
		unit++;
	}
	text_addf(text, "%.*f %s", unit > 0 && value < 10 ? 1 : 0, value, units[unit]);
}

static void
print_times(const struct shower *shower, const struct view_link *link)
{
	char buffer[LINE_BYTES];
	struct text text = TEXT_INIT(buffer);

	detail_timings(link->timings, &text);
	if (link->rtt > 0) {
		text_addf(&text, "%sround trip ", text.length > 0 ? "; " : "");
		when_timing((usec_t)link->rtt, &text);
	}
	if (text.length > 0)
		screen_pair(shower->screen, "times", "%s", buffer);
}

static void
print_traffic(const struct shower *shower, const struct view_link *link)
{
	char buffer[LINE_BYTES];
	struct text text = TEXT_INIT(buffer);

	if (link->received == 0 && link->sent == 0)
		return;
	add_size(link->received, &text);
	text_add(&text, " received, ");
	add_size(link->sent, &text);
	text_add(&text, " sent");
	screen_pair(shower->screen, "traffic", "%s", buffer);
}

/* The links of an upstream usually see the same chain: it is shown once. */
static bool
print_tls(struct shower *shower, const struct view_link *link)
{
	struct view_tls tls;

	if (!link->tls)
		return true;
	if (!view_tls(link->tls, &tls, shower->error))
		return false;
	detail_tls(shower->screen, &tls);
	if (shower->chain && json_equal(shower->chain, tls.chain)) {
		screen_pair(shower->screen, "certificates", "as those of link %lld",
			    (long long)shower->chain_link);
		return true;
	}
	shower->chain = tls.chain;
	shower->chain_link = link->number;
	return detail_chain(shower->screen, tls.chain, shower->now, shower->error);
}

static bool
print_link(struct shower *shower, json_t *value)
{
	char since[WHEN_TEXT_MAX], next[WHEN_TEXT_MAX + 16];
	struct text since_text = TEXT_INIT(since), next_text = TEXT_INIT(next);
	struct view_link link;

	if (!view_link(value, &link, shower->error))
		return false;
	when_span(when_since(link.since, shower->now), &since_text);
	if (link.retry_in >= 0) {
		text_add(&next_text, ", next attempt in ");
		when_span((usec_t)link.retry_in, &next_text);
	}
	screen_title(shower->screen, STYLE_BOLD, "link %lld: %s for %s%s", (long long)link.number,
		     link.stage, since, next);
	if (link.address)
		screen_pair(shower->screen, "address", "%s%s%s", link.address,
			    link.source ? " from " : "", link.source ? link.source : "");
	if (link.attempt > 1)
		screen_pair(shower->screen, "attempt", "%lld", (long long)link.attempt);
	print_times(shower, &link);
	print_traffic(shower, &link);
	return print_tls(shower, &link);
}

/* ---- all of it -------------------------------------------------------------------------------------------------- */

static bool
print_failure(struct shower *shower, const struct view_upstream *upstream)
{
	struct view_failure failure;

	if (!upstream->last_failure)
		return true;
	if (!view_failure(upstream->last_failure, &failure, shower->error))
		return false;
	screen_title(shower->screen, view_health(upstream->health) == HEALTH_UP ? STYLE_BOLD : STYLE_BAD,
		     "last failure: %s", failure.code);
	detail_failure(shower->screen, &failure, shower->now);
	return detail_chain(shower->screen, failure.chain, shower->now, shower->error);
}

bool
show_upstream(const struct screen *screen, const struct view_upstream *upstream, uint64_t now,
	      char *ret_error)
{
	struct shower shower = { .screen = screen, .now = now, .error = ret_error };
	json_t *link;
	size_t index;

	print_upstream(screen, upstream, now);
	json_array_foreach(upstream->links, index, link)
	{
		if (!print_link(&shower, link))
			return false;
	}
	return print_failure(&shower, upstream);
}

struct show {
	const struct ctl *ctl;
	struct verdict verdict;
};

static int
on_upstream(void *arg, json_t *parameters)
{
	struct show *show = arg;
	json_t *value = json_object_get(parameters, "upstream");
	char error[VIEW_ERROR_MAX];
	struct view_upstream upstream;

	if (!view_upstream(value, &upstream, error))
		return session_misread(error);
	verdict_add(&show->verdict, &upstream);
	if (arguments_has(show->ctl->arguments, OPTION_JSON))
		session_print_json(show->ctl, value, true);
	else if (!show_upstream(&show->ctl->screen, &upstream, clock_realtime(), error))
		return session_misread(error);
	return 0;
}

int
command_show(const struct ctl *ctl)
{
	_cleanup_(client_freep) struct client *client = NULL;
	struct show show = { .ctl = ctl, .verdict.named = true };
	int r = session_open(ctl, &client);

	if (r > 0)
		return r;
	r = session_call(client, &(struct session_call){ .method = "List",
							 .parameters = session_names(ctl->arguments),
							 .fn = on_upstream,
							 .arg = &show });
	return r > 0 ? r : verdict_status(&show.verdict);
}
