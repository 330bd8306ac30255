/*
 * Fuzzes the configuration: whatever the bytes are, they load or there is a problem that can be printed; and what
 * loads is dumped, and reads back as the same.
 */
#include "base/must.h"
#include "config/config.h"
#include "config/diff.h"
#include "config/source.h"
#include "fuzz.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* libconfig 1.5 forgets the string it was reading when it meets an error of syntax; that leak is not ours. */
const char *__lsan_default_suppressions(void);

const char *
__lsan_default_suppressions(void)
{
	return "leak:strbuf_append\nleak:libconfig_yylex";
}

/* A problem ends up in logs and terminals: one line, no control characters. */
static void
check_problems(const struct problems *problems)
{
	for (size_t i = 0; i < problems->count; i++)
		for (const char *byte = problems->at[i].message; *byte; byte++)
			must((unsigned char)*byte >= 0x20 && *byte != 0x7f);
}

static void
check_dump(const struct config *config)
{
	struct problems problems = { 0 };
	_cleanup_(config_unrefp) struct config *again = NULL;
	_cleanup_(freep) char *text = NULL;
	struct diff diff;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	must(out && config_dump(config, out) == 0);
	must(fclose(out) == 0);
	must(config_load_text(text, "dump", NULL, &problems, &again) == 0);
	must(config_diff(config, again, &diff) == 0);
	must(diff.count == config->upstream_count && diff.restart_key_count == 0);
	for (size_t i = 0; i < diff.count; i++)
		must(diff.changes[i].kind == CHANGE_KEPT);
	diff_done(&diff);
}

/* The text's preparation, which unlike the rest sees NUL bytes too. */
static void
prepare(const uint8_t *data, size_t size)
{
	struct problems problems = { 0 };
	_cleanup_(source_freep) struct source *source = NULL;
	int r = source_prepare((const char *)data, size, "fuzz", &problems, &source);

	must(r == 0 || problems.count > 0);
	must(r < 0 || strlen(source->text) == source->length);
	check_problems(&problems);
	problems_done(&problems);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct problems problems = { 0 };
	_cleanup_(config_unrefp) struct config *config = NULL;
	_cleanup_(freep) char *text = fuzz_text(data, size);
	int r;

	must(text);
	prepare(data, size);
	r = config_load_text(text, "fuzz", NULL, &problems, &config);
	must(r == 0 || r == -EINVAL);
	must((r == 0) == (problems.count == 0));
	check_problems(&problems);
	problems_done(&problems);
	if (r == 0)
		check_dump(config);
	return 0;
}
