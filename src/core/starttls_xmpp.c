/*
 * STARTTLS of XMPP, towards clients and between servers (RFC 6120, sections 4, 5 and 6).
 */
#include "core/starttls_internal.h"
#include "core/starttls_xml.h"

#include "base/must.h"
#include "base/text.h"

#include <string.h>

#define NAMESPACE_TLS "urn:ietf:params:xml:ns:xmpp-tls"
#define DEPTH_MAX     32  /* elements in one another; no features have so many */
#define REASON_MAX    200 /* octets of an error made readable; cut beyond */

/* Depths of elements: the stream itself is the first, what is said in it the second. */
#define DEPTH_STREAM 1
#define DEPTH_STANZA 2
#define DEPTH_CHILD  3

/* What the element at DEPTH_STANZA is. */
enum stanza {
	STANZA_NONE,
	STANZA_FEATURES,
	STANZA_ERROR,	/* of the stream */
	STANZA_PROCEED, /* TLS may begin */
	STANZA_FAILURE, /* TLS may not */
	STANZA_OTHER,
};

struct xmpp_state {
	struct starttls_common common;
	unsigned int depth; /* of the elements that are open */
	enum stanza stanza;
	bool asked;		     /* <starttls/> has been said */
	bool offered;		     /* among the features */
	bool in_text;		     /* of an error: in its <text> */
	char reason[REASON_MAX + 1]; /* of an error: its condition and its text */
	size_t reason_length;
};

static const struct {
	const char *name;
	enum stanza stanza;
	bool tls;   /* of NAMESPACE_TLS */
	bool asked; /* an answer: it comes after the question alone, and the others before */
} stanzas[] = {
	{ "features", STANZA_FEATURES, false, false }, { "error", STANZA_ERROR, false, false },
	{ "error", STANZA_ERROR, false, true },	       { "proceed", STANZA_PROCEED, true, true },
	{ "failure", STANZA_FAILURE, true, true },
};

static bool
is_of_tls(const struct xml_token *token)
{
	struct octets namespace;

	/* Without a declaration of its own it has that of an element around it, where nothing else would make sense. */
	return !xml_namespace(token, &namespace) || octets_equal(namespace, NAMESPACE_TLS);
}

static void
add_reason(struct xmpp_state *state, struct octets octets)
{
	size_t room = sizeof(state->reason) - 1 - state->reason_length;
	size_t length = octets.length < room ? octets.length : room;

	memcpy(state->reason + state->reason_length, octets.bytes, length);
	state->reason_length += length;
}

static enum stanza
find_stanza(const struct xmpp_state *state, const struct xml_token *token)
{
	for (size_t i = 0; i < COUNT_OF(stanzas); i++) {
		if (stanzas[i].asked == state->asked && octets_equal(token->name, stanzas[i].name) &&
		    (!stanzas[i].tls || is_of_tls(token)))
			return stanzas[i].stanza;
	}
	return STANZA_OTHER;
}

/* A child of features, of an error or of a failure. */
static void
open_child(struct xmpp_state *state, const struct xml_token *token)
{
	if (state->stanza == STANZA_FEATURES && octets_equal(token->name, "starttls") && is_of_tls(token))
		state->offered = true;
	if (state->stanza != STANZA_ERROR && state->stanza != STANZA_FAILURE)
		return;
	state->in_text = octets_equal(token->name, "text");
	if (state->reason_length > 0)
		add_reason(state, (struct octets){ ": ", 2 });
	if (!state->in_text)
		add_reason(state, token->name);
}

/* Returns whether it can be there. */
static bool
open_element(struct xmpp_state *state, const struct xml_token *token)
{
	if (state->depth == DEPTH_MAX)
		return false;
	state->depth++;
	if (state->depth == DEPTH_STREAM)
		return octets_equal(token->name, "stream");
	if (state->depth == DEPTH_CHILD)
		open_child(state, token);
	if (state->depth != DEPTH_STANZA)
		return true;
	state->stanza = find_stanza(state, token);
	return state->stanza != STANZA_OTHER;
}

static enum dialogue_verdict
fail_reason(struct dialogue *dialogue, enum failure_code code, struct failure *failure)
{
	const struct xmpp_state *state = dialogue->state;
	struct octets reason = { state->reason, state->reason_length };

	if (reason.length == 0)
		return dialogue_fail(dialogue, code, failure);
	return dialogue_fail_told(dialogue, code, reason, failure);
}

static enum dialogue_verdict
ask(struct dialogue *dialogue)
{
	struct xmpp_state *state = dialogue->state;

	state->asked = true;
	dialogue->asked = "STARTTLS";
	dialogue_say(dialogue, "<starttls xmlns='" NAMESPACE_TLS "'/>");
	dialogue_new_reply(dialogue);
	return DIALOGUE_MORE;
}

/* What is said in the stream is whole. */
static enum dialogue_verdict
judge(struct dialogue *dialogue, struct failure *failure)
{
	const struct xmpp_state *state = dialogue->state;

	switch (state->stanza) {
	case STANZA_FEATURES:
		return state->offered ? ask(dialogue) : starttls_missing(dialogue, failure);
	case STANZA_ERROR:
		return fail_reason(dialogue,
				   state->asked ? FAILURE_PROTOCOL_STARTTLS_REFUSED :
						  FAILURE_PROTOCOL_GREETING_REJECTED,
				   failure);
	case STANZA_PROCEED: return starttls_go_ahead(dialogue, failure);
	case STANZA_FAILURE:
		return fail_reason(dialogue, FAILURE_PROTOCOL_STARTTLS_REFUSED, failure);
	case STANZA_NONE:
	case STANZA_OTHER: break;
	}
	must_not_reach();
}

static enum dialogue_verdict
close_element(struct dialogue *dialogue, struct failure *failure)
{
	struct xmpp_state *state = dialogue->state;

	if (state->depth == 0)
		return starttls_nonsense(dialogue, failure);
	state->depth--;
	state->in_text = false;
	if (state->depth == 0) /* the stream's own end, as good as the connection's */
		return dialogue_fail(dialogue, FAILURE_PROTOCOL_STARTTLS_CLOSED, failure);
	return state->depth == DEPTH_STREAM ? judge(dialogue, failure) : DIALOGUE_MORE;
}

static enum dialogue_verdict
take_text(struct dialogue *dialogue, struct octets text, struct failure *failure)
{
	struct xmpp_state *state = dialogue->state;
	const unsigned char *bytes = text.bytes;

	if (state->in_text)
		add_reason(state, text);
	if (state->depth > DEPTH_STREAM)
		return DIALOGUE_MORE;
	for (size_t i = 0; i < text.length; i++) {
		if (!memchr(" \t\r\n", bytes[i], 4))
			return starttls_nonsense(dialogue, failure);
	}
	return DIALOGUE_MORE;
}

static enum dialogue_verdict
take_token(struct dialogue *dialogue, const struct xml_token *token, struct failure *failure)
{
	struct xmpp_state *state = dialogue->state;

	switch (token->kind) {
	case XML_TEXT: return take_text(dialogue, token->contents, failure);
	case XML_DECLARATION:
		return state->depth == 0 ? DIALOGUE_MORE : starttls_nonsense(dialogue, failure);
	case XML_START:
	case XML_EMPTY:
		if (!open_element(state, token))
			return starttls_nonsense(dialogue, failure);
		return token->kind == XML_EMPTY ? close_element(dialogue, failure) : DIALOGUE_MORE;
	case XML_END: return close_element(dialogue, failure);
	case XML_BAD: return starttls_nonsense(dialogue, failure);
	case XML_PART: break;
	}
	must_not_reach();
}

static enum dialogue_verdict
xmpp_look(struct dialogue *dialogue, struct failure *failure)
{
	for (;;) {
		enum dialogue_verdict verdict;
		struct xml_token token;
		struct octets pending;

		pending.bytes = dialogue_pending(dialogue, &pending.length);
		xml_next(pending, &token);
		if (token.kind == XML_PART)
			return DIALOGUE_MORE;
		dialogue_consume(dialogue, token.length);
		verdict = take_token(dialogue, &token, failure);
		if (verdict != DIALOGUE_MORE)
			return verdict;
	}
}

/* An attribute's value (XML 1.0, section 2.3). */
static void
say_value(struct dialogue *dialogue, const char *value)
{
	for (const char *c = value; *c != '\0'; c++) {
		if (strchr("<&'\"", *c))
			dialogue_say(dialogue, "&#%u;", (unsigned int)*c);
		else
			dialogue_send(dialogue, c, 1);
	}
}

static enum dialogue_verdict
xmpp_start(struct dialogue *dialogue, struct failure *failure)
{
	const struct xmpp_state *state = dialogue->state;
	bool server = state->common.protocol == STARTTLS_XMPP_SERVER;

	(void)failure;
	dialogue->asked = "the stream's header";
	dialogue_say(dialogue, "<?xml version='1.0'?><stream:stream");
	if (state->common.name[0] != '\0') {
		dialogue_say(dialogue, " to='");
		say_value(dialogue, state->common.name);
		dialogue_say(dialogue, "'");
	}
	dialogue_say(dialogue,
		     " version='1.0' xmlns='jabber:%s' "
		     "xmlns:stream='http://etherx.jabber.org/streams'>",
		     server ? "server" : "client");
	return DIALOGUE_MORE;
}

const struct dialogue_kind starttls_xmpp_kind = {
	.start = xmpp_start,
	.look = xmpp_look,
	.state_bytes = sizeof(struct xmpp_state),
	STARTTLS_KIND_CODES,
};
