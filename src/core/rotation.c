#include "core/rotation.h"

#include "base/hash.h"
#include "core/policy.h"

void
rotation_init(struct rotation *rotation)
{
	/* What is not known to change is trusted. */
	*rotation = (struct rotation){ .equal = ADDRESS_CALM_ANSWERS, .wanted = ADDRESS_GONE_ANSWERS };
}

void
rotation_hear(struct rotation *rotation, const struct address *address)
{
	char text[ADDRESS_TEXT_MAX];

	/* A sum, since the order of an answer's addresses means nothing; it may wrap. */
	rotation->gathered += hash_text(HASH_SEED, address_format(address, text, sizeof(text)));
}

static unsigned int
at_most_calm(unsigned int count)
{
	return count < ADDRESS_CALM_ANSWERS ? count : ADDRESS_CALM_ANSWERS;
}

static void
note_change(struct rotation *rotation)
{
	if (rotation->equal == ADDRESS_CALM_ANSWERS)
		rotation->wanted = ADDRESS_GONE_ANSWERS;
	else
		rotation->wanted = at_most_calm(2 * rotation->wanted);
	rotation->equal = 1;
}

void
rotation_end(struct rotation *rotation, bool whole)
{
	if (whole && rotation->any && rotation->gathered != rotation->last)
		note_change(rotation);
	else if (whole)
		rotation->equal = at_most_calm(rotation->equal + 1);
	if (whole) {
		rotation->last = rotation->gathered;
		rotation->any = true;
	}
	rotation->gathered = 0;
}

bool
rotation_is_gone(const struct rotation *rotation, unsigned int lacking)
{
	return lacking >= rotation->wanted && rotation->equal >= rotation->wanted;
}
