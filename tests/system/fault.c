/*
 * Preloaded into a program under test: makes a library fail in a way no peer and no file can bring about.  $HOLDFAST_FAULT says which:
 * "ares" (c-ares ends every question with ARES_EBADQUERY), "ssl" (OpenSSL has no memory for a connection).
 */
#define _GNU_SOURCE

#include <ares.h>
#include <dlfcn.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

static int
is_wanted(const char *fault)
{
	const char *wanted = getenv("HOLDFAST_FAULT");

	return wanted && strcmp(wanted, fault) == 0;
}

void
ares_getaddrinfo(ares_channel channel, const char *node, const char *service,
		 const struct ares_addrinfo_hints *hints, ares_addrinfo_callback callback, void *arg)
{
	__typeof__(&ares_getaddrinfo) real = dlsym(RTLD_NEXT, "ares_getaddrinfo");

	if (is_wanted("ares"))
		callback(arg, ARES_EBADQUERY, 0, NULL);
	else
		real(channel, node, service, hints, callback, arg);
}

SSL *
SSL_new(SSL_CTX *ctx)
{
	__typeof__(&SSL_new) real = dlsym(RTLD_NEXT, "SSL_new");

	if (!is_wanted("ssl"))
		return real(ctx);
	ERR_raise(ERR_LIB_SSL, ERR_R_MALLOC_FAILURE);
	return NULL;
}
