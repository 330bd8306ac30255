/* Regular files, and nothing that could hold us up. */
#include "check.h"

#include "sys/fd.h"
#include "sys/regular.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[] = "/tmp/holdfast-regular-XXXXXX";
static char path[64];

static void
test_regular(void **state)
{
	struct stat status;
	const char *why;
	FILE *stream;
	int fd = regular_open(path, O_WRONLY | O_APPEND | O_CREAT, &why);

	(void)state;
	assert_true(fd >= 0);
	assert_null(why);
	assert_int_equal(fstat(fd, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(write(fd, "line\n", 5), 5);
	fd_close(fd);
	assert_int_equal(regular_stream(path, &stream, &why), 0);
	assert_int_equal(fgetc(stream), 'l');
	fclose(stream);
	unlink(path);
	assert_int_equal(regular_stream(path, &stream, &why), -ENOENT);
	assert_null(why);
}

static void
expect_refused(int flags)
{
	const char *why = NULL;

	assert_int_equal(regular_open(path, flags, &why), -EINVAL);
	assert_string_equal(why, "it is no regular file");
}

static void
test_fifo(void **state)
{
	int keeper;

	(void)state;
	assert_int_equal(mkfifo(path, 0600), 0);
	expect_refused(O_RDONLY);
	expect_refused(O_WRONLY | O_APPEND | O_CREAT);
	keeper = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC); /* with a reader it could be opened */
	expect_refused(O_WRONLY | O_APPEND | O_CREAT);
	fd_close(keeper);
	unlink(path);
	assert_int_equal(mkdir(path, 0700), 0);
	expect_refused(O_RDONLY);
	expect_refused(O_WRONLY | O_APPEND | O_CREAT);
	rmdir(path);
}

static void
test_at(void **state)
{
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	assert_true(regular_or_gone_at(fd, "thing"));
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_false(regular_or_gone_at(fd, "thing"));
	unlink(path);
	assert_int_equal(symlink("/etc/hostname-that-is-gone", path), 0);
	assert_true(regular_or_gone_at(fd, "thing"));
	unlink(path);
	fd_close(fd);
}

static int
setup(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/thing", directory);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	return rmdir(directory);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_regular),
		cmocka_unit_test(test_fifo),
		cmocka_unit_test(test_at),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
