/* Probes in lines: Redis (the RESP protocol), memcached (protocol.txt), SMTP (RFC 5321) and IMAP (RFC 3501). */
#include "core/probe_internal.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

typedef enum dialogue_verdict (*line_fn)(struct dialogue *dialogue, struct octets line,
					 struct failure *failure);

/* What a protocol of lines looks like from afar. */
struct lines {
	line_fn take; /* understands one line */
	const char *firsts; /* the octets an answer may begin with: anything else need not be waited out */
	const char *wanted;
};

static enum dialogue_verdict
look_lines(struct dialogue *dialogue, const struct lines *lines, struct failure *failure)
{
	struct octets line;
	const unsigned char *pending;
	size_t length;

	while (dialogue_line(dialogue, &line)) {
		enum dialogue_verdict verdict = lines->take(dialogue, line, failure);

		if (verdict != DIALOGUE_MORE)
			return verdict;
	}
	pending = dialogue_pending(dialogue, &length);
	if (length > 0 && !memchr(lines->firsts, pending[0], strlen(lines->firsts)))
		return probe_mismatch(dialogue, lines->wanted, failure);
	return DIALOGUE_MORE;
}

/* Whether the line begins with one of `words`, which NULL ends. */
static bool
begins_with_one(struct octets line, const char *const *words)
{
	for (; *words; words++) {
		if (octets_begin(line, *words))
			return true;
	}
	return false;
}

/* ---- Redis ------------------------------------------------------------------------------------------------------- */

#define REDIS_WANTED "+PONG"

static enum dialogue_verdict
redis_error(const struct dialogue *dialogue, struct octets error, struct failure *failure)
{
	static const char *const rejected[] = { "DENIED ", "ERR max number of clients", NULL };
	static const char *const auth[] = { "NOAUTH",
					    "WRONGPASS",
					    "NOPERM",
					    "ERR operation not permitted",
					    "ERR invalid password",
					    NULL };

	if (begins_with_one(error, auth))
		return probe_auth(error, failure);
	if (begins_with_one(error, rejected) && !probe_of(dialogue)->setup.again)
		return probe_rejected(error, failure);
	return probe_status(error, failure);
}

static enum dialogue_verdict
redis_take(struct dialogue *dialogue, struct octets line, struct failure *failure)
{
	if (octets_equal(line, REDIS_WANTED))
		return DIALOGUE_DONE;
	if (octets_begin(line, "-"))
		return redis_error(dialogue,
				   (struct octets){ (const char *)line.bytes + 1, line.length - 1 },
				   failure);
	return probe_mismatch(dialogue, REDIS_WANTED, failure);
}

static enum dialogue_verdict
redis_start(struct dialogue *dialogue, struct failure *failure)
{
	(void)failure;
	dialogue_say(dialogue, "*1\r\n$4\r\nPING\r\n");
	dialogue->asked = "PING";
	return DIALOGUE_MORE;
}

static enum dialogue_verdict
redis_look(struct dialogue *dialogue, struct failure *failure)
{
	static const struct lines lines = { redis_take, "+-", REDIS_WANTED };

	return look_lines(dialogue, &lines, failure);
}

const struct dialogue_kind probe_redis = {
	.start = redis_start,
	.look = redis_look,
	.state_bytes = sizeof(struct probe),
	PROBE_KIND_CODES,
};

/* ---- memcached --------------------------------------------------------------------------------------------------- */

#define MEMCACHED_WANTED "VERSION"

static enum dialogue_verdict
memcached_take(struct dialogue *dialogue, struct octets line, struct failure *failure)
{
	static const char *const errors[] = { "ERROR", "SERVER_ERROR ", "CLIENT_ERROR ", NULL };

	if (octets_begin(line, "VERSION "))
		return DIALOGUE_DONE;
	if (octets_begin(line, "CLIENT_ERROR unauthenticated"))
		return probe_auth(line, failure);
	if (octets_begin(line, "ERROR Too many open connections") && !probe_of(dialogue)->setup.again)
		return probe_rejected(line, failure);
	if (begins_with_one(line, errors))
		return probe_status(line, failure);
	return probe_mismatch(dialogue, MEMCACHED_WANTED, failure);
}

static enum dialogue_verdict
memcached_start(struct dialogue *dialogue, struct failure *failure)
{
	(void)failure;
	dialogue_say(dialogue, "version\r\n");
	dialogue->asked = "version";
	return DIALOGUE_MORE;
}

static enum dialogue_verdict
memcached_look(struct dialogue *dialogue, struct failure *failure)
{
	static const struct lines lines = { memcached_take, "VvEeSsCc", MEMCACHED_WANTED };

	return look_lines(dialogue, &lines, failure);
}

const struct dialogue_kind probe_memcached = {
	.start = memcached_start,
	.look = memcached_look,
	.state_bytes = sizeof(struct probe),
	PROBE_KIND_CODES,
};

/* ---- SMTP -------------------------------------------------------------------------------------------------------- */

#define SMTP_WANTED	 "an SMTP reply"
#define SMTP_CODE_DIGITS 3

struct smtp {
	struct probe probe;
	bool asked; /* EHLO or NOOP has been said; before, the greeting is awaited */
};

/* RFC 5321, section 4.1.3: a host without a name of its own introduces itself with its address. */
static void
say_ehlo(struct dialogue *dialogue)
{
	const struct address *source = probe_of(dialogue)->setup.source;
	char ip[INET6_ADDRSTRLEN];

	dialogue->asked = "EHLO";
	if (source && source->length > 0 && source->sa.sa_family == AF_INET)
		dialogue_say(dialogue, "EHLO [%s]\r\n",
			     inet_ntop(AF_INET, &source->in.sin_addr, ip, sizeof(ip)));
	else if (source && source->length > 0 && source->sa.sa_family == AF_INET6)
		dialogue_say(dialogue, "EHLO [IPv6:%s]\r\n",
			     inet_ntop(AF_INET6, &source->in6.sin6_addr, ip, sizeof(ip)));
	else
		dialogue_say(dialogue, "EHLO localhost\r\n");
}

static enum dialogue_verdict
smtp_start(struct dialogue *dialogue, struct failure *failure)
{
	struct smtp *smtp = dialogue->state;
	const struct probe_setup *setup = &smtp->probe.setup;

	(void)failure;
	smtp->asked = setup->again || setup->greeted;
	if (setup->again) {
		dialogue_say(dialogue, "NOOP\r\n");
		dialogue->asked = "NOOP";
	} else if (setup->greeted) {
		say_ehlo(dialogue);
	}
	return DIALOGUE_MORE;
}

/* The reply's code, or 0 where the line is none of a reply; *ret_last: whether no more lines follow. */
static unsigned int
smtp_code(struct octets line, bool *ret_last)
{
	const unsigned char *at = line.bytes;
	unsigned int code = 0;

	if (line.length < SMTP_CODE_DIGITS)
		return 0;
	for (int i = 0; i < SMTP_CODE_DIGITS; i++) {
		if (!isdigit(at[i]))
			return 0;
		code = 10 * code + (unsigned int)(at[i] - '0');
	}
	if (line.length > SMTP_CODE_DIGITS && at[SMTP_CODE_DIGITS] != ' ' && at[SMTP_CODE_DIGITS] != '-')
		return 0;
	*ret_last = line.length == SMTP_CODE_DIGITS || at[SMTP_CODE_DIGITS] == ' ';
	return code;
}

/* The first line of the reply, as much as is kept of it: it says more than the last. */
static struct octets
first_line(const struct dialogue *dialogue)
{
	const unsigned char *end = memchr(dialogue->first, '\r', dialogue->first_length);

	if (!end)
		end = memchr(dialogue->first, '\n', dialogue->first_length);
	return (struct octets){ dialogue->first,
				end ? (size_t)(end - dialogue->first) : dialogue->first_length };
}

static enum dialogue_verdict
smtp_greeting(struct dialogue *dialogue, unsigned int code, struct failure *failure)
{
	struct smtp *smtp = dialogue->state;

	if (code == 530)
		return probe_auth(first_line(dialogue), failure);
	if (code >= 400 && code < 600)
		return probe_rejected(first_line(dialogue), failure);
	if (code != 220)
		return probe_mismatch(dialogue, "220", failure);
	dialogue_new_reply(dialogue);
	smtp->asked = true;
	say_ehlo(dialogue);
	return DIALOGUE_MORE;
}

static enum dialogue_verdict
smtp_take(struct dialogue *dialogue, struct octets line, struct failure *failure)
{
	struct smtp *smtp = dialogue->state;
	bool last = false;
	unsigned int code = smtp_code(line, &last);

	if (code < 200 || code >= 600)
		return probe_mismatch(dialogue, SMTP_WANTED, failure);
	if (!last)
		return DIALOGUE_MORE;
	if (!smtp->asked)
		return smtp_greeting(dialogue, code, failure);
	if (code == 250)
		return DIALOGUE_DONE;
	if (code == 530)
		return probe_auth(first_line(dialogue), failure);
	/* Still at the door: Postfix says so to whom it misses a certificate of, after STARTTLS. */
	if ((code == 421 || code == 554) && !smtp->probe.setup.again)
		return probe_rejected(first_line(dialogue), failure);
	if (code >= 400)
		return probe_status(first_line(dialogue), failure);
	return probe_mismatch(dialogue, "250", failure);
}

static enum dialogue_verdict
smtp_look(struct dialogue *dialogue, struct failure *failure)
{
	static const struct lines lines = { smtp_take, "2345", SMTP_WANTED };

	return look_lines(dialogue, &lines, failure);
}

const struct dialogue_kind probe_smtp = {
	.start = smtp_start,
	.look = smtp_look,
	.state_bytes = sizeof(struct smtp),
	PROBE_KIND_CODES,
};

/* ---- IMAP -------------------------------------------------------------------------------------------------------- */

#define IMAP_TAG "holdfast"

struct imap {
	struct probe probe;
	bool asked;
};

static enum dialogue_verdict
imap_ask(struct dialogue *dialogue)
{
	struct imap *imap = dialogue->state;

	imap->asked = true;
	dialogue_say(dialogue, IMAP_TAG " NOOP\r\n");
	dialogue->asked = "NOOP";
	return DIALOGUE_MORE;
}

static enum dialogue_verdict
imap_start(struct dialogue *dialogue, struct failure *failure)
{
	const struct probe_setup *setup = &probe_of(dialogue)->setup;

	(void)failure;
	return setup->greeted || setup->again ? imap_ask(dialogue) : DIALOGUE_MORE;
}

static enum dialogue_verdict
imap_greeting(struct dialogue *dialogue, struct octets line, struct failure *failure)
{
	if (octets_begin(line, "* BYE"))
		return probe_rejected(line, failure);
	if (!octets_begin(line, "* OK") && !octets_begin(line, "* PREAUTH"))
		return probe_mismatch(dialogue, "* OK", failure);
	dialogue_new_reply(dialogue);
	return imap_ask(dialogue);
}

static enum dialogue_verdict
imap_take(struct dialogue *dialogue, struct octets line, struct failure *failure)
{
	const struct imap *imap = dialogue->state;

	if (!imap->asked)
		return imap_greeting(dialogue, line, failure);
	if (octets_begin(line, IMAP_TAG " OK"))
		return DIALOGUE_DONE;
	if (octets_begin(line, "* BYE") && !imap->probe.setup.again)
		return probe_rejected(line, failure);
	if (octets_begin(line, "* BYE") || octets_begin(line, IMAP_TAG " NO") ||
	    octets_begin(line, IMAP_TAG " BAD"))
		return probe_status(line, failure);
	if (octets_begin(line, "* "))
		return DIALOGUE_MORE;
	return probe_mismatch(dialogue, IMAP_TAG " OK", failure);
}

static enum dialogue_verdict
imap_look(struct dialogue *dialogue, struct failure *failure)
{
	static const struct lines lines = { imap_take, "*Hh", "an IMAP reply" };

	return look_lines(dialogue, &lines, failure);
}

const struct dialogue_kind probe_imap = {
	.start = imap_start,
	.look = imap_look,
	.state_bytes = sizeof(struct imap),
	PROBE_KIND_CODES,
};
