"""Class connection: the transport."""
import socket
import time

import pytest

import peers
import world
from daemon import Daemon, eventually, upstream


def test_refused(start):
    daemon = start([upstream("x", f"127.0.0.1:{peers.free_port()}")])
    failure = daemon.wait_failure("x", "connection.refused", stage="connect")
    assert failure["error"] == "ECONNREFUSED" and failure["blame"] == "address" and failure["life"] == "transient"
    assert failure["retryInUSec"] > 0


@pytest.mark.parametrize("route, family, code, error", [
    ("throw", 4, "connection.network-unreachable", "ENETUNREACH"),
    ("unreachable", 4, "connection.host-unreachable", "EHOSTUNREACH"),
    ("prohibit", 4, "connection.prohibited", "EACCES"),
    ("blackhole", 4, "connection.prohibited", "EINVAL"),
    ("throw", 6, "connection.network-unreachable", "ENETUNREACH"),
    ("unreachable", 6, "connection.host-unreachable", "EHOSTUNREACH"),
    ("prohibit", 6, "connection.prohibited", "EACCES"),
    ("blackhole", 6, "connection.prohibited", "EINVAL"),
])
@world.isolated()
def test_routes(tmp_path, route, family, code, error):
    world.connected()
    target = "198.51.100.1" if family == 4 else "2001:db8:1::1"
    world.run("ip", f"-{family}", "route", "add", route, target)
    text = target if family == 4 else f"[{target}]"
    with Daemon(tmp_path, [upstream("x", f"{text}:4")]) as daemon:
        failure = daemon.wait_failure("x", code, stage="connect")
        assert failure["error"] == error


@world.isolated()
def test_a_firewall_of_this_host(tmp_path):
    """nftables rejecting on OUTPUT: the kernel says EPERM or a refusal, never silence."""
    world.run("nft", "add table inet t; add chain inet t out { type filter hook output priority 0; }; "
              "add rule inet t out tcp dport 4 reject with icmpx type admin-prohibited")
    with Daemon(tmp_path, [upstream("x", "127.0.0.1:4")]) as daemon:
        eventually(lambda: daemon.history("x"), "a failure")
        failure = daemon.history("x")[-1]
        assert failure["code"] in ("connection.prohibited", "connection.host-unreachable"), failure


def test_something_else_than_a_stream_listens(tmp_path, start):
    """A datagram socket at a unix: address: EPROTOTYPE, which has no row of its own and keeps its name."""
    other = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    other.bind(str(tmp_path / "datagram.sock"))
    with other:
        daemon = start([upstream("x", f"unix:{tmp_path}/datagram.sock")])
        assert daemon.wait_failure("x", "connection.other", stage="connect")["error"] == "EPROTOTYPE"


def test_reset_before_the_first_byte(start, peer):
    daemon = start([upstream("x", peer(peers.after(0.2, peers.reset_at_once)).address)])
    failure = daemon.wait_failure("x", "connection.reset-early")
    assert failure["stage"] in ("connect", "ready")


def test_closed_before_stable(start, peer):
    daemon = start([upstream("x", peer(peers.after(0.2, peers.close_at_once)).address)])
    failure = daemon.wait_failure("x", "connection.closed-early", stage="ready")
    assert failure["blame"] == "upstream"


def test_closed_and_reset_once_stable(start, peer):
    quick = {"retry": {"initial": "100ms", "max": "200ms", "stable_after": "1ms"}}
    one = peer(peers.say(b"220 hello\r\n"))
    daemon = start([upstream("x", one.address, **quick)])
    daemon.wait_up("x")
    time.sleep(0.1)  # longer than stable_after
    one.close_all()
    daemon.wait_failure("x", "connection.closed", stage="ready")
    eventually(lambda: one.connections, "the next connection")
    daemon.wait_up("x")
    time.sleep(0.1)
    one.reset_all()
    failure = daemon.wait_failure("x", "connection.reset", stage="ready")
    assert failure["error"] == "ECONNRESET" and failure["attempt"] >= 1
    eventually(lambda: daemon.lines(upstream="x", event="recovery"), "a line that says it is back")


def test_truncated(start, peer, server, authority):
    one = peer(peers.tls(peers.tls_context(server), peers.hold))
    daemon = start([upstream("x", one.address, tls={"ca_file": str(authority.file)})])
    daemon.wait_up("x")
    eventually(lambda: one.connections, "a connection")
    one.close()
    daemon.wait_failure("x", "connection.truncated")


def test_a_tls_server_that_closes_in_order(start, peer, server, authority):
    one = peer(peers.tls(peers.tls_context(server), peers.after(0.3, peers.tls_close)))
    daemon = start([upstream("x", one.address, tls={"ca_file": str(authority.file)})])
    daemon.wait_failure("x", "connection.closed-early")


def test_a_tls_server_that_resets(start, peer, server, authority):
    one = peer(peers.tls(peers.tls_context(server), peers.after(0.3, peers.tls_reset)))
    daemon = start([upstream("x", one.address, tls={"ca_file": str(authority.file)})])
    daemon.wait_failure("x", "connection.reset", stage="ready")


def test_the_next_address_is_tried_at_once(start, peer):
    good = peer()
    daemon = start([upstream("x", [f"127.0.0.1:{peers.free_port()}", good.address],
                             retry={"initial": "20s", "max": "40s"})])
    daemon.wait_up("x")
    assert daemon.upstream("x")["links"][0]["address"] == good.address
    assert not daemon.history("x"), "an attempt that was won is no failure"


def test_the_failure_tells_of_every_address(start):
    ports = set()
    while len(ports) < 3:
        ports.add(peers.free_port())
    daemon = start([upstream("x", [f"127.0.0.1:{port}" for port in ports])])
    failure = daemon.wait_failure("x", "connection.refused")
    told = {failure["address"]} | {other["address"] for other in failure["otherAddresses"]}
    assert told == {f"127.0.0.1:{port}" for port in ports}


def test_a_self_connection_is_no_upstream(start):
    """Connecting to an ephemeral port of one's own host can meet oneself: source and destination the same."""
    port = peers.free_port()
    daemon = start([upstream("x", f"127.0.0.1:{port}", source="127.0.0.1")])
    daemon.wait_failure("x", "connection.refused")
    assert daemon.upstream("x")["ready"] == 0
