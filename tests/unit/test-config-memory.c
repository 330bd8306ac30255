/*
 * Each allocation of the configuration's own code fails once: -ENOMEM, or a problem that could not be kept, but
 * never a crash, a leak (ASan looks) or half a snapshot.  libconfig's own memory is not ours to deny.
 */
#include "check.h"

#include "config/config.h"
#include "config/diff.h"

#include <errno.h>
#include <string.h>

/* The linker leads the calls of our own objects here (--wrap). */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__real_reallocarray(void *memory, size_t count, size_t size);
char *__real_strdup(const char *string);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__wrap_reallocarray(void *memory, size_t count, size_t size);
char *__wrap_strdup(const char *string);

static unsigned int allocations, failing; /* how many there were; which one fails, from 1 */

static bool
fails(void)
{
	return ++allocations == failing;
}

void *
__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

void *
__wrap_realloc(void *memory, size_t size)
{
	return fails() ? NULL : __real_realloc(memory, size);
}

void *
__wrap_reallocarray(void *memory, size_t count, size_t size)
{
	return fails() ? NULL : __real_reallocarray(memory, count, size);
}

char *
__wrap_strdup(const char *string)
{
	return fails() ? NULL : __real_strdup(string);
}

static const char good[] =
	"control = { group = \"g\"; }; defaults = { tls = { ca_file = \"/ca\"; alpn = \"h2\"; "
	"pins = \"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\"; }; "
	"probe = { kind = \"expect\"; steps = ( { send = \"a\"; expect = \"b\"; }, { expect_regex = \"c\"; } ); }; };"
	"upstreams = ( { name = \"a\"; address = \"a:1\"; tls = { certificate = \"/c\"; key = \"/k\"; }; },"
	"{ name = \"b\"; address = [ \"b:1\", \"c:2\" ]; tls = false; proxy = \"http://p:1\"; proxy_user = \"u\"; "
	"probe = { send = \"d\"; expect_regex = \"e\"; }; } );";

static const char bad[] = "wrong = 1; workers = 0; upstreams = ( { name = \"a\"; }, 3 );";

/* Loads `text` with allocation `number` failing; says whether there were so many. */
static bool
load_failing(const char *text, unsigned int number, int *ret_r, struct config **ret_config,
	     struct problems *problems)
{
	allocations = 0;
	failing = number;
	*ret_r = config_load_text(text, "t", NULL, problems, ret_config);
	failing = 0;
	return allocations >= number;
}

static void
test_good(void **state)
{
	unsigned int number = 1;

	(void)state;
	for (bool more = true; more; number++) {
		struct problems problems = { 0 };
		struct config *config = NULL;
		int r;

		more = load_failing(good, number, &r, &config, &problems);
		assert_int_equal(r, more ? -ENOMEM : 0);
		assert_true(!config == more);
		assert_int_equal(problems.count + problems.left_out, 0);
		config_unref(config);
	}
	assert_true(number > 20); /* otherwise nothing was wrapped */
}

static void
test_bad(void **state)
{
	unsigned int number = 1;

	(void)state;
	for (bool more = true; more; number++) {
		struct problems problems = { 0 };
		struct config *config = NULL;
		int r;

		more = load_failing(bad, number, &r, &config, &problems);
		assert_null(config);
		assert_true(r == -EINVAL || (more && r == -ENOMEM));
		assert_true(r == -ENOMEM || problems.count + problems.left_out == 4);
		problems_done(&problems);
	}
}

static void
test_diff(void **state)
{
	struct problems problems = { 0 };
	struct config *config = NULL;
	struct diff diff;
	int r;

	(void)state;
	load_failing(good, 0, &r, &config, &problems);
	assert_int_equal(r, 0);
	allocations = 0;
	failing = 1;
	assert_int_equal(config_diff(NULL, config, &diff), -ENOMEM);
	config_unref(config);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_diff),
	};

	RUN_TESTS(tests);
}
