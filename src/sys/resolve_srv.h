/*
 * SRV records (RFC 2782): out of a DNS message, and in the order in which their hosts are to be tried.
 */
#pragma once

#include "base/usec.h"
#include "core/address.h"

#include <stddef.h>
#include <stdint.h>

#define SRV_RECORDS_MAX 64 /* kept of one answer; of more, those whose priority comes first */

struct srv_record {
	uint16_t priority, weight, port; /* host order */
	char host[TARGET_HOST_MAX];	 /* lower case, without a trailing dot */
};

struct srv_reply {
	unsigned int count; /* of records that can be used; 0: why says what there was instead */
	struct srv_record records[SRV_RECORDS_MAX];
	unsigned int left_out; /* usable ones beyond SRV_RECORDS_MAX */
	usec_t ttl;	       /* the least of all SRV and CNAME records */
	const char *why;       /* count 0: a static clause; else NULL */
	bool broken;	       /* count 0: there were only records whose host is no host name */
};

/*
 * srv_parse(message, length, ret_reply):
 * Read the answer section of a DNS message of `length` octets.  Records with port 0, or with the target "." (RFC 2782: the service is
 * not offered), or whose target is no host name are left out.  Returns 0, or -EBADMSG where the message is malformed.  Any thread.
 */
int srv_parse(const unsigned char *message, size_t length, struct srv_reply *ret_reply);

/*
 * srv_order(records, count, seed):
 * Put `records` in the order of RFC 2782: by priority, and within one priority drawn by weight.  Equal sets and equal seeds give the same
 * order, whatever the order they come in.  Any thread.
 */
void srv_order(struct srv_record *records, unsigned int count, uint64_t seed);
