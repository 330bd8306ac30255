#include "config/duration.h"

#include "base/cleanup.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct unit {
	const char *name;
	usec_t length;
} units[] = { /* from great to small */
	      { "d", USEC_PER_DAY },
	      { "h", USEC_PER_HOUR },
	      { "m", USEC_PER_MINUTE },
	      { "s", USEC_PER_SEC },
	      { "ms", USEC_PER_MSEC }
};

/* The unit that `letters`, of `length` bytes, name, or COUNT_OF(units). */
static size_t
unit_find(const char *letters, size_t length)
{
	for (size_t i = 0; i < COUNT_OF(units); i++)
		if (strlen(units[i].name) == length && memcmp(units[i].name, letters, length) == 0)
			return i;
	return COUNT_OF(units);
}

/* `count` times `length`, or USEC_INFINITY. */
static usec_t
multiply(usec_t count, usec_t length)
{
	usec_t product;

	return __builtin_mul_overflow(count, length, &product) ? USEC_INFINITY : product;
}

/* Reads the digits at *at and steps over them. */
static usec_t
read_count(const char **at)
{
	usec_t count = 0;

	for (; **at >= '0' && **at <= '9'; (*at)++)
		count = usec_add(multiply(count, 10), (usec_t)(**at - '0'));
	return count;
}

int
duration_parse(const char *text, usec_t *ret_duration)
{
	usec_t sum = 0;
	size_t least = 0; /* the greatest unit that may still come */

	do {
		const char *digits = text, *letters;
		usec_t count = read_count(&text);
		size_t unit;

		letters = text;
		text += strspn(text, "dhms");
		unit = unit_find(letters, (size_t)(text - letters));
		if (letters == digits || unit == COUNT_OF(units) || unit < least)
			return -EINVAL;
		sum = usec_add(sum, multiply(count, units[unit].length));
		least = unit + 1;
	} while (*text);

	*ret_duration = sum;
	return 0;
}

char *
duration_format(usec_t duration, char *buffer, size_t size)
{
	size_t unit = COUNT_OF(units) - 1;

	for (size_t i = 0; i < COUNT_OF(units) - 1 && duration > 0; i++) {
		if (duration % units[i].length == 0) {
			unit = i;
			break;
		}
	}
	if (duration == 0)
		unit = COUNT_OF(units) - 2; /* "0s" */
	snprintf(buffer, size, "%" PRIu64 "%s", duration / units[unit].length, units[unit].name);
	return buffer;
}
