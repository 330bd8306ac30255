"""Noise: what a link repeats is said softly in the log, and nowhere else is anything left out."""
import peers
from daemon import eventually, upstream

ENOUGH = 15


def said(daemon, name, **wanted):
    return daemon.lines(event="failure", upstream=name, **wanted)


def counted(daemon, name):
    return sum(daemon.upstream(name)["failures"].values())


def test_repeats_are_said_softly(start, peer):
    """The first three and the tenth at their level, the others for debugging; the other code, and the recovery, always."""
    port = peers.free_port()
    quick = {"initial": "10ms", "max": "20ms", "stable_after": "1h"}
    daemon = start([upstream("x", f"127.0.0.1:{port}", retry=quick), upstream("other", f"127.0.0.1:{port}", retry=quick)])
    eventually(lambda: counted(daemon, "x") >= ENOUGH and counted(daemon, "other") >= ENOUGH, "failures")
    for name in ("x", "other"):
        lines = eventually(lambda: said(daemon, name, code="connection.refused")[ENOUGH - 1:] and
                           said(daemon, name, code="connection.refused")[:ENOUGH], "their lines")
        assert [line["level"] for line in lines] == ["warning"] * 3 + ["debug"] * 6 + ["warning"] + ["debug"] * 5
        assert [int(line.get("repeats", 1)) for line in lines[1:]] == list(range(2, ENOUGH + 1))
    # Nothing is left out anywhere else.
    one = peer(peers.close_at_once, port=port)
    eventually(lambda: any(line["code"] != "connection.refused" for line in said(daemon, "x")), "another failure")
    other = [line for line in said(daemon, "x") if line["code"] != "connection.refused"]
    assert other[0]["level"] == "warning", "another code is news"
    one.close()
    held = peer(port=port)
    daemon.wait_up("x")
    recovery = eventually(lambda: daemon.lines(event="recovery", upstream="x"), "the recovery")
    assert all(line["level"] == "notice" for line in recovery)
    held.close()

    def refused_after_the_recovery():
        log = [line for line in daemon.lines(upstream="x") if line["event"] in ("failure", "recovery")]
        last = max(at for at, line in enumerate(log) if line["event"] == "recovery")
        return [line for line in log[last:] if line.get("code") == "connection.refused"]
    again = eventually(refused_after_the_recovery, "a refusal after the recovery")[0]
    assert again["level"] == "warning" and again.get("repeats", "1") == "1", "all is news again"


def test_nothing_is_left_out_of_history_and_counters(start, peer):
    """Said or not: each is in the history, as far as that reaches, and each is counted and watched."""
    port = peers.free_port()
    daemon = start([upstream("x", f"127.0.0.1:{port}", retry={"initial": "20ms", "max": "40ms"})],
                   log={"target": "stderr", "level": "info"})
    eventually(lambda: counted(daemon, "x") >= ENOUGH, "failures")
    held = peer(port=port)
    daemon.wait_up("x")
    history, counters = daemon.history("x"), daemon.upstream("x")["counters"]
    assert counters["failed"] >= ENOUGH and len(history) == min(counters["failed"], 64)
    assert [failure["attempt"] for failure in history][-3:] == [counters["failed"] - 2, counters["failed"] - 1, counters["failed"]]
    assert len(eventually(lambda: daemon.lines(event="recovery", upstream="x"), "the recovery")) == 1
    shown = said(daemon, "x")
    assert 3 <= len(shown) < counters["failed"]
    assert [line["level"] for line in shown[:4]] == ["warning"] * 4 and shown[3].get("repeats") == "10"
    text = daemon.call("Metrics")["text"]
    line = next(line for line in text.splitlines() if line.startswith("holdfast_failures_total{") and 'code="connection.refused"' in line)
    assert int(line.split()[-1]) == counters["failed"]
    held.close()
