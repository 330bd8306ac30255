"""Servers that keep data: slapd, PostgreSQL, MariaDB, Redis, memcached, mosquitto; and the web's answers to a probe."""
import socket

import pytest

import servers_cases
import servers_data
from daemon import upstream
from servers_cases import Case, client

MISSING, AT_THE_DOOR = "protocol.starttls-missing", "protocol.greeting-rejected"
LOGIN, STATUS, MISMATCH = "protocol.probe-auth", "protocol.probe-status", "protocol.probe-mismatch"
HUNG_UP = "protocol.probe-closed"
DEMANDED = "tls.client-certificate-required"
LATE = ("connection.closed-early", "connection.truncated", "connection.reset")
AFTER_TLS12 = ("tls.client-certificate-required", "tls.closed", "tls.reset")


def case(protocol, name, port, *expected, probe=None, host="127.0.0.1", **options):
    keys = options.pop("keys", {})
    if probe:
        keys = {"probe": {"kind": probe} if isinstance(probe, str) else probe, **keys}
    return Case(name, protocol, f"{host}:{port}", *expected, keys=keys, **options)


def sql(kind, user):
    return {"kind": kind, "user": user}


def http(path, **keys):
    return {"kind": "http", "request": f"GET {path}", **keys}


LDAP = [
    case("ldap", "ldap-good", 389),
    case("tls", "ldap-behind-tls", 636),
    case("ldap", "ldap-no-tls", 2389, MISSING, "starttls"),
    case("ldap", "ldap-misnamed", 389, "tls.certificate-name", "handshake", tls={"verify_name": "ldap.test"}),
    # GnuTLS hangs up without a word where it wants a certificate.
    case("ldap", "ldap-wants-a-certificate", 2390, LATE, late=True),
    case("ldap", "ldap-wants-a-certificate-1.2", 2390, AFTER_TLS12, "handshake", tls={"max_version": "1.2"}),
    case("ldap", "ldap-is-shown-one", 2390, tls=client("client")),
    case("ldap", "ldap-without-starttls", 2389, MISSING, "starttls"),
]
POSTGRES = [
    case("postgres", "postgres-good", 5432),
    case("postgres", "postgres-no-tls", 5433, MISSING, "starttls"),
    case("postgres", "postgres-expired", 5434, "tls.certificate-expired", "handshake"),
    case("postgres", "postgres-guest", 5432, probe=sql("postgres", "guest")),
    case("postgres", "postgres-no-database", 5432, STATUS, "probe", probe=sql("postgres", "homeless"), says="does not exist"),
    # That it asks for a password is an answer, and a good one.
    case("postgres", "postgres-somebody", 5432, probe=sql("postgres", "somebody")),
    case("postgres", "postgres-nobody-in-particular", 5432, probe="postgres"),
    case("postgres", "postgres-stranger", 5432, LOGIN, "probe", probe=sql("postgres", "stranger"), says="stranger"),
    case("tcp", "postgres-in-plain", 5433, probe=sql("postgres", "guest")),
    case("tcp", "postgres-in-plain-refused", 5432, LOGIN, "probe", probe=sql("postgres", "somebody"), says="no encryption"),
]
MARIADB = [
    case("mysql", "mysql-good", 3306),
    case("mysql", "mysql-no-tls", 3307, MISSING, "starttls"),
    case("mysql", "mysql-full", 3308, AT_THE_DOOR, "starttls", says="Too many connections"),
    case("mysql", "mysql-not-this-host", 3309, AT_THE_DOOR, "starttls", says="is not allowed to connect"),
    case("mysql", "mysql-misnamed", 3306, "tls.certificate-name", "handshake", tls={"verify_name": "db.test"}),
    case("mysql", "mysql-guest", 3306, probe=sql("mysql", "guest")),
    case("mysql", "mysql-needs-tls", 3306, probe=sql("mysql", "secure")),
    case("mysql", "mysql-nobody-in-particular", 3306, probe="mysql"),
    case("mysql", "mysql-stranger", 3306, LOGIN, "probe", probe=sql("mysql", "stranger"), says="Access denied"),
    case("tcp", "mysql-in-plain", 3307, probe=sql("mysql", "guest")),
    case("tcp", "mysql-in-plain-refused", 3306, LOGIN, "probe", probe=sql("mysql", "secure")),
    case("tcp", "mysql-full-in-plain", 3308, AT_THE_DOOR, "probe", probe="mysql", says="Too many connections"),
    case("tls", "mysql-without-starttls", 3306, "tls.not-tls", "handshake", says="MySQL"),
]
REDIS = [
    case("tcp", "redis-good", 6379, probe="redis"),
    Case("redis-unix", "tcp", "unix:{pki}/redis.sock", keys={"probe": {"kind": "redis"}}),
    case("tls", "redis-behind-tls", 6380, probe="redis"),
    case("tcp", "redis-wants-a-login", 6381, LOGIN, "probe", probe="redis", says="NOAUTH"),
    case("tcp", "redis-full", 6382, AT_THE_DOOR, "probe", probe="redis", says="max number of clients"),
    case("tcp", "redis-protected", 6379, (LOGIN, AT_THE_DOOR), "probe", probe="redis", host="192.0.2.1", says="DENIED"),
    case("tcp", "redis-without-master", 6384, STATUS, "probe", probe="redis", says="MASTERDOWN"),
    case("tls", "redis-wants-a-certificate", 6383, DEMANDED, "settle"),
    case("tls", "redis-is-shown-one", 6383, probe="redis", tls=client("client")),
    case("tls", "redis-in-plain", 6379, "timeout.handshake", "handshake", keys={"timeouts": {"handshake": "1s"}}),
    case("tcp", "redis-asked-by-http", 6379, (MISMATCH, HUNG_UP), "probe", probe="http"),
]
MEMCACHED = [
    case("tcp", "memcached-good", 11211, probe="memcached"),
    case("tls", "memcached-behind-tls", 11212, probe="memcached"),
    case("tcp", "memcached-wants-a-login", 11213, LOGIN, "probe", probe="memcached", says="unauthenticated"),
]
MQTT = [
    case("tcp", "mqtt-good", 1883, probe="mqtt"),
    case("tls", "mqtt-behind-tls", 8883, probe="mqtt"),
    case("tcp", "mqtt-wants-a-login", 1884, LOGIN, "probe", probe="mqtt"),
    case("tcp", "mqtt-full", 1885, HUNG_UP, "probe", probe="mqtt"),
    case("tls", "mqtt-wants-a-certificate", 8884, DEMANDED, "settle", probe="mqtt"),
    case("tls", "mqtt-is-shown-one", 8884, probe="mqtt", tls=client("client")),
    case("tcp", "mqtt-asked-by-http", 1883, HUNG_UP, "probe", probe="http"),
]
WEB = [
    case("tcp", "web-good", 80, probe=http("/", body="all is well")),
    case("tls", "web-behind-tls", 443, probe=http("/", header="Content-Type: text/plain")),
    case("tcp", "web-moved", 80, probe=http("/moved")),
    case("tcp", "web-moved-is-bad", 80, STATUS, "probe", probe=http("/moved", status="200-299"), says="301"),
    case("tcp", "web-wants-a-login", 80, LOGIN, "probe", probe=http("/login"), says="401"),
    case("tcp", "web-forbidden", 80, LOGIN, "probe", probe=http("/forbidden"), says="403"),
    case("tcp", "web-missing", 80, STATUS, "probe", probe=http("/missing"), says="404"),
    case("tcp", "web-broken", 80, STATUS, "probe", probe=http("/broken"), says="503"),
    case("tcp", "web-empty", 80, probe=http("/empty", status="204")),
    case("tcp", "web-hangs-up", 80, HUNG_UP, "probe", probe=http("/hangs-up")),
    case("tcp", "web-another-body", 80, MISMATCH, "probe", probe=http("/", body="all is lost")),
    case("tcp", "web-another-header", 80, MISMATCH, "probe", probe=http("/", header="X-Role: primary")),
    case("tcp", "web-in-plain-on-the-tls-port", 443, STATUS, "probe", probe="http", says="400"),
    # nginx says it by HTTP alone (FAILURES.md, note 8): only a probe sees it.
    case("tls", "web-wants-a-certificate", 4432, STATUS, "probe", probe="http", says="400"),
    case("tls", "web-is-shown-one", 4432, probe="http", tls=client("client")),
    case("tls", "web-proxy-protocol-1", 4435, probe=http("/", body="127.0.0.1"), keys={"proxy_protocol": "v1"}),
    case("tls", "web-proxy-protocol-2", 4435, probe=http("/", body="127.0.0.1"), keys={"proxy_protocol": "v2"}),
    case("tcp", "web-asked-by-redis", 80, (MISMATCH, HUNG_UP), "probe", probe="redis"),
]
# What one types: the scheme knows the port, and what to ask.
URLS = [
    ("http://127.0.0.1", None),
    ("http://127.0.0.1/broken", STATUS),
    ("https://127.0.0.1/login", LOGIN),
    ("https://127.0.0.1", None),
    ("redis://127.0.0.1", None),
    ("rediss://127.0.0.1:6380", None),
    ("memcached://127.0.0.1", None),
    ("mqtt://127.0.0.1", None),
    ("mqtts://127.0.0.1", None),
    ("postgres://127.0.0.1", LOGIN),  # it wants TLS of whoever logs in
    ("postgres+starttls://127.0.0.1", None),
    ("mysql://127.0.0.1", None),
    ("mysql+starttls://127.0.0.1", None),
    ("ldap+starttls://127.0.0.1", None),
    ("ldaps://127.0.0.1", None),
]
CASES = LDAP + POSTGRES + MARIADB + REDIS + MEMCACHED + MQTT + WEB


@pytest.fixture(scope="module")
def world_of_servers(serve, authority, server, expired, own_files):
    redis = serve(servers_data.redis, authority, server)
    (own_files / "redis.sock").symlink_to(redis.files / "redis.sock")
    yield (redis, serve(servers_data.mariadb, authority, server), serve(servers_data.postgres, authority, server, expired),
           serve(servers_data.slapd, authority, server),
           serve(servers_data.memcached, authority, server), serve(servers_data.mosquitto, authority, server),
           serve(servers_data.nginx, authority, server, expired), fill())


def fill():
    """Connections that take all the room of the servers that have little of it."""
    rooms = [(3308, 11, b""), (6382, 1, b"PING\r\n"), (1885, 1, b"\x10\x0d\0\4MQTT\4\2\0\0\0\1x")]
    held = []
    for port, count, first in rooms:
        for _ in range(count):
            connection = socket.create_connection(("127.0.0.1", port), timeout=30)
            held.append(connection)
            connection.sendall(first)
            assert connection.recv(4096)
    return held


@servers_cases.parametrized(CASES)
def test_check(world_of_servers, own_files, case):
    servers_cases.judge_check(case, own_files)


@servers_cases.parametrized(CASES)
def test_daemon(holdfast, case):
    servers_cases.judge_daemon(case, holdfast)


@pytest.mark.parametrize("url, code", URLS)
def test_url(world_of_servers, own_files, url, code):
    secured = "+starttls:" in url or url.split(":")[0] in ("https", "rediss", "mqtts", "ldaps")
    report, status = servers_cases.run_check([url, *[f"--ca-file={own_files}/ca.pem"] * secured])
    attempt, = report["attempts"]
    assert attempt.get("failure", {}).get("code") == code and (status == 0) == (code is None), report


def test_while_ready(world_of_servers, start):
    """A server that begins to answer with errors, or stops answering, loses the link; TCP alone would have noticed neither."""
    probe = {"kind": "redis", "interval": "200ms", "failures": 2}
    daemon = start([upstream("x", "127.0.0.1:6385", probe=probe, timeouts={"probe": "500ms"})])
    daemon.wait_up("x")
    with socket.create_connection(("127.0.0.1", 6385), timeout=30) as administrator:
        def command(words):
            administrator.sendall(words + b"\r\n")
            assert administrator.recv(4096) == b"+OK\r\n"
        command(b"REPLICAOF 127.0.0.1 1")
        failure = daemon.wait_failure("x", STATUS, stage="ready")
        assert "MASTERDOWN" in failure["evidence"]
        command(b"REPLICAOF NO ONE")
        daemon.wait_up("x")
        command(b"CLIENT PAUSE 3000 ALL")
        daemon.wait_failure("x", "timeout.heartbeat", stage="ready")
        daemon.wait_up("x")


def test_again_and_again(world_of_servers, own_files, start):
    again = [one for one in CASES if not one.code and "probe" in one.keys]
    # Before a login there is nothing that these could be asked twice.
    once = ("postgres-somebody", "postgres-nobody-in-particular", "mysql-nobody-in-particular")
    servers_cases.judge_again(start, again, own_files, once)
