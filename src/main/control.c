#include "main/control.h"

#include "base/cleanup.h"
#include "main/client.h"
#include "main/reserve.h"
#include "sys/entropy.h"
#include "sys/fd.h"
#include "sys/loop.h"
#include "sys/unix.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ACCEPTS_PER_TURN 16		    /* the other clients want their turn too */
#define RECOVER_INTERVAL (1 * USEC_PER_SEC) /* how often missing descriptors are looked for */

struct control {
	struct services services;
	usec_t idle_timeout;
	gid_t admin_group; /* or UNIX_NO_GROUP */

	int listener;
	struct watch *watch;
	char *path; /* of the socket file that is ours to remove; NULL: it was passed to us */
	dev_t device;
	ino_t inode;

	struct list clients;
	unsigned int client_count, busy_count; /* those who are served, and those who only get Busy */

	struct reserve reserve;
	bool deaf; /* nobody can be accepted for want of descriptors */
	struct timer *recovery;
};

/* ---- clients ---------------------------------------------------------------------------------------------------- */

static void control_recover(struct control *control, usec_t now);

static void
on_gone(void *arg, struct client *client)
{
	struct control *control = arg;

	*(client_is_busy(client) ? &control->busy_count : &control->client_count) -= 1;
	(void)reserve_take(&control->reserve, client_free(client));
	if (control->deaf)
		control_recover(control, loop_now(control->services.loop));
}

static bool
has_place(const struct control *control, int fd)
{
	if (control->client_count < CONTROL_CLIENTS_MAX)
		return true;
	return control->client_count < CONTROL_CLIENTS_MAX + CONTROL_CLIENTS_RESERVED &&
	       unix_peer_is_admin(fd, UNIX_NO_GROUP);
}

/* Takes `fd` over: somebody is served, told that we are busy, or hung up on. */
static void
control_admit(struct control *control, int fd)
{
	bool served = has_place(control, fd);
	struct client_setup setup = {
		.fd = fd,
		.services = &control->services,
		.admin_group = &control->admin_group,
		.idle_timeout = served ? control->idle_timeout : CONTROL_BUSY_TIMEOUT,
		.busy_limit = served ? 0 : CONTROL_CLIENTS_MAX,
		.on_gone = on_gone,
		.arg = control,
	};
	struct client *client;

	if ((!served && control->busy_count >= CONTROL_CLIENTS_BUSY) || client_new(&setup, &client) < 0) {
		(void)reserve_take(&control->reserve, fd);
		return;
	}
	list_append(&control->clients, client_node(client));
	*(served ? &control->client_count : &control->busy_count) += 1;
}

/* ---- the listener ----------------------------------------------------------------------------------------------- */

static bool
is_out_of_descriptors(int r)
{
	return r == -EMFILE || r == -ENFILE;
}

static bool
somebody_waits(const struct control *control)
{
	struct pollfd door = { .fd = control->listener, .events = POLLIN };

	return poll(&door, 1, 0) > 0;
}

/*
 * Without a descriptor left, accept(2) does not even look whether somebody waits.  Reserves are traded in one after the
 * other: another thread may be quicker to use the one that got free.
 */
static int
control_accept(struct control *control, int *ret_fd)
{
	int r = unix_accept(control->listener, ret_fd);

	while (is_out_of_descriptors(r)) {
		if (!somebody_waits(control))
			return -EAGAIN;
		if (!reserve_trade(&control->reserve))
			return r;
		r = unix_accept(control->listener, ret_fd);
	}
	return r;
}

static void
on_listener(void *arg, unsigned int events, usec_t now)
{
	struct control *control = arg;
	int fd, r = 0;

	(void)events;
	for (int i = 0; i < ACCEPTS_PER_TURN && r == 0; i++) {
		r = control_accept(control, &fd);
		if (r == 0)
			control_admit(control, fd);
	}
	/* Who waits at the door would wake us for ever. */
	if (r < 0 && r != -EAGAIN && r != -ECONNABORTED)
		control->deaf = watch_change(control->watch, 0) == 0;
	if (control->deaf || control->reserve.count < RESERVE_MAX)
		timer_arm(control->recovery, usec_add(now, RECOVER_INTERVAL));
}

static void
control_recover(struct control *control, usec_t now)
{
	bool whole = reserve_refill(&control->reserve);

	if (control->deaf && control->reserve.count > 0)
		control->deaf = watch_change(control->watch, WATCH_READ) < 0;
	if (control->deaf || !whole)
		timer_arm(control->recovery, usec_add(now, RECOVER_INTERVAL));
}

static void
on_recovery(void *arg, usec_t now)
{
	control_recover(arg, now);
}

/* ---- life ------------------------------------------------------------------------------------------------------- */

/*
 * Groups are looked up when a configuration is put in force, and not for each caller: wherever they are kept, asking may
 * take its time.  One that cannot be found (UNIX_NO_GROUP) gives nobody anything.
 */
static gid_t
find_group(const struct control *control, const char *key, const char *name)
{
	gid_t group = UNIX_NO_GROUP;
	int r = name ? unix_group_find(name, &group) : 0;

	if (r < 0)
		report_say(control->services.report, LEVEL_WARNING, "config",
			   "%s: the group \"%s\" cannot be found (%s) and gives nobody any right",
			   key, name, r == -ESRCH ? "there is none" : strerrordesc_np(-r));
	return group;
}

static struct unix_listen
listen_setup(const struct control *control, const struct control_config *config)
{
	bool known = find_group(control, "control.group", config->group) != UNIX_NO_GROUP;

	return (struct unix_listen){
		.path = config->path,
		.mode = config->mode,
		.group = known ? config->group : NULL,
	};
}

/* Makes the socket file, and remembers which one it is: whoever replaces it keeps his. */
static int
control_listen(struct control *control, const struct control_config *config)
{
	struct unix_listen setup = listen_setup(control, config);
	struct stat status;
	int r;

	r = unix_listen(&setup, &control->listener);
	if (r < 0)
		return r;
	control->path = strdup(config->path);
	if (!control->path)
		return -ENOMEM;
	if (lstat(control->path, &status) < 0)
		return -errno;
	control->device = status.st_dev;
	control->inode = status.st_ino;
	return 0;
}

static void
control_remove_file(const struct control *control)
{
	struct stat status;

	if (control->path && lstat(control->path, &status) == 0 &&
	    status.st_dev == control->device && status.st_ino == control->inode)
		(void)unlink(control->path);
}

static int
control_start(struct control *control, const struct control_setup *setup)
{
	struct watch_setup watch = { .events = WATCH_READ, .fn = on_listener, .arg = control };
	int r;

	/* Or callers could choose keys that all fall into one place of jansson's tables. */
	json_object_seed((size_t)entropy_seed());
	control->admin_group = find_group(control, "control.admin_group", setup->config->admin_group);
	r = reserve_open(&control->reserve);
	if (r == 0 && setup->listener < 0)
		r = control_listen(control, setup->config);
	if (r == 0)
		r = timer_new(setup->loop, on_recovery, control, &control->recovery);
	if (r < 0)
		return r;
	watch.fd = control->listener;
	return watch_start(setup->loop, &watch, &control->watch);
}

int
control_new(const struct control_setup *setup, struct control **ret_control)
{
	struct control *control = calloc(1, sizeof(*control));
	int r;

	if (!control)
		return -ENOMEM;
	list_init(&control->clients);
	control->listener = setup->listener;
	control->idle_timeout = setup->idle_timeout ? setup->idle_timeout : CONTROL_IDLE_TIMEOUT;
	control->services = (struct services){
		.loop = setup->loop,
		.manager = setup->manager,
		.notices = setup->notices,
		.report = setup->report,
		.started = setup->started,
		.configured = setup->started,
	};
	r = control_start(control, setup);
	if (r < 0) {
		control_free(control);
		return r;
	}
	*ret_control = control;
	return 0;
}

struct control *
control_free(struct control *control)
{
	if (!control)
		return NULL;
	list_for_each(node, &control->clients)
		(void)fd_close(client_free(client_of(node)));
	control->watch = watch_cancel(control->watch);
	control->recovery = timer_free(control->recovery);
	control_remove_file(control);
	control->listener = fd_close(control->listener);
	reserve_close(&control->reserve);
	free(control->path);
	free(control);
	return NULL;
}

void
control_configure(struct control *control, const struct control_config *config)
{
	struct unix_listen setup;
	int r;

	control->admin_group = find_group(control, "control.admin_group", config->admin_group);
	/* A new path waits for a restart; the file that is there follows the rest. */
	if (!control->path)
		return;
	setup = listen_setup(control, config);
	setup.path = control->path;
	r = unix_listen_change(&setup);
	if (r < 0)
		report_say(control->services.report, LEVEL_WARNING, "config",
			   "mode and group of the control socket are left as they were: %s",
			   strerror(-r));
}

void
control_set_configured(struct control *control, uint64_t realtime)
{
	control->services.configured = realtime;
}
