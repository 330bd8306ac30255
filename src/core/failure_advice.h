/*
 * What an expert would say about each code: where it occurs, the likely causes, and what to look at or do.
 *
 * One row a code, A(ID, stages, causes, remedies), in core/advice_*.h; holdfastctl explain prints them.  Causes and remedies
 * are sentences, the most likely first, at most ADVICE_MAX of each; what is between `backquotes` is to be typed or stands in holdfast.conf, and
 * capitals in it (HOST, FILE) are to be replaced.
 */
#pragma once

#include "core/failure.h"

#include <stdint.h>

#define ADVICE_MAX 4

/*
 * failure_stages(code):
 * The stages in which `code` can occur: for each the bit 1 << STAGE_….  Any thread.
 */
uint32_t failure_stages(enum failure_code code);

/*
 * failure_causes(code), failure_remedies(code):
 * Sentences, at least one, ended by NULL.  Static strings.  `code` is neither FAILURE_NONE nor FAILURE_COUNT.  Any thread.
 */
const char *const *failure_causes(enum failure_code code);
const char *const *failure_remedies(enum failure_code code);
