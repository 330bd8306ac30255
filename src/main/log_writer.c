#include "main/log_writer.h"

#include "base/must.h"
#include "main/log_sink.h"
#include "main/report.h"
#include "sys/clock.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/*
 * A loss is said once the queue has drained to this; under a steady flood, which never lets it drain, as often as this, so
 * that it is neither every second line nor never said.
 */
#define LOSS_SAID_BELOW	   (REPORT_QUEUE_MAX / 2)
#define LOSS_SAID_INTERVAL (5 * USEC_PER_SEC)

struct entry {
	struct entry *next;
	uint64_t tells; /* of the line that says a loss: how many lines were lost; else 0 */
	struct log_record record; /* allocated only as far as it is used */
};

struct log_writer {
	pthread_t thread;
	struct log_sink *sink; /* the thread's */

	pthread_mutex_t lock; /* guards all below; never held while writing */
	pthread_cond_t work;  /* the thread waits for something to do */
	pthread_cond_t ended_cond;
	struct entry *first, **end; /* the queue; *end is where the next one goes */
	unsigned int count;
	uint64_t lost, lost_unsaid;
	usec_t losing_since;	    /* the first line that was lost and is not said yet */
	bool broken;		    /* the last line could not be written */
	struct log_sink *next_sink; /* to be used from the next line on, or NULL */
	bool ending, ended;
	bool abandoned; /* nobody waits for the thread: it frees everything itself, if it ever ends */
};

/* A copy of what `record` uses, or NULL for want of memory. */
static struct entry *
entry_new(const struct log_record *record)
{
	size_t bytes = log_record_size(record);
	struct entry *entry = malloc(offsetof(struct entry, record) + bytes);

	if (!entry)
		return NULL;
	entry->next = NULL;
	entry->tells = 0;
	memcpy(&entry->record, record, bytes);
	return entry;
}

static void
append(struct log_writer *writer, struct entry *entry)
{
	*writer->end = entry;
	writer->end = &entry->next;
	writer->count++;
}

/* With the lock held: whether what was lost is to be said now; there is room for the line then. */
static bool
is_time_to_say_loss(const struct log_writer *writer)
{
	if (writer->lost_unsaid == 0 || writer->count >= REPORT_QUEUE_MAX)
		return false;
	return (writer->count <= LOSS_SAID_BELOW && !writer->broken) ||
	       clock_now() >= usec_add(writer->losing_since, LOSS_SAID_INTERVAL);
}

/* With the lock held: queue the line that says what was lost, if it is time for it. */
static void
say_loss(struct log_writer *writer)
{
	struct log_record record;
	struct entry *entry;

	if (!is_time_to_say_loss(writer))
		return;
	log_record_init(&record, LEVEL_WARNING, MESSAGE_ID_DAEMON, clock_realtime());
	log_record_add(&record, "event", "log-lost");
	log_record_addf(&record, "lost", "%llu", (unsigned long long)writer->lost_unsaid);
	log_record_add(&record, "msg",
		       "the log's reader did not keep up, or could not be reached, and lines were lost");
	entry = entry_new(&record);
	if (!entry)
		return;
	entry->tells = writer->lost_unsaid;
	append(writer, entry);
	writer->lost_unsaid = 0;
}

/* With the lock held: what to write next, or NULL where all is written and the end has come. */
static struct entry *
wait_for_entry(struct log_writer *writer)
{
	struct entry *entry;

	say_loss(writer);
	while (!writer->first && !writer->ending)
		pthread_cond_wait(&writer->work, &writer->lock);
	entry = writer->first;
	if (!entry)
		return NULL;
	writer->first = entry->next;
	if (!writer->first)
		writer->end = &writer->first;
	writer->count--;
	return entry;
}

/* Write to `next` from now on; NULL: nothing changes. */
static void
change_sink(struct log_writer *writer, struct log_sink *next)
{
	struct log_sink *old = writer->sink;

	if (!next)
		return;
	writer->sink = next;
	log_sink_open(next);
	log_sink_free(old);
}

static void
writer_destroy(struct log_writer *writer)
{
	pthread_cond_destroy(&writer->ended_cond);
	pthread_cond_destroy(&writer->work);
	pthread_mutex_destroy(&writer->lock);
	log_sink_free(writer->sink);
	log_sink_free(writer->next_sink);
	free(writer);
}

/*
 * With the lock held: how writing `entry` went.  One that told a loss and is lost itself is no further loss, but what it told
 * has to be told again.
 */
static void
note_written(struct log_writer *writer, const struct entry *entry, int r)
{
	writer->broken = r < 0;
	if (r == 0)
		return;
	writer->losing_since = clock_now();
	writer->lost += entry->tells == 0;
	writer->lost_unsaid += entry->tells == 0 ? 1 : entry->tells;
}

static void *
writer_run(void *arg)
{
	struct log_writer *writer = arg;
	struct entry *entry;
	bool abandoned;
	int r;

	pthread_setname_np(pthread_self(), "log");
	pthread_mutex_lock(&writer->lock);
	while ((entry = wait_for_entry(writer))) {
		struct log_sink *next = steal(writer->next_sink);

		pthread_mutex_unlock(&writer->lock);
		change_sink(writer, next);
		r = log_sink_write(writer->sink, &entry->record);
		pthread_mutex_lock(&writer->lock);
		note_written(writer, entry, r);
		free(entry);
	}
	writer->ended = true;
	abandoned = writer->abandoned;
	pthread_cond_signal(&writer->ended_cond);
	pthread_mutex_unlock(&writer->lock);
	if (abandoned)
		writer_destroy(writer);
	return NULL;
}

static void
init_locks(struct log_writer *writer)
{
	pthread_condattr_t monotonic;

	must(pthread_mutex_init(&writer->lock, NULL) == 0);
	must(pthread_condattr_init(&monotonic) == 0);
	must(pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0);
	must(pthread_cond_init(&writer->work, NULL) == 0);
	must(pthread_cond_init(&writer->ended_cond, &monotonic) == 0);
	pthread_condattr_destroy(&monotonic);
}

/* Signals are main's: the thread inherits a mask that blocks them all. */
static int
start_thread(struct log_writer *writer)
{
	sigset_t all, before;
	int r;

	sigfillset(&all);
	must(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
	r = pthread_create(&writer->thread, NULL, writer_run, writer);
	must(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
	return -r;
}

int
log_writer_new(const struct log_config *config, struct log_writer **ret_writer)
{
	struct log_writer *writer = calloc(1, sizeof(*writer));
	int r;

	if (!writer)
		return -ENOMEM;
	writer->end = &writer->first;
	init_locks(writer);
	r = log_sink_new(config, &writer->next_sink);
	if (r >= 0)
		r = start_thread(writer);
	if (r < 0) {
		writer_destroy(writer);
		return r;
	}
	*ret_writer = writer;
	return 0;
}

/* Wait until the thread has ended, or until `deadline`.  Returns whether it has; if not, `writer` is its own now. */
static bool
wait_for_end(struct log_writer *writer, usec_t deadline)
{
	struct timespec until = {
		.tv_sec = (time_t)(deadline / USEC_PER_SEC),
		.tv_nsec = (long)(deadline % USEC_PER_SEC * 1000),
	};
	bool ended;
	int r = 0;

	pthread_mutex_lock(&writer->lock);
	writer->ending = true;
	pthread_cond_signal(&writer->work);
	while (!writer->ended && r == 0)
		r = pthread_cond_timedwait(&writer->ended_cond, &writer->lock, &until);
	ended = writer->ended;
	writer->abandoned = !ended;
	pthread_mutex_unlock(&writer->lock);
	return ended;
}

struct log_writer *
log_writer_free(struct log_writer *writer, usec_t timeout)
{
	pthread_t thread;

	if (!writer)
		return NULL;
	thread = writer->thread;
	if (!wait_for_end(writer, usec_add(clock_now(), timeout))) {
		pthread_detach(thread);
		return NULL;
	}
	must(pthread_join(thread, NULL) == 0);
	writer_destroy(writer);
	return NULL;
}

void
log_writer_put(struct log_writer *writer, const struct log_record *record)
{
	struct entry *entry = entry_new(record);

	pthread_mutex_lock(&writer->lock);
	say_loss(writer);
	if (entry && writer->count < REPORT_QUEUE_MAX) {
		append(writer, steal(entry));
		pthread_cond_signal(&writer->work);
	} else {
		if (writer->lost_unsaid == 0)
			writer->losing_since = clock_now();
		writer->lost++;
		writer->lost_unsaid++;
	}
	pthread_mutex_unlock(&writer->lock);
	free(entry);
}

int
log_writer_configure(struct log_writer *writer, const struct log_config *config)
{
	_cleanup_(log_sink_freep) struct log_sink *sink = NULL;
	struct log_sink *superseded;
	int r = log_sink_new(config, &sink);

	if (r < 0)
		return r;
	pthread_mutex_lock(&writer->lock);
	superseded = writer->next_sink;
	writer->next_sink = steal(sink);
	pthread_mutex_unlock(&writer->lock);
	log_sink_free(superseded);
	return 0;
}

uint64_t
log_writer_lost(struct log_writer *writer)
{
	uint64_t lost;

	pthread_mutex_lock(&writer->lock);
	lost = writer->lost;
	pthread_mutex_unlock(&writer->lock);
	return lost;
}
