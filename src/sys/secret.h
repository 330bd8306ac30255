/*
 * Secrets in files: the first line of one.
 */
#pragma once

#include "core/failure.h"

#include <stddef.h>

/*
 * secret_load(path, buffer, size, failure):
 * Read the first line of the regular file at `path`, without its end, into `buffer` of `size` bytes, NUL-terminated.  A FIFO, a device, a line
 * that is too long or holds a NUL is refused.  Returns its length, or a negative errno with `failure` (failure_init()ed) filled: local.key-load with
 * the details file and why.  The caller wipes the buffer (explicit_bzero) when done.  Blocks on the disk.  Any thread.
 */
int secret_load(const char *path, char *buffer, size_t size, struct failure *failure);
