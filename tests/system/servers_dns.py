"""Recipes of the name servers: bind9 with the zone, and unbound that resolves and validates."""
import contextlib

import dnslib
from servers import Server

NAMED = """\
options {
    directory "/tmp";
    listen-on port 53 { 127.0.0.1; 192.0.2.1; };
    listen-on-v6 { none; };
    recursion no;
    dnssec-validation no;
    pid-file none;
    session-keyfile none;
};
controls { };
view refusing {
    match-destinations { 192.0.2.1; };
    allow-query { none; };
    zone "test" { type primary; file "/holdfast/zone"; };
};
view good {
    zone "test" { type primary; file "/holdfast/zone"; };
    zone "broken" { type primary; file "/holdfast/zone"; };
    zone "unloaded.test" { type primary; file "/holdfast/missing"; };
};
"""

ZONE = """\
$TTL 60
@ SOA ns hostmaster 1 3600 600 86400 60
@ NS ns
ns A 127.0.0.1
good A 127.0.0.1
alias CNAME good
text TXT "no address here"
dead A 192.0.2.99
dead A 127.0.0.1
dangling CNAME nowhere
_x._tcp SRV 10 0 7 good
_none._tcp SRV 0 0 0 .
blocked A 0.0.0.0
"""

UNBOUND = """\
server:
    interface: 127.0.0.2
    do-daemonize: no
    use-syslog: no
    logfile: ""
    chroot: ""
    username: ""
    directory: "/tmp"
    pidfile: ""
    do-not-query-localhost: no
    module-config: "validator iterator"
    # By itself it answers for that name: RFC 6761, section 6.2.
    local-zone: "test." nodefault
    access-control: 127.0.0.0/8 allow
    # It ought to be signed by this key, and is not signed at all.
    trust-anchor: "broken. DS 12345 13 2 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    local-zone: "refused.local." refuse
    local-zone: "denied.local." deny
stub-zone:
    name: "test."
    stub-addr: 127.0.0.1
stub-zone:
    name: "broken."
    stub-addr: 127.0.0.1
remote-control:
    control-enable: no
"""


def answers(*hosts):
    """Whether all of them answer: they listen before they have read their zones."""
    question = dnslib.DNSRecord.question("good.test")
    with contextlib.suppress(OSError):
        return all(dnslib.DNSRecord.parse(question.send(host, 53, timeout=1)).header.a for host in hosts)
    return False


def name_servers(folder):
    """bind9, authoritative for "test", on 127.0.0.1 (and refusing everybody on 192.0.2.1); unbound on 127.0.0.2."""
    script = """
        named -f -g -c /holdfast/named.conf &
        unbound -d -c /holdfast/unbound.conf
    """
    return Server(folder, script, {"named.conf": NAMED, "zone": ZONE, "unbound.conf": UNBOUND}, (53,),
                  ready=lambda: answers("127.0.0.1", "127.0.0.2"))
