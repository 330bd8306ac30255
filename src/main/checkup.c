#include "main/checkup.h"

#include "base/text.h"
#include "sys/clock.h"
#include "sys/tls.h"

#include <errno.h>

#define HINT_MAX 1024 /* bytes; what is beyond is cut */

struct checkup {
	const struct config *config;
	struct tls_pool *pool;
	FILE *out;
};

static void
say(const struct checkup *checkup, const struct upstream *upstream, const struct failure *failure)
{
	char hint[HINT_MAX];
	struct text text = TEXT_INIT(hint);

	failure_hint(failure, &text);
	fprintf(checkup->out, "%s: upstream \"%s\": %s: %s\n", checkup->config->file,
		upstream->name, failure_name(failure->code), hint);
}

/* Returns 1 where a file of `upstream` is missing or broken, 0 where all is well, or -ENOMEM. */
static int
check_upstream(const struct checkup *checkup, const struct upstream *upstream)
{
	struct tls_sessions *sessions;
	struct failure failure;
	int r;

	if (!upstream->policy.tls.enabled)
		return 0;
	if (tls_sessions_new(checkup->pool, &sessions) < 0)
		return -ENOMEM;
	failure_init(&failure, FAILURE_NONE, STAGE_LOAD);
	r = tls_prepare(sessions, &upstream->policy.tls, clock_now(), &failure);
	if (r < 0)
		say(checkup, upstream, &failure);
	failure_done(&failure);
	tls_sessions_free(sessions);
	return r < 0;
}

int
checkup_files(const struct config *config, FILE *out)
{
	struct checkup checkup = { .config = config, .out = out };
	int found = 0;

	if (tls_pool_new(&checkup.pool) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < config->upstream_count && found >= 0; i++) {
		int r = check_upstream(&checkup, config->upstreams[i]);

		found = r < 0 ? r : found + r;
	}
	tls_pool_free(checkup.pool);
	return found;
}
