/* sys/unix: listening at a path, and who comes. */
#include "check.h"

#include "sys/fd.h"
#include "sys/unix.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534

static char directory[] = "/tmp/holdfast-unix-XXXXXX";
static char path[128];

static int
enter(void **state)
{
	(void)state;
	if (!mkdtemp(directory) || chmod(directory, 0755) < 0)
		return -1;
	snprintf(path, sizeof(path), "%s/socket", directory);
	return 0;
}

static int
leave(void **state)
{
	(void)state;
	return rmdir(directory);
}

static int
listen_here(void)
{
	int fd = -1;

	assert_int_equal(unix_listen(&(struct unix_listen){ path, 0666, NULL }, &fd), 0);
	return fd;
}

static int
listen_fails(const char *at, const char *group)
{
	int fd = -1, r = unix_listen(&(struct unix_listen){ at, 0666, group }, &fd);

	assert_int_equal(fd, -1);
	return r;
}

static int
accept_one(int listener)
{
	struct pollfd pollfd = { .fd = listener, .events = POLLIN };
	int fd = -1;

	assert_int_equal(poll(&pollfd, 1, -1), 1);
	assert_int_equal(unix_accept(listener, &fd), 0);
	return fd;
}

static void
a_client_is_accepted(void **state)
{
	int listener = listen_here(), client = -1, fd = -1;
	char byte;

	(void)state;
	assert_int_equal(unix_accept(listener, &fd), -EAGAIN);
	assert_int_equal(unix_connect(path, &client), 0);
	fd = accept_one(listener);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_false(fcntl(client, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(listener, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(write(fd, "x", 1), 1);
	assert_int_equal(read(client, &byte, 1), 1);
	fd_close(fd);
	fd_close(client);
	fd_close(listener);
	unlink(path);
}

static void
the_file_has_the_mode_and_group_asked_for(void **state)
{
	struct stat status;
	struct group *group = getgrgid(getegid());
	mode_t mask = umask(077);
	int fd = -1;

	(void)state;
	assert_non_null(group);
	assert_int_equal(unix_listen(&(struct unix_listen){ path, 0664, group->gr_name }, &fd), 0);
	umask(mask);
	assert_int_equal(stat(path, &status), 0);
	assert_true(S_ISSOCK(status.st_mode));
	assert_int_equal(status.st_mode & 0777, 0664);
	assert_int_equal(status.st_gid, getegid());
	fd_close(fd);
	unlink(path);
	assert_int_equal(listen_fails(path, "no-such-group-here"), -ESRCH);
	assert_int_equal(access(path, F_OK), -1);
}

static void
only_a_stale_file_is_replaced(void **state)
{
	char below[160], longer[160];
	int listener = listen_here(), fd;

	(void)state;
	assert_int_equal(listen_fails(path, NULL), -EADDRINUSE);
	fd_close(listener);
	listener = listen_here(); /* nobody listened any more */
	fd_close(listener);
	unlink(path);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_int_equal(listen_fails(path, NULL), -EEXIST);
	snprintf(below, sizeof(below), "%s/below", path);
	assert_int_equal(listen_fails(below, NULL), -ENOTDIR);
	fd_close(fd);
	unlink(path);
	assert_int_equal(listen_fails(below, NULL), -ENOENT);
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(listen_fails(longer, NULL), -ENAMETOOLONG);
	assert_int_equal(listen_fails("", NULL), -EINVAL);
}

static void
a_live_listener_with_a_full_queue_is_not_stale(void **state)
{
	struct stat before, after;
	int listener = listen_here(), queued = -1;

	(void)state;
	assert_int_equal(listen(listener, 0), 0);
	assert_int_equal(unix_connect(path, &queued), 0);
	assert_int_equal(stat(path, &before), 0);
	assert_int_equal(listen_fails(path, NULL), -EADDRINUSE);
	assert_int_equal(stat(path, &after), 0);
	assert_true(before.st_ino == after.st_ino);
	fd_close(queued);
	fd_close(listener);
	unlink(path);
}

static void
connecting_to_nobody_says_why(void **state)
{
	int fd = -1;

	(void)state;
	assert_int_equal(unix_connect(path, &fd), -ENOENT);
	fd_close(listen_here());
	assert_int_equal(unix_connect(path, &fd), -ECONNREFUSED);
	assert_int_equal(unix_connect("", &fd), -EINVAL);
	assert_int_equal(fd, -1);
	unlink(path);
}

static void
our_own_user_is_admin(void **state)
{
	int listener = listen_here(), client = -1, fd, plain[2];

	(void)state;
	assert_int_equal(unix_connect(path, &client), 0);
	fd = accept_one(listener);
	assert_true(unix_peer_is_admin(fd, UNIX_NO_GROUP));
	fd_close(fd);
	fd_close(client);
	fd_close(listener);
	unlink(path);
	/* Not even a socket: nobody is admin of it. */
	assert_int_equal(pipe(plain), 0);
	assert_false(unix_peer_is_admin(plain[0], UNIX_NO_GROUP));
	fd_close(plain[0]);
	fd_close(plain[1]);
}

/* Connects as nobody, with `group` as supplementary (and 65534 as primary) group, and waits to be let go. */
static pid_t
connect_as_nobody(gid_t group)
{
	pid_t child = fork();
	int fd = -1;
	char byte;

	assert_true(child >= 0);
	if (child > 0)
		return child;
	if (setgroups(1, &group) < 0 || setgid(NOBODY) < 0 || setuid(NOBODY) < 0 ||
	    unix_connect(path, &fd) < 0)
		_exit(1);
	_exit(read(fd, &byte, 1) == 0 ? 0 : 2);
}

static void
groups_are_found_by_name(void **state)
{
	gid_t group = 4711;

	(void)state;
	assert_int_equal(unix_group_find("no-such-group-here", &group), -ESRCH);
	assert_int_equal(group, 4711);
	assert_int_equal(unix_group_find("root", &group), 0);
	assert_int_equal(group, 0);
}

static void
members_of_the_group_are_admins(void **state)
{
	struct group *group = getgrnam("daemon");
	int listener, fd, status;
	pid_t child;

	(void)state;
	if (geteuid() != 0)
		skip_because("only root can become somebody else");
	assert_non_null(group);
	listener = listen_here();
	child = connect_as_nobody(group->gr_gid);
	fd = accept_one(listener);
	assert_false(unix_peer_is_admin(fd, UNIX_NO_GROUP));
	assert_true(unix_peer_is_admin(fd, group->gr_gid));
	assert_false(unix_peer_is_admin(fd, group->gr_gid + 1));
	assert_true(unix_peer_is_admin(fd, NOBODY));
	fd_close(fd);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	fd_close(listener);
	unlink(path);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_client_is_accepted),
		cmocka_unit_test(the_file_has_the_mode_and_group_asked_for),
		cmocka_unit_test(only_a_stale_file_is_replaced),
		cmocka_unit_test(a_live_listener_with_a_full_queue_is_not_stale),
		cmocka_unit_test(connecting_to_nobody_says_why),
		cmocka_unit_test(our_own_user_is_admin),
		cmocka_unit_test(groups_are_found_by_name),
		cmocka_unit_test(members_of_the_group_are_admins),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}
