#include "main/varlink.h"

#include "base/cleanup.h"
#include "base/must.h"

#include <errno.h>
#include <string.h>

#define BUFFER_FIRST \
	((size_t)4096) /* bytes of a buffer's first allocation; it doubles from there */

/* ---- in --------------------------------------------------------------------------------------------------------- */

void
varlink_reader_init(struct varlink_reader *reader, size_t max)
{
	*reader = (struct varlink_reader){ .max = max };
}

void
varlink_reader_done(struct varlink_reader *reader)
{
	free(reader->at);
	varlink_reader_init(reader, reader->max);
}

bool
varlink_reader_is_full(const struct varlink_reader *reader)
{
	return reader->length > reader->max;
}

/* An idle client costs no buffer; what is left of a partial message moves to the front. */
static void
reader_compact(struct varlink_reader *reader)
{
	if (reader->length == 0)
		varlink_reader_done(reader);
	else if (reader->start > 0)
		memmove(reader->at, reader->at + reader->start, reader->length);
	reader->start = 0;
}

int
varlink_reader_room(struct varlink_reader *reader, char **ret_at, size_t *ret_room)
{
	reader_compact(reader);
	if (reader->length == reader->size && !varlink_reader_is_full(reader)) {
		size_t size = reader->size ? 2 * reader->size : BUFFER_FIRST;
		char *at;

		if (size > reader->max + 1)
			size = reader->max + 1;
		at = realloc(reader->at, size);
		if (!at)
			return -ENOMEM;
		reader->at = at;
		reader->size = size;
	}
	*ret_at = reader->at + reader->length;
	*ret_room = reader->size - reader->length;
	return 0;
}

void
varlink_reader_added(struct varlink_reader *reader, size_t length)
{
	must(length <= reader->size - reader->start - reader->length);
	reader->length += length;
}

/* Where the oldest message ends, or NULL.  No byte is looked at twice. */
static const char *
reader_end(struct varlink_reader *reader)
{
	const char *end = NULL;

	if (reader->searched < reader->length)
		end = memchr(reader->at + reader->start + reader->searched, '\0',
			     reader->length - reader->searched);
	if (!end)
		reader->searched = reader->length;
	return end;
}

bool
varlink_reader_has_message(struct varlink_reader *reader)
{
	return reader_end(reader) || varlink_reader_is_full(reader);
}

/* Returns false where the member `name` is neither absent, null nor a boolean. */
static bool
request_flag(const json_t *message, const char *name, bool *ret_flag)
{
	const json_t *value = json_object_get(message, name);

	*ret_flag = json_is_true(value);
	return !value || json_is_null(value) || json_is_boolean(value);
}

/* The spec lets extensions nest in members of other names: those are not ours to judge. */
static bool
request_read(struct varlink_request *request)
{
	request->method = json_string_value(json_object_get(request->message, "method"));
	if (!request->method)
		return false;
	request->parameters = json_object_get(request->message, "parameters");
	if (json_is_null(request->parameters))
		request->parameters = NULL;
	if (!request_flag(request->message, "oneway", &request->oneway))
		request->wrong = "oneway";
	if (!request_flag(request->message, "more", &request->more))
		request->wrong = "more";
	if (!request_flag(request->message, "upgrade", &request->upgrade))
		request->wrong = "upgrade";
	if (request->parameters && !json_is_object(request->parameters))
		request->wrong = "parameters";
	return true;
}

int
varlink_reader_next(struct varlink_reader *reader, struct varlink_request *ret_request)
{
	const char *end = reader_end(reader), *begin = reader->at + reader->start;
	struct varlink_request request = { 0 };
	size_t length;

	if (!end)
		return varlink_reader_is_full(reader) ? -EMSGSIZE : 0;
	length = (size_t)(end - begin);
	request.message = json_loadb(begin, length, JSON_REJECT_DUPLICATES, NULL);
	reader->start += length + 1;
	reader->length -= length + 1;
	reader->searched = 0;
	if (!json_is_object(request.message) || !request_read(&request)) {
		varlink_request_done(&request);
		return -EBADMSG;
	}
	*ret_request = request;
	return 1;
}

void
varlink_request_done(struct varlink_request *request)
{
	json_decref(request->message);
	*request = (struct varlink_request){ 0 };
}

/* ---- out -------------------------------------------------------------------------------------------------------- */

void
varlink_output_init(struct varlink_output *output)
{
	*output = (struct varlink_output){ 0 };
}

void
varlink_output_done(struct varlink_output *output)
{
	free(output->at);
	varlink_output_init(output);
}

/* Makes room for `length` more bytes: by moving to the front where half is free, by growing otherwise. */
static int
output_reserve(struct varlink_output *output, size_t length)
{
	size_t size = output->size ? output->size : BUFFER_FIRST;
	char *at;

	if (output->start >= output->size / 2 && output->length + length <= output->size) {
		memmove(output->at, output->at + output->start, output->length);
		output->start = 0;
		return 0;
	}
	while (size < output->start + output->length + length)
		size *= 2;
	at = realloc(output->at, size);
	if (!at)
		return -ENOMEM;
	output->at = at;
	output->size = size;
	return 0;
}

static int
output_append(const char *bytes, size_t length, void *arg)
{
	struct varlink_output *output = arg;

	if (output->size - output->start - output->length < length && output_reserve(output, length) < 0)
		return -1;
	memcpy(output->at + output->start + output->length, bytes, length);
	output->length += length;
	return 0;
}

static int
output_message(struct varlink_output *output, json_t *message)
{
	size_t before = output->length;

	/* Half a message must not stay behind: the next one would be taken for its rest. */
	if (!message ||
	    json_dump_callback(message, output_append, output, JSON_COMPACT | JSON_ENSURE_ASCII) < 0 ||
	    output_append("", 1, output) < 0) {
		output->length = before;
		return -ENOMEM;
	}
	return 0;
}

int
varlink_output_reply(struct varlink_output *output, json_t *parameters, bool continues)
{
	_cleanup_(json_decrefp) json_t *message = NULL;

	message = continues ? json_pack("{s:o, s:b}", "parameters", parameters, "continues", 1) :
			      json_pack("{s:o}", "parameters", parameters);
	return output_message(output, message);
}

int
varlink_output_error(struct varlink_output *output, const char *error, json_t *parameters)
{
	_cleanup_(json_decrefp) json_t *message = NULL;

	message = json_pack("{s:s, s:o}", "error", error, "parameters", parameters);
	return output_message(output, message);
}

static int
output_string(struct varlink_output *output, const char *string)
{
	return output_append(string, strlen(string), output) < 0 ? -ENOMEM : 0;
}

int
varlink_output_text_begin(struct varlink_output *output, const char *name)
{
	int r = output_string(output, "{\"parameters\":{\"");

	if (r == 0)
		r = output_string(output, name);
	return r == 0 ? output_string(output, "\":\"") : r;
}

int
varlink_output_text(struct varlink_output *output, json_t *piece)
{
	_cleanup_(freep) char *quoted = NULL;

	if (piece)
		quoted = json_dumps(piece, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
	json_decref(piece);
	if (!quoted)
		return -ENOMEM;
	return output_append(quoted + 1, strlen(quoted) - 2, output) < 0 ? -ENOMEM : 0;
}

int
varlink_output_text_end(struct varlink_output *output)
{
	return output_append("\"}}", sizeof("\"}}"), output) < 0 ? -ENOMEM : 0;
}

void
varlink_output_sent(struct varlink_output *output, size_t length)
{
	must(length <= output->length);
	output->start += length;
	output->length -= length;
	if (output->length == 0)
		varlink_output_done(output);
}
