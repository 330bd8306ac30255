/*
 * A name server for tests, on 127.0.0.1 port 53, UDP and TCP: the first label of a name says how it answers.
 *
 *	a, a-NUMBER	A 192.0.2.1 or AAAA 2001:db8::1; TTL 60
 *	ttl-NUMBER	the same with that TTL
 *	cname		CNAME with TTL 5 to such an address
 *	many-NUMBER	as many A records, 10.0.0.1 and so on
 *	excluded	A 0.0.0.0 or AAAA ::; mixed: that one and 192.0.2.1
 *	nx, servfail, refused, notimp, formerr	the rcode
 *	nodata		no error and no record
 *	broken		an answer that ends in the middle of its record
 *	noise		octets that are no DNS message
 *	cut		over UDP truncated, over TCP as "a"
 *	cut-NUMBER	over UDP truncated, over TCP as "ip-NUMBER"
 *	silent		nothing
 *	once-silent	nothing the first time, then as "a"
 *	twice-silent	nothing the first two times
 *	ip-NUMBER	A 192.0.2.NUMBER or AAAA 2001:db8::NUMBER; four-NUMBER, six-NUMBER: one of them alone; TTL 60
 *	slow-NUMBER	as "ip-9", over UDP after NUMBER ms
 * SRV records are those of dns_offer() for the name; of others the first label tells, without its underscore.
 * "search.test" is the domain of a search list: in it only "short" exists.  Any other name is "nx".
 */
#pragma once

#include "check.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sys/clock.h"

#define DNS_MESSAGE_MAX 4096
#define DNS_TYPE_A	1
#define DNS_TYPE_CNAME	5
#define DNS_TYPE_AAAA	28
#define DNS_TYPE_SRV	33
#define DNS_OFFERS_MAX	128
#define DNS_SLOW_MAX	16

struct dns_message {
	unsigned char bytes[DNS_MESSAGE_MAX];
	size_t length;
	size_t question_end;
	char name[256], label[64];
	unsigned int type;
};

/* One SRV record; `host` is dotted text, "." the root. */
struct dns_offer {
	const char *service;
	unsigned int ttl, priority, weight, port;
	const char *host;
};

/* A reply that is held back. */
struct dns_slow {
	bool waiting;
	usec_t due;
	struct sockaddr_in to;
	struct dns_message message;
};

struct dns_server {
	int udp, tcp, stop[2]; /* tcp -1: not served */
	pthread_t thread;
	struct dns_offer offers[DNS_OFFERS_MAX];
	unsigned int offer_count;
	struct dns_slow slow[DNS_SLOW_MAX];
	/* Atomic: */
	unsigned int questions; /* that have come */
	unsigned int services;	/* of those, for SRV records */
	unsigned int once_seen;
};

static void
dns_put(struct dns_message *reply, const void *bytes, size_t length)
{
	if (reply->length + length > sizeof(reply->bytes))
		return;
	memcpy(reply->bytes + reply->length, bytes, length);
	reply->length += length;
}

static void
dns_put_number(struct dns_message *reply, unsigned int value, unsigned int octets)
{
	unsigned char bytes[4] = { (unsigned char)(value >> 24), (unsigned char)(value >> 16),
				   (unsigned char)(value >> 8), (unsigned char)value };

	dns_put(reply, bytes + 4 - octets, octets);
}

/* Adds a record of the name at `offset` in the message. */
static void
dns_put_record(struct dns_message *reply, unsigned int type, unsigned int ttl, const void *data,
	       unsigned int length)
{
	dns_put_number(reply, 0xc00c, 2);
	dns_put_number(reply, type, 2);
	dns_put_number(reply, 1, 2);
	dns_put_number(reply, ttl, 4);
	dns_put_number(reply, length, 2);
	dns_put(reply, data, length);
	reply->bytes[7]++;
}

/* Reads the question of `reply`, which holds the query's octets. */
static bool
dns_read(struct dns_message *reply)
{
	size_t at = 12, to = 0;

	while (at < reply->length && reply->bytes[at] != 0) {
		size_t length = reply->bytes[at];

		if (length > 63 || at + 1 + length >= reply->length ||
		    to + length + 2 > sizeof(reply->name))
			return false;
		if (to == 0)
			snprintf(reply->label, sizeof(reply->label), "%.*s", (int)length,
				 (const char *)reply->bytes + at + 1);
		memcpy(reply->name + to, reply->bytes + at + 1, length);
		to += length;
		reply->name[to++] = '.';
		at += 1 + length;
	}
	if (at + 5 > reply->length || to == 0)
		return false;
	reply->name[to - 1] = '\0';
	for (char *letter = reply->label; *letter != '\0'; letter++)
		*letter = (char)tolower((unsigned char)*letter);
	if (*reply->label == '_')
		memmove(reply->label, reply->label + 1, strlen(reply->label));
	reply->type = reply->bytes[at + 1] << 8 | reply->bytes[at + 2];
	reply->question_end = at + 5;
	return true;
}

static void
dns_put_address(struct dns_message *reply, unsigned int ttl, const char *ipv4, const char *ipv6)
{
	unsigned char ip[16];
	bool is_v6 = reply->type == DNS_TYPE_AAAA;

	inet_pton(is_v6 ? AF_INET6 : AF_INET, is_v6 ? ipv6 : ipv4, ip);
	dns_put_record(reply, reply->type, ttl, ip, is_v6 ? 16 : 4);
}

static void
dns_put_many(struct dns_message *reply, unsigned int count)
{
	for (unsigned int i = 1; i <= count; i++) {
		char ip[INET_ADDRSTRLEN];

		snprintf(ip, sizeof(ip), "10.0.0.%u", i);
		dns_put_address(reply, 60, ip, "2001:db8::2");
	}
}

/* CNAME to "a" in the same domain (which is behind the first label), and the address of that name. */
static void
dns_put_cname(struct dns_message *reply)
{
	unsigned char target[4] = { 1, 'a', 0xc0, (unsigned char)(12 + 1 + strlen(reply->label)) };
	unsigned char ip[4] = { 192, 0, 2, 1 };
	size_t at = reply->length + 12;

	dns_put_record(reply, DNS_TYPE_CNAME, 5, target, sizeof(target));
	dns_put_number(reply, 0xc000 | (unsigned int)at, 2);
	dns_put_number(reply, DNS_TYPE_A, 2);
	dns_put_number(reply, 1, 2);
	dns_put_number(reply, 60, 4);
	dns_put_number(reply, 4, 2);
	dns_put(reply, ip, sizeof(ip));
	reply->bytes[7]++;
}

static void
dns_put_numbered(struct dns_message *reply, unsigned int number)
{
	char ipv4[INET_ADDRSTRLEN], ipv6[INET6_ADDRSTRLEN];

	snprintf(ipv4, sizeof(ipv4), "192.0.2.%u", number % 256);
	snprintf(ipv6, sizeof(ipv6), "2001:db8::%x", number);
	dns_put_address(reply, 60, ipv4, ipv6);
}

static void
dns_put_offer(struct dns_message *reply, const struct dns_offer *offer)
{
	unsigned char data[6 + 256] = {
		(unsigned char)(offer->priority >> 8), (unsigned char)offer->priority,
		(unsigned char)(offer->weight >> 8),   (unsigned char)offer->weight,
		(unsigned char)(offer->port >> 8),     (unsigned char)offer->port,
	};
	const char *at = offer->host;
	unsigned int length = 6;

	while (*at != '\0' && *at != '.') {
		size_t label = strcspn(at, ".");

		data[length] = (unsigned char)label;
		memcpy(data + length + 1, at, label);
		length += 1 + (unsigned int)label;
		at += label + (at[label] == '.');
	}
	dns_put_record(reply, DNS_TYPE_SRV, offer->ttl, data, length + 1);
}

/* Whether there is such a service. */
static bool
dns_put_offers(const struct dns_server *server, struct dns_message *reply)
{
	for (unsigned int i = 0; i < server->offer_count; i++) {
		if (strcasecmp(server->offers[i].service, reply->name) == 0)
			dns_put_offer(reply, &server->offers[i]);
	}
	return reply->bytes[7] > 0;
}

/* The addresses of names that have a number of their own; whether it is one. */
static bool
dns_put_host(struct dns_message *reply, unsigned int number)
{
	const char *label = reply->label;
	bool is_v6 = reply->type == DNS_TYPE_AAAA;

	if (strncmp(label, "ip-", 3) == 0 || strncmp(label, "cut-", 4) == 0)
		dns_put_numbered(reply, number);
	else if (strncmp(label, "slow-", 5) == 0)
		dns_put_numbered(reply, 9);
	else if (strncmp(label, "four-", 5) != 0 && strncmp(label, "six-", 4) != 0)
		return false;
	else if (is_v6 == (strncmp(label, "six-", 4) == 0))
		dns_put_numbered(reply, number);
	return true;
}

static bool
dns_put_data(const struct dns_server *server, struct dns_message *reply)
{
	const char *label = reply->label, *dash = strchr(label, '-');
	unsigned int number = dash ? (unsigned int)atoi(dash + 1) : 0;

	if (reply->type == DNS_TYPE_SRV)
		return dns_put_offers(server, reply) || strcmp(label, "nodata") == 0;
	if (dns_put_host(reply, number))
		return true;
	if (strcmp(label, "a") == 0 || strncmp(label, "a-", 2) == 0 || strcmp(label, "cut") == 0 ||
	    strcmp(label, "once-silent") == 0 || strcmp(reply->name, "short.search.test") == 0)
		dns_put_address(reply, 60, "192.0.2.1", "2001:db8::1");
	else if (strncmp(label, "ttl-", 4) == 0)
		dns_put_address(reply, number, "192.0.2.1", "2001:db8::1");
	else if (strncmp(label, "many-", 5) == 0)
		dns_put_many(reply, number);
	else if (strcmp(label, "excluded") == 0)
		dns_put_address(reply, 60, "0.0.0.0", "::");
	else if (strcmp(label, "mixed") == 0)
		dns_put_address(reply, 60, "0.0.0.0", "::"),
			dns_put_address(reply, 60, "192.0.2.1", "2001:db8::1");
	else if (strcmp(label, "cname") == 0)
		dns_put_cname(reply);
	else
		return strcmp(label, "nodata") == 0;
	return true;
}

static unsigned int
dns_rcode(const struct dns_message *reply)
{
	static const char *const names[] = { "", "formerr", "servfail", "nx", "notimp", "refused" };

	for (unsigned int i = 1; i < COUNT_OF(names); i++) {
		if (strcmp(reply->label, names[i]) == 0)
			return i;
	}
	return 0;
}

/* Turns a query into its reply; false: nothing is to be sent. */
static bool
dns_answer(struct dns_server *server, struct dns_message *reply, bool tcp)
{
	__atomic_add_fetch(&server->questions, 1, __ATOMIC_SEQ_CST);
	if (!dns_read(reply) || strcmp(reply->label, "silent") == 0)
		return false;
	if (reply->type == DNS_TYPE_SRV)
		__atomic_add_fetch(&server->services, 1, __ATOMIC_SEQ_CST);
	if (strcmp(reply->label, "once-silent") == 0 &&
	    __atomic_fetch_add(&server->once_seen, 1, __ATOMIC_SEQ_CST) == 0)
		return false;
	if (strcmp(reply->label, "twice-silent") == 0 &&
	    __atomic_fetch_add(&server->once_seen, 1, __ATOMIC_SEQ_CST) < 2)
		return false;
	if (strcmp(reply->label, "noise") == 0) {
		memset(reply->bytes + 2, 0xff, reply->length - 2);
		return true;
	}
	reply->length = reply->question_end;
	reply->bytes[2] = 0x80 | (reply->bytes[2] & 0x79);
	reply->bytes[3] = 0x80;
	memset(reply->bytes + 6, 0, 6);
	if (strncmp(reply->label, "cut", 3) == 0 && !tcp) {
		reply->bytes[2] |= 0x02;
		return true;
	}
	if (strcmp(reply->label, "broken") == 0) {
		dns_put_record(reply, DNS_TYPE_A, 60, "\300\0\2\1", 4);
		reply->length -= 2;
		return true;
	}
	if (dns_rcode(reply) != 0)
		reply->bytes[3] |= (unsigned char)dns_rcode(reply);
	else if (!dns_put_data(server, reply))
		reply->bytes[3] |= 3;
	return true;
}

/* How long a reply over UDP is held back, in ms. */
static unsigned int
dns_delay(const struct dns_message *reply)
{
	if (strncmp(reply->label, "slow-", 5) == 0)
		return (unsigned int)atoi(reply->label + 5);
	return 0;
}

static void
dns_hold_back(struct dns_server *server, const struct dns_message *reply, unsigned int msec,
	      const struct sockaddr_in *to)
{
	for (unsigned int i = 0; i < DNS_SLOW_MAX; i++) {
		struct dns_slow *slow = &server->slow[i];

		if (slow->waiting)
			continue;
		*slow = (struct dns_slow){ true, clock_now() + msec * USEC_PER_MSEC, *to, *reply };
		return;
	}
}

/* Sends what is due; returns how long poll() is to wait for the next, in ms, or -1. */
static int
dns_send_slow(struct dns_server *server)
{
	usec_t now = clock_now(), next = USEC_INFINITY;

	for (unsigned int i = 0; i < DNS_SLOW_MAX; i++) {
		struct dns_slow *slow = &server->slow[i];

		if (slow->waiting && slow->due <= now) {
			sendto(server->udp, slow->message.bytes, slow->message.length, 0,
			       (struct sockaddr *)&slow->to, sizeof(slow->to));
			slow->waiting = false;
		}
		if (slow->waiting)
			next = usec_min(next, slow->due);
	}
	return next == USEC_INFINITY ? -1 : (int)((next - now) / USEC_PER_MSEC) + 1;
}

static void
dns_serve_udp(struct dns_server *server)
{
	struct dns_message message;
	struct sockaddr_in from;
	socklen_t from_length = sizeof(from);
	ssize_t length = recvfrom(server->udp, message.bytes, sizeof(message.bytes), 0,
				  (struct sockaddr *)&from, &from_length);
	unsigned int delay;

	message.length = length > 0 ? (size_t)length : 0;
	if (length <= 12 || !dns_answer(server, &message, false))
		return;
	delay = dns_delay(&message);
	if (delay > 0)
		dns_hold_back(server, &message, delay, &from);
	else
		sendto(server->udp, message.bytes, message.length, 0, (struct sockaddr *)&from,
		       from_length);
}

/* One question a connection; the resolver sends it at once. */
static void
dns_serve_tcp(struct dns_server *server)
{
	struct dns_message message;
	unsigned char prefix[2];
	int fd = accept(server->tcp, NULL, NULL);

	if (fd < 0)
		return;
	if (recv(fd, prefix, 2, MSG_WAITALL) == 2) {
		message.length = (size_t)prefix[0] << 8 | prefix[1];
		if (message.length <= sizeof(message.bytes) &&
		    recv(fd, message.bytes, message.length, MSG_WAITALL) == (ssize_t)message.length &&
		    dns_answer(server, &message, true)) {
			prefix[0] = (unsigned char)(message.length >> 8);
			prefix[1] = (unsigned char)message.length;
			send(fd, prefix, 2, MSG_MORE | MSG_NOSIGNAL);
			send(fd, message.bytes, message.length, MSG_NOSIGNAL);
		}
	}
	close(fd);
}

static void *
dns_serve(void *arg)
{
	struct dns_server *server = arg;
	struct pollfd fds[] = {
		{ .fd = server->udp, .events = POLLIN },
		{ .fd = server->tcp, .events = POLLIN },
		{ .fd = server->stop[0], .events = POLLIN },
	};

	while (poll(fds, COUNT_OF(fds), dns_send_slow(server)) >= 0 && !fds[2].revents) {
		if (fds[0].revents)
			dns_serve_udp(server);
		if (fds[1].revents)
			dns_serve_tcp(server);
	}
	return NULL;
}

static void
dns_listen(struct dns_server *server, const struct sockaddr_in *name)
{
	int one = 1;

	server->tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(server->tcp, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	assert_int_equal(bind(server->tcp, (const struct sockaddr *)name, sizeof(*name)), 0);
	assert_int_equal(listen(server->tcp, 16), 0);
}

/*
 * dns_start(server, tcp), dns_stop(server):
 * Serve in a thread of its own until stopped, with `tcp` also over TCP; without, connections are refused.
 */
static void
dns_start(struct dns_server *server, bool tcp)
{
	struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons(53) };
	int bytes = 1 << 20;

	memset(server, 0, sizeof(*server));
	server->tcp = -1;
	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	server->udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	setsockopt(server->udp, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	assert_int_equal(bind(server->udp, (struct sockaddr *)&name, sizeof(name)), 0);
	if (tcp)
		dns_listen(server, &name);
	assert_int_equal(pipe(server->stop), 0);
	assert_int_equal(pthread_create(&server->thread, NULL, dns_serve, server), 0);
}

static void
dns_stop(struct dns_server *server)
{
	assert_int_equal(write(server->stop[1], "", 1), 1);
	pthread_join(server->thread, NULL);
	close(server->udp);
	if (server->tcp >= 0)
		close(server->tcp);
	close(server->stop[0]);
	close(server->stop[1]);
}

/*
 * dns_offer(server, offer):
 * Have one SRV record more; before its service is asked for.
 */
__attribute__((unused)) static void
dns_offer(struct dns_server *server, const struct dns_offer *offer)
{
	assert_true(server->offer_count < DNS_OFFERS_MAX);
	server->offers[server->offer_count++] = *offer;
}

static unsigned int
dns_questions(struct dns_server *server)
{
	return __atomic_load_n(&server->questions, __ATOMIC_SEQ_CST);
}

__attribute__((unused)) static unsigned int
dns_services(struct dns_server *server)
{
	return __atomic_load_n(&server->services, __ATOMIC_SEQ_CST);
}
