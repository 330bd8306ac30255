/*
 * Fuzzes the reader of the control socket's wire: the bytes come in pieces as the first of them says, and whatever is
 * read is checked, answered and framed again.
 */
#include "base/must.h"
#include "main/varlink.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is understood can be written, and reads the same again. */
static void
echo(const struct varlink_request *request)
{
	struct varlink_output output;
	json_t *again;

	must(request->method);
	varlink_output_init(&output);
	must(varlink_output_reply(&output, json_incref(request->message), request->more) == 0);
	must(output.at[output.start + output.length - 1] == '\0');
	again = json_loads(output.at + output.start, 0, NULL);
	must(json_equal(json_object_get(again, "parameters"), request->message));
	json_decref(again);
	varlink_output_sent(&output, output.length);
	varlink_output_done(&output);
}

/* Takes all whole calls; returns false where the connection would be closed. */
static bool
drain(struct varlink_reader *reader)
{
	struct varlink_request request;
	int r;

	while ((r = varlink_reader_next(reader, &request)) > 0) {
		echo(&request);
		varlink_request_done(&request);
	}
	return r == 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct varlink_reader reader;
	size_t piece = size ? (size_t)data[0] + 1 : 1, at = 1;
	bool open = true;

	varlink_reader_init(&reader, 512);
	while (open && at < size) {
		size_t room, length = size - at < piece ? size - at : piece;
		char *place;

		must(varlink_reader_room(&reader, &place, &room) == 0);
		must(room > 0);
		length = length < room ? length : room;
		memcpy(place, data + at, length);
		varlink_reader_added(&reader, length);
		at += length;
		open = drain(&reader);
	}
	varlink_reader_done(&reader);
	return 0;
}
