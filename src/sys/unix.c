#include "sys/unix.h"

#include "base/cleanup.h"
#include "sys/fd.h"

#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define CONNECT_SECONDS_MAX \
	5 /* a local service whose queue stays full that long is not answering */
#define GROUP_ENTRY_MAX \
	((size_t)1 << 20) /* of a group's text with all its members; larger ones are -ERANGE */

/* Nobody but the owner may connect between bind(2) and the setting of owner and mode. */
#define MODE_MEANWHILE 0600

static int
unix_name(const char *path, struct sockaddr_un *ret_name)
{
	size_t length = strlen(path);

	*ret_name = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (length == 0)
		return -EINVAL;
	if (length >= sizeof(ret_name->sun_path))
		return -ENAMETOOLONG;
	memcpy(ret_name->sun_path, path, length);
	return 0;
}

int
unix_group_find(const char *name, gid_t *ret_group)
{
	for (size_t size = 1024; size <= GROUP_ENTRY_MAX; size *= 2) {
		_cleanup_(freep) char *buffer = malloc(size);
		struct group entry, *found;
		int error;

		if (!buffer)
			return -ENOMEM;
		error = getgrnam_r(name, &entry, buffer, size, &found);
		if (error == 0 && found)
			*ret_group = found->gr_gid;
		if (error != ERANGE)
			return error != 0 ? -error : found ? 0 : -ESRCH;
	}
	return -ERANGE;
}

/* ---- listening ------------------------------------------------------------------------------------ */

/* Whether somebody listens: 0 nobody does, -EADDRINUSE somebody, or another negative errno. */
static int
probe_listener(const struct sockaddr_un *name)
{
	_cleanup_(fd_closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)name, sizeof(*name)) == 0 || errno == EAGAIN)
		return -EADDRINUSE;
	/* EPROTOTYPE: somebody listens there, but not for a stream. */
	if (errno == EPROTOTYPE)
		return -EADDRINUSE;
	return errno == ECONNREFUSED || errno == ENOENT ? 0 : -errno;
}

static int
remove_stale(const struct sockaddr_un *name)
{
	struct stat status;
	int r;

	if (lstat(name->sun_path, &status) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(status.st_mode))
		return -EEXIST;
	r = probe_listener(name);
	if (r < 0)
		return r;
	return unlink(name->sun_path) < 0 && errno != ENOENT ? -errno : 0;
}

static int
open_to(const struct unix_listen *setup, gid_t group)
{
	if (setup->group && chown(setup->path, (uid_t)-1, group) < 0)
		return -errno;
	return chmod(setup->path, setup->mode) < 0 ? -errno : 0;
}

int
unix_listen(const struct unix_listen *setup, int *ret_fd)
{
	_cleanup_(fd_closep) int fd = -1;
	struct sockaddr_un name;
	gid_t group = 0;
	int r;

	r = unix_name(setup->path, &name);
	if (r == 0 && setup->group)
		r = unix_group_find(setup->group, &group);
	if (r == 0)
		r = remove_stale(&name);
	if (r < 0)
		return r;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	/* The file gets the mode that the socket has before bind(2). */
	if (fd < 0 || fchmod(fd, MODE_MEANWHILE) < 0 ||
	    bind(fd, (const struct sockaddr *)&name, sizeof(name)) < 0)
		return -errno;
	r = open_to(setup, group);
	if (r == 0 && listen(fd, SOMAXCONN) < 0)
		r = -errno;
	if (r < 0) {
		(void)unlink(setup->path);
		return r;
	}
	*ret_fd = fd;
	fd = -1;
	return 0;
}

int
unix_listen_change(const struct unix_listen *setup)
{
	gid_t group = getegid();
	int r;

	r = setup->group ? unix_group_find(setup->group, &group) : 0;
	if (r < 0)
		return r;
	if (chown(setup->path, (uid_t)-1, group) < 0 || chmod(setup->path, setup->mode) < 0)
		return -errno;
	return 0;
}

int
unix_accept(int listener, int *ret_fd)
{
	int fd;

	do {
		fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	} while (fd < 0 && errno == EINTR);
	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

/* ---- connecting ----------------------------------------------------------------------------------- */

static int
set_send_timeout(int fd, time_t seconds)
{
	struct timeval timeout = { .tv_sec = seconds };

	return setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) < 0 ? -errno : 0;
}

int
unix_connect(const char *path, int *ret_fd)
{
	_cleanup_(fd_closep) int fd = -1;
	struct sockaddr_un name;
	int r;

	r = unix_name(path, &name);
	if (r < 0)
		return r;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	r = set_send_timeout(fd, CONNECT_SECONDS_MAX);
	if (r < 0)
		return r;
	do {
		r = connect(fd, (const struct sockaddr *)&name, sizeof(name)) < 0 ? -errno : 0;
	} while (r == -EINTR);
	if (r == 0)
		r = set_send_timeout(fd, 0);
	if (r < 0)
		return r;
	*ret_fd = fd;
	fd = -1;
	return 0;
}

/* ---- who is there --------------------------------------------------------------------------------- */

static bool
peer_has_group(int fd, gid_t group)
{
	_cleanup_(freep) gid_t *groups = NULL;
	socklen_t size = 0;

	/* Asked with no room, the kernel says how much is needed. */
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &size) == 0 || errno != ERANGE)
		return false;
	groups = malloc(size);
	if (!groups || getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) < 0)
		return false;
	for (size_t i = 0; i < size / sizeof(*groups); i++) {
		if (groups[i] == group)
			return true;
	}
	return false;
}

bool
unix_peer_is_admin(int fd, gid_t group)
{
	struct ucred peer;
	socklen_t length = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0)
		return false;
	if (peer.uid == 0 || peer.uid == geteuid())
		return true;
	return group != UNIX_NO_GROUP && (peer.gid == group || peer_has_group(fd, group));
}
