/*
 * What the families of STARTTLS dialogues share.  For core/starttls*.c only.
 */
#pragma once

#include "core/dialogue_internal.h"
#include "core/starttls.h"

/* Every family's state begins with it; starttls_new() fills it in. */
struct starttls_common {
	enum starttls protocol;
	char name[TARGET_HOST_MAX]; /* how we introduce ourselves: "[192.0.2.1]"; of XMPP whom we want: the domain, or "" */
};

/* The kinds of dialogues, a file each: replies with numbers, IMAP and POP3, and so on. */
extern const struct dialogue_kind starttls_number_kind; /* SMTP, LMTP, FTP, NNTP */
extern const struct dialogue_kind starttls_word_kind;	/* IMAP, POP3 */
extern const struct dialogue_kind starttls_sieve_kind;
extern const struct dialogue_kind starttls_ldap_kind;
extern const struct dialogue_kind starttls_xmpp_kind;
extern const struct dialogue_kind starttls_postgres_kind;
extern const struct dialogue_kind starttls_mysql_kind;

/* What the kinds have in common. */
#define STARTTLS_KIND_CODES \
	.detail = starttls_detail, .code_closed = FAILURE_PROTOCOL_STARTTLS_CLOSED, \
	.code_overdue = FAILURE_TIMEOUT_STARTTLS, .code_nonsense = FAILURE_PROTOCOL_STARTTLS_REPLY, \
	.silence = "perhaps TLS from the first octet (no STARTTLS), or another protocol, is spoken " \
		   "on this port"

/*
 * starttls_detail(dialogue, failure):
 * Every failure tells the {protocol}, and one about a server that said no, its {greeting}.
 */
void starttls_detail(const struct dialogue *dialogue, struct failure *failure);

/*
 * starttls_go_ahead(dialogue, failure):
 * The peer has agreed.  DIALOGUE_DONE, unless more has come with it: that is protocol.starttls-injection.
 */
enum dialogue_verdict starttls_go_ahead(struct dialogue *dialogue, struct failure *failure);

/*
 * starttls_nonsense(dialogue, failure), starttls_missing(dialogue, failure):
 * Fail with starttls-reply; with starttls-missing, since the reply does not name the capability.
 */
enum dialogue_verdict starttls_nonsense(const struct dialogue *dialogue, struct failure *failure);
enum dialogue_verdict starttls_missing(const struct dialogue *dialogue, struct failure *failure);

/*
 * starttls_line_end(dialogue, failure):
 * dialogue_kind.end of the protocols of lines.  A last line that turns us away counts also without its end: some servers close on the
 * heels of it.
 */
enum dialogue_verdict starttls_line_end(struct dialogue *dialogue, struct failure *failure);
