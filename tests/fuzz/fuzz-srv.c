/*
 * Fuzzes SRV replies: whatever a name server sends, records that are taken have a host's name and a port, and their order is complete.
 */
#include "base/must.h"
#include "fuzz.h"
#include "sys/resolve_srv.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_record(const struct srv_record *record)
{
	must(record->port != 0);
	must(*record->host != '\0' && strlen(record->host) < TARGET_HOST_MAX);
	must(strspn(record->host, "abcdefghijklmnopqrstuvwxyz0123456789-_.") == strlen(record->host));
}

static uint64_t
sum_of(const struct srv_reply *reply)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < reply->count; i++)
		sum += (uint64_t)reply->records[i].port << 32 | reply->records[i].weight;
	return sum;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct srv_reply reply;
	uint64_t sum;

	if (srv_parse(data, size, &reply) < 0)
		return 0;
	must(reply.count <= SRV_RECORDS_MAX && (reply.count == 0) == (reply.why != NULL));
	for (unsigned int i = 0; i < reply.count; i++)
		check_record(&reply.records[i]);
	sum = sum_of(&reply);
	srv_order(reply.records, reply.count, size);
	must(sum_of(&reply) == sum);
	for (unsigned int i = 1; i < reply.count; i++)
		must(reply.records[i - 1].priority <= reply.records[i].priority);
	return 0;
}
