#include "sys/stamp.h"

#include <errno.h>
#include <sys/stat.h>

void
stamp_read(const char *path, struct stamp *ret_stamp)
{
	struct stat status;

	*ret_stamp = (struct stamp){ 0 };
	if (!path)
		return;
	if (stat(path, &status) < 0) {
		ret_stamp->error = errno;
		return;
	}
	ret_stamp->device = status.st_dev;
	ret_stamp->inode = status.st_ino;
	ret_stamp->size = status.st_size;
	ret_stamp->modified = status.st_mtim;
	ret_stamp->changed = status.st_ctim;
}

static bool
instant_equal(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

bool
stamp_equal(const struct stamp *a, const struct stamp *b)
{
	return a->error == b->error && a->device == b->device && a->inode == b->inode &&
	       a->size == b->size && instant_equal(&a->modified, &b->modified) &&
	       instant_equal(&a->changed, &b->changed);
}
