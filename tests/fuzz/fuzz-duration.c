/*
 * Fuzzes durations: what can be read can be written, and reads the same again.
 */
#include "base/cleanup.h"
#include "base/must.h"
#include "config/duration.h"
#include "fuzz.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(freep) char *text = fuzz_text(data, size);
	char canonical[DURATION_TEXT_MAX], twice[DURATION_TEXT_MAX];
	usec_t duration = 1, again = 1;

	must(text);
	if (duration_parse(text, &duration) < 0) {
		must(duration == 1);
		return 0;
	}
	duration_format(duration, canonical, sizeof(canonical));
	must(duration_parse(canonical, &again) == 0);
	must(duration == USEC_INFINITY || again == duration);
	must(strcmp(duration_format(again, twice, sizeof(twice)), canonical) == 0);
	return 0;
}
