#include "worker-talk.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void *
talk_run(void *arg)
{
	struct talk *talk = arg;

	talk->talker->fn(talk);
	if (talk->ssl)
		SSL_shutdown(talk->ssl);
	SSL_free(talk->ssl);
	/* The descriptor is closed by talker_end(), so that nobody else has its number meanwhile. */
	shutdown(talk->fd, SHUT_RDWR);
	return NULL;
}

static void *
talker_run(void *arg)
{
	struct talker *talker = arg;
	int fd, on = 1;

	while ((fd = accept(talker->listener, NULL, NULL)) >= 0) {
		unsigned int number = atomic_load(&talker->accepted);
		struct talk *talk = &talker->talks[number];

		if (number == TALK_CONNECTIONS_MAX) {
			close(fd);
			continue;
		}
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		*talk = (struct talk){ .talker = talker, .fd = fd, .number = number + 1 };
		pthread_create(&talk->thread, NULL, talk_run, talk);
		atomic_fetch_add(&talker->accepted, 1);
	}
	return NULL;
}

static int
bind_to(const char *ip, unsigned int port, unsigned int *ret_port)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };
	bool v6 = strchr(ip, ':') != NULL;
	struct sockaddr *address = v6 ? (struct sockaddr *)&in6 : (struct sockaddr *)&in;
	socklen_t length = v6 ? sizeof(in6) : sizeof(in);
	int on = 1, fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	inet_pton(v6 ? AF_INET6 : AF_INET, ip, v6 ? (void *)&in6.sin6_addr : (void *)&in.sin_addr);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	assert_int_equal(bind(fd, address, length), 0);
	assert_int_equal(getsockname(fd, address, &length), 0);
	*ret_port = ntohs(v6 ? in6.sin6_port : in.sin_port);
	return fd;
}

struct talker *
talker_start_on(const char *ip, unsigned int port, talk_fn fn)
{
	struct talker *talker = calloc(1, sizeof(*talker));

	talker->fn = fn;
	talker->listener = bind_to(ip, port, &talker->port);
	assert_int_equal(listen(talker->listener, 128), 0);
	snprintf(talker->address, sizeof(talker->address), strchr(ip, ':') ? "[%s]:%u" : "%s:%u",
		 ip, talker->port);
	assert_int_equal(pthread_create(&talker->thread, NULL, talker_run, talker), 0);
	return talker;
}

struct talker *
talker_start(talk_fn fn)
{
	return talker_start_on("127.0.0.1", 0, fn);
}

void
talker_end(struct talker *talker)
{
	shutdown(talker->listener, SHUT_RDWR);
	pthread_join(talker->thread, NULL);
	for (unsigned int i = 0; i < atomic_load(&talker->accepted); i++) {
		shutdown(talker->talks[i].fd, SHUT_RDWR);
		pthread_join(talker->talks[i].thread, NULL);
		close(talker->talks[i].fd);
	}
	close(talker->listener);
	free(talker);
}

void
talk_say_bytes(struct talk *talk, const void *bytes, size_t length)
{
	if (talk->ssl)
		SSL_write(talk->ssl, bytes, (int)length);
	else
		send(talk->fd, bytes, length, MSG_NOSIGNAL);
}

void
talk_say(struct talk *talk, const char *text)
{
	talk_say_bytes(talk, text, strlen(text));
}

static ssize_t
read_more(struct talk *talk)
{
	char *to = talk->rest + talk->have;
	size_t room = sizeof(talk->rest) - talk->have;

	if (talk->ssl)
		return SSL_read(talk->ssl, to, (int)room);
	return recv(talk->fd, to, room, 0);
}

bool
talk_hear(struct talk *talk, const char *word)
{
	char *end;
	size_t length;

	while (!(end = memchr(talk->rest, '\n', talk->have))) {
		ssize_t n = read_more(talk);

		if (n <= 0)
			return false;
		talk->have += (size_t)n;
	}
	length = (size_t)(end + 1 - talk->rest);
	snprintf(talk->line, sizeof(talk->line), "%.*s", (int)length, talk->rest);
	memmove(talk->rest, talk->rest + length, talk->have - length);
	talk->have -= length;
	return strncmp(talk->line, word, strlen(word)) == 0;
}

bool
talk_secure(struct talk *talk)
{
	SSL *ssl = SSL_new(atomic_load(&talk->talker->tls));

	ERR_clear_error();
	SSL_set_fd(ssl, talk->fd);
	if (SSL_accept(ssl) != 1) {
		SSL_free(ssl);
		ERR_clear_error();
		return false;
	}
	talk->ssl = ssl;
	return true;
}

void
talk_wait_end(struct talk *talk)
{
	do
		talk->have = 0;
	while (read_more(talk) > 0);
}

void
talk_reset(struct talk *talk)
{
	const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };
	int null = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	/* To close is what resets; the number stays taken. */
	setsockopt(talk->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	dup2(null, talk->fd);
	close(null);
}
