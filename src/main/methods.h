/*
 * The methods of io.holdfast.Control and org.varlink.service: the table of them, and who may call them how.
 */
#pragma once

#include "main/call.h"

#define CONTROL_INTERFACE	      "io.holdfast.Control"
#define CONTROL_NO_SUCH_UPSTREAM      CONTROL_INTERFACE ".NoSuchUpstream"
#define CONTROL_INVALID_CONFIGURATION CONTROL_INTERFACE ".InvalidConfiguration"
#define CONTROL_NOT_CONFIRMABLE	      CONTROL_INTERFACE ".NotConfirmable"
#define CONTROL_NOT_LENDABLE	      CONTROL_INTERFACE ".NotLendable"
#define CONTROL_OVERRUN		      CONTROL_INTERFACE ".Overrun"
#define CONTROL_TIMED_OUT	      CONTROL_INTERFACE ".TimedOut"
#define CONTROL_BUSY		      CONTROL_INTERFACE ".Busy"

/*
 * method_start(call):
 * Find the method that the request names, check the caller's rights and parameters, and run it.  What is refused is answered.
 */
void method_start(struct call *call);

/*
 * methods_know_all(call, names):
 * Whether there is an upstream of each of `names` (an array of strings, or NULL).  Where not, the call has failed with NoSuchUpstream.
 */
bool methods_know_all(struct call *call, const json_t *names);

/*
 * method_status(call), method_config(call), method_metrics(call):
 * io.holdfast.Control's methods of these names, which have one reply.  method_start() has checked the parameters of
 * these and all the following.
 */
void method_status(struct call *call);
void method_config(struct call *call);
void method_metrics(struct call *call);

/*
 * method_list(call), method_history(call):
 * Streams of upstreams, and of failures in the order of time.
 */
void method_list(struct call *call);
void method_history(struct call *call);

/*
 * method_watch(call), method_wait(call):
 * Calls that wait for notices.
 */
void method_watch(struct call *call);
void method_wait(struct call *call);

/*
 * method_retry(call), method_reconnect(call), method_pause(call), method_resume(call), method_reload(call),
 * method_confirm(call), method_borrow(call), method_set_log_level(call):
 * Methods for administrators.
 */
void method_retry(struct call *call);
void method_reconnect(struct call *call);
void method_pause(struct call *call);
void method_resume(struct call *call);
void method_reload(struct call *call);
void method_confirm(struct call *call);
void method_borrow(struct call *call);
void method_set_log_level(struct call *call);

/*
 * method_get_info(call), method_get_interface_description(call):
 * The methods of org.varlink.service.
 */
void method_get_info(struct call *call);
void method_get_interface_description(struct call *call);
