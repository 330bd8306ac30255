"""Servers that only do TLS, or the web: nginx, stunnel and HAProxy, each with what goes wrong in front of real services."""
import pytest

import peers
import servers_cases
import servers_data
import servers_proxy
from daemon import eventually
from servers_cases import Case, client

EARLY = ("connection.closed-early", "connection.truncated", "connection.reset")
# What comes of a reset depends on whether our ClientHello was faster.
HUNG_UP = ("tls.closed", "tls.reset", "connection.reset-early")


def tls(name, port, *expected, **options):
    return Case(name, "tls", f"localhost:{port}", *expected, keys={"family": "ipv4"}, **options)


CASES = [
    tls("nginx", 443),
    tls("nginx-alpn", 443, tls={"alpn": ["h2"], "alpn_required": True}),
    tls("nginx-plain-port", 80, "tls.not-tls", "handshake", says="HTTP"),
    Case("nginx-plain", "tcp", "127.0.0.1:80"),
    tls("nginx-no-such-site", 4431, "tls.name-refused", "handshake", says="localhost"),
    tls("nginx-such-a-site", 4431, tls={"sni": "site.test"}),
    # It never fails the handshake for want of a certificate: HTTP tells (FAILURES.md, note 8).
    tls("nginx-wants-a-certificate", 4432),
    tls("nginx-is-shown-one", 4432, tls=client("client")),
    tls("nginx-no-common-version", 4433, "tls.version", "handshake", tls={"min_version": "1.3"}),
    tls("nginx-expired", 4434, "tls.certificate-expired", "handshake"),
    tls("nginx-wants-proxy-protocol", 4435, HUNG_UP),

    tls("stunnel", 7001),
    tls("stunnel-no-backend", 7002, EARLY, late=True),
    tls("stunnel-wants-a-certificate", 7003, "tls.client-certificate-required", "settle"),
    tls("stunnel-is-shown-one", 7003, tls=client("client")),
    tls("stunnel-is-shown-a-stranger", 7003, "tls.client-certificate-unknown-issuer", "settle", tls=client("stranger")),
    tls("stunnel-is-shown-an-old-one", 7003, "tls.client-certificate-expired", "settle", tls=client("expired")),
    tls("stunnel-no-cipher", 7004, "tls.no-overlap", "handshake", tls={"ciphers": "ECDHE-ECDSA-AES128-GCM-SHA256"}),

    tls("haproxy", 8001),
    tls("haproxy-wants-a-certificate", 8002, "tls.client-certificate-required", "settle", says="certificate_required(116)"),
    tls("haproxy-is-shown-one", 8002, tls=client("client")),
    tls("haproxy-is-shown-the-wrong-kind", 8002, "tls.client-certificate-rejected", "settle", tls=client("not-for-clients")),
    tls("haproxy-is-shown-a-stranger", 8002, "tls.client-certificate-unknown-issuer", "settle", tls=client("stranger")),
    tls("haproxy-wants-a-certificate-1.2", 8002, "tls.client-certificate-required", "handshake", tls={"max_version": "1.2"}),
    tls("haproxy-no-such-site", 8003, "tls.name-refused", "handshake", tls={"sni": "site.test"}),
    tls("haproxy-such-a-site", 8003),
    tls("haproxy-no-backend", 8004, EARLY, late=True),
    tls("haproxy-wants-proxy-protocol", 8005, HUNG_UP),
    tls("haproxy-rejects", 8006, HUNG_UP),
    tls("haproxy-web", 8007, tls={"alpn": ["http/1.1"], "alpn_required": True}),
]


@pytest.fixture(scope="module")
def world_of_servers(serve, authority, server, expired):
    backend = peers.Peer(peers.hold, port=7)
    yield {recipe.__name__: serve(recipe, authority, server, *others) for recipe, *others in (
        (servers_data.nginx, expired), (servers_proxy.stunnel,), (servers_proxy.haproxy,))}
    backend.close()


@servers_cases.parametrized(CASES)
def test_check(world_of_servers, own_files, case):
    servers_cases.judge_check(case, own_files)


@servers_cases.parametrized(CASES)
def test_daemon(holdfast, case):
    servers_cases.judge_daemon(case, holdfast)


@pytest.mark.parametrize("name", ["nginx", "haproxy", "stunnel"])
def test_crash_and_restart(world_of_servers, holdfast, name):
    """The server dies in the middle of it: TCP ends without TLS's goodbye, then nothing listens, and then all is well again."""
    holdfast.wait_up(name)
    world_of_servers[name].close()
    eventually(lambda: {"connection.truncated", "connection.reset"} & {one["code"] for one in holdfast.history(name)}, "the end")
    holdfast.wait_failure(name, "connection.refused", stage="connect")
    world_of_servers[name].start()
    holdfast.wait_up(name)
