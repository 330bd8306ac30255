/*
 * Whether this host has a network at all (rtnetlink), for local.offline.
 */
#pragma once

#include "core/address.h"
#include "sys/loop.h"

struct network;

/* Called when the host may have got a network (an address or a route appeared); at most every 200 ms. */
typedef void (*network_fn)(void *arg, usec_t now);

/*
 * network_new(loop, fn, arg, ret_network):
 * Listen to the kernel's changes of links, addresses and routes.  Returns 0 or a negative errno (without AF_NETLINK: -EAFNOSUPPORT or
 * -EPERM; the caller goes on without).  network_free() takes NULL and returns NULL.
 */
int network_new(struct loop *loop, network_fn fn, void *arg, struct network **ret_network);
struct network *network_free(struct network *network);

/*
 * network_is_offline(peer):
 * Whether `peer` cannot be reached because this host has no network: nothing leads to it (a route, with a source address on an
 * interface that is running), and nothing leads anywhere else either: no running interface has an address of more than
 * link scope, or no route goes out through anything but loopback.  `peer` unset: a name server's place, i.e. any.  Never
 * true for loopback and Unix addresses, nor where the kernel cannot be asked.  Does a few quick system calls.  Any thread.
 */
bool network_is_offline(const struct address *peer);
