"""Real name servers: bind9 that has the zone, bind9 that refuses us, and unbound that resolves and validates."""
import pytest

import peers
import servers_cases
import servers_dns
import world
from daemon import Daemon, upstream
from servers_cases import Case

BIND, UNBOUND, REFUSING = "127.0.0.1", "127.0.0.2", "192.0.2.1"


def tcp(name, host, *expected, **options):
    return Case(name, "tcp", f"{host}:7", *expected, **options)


def refused(name, host):
    return tcp(name, host, "address.refused", "resolve", says="ARES_EREFUSED")


def servfail(name, host):
    return tcp(name, host, "address.servfail", "resolve", says="ARES_ESERVFAIL")


COMMON = [
    tcp("good", "good.test"),
    tcp("alias", "alias.test"),
    tcp("trailing-dot", "good.test."),
    Case("service", "tcp", "srv:_x._tcp.test"),
    Case("no-such-service", "tcp", "srv:_y._tcp.test", "address.nxdomain", "resolve"),
    Case("service-that-is-not-offered", "tcp", "srv:_none._tcp.test", "address.no-data", "resolve"),
    tcp("nowhere", "nowhere.test", "address.nxdomain", "resolve"),
    tcp("dangling", "dangling.test", "address.nxdomain", "resolve"),
    tcp("text-only", "text.test", "address.no-data", "resolve"),
    tcp("blocked", "blocked.test", "address.excluded", "resolve"),
    servfail("zone-not-loaded", "any.unloaded.test"),
]
CASES = {
    BIND: COMMON + [
        refused("not-its-zone", "other.example"),
    ],
    UNBOUND: COMMON + [
        servfail("bogus", "good.broken"),  # the zone ought to be signed, and is not
        refused("refused-name", "refused.local"),
        tcp("no-answer", "denied.local", "timeout.resolve", "resolve", keys={"timeouts": {"resolve": "2s"}}),
    ],
    REFUSING: [
        refused("access-list", "good.test"),
    ],
}


@pytest.fixture(scope="module")
def name_servers(serve):
    backend = peers.Peer(peers.hold, port=7)
    yield serve(servers_dns.name_servers)
    backend.close()


@pytest.mark.parametrize("resolver", CASES)
def test_names(name_servers, own_files, tmp_path, resolver):
    world.own_resolver(resolver)
    with Daemon(tmp_path, [case.upstream(own_files) for case in CASES[resolver]]) as daemon:
        for case in CASES[resolver]:
            servers_cases.judge_check(case, own_files)
        for case in CASES[resolver]:
            servers_cases.judge_daemon(case, daemon)


def test_an_address_that_is_dead(name_servers, tmp_path):
    """One of the name's two addresses does not answer: the other one is taken without waiting for it."""
    world.own_resolver(BIND)
    with Daemon(tmp_path, [upstream("x", "dead.test:7")]) as daemon:
        daemon.wait_up("x")
        assert daemon.upstream("x")["links"][0]["address"] == "127.0.0.1:7"
        assert not daemon.history("x")
