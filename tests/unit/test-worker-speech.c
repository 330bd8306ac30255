/* worker/speech: proxies, STARTTLS and probes over real sockets, against servers that talk. */
#include "worker-talk.h"

#include "core/proxy.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static struct authority authority;
static SSL_CTX *server_tls;

static int
set_up(void **state)
{
	(void)state;
	authority_make(&authority);
	server_tls = authority_server(&authority, 86400);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	SSL_CTX_free(server_tls);
	authority_done(&authority);
	return 0;
}

static struct upstream *
make_starttls(const char *address)
{
	struct upstream *upstream = make_tls_upstream("mail", address, 1, &authority);

	upstream->policy.starttls = STARTTLS_SMTP;
	return upstream;
}

static struct upstream *
make_probed(const char *address, enum probe_kind kind, bool tls)
{
	struct upstream *upstream = tls ? make_tls_upstream("probed", address, 1, &authority) :
					  make_upstream("probed", address, 1);

	upstream->policy.probe.kind = kind;
	upstream->policy.probe.failures = 3;
	return upstream;
}

static void
keep(struct upstream *upstream, const char **ret, const char *text)
{
	*ret = upstream_keep(upstream, text, strlen(text) + 1);
}

/* Set the upstream and wait for the first failure of its link. */
static const struct failure *
first_failure(struct host *host, struct upstream *upstream)
{
	host_start(host);
	host_set(host, 1, upstream, false);
	host_until(host, host->failures > 0);
	return &host_link(host, 1, 1)->failure;
}

#define assert_code(got, expected) assert_string_equal(failure_name(got), failure_name(expected))

/* ---- STARTTLS ------------------------------------------------------------------------------------- */

/* The dialogue up to the command; false where the client has gone. */
static bool
smtp_begin(struct talk *talk)
{
	talk_say(talk, "220 mail.example.org ready\r\n");
	if (!talk_hear(talk, "EHLO "))
		return false;
	talk_say(talk, "250-mail.example.org\r\n250-SIZE 1000\r\n250 STARTTLS\r\n");
	return talk_hear(talk, "STARTTLS");
}

static void
smtp_good(struct talk *talk)
{
	if (!smtp_begin(talk))
		return;
	talk_say(talk, "220 go ahead\r\n");
	if (talk_secure(talk))
		talk_wait_end(talk);
}

static void
starttls_leads_to_tls(void **state)
{
	struct talker *talker = talker_start(smtp_good);
	struct host host;
	struct host_link *link;

	(void)state;
	talker->tls = server_tls;
	host_start(&host);
	host_set(&host, 1, make_starttls(talker->address), false);
	host_until(&host, host.ready[0] == 1);
	link = host_link(&host, 1, 1);
	assert_true(link->status.has_tls);
	assert_true(link->status.timing[STAGE_STARTTLS] != USEC_INFINITY);
	assert_int_equal(host.failures, 0);
	host_end(&host);
	talker_end(talker);
}

/* Octet by octet, so that each is peeked at alone. */
static void
smtp_dribble(struct talk *talk)
{
	static const char greeting[] = "220 mail.example.org ready\r\n";
	static const char go[] = "220 go ahead\r\n";

	for (size_t i = 0; i < sizeof(greeting) - 1; i++) {
		talk_say_bytes(talk, greeting + i, 1);
		usleep(1000);
	}
	if (!talk_hear(talk, "EHLO "))
		return;
	talk_say(talk, "250-mail.example.org\r\n250 STARTTLS\r\n");
	if (!talk_hear(talk, "STARTTLS"))
		return;
	for (size_t i = 0; i < sizeof(go) - 1; i++) {
		talk_say_bytes(talk, go + i, 1);
		usleep(1000);
	}
	if (talk_secure(talk))
		talk_wait_end(talk);
}

static void
a_dialogue_may_come_octet_by_octet(void **state)
{
	struct talker *talker = talker_start(smtp_dribble);
	struct host host;

	(void)state;
	talker->tls = server_tls;
	host_start(&host);
	host_set(&host, 1, make_starttls(talker->address), false);
	host_until(&host, host.ready[0] == 1);
	assert_int_equal(host.failures, 0);
	host_end(&host);
	talker_end(talker);
}

static void
smtp_inject_at_once(struct talk *talk)
{
	if (!smtp_begin(talk))
		return;
	talk_say(talk, "220 go ahead\r\n250 injected\r\n");
	talk_wait_end(talk);
}

/* The ClientHello has come: whatever is no TLS is an injection all the same. */
static void
smtp_inject_later(struct talk *talk)
{
	char octet;

	if (!smtp_begin(talk))
		return;
	talk_say(talk, "220 go ahead\r\n");
	if (recv(talk->fd, &octet, 1, MSG_PEEK) == 1)
		talk_say(talk, "250 injected later\r\n");
	talk_wait_end(talk);
}

static void
plain_text_after_the_go_ahead_is_an_injection(void **state)
{
	static const talk_fn ways[] = { smtp_inject_at_once, smtp_inject_later };

	(void)state;
	for (unsigned int i = 0; i < COUNT_OF(ways); i++) {
		struct talker *talker = talker_start(ways[i]);
		const struct failure *failure;
		struct host host;

		failure = first_failure(&host, make_starttls(talker->address));
		assert_code(failure->code, FAILURE_PROTOCOL_STARTTLS_INJECTION);
		assert_memory_equal(failure->evidence, "250 injected", 12);
		host_end(&host);
		talker_end(talker);
	}
}

static void
smtp_hang_up(struct talk *talk)
{
	talk_say(talk, "220 mail.example.org ready\r\n");
	talk_hear(talk, "EHLO ");
	if (atomic_load(&talk->talker->mood) == 1)
		talk_reset(talk);
}

static void
an_end_inside_the_dialogue_is_its_own(void **state)
{
	(void)state;
	for (int reset = 0; reset <= 1; reset++) {
		struct talker *talker = talker_start(smtp_hang_up);
		const struct failure *failure;
		struct host host;

		atomic_store(&talker->mood, reset);
		failure = first_failure(&host, make_starttls(talker->address));
		assert_code(failure->code, FAILURE_PROTOCOL_STARTTLS_CLOSED);
		assert_int_equal(failure->stage, STAGE_STARTTLS);
		assert_string_equal(failure->error_name, reset ? "ECONNRESET" : "");
		host_end(&host);
		talker_end(talker);
	}
}

static void
smtp_half_greet(struct talk *talk)
{
	talk_say(talk, "220-mail.example.org wait\r\n");
	talk_wait_end(talk);
}

/* By its mood: OpenSSH, or a port for TLS that refuses. */
static void
speak_another_protocol(struct talk *talk)
{
	if (atomic_load(&talk->talker->mood) == 0)
		talk_say(talk, "SSH-2.0-OpenSSH_9.2p1\r\n");
	else
		talk_say_bytes(talk, "\x15\x03\x03\0\x02\x02\x46", 7);
	talk_wait_end(talk);
}

static void
another_protocol_is_named(void **state)
{
	static const char *const names[] = { "SSH", "TLS" };

	(void)state;
	for (int mood = 0; mood <= 1; mood++) {
		struct talker *talker = talker_start(speak_another_protocol);
		const struct failure *failure;
		struct host host;

		atomic_store(&talker->mood, mood);
		failure = first_failure(&host, make_starttls(talker->address));
		assert_code(failure->code, FAILURE_PROTOCOL_STARTTLS_REPLY);
		assert_string_equal(failure_detail(failure, "spoken"), names[mood]);
		host_end(&host);
		failure = first_failure(&host, make_probed(talker->address, PROBE_SMTP, false));
		assert_code(failure->code, FAILURE_PROTOCOL_PROBE_MISMATCH);
		assert_string_equal(failure_detail(failure, "spoken"), names[mood]);
		host_end(&host);
		talker_end(talker);
	}
}

/* It is SMTP, and the wanted one: that is not what is wrong. */
static void
smtp_out_of_its_mind(struct talk *talk)
{
	talk_say(talk, "220-mail.example.org ESMTP\r\nwhat\r\n");
	talk_wait_end(talk);
}

static void
the_wanted_protocol_is_not_named(void **state)
{
	struct talker *talker = talker_start(smtp_out_of_its_mind);
	const struct failure *failure;
	struct host host;

	(void)state;
	failure = first_failure(&host, make_starttls(talker->address));
	assert_code(failure->code, FAILURE_PROTOCOL_STARTTLS_REPLY);
	assert_null(failure_detail(failure, "spoken"));
	assert_null(failure_detail(failure, "header"));
	host_end(&host);
	talker_end(talker);
}

/* Postfix without postscreen: it answers the header. */
static void
smtp_knows_no_header(struct talk *talk)
{
	talk_say(talk, "220 mail.example.org ESMTP\r\n");
	if (!talk_hear(talk, "PROXY "))
		return;
	talk_say(talk, "502 5.5.2 Error: command not recognized\r\n");
	talk_wait_end(talk);
}

static void
a_header_that_was_sent_is_told(void **state)
{
	struct talker *talker = talker_start(smtp_knows_no_header);
	struct upstream *upstream = make_starttls(talker->address);
	const struct failure *failure;
	struct host host;

	(void)state;
	upstream->policy.proxy.header = PROXY_HEADER_V1;
	failure = first_failure(&host, upstream);
	assert_code(failure->code, FAILURE_PROTOCOL_STARTTLS_MISSING);
	assert_string_equal(failure_detail(failure, "header"), "v1");
	host_end(&host);
	talker_end(talker);
}

static void
a_dialogues_deadline_tells_what_had_been_said(void **state)
{
	struct talker *talker = talker_start(smtp_half_greet);
	struct upstream *upstream = make_starttls(talker->address);
	const struct failure *failure;
	struct host host;

	(void)state;
	upstream->policy.timeout[STAGE_STARTTLS] = 200 * USEC_PER_MSEC;
	failure = first_failure(&host, upstream);
	assert_code(failure->code, FAILURE_TIMEOUT_STARTTLS);
	assert_memory_equal(failure->evidence, "220-mail", 8);
	host_end(&host);
	talker_end(talker);
}

/* ---- what nobody asked for ------------------------------------------------------------------------- */

/* In two pieces; together they are more than is kept. */
static void
say_why_and_hang_up(struct talk *talk)
{
	talk_say(talk, "421 go away");
	usleep(20 * 1000);
	for (unsigned int i = 0; i < 20; i++)
		talk_say(talk, ", please");
}

static void
what_a_peer_said_before_it_hung_up_is_evidence(void **state)
{
	struct talker *talker = talker_start(say_why_and_hang_up);
	const struct failure *failure;
	struct host host;

	(void)state;
	failure = first_failure(&host, make_upstream("plain", talker->address, 1));
	assert_code(failure->code, FAILURE_CONNECTION_CLOSED_EARLY);
	assert_int_equal(failure->evidence_length, FAILURE_EVIDENCE_MAX);
	assert_memory_equal(failure->evidence, "421 go away, please, please", 27);
	host_end(&host);
	talker_end(talker);
}

/* ---- proxies -------------------------------------------------------------------------------------- */

/* The upstream's greeting comes in the same breath as the proxy's verdict. */
static void
http_proxy_to_smtp(struct talk *talk)
{
	bool authorized = false;

	if (!talk_hear(talk, "CONNECT 127.0.0.7:25 "))
		return;
	while (talk_hear(talk, "") && strcmp(talk->line, "\r\n") != 0)
		authorized |= strncmp(talk->line, "Proxy-Authorization: Basic dXNlcjpzZXNhbWU=", 42) == 0;
	if (atomic_load(&talk->talker->mood) == 1 && !authorized) {
		talk_say(talk, "HTTP/1.1 407 Who are you\r\n\r\n");
		return;
	}
	talk_say(talk, "HTTP/1.1 200 OK\r\n\r\n220 mail.example.org ready\r\n");
	if (!talk_hear(talk, "EHLO "))
		return;
	talk_say(talk, "250-mail.example.org\r\n250 STARTTLS\r\n");
	if (!talk_hear(talk, "STARTTLS"))
		return;
	talk_say(talk, "220 go ahead\r\n");
	if (talk_secure(talk))
		talk_wait_end(talk);
}

static struct upstream *
make_proxied(const struct talker *talker)
{
	struct upstream *upstream = make_starttls("127.0.0.7:25");
	const char *problem;
	char url[96];

	snprintf(url, sizeof(url), "http://%s", talker->address);
	assert_int_equal(proxy_parse(url, &upstream->policy.proxy.kind,
				     &upstream->policy.proxy.target, &problem),
			 0);
	upstream->policy.tls.verify_name = upstream_keep(upstream, "127.0.0.1", 10);
	return upstream;
}

static void
what_follows_the_proxys_verdict_is_the_upstreams(void **state)
{
	struct talker *talker = talker_start(http_proxy_to_smtp);
	struct host host;
	struct host_link *link;

	(void)state;
	talker->tls = server_tls;
	host_start(&host);
	host_set(&host, 1, make_proxied(talker), false);
	host_until(&host, host.ready[0] == 1);
	link = host_link(&host, 1, 1);
	assert_true(link->status.timing[STAGE_PROXY] != USEC_INFINITY);
	assert_int_equal(host.failures, 0);
	host_end(&host);
	talker_end(talker);
}

static void
write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

/* Returns what it was before. */
static rlim_t
set_descriptors(rlim_t limit)
{
	struct rlimit rlimit;
	rlim_t before;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &rlimit), 0);
	before = rlimit.rlim_cur;
	rlimit.rlim_cur = limit;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &rlimit), 0);
	return before;
}

/* Returns the limit to be set again. */
static rlim_t
change_while_short_of_descriptors(const char *path)
{
	char next[160];
	rlim_t before;

	snprintf(next, sizeof(next), "%s.next", path);
	write_file(next, "sesame, open\n");
	before = set_descriptors(3);
	assert_int_equal(rename(next, path), 0);
	return before;
}

/*
 * A failure at load while the file is missing; tried again once it comes; kept while it is missing again.  That this host could not
 * open it for a while says nothing about the file.
 */
static void
the_proxys_password_comes_from_a_file(void **state)
{
	struct talker *talker = talker_start(http_proxy_to_smtp);
	struct upstream *upstream = make_proxied(talker);
	struct host_link *link;
	struct host host;
	rlim_t descriptors;
	char path[128];

	(void)state;
	talker->tls = server_tls;
	atomic_store(&talker->mood, 1);
	snprintf(path, sizeof(path), "%s/password", authority.directory);
	keep(upstream, &upstream->policy.proxy.user, "user");
	keep(upstream, &upstream->policy.proxy.password_file, path);
	upstream->policy.retry.initial = upstream->policy.retry.max = USEC_PER_HOUR;
	host_start(&host);
	host_set(&host, 1, upstream, false);
	link = host_link(&host, 1, 1);
	host_until(&host, host.failures == 1);
	assert_code(link->failure.code, FAILURE_LOCAL_KEY_LOAD);
	assert_int_equal(link->failure.stage, STAGE_LOAD);
	write_file(path, "sesame\n");
	host_until(&host, host.ready[0] == 1);
	unlink(path);
	host_until(&host, host.warnings[WARNING_STALE_FILES] == 1);
	assert_code(host.warning_failure.code, FAILURE_LOCAL_KEY_LOAD);
	host_command(&host, 1, COMMAND_RECONNECT);
	host_until(&host, host.closes == 1 && host.ready[0] == 1);
	write_file(path, "sesame\n");
	host_until(&host, host.warnings[WARNING_STALE_FILES] == 2);
	assert_int_equal(host.warning_failure.code, FAILURE_NONE);
	descriptors = change_while_short_of_descriptors(path);
	host_until(&host, host.warnings[WARNING_STALE_FILES] == 3);
	assert_code(host.warning_failure.code, FAILURE_LOCAL_KEY_LOAD);
	set_descriptors(descriptors);
	host_until(&host, host.warnings[WARNING_STALE_FILES] == 4);
	assert_int_equal(host.warning_failure.code, FAILURE_NONE);
	assert_int_equal(host.failures, 1);
	host_end(&host);
	talker_end(talker);
	unlink(path);
}

/* ---- probes --------------------------------------------------------------------------------------- */

enum mood { MOOD_GOOD, MOOD_ERROR, MOOD_SILENT, MOOD_HANG_UP, MOOD_CHATTY, MOOD_TALKATIVE };

/* Redis, as far as a PING goes. */
static void
redis(struct talk *talk)
{
	static const char noise[40000] = "+PONG\r\n"; /* and what nobody asked for, in the same breath */

	while (talk_hear(talk, "")) {
		if (strstr(talk->line, "PING") == NULL)
			continue;
		atomic_fetch_add(&talk->talker->heard, 1);
		switch ((enum mood)atomic_load(&talk->talker->mood)) {
		case MOOD_GOOD: talk_say(talk, "+PONG\r\n"); break;
		case MOOD_ERROR: talk_say(talk, "-ERR no\r\n"); break;
		case MOOD_SILENT: break;
		case MOOD_HANG_UP: return;
		case MOOD_CHATTY: talk_say_bytes(talk, noise, 2000); break;
		case MOOD_TALKATIVE: talk_say_bytes(talk, noise, sizeof(noise)); break;
		}
	}
}

static void
redis_over_tls(struct talk *talk)
{
	if (talk_secure(talk))
		redis(talk);
}

static struct upstream *
make_redis(const char *address, bool tls)
{
	struct upstream *upstream = make_probed(address, PROBE_REDIS, tls);

	upstream->policy.probe.interval = 50 * USEC_PER_MSEC;
	return upstream;
}

static void
probes_keep_a_connection_in_use(void **state)
{
	struct talker *talker = talker_start(redis);
	struct upstream *upstream = make_redis(talker->address, false);
	struct host_link *link;
	struct host host;

	(void)state;
	upstream->policy.idle_limit = 3 * USEC_PER_SEC;
	host_start(&host);
	host_set(&host, 1, upstream, false);
	host_until(&host, host.ready[0] == 1);
	link = host_link(&host, 1, 1);
	assert_true(link->status.timing[STAGE_PROBE] != USEC_INFINITY);
	host_for(&host, 4500 * USEC_PER_MSEC);
	assert_int_equal(host.failures + host.closes, 0);
	/* What is never asked is recycled. */
	upstream = make_upstream("probed", talker->address, 1);
	upstream->policy.idle_limit = 3 * USEC_PER_SEC;
	host_set(&host, 1, upstream, true);
	host_until(&host, host.closes == 1);
	assert_int_equal(link->reason, CLOSE_IDLE_RECYCLED);
	host_end(&host);
	talker_end(talker);
}

/* A server that adds something of its own now and then, and answers all the same. */
static void
what_came_before_a_good_probe_is_forgotten(void **state)
{
	struct talker *talker = talker_start(redis);
	struct host host;

	(void)state;
	atomic_store(&talker->mood, MOOD_CHATTY);
	host_start(&host);
	host_set(&host, 1, make_redis(talker->address, false), false);
	host_until(&host, atomic_load(&talker->heard) > 20);
	assert_int_equal(host.failures, 0);
	assert_int_equal(atomic_load(&talker->accepted), 1);
	host_end(&host);
	talker_end(talker);
}

static void
a_failing_probe_is_a_warning_first(void **state)
{
	struct talker *talker = talker_start(redis);
	struct host_link *link;
	struct host host;

	(void)state;
	host_start(&host);
	host_set(&host, 1, make_redis(talker->address, false), false);
	host_until(&host, host.ready[0] == 1);
	link = host_link(&host, 1, 1);
	/* Bad, then good again before it is given up. */
	atomic_store(&talker->mood, MOOD_ERROR);
	host_until(&host, host.warnings[WARNING_PROBE_FAILING] > 0);
	atomic_store(&talker->mood, MOOD_GOOD);
	host_until(&host, host.overs[WARNING_PROBE_FAILING] > 0);
	/* Bad for good. */
	atomic_store(&talker->mood, MOOD_ERROR);
	host_until(&host, link->failure.code == FAILURE_PROTOCOL_PROBE_STATUS &&
				  link->failure.stage == STAGE_READY);
	host_end(&host);
	talker_end(talker);
}

static void
ends_of_probes_while_ready_have_names(void **state)
{
	static const struct {
		enum mood mood;
		enum failure_code code;
	} cases[] = {
		{ MOOD_SILENT, FAILURE_TIMEOUT_HEARTBEAT },
		{ MOOD_HANG_UP, FAILURE_PROTOCOL_PROBE_CLOSED },
		{ MOOD_TALKATIVE, FAILURE_PROTOCOL_UNSOLICITED_DATA },
	};

	(void)state;
	for (unsigned int i = 0; i < 2 * COUNT_OF(cases); i++) {
		bool tls = i >= COUNT_OF(cases);
		struct talker *talker = talker_start(tls ? redis_over_tls : redis);
		struct upstream *upstream = make_redis(talker->address, tls);
		struct host_link *link;
		struct host host;

		talker->tls = server_tls;
		upstream->policy.timeout[STAGE_PROBE] = 200 * USEC_PER_MSEC;
		host_start(&host);
		host_set(&host, 1, upstream, false);
		host_until(&host, host.ready[0] == 1);
		link = host_link(&host, 1, 1);
		atomic_store(&talker->mood, cases[i % COUNT_OF(cases)].mood);
		host_until(&host, host.failures > 0);
		assert_int_equal(link->failure.stage, STAGE_READY);
		assert_code(link->failure.code, cases[i % COUNT_OF(cases)].code);
		host_end(&host);
		talker_end(talker);
	}
}

/* The greeting comes at once, and TLS 1.3 lets it come while the verdict on our certificate is still awaited. */
static void
smtps(struct talk *talk)
{
	if (talk->talker->tls && !talk_secure(talk))
		return;
	talk_say(talk, "220 mail.example.org ready\r\n");
	while (talk_hear(talk, "")) {
		atomic_fetch_add(&talk->talker->heard, 1);
		talk_say(talk, "250 fine\r\n");
	}
}

static void
a_greeting_reaches_the_probe(void **state)
{
	(void)state;
	for (int tls = 0; tls <= 2; tls++) {
		struct talker *talker = talker_start(smtps);
		SSL_CTX *demanding = authority_server(&authority, 86400);
		struct upstream *upstream = make_probed(talker->address, PROBE_SMTP, tls > 0);
		char certificate[128], key[128];
		struct host host;

		authority_demand_client(demanding, &authority);
		SSL_CTX_set_num_tickets(demanding, 0); /* the greeting is what tells the verdict */
		if (tls == 2) {
			authority_client(&authority, certificate, key);
			keep(upstream, &upstream->policy.tls.certificate, certificate);
			keep(upstream, &upstream->policy.tls.key, key);
		}
		talker->tls = tls == 2 ? demanding : tls == 1 ? server_tls : NULL;
		upstream->policy.timeout[STAGE_SETTLE] = USEC_PER_MINUTE;
		upstream->policy.probe.interval = 50 * USEC_PER_MSEC;
		host_start(&host);
		host_set(&host, 1, upstream, false);
		host_until(&host, host.ready[0] == 1);
		host_until(&host, atomic_load(&talker->heard) >= 4);
		assert_int_equal(host.failures, 0);
		host_end(&host);
		talker_end(talker);
		SSL_CTX_free(demanding);
	}
}

/* A probe that is wanted no more is not waited for; one that is wanted again finds the connection as it is. */
static void
a_probe_can_be_switched_off_and_on(void **state)
{
	struct talker *talker = talker_start(redis);
	struct upstream *upstream = make_redis(talker->address, false);
	unsigned int heard;
	struct host host;

	(void)state;
	upstream->policy.timeout[STAGE_PROBE] = USEC_PER_SEC;
	host_start(&host);
	host_set(&host, 1, upstream, false);
	host_until(&host, host.ready[0] == 1);
	atomic_store(&talker->mood, MOOD_SILENT);
	heard = atomic_load(&talker->heard);
	host_until(&host, atomic_load(&talker->heard) > heard);
	host_set(&host, 1, make_upstream("probed", talker->address, 1), true);
	host_for(&host, 1500 * USEC_PER_MSEC);
	assert_int_equal(host.failures, 0);
	atomic_store(&talker->mood, MOOD_GOOD);
	heard = atomic_load(&talker->heard);
	host_set(&host, 1, make_redis(talker->address, false), true);
	host_until(&host, atomic_load(&talker->heard) > heard + 3);
	assert_int_equal(host.failures + host.closes, 0);
	assert_int_equal(atomic_load(&talker->accepted), 1);
	host_end(&host);
	talker_end(talker);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(starttls_leads_to_tls),
		cmocka_unit_test(a_dialogue_may_come_octet_by_octet),
		cmocka_unit_test(plain_text_after_the_go_ahead_is_an_injection),
		cmocka_unit_test(an_end_inside_the_dialogue_is_its_own),
		cmocka_unit_test(another_protocol_is_named),
		cmocka_unit_test(the_wanted_protocol_is_not_named),
		cmocka_unit_test(a_header_that_was_sent_is_told),
		cmocka_unit_test(a_dialogues_deadline_tells_what_had_been_said),
		cmocka_unit_test(what_a_peer_said_before_it_hung_up_is_evidence),
		cmocka_unit_test(what_follows_the_proxys_verdict_is_the_upstreams),
		cmocka_unit_test(the_proxys_password_comes_from_a_file),
		cmocka_unit_test(probes_keep_a_connection_in_use),
		cmocka_unit_test(what_came_before_a_good_probe_is_forgotten),
		cmocka_unit_test(a_failing_probe_is_a_warning_first),
		cmocka_unit_test(ends_of_probes_while_ready_have_names),
		cmocka_unit_test(a_greeting_reaches_the_probe),
		cmocka_unit_test(a_probe_can_be_switched_off_and_on),
	};

	/* Servers write to whoever has gone. */
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
