#include "main/service.h"

#include "base/cleanup.h"
#include "base/text.h"
#include "sys/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#define STATUS_MAX	512 /* bytes of the sentence; what is beyond is cut */
#define STATUS_DOWN_MAX 3   /* upstreams that are down and called by name */

/* The passed sockets that nobody has asked for yet.  The main thread's alone. */
static struct {
	bool collected;
	int count;
	char **names;
} passed;

/* The descriptors a service manager passes begin at SD_LISTEN_FDS_START, in the order of their names. */
static void
collect_passed(void)
{
	if (passed.collected)
		return;
	passed.collected = true;
	passed.count = sd_listen_fds_with_names(1, &passed.names);
	if (passed.count < 0)
		passed.count = 0;
}

/* Take the name at `index` out of the list; the list goes when its last name does. */
static void
forget_passed(int index)
{
	bool any = false;

	free(passed.names[index]);
	passed.names[index] = NULL;
	for (int i = 0; i < passed.count; i++)
		any = any || passed.names[i];
	if (any)
		return;
	free(passed.names);
	passed.names = NULL;
	passed.count = 0;
}

int
service_listener(const char *name)
{
	collect_passed();
	for (int i = 0; i < passed.count; i++) {
		int fd = SD_LISTEN_FDS_START + i;

		if (!passed.names[i] || strcmp(passed.names[i], name) != 0)
			continue;
		forget_passed(i);
		if (fd_set_cloexec(fd) < 0 || fd_set_nonblocking(fd) < 0)
			return fd_close(fd);
		return fd;
	}
	return -1;
}

void
service_close_passed(void)
{
	int count;

	collect_passed();
	count = passed.count;
	for (int i = 0; i < count; i++) {
		if (!passed.names[i])
			continue;
		fd_close(SD_LISTEN_FDS_START + i);
		forget_passed(i);
		if (passed.count == 0)
			return;
	}
}

/*
 * Each message takes a descriptor for a moment, and upstreams may have used up all others: one is held back, or the
 * watchdog would end a daemon that is merely short of them.  The main thread's alone.
 */
static int spare_fd = -1;

static void
tell(const char *state)
{
	int r = sd_notify(0, state);

	if (r == -EMFILE || r == -ENFILE) {
		spare_fd = fd_close(spare_fd);
		(void)sd_notify(0, state);
	}
	if (r != 0 && spare_fd < 0)
		spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

void
service_ready(void)
{
	tell("READY=1");
}

void
service_reloading(usec_t now)
{
	char state[64];
	struct text text = TEXT_INIT(state);

	text_addf(&text, "RELOADING=1\nMONOTONIC_USEC=%llu", (unsigned long long)now);
	tell(state);
}

void
service_stopping(void)
{
	tell("STOPPING=1\nSTATUS=Closing the connections.");
}

/* The code of the last failure of `known`, or NULL. */
static const char *
last_code(const struct model_upstream *known)
{
	unsigned int count = history_count(known->history);

	if (count == 0)
		return NULL;
	return failure_name(history_at(known->history, count - 1)->failure.code);
}

/* Append " (ldap: connection.refused, db: timeout.connect, …)": the first few that are down. */
static void
add_down(const struct model *model, unsigned int down, struct text *text)
{
	const struct model_upstream *known = model_next(model, "");
	unsigned int named = 0;

	for (; known && named < STATUS_DOWN_MAX && named < down;
	     known = model_next(model, known->upstream->name)) {
		const char *code = last_code(known);

		if (known->health != HEALTH_DOWN)
			continue;
		text_addf(text, "%s%s%s%s", named > 0 ? ", " : " (", known->upstream->name,
			  code ? ": " : "", code ? code : "");
		named++;
	}
	if (named > 0)
		text_add(text, down > named ? ", ...)" : ")");
}

void
service_status_text(const struct model *model, struct text *text)
{
	static const enum health order[] = { HEALTH_UP,	     HEALTH_DEGRADED, HEALTH_STARTING,
					     HEALTH_OFFLINE, HEALTH_PAUSED,   HEALTH_DOWN };
	struct model_totals totals;
	const char *before = ": ";

	model_totals(model, &totals);
	if (totals.upstreams == 0) {
		text_add(text, "No upstreams are configured");
		return;
	}
	text_addf(text, "%u upstream%s", totals.upstreams, totals.upstreams == 1 ? "" : "s");
	for (size_t i = 0; i < COUNT_OF(order); i++) {
		unsigned int count = totals.by_health[order[i]];

		if (count == 0)
			continue;
		text_addf(text, "%s%u %s", before, count, health_name(order[i]));
		before = ", ";
	}
	add_down(model, totals.by_health[HEALTH_DOWN], text);
}

void
service_status(const struct model *model)
{
	static char told[STATUS_MAX];
	char state[STATUS_MAX];
	struct text text = TEXT_INIT(state);

	text_add(&text, "STATUS=");
	service_status_text(model, &text);
	if (strcmp(told, state) == 0)
		return;
	text_copy(told, sizeof(told), state);
	tell(state);
}

usec_t
service_watchdog_interval(void)
{
	uint64_t within;

	if (sd_watchdog_enabled(0, &within) <= 0)
		return USEC_INFINITY;
	return usec_max(within / 4, USEC_PER_MSEC);
}

void
service_watchdog(void)
{
	tell("WATCHDOG=1");
}
