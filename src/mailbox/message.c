#include "mailbox/message.h"

#include "base/must.h"

void
command_done(struct command *command)
{
	if (command->kind == COMMAND_SET)
		command->set.upstream = upstream_unref(command->set.upstream);
}

void
event_done(struct event *event)
{
	switch (event->kind) {
	case EVENT_LINK:
		if (event->status.has_tls)
			event->status.tls.chain = chain_unref(event->status.tls.chain);
		break;
	case EVENT_FAILURE:
	case EVENT_LOST_ADDRESS: failure_done(&event->failure); break;
	case EVENT_WARNING: failure_done(&event->warning.failure); break;
	default: break; /* holds no references */
	}
}

const char *
warning_name(enum warning_kind kind)
{
	static const char *const names[WARNING_COUNT] = {
		[WARNING_STALL] = "stall",
		[WARNING_STALE_FILES] = "stale-files",
		[WARNING_VERIFICATION_DISABLED] = "verification-disabled",
		[WARNING_LEFT_OUT] = "addresses-left-out",
		[WARNING_LOST] = "events-lost",
		[WARNING_FAMILY_BROKEN] = "family-broken",
		[WARNING_CERTIFICATE_EXPIRES] = "certificate-expires-soon",
		[WARNING_CERTIFICATE_CHANGED] = "certificate-changed",
		[WARNING_OWN_CERTIFICATE] = "own-certificate-expires-soon",
		[WARNING_CRL] = "crl-expires-soon",
		[WARNING_PROBE_FAILING] = "probe-failing",
		[WARNING_ROTATION_STOPPED] = "rotation-stopped",
		[WARNING_FLAPPING] = "flapping",
	};

	must(kind < WARNING_COUNT);
	return names[kind];
}
