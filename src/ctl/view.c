/* JSON to C, strictly. */
#include "ctl/view.h"

#include "base/text.h"
#include "core/failure.h"

#include <string.h>

/* Whether `list` is an array of nothing but strings. */
static bool
holds_words(const json_t *list)
{
	size_t index;
	json_t *item;

	json_array_foreach(list, index, item)
	{
		if (!json_is_string(item))
			return false;
	}
	return json_is_array(list);
}

/* Whether `list` is an array of nothing but objects; absent will do. */
static bool
holds_objects_if_any(const json_t *list)
{
	size_t index;
	json_t *item;

	json_array_foreach(list, index, item)
	{
		if (!json_is_object(item))
			return false;
	}
	return !list || json_is_array(list);
}

/* Whether `object` is an object of nothing but integers. */
static bool
holds_counts(json_t *object)
{
	const char *key;
	json_t *item;

	json_object_foreach(object, key, item)
	{
		if (!json_is_integer(item))
			return false;
	}
	return json_is_object(object);
}

static bool
holds_shares(json_t *object)
{
	const char *key;
	json_t *item;

	json_object_foreach(object, key, item)
	{
		if (!json_is_number(item))
			return false;
	}
	return json_is_object(object);
}

static bool
judge(bool good, const char *why, char *ret_error)
{
	if (!good)
		text_copy(ret_error, VIEW_ERROR_MAX, why);
	return good;
}

/* The end of each reader: `r` is what json_unpack_ex() gave. */
static bool
unpacked(int r, const json_error_t *error, char *ret_error)
{
	return judge(r == 0, error->text, ret_error);
}

bool
view_daemon(json_t *value, struct view_daemon *ret_view, char *ret_error)
{
	struct view_daemon view = { 0 };
	json_error_t error;
	int r = json_unpack_ex(value, &error, 0,
			       "{s:s, s:I, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I}", "version",
			       &view.version, "pid", &view.pid, "started", &view.started,
			       "configured", &view.configured, "health", &view.health, "upstreams",
			       &view.upstreams, "up", &view.up, "degraded", &view.degraded, "down",
			       &view.down, "paused", &view.paused, "logLost", &view.log_lost);

	*ret_view = view;
	return unpacked(r, &error, ret_error);
}

bool
view_certificate(json_t *value, struct view_certificate *ret_view, char *ret_error)
{
	struct view_certificate view = { 0 };
	json_error_t error;
	int r = json_unpack_ex(value, &error, 0, "{s:s, s:s, s:o, s:s, s:s, s:s, s:s}", "subject",
			       &view.subject, "issuer", &view.issuer, "names", &view.names,
			       "notBefore", &view.not_before, "notAfter", &view.not_after, "sha256",
			       &view.sha256, "spkiSha256", &view.spki_sha256);

	*ret_view = view;
	return unpacked(r, &error, ret_error) &&
	       judge(holds_words(view.names), "names of a certificate are no words", ret_error);
}

bool
view_failure(json_t *value, struct view_failure *ret_view, char *ret_error)
{
	struct view_failure view = { .link = -1, .retry_in = -1 };
	json_error_t error;
	int r = json_unpack_ex(
		value, &error, 0,
		"{s:s, s:s, s?I, s:s, s:s, s:s, s:s, s:s, s?s, s?o, s:I, s:I, s?I, s?s, s?s, s?s, s?s, "
		"s:s, s:s, s?o}",
		"time", &view.time, "upstream", &view.upstream, "link", &view.link, "code",
		&view.code, "class", &view.class, "stage", &view.stage, "life", &view.life, "blame",
		&view.blame, "address", &view.address, "otherAddresses", &view.others, "attempt",
		&view.attempt, "elapsedUSec", &view.elapsed, "retryInUSec", &view.retry_in, "error",
		&view.error, "alert", &view.alert, "verify", &view.verify, "evidence",
		&view.evidence, "message", &view.message, "hint", &view.hint, "chain", &view.chain);

	*ret_view = view;
	return unpacked(r, &error, ret_error) &&
	       judge(holds_objects_if_any(view.others) && holds_objects_if_any(view.chain),
		     "lists of a failure hold no objects", ret_error);
}

bool
view_tls(json_t *value, struct view_tls *ret_view, char *ret_error)
{
	struct view_tls view = { 0 };
	json_error_t error;
	int resumed = 0;
	int r = json_unpack_ex(value, &error, 0, "{s:s, s:s, s?s, s?s, s:b, s:o}", "version",
			       &view.version, "cipher", &view.cipher, "group", &view.group, "alpn",
			       &view.alpn, "resumed", &resumed, "chain", &view.chain);

	view.resumed = resumed != 0;
	*ret_view = view;
	return unpacked(r, &error, ret_error) && judge(view.chain && holds_objects_if_any(view.chain),
						       "a chain holds no objects", ret_error);
}

bool
view_link(json_t *value, struct view_link *ret_view, char *ret_error)
{
	struct view_link view = { .retry_in = -1, .rtt = -1 };
	json_error_t error;
	int r = json_unpack_ex(
		value, &error, 0, "{s:I, s:s, s:s, s?s, s?s, s:I, s?I, s:o, s?I, s?o, s:I, s:I}",
		"number", &view.number, "stage", &view.stage, "since", &view.since, "address",
		&view.address, "source", &view.source, "attempt", &view.attempt, "retryInUSec",
		&view.retry_in, "timings", &view.timings, "rttUSec", &view.rtt, "tls", &view.tls,
		"bytesReceived", &view.received, "bytesSent", &view.sent);

	*ret_view = view;
	return unpacked(r, &error, ret_error) &&
	       judge(holds_counts(view.timings), "timings of a link are no numbers", ret_error);
}

/* The members that are objects or lists of one kind. */
static bool
upstream_is_whole(const struct view_upstream *view, char *ret_error)
{
	return judge(holds_words(view->addresses), "addresses are no words", ret_error) &&
	       judge(json_is_array(view->links) && holds_objects_if_any(view->links),
		     "links hold no objects", ret_error) &&
	       judge(holds_words(view->warnings), "warnings are no words", ret_error) &&
	       judge(holds_counts(view->failures) && holds_counts(view->closes),
		     "failures or closes are no counts", ret_error) &&
	       judge(holds_shares(view->availability), "availability is no number", ret_error);
}

bool
view_upstream(json_t *value, struct view_upstream *ret_view, char *ret_error)
{
	struct view_upstream view = { 0 };
	json_error_t error;
	int r = json_unpack_ex(
		value, &error, 0,
		"{s:s, s:s, s:s, s:o, s:I, s:I, s:I, s:I, s:o, s?o, s:o, s:{s:I, s:I, s:I, s:I}, s:o, "
		"s:o, s:o}",
		"name", &view.name, "health", &view.health, "since", &view.since, "addresses",
		&view.addresses, "wanted", &view.wanted, "ready", &view.ready, "lent", &view.lent,
		"reach", &view.reach, "links", &view.links, "lastFailure", &view.last_failure,
		"warnings", &view.warnings, "counters", "attempts", &view.attempts, "established",
		&view.established, "failed", &view.failed, "closed", &view.closed, "failures",
		&view.failures, "closes", &view.closes, "availability", &view.availability);

	*ret_view = view;
	return unpacked(r, &error, ret_error) && upstream_is_whole(&view, ret_error);
}

bool
view_event(json_t *value, struct view_event *ret_view, char *ret_error)
{
	struct view_event view = { .link = -1 };
	json_error_t error;
	int r = json_unpack_ex(value, &error, 0, "{s:s, s:s, s?s, s?I, s?s, s?s, s?o, s?s, s:s}", "time",
			       &view.time, "kind", &view.kind, "upstream", &view.upstream, "link",
			       &view.link, "stage", &view.stage, "health", &view.health, "failure",
			       &view.failure, "reason", &view.reason, "message", &view.message);

	*ret_view = view;
	return unpacked(r, &error, ret_error);
}

const char *
view_telling(const struct view_failure *failure)
{
	if (failure->verify)
		return failure->verify;
	return failure->alert ? failure->alert : failure->error;
}

enum health
view_health(const char *word)
{
	int health = 0;

	while (health < HEALTH_COUNT && strcmp(health_name((enum health)health), word) != 0)
		health++;
	return (enum health)health;
}

int
view_down_status(json_t *last_failure)
{
	const char *word = json_string_value(json_object_get(last_failure, "class"));

	for (int i = 0; word && i < CLASS_COUNT; i++) {
		if (strcmp(failure_class_name((enum failure_class)i), word) == 0)
			return failure_exit_status((enum failure_class)i);
	}
	return failure_exit_status(CLASS_LOCAL);
}
