/*
 * The one list of failures: F(ID, wire name, life, blame, summary, hint).
 *
 * The class is the part of the name before the dot.  The summary is a lower-case clause that says
 * what happened; the hint says what to do about it.  In a hint, {key} stands for a detail of the
 * record; [this clause] is left out, and [this clause|that] becomes "that" (and so on with further
 * bars), where a key of the clause has no value, so that every hint reads naturally in every case (see
 * failure_hint()).  Likely causes and remedies stand in core/advice_*.h.
 *
 * A code is released once: its name is never changed and never given to anything else.
 */
#pragma once

/* clang-format off */
#define FAILURE_LIST(F) \
	F(ADDRESS_NXDOMAIN, "address.nxdomain", PERSISTENT, UPSTREAM, \
	  "the name does not exist", \
	  "The name does not exist: check spelling, search list, zone.") \
	F(ADDRESS_NO_DATA, "address.no-data", PERSISTENT, UPSTREAM, \
	  "the name has no usable record", \
	  "The name exists but has no address of the allowed family (or no SRV).") \
	F(ADDRESS_SERVFAIL, "address.servfail", TRANSIENT, UPSTREAM, \
	  "the resolver could not answer", \
	  "The resolver could not answer: broken delegation or DNSSEC failure.") \
	F(ADDRESS_REFUSED, "address.refused", PERSISTENT, LOCAL, \
	  "the DNS server refused the question", \
	  "The DNS server refuses this host: check resolv.conf and its access list.") \
	F(ADDRESS_NO_SERVER, "address.no-server", TRANSIENT, LOCAL, \
	  "no DNS server could be asked", \
	  "No DNS server reachable: is the local resolver running?") \
	F(ADDRESS_BAD_REPLY, "address.bad-reply", TRANSIENT, UPSTREAM, \
	  "the answer from the DNS was broken", \
	  "The DNS server or a middlebox returns broken answers.") \
	F(ADDRESS_INVALID, "address.invalid", PERSISTENT, UPSTREAM, \
	  "the address cannot be right", \
	  "[{why}|Host, port or scope cannot be right].") \
	F(ADDRESS_EXCLUDED, "address.excluded", PERSISTENT, UPSTREAM, \
	  "every address in the answer is unusable", \
	  "DNS points only to addresses nobody can be reached at: a blocking resolver?") \
	F(ADDRESS_UNIX_MISSING, "address.unix-missing", TRANSIENT, UPSTREAM, \
	  "the socket file does not exist", \
	  "The upstream's socket file is not there: is it started?") \
	F(ADDRESS_OTHER, "address.other", TRANSIENT, UPSTREAM, \
	  "the name could not be resolved", \
	  "Unforeseen resolver status[: {error}].") \
	F(CONNECTION_REFUSED, "connection.refused", TRANSIENT, ADDRESS, \
	  "the connection was refused", \
	  "The host is up, nothing listens on that port (or a firewall rejects with RST).") \
	F(CONNECTION_RESET_EARLY, "connection.reset-early", TRANSIENT, ADDRESS, \
	  "peer reset the connection before it said anything", \
	  "Accepted and reset at once: overload, or a load balancer without backends.") \
	F(CONNECTION_NETWORK_UNREACHABLE, "connection.network-unreachable", TRANSIENT, ADDRESS, \
	  "the network is unreachable", \
	  "No route to that network (IPv6 without connectivity?).") \
	F(CONNECTION_HOST_UNREACHABLE, "connection.host-unreachable", TRANSIENT, ADDRESS, \
	  "the host is unreachable", \
	  "A router says the host is unreachable, or ARP/ND failed.") \
	F(CONNECTION_PROHIBITED, "connection.prohibited", PERSISTENT, LOCAL, \
	  "this host forbids the connection", \
	  "Local policy blocks it: firewall, IPAddressDeny=, routing rule.") \
	F(CONNECTION_CLOSED, "connection.closed", TRANSIENT, ADDRESS, \
	  "peer closed the connection", \
	  "The server closed the connection: its idle limit (see `idle_limit`), or a restart.") \
	F(CONNECTION_CLOSED_EARLY, "connection.closed-early", TRANSIENT, UPSTREAM, \
	  "peer closed the connection soon after it was established", \
	  "Closed soon after it was established: access list, connection limit or login at the server.") \
	F(CONNECTION_TRUNCATED, "connection.truncated", TRANSIENT, ADDRESS, \
	  "peer ended the connection without close_notify", \
	  "TCP was closed without close_notify: crash, middlebox or sloppy server.") \
	F(CONNECTION_RESET, "connection.reset", TRANSIENT, ADDRESS, \
	  "peer reset the connection", \
	  "The server or a firewall dropped the session (idle timeout, restart).") \
	F(CONNECTION_OTHER, "connection.other", TRANSIENT, ADDRESS, \
	  "the connection could not be established", \
	  "Unforeseen error while connecting[: {error}].") \
	F(TIMEOUT_RESOLVE, "timeout.resolve", TRANSIENT, LOCAL, \
	  "names were not resolved in time", \
	  "DNS servers do not answer.") \
	F(TIMEOUT_CONNECT, "timeout.connect", TRANSIENT, ADDRESS, \
	  "no answer to the connection attempt in time", \
	  "SYN unanswered: a firewall drops, the host is down, or its accept queue is full.") \
	F(TIMEOUT_PROXY, "timeout.proxy", TRANSIENT, UPSTREAM, \
	  "the proxy did not answer in time", \
	  "The proxy accepted but [sent {missing}|did not answer][: {perhaps}].[ It had said: {bytes}.]") \
	F(TIMEOUT_STARTTLS, "timeout.starttls", TRANSIENT, ADDRESS, \
	  "no greeting, or no answer to STARTTLS, in time", \
	  "The server sent [{missing}|no greeting or no reply to STARTTLS][: {perhaps}]." \
	  "[ It had said: {bytes}.]") \
	F(TIMEOUT_HANDSHAKE, "timeout.handshake", TRANSIENT, ADDRESS, \
	  "the TLS handshake did not end in time", \
	  "TCP is up but TLS stalls: wrong port (or STARTTLS is needed), overload, path-MTU black " \
	  "hole.") \
	F(TIMEOUT_PROBE, "timeout.probe", TRANSIENT, ADDRESS, \
	  "the application did not answer in time", \
	  "Connected, but the application [sent {missing}|does not answer][: {perhaps}]." \
	  "[ It had said: {bytes}.]") \
	F(TIMEOUT_ATTEMPT, "timeout.attempt", TRANSIENT, UPSTREAM, \
	  "the attempt as a whole took too long", \
	  "All stages together took longer than `timeouts.attempt`.") \
	F(TIMEOUT_DEAD_PEER, "timeout.dead-peer", TRANSIENT, ADDRESS, \
	  "peer vanished without a word", \
	  "The peer or the path vanished silently.") \
	F(TIMEOUT_HEARTBEAT, "timeout.heartbeat", TRANSIENT, ADDRESS, \
	  "a periodic probe went unanswered", \
	  "TCP is alive, the application is not[: it sent {missing}].") \
	F(TIMEOUT_WRITE, "timeout.write", TRANSIENT, ADDRESS, \
	  "peer stopped reading", \
	  "The peer stopped reading.") \
	F(TIMEOUT_LEND, "timeout.lend", TRANSIENT, UPSTREAM, \
	  "no ready connection became free in time", \
	  "No ready connection became free: raise `warm` or `max`.") \
	F(SOCKET_DESCRIPTOR_LIMIT, "socket.descriptor-limit", TRANSIENT, LOCAL, \
	  "out of file descriptors", \
	  "Raise LimitNOFILE= or hold fewer connections.") \
	F(SOCKET_NO_BUFFERS, "socket.no-buffers", TRANSIENT, LOCAL, \
	  "out of network memory", \
	  "Kernel network memory is exhausted.") \
	F(SOCKET_BIND, "socket.bind", PERSISTENT, LOCAL, \
	  "the source address or interface is not available", \
	  "`source` or `interface` is not present on this host (yet).") \
	F(SOCKET_NO_PORTS, "socket.no-ports", TRANSIENT, LOCAL, \
	  "out of local ports", \
	  "Ephemeral ports towards this address are used up.") \
	F(SOCKET_NO_FAMILY, "socket.no-family", PERSISTENT, LOCAL, \
	  "this host does not support the address family", \
	  "IPv6 disabled, or RestrictAddressFamilies= too tight.") \
	F(SOCKET_SETUP, "socket.setup", PERSISTENT, LOCAL, \
	  "the socket could not be set up", \
	  "A configured socket option is not permitted[: {option}].") \
	F(SOCKET_IO, "socket.io", TRANSIENT, ADDRESS, \
	  "reading or writing failed", \
	  "Unforeseen I/O error[: {error}].") \
	F(TLS_NOT_TLS, "tls.not-tls", PERSISTENT, UPSTREAM, \
	  "peer does not speak TLS", \
	  "The peer sends [{protocol}|plain text] instead of TLS: wrong port, or STARTTLS is needed." \
	  "[ First bytes: {bytes}.]") \
	F(TLS_CLOSED, "tls.closed", TRANSIENT, ADDRESS, \
	  "peer closed the connection during the handshake", \
	  "The server hung up during the handshake: no TLS on this port (or STARTTLS is needed), " \
	  "unknown SNI, access list, backend down.") \
	F(TLS_RESET, "tls.reset", TRANSIENT, ADDRESS, \
	  "peer reset the connection during the handshake", \
	  "Reset during the handshake: no TLS on this port (or STARTTLS is needed), middlebox, crash, " \
	  "overloaded balancer.") \
	F(TLS_VERSION, "tls.version", PERSISTENT, UPSTREAM, \
	  "no common TLS version", \
	  "No common TLS version: compare `min_version` with the server.") \
	F(TLS_NO_OVERLAP, "tls.no-overlap", PERSISTENT, UPSTREAM, \
	  "no common TLS parameters", \
	  "No common cipher, group or signature algorithm.") \
	F(TLS_WEAK_PARAMETERS, "tls.weak-parameters", PERSISTENT, UPSTREAM, \
	  "peer's TLS parameters are too weak", \
	  "[The server is too weak: {why}|The server's parameters are too weak for `security_level`].") \
	F(TLS_ALPN, "tls.alpn", PERSISTENT, UPSTREAM, \
	  "no common application protocol", \
	  "The server does not offer the wanted protocol.") \
	F(TLS_NAME_REFUSED, "tls.name-refused", PERSISTENT, UPSTREAM, \
	  "peer does not know the name", \
	  "The server has no site [called {sni}|of the name asked for].") \
	F(TLS_PSK_REJECTED, "tls.psk-rejected", PERSISTENT, UPSTREAM, \
	  "peer rejected the pre-shared key", \
	  "The server does not know the PSK identity or key.") \
	F(TLS_PEER_INTERNAL, "tls.peer-internal", TRANSIENT, ADDRESS, \
	  "peer reported an internal error", \
	  "The server reports an internal error of its own.") \
	F(TLS_PEER_ALERT, "tls.peer-alert", PERSISTENT, UPSTREAM, \
	  "peer refused with an alert", \
	  "The server refused[: alert {alert}].") \
	F(TLS_PROTOCOL, "tls.protocol", TRANSIENT, ADDRESS, \
	  "peer violated the TLS protocol", \
	  "The server violates TLS, or something rewrites the stream.") \
	F(TLS_CORRUPT, "tls.corrupt", TRANSIENT, ADDRESS, \
	  "data of the TLS connection was corrupted", \
	  "Data corrupted or wrong key: broken middlebox, or key mismatch at the server.") \
	F(TLS_CERTIFICATE_EXPIRED, "tls.certificate-expired", PERSISTENT, ADDRESS, \
	  "peer's certificate has expired", \
	  "Expired[ {date}][ ({which})]: the server needs a new certificate.") \
	F(TLS_CERTIFICATE_NOT_YET_VALID, "tls.certificate-not-yet-valid", PERSISTENT, ADDRESS, \
	  "peer's certificate is not yet valid", \
	  "Valid [from {date}|only from a later date]: is this host's clock right?") \
	F(TLS_CERTIFICATE_NAME, "tls.certificate-name", PERSISTENT, ADDRESS, \
	  "peer's certificate is for another name", \
	  "The certificate is for [{names}|other names][, wanted {name}].") \
	F(TLS_CERTIFICATE_SELF_SIGNED, "tls.certificate-self-signed", PERSISTENT, ADDRESS, \
	  "peer's certificate is self-signed", \
	  "Self-signed: pin it or add it to `ca_file`.") \
	F(TLS_CERTIFICATE_UNKNOWN_ISSUER, "tls.certificate-unknown-issuer", PERSISTENT, ADDRESS, \
	  "the issuer of peer's certificate is not trusted", \
	  "[Issuer {dn}|The issuer] is not trusted here.") \
	F(TLS_CERTIFICATE_UNTRUSTED_ROOT, "tls.certificate-untrusted-root", PERSISTENT, ADDRESS, \
	  "the root of peer's chain is not trusted", \
	  "The chain ends in an untrusted root: private CA or an intercepting proxy.") \
	F(TLS_CERTIFICATE_CHAIN_INCOMPLETE, "tls.certificate-chain-incomplete", PERSISTENT, ADDRESS, \
	  "peer's certificate chain is incomplete", \
	  "The server seems to have forgotten its intermediate certificate[ {aia}]; this is a guess," \
	  " since it sent one certificate alone.") \
	F(TLS_CERTIFICATE_CHAIN_INVALID, "tls.certificate-chain-invalid", PERSISTENT, ADDRESS, \
	  "peer's certificate chain is invalid", \
	  "A CA certificate violates a constraint[: {text}].") \
	F(TLS_CERTIFICATE_REVOKED, "tls.certificate-revoked", PERSISTENT, ADDRESS, \
	  "peer's certificate has been revoked", \
	  "Revoked[ {date}][, reason {reason}]: the server needs a new certificate.") \
	F(TLS_CERTIFICATE_PURPOSE, "tls.certificate-purpose", PERSISTENT, ADDRESS, \
	  "peer's certificate is not for servers", \
	  "The certificate is not for TLS servers.") \
	F(TLS_CERTIFICATE_WEAK, "tls.certificate-weak", PERSISTENT, ADDRESS, \
	  "peer's certificate is too weak", \
	  "Key or digest too weak for `security_level`.") \
	F(TLS_CERTIFICATE_MALFORMED, "tls.certificate-malformed", PERSISTENT, ADDRESS, \
	  "peer's certificate is malformed", \
	  "The certificate is malformed or its signature is wrong.") \
	F(TLS_CERTIFICATE_PIN, "tls.certificate-pin", PERSISTENT, ADDRESS, \
	  "peer's key is not among the pins", \
	  "The key changed[; the new pin would be {sha256}].") \
	F(TLS_CRL_MISSING, "tls.crl-missing", PERSISTENT, LOCAL, \
	  "no CRL to check peer's certificate with", \
	  "No CRL for [{issuer}|the issuer of a certificate].") \
	F(TLS_CRL_UNUSABLE, "tls.crl-unusable", PERSISTENT, LOCAL, \
	  "the CRL to check peer's certificate with is unusable", \
	  "The local CRL[ of {issuer}] has expired[ ({date})] or is broken.") \
	F(TLS_OCSP_MISSING, "tls.ocsp-missing", TRANSIENT, ADDRESS, \
	  "peer staples no OCSP response", \
	  "The server staples no OCSP response[, and {why}].") \
	F(TLS_OCSP_INVALID, "tls.ocsp-invalid", TRANSIENT, ADDRESS, \
	  "peer's stapled OCSP response is unusable", \
	  "The stapled OCSP response cannot be used[: {why}][ ({date})][ ({status})].") \
	F(TLS_CERTIFICATE_OTHER, "tls.certificate-other", PERSISTENT, ADDRESS, \
	  "peer's certificate was not accepted", \
	  "The certificate was not accepted[: {text}].") \
	F(TLS_CLIENT_CERTIFICATE_REQUIRED, "tls.client-certificate-required", PERSISTENT, UPSTREAM, \
	  "peer demands a client certificate", \
	  "The server demands a client certificate: set `certificate` and `key`.") \
	F(TLS_CLIENT_CERTIFICATE_UNKNOWN_ISSUER, "tls.client-certificate-unknown-issuer", \
	  PERSISTENT, UPSTREAM, \
	  "peer does not trust the issuer of our certificate", \
	  "The server does not trust the issuer of our certificate.") \
	F(TLS_CLIENT_CERTIFICATE_EXPIRED, "tls.client-certificate-expired", PERSISTENT, UPSTREAM, \
	  "peer says that our certificate has expired", \
	  "The server says our certificate has expired.") \
	F(TLS_CLIENT_CERTIFICATE_REJECTED, "tls.client-certificate-rejected", PERSISTENT, UPSTREAM, \
	  "peer rejected our certificate", \
	  "The server rejects our certificate.") \
	F(TLS_CLIENT_ACCESS_DENIED, "tls.client-access-denied", PERSISTENT, UPSTREAM, \
	  "peer denied access to our certificate", \
	  "Our certificate is valid but not allowed to connect.") \
	F(PROTOCOL_PROXY_AUTH, "protocol.proxy-auth", PERSISTENT, UPSTREAM, \
	  "the proxy wants credentials", \
	  "The proxy wants (other) credentials[: {reply}].") \
	F(PROTOCOL_PROXY_DENIED, "protocol.proxy-denied", PERSISTENT, UPSTREAM, \
	  "the proxy denied the destination", \
	  "The proxy's policy forbids this destination[: {reply}].[ But {perhaps}.]") \
	F(PROTOCOL_PROXY_TARGET, "protocol.proxy-target", TRANSIENT, ADDRESS, \
	  "the proxy could not reach the destination", \
	  "The proxy could not reach the upstream[: {reply}].[ But {perhaps}.]") \
	F(PROTOCOL_PROXY_REPLY, "protocol.proxy-reply", PERSISTENT, UPSTREAM, \
	  "the proxy's reply makes no sense", \
	  "[The reply is too long, wanted is {wanted}|That is no HTTP or SOCKS proxy we can use: {reply}" \
	  "|That is no HTTP or SOCKS proxy we can use].[ First bytes: {bytes}.]" \
	  "[ That looks like {spoken}.]") \
	F(PROTOCOL_PROXY_CLOSED, "protocol.proxy-closed", TRANSIENT, ADDRESS, \
	  "the proxy closed the connection", \
	  "The proxy hung up.") \
	F(PROTOCOL_STARTTLS_MISSING, "protocol.starttls-missing", PERSISTENT, UPSTREAM, \
	  "peer does not offer STARTTLS", \
	  "The server offers no TLS on this port[: {reply}].[ Its greeting: {greeting}.]" \
	  "[ The header of the PROXY protocol ({header}) was sent first.]") \
	F(PROTOCOL_STARTTLS_REFUSED, "protocol.starttls-refused", TRANSIENT, ADDRESS, \
	  "peer refused STARTTLS", \
	  "The server refused to begin TLS[: {reply}].[ Its greeting: {greeting}.]" \
	  "[ The header of the PROXY protocol ({header}) was sent first.]") \
	F(PROTOCOL_STARTTLS_REPLY, "protocol.starttls-reply", PERSISTENT, UPSTREAM, \
	  "peer's reply before TLS makes no sense", \
	  "[The reply is too long, wanted is {wanted}.|No {protocol} server?" \
	  "|No server of the expected kind?][ First bytes: {bytes}.][ That looks like {spoken}.]" \
	  "[ The header of the PROXY protocol ({header}) was sent first.]") \
	F(PROTOCOL_STARTTLS_CLOSED, "protocol.starttls-closed", TRANSIENT, ADDRESS, \
	  "peer closed the connection before TLS began", \
	  "The server hung up in the middle of the dialogue." \
	  "[ The header of the PROXY protocol ({header}) was sent first.]") \
	F(PROTOCOL_STARTTLS_INJECTION, "protocol.starttls-injection", PERSISTENT, UPSTREAM, \
	  "plain text was injected before TLS", \
	  "Plain text injected before TLS[ ({bytes})], possibly an attack; never continued.") \
	F(PROTOCOL_GREETING_REJECTED, "protocol.greeting-rejected", TRANSIENT, ADDRESS, \
	  "peer turned us away with its first words", \
	  "The server turned us away at the door[: {reply}]." \
	  "[ The header of the PROXY protocol ({header}) was sent first.]") \
	F(PROTOCOL_PROBE_MISMATCH, "protocol.probe-mismatch", TRANSIENT, ADDRESS, \
	  "the answer to the probe was not the expected one", \
	  "Unexpected answer[: {bytes}][; wanted: {wanted}].[ That looks like {spoken}.]" \
	  "[ The header of the PROXY protocol ({header}) was sent first.]") \
	F(PROTOCOL_PROBE_STATUS, "protocol.probe-status", TRANSIENT, ADDRESS, \
	  "the application reported an error", \
	  "The application reports [{status}|an error][: {says}]." \
	  "[ The header of the PROXY protocol ({header}) was sent first.]") \
	F(PROTOCOL_PROBE_AUTH, "protocol.probe-auth", PERSISTENT, UPSTREAM, \
	  "the application wants a login", \
	  "The application wants a login, or another one[: {reply}].") \
	F(PROTOCOL_PROBE_CLOSED, "protocol.probe-closed", TRANSIENT, ADDRESS, \
	  "peer closed the connection during the probe", \
	  "Hung up in the middle of the probe[; its last answer began with: {bytes}]." \
	  "[ The header of the PROXY protocol ({header}) was sent first.]") \
	F(PROTOCOL_UNSOLICITED_DATA, "protocol.unsolicited-data", TRANSIENT, ADDRESS, \
	  "peer sent data nobody had asked for", \
	  "The server keeps talking to nobody; it may not suit holding ready.") \
	F(LOCAL_CERTIFICATE_LOAD, "local.certificate-load", PERSISTENT, LOCAL, \
	  "our certificate could not be loaded", \
	  "Cannot read [{file}|the certificate][: {why}][; {kept}].") \
	F(LOCAL_KEY_LOAD, "local.key-load", PERSISTENT, LOCAL, \
	  "our key could not be loaded", \
	  "Cannot read [{file}|the key][: {why}][; {kept}].") \
	F(LOCAL_KEY_MISMATCH, "local.key-mismatch", PERSISTENT, LOCAL, \
	  "our key does not belong to our certificate", \
	  "The key[ {file}] does not belong to the certificate: a half-finished renewal?") \
	F(LOCAL_CERTIFICATE_EXPIRED, "local.certificate-expired", PERSISTENT, LOCAL, \
	  "our certificate has expired", \
	  "Our client certificate expired[ {date}].") \
	F(LOCAL_CA_LOAD, "local.ca-load", PERSISTENT, LOCAL, \
	  "the CA certificates or CRLs could not be loaded", \
	  "[{file} unusable|A CA or CRL file is unusable][ ({why})]: without it every server would " \
	  "look untrusted.") \
	F(LOCAL_TLS_CONFIG, "local.tls-config", PERSISTENT, LOCAL, \
	  "OpenSSL rejected a TLS setting", \
	  "OpenSSL rejects [{option}|a setting][: {why}].") \
	F(LOCAL_NO_MEMORY, "local.no-memory", TRANSIENT, LOCAL, \
	  "out of memory", \
	  "Out of memory.") \
	F(LOCAL_LISTEN, "local.listen", PERSISTENT, LOCAL, \
	  "could not listen for borrowers", \
	  "Cannot listen[ on {address}][: {why}].") \
	F(LOCAL_OFFLINE, "local.offline", TRANSIENT, LOCAL, \
	  "this host has no network", \
	  "This host has no network; attempts are held, not failed.") \
	F(LOCAL_STALL, "local.stall", TRANSIENT, LOCAL, \
	  "holdfast itself was held up", \
	  "holdfast was held up; the peer is not to blame.") \
	F(LOCAL_INTERNAL, "local.internal", PERSISTENT, LOCAL, \
	  "holdfast came into a state that cannot be", \
	  "A defect of holdfast: please report it.")
/* clang-format on */
