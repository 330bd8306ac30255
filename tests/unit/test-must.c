/* base/must: an assertion ends the program, also in releases. */
#include "check.h"

#include "base/must.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static int
child_status(void (*body)(void))
{
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
		signal(SIGABRT, SIG_DFL);
		body();
		_exit(0);
	}
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static void
what_holds(void)
{
	must(1 + 1 == 2);
}

static void
what_does_not(void)
{
	must(1 + 1 == 3);
}

static void
the_impossible(void)
{
	must_not_reach();
}

static void
only_what_does_not_hold_aborts(void **state)
{
	int status;

	(void)state;
	assert_int_equal(child_status(what_holds), 0);
	status = child_status(what_does_not);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	status = child_status(the_impossible);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_does_not_hold_aborts),
	};

	RUN_TESTS(tests);
}
