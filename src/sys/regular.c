#include "sys/regular.h"

#include "base/cleanup.h"
#include "sys/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define NOT_REGULAR "it is no regular file"

/* A FIFO without a reader and a socket cannot even be opened; a directory cannot be for writing. */
static bool
is_refusal(int error)
{
	return error == ENXIO || error == ENODEV || error == EISDIR;
}

int
regular_open(const char *path, int flags, const char **ret_why)
{
	_cleanup_(fd_closep) int fd = open(path, flags | O_NONBLOCK | O_CLOEXEC | O_NOCTTY, 0600);
	struct stat status;
	int r;

	*ret_why = NULL;
	if (fd < 0 && is_refusal(errno)) {
		*ret_why = NOT_REGULAR;
		return -EINVAL;
	}
	if (fd < 0 || fstat(fd, &status) < 0)
		return -errno;
	if (!S_ISREG(status.st_mode)) {
		*ret_why = NOT_REGULAR;
		return -EINVAL;
	}
	r = fd;
	fd = -1;
	return r;
}

int
regular_stream(const char *path, FILE **ret_stream, const char **ret_why)
{
	int fd = regular_open(path, O_RDONLY, ret_why);
	FILE *stream;

	if (fd < 0)
		return fd;
	stream = fdopen(fd, "r");
	if (!stream) {
		int error = errno;

		fd_close(fd);
		return -error;
	}
	*ret_stream = stream;
	return 0;
}

bool
regular_or_gone_at(int directory, const char *name)
{
	struct stat status;

	return fstatat(directory, name, &status, 0) < 0 || S_ISREG(status.st_mode);
}
