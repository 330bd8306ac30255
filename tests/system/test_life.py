"""The life of links as an administrator sees it: recovery, commands, reload, lifetime, the end."""
import os
import signal
import socket
import time

import pytest

import peers
import varlink
import world
from daemon import PATIENCE, Daemon, eventually, upstream


def sources(daemon, name):
    return [link["source"] for link in daemon.upstream(name)["links"] if link["stage"] == "ready"]


@pytest.fixture
def tls_peer(peer, server):
    return peer(peers.tls(peers.tls_context(server)))


@pytest.fixture
def trusted(authority):
    return {"ca_file": str(authority.file)}


def test_death_and_return(start, peer):
    one = peer()
    daemon = start([upstream("x", one.address)])
    daemon.wait_up("x")
    one.close()
    daemon.wait_failure("x", "connection.refused")
    assert daemon.wait_health("x", "down")["lastFailure"]["code"] in ("connection.refused", "connection.closed-early")
    again = peer(port=one.port)
    daemon.wait_up("x")
    recovery = eventually(lambda: daemon.lines(upstream="x", event="recovery"), "a recovery line")
    assert recovery[-1]["link"] == "1" and again.accepted


def test_degraded(start, peer):
    """Two links, one of which the server turns away."""
    seen = []

    def only_one(connection):
        seen.append(connection)
        if len(seen) > 1:
            connection.close()
        else:
            peers.hold(connection)
    daemon = start([upstream("x", peer(only_one).address, connections=2, retry={"initial": "5s", "max": "10s"})])
    daemon.wait_health("x", "degraded")
    assert daemon.ctl("status", "x").returncode == 2


def test_counters_add_up(start, peer):
    one = peer()
    daemon = start([upstream("x", one.address)])
    daemon.wait_up("x")
    one.stop_listening()
    one.reset_all()
    eventually(lambda: daemon.upstream("x")["counters"]["failed"] >= 3, "three failed attempts")
    state = daemon.upstream("x")
    assert state["counters"]["attempts"] == state["counters"]["established"] + state["counters"]["failed"]
    assert sum(state["failures"].values()) == state["counters"]["failed"] + 1
    assert state["reach"] & 1 == 0


def test_pause_and_resume(start, peer):
    one = peer()
    daemon = start([upstream("x", one.address)])
    daemon.wait_up("x")
    daemon.call("Pause", name="x")
    daemon.wait_health("x", "paused")
    accepted = one.accepted
    eventually(lambda: daemon.lines(upstream="x", event="close", reason="admin"), "a line of the close")
    time.sleep(0.5)
    assert one.accepted == accepted, "no attempt while paused"
    daemon.call("Resume", name="x")
    daemon.wait_up("x")


def test_not_enabled(start, peer):
    one = peer()
    daemon = start([upstream("x", one.address, enabled=False)])
    assert daemon.wait_health("x", "paused") and not one.accepted
    daemon.call("Resume", name="x")
    daemon.wait_up("x")


def test_retry_ends_the_backoff(start, peer):
    port = peers.free_port()
    daemon = start([upstream("x", f"127.0.0.1:{port}", retry={"initial": "10m", "max": "20m"})])
    failure = daemon.wait_failure("x", "connection.refused")
    assert failure["retryInUSec"] > 100_000_000
    peer(port=port)
    assert daemon.call("Retry", name="x")["links"] == 1
    daemon.wait_up("x")


def test_rolling_reconnect_never_has_fewer(start, tls_peer, trusted):
    daemon = start([upstream("x", f"localhost:{tls_peer.port}", connections=3, tls=trusted, family="ipv4")])
    daemon.wait_up("x")
    before = set(sources(daemon, "x"))
    lowest = 3
    daemon.call("Reconnect", name="x", rolling=True)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        state = daemon.upstream("x")
        lowest = min(lowest, state["ready"])
        if state["ready"] == 3 and not before & set(sources(daemon, "x")):
            break
    assert lowest == 3 and not before & set(sources(daemon, "x"))
    assert not daemon.history("x")
    assert daemon.upstream("x")["closes"].get("admin") == 3


def test_lifetime_renews_without_a_gap(start, peer):
    daemon = start([upstream("x", peer().address, lifetime="1s")])
    daemon.wait_up("x")
    eventually(lambda: daemon.upstream("x")["closes"].get("lifetime", 0) >= 2, "two renewals")
    assert not daemon.history("x")
    assert not daemon.lines(upstream="x", event="health", health="down")


# ---- reload ----------------------------------------------------------------------------------------------------------

def test_a_reload_is_a_difference(start, peer, tls_peer, trusted):
    """Unchanged and in-place: same local port.  Changed: replaced.  Removed: closed.  Added: started."""
    plain = peer()
    first = [upstream("kept", plain.address), upstream("timed", plain.address),
             upstream("moved", plain.address), upstream("removed", plain.address),
             upstream("secure", f"localhost:{tls_peer.port}", tls=trusted, family="ipv4")]
    daemon = start(first)
    for one in first:
        daemon.wait_up(one["name"])
    before = {one["name"]: sources(daemon, one["name"]) for one in first}
    other = peer()
    daemon.write([upstream("kept", plain.address), upstream("timed", plain.address, timeouts={"connect": "7s"}),
                  upstream("moved", other.address), upstream("added", other.address),
                  upstream("secure", f"localhost:{tls_peer.port}", tls=trusted, family="ipv4")])
    foretold = daemon.call("Reload", dryRun=True)["changes"]
    changes = daemon.reload()
    assert foretold == changes
    assert {change["upstream"]: change["kind"] for change in changes} == {
        "kept": "kept", "timed": "changed", "moved": "reconnected", "removed": "removed", "added": "added",
        "secure": "kept"}
    assert [change["keys"] for change in changes if change["upstream"] == "timed"] == [["timeouts.connect"]]
    daemon.wait_up("added")
    eventually(lambda: daemon.upstream("moved")["links"][0]["address"] == other.address, "moved to be replaced")
    for name in ("kept", "timed", "secure"):
        assert sources(daemon, name) == before[name], name
    with pytest.raises(varlink.VarlinkError) as error:
        daemon.upstream("removed")
    assert error.value.error.endswith("NoSuchUpstream")
    assert "connect = \"7s\"" in daemon.call("Config")["text"]


def test_sighup_reloads(start, peer):
    one = peer()
    daemon = start([upstream("a", one.address)])
    daemon.wait_up("a")
    daemon.write([upstream("a", one.address), upstream("b", one.address)])
    daemon.process.send_signal(signal.SIGHUP)
    eventually(lambda: daemon.lines(event="config"), "a line of the reload")
    daemon.wait_up("b")


def test_what_needs_a_restart_is_not_said_to_be_in_force(start, peer):
    one = upstream("a", peer().address)
    daemon = start([one])
    before = daemon.call("Config")["text"]
    daemon.write([one], workers=63)
    for count in (1, 2):
        daemon.reload()
        assert daemon.call("Config")["text"] == before
        eventually(lambda: daemon.read_log().count("needs a restart: workers") >= count, "the line about the restart")


def test_more_and_fewer_connections(start, peer):
    one = peer()
    daemon = start([upstream("x", one.address, connections=2)])
    daemon.wait_up("x")
    before = sources(daemon, "x")
    daemon.write([upstream("x", one.address, connections=4)])
    assert daemon.reload()[0]["kind"] == "changed"
    eventually(lambda: daemon.upstream("x")["ready"] == 4, "four links")
    assert set(before) <= set(sources(daemon, "x"))
    daemon.write([upstream("x", one.address, connections=1)])
    daemon.reload()
    eventually(lambda: len(daemon.upstream("x")["links"]) == 1, "one link")
    assert daemon.upstream("x")["closes"].get("surplus") == 3


@pytest.mark.parametrize("text", ["upstreams = (", "upstreams = ( { nam = \"x\"; address = \"a:1\"; } ); worker = 2;"])
def test_a_broken_file_changes_nothing(start, peer, text):
    daemon = start([upstream("x", peer().address)])
    daemon.wait_up("x")
    before = sources(daemon, "x")
    daemon.config_file.write_text(text)
    with pytest.raises(varlink.VarlinkError) as error:
        daemon.reload()
    problems = error.value.parameters["problems"]
    assert problems and all(one["file"].endswith("holdfast.conf") and one["line"] >= 1 for one in problems)
    if "worker" in text:
        assert len(problems) >= 2, "all that is wrong, not only the first"
    daemon.process.send_signal(signal.SIGHUP)
    eventually(lambda: [line for line in daemon.read_log().splitlines() if problems[0]["message"][:20] in line.replace('\\"', '"')],
               "the problem in the log")
    assert sources(daemon, "x") == before


# ---- the end, and what may not matter --------------------------------------------------------------------------------

def test_sigterm_says_goodbye(start, peer, server, trusted):
    """Every connection is closed in order: the TLS peer gets close_notify, the daemon exits 0 in time."""
    ends = []

    def note_end(wrapped):
        ends.append(wrapped.recv(100))  # b"" after close_notify; ssl.SSLError at a bare end
    one = peer(peers.tls(peers.tls_context(server), note_end, ragged=False))
    daemon = start([upstream("x", f"localhost:{one.port}", tls=trusted, family="ipv4", timeouts={"close": "1s"})])
    daemon.wait_up("x")
    began = time.monotonic()
    daemon.stop()
    assert time.monotonic() - began < 10
    assert ends == [b""]
    assert daemon.lines(upstream="x", event="close", reason="shutdown")


def test_a_hundred_deaths_leak_no_descriptor(start, peer):
    one = peer()
    daemon = start([upstream("x", one.address, connections=10)])
    daemon.wait_up("x")
    before = daemon.descriptors()
    for _ in range(10):
        one.reset_all()
        eventually(lambda: daemon.upstream("x")["ready"] == 10 and len(one.connections) == 10, "all to be back")
    eventually(lambda: daemon.descriptors() <= before, "the descriptors to be as before")


@pytest.mark.parametrize("workers", [1, 4])
def test_numbers_of_workers(start, peer, workers):
    one = peer()
    daemon = start([upstream(f"u{number}", one.address) for number in range(20)], workers=workers)
    for number in range(20):
        daemon.wait_up(f"u{number}")
    names = [open(f"/proc/{daemon.process.pid}/task/{task}/comm").read() for task in os.listdir(f"/proc/{daemon.process.pid}/task")]
    assert sum("worker" in name for name in names) == workers, names


@world.isolated(setup=lambda: (world.enter(), world.own_dev()))
def test_lines_reach_syslog(tmp_path):
    syslog = world.Syslog()
    with Daemon(tmp_path, [upstream("x", "127.0.0.1:4")], log={"target": "syslog", "facility": "local3"}) as daemon:
        eventually(lambda: any("code=connection.refused" in line for line in syslog.lines), "a line in syslog")
        line = next(line for line in syslog.lines if "code=connection.refused" in line)
        assert "upstream=x link=1 event=failure class=connection code=connection.refused stage=connect " in line
        assert "error=ECONNREFUSED" in line and 'msg="' in line
        assert line.startswith(f"<{19 * 8 + 4}>"), line
        assert daemon.call("Status")["logLost"] == 0


@world.isolated(setup=lambda: (world.enter(), world.own_dev()))
def test_a_stopped_syslog_stalls_nothing(tmp_path):
    """A reader that never reads: everything goes on, and what is lost is counted, and said once it reads again."""
    deaf = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    deaf.bind("/dev/log")
    ups = [upstream(f"u{number}", "127.0.0.1:4", retry={"initial": "10ms", "max": "10ms"}) for number in range(50)]
    good = peers.Peer(peers.hold)
    with Daemon(tmp_path, ups + [upstream("good", good.address)], log={"target": "syslog", "level": "debug"}) as daemon:
        eventually(lambda: daemon.call("Status")["logLost"] > 0, "losses")
        daemon.wait_up("good")
        good.reset_all()
        eventually(lambda: daemon.history("good"), "the failure in the history")
        daemon.wait_up("good")
        seen = []
        deaf.settimeout(PATIENCE)
        eventually(lambda: seen.append(deaf.recv(65536)) or b"event=log-lost" in seen[-1], "the loss to be said", pause=0)
        deaf.close()


@world.isolated(setup=lambda: (world.enter(), world.own_dev()))
def test_a_missing_syslog_stalls_nothing(tmp_path):
    good = peers.Peer(peers.hold)
    with Daemon(tmp_path, [upstream("good", good.address)], log={"target": "syslog"}) as daemon:
        daemon.wait_up("good")
