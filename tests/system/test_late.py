"""TLS 1.3 refuses client certificates late: after our handshake is over, and in several ways."""
import ssl
import threading
import time

import pytest

import peers
import pki
from daemon import eventually, upstream


class Gate:
    """A server of TLS 1.3 that asks for a client certificate; whom it refuses, it refuses in the way of the day.

    Python's own servers verify by what they trust: a server that trusts nothing says unknown_ca, one with another CA likewise.
    """

    def __init__(self, peer, server, trusted, stranger, then=peers.hold, **options):
        self.good = peers.tls_context(server, ca_file=trusted, client="required")
        self.bad = peers.tls_context(server, ca_file=stranger, client="required")
        self.refusing = False
        self.delay = 0
        self.reset = False
        self.then = then
        self.resumed = []
        self.peer = peer(self.serve, **options)

    def serve(self, connection):
        if not self.refusing:
            peers.tls(self.good, self.note)(connection)
            return
        late = LateSocket(connection, self.delay, self.reset) if self.delay or self.reset else None
        if late:
            late.run(self.bad)
        else:
            peers.tls(self.bad, self.note)(connection)

    def note(self, wrapped):
        self.resumed.append(wrapped.session_reused)
        self.then(wrapped)


class LateSocket:
    """The handshake by hand: what the server says last (the alert) is held back, or followed by a reset at once."""

    def __init__(self, connection, delay, reset):
        self.connection, self.delay, self.reset = connection, delay, reset

    def run(self, context):
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(incoming, outgoing, server_side=True)
        while True:
            try:
                tls.do_handshake()
                outcome = "done"
            except ssl.SSLWantReadError:
                outcome = "more"
            except ssl.SSLError:
                outcome = "refused"
            said = outgoing.read()
            if outcome == "refused" and self.delay:
                time.sleep(self.delay)
            if said:
                self.connection.sendall(said)
            if outcome == "refused":
                break
            if outcome == "done":
                peers.hold(self.connection)
                return
            piece = self.connection.recv(65536)
            if not piece:
                return
            incoming.write(piece)
        if self.reset:
            peers.reset(self.connection)
        else:
            peers.hold(self.connection)


@pytest.fixture
def ours(authority):
    return authority.issue("ours-late", usage=pki.CLIENT)


@pytest.fixture
def stranger(tmp_path):
    return pki.Authority(tmp_path / "stranger", "a stranger")


@pytest.fixture
def keys(authority, ours):
    return {"ca_file": str(authority.file), "certificate": str(ours.certificate_file), "key": str(ours.key_file)}


REFUSED = "tls.client-certificate-unknown-issuer"
# The verdict comes at once, but how soon that is depends on the machine.
PATIENT = {"settle": "20s", "close": "100ms"}


def pong(wrapped):
    """A Redis server, as far as a probe sees one."""
    while wrapped.recv(4096):
        wrapped.sendall(b"+PONG\r\n")


def test_refused_with_and_without_a_probe(start, peer, authority, server, stranger, keys):
    """The alert at once, and the alert with a reset behind it: never once ready, and the verdict has its name."""
    upstreams, gates = [], {}
    for name, reset in (("alert", False), ("reset", True)):
        gate = Gate(peer, server, authority.file, stranger.file, then=pong)
        gate.refusing, gate.reset = True, reset
        gates[name] = gate
        upstreams.append(upstream(f"{name}-plain", gate.peer.address, tls=keys, timeouts=PATIENT))
        upstreams.append(upstream(f"{name}-probe", gate.peer.address, tls=keys, timeouts=PATIENT, probe={"kind": "redis"}))
    daemon = start(upstreams)
    for one in upstreams:
        failure = daemon.wait_failure(one["name"], REFUSED)
        assert failure["alert"] == "received unknown_ca(48)" and failure["stage"] in ("handshake", "settle", "probe"), failure
        assert failure["blame"] == "upstream" and failure["life"] == "persistent"
        state = daemon.upstream(one["name"])
        assert state["counters"]["established"] == 0 and state["health"] == "down"
        assert {other["code"] for other in daemon.history(one["name"])} == {REFUSED}
    for gate in gates.values():
        gate.refusing = False
    for one in upstreams:
        daemon.wait_up(one["name"])


def test_no_certificate_at_all(start, peer, authority, server, stranger):
    gate = Gate(peer, server, authority.file, stranger.file, then=pong)
    tls = {"ca_file": str(authority.file)}
    daemon = start([upstream("plain", gate.peer.address, tls=tls, timeouts=PATIENT),
                    upstream("probe", gate.peer.address, tls=tls, timeouts=PATIENT, probe={"kind": "redis"})])
    for name in ("plain", "probe"):
        failure = daemon.wait_failure(name, "tls.client-certificate-required")
        assert failure["alert"] == "received certificate_required(116)"
        assert daemon.upstream(name)["counters"]["established"] == 0


@pytest.mark.parametrize("probe", [None, {"kind": "redis"}])
def test_refused_at_a_resumption(start, peer, authority, server, stranger, keys, probe):
    """The first connection leaves a ticket; then the server refuses whoever comes, with it or without."""
    gate = Gate(peer, server, authority.file, stranger.file, then=pong)
    more = {"probe": probe} if probe else {}
    daemon = start([upstream("x", gate.peer.address, tls=keys, timeouts=PATIENT, **more)])
    daemon.wait_up("x")
    gate.peer.reset_all()
    eventually(lambda: gate.resumed[-1:] == [True], "a resumed connection")
    daemon.wait_up("x")
    gate.refusing = True
    gate.peer.reset_all()
    failure = daemon.wait_failure("x", REFUSED)
    assert failure["alert"] == "received unknown_ca(48)"
    assert {one["code"] for one in daemon.history("x")} <= {REFUSED, "connection.reset"}
    gate.refusing = False
    daemon.wait_up("x")


def test_a_resumed_session_that_is_refused(start, peer, authority, server, keys):
    """The server takes the ticket and the handshake is over; then it turns the client away by closing in order, as those do that
    look at the certificate themselves."""
    context = peers.tls_context(server, ca_file=authority.file, client="required")
    turn_away = threading.Event()
    seen = []

    def serve(wrapped):
        seen.append(wrapped.session_reused)
        (peers.tls_close if turn_away.is_set() else pong)(wrapped)

    one = peer(peers.tls(context, serve))
    daemon = start([upstream("plain", one.address, tls=keys), upstream("probe", one.address, tls=keys, probe={"kind": "redis"})])
    for name in ("plain", "probe"):
        daemon.wait_up(name)
    turn_away.set()
    one.reset_all()
    daemon.wait_failure("probe", "protocol.probe-closed", stage="probe")
    eventually(lambda: {f["code"] for f in daemon.history("plain")} & {"connection.closed-early"}, "an early close")
    assert any(seen)
    turn_away.clear()
    for name in ("plain", "probe"):
        daemon.wait_up(name)


def test_an_alert_later_than_settle(start, peer, authority, server, stranger, keys):
    """The alert comes when the time to settle is over: the link was ready, falls, and the verdict still has its name; with a probe
    it is never ready."""
    gate = Gate(peer, server, authority.file, stranger.file, then=pong)
    gate.refusing, gate.delay = True, 1.5
    timeouts = {"settle": "50ms"}
    daemon = start([upstream("plain", gate.peer.address, tls=keys, timeouts=timeouts),
                    upstream("probe", gate.peer.address, tls=keys, timeouts=timeouts, probe={"kind": "redis"})])
    eventually(lambda: daemon.history("plain"), "a failure")
    eventually(lambda: daemon.history("probe"), "a failure")
    plain, probe = daemon.history("plain")[0], daemon.history("probe")[0]
    assert plain["stage"] == "ready" and plain["alert"] == "received unknown_ca(48)", plain
    assert plain["code"] == REFUSED
    assert probe["code"] == REFUSED and probe["stage"] == "probe" and probe["alert"] == "received unknown_ca(48)", probe
    assert daemon.upstream("probe")["counters"]["established"] == 0
    gate.refusing = False
    for name in ("plain", "probe"):
        daemon.wait_up(name)
