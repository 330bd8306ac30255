/* The wire of holdfastctl against a server that says whatever a test wants. */
#include "check.h"

#include "ctl/client.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* A server in a process of its own: it takes one call, says `pieces` one by one, and hangs up (or keeps silent). */
struct server {
	char folder[32], path[64];
	pid_t pid;
};

struct script {
	const char *const *pieces; /* each with its length before it would be read as a string: NULs are written as '|' */
	size_t repeat; /* how often the last one is said */
	bool silent;   /* never hang up */
};

static void
say(int fd, const char *piece)
{
	for (const char *at = piece; *at; at++) {
		char byte = *at == '|' ? '\0' : *at;

		if (write(fd, &byte, 1) != 1)
			_exit(0);
	}
}

static void
serve(int listener, const struct script *script)
{
	char call[4096];
	int fd = accept(listener, NULL, NULL);
	const char *const *piece = script->pieces;

	if (read(fd, call, sizeof(call)) <= 0)
		_exit(1);
	for (; *piece; piece++)
		say(fd, *piece);
	if (script->repeat > 0) {
		static char much[65536];

		memset(much, 'x', sizeof(much));
		for (size_t i = 0; i < script->repeat && write(fd, much, sizeof(much)) > 0; i++)
			;
	}
	if (script->silent)
		pause();
	_exit(0);
}

static struct client *
open_against(struct server *server, const struct script *script)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);
	struct client *client = NULL;

	snprintf(server->folder, sizeof(server->folder), "/tmp/holdfast-XXXXXX");
	assert_non_null(mkdtemp(server->folder));
	snprintf(server->path, sizeof(server->path), "%s/socket", server->folder);
	snprintf(name.sun_path, sizeof(name.sun_path), "%s", server->path);
	assert_int_equal(bind(listener, (struct sockaddr *)&name, sizeof(name)), 0);
	assert_int_equal(listen(listener, 1), 0);
	server->pid = fork();
	assert_true(server->pid >= 0);
	if (server->pid == 0)
		serve(listener, script);
	close(listener);
	assert_int_equal(client_open(server->path, &client), 0);
	assert_int_equal(client_send(client, &(struct call){ .method = "Status",
							     .timeout = 20 * USEC_PER_SEC }),
			 0);
	return client;
}

static void
end(struct server *server, struct client *client)
{
	client_free(client);
	kill(server->pid, SIGKILL);
	waitpid(server->pid, NULL, 0);
	unlink(server->path);
	rmdir(server->folder);
}

static void
replies_come_one_by_one(void **state)
{
	static const char *const pieces[] = {
		"{\"parameters\":{\"a\":1,\"b\":null,\"c\":{\"d\":null}},\"continues\":true}|{\"para",
		"meters\":null}|{\"error\":\"x.Y\",\"parameters\":{\"name\":\"db\"}}|", NULL
	};
	struct server server;
	struct client *client = open_against(&server, &(struct script){ .pieces = pieces });
	struct reply reply;

	(void)state;
	assert_int_equal(client_receive(client, 20 * USEC_PER_SEC, &reply), 0);
	assert_true(reply.continues);
	assert_null(reply.error);
	assert_int_equal(json_integer_value(json_object_get(reply.parameters, "a")), 1);
	assert_null(json_object_get(reply.parameters, "b")); /* null is absent, at every depth */
	assert_int_equal(json_object_size(json_object_get(reply.parameters, "c")), 0);
	reply_done(&reply);
	assert_int_equal(client_receive(client, 20 * USEC_PER_SEC, &reply), 0);
	assert_false(reply.continues);
	assert_int_equal(json_object_size(reply.parameters), 0);
	reply_done(&reply);
	assert_int_equal(client_receive(client, 20 * USEC_PER_SEC, &reply), 0);
	assert_string_equal(reply.error, "x.Y");
	reply_done(&reply);
	assert_int_equal(client_receive(client, 20 * USEC_PER_SEC, &reply), -ECONNRESET);
	end(&server, client);
}

static void
assert_answer(const char *answer, int expected)
{
	const char *const pieces[] = { answer, NULL };
	struct server server;
	struct client *client = open_against(&server, &(struct script){ .pieces = pieces });
	struct reply reply;

	assert_int_equal(client_receive(client, 20 * USEC_PER_SEC, &reply), expected);
	end(&server, client);
}

static void
rubbish_is_no_reply(void **state)
{
	static const char *const rubbish[] = {
		"|",
		"{|",
		"[]|",
		"\"x\"|",
		"HTTP/1.1 200 OK|",
		"{\"error\":1}|",
		"{\"parameters\":[]}|",
		"{\"continues\":\"yes\"}|",
		"{\"parameters\":{\"a\":\"\xff\"}}|",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rubbish); i++)
		assert_answer(rubbish[i], -EBADMSG);
	assert_answer("", -ECONNRESET);
	assert_answer("{\"parameters\":{}}", -ECONNRESET); /* cut off before its end */
}

/* Nesting without end must not cost us the stack. */
static void
depth_is_bounded(void **state)
{
	size_t depth = 100000;
	char *answer = malloc(depth + 64);

	(void)state;
	strcpy(answer, "{\"parameters\":{\"a\":");
	memset(answer + strlen(answer), '[', depth);
	answer[depth + 19] = '|';
	answer[depth + 20] = '\0';
	assert_answer(answer, -EBADMSG);
	free(answer);
}

static void
an_endless_reply_is_refused(void **state)
{
	static const char *const pieces[] = { "{\"parameters\":{\"a\":\"", NULL };
	struct server server;
	struct client *client = open_against(&server,
					     &(struct script){ .pieces = pieces, .repeat = 100000 });
	struct reply reply;

	(void)state;
	assert_int_equal(client_receive(client, 60 * USEC_PER_SEC, &reply), -EMSGSIZE);
	end(&server, client);
}

static void
silence_has_an_end(void **state)
{
	static const char *const pieces[] = { "{\"par", NULL };
	struct server server;
	struct client *client = open_against(&server,
					     &(struct script){ .pieces = pieces, .silent = true });
	struct reply reply;

	(void)state;
	assert_int_equal(client_receive(client, 20 * USEC_PER_MSEC, &reply), -ETIMEDOUT);
	end(&server, client);
}

static void
without_a_server_the_errno_says_why(void **state)
{
	struct client *client = NULL;

	(void)state;
	assert_int_equal(client_open("/nonexistent/socket", &client), -ENOENT);
	assert_null(client);
	assert_null(client_free(NULL));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(replies_come_one_by_one),
		cmocka_unit_test(rubbish_is_no_reply),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(an_endless_reply_is_refused),
		cmocka_unit_test(silence_has_an_end),
		cmocka_unit_test(without_a_server_the_errno_says_why),
	};

	RUN_TESTS(tests);
}
