"""Scenarios of class tls: negotiation, the server's certificate, ours."""
import ssl
import subprocess
import time

from cryptography import x509

import ocsp
import peers
import pki
from daemon import eventually
from scenarios import scenario

TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
YESTERDAY, TOMORROW = pki.now() - pki.DAY, pki.now() + pki.DAY
EXPIRED = {"start": pki.now() - 10 * pki.DAY, "end": YESTERDAY}


def level_0(entity=None, ciphers="ALL:@SECLEVEL=0"):
    """A server's context that takes whatever there is."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers(ciphers)
    if entity:
        context.load_cert_chain(entity.certificate_file, entity.key_file)
    return context


def after_hello(then):
    """Wait for the ClientHello first."""
    def serve(connection):
        connection.recv(65536)
        then(connection)
    return serve


def saying(number):
    """A fatal alert, and then a reset."""
    def serve(connection):
        connection.sendall(peers.alert(number))
        peers.reset(connection)
    return after_hello(serve)


# ---- negotiation -----------------------------------------------------------------------------------------------------

@scenario("tls.not-tls", "handshake")
def not_tls(scene):
    """an SSH server greets"""
    return scene.tls(peers.say(b"SSH-2.0-OpenSSH_9.2p1\r\n"))


@scenario("tls.closed", "handshake")
def closed(scene):
    """the server ends the connection after the ClientHello"""
    return scene.tls(after_hello(peers.close_at_once))


@scenario("tls.reset", "handshake")
def reset(scene):
    """the server resets the connection after the ClientHello"""
    return scene.tls(after_hello(peers.reset))


@scenario("tls.version", "handshake")
def version(scene):
    """the server knows TLS 1.2 only, and 1.3 is the least we take"""
    return scene.tls(scene.serving(scene.server(), maximum=TLS12), min_version="1.3")


@scenario("tls.no-overlap", "handshake")
def no_overlap(scene):
    """no cipher in common"""
    return scene.tls(scene.serving(scene.server(), maximum=TLS12, ciphers="ECDHE-ECDSA-AES256-GCM-SHA384"),
                     ciphers="ECDHE-ECDSA-AES128-GCM-SHA256")


# 1024 bits: less than security level 2 accepts.
SMALL_DH = """\
-----BEGIN DH PARAMETERS-----
MIGHAoGBAOcKVo5VJ5Ax/1AqJRhFnH24jiFPEnKSzMl8x5221YSS3jIFAfA13ZmO
8eeShKl0/LzFhHnJAdsYBf/z+8zZrMCI8HXPxU7SidPP1Xr6xSyeTs+D66FU1+eK
z5g+Uw6rllmi21o5pxJrL6tRGJLPFpQOmcYKscjugLF3XJ+wFdjPAgEC
-----END DH PARAMETERS-----
"""


@scenario("tls.weak-parameters", "handshake")
def weak_parameters(scene):
    """Diffie-Hellman with 1024 bits"""
    context = level_0(scene.server(key=pki.rsa_key()))
    context.maximum_version = TLS12
    context.load_dh_params(scene.file("dh.pem", SMALL_DH))
    return scene.tls(peers.tls(context), ciphers="DHE-RSA-AES128-GCM-SHA256", max_version="1.2", security_level=2)


@scenario("tls.alpn", "handshake")
def alpn(scene):
    """h2 is required, and the server selects nothing"""
    return scene.tls(scene.serving(scene.server()), alpn=["h2"], alpn_required=True)


@scenario("tls.name-refused", "handshake")
def name_refused(scene):
    """alert 112, with a reset behind it"""
    return scene.tls(saying(112))


@scenario("tls.psk-rejected", "handshake")
def psk_rejected(scene):
    """alert 115, with a reset behind it"""
    return scene.tls(saying(115))


@scenario("tls.peer-internal", "handshake")
def peer_internal(scene):
    """alert 80, with a reset behind it"""
    return scene.tls(saying(80))


@scenario("tls.peer-alert", "handshake")
def peer_alert(scene):
    """alert 86, for which OpenSSL has no name"""
    return scene.tls(saying(86))


@scenario("tls.protocol", "handshake")
def protocol(scene):
    """ServerHelloDone where ServerHello belongs"""
    return scene.tls(peers.answer(b"\x16\x03\x03\x00\x04\x0e\x00\x00\x00"))


@scenario("tls.corrupt", "handshake")
def corrupt(scene):
    """alert 20, with a reset behind it"""
    return scene.tls(saying(20))


# ---- the server's certificate ----------------------------------------------------------------------------------------

@scenario("tls.certificate-expired", "handshake")
def expired(scene):
    """it ended yesterday"""
    return scene.tls(scene.serving(scene.server(**EXPIRED)))


@scenario("tls.certificate-not-yet-valid", "handshake")
def not_yet_valid(scene):
    """it begins tomorrow"""
    return scene.tls(scene.serving(scene.server(start=TOMORROW)))


@scenario("tls.certificate-name", "handshake")
def name(scene):
    """it is for another name, although its subject is ours"""
    return scene.tls(scene.serving(scene.server(names=("other.test",), subject="localhost")))


@scenario("tls.certificate-self-signed", "handshake")
def self_signed(scene):
    """it is signed by itself"""
    return scene.tls(scene.serving(scene.authority.self_signed("selfsigned")))


def stranger(scene):
    return pki.Authority(scene.folder / "stranger", "a stranger")


@scenario("tls.certificate-unknown-issuer", "handshake")
def unknown_issuer(scene):
    """a CA we do not know has signed it"""
    return scene.tls(scene.serving(stranger(scene).issue("strange")))


@scenario("tls.certificate-untrusted-root", "handshake")
def untrusted_root(scene):
    """likewise, and the server sends that CA along"""
    other = stranger(scene)
    entity = other.issue("strange")
    entity.issuers = [other.certificate]
    entity.write_certificate(include_issuers=True)
    return scene.tls(scene.serving(entity))


@scenario("tls.certificate-chain-incomplete", "handshake")
def chain_incomplete(scene):
    """the intermediate is not sent, but the leaf says where it is"""
    middle = pki.Authority(scene.folder / "middle", "the middle", parent=scene.authority)
    entity = middle.issue("leaf", aia="http://ca.test/middle.crt")
    entity.write_certificate(include_issuers=False)
    return scene.tls(scene.serving(entity))


@scenario("tls.certificate-chain-invalid", "handshake")
def chain_invalid(scene):
    """what has signed it is no CA"""
    fake = pki.Authority(scene.folder / "fake", "no authority", parent=scene.authority, ca=False)
    return scene.tls(scene.serving(fake.issue("leaf")))


@scenario("tls.certificate-revoked", "handshake")
def revoked(scene):
    """the CRL names it"""
    bad = scene.server()
    crl = scene.authority.revocation_list("scenario-revoked.crl", [bad])
    return scene.tls(scene.serving(bad), crl_file=str(crl))


@scenario("tls.certificate-purpose", "handshake")
def purpose(scene):
    """it is for clients"""
    return scene.tls(scene.serving(scene.server(usage=pki.CLIENT)))


@scenario("tls.certificate-weak", "handshake")
def weak(scene):
    """RSA with 1024 bits"""
    return scene.tls(peers.tls(level_0(scene.server(key=pki.weak_rsa_key()))), security_level=2)


@scenario("tls.certificate-malformed", "handshake")
def malformed(scene):
    """its alternative names do not parse"""
    bad = scene.server(names=(), extra=[
        (x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.17"), b"\x30\x03\x82\x05a"), False)])
    return scene.tls(peers.present(pki.der(bad.certificate)))


@scenario("tls.certificate-pin", "handshake")
def pin(scene):
    """its key is not pinned"""
    return scene.tls(scene.serving(scene.server()), pins=["00" * 32])


@scenario("tls.crl-missing", "handshake")
def crl_missing(scene):
    """the CRL is another issuer's"""
    return scene.tls(scene.serving(scene.server()), crl_file=str(stranger(scene).revocation_list("strange.crl")))


@scenario("tls.crl-unusable", "handshake")
def crl_unusable(scene):
    """the CRL ended yesterday"""
    return scene.tls(scene.serving(scene.server()),
                     crl_file=str(scene.authority.revocation_list("scenario-expired.crl", end=YESTERDAY)))


def stapling(scene, entity, response=None, **tls):
    """A server of openssl(1) that staples `response`, if there is one."""
    port = peers.free_port()
    words = ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", str(entity.certificate_file),
             "-key", str(entity.key_file), "-quiet", "-naccept", "1000"]
    if response:
        words += ["-status_file", scene.file("ocsp.der", response)]
    server = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    scene.stack.callback(lambda: (server.kill(), server.wait(), server.stdin.close()))
    eventually(lambda: peers.is_listening(port), "openssl s_server")
    return {"address": f"localhost:{port}", "family": "ipv4", "tls": {"ca_file": str(scene.authority.file), **tls}}


@scenario("tls.ocsp-missing", "handshake")
def ocsp_missing(scene):
    """OCSP is required, and nothing is stapled"""
    return stapling(scene, scene.server(), ocsp="require")


@scenario("tls.ocsp-invalid", "handshake")
def ocsp_invalid(scene):
    """the stapled response is stale"""
    entity = scene.server()
    stale = ocsp.response(scene.authority, entity, start=pki.now() - 9 * pki.DAY, end=pki.now() - 2 * pki.DAY)
    return stapling(scene, entity, stale, ocsp="check")


@scenario("tls.certificate-other", "handshake")
def certificate_other(scene):
    """anonymous key exchange: no certificate at all"""
    context = level_0(ciphers="aNULL:@SECLEVEL=0")
    context.maximum_version = TLS12
    return scene.tls(peers.tls(context), ciphers="aNULL", max_version="1.2", security_level=0)


# ---- ours ------------------------------------------------------------------------------------------------------------

def demanding(scene, ours=None, maximum=TLS13):
    """A server that wants a certificate of a client's, to which we show `ours`."""
    serve = scene.serving(scene.server(), ca_file=scene.authority.file, client="required", maximum=maximum)
    files = {"certificate": str(ours.certificate_file), "key": str(ours.key_file)} if ours else {}
    return scene.tls(serve, **files)


@scenario("tls.client-certificate-required", "settle", "handshake")
def required(scene):
    """TLS 1.3, the server wants one and gets none"""
    return demanding(scene)


@scenario("tls.client-certificate-unknown-issuer", "settle", "handshake")
def client_unknown_issuer(scene):
    """TLS 1.3, the server does not know our issuer"""
    return demanding(scene, stranger(scene).issue("client", usage=pki.CLIENT))


@scenario("tls.client-certificate-expired", "settle", "handshake")
def client_expired(scene):
    """TLS 1.3, ours ended yesterday"""
    return demanding(scene, scene.authority.issue("client", usage=pki.CLIENT, **EXPIRED))


@scenario("tls.client-certificate-rejected", "settle", "handshake")
def client_rejected(scene):
    """TLS 1.3, ours is for servers"""
    return demanding(scene, scene.authority.issue("client", usage=pki.SERVER))


@scenario("tls.client-access-denied", "handshake")
def access_denied(scene):
    """TLS 1.2, alert 49 after ours"""
    server, ours = scene.server(), scene.authority.issue("client", usage=pki.CLIENT)
    return scene.tls(peers.demand_and_refuse(pki.der(server.certificate), server.key, 49), max_version="1.2",
                     certificate=str(ours.certificate_file), key=str(ours.key_file))
