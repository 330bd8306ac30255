"""Class timeout: nobody answered in time.  And the late loop that is our own fault."""
import signal
import time

import peers
import world
from daemon import Daemon, eventually, upstream


def test_connect(start, cleanup):
    silent = peers.SilentListener()
    cleanup.callback(silent.close)
    daemon = start([upstream("x", silent.address, timeouts={"connect": "500ms"})])
    failure = daemon.wait_failure("x", "timeout.connect", stage="connect")
    assert failure["address"] == silent.address and failure["elapsedUSec"] >= 500_000


@world.isolated()
def test_connect_dropped_by_a_firewall(tmp_path):
    world.run("nft", "add table inet t; add chain inet t in { type filter hook input priority 0; }; "
              "add rule inet t in tcp dport 4 drop")
    with Daemon(tmp_path, [upstream("x", "127.0.0.1:4", timeouts={"connect": "500ms"})]) as daemon:
        daemon.wait_failure("x", "timeout.connect", stage="connect")


def test_handshake(start, peer):
    daemon = start([upstream("x", peer().address, timeouts={"handshake": "500ms"}, tls={"verify": "none"})])
    failure = daemon.wait_failure("x", "timeout.handshake", stage="handshake")
    assert failure["elapsedUSec"] >= 500_000


def test_a_peer_that_dribbles_does_not_escape(start, peer):
    """The deadline is the stage's, not that of one read."""
    def dribble(connection):
        connection.recv(65536)
        # The beginning of a ServerHello whose record never ends.
        for octet in b"\x16\x03\x03\x10\x00\x02\x00\x0f\xfc\x03\x03" + b"\0" * 2000:
            connection.sendall(bytes([octet]))
            time.sleep(0.1)
    daemon = start([upstream("x", peer(dribble).address, timeouts={"handshake": "1s"}, tls={"verify": "none"})])
    failure = daemon.wait_failure("x", "timeout.handshake", stage="handshake")
    assert failure["elapsedUSec"] >= 1_000_000


def test_attempt(start, peer):
    addresses = [peer().address for _ in range(6)]
    daemon = start([upstream("x", addresses, timeouts={"handshake": "600ms", "attempt": "1500ms"},
                             tls={"verify": "none"})])
    failure = daemon.wait_failure("x", "timeout.attempt", stage="handshake")
    assert failure["blame"] == "upstream"


@world.isolated()
def test_dead_peer(tmp_path):
    """The address of a live connection vanishes: nothing answers any more, and keepalive finds out."""
    world.run("ip", "addr", "add", "192.0.2.7/32", "dev", "lo")
    peer = peers.Peer(peers.hold, host="192.0.2.7")
    keepalive = {"idle": "1s", "interval": "1s", "count": 2, "user_timeout": "3s"}
    with Daemon(tmp_path, [upstream("x", peer.address, source="127.0.0.1", keepalive=keepalive)]) as daemon:
        daemon.wait_up("x")
        world.run("nft", "add table inet t; add chain inet t in { type filter hook input priority 0; }; "
                  "add rule inet t in ip daddr 192.0.2.7 drop")
        failure = daemon.wait_failure("x", "timeout.dead-peer", stage="ready")
        assert failure["error"] == "ETIMEDOUT"


@world.isolated()
def test_dead_peer_whose_address_is_gone(tmp_path):
    world.run("ip", "addr", "add", "192.0.2.7/32", "dev", "lo")
    peer = peers.Peer(peers.hold, host="192.0.2.7")
    keepalive = {"idle": "1s", "interval": "1s", "count": 2, "user_timeout": "3s"}
    with Daemon(tmp_path, [upstream("x", peer.address, source="127.0.0.1", keepalive=keepalive)]) as daemon:
        daemon.wait_up("x")
        world.run("ip", "addr", "del", "192.0.2.7/32", "dev", "lo")
        eventually(lambda: daemon.history("x"), "a failure")
        assert daemon.history("x")[0]["code"] in (
            "timeout.dead-peer", "connection.network-unreachable", "connection.host-unreachable", "connection.reset",
            "connection.reset-early"), daemon.history("x")[0]


def test_a_stopped_daemon_does_not_blame_its_peers(start, peer):
    """SIGSTOP past every deadline: local.stall is told, the stage gets its time again, nobody is blamed."""
    slow = peer()
    good = peer()
    daemon = start([upstream("slow", slow.address, timeouts={"handshake": "3s"}, tls={"verify": "none"}),
                    upstream("good", good.address)])
    daemon.wait_up("good")
    eventually(lambda: slow.accepted, "a handshake that hangs")
    daemon.process.send_signal(signal.SIGSTOP)
    time.sleep(4)
    daemon.process.send_signal(signal.SIGCONT)
    eventually(lambda: daemon.lines(event="warning", code="local.stall"), "the stall to be told")
    continued = time.monotonic()
    assert not daemon.history("slow"), daemon.history("slow")
    daemon.wait_failure("slow", "timeout.handshake")
    assert time.monotonic() - continued > 1.5, "the stage got its time again"
    assert daemon.upstream("good")["health"] == "up" and not daemon.history("good")


def test_a_zero_window_on_close_does_not_hold_up_the_end(start, peer):
    """A peer that never reads cannot keep SIGTERM from ending within timeouts.close."""
    def deaf(connection):
        time.sleep(60)
    daemon = start([upstream("x", peer(deaf).address, timeouts={"close": "500ms"})])
    daemon.wait_up("x")
    began = time.monotonic()
    daemon.stop()
    assert time.monotonic() - began < 10
