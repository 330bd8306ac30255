/* Secrets in files: one line, of a regular file, and nothing that could hold us up. */
#include "check.h"

#include "sys/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static char directory[] = "/tmp/holdfast-secret-XXXXXX";
static char path[64];

static void
put(const char *octets, size_t length)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(octets, 1, length, file), length);
	fclose(file);
}

static void
expect(const char *octets, size_t length, const char *secret)
{
	char buffer[16];
	struct failure failure;

	memset(buffer, 'x', sizeof(buffer));
	failure_init(&failure, FAILURE_NONE, STAGE_LOAD);
	put(octets, length);
	assert_int_equal(secret_load(path, buffer, sizeof(buffer), &failure), strlen(secret));
	assert_string_equal(buffer, secret);
	for (size_t i = strlen(secret); i < sizeof(buffer); i++)
		assert_int_equal(buffer[i], 0); /* of what follows nothing stays */
	assert_int_equal(failure.code, FAILURE_NONE);
}

static void
expect_refused(int r, const char *why)
{
	char buffer[16];
	struct failure failure;

	failure_init(&failure, FAILURE_NONE, STAGE_PROXY);
	memset(buffer, 0, sizeof(buffer));
	assert_int_equal(secret_load(path, buffer, sizeof(buffer), &failure), r);
	assert_int_equal(failure.code, FAILURE_LOCAL_KEY_LOAD);
	assert_int_equal(failure.stage, STAGE_PROXY);
	assert_string_equal(failure_detail(&failure, "file"), path);
	assert_string_equal(failure_detail(&failure, "why"), why);
	for (size_t i = 0; i < sizeof(buffer); i++)
		assert_int_equal(buffer[i], 0);
}

static void
test_lines(void **state)
{
	(void)state;
	expect("secret", 6, "secret");
	expect("secret\n", 7, "secret");
	expect("secret\r\n", 8, "secret");
	expect("secret\nmore and more and more and more\n", 39, "secret");
	expect("a\rb\n", 4, "a\rb");
	expect(" a b \n", 6, " a b ");
	expect("\n", 1, "");
	expect("123456789012345", 15, "123456789012345");
	expect("123456789012345\n", 16, "123456789012345");
	expect("s\n\0\0", 4, "s");
}

static void
test_refused(void **state)
{
	(void)state;
	put("", 0);
	expect_refused(-EINVAL, "it is empty");
	put("1234567890123456", 16);
	expect_refused(-EINVAL, "its first line is too long");
	put("12345678901234567890\n", 21);
	expect_refused(-EINVAL, "its first line is too long");
	put("a\0b\n", 4);
	expect_refused(-EINVAL, "its first line holds a NUL");
	unlink(path);
	expect_refused(-ENOENT, "No such file or directory");
}

/* Nobody ever writes into the FIFO, and nobody listens at the socket: none of them is waited for. */
static void
test_not_regular(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	expect_refused(-EINVAL, "it is no regular file");
	unlink(path);
	assert_int_equal(mkdir(path, 0700), 0);
	expect_refused(-EINVAL, "it is no regular file");
	rmdir(path);
	assert_int_equal(symlink("/dev/zero", path), 0);
	expect_refused(-EINVAL, "it is no regular file");
	unlink(path);
	strcpy(address.sun_path, path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	expect_refused(-EINVAL, "it is no regular file");
	close(fd);
	unlink(path);
	put("through a link", 6);
}

static int
setup(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/secret", directory);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(directory);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_not_regular),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
