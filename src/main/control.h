/*
 * The control socket: its clients, their limits, and the Varlink server behind it.
 */
#pragma once

#include "main/manager.h"
#include "main/report.h"

#define CONTROL_CLIENTS_MAX \
	64 /* one more is told Busy and hung up on; a few are reserved for root and the daemon's user */
#define CONTROL_CLIENTS_RESERVED 8 /* … so many */
#define CONTROL_CLIENTS_BUSY \
	16 /* so many are told at once; who comes beyond them is hung up on without a word */
#define CONTROL_BUSY_TIMEOUT (2 * USEC_PER_SEC) /* to make the call that Busy answers */
#define CONTROL_MESSAGE_MAX  (64 * 1024) /* bytes of one request; a longer one ends its client */
#define CONTROL_OUTPUT_MAX \
	(1024 * 1024) /* bytes waiting for one client; beyond it streams pause, watchers get Overrun */
#define CONTROL_IDLE_TIMEOUT \
	(5 * USEC_PER_MINUTE) /* a client that has no call running and says nothing is hung up on */

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
