/*
 * The main program of a fuzzer in normal builds: runs every file of its corpus once and prints TAP.
 *
 * fuzz-NAME reads $HOLDFAST_SRCDIR/tests/fuzz/corpus/NAME, or the files named on the command line.  A file that
 * makes the program crash is named by the last line before the end.
 */
#include "base/cleanup.h"

#include <errno.h>
#include <glob.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_MAX (1 << 20) /* bytes of a file that are read; what is beyond is not */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
fclosep(FILE **stream)
{
	if (*stream)
		fclose(*stream);
}

/* Hands the parser a block that ends where the file ends, so that ASan sees one byte too far. */
static int
replay(const char *path)
{
	_cleanup_(fclosep) FILE *stream = fopen(path, "re");
	_cleanup_(freep) uint8_t *all = malloc(INPUT_MAX), *exact = NULL;
	size_t size;

	if (!stream || !all)
		return -1;
	size = fread(all, 1, INPUT_MAX, stream);
	if (ferror(stream))
		return -1;
	exact = malloc(size ? size : 1);
	if (!exact)
		return -1;
	memcpy(exact, all, size);
	LLVMFuzzerTestOneInput(exact, size);
	return 0;
}

static int
replay_all(char *const *paths, int count)
{
	int failed = 0;

	printf("1..%d\n", count);
	for (int i = 0; i < count; i++) {
		int r;

		printf("# %s\n", paths[i]);
		fflush(stdout);
		r = replay(paths[i]);
		failed += r < 0;
		printf("%sok %d - %s\n", r < 0 ? "not " : "", i + 1, basename(paths[i]));
	}
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

int
main(int argc, char **argv)
{
	const char *name = strstr(program_invocation_short_name, "fuzz-");
	const char *tree = getenv("HOLDFAST_SRCDIR");
	_cleanup_(freep) char *pattern = NULL;
	_cleanup_(globfree) glob_t found = { 0 };

	if (argc > 1)
		return replay_all(argv + 1, argc - 1);
	if (!name || asprintf(&pattern, "%s/tests/fuzz/corpus/%s/*", tree ? tree : ".", name + 5) < 0)
		return EXIT_FAILURE;
	if (glob(pattern, GLOB_ERR, NULL, &found) != 0) {
		printf("Bail out! no corpus at %s\n", pattern);
		return EXIT_FAILURE;
	}
	return replay_all(found.gl_pathv, (int)found.gl_pathc);
}
