/*
 * Unix stream sockets for local clients: listening, accepting, and who the other side is.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

struct unix_listen {
	const char *path;
	mode_t mode;	   /* of the socket file */
	const char *group; /* owner of the socket file, or NULL */
};

/*
 * unix_listen(setup, ret_fd):
 * Listen at a path, non-blocking; a stale socket file (nobody listens) is replaced, a live one gives -EADDRINUSE, a file that is no
 * socket -EEXIST, an unknown group -ESRCH.  The file stays when the descriptor is closed.  Returns 0 or a negative errno.
 */
int unix_listen(const struct unix_listen *setup, int *ret_fd);

/*
 * unix_listen_change(setup):
 * Give the socket file that unix_listen() made at that path another mode and group (NULL: our own).  Returns 0, -ESRCH where there is no such
 * group, or another negative errno.
 */
int unix_listen_change(const struct unix_listen *setup);

/*
 * unix_accept(listener, ret_fd):
 * Accept one client, non-blocking and close-on-exec.  Returns 0, -EAGAIN where nobody waits, or a negative errno.
 */
int unix_accept(int listener, int *ret_fd);

/*
 * unix_connect(path, ret_fd):
 * Connect to a local service, blocking only as long as its queue is full (at most about 5 s: -EAGAIN).  The descriptor is blocking.
 * Returns 0 or a negative errno.
 */
int unix_connect(const char *path, int *ret_fd);

#define UNIX_NO_GROUP ((gid_t)-1)

/*
 * unix_group_find(name, ret_group):
 * Look a group up by its name, wherever the host keeps groups: that may take its time.  Returns 0, -ESRCH where there is none, or another
 * negative errno.
 */
int unix_group_find(const char *name, gid_t *ret_group);

/*
 * unix_peer_is_admin(fd, group):
 * Whether the process at the other end is root, runs as our own user, or is (primary or supplementary, SO_PEERGROUPS) in `group`
 * (UNIX_NO_GROUP: none).
 */
bool unix_peer_is_admin(int fd, gid_t group);
