/*
 * What is said before TLS on a port that begins in plain text, by protocol.
 *
 * smtp, lmtp: RFC 3207, 5321, 2033.  imap, pop3: RFC 2595, 3501, 1939.  ftp: RFC 4217 (AUTH TLS).  nntp: RFC 4642.  ldap: RFC 4511,
 * section 4.14.  xmpp, xmpp-server: RFC 6120, section 5.  sieve: RFC 5804.  postgres, mysql: the manuals' message formats.
 */
#pragma once

#include "core/dialogue.h"
#include "core/policy.h"

/* All strings are borrowed during starttls_new(). */
struct starttls_setup {
	enum starttls protocol; /* not STARTTLS_NONE */
	const char *domain;	/* whom XMPP's `to` names */
	const struct address *source; /* ours: how we introduce ourselves in EHLO and LHLO (RFC 5321, section 4.1.3) */
};

/*
 * starttls_new(setup, ret_dialogue):
 * The dialogue up to the go-ahead.  What comes after the go-ahead in the same breath is protocol.starttls-injection, so nothing is left over at
 * DIALOGUE_DONE.  Fails with starttls-missing, -refused, -reply, -closed, -injection, greeting-rejected or timeout.starttls.  Returns 0 or -ENOMEM.
 */
int starttls_new(const struct starttls_setup *setup, struct dialogue **ret_dialogue);

/*
 * starttls_name(protocol):
 * The configuration's word, e.g. "xmpp-server"; "none" for STARTTLS_NONE.  A static string.  Any thread.
 * starttls_title(protocol): as people write it, e.g. "XMPP", for the hint's {protocol}.
 */
const char *starttls_name(enum starttls protocol);
const char *starttls_title(enum starttls protocol);
