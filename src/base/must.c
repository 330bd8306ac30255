#include "base/must.h"

#include <stdio.h>
#include <stdlib.h>

void
must_failed(const char *expression, const char *file, int line)
{
	fprintf(stderr, "holdfast: %s:%d: cannot be: %s (local.internal; please report this)\n",
		file, line, expression);
	abort();
}
