/*
 * Descriptors: the only close(), and their flags and limit.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * fd_close(fd):
 * Close `fd` unless it is negative; errno is kept.  Closing one that is not open is a defect (somebody
 * else's descriptor would be next) and aborts.  Returns -1: `x->fd = fd_close(x->fd)`.  Any thread.
 */
int fd_close(int fd);

/*
 * fd_closep(fd):
 * fd_close() for _cleanup_.
 */
void fd_closep(int *fd);

/*
 * fd_set_nonblocking(fd), fd_set_cloexec(fd):
 * Set O_NONBLOCK, or FD_CLOEXEC.  Returns 0 or a negative errno.  Any thread.
 */
int fd_set_nonblocking(int fd);
int fd_set_cloexec(int fd);

/*
 * fd_fill_standard():
 * Put /dev/null where standard input, output or error is closed, so that no file or socket of ours gets its number: what is
 * written there goes nowhere and is an error.  First of all in main().  Without /dev/null nothing is done.
 */
void fd_fill_standard(void);

/*
 * fd_raise_limit(wanted, ret_limit):
 * Raise RLIMIT_NOFILE's soft limit to at least `wanted`, or as far as the hard limit allows; it is never lowered.
 * *ret_limit is the soft limit afterwards.  Returns 0 or a negative errno.  Any thread.
 */
int fd_raise_limit(unsigned long wanted, unsigned long *ret_limit);
