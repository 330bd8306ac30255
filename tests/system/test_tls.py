"""Class tls: negotiation, the server's certificate, and ours."""
import datetime
import ssl

import pytest
from cryptography import x509

import peers
import pki
import varlink
from daemon import eventually, upstream

DAY = datetime.timedelta(days=1)


@pytest.fixture
def against(start, peer, authority):
    """against(serve, …): a daemon whose upstream `x` is a TLS client of `serve`, trusting the test's CA."""
    def make(serve, **tls):
        one = peer(serve)
        tls = {"ca_file": str(authority.file), **tls}
        tls = {key: value for key, value in tls.items() if value is not None}
        return start([upstream("x", f"localhost:{one.port}", family="ipv4", tls=tls)])
    return make


# ---- negotiation -----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("serve, protocol", [
    (peers.answer(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "HTTP"),
    (peers.say(b"220 mail.example ESMTP\r\n"), "SMTP"),
    (peers.say(b"SSH-2.0-OpenSSH_9.2p1\r\n"), "SSH"),
    (peers.say(b"* OK IMAP4rev1 ready\r\n"), "IMAP"),
    (peers.say(b"+OK POP3 ready\r\n"), "POP3"),
    (peers.answer(b"-ERR unknown command\r\n"), None),
])
def test_not_tls(against, serve, protocol):
    failure = against(serve).wait_failure("x", "tls.not-tls", stage="handshake")
    assert failure["evidence"], "the peer's first bytes"
    if protocol:
        assert protocol in failure["hint"]


def test_closed(against):
    def close_after_hello(connection):
        connection.recv(65536)
        peers.close_at_once(connection)
    against(close_after_hello).wait_failure("x", "tls.closed", stage="handshake")


def test_reset(against):
    def reset_after_hello(connection):
        connection.recv(65536)
        peers.reset(connection)
    failure = against(reset_after_hello).wait_failure("x", "tls.reset", stage="handshake")
    assert failure["error"] == "ECONNRESET"


def test_version(against, server):
    old = peers.tls_context(server, maximum=ssl.TLSVersion.TLSv1_2)
    failure = against(peers.tls(old), min_version="1.3").wait_failure("x", "tls.version", stage="handshake")
    assert "protocol_version(70)" in failure.get("alert", "protocol_version(70)")


def test_no_overlap(against, server):
    context = peers.tls_context(server, maximum=ssl.TLSVersion.TLSv1_2, ciphers="ECDHE-ECDSA-AES256-GCM-SHA384")
    against(peers.tls(context), ciphers="ECDHE-ECDSA-AES128-GCM-SHA256").wait_failure("x", "tls.no-overlap")


def test_alpn(against, server):
    against(peers.tls(peers.tls_context(server)), alpn=["h2"], alpn_required=True).wait_failure("x", "tls.alpn")


@pytest.mark.parametrize("number, code, name", [
    (40, "tls.no-overlap", "handshake_failure(40)"),
    (70, "tls.version", "protocol_version(70)"),
    (71, "tls.no-overlap", "insufficient_security(71)"),
    (80, "tls.peer-internal", "internal_error(80)"),
    (86, "tls.peer-alert", "inappropriate_fallback(86)"),
    (112, "tls.name-refused", "unrecognized_name(112)"),
    (115, "tls.psk-rejected", "unknown_psk_identity(115)"),
    (120, "tls.alpn", "no_application_protocol(120)"),
    (50, "tls.peer-alert", "decode_error(50)"),
    (20, "tls.corrupt", "bad_record_mac(20)"),
    (51, "tls.corrupt", "decrypt_error(51)"),
])
def test_alerts_of_the_server(against, number, code, name):
    """An alert, also one behind which a reset follows at once, outranks errno."""
    def alert_then_reset(connection):
        connection.recv(65536)
        connection.sendall(peers.alert(number))
        peers.reset(connection)
    failure = against(alert_then_reset).wait_failure("x", code, stage="handshake")
    assert failure["alert"] == f"received {name}"


def test_protocol_violation(against):
    def violate(connection):
        connection.recv(65536)
        connection.sendall(b"\x16\x03\x03\x00\x04\x0e\x00\x00\x00")  # ServerHelloDone where ServerHello belongs
        peers.hold(connection)
    against(violate).wait_failure("x", "tls.protocol", stage="handshake")


# 1024 bits: less than security level 2 accepts.
SMALL_DH = """\
-----BEGIN DH PARAMETERS-----
MIGHAoGBAOcKVo5VJ5Ax/1AqJRhFnH24jiFPEnKSzMl8x5221YSS3jIFAfA13ZmO
8eeShKl0/LzFhHnJAdsYBf/z+8zZrMCI8HXPxU7SidPP1Xr6xSyeTs+D66FU1+eK
z5g+Uw6rllmi21o5pxJrL6tRGJLPFpQOmcYKscjugLF3XJ+wFdjPAgEC
-----END DH PARAMETERS-----
"""


def test_weak_parameters(against, authority, tmp_path):
    parameters = tmp_path / "dh.pem"
    parameters.write_text(SMALL_DH)
    context = context_at_level_0(authority.issue("rsa", key=pki.rsa_key()))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.load_dh_params(parameters)
    failure = against(peers.tls(context), ciphers="DHE-RSA-AES128-GCM-SHA256", max_version="1.2",
                      security_level=2).wait_failure(
        "x", "tls.weak-parameters", stage="handshake")
    assert failure["error"] == "SSL_R_DH_KEY_TOO_SMALL"


def test_a_server_without_a_certificate(against):
    """Anonymous key exchange: nothing was shown that could be judged."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("aNULL:@SECLEVEL=0")
    daemon = against(peers.tls(context), ciphers="aNULL", max_version="1.2", security_level=0)
    daemon.wait_failure("x", "tls.certificate-other", stage="handshake")


# ---- the server's certificate ----------------------------------------------------------------------------------------

def serving(entity, **options):
    return peers.tls(peers.tls_context(entity, **options))


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_expired(against, authority, version):
    bad = authority.issue("expired", start=pki.now() - 10 * DAY, end=pki.now() - DAY)
    failure = against(serving(bad, maximum=version)).wait_failure("x", "tls.certificate-expired", stage="handshake")
    assert failure["verify"] == "X509_V_ERR_CERT_HAS_EXPIRED depth=0"
    assert failure["life"] == "persistent" and failure["blame"] == "address"
    assert failure["chain"][0]["notAfter"].startswith(str((pki.now() - DAY).date()))
    assert str((pki.now() - DAY).date()) in failure["hint"]
    assert failure["chain"][0]["spkiSha256"] == bad.pin


def test_not_yet_valid(against, authority):
    bad = authority.issue("future", start=pki.now() + DAY)
    against(serving(bad)).wait_failure("x", "tls.certificate-not-yet-valid")


@pytest.mark.parametrize("names", [("other.test",), ("*.test",), ("l*calhost",), ()])
def test_name(against, authority, names):
    """No partial wildcards, and never the subject, which says localhost here."""
    bad = authority.issue("misnamed", names=names, subject="localhost")
    failure = against(serving(bad)).wait_failure("x", "tls.certificate-name")
    assert "localhost" in failure["hint"]


def test_an_address_must_be_a_name_of_the_certificate(start, peer, authority):
    bad = authority.issue("no-ip", names=("localhost",))
    one = peer(serving(bad))
    daemon = start([upstream("x", one.address, tls={"ca_file": str(authority.file)})])
    daemon.wait_failure("x", "tls.certificate-name")


def test_an_address_may_be_a_name_of_the_certificate(start, peer, authority, server):
    for host in ("127.0.0.1", "::1"):
        one = peer(serving(server), host=host)
        daemon = start([upstream("x", one.address, tls={"ca_file": str(authority.file)})])
        daemon.wait_up("x")


def test_self_signed(against, authority):
    against(serving(authority.self_signed("selfsigned"))).wait_failure("x", "tls.certificate-self-signed")


def test_unknown_issuer(against, tmp_path):
    stranger = pki.Authority(tmp_path / "stranger", "a stranger")
    failure = against(serving(stranger.issue("strange"))).wait_failure("x", "tls.certificate-unknown-issuer")
    assert "a stranger" in failure["hint"]


def test_untrusted_root(against, tmp_path):
    stranger = pki.Authority(tmp_path / "stranger", "a stranger")
    entity = stranger.issue("strange")
    entity.issuers = [stranger.certificate]
    entity.write_certificate(include_issuers=True)
    against(serving(entity)).wait_failure("x", "tls.certificate-untrusted-root")


def test_chain_incomplete(against, authority, tmp_path):
    middle = pki.Authority(tmp_path / "middle", "the middle", parent=authority)
    entity = middle.issue("leaf", aia="http://ca.test/middle.crt")
    entity.write_certificate(include_issuers=False)
    failure = against(serving(entity)).wait_failure("x", "tls.certificate-chain-incomplete")
    assert "http://ca.test/middle.crt" in failure["hint"]


def test_a_whole_chain_is_fine(against, authority, tmp_path):
    middle = pki.Authority(tmp_path / "middle", "the middle", parent=authority)
    daemon = against(serving(middle.issue("leaf")))
    daemon.wait_up("x")
    assert len(daemon.upstream("x")["links"][0]["tls"]["chain"]) == 2


def test_chain_invalid(against, authority, tmp_path):
    """A certificate that is no CA has signed the leaf."""
    fake = pki.Authority(tmp_path / "fake", "no authority", parent=authority, ca=False)
    against(serving(fake.issue("leaf"))).wait_failure("x", "tls.certificate-chain-invalid")


def test_purpose(against, authority):
    against(serving(authority.issue("client-only", usage=pki.CLIENT))).wait_failure("x", "tls.certificate-purpose")


def test_weak(against, authority):
    weak = authority.issue("weak", key=pki.weak_rsa_key())
    against(peers.tls(context_at_level_0(weak)), security_level=2).wait_failure("x", "tls.certificate-weak")


def context_at_level_0(entity):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.load_cert_chain(entity.certificate_file, entity.key_file)
    return context


def test_revoked(against, authority):
    bad = authority.issue("revoked")
    crl = authority.revocation_list("revoked.crl", [bad])
    failure = against(serving(bad), crl_file=str(crl)).wait_failure("x", "tls.certificate-revoked")
    assert failure["verify"].startswith("X509_V_ERR_CERT_REVOKED")


def test_crl_missing(against, authority, server, tmp_path):
    stranger = pki.Authority(tmp_path / "stranger", "a stranger")
    crl = stranger.revocation_list("strange.crl")
    failure = against(serving(server), crl_file=str(crl)).wait_failure("x", "tls.crl-missing")
    assert failure["blame"] == "local"


def test_crl_expired(against, authority, server):
    crl = authority.revocation_list("expired.crl", end=pki.now() - DAY)
    against(serving(server), crl_file=str(crl)).wait_failure("x", "tls.crl-unusable")


def test_pin(against, authority, server):
    failure = against(serving(server), pins=["00" * 32]).wait_failure("x", "tls.certificate-pin")
    assert server.pin in failure["hint"]


def test_pins_alone(against, authority):
    odd = authority.self_signed("pinned", names=("elsewhere.test",))
    against(serving(odd), ca_file=None, verify="pin", pins=[odd.pin]).wait_up("x")


def test_malformed_extension(against, authority):
    """A subject alternative name that does not parse (FAILURES.md, note 4)."""
    bad = authority.issue("malformed", names=(), extra=[
        (x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.17"), b"\x30\x03\x82\x05a"), False)])
    against(peers.present(pki.der(bad.certificate))).wait_failure("x", "tls.certificate-malformed")


def test_an_unhandled_critical_extension(against, authority):
    bad = authority.issue("critical", extra=[
        (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4.5"), b"\x05\x00"), True)])
    daemon = against(serving(bad))
    failure = daemon.wait_failure("x", "tls.certificate-chain-invalid")
    assert "X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION" in failure["verify"]


def test_the_worst_is_named_not_the_name(against, authority):
    """Expired and misnamed: expired is told (ruling 3)."""
    bad = authority.issue("both", names=("other.test",), start=pki.now() - 10 * DAY, end=pki.now() - DAY)
    against(serving(bad)).wait_failure("x", "tls.certificate-expired")


@pytest.mark.parametrize("verify", ["chain", "none"])
def test_less_verification(against, authority, verify):
    trust = {"ca_file": None} if verify == "none" else {}
    daemon = against(serving(authority.issue("elsewhere", names=("elsewhere.test",))), verify=verify, **trust)
    daemon.wait_up("x")
    if verify == "none":
        eventually(lambda: daemon.lines(event="warning", upstream="x"), "a warning that verification is off")


# ---- our certificate -------------------------------------------------------------------------------------------------

VERSIONS = pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])


def demanding(server, authority, version, then=peers.hold):
    return peers.tls(peers.tls_context(server, ca_file=authority.file, client="required", maximum=version), then)


@VERSIONS
def test_client_certificate_required(against, authority, server, version):
    failure = against(demanding(server, authority, version)).wait_failure("x", "tls.client-certificate-required")
    assert failure["stage"] == ("settle" if version == ssl.TLSVersion.TLSv1_3 else "handshake")
    assert failure["alert"].startswith("received ")


@VERSIONS
def test_client_certificate_unknown_issuer(against, authority, server, tmp_path, version):
    stranger = pki.Authority(tmp_path / "stranger", "a stranger").issue("client", usage=pki.CLIENT)
    daemon = against(demanding(server, authority, version), certificate=str(stranger.certificate_file),
                     key=str(stranger.key_file))
    daemon.wait_failure("x", "tls.client-certificate-unknown-issuer")


@VERSIONS
def test_our_expired_certificate(against, authority, server, version):
    """OpenSSL says alert 45, which has a row of its own."""
    ours = authority.issue("expired-client", usage=pki.CLIENT, start=pki.now() - 10 * DAY, end=pki.now() - DAY)
    daemon = against(demanding(server, authority, version), certificate=str(ours.certificate_file), key=str(ours.key_file))
    daemon.wait_failure("x", "tls.client-certificate-expired")


@VERSIONS
def test_our_expired_certificate_refused_for_another_reason(against, authority, server, tmp_path, version):
    """The server says unknown CA, but ours has indeed expired: that is for us to mend first."""
    ours = pki.Authority(tmp_path / "stranger", "a stranger").issue(
        "client", usage=pki.CLIENT, start=pki.now() - 10 * DAY, end=pki.now() - DAY)
    daemon = against(demanding(server, authority, version), certificate=str(ours.certificate_file), key=str(ours.key_file))
    failure = daemon.wait_failure("x", "local.certificate-expired")
    assert failure["blame"] == "local" and failure["alert"].startswith("received ")


@VERSIONS
def test_client_certificate_rejected(against, authority, server, version):
    """A certificate that is not for clients."""
    ours = authority.issue("not-for-clients", usage=pki.SERVER)
    daemon = against(demanding(server, authority, version), certificate=str(ours.certificate_file), key=str(ours.key_file))
    daemon.wait_failure("x", "tls.client-certificate-rejected")


def test_client_access_denied(against, authority, server):
    """Our certificate is valid and not allowed to connect: alert 49, after we have sent one."""
    ours = authority.issue("client", usage=pki.CLIENT)
    serve = peers.demand_and_refuse(pki.der(server.certificate), server.key, 49)
    daemon = against(serve, max_version="1.2", certificate=str(ours.certificate_file), key=str(ours.key_file))
    failure = daemon.wait_failure("x", "tls.client-access-denied", stage="handshake")
    assert failure["alert"] == "received access_denied(49)"


@VERSIONS
def test_a_good_client_certificate(against, authority, server, version):
    ours = authority.issue("client", usage=pki.CLIENT)
    daemon = against(demanding(server, authority, version), certificate=str(ours.certificate_file), key=str(ours.key_file))
    daemon.wait_up("x")
    assert not daemon.history("x")


# ---- sessions --------------------------------------------------------------------------------------------------------

@VERSIONS
def test_resumption(start, peer, authority, server, version):
    one = peer(peers.tls(peers.tls_context(server, maximum=version)))
    daemon = start([upstream("x", f"localhost:{one.port}", family="ipv4", tls={"ca_file": str(authority.file)})])
    daemon.wait_up("x")
    first = daemon.upstream("x")["links"][0]
    assert not first["tls"]["resumed"] and first["tls"]["version"] in ("TLSv1.2", "TLSv1.3")
    daemon.call("Reconnect", name="x")
    second = eventually(lambda: (lambda link: link if link["stage"] == "ready" and link["source"] != first["source"] else None)(
        daemon.upstream("x")["links"][0]), "another connection")
    assert second["tls"]["resumed"]
    assert second["tls"]["chain"] == first["tls"]["chain"], "the chain of the full handshake"


def test_reading_the_cas_is_not_connecting(start, peer, server):
    """The system's CA bundle takes milliseconds to read: the stage load has them, and connect begins at a later instant."""
    one = peer(peers.tls(peers.tls_context(server)))
    daemon = start([upstream("x", one.address, tls={"verify": "chain"}, enabled=False)])
    with varlink.Client(daemon.control) as watcher:
        watcher.send(varlink.full("Watch"), {"names": ["x"], "kinds": ["stage"]}, more=True)
        daemon.call("Status")  # another client's answer: the watcher has been heard
        daemon.call("Resume", name="x")
        times = {}
        while "connect" not in times:
            event = watcher.reply()[0]["event"]
            times.setdefault(event["stage"], event["time"])
    assert times["load"] < times["connect"]
