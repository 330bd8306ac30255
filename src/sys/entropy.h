/*
 * Where seeds come from.
 */
#pragma once

#include <stdint.h>

/*
 * entropy_seed():
 * 64 random bits of the kernel (getrandom(2)), to seed a generator.  Never fails: without the system call
 * it falls back on the clocks and the process id, which is good enough for jitter.  Any thread.
 */
uint64_t entropy_seed(void);
