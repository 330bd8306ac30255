/* sys/stamp: whether a file is another one, or in another state. */
#include "check.h"

#include "sys/stamp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/test-stamp-XXXXXX";
static char path[64], aside[64];

static void
write_file(const char *to, const char *content)
{
	FILE *file = fopen(to, "w");

	assert_non_null(file);
	assert_true(fputs(content, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

/* Whether the file looks as it did when `before` was read. */
static bool
is_unchanged(const struct stamp *before)
{
	struct stamp present;

	stamp_read(path, &present);
	return stamp_equal(before, &present);
}

static int
begin(void **state)
{
	(void)state;
	if (!mkdtemp(strcpy(folder, "/tmp/test-stamp-XXXXXX")))
		return -1;
	snprintf(path, sizeof(path), "%s/file", folder);
	snprintf(aside, sizeof(aside), "%s/aside", folder);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	unlink(path);
	unlink(aside);
	return rmdir(folder);
}

static void
a_file_nobody_touches_stays_as_it_is(void **state)
{
	struct stamp before;

	(void)state;
	write_file(path, "one");
	stamp_read(path, &before);
	assert_int_equal(before.error, 0);
	assert_true(is_unchanged(&before));
}

/* The same size, and the times set back as cp -p and rsync do: what was changed tells, and who took its place. */
static void
every_change_is_seen(void **state)
{
	struct stamp before;

	(void)state;
	write_file(path, "one");
	stamp_read(path, &before);
	write_file(path, "three");
	assert_false(is_unchanged(&before));
	write_file(path, "one");
	stamp_read(path, &before);
	write_file(aside, "two");
	assert_int_equal(utimensat(AT_FDCWD, aside,
				   (struct timespec[]){ before.modified, before.modified }, 0),
			 0);
	assert_int_equal(rename(aside, path), 0);
	assert_false(is_unchanged(&before));
}

static void
what_is_missing_is_a_state_too(void **state)
{
	struct stamp before;
	const struct stamp never = { 0 };

	(void)state;
	stamp_read(path, &before);
	assert_int_equal(before.error, ENOENT);
	assert_true(is_unchanged(&before));
	assert_false(is_unchanged(&never));
	write_file(path, "one");
	assert_false(is_unchanged(&before));
	assert_false(is_unchanged(&never));
	stamp_read(NULL, &before);
	assert_true(stamp_equal(&before, &never));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_file_nobody_touches_stays_as_it_is, begin, end),
		cmocka_unit_test_setup_teardown(every_change_is_seen, begin, end),
		cmocka_unit_test_setup_teardown(what_is_missing_is_a_state_too, begin, end),
	};

	RUN_TESTS(tests);
}
