/*
 * errno to failure codes (FAILURES.md), one function a step of a connection's life.
 *
 * `error` is a positive errno.  An unforeseen one gets its step's general code.  Any thread.
 */
#pragma once

#include "core/address.h"
#include "core/failure.h"

#include <stdbool.h>

/*
 * classify_open(error):
 * Of socket(2).
 */
enum failure_code classify_open(int error);

/*
 * classify_setup(error):
 * Of setsockopt(2) and fcntl(2) on a new socket.
 */
enum failure_code classify_setup(int error);

/*
 * classify_bind(error):
 * Of bind(2) to the configured source, or of SO_BINDTODEVICE to the configured interface.
 */
enum failure_code classify_bind(int error);

/*
 * classify_connect(error, peer, host_has_source):
 * Of connect(2) to `peer`, at once or by SO_ERROR.  `host_has_source` decides ruling 6: whether this host has any
 * address from which `peer` could be reached.  EAGAIN of a Unix socket is no failure and not for here.
 */
enum failure_code classify_connect(int error, const struct address *peer, bool host_has_source);

/*
 * classify_io(error, peer_acknowledges):
 * Of reading from or writing to an established socket.  `peer_acknowledges` decides ruling 5: whether the peer has
 * acknowledged anything lately.
 */
enum failure_code classify_io(int error, bool peer_acknowledges);

/*
 * classify_is_routeless(error):
 * Whether connect(2) of a datagram socket failed because nothing leads to its peer: no route, no address to come from, no
 * such family.  Not so where a rule of this host forbids it (FAILURES.md, note 2).
 */
bool classify_is_routeless(int error);
