/*
 * What every unit test includes: cmocka with the headers it wants before its own, and the two things it lacks.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"

/* Leave the test as skipped; `reason` (a string) is what the summary says about it. */
#define skip_because(reason) \
	do { \
		print_message("%s\n", reason); \
		skip(); \
	} while (0)

/* The main program's body: run every test of the array `tests`; the exit status says how many failed. */
#define RUN_TESTS(tests) return cmocka_run_group_tests(tests, NULL, NULL)
