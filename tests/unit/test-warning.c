/* main/warning: what each warning says, with and without what the worker could tell. */
#include "check.h"

#include "main/warning.h"

#include <arpa/inet.h>
#include <string.h>

#define DECEMBER UINT64_C(1796083200) /* 2026-12-01 */

static char message[WARNING_MESSAGE_MAX];

static const char *
said(const struct event *event, uint64_t realtime)
{
	struct text text = TEXT_INIT(message);

	warning_message(event, realtime, &text);
	return message;
}

static struct event
event_of(enum warning_kind kind, uint64_t number)
{
	struct event event = { .kind = EVENT_WARNING };

	event.warning.kind = kind;
	event.warning.number = number;
	failure_init(&event.warning.failure, FAILURE_NONE, STAGE_READY);
	return event;
}

static struct certificate
certificate_of(const char *subject, const char *issuer, int64_t not_after)
{
	return (struct certificate){
		.subject = strdup(subject),
		.issuer = strdup(issuer),
		.names = calloc(1, sizeof(char *)),
		.not_after = not_after,
	};
}

static struct chain *
chain_of_two(int64_t leaf_end, int64_t issuer_end)
{
	struct certificate certificates[] = {
		certificate_of("CN=ldap.example.org", "CN=Example CA", leaf_end),
		certificate_of("CN=Example CA", "CN=Root", issuer_end),
	};

	return chain_new(certificates, COUNT_OF(certificates));
}

static void
the_certificate_that_ends_is_named(void **state)
{
	struct event event = event_of(WARNING_CERTIFICATE_EXPIRES, DECEMBER);

	(void)state;
	assert_string_equal(said(&event, 0), "the server's certificate chain ends on 2026-12-01");
	event.warning.failure.chain = chain_of_two((int64_t)DECEMBER, (int64_t)DECEMBER + 1);
	assert_string_equal(said(&event, (DECEMBER - 1) * USEC_PER_SEC),
			    "the server's certificate, CN=ldap.example.org, ends on 2026-12-01");
	assert_string_equal(said(&event, DECEMBER * USEC_PER_SEC),
			    "the server's certificate, CN=ldap.example.org, ended on 2026-12-01");
	event_done(&event);
	event = event_of(WARNING_CERTIFICATE_EXPIRES, DECEMBER);
	event.warning.failure.chain = chain_of_two((int64_t)DECEMBER + 1, (int64_t)DECEMBER);
	assert_string_equal(said(&event, 0),
			    "a certificate of the server's chain, CN=Example CA, ends on 2026-12-01");
	event_done(&event);
}

static void
a_changed_certificate_is_described(void **state)
{
	struct event event = event_of(WARNING_CERTIFICATE_CHANGED, 0);
	struct failure *failure = &event.warning.failure;

	(void)state;
	assert_string_equal(said(&event, 0), "the server has another certificate than before");
	failure->chain = chain_of_two((int64_t)DECEMBER, (int64_t)DECEMBER);
	failure_add_detail(failure, "old", "01ab");
	failure_add_detail(failure, "new", "02cd");
	assert_string_equal(said(&event, 0),
			    "the server has another certificate than before: CN=ldap.example.org from "
			    "CN=Example CA, good until 2026-12-01, with another key "
			    "(SPKI SHA-256 02cd, before 01ab)");
	event_done(&event);
	event = event_of(WARNING_CERTIFICATE_CHANGED, 0);
	failure_add_detail(failure, "old", "01ab");
	failure_add_detail(failure, "new", "01ab");
	assert_string_equal(said(&event, 0), "the server has another certificate than before, "
					     "with the same key (SPKI SHA-256 01ab)");
}

static void
a_revocation_list_is_named_by_its_file(void **state)
{
	struct event event = event_of(WARNING_CRL, DECEMBER);

	(void)state;
	failure_add_detail(&event.warning.failure, "file", "/etc/ours.crl");
	assert_string_equal(said(&event, 0), "a revocation list in /etc/ours.crl ends on 2026-12-01");
}

static void
our_own_certificate_is_named_by_its_file(void **state)
{
	struct event event = event_of(WARNING_OWN_CERTIFICATE, DECEMBER);

	(void)state;
	assert_string_equal(said(&event, 0), "our certificate ends on 2026-12-01");
	failure_add_detail(&event.warning.failure, "file", "/etc/holdfast/our.pem");
	assert_string_equal(said(&event, (DECEMBER + 1) * USEC_PER_SEC),
			    "our certificate /etc/holdfast/our.pem ended on 2026-12-01");
}

static void
the_last_failure_is_said_where_it_is_known(void **state)
{
	struct event family = event_of(WARNING_FAMILY_BROKEN, 6);
	struct event probe = event_of(WARNING_PROBE_FAILING, 2);
	struct in6_addr ip;

	(void)state;
	assert_string_equal(said(&family, 0),
			    "no address of IPv6 can be used, while those of the other family can");
	family.warning.failure.code = FAILURE_CONNECTION_REFUSED;
	inet_pton(AF_INET6, "2001:db8::7", &ip);
	address_from_ip(AF_INET6, &ip, 636, &family.warning.failure.peer);
	assert_string_equal(said(&family, 0),
			    "no address of IPv6 can be used, while those of the other family can; "
			    "the last: connection.refused at [2001:db8::7]:636");
	probe.warning.failure.code = FAILURE_TIMEOUT_HEARTBEAT;
	assert_string_equal(said(&probe, 0), "2 probes in a row went wrong, and the connection is "
					     "kept for now; the last: timeout.heartbeat");
}

/* Every kind that a worker can tell has words. */
static void
every_kind_says_something(void **state)
{
	(void)state;
	for (int kind = 0; kind < WARNING_COUNT; kind++) {
		struct event event = event_of((enum warning_kind)kind, 1);

		if (kind != WARNING_FLAPPING)
			assert_true(strlen(said(&event, 0)) > 20);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_certificate_that_ends_is_named),
		cmocka_unit_test(a_changed_certificate_is_described),
		cmocka_unit_test(a_revocation_list_is_named_by_its_file),
		cmocka_unit_test(our_own_certificate_is_named_by_its_file),
		cmocka_unit_test(the_last_failure_is_said_where_it_is_known),
		cmocka_unit_test(every_kind_says_something),
	};

	RUN_TESTS(tests);
}
