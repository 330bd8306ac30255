/*
 * The wire of Varlink (https://varlink.org/Method-Call): JSON objects, each ended by a NUL octet, as bytes in
 * and bytes out.  Opens nothing; knows neither interfaces nor methods but the names every service shares.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* Errors of org.varlink.service, which every service may answer with. */
#define VARLINK_SERVICE		       "org.varlink.service"
#define VARLINK_INTERFACE_NOT_FOUND    VARLINK_SERVICE ".InterfaceNotFound"
#define VARLINK_METHOD_NOT_FOUND       VARLINK_SERVICE ".MethodNotFound"
#define VARLINK_METHOD_NOT_IMPLEMENTED VARLINK_SERVICE ".MethodNotImplemented"
#define VARLINK_INVALID_PARAMETER      VARLINK_SERVICE ".InvalidParameter"
#define VARLINK_PERMISSION_DENIED      VARLINK_SERVICE ".PermissionDenied"
#define VARLINK_EXPECTED_MORE	       VARLINK_SERVICE ".ExpectedMore"

/* ---- in --------------------------------------------------------------------------------------------------------- */

/* One call as it came.  Strings belong to `message`. */
struct varlink_request {
	json_t *message;    /* owned */
	const char *method; /* "interface.Method", unchecked */
	json_t *parameters; /* an object, or NULL: none were given */
	const char *wrong; /* a member of the call that has the wrong type, by its static name; or NULL */
	bool oneway, more, upgrade;
};

/* Bytes that have come and are not understood yet. */
struct varlink_reader {
	char *at;
	size_t start, length; /* what is there: `length` bytes from at[start] */
	size_t searched;      /* of them hold no NUL */
	size_t size;	      /* of the allocation */
	size_t max;	      /* longest message without its NUL */
};

/*
 * varlink_reader_init(reader, max), varlink_reader_done(reader):
 * Start with nothing, for messages of at most `max` bytes without their NUL; free what is held.
 */
void varlink_reader_init(struct varlink_reader *reader, size_t max);
void varlink_reader_done(struct varlink_reader *reader);

/*
 * varlink_reader_room(reader, ret_at, ret_room), varlink_reader_added(reader, length):
 * Where the next bytes may be put, and how many (0: the longest message and its NUL are there; take one first); then, how
 * many have been put there.  varlink_reader_room() returns 0 or -ENOMEM.  At most max + 1 bytes are ever held.
 */
int varlink_reader_room(struct varlink_reader *reader, char **ret_at, size_t *ret_room);
void varlink_reader_added(struct varlink_reader *reader, size_t length);

/*
 * varlink_reader_is_full(reader):
 * Whether there is no room before a message has been taken.
 */
bool varlink_reader_is_full(const struct varlink_reader *reader);

/*
 * varlink_reader_has_message(reader):
 * Whether varlink_reader_next() has something to say: a whole message is there, or more than one may be long.
 */
bool varlink_reader_has_message(struct varlink_reader *reader);

/*
 * varlink_reader_next(reader, ret_request):
 * Take the oldest whole call.  Returns 1 with *ret_request, ended by varlink_request_done(); 0 where it has not come yet; -EMSGSIZE
 * where it is too long; -EBADMSG where it is no call: no JSON object in UTF-8, one with a key twice or a number beyond 64 bits, or one
 * that names no method.  Nothing can be answered then, and what follows means nothing: one hangs up without a word, as the
 * reference implementation (libvarlink) does; org.varlink.service has no error for it.
 */
int varlink_reader_next(struct varlink_reader *reader, struct varlink_request *ret_request);

/*
 * varlink_request_done(request):
 * Free what it holds; it is empty afterwards.
 */
void varlink_request_done(struct varlink_request *request);

/* ---- out -------------------------------------------------------------------------------------------------------- */

/* Bytes that wait to be sent. */
struct varlink_output {
	char *at;
	size_t start, length; /* what is there: `length` bytes from at[start] */
	size_t size;	      /* of the allocation */
};

/*
 * varlink_output_init(output), varlink_output_done(output):
 * Start with nothing; free what is held.
 */
void varlink_output_init(struct varlink_output *output);
void varlink_output_done(struct varlink_output *output);

/*
 * varlink_output_reply(output, parameters, continues):
 * Append a reply; `parameters` (an object) is consumed, and NULL stands for want of memory.  Only ASCII is written.  Returns 0; or -ENOMEM, and
 * nothing was appended.
 */
int varlink_output_reply(struct varlink_output *output, json_t *parameters, bool continues);

/*
 * varlink_output_error(output, error, parameters):
 * Append an error by its full name; otherwise as varlink_output_reply().
 */
int varlink_output_error(struct varlink_output *output, const char *error, json_t *parameters);

/*
 * varlink_output_text_begin(output, name), varlink_output_text(output, piece), varlink_output_text_end(output):
 * Append a reply whose only parameter, `name`, is a long text, piece by piece; nothing else may be appended in between.  `piece` is a string of
 * JSON, which is consumed; NULL stands for want of memory.  Return 0; or -ENOMEM, and what follows means nothing.
 */
int varlink_output_text_begin(struct varlink_output *output, const char *name);
int varlink_output_text(struct varlink_output *output, json_t *piece);
int varlink_output_text_end(struct varlink_output *output);

/*
 * varlink_output_sent(output, length):
 * The first `length` bytes are gone.  Memory is given back when nothing is left.
 */
void varlink_output_sent(struct varlink_output *output, size_t length);
