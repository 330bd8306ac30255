/*
 * What tells one state of a file from another: files are looked at again and again, and read only when they have changed.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

/* All 0, as no path ever gives it: nothing has been looked at. */
struct stamp {
	int error; /* errno of stat(2), or 0; the rest counts only where it is 0 */
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec modified, changed;
};

/*
 * stamp_read(path, ret_stamp):
 * Look at the file or folder at `path`; NULL gives a stamp of zeros.  Blocks on the disk.  Any thread.
 */
void stamp_read(const char *path, struct stamp *ret_stamp);

/*
 * stamp_equal(a, b):
 * Whether nothing has changed between the two.  Any thread.
 */
bool stamp_equal(const struct stamp *a, const struct stamp *b);
