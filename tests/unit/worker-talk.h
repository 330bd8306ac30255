/*
 * For the tests of the worker: servers that talk.  Each connection has a thread of its own that does what the test's function says;
 * whatever it reads or writes ends when the server is ended.
 */
#pragma once

#include "worker-harness.h"

#define TALK_CONNECTIONS_MAX 256

struct talker;
struct talk {
	struct talker *talker;
	int fd;
	SSL *ssl;	     /* or NULL */
	unsigned int number; /* of the connection, from 1 */
	pthread_t thread;
	char line[512]; /* what talk_hear() read last */
	size_t have;
	char rest[4096];
};

typedef void (*talk_fn)(struct talk *talk);

struct talker {
	int listener;
	talk_fn fn;
	_Atomic(SSL_CTX *) tls;	     /* what talk_secure() uses; the test's */
	atomic_uint accepted, heard; /* heard: for the functions to count what they like */
	atomic_int mood;	     /* likewise, to do as the test says */
	unsigned int port;
	char address[64];
	pthread_t thread;
	struct talk talks[TALK_CONNECTIONS_MAX];
};

/*
 * talker_start(fn), talker_start_on(ip, port, fn):
 * Listen on a free port of 127.0.0.1, or there.
 */
struct talker *talker_start(talk_fn fn);
struct talker *talker_start_on(const char *ip, unsigned int port, talk_fn fn);

/*
 * talker_end(talker):
 * End it with all its connections.
 */
void talker_end(struct talker *talker);

/*
 * talk_say(talk, text), talk_say_bytes(talk, bytes, length):
 * Send it.
 */
void talk_say(struct talk *talk, const char *text);
void talk_say_bytes(struct talk *talk, const void *bytes, size_t length);

/*
 * talk_hear(talk, word):
 * Read one line; whether it begins with `word`.
 */
bool talk_hear(struct talk *talk, const char *word);

/*
 * talk_secure(talk):
 * The server's side of a handshake; whether it was good.
 */
bool talk_secure(struct talk *talk);

/*
 * talk_wait_end(talk):
 * Read and drop until the client has ended.
 */
void talk_wait_end(struct talk *talk);

/*
 * talk_reset(talk):
 * End it by a reset, when the function returns.
 */
void talk_reset(struct talk *talk);
