/*
 * The resolver library's statuses (ARES_…) to failure codes (FAILURES.md, class address).
 */
#pragma once

#include "core/failure.h"

/*
 * classify_ares(status):
 * The code of a status other than ARES_SUCCESS; an unforeseen one is address.other.  Any thread.
 */
enum failure_code classify_ares(int status);

/*
 * classify_ares_name(status):
 * Its name, "ARES_ENOTFOUND"; "ARES_STATUS_UNKNOWN" for one that c-ares 1.34 does not have.  A static string.  Any thread.
 */
const char *classify_ares_name(int status);
