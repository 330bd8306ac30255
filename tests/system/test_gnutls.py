"""GnuTLS as the other side: handshakes, alerts, and the late verdict on client certificates of a TLS library that is not ours."""
import pytest

import servers
import servers_cases
from daemon import eventually
from servers_cases import Case, client

TLS12, TLS13 = "NORMAL:-VERS-ALL:+VERS-TLS1.2", "NORMAL:-VERS-ALL:+VERS-TLS1.3"

# What each gnutls-serv is told besides its port and its certificate.
SERVERS = {
    5001: f"--echo --disable-client-cert --priority {TLS12}",
    5002: f"--echo --disable-client-cert --priority {TLS13}",
    5003: f"--echo --require-client-cert --verify-client-cert --priority {TLS12}",
    5004: f"--echo --require-client-cert --verify-client-cert --priority {TLS13}",
    5005: "--echo --disable-client-cert --priority NORMAL:-CIPHER-ALL:+AES-256-GCM:-VERS-ALL:+VERS-TLS1.2",
    5006: "--echo --disable-client-cert --priority NORMAL:-GROUP-ALL:+GROUP-SECP521R1:-VERS-ALL:+VERS-TLS1.3",
    5007: "--echo --disable-client-cert --alpn h2 --alpn-fatal",
    5008: "--echo --disable-client-cert --sni-hostname other.test --sni-hostname-fatal",
    5009: "--echo --priority NORMAL:-VERS-ALL:+VERS-TLS1.3",
    5010: "--echo --disable-client-cert --priority NORMAL:-VERS-ALL:+VERS-TLS1.0:%COMPAT",
}


def gnutls(folder, authority, good):
    script = "".join(f"gnutls-serv --quiet --port {port} --x509certfile /holdfast/server.pem --x509keyfile /holdfast/server.key "
                     f"--x509cafile /holdfast/ca.pem {options} &\n" for port, options in SERVERS.items())
    return servers.Server(folder, script + "wait\n", {}, SERVERS, servers.tls_files(authority, good))


def tls(name, port, *expected, **options):
    return Case(name, "tls", f"127.0.0.1:{port}", *expected, **options)


CASES = [
    tls("good-1.2", 5001),
    tls("good-1.3", 5002),
    tls("certificate-asked-1.2", 5003, "tls.client-certificate-required", "handshake", says="decode_error(50)"),
    tls("certificate-asked-1.3", 5004, "tls.client-certificate-required", "settle", says="certificate_required(116)"),
    tls("certificate-shown-1.2", 5003, tls=client("client")),
    tls("certificate-shown-1.3", 5004, tls=client("client")),
    # Whatever gnutls-serv does not like about a certificate, it says access_denied.
    tls("certificate-of-a-stranger-1.2", 5003, "tls.client-access-denied", "handshake", tls=client("stranger")),
    tls("certificate-of-a-stranger-1.3", 5004, "tls.client-access-denied", "settle", tls=client("stranger")),
    tls("certificate-expired-1.2", 5003, "local.certificate-expired", "handshake", tls=client("expired")),
    tls("certificate-expired-1.3", 5004, "local.certificate-expired", "settle", tls=client("expired")),
    tls("certificate-welcome-not-needed", 5009),
    tls("no-cipher", 5005, "tls.no-overlap", "handshake", tls={"ciphers": "ECDHE-ECDSA-AES128-GCM-SHA256", "max_version": "1.2"}),
    tls("no-group", 5006, "tls.no-overlap", "handshake", tls={"groups": "X25519"}),
    tls("another-group", 5006),
    # GnuTLS counts a version among what does not overlap: alert 40, not 70.
    tls("only-1.3-offered", 5001, "tls.no-overlap", "handshake", tls={"min_version": "1.3"}, says="handshake_failure(40)"),
    tls("only-1.2-offered", 5002, "tls.no-overlap", "handshake", tls={"max_version": "1.2"}, says="handshake_failure(40)"),
    tls("only-old-versions", 5010, "tls.version", "handshake"),
    tls("alpn", 5007, tls={"alpn": ["h2"], "alpn_required": True}),
    tls("alpn-refused", 5007, "tls.alpn", "handshake", tls={"alpn": ["http/1.1"]}),
    tls("name-refused", 5008, "tls.name-refused", "handshake", tls={"sni": "site.test"}),
]


@pytest.fixture(scope="module")
def world_of_servers(serve, authority, server):
    return serve(gnutls, authority, server)


@servers_cases.parametrized(CASES)
def test_check(world_of_servers, own_files, case):
    servers_cases.judge_check(case, own_files)


@servers_cases.parametrized(CASES)
def test_daemon(holdfast, case):
    servers_cases.judge_daemon(case, holdfast)


@pytest.mark.parametrize("name", ["good-1.2", "good-1.3", "certificate-shown-1.2", "certificate-shown-1.3"])
def test_resumption(holdfast, name):
    """The next connection resumes GnuTLS's session, also where our certificate was asked for; the verdict is not waited for in vain."""
    def link():
        return holdfast.upstream(name)["links"][0]
    holdfast.wait_up(name)
    first = link()["source"]
    holdfast.call("Reconnect", name=name)
    second = eventually(lambda: (lambda one: one if one["stage"] == "ready" and one.get("source") != first else None)(link()),
                        "another connection")
    assert second["tls"]["resumed"], second
