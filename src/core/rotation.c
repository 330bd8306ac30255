#include "core/rotation.h"

#include "core/policy.h"

void
rotation_init(struct rotation *rotation)
{
	/* What is not known to change is trusted. */
	*rotation = (struct rotation){ .equal = ADDRESS_CALM_ANSWERS, .wanted = ADDRESS_GONE_ANSWERS };
}

/* FNV-1a. */
static uint64_t
digest(const struct address *address)
{
	char text[ADDRESS_TEXT_MAX];
	uint64_t value = UINT64_C(0xcbf29ce484222325);

	for (const char *at = address_format(address, text, sizeof(text)); *at != '\0'; at++)
		value = (value ^ (unsigned char)*at) * UINT64_C(0x100000001b3);
	return value;
}

void
rotation_hear(struct rotation *rotation, const struct address *address)
{
	rotation->gathered += digest(address); /* unsigned: it may wrap */
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
