"""Certificates, keys, CAs and CRLs that change while links are up: looked at without any reload, and never to a link's harm
unless its peer is not trusted any more."""
import contextlib
import datetime
import os

from cryptography.hazmat.primitives import serialization

import peers
import pki
from daemon import eventually, upstream


def put(path, content):
    """Exchange the file at once, as one that knows what he does."""
    aside = path.with_name(path.name + ".new")
    aside.write_bytes(content)
    aside.rename(path)


def begin(folder, name, content):
    """A file of that name, which can be exchanged by put()."""
    path = folder / name
    path.write_bytes(content)
    return path


class Rename:
    """A file that is exchanged by rename(2)."""

    def __init__(self, folder, content):
        folder.mkdir()
        self.path = begin(folder, "ca.pem", content)

    def exchange(self, content):
        put(self.path, content)


class Kubernetes:
    """A folder that is a volume of a secret: ca.pem leads to ..data/ca.pem, and ..data to the folder of the day."""

    def __init__(self, folder, content):
        folder.mkdir()
        self.folder, self.path, self.day = folder, folder / "ca.pem", 0
        self.path.symlink_to("..data/ca.pem")
        self.exchange(content)

    def exchange(self, content):
        self.day += 1
        today = self.folder / f"..day{self.day}"
        today.mkdir()
        (today / "ca.pem").write_bytes(content)
        (self.folder / "..tmp").symlink_to(today.name)
        (self.folder / "..tmp").rename(self.folder / "..data")


class InPlace(Rename):
    """A file that is cut off and written piece by piece, with readers in between."""

    def exchange(self, content):
        with self.path.open("wb", buffering=0) as file:
            file.write(content[:len(content) // 2])
            os.fsync(file.fileno())
            file.write(content[len(content) // 2:])


def reasons(daemon, name):
    return daemon.upstream(name)["closes"]


def is_stale(daemon, name):
    return "stale-files" in daemon.upstream(name)["warnings"]


def stale_line(daemon, name, level):
    """The last line about its stale files, which is a warning, or a notice where that is over."""
    find = lambda: [line for line in daemon.lines(event="warning", upstream=name, reason="stale-files")[-1:] if line["level"] == level]
    return eventually(find, f"a {level} about the files of {name}")[0]


def health_of(daemon, name, closes=()):
    """What the log says of its health, one after the other, up to the closes for these reasons."""
    eventually(lambda: [line["reason"] for line in daemon.lines(event="close", upstream=name)] == list(closes) and
               daemon.lines(event="health", upstream=name), f"the closes of {name}: {closes}")
    return [line["health"] for line in daemon.lines(event="health", upstream=name)]


def test_a_crl_that_revokes_fails_the_live_link(tmp_path, start, peer, authority):
    server, other = authority.issue("revocable"), authority.issue("irrelevant")
    crl = begin(tmp_path, "crl.pem", authority.revocation_list("crl-none", []).read_bytes())
    one = peer(peers.tls(peers.tls_context(server)))
    daemon = start([upstream("x", one.address, tls={"ca_file": str(authority.file), "crl_file": str(crl)})])
    daemon.wait_up("x")
    # Nobody else's revocation concerns the link: it stays the very same connection.
    put(crl, authority.revocation_list("crl-other", [other]).read_bytes())
    since = daemon.upstream("x")["links"][0]["since"]
    put(crl, authority.revocation_list("crl-this", [other, server]).read_bytes())
    failure = daemon.wait_failure("x", "tls.certificate-revoked", stage="ready")
    assert failure["chain"][0]["subject"] and failure["address"] == one.address and "key" in failure["hint"].lower()
    daemon.wait_health("x", "down")
    daemon.wait_failure("x", "tls.certificate-revoked", stage="handshake")
    put(crl, authority.revocation_list("crl-again", [other]).read_bytes())
    daemon.wait_up("x")
    assert daemon.upstream("x")["links"][0]["since"] > since
    assert {one["code"] for one in daemon.history("x")} == {"tls.certificate-revoked"}
    assert not is_stale(daemon, "x")


def test_a_ca_exchanged_for_another_fails_the_live_link(tmp_path, start, peer, authority, server):
    stranger = pki.Authority(tmp_path / "stranger", "a stranger")
    good, bad = authority.file.read_bytes(), stranger.file.read_bytes()
    ways = {way.__name__: way(tmp_path / way.__name__, good) for way in (Rename, Kubernetes, InPlace)}
    one = peer(peers.tls(peers.tls_context(server)))
    daemon = start([upstream(name, one.address, connections=2, tls={"ca_file": str(way.path)}) for name, way in ways.items()])
    for name in ways:
        daemon.wait_up(name)
    for way in ways.values():
        way.exchange(bad)
    for name in ways:
        daemon.wait_failure(name, "tls.certificate-unknown-issuer", stage="ready", link=1)
        daemon.wait_failure(name, "tls.certificate-unknown-issuer", stage="ready", link=2)
        daemon.wait_health(name, "down")
    for way in ways.values():
        way.exchange(good + bad)
    for name in ways:
        daemon.wait_up(name)
        eventually(lambda: not is_stale(daemon, name), "no stale files")


def test_a_ca_that_still_trusts_keeps_the_connection(tmp_path, start, peer, authority, server):
    """Another CA is added: the same connection goes on, and nobody is called anew."""
    stranger = pki.Authority(tmp_path / "stranger", "a stranger")
    ca = begin(tmp_path, "ca.pem", authority.file.read_bytes())
    watched, witness = peer(peers.tls(peers.tls_context(server))), peer(peers.tls(peers.tls_context(server)))
    daemon = start([upstream("x", watched.address, tls={"ca_file": str(ca)}),
                    upstream("witness", witness.address, tls={"ca_file": str(ca)})])
    for name in ("x", "witness"):
        daemon.wait_up(name)
    put(ca, authority.file.read_bytes() + stranger.file.read_bytes())
    put(ca, stranger.file.read_bytes() + authority.file.read_bytes())
    # That the files have been looked at is seen by what comes of a third exchange.
    assert watched.accepted == 1 and daemon.history("x") == []
    put(ca, stranger.file.read_bytes())
    daemon.wait_failure("witness", "tls.certificate-unknown-issuer", stage="ready")
    assert reasons(daemon, "x").get("certificate-rotated", 0) == 0


class Listening:
    """A server that wants client certificates, and remembers the serial numbers of those that were shown."""

    def __init__(self, peer, server, authority):
        self.serials = []
        self.context = peers.tls_context(server, ca_file=authority.file, client="required")
        self.peer = peer(peers.tls(self.context, self.note))

    def note(self, wrapped):
        self.serials.append(int(wrapped.getpeercert()["serialNumber"], 16))
        peers.hold(wrapped)


def pair(folder, entity):
    """A certificate's and its key's file, as they are configured."""
    return (begin(folder, "ours.pem", entity.certificate_file.read_bytes()),
            begin(folder, "ours.key", entity.key_file.read_bytes()))


def test_a_renewed_client_certificate(tmp_path, start, peer, authority, server):
    """First the certificate, then the key: in between they do not match, the old pair is used, and that is said; then connections
    are renewed, the successor first."""
    old, new = authority.issue("ours-old", usage=pki.CLIENT), authority.issue("ours-new", usage=pki.CLIENT)
    certificate, key = pair(tmp_path, old)
    listening = Listening(peer, server, authority)
    daemon = start([upstream("x", listening.peer.address, connections=3, tls={
        "ca_file": str(authority.file), "certificate": str(certificate), "key": str(key)})])
    daemon.wait_up("x")
    put(certificate, new.certificate_file.read_bytes())
    eventually(lambda: is_stale(daemon, "x"), "the warning that the pair does not match")
    assert stale_line(daemon, "x", "warning")["code"] == "local.key-mismatch"
    assert daemon.upstream("x")["health"] == "up" and daemon.history("x") == []
    assert set(listening.serials) == {old.certificate.serial_number}
    put(key, new.key_file.read_bytes())
    eventually(lambda: reasons(daemon, "x").get("certificate-rotated") == 3, "three connections to be renewed")
    eventually(lambda: not is_stale(daemon, "x"), "the warning to be over")
    stale_line(daemon, "x", "notice")
    eventually(lambda: listening.serials.count(new.certificate.serial_number) == 3, "three times the new certificate")
    assert len(listening.serials) == 6
    assert health_of(daemon, "x", ["certificate-rotated"] * 3) in (["up"], ["degraded", "up"]), "never fewer than wanted once they were all ready"
    assert daemon.history("x") == [] and daemon.upstream("x")["ready"] == 3
    assert daemon.upstream("x")["counters"]["failed"] == 0


def test_a_renewed_certificate_that_is_refused_costs_no_connection(tmp_path, start, peer, authority, server):
    """A pair that matches, of another CA than the server's: every connection is kept, however often it is tried, and that is said."""
    stranger = pki.Authority(tmp_path / "stranger", "a stranger")
    old, refused = authority.issue("kept-old", usage=pki.CLIENT), stranger.issue("refused", usage=pki.CLIENT)
    certificate, key = pair(tmp_path, old)
    listening = Listening(peer, server, authority)
    daemon = start([upstream("x", listening.peer.address, connections=3, timeouts={"attempt": "1s"}, retry={"initial": "300ms", "max": "300ms"},
                             tls={"ca_file": str(authority.file), "certificate": str(certificate), "key": str(key)})])
    daemon.wait_up("x")
    told = lambda: [(line["level"], line.get("code")) for line in daemon.lines(event="warning", upstream="x", reason="rotation-stopped")]
    put(key, refused.key_file.read_bytes())
    put(certificate, refused.certificate_file.read_bytes())
    eventually(lambda: "rotation-stopped" in daemon.upstream("x")["warnings"], "the warning")
    # Many times the patience that a reload would have.
    eventually(lambda: len(daemon.history("x")) >= 12, "a dozen attempts")
    assert {(one["code"], one["link"]) for one in daemon.history("x")} == {("tls.client-certificate-unknown-issuer", 1)}
    assert daemon.upstream("x")["health"] == "up" and daemon.upstream("x")["ready"] == 3
    assert not any(reasons(daemon, "x").values()) and len(listening.serials) == 3
    assert told() == [("warning", "tls.client-certificate-unknown-issuer")], "it is said once"
    new = authority.issue("kept-new", usage=pki.CLIENT)
    put(key, new.key_file.read_bytes())
    put(certificate, new.certificate_file.read_bytes())
    eventually(lambda: reasons(daemon, "x").get("certificate-rotated") == 3, "three connections to be renewed")
    eventually(lambda: "rotation-stopped" not in daemon.upstream("x")["warnings"], "the end of the warning")
    eventually(lambda: [level for level, _ in told()] == ["warning", "notice"], "its end to be said")
    assert listening.serials.count(new.certificate.serial_number) == 3 and daemon.upstream("x")["ready"] == 3
    assert health_of(daemon, "x", ["certificate-rotated"] * 3) in (["up"], ["degraded", "up"]), "never fewer than wanted"


def test_a_renewal_half_done_outlives_the_loss_of_every_connection(tmp_path, start, peer, authority, server):
    old, new = authority.issue("half-old", usage=pki.CLIENT), authority.issue("half-new", usage=pki.CLIENT)
    certificate, key = pair(tmp_path, old)
    listening = Listening(peer, server, authority)
    daemon = start([upstream("x", listening.peer.address, tls={
        "ca_file": str(authority.file), "certificate": str(certificate), "key": str(key)})])
    daemon.wait_up("x")
    put(key, new.key_file.read_bytes())
    eventually(lambda: is_stale(daemon, "x"), "the warning that the pair does not match")
    listening.peer.reset_all()
    eventually(lambda: len(listening.serials) == 2, "another connection")
    daemon.wait_up("x")
    assert listening.serials == [old.certificate.serial_number] * 2
    put(certificate, new.certificate_file.read_bytes())
    eventually(lambda: listening.serials[-1] == new.certificate.serial_number, "the new pair to be shown")
    eventually(lambda: not is_stale(daemon, "x"), "the warning to be over")


def test_a_bad_new_file_is_said_and_the_old_one_kept(tmp_path, start, peer, authority, server):
    """Each of the files for itself; then all good again."""
    ours = authority.issue("ours-kept", usage=pki.CLIENT)
    good = {"ca_file": authority.file.read_bytes(), "crl_file": authority.revocation_list("crl-kept", []).read_bytes(),
            "certificate": ours.certificate_file.read_bytes(), "key": ours.key_file.read_bytes()}
    codes = {"ca_file": "local.ca-load", "crl_file": "local.ca-load", "certificate": "local.certificate-load",
             "key": "local.key-load"}
    one = peer(peers.tls(peers.tls_context(server, ca_file=authority.file, client="optional")))
    files, upstreams = {}, []
    for broken in good:
        folder = tmp_path / broken
        folder.mkdir()
        paths = {key: begin(folder, key, content) for key, content in good.items()}
        files[broken] = paths[broken]
        upstreams.append(upstream(broken, one.address, tls={key: str(path) for key, path in paths.items()}))
    daemon = start(upstreams)
    for name in good:
        daemon.wait_up(name)
    accepted = one.accepted
    for name, path in files.items():
        put(path, b"-----BEGIN CERTIFICATE-----\nhalf written")
    for name, path in files.items():
        eventually(lambda: is_stale(daemon, name), f"the warning about {name}")
        warning = stale_line(daemon, name, "warning")
        assert warning["code"] == codes[name] and str(path) in warning["hint"] and "stays in use" in warning["msg"]
        assert daemon.upstream(name)["health"] == "up" and daemon.history(name) == []
    assert one.accepted == accepted, "nobody was called anew"
    one.reset_all()
    for name in files:
        daemon.wait_failure(name, "connection.reset")
        daemon.wait_up(name)
    for name, path in files.items():
        put(path, good[name])
    for name in files:
        eventually(lambda: not is_stale(daemon, name), f"the warning about {name} to be over")
        stale_line(daemon, name, "notice")
        levels = [line["level"] for line in daemon.lines(event="warning", upstream=name, reason="stale-files")]
        assert levels == ["warning", "notice"], "each is said once"
        assert {one["code"] for one in daemon.history(name)} == {"connection.reset"}


def test_a_reload_judges_live_links(tmp_path, start, peer, authority, server):
    """Pins and CA that do not trust the peer any more: the links fail although nothing has happened on the wire."""
    stranger = pki.Authority(tmp_path / "stranger", "a stranger")
    one = peer(peers.tls(peers.tls_context(server)))
    trust = {"ca_file": str(authority.file)}

    def write(daemon, pins, ca_file, right):
        daemon.write([upstream("pins", one.address, tls={**trust, "pins": pins}), upstream("ca", one.address, tls={"ca_file": ca_file}),
                      upstream("right", one.address, tls={**trust, "pins": right}), upstream("same", one.address, tls=trust)])
        return {change["upstream"]: change["kind"] for change in daemon.reload()}

    daemon = start([upstream(name, one.address, tls=trust) for name in ("pins", "ca", "right", "same")])
    for name in ("pins", "ca", "right", "same"):
        daemon.wait_up(name)
    changes = write(daemon, ["00" * 32], str(stranger.file), [server.pin])
    assert changes["same"] == "kept"
    failure = daemon.wait_failure("pins", "tls.certificate-pin", stage="ready")
    assert server.pin in failure["hint"]
    daemon.wait_failure("ca", "tls.certificate-unknown-issuer", stage="ready")
    daemon.wait_health("pins", "down"), daemon.wait_health("ca", "down")
    for name in ("right", "same"):
        assert daemon.history(name) == [] and daemon.upstream(name)["health"] == "up"
    write(daemon, [server.pin, "00" * 32], str(authority.file), [server.pin])
    daemon.wait_up("pins"), daemon.wait_up("ca")
    eventually(lambda: reasons(daemon, "right").get("reload"), "its new connection")
    assert health_of(daemon, "right", ["reload"]) == ["up"]


def test_fifos_hang_nobody(tmp_path, start, peer, authority, server):
    """A FIFO blocks whoever opens it: at the start, and in place of a file of a live link."""
    ours = authority.issue("ours-fifo", usage=pki.CLIENT)
    good = {"ca_file": authority.file.read_bytes(), "crl_file": authority.revocation_list("crl-fifo", []).read_bytes(),
            "certificate": ours.certificate_file.read_bytes(), "key": ours.key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"secret")),
            "key_password_file": b"secret\n", "proxy_password_file": b"secret\n"}
    one = peer(peers.tls(peers.tls_context(server, ca_file=authority.file, client="optional")))

    def make(when, broken):
        folder = tmp_path / f"{when}-{broken}"
        folder.mkdir()
        paths = {key: begin(folder, key, content) for key, content in good.items()}
        password = str(paths.pop("proxy_password_file"))
        keys = {"tls": {key: str(path) for key, path in paths.items()}}
        if broken == "proxy_password_file":
            keys.update(proxy="http://127.0.0.1:1", proxy_user="me", proxy_password_file=password)
        if when == "early":
            os.unlink(folder / broken)
            os.mkfifo(folder / broken)
        return upstream(f"{when}-{broken}", one.address, **keys)

    live = [key for key in good if key != "proxy_password_file"]
    daemon = start([make("early", broken) for broken in good] + [make("live", broken) for broken in live])
    for broken in good:
        eventually(lambda: daemon.history(f"early-{broken}"), f"a failure for {broken}")
        failure = daemon.history(f"early-{broken}")[-1]
        assert failure["stage"] == "load" and failure["blame"] == "local", failure
    for broken in live:
        daemon.wait_up(f"live-{broken}")
    for broken in live:
        aside = tmp_path / "fifo"
        os.mkfifo(aside)
        aside.rename(tmp_path / f"live-{broken}" / broken)
    for broken in live:
        eventually(lambda: is_stale(daemon, f"live-{broken}"), f"the warning about {broken}")
        assert daemon.upstream(f"live-{broken}")["health"] == "up"
    one.reset_all()
    for broken in live:
        daemon.wait_failure(f"live-{broken}", "connection.reset")
        daemon.wait_up(f"live-{broken}")
    daemon.call("Status")


class Expiring:
    """A server whose certificate ends in a few seconds, and then has another one, or not."""

    def __init__(self, peer, authority):
        self.authority = authority
        self.context = None
        self.peer = peer(self.serve)

    def issue(self, seconds):
        end = pki.now() + datetime.timedelta(seconds=seconds)
        self.context = peers.tls_context(self.authority.issue(f"ends-{id(self)}-{seconds}", end=end))

    def serve(self, connection):
        if not self.context:
            peers.close_at_once(connection)
        peers.tls(self.context)(connection)

    def wait_ready(self, daemon, name):
        """Up with a certificate that is about to end; a slow machine gets a longer one."""
        for seconds in (3, 10, 40):
            self.issue(seconds)
            with contextlib.suppress(AssertionError):
                eventually(lambda: daemon.upstream(name)["health"] == "up", "it to be up", patience=seconds)
                return
        raise AssertionError(f"{name} never came up:\n{daemon.read_log()[-3000:]}")


def test_a_peers_certificate_ends_while_the_link_is_up(start, peer, authority):
    """A server that has a renewed one by then, and one that has not."""
    renewed, forgetful = Expiring(peer, authority), Expiring(peer, authority)
    daemon = start([upstream("renewed", renewed.peer.address, tls={"ca_file": str(authority.file)}),
                    upstream("forgetful", forgetful.peer.address, tls={"ca_file": str(authority.file)},
                             timeouts={"attempt": "1s"})])
    renewed.wait_ready(daemon, "renewed")
    renewed.issue(86400 * 60)
    forgetful.wait_ready(daemon, "forgetful")
    began = len(daemon.history("renewed")), len(health_of(daemon, "renewed"))
    eventually(lambda: reasons(daemon, "renewed").get("certificate-rotated") == 1, "the renewal")
    daemon.wait_up("renewed")
    assert (len(daemon.history("renewed")), len(health_of(daemon, "renewed", ["certificate-rotated"]))) == began, "never a moment without"
    eventually(lambda: daemon.upstream("renewed")["warnings"] == [], "no warning any more")
    failure = daemon.wait_failure("forgetful", "tls.certificate-expired", stage="ready")
    assert failure["chain"] and not any(reasons(daemon, "forgetful").values()), "nothing of ours has changed"
    daemon.wait_failure("forgetful", "tls.certificate-expired", stage="handshake")
    daemon.wait_health("forgetful", "down")
    forgetful.issue(86400 * 60)
    daemon.wait_up("forgetful")
