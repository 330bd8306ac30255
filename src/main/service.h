/*
 * The service manager's side: readiness, reload, status sentence, watchdog, passed sockets (sd-daemon).  Without systemd all of it does
 * nothing.
 */
#pragma once

#include "base/text.h"
#include "base/usec.h"
#include "main/model.h"

/*
 * service_listener(name):
 * The passed socket called `name` (FileDescriptorName=), close-on-exec and non-blocking, taken out of the list; -1 where there is none.
 */
int service_listener(const char *name);

/*
 * service_close_passed():
 * Close the passed sockets that nobody has asked for, so that their clients are not left waiting for us.
 */
void service_close_passed(void);

/*
 * service_ready(), service_reloading(now), service_stopping():
 * READY=1 (also at a reload's end), RELOADING=1 with MONOTONIC_USEC=, STOPPING=1.
 */
void service_ready(void);
void service_reloading(usec_t now);
void service_stopping(void);

/*
 * service_status(model):
 * STATUS= with a sentence such as "12 upstreams: 10 up, 1 degraded, 1 down (ldap: connection.refused)"; sent only when it has changed.
 */
void service_status(const struct model *model);

/*
 * service_status_text(model, text):
 * Append that sentence.
 */
void service_status_text(const struct model *model, struct text *text);

/*
 * service_watchdog_interval():
 * How often the watchdog wants to be fed (WATCHDOG_USEC / 4), or USEC_INFINITY where nobody watches.
 */
usec_t service_watchdog_interval(void);

/*
 * service_watchdog():
 * WATCHDOG=1: main and all workers have made progress.
 */
void service_watchdog(void);
