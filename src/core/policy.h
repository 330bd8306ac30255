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
/* As long as a connect: the proxy makes one for us. */
#define DEFAULT_PROXY_TIMEOUT (5 * USEC_PER_SEC)
/* Some mail servers hold their greeting back for seconds on purpose, to see who will not wait. */
#define DEFAULT_STARTTLS_TIMEOUT (10 * USEC_PER_SEC)
/* Several round trips and a server's busy minute; a stalled handshake rarely recovers after it. */
#define DEFAULT_HANDSHAKE_TIMEOUT (10 * USEC_PER_SEC)
/* A local round trip is far shorter and a far one is measured: at least 2 x RTT is waited. */
#define DEFAULT_SETTLE_TIMEOUT (250 * USEC_PER_MSEC)
/* A healthy application answers a small question within a fraction of it. */
#define DEFAULT_PROBE_TIMEOUT (5 * USEC_PER_SEC)
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

/* Shorter than what most servers and balancers allow an idle client, so that a probe also keeps the connection wanted. */
#define DEFAULT_PROBE_INTERVAL (30 * USEC_PER_SEC)
/* One lost answer may be a busy moment; three in a row are none. */
#define DEFAULT_PROBE_FAILURES 3
#define DEFAULT_PROBE_REQUEST  "GET /"
#define DEFAULT_PROBE_STATUS   "200-399" /* what a browser would call success */

/* Time to order a certificate and to install it, with a holiday in between. */
#define DEFAULT_EXPIRY_WARNING (14 * USEC_PER_DAY)

/* How soon after its TTL a name is asked again for addresses that are gone: not more often, not more seldom. */
#define ADDRESS_REFRESH_MIN (5 * USEC_PER_SEC)
#define ADDRESS_REFRESH_MAX USEC_PER_HOUR
/*
 * Servers that hand out a part of their addresses each time would look as if some had gone: so many answers in a row must lack one, and be
 * the same.  A name whose answers change again before so many were the same (CALM) rotates: with each such change twice as many are wanted,
 * up to that number, and while its answers keep differing nothing is drained (core/rotation.h).
 */
#define ADDRESS_GONE_ANSWERS 3
#define ADDRESS_CALM_ANSWERS 64

/* RFC 8305, section 3: how long an A answer waits for its AAAA. */
#define RESOLUTION_DELAY (50 * USEC_PER_MSEC)
/* RFC 8305, section 8: the recommended pause before the next address joins the race. */
#define RACE_PACING_DELAY (250 * USEC_PER_MSEC)

#define TARGETS_MAX	16   /* addresses listed for one upstream; more are a problem of the file */
#define CONNECTIONS_MAX 1024 /* links of one upstream; more are a problem of the file */
#define PINS_MAX	16   /* likewise */
#define PROBE_STEPS_MAX 16   /* likewise */
#define PROBE_TEXT_MAX	1024 /* octets of one thing to send or to expect; likewise */

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

enum ocsp {
	OCSP_OFF,
	OCSP_CHECK, /* refuse a stapled response that is not good, and a missing one where the certificate demands it */
	OCSP_REQUIRE, /* refuse a missing one as well */
};

/* What verify_name says when the host that an SRV record leads to is to be verified, as plain DNS has it, instead of the configured domain. */
#define VERIFY_NAME_SRV_TARGET "@target"

struct tls_policy {
	bool enabled;
	enum verify verify;
	const char *verify_name; /* NULL: the target's host, of srv: its domain (RFC 9525); or VERIFY_NAME_SRV_TARGET */
	const char *sni; /* NULL: the host or domain verified by default, none for an address; "": none */
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
	enum ocsp ocsp;
	usec_t expiry_warning; /* 0: none */
};

enum starttls {
	STARTTLS_NONE,
	STARTTLS_SMTP,
	STARTTLS_LMTP,
	STARTTLS_IMAP,
	STARTTLS_POP3,
	STARTTLS_FTP,
	STARTTLS_NNTP,
	STARTTLS_LDAP,
	STARTTLS_XMPP,
	STARTTLS_XMPP_SERVER,
	STARTTLS_SIEVE,
	STARTTLS_POSTGRES,
	STARTTLS_MYSQL,
	STARTTLS_COUNT
};

enum proxy_kind {
	PROXY_NONE,
	PROXY_HTTP,
	PROXY_SOCKS5,
};

/* The PROXY protocol's header to the upstream. */
enum proxy_header {
	PROXY_HEADER_NONE,
	PROXY_HEADER_V1,
	PROXY_HEADER_V2,
};

struct proxy_policy {
	enum proxy_kind kind;
	struct target target;	   /* the proxy's; unless PROXY_NONE */
	const char *user;	   /* or NULL; at most 255 octets; without ':' for HTTP */
	const char *password_file; /* or NULL: the password is empty; its first line counts */
	enum proxy_header header;
};

enum probe_kind {
	PROBE_NONE,
	PROBE_EXPECT,
	PROBE_HTTP,
	PROBE_REDIS,
	PROBE_POSTGRES,
	PROBE_MYSQL,
	PROBE_SMTP,
	PROBE_IMAP,
	PROBE_MEMCACHED,
	PROBE_MQTT,
	PROBE_COUNT
};

/* Of PROBE_EXPECT: say `send`, if it is not empty, then wait for what is expected, if anything is. */
struct probe_step {
	const unsigned char *send, *expect; /* may hold any octet; NULL: nothing */
	size_t send_length, expect_length;
	const char *expect_regex; /* or NULL; not both */
};

struct probe_policy {
	enum probe_kind kind;
	struct probe_step *steps; /* of PROBE_EXPECT: at least one, each sends or expects something */
	unsigned int step_count;
	const char *request; /* of PROBE_HTTP: method and path, e.g. "GET /health" */
	const char *host;    /* likewise: NULL: the target's host and port */
	unsigned int status_min, status_max; /* likewise: which status is good */
	const char *header; /* likewise: "Name: value" the answer must have (the name whatever its case, the value exactly); or NULL */
	const char *body;   /* likewise: what the body must hold; or NULL */
	const char *user;   /* of PROBE_POSTGRES and PROBE_MYSQL; NULL: nobody, see core/probe.h */
	usec_t interval; /* between the end of a probe and the next while ready; 0: only after the handshake */
	unsigned int failures; /* in a row, before a ready link is given up */
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
	enum starttls starttls; /* unless STARTTLS_NONE, tls.enabled is set */
	struct proxy_policy proxy;
	struct probe_policy probe;
};
