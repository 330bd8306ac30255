/*
 * A quick digest (FNV-1a, 64 bits; draft-eastlake-fnv): equal for equal things, and almost always another one for different things.
 * It tells states apart and finds buckets; whoever can choose the input can make two things alike.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define HASH_SEED UINT64_C(0xcbf29ce484222325)

/*
 * hash_bytes(hash, bytes, length):
 * `hash` with `length` octets added to it.  Begin with HASH_SEED.
 */
static inline uint64_t
hash_bytes(uint64_t hash, const void *bytes, size_t length)
{
	const unsigned char *at = (const unsigned char *)bytes;

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ at[i]) * UINT64_C(0x100000001b3);
	return hash;
}

/*
 * hash_text(hash, text):
 * `hash` with a text, or NULL, added to it.  The text's end counts, so that "a", "bc" is not "ab", "c"; NULL is not "".
 */
static inline uint64_t
hash_text(uint64_t hash, const char *text)
{
	return text ? hash_bytes(hash, text, strlen(text) + 1) : hash_bytes(hash, "\1", 1);
}
