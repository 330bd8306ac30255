/*
 * Likely causes and remedies of the codes of the classes protocol and local: A(ID, stages, causes,
 * remedies), see core/failure_advice.h.
 */
#pragma once

/* clang-format off */
#define ADVICE_PROTOCOL_LIST(A) \
	A(PROTOCOL_PROXY_AUTH, AT(PROXY), \
	  SAYS("The proxy wants a user and a password, and none are configured.", \
	       "They are wrong, or the password was changed.", \
	       "The proxy takes only another method (NTLM, Negotiate); holdfast knows Basic, " \
	       "and SOCKS5's user and password."), \
	  SAYS("Set `proxy_user` and `proxy_password_file`; its first line is the password.", \
	       "`curl -v -x http://PROXY --proxy-user USER https://HOST/`: which method does " \
	       "Proxy-Authenticate name?", \
	       "The proxy's log; or have this host let in without a login.")) \
	A(PROTOCOL_PROXY_DENIED, AT(PROXY), \
	  SAYS("The proxy allows CONNECT to port 443 only, or not to that port (squid's " \
	       "SSL_ports).", \
	       "The destination or this host is not in its access list.", \
	       "It is a web server and not a proxy, and does not know CONNECT."), \
	  SAYS("The proxy's log names the rule: /var/log/squid/access.log shows TCP_DENIED.", \
	       "In squid: `acl SSL_ports port PORT`; dante: a pass rule for the destination.", \
	       "`curl -v -x http://PROXY https://HOST:PORT/`.", \
	       "Is `proxy` the right host and port?")) \
	A(PROTOCOL_PROXY_TARGET, AT(PROXY), \
	  SAYS("The upstream is down, or a firewall between proxy and upstream drops.", \
	       "The proxy cannot resolve the name: it is an internal one, or its DNS is broken.", \
	       "The proxy has no IPv6, and the name leads there."), \
	  SAYS("On the proxy's host: `dig HOST` and `nc -vz HOST PORT`.", \
	       "The reply in the hint tells what the proxy saw; its log tells more.", \
	       "`holdfastctl check URL` without `--via` from a host that needs no proxy.")) \
	A(PROTOCOL_PROXY_REPLY, AT(PROXY), \
	  SAYS("`proxy` is of the wrong kind: http:// to a SOCKS port, or socks5:// to an HTTP " \
	       "one.", \
	       "The proxy itself wants TLS on that port, which is not supported.", \
	       "It is no proxy: a web server, an SSH server, a captive portal that redirects."), \
	  SAYS("The first bytes in the hint tell what answers there.", \
	       "`curl -v -x http://PROXY https://HOST/` and `curl -v -x socks5h://PROXY " \
	       "https://HOST/`.", \
	       "Correct scheme, host and port of `proxy`.")) \
	A(PROTOCOL_PROXY_CLOSED, AT(PROXY), \
	  SAYS("The proxy does not let this host in, and closes without a word.", \
	       "It is not a proxy of the kind that `proxy` says: it did not understand us.", \
	       "It closes when it cannot reach the upstream, or at its limit of connections.", \
	       "With `proxy_protocol` and no proxy: the upstream itself hung up."), \
	  SAYS("The proxy's log at that time.", \
	       "`curl -v -x http://PROXY https://HOST/`, or with socks5h://.", \
	       "Correct `proxy`, or the proxy's access list.")) \
	A(PROTOCOL_STARTTLS_MISSING, AT(STARTTLS), \
	  SAYS("TLS is not configured at the server: no certificate, or it is switched off.", \
	       "A middlebox strips STARTTLS out of the replies (old firewalls with mail " \
	       "inspection).", \
	       "The port is not the one for that: it offers TLS elsewhere.", \
	       "The server offers it only to some networks, or after the header of the PROXY " \
	       "protocol only."), \
	  SAYS("`openssl s_client -connect HOST:PORT -starttls PROTOCOL`, from here and from a " \
	       "host beside the server.", \
	       "`nc HOST PORT` and by hand EHLO (SMTP), CAPABILITY (IMAP), CAPA (POP3): is " \
	       "STARTTLS listed?", \
	       "At the server: `smtpd_tls_security_level = may` (postfix), `ssl = yes` " \
	       "(dovecot), `ssl = on` (PostgreSQL).", \
	       "Try the port for TLS from the first octet: `holdfastctl check smtps://HOST`.")) \
	A(PROTOCOL_STARTTLS_REFUSED, AT(STARTTLS), \
	  SAYS("The server cannot use its certificate or key (454 \"TLS not available due to " \
	       "local problem\").", \
	       "Its TLS library or a helper process is down, or it is short of resources.", \
	       "Its policy refuses TLS to this host."), \
	  SAYS("The server's log at that time: it names the file that it cannot read.", \
	       "At the server: permissions and dates of certificate and key; then reload it.", \
	       "`openssl s_client -connect HOST:PORT -starttls PROTOCOL`.")) \
	A(PROTOCOL_STARTTLS_REPLY, AT(STARTTLS), \
	  SAYS("Another protocol is spoken on that port: the wrong port, or the wrong word in " \
	       "`starttls`.", \
	       "The port speaks TLS from the first octet, and answers in TLS.", \
	       "A middlebox or an error page answers in the server's place.", \
	       "The server expects, or does not expect, the header of the PROXY protocol."), \
	  SAYS("The first bytes in the hint tell what answers there; `nc HOST PORT` shows all " \
	       "of it.", \
	       "Correct `starttls` or the port.", \
	       "`holdfastctl check tls://HOST:PORT`: TLS without STARTTLS?", \
	       "Compare `proxy_protocol` with what the server expects.")) \
	A(PROTOCOL_STARTTLS_CLOSED, AT(STARTTLS), \
	  SAYS("The server's access list or limit of connections: it closes without a word.", \
	       "A balancer accepts although the server behind it is down.", \
	       "The port speaks TLS from the first octet, or another protocol, and our words " \
	       "made no sense there.", \
	       "The server wants the header of the PROXY protocol first."), \
	  SAYS("The server's log at that time, and the balancer's.", \
	       "`nc HOST PORT`: does a greeting come at all?", \
	       "`holdfastctl check tls://HOST:PORT`: TLS without STARTTLS?", \
	       "Compare `proxy_protocol` with what the server expects.")) \
	A(PROTOCOL_STARTTLS_INJECTION, AT(STARTTLS), \
	  SAYS("The server sends its greeting again, or another line, right behind its " \
	       "go-ahead: a defect.", \
	       "Somebody on the way writes into the plain text before TLS begins " \
	       "(CVE-2011-0411).", \
	       "The server is of another protocol whose words look like a go-ahead."), \
	  SAYS("`tcpdump -w FILE` here and at the server: were the bytes sent there?", \
	       "If the server sends them: update it; the evidence is in the record.", \
	       "If not: somebody is on the way. Use the port for TLS from the first octet.")) \
	A(PROTOCOL_GREETING_REJECTED, AT(STARTTLS) | AT(PROBE), \
	  SAYS("Too many connections, from this host or altogether (421, \"too many clients\", " \
	       "Host is blocked).", \
	       "An access or block list refuses this host's address or its name (554, no " \
	       "reverse DNS).", \
	       "The server is starting up, shutting down or in maintenance."), \
	  SAYS("The reply in the hint is the server's own reason; its log has more.", \
	       "`dig -x` this host's address: does its name exist, and lead back?", \
	       "Lower `connections`, or raise the server's limit " \
	       "(smtpd_client_connection_count_limit, max_connections).", \
	       "MySQL: `mysqladmin flush-hosts` after \"Host is blocked\".")) \
	A(PROTOCOL_PROBE_MISMATCH, AT(PROBE) | AT(READY), \
	  SAYS("The probe is of another protocol than the server.", \
	       "The application says something else since an update: `probe.expect`, " \
	       "`probe.body`, `probe.header`.", \
	       "An error page, a maintenance page or a captive portal answers in its place.", \
	       "The port speaks TLS, and the probe spoke plain text."), \
	  SAYS("The hint shows what came and what was wanted; ask by hand with `curl -v` or `nc " \
	       "HOST PORT`.", \
	       "Correct `probe.kind` and what it expects; `holdfastctl check NAME` tries it.", \
	       "`holdfastctl check tls://HOST:PORT`: is it TLS?")) \
	A(PROTOCOL_PROBE_STATUS, AT(PROBE) | AT(READY), \
	  SAYS("The application is up and says itself that it is not well: a backend is " \
	       "missing, it is loading, read-only, in maintenance.", \
	       "The path or the name in the request is wrong (404, 421): `probe.request`, " \
	       "`probe.host`.", \
	       "A balancer has no backend that is up (502, 503).", \
	       "`probe.status` is narrower than what the application answers."), \
	  SAYS("`curl -v http://HOST:PORT/PATH`, `redis-cli -h HOST ping`, `psql -h HOST`: the " \
	       "same answer?", \
	       "The application's log and its backends.", \
	       "Correct `probe.request`, `probe.host` or `probe.status`.")) \
	A(PROTOCOL_PROBE_AUTH, AT(PROBE) | AT(READY), \
	  SAYS("The application runs, but answers the probe's question only after a login.", \
	       "A web server wants a client certificate for that path (403), or a user (401).", \
	       "The user in `probe.user` may not log in without a password, which holdfast " \
	       "never sends."), \
	  SAYS("Probe something that needs no login: a health path in `probe.request`.", \
	       "MySQL and PostgreSQL: a user without rights and without password for this host, " \
	       "in `probe.user`.", \
	       "Redis: `ACL SETUSER default on nopass -@all +ping`; or `probe.kind = " \
	       "\"expect\"` with AUTH and PING.", \
	       "Where the web server wants a client certificate: set `tls.certificate` and `tls.key`.")) \
	A(PROTOCOL_PROBE_CLOSED, AT(PROBE) | AT(READY), \
	  SAYS("The server does not understand the probe and hangs up: another protocol, or TLS " \
	       "is missing.", \
	       "An access list or limit: the server closes as soon as something is asked.", \
	       "The application crashes over the question, or a balancer has no backend.", \
	       "The server closes after one request (HTTP keep-alive is off or its limit is " \
	       "reached)."), \
	  SAYS("`holdfastctl check tls://HOST:PORT` without a probe: does TLS alone work?", \
	       "Ask by hand: `curl -v`, `nc HOST PORT`.", \
	       "The server's log at that time.", \
	       "Correct `probe.kind`, `tls` or the port.")) \
	A(PROTOCOL_UNSOLICITED_DATA, AT(READY), \
	  SAYS("The server talks without being asked: a log stream, a game, a chat, a " \
	       "replication channel.", \
	       "It answers to something that a probe asked too much.", \
	       "It is another server than was meant."), \
	  SAYS("`nc HOST PORT` or `openssl s_client -quiet -connect HOST:PORT`, and wait: what " \
	       "does it say?", \
	       "The evidence in the record has its first bytes.", \
	       "Do not hold such a server ready; connect when it is needed."))

#define ADVICE_LOCAL_LIST(A) \
	A(LOCAL_CERTIFICATE_LOAD, AT(LOAD), \
	  SAYS("The file is not there, or the path is wrong.", \
	       "The user holdfast may not read it or one of the directories above it " \
	       "(/etc/letsencrypt/archive, /root, /home).", \
	       "It is not PEM: DER, PKCS#12, a half-written file, Windows characters."), \
	  SAYS("`namei -l FILE`: who may read which part of the path? Then `sudo -u holdfast " \
	       "cat FILE >/dev/null`.", \
	       "`openssl x509 -noout -subject -dates -in FILE`.", \
	       "Convert: `openssl x509 -inform DER -in X -out FILE`, or `openssl pkcs12 -in X " \
	       "-nokeys -out FILE`.", \
	       "holdfast tries again by itself as soon as the file changes; `holdfastctl retry " \
	       "UPSTREAM` hurries it.")) \
	A(LOCAL_KEY_LOAD, AT(LOAD), \
	  SAYS("The user holdfast may not read the file: keys are mostly root's alone.", \
	       "The key is encrypted, and `tls.key_password_file` is missing or holds the wrong " \
	       "password.", \
	       "The file is not there, or is no PEM key."), \
	  SAYS("`namei -l FILE`; then `chgrp holdfast FILE && chmod 640 FILE`, or a copy that " \
	       "only holdfast may read.", \
	       "`openssl pkey -noout -in FILE`: does it ask for a password?", \
	       "`head -1 FILE` says BEGIN PRIVATE KEY, or BEGIN ENCRYPTED PRIVATE KEY.")) \
	A(LOCAL_KEY_MISMATCH, AT(LOAD), \
	  SAYS("A renewal is half finished: one of the two files is new, the other old.", \
	       "The paths are of two different certificates.", \
	       "The chain's order is wrong: our own certificate must come first in its file."), \
	  SAYS("`openssl x509 -noout -pubkey -in CERT | sha256sum` and `openssl pkey -pubout " \
	       "-in KEY | sha256sum`.", \
	       "Run the renewal again, or copy both files from the same one.", \
	       "holdfast notices as soon as the files fit.")) \
	A(LOCAL_CERTIFICATE_EXPIRED, LATE_VERDICT, \
	  SAYS("The renewal of our client certificate has failed or was forgotten.", \
	       "It was renewed in another place than `tls.certificate`."), \
	  SAYS("`openssl x509 -noout -dates -subject -in FILE`.", \
	       "Renew it and put it in place: holdfast notices the changed file by itself.", \
	       "`tls.expiry_warning` says how early holdfast warns of it.")) \
	A(LOCAL_CA_LOAD, AT(LOAD), \
	  SAYS("`tls.ca_file`, `tls.ca_dir` or `tls.crl_file` is missing, empty or cannot be " \
	       "read by the user holdfast.", \
	       "It is not PEM (DER, PKCS#7).", \
	       "The job that writes the file was interrupted."), \
	  SAYS("`namei -l FILE`, and `sudo -u holdfast cat FILE >/dev/null`.", \
	       "`openssl storeutl -noout -certs FILE` (or `-crls`): how many does it find?", \
	       "Write such files under another name and rename them, so that nobody reads half " \
	       "of one.", \
	       "For the system's certificates: `apt install ca-certificates`.")) \
	A(LOCAL_TLS_CONFIG, AT(LOAD), \
	  SAYS("The policy of this host's OpenSSL (openssl.cnf, FIPS provider) forbids what is " \
	       "configured.", \
	       "`tls.ciphers`, `tls.groups` or `tls.signature_algorithms` leave nothing at that " \
	       "`tls.security_level`.", \
	       "Another version of OpenSSL than the one that the configuration was written " \
	       "for."), \
	  SAYS("The hint names the option; take it out, or compare it with `openssl ciphers -v` " \
	       "and `openssl list -providers`.", \
	       "`cat /etc/ssl/openssl.cnf`: MinProtocol, CipherString?", \
	       "`holdfastd --check` says the same without the daemon.")) \
	A(LOCAL_NO_MEMORY, ANYWHERE, \
	  SAYS("The host is short of memory, or the unit's MemoryMax= is reached.", \
	       "More connections are configured than fit: each takes about 20 KiB with TLS, and " \
	       "far more while it is busy."), \
	  SAYS("`free -m`; `systemctl status holdfast` shows the memory; `journalctl -k | grep " \
	       "-i 'out of memory'`.", \
	       "Raise MemoryMax=, or lower `connections`.")) \
	A(LOCAL_LISTEN, AT(LOAD), \
	  SAYS("Another program listens at that address already.", \
	       "The address is not of this host (yet), or the port is below 1024 and needs " \
	       "CAP_NET_BIND_SERVICE.", \
	       "A Unix socket's directory does not exist, or the user holdfast may not write " \
	       "there."), \
	  SAYS("`ss -ltnp` (or `ss -lxp`): who has it?", \
	       "`ip -br address`: is the address there?", \
	       "`namei -l DIRECTORY`; holdfast tries again by itself.")) \
	A(LOCAL_OFFLINE, AT(RESOLVE) | AT(CONNECT), \
	  SAYS("The interface or Wi-Fi is down, or has no address yet (DHCP, boot, resume).", \
	       "The VPN that leads to the upstream is not up.", \
	       "The default route is missing."), \
	  SAYS("`ip -br link`, `ip -br address`, `ip route`, `ip route get ADDRESS`.", \
	       "`networkctl status` or `nmcli device`.", \
	       "Nothing else is needed: attempts go on as soon as there is a route.")) \
	A(LOCAL_STALL, ANYWHERE, \
	  SAYS("The host was suspended, or the virtual machine paused or moved.", \
	       "The CPU is overcommitted, or the unit's CPUQuota= throttles.", \
	       "The host swaps or waits for a disk."), \
	  SAYS("`journalctl -b` at that time: suspend, resume, migration?", \
	       "`vmstat 1` (st: stolen by the hypervisor, si and so: swap); `cat " \
	       "/proc/pressure/cpu`.", \
	       "`systemctl show holdfast -p CPUQuotaPerSecUSec,CPUWeight`.")) \
	A(LOCAL_INTERNAL, ANYWHERE, \
	  SAYS("A defect of holdfast."), \
	  SAYS("Please report it with `holdfastd --version`, the record (`holdfastctl --json " \
	       "history UPSTREAM`) and the log.", \
	       "`journalctl -u holdfast` around that time.", \
	       "`holdfastctl reconnect UPSTREAM`, or a restart, gets rid of it for now."))
/* clang-format on */
