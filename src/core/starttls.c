/* STARTTLS: which protocol speaks how, and what they have in common. */
#include "core/starttls_internal.h"

#include "base/must.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

/* How we introduce ourselves where we have no address to show. */
#define NAME_WITHOUT_ADDRESS "localhost"

static const struct {
	const char *name, *title;
	const struct dialogue_kind *kind;
} protocols[STARTTLS_COUNT] = {
	[STARTTLS_NONE] = { "none", "no STARTTLS", NULL },
	[STARTTLS_SMTP] = { "smtp", "SMTP", &starttls_number_kind },
	[STARTTLS_LMTP] = { "lmtp", "LMTP", &starttls_number_kind },
	[STARTTLS_IMAP] = { "imap", "IMAP", &starttls_word_kind },
	[STARTTLS_POP3] = { "pop3", "POP3", &starttls_word_kind },
	[STARTTLS_FTP] = { "ftp", "FTP", &starttls_number_kind },
	[STARTTLS_NNTP] = { "nntp", "NNTP", &starttls_number_kind },
	[STARTTLS_LDAP] = { "ldap", "LDAP", &starttls_ldap_kind },
	[STARTTLS_XMPP] = { "xmpp", "XMPP", &starttls_xmpp_kind },
	[STARTTLS_XMPP_SERVER] = { "xmpp-server", "XMPP", &starttls_xmpp_kind },
	[STARTTLS_SIEVE] = { "sieve", "ManageSieve", &starttls_sieve_kind },
	[STARTTLS_POSTGRES] = { "postgres", "PostgreSQL", &starttls_postgres_kind },
	[STARTTLS_MYSQL] = { "mysql", "MySQL", &starttls_mysql_kind },
};

const char *
starttls_name(enum starttls protocol)
{
	must(protocol < STARTTLS_COUNT);
	return protocols[protocol].name;
}

const char *
starttls_title(enum starttls protocol)
{
	must(protocol < STARTTLS_COUNT);
	return protocols[protocol].title;
}

/* An address literal (RFC 5321, section 4.1.3): a name of ours would have to be looked up, and might not be one. */
static void
introduce(const struct address *source, char *name, size_t size)
{
	char ip[INET6_ADDRSTRLEN];
	struct text text;

	text_init(&text, name, size);
	if (!source || !address_is_set(source) || source->sa.sa_family == AF_UNIX) {
		text_add(&text, NAME_WITHOUT_ADDRESS);
	} else if (!address_is_ipv6(source)) {
		inet_ntop(AF_INET, &source->in.sin_addr, ip, sizeof(ip));
		text_addf(&text, "[%s]", ip);
	} else if (IN6_IS_ADDR_V4MAPPED(&source->in6.sin6_addr)) {
		inet_ntop(AF_INET, &source->in6.sin6_addr.s6_addr[12], ip, sizeof(ip));
		text_addf(&text, "[%s]", ip);
	} else {
		inet_ntop(AF_INET6, &source->in6.sin6_addr, ip, sizeof(ip));
		text_addf(&text, "[IPv6:%s]", ip);
	}
}

int
starttls_new(const struct starttls_setup *setup, struct dialogue **ret_dialogue)
{
	bool xmpp = setup->protocol == STARTTLS_XMPP || setup->protocol == STARTTLS_XMPP_SERVER;
	struct starttls_common *common;
	int r;

	must(setup->protocol > STARTTLS_NONE && setup->protocol < STARTTLS_COUNT);
	r = dialogue_new(protocols[setup->protocol].kind, ret_dialogue);
	if (r < 0)
		return r;
	common = (*ret_dialogue)->state;
	common->protocol = setup->protocol;
	if (xmpp)
		text_copy(common->name, sizeof(common->name), setup->domain);
	else
		introduce(setup->source, common->name, sizeof(common->name));
	return 0;
}

void
starttls_detail(const struct dialogue *dialogue, struct failure *failure)
{
	const struct starttls_common *common = dialogue->state;

	failure_add_detail(failure, "protocol", starttls_title(common->protocol));
	if (failure->code == FAILURE_PROTOCOL_STARTTLS_MISSING ||
	    failure->code == FAILURE_PROTOCOL_STARTTLS_REFUSED)
		dialogue_add_greeting(dialogue, failure);
}

enum dialogue_verdict
starttls_go_ahead(struct dialogue *dialogue, struct failure *failure)
{
	struct octets injected;

	injected.bytes = dialogue_pending(dialogue, &injected.length);
	if (injected.length == 0 && !dialogue->more_behind)
		return DIALOGUE_DONE;
	/* A reader that went on would take for protected what anybody on the way may have written (CVE-2011-0411). */
	return dialogue_fail_reply(dialogue, FAILURE_PROTOCOL_STARTTLS_INJECTION, injected, failure);
}

enum dialogue_verdict
starttls_nonsense(const struct dialogue *dialogue, struct failure *failure)
{
	return dialogue_fail(dialogue, FAILURE_PROTOCOL_STARTTLS_REPLY, failure);
}

enum dialogue_verdict
starttls_missing(const struct dialogue *dialogue, struct failure *failure)
{
	return dialogue_fail(dialogue, FAILURE_PROTOCOL_STARTTLS_MISSING, failure);
}

enum dialogue_verdict
starttls_line_end(struct dialogue *dialogue, struct failure *failure)
{
	struct octets line_end = { "\n", 1 };
	struct failure judged = *failure;
	size_t pending, taken;

	dialogue_pending(dialogue, &pending);
	if (pending > 0 && dialogue_take(dialogue, line_end, &taken, &judged) == DIALOGUE_FAILED &&
	    (judged.code == FAILURE_PROTOCOL_GREETING_REJECTED ||
	     judged.code == FAILURE_PROTOCOL_STARTTLS_REFUSED)) {
		*failure = judged;
		return DIALOGUE_FAILED;
	}
	return dialogue_fail(dialogue, FAILURE_PROTOCOL_STARTTLS_CLOSED, failure);
}
