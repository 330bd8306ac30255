#include "worker-harness.h"

#include "base/prng.h"
#include "sys/clock.h"
#include "sys/entropy.h"
#include "sys/fd.h"
#include "sys/loop.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define END_CLOSE  1u
#define END_RESET  2u
#define END_SERVER 3u

/* ---- servers -------------------------------------------------------------------------------------- */

struct served {
	int fd;
	SSL *ssl;
	bool secured;
	struct served *next;
};

static void
served_free(struct server *server, struct served *served, bool reset)
{
	const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };
	struct served **place = &server->connections;

	while (*place != served)
		place = &(*place)->next;
	*place = served->next;
	if (reset)
		setsockopt(served->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	else if (served->ssl && served->secured)
		SSL_shutdown(served->ssl);
	SSL_free(served->ssl);
	fd_close(served->fd);
	free(served);
	atomic_fetch_sub(&server->open, 1);
}

/* Returns false where it has ended. */
static bool
served_speak(struct server *server, struct served *served)
{
	static const char line[] = "hello, this is a server\r\n";
	char noise[4096];

	memset(noise, 'x', sizeof(noise));
	if (atomic_load(&server->conduct) == CONDUCT_GREET) {
		if (served->ssl)
			SSL_write(served->ssl, line, sizeof(line) - 1);
		else
			send(served->fd, line, sizeof(line) - 1, MSG_NOSIGNAL);
	}
	for (unsigned int i = 0; atomic_load(&server->conduct) == CONDUCT_FLOOD && i < 16; i++) {
		if (served->ssl)
			SSL_write(served->ssl, noise, sizeof(noise));
		else
			send(served->fd, noise, sizeof(noise), MSG_NOSIGNAL | MSG_DONTWAIT);
	}
	return true;
}

static bool
served_read_tls(struct server *server, struct served *served)
{
	char buffer[4096];
	int n;

	ERR_clear_error();
	if (!served->secured) {
		n = SSL_accept(served->ssl);
		if (n == 1) {
			served->secured = true;
			return served_speak(server, served);
		}
	} else {
		n = SSL_read(served->ssl, buffer, sizeof(buffer));
		if (n > 0)
			return true;
	}
	n = SSL_get_error(served->ssl, n);
	return n == SSL_ERROR_WANT_READ || n == SSL_ERROR_WANT_WRITE;
}

static bool
served_read(struct server *server, struct served *served)
{
	char buffer[4096];
	ssize_t n;

	if (atomic_load(&server->conduct) == CONDUCT_DEAF)
		return epoll_ctl(server->epoll, EPOLL_CTL_DEL, served->fd, NULL) == 0;
	if (served->ssl)
		return served_read_tls(server, served);
	n = recv(served->fd, buffer, sizeof(buffer), MSG_DONTWAIT);
	return n > 0 || (n < 0 && errno == EAGAIN);
}

static void
server_accept(struct server *server)
{
	struct epoll_event event = { .events = EPOLLIN };
	enum conduct conduct = atomic_load(&server->conduct);
	struct served *served;
	int fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	served = calloc(1, sizeof(*served));
	served->fd = fd;
	served->next = server->connections;
	server->connections = served;
	atomic_fetch_add(&server->open, 1);
	atomic_fetch_add(&server->accepted, 1);
	if (conduct == CONDUCT_CLOSE || conduct == CONDUCT_RESET) {
		served_free(server, served, conduct == CONDUCT_RESET);
		return;
	}
	if (server->tls) {
		served->ssl = SSL_new(server->tls);
		SSL_set_fd(served->ssl, fd);
	} else {
		served_speak(server, served);
	}
	event.data.ptr = served;
	epoll_ctl(server->epoll, EPOLL_CTL_ADD, fd, &event);
}

/* Returns false where the thread shall end. */
static bool
server_obey(struct server *server)
{
	unsigned int wanted = atomic_load(&server->wanted_end);
	eventfd_t value;

	eventfd_read(server->control, &value);
	while (wanted != 0 && server->connections)
		served_free(server, server->connections, wanted == END_RESET);
	if (wanted == END_SERVER)
		return false;
	atomic_store(&server->wanted_end, 0);
	return true;
}

static void *
server_run(void *arg)
{
	struct server *server = arg;
	struct epoll_event event;

	/* One event a turn: what is freed by one is never waited for by another. */
	for (;;) {
		if (epoll_wait(server->epoll, &event, 1, -1) != 1)
			continue; /* SIGCONT */
		if (event.data.ptr == server)
			server_accept(server);
		else if (event.data.ptr == &server->control) {
			if (!server_obey(server))
				break;
		} else if (!served_read(server, event.data.ptr))
			served_free(server, event.data.ptr, false);
	}
	return NULL;
}

static struct server *
serve(int listener, enum conduct conduct, SSL_CTX *tls)
{
	struct server *server = calloc(1, sizeof(*server));
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = server };

	assert_true(listener >= 0);
	assert_int_equal(listen(listener, 4096), 0);
	server->listener = listener;
	server->tls = tls;
	atomic_store(&server->conduct, conduct);
	server->control = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	server->epoll = epoll_create1(EPOLL_CLOEXEC);
	assert_int_equal(epoll_ctl(server->epoll, EPOLL_CTL_ADD, listener, &event), 0);
	event.data.ptr = &server->control;
	assert_int_equal(epoll_ctl(server->epoll, EPOLL_CTL_ADD, server->control, &event), 0);
	assert_int_equal(pthread_create(&server->thread, NULL, server_run, server), 0);
	return server;
}

static int
bind_loopback(uint16_t port, uint16_t *ret_port)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };
	socklen_t length = sizeof(in);
	int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &length), 0);
	*ret_port = ntohs(in.sin_port);
	return fd;
}

struct server *
server_start(enum conduct conduct, SSL_CTX *tls)
{
	uint16_t port;
	struct server *server = serve(bind_loopback(0, &port), conduct, tls);

	snprintf(server->address, sizeof(server->address), "127.0.0.1:%u", port);
	return server;
}

struct server *
server_start_on(const char *address, enum conduct conduct)
{
	uint16_t port = (uint16_t)strtoul(strchr(address, ':') + 1, NULL, 10);
	struct server *server = serve(bind_loopback(port, &port), conduct, NULL);

	snprintf(server->address, sizeof(server->address), "%s", address);
	return server;
}

static void
order(struct server *server, unsigned int end)
{
	atomic_store(&server->wanted_end, end);
	eventfd_write(server->control, 1);
	while (end != END_SERVER && atomic_load(&server->wanted_end) != 0)
		usleep(1000);
}

void
server_close_all(struct server *server)
{
	order(server, END_CLOSE);
}

void
server_reset_all(struct server *server)
{
	order(server, END_RESET);
}

void
server_end(struct server *server)
{
	order(server, END_SERVER);
	pthread_join(server->thread, NULL);
	fd_close(server->listener);
	fd_close(server->epoll);
	fd_close(server->control);
	SSL_CTX_free(server->tls);
	free(server);
}

char *
free_address(char *buffer, size_t size)
{
	uint16_t port;
	int fd = bind_loopback(0, &port);

	fd_close(fd);
	snprintf(buffer, size, "127.0.0.1:%u", port);
	return buffer;
}

/* ---- certificates --------------------------------------------------------------------------------- */

static X509 *
make_certificate(struct authority *authority, EVP_PKEY *key, const char *name, long lifetime)
{
	X509 *certificate = X509_new(), *issuer = authority->certificate;
	X509_NAME *subject = X509_get_subject_name(certificate);
	X509_EXTENSION *extension;
	X509V3_CTX context;

	X509_set_version(certificate, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++authority->serial);
	X509_gmtime_adj(X509_getm_notBefore(certificate), -86400);
	X509_gmtime_adj(X509_getm_notAfter(certificate), lifetime);
	X509_set_pubkey(certificate, key);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(certificate, issuer ? X509_get_subject_name(issuer) : subject);
	X509V3_set_ctx(&context, issuer ? issuer : certificate, certificate, NULL, NULL, 0);
	if (issuer)
		extension = X509V3_EXT_conf_nid(NULL, &context, NID_subject_alt_name, "IP:127.0.0.1");
	else
		extension = X509V3_EXT_conf_nid(NULL, &context, NID_basic_constraints,
						"critical,CA:TRUE");
	X509_add_ext(certificate, extension, -1);
	X509_EXTENSION_free(extension);
	assert_true(X509_sign(certificate, authority->key, EVP_sha256()) > 0);
	return certificate;
}

void
authority_make(struct authority *authority)
{
	FILE *file;

	*authority = (struct authority){ .directory = "/tmp/test-worker-XXXXXX" };
	assert_non_null(mkdtemp(authority->directory));
	authority->key = EVP_EC_gen("P-256");
	authority->certificate = make_certificate(authority, authority->key, "test authority", 86400);
	snprintf(authority->ca_file, sizeof(authority->ca_file), "%s/ca.pem", authority->directory);
	file = fopen(authority->ca_file, "w");
	assert_non_null(file);
	PEM_write_X509(file, authority->certificate);
	fclose(file);
}

void
authority_done(struct authority *authority)
{
	char path[128];

	EVP_PKEY_free(authority->key);
	X509_free(authority->certificate);
	unlink(authority->ca_file);
	snprintf(path, sizeof(path), "%s/client.pem", authority->directory);
	unlink(path);
	snprintf(path, sizeof(path), "%s/client.key", authority->directory);
	unlink(path);
	rmdir(authority->directory);
}

SSL_CTX *
authority_server(struct authority *authority, long lifetime)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = make_certificate(authority, key, "test server", lifetime);
	SSL_CTX *tls = SSL_CTX_new(TLS_server_method());

	assert_int_equal(SSL_CTX_use_certificate(tls, certificate), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(tls, key), 1);
	SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS);
	X509_free(certificate);
	EVP_PKEY_free(key);
	return tls;
}

void
authority_demand_client(SSL_CTX *tls, const struct authority *authority)
{
	static const unsigned char context[] = "test";

	SSL_CTX_set_verify(tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_session_id_context(tls, context, sizeof(context));
	assert_int_equal(SSL_CTX_load_verify_locations(tls, authority->ca_file, NULL), 1);
}

void
authority_client(struct authority *authority, char *certificate_file, char *key_file)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = make_certificate(authority, key, "test client", 86400);
	FILE *file;

	snprintf(certificate_file, 128, "%s/client.pem", authority->directory);
	snprintf(key_file, 128, "%s/client.key", authority->directory);
	file = fopen(certificate_file, "w");
	PEM_write_X509(file, certificate);
	fclose(file);
	file = fopen(key_file, "w");
	PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL);
	fclose(file);
	X509_free(certificate);
	EVP_PKEY_free(key);
}

/* ---- main's side ---------------------------------------------------------------------------------- */

struct host_link *
host_link(struct host *host, upstream_id id, unsigned int number)
{
	assert_true(id >= 1 && id <= HOST_UPSTREAMS_MAX);
	assert_true(number >= 1 && number <= HOST_LINKS_MAX);
	return &host->links[id - 1][number - 1];
}

static void
take_status(struct host *host, const struct event *event)
{
	struct host_link *link = host_link(host, event->id, event->link);
	unsigned int *ready = &host->ready[event->id - 1];
	bool is_ready = event->status.stage == STAGE_READY;

	*ready += is_ready;
	*ready -= link->known && !link->gone && link->status.stage == STAGE_READY;
	if (*ready < host->least_ready[event->id - 1])
		host->least_ready[event->id - 1] = *ready;
	link->status = event->status;
	link->chain_length = event->status.has_tls ? chain_count(event->status.tls.chain) : 0;
	link->known = true;
	link->gone = false;
	link->statuses++;
	link->unready += link->was_ready && !is_ready;
	link->was_ready = link->was_ready || is_ready;
}

static void
take_gone(struct host *host, const struct event *event)
{
	struct host_link *link = host_link(host, event->id, event->link);

	host->ready[event->id - 1] -= link->known && !link->gone && link->status.stage == STAGE_READY;
	link->gone = true;
}

static void
take_failure(struct host *host, const struct event *event)
{
	struct host_link *link = host_link(host, event->id, event->link);

	host->failures++;
	link->failures++;
	link->failure = event->failure;
	link->others = others_count(event->failure.others);
}

static void
take_event(struct host *host, const struct event *event)
{
	host->events++;
	switch (event->kind) {
	case EVENT_LINK: take_status(host, event); break;
	case EVENT_LINK_GONE: take_gone(host, event); break;
	case EVENT_FAILURE: take_failure(host, event); break;
	case EVENT_LOST_ADDRESS: host_link(host, event->id, event->link)->lost_addresses++; break;
	case EVENT_CLOSE:
		host->closes++;
		host_link(host, event->id, event->link)->closes++;
		host_link(host, event->id, event->link)->reason = event->reason;
		break;
	case EVENT_WARNING:
		host->warnings[event->warning.kind]++;
		host->warning_number[event->warning.kind] += event->warning.number;
		host->last_number[event->warning.kind] = event->warning.number;
		host->overs[event->warning.kind] += event->warning.number == 0;
		host->last_warning[event->warning.kind] = event->warning.failure;
		if (event->warning.kind == WARNING_STALE_FILES)
			host->warning_failure = event->warning.failure;
		break;
	case EVENT_DROPPED: host->dropped[event->id - 1] = true; break;
	case EVENT_PONG: host->pong = event->ping; break;
	case EVENT_STOPPED: host->stopped = true; break;
	case EVENT_COUNT: fail();
	}
}

static void
on_notify(void *arg, usec_t now)
{
	struct host *host = arg;
	struct event event;

	(void)now;
	while (!host->deaf && worker_receive(host->worker, &event)) {
		assert_false(host->stopped); /* it was the last word */
		take_event(host, &event);
		event_done(&event);
	}
}

static void
on_impatience(void *arg, usec_t now)
{
	struct host *host = arg;

	(void)now;
	host->out_of_patience = true;
}

static void
on_pulse(void *arg, usec_t now)
{
	(void)arg, (void)now;
}

void
host_start(struct host *host)
{
	struct worker_setup setup = { .number = 1, .seed = entropy_seed() };

	*host = (struct host){ 0 };
	host->links = calloc(HOST_UPSTREAMS_MAX, sizeof(*host->links));
	assert_non_null(host->links);
	assert_int_equal(loop_new(&host->loop), 0);
	assert_int_equal(wakeup_new(host->loop, on_notify, host, &host->notify), 0);
	assert_int_equal(timer_new(host->loop, on_impatience, host, &host->patience), 0);
	assert_int_equal(timer_new(host->loop, on_pulse, host, &host->pulse), 0);
	setup.notify = host->notify;
	assert_int_equal(worker_start(&setup, &host->worker), 0);
}

void
host_begin_waiting(struct host *host)
{
	host->out_of_patience = false;
	timer_arm(host->patience, usec_add(clock_now(), PATIENCE));
}

/* Conditions may look at a server too, of which no event tells. */
void
host_wait(struct host *host)
{
	timer_arm(host->pulse, usec_add(clock_now(), 10 * USEC_PER_MSEC));
	loop_turn(host->loop, true);
}

void
host_for(struct host *host, usec_t duration)
{
	host->out_of_patience = false;
	timer_arm(host->patience, usec_add(clock_now(), duration));
	while (!host->out_of_patience)
		host_wait(host);
}

void
host_send(struct host *host, const struct command *command)
{
	host_begin_waiting(host);
	while (worker_send(host->worker, command) == -EAGAIN) {
		assert_false(host->out_of_patience);
		host_wait(host);
	}
}

void
host_set(struct host *host, upstream_id id, struct upstream *upstream, bool in_place)
{
	struct command command = { .kind = COMMAND_SET, .id = id };

	command.set.upstream = upstream;
	command.set.in_place = in_place;
	host_send(host, &command);
}

void
host_command(struct host *host, upstream_id id, enum command_kind kind)
{
	host_send(host, &(struct command){ .kind = kind, .id = id });
}

void
host_watch_ready(struct host *host)
{
	memcpy(host->least_ready, host->ready, sizeof(host->least_ready));
}

void
host_stop(struct host *host, usec_t deadline)
{
	host_send(host, &(struct command){ .kind = COMMAND_STOP, .deadline = deadline });
	host_until(host, host->stopped);
}

void
host_end(struct host *host)
{
	if (!host->stopped)
		host_stop(host, usec_add(clock_now(), 5 * USEC_PER_SEC));
	host->worker = worker_join(host->worker);
	timer_free(host->patience);
	timer_free(host->pulse);
	wakeup_free(host->notify);
	loop_free(host->loop);
	free(host->links);
}

/* ---- upstreams ------------------------------------------------------------------------------------ */

static struct policy
quick_policy(unsigned int connections)
{
	return (struct policy){
		.enabled = true,
		.connections = connections,
		.timeout = {
			[STAGE_LOAD] = 5 * USEC_PER_SEC,
			[STAGE_RESOLVE] = DEFAULT_RESOLVE_TIMEOUT,
			[STAGE_CONNECT] = DEFAULT_CONNECT_TIMEOUT,
			[STAGE_PROXY] = DEFAULT_PROXY_TIMEOUT,
			[STAGE_STARTTLS] = DEFAULT_STARTTLS_TIMEOUT,
			[STAGE_HANDSHAKE] = DEFAULT_HANDSHAKE_TIMEOUT,
			[STAGE_SETTLE] = DEFAULT_SETTLE_TIMEOUT,
			[STAGE_PROBE] = DEFAULT_PROBE_TIMEOUT,
			[STAGE_CLOSING] = DEFAULT_CLOSE_TIMEOUT,
		},
		.attempt_timeout = DEFAULT_ATTEMPT_TIMEOUT,
		.retry = {
			.initial = 20 * USEC_PER_MSEC,
			.max = 100 * USEC_PER_MSEC,
			.multiplier = DEFAULT_RETRY_MULTIPLIER,
			.jitter = JITTER_FULL,
			.stable_after = DEFAULT_STABLE_AFTER,
		},
		.transport.keepalive = {
			.idle = DEFAULT_KEEPALIVE_IDLE,
			.interval = DEFAULT_KEEPALIVE_INTERVAL,
			.count = DEFAULT_KEEPALIVE_COUNT,
			.user_timeout = DEFAULT_KEEPALIVE_USER_TIMEOUT,
		},
		.tls.security_level = -1,
		.tls.min_version = TLS_POLICY_VERSION_1_2,
		.tls.resumption = true,
	};
}

struct upstream *
make_upstream(const char *name, const char *address, unsigned int connections)
{
	unsigned int count = 1;
	struct upstream *upstream;
	const char *problem;
	char text[256], *rest, *word;

	for (const char *at = address; *at; at++)
		count += *at == ' ';
	upstream = upstream_new(name, count);
	assert_non_null(upstream);
	snprintf(text, sizeof(text), "%s", address);
	word = strtok_r(text, " ", &rest);
	for (unsigned int i = 0; i < count; i++, word = strtok_r(NULL, " ", &rest))
		assert_int_equal(target_parse(word, FAMILY_ANY, &upstream->targets[i], &problem), 0);
	upstream->policy = quick_policy(connections);
	return upstream;
}

struct upstream *
make_tls_upstream(const char *name, const char *address, unsigned int connections,
		  const struct authority *authority)
{
	struct upstream *upstream = make_upstream(name, address, connections);

	upstream->policy.tls.enabled = true;
	upstream->policy.tls.verify = VERIFY_FULL;
	upstream->policy.tls.ca_file = upstream_keep(upstream, authority->ca_file,
						     strlen(authority->ca_file) + 1);
	return upstream;
}
