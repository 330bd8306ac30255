#include "worker/driver_race.h"

#include "base/must.h"
#include "sys/fd.h"
#include "sys/network.h"
#include "sys/socket.h"
#include "worker/refresh.h"
#include "worker/state.h"

#include <errno.h>
#include <string.h>

/* How often a Unix socket whose queue is full is tried again, until timeout.connect. */
#define UNIX_RETRY_INTERVAL (50 * USEC_PER_MSEC)

struct srv_hosts {
	unsigned int count;
	struct {
		struct address address;
		char *host;
	} at[];
};

static void on_answer(void *arg, const struct resolve_answer *answer, usec_t now);
static void on_connected(void *arg, unsigned int events, usec_t now);
static void on_retry(void *arg, usec_t now);

/* ---- whose fault it is ---------------------------------------------------------------------------- */

/* Signs of a missing network; of others (a refusal, a full table) none need be looked for. */
static bool
may_be_offline(enum failure_code code)
{
	switch (code) {
	case FAILURE_TIMEOUT_RESOLVE:
	case FAILURE_ADDRESS_NO_SERVER:
	case FAILURE_CONNECTION_NETWORK_UNREACHABLE:
	case FAILURE_CONNECTION_HOST_UNREACHABLE:
	case FAILURE_SOCKET_NO_FAMILY:
	case FAILURE_SOCKET_NO_PORTS:
	case FAILURE_SOCKET_BIND: return true;
	default: return false;
	}
}

/* A host without a network cannot judge its peers (ruling 13). */
static void
judge_offline(struct failure *failure, const struct address *peer)
{
	if (may_be_offline(failure->code) && network_is_offline(peer))
		failure->code = FAILURE_LOCAL_OFFLINE;
}

/* ---- queries -------------------------------------------------------------------------------------- */

static unsigned int
asked_count(const struct driver *driver)
{
	return 2 * driver->upstream->target_count;
}

void
driver_race_init(struct driver *driver)
{
	for (unsigned int i = 0; i < asked_count(driver); i++) {
		driver->asked[i] = (struct asked){
			.driver = driver,
			.target = i / 2,
			.family = i % 2 ? FAMILY_IPV6 : FAMILY_IPV4,
		};
	}
	for (unsigned int slot = 0; slot < RACE_MAX; slot++)
		driver->racers[slot] = (struct racer){ .driver = driver, .slot = slot, .fd = -1 };
}

void
driver_race_done(struct driver *driver)
{
	driver_cancel_queries(driver);
	driver_forget_hosts(driver);
	for (unsigned int slot = 0; slot < RACE_MAX; slot++) {
		driver_abandon(driver, slot);
		driver->racers[slot].retry = timer_free(driver->racers[slot].retry);
	}
}

void
driver_resolve(struct driver *driver, const struct effect *effect)
{
	const struct target *target = upstream_reach(driver->upstream, effect->resolve.target);
	unsigned int index = 2 * effect->resolve.target + (effect->resolve.family == FAMILY_IPV6);
	struct asked *asked = &driver->asked[index];
	struct question question = {
		.host = target->host,
		.absolute = target->absolute,
		.port = target->port,
		.family = effect->resolve.family,
		.service = target->kind == TARGET_SERVICE,
		.seed = effect->resolve.seed,
		.fresh = effect->resolve.fresh,
		.timeout = driver->upstream->policy.timeout[STAGE_RESOLVE],
	};

	must(!asked->query);
	if (query_start(driver->worker->resolver, &question, on_answer, asked, &asked->query) < 0)
		driver->unasked |= 1u << index;
}

static struct srv_hosts *
srv_hosts_free(struct srv_hosts *hosts)
{
	for (unsigned int i = 0; hosts && i < hosts->count; i++)
		free(hosts->at[i].host);
	free(hosts);
	return NULL;
}

void
driver_forget_hosts(struct driver *driver)
{
	for (unsigned int i = 0; i < asked_count(driver); i++)
		driver->asked[i].hosts = srv_hosts_free(driver->asked[i].hosts);
}

/* Without memory the names lack: a certificate that is to be for one of them is refused then. */
static struct srv_hosts *
srv_hosts_new(const struct resolve_answer *found)
{
	struct srv_hosts *hosts = calloc(1, sizeof(*hosts) + found->count * sizeof(hosts->at[0]));

	for (unsigned int i = 0; hosts && i < found->count; i++) {
		hosts->at[i].address = found->addresses[i];
		hosts->at[i].host = found->hosts[i] ? strdup(found->hosts[i]) : NULL;
		hosts->count++;
	}
	return hosts;
}

static const char *
find_host(const struct srv_hosts *hosts, const struct address *address)
{
	for (unsigned int i = 0; hosts && i < hosts->count; i++) {
		if (address_equal(&hosts->at[i].address, address))
			return hosts->at[i].host;
	}
	return NULL;
}

const char *
driver_srv_host(const struct driver *driver)
{
	const struct asked *asked = &driver->asked[2 * driver->connection.target];
	const char *host = find_host(asked[0].hosts, &driver->link->peer);

	return host ? host : find_host(asked[1].hosts, &driver->link->peer);
}

static void
on_answer(void *arg, const struct resolve_answer *found, usec_t now)
{
	static const struct address anywhere;
	struct asked *asked = arg;
	struct failure failure;
	struct answer answer = {
		.target = asked->target,
		.family = asked->family,
		.count = found->count,
		.left_out = found->left_out,
	};

	asked->query = NULL;
	memcpy(answer.addresses, found->addresses, sizeof(answer.addresses));
	memcpy(answer.rank, found->rank, sizeof(answer.rank));
	asked->hosts = srv_hosts_free(asked->hosts);
	if (found->count > 0 && found->hosts[0])
		asked->hosts = srv_hosts_new(found);
	if (found->count > 0)
		refresh_note(asked->driver->slot->runner, found->ttl, now);
	failure_copy(&failure, &found->failure);
	if (found->count == 0) {
		judge_offline(&failure, &anywhere);
		answer.failure = &failure;
	}
	driver_feed(asked->driver, &(struct input){ .kind = INPUT_ANSWERED, .answer = &answer }, now);
	failure_done(&failure);
}

void
driver_cancel_queries(struct driver *driver)
{
	driver->unasked = 0;
	for (unsigned int i = 0; i < asked_count(driver); i++)
		driver->asked[i].query = query_cancel(driver->asked[i].query);
}

/* ---- sockets -------------------------------------------------------------------------------------- */

static void
racer_close(struct racer *racer)
{
	racer->watch = watch_cancel(racer->watch);
	racer->fd = fd_close(racer->fd);
	if (racer->retry)
		timer_arm(racer->retry, USEC_INFINITY);
}

static int
racer_wait(struct racer *racer, usec_t now)
{
	struct loop *loop = racer->driver->worker->loop;

	if (!racer->retry && timer_new(loop, on_retry, racer, &racer->retry) < 0)
		return -ENOMEM;
	timer_arm(racer->retry, usec_add(now, UNIX_RETRY_INTERVAL));
	return 0;
}

static int
racer_watch(struct racer *racer)
{
	const struct watch_setup setup = {
		.fd = racer->fd,
		.events = WATCH_WRITE,
		.fn = on_connected,
		.arg = racer,
	};

	return watch_start(racer->driver->worker->loop, &setup, &racer->watch);
}

/* Returns 0 where the loop will tell, or a negative errno with `failure` filled and nothing open. */
static int
racer_open(struct racer *racer, usec_t now, struct failure *failure)
{
	const struct transport_policy *transport = &racer->driver->upstream->policy.transport;
	int r = socket_connect(&racer->address, transport, &racer->fd, failure);

	if (r == 0)
		r = racer_watch(racer);
	else if (r == -EAGAIN)
		r = racer_wait(racer, now);
	if (r == 0)
		return 0;
	racer_close(racer);
	if (failure->code == FAILURE_NONE) {
		failure->code = r == -ENOMEM ? FAILURE_LOCAL_NO_MEMORY : FAILURE_SOCKET_SETUP;
		failure_set_error(failure, -r, strerrorname_np(-r));
	}
	judge_offline(failure, &racer->address);
	return r;
}

int
driver_connect(struct driver *driver, const struct effect *effect, usec_t now, struct failure *failure)
{
	struct racer *racer = &driver->racers[effect->connect.slot];

	must(racer->fd < 0 && !racer->watch);
	racer->address = effect->connect.address;
	racer->target = effect->connect.target;
	return racer_open(racer, now, failure);
}

/* The socket is closed before the link hears of it: its slot may be given away in that very step. */
static void
racer_lose(struct racer *racer, struct failure *failure, usec_t now)
{
	struct input input = { .kind = INPUT_UNCONNECTED };

	racer_close(racer);
	input.unconnected.slot = racer->slot;
	input.unconnected.failure = failure;
	driver_feed(racer->driver, &input, now);
	failure_done(failure);
}

static void
on_retry(void *arg, usec_t now)
{
	struct racer *racer = arg;
	struct failure failure;

	failure_init(&failure, FAILURE_NONE, STAGE_CONNECT);
	if (racer_open(racer, now, &failure) < 0)
		racer_lose(racer, &failure, now);
}

static void
on_connected(void *arg, unsigned int events, usec_t now)
{
	struct racer *racer = arg;
	struct driver *driver = racer->driver;
	struct failure failure;
	int r;

	(void)events;
	failure_init(&failure, FAILURE_NONE, STAGE_CONNECT);
	r = socket_connected(racer->fd, &racer->address, &failure);
	if (r == -EINPROGRESS)
		return;
	if (r < 0) {
		judge_offline(&failure, &racer->address);
		racer_lose(racer, &failure, now);
		return;
	}
	driver_feed(driver, &(struct input){ .kind = INPUT_CONNECTED, .slot = racer->slot }, now);
}

void
driver_abandon(struct driver *driver, unsigned int slot)
{
	must(slot < RACE_MAX);
	racer_close(&driver->racers[slot]);
}

void
driver_adopt(struct driver *driver, unsigned int slot)
{
	struct racer *racer = &driver->racers[slot];
	int fd = racer->fd;

	must(fd >= 0);
	racer->watch = watch_cancel(racer->watch);
	racer->fd = -1;
	connection_adopt(driver, fd, racer->target);
}

void
driver_race_change_keepalive(struct driver *driver, const struct keepalive_policy *keepalive)
{
	for (unsigned int slot = 0; slot < RACE_MAX; slot++) {
		const struct racer *racer = &driver->racers[slot];

		if (racer->fd >= 0 && racer->address.sa.sa_family != AF_UNIX)
			(void)socket_change_keepalive(racer->fd, keepalive);
	}
}
