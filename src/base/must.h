/*
 * Assertions that stay in releases: a state that cannot be is better ended at once, with its place
 * in the journal, than carried on in a daemon that guards other people's connections.
 */
#pragma once

/*
 * must_failed(expression, file, line):
 * Say on standard error which `expression` did not hold, and abort.  Does not return.  Any thread.
 */
_Noreturn void must_failed(const char *expression, const char *file, int line);

#define must(expression) \
	(__builtin_expect(!!(expression), 1) ? (void)0 : must_failed(#expression, __FILE__, __LINE__))

/* For the branch of a switch or a grid that cannot be reached. */
#define must_not_reach() must_failed("not reached", __FILE__, __LINE__)
