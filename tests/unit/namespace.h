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

/*
 * namespace_enter():
 * Move this process, which has no threads yet, into namespaces of its own, as root of a user namespace if it is not root.
 * Returns false where the system does not allow it; root is always allowed.
 */
static bool
namespace_enter(void)
{
	char map[64];
	uid_t uid = geteuid();
	gid_t gid = getegid();
	bool is_root = uid == 0 && unshare(CLONE_NEWNET | CLONE_NEWNS) == 0;

	if (!is_root) {
		if (unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS) < 0)
			return false;
		snprintf(map, sizeof(map), "0 %u 1", uid);
		if (!file_write("/proc/self/uid_map", map) ||
		    !file_write("/proc/self/setgroups", "deny"))
			return false;
		snprintf(map, sizeof(map), "0 %u 1", gid);
		if (!file_write("/proc/self/gid_map", map))
			return false;
	}
	return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
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
