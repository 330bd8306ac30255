/*
 * Cleanup declared with the variable: `_cleanup_(fn) T x` runs fn(&x) when x leaves its scope, and
 * steal(x) hands x on to somebody else.
 */
#pragma once

#include <stddef.h>
#include <stdlib.h>

#define _cleanup_(function) __attribute__((cleanup(function)))

/* The value of `pointer`, which becomes NULL: ownership goes to whoever reads the result. */
#define steal(pointer) \
	({ \
		__typeof__(pointer) *steal_at_ = &(pointer); \
		__typeof__(pointer) steal_value_ = *steal_at_; \
		*steal_at_ = NULL; \
		steal_value_; \
	})

/* Defines `name`p(T **), fit for _cleanup_, from a destructor `name`(T *) that takes NULL. */
#define CLEANUP_DEFINE(type, name) \
	__attribute__((unused)) static inline void name##p(type *pointer) \
	{ \
		name(*pointer); \
		*pointer = NULL; \
	}

/*
 * freep(pointer):
 * free() for _cleanup_: `pointer` is the address of a pointer got from malloc(), or of NULL.
 */
static inline void
freep(void *pointer)
{
	free(*(void **)pointer);
}

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#define container_of(pointer, type, member) \
	((type *)(void *)((char *)(pointer)-offsetof(type, member)))
