/*
 * Failures: the one list of codes, and the record of one failure.
 *
 * A code is released once and never renamed or reused.  Everything that tells of failures (syslog,
 * journal, history, control socket, metrics, exit status, manual page, holdfastctl explain) comes from
 * FAILURE_LIST, which stands in core/failure_list.h.
 */
#pragma once

#include "base/text.h"
#include "base/usec.h"
#include "core/address.h"
#include "core/chain.h"
#include "core/failure_list.h"
#include "core/stage.h"

#include <stdbool.h>
#include <stdint.h>

enum failure_class {
	CLASS_ADDRESS,
	CLASS_CONNECTION,
	CLASS_TIMEOUT,
	CLASS_SOCKET,
	CLASS_TLS,
	CLASS_PROTOCOL,
	CLASS_LOCAL,
	CLASS_COUNT
};

enum failure_life {
	LIFE_TRANSIENT,	 /* may pass by itself: normal backoff */
	LIFE_PERSISTENT, /* somebody must act: the slow end of the backoff */
};

enum failure_blame {
	BLAME_ADDRESS,	/* this address: the next one is tried at once */
	BLAME_UPSTREAM, /* the upstream: back off */
	BLAME_LOCAL,	/* this host: hold, and count it against nobody */
};

enum failure_code {
	FAILURE_NONE,
#define F(id, name, life, blame, summary, hint) FAILURE_##id,
	FAILURE_LIST(F)
#undef F
		FAILURE_COUNT
};

#define FAILURE_ERROR_MAX \
	64 /* longest name of a foreign number, e.g. an SSL_R_ reason; cut beyond */
#define FAILURE_EVIDENCE_MAX 128 /* octets of evidence kept; what is beyond is dropped */
#define FAILURE_DETAILS_MAX \
	384 /* bytes of details (keys and values with their NULs); later ones are dropped */

enum alert_direction {
	ALERT_NONE,
	ALERT_SENT,
	ALERT_RECEIVED,
};

/* What became of one other address within a failed attempt. */
struct address_failure {
	struct address address;
	enum failure_code code;
	char error[FAILURE_ERROR_MAX];
};

/* The other addresses of a failed attempt: immutable, counted, shared between threads. */
struct others;

struct failure {
	enum failure_code code; /* what happened; its name never changes once released */
	enum stage stage;	/* where it happened */
	int error;		/* errno, ARES_* or an OpenSSL reason, as error_name says; or 0 */
	char error_name[FAILURE_ERROR_MAX]; /* "ECONNREFUSED", "ARES_ENOTFOUND", "SSL_R_WRONG_VERSION_NUMBER"; or "" */
	enum alert_direction alert_direction;
	uint8_t alert;	  /* number of the TLS alert, where alert_direction is not ALERT_NONE */
	int verify;	  /* X509_V_ERR_…, or 0 */
	int verify_depth; /* 0 is the leaf */
	char verify_name[FAILURE_ERROR_MAX]; /* "X509_V_ERR_CERT_HAS_EXPIRED", or "" */
	uint32_t attempt;		     /* counts from 1 after each time the link was ready */
	usec_t at;			     /* monotonic instant at which it was seen */
	usec_t elapsed;	     /* since the stage began; of a connect: since that address was tried */
	usec_t retry_delay;  /* until the next attempt; USEC_INFINITY where none is planned */
	struct address peer; /* unset if no address had been chosen */
	uint16_t evidence_length;
	uint16_t details_length;
	unsigned char evidence[FAILURE_EVIDENCE_MAX]; /* the peer's first bytes, raw */
	char details[FAILURE_DETAILS_MAX]; /* for the hint's {placeholders}: key NUL value NUL …; see failure_add_detail() */
	struct chain *chain;   /* as presented, or NULL; a reference owned by the record's owner */
	struct others *others; /* or NULL; likewise */
};

/*
 * failure_name(code), failure_class(code), failure_life(code), failure_blame(code),
 * failure_summary(code), failure_hint_template(code):
 * The columns of the list.  `code` is neither FAILURE_NONE nor FAILURE_COUNT, but failure_name() gives
 * "none" for FAILURE_NONE.  The hint holds {placeholders} and [optional clauses] (core/failure_list.h); to
 * explain a code without a record, give failure_hint() a record that is fresh from failure_init().  Static strings.  Any thread.
 */
const char *failure_name(enum failure_code code);
enum failure_class failure_class(enum failure_code code);
enum failure_life failure_life(enum failure_code code);
enum failure_blame failure_blame(enum failure_code code);
const char *failure_summary(enum failure_code code);
const char *failure_hint_template(enum failure_code code);

/*
 * failure_class_name(class), failure_life_name(life), failure_blame_name(blame):
 * Wire names: "address" …, "transient", "persistent", "address", "upstream", "local".  Any thread.
 */
const char *failure_class_name(enum failure_class class);
const char *failure_life_name(enum failure_life life);
const char *failure_blame_name(enum failure_blame blame);

/*
 * failure_find(name):
 * The code called `name`, or FAILURE_NONE.  Any thread.
 */
enum failure_code failure_find(const char *name);

/*
 * failure_exit_status(class):
 * Exit status of holdfastctl for something that is down for a reason of `class`: 11 (address) to 17 (local).
 */
int failure_exit_status(enum failure_class class);

/*
 * failure_init(failure, code, stage):
 * Start an empty record; retry_delay is USEC_INFINITY.
 */
void failure_init(struct failure *failure, enum failure_code code, enum stage stage);

/*
 * failure_copy(to, from):
 * Copy a record and take references of its own to chain and others; `to` is overwritten unseen.
 */
void failure_copy(struct failure *to, const struct failure *from);

/*
 * failure_done(failure):
 * Give back the references; the record may then be reused through failure_init().
 */
void failure_done(struct failure *failure);

/*
 * failure_set_error(failure, error, name):
 * Keep a foreign number and its name (copied; NULL counts as "").
 */
void failure_set_error(struct failure *failure, int error, const char *name);

/*
 * failure_set_evidence(failure, bytes, length):
 * Keep the first FAILURE_EVIDENCE_MAX octets of what the peer said.
 */
void failure_set_evidence(struct failure *failure, const void *bytes, size_t length);

/*
 * failure_add_detail(failure, key, value):
 * Keep a value for the hint's placeholder {key}, e.g. "date".  Foreign values must have been escaped.  What does not fit is dropped.
 */
void failure_add_detail(struct failure *failure, const char *key, const char *value);

/*
 * failure_detail(failure, key):
 * The value kept for `key`, or NULL.
 */
const char *failure_detail(const struct failure *failure, const char *key);

/*
 * failure_message(failure, text), failure_hint(failure, text):
 * Append what happened (one lower-case clause for the log's msg=, e.g. "peer reset the connection"), or
 * what to do about it (a sentence, placeholders filled from the details; a clause whose value is unknown reads naturally without it).
 */
void failure_message(const struct failure *failure, struct text *text);
void failure_hint(const struct failure *failure, struct text *text);

/*
 * failure_alert(failure, text), failure_verify(failure, text), failure_evidence(failure, text):
 * Append "received certificate_required(116)", "X509_V_ERR_CERT_HAS_EXPIRED depth=0", or the evidence as
 * printable ASCII with \xNN; nothing where the record holds none.
 */
void failure_alert(const struct failure *failure, struct text *text);
void failure_verify(const struct failure *failure, struct text *text);
void failure_evidence(const struct failure *failure, struct text *text);

/*
 * alert_name(number):
 * The name of a TLS alert (RFC 8446, section 6, and the IANA registry; also those OpenSSL has no name
 * for: 86, 109, 116, 121), or "unknown".  A static string.  Any thread.
 */
const char *alert_name(uint8_t number);

/*
 * others_new(list, count):
 * A copy of `count` entries with one reference; NULL where count is 0 or memory is short.  Any thread.
 */
struct others *others_new(const struct address_failure *list, unsigned int count);

/*
 * others_ref(others), others_unref(others):
 * Take or give back a reference; both take NULL; others_unref returns NULL.  Any thread.
 */
struct others *others_ref(struct others *others);
struct others *others_unref(struct others *others);

/*
 * others_count(others), others_at(others, index):
 * How many entries there are (0 for NULL), and the one at `index`, borrowed.  Any thread.
 */
unsigned int others_count(const struct others *others);
const struct address_failure *others_at(const struct others *others, unsigned int index);
