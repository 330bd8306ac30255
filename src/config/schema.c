#include "config/schema.h"

#include "base/text.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* Beginnings of rows: path, scope, place, type. */
#define DAEMON(key_path, member) \
	.path = (key_path), .scope = SCOPE_DAEMON, .offset = offsetof(struct config, member)
#define UPSTREAM(key_path, member) \
	.path = (key_path), .scope = SCOPE_UPSTREAM, .offset = offsetof(struct upstream, member)
#define COUNTED(member) .count_offset = offsetof(struct upstream, member)

#define IN_PLACE  .apply = APPLY_IN_PLACE
#define RECONNECT .apply = APPLY_RECONNECT
#define RESTART	  .apply = APPLY_RESTART

#define INTEGER(least, most, by_default) \
	.type = TYPE_INTEGER, .min = (least), .max = (most), .initial = (by_default)
#define DURATION(least, most, by_default) \
	.type = TYPE_DURATION, .min = (int64_t)(least), .max = (int64_t)(most), \
	.initial = (int64_t)(by_default)
#define SECONDS		       .whole_seconds = true
#define BOOL(by_default)       .type = TYPE_BOOL, .initial = (by_default)
#define WORD(list, by_default) .type = TYPE_WORD, .words = (list), .initial = (by_default)
#define TEXT(most)	       .type = TYPE_TEXT, .max = (most)
#define PATH		       .type = TYPE_PATH, .max = SCHEMA_PATH_MAX

#define OF_PROBES(kinds) .probes = (kinds)
#define PROBE_BIT(kind)	 (1U << (kind))
#define ANY_PROBE	 (~PROBE_BIT(PROBE_NONE))
#define STEP		 COUNTED(policy.probe.step_count), OF_PROBES(PROBE_BIT(PROBE_EXPECT)), IN_PLACE

#define SCHEMA_PATH_MAX 4095 /* PATH_MAX without its NUL */
#define LABEL_MAX	32   /* bytes of a group's or program's name, as for user names */
#define CIPHERS_MAX	4096 /* bytes of a list of algorithms */
#define REQUEST_MAX \
	1024 /* bytes of a request's first line, and of what its answer is searched for */
#define PROBE_USER_MAX 128 /* more than any SQL server allows */

static const struct schema_word log_targets[] = {
	{ "syslog", LOG_TARGET_SYSLOG },
	{ "journal", LOG_TARGET_JOURNAL },
	{ "stderr", LOG_TARGET_STDERR },
	{ 0 },
};
static const struct schema_word log_levels[] = {
	{ "error", LEVEL_ERROR }, { "warning", LEVEL_WARNING }, { "notice", LEVEL_NOTICE },
	{ "info", LEVEL_INFO },	  { "debug", LEVEL_DEBUG },	{ 0 },
};
static const struct schema_word log_facilities[] = {
	{ "daemon", 0 }, { "auth", 0 },	  { "authpriv", 0 }, { "cron", 0 },   { "ftp", 0 },
	{ "lpr", 0 },	 { "mail", 0 },	  { "news", 0 },     { "syslog", 0 }, { "user", 0 },
	{ "uucp", 0 },	 { "local0", 0 }, { "local1", 0 },   { "local2", 0 }, { "local3", 0 },
	{ "local4", 0 }, { "local5", 0 }, { "local6", 0 },   { "local7", 0 }, { 0 },
};
static const struct schema_word families[] = {
	{ "any", FAMILY_ANY },
	{ "ipv4", FAMILY_IPV4 },
	{ "ipv6", FAMILY_IPV6 },
	{ 0 },
};
static const struct schema_word orders[] = {
	{ "listed", ORDER_LISTED },
	{ "random", ORDER_RANDOM },
	{ 0 },
};
static const struct schema_word jitters[] = {
	{ "full", JITTER_FULL },
	{ "equal", JITTER_EQUAL },
	{ "none", JITTER_NONE },
	{ 0 },
};
static const struct schema_word verifies[] = {
	{ "full", VERIFY_FULL },
	{ "chain", VERIFY_CHAIN },
	{ "pin", VERIFY_PIN },
	{ "none", VERIFY_NONE },
	{ 0 },
};
static const struct schema_word min_versions[] = {
	{ "1.0", TLS_POLICY_VERSION_1_0 },
	{ "1.1", TLS_POLICY_VERSION_1_1 },
	{ "1.2", TLS_POLICY_VERSION_1_2 },
	{ "1.3", TLS_POLICY_VERSION_1_3 },
	{ 0 },
};
static const struct schema_word max_versions[] = {
	{ "1.0", TLS_POLICY_VERSION_1_0 },
	{ "1.1", TLS_POLICY_VERSION_1_1 },
	{ "1.2", TLS_POLICY_VERSION_1_2 },
	{ "1.3", TLS_POLICY_VERSION_1_3 },
	{ "highest", 0 },
	{ 0 },
};

static const struct schema_word ocsps[] = {
	{ "off", OCSP_OFF },
	{ "check", OCSP_CHECK },
	{ "require", OCSP_REQUIRE },
	{ 0 },
};
static const struct schema_word starttls_protocols[] = {
	{ "none", STARTTLS_NONE },   { "smtp", STARTTLS_SMTP },
	{ "lmtp", STARTTLS_LMTP },   { "imap", STARTTLS_IMAP },
	{ "pop3", STARTTLS_POP3 },   { "ftp", STARTTLS_FTP },
	{ "nntp", STARTTLS_NNTP },   { "ldap", STARTTLS_LDAP },
	{ "xmpp", STARTTLS_XMPP },   { "xmpp-server", STARTTLS_XMPP_SERVER },
	{ "sieve", STARTTLS_SIEVE }, { "postgres", STARTTLS_POSTGRES },
	{ "mysql", STARTTLS_MYSQL }, { 0 },
};
static const struct schema_word proxy_headers[] = {
	{ "none", PROXY_HEADER_NONE },
	{ "v1", PROXY_HEADER_V1 },
	{ "v2", PROXY_HEADER_V2 },
	{ 0 },
};
static const struct schema_word probe_kinds[] = {
	{ "none", PROBE_NONE },
	{ "expect", PROBE_EXPECT },
	{ "http", PROBE_HTTP },
	{ "redis", PROBE_REDIS },
	{ "postgres", PROBE_POSTGRES },
	{ "mysql", PROBE_MYSQL },
	{ "smtp", PROBE_SMTP },
	{ "imap", PROBE_IMAP },
	{ "memcached", PROBE_MEMCACHED },
	{ "mqtt", PROBE_MQTT },
	{ 0 },
};

const struct schema_key schema[] = {
	/* ---- the daemon ---------------------------------------------------------------------- */
	{ DAEMON("workers", workers), INTEGER(1, WORKERS_MAX, 0), RESTART,
	  .unset = "one for each CPU, at most 8",
	  .says = "Threads that hold connections.  An upstream belongs to one of them." },
	{ DAEMON("conf_dir", conf_dir), PATH, IN_PLACE, .empty_means = true,
	  .unset = "the directory conf.d beside the file",
	  .says = "The directory of drop-ins: its files called *.conf are read in the order of their "
		  "names.  The empty string means none." },
	{ DAEMON("control.path", control.path), .type = TYPE_PATH, .min = 1, .max = 107, RESTART,
	  .initial_text = DEFAULT_CONTROL_SOCKET, .says = "Where the control socket is made." },
	{ DAEMON("control.mode", control.mode), .type = TYPE_MODE, .max = 0777, .initial = 0666, IN_PLACE,
	  .says = "Who may open the control socket, and so read the status.  "
		  "Changing anything takes more: see control.admin_group." },
	{ DAEMON("control.group", control.group), .type = TYPE_LABEL, .max = LABEL_MAX, IN_PLACE,
	  .unset = "the daemon's own", .says = "The group that owns the control socket." },
	{ DAEMON("control.admin_group", control.admin_group), .type = TYPE_LABEL, .max = LABEL_MAX,
	  IN_PLACE, .unset = "none",
	  .says = "The group whose members may change things through the control socket, besides "
		  "root and the daemon's own user." },
	{ DAEMON("log.target", log.target), WORD(log_targets, LOG_TARGET_SYSLOG), IN_PLACE,
	  .says = "Where messages go: to syslog, to the journal with every field on its own, or to "
		  "standard error." },
	{ DAEMON("log.level", log.level), WORD(log_levels, LEVEL_INFO), IN_PLACE,
	  .says = "The least important messages that are still written." },
	{ DAEMON("log.facility", log.facility), .type = TYPE_TEXT, .max = 16, IN_PLACE,
	  .words = log_facilities, .initial_text = "daemon", .says = "The facility for syslog." },
	{ DAEMON("log.ident", log.ident), .type = TYPE_LABEL, .min = 1, .max = LABEL_MAX, IN_PLACE,
	  .initial_text = "holdfastd", .says = "The name that stands in front of each message." },
	{ .path = "defaults",
	  .scope = SCOPE_DAEMON,
	  .type = TYPE_UPSTREAM,
	  .unset = "none",
	  .says = "A group of an upstream's keys, save name and address, that hold for every upstream "
		  "of the same file that does not say otherwise." },
	{ .path = "upstreams",
	  .scope = SCOPE_DAEMON,
	  .type = TYPE_UPSTREAMS,
	  .max = UPSTREAMS_MAX,
	  .unset = "none",
	  .says = "The list of the upstreams, each a group." },

	/* ---- an upstream --------------------------------------------------------------------- */
	{ UPSTREAM("name", name), .type = TYPE_NAME, .own = true, .unset = "Must be given",
	  .says = "What the upstream is called everywhere: a letter or digit, then up to 63 letters, "
		  "digits, dots, underscores and hyphens.  No two may share one." },
	{ UPSTREAM("address", targets), COUNTED(target_count), .type = TYPE_TARGETS, .min = 1,
	  .max = TARGETS_MAX, RECONNECT, .own = true, .unset = "Must be given",
	  .says = "Where it is: host:port, address:port, [IPv6 address]:port, [fe80::1%eth0]:port, "
		  "unix:/path or srv:_service._tcp.domain; or a list of them, which is gone through as "
		  "the key order says.  With srv: the servers and ports are those of the domain's SRV "
		  "records (RFC 2782), by their priority and weight." },
	{ UPSTREAM("enabled", policy.enabled), BOOL(true), IN_PLACE,
	  .says = "Whether connections are made; if not, the upstream starts paused." },
	{ UPSTREAM("connections", policy.connections), INTEGER(1, CONNECTIONS_MAX, 1), IN_PLACE,
	  .says = "How many connections are kept ready." },
	{ UPSTREAM("family", policy.family), WORD(families, FAMILY_ANY), RECONNECT,
	  .says = "The addresses that a name may lead to." },
	{ UPSTREAM("order", policy.order), WORD(orders, ORDER_LISTED), IN_PLACE,
	  .says = "How an attempt goes through several addresses: as they are listed, or shuffled "
		  "each time, those that one name leads to as well.  What the records of srv: say of "
		  "their order is kept." },
	{ UPSTREAM("source", policy.transport.source), .type = TYPE_IP, RECONNECT,
	  .unset = "the kernel's choice", .says = "The address of this host to connect from." },
	{ UPSTREAM("interface", policy.transport.interface), .type = TYPE_INTERFACE,
	  .max = IF_NAMESIZE - 1, RECONNECT, .unset = "any",
	  .says = "The network interface that connections are bound to." },
	{ UPSTREAM("mark", policy.transport.mark), INTEGER(0, UINT32_MAX, 0), RECONNECT,
	  .says = "The mark that packets carry for routing and firewall rules; 0 sets none.  Needs "
		  "CAP_NET_ADMIN." },
	{ UPSTREAM("lifetime", policy.lifetime),
	  DURATION(100 * USEC_PER_MSEC, 30 * USEC_PER_DAY, 0), IN_PLACE, .none = true,
	  .says = "A connection that has been ready for so long is replaced by a fresh one." },
	{ UPSTREAM("idle_limit", policy.idle_limit),
	  DURATION(100 * USEC_PER_MSEC, 30 * USEC_PER_DAY, 0), IN_PLACE, .none = true,
	  .says = "A connection over which nothing came for so long is replaced by a fresh one, best "
		  "a little before the server would close it." },

	{ UPSTREAM("starttls", policy.starttls), WORD(starttls_protocols, STARTTLS_NONE), RECONNECT,
	  .says = "The protocol in which TLS is asked for, where the server begins in plain text.  "
		  "TLS is then always spoken, whether the key tls is given or not: without it the "
		  "connection fails." },
	{ UPSTREAM("proxy", policy.proxy), .type = TYPE_PROXY, RECONNECT, .unset = "none",
	  .says = "The proxy that leads to every address: http://host:port, which is asked to "
		  "CONNECT, or socks5://host:port.  It resolves the names.  The keys family, source, "
		  "interface and mark are about the way to the proxy, which itself is spoken to "
		  "without TLS." },
	{ UPSTREAM("proxy_user", policy.proxy.user), TEXT(255), RECONNECT, .unset = "none",
	  .says = "Who we are to the proxy; without a colon where it speaks HTTP." },
	{ UPSTREAM("proxy_password_file", policy.proxy.password_file), PATH, RECONNECT,
	  .unset = "none, and an empty password",
	  .says = "A file whose first line is the password for proxy_user, at most 255 octets of it." },
	{ UPSTREAM("proxy_protocol", policy.proxy.header), WORD(proxy_headers, PROXY_HEADER_NONE),
	  RECONNECT,
	  .says = "The version of the PROXY protocol's header that the server is sent before "
		  "anything else.  It gives our own address, and none at all behind a proxy." },

	{ UPSTREAM("timeouts.resolve", policy.timeout[STAGE_RESOLVE]),
	  DURATION(100 * USEC_PER_MSEC, 10 * USEC_PER_MINUTE, DEFAULT_RESOLVE_TIMEOUT), IN_PLACE,
	  .says = "Until the name servers must have given an address." },
	{ UPSTREAM("timeouts.connect", policy.timeout[STAGE_CONNECT]),
	  DURATION(100 * USEC_PER_MSEC, 10 * USEC_PER_MINUTE, DEFAULT_CONNECT_TIMEOUT), IN_PLACE,
	  .says = "Until one of the addresses must have accepted the connection." },
	{ UPSTREAM("timeouts.proxy", policy.timeout[STAGE_PROXY]),
	  DURATION(100 * USEC_PER_MSEC, 10 * USEC_PER_MINUTE, DEFAULT_PROXY_TIMEOUT), IN_PLACE,
	  .says = "Until the proxy must have connected us." },
	{ UPSTREAM("timeouts.starttls", policy.timeout[STAGE_STARTTLS]),
	  DURATION(100 * USEC_PER_MSEC, 10 * USEC_PER_MINUTE, DEFAULT_STARTTLS_TIMEOUT), IN_PLACE,
	  .says = "Until the server must have greeted us and agreed to TLS.  Some mail servers hold "
		  "their greeting back on purpose." },
	{ UPSTREAM("timeouts.handshake", policy.timeout[STAGE_HANDSHAKE]),
	  DURATION(100 * USEC_PER_MSEC, 10 * USEC_PER_MINUTE, DEFAULT_HANDSHAKE_TIMEOUT), IN_PLACE,
	  .says = "Until the TLS handshake must be complete and the server verified." },
	{ UPSTREAM("timeouts.settle", policy.timeout[STAGE_SETTLE]),
	  DURATION(USEC_PER_MSEC, USEC_PER_MINUTE, DEFAULT_SETTLE_TIMEOUT), IN_PLACE,
	  .says = "How long a TLS 1.3 server that asked for a certificate has for refusing it; at "
		  "least two round trips.  Its silence is consent." },
	{ UPSTREAM("timeouts.probe", policy.timeout[STAGE_PROBE]),
	  DURATION(100 * USEC_PER_MSEC, 10 * USEC_PER_MINUTE, DEFAULT_PROBE_TIMEOUT), IN_PLACE,
	  .says = "Until a probe must have been answered in full." },
	{ UPSTREAM("timeouts.attempt", policy.attempt_timeout),
	  DURATION(100 * USEC_PER_MSEC, USEC_PER_HOUR, DEFAULT_ATTEMPT_TIMEOUT), IN_PLACE,
	  .says = "For all stages of an attempt together, over all addresses." },
	{ UPSTREAM("timeouts.close", policy.timeout[STAGE_CLOSING]),
	  DURATION(USEC_PER_MSEC, USEC_PER_MINUTE, DEFAULT_CLOSE_TIMEOUT), IN_PLACE,
	  .says = "How long an orderly close may take before the connection is dropped." },

	{ UPSTREAM("retry.initial", policy.retry.initial),
	  DURATION(10 * USEC_PER_MSEC, USEC_PER_DAY, DEFAULT_RETRY_INITIAL), IN_PLACE,
	  .says = "The delay after the first failed attempt." },
	{ UPSTREAM("retry.max", policy.retry.max),
	  DURATION(10 * USEC_PER_MSEC, 30 * USEC_PER_DAY, DEFAULT_RETRY_MAX), IN_PLACE,
	  .says = "The longest delay between attempts." },
	{ UPSTREAM("retry.multiplier", policy.retry.multiplier), .type = TYPE_NUMBER, .min = 1,
	  .max = 100, .initial_number = DEFAULT_RETRY_MULTIPLIER, IN_PLACE,
	  .says = "What the delay grows by with each failed attempt." },
	{ UPSTREAM("retry.jitter", policy.retry.jitter), WORD(jitters, DEFAULT_RETRY_JITTER), IN_PLACE,
	  .says = "How a delay is spread at random, so that many clients of one server do not come "
		  "back all at once: full draws from nothing to the whole delay, equal from half of it "
		  "to the whole, none keeps it." },
	{ UPSTREAM("retry.stable_after", policy.retry.stable_after),
	  DURATION(USEC_PER_MSEC, USEC_PER_DAY, DEFAULT_STABLE_AFTER), IN_PLACE,
	  .says = "A connection must have been ready for so long before the delay starts from "
		  "retry.initial again." },

	{ UPSTREAM("keepalive.idle", policy.transport.keepalive.idle),
	  DURATION(USEC_PER_SEC, 32767 * USEC_PER_SEC, DEFAULT_KEEPALIVE_IDLE), IN_PLACE, SECONDS,
	  .says = "Silence after which TCP asks whether the peer is alive.  Whole seconds." },
	{ UPSTREAM("keepalive.interval", policy.transport.keepalive.interval),
	  DURATION(USEC_PER_SEC, 32767 * USEC_PER_SEC, DEFAULT_KEEPALIVE_INTERVAL), IN_PLACE,
	  SECONDS, .says = "The pause between two such questions.  Whole seconds." },
	{ UPSTREAM("keepalive.count", policy.transport.keepalive.count),
	  INTEGER(1, 127, DEFAULT_KEEPALIVE_COUNT), IN_PLACE,
	  .says = "How many of them may go unanswered before the peer counts as dead.  While "
		  "keepalive.user_timeout is set, the kernel lets it decide instead." },
	{ UPSTREAM("keepalive.user_timeout", policy.transport.keepalive.user_timeout),
	  DURATION(100 * USEC_PER_MSEC, USEC_PER_DAY, DEFAULT_KEEPALIVE_USER_TIMEOUT), IN_PLACE,
	  .none = true,
	  .says = "How long sent data, or a question of keepalive, may stay unacknowledged before the "
		  "peer counts as dead (TCP_USER_TIMEOUT); none leaves it to the kernel." },

	/* ---- its probe ----------------------------------------------------------------------- */
	{ UPSTREAM("probe.kind", policy.probe.kind), WORD(probe_kinds, PROBE_NONE), RECONNECT,
	  .says = "What the application is asked, in its own protocol." },
	{ UPSTREAM("probe.send", policy.probe.steps), STEP, .type = TYPE_STEP_SEND,
	  .max = PROBE_TEXT_MAX, .unset = "nothing",
	  .says = "What is said, with the escapes of PROBES.  At most 1024 octets." },
	{ UPSTREAM("probe.expect", policy.probe.steps), STEP, .type = TYPE_STEP_EXPECT,
	  .max = PROBE_TEXT_MAX, .unset = "nothing",
	  .says = "What the answer must begin with, with the escapes of PROBES.  At most 1024 octets." },
	{ UPSTREAM("probe.expect_regex", policy.probe.steps), STEP, .type = TYPE_STEP_REGEX,
	  .max = PROBE_TEXT_MAX, .unset = "nothing",
	  .says = "Instead of probe.expect, the POSIX extended regular expression that the answer "
		  "must match; see regex(7).  Back-references are not taken, and those escapes are "
		  "not read." },
	{ UPSTREAM("probe.steps", policy.probe.steps), STEP, .type = TYPE_STEPS,
	  .max = PROBE_STEPS_MAX, .unset = "none",
	  .says = "Instead of these three, a list of groups that hold them, where there is more than "
		  "one thing to say: each is sent when what the one before it expects has come.  "
		  "Together they send no more than 4096 octets." },
	{ UPSTREAM("probe.request", policy.probe.request), .type = TYPE_TEXT, .min = 1,
	  .max = REQUEST_MAX, IN_PLACE, OF_PROBES(PROBE_BIT(PROBE_HTTP)),
	  .initial_text = DEFAULT_PROBE_REQUEST, .says = "The method and the path that are asked for." },
	{ UPSTREAM("probe.host", policy.probe.host), TEXT(TARGET_HOST_MAX + 6), IN_PLACE,
	  OF_PROBES(PROBE_BIT(PROBE_HTTP)), .unset = "the host and port of the address",
	  .says = "The host, with or without a port, that the request names." },
	{ UPSTREAM("probe.status", policy.probe.status_min), COUNTED(policy.probe.status_max), IN_PLACE,
	  .type = TYPE_STATUS, .initial_text = DEFAULT_PROBE_STATUS, OF_PROBES(PROBE_BIT(PROBE_HTTP)),
	  .says = "The status that is good, or the range of those that are." },
	{ UPSTREAM("probe.header", policy.probe.header), TEXT(REQUEST_MAX), IN_PLACE,
	  OF_PROBES(PROBE_BIT(PROBE_HTTP)), .unset = "any",
	  .says = "A header that the answer must have, as in \"X-Role: primary\": the name in any "
		  "case, the value exactly." },
	{ UPSTREAM("probe.body", policy.probe.body), .type = TYPE_PHRASE, .max = REQUEST_MAX,
	  IN_PLACE, OF_PROBES(PROBE_BIT(PROBE_HTTP)), .unset = "anything",
	  .says = "What the body of the answer must hold somewhere." },
	{ UPSTREAM("probe.user", policy.probe.user), TEXT(PROBE_USER_MAX), IN_PLACE,
	  OF_PROBES(PROBE_BIT(PROBE_POSTGRES) | PROBE_BIT(PROBE_MYSQL)), .unset = "nobody",
	  .says = "Whom the SQL server is told we are.  No password is ever sent." },
	{ UPSTREAM("probe.interval", policy.probe.interval),
	  DURATION(100 * USEC_PER_MSEC, USEC_PER_DAY, DEFAULT_PROBE_INTERVAL), IN_PLACE,
	  .none = true, OF_PROBES(ANY_PROBE),
	  .says = "The pause between the end of one probe of a ready connection and the next, up to a tenth "
		  "less, so that many connections do not ask in step; with none a connection is asked "
		  "only once, before it is ready.  A lent connection is never asked." },
	{ UPSTREAM("probe.failures", policy.probe.failures),
	  INTEGER(1, 100, DEFAULT_PROBE_FAILURES), IN_PLACE, OF_PROBES(ANY_PROBE),
	  .says = "How many probes in a row must go wrong before a ready connection is given up; "
		  "fewer are a warning.  The probe before a connection is ready has no second chance." },

	/* ---- its TLS ------------------------------------------------------------------------- */
	{ UPSTREAM("tls", policy.tls.enabled), .type = TYPE_SWITCH, RECONNECT,
	  .says = "Whether TLS is spoken: true, false, or a group of the keys below, which means true." },
	{ UPSTREAM("tls.verify", policy.tls.verify), WORD(verifies, VERIFY_FULL), RECONNECT,
	  .says = "What the server must prove: full, a certificate of a trusted issuer for the right "
		  "name; chain, a certificate of a trusted issuer for any name; pin, one of the keys in "
		  "tls.pins and nothing else; none, nothing, which is a warning at every start." },
	{ UPSTREAM("tls.verify_name", policy.tls.verify_name), TEXT(253), RECONNECT,
	  .unset = "the host of the address, the domain with srv:",
	  .says = "The host name or IP address that the server's certificate must be for.  Only with "
		  "srv: addresses, \"@target\" means the host that the SRV record names, which is as "
		  "trustworthy as the domain's answers are: plain DNS can be forged." },
	{ UPSTREAM("tls.sni", policy.tls.sni), TEXT(253), RECONNECT, .empty_means = true,
	  .unset = "the host name of the address, none for an IP address",
	  .says = "The host name that is sent to the server (Server Name Indication); the empty "
		  "string sends none.  Of srv: it is the domain by default, or the host where "
		  "tls.verify_name is @target." },
	{ UPSTREAM("tls.ca_file", policy.tls.ca_file), PATH, RECONNECT, .unset = "the system's trust store",
	  .says = "The certificates of trusted issuers, in PEM, instead of the system's.  At most 4096, "
		  "and, as of every file of this group, 32 MiB." },
	{ UPSTREAM("tls.ca_dir", policy.tls.ca_dir), PATH, RECONNECT, .unset = "the system's trust store",
	  .says = "A directory of such files under hashed names, as openssl-rehash(1) makes it." },
	{ UPSTREAM("tls.certificate", policy.tls.certificate), PATH, RECONNECT, .unset = "none",
	  .says = "Our certificate, and the chain to its issuer, in PEM.  Needs tls.key." },
	{ UPSTREAM("tls.key", policy.tls.key), PATH, RECONNECT, .unset = "none",
	  .says = "The private key of tls.certificate, in PEM; it may stand in the same file." },
	{ UPSTREAM("tls.key_password_file", policy.tls.key_password_file), PATH, RECONNECT,
	  .unset = "none", .says = "A file whose first line is the password of tls.key." },
	{ UPSTREAM("tls.crl_file", policy.tls.crl_file), PATH, RECONNECT, .unset = "none",
	  .says = "Lists of revoked certificates, in PEM, one of each issuer in the chain: every "
		  "certificate of it is checked." },
	{ UPSTREAM("tls.ocsp", policy.tls.ocsp), WORD(ocsps, OCSP_OFF), RECONNECT,
	  .says = "Whether the server is asked for a stapled OCSP response: check refuses one that is "
		  "not good, and a missing one where the certificate demands it; require refuses every "
		  "missing one as well." },
	{ UPSTREAM("tls.pins", policy.tls.pins), COUNTED(policy.tls.pin_count), .type = TYPE_PINS,
	  .max = PINS_MAX, RECONNECT, .unset = "none",
	  .says = "The server's public key must be one of these: SHA-256 of the certificate's "
		  "SubjectPublicKeyInfo as 64 hexadecimal digits in lower case.  Checked besides what "
		  "tls.verify asks for." },
	{ UPSTREAM("tls.alpn", policy.tls.alpn), COUNTED(policy.tls.alpn_length),
	  .type = TYPE_PROTOCOLS, .max = 16, RECONNECT, .unset = "none",
	  .says = "The protocols offered to the server (ALPN), the preferred one first." },
	{ UPSTREAM("tls.alpn_required", policy.tls.alpn_required), BOOL(false), RECONNECT,
	  .says = "Whether it is a failure when the server selects none of them." },
	{ UPSTREAM("tls.min_version", policy.tls.min_version), WORD(min_versions, TLS_POLICY_VERSION_1_2),
	  RECONNECT, .judged = true, .says = "The lowest version of TLS." },
	{ UPSTREAM("tls.max_version", policy.tls.max_version), WORD(max_versions, 0), RECONNECT,
	  .judged = true, .says = "The highest version of TLS." },
	{ UPSTREAM("tls.ciphers", policy.tls.ciphers), TEXT(CIPHERS_MAX), RECONNECT, .judged = true,
	  .unset = "OpenSSL's",
	  .says = "The ciphers up to TLS 1.2, in the words of openssl-ciphers(1)." },
	{ UPSTREAM("tls.ciphersuites", policy.tls.ciphersuites), TEXT(CIPHERS_MAX), RECONNECT,
	  .judged = true, .unset = "OpenSSL's", .says = "The cipher suites of TLS 1.3." },
	{ UPSTREAM("tls.groups", policy.tls.groups), TEXT(CIPHERS_MAX), RECONNECT, .judged = true,
	  .unset = "OpenSSL's",
	  .says = "The groups for the key exchange, separated by colons, e.g. X25519:P-256." },
	{ UPSTREAM("tls.signature_algorithms", policy.tls.signature_algorithms), TEXT(CIPHERS_MAX),
	  RECONNECT, .judged = true, .unset = "OpenSSL's",
	  .says = "The signature algorithms, separated by colons, e.g. ECDSA+SHA256." },
	{ UPSTREAM("tls.security_level", policy.tls.security_level), INTEGER(-1, 5, -1), RECONNECT,
	  .judged = true,
	  .says = "How weak keys and algorithms may be, from 0 to 5; -1 leaves it to OpenSSL.  See "
		  "SSL_CTX_set_security_level(3)." },
	{ UPSTREAM("tls.resumption", policy.tls.resumption), BOOL(true), RECONNECT,
	  .says = "Whether sessions are resumed, which halves the work of a handshake.  At least one "
		  "an hour is full." },
	{ UPSTREAM("tls.expiry_warning", policy.tls.expiry_warning),
	  DURATION(USEC_PER_MINUTE, 400 * USEC_PER_DAY, DEFAULT_EXPIRY_WARNING), IN_PLACE, .none = true,
	  .says = "How long before the end of the server's certificate chain, or of our own "
		  "certificate, there is a warning." },
	{ UPSTREAM("tls.keylog_file", policy.tls.keylog_file), PATH, RECONNECT, .unset = "none",
	  .says = "A file that session secrets are appended to, for reading captured traffic.  For "
		  "debugging only." },
};

const size_t schema_count = COUNT_OF(schema);
static_assert(COUNT_OF(schema) <= SCHEMA_KEYS_MAX, "whoever marks keys has room for all");

const struct schema_key *
schema_find(enum schema_scope scope, const char *path)
{
	schema_for_each(key, scope) if (strcmp(key->path, path) == 0) return key;
	return NULL;
}

bool
schema_fits(const struct schema_key *key, const struct upstream *upstream)
{
	if (key->probes && !(key->probes & PROBE_BIT(upstream->policy.probe.kind)))
		return false;
	return strncmp(key->path, "tls.", 4) != 0 || upstream->policy.tls.enabled;
}

bool
schema_is_group(enum schema_scope scope, const char *path)
{
	size_t length = strlen(path);

	schema_for_each(key, scope) if (strncmp(key->path, path, length) == 0 &&
					key->path[length] == '.') return true;
	return false;
}

static const char *
last_name(const char *path)
{
	const char *dot = strrchr(path, '.');

	return dot ? dot + 1 : path;
}

/* What is worth trying for one row: its path, or its group's. */
struct nearest {
	const char *wanted;
	unsigned int distance;
	char *buffer;
	size_t size;
};

static void
consider(struct nearest *nearest, const char *path, size_t length)
{
	char candidate[SCHEMA_PATH_TEXT_MAX];
	unsigned int distance;

	snprintf(candidate, sizeof(candidate), "%.*s", (int)length, path);
	distance = text_distance(candidate, nearest->wanted);
	if (distance >= nearest->distance)
		return;
	nearest->distance = distance;
	text_copy(nearest->buffer, nearest->size, candidate);
}

const char *
schema_nearest(enum schema_scope scope, const char *path, char *buffer, size_t size)
{
	/* Up to a third of the letters may be wrong; beyond that it is another word. */
	size_t third = strlen(last_name(path)) / 3;
	unsigned int limit = third > 1 ? (unsigned int)third : 1;
	struct nearest nearest = { .wanted = path, .distance = limit + 1, .buffer = buffer, .size = size };

	schema_for_each(key, scope)
	{
		const char *dot = strchr(key->path, '.');

		consider(&nearest, key->path, strlen(key->path));
		if (dot)
			consider(&nearest, key->path, (size_t)(dot - key->path));
	}
	if (nearest.distance <= limit)
		return buffer;

	schema_for_each(key, scope)
	{
		if (strcmp(last_name(key->path), last_name(path)) == 0) {
			text_copy(buffer, size, key->path);
			return buffer;
		}
	}
	return NULL;
}
