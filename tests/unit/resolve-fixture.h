/*
 * A resolver in a namespace of its own, with the name server of dns-server.h.
 */
#pragma once

#include "dns-server.h"
#include "namespace.h"

#include "sys/resolve.h"

#define PATIENCE (20 * USEC_PER_SEC) /* of questions that will be answered */

/* Our own /etc, so that nothing of the host's configuration has a say. */
static bool entered;

struct asked {
	unsigned int called;
	bool starting; /* query_start() has not returned yet */
	struct resolve_answer answer;
	struct address last; /* of answer.rest */
	struct query *query;
};

struct world {
	struct dns_server server;
	struct loop *loop;
	struct resolver *resolver;
	bool serving;
};

/* Who answers at 127.0.0.1. */
enum serving {
	SERVING_NOBODY,
	SERVING_UDP, /* only: TCP is refused */
	SERVING_ALL,
};

static void
write_hosts(const char *text)
{
	assert_true(file_write("/etc/hosts", text));
}

static void
write_resolv_conf(const char *text)
{
	assert_true(file_write("/etc/resolv.conf", text));
}

static int
enter(void **state)
{
	(void)state;
	entered = namespace_enter() && mount("etc", "/etc", "tmpfs", 0, NULL) == 0;
	if (!entered)
		return namespace_excuse ? 0 : -1;
	namespace_loopback_up();
	return 0;
}

static void
open_world(struct world *world, enum serving serving)
{
	if (!entered)
		skip_because(namespace_excuse);
	write_resolv_conf("nameserver 127.0.0.1\nsearch search.test\n");
	write_hosts("127.0.0.1 localhost\n198.51.100.7 from-hosts\n2001:db8::7 from-hosts\n");
	memset(world, 0, sizeof(*world));
	world->serving = serving != SERVING_NOBODY;
	if (world->serving)
		dns_start(&world->server, serving == SERVING_ALL);
	assert_int_equal(loop_new(&world->loop), 0);
	assert_int_equal(resolver_new(world->loop, &world->resolver), 0);
}

static void
close_world(struct world *world)
{
	assert_null(resolver_free(world->resolver));
	assert_null(loop_free(world->loop));
	if (world->serving)
		dns_stop(&world->server);
}

static void
on_answer(void *arg, const struct resolve_answer *answer, usec_t now)
{
	struct asked *asked = arg;

	(void)now;
	assert_false(asked->starting);
	asked->called++;
	asked->answer = *answer;
	if (answer->rest_count > 0)
		asked->last = answer->rest[answer->rest_count - 1];
	asked->answer.rest = NULL;
	asked->query = NULL;
}

static void
start(struct world *world, const struct question *question, struct asked *asked)
{
	*asked = (struct asked){ .starting = true };
	assert_int_equal(query_start(world->resolver, question, on_answer, asked, &asked->query), 0);
	asked->starting = false;
}

__attribute__((unused)) static struct question
question_for(const char *host, enum family family)
{
	return (struct question){ .host = host, .port = 636, .family = family, .timeout = PATIENCE };
}

static void
await(struct world *world, struct asked *asked)
{
	while (asked->called == 0)
		loop_turn(world->loop, true);
	assert_int_equal(asked->called, 1);
}

/* Asks and waits for the answer. */
static void
ask(struct world *world, const struct question *question, struct asked *asked)
{
	start(world, question, asked);
	await(world, asked);
}

static void
expect_rest(const struct asked *asked, unsigned int count, const char *last)
{
	char buffer[ADDRESS_TEXT_MAX];

	assert_int_equal(asked->answer.rest_count, count);
	assert_string_equal(address_format(&asked->last, buffer, sizeof(buffer)), last);
}

static void
expect_address(const struct asked *asked, unsigned int index, const char *text)
{
	char buffer[ADDRESS_TEXT_MAX];

	assert_true(asked->answer.count > index);
	assert_string_equal(address_format(&asked->answer.addresses[index], buffer, sizeof(buffer)),
			    text);
}
