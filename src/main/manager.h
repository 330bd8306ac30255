/*
 * The manager: the configuration in force, the workers, and every command that changes something.
 */
#pragma once

#include "config/config.h"
#include "config/diff.h"
#include "main/model.h"
#include "main/notice.h"
#include "sys/loop.h"

struct manager;

struct manager_setup {
	struct loop *loop;	 /* main's; borrowed */
	struct notices *notices; /* borrowed */
	struct config *config;	 /* the first snapshot; the manager takes a reference */
	/* Called once all workers have stopped after manager_stop(). */
	post_fn on_stopped;
	/* Called after a successful reload, with the snapshot now in force (log, control settings). */
	void (*on_config)(void *arg, const struct config *config);
	/* Called when all workers and main have answered a ping round (feeds the watchdog); see manager_ping(). */
	post_fn on_alive;
	void *arg; /* of the three */
};

/*
 * manager_new(setup, ret_manager), manager_free(manager):
 * A manager that knows no upstreams and has no workers yet.  Returns 0 or a negative errno.  manager_free() takes NULL and returns NULL;
 * the workers must have stopped, but one that was given up is left behind with what it uses.
 */
int manager_new(const struct manager_setup *setup, struct manager **ret_manager);
struct manager *manager_free(struct manager *manager);

/*
 * manager_start(manager):
 * Start the workers and hand them their upstreams (as room in their mailboxes allows).  Fewer workers than configured are better than none: that is
 * told and goes on.  Returns 0 or a negative errno; after the latter, what was started must be ended by manager_stop().
 */
int manager_start(struct manager *manager);

/*
 * manager_model(manager), manager_config(manager):
 * What is known; the snapshot in force.  Borrowed.
 */
struct model *manager_model(struct manager *manager);
const struct config *manager_config(const struct manager *manager);

/*
 * manager_retry(manager, name, ret_links), manager_reconnect(manager, name, rolling, ret_links),
 * manager_pause(manager, name), manager_resume(manager, name):
 * The control socket's commands.  Return 0; -ENOENT where there is no such upstream; -ESHUTDOWN after manager_stop().
 * *ret_links: how many links are concerned (in backoff; ready).
 */
int manager_retry(struct manager *manager, const char *name, unsigned int *ret_links);
int manager_reconnect(struct manager *manager, const char *name, bool rolling, unsigned int *ret_links);
int manager_pause(struct manager *manager, const char *name);
int manager_resume(struct manager *manager, const char *name);

/*
 * manager_reload(manager, dry_run, problems, ret_reload):
 * Read the configuration again and, unless `dry_run`, put it in force.  Returns 0 with *ret_reload, ended by reload_done();
 * -EINVAL with `problems`, and nothing has changed;
 * -ENOMEM, or -ESHUTDOWN after manager_stop(), likewise.  Blocks on the disk (main may).
 */
struct reload {
	struct diff diff;
	struct config *before, *after; /* references that `diff` borrows from */
};
int manager_reload(struct manager *manager, bool dry_run, struct problems *problems,
		   struct reload *ret_reload);

/*
 * reload_done(reload):
 * Free what it holds.
 */
void reload_done(struct reload *reload);

/*
 * manager_ping(manager):
 * Ask every worker for a sign of life; on_alive follows when the last has answered.  A round that is still open is left as it is.
 */
void manager_ping(struct manager *manager);

/*
 * manager_stop(manager, deadline):
 * Close all links in order until `deadline`; on_stopped follows.  A worker that does not answer by then plus a second is given up
 * (on_stopped comes all the same).
 */
void manager_stop(struct manager *manager, usec_t deadline);

/*
 * manager_given_up(manager):
 * How many workers did not answer manager_stop() in time: their threads still run.
 */
unsigned int manager_given_up(const struct manager *manager);
