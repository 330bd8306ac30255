#include "sys/resolve_srv.h"

#include "base/prng.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define HEADER_OCTETS 12
#define TYPE_CNAME    5
#define TYPE_SRV      33
#define CLASS_IN      1
#define SRV_FIXED     6 /* priority, weight and port */
#define LABEL_MAX     63
#define POINTER_MARK  0xc0
#define LAST_TTL      INT32_MAX /* RFC 2181, section 8: beyond it counts as 0 */

/* A message, and how far it has been read. */
struct reader {
	const unsigned char *bytes;
	size_t length, at;
	bool bad; /* something was not there, or cannot be; all that is read from then on is 0 */
};

/* What stands before the data of a record. */
struct record_head {
	unsigned int type, class;
	uint32_t ttl;
	size_t end; /* of the data */
};

static uint32_t
read_number(struct reader *reader, size_t octets)
{
	uint32_t value = 0;

	if (reader->bad || reader->length - reader->at < octets) {
		reader->bad = true;
		return 0;
	}
	for (size_t i = 0; i < octets; i++)
		value = value << 8 | reader->bytes[reader->at++];
	return value;
}

/* Adds a label of `length` octets to the name in `host`, of which `used` are taken; whether it can be part of a host's name. */
static bool
add_label(char *host, size_t *used, const unsigned char *label, size_t length)
{
	if (*used + 1 + length >= TARGET_HOST_MAX)
		return false;
	if (*used > 0)
		host[(*used)++] = '.';
	for (size_t i = 0; i < length; i++) {
		if (!isalnum(label[i]) && label[i] != '-' && label[i] != '_')
			return false;
		host[(*used)++] = (char)tolower(label[i]);
	}
	host[*used] = '\0';
	return true;
}

/* Where the pointer that stands at `at` leads: always to before `at`, so that following them ends; SIZE_MAX where it does not. */
static size_t
follow(const struct reader *reader, size_t at)
{
	size_t to;

	if (at + 1 >= reader->length)
		return SIZE_MAX;
	to = (size_t)(reader->bytes[at] & ~POINTER_MARK) << 8 | reader->bytes[at + 1];
	return to < at ? to : SIZE_MAX;
}

/*
 * Reads a name, compressed or not (RFC 1035, section 4.1.4).  Returns whether it can be a host's; `host` has room for TARGET_HOST_MAX
 * and is "" for the root.
 */
static bool
read_name(struct reader *reader, char *host)
{
	const unsigned char *bytes = reader->bytes;
	size_t at = reader->at, bound = SIZE_MAX, used = 0;
	bool good = true, jumped = false;

	*host = '\0';
	while (!reader->bad) {
		size_t length = at < reader->length ? bytes[at] : LABEL_MAX + 1;

		if (length >= POINTER_MARK && at < bound) {
			reader->at = jumped ? reader->at : at + 2;
			jumped = true;
			bound = at;
			at = follow(reader, at);
			continue;
		}
		reader->bad = length > LABEL_MAX || length >= reader->length - at;
		if (reader->bad)
			break;
		if (length == 0) {
			reader->at = jumped ? reader->at : at + 1;
			return good;
		}
		good = good && add_label(host, &used, bytes + at + 1, length);
		at += 1 + length;
	}
	return false;
}

static struct record_head
read_head(struct reader *reader)
{
	char owner[TARGET_HOST_MAX];
	struct record_head head;
	size_t length;

	read_name(reader, owner);
	head.type = read_number(reader, 2);
	head.class = read_number(reader, 2);
	head.ttl = read_number(reader, 4);
	length = read_number(reader, 2);
	if (length > reader->length - reader->at)
		reader->bad = true;
	head.end = reader->at + length;
	return head;
}

/* Keeps `record`; where there is no room, in the place of one whose priority comes after it. */
static void
keep(struct srv_reply *reply, const struct srv_record *record)
{
	struct srv_record *last = &reply->records[0];

	if (reply->count < SRV_RECORDS_MAX) {
		reply->records[reply->count++] = *record;
		return;
	}
	reply->left_out++;
	for (unsigned int i = 1; i < reply->count; i++) {
		if (reply->records[i].priority > last->priority)
			last = &reply->records[i];
	}
	if (last->priority > record->priority)
		*last = *record;
}

static void
read_srv(struct reader *reader, const struct record_head *head, struct srv_reply *reply)
{
	struct srv_record record;
	bool good;

	if (head->end - reader->at < SRV_FIXED) {
		reader->bad = true;
		return;
	}
	record.priority = (uint16_t)read_number(reader, 2);
	record.weight = (uint16_t)read_number(reader, 2);
	record.port = (uint16_t)read_number(reader, 2);
	good = read_name(reader, record.host);
	if (reader->at != head->end)
		reader->bad = true;
	if (reader->bad)
		return;
	if (!good)
		reply->broken = true;
	else if (*record.host == '\0')
		reply->why = "an SRV record says that the service is not offered";
	else if (record.port == 0)
		reply->why = reply->why ? reply->why : "every SRV record has port 0";
	else
		keep(reply, &record);
}

static void
conclude(struct srv_reply *reply)
{
	if (reply->count > 0 || reply->why)
		reply->broken = false;
	if (reply->count > 0)
		reply->why = NULL;
	else if (reply->broken)
		reply->why = "the target of every SRV record is no host name";
	else if (!reply->why)
		reply->why = "the answer holds no SRV record";
}

static void
read_answers(struct reader *reader, unsigned int count, struct srv_reply *reply)
{
	uint32_t least = LAST_TTL;
	bool any = false;

	for (unsigned int i = 0; i < count && !reader->bad; i++) {
		struct record_head head = read_head(reader);
		bool wanted = head.class == CLASS_IN &&
			      (head.type == TYPE_SRV || head.type == TYPE_CNAME);
		uint32_t ttl = head.ttl > LAST_TTL ? 0 : head.ttl;

		if (reader->bad)
			return;
		if (wanted) {
			any = true;
			least = ttl < least ? ttl : least;
		}
		if (wanted && head.type == TYPE_SRV)
			read_srv(reader, &head, reply);
		reader->at = head.end;
	}
	reply->ttl = any ? (usec_t)least * USEC_PER_SEC : 0;
}

int
srv_parse(const unsigned char *message, size_t length, struct srv_reply *ret_reply)
{
	struct reader reader = { .bytes = message, .length = length };
	char name[TARGET_HOST_MAX];
	unsigned int questions, answers;

	read_number(&reader, 4); /* the identifier and the flags, which c-ares has judged */
	questions = read_number(&reader, 2);
	answers = read_number(&reader, 2);
	read_number(&reader, 4);
	for (unsigned int i = 0; i < questions && !reader.bad; i++) {
		read_name(&reader, name);
		read_number(&reader, 4);
	}
	ret_reply->count = ret_reply->left_out = 0;
	ret_reply->ttl = 0;
	ret_reply->why = NULL;
	ret_reply->broken = false;
	read_answers(&reader, answers, ret_reply);
	conclude(ret_reply);
	return reader.bad ? -EBADMSG : 0;
}

/* ---- order ---------------------------------------------------------------------------------------- */

/* A record of weight 0 comes first within its priority, as RFC 2782 wants it before the draw. */
static int
compare(const void *a, const void *b)
{
	const struct srv_record *left = a, *right = b;

	if (left->priority != right->priority)
		return left->priority < right->priority ? -1 : 1;
	if (left->weight != right->weight)
		return left->weight < right->weight ? -1 : 1;
	if (left->port != right->port)
		return left->port < right->port ? -1 : 1;
	return strcmp(left->host, right->host);
}

/*
 * Draws one of `count` records of one priority and puts it first; the others keep their order.  RFC 2782 leaves the order among
 * records of weight 0 open: each is as likely as the other.
 */
static void
draw(struct srv_record *records, unsigned int count, struct prng *prng)
{
	uint64_t sum = 0, mark;
	unsigned int chosen = 0;
	struct srv_record record;

	for (unsigned int i = 0; i < count; i++)
		sum += records[i].weight;
	if (sum == 0)
		chosen = (unsigned int)prng_below(prng, count);
	mark = prng_below(prng, sum + 1);
	sum = records[0].weight;
	while (sum < mark)
		sum += records[++chosen].weight;
	record = records[chosen];
	memmove(records + 1, records, chosen * sizeof(*records));
	records[0] = record;
}

void
srv_order(struct srv_record *records, unsigned int count, uint64_t seed)
{
	struct prng prng;

	prng_init(&prng, seed);
	qsort(records, count, sizeof(*records), compare);
	for (unsigned int first = 0; first < count; first++) {
		unsigned int alike = 1;

		while (first + alike < count && records[first + alike].priority == records[first].priority)
			alike++;
		draw(records + first, alike, &prng);
	}
}
