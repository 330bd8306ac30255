/* The control socket with real clients, well-behaved and not. */
#include "control-fixture.h"

#include "main/control.h"
#include "main/reserve.h"
#include "sys/fd.h"
#include "sys/unix.h"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY	  65534 /* a user and a group without rights */
#define INFO	  "{\"method\":\"org.varlink.service.GetInfo\"}"
#define LIST_MORE "{\"method\":\"io.holdfast.Control.List\",\"more\":true}"
#define WATCH	  "{\"method\":\"io.holdfast.Control.Watch\",\"more\":true}"
#define PAUSE(flags) \
	"{\"method\":\"io.holdfast.Control.Pause\",\"parameters\":{\"name\":\"a\"}" flags "}"

static char directory[64], path[96];
static struct control_config config;
static struct control *control;

static void
start(usec_t idle_timeout)
{
	const struct control_setup setup = {
		.loop = world.loop,
		.manager = &world.manager,
		.notices = &world.notices,
		.config = &config,
		.listener = -1,
		.idle_timeout = idle_timeout,
	};

	assert_int_equal(control_new(&setup, &control), 0);
}

static int
setup(void **state)
{
	world_begin(state);
	text_copy(directory, sizeof(directory), "/tmp/test-control-XXXXXX");
	assert_non_null(mkdtemp(directory));
	assert_int_equal(chmod(directory, 0755), 0);
	snprintf(path, sizeof(path), "%s/control.sock", directory);
	config = (struct control_config){ .path = path, .mode = 0666 };
	start(0);
	return 0;
}

static int
teardown(void **state)
{
	control = control_free(control);
	(void)unlink(path);
	assert_int_equal(rmdir(directory), 0);
	return world_end(state);
}

static void
turns(int count)
{
	for (int i = 0; i < count; i++)
		loop_turn(world.loop, false);
}

/* ---- a client --------------------------------------------------------------------------------------------------- */

/* Connects without a word; never blocks later. */
static int
client(void)
{
	int fd;

	assert_int_equal(unix_connect(path, &fd), 0);
	assert_int_equal(fd_set_nonblocking(fd), 0);
	return fd;
}

static void
say_bytes(int fd, const char *bytes, size_t length)
{
	assert_int_equal(send(fd, bytes, length, MSG_NOSIGNAL), length);
}

/* Says a whole message with its NUL. */
static void
say(int fd, const char *message)
{
	say_bytes(fd, message, strlen(message) + 1);
}

/* The next octet from the daemon, which gets as many turns as it takes; -1 at the end. */
static int
next_octet(int fd)
{
	for (;;) {
		char octet;
		ssize_t r = recv(fd, &octet, 1, MSG_DONTWAIT);

		if (r == 1)
			return (unsigned char)octet;
		if (r == 0 || (r < 0 && errno != EAGAIN))
			return -1;
		loop_turn(world.loop, true);
	}
}

/* The next message, or NULL at the end; good until the next call. */
static const char *
hear(int fd)
{
	static char message[64 * 1024];
	size_t length = 0;
	int octet;

	while ((octet = next_octet(fd)) > 0) {
		assert_true(length < sizeof(message) - 1);
		message[length++] = (char)octet;
	}
	assert_true(octet == 0 || length == 0);
	message[length] = '\0';
	return octet == 0 ? message : NULL;
}

static void
check_hears(int fd, const char *part)
{
	const char *message = hear(fd);

	assert_non_null(message);
	assert_non_null(strstr(message, part));
}

static void
check_hung_up(int fd)
{
	assert_null(hear(fd));
	fd_close(fd);
}

/* ---- the wire --------------------------------------------------------------------------------------------------- */

static void
a_call_is_answered(void **state)
{
	int fd = client();

	(void)state;
	say(fd, INFO);
	check_hears(fd, "\"product\":\"holdfastd\"");
	say(fd, INFO);
	check_hears(fd, "\"product\":\"holdfastd\"");
	fd_close(fd);
}

static void
byte_by_byte_is_answered_too(void **state)
{
	int fd = client();

	(void)state;
	for (size_t i = 0; i < sizeof(INFO); i++) {
		say_bytes(fd, &INFO[i], 1);
		turns(2);
	}
	check_hears(fd, "holdfastd");
	fd_close(fd);
}

static void
many_calls_in_one_write_are_answered_in_order(void **state)
{
	enum { CALLS = 500 };
	static char bytes[CALLS * 100];
	size_t length = 0;
	int fd = client();

	(void)state;
	for (int i = 0; i < CALLS; i++)
		length += (size_t)sprintf(bytes + length, "{\"method\":\"x%d.y\"}", i) + 1;
	say_bytes(fd, bytes, length);
	for (int i = 0; i < CALLS; i++) {
		char expected[32];

		snprintf(expected, sizeof(expected), "\"x%d\"", i);
		check_hears(fd, expected);
	}
	fd_close(fd);
}

/* What comes behind a stream waits for its end. */
static void
a_stream_ends_before_the_next_call(void **state)
{
	int fd = client();

	(void)state;
	for (int i = 0; i < 100; i++) {
		char name[16];

		snprintf(name, sizeof(name), "u%03d", i);
		world_add(name);
	}
	say_bytes(fd, LIST_MORE "\0" INFO, sizeof(LIST_MORE "\0" INFO));
	for (int i = 0; i < 100; i++)
		check_hears(fd, i < 99 ? "\"continues\":true" : "\"u099\"");
	check_hears(fd, "holdfastd");
	fd_close(fd);
}

static void
rubbish_ends_its_client_only(void **state)
{
	static const char *const rubbish[] = { "GET / HTTP/1.1\r\n", "", "[]", "{}",
					       "{\"method\":\"\xff\"}" };
	int good = client();

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rubbish); i++) {
		int fd = client();

		/* What was asked before is answered before. */
		say(fd, INFO);
		say(fd, rubbish[i]);
		check_hears(fd, "holdfastd");
		check_hung_up(fd);
	}
	say(good, INFO);
	check_hears(good, "holdfastd");
	fd_close(good);
}

static void
too_much_ends_its_client_only(void **state)
{
	static char bytes[CONTROL_MESSAGE_MAX + 1];
	int fd = client(), good = client();

	(void)state;
	memset(bytes, ' ', sizeof(bytes));
	say_bytes(fd, bytes, sizeof(bytes));
	check_hung_up(fd);
	say(good, INFO);
	check_hears(good, "holdfastd");
	fd_close(good);
}

static void
deep_nesting_ends_its_client_only(void **state)
{
	static char bytes[CONTROL_MESSAGE_MAX];
	int fd = client();

	(void)state;
	memset(bytes, '[', sizeof(bytes));
	bytes[sizeof(bytes) - 1] = '\0';
	say_bytes(fd, bytes, sizeof(bytes));
	check_hung_up(fd);
}

/* ---- coming and going ------------------------------------------------------------------------------------------- */

static void
a_half_closed_client_gets_its_replies(void **state)
{
	int fd = client();

	(void)state;
	world_add("a");
	world_add("b");
	say_bytes(fd, LIST_MORE "\0" INFO, sizeof(LIST_MORE "\0" INFO));
	shutdown(fd, SHUT_WR);
	check_hears(fd, "\"a\"");
	check_hears(fd, "\"b\"");
	check_hears(fd, "holdfastd");
	check_hung_up(fd);
}

static void
half_a_message_and_the_end_is_nothing(void **state)
{
	int fd = client();

	(void)state;
	say_bytes(fd, INFO, strlen(INFO));
	shutdown(fd, SHUT_WR);
	check_hung_up(fd);
}

/* Even if nobody waits for an answer, what was asked is done. */
static void
a_parting_word_is_heeded(void **state)
{
	int fd = client();

	(void)state;
	world_add("a");
	say(fd, PAUSE(",\"oneway\":true"));
	fd_close(fd);
	turns(4);
	assert_string_equal(world.manager.asked, "pause a");
}

static void
a_watcher_that_hangs_up_is_forgotten(void **state)
{
	int fd = client(), half = client();

	(void)state;
	say(fd, WATCH);
	say(half, WATCH);
	shutdown(half, SHUT_WR);
	turns(4);
	assert_false(list_is_empty(&world.notices.subscribers));
	fd_close(fd);
	fd_close(half);
	/* The half-closed one is found out at the next look, a second later, or when there is something to say. */
	turns(2);
	world_fail(world_add("a"), FAILURE_CONNECTION_REFUSED, 1);
	turns(4);
	assert_true(list_is_empty(&world.notices.subscribers));
}

/* A half-closed client is not shown as ready turn after turn. */
static void
a_half_closed_watcher_costs_nothing(void **state)
{
	int fd = client();
	usec_t before;

	(void)state;
	say(fd, WATCH);
	shutdown(fd, SHUT_WR);
	turns(8);
	before = clock_now();
	loop_turn(world.loop, true); /* sleeps until it is time to look whether he is there */
	assert_true(clock_now() - before > USEC_PER_SEC / 2);
	world_add("a");
	world_fail(model_find(world.manager.model, "a"), FAILURE_CONNECTION_REFUSED, 1);
	check_hears(fd, "connection.refused");
	fd_close(fd);
	turns(2);
	world_fail(model_find(world.manager.model, "a"), FAILURE_CONNECTION_REFUSED, 1);
	turns(4);
}

static void
who_says_nothing_is_hung_up_on(void **state)
{
	int silent, dribbling, waiting;

	(void)state;
	control = control_free(control);
	start(20 * USEC_PER_MSEC);
	silent = client();
	dribbling = client();
	waiting = client();
	say(waiting, WATCH);
	say_bytes(dribbling, "{", 1);
	check_hung_up(silent);
	check_hung_up(dribbling);
	world_fail(world_add("a"), FAILURE_CONNECTION_REFUSED, 1);
	check_hears(waiting, "connection.refused");
	fd_close(waiting);
	turns(4);
}

/* ---- those who do not read -------------------------------------------------------------------------------------- */

static void
who_does_not_read_is_not_written_for(void **state)
{
	enum { UPSTREAMS = 5000 };
	int slow = client(), good = client(), count = 0;

	(void)state;
	for (int i = 0; i < UPSTREAMS; i++) {
		char name[16];

		snprintf(name, sizeof(name), "u%05d", i);
		world_add(name);
	}
	say(slow, LIST_MORE);
	say(good, LIST_MORE);
	/* Long enough for the stream to fill what it may fill: it pauses, and the loop sleeps. */
	turns(2000);
	for (int i = 0; i < UPSTREAMS; i++)
		check_hears(good, "\"upstream\"");
	/* His stream has not been made in advance: it still sees what is new. */
	world_add("v");
	while (count < UPSTREAMS) {
		check_hears(slow, "\"continues\":true");
		count++;
	}
	check_hears(slow, "\"name\":\"v\"");
	fd_close(slow);
	fd_close(good);
	turns(2);
}

static void
who_never_reads_is_hung_up_on(void **state)
{
	struct pollfd about = { 0 };
	int slow;

	(void)state;
	control = control_free(control);
	start(20 * USEC_PER_MSEC);
	for (int i = 0; i < 3000; i++) {
		char name[16];

		snprintf(name, sizeof(name), "u%05d", i);
		world_add(name);
	}
	slow = client();
	say(slow, LIST_MORE);
	about.fd = slow;
	while (poll(&about, 1, 0) == 0 || !(about.revents & POLLHUP))
		loop_turn(world.loop, true);
	fd_close(slow);
}

static void
a_slow_watcher_gets_overrun_and_the_end(void **state)
{
	struct model_upstream *known = world_add("a");
	const char *message;
	int fd = client(), events = 0;

	(void)state;
	say(fd, WATCH);
	turns(4);
	for (int i = 0; i < 6000; i++) {
		world_fail(known, FAILURE_CONNECTION_REFUSED, 1);
		turns(1);
	}
	while ((message = hear(fd)) && strstr(message, "\"event\""))
		events++;
	assert_non_null(message);
	assert_non_null(strstr(message, "io.holdfast.Control.Overrun"));
	assert_null(strstr(message, "\"lost\":0"));
	assert_true(events > 100);
	check_hung_up(fd);
}

/* ---- limits ----------------------------------------------------------------------------------------------------- */

static void
one_too_many_is_told_busy(void **state)
{
	enum {
		SERVED = CONTROL_CLIENTS_MAX + CONTROL_CLIENTS_RESERVED
	}; /* we are the daemon's own user */
	int served[SERVED], busy[CONTROL_CLIENTS_BUSY], beyond;

	(void)state;
	for (int i = 0; i < SERVED; i++) {
		served[i] = client();
		turns(1);
	}
	for (int i = 0; i < CONTROL_CLIENTS_BUSY; i++) {
		busy[i] = client();
		turns(1);
	}
	beyond = client();
	check_hung_up(beyond);
	for (int i = 0; i < CONTROL_CLIENTS_BUSY; i++) {
		say(busy[i], INFO);
		check_hears(busy[i], "\"io.holdfast.Control.Busy\",\"parameters\":{\"limit\":64}");
		check_hung_up(busy[i]);
	}
	for (int i = 0; i < SERVED; i++) {
		say(served[i], INFO);
		check_hears(served[i], "holdfastd");
	}
	fd_close(served[0]);
	turns(4);
	served[0] = client();
	say(served[0], INFO);
	check_hears(served[0], "holdfastd");
	for (int i = 0; i < SERVED; i++)
		fd_close(served[i]);
	turns(4);
}

/* Uses up all descriptors there are; returns how many it took. */
static int
use_up(int *fds, int max)
{
	int count = 0;

	while (count < max && (fds[count] = open("/dev/null", O_RDONLY)) >= 0)
		count++;
	assert_true(count < max);
	assert_int_equal(errno, EMFILE);
	return count;
}

static void
connect_and_ask(int fd)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };

	text_copy(name.sun_path, sizeof(name.sun_path), path);
	assert_int_equal(connect(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	say(fd, INFO);
	check_hears(fd, "holdfastd");
}

/* All descriptors are gone, and yet the daemon answers, time and again. */
static void
it_answers_without_a_descriptor_left(void **state)
{
	enum { ROUNDS = 3 };
	int clients[ROUNDS][RESERVE_MAX], fds[128], used = 0;
	struct rlimit all, few;

	(void)state;
	for (int i = 0; i < ROUNDS * RESERVE_MAX; i++) {
		int *fd = &clients[i / RESERVE_MAX][i % RESERVE_MAX];

		*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		assert_true(*fd >= 0);
	}
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &all), 0);
	few = all;
	few.rlim_cur = (rlim_t)clients[ROUNDS - 1][RESERVE_MAX - 1] + 4;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	for (int round = 0; round < ROUNDS; round++) {
		used += use_up(fds + used, (int)COUNT_OF(fds) - used);
		for (int i = 0; i < RESERVE_MAX; i++) {
			connect_and_ask(clients[round][i]);
			/* No reserve is let go of for nobody. */
			assert_int_equal(open("/dev/null", O_RDONLY), -1);
		}
		for (int i = 0; i < RESERVE_MAX; i++)
			fd_close(clients[round][i]);
		/* Theirs are reserves again. */
		turns(4);
	}
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &all), 0);
	while (used > 0)
		fd_close(fds[--used]);
	turns(4);
}

/* ---- rights ----------------------------------------------------------------------------------------------------- */

/* Runs a Pause as another user and group; returns whether the answer held `part`. */
static bool
pause_as(gid_t group, const char *part)
{
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		char answer[512];
		ssize_t length = -1;
		int fd;

		if (setgroups(0, NULL) == 0 && setgid(group) == 0 && setuid(NOBODY) == 0 &&
		    unix_connect(path, &fd) == 0 &&
		    send(fd, PAUSE(""), sizeof(PAUSE("")), MSG_NOSIGNAL) > 0)
			length = recv(fd, answer, sizeof(answer), 0);
		_exit(length > 0 && memmem(answer, (size_t)length, part, strlen(part)) ? 0 : 1);
	}
	while (waitpid(child, &status, WNOHANG) == 0)
		loop_turn(world.loop, false);
	turns(2);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void
changing_needs_rights(void **state)
{
	static char group[] = "daemon"; /* group 1 of every Debian */

	(void)state;
	if (geteuid() != 0)
		skip_because("needs root, to become somebody else");
	world_add("a");
	assert_true(pause_as(NOBODY, "org.varlink.service.PermissionDenied"));
	assert_string_equal(world.manager.asked, "");
	config.admin_group = group;
	control_configure(control, &config);
	assert_true(pause_as(NOBODY, "org.varlink.service.PermissionDenied"));
	assert_true(pause_as(1, "\"parameters\":{}"));
	assert_string_equal(world.manager.asked, "pause a");
	config.admin_group = NULL;
	control_configure(control, &config);
	assert_true(pause_as(1, "org.varlink.service.PermissionDenied"));
}

static void
an_unknown_group_is_said_and_gives_nothing(void **state)
{
	static char nowhere[] = "no-such-group-here";
	struct stat status;

	(void)state;
	config.admin_group = nowhere;
	control_configure(control, &config);
	assert_string_equal(world.said,
			    "warning config control.admin_group: the group \"no-such-group-here\" "
			    "cannot be found (there is none) and gives nobody any right");
	config.admin_group = NULL;
	config.group = nowhere;
	config.mode = 0640;
	control_configure(control, &config);
	assert_non_null(strstr(world.said, "warning config control.group: "));
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0640);
	assert_int_equal(status.st_gid, getegid());
	/* Nor does it keep us from starting. */
	control = control_free(control);
	world.said[0] = '\0';
	start(0);
	assert_non_null(strstr(world.said, "warning config control.group: "));
	config.group = NULL;
}

/* ---- the socket file -------------------------------------------------------------------------------------------- */

static void
the_file_follows_the_configuration(void **state)
{
	static char group[] = "daemon";
	struct stat status;

	(void)state;
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0666);
	config.mode = 0660;
	if (geteuid() == 0)
		config.group = group;
	control_configure(control, &config);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0660);
	if (geteuid() == 0)
		assert_int_equal(status.st_gid, 1);
	config.group = NULL;
	control_configure(control, &config);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_gid, getegid());
}

static void
the_file_goes_with_us_but_a_successor_stays(void **state)
{
	struct stat status;
	int fd;

	(void)state;
	control = control_free(control);
	assert_int_equal(stat(path, &status), -1);
	start(0);
	assert_int_equal(unlink(path), 0);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0);
	fd_close(fd);
	control = control_free(control);
	assert_int_equal(stat(path, &status), 0);
}

/* As systemd does it: the socket is there before us, and after us. */
static void
a_passed_socket_is_served_and_stays(void **state)
{
	struct control_setup passed = {
		.loop = world.loop,
		.manager = &world.manager,
		.notices = &world.notices,
		.config = &config,
	};
	const struct unix_listen listen = { .path = path, .mode = 0600 };
	struct stat status;
	int fd;

	(void)state;
	control = control_free(control);
	assert_int_equal(unix_listen(&listen, &passed.listener), 0);
	fd = client(); /* who comes early waits */
	say(fd, INFO);
	assert_int_equal(control_new(&passed, &control), 0);
	check_hears(fd, "holdfastd");
	fd_close(fd);
	control_configure(control, &config);
	control = control_free(control);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
}

static void
a_place_that_is_taken_is_an_error(void **state)
{
	const struct control_setup second = { .loop = world.loop, .config = &config, .listener = -1 };
	struct control *other = NULL;
	int fd = client();

	(void)state;
	assert_int_equal(control_new(&second, &other), -EADDRINUSE);
	assert_null(other);
	say(fd, INFO);
	check_hears(fd, "holdfastd");
	fd_close(fd);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	static const struct CMUnitTest tests[] = {
		TEST(a_call_is_answered),
		TEST(byte_by_byte_is_answered_too),
		TEST(many_calls_in_one_write_are_answered_in_order),
		TEST(a_stream_ends_before_the_next_call),
		TEST(rubbish_ends_its_client_only),
		TEST(too_much_ends_its_client_only),
		TEST(deep_nesting_ends_its_client_only),
		TEST(a_half_closed_client_gets_its_replies),
		TEST(half_a_message_and_the_end_is_nothing),
		TEST(a_parting_word_is_heeded),
		TEST(a_watcher_that_hangs_up_is_forgotten),
		TEST(a_half_closed_watcher_costs_nothing),
		TEST(who_says_nothing_is_hung_up_on),
		TEST(who_does_not_read_is_not_written_for),
		TEST(who_never_reads_is_hung_up_on),
		TEST(a_slow_watcher_gets_overrun_and_the_end),
		TEST(one_too_many_is_told_busy),
		TEST(it_answers_without_a_descriptor_left),
		TEST(changing_needs_rights),
		TEST(an_unknown_group_is_said_and_gives_nothing),
		TEST(the_file_follows_the_configuration),
		TEST(the_file_goes_with_us_but_a_successor_stays),
		TEST(a_passed_socket_is_served_and_stays),
		TEST(a_place_that_is_taken_is_an_error),
	};

	RUN_TESTS(tests);
}
