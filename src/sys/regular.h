/*
 * Regular files, and nothing else.  A path of the configuration may lead to a FIFO, a device or a socket: to open or to read
 * one of those may block for ever, and with it a worker and all its links.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

/*
 * regular_open(path, flags, ret_why):
 * Open the regular file at `path` as open(2) does with `flags`; it never waits for a peer.  A file made by O_CREAT has mode 0600.
 * Returns a descriptor (close-on-exec), or a negative errno: -EINVAL with *ret_why a static sentence where it is no
 * regular file; else *ret_why is NULL.  Any thread.
 */
int regular_open(const char *path, int flags, const char **ret_why);

/*
 * regular_stream(path, ret_stream, ret_why):
 * The same for reading through stdio: 0 with a stream that the caller ends by fclose().  Any thread.
 */
int regular_stream(const char *path, FILE **ret_stream, const char **ret_why);

/*
 * regular_or_gone_at(directory, name):
 * Whether `name`, seen from the open directory, leads to a regular file, or nowhere.  Any thread.
 */
bool regular_or_gone_at(int directory, const char *name);
