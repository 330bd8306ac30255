/* sys/fd: closing, flags and the limit. */
#include "check.h"

#include "sys/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void
closing_keeps_errno_and_gives_minus_one(void **state)
{
	int pair[2];

	(void)state;
	assert_int_equal(pipe(pair), 0);
	errno = ENOENT;
	assert_int_equal(fd_close(pair[0]), -1);
	assert_int_equal(fd_close(-1), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(fcntl(pair[0], F_GETFD), -1);
	{
		_cleanup_(fd_closep) int fd = pair[1];

		assert_true(fcntl(fd, F_GETFD) >= 0);
	}
	assert_int_equal(fcntl(pair[1], F_GETFD), -1);
}

static void
closing_twice_is_a_defect(void **state)
{
	int status, pair[2];
	pid_t child;

	(void)state;
	assert_int_equal(pipe(pair), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		signal(SIGABRT, SIG_DFL);
		fclose(stderr);
		fd_close(pair[0]);
		fd_close(pair[0]);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
	fd_close(pair[0]);
	fd_close(pair[1]);
}

static void
flags_are_set(void **state)
{
	int pair[2];

	(void)state;
	assert_int_equal(pipe(pair), 0);
	assert_int_equal(fd_set_nonblocking(pair[0]), 0);
	assert_true(fcntl(pair[0], F_GETFL) & O_NONBLOCK);
	assert_int_equal(fd_set_cloexec(pair[0]), 0);
	assert_true(fcntl(pair[0], F_GETFD) & FD_CLOEXEC);
	fd_close(pair[0]);
	assert_int_equal(fd_set_nonblocking(pair[0]), -EBADF);
	assert_int_equal(fd_set_cloexec(pair[0]), -EBADF);
	fd_close(pair[1]);
}

/* In a child: this program's own output is told by them. */
static void
what_is_missing_of_the_standard_ones_is_filled(void **state)
{
	int status;
	pid_t child = fork();

	(void)state;
	assert_true(child >= 0);
	if (child == 0) {
		for (int fd = 0; fd <= 2; fd++)
			close(fd);
		fd_fill_standard();
		fd_fill_standard();
		_exit(open("/dev/null", O_RDONLY) == 3 && write(1, "x", 1) < 0 &&
				      read(0, &status, 1) < 0 ?
			      7 :
			      8);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 7);
}

static void
the_limit_is_raised_as_far_as_it_goes(void **state)
{
	struct rlimit before, low;
	unsigned long limit = 0;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	assert_true(before.rlim_max >= 128);
	low = before;
	low.rlim_cur = 64;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	assert_int_equal(fd_raise_limit(32, &limit), 0);
	assert_int_equal(limit, 64);
	assert_int_equal(fd_raise_limit(100, &limit), 0);
	assert_int_equal(limit, 100);
	assert_int_equal(fd_raise_limit((unsigned long)before.rlim_max + 1, &limit), 0);
	assert_true(limit == before.rlim_max);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(closing_keeps_errno_and_gives_minus_one),
		cmocka_unit_test(closing_twice_is_a_defect),
		cmocka_unit_test(flags_are_set),
		cmocka_unit_test(what_is_missing_of_the_standard_ones_is_filled),
		cmocka_unit_test(the_limit_is_raised_as_far_as_it_goes),
	};

	RUN_TESTS(tests);
}
