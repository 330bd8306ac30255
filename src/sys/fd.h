/*
 * Descriptors: the only close(), and the count that leak tests look at.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * fd_close(fd):
 * Close `fd` unless it is negative; errno is kept.  Returns -1.  Any thread.
 */
int fd_close(int fd);

/*
 * fd_closep(fd):
 * fd_close() for _cleanup_.
 */
void fd_closep(int *fd);

/*
 * fd_set_nonblocking(fd), fd_set_cloexec(fd):
 * Returns 0 or a negative errno.
 */
int fd_set_nonblocking(int fd);
int fd_set_cloexec(int fd);

/*
 * fd_raise_limit(wanted, ret_limit):
 * Raise RLIMIT_NOFILE's soft limit to at least `wanted`, or as far as the hard limit allows.  *ret_limit is the soft
 * limit afterwards.  Returns 0 or a negative errno.
 */
int fd_raise_limit(unsigned long wanted, unsigned long *ret_limit);
