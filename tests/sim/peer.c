/* What answers: hosts, names, and this host's own files. */
#include "world.h"

#include "base/must.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static struct client *
client_of(struct world *world, unsigned int client)
{
	return &world->clients[client];
}

static struct host *
host_of(struct world *world, unsigned int client)
{
	return &world->hosts[world->clients[client].host];
}

void
peer_load(struct world *world, unsigned int client, uint64_t token)
{
	static const enum failure_code broken[] = { FAILURE_LOCAL_KEY_LOAD, FAILURE_LOCAL_CA_LOAD,
						    FAILURE_LOCAL_NO_MEMORY };
	struct happening happening = { .kind = HAPPENS_LOAD, .link = client, .token = token };

	if (!world->well && world_chance(world, 3))
		happening.code = broken[world_random(world, COUNT_OF(broken))];
	world_plan(world, happening, world_span(world, 0, 5 * USEC_PER_MSEC));
}

static unsigned int
name_index(const struct target *target)
{
	return (unsigned int)(target_domain(target)[1] - '0'); /* "n0.example", "srv:_s._tcp.n0.example" */
}

void
peer_resolve(struct world *world, unsigned int client, const struct effect *effect, uint64_t token)
{
	static const enum failure_code codes[NAME_MOODS] = {
		[NAME_MISSING] = FAILURE_ADDRESS_NXDOMAIN,
		[NAME_EMPTY] = FAILURE_ADDRESS_NO_DATA,
		[NAME_BROKEN] = FAILURE_ADDRESS_SERVFAIL,
	};
	const struct upstream *upstream = client_of(world, client)->link->upstream;
	const struct target *reach = upstream_reach(upstream, effect->resolve.target);
	struct name *name = &world->names[name_index(reach)];
	struct happening happening = {
		.kind = HAPPENS_ANSWER,
		.link = client,
		.token = token,
		.target = effect->resolve.target,
		.family = effect->resolve.family,
		.code = codes[name->mood],
	};

	if (name->mood != NAME_SILENT)
		world_plan(world, happening, world_span(world, 0, name->delay));
}

void
peer_fill_answer(struct world *world, const struct target *target, uint64_t seed, struct answer *answer)
{
	const struct name *name = &world->names[name_index(target)];
	bool service = target->kind == TARGET_SERVICE;

	for (unsigned int i = 0; i < HOSTS_MAX; i++) {
		unsigned char ipv4[4] = { 192, 0, 2, (unsigned char)i };
		unsigned char ipv6[16] = { 0x20, 0x01, 0x0d, 0xb8, [15] = (unsigned char)i };
		uint16_t port = service ? (uint16_t)(5000 + i) : target->port;

		if (!(name->hosts & (1U << i)))
			continue;
		if (name->mood == NAME_BLOCKED)
			memset(ipv4, 0, sizeof(ipv4)), memset(ipv6, 0, sizeof(ipv6));
		answer->rank[answer->count] = service ? (unsigned int)((i + seed) % HOSTS_MAX) : 0;
		if (answer->family == FAMILY_IPV4)
			address_from_ip(AF_INET, ipv4, port, &answer->addresses[answer->count++]);
		else
			address_from_ip(AF_INET6, ipv6, port, &answer->addresses[answer->count++]);
	}
}

unsigned int
peer_host_of(const struct address *address)
{
	switch (address->sa.sa_family) {
	case AF_INET: return ((const unsigned char *)&address->in.sin_addr)[3];
	case AF_INET6: return address->in6.sin6_addr.s6_addr[15];
	case AF_UNIX: return (unsigned int)(address->un.sun_path[1] - '0');
	default: must_not_reach();
	}
}

/* What becomes of a socket towards a host in each mood; FAILURE_NONE: it connects. */
static const enum failure_code connect_codes[HOST_MOODS] = {
	[HOST_REFUSES] = FAILURE_CONNECTION_REFUSED,
	[HOST_RESETS] = FAILURE_CONNECTION_RESET_EARLY,
	[HOST_UNREACHABLE] = FAILURE_CONNECTION_NETWORK_UNREACHABLE,
	[HOST_NO_FAMILY] = FAILURE_SOCKET_NO_FAMILY,
	[HOST_NO_DESCRIPTOR] = FAILURE_SOCKET_DESCRIPTOR_LIMIT,
};

static bool
drops(const struct host *host, const struct address *address)
{
	return host->mood == HOST_DROPS ||
	       (host->mood == HOST_DROPS_IPV4 && address->sa.sa_family == AF_INET) ||
	       (host->mood == HOST_DROPS_IPV6 && address->sa.sa_family == AF_INET6);
}

void
peer_connect(struct world *world, unsigned int client, const struct effect *effect, uint64_t token)
{
	const struct host *host = &world->hosts[peer_host_of(&effect->connect.address)];
	struct happening happening = {
		.kind = HAPPENS_SOCKET,
		.link = client,
		.token = token,
		.slot = effect->connect.slot,
		.code = connect_codes[host->mood],
	};
	usec_t delay = host->delay;

	if (world->offline && !address_is_local(&effect->connect.address)) {
		happening.code = FAILURE_LOCAL_OFFLINE;
		delay = 0;
	} else if (drops(host, &effect->connect.address)) {
		return;
	} else if (host->mood == HOST_SLOW) {
		delay += world_span(world, 0, 10 * USEC_PER_SEC);
	}
	world_plan(world, happening, delay);
}

static enum failure_code
draw_code(struct world *world, const enum failure_code *codes, size_t count)
{
	return codes[world_random(world, count)];
}

/* How a dialogue with a host in `mood` ends in `stage`; FAILURE_NONE: well. */
static enum failure_code
talk_code(struct world *world, enum host_mood mood, enum stage stage)
{
	static const enum failure_code proxy[] = { FAILURE_PROTOCOL_PROXY_AUTH,
						   FAILURE_PROTOCOL_PROXY_DENIED,
						   FAILURE_PROTOCOL_PROXY_REPLY,
						   FAILURE_PROTOCOL_PROXY_TARGET,
						   FAILURE_PROTOCOL_PROXY_CLOSED };
	static const enum failure_code starttls[] = { FAILURE_PROTOCOL_STARTTLS_MISSING,
						      FAILURE_PROTOCOL_STARTTLS_REFUSED,
						      FAILURE_PROTOCOL_STARTTLS_REPLY,
						      FAILURE_PROTOCOL_STARTTLS_CLOSED,
						      FAILURE_PROTOCOL_GREETING_REJECTED };
	static const enum failure_code probe[] = {
		FAILURE_PROTOCOL_PROBE_MISMATCH, FAILURE_PROTOCOL_PROBE_STATUS,
		FAILURE_PROTOCOL_PROBE_AUTH, FAILURE_PROTOCOL_PROBE_CLOSED, FAILURE_TIMEOUT_WRITE
	};

	if (stage == STAGE_PROXY && mood == HOST_DENIES_PROXYING)
		return draw_code(world, proxy, COUNT_OF(proxy));
	if (stage == STAGE_STARTTLS && mood == HOST_DENIES_STARTTLS)
		return draw_code(world, starttls, COUNT_OF(starttls));
	if ((stage == STAGE_PROBE || stage == STAGE_READY) && mood == HOST_FAILS_PROBES)
		return draw_code(world, probe, COUNT_OF(probe));
	return FAILURE_NONE;
}

void
peer_talk(struct world *world, unsigned int client, uint64_t token)
{
	const struct host *host = host_of(world, client);
	enum stage stage = client_of(world, client)->link->stage;
	struct happening happening = { .kind = HAPPENS_DIALOGUE, .link = client, .token = token };
	usec_t delay = world_span(world, 0, 2 * host->delay);

	if (host->mood == HOST_MUTE || host->mood == HOST_DROPS)
		return;
	if (host->mood == HOST_TARDY)
		delay = world_span(world, 0, 30 * USEC_PER_SEC);
	if (stage == STAGE_READY && !world->well && world_chance(world, 10))
		happening.code = talk_code(world, HOST_FAILS_PROBES, stage);
	else
		happening.code = talk_code(world, host->mood, stage);
	world_plan(world, happening, delay);
}

const struct failure *
peer_overdue(struct world *world, const struct client *client, struct failure *failure)
{
	static const enum failure_code codes[STAGE_COUNT] = {
		[STAGE_PROXY] = FAILURE_TIMEOUT_PROXY,
		[STAGE_STARTTLS] = FAILURE_TIMEOUT_STARTTLS,
		[STAGE_PROBE] = FAILURE_TIMEOUT_PROBE,
		[STAGE_READY] = FAILURE_TIMEOUT_PROBE,
	};
	bool half = world_chance(world, 30) &&
		    (client->stage == STAGE_PROBE || client->stage == STAGE_READY);

	if (client->dialogue == 0 || world_chance(world, 20))
		return NULL;
	failure_init(failure, half ? FAILURE_PROTOCOL_PROBE_MISMATCH : codes[client->stage],
		     client->stage);
	if (half)
		failure_set_evidence(failure, "half", 4);
	return failure;
}

void
peer_handshake(struct world *world, unsigned int client, uint64_t token)
{
	static const enum failure_code codes[HOST_MOODS] = {
		[HOST_BAD_CERTIFICATE] = FAILURE_TLS_CERTIFICATE_EXPIRED,
		[HOST_HANGS_UP] = FAILURE_TLS_CLOSED,
		[HOST_RESETS] = FAILURE_TLS_RESET,
		[HOST_WRONG_VERSION] = FAILURE_TLS_VERSION,
		[HOST_NO_DESCRIPTOR] = FAILURE_LOCAL_NO_MEMORY,
	};
	const struct host *host = host_of(world, client);
	struct happening happening = {
		.kind = HAPPENS_HANDSHAKE, .link = client, .token = token, .code = codes[host->mood]
	};

	if (host->mood == HOST_INJECTS &&
	    client_of(world, client)->link->upstream->policy.starttls != STARTTLS_NONE)
		happening.code = FAILURE_PROTOCOL_STARTTLS_INJECTION;
	if (host->mood != HOST_STALLS_TLS && host->mood != HOST_DROPS)
		world_plan(world, happening, 2 * host->delay);
}

void
peer_settle(struct world *world, unsigned int client, uint64_t token)
{
	const struct host *host = host_of(world, client);
	struct happening happening = { .kind = HAPPENS_VERDICT, .link = client, .token = token };

	if (host->mood == HOST_REJECTS_US)
		happening.code = FAILURE_TLS_CLIENT_CERTIFICATE_REJECTED;
	else if (host->mood == HOST_CLOSES_EARLY)
		happening.code = FAILURE_CONNECTION_CLOSED;
	else if (world_chance(world, 50))
		return; /* silence */
	world_plan(world, happening, host->delay);
}

void
peer_hold(struct world *world, unsigned int client, uint64_t token)
{
	static const enum failure_code ends[] = {
		FAILURE_CONNECTION_CLOSED,
		FAILURE_CONNECTION_RESET,
		FAILURE_CONNECTION_TRUNCATED,
		FAILURE_TIMEOUT_DEAD_PEER,
		FAILURE_TLS_PEER_ALERT,
		FAILURE_SOCKET_IO,
		FAILURE_CONNECTION_NETWORK_UNREACHABLE,
	};
	struct happening happening = { .link = client, .token = token };
	const struct host *host = host_of(world, client);

	for (unsigned int i = 0; i < 3 && world_chance(world, 50); i++) {
		happening.kind = HAPPENS_DATA;
		world_plan(world, happening, world_span(world, 0, 5 * USEC_PER_MINUTE));
	}
	if (world->well)
		return;
	happening.kind = HAPPENS_END;
	happening.code = ends[world_random(world, COUNT_OF(ends))];
	if (host->mood == HOST_CLOSES_EARLY)
		world_plan(world, happening, world_span(world, 0, 5 * USEC_PER_SEC));
	else
		world_plan(world, happening, world_span(world, 0, USEC_PER_HOUR));
}

void
peer_close(struct world *world, unsigned int client, uint64_t token)
{
	struct happening happening = { .kind = HAPPENS_CLOSED, .link = client, .token = token };

	if (world_chance(world, 70))
		world_plan(world, happening, host_of(world, client)->delay);
}

void
peer_policy(struct world *world, struct policy *policy)
{
	policy->enabled = world_chance(world, 95);
	policy->timeout[STAGE_RESOLVE] = world_span(world, USEC_PER_SEC, 8 * USEC_PER_SEC);
	policy->timeout[STAGE_CONNECT] = world_span(world, USEC_PER_SEC, 8 * USEC_PER_SEC);
	policy->timeout[STAGE_PROXY] = world_span(world, USEC_PER_SEC, 8 * USEC_PER_SEC);
	policy->timeout[STAGE_STARTTLS] = world_span(world, USEC_PER_SEC, 12 * USEC_PER_SEC);
	policy->timeout[STAGE_PROBE] = world_span(world, USEC_PER_SEC, 8 * USEC_PER_SEC);
	policy->timeout[STAGE_HANDSHAKE] = world_span(world, USEC_PER_SEC, 12 * USEC_PER_SEC);
	policy->timeout[STAGE_SETTLE] = DEFAULT_SETTLE_TIMEOUT;
	policy->timeout[STAGE_CLOSING] = world_span(world, 100 * USEC_PER_MSEC, 3 * USEC_PER_SEC);
	policy->attempt_timeout = world_span(world, 12 * USEC_PER_SEC, 60 * USEC_PER_SEC);
	policy->retry = (struct retry_policy){
		.initial = world_span(world, 100 * USEC_PER_MSEC, 3 * USEC_PER_SEC),
		.max = world_span(world, 5 * USEC_PER_SEC, DEFAULT_RETRY_MAX),
		.multiplier = 1.0 + (double)world_random(world, 21) / 10,
		.jitter = (enum jitter)world_random(world, 3),
		.stable_after = world_span(world, USEC_PER_SEC, 60 * USEC_PER_SEC),
	};
	policy->lifetime = world_chance(world, 30) ?
				   world_span(world, 60 * USEC_PER_SEC, USEC_PER_HOUR) :
				   0;
	policy->idle_limit = world_chance(world, 30) ?
				     world_span(world, 30 * USEC_PER_SEC, USEC_PER_HOUR) :
				     0;
	policy->probe = (struct probe_policy){
		.kind = world_chance(world, 60) ? PROBE_REDIS : PROBE_NONE,
		.interval = world_chance(world, 80) ?
				    world_span(world, USEC_PER_SEC, 5 * USEC_PER_MINUTE) :
				    0,
		.failures = 1 + (unsigned int)world_random(world, 4),
	};
}

static void
draw_target(struct world *world, struct target *ret_target)
{
	char text[64];
	const char *problem;
	unsigned int host = (unsigned int)world_random(world, HOSTS_MAX);

	switch (world_random(world, 7)) {
	case 0: snprintf(text, sizeof(text), "192.0.2.%u:443", host + !host); break;
	case 1: snprintf(text, sizeof(text), "[2001:db8::%u]:443", host + !host); break;
	case 2: snprintf(text, sizeof(text), "unix:/%u.sock", host); break;
	case 3:
		snprintf(text, sizeof(text), "srv:_s._tcp.n%u.example",
			 (unsigned int)world_random(world, NAMES_MAX));
		break;
	default:
		snprintf(text, sizeof(text), "n%u.example:443",
			 (unsigned int)world_random(world, NAMES_MAX));
		break;
	}
	must(target_parse(text, FAMILY_ANY, ret_target, &problem) == 0);
}

/* A proxy that is a name or a number, with a password or without; or a header alone. */
static void
draw_proxy(struct world *world, struct proxy_policy *proxy)
{
	if (world_chance(world, 10))
		proxy->header = PROXY_HEADER_V2;
	if (!world_chance(world, 25))
		return;
	do
		draw_target(world, &proxy->target);
	while (proxy->target.kind != TARGET_NAME && proxy->target.kind != TARGET_ADDRESS);
	proxy->kind = PROXY_HTTP;
	if (world_chance(world, 30))
		proxy->password_file = "/password";
}

struct upstream *
peer_upstream(struct world *world, const char *name)
{
	unsigned int count = 1 + (unsigned int)world_random(world, 4);
	struct upstream *upstream = upstream_new(name, count);

	must(upstream);
	for (unsigned int i = 0; i < count; i++)
		draw_target(world, &upstream->targets[i]);
	peer_policy(world, &upstream->policy);
	upstream->policy.order = world_chance(world, 30) ? ORDER_RANDOM : ORDER_LISTED;
	upstream->policy.tls.enabled = world_chance(world, 70);
	if (upstream->policy.tls.enabled && world_chance(world, 40))
		upstream->policy.starttls = STARTTLS_SMTP;
	draw_proxy(world, &upstream->policy.proxy);
	return upstream;
}
