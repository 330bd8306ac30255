/*
 * STARTTLS where replies are numbers: SMTP (RFC 3207, 5321), LMTP (RFC 2033), FTP (RFC 4217, 959) and NNTP (RFC 4642, 3977).
 */
#include "core/starttls_internal.h"

#include "base/must.h"

#include <string.h>

#define CODE_DIGITS 3
#define KEPT_REPLY_MAX \
	128 /* octets of a refusal kept until it is understood; what is beyond is cut */

/* What we wait for. */
enum step {
	STEP_GREETING,
	STEP_CAPABILITIES, /* the reply to EHLO, LHLO or CAPABILITIES */
	STEP_READER, /* NNTP: to MODE READER, behind which there may be another server with other capabilities */
	STEP_COMMAND,  /* to STARTTLS or AUTH TLS */
	STEP_FEATURES, /* FTP: to FEAT, asked only to understand a refusal */
	STEP_COUNT
};

struct number_state {
	struct starttls_common common;
	enum step step;
	unsigned int code; /* of the present reply; 0 until its first line has come */
	bool listing;	   /* NNTP: the lines of a list follow, up to a dot */
	bool offered;	   /* the capability has been named */
	bool reader;	   /* NNTP: MODE READER is offered and has not been said yet */
	unsigned char kept[KEPT_REPLY_MAX];
	size_t kept_length;
};

/* How the protocols differ. */
struct manner {
	const char *ask;     /* for the capabilities; NULL: do not ask */
	bool introduce;	     /* with our name behind it */
	const char *command; /* that asks for TLS */
	unsigned int greeting, greeting_other, listed, go_ahead;
	bool free_lines; /* between the first and the last line of a reply anything may stand (RFC 959, section 4.2) */
	bool dotted_list; /* capabilities are a list up to a dot, not the reply's own lines */
};

static const struct manner manners[STARTTLS_COUNT] = {
	[STARTTLS_SMTP] = { .ask = "EHLO",
			    .introduce = true,
			    .command = "STARTTLS",
			    .greeting = 220,
			    .listed = 250,
			    .go_ahead = 220 },
	[STARTTLS_LMTP] = { .ask = "LHLO",
			    .introduce = true,
			    .command = "STARTTLS",
			    .greeting = 220,
			    .listed = 250,
			    .go_ahead = 220 },
	[STARTTLS_FTP] = { .command = "AUTH TLS", .greeting = 220, .go_ahead = 234, .free_lines = true },
	[STARTTLS_NNTP] = { .ask = "CAPABILITIES",
			    .command = "STARTTLS",
			    .greeting = 200,
			    .greeting_other = 201, /* no posting */
			    .listed = 101,
			    .go_ahead = 382,
			    .dotted_list = true },
};

static const struct manner *
manner_of(const struct dialogue *dialogue)
{
	const struct number_state *state = dialogue->state;

	return &manners[state->common.protocol];
}

static bool
is_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

/* The end of a word of a capability's line. */
static bool
ends_word(unsigned char c)
{
	return c == ' ' || c == '\t' || c == ';' || c == '=';
}

/* Cut the next word off `line`; an empty one where there is none. */
static struct octets
next_word(struct octets *line)
{
	const unsigned char *at = line->bytes, *end = at + line->length;
	struct octets word;

	while (at < end && ends_word(*at))
		at++;
	word = (struct octets){ at, 0 };
	while (at < end && !ends_word(*at))
		at++;
	word.length = (size_t)(at - (const unsigned char *)word.bytes);
	*line = (struct octets){ at, (size_t)(end - at) };
	return word;
}

/* A line that names a capability. */
static void
note_capability(struct number_state *state, struct octets line)
{
	struct octets word = next_word(&line);

	if (state->step == STEP_CAPABILITIES) {
		if (octets_equal(word, "STARTTLS"))
			state->offered = true;
		if (octets_equal(word, "MODE-READER"))
			state->reader = true;
		return;
	}
	if (state->step != STEP_FEATURES || !octets_equal(word, "AUTH"))
		return;
	for (word = next_word(&line); word.length > 0; word = next_word(&line)) {
		if (octets_begin(word, "TLS"))
			state->offered = true;
	}
}

/* Go on to `step`: what leads to it has been said. */
static enum dialogue_verdict
go_on(struct dialogue *dialogue, enum step step)
{
	struct number_state *state = dialogue->state;

	state->step = step;
	dialogue_new_reply(dialogue);
	return DIALOGUE_MORE;
}

static enum dialogue_verdict
say_command(struct dialogue *dialogue)
{
	dialogue->asked = manner_of(dialogue)->command;
	dialogue_say(dialogue, "%s\r\n", dialogue->asked);
	return go_on(dialogue, STEP_COMMAND);
}

static enum dialogue_verdict
say_ask(struct dialogue *dialogue)
{
	const struct number_state *state = dialogue->state;
	const struct manner *manner = manner_of(dialogue);

	dialogue->asked = manner->ask;
	dialogue_say(dialogue, "%s%s%s\r\n", manner->ask, manner->introduce ? " " : "",
		     manner->introduce ? state->common.name : "");
	return go_on(dialogue, STEP_CAPABILITIES);
}

/* RFC 5321, section 4.2.4, and others: the server does not know the command, or not its argument. */
static bool
is_not_implemented(unsigned int code)
{
	return code == 500 || code == 502 || code == 504;
}

static enum dialogue_verdict
refused(const struct dialogue *dialogue, unsigned int code, struct octets line, struct failure *failure)
{
	if (code < 400)
		return starttls_nonsense(dialogue, failure);
	return dialogue_fail_reply(dialogue,
				   is_not_implemented(code) ? FAILURE_PROTOCOL_STARTTLS_MISSING :
							      FAILURE_PROTOCOL_STARTTLS_REFUSED,
				   line, failure);
}

static enum dialogue_verdict
judge_greeting(struct dialogue *dialogue, unsigned int code, struct octets line, struct failure *failure)
{
	const struct number_state *state = dialogue->state;
	const struct manner *manner = manner_of(dialogue);

	if (code >= 400)
		return dialogue_fail_reply(dialogue, FAILURE_PROTOCOL_GREETING_REJECTED, line, failure);
	if (code == 120 && state->common.protocol == STARTTLS_FTP)
		return go_on(dialogue, STEP_GREETING); /* "ready in some minutes": the greeting proper is to come */
	if (code != manner->greeting && code != manner->greeting_other)
		return starttls_nonsense(dialogue, failure);
	return manner->ask ? say_ask(dialogue) : say_command(dialogue);
}

static enum dialogue_verdict
judge_capabilities(struct dialogue *dialogue, unsigned int code, struct octets line,
		   struct failure *failure)
{
	struct number_state *state = dialogue->state;
	bool nntp = state->common.protocol == STARTTLS_NNTP;

	if (code != manner_of(dialogue)->listed) {
		/* An old news server does not know the question; one that wants TLS or a login first (483, 480) may not answer it. */
		if (nntp && code > 400)
			return say_command(dialogue);
		return refused(dialogue, code, line, failure);
	}
	if (state->offered)
		return say_command(dialogue);
	if (!state->reader)
		return starttls_missing(dialogue, failure);
	state->reader = false;
	dialogue_say(dialogue, "MODE READER\r\n");
	dialogue->asked = "MODE READER";
	return go_on(dialogue, STEP_READER);
}

static enum dialogue_verdict
judge_reader(struct dialogue *dialogue, unsigned int code, struct octets line, struct failure *failure)
{
	if (code == 200 || code == 201)
		return say_ask(dialogue);
	return refused(dialogue, code, line, failure);
}

static void
keep_reply(struct number_state *state, struct octets line)
{
	state->kept_length = line.length < sizeof(state->kept) ? line.length : sizeof(state->kept);
	memcpy(state->kept, line.bytes, state->kept_length);
}

static enum dialogue_verdict
judge_command(struct dialogue *dialogue, unsigned int code, struct octets line, struct failure *failure)
{
	struct number_state *state = dialogue->state;

	if (code == manner_of(dialogue)->go_ahead)
		return starttls_go_ahead(dialogue, failure);
	/* Servers without TLS often want a login for every command they do not know: their features tell. */
	if (state->common.protocol == STARTTLS_FTP && (code == 530 || code == 503)) {
		keep_reply(state, line);
		dialogue_say(dialogue, "FEAT\r\n");
		dialogue->asked = "FEAT";
		return go_on(dialogue, STEP_FEATURES);
	}
	return refused(dialogue, code, line, failure);
}

static enum dialogue_verdict
judge_features(struct dialogue *dialogue, unsigned int code, struct octets line, struct failure *failure)
{
	const struct number_state *state = dialogue->state;
	struct octets reply = { state->kept, state->kept_length };
	bool told = code == 211 || is_not_implemented(code);

	(void)line;
	return dialogue_fail_reply(dialogue,
				   told && !state->offered ? FAILURE_PROTOCOL_STARTTLS_MISSING :
							     FAILURE_PROTOCOL_STARTTLS_REFUSED,
				   reply, failure);
}

typedef enum dialogue_verdict (*judge_fn)(struct dialogue *dialogue, unsigned int code,
					  struct octets line, struct failure *failure);

static const judge_fn judges[STEP_COUNT] = {
	[STEP_GREETING] = judge_greeting, [STEP_CAPABILITIES] = judge_capabilities,
	[STEP_READER] = judge_reader,	  [STEP_COMMAND] = judge_command,
	[STEP_FEATURES] = judge_features,
};

/* The code that `line` begins with, and whether it is the last of its reply; 0 where it is none. */
static unsigned int
read_code(struct octets line, bool *ret_last)
{
	const unsigned char *c = line.bytes;

	if (line.length < CODE_DIGITS || !is_digit(c[0]) || !is_digit(c[1]) || !is_digit(c[2]))
		return 0;
	if (line.length > CODE_DIGITS && c[CODE_DIGITS] != ' ' && c[CODE_DIGITS] != '-')
		return 0;
	*ret_last = line.length == CODE_DIGITS || c[CODE_DIGITS] == ' ';
	return 100U * (unsigned int)(c[0] - '0') + 10U * (unsigned int)(c[1] - '0') +
	       (unsigned int)(c[2] - '0');
}

/* What stands behind the code. */
static struct octets
text_of(struct octets line)
{
	size_t skip = line.length > CODE_DIGITS ? CODE_DIGITS + 1 : line.length;

	return (struct octets){ (const unsigned char *)line.bytes + skip, line.length - skip };
}

/* The reply's last line has come. */
static enum dialogue_verdict
judge(struct dialogue *dialogue, struct octets line, struct failure *failure)
{
	struct number_state *state = dialogue->state;
	unsigned int code = state->code;

	state->code = 0;
	return judges[state->step](dialogue, code, line, failure);
}

static enum dialogue_verdict
take_listed(struct dialogue *dialogue, struct octets line, struct failure *failure)
{
	struct number_state *state = dialogue->state;

	if (!octets_equal(line, ".")) {
		note_capability(state, line);
		return DIALOGUE_MORE;
	}
	state->listing = false;
	return judge(dialogue, line, failure);
}

static enum dialogue_verdict
take_line(struct dialogue *dialogue, struct octets line, struct failure *failure)
{
	struct number_state *state = dialogue->state;
	const struct manner *manner = manner_of(dialogue);
	bool last = false, first = state->code == 0;
	unsigned int code;

	if (state->listing)
		return take_listed(dialogue, line, failure);
	code = read_code(line, &last);
	if (!first && manner->free_lines && (code != state->code || !last)) {
		note_capability(state, line);
		return DIALOGUE_MORE;
	}
	if (code < 100 || (!first && code != state->code))
		return starttls_nonsense(dialogue, failure);
	state->code = code;
	/* The first line has the server's name, whatever it may be. */
	if (!first)
		note_capability(state, text_of(line));
	if (!last)
		return DIALOGUE_MORE;
	state->listing = manner->dotted_list && state->step == STEP_CAPABILITIES &&
			 code == manner->listed;
	return state->listing ? DIALOGUE_MORE : judge(dialogue, line, failure);
}

/* Whether what has come of a line can still become one of a reply: what cannot is no server of that kind, and need not be waited for. */
static bool
may_become_reply(const struct dialogue *dialogue)
{
	const struct number_state *state = dialogue->state;
	size_t length;
	const unsigned char *c = dialogue_pending(dialogue, &length);

	if (state->listing || (state->code != 0 && manner_of(dialogue)->free_lines))
		return true;
	for (size_t i = 0; i < length && i < CODE_DIGITS; i++) {
		if (!is_digit(c[i]))
			return false;
	}
	return length <= CODE_DIGITS || memchr(" -\r\n", c[CODE_DIGITS], 4);
}

static enum dialogue_verdict
number_look(struct dialogue *dialogue, struct failure *failure)
{
	enum dialogue_verdict verdict = DIALOGUE_MORE;
	struct octets line;

	while (verdict == DIALOGUE_MORE && dialogue_line(dialogue, &line))
		verdict = take_line(dialogue, line, failure);
	if (verdict == DIALOGUE_MORE && !may_become_reply(dialogue))
		return starttls_nonsense(dialogue, failure);
	return verdict;
}

const struct dialogue_kind starttls_number_kind = {
	.look = number_look,
	.end = starttls_line_end,
	.state_bytes = sizeof(struct number_state),
	STARTTLS_KIND_CODES,
};
