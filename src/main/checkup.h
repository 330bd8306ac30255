/*
 * What `holdfastd --check` looks at besides the configuration itself: the files it names.
 */
#pragma once

#include "config/config.h"

#include <stdio.h>

/*
 * checkup_files(config, out):
 * Try certificate, key, CA and CRL of every upstream as a worker would, and write one line to `out` for each upstream that could not
 * load them: the daemon would start, and that upstream would be down with the code told.  Returns how many those are, or -ENOMEM.
 * Blocks on the disk.
 */
int checkup_files(const struct config *config, FILE *out);
