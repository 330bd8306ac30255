/*
 * The state of the probe of HTTP, for its two files: the answer's head, and its body.  For nobody else.
 */
#pragma once

#include "core/probe_internal.h"

#define HTTP_INTERIM_MAX 8 /* replies 1xx before the real one; more are nonsense */

/* What of the answer is being read. */
enum http_part {
	HTTP_STATUS,
	HTTP_HEADER,
	HTTP_BODY,	  /* `left` octets of it */
	HTTP_BODY_TO_END, /* as long as the connection lasts */
	HTTP_CHUNK_SIZE,
	HTTP_CHUNK,	/* `left` octets of it */
	HTTP_CHUNK_END, /* the empty line behind it */
	HTTP_TRAILER,	/* lines behind the last chunk, up to an empty one */
};

struct http {
	struct probe probe;
	enum http_part part;
	unsigned int status, interim_count;
	bool is_head, is_interim;
	bool has_length, is_coded, is_chunked;
	bool has_wanted_header;
	size_t left;	    /* octets of the body, or of the chunk */
	size_t body_length; /* octets of the body that have come */
	size_t matched; /* how many octets of the wanted text the body ends with at present; all: it was found */
	uint16_t back[PROBE_TEXT_MAX]; /* of each beginning of that text: the longest shorter beginning it ends with (Knuth, Morris, Pratt) */
	unsigned char first[FAILURE_EVIDENCE_MAX]; /* of the body */
	size_t first_length;
};

/*
 * http_body_start(http):
 * Prepare the search for what the body must hold.
 */
void http_body_start(struct http *http);

/*
 * http_take_body(dialogue, failure), http_take_to_end(…), http_take_chunk_size(…), http_take_chunk(…), http_take_chunk_end(…), http_take_trailer(…):
 * Read what has come of the part of that name.
 */
enum dialogue_verdict http_take_body(struct dialogue *dialogue, struct failure *failure);
enum dialogue_verdict http_take_to_end(struct dialogue *dialogue, struct failure *failure);
enum dialogue_verdict http_take_chunk_size(struct dialogue *dialogue, struct failure *failure);
enum dialogue_verdict http_take_chunk(struct dialogue *dialogue, struct failure *failure);
enum dialogue_verdict http_take_chunk_end(struct dialogue *dialogue, struct failure *failure);
enum dialogue_verdict http_take_trailer(struct dialogue *dialogue, struct failure *failure);

/*
 * http_finish(dialogue, failure):
 * The answer is whole: judge it.
 */
enum dialogue_verdict http_finish(struct dialogue *dialogue, struct failure *failure);

/*
 * http_fail(dialogue, wanted, failure), http_too_long(dialogue, failure):
 * The answer cannot be read any further: what had been kept, or a mismatch.
 */
enum dialogue_verdict http_fail(struct dialogue *dialogue, const char *wanted, struct failure *failure);
enum dialogue_verdict http_too_long(struct dialogue *dialogue, struct failure *failure);

/*
 * http_show_body(dialogue):
 * Where a body has begun, its first octets are the evidence.
 */
void http_show_body(struct dialogue *dialogue);
