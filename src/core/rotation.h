/*
 * Whether the answers for a name keep still, so that an address they lack may be called gone.
 *
 * Behind some names a server gives another part of many addresses each time.  What one answer lacks the next one has: nothing is gone, and
 * connections that followed the answers would be renewed for ever.  So an address is gone once ADDRESS_GONE_ANSWERS answers in a row lacked
 * it and said the same.  Where the answers change again before they have been the same ADDRESS_CALM_ANSWERS times, twice as many are wanted
 * with each change, up to that number.
 */
#pragma once

#include "core/address.h"

#include <stdbool.h>
#include <stdint.h>

/* Of one name. */
struct rotation {
	uint64_t gathered; /* digest of the addresses heard since rotation_end() */
	uint64_t last;	   /* of the answer before */
	unsigned int equal; /* so many answers in a row were the same, at most ADDRESS_CALM_ANSWERS */
	unsigned int wanted; /* so many must be */
	bool any;	     /* there has been an answer */
};

/*
 * rotation_init(rotation):
 * Nothing is known of the name.
 */
void rotation_init(struct rotation *rotation);

/*
 * rotation_hear(rotation, address):
 * The answer that is being gathered has `address`; in which order they come makes no difference.
 */
void rotation_hear(struct rotation *rotation, const struct address *address);

/*
 * rotation_end(rotation, whole):
 * All of that answer has been heard.  Where it is not `whole`, it is forgotten.
 */
void rotation_end(struct rotation *rotation, bool whole);

/*
 * rotation_is_gone(rotation, lacking):
 * Whether an address that the last `lacking` answers did not have is gone.
 */
bool rotation_is_gone(const struct rotation *rotation, unsigned int lacking);
