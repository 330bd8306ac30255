/* Instants and durations for people. */
#include "ctl/when.h"

#include <stdio.h>
#include <time.h>

/* The six numbers of a date and a time of day. */
static bool
read_parts(const char *text, struct tm *ret_parts, unsigned int *ret_micros, int *ret_length)
{
	struct tm parts = { 0 };
	unsigned int micros = 0;
	int length = 0, more = 0;

	if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d%n", &parts.tm_year, &parts.tm_mon, &parts.tm_mday,
		   &parts.tm_hour, &parts.tm_min, &parts.tm_sec, &length) != 6)
		return false;
	if (sscanf(text + length, ".%6u%n", &micros, &more) == 1)
		length += more;
	parts.tm_year -= 1900;
	parts.tm_mon -= 1;
	*ret_parts = parts;
	*ret_micros = micros;
	*ret_length = length;
	return true;
}

bool
when_parse(const char *text, uint64_t *ret_realtime)
{
	struct tm parts;
	unsigned int micros;
	int length;
	time_t seconds;

	if (!read_parts(text, &parts, &micros, &length))
		return false;
	if (text[length] != 'Z' || text[length + 1] != '\0')
		return false;
	seconds = timegm(&parts);
	*ret_realtime = seconds < 0 ? 0 : (uint64_t)seconds * USEC_PER_SEC + micros;
	return true;
}

static void
append_day(const struct tm *parts, struct text *text)
{
	text_addf(text, "%04d-%02d-%02d", parts->tm_year + 1900, parts->tm_mon + 1, parts->tm_mday);
}

static void
append_clock(const struct tm *parts, struct text *text)
{
	text_addf(text, "%02d:%02d:%02d", parts->tm_hour, parts->tm_min, parts->tm_sec);
}

void
when_local(uint64_t realtime, struct text *text)
{
	time_t seconds = (time_t)(realtime / USEC_PER_SEC);
	struct tm parts;

	if (!localtime_r(&seconds, &parts))
		return;
	append_day(&parts, text);
	text_add(text, " ");
	append_clock(&parts, text);
}

void
when_clock(uint64_t realtime, struct text *text)
{
	time_t seconds = (time_t)(realtime / USEC_PER_SEC);
	struct tm parts;

	if (!localtime_r(&seconds, &parts))
		return;
	append_clock(&parts, text);
	text_addf(text, ".%03u", (unsigned int)(realtime % USEC_PER_SEC / USEC_PER_MSEC));
}

void
when_day(uint64_t realtime, struct text *text)
{
	time_t seconds = (time_t)(realtime / USEC_PER_SEC);
	struct tm parts;

	if (gmtime_r(&seconds, &parts))
		append_day(&parts, text);
}

struct unit {
	usec_t length, until; /* used below `until` */
	const char *name, *brief;
};

static const struct unit *
unit_of(usec_t span)
{
	static const struct unit units[] = {
		{ USEC_PER_MSEC, USEC_PER_SEC, "ms", "ms" },
		{ USEC_PER_SEC, 2 * USEC_PER_MINUTE, "s", "s" },
		{ USEC_PER_MINUTE, 2 * USEC_PER_HOUR, "min", "m" },
		{ USEC_PER_HOUR, 2 * USEC_PER_DAY, "h", "h" },
		{ USEC_PER_DAY, USEC_INFINITY, "d", "d" },
	};
	const struct unit *unit = units;

	while (span >= unit->until && unit->until != USEC_INFINITY)
		unit++;
	return unit;
}

void
when_span(usec_t span, struct text *text)
{
	const struct unit *unit = unit_of(span);

	text_addf(text, "%llu %s", (unsigned long long)(span / unit->length), unit->name);
}

void
when_brief(usec_t span, struct text *text)
{
	const struct unit *unit = unit_of(span);

	if (span == 0)
		text_add(text, "0s");
	else
		text_addf(text, "%llu%s", (unsigned long long)(span / unit->length), unit->brief);
}

void
when_timing(usec_t timing, struct text *text)
{
	double value = (double)timing / (double)USEC_PER_MSEC;
	const char *unit = "ms";

	if (timing >= USEC_PER_SEC) {
		value /= 1000;
		unit = "s";
	}
	text_addf(text, "%.*f %s",
		  value < 1	 ? 2 :
		  value < 10	 ? 1 :
		  unit[0] == 's' ? 1 :
				   0,
		  value, unit);
}

usec_t
when_since(const char *text, uint64_t now)
{
	uint64_t then;

	return when_parse(text, &then) ? usec_sub(now, then) : 0;
}
