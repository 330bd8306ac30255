"""Recipes of the servers in between: proxies, and those that only do TLS in front of another server."""
from servers import AUTHORITY, CERTIFICATE, KEY, Server, tls_files

SQUID = """\
http_port 127.0.0.1:3128
http_port 127.0.0.1:3129 name=login
pid_filename /run/squid.pid
cache deny all
cache_log /dev/null
access_log none
cache_store_log none
netdb_filename none
pinger_enable off
shutdown_lifetime 0 seconds
connect_timeout 1 second
dns_timeout 1 second
dns_retransmit_interval 1 second
forward_timeout 2 seconds
auth_param basic program /usr/lib/squid/basic_ncsa_auth /holdfast/users
auth_param basic realm proxy
acl login_port myportname login
acl known proxy_auth REQUIRED
acl forbidden port 9
http_access deny forbidden
http_access deny login_port !known
http_access allow all
"""


def squid(folder):
    """An HTTP proxy: for everybody on port 3128, for user "somebody" with password "secret" on 3129; port 9 of any host is
    forbidden."""
    script = """
        chmod 755 /holdfast
        exec 2>&1
        squid -N -d1 -f /holdfast/squid.conf
    """
    # htpasswd's apr1 of "secret"
    users = "somebody:$apr1$holdfast$LuI1l3.EjKzkxv2Ot7/EZ.\n"
    return Server(folder, script, {"squid.conf": SQUID, "users": users}, (3128, 3129))


DANTE = """\
logoutput: stderr
internal: 127.0.0.1 port = {port}
external: lo
external.rotation: route
socksmethod: {method}
clientmethod: none
user.privileged: root
user.unprivileged: nobody
timeout.connect: 2
client pass {{
    from: 127.0.0.0/8 to: 0.0.0.0/0
}}
socks block {{
    from: 0.0.0.0/0 to: 0.0.0.0/0 port = 9
}}
socks pass {{
    from: 0.0.0.0/0 to: 0.0.0.0/0
    command: connect
}}
"""


def dante(folder):
    """A SOCKS proxy: for everybody on port 1080, for user "somebody" with password "secret" on 1081; port 9 of any host is
    forbidden."""
    script = """
        useradd -M -s /bin/false somebody
        echo somebody:secret | chpasswd
        danted -f /holdfast/login.conf -p /tmp/login.pid &
        danted -f /holdfast/open.conf -p /tmp/open.pid
    """
    files = {"open.conf": DANTE.format(port=1080, method="none"), "login.conf": DANTE.format(port=1081, method="username")}
    return Server(folder, script, files, (1080, 1081))


STUNNEL = f"""\
foreground = yes
pid =
syslog = no
output = /dev/stderr
cert = {CERTIFICATE}
key = {KEY}
[echo]
accept = 127.0.0.1:7001
connect = 127.0.0.1:7
[nobody]
accept = 127.0.0.1:7002
connect = 127.0.0.1:1
[client]
accept = 127.0.0.1:7003
connect = 127.0.0.1:7
CAfile = {AUTHORITY}
verifyChain = yes
[old]
accept = 127.0.0.1:7004
connect = 127.0.0.1:7
sslVersionMax = TLSv1.2
ciphers = ECDHE-ECDSA-AES256-GCM-SHA384
"""


def stunnel(folder, authority, good):
    """TLS in front of port 7 (7001), of nothing (7002), for clients with a certificate (7003), with one cipher (7004)."""
    return Server(folder, "stunnel /holdfast/stunnel.conf", {"stunnel.conf": STUNNEL}, (7001, 7002, 7003, 7004),
                  tls_files(authority, good))


HAPROXY = f"""\
global
    log stdout format raw daemon
    ssl-default-bind-options ssl-min-ver TLSv1.2
defaults
    mode tcp
    timeout connect 1s
    timeout client 60s
    timeout server 60s
frontend tls
    bind 127.0.0.1:8001 ssl crt /holdfast/site.pem
    default_backend echo
frontend client
    bind 127.0.0.1:8002 ssl crt /holdfast/site.pem ca-file {AUTHORITY} verify required
    default_backend echo
frontend strict
    bind 127.0.0.1:8003 ssl crt /holdfast/site.pem strict-sni
    default_backend echo
frontend empty
    bind 127.0.0.1:8004 ssl crt /holdfast/site.pem
    default_backend nobody
frontend wrapped
    bind 127.0.0.1:8005 accept-proxy ssl crt /holdfast/site.pem
    tcp-request connection reject unless {{ src 203.0.113.0/24 }}
    default_backend echo
frontend denied
    bind 127.0.0.1:8006 ssl crt /holdfast/site.pem
    tcp-request connection reject
    default_backend echo
frontend web
    mode http
    timeout http-request 5s
    bind 127.0.0.1:8007 ssl crt /holdfast/site.pem alpn h2,http/1.1
    http-request return status 200 content-type text/plain string well
backend echo
    server one 127.0.0.1:7
backend nobody
"""


def haproxy(folder, authority, good):
    """A load balancer: TLS (8001), a client certificate demanded (8002), only known names (8003), no backend (8004), PROXY
    protocol expected (8005), connections rejected (8006), HTTP (8007)."""
    script = """
        cat /holdfast/server.pem /holdfast/server.key >/holdfast/site.pem
        haproxy -db -f /holdfast/haproxy.conf
    """
    return Server(folder, script, {"haproxy.conf": HAPROXY}, tuple(range(8001, 8008)), tls_files(authority, good))
