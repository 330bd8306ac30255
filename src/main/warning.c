#include "main/warning.h"

#include "base/must.h"
#include "main/logfmt.h"

#include <string.h>
#include <time.h>

/* A day, by its name: the warning comes long before it, and the hour does not matter. */
static void
add_date(int64_t seconds, struct text *text)
{
	time_t when = (time_t)seconds;
	char buffer[32];
	struct tm day;

	if (gmtime_r(&when, &day) && strftime(buffer, sizeof(buffer), "%Y-%m-%d", &day) > 0)
		text_add(text, buffer);
}

static void
add_end(uint64_t seconds, uint64_t realtime, struct text *text)
{
	text_add(text, seconds <= realtime / USEC_PER_SEC ? " ended on " : " ends on ");
	add_date((int64_t)seconds, text);
}

/* Which certificate of the presented chain it is that ends at that instant: the server's own, or one above it. */
static void
certificate_expires(const struct event *event, uint64_t realtime, struct text *text)
{
	const struct chain *chain = event->warning.failure.chain;
	uint64_t end = event->warning.number;
	unsigned int place = 0;

	while (place < chain_count(chain) && chain_certificate(chain, place)->not_after != (int64_t)end)
		place++;
	if (place == chain_count(chain))
		text_add(text, "the server's certificate chain");
	else if (place == 0)
		text_addf(text, "the server's certificate, %s,", chain_certificate(chain, 0)->subject);
	else
		text_addf(text, "a certificate of the server's chain, %s,",
			  chain_certificate(chain, place)->subject);
	add_end(end, realtime, text);
}

static void
certificate_changed(const struct failure *failure, struct text *text)
{
	const char *old = failure_detail(failure, "old"), *new = failure_detail(failure, "new");

	text_add(text, "the server has another certificate than before");
	if (chain_count(failure->chain) > 0) {
		const struct certificate *leaf = chain_certificate(failure->chain, 0);

		text_addf(text, ": %s from %s, good until ", leaf->subject, leaf->issuer);
		add_date(leaf->not_after, text);
	}
	if (!old || !new)
		return;
	if (strcmp(old, new) == 0)
		text_addf(text, ", with the same key (SPKI SHA-256 %s)", new);
	else
		text_addf(text, ", with another key (SPKI SHA-256 %s, before %s)", new, old);
}

/* `what` is a file of this host's. */
static void
own_file(const struct event *event, const char *what, uint64_t realtime, struct text *text)
{
	const char *file = failure_detail(&event->warning.failure, "file");

	text_addf(text, "%s%s%s", what, file ? " " : "", file ? file : "");
	add_end(event->warning.number, realtime, text);
}

/* "; the last: connection.network-unreachable at [2001:db8::7]:636", where the worker has told. */
static void
add_last(const struct failure *failure, struct text *text)
{
	char address[ADDRESS_TEXT_MAX];

	if (failure->code == FAILURE_NONE)
		return;
	text_addf(text, "; the last: %s", failure_name(failure->code));
	if (address_is_set(&failure->peer))
		text_addf(text, " at %s", address_format(&failure->peer, address, sizeof(address)));
}

void
warning_message(const struct event *event, uint64_t realtime, struct text *text)
{
	unsigned long long count = event->warning.number;
	const struct failure *failure = &event->warning.failure;

	must(event->kind == EVENT_WARNING);
	switch (event->warning.kind) {
	case WARNING_STALL:
		text_add(text, "holdfast itself was held up for ");
		span_text(event->warning.number, text);
		text_add(text, "; no peer is blamed, and deadlines are granted anew");
		return;
	case WARNING_STALE_FILES:
		text_add(text, "a changed file is unusable; what was read before stays in use");
		return;
	case WARNING_VERIFICATION_DISABLED:
		text_add(text, "tls.verify is \"none\": whoever answers is believed to be the server");
		return;
	case WARNING_LEFT_OUT:
		text_addf(text, "the answers hold too many addresses; %llu of them are not used", count);
		return;
	case WARNING_LOST:
		text_addf(text, "%llu events of a worker were lost, since main did not keep up", count);
		return;
	case WARNING_FAMILY_BROKEN:
		text_addf(text, "no address of IPv%llu can be used, while those of the other family can",
			  count);
		add_last(failure, text);
		return;
	case WARNING_CERTIFICATE_EXPIRES: certificate_expires(event, realtime, text); return;
	case WARNING_CERTIFICATE_CHANGED: certificate_changed(failure, text); return;
	case WARNING_OWN_CERTIFICATE: own_file(event, "our certificate", realtime, text); return;
	case WARNING_CRL: own_file(event, "a revocation list in", realtime, text); return;
	case WARNING_PROBE_FAILING:
		text_addf(text, "%llu probe%s in a row went wrong, and the connection is kept for now",
			  count, count == 1 ? "" : "s");
		add_last(failure, text);
		return;
	case WARNING_ROTATION_STOPPED:
		text_add(text, "our certificate has changed, and no connection can be made with it; "
			       "those made before are kept");
		add_last(failure, text);
		return;
	case WARNING_FLAPPING: /* main's own, told by main/model_flap */
	case WARNING_COUNT: break;
	}
	must_not_reach();
}
