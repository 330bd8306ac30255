#include "main/reserve.h"

#include "sys/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static int
open_null(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int
reserve_open(struct reserve *reserve)
{
	*reserve = (struct reserve){ .seed = open_null() };
	if (reserve->seed < 0)
		return reserve->seed;
	if (reserve_refill(reserve))
		return 0;
	reserve_close(reserve);
	return -EMFILE;
}

void
reserve_close(struct reserve *reserve)
{
	while (reserve_trade(reserve))
		continue;
	reserve->seed = fd_close(reserve->seed);
}

bool
reserve_trade(struct reserve *reserve)
{
	if (reserve->count == 0)
		return false;
	reserve->count--;
	(void)fd_close(reserve->fds[reserve->count]);
	return true;
}

int
reserve_take(struct reserve *reserve, int fd)
{
	if (reserve->count == RESERVE_MAX || dup3(reserve->seed, fd, O_CLOEXEC) < 0)
		return fd_close(fd);
	reserve->fds[reserve->count++] = fd;
	return -1;
}

bool
reserve_refill(struct reserve *reserve)
{
	while (reserve->count < RESERVE_MAX) {
		int fd = open_null();

		if (fd < 0)
			return false;
		reserve->fds[reserve->count++] = fd;
	}
	return true;
}
