"""Class address: who to talk to.  Each code is provoked by a name server of ours and judged in the history and the log."""
import pytest

import names
import peers
import world
from daemon import Daemon, eventually, upstream

QUICK = {"timeouts": {"resolve": "4s"}}


def resolved(tmp_path, zone, host="up.test", hosts="", **keys):
    """A daemon whose one upstream `x` is `host`, answered from `zone`."""
    world.own_resolver("127.0.0.1", hosts=hosts)
    server = names.NameServer(zone)
    return server, Daemon(tmp_path, [upstream("x", f"{host}:4", **{**QUICK, **keys})])


@pytest.mark.parametrize("answer, code, error", [
    ("nxdomain", "address.nxdomain", "ARES_ENOTFOUND"),
    ("nodata", "address.no-data", "ARES_ENODATA"),
    ("servfail", "address.servfail", "ARES_ESERVFAIL"),
    ("refused", "address.refused", "ARES_EREFUSED"),
    ("notimp", "address.bad-reply", "ARES_ENOTIMP"),
    ("garbage", "address.bad-reply", None),
    (["0.0.0.0", "::"], "address.excluded", None),
    (["224.0.0.1", "255.255.255.255", "ff02::1"], "address.excluded", None),
])
@world.isolated(setup=world.enter_connected)
def test_answers_of_the_resolver(tmp_path, answer, code, error):
    _, daemon = resolved(tmp_path, {"up.test": answer})
    with daemon:
        failure = daemon.wait_failure("x", code, stage="resolve")
        assert "address" not in failure
        if error:
            assert failure["error"] == error
        assert daemon.upstream("x")["health"] == "down"


@world.isolated(setup=world.enter_connected)
def test_a_resolver_that_is_not_there(tmp_path):
    world.own_resolver("127.0.0.1")
    with Daemon(tmp_path, [upstream("x", "up.test:4", **QUICK)]) as daemon:
        failure = daemon.wait_failure("x", "address.no-server", stage="resolve")
        assert failure["blame"] == "local"


@world.isolated(setup=world.enter_connected)
def test_a_silent_resolver_is_timeout_resolve(tmp_path):
    _, daemon = resolved(tmp_path, {"up.test": "silent"}, timeouts={"resolve": "1s"})
    with daemon:
        failure = daemon.wait_failure("x", "timeout.resolve", stage="resolve")
        assert failure["blame"] == "local"


@world.isolated(setup=world.enter_connected)
def test_the_daemon_outlives_a_missing_dns_and_notices_its_return(tmp_path):
    world.own_resolver("127.0.0.1")
    peer = peers.Peer(peers.hold)
    with Daemon(tmp_path, [upstream("x", f"up.test:{peer.port}", **QUICK)]) as daemon:
        daemon.wait_failure("x", "address.no-server")
        names.NameServer({"up.test": ["127.0.0.1"]})
        daemon.wait_up("x")


@world.isolated(setup=world.enter_connected)
def test_names_are_asked_again_for_each_attempt(tmp_path):
    world.own_resolver("127.0.0.1")
    peer = peers.Peer(peers.hold)
    zone = {"up.test": ["127.0.0.9"]}
    names.NameServer(zone, ttl=0)
    with Daemon(tmp_path, [upstream("x", f"up.test:{peer.port}", **QUICK)]) as daemon:
        daemon.wait_failure("x", "connection.refused")
        zone["up.test"] = ["127.0.0.1"]
        daemon.wait_up("x")


@world.isolated(setup=world.enter_connected)
def test_the_ttl_is_honoured(tmp_path):
    world.own_resolver("127.0.0.1")
    server = names.NameServer({"up.test": ["127.0.0.9"]}, ttl=600)
    with Daemon(tmp_path, [upstream("x", "up.test:4", **QUICK)]) as daemon:
        eventually(lambda: len(daemon.history("x")) >= 4, "four attempts")
        assert server.queries.count(("up.test", "A")) == 1, server.queries


@world.isolated(setup=world.enter_connected)
def test_one_slow_family_does_not_hold_up_the_other(tmp_path):
    """RFC 8305: an A answer waits 50 ms for its AAAA, not until the resolver gives up."""
    world.own_resolver("127.0.0.1")
    peer = peers.Peer(peers.hold)
    names.NameServer({"up.test": {"A": ["127.0.0.1"], "AAAA": "silent"}})
    with Daemon(tmp_path, [upstream("x", f"up.test:{peer.port}", timeouts={"resolve": "20s"})]) as daemon:
        daemon.wait_up("x")
        link = daemon.upstream("x")["links"][0]
        assert link["timings"]["resolve"] < 5_000_000


@world.isolated(setup=world.enter_connected)
def test_the_hosts_file_counts(tmp_path):
    peer = peers.Peer(peers.hold)
    world.own_resolver("127.0.0.1", hosts="127.0.0.1 from-hosts.test\n")
    with Daemon(tmp_path, [upstream("x", f"from-hosts.test:{peer.port}")]) as daemon:
        daemon.wait_up("x")


def test_a_missing_unix_socket(tmp_path, start, peer):
    path = tmp_path / "up.sock"
    daemon = start([upstream("x", f"unix:{path}")])
    failure = daemon.wait_failure("x", "address.unix-missing", stage="connect")
    assert failure["error"] == "ENOENT" and failure["address"] == f"unix:{path}"
    peer(path=str(path))
    daemon.wait_up("x")


def test_a_scope_that_does_not_exist(start):
    daemon = start([upstream("x", "[fe80::1%nowhere0]:4")])
    failure = daemon.wait_failure("x", "address.invalid")
    assert "nowhere0" in failure["address"]
