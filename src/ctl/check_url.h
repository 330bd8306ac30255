/*
 * The URLs that `holdfastctl check` takes: what is spoken, and where.
 */
#pragma once

#include "core/policy.h"

#include <stdbool.h>

/* What a scheme stands for. */
struct check_scheme {
	const char *name; /* as in smtp+starttls:// */
	uint16_t port;	  /* where the URL names none; 0: it has to */
	bool tls;
	enum starttls starttls;
	enum probe_kind probe; /* what is asked unless --probe says otherwise */
};

struct check_url {
	const struct check_scheme *scheme;
	char *address; /* host:port, unix:/path or srv:…, as the configuration writes it; owned */
	char *path;    /* of http and https, with its slash; owned; or NULL */
};

/*
 * check_is_url(word):
 * Whether `word` is meant to be a URL rather than the name of a configured upstream.
 */
bool check_is_url(const char *word);

/*
 * check_url_parse(word, ret_url):
 * Take a URL apart.  Returns false, having said what is wrong (and what might have been meant), where its scheme is unknown.  Whether
 * the address can be right is not looked at.  check_url_done() frees what is owned.
 */
bool check_url_parse(const char *word, struct check_url *ret_url);
void check_url_done(struct check_url *url);
