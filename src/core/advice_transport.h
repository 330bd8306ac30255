/*
 * Likely causes and remedies of the codes of the classes address, connection, timeout and socket:
 * A(ID, stages, causes, remedies), see core/failure_advice.h.
 */
#pragma once

/* clang-format off */
#define ADVICE_ADDRESS_LIST(A) \
	A(ADDRESS_NXDOMAIN, AT(RESOLVE), \
	  SAYS("The name is misspelt, or its record has been removed or was never made.", \
	       "It is a short name, and the search list of this host does not complete it.", \
	       "It exists only in an internal zone (or behind a VPN), and a public DNS server " \
	       "was asked.", \
	       "The domain's registration has run out."), \
	  SAYS("Ask yourself: `dig NAME A`, `dig NAME AAAA` (of srv: `dig NAME SRV`), and `dig " \
	       "+trace NAME`.", \
	       "`cat /etc/resolv.conf` and `resolvectl status`: which servers and which search " \
	       "list count?", \
	       "Write the full name in `address`, or put the address itself there.")) \
	A(ADDRESS_NO_DATA, AT(RESOLVE), \
	  SAYS("The name has only addresses of the other family, and `family` excludes those.", \
	       "The name is a bare domain or has only other records (MX, TXT); the server has a " \
	       "name of its own.", \
	       "The SRV record says with the target \".\" that the service is not offered."), \
	  SAYS("`dig NAME A`, `dig NAME AAAA`, `dig NAME SRV`: which of them has an answer?", \
	       "Compare with `family` in holdfast.conf; `any` takes both.", \
	       "`holdfastctl check tls://NAME:PORT` shows the answers for each family.")) \
	A(ADDRESS_SERVFAIL, AT(RESOLVE), \
	  SAYS("The zone's name servers are down, or the delegation points to the wrong ones.", \
	       "DNSSEC does not validate: expired signatures, or a DS record of an old key.", \
	       "The resolver itself has no way out: its forwarders do not answer."), \
	  SAYS("`dig NAME` and `dig +cd NAME`: if only the second has an answer, it is DNSSEC; " \
	       "see `delv NAME`.", \
	       "`dig +trace NAME` shows where the delegation ends.", \
	       "Ask another resolver: `dig @SERVER NAME`; look at the log of this one " \
	       "(`journalctl -u unbound`).")) \
	A(ADDRESS_REFUSED, AT(RESOLVE), \
	  SAYS("The server answers only its own zones, and does not resolve for others " \
	       "(recursion is off).", \
	       "Its access list does not hold this host's address.", \
	       "The file resolv.conf names an authoritative server or an old resolver."), \
	  SAYS("`dig @SERVER NAME` for each server in /etc/resolv.conf: which one says REFUSED?", \
	       "Allow this host there: `access-control` (unbound), `allow-recursion` (bind9).", \
	       "Put a server that resolves for this host into /etc/resolv.conf (`resolvectl " \
	       "dns` with systemd-resolved).")) \
	A(ADDRESS_NO_SERVER, AT(RESOLVE), \
	  SAYS("The local resolver (systemd-resolved, unbound, dnsmasq) is not running.", \
	       "The file resolv.conf names an address on which nothing listens, or names no server " \
	       "at all.", \
	       "A firewall rejects port 53."), \
	  SAYS("`cat /etc/resolv.conf`, then `ss -lnu 'sport = :53'` if a server there is of " \
	       "this host.", \
	       "`systemctl status systemd-resolved` (or unbound, dnsmasq); `dig @SERVER NAME`.", \
	       "Nothing needs to be told to holdfast: it notices a changed resolv.conf.")) \
	A(ADDRESS_BAD_REPLY, AT(RESOLVE), \
	  SAYS("A middlebox (home router, captive portal, filter) rewrites or truncates DNS " \
	       "answers.", \
	       "The DNS server is defective or does not know the type that was asked for (SRV, " \
	       "AAAA).", \
	       "The records are not host names or addresses that could be right."), \
	  SAYS("`dig NAME` and `dig +tcp NAME`: do they agree, and does dig warn?", \
	       "Ask another server: `dig @SERVER NAME`; if that is well, use it in resolv.conf.", \
	       "`tcpdump -ni any port 53` shows what really comes.")) \
	A(ADDRESS_INVALID, AT(LOAD) | AT(RESOLVE), \
	  SAYS("A typing error: a space, a leading dash, a backslash, no port, a port that is 0 " \
	       "or too large.", \
	       "An IPv6 address with a port stands without brackets, or a link-local one " \
	       "without its zone.", \
	       "A number that is no dotted quad (1.2 or 0177.0.0.1), or a name with letters " \
	       "beyond ASCII.", \
	       "The literal address is not of the `family` that is configured."), \
	  SAYS("Write host:port, [IPv6 address]:port, [fe80::1%eth0]:port, unix:/path or " \
	       "srv:_service._tcp.domain.", \
	       "Write an international name in its xn-- form: `idn2 NAME` prints it.", \
	       "`holdfastd --check` names file and line.")) \
	A(ADDRESS_EXCLUDED, AT(RESOLVE), \
	  SAYS("A filtering resolver (Pi-hole, a parental or corporate filter) answers 0.0.0.0 " \
	       "or :: to block the name.", \
	       "The record was entered wrongly, or holds a placeholder.", \
	       "The name is blocked in /etc/hosts."), \
	  SAYS("`dig NAME`, and `dig @SERVER NAME` with another resolver: do they differ?", \
	       "`getent ahosts NAME` and `grep NAME /etc/hosts`.", \
	       "Allow the name in the filter, or put the address itself into `address`.")) \
	A(ADDRESS_UNIX_MISSING, AT(CONNECT), \
	  SAYS("The server is not running, or has not made its socket yet.", \
	       "The path is wrong: it changed with a new version, or the server uses an " \
	       "abstract socket.", \
	       "The socket is in /tmp, /var/tmp or /home, which holdfast.service does not see " \
	       "(PrivateTmp=, ProtectHome=)."), \
	  SAYS("`ls -l PATH` and `ss -lx`: which sockets are there, and whose?", \
	       "`systemctl status SERVER`, and the path in its configuration.", \
	       "Move the socket to a directory below /run; holdfast connects as soon as it is " \
	       "there.")) \
	A(ADDRESS_OTHER, AT(RESOLVE), \
	  SAYS("The resolver library has met something that has no code of its own; its name is " \
	       "in the record."), \
	  SAYS("`dig NAME`: does it work there?", \
	       "`journalctl -u holdfast`: look the status in the field `error` up in " \
	       "ares_strerror(3).", \
	       "`cat /etc/resolv.conf`: is everything in it as it should be?"))

#define ADVICE_CONNECTION_LIST(A) \
	A(CONNECTION_REFUSED, AT(CONNECT), \
	  SAYS("The server is not running, has crashed, or is just being restarted.", \
	       "It listens on another port, or on another address only (127.0.0.1, or IPv4 and " \
	       "not IPv6).", \
	       "A firewall rejects with a reset instead of dropping.", \
	       "The name leads to an old or a wrong host."), \
	  SAYS("On the server: `ss -ltnp 'sport = :PORT'`; does anything listen, and on that " \
	       "address?", \
	       "On the server: `systemctl status SERVER` and `journalctl -u SERVER`.", \
	       "From here: `holdfastctl check tcp://HOST:PORT` tries every address; `dig HOST` " \
	       "shows where it leads.", \
	       "`nft list ruleset` on both hosts: is there a `reject`?")) \
	A(CONNECTION_RESET_EARLY, AT(CONNECT) | AT(SETTLE) | AT(READY), \
	  SAYS("A load balancer or port forwarder (haproxy, kube-proxy, docker-proxy) has no " \
	       "backend that is up.", \
	       "The server is overloaded, or its process died as it accepted.", \
	       "An access list or an intrusion filter resets what it does not like."), \
	  SAYS("Look at the balancer's view of its backends, and at the server behind it.", \
	       "`journalctl -u SERVER` on the server at that time; `dmesg` for killed " \
	       "processes.", \
	       "`tcpdump -ni any host ADDRESS and port PORT` on both ends: who sends the " \
	       "reset?")) \
	A(CONNECTION_NETWORK_UNREACHABLE, AT(CONNECT) | AT(READY) | AT(LENT), \
	  SAYS("This host has no route to that network: no default route of that family.", \
	       "The name has an IPv6 address, and this host has IPv6 in its own network only.", \
	       "The interface or VPN that leads there is down."), \
	  SAYS("`ip route get ADDRESS` (`ip -6 route get ADDRESS`): what does the kernel say?", \
	       "`ip -br address` and `ip -br link`: is the interface up, and has it an address?", \
	       "Set `family = \"ipv4\"` where there is no IPv6 to the outside.")) \
	A(CONNECTION_HOST_UNREACHABLE, AT(CONNECT) | AT(READY) | AT(LENT), \
	  SAYS("The host is off or its address has changed: nobody answers ARP (IPv4) or " \
	       "neighbour discovery (IPv6).", \
	       "A router on the way says that there is no way on, or that it is forbidden " \
	       "(ICMP).", \
	       "A firewall rejects with ICMP host-prohibited or host-unreachable.", \
	       "A wrong netmask or VLAN: the host is looked for in the local network."), \
	  SAYS("`ip neigh show ADDRESS`: FAILED or INCOMPLETE means that the host is silent in " \
	       "its own network.", \
	       "`ip route get ADDRESS`, `tracepath -n ADDRESS`: where does the way end?", \
	       "`tcpdump -ni any icmp or icmp6` during `holdfastctl check`: who answers, and " \
	       "what?")) \
	A(CONNECTION_PROHIBITED, AT(CONNECT), \
	  SAYS("A firewall on this host rejects what goes out (nftables, eBPF).", \
	       "The service is restricted by systemd: IPAddressDeny= or a drop-in for " \
	       "holdfast.service.", \
	       "A route says prohibit or blackhole; over IPv6 also a router's ICMP " \
	       "\"administratively prohibited\".", \
	       "A Unix socket's mode, or a directory above it, does not let the user holdfast " \
	       "in."), \
	  SAYS("`ip route get ADDRESS`, `ip rule` and `nft list ruleset`.", \
	       "`systemctl show holdfast -p " \
	       "IPAddressDeny,IPAddressAllow,RestrictNetworkInterfaces`.", \
	       "`ls -l PATH` of a Unix socket: put the user holdfast into its group.", \
	       "Try the same as root with `holdfastctl check`: if that works, it is the " \
	       "service's sandbox or user.")) \
	A(CONNECTION_CLOSED, AT(READY) | AT(LENT), \
	  SAYS("The server closes connections that are idle for a certain time.", \
	       "The server was restarted or reloaded in an orderly way.", \
	       "The server limits a connection's age, or has too many connections."), \
	  SAYS("`holdfastctl history UPSTREAM`: is it always after the same time? Then that is " \
	       "the server's limit.", \
	       "Set `idle_limit` a little lower than that limit, or a `probe` with a shorter " \
	       "`probe.interval`.", \
	       "Raise the server's own limit (timeout, keepalive_timeout, wait_timeout).")) \
	A(CONNECTION_CLOSED_EARLY, AT(SETTLE) | AT(READY), \
	  SAYS("An access list at the server does not hold this host (hosts.allow, allow/deny, " \
	       "pg_hba.conf).", \
	       "The server's limit of connections, altogether or from one address, is reached.", \
	       "The server wants a login or a first request within a short time, and holdfast " \
	       "only holds the connection.", \
	       "A balancer or stunnel accepts although the server behind it is down."), \
	  SAYS("The server's log at that time tells which of these: `journalctl -u SERVER`.", \
	       "`holdfastctl check URL --probe=KIND`: what does the application say?", \
	       "Lower `connections`, or raise the server's limit.", \
	       "Configure `probe` so that the server is asked something in time.")) \
	A(CONNECTION_TRUNCATED, AT(SETTLE) | AT(READY) | AT(LENT), \
	  SAYS("The server's process crashed or was killed; its kernel still closed the socket.", \
	       "The server never sends close_notify: it closes the socket when it is done or " \
	       "idle.", \
	       "A TCP proxy or balancer on the way closed, which cannot speak for the TLS " \
	       "inside."), \
	  SAYS("`journalctl -u SERVER` on the server: a crash, an idle limit?", \
	       "`holdfastctl history UPSTREAM`: always after the same time? Then set " \
	       "`idle_limit` below it.", \
	       "Look at the idle limits of balancers on the way.")) \
	A(CONNECTION_RESET, AT(SETTLE) | AT(READY) | AT(LENT), \
	  SAYS("The server was killed or restarted with connections open.", \
	       "A firewall or NAT forgot the idle session and answers the next packet with a " \
	       "reset.", \
	       "The server closed with data unread, or aborts on purpose at its limits."), \
	  SAYS("`holdfastctl history UPSTREAM`: if it is always after the same idle time, it is " \
	       "a firewall or the server.", \
	       "Set `keepalive.idle` or `idle_limit` below that time.", \
	       "`journalctl -u SERVER` at that time; `tcpdump` at both ends shows who sent the " \
	       "reset.")) \
	A(CONNECTION_OTHER, AT(CONNECT), \
	  SAYS("The kernel gave an error that has no code of its own; its name is in the " \
	       "record."), \
	  SAYS("Look the name up in connect(2) and errno(3).", \
	       "`holdfastctl check tcp://HOST:PORT` shows whether every address is concerned.", \
	       "`journalctl -k` at that time: what does the kernel say?"))

#define ADVICE_TIMEOUT_LIST(A) \
	A(TIMEOUT_RESOLVE, AT(RESOLVE), \
	  SAYS("The DNS servers in resolv.conf are down, or cannot be reached from here.", \
	       "A firewall drops port 53 (UDP, or TCP for long answers).", \
	       "One dead server stands first in resolv.conf, and its time-outs use up " \
	       "`timeouts.resolve`.", \
	       "The zone's own name servers are slow or dead."), \
	  SAYS("`dig @SERVER NAME` for each server in /etc/resolv.conf, and `resolvectl query " \
	       "NAME`.", \
	       "`ip route get SERVER`: is there a way to it?", \
	       "`dig +trace NAME` where the resolver answers other names at once.", \
	       "Raise `timeouts.resolve`, or write the address itself in `address`.")) \
	A(TIMEOUT_CONNECT, AT(CONNECT), \
	  SAYS("A firewall or security group on the way drops the packets.", \
	       "The host is down, or the address is an old one.", \
	       "The server's accept queue is full: it hangs or is overloaded.", \
	       "The answers take another way back and are dropped there, or the network loses " \
	       "packets."), \
	  SAYS("`ping ADDRESS` and `tracepath -n ADDRESS`: is the host there?", \
	       "On the server: `ss -ltn 'sport = :PORT'`; a Recv-Q at Send-Q is a full accept " \
	       "queue.", \
	       "On the server: `tcpdump -ni any port PORT`; does the SYN arrive, does a SYN-ACK " \
	       "leave?", \
	       "`nft list ruleset` on both hosts, and the rules of the cloud or the firewall " \
	       "between them.")) \
	A(TIMEOUT_PROXY, AT(PROXY), \
	  SAYS("The proxy waits for the upstream itself, which does not answer it.", \
	       "It is not the kind of proxy that `proxy` says: SOCKS5 spoken to an HTTP proxy " \
	       "waits for ever.", \
	       "The proxy hangs or is overloaded, or resolves the name slowly."), \
	  SAYS("`holdfastctl check --via=PROXY URL`, and the same without `--via`.", \
	       "`curl -v -p -x http://PROXY https://HOST/`, or `curl -v -x socks5h://PROXY " \
	       "https://HOST/`.", \
	       "The proxy's own log; then `timeouts.proxy`, if it only is slow.")) \
	A(TIMEOUT_STARTTLS, AT(STARTTLS), \
	  SAYS("The port speaks TLS from the first octet (465, 636, 990, 993, 995): both sides " \
	       "wait for the other.", \
	       "Another protocol is spoken there in which the client begins (HTTP, Redis, " \
	       "LDAP).", \
	       "The server delays its greeting on purpose (greet pause, tarpit), or looks up " \
	       "this host's name in vain.", \
	       "The server accepts, but all its processes are busy."), \
	  SAYS("Try `holdfastctl check tls://HOST:PORT`: if it works, take `starttls` away.", \
	       "`nc HOST PORT` and wait: does a greeting come, and after how long?", \
	       "Raise `timeouts.starttls` where the greeting comes late.", \
	       "On the server: its log, its limit of processes, and its DNS.")) \
	A(TIMEOUT_HANDSHAKE, AT(HANDSHAKE), \
	  SAYS("The port is one of plain text: the server waits for a line or reads our " \
	       "ClientHello as one.", \
	       "The server is overloaded, or its process behind a balancer hangs.", \
	       "Large packets are lost (path MTU black hole, VPN): small ones pass, the " \
	       "certificates do not.", \
	       "A firewall lets the connection through and then drops what looks like TLS."), \
	  SAYS("`openssl s_client -connect HOST:PORT -servername NAME`: how far does it come?", \
	       "Try `starttls` with the server's protocol: `holdfastctl check " \
	       "smtp+starttls://HOST:PORT`.", \
	       "`tracepath -n ADDRESS` and `ping -M do -s 1472 ADDRESS`: is the path MTU " \
	       "smaller, and said so?", \
	       "Raise `timeouts.handshake` only if the server is merely slow.")) \
	A(TIMEOUT_PROBE, AT(PROBE), \
	  SAYS("The application hangs or is overloaded while its listener still accepts.", \
	       "The probe speaks another protocol than the server, or plain text to a port for " \
	       "TLS.", \
	       "A backend or database behind the application does not answer it.", \
	       "`probe.expect_regex` can never match what the server says."), \
	  SAYS("Ask by hand: `holdfastctl check URL --probe=KIND`, `curl -v`, `redis-cli ping`, " \
	       "`nc HOST PORT`.", \
	       "`holdfastctl check tls://HOST:PORT` without a probe: is it TLS that is missing?", \
	       "The application's log, load and backends at that time.", \
	       "Raise `timeouts.probe` if the answer only takes longer.")) \
	A(TIMEOUT_ATTEMPT, ANYWHERE, \
	  SAYS("Several addresses hang one after the other, each until its own time-out.", \
	       "Every stage is slow: an overloaded server or a path with much loss.", \
	       "`timeouts.attempt` is lower than the sum of the other time-outs."), \
	  SAYS("`holdfastctl check NAME` shows the time of each stage for each address.", \
	       "Take dead addresses out of DNS or `address`.", \
	       "Raise `timeouts.attempt`, or lower the time-outs of the single stages.")) \
	A(TIMEOUT_DEAD_PEER, AT(READY) | AT(LENT), \
	  SAYS("The server's host crashed, lost its power or its network: nobody could say " \
	       "goodbye.", \
	       "A firewall or NAT forgot the idle connection and drops its packets.", \
	       "The path is broken: a VPN or a link is down.", \
	       "This host's address has changed or its interface went away."), \
	  SAYS("`ping ADDRESS`, and `holdfastctl check`: does a new connection work?", \
	       "If new ones work and idle ones die: lower `keepalive.idle` below the firewall's " \
	       "limit.", \
	       "`ss -tnoi dst ADDRESS` shows the timers, retransmissions and what is " \
	       "unacknowledged.", \
	       "`journalctl -k` and the log of the network's hosts at that time.")) \
	A(TIMEOUT_HEARTBEAT, AT(READY), \
	  SAYS("The application hangs: a deadlock, a blocked database, no free worker.", \
	       "The server is overloaded or swaps, or a stop-the-world pause (garbage " \
	       "collection, backup) lasts.", \
	       "A balancer holds the connection although the server behind it has gone."), \
	  SAYS("On the server: `top`, `journalctl -u SERVER`; does it answer others?", \
	       "`holdfastctl check NAME`: does a fresh connection get an answer?", \
	       "Raise `timeouts.probe` or `probe.failures` if pauses of that length are " \
	       "normal.")) \
	A(TIMEOUT_WRITE, AT(PROBE) | AT(LENT), \
	  SAYS("The application at the other end has stopped reading: it hangs, or is stopped.", \
	       "It is far slower than what is sent to it.", \
	       "A proxy on the way accepts data that it cannot hand on."), \
	  SAYS("On the server: `ss -tn 'sport = :PORT'`; a Recv-Q that stays full is the " \
	       "application's.", \
	       "On the server: `ps -o stat,wchan -p PID`; is it stopped (T) or waiting for a " \
	       "disk (D)?", \
	       "Raise `keepalive.user_timeout` if such pauses are normal.")) \
	A(TIMEOUT_LEND, AT(LEND), \
	  SAYS("More borrowers come at once than connections are held ready.", \
	       "The upstream is down or slow: no connection becomes ready.", \
	       "Borrowers keep their connections longer than was planned for."), \
	  SAYS("`holdfastctl show UPSTREAM`: are connections ready, and how many are lent?", \
	       "If the upstream is down, explain its own failure first.", \
	       "Hold more connections ready."))

#define ADVICE_SOCKET_LIST(A) \
	A(SOCKET_DESCRIPTOR_LIMIT, AT(CONNECT) | AT(LEND), \
	  SAYS("More connections are configured than the process may have descriptors for.", \
	       "The whole system is out of files (fs.file-max): another program leaks.", \
	       "holdfastd was started by hand, under the limit of a shell."), \
	  SAYS("`grep files /proc/$(pidof holdfastd)/limits` and `ls /proc/$(pidof " \
	       "holdfastd)/fd | wc -l`.", \
	       "`systemctl edit holdfast`: LimitNOFILE= in [Service]; then restart it.", \
	       "`cat /proc/sys/fs/file-nr`: first number (used) against the third (limit).", \
	       "Lower `connections`.")) \
	A(SOCKET_NO_BUFFERS, ANYWHERE, \
	  SAYS("The memory for TCP (net.ipv4.tcp_mem) or the control group's memory is used up.", \
	       "Many connections with data that nobody reads.", \
	       "The host as a whole is short of memory."), \
	  SAYS("`cat /proc/net/sockstat` (mem, in pages) against `sysctl net.ipv4.tcp_mem`.", \
	       "`ss -tm` shows which sockets hold the memory; `free -m` shows what is left.", \
	       "`systemctl show holdfast -p MemoryCurrent,MemoryMax`; `journalctl -k | grep -i " \
	       "'out of memory'`.")) \
	A(SOCKET_BIND, AT(CONNECT), \
	  SAYS("`source` is not (or no longer) an address of this host: DHCP, failover, an " \
	       "interface that is not up yet.", \
	       "`interface` does not exist: it was renamed, or its VPN is down.", \
	       "`source` is of a tentative or deprecated IPv6 address."), \
	  SAYS("`ip -br address`: is the address there, and on which interface?", \
	       "Correct `source` or `interface`, or bring the interface up; holdfast tries " \
	       "again by itself.", \
	       "`sysctl net.ipv4.ip_nonlocal_bind` where a failover address must be usable " \
	       "before it is here.")) \
	A(SOCKET_NO_PORTS, AT(CONNECT), \
	  SAYS("Many short connections to the same address and port: their ports wait in " \
	       "TIME-WAIT.", \
	       "Very many connections from one `source` to one server.", \
	       "The range net.ipv4.ip_local_port_range is small."), \
	  SAYS("`ss -s` and `ss -tan dst ADDRESS | awk '{print $1}' | sort | uniq -c`: which " \
	       "states, and how many?", \
	       "`sysctl net.ipv4.ip_local_port_range`; widen it.", \
	       "Find who opens so many: `ss -tanp dst ADDRESS`.", \
	       "Spread the connections over several addresses of the server or of this host " \
	       "(`source`).")) \
	A(SOCKET_NO_FAMILY, AT(CONNECT), \
	  SAYS("IPv6 is switched off on this host (ipv6.disable=1, " \
	       "net.ipv6.conf.all.disable_ipv6), or it has no address.", \
	       "A drop-in tightens RestrictAddressFamilies= of holdfast.service.", \
	       "A container without IPv6."), \
	  SAYS("`ip -6 -br address` and `sysctl net.ipv6.conf.all.disable_ipv6`.", \
	       "`systemctl show holdfast -p RestrictAddressFamilies`.", \
	       "Set `family = \"ipv4\"`, or write an IPv4 address.")) \
	A(SOCKET_SETUP, AT(CONNECT), \
	  SAYS("`mark` needs CAP_NET_ADMIN, which holdfast.service does not have.", \
	       "`interface` needs CAP_NET_RAW on kernels before 5.7.", \
	       "A security module (seccomp, AppArmor, SELinux) forbids the socket or the " \
	       "option."), \
	  SAYS("The record names the option and the error.", \
	       "`systemctl edit holdfast`: add CAP_NET_ADMIN to CapabilityBoundingSet= and " \
	       "AmbientCapabilities=.", \
	       "Or take the key (`mark`, `interface`) out of the upstream.", \
	       "`journalctl -k | grep -i denied`: was it a security module?")) \
	A(SOCKET_IO, ANYWHERE, \
	  SAYS("The kernel gave an error for reading or writing that has no code of its own; " \
	       "its name is in the record.", \
	       "A firewall on this host rejects packets of a connection that is already up " \
	       "(EPERM)."), \
	  SAYS("Look the name up in tcp(7), ip(7) and errno(3).", \
	       "`journalctl -k` at that time, and `nft list ruleset`.", \
	       "`holdfastctl check`: does a fresh connection work?"))
/* clang-format on */
