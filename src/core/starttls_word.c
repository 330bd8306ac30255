/*
 * STARTTLS where replies are words: IMAP (RFC 2595, 3501) and POP3 (RFC 2595, 1939, 2449).
 */
#include "core/starttls_internal.h"

#include <string.h>

#define IMAP_UNTAGGED	   "* "
#define IMAP_ASK_TAG	   "a1 "
#define IMAP_COMMAND_TAG   "a2 "
#define POP3_OK		   "+OK"
#define POP3_ERR	   "-ERR"
#define CAPABILITY_OF_IMAP "STARTTLS"
#define CAPABILITY_OF_POP3 "STLS"

/* What we wait for. */
enum step {
	STEP_GREETING,
	STEP_CAPABILITIES,
	STEP_COMMAND,
};

struct word_state {
	struct starttls_common common;
	enum step step;
	bool listing; /* POP3: the lines of a list follow, up to a dot */
	bool offered; /* the capability has been named */
};

static enum dialogue_verdict
go_on(struct dialogue *dialogue, enum step step)
{
	struct word_state *state = dialogue->state;

	state->step = step;
	dialogue_new_reply(dialogue);
	return DIALOGUE_MORE;
}

static enum dialogue_verdict
rejected(struct dialogue *dialogue, struct octets line, struct failure *failure)
{
	return dialogue_fail_reply(dialogue, FAILURE_PROTOCOL_GREETING_REJECTED, line, failure);
}

static enum dialogue_verdict
refused(struct dialogue *dialogue, struct octets line, struct failure *failure)
{
	return dialogue_fail_reply(dialogue, FAILURE_PROTOCOL_STARTTLS_REFUSED, line, failure);
}

static enum dialogue_verdict
not_known(struct dialogue *dialogue, struct octets line, struct failure *failure)
{
	return dialogue_fail_reply(dialogue, FAILURE_PROTOCOL_STARTTLS_MISSING, line, failure);
}

/* What follows the first `length` octets. */
static struct octets
behind(struct octets octets, size_t length)
{
	return (struct octets){ (const unsigned char *)octets.bytes + length, octets.length - length };
}

/* The first word of `octets`: up to a space or a closing bracket, without an opening one. */
static struct octets
first_word(struct octets octets)
{
	const unsigned char *bytes = octets.bytes;
	size_t length = 0;

	while (length < octets.length && bytes[length] != ' ' && bytes[length] != ']')
		length++;
	return (struct octets){ bytes, length };
}

/* ---- IMAP ------------------------------------------------------------------------------------------------------ */

static enum dialogue_verdict
imap_ask(struct dialogue *dialogue)
{
	dialogue_say(dialogue, IMAP_ASK_TAG "CAPABILITY\r\n");
	dialogue->asked = "CAPABILITY";
	return go_on(dialogue, STEP_CAPABILITIES);
}

static enum dialogue_verdict
imap_command(struct dialogue *dialogue)
{
	dialogue_say(dialogue, IMAP_COMMAND_TAG "STARTTLS\r\n");
	dialogue->asked = "STARTTLS";
	return go_on(dialogue, STEP_COMMAND);
}

/* `said`: "CAPABILITY …", or "OK [CAPABILITY …] …". */
static void
imap_note(struct word_state *state, struct octets said)
{
	if (octets_begin(said, "OK ["))
		said = behind(said, strlen("OK ["));
	if (!octets_equal(first_word(said), "CAPABILITY"))
		return;
	for (;;) {
		struct octets word = first_word(said);

		if (octets_equal(word, CAPABILITY_OF_IMAP))
			state->offered = true;
		/* The end of the line, or the bracket behind which the text for people begins. */
		if (word.length == said.length || ((const char *)said.bytes)[word.length] == ']')
			return;
		said = behind(said, word.length + 1);
	}
}

static enum dialogue_verdict
imap_greeting(struct dialogue *dialogue, struct octets line, struct failure *failure)
{
	struct word_state *state = dialogue->state;
	struct octets said = line;

	if (!octets_begin(line, IMAP_UNTAGGED))
		return starttls_nonsense(dialogue, failure);
	said = behind(line, strlen(IMAP_UNTAGGED));
	if (octets_equal(first_word(said), "BYE"))
		return rejected(dialogue, line, failure);
	/* Already logged in: STARTTLS is no longer allowed (RFC 3501, section 6.2.1), and the mails behind it are not protected. */
	if (octets_equal(first_word(said), "PREAUTH"))
		return not_known(dialogue, line, failure);
	if (!octets_equal(first_word(said), "OK"))
		return starttls_nonsense(dialogue, failure);
	imap_note(state, said);
	return state->offered ? imap_command(dialogue) : imap_ask(dialogue);
}

static enum dialogue_verdict
imap_capabilities(struct dialogue *dialogue, struct octets said, struct failure *failure)
{
	struct word_state *state = dialogue->state;
	struct octets word = first_word(said);

	imap_note(state, said);
	if (octets_equal(word, "OK"))
		return state->offered ? imap_command(dialogue) : starttls_missing(dialogue, failure);
	if (octets_equal(word, "NO") || octets_equal(word, "BAD"))
		return imap_command(dialogue);
	return starttls_nonsense(dialogue, failure);
}

static enum dialogue_verdict
imap_verdict(struct dialogue *dialogue, struct octets said, struct failure *failure)
{
	struct octets word = first_word(said);

	if (octets_equal(word, "OK"))
		return starttls_go_ahead(dialogue, failure);
	if (octets_equal(word, "NO"))
		return refused(dialogue, said, failure);
	if (octets_equal(word, "BAD"))
		return not_known(dialogue, said, failure);
	return starttls_nonsense(dialogue, failure);
}

static const char *
imap_tag(const struct word_state *state)
{
	return state->step == STEP_COMMAND ? IMAP_COMMAND_TAG : IMAP_ASK_TAG;
}

static enum dialogue_verdict
imap_line(struct dialogue *dialogue, struct octets line, struct failure *failure)
{
	struct word_state *state = dialogue->state;
	const char *tag = imap_tag(state);
	struct octets said;

	if (state->step == STEP_GREETING)
		return imap_greeting(dialogue, line, failure);
	if (octets_begin(line, tag)) {
		said = behind(line, strlen(tag));
		return state->step == STEP_COMMAND ? imap_verdict(dialogue, said, failure) :
						     imap_capabilities(dialogue, said, failure);
	}
	if (!octets_begin(line, IMAP_UNTAGGED))
		return starttls_nonsense(dialogue, failure);
	said = behind(line, strlen(IMAP_UNTAGGED));
	if (octets_equal(first_word(said), "BYE"))
		return refused(dialogue, line, failure);
	imap_note(state, said); /* and any other data that nobody asked for (RFC 3501, section 7) */
	return DIALOGUE_MORE;
}

/* ---- POP3 ------------------------------------------------------------------------------------------------------ */

static enum dialogue_verdict
pop3_command(struct dialogue *dialogue)
{
	dialogue_say(dialogue, "STLS\r\n");
	dialogue->asked = "STLS";
	return go_on(dialogue, STEP_COMMAND);
}

static enum dialogue_verdict
pop3_listed(struct dialogue *dialogue, struct octets line, struct failure *failure)
{
	struct word_state *state = dialogue->state;

	if (octets_equal(first_word(line), CAPABILITY_OF_POP3))
		state->offered = true;
	if (!octets_equal(line, "."))
		return DIALOGUE_MORE;
	state->listing = false;
	return state->offered ? pop3_command(dialogue) : starttls_missing(dialogue, failure);
}

static enum dialogue_verdict
pop3_yes(struct dialogue *dialogue, struct failure *failure)
{
	struct word_state *state = dialogue->state;

	switch (state->step) {
	case STEP_GREETING:
		dialogue_say(dialogue, "CAPA\r\n");
		dialogue->asked = "CAPA";
		return go_on(dialogue, STEP_CAPABILITIES);
	case STEP_CAPABILITIES: state->listing = true; return DIALOGUE_MORE;
	default: return starttls_go_ahead(dialogue, failure);
	}
}

static enum dialogue_verdict
pop3_no(struct dialogue *dialogue, struct octets line, struct failure *failure)
{
	const struct word_state *state = dialogue->state;

	switch (state->step) {
	case STEP_GREETING: return rejected(dialogue, line, failure);
	case STEP_CAPABILITIES: return pop3_command(dialogue); /* older than RFC 2449, maybe */
	default:
		/* The same word stands for "unknown" and for "not now": who announced it knows it. */
		return state->offered ? refused(dialogue, line, failure) :
					not_known(dialogue, line, failure);
	}
}

static enum dialogue_verdict
pop3_line(struct dialogue *dialogue, struct octets line, struct failure *failure)
{
	const struct word_state *state = dialogue->state;

	if (state->listing)
		return pop3_listed(dialogue, line, failure);
	if (octets_begin(line, POP3_OK))
		return pop3_yes(dialogue, failure);
	if (octets_begin(line, POP3_ERR))
		return pop3_no(dialogue, line, failure);
	return starttls_nonsense(dialogue, failure);
}

/* ---- both ------------------------------------------------------------------------------------------------------ */

/* Whether what has come of a line can still become one that makes sense here. */
static bool
may_become_line(const struct dialogue *dialogue)
{
	const struct word_state *state = dialogue->state;
	struct octets pending;

	pending.bytes = dialogue_pending(dialogue, &pending.length);
	if (state->listing)
		return true;
	if (state->common.protocol == STARTTLS_POP3)
		return octets_may_begin(pending, POP3_OK) || octets_may_begin(pending, POP3_ERR);
	return octets_may_begin(pending, IMAP_UNTAGGED) ||
	       (state->step != STEP_GREETING && octets_may_begin(pending, imap_tag(state)));
}

static enum dialogue_verdict
word_look(struct dialogue *dialogue, struct failure *failure)
{
	const struct word_state *state = dialogue->state;
	enum dialogue_verdict verdict = DIALOGUE_MORE;
	struct octets line;

	while (verdict == DIALOGUE_MORE && dialogue_line(dialogue, &line))
		verdict = state->common.protocol == STARTTLS_IMAP ?
				  imap_line(dialogue, line, failure) :
				  pop3_line(dialogue, line, failure);
	if (verdict == DIALOGUE_MORE && !may_become_line(dialogue))
		return starttls_nonsense(dialogue, failure);
	return verdict;
}

const struct dialogue_kind starttls_word_kind = {
	.look = word_look,
	.end = starttls_line_end,
	.state_bytes = sizeof(struct word_state),
	STARTTLS_KIND_CODES,
};
