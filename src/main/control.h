/*
 * The control socket: its clients, their limits, and the Varlink server behind it.
 */
#pragma once

#include "main/manager.h"
#include "main/report.h"

/* Clients that are served; one more is told Busy and hung up on. */
#define CONTROL_CLIENTS_MAX 64
/* … but so many more are served if they are root's or the daemon's own user's: an administrator always gets in. */
#define CONTROL_CLIENTS_RESERVED 8
/* So many are told Busy at once; who comes beyond them is hung up on without a word. */
#define CONTROL_CLIENTS_BUSY 16
/* Time for them to make the call that Busy answers. */
#define CONTROL_BUSY_TIMEOUT (2 * USEC_PER_SEC)
/* Bytes of one request; a longer one ends its client. */
#define CONTROL_MESSAGE_MAX (64 * 1024)
/* Bytes waiting for one client (and one reply more); beyond it streams pause, and watchers get Overrun. */
#define CONTROL_OUTPUT_MAX (1024 * 1024)
/* A client that has no call running and says nothing so long is hung up on, and one that does not read. */
#define CONTROL_IDLE_TIMEOUT (5 * USEC_PER_MINUTE)

struct control;

struct control_setup {
	struct loop *loop; /* borrowed, as all here */
	struct manager *manager;
	struct notices *notices;
	struct report *report;		     /* for SetLogLevel and logLost */
	const struct control_config *config; /* copied as far as needed */
	int listener;	     /* a passed socket (taken over), or -1: listen at config->path */
	uint64_t started;    /* realtime of the daemon's start, microseconds */
	usec_t idle_timeout; /* 0: CONTROL_IDLE_TIMEOUT; tests have less patience */
};

/*
 * control_new(setup, ret_control), control_free(control):
 * Start serving.  Returns 0 or a negative errno.  control_free() hangs up on all clients and removes the socket file it made; takes NULL and returns
 * NULL.
 */
int control_new(const struct control_setup *setup, struct control **ret_control);
struct control *control_free(struct control *control);

/*
 * control_configure(control, config):
 * A reload changed mode, group or admin_group (path needs a restart).  Applied at once where the socket file is ours.
 */
void control_configure(struct control *control, const struct control_config *config);

/*
 * control_set_configured(control, realtime):
 * When the configuration in force was put there (Status' `configured`).
 */
void control_set_configured(struct control *control, uint64_t realtime);
