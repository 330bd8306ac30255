/* sys/network: hosts with and without a network, made of namespaces. */
#include "check.h"
#include "namespace.h"

#include "sys/clock.h"
#include "sys/network.h"

#include <arpa/inet.h>
#include <sys/wait.h>

static bool allowed;

/* Tries it in a child, since each test needs a namespace of its own. */
static int
probe(void **state)
{
	int status = -1;
	pid_t child = fork();

	(void)state;
	if (child == 0) {
		bool entered = namespace_enter();

		if (namespace_excuse)
			fprintf(stderr, "# %s\n", namespace_excuse);
		_exit(entered ? 0 : namespace_excuse ? 1 : 2);
	}
	if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status))
		return -1;
	allowed = WEXITSTATUS(status) == 0;
	return WEXITSTATUS(status) == 2 ? -1 : 0;
}

/* Runs `body` in a namespace of its own; it exits with the line that failed. */
static void
in_namespace(void (*body)(void))
{
	int status;
	pid_t child;

	if (!allowed)
		skip_because("no namespaces here (the reason stands above)");
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		if (!namespace_enter())
			_exit(255);
		body();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* assert_…() leaps back into the parent's test: a child says so by its exit status. */
#define EXPECT(expression) \
	do { \
		if (!(expression)) { \
			fprintf(stderr, "# line %d: %s\n", __LINE__, #expression); \
			_exit(1); \
		} \
	} while (0)

static bool
offline(const char *text)
{
	struct address address = { 0 };
	unsigned char ip[16];

	if (!text)
		return network_is_offline(&address);
	if (inet_pton(AF_INET, text, ip) == 1)
		address_from_ip(AF_INET, ip, 636, &address);
	else if (inet_pton(AF_INET6, text, ip) == 1)
		address_from_ip(AF_INET6, ip, 636, &address);
	return network_is_offline(&address);
}

/* The kernel notices a carrier in its own time. */
static bool
comes_online(const char *text)
{
	while (offline(text))
		usleep(1000);
	return true;
}

static void
shell(const char *command)
{
	EXPECT(system(command) == 0);
}

static void
with_nothing(void)
{
	struct address unix_socket = { .length = sizeof(unix_socket.un) };

	unix_socket.un.sun_family = AF_UNIX;
	strcpy(unix_socket.un.sun_path, "/run/x");
	for (int up = 0; up < 2; up++) {
		EXPECT(offline("192.0.2.1"));
		EXPECT(offline("2001:db8::1"));
		EXPECT(offline(NULL));
		EXPECT(!offline("127.0.0.1"));
		EXPECT(!offline("::1"));
		EXPECT(!offline("::ffff:127.0.0.1"));
		EXPECT(!network_is_offline(&unix_socket));
		shell("ip link set lo up");
	}
}

static void
with_an_address(void)
{
	shell("ip link set lo up && ip link add there type veth peer name here && "
	      "ip address add 192.0.2.9/24 dev here");
	EXPECT(offline("192.0.2.1")); /* down */
	shell("ip link set here up");
	EXPECT(offline("192.0.2.1")); /* no carrier: the other end is down */
	shell("ip link set there up");
	EXPECT(comes_online("192.0.2.1"));
	EXPECT(!offline(NULL));
	/* Not our network, but there is one: a connect shall say why it fails. */
	EXPECT(!offline("203.0.113.1"));
	EXPECT(!offline("2001:db8::1"));
	shell("ip address del 192.0.2.9/24 dev here");
	EXPECT(offline("192.0.2.1"));
	EXPECT(offline("203.0.113.1"));
	EXPECT(offline(NULL));
}

static void
with_link_local_addresses_only(void)
{
	shell("ip link set lo up && ip link add there type veth peer name here && "
	      "ip link set here up && ip link set there up && "
	      "ip -6 address add fe80::1234/64 dev here nodad && "
	      "ip address add 169.254.1.1/16 dev here");
	EXPECT(offline("192.0.2.1"));
	EXPECT(offline("2001:db8::1"));
	EXPECT(offline(NULL));
	EXPECT(comes_online("169.254.1.2"));
	EXPECT(offline("192.0.2.1"));
	EXPECT(offline("2001:db8::1"));
}

/* BGP unnumbered: the host's address is on lo, its routes go out through links that have none. */
static void
with_an_address_on_loopback(void)
{
	shell("ip link set lo up && ip address add 198.51.100.1/32 dev lo && "
	      "ip link add there type veth peer name here && ip link set here up && "
	      "ip link set there up && ip route add default dev here src 198.51.100.1");
	EXPECT(comes_online("192.0.2.1"));
	EXPECT(!offline(NULL));
	shell("ip route del default");
	EXPECT(offline("192.0.2.1"));
	EXPECT(!offline("198.51.100.1")); /* ourselves */
}

static void
with_a_rule_against_it(void)
{
	shell("ip link set lo up && ip route add prohibit 192.0.2.1 && ip route add blackhole 192.0.2.2");
	EXPECT(!offline("192.0.2.1"));
	EXPECT(!offline("192.0.2.2"));
}

struct told {
	unsigned int count;
	usec_t at;
};

static void
on_gain(void *arg, usec_t now)
{
	struct told *told = arg;

	told->count++;
	told->at = now;
}

static void
changes_come_together(void)
{
	struct loop *loop;
	struct network *network;
	struct told told = { 0 };
	usec_t first;

	EXPECT(loop_new(&loop) == 0);
	EXPECT(network_new(loop, on_gain, &told, &network) == 0);
	loop_turn(loop, false);
	loop_turn(loop, false);
	EXPECT(told.count == 0);
	shell("ip link set lo up && ip address add 198.51.100.1/32 dev lo");
	while (told.count < 1)
		loop_turn(loop, true);
	first = told.at;
	shell("ip address add 198.51.100.2/32 dev lo && ip address add 198.51.100.3/32 dev lo && "
	      "ip route add 203.0.113.0/24 dev lo");
	while (told.count < 2)
		loop_turn(loop, true);
	EXPECT(told.at >= first + 200 * USEC_PER_MSEC);
	/* A loss is nobody's cue. */
	usleep(250000);
	loop_turn(loop, false);
	loop_turn(loop, false);
	told.count = 0;
	shell("ip route del 203.0.113.0/24 dev lo");
	loop_turn(loop, true);
	loop_turn(loop, false);
	EXPECT(told.count == 0);
	EXPECT(network_free(network) == NULL);
	EXPECT(network_free(NULL) == NULL);
	EXPECT(loop_free(loop) == NULL);
}

#define IN_NAMESPACE(name) \
	static void test_##name(void **state) \
	{ \
		(void)state; \
		in_namespace(name); \
	}

IN_NAMESPACE(with_nothing)
IN_NAMESPACE(with_an_address)
IN_NAMESPACE(with_link_local_addresses_only)
IN_NAMESPACE(with_an_address_on_loopback)
IN_NAMESPACE(with_a_rule_against_it)
IN_NAMESPACE(changes_come_together)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_with_nothing),
		cmocka_unit_test(test_with_an_address),
		cmocka_unit_test(test_with_link_local_addresses_only),
		cmocka_unit_test(test_with_an_address_on_loopback),
		cmocka_unit_test(test_with_a_rule_against_it),
		cmocka_unit_test(test_changes_come_together),
	};

	return cmocka_run_group_tests(tests, probe, NULL);
}
