/*
 * As much of XML as a stream of XMPP needs (RFC 6120, sections 4 and 11): tags and text, in bounded pieces.  For core/starttls_xmpp.c only.
 *
 * Comments, document types, CDATA and processing instructions, which a stream must not have, are no tokens.
 */
#pragma once

#include "core/dialogue_internal.h"

enum xml_kind {
	XML_PART, /* more has to come */
	XML_BAD,  /* that is none of it */
	XML_DECLARATION,
	XML_START,
	XML_END,
	XML_EMPTY, /* start and end at once: <a/> */
	XML_TEXT,  /* the text up to the next tag, or a part of it; as it is, entities and all */
};

struct xml_token {
	enum xml_kind kind;
	size_t length;		/* octets of it; 0 unless whole */
	struct octets prefix;	/* of a tag's name; may be empty */
	struct octets name;	/* of a tag: what stands behind the prefix */
	struct octets contents; /* of a tag: its attributes; of a text: itself */
};

/*
 * xml_next(from, ret_token):
 * Read the token that `from` begins with; *ret_token borrows from it.  Whether it is bad does not depend on how much has come.
 */
void xml_next(struct octets from, struct xml_token *ret_token);

/*
 * xml_namespace(token, ret_namespace):
 * Whether the start tag `token` declares the namespace of its own name, and which.
 */
bool xml_namespace(const struct xml_token *token, struct octets *ret_namespace);
