#include "core/history.h"

#include "base/cleanup.h"
#include "base/must.h"

#include <errno.h>

struct history {
	struct history_entry *ring[HISTORY_MAX]; /* those in use are allocated */
	unsigned int first, count;
	uint64_t dropped;
};

struct history *
history_new(void)
{
	return calloc(1, sizeof(struct history));
}

struct history *
history_free(struct history *history)
{
	if (!history)
		return NULL;
	for (unsigned int i = 0; i < HISTORY_MAX; i++) {
		if (history->ring[i])
			failure_done(&history->ring[i]->failure);
		free(history->ring[i]);
	}
	free(history);
	return NULL;
}

/* An entry to fill: a new one while the ring grows, then the oldest one's memory again. */
static struct history_entry *
take_entry(struct history *history)
{
	unsigned int index = (history->first + history->count) % HISTORY_MAX;

	history->dropped += history->count == HISTORY_MAX;
	if (history->count == HISTORY_MAX) {
		failure_done(&history->ring[index]->failure);
		history->first = (history->first + 1) % HISTORY_MAX;
		return history->ring[index];
	}
	history->ring[index] = calloc(1, sizeof(struct history_entry));
	history->count += history->ring[index] != NULL;
	return history->ring[index];
}

int
history_add(struct history *history, uint64_t realtime, unsigned int link, const struct failure *failure)
{
	struct history_entry *entry = take_entry(history);

	if (!entry) {
		history->dropped++;
		return -ENOMEM;
	}
	entry->realtime = realtime;
	entry->link = link;
	failure_copy(&entry->failure, failure);
	return 0;
}

unsigned int
history_count(const struct history *history)
{
	return history->count;
}

const struct history_entry *
history_at(const struct history *history, unsigned int index)
{
	must(index < history->count);
	return history->ring[(history->first + index) % HISTORY_MAX];
}

uint64_t
history_dropped(const struct history *history)
{
	return history->dropped;
}
