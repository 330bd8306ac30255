/* worker: names, services and families, in a namespace with a hosts file and a name server of its own. */
#include "dns-server.h"
#include "namespace.h"
#include "worker-talk.h"

#include "core/input.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

static bool entered;
static struct authority authority;

#define assert_code(got, expected) assert_string_equal(failure_name(got), failure_name(expected))

static int
set_up(void **state)
{
	(void)state;
	entered = namespace_enter() && mount("etc", "/etc", "tmpfs", 0, NULL) == 0;
	if (!entered)
		return namespace_excuse ? 0 : -1;
	namespace_loopback_up();
	run("ip address add 192.0.2.8/32 dev lo && ip address add 192.0.2.9/32 dev lo");
	run("ip address add 2001:db8::9/128 dev lo nodad");
	authority_make(&authority);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	if (entered)
		authority_done(&authority);
	return 0;
}

static void
begin(const char *hosts)
{
	if (!entered)
		skip_because(namespace_excuse);
	assert_true(file_write("/etc/resolv.conf", "nameserver 127.0.0.1\noptions attempts:1\n"));
	assert_true(file_write("/etc/hosts", hosts));
}

static void
hold(struct talk *talk)
{
	talk_wait_end(talk);
}

static void
secure(struct talk *talk)
{
	if (talk_secure(talk))
		talk_wait_end(talk);
}

/* What was offered is seen by the name server's thread with the next question, which it counts. */
static void
publish_offers(struct dns_server *dns)
{
	__atomic_add_fetch(&dns->questions, 0, __ATOMIC_SEQ_CST);
}

/* ---- services ------------------------------------------------------------------------------------- */

static void
a_service_leads_to_the_hosts_of_its_records(void **state)
{
	struct talker *talker;
	struct dns_server dns;
	struct host_link *link;
	struct host host;
	char expected[64], address[ADDRESS_TEXT_MAX];

	(void)state;
	begin("");
	dns_start(&dns, true);
	talker = talker_start_on("192.0.2.9", 0, hold);
	/* The best one's host is up, and nothing listens there. */
	dns_offer(&dns, &(struct dns_offer){ "_app._tcp.test", 60, 10, 0, talker->port, "four-8.test" });
	dns_offer(&dns, &(struct dns_offer){ "_app._tcp.test", 60, 20, 0, talker->port, "four-9.test" });
	publish_offers(&dns);
	host_start(&host);
	host_set(&host, 1, make_upstream("app", "srv:_app._tcp.test", 1), false);
	host_until(&host, host.ready[0] == 1);
	link = host_link(&host, 1, 1);
	snprintf(expected, sizeof(expected), "192.0.2.9:%u", talker->port);
	assert_string_equal(address_format(&link->status.address, address, sizeof(address)), expected);
	assert_int_equal(link->lost_addresses, 1);
	assert_true(dns_questions(&dns) > 0);
	host_end(&host);
	talker_end(talker);
	dns_stop(&dns);
}

/* IPv6 would be tried first among equals; the better record is the one of IPv4. */
static void
the_order_of_records_outweighs_the_family(void **state)
{
	struct talker *best, *other;
	struct dns_server dns;
	struct host_link *link;
	struct host host;
	char address[ADDRESS_TEXT_MAX];

	(void)state;
	begin("");
	dns_start(&dns, true);
	best = talker_start_on("192.0.2.8", 0, hold);
	other = talker_start_on("2001:db8::9", best->port, hold);
	dns_offer(&dns, &(struct dns_offer){ "_app._tcp.test", 60, 20, 0, best->port, "six-9.test" });
	dns_offer(&dns, &(struct dns_offer){ "_app._tcp.test", 60, 10, 0, best->port, "four-8.test" });
	publish_offers(&dns);
	host_start(&host);
	host_set(&host, 1, make_upstream("app", "srv:_app._tcp.test", 1), false);
	host_until(&host, host.ready[0] == 1);
	link = host_link(&host, 1, 1);
	assert_string_equal(address_format(&link->status.address, address, sizeof(address)),
			    best->address);
	host_end(&host);
	talker_end(best);
	talker_end(other);
	dns_stop(&dns);
}

/* The certificate is for neither: the failure says who was meant. */
static void
a_services_certificate_is_for_its_domain_or_its_host(void **state)
{
	static const char *const names[] = { NULL, VERIFY_NAME_SRV_TARGET };
	static const char *const wanted[] = { "test", "four-9.test" };

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		struct upstream *upstream;
		struct talker *talker;
		struct dns_server dns;
		struct host_link *link;
		struct host host;
		SSL_CTX *tls;

		begin("");
		dns_start(&dns, true);
		talker = talker_start_on("192.0.2.9", 0, secure);
		talker->tls = tls = authority_server(&authority, 86400);
		dns_offer(&dns, &(struct dns_offer){ "_app._tcp.test", 60, 1, 0, talker->port,
						     "four-9.test" });
		publish_offers(&dns);
		host_start(&host);
		upstream = make_tls_upstream("app", "srv:_app._tcp.test", 1, &authority);
		upstream->policy.tls.verify_name = names[i];
		host_set(&host, 1, upstream, false);
		link = host_link(&host, 1, 1);
		host_until(&host, host.failures > 0);
		assert_code(link->failure.code, FAILURE_TLS_CERTIFICATE_NAME);
		assert_string_equal(failure_detail(&link->failure, "name"), wanted[i]);
		host_end(&host);
		talker_end(talker);
		dns_stop(&dns);
		SSL_CTX_free(tls);
	}
}

/* ---- addresses that go ---------------------------------------------------------------------------- */

static void
an_address_that_has_gone_is_left(void **state)
{
	struct talker *old, *new;
	struct upstream *upstream;
	struct host_link *link;
	struct host host;
	char address[ADDRESS_TEXT_MAX];

	(void)state;
	begin("127.0.0.2 app.test\n");
	old = talker_start_on("127.0.0.2", 0, hold);
	new = talker_start_on("127.0.0.3", old->port, hold);
	snprintf(address, sizeof(address), "app.test:%u", old->port);
	upstream = make_upstream("app", address, 1);
	upstream->policy.family = FAMILY_IPV4;
	host_start(&host);
	host_set(&host, 1, upstream, false);
	host_until(&host, host.ready[0] == 1);
	host_watch_ready(&host);
	assert_true(file_write("/etc/hosts", "127.0.0.3 app.test\n"));
	link = host_link(&host, 1, 1);
	host_until(&host, host.closes == 1);
	assert_int_equal(link->reason, CLOSE_ADDRESS_GONE);
	assert_int_equal(atomic_load(&old->accepted), 1);
	host_until(&host, atomic_load(&new->accepted) == 1);
	assert_int_equal(host.least_ready[0], 1);
	/* That the name does not exist any more proves nothing about the address. */
	assert_true(file_write("/etc/hosts", "127.0.0.3 other.test\n"));
	host_for(&host, 2 * ADDRESS_REFRESH_MIN);
	assert_int_equal(host.closes, 1);
	assert_int_equal(host.failures, 0);
	host_end(&host);
	talker_end(old);
	talker_end(new);
}

/* So many that an attempt has no room for all of them: that is told, and one of them is missed all the same. */
static void
an_address_of_many_that_has_gone_is_left(void **state)
{
	char hosts[20 * 32] = "127.0.0.2 app.test\n", address[64];
	struct talker *old, *new;
	struct upstream *upstream;
	struct host host;

	(void)state;
	for (unsigned int i = 10; i < 29; i++)
		snprintf(hosts + strlen(hosts), 32, "127.0.0.%u app.test\n", i);
	begin(hosts);
	old = talker_start_on("127.0.0.2", 0, hold);
	new = talker_start_on("127.0.0.10", old->port, hold);
	snprintf(address, sizeof(address), "app.test:%u", old->port);
	upstream = make_upstream("app", address, 1);
	upstream->policy.family = FAMILY_IPV4;
	host_start(&host);
	host_set(&host, 1, upstream, false);
	host_until(&host, host.ready[0] == 1);
	host_until(&host, host.warnings[WARNING_LEFT_OUT] == 1);
	assert_int_equal(host.last_number[WARNING_LEFT_OUT], 20 - ANSWER_ADDRESSES_MAX);
	host_until(&host, atomic_load(&old->accepted) == 1); /* the server may be slower than its kernel */
	assert_true(file_write("/etc/hosts", hosts + strlen("127.0.0.2 app.test\n")));
	host_until(&host, host.closes == 1 && atomic_load(&new->accepted) == 1);
	assert_int_equal(host_link(&host, 1, 1)->reason, CLOSE_ADDRESS_GONE);
	host_end(&host);
	talker_end(old);
	talker_end(new);
}

/* Whom nobody listens for yet is asked by one of them alone. */
static void
links_leave_one_after_the_other(void **state)
{
	struct talker *old, *new;
	struct upstream *upstream;
	struct host host;
	char address[64];

	(void)state;
	begin("127.0.0.2 app.test\n");
	old = talker_start_on("127.0.0.2", 0, hold);
	snprintf(address, sizeof(address), "app.test:%u", old->port);
	upstream = make_upstream("app", address, 3);
	upstream->policy.family = FAMILY_IPV4;
	host_start(&host);
	host_set(&host, 1, upstream, false);
	host_until(&host, host.ready[0] == 3);
	host_watch_ready(&host);
	assert_true(file_write("/etc/hosts", "127.0.0.3 app.test\n"));
	host_until(&host, host.failures > 3);
	for (unsigned int number = 2; number <= 3; number++)
		assert_code(host_link(&host, 1, number)->failure.code, FAILURE_NONE);
	new = talker_start_on("127.0.0.3", old->port, hold);
	host_until(&host, host.closes == 3 && atomic_load(&new->accepted) == 3);
	assert_int_equal(host.least_ready[0], 3);
	host_end(&host);
	talker_end(old);
	talker_end(new);
}

/* ---- families ------------------------------------------------------------------------------------- */

static void
a_dead_family_is_told_once_and_when_it_is_back(void **state)
{
	struct talker *four, *six;
	struct host host;
	char addresses[128];

	(void)state;
	begin("");
	four = talker_start_on("192.0.2.9", 0, hold);
	snprintf(addresses, sizeof(addresses), "[2001:db8::9]:%u 192.0.2.9:%u", four->port, four->port);
	host_start(&host);
	host_set(&host, 1, make_upstream("both", addresses, 3), false);
	host_until(&host, host.ready[0] == 3);
	host_until(&host, host.warnings[WARNING_FAMILY_BROKEN] == 1);
	assert_int_equal(host.last_number[WARNING_FAMILY_BROKEN], 6);
	assert_code(host.last_warning[WARNING_FAMILY_BROKEN].code, FAILURE_CONNECTION_REFUSED);
	six = talker_start_on("2001:db8::9", four->port, hold);
	host_command(&host, 1, COMMAND_RECONNECT);
	host_until(&host, host.closes == 3 && host.ready[0] == 3);
	host_until(&host, host.overs[WARNING_FAMILY_BROKEN] == 1);
	assert_int_equal(host.warnings[WARNING_FAMILY_BROKEN], 2);
	host_end(&host);
	talker_end(four);
	talker_end(six);
}

/* ---- what is changed in place while sockets race -------------------------------------------------- */

/* Whether a socket of this process is connected to `port` and has that keepalive. */
static bool
has_keepalive(unsigned int port, int idle)
{
	for (int fd = 3; fd < 200; fd++) {
		struct sockaddr_in in;
		socklen_t length = sizeof(in), int_length = sizeof(int);
		int value;

		if (getpeername(fd, (struct sockaddr *)&in, &length) == 0 &&
		    in.sin_family == AF_INET && ntohs(in.sin_port) == port &&
		    getsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &value, &int_length) == 0 && value == idle)
			return true;
	}
	return false;
}

static struct upstream *
make_slow(unsigned int port, usec_t idle)
{
	struct upstream *upstream;
	char address[64];

	snprintf(address, sizeof(address), "127.0.0.1:%u", port);
	upstream = make_upstream("slow", address, 1);
	upstream->policy.timeout[STAGE_CONNECT] = upstream->policy.attempt_timeout = USEC_PER_MINUTE;
	upstream->policy.transport.keepalive.idle = idle;
	return upstream;
}

static void
keepalive_reaches_a_socket_that_still_connects(void **state)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	socklen_t length = sizeof(in);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), fillers[3];
	struct host_link *link;
	struct host host;

	(void)state;
	begin("");
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(listener, (struct sockaddr *)&in, sizeof(in)), 0);
	assert_int_equal(listen(listener, 0), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&in, &length), 0);
	for (unsigned int i = 0; i < COUNT_OF(fillers); i++) {
		fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		connect(fillers[i], (struct sockaddr *)&in, sizeof(in));
	}
	host_start(&host);
	host_set(&host, 1, make_slow(ntohs(in.sin_port), 77 * USEC_PER_SEC), false);
	link = host_link(&host, 1, 1);
	host_until(&host, link->status.stage == STAGE_CONNECT);
	host_set(&host, 1, make_slow(ntohs(in.sin_port), 78 * USEC_PER_SEC), true);
	host_for(&host, 100 * USEC_PER_MSEC);
	assert_int_equal(link->status.stage, STAGE_CONNECT);
	for (unsigned int i = 0; i < COUNT_OF(fillers); i++)
		close(fillers[i]);
	assert_int_equal(listen(listener, 16), 0);
	host_until(&host, host.ready[0] == 1);
	assert_true(has_keepalive(ntohs(in.sin_port), 78));
	host_end(&host);
	close(listener);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_service_leads_to_the_hosts_of_its_records),
		cmocka_unit_test(the_order_of_records_outweighs_the_family),
		cmocka_unit_test(a_services_certificate_is_for_its_domain_or_its_host),
		cmocka_unit_test(an_address_that_has_gone_is_left),
		cmocka_unit_test(an_address_of_many_that_has_gone_is_left),
		cmocka_unit_test(links_leave_one_after_the_other),
		cmocka_unit_test(a_dead_family_is_told_once_and_when_it_is_back),
		cmocka_unit_test(keepalive_reaches_a_socket_that_still_connects),
	};

	/* Servers write to whoever has gone. */
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
