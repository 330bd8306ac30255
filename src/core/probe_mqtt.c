/* The probe of MQTT (OASIS MQTT 3.1.1; what servers that speak only 5.0 answer to it). */
#include "core/probe_internal.h"

#include "base/text.h"

#include <string.h>

/* Types of packets, the upper half of their first octet (section 2.2.1). */
#define CONNACK	   2
#define PUBLISH	   3
#define SUBACK	   9
#define UNSUBACK   11
#define PINGRESP   13
#define DISCONNECT 14

#define LENGTH_OCTETS_MAX 4
#define BODY_KEPT_MAX	  2 /* octets of a packet's body that say something to us */
#define STATUS_TEXT_MAX	  64

struct mqtt {
	struct probe probe;
	bool inside;	/* a packet has been taken, and its body not yet been passed over */
	size_t skip;	/* octets of its body that are still to be passed over */
	size_t skipped; /* octets of all packets so far */
};

struct packet {
	unsigned int type;
	size_t head;   /* octets of its type and length */
	size_t length; /* octets of its body */
};

struct reason {
	unsigned char number;
	bool login; /* it means that we should have logged in */
	const char *text;
};

/* Return codes of 3.1.1 (section 3.2.2.3), and those of 5.0 (section 3.2.2.2) that a server may have before it knows us. */
static const struct reason reasons[] = {
	{ 1, false, "unacceptable protocol version" },
	{ 2, false, "identifier rejected" },
	{ 3, false, "server unavailable" },
	{ 4, true, "bad user name or password" },
	{ 5, true, "not authorized" },
	{ 0x80, false, "unspecified error" },
	{ 0x84, false, "unsupported protocol version" },
	{ 0x85, false, "client identifier not valid" },
	{ 0x86, true, "bad user name or password" },
	{ 0x87, true, "not authorized" },
	{ 0x88, false, "server unavailable" },
	{ 0x89, false, "server busy" },
	{ 0x8a, false, "banned" },
	{ 0x8b, false, "server shutting down" },
	{ 0x8c, true, "bad authentication method" },
	{ 0x8d, false, "keep-alive timeout" },
	{ 0x8e, false, "session taken over" },
	{ 0x95, false, "packet too large" },
	{ 0x97, false, "quota exceeded" },
	{ 0x9c, false, "use another server" },
	{ 0x9d, false, "server moved" },
	{ 0x9f, false, "connection rate exceeded" },
};

static const struct reason *
find_reason(unsigned char number)
{
	for (size_t i = 0; i < COUNT_OF(reasons); i++) {
		if (reasons[i].number == number)
			return &reasons[i];
	}
	return NULL;
}

static enum dialogue_verdict
mqtt_start(struct dialogue *dialogue, struct failure *failure)
{
	/* Protocol level 4, a clean session, no keep-alive of MQTT's own, an empty client identifier. */
	static const unsigned char connect[] = { 0x10, 12,   0, 4, 'M', 'Q', 'T',
						 'T',  0x04, 2, 0, 0,	0,   0 };
	static const unsigned char ping[] = { 0xc0, 0 };

	(void)failure;
	dialogue->asked = probe_of(dialogue)->setup.again ? "PINGREQ" : "CONNECT";
	if (probe_of(dialogue)->setup.again)
		dialogue_send(dialogue, ping, sizeof(ping));
	else
		dialogue_send(dialogue, connect, sizeof(connect));
	return DIALOGUE_MORE;
}

/* `number` is what the server says in a CONNACK or a DISCONNECT. */
static enum dialogue_verdict
refused(const char *packet, unsigned char number, struct failure *failure)
{
	const struct reason *reason = find_reason(number);
	char buffer[STATUS_TEXT_MAX];
	struct text text = TEXT_INIT(buffer);
	struct octets reply;

	text_addf(&text, "%s %u", packet, number);
	if (reason)
		text_addf(&text, " (%s)", reason->text);
	reply = (struct octets){ buffer, text.length };
	return reason && reason->login ? probe_auth(reply, failure) : probe_status(reply, failure);
}

static const char *
wanted(bool again)
{
	return again ? "PINGRESP" : "CONNACK";
}

/* One of 3.1.1 has two octets; a refusal in the words of 5.0 has more. */
static enum dialogue_verdict
take_connack(struct dialogue *dialogue, const struct packet *packet, const unsigned char *body,
	     struct failure *failure)
{
	if (body[0] > 1 || (body[1] == 0 && packet->length > BODY_KEPT_MAX))
		return probe_mismatch(dialogue, wanted(false), failure);
	return body[1] == 0 ? DIALOGUE_DONE : refused("CONNACK", body[1], failure);
}

/* `body` holds the packet's first octets, BODY_KEPT_MAX or all it has. */
static enum dialogue_verdict
take_packet(struct dialogue *dialogue, const struct packet *packet, const unsigned char *body,
	    struct failure *failure)
{
	bool again = probe_of(dialogue)->setup.again;

	if (packet->type == DISCONNECT)
		return refused("DISCONNECT", packet->length > 0 ? body[0] : 0, failure);
	if (!again && packet->type == CONNACK && packet->length >= BODY_KEPT_MAX)
		return take_connack(dialogue, packet, body, failure);
	if (again && packet->type == PINGRESP && packet->length == 0)
		return DIALOGUE_DONE;
	if (again && packet->type >= PUBLISH && packet->type <= UNSUBACK)
		return DIALOGUE_MORE;
	return probe_mismatch(dialogue, wanted(again), failure);
}

/* Section 2.2.3.  Returns false while it has not come whole; more than four octets are a length that cannot be. */
static bool
read_head(const unsigned char *bytes, size_t available, struct packet *packet)
{
	*packet = (struct packet){ .type = bytes[0] >> 4 };
	for (size_t i = 1; i < available && i <= LENGTH_OCTETS_MAX; i++) {
		packet->length |= (size_t)(bytes[i] & 0x7f) << (7 * (i - 1));
		packet->head = i + 1;
		if (!(bytes[i] & 0x80))
			return true;
	}
	packet->length = PROBE_SKIP_MAX + 1;
	return packet->head > LENGTH_OCTETS_MAX;
}

/* Whether a packet of that type may come at all: no other octet of a peer that speaks no MQTT need be waited for. */
static bool
type_is_possible(bool again, unsigned int type)
{
	if (type == DISCONNECT)
		return true;
	if (!again)
		return type == CONNACK;
	return type == PINGRESP || (type >= PUBLISH && type <= UNSUBACK);
}

/* Pass over as much of the present packet's body as has come. */
static void
skip(struct dialogue *dialogue)
{
	struct mqtt *mqtt = dialogue->state;
	size_t length;

	dialogue_pending(dialogue, &length);
	if (length > mqtt->skip)
		length = mqtt->skip;
	dialogue_consume(dialogue, length);
	mqtt->skip -= length;
	mqtt->inside = mqtt->skip > 0;
	dialogue_new_reply(dialogue);
}

/* There is something pending.  A packet whose beginning has come whole is taken, and its body is to be skipped. */
static enum dialogue_verdict
begin_packet(struct dialogue *dialogue, struct failure *failure)
{
	struct mqtt *mqtt = dialogue->state;
	bool again = mqtt->probe.setup.again;
	size_t length, kept;
	const unsigned char *bytes = dialogue_pending(dialogue, &length);
	struct packet packet;

	if (!type_is_possible(again, bytes[0] >> 4))
		return probe_mismatch(dialogue, wanted(again), failure);
	if (!read_head(bytes, length, &packet))
		return DIALOGUE_MORE;
	if (packet.head + packet.length > PROBE_SKIP_MAX - mqtt->skipped)
		return probe_mismatch(dialogue, wanted(again), failure);
	kept = packet.length < BODY_KEPT_MAX ? packet.length : BODY_KEPT_MAX;
	if (length < packet.head + kept)
		return DIALOGUE_MORE;
	mqtt->inside = true;
	mqtt->skip = packet.length;
	mqtt->skipped += packet.head + packet.length;
	dialogue_consume(dialogue, packet.head);
	return take_packet(dialogue, &packet, bytes + packet.head, failure);
}

static enum dialogue_verdict
mqtt_look(struct dialogue *dialogue, struct failure *failure)
{
	struct mqtt *mqtt = dialogue->state;
	enum dialogue_verdict verdict = DIALOGUE_MORE;
	size_t length;

	do {
		if (mqtt->inside)
			skip(dialogue);
		dialogue_pending(dialogue, &length);
		if (length > 0)
			verdict = begin_packet(dialogue, failure);
	} while (mqtt->inside && verdict == DIALOGUE_MORE && length > 0);
	if (verdict == DIALOGUE_DONE)
		skip(dialogue); /* all of its body, two octets at most, has come */
	return verdict;
}

const struct dialogue_kind probe_mqtt = {
	.start = mqtt_start,
	.look = mqtt_look,
	.state_bytes = sizeof(struct mqtt),
	PROBE_KIND_CODES,
};
