/*
 * What is said over a connection in a protocol of the upstream's own: the dialogues of core/proxy, core/starttls and core/probe, brought
 * together with the connection's socket and TLS object.
 */
#pragma once

#include "worker/connection.h"

/*
 * speech_proxy(driver, now, failure), speech_starttls(driver, now, failure), speech_probe(driver, now, failure):
 * What the effects of these names ask for; completions come as inputs from the loop.  Returns 0, 1 where the dialogue has ended well
 * already, or a negative errno with `failure` (failure_init()ed with the stage) filled.  A probe that is asked for while
 * one goes on lets that one go on.
 */
int speech_proxy(struct driver *driver, usec_t now, struct failure *failure);
int speech_starttls(struct driver *driver, usec_t now, struct failure *failure);
int speech_probe(struct driver *driver, usec_t now, struct failure *failure);

/*
 * speech_go_on(driver, now):
 * The socket of a connection that holds a dialogue is ready for something.
 */
void speech_go_on(struct driver *driver, usec_t now);

/*
 * speech_overdue(driver, failure):
 * Whether a dialogue goes on; what its deadline means then is filled into `failure` (failure_init()ed with the stage).
 */
bool speech_overdue(const struct driver *driver, struct failure *failure);

/*
 * speech_stop_probe(driver):
 * If a probe goes on, nobody wants to hear its answer any more.
 */
void speech_stop_probe(struct driver *driver);

/*
 * speech_keep(driver, length, failure):
 * `length` octets at the worker's scratch have come before the first probe has begun: if there will be one, they are for it.  Returns 0, or
 * -ENOMEM with `failure` filled.
 */
int speech_keep(struct driver *driver, size_t length, struct failure *failure);

/*
 * speech_end(driver):
 * The connection ends: give back what its dialogues hold.
 */
void speech_end(struct driver *driver);
