/*
 * Fuzzes the dialogues before TLS: the first octet chooses the protocol, the second the pieces, the rest is what the server says.  However
 * it comes, it comes to the same; but what stands behind a go-ahead is an injection only where it comes with it, and PostgreSQL's answer
 * is one octet: what comes with it tells whether it was one.
 */
#include "core/starttls.h"
#include "dialogue.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct outcome
feed(enum starttls protocol, struct octets input, size_t piece)
{
	const struct starttls_setup setup = { .protocol = protocol, .domain = "example.org" };
	struct dialogue *dialogue;
	struct outcome outcome;

	must(starttls_new(&setup, &dialogue) == 0);
	outcome = fuzz_feed(dialogue, input, piece, STAGE_STARTTLS);
	/* Nothing is left to whoever speaks next: what there is would be an injection. */
	must(outcome.verdict != DIALOGUE_DONE || piece == 1 || outcome.taken % piece == 0 ||
	     outcome.taken == input.length);
	return outcome;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum starttls protocol;
	struct outcome whole, singly, pieces;
	struct octets input;

	if (size < 3)
		return 0;
	protocol = (enum starttls)(1 + data[0] % (STARTTLS_COUNT - 1));
	input = (struct octets){ data + 2, size - 2 };
	whole = feed(protocol, input, input.length);
	singly = feed(protocol, input, 1);
	pieces = feed(protocol, input, 1 + data[1]);
	if (protocol == STARTTLS_POSTGRES && data[2] == 'N') {
		must(singly.code == FAILURE_PROTOCOL_STARTTLS_MISSING);
		return 0;
	}
	if (protocol == STARTTLS_POSTGRES && data[2] == 'S') {
		must(singly.verdict == DIALOGUE_DONE && singly.taken == 1);
		must(whole.verdict == DIALOGUE_FAILED || input.length == 1);
		return 0;
	}
	if (whole.code == FAILURE_PROTOCOL_STARTTLS_INJECTION) {
		must(singly.verdict == DIALOGUE_DONE && singly.taken < input.length);
		must(pieces.verdict == DIALOGUE_DONE || pieces.code == whole.code);
		return 0;
	}
	must(singly.verdict == whole.verdict && singly.code == whole.code);
	must(pieces.verdict == whole.verdict && pieces.code == whole.code);
	return 0;
}
