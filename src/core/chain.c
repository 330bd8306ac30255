#include "core/chain.h"

#include "base/must.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct chain {
	atomic_uint references;
	unsigned int count;
	struct certificate certificates[];
};

void
certificate_done(struct certificate *certificate)
{
	free(certificate->subject);
	free(certificate->issuer);
	for (char **name = certificate->names; name && *name; name++)
		free(*name);
	free(certificate->names);
	*certificate = (struct certificate){ 0 };
}

struct chain *
chain_new(struct certificate *certificates, unsigned int count)
{
	struct chain *chain;

	must(count >= 1 && count <= CHAIN_CERTIFICATES_MAX);
	chain = malloc(sizeof(*chain) + count * sizeof(*certificates));
	if (!chain) {
		for (unsigned int i = 0; i < count; i++)
			certificate_done(&certificates[i]);
		return NULL;
	}
	atomic_init(&chain->references, 1);
	chain->count = count;
	memcpy(chain->certificates, certificates, count * sizeof(*certificates));
	return chain;
}

struct chain *
chain_ref(struct chain *chain)
{
	if (chain)
		atomic_fetch_add_explicit(&chain->references, 1, memory_order_relaxed);
	return chain;
}

struct chain *
chain_unref(struct chain *chain)
{
	if (!chain || atomic_fetch_sub_explicit(&chain->references, 1, memory_order_acq_rel) != 1)
		return NULL;
	for (unsigned int i = 0; i < chain->count; i++)
		certificate_done(&chain->certificates[i]);
	free(chain);
	return NULL;
}

unsigned int
chain_count(const struct chain *chain)
{
	return chain ? chain->count : 0;
}

const struct certificate *
chain_certificate(const struct chain *chain, unsigned int index)
{
	must(index < chain_count(chain));
	return &chain->certificates[index];
}

bool
chain_equal(const struct chain *a, const struct chain *b)
{
	if (!a || !b)
		return a == b;
	if (a->count != b->count)
		return false;
	for (unsigned int i = 0; i < a->count; i++) {
		if (strcmp(a->certificates[i].sha256, b->certificates[i].sha256) != 0)
			return false;
	}
	return true;
}
