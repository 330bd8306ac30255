/*
 * How one upstream is to be treated: the configuration's values, after defaults, as the core, sys and
 * worker use them.  Every default stands here, with its reason; config/schema refers to them.
 *
 * Strings and arrays belong to the struct upstream that holds the policy, and live as long as it.
 */
#pragma once

#include "base/usec.h"
#include "core/address.h"
#include "core/stage.h"

#include <stdbool.h>
#include <stdint.h>

/* c-ares asks each server within this; a resolver that needs longer is no help to anybody. */
#define DEFAULT_RESOLVE_TIMEOUT (5 * USEC_PER_SEC)
/* Leaves room for the SYN retransmissions at 1 s and 3 s: a lost packet is not an outage. */
#define DEFAULT_CONNECT_TIMEOUT (5 * USEC_PER_SEC)
/* Several round trips and a server's busy minute; a stalled handshake rarely recovers after it. */
#define DEFAULT_HANDSHAKE_TIMEOUT (10 * USEC_PER_SEC)
/* A local round trip is far shorter and a far one is measured: at least 2 x RTT is waited. */
#define DEFAULT_SETTLE_TIMEOUT (250 * USEC_PER_MSEC)
/* All stages together, over all addresses, before the backoff may bring fresh addresses. */
#define DEFAULT_ATTEMPT_TIMEOUT (30 * USEC_PER_SEC)
/* A courtesy to the peer (close_notify) is worth no more; also how long SIGTERM may take. */
#define DEFAULT_CLOSE_TIMEOUT (2 * USEC_PER_SEC)

/* A restarting server is back within seconds; one try a second harms nobody. */
#define DEFAULT_RETRY_INITIAL (1 * USEC_PER_SEC)
/* Whoever mends a server at night should not wait longer for us to notice. */
#define DEFAULT_RETRY_MAX	 (5 * USEC_PER_MINUTE)
#define DEFAULT_RETRY_MULTIPLIER 2.0
/* Half of a delay is always kept: with full jitter the slow end of the backoff would now and then be no delay at all. */
#define DEFAULT_RETRY_JITTER JITTER_EQUAL
/* A connection that fell within this was never really up: the backoff goes on growing. */
#define DEFAULT_STABLE_AFTER (30 * USEC_PER_SEC)

/* Shorter than the idle timeouts of stateful firewalls and NATs, long enough to cost nothing. */
#define DEFAULT_KEEPALIVE_IDLE	   (30 * USEC_PER_SEC)
#define DEFAULT_KEEPALIVE_INTERVAL (10 * USEC_PER_SEC)
#define DEFAULT_KEEPALIVE_COUNT	   3
/* Idle 30 s and three probes of 10 s: both ways of finding a dead peer agree on one minute. */
#define DEFAULT_KEEPALIVE_USER_TIMEOUT (60 * USEC_PER_SEC)

/* RFC 8305, section 3: how long an A answer waits for its AAAA. */
#define RESOLUTION_DELAY (50 * USEC_PER_MSEC)
/* RFC 8305, section 8: the recommended pause before the next address joins the race. */
#define RACE_PACING_DELAY (250 * USEC_PER_MSEC)

#define TARGETS_MAX	16   /* addresses listed for one upstream; more are a problem of the file */
#define CONNECTIONS_MAX 1024 /* links of one upstream; more are a problem of the file */
#define PINS_MAX	16   /* likewise */

enum order {
	ORDER_LISTED,
	ORDER_RANDOM,
};

enum jitter {
	JITTER_FULL,  /* from nothing to the whole delay */
	JITTER_EQUAL, /* from half of the delay to the whole */
	JITTER_NONE,
};

struct retry_policy {
	usec_t initial, max;
	double multiplier;
	enum jitter jitter;
	usec_t stable_after;
};

struct keepalive_policy {
	usec_t idle, interval; /* whole seconds: the kernel knows no less */
	unsigned int count;
	usec_t user_timeout; /* whole milliseconds; 0: the kernel's own */
};

struct transport_policy {
	struct address source;	     /* to bind to; unset: the kernel's choice; port 0 */
	char interface[IF_NAMESIZE]; /* SO_BINDTODEVICE; "": none */
	uint32_t mark;		     /* SO_MARK; 0: none */
	struct keepalive_policy keepalive;
};

enum verify {
	VERIFY_FULL,  /* chain and name, and pins if any */
	VERIFY_CHAIN, /* chain only, and pins if any */
	VERIFY_PIN,   /* pins alone */
	VERIFY_NONE,
};

/* TLS versions as on the wire. */
#define TLS_POLICY_VERSION_1_0 0x0301
#define TLS_POLICY_VERSION_1_1 0x0302
#define TLS_POLICY_VERSION_1_2 0x0303
#define TLS_POLICY_VERSION_1_3 0x0304

struct tls_policy {
	bool enabled;
	enum verify verify;
	const char *verify_name; /* NULL: the target's host */
	const char *sni;	 /* NULL: the target's host name, none for an address; "": none */
	const char *ca_file, *ca_dir; /* both NULL: the system's */
	const char *certificate, *key, *key_password_file, *crl_file, *keylog_file; /* or NULL */
	unsigned char (*pins)[32];
	unsigned int pin_count;
	const unsigned char *alpn; /* wire format (RFC 7301), or NULL */
	unsigned int alpn_length;
	bool alpn_required;
	int min_version, max_version; /* TLS_POLICY_VERSION_…; max 0: the highest there is */
	const char *ciphers, *ciphersuites, *groups, *signature_algorithms; /* NULL: OpenSSL's */
	int security_level; /* 0 to 5, or -1: OpenSSL's */
	bool resumption;
};

struct policy {
	bool enabled; /* false: the links start paused */
	unsigned int connections;
	enum family family;
	enum order order;
	usec_t timeout[STAGE_COUNT]; /* LOAD, RESOLVE, CONNECT, PROXY, STARTTLS, HANDSHAKE, SETTLE, PROBE, CLOSING */
	usec_t attempt_timeout;
	struct retry_policy retry;
	usec_t lifetime;   /* 0: without end */
	usec_t idle_limit; /* 0: none */
	struct transport_policy transport;
	struct tls_policy tls;
};
