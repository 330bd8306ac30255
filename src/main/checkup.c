#include "main/checkup.h"

#include "base/text.h"
#include "sys/clock.h"
#include "sys/tls.h"

#include <errno.h>

#define HINT_MAX 1024 /* bytes; what is beyond is cut */

static void
say(const struct upstream *upstream, const struct failure *failure, FILE *out)
{
	char hint[HINT_MAX];
	struct text text = TEXT_INIT(hint);

	failure_hint(failure, &text);
	fprintf(out, "upstream \"%s\": %s: %s. %s\n", upstream->name, failure_name(failure->code),
		failure_summary(failure->code), hint);
}

/* Returns 1 where a file of `upstream` is missing or broken, 0 where all is well, or -ENOMEM. */
static int
check_upstream(struct tls_pool *pool, const struct upstream *upstream, FILE *out)
{
	struct tls_sessions *sessions;
	struct failure failure;
	int r;

	if (!upstream->policy.tls.enabled)
		return 0;
	if (tls_sessions_new(pool, &sessions) < 0)
		return -ENOMEM;
	failure_init(&failure, FAILURE_NONE, STAGE_LOAD);
	r = tls_prepare(sessions, &upstream->policy.tls, clock_now(), &failure);
	if (r < 0)
		say(upstream, &failure, out);
	failure_done(&failure);
	tls_sessions_free(sessions);
	return r < 0;
}

int
checkup_files(const struct config *config, FILE *out)
{
	struct tls_pool *pool;
	int found = 0;

	if (tls_pool_new(&pool) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < config->upstream_count && found >= 0; i++) {
		int r = check_upstream(pool, config->upstreams[i], out);

		found = r < 0 ? r : found + r;
	}
	tls_pool_free(pool);
	return found;
}
