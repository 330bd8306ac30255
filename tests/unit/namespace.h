/*
 * A network and a mount namespace of the test's own, with nothing but loopback: what a test does in it touches nobody.
 */
#pragma once

#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * file_write(path, text):
 * Make the file anew with `text` as its content; returns whether it could.
 */
__attribute__((unused)) static bool
file_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return done;
}

/* Why namespace_enter() was not possible, where that is no defect; else NULL. */
static const char *namespace_excuse;

static bool
namespace_become_root(uid_t uid, gid_t gid)
{
	char map[64];

	snprintf(map, sizeof(map), "0 %u 1", uid);
	if (!file_write("/proc/self/uid_map", map) || !file_write("/proc/self/setgroups", "deny"))
		return false;
	snprintf(map, sizeof(map), "0 %u 1", gid);
	return file_write("/proc/self/gid_map", map);
}

/*
 * namespace_enter():
 * Move this process, which has no threads yet, into namespaces of its own, as root of a user namespace if it is not root.
 * Returns false where that is not possible: namespace_excuse then says why, or is NULL where it should have been.
 */
static bool
namespace_enter(void)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	int user = uid == 0 ? 0 : CLONE_NEWUSER;

	if (unshare(user | CLONE_NEWNET | CLONE_NEWNS) < 0) {
		namespace_excuse = user ? "not root, and user namespaces are not allowed here" : NULL;
		return false;
	}
	if (user && !namespace_become_root(uid, gid))
		return false;
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0)
		return true;
	if (errno == EINVAL)
		namespace_excuse = "in a chroot whose / is no mount point (mount --bind it on itself)";
	return false;
}

/*
 * namespace_loopback_up():
 * Switch lo on.
 */
__attribute__((unused)) static void
namespace_loopback_up(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &request), 0);
	close(fd);
}

/*
 * run(command):
 * Run a shell command that must succeed.
 */
__attribute__((unused)) static void
run(const char *command)
{
	if (system(command) != 0)
		fail_msg("%s failed", command);
}
