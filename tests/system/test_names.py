"""Names: services by their SRV records, addresses that leave the DNS under a live link, order and family."""
import contextlib
import itertools

import names
import peers
import world
from daemon import Daemon, eventually, upstream

QUICK = {"timeouts": {"close": "100ms"}}


class Scene(contextlib.ExitStack):
    """A name server whose zone can change, and servers at addresses of loopback."""

    def __init__(self, zone):
        super().__init__()
        world.own_resolver("127.0.0.1")
        self.zone = zone
        self.server = self.enter_context(contextlib.closing(names.NameServer(zone)))

    def listen(self, host="127.0.0.1", port=0, serve=peers.hold):
        return self.enter_context(contextlib.closing(peers.Peer(serve, host=host, port=port)))

    def daemon(self, folder, upstreams):
        return self.enter_context(Daemon(folder, [upstream(name, address, **{**QUICK, **keys}) for name, address, keys in upstreams]))


def where(daemon, name):
    return [link["address"] for link in daemon.upstream(name)["links"] if link["stage"] == "ready"]


@world.isolated()
def test_services(tmp_path):
    zone = {"one.test": ["127.0.0.1"], "two.test": ["127.0.0.2"]}
    with Scene(zone) as scene:
        first, second = scene.listen("127.0.0.1"), scene.listen("127.0.0.2")
        heavy, light = scene.listen("127.0.0.1"), scene.listen("127.0.0.2")
        refused = peers.free_port()
        zone["_ranked._tcp.up.test"] = [names.service("two.test", second.port, 20, 65535), names.service("one.test", first.port, 10, 1)]
        zone["_weighed._tcp.up.test"] = [names.service("two.test", light.port, 5, 1), names.service("one.test", heavy.port, 5, 65535)]
        zone["_dead._tcp.up.test"] = [names.service("one.test", refused, 1), names.service("nowhere.test", 4, 2),
                                      names.service("two.test", second.port, 3)]
        zone["_none._tcp.up.test"] = [names.service(".", 0)]
        zone["_empty._tcp.up.test"] = {"SRV": "nodata"}
        zone["_broken._tcp.up.test"] = "servfail"
        zone["_lost._tcp.up.test"] = [names.service("nowhere.test", 4)]
        daemon = scene.daemon(tmp_path, [
            ("ranked", "srv:_ranked._tcp.up.test", {}), ("weighed", "srv:_weighed._tcp.up.test", {"connections": 10}),
            ("dead", "srv:_dead._tcp.up.test", {}), ("none", "srv:_none._tcp.up.test", {}), ("empty", "srv:_empty._tcp.up.test", {}),
            ("missing", "srv:_missing._tcp.up.test", {}), ("broken", "srv:_broken._tcp.up.test", {}),
            ("lost", "srv:_lost._tcp.up.test", {}),
            ("both", ["srv:_lost._tcp.up.test", first.address], {}),
        ])
        daemon.wait_up("ranked")
        assert where(daemon, "ranked") == [first.address]
        daemon.wait_up("weighed")
        assert where(daemon, "weighed").count(heavy.address) >= 9
        daemon.wait_up("dead")
        assert where(daemon, "dead") == [second.address] and daemon.history("dead") == []
        failure = daemon.wait_failure("none", "address.no-data", stage="resolve")
        assert failure["life"] == "persistent"
        daemon.wait_failure("empty", "address.no-data", stage="resolve")
        daemon.wait_failure("missing", "address.nxdomain", stage="resolve")
        daemon.wait_failure("broken", "address.servfail", stage="resolve")
        daemon.wait_failure("lost", "address.nxdomain", stage="resolve")
        daemon.wait_up("both")
        # The best one dies: the next rank has its turn.
        first.close()
        eventually(lambda: where(daemon, "ranked") == [second.address], "the second rank")
        # It comes back with the records changed: what they say now holds.
        again = scene.listen("127.0.0.1")
        zone["_ranked._tcp.up.test"] = [names.service("one.test", again.port, 10), names.service("two.test", second.port, 20)]
        eventually(lambda: second.accepted == 2, "both to be accepted")
        second.reset_all()
        eventually(lambda: where(daemon, "ranked") == [again.address], "the first rank at its new port")


def test_services_in_tls(tmp_path, authority, server):
    """It is the domain that is verified, or the host where one asks for that."""
    hosts = authority.issue("of-the-host", names=("mx.test",))
    domains = authority.issue("of-the-domain", names=("up.test",))
    in_tls(tmp_path, authority, hosts, domains)


@world.isolated()
def in_tls(folder, authority, hosts, domains):
    asked = []

    def serve(entity):
        context = peers.tls_context(entity)
        context.sni_callback = lambda _socket, name, _context: asked.append(name)
        return peers.tls(context)

    zone = {"mx.test": ["127.0.0.1"]}
    with Scene(zone) as scene:
        host, domain = scene.listen(serve=serve(hosts)), scene.listen(serve=serve(domains))
        zone["_host._tcp.up.test"] = [names.service("mx.test", host.port)]
        zone["_domain._tcp.up.test"] = [names.service("mx.test", domain.port)]
        tls = {"ca_file": str(authority.file)}
        target = {**tls, "verify_name": "@target"}
        daemon = scene.daemon(folder, [
            ("domain", "srv:_domain._tcp.up.test", {"tls": tls}), ("host", "srv:_host._tcp.up.test", {"tls": target}),
            ("wrong", "srv:_host._tcp.up.test", {"tls": tls}), ("crossed", "srv:_domain._tcp.up.test", {"tls": target})])
        daemon.wait_up("domain"), daemon.wait_up("host")
        failure = daemon.wait_failure("wrong", "tls.certificate-name")
        assert "mx.test" in failure["hint"] and "up.test" in failure["hint"]
        failure = daemon.wait_failure("crossed", "tls.certificate-name")
        assert "mx.test" in failure["hint"] and "up.test" in failure["hint"]
        assert set(asked) == {"mx.test", "up.test"}


@world.isolated()
def test_addresses_that_leave_the_dns(tmp_path):
    """An address is gone once several whole answers lack it, not before: then there is a successor, and never a moment without.

    Names are asked again no sooner than after five seconds; so all of it goes on at the same time.
    """
    both, rest = ["127.0.0.11", "127.0.0.12"], ["127.0.0.12"]
    turns = itertools.chain([["127.0.0.11"]], itertools.cycle([["127.0.0.12"], ["127.0.0.13"], ["127.0.0.14"]]))
    odd = itertools.chain([both], itertools.cycle([rest, rest, both]))
    zone = {
        "gone.test": both, "all-gone.test": ["127.0.0.11"], "fail.test": both, "moved.test": ["127.0.0.11"],
        "gone.up.test": ["127.0.0.11"], "new.up.test": ["127.0.0.12"], "odd.test": {"A": lambda: next(odd)},
        "lame.test": {"A": both, "AAAA": "servfail"},
        "turning.test": {"A": lambda: next(turns)},
    }
    with Scene(zone) as scene:
        one = scene.listen("127.0.0.11")
        two = scene.listen("127.0.0.12", one.port)
        port = one.port
        zone["_x._tcp.up.test"] = [names.service("gone.up.test", port)]
        tested = ("gone", "lame", "odd", "turning", "fail", "srv", "moved", "all-gone")
        daemon = scene.daemon(tmp_path, [
            ("gone", f"gone.test:{port}", {"connections": 2}), ("odd", f"odd.test:{port}", {}),
            ("lame", f"lame.test:{port}", {}),
            ("turning", f"turning.test:{port}", {}), ("fail", f"fail.test:{port}", {}),
            ("srv", "srv:_x._tcp.up.test", {}), ("moved", f"moved.test:{port}", {}), ("all-gone", f"all-gone.test:{port}", {}),
            ("literal", one.address, {})])
        for name in tested:
            daemon.wait_up(name)
        before = {name: daemon.upstream(name)["links"][0]["since"] for name in tested}
        assert where(daemon, "gone") == [one.address] * 2 and where(daemon, "odd") == [one.address]
        zone["gone.test"] = rest
        zone["fail.test"] = "servfail"
        zone["lame.test"] = {"A": rest, "AAAA": "servfail"}     # the other family's failure is no reason to stay
        zone["_x._tcp.up.test"] = [names.service("new.up.test", port)]
        zone["moved.test"] = ["127.0.0.13"]     # where nobody listens: the successor never comes up
        zone["all-gone.test"] = "nodata"          # no address is no reason to leave one that works
        eventually(lambda: where(daemon, "gone") == [two.address] * 2, "the other address", patience=90)
        eventually(lambda: where(daemon, "lame") == [two.address], "the other address in spite of AAAA", patience=90)
        eventually(lambda: where(daemon, "srv") == [two.address], "the other service", patience=90)
        eventually(lambda: len(daemon.lines(event="close", upstream="gone", reason="address-gone")) == 2, "both closes")
        assert daemon.upstream("gone")["closes"]["address-gone"] == 2
        eventually(lambda: daemon.lines(event="close", upstream="srv", reason="address-gone"), "its close")
        for name in tested:
            healths = [line["health"] for line in daemon.lines(event="health", upstream=name)]
            assert healths in (["up"], ["degraded", "up"]), f"{name} was never without: {healths}"
        for name in ("gone", "lame", "odd", "turning", "fail", "srv", "all-gone"):
            assert daemon.history(name) == [], name
        eventually(lambda: [query for query in scene.server.queries if query == ("odd.test", "A")][3:], "four rounds of odd.test",
                   patience=60)
        eventually(lambda: [query for query in scene.server.queries if query == ("turning.test", "A")][7:], "seven rounds of turning.test",
                   patience=60)
        for name in ("odd", "turning", "fail", "all-gone"):
            link = daemon.upstream(name)["links"][0]
            assert link["since"] == before[name] and link["address"] == one.address, f"{name} was left alone"
        daemon.wait_failure("moved", "connection.refused")
        assert daemon.upstream("moved")["health"] == "up" and where(daemon, "moved") == [one.address]


@world.isolated()
def test_order_and_family(tmp_path):
    """Shuffled or as listed; and only the families that are wanted are asked for."""
    many = [f"127.0.1.{number}" for number in range(1, 9)]
    zone = {"many.test": many, "four.test": ["127.0.0.1", "::1"], "six.test": ["127.0.0.1", "::1"],
            "any.test": ["127.0.0.1", "::1"], "onlyfour.test": ["127.0.0.1"]}
    with Scene(zone) as scene:
        everywhere = scene.listen("0.0.0.0")
        port = everywhere.port
        six = scene.listen("::1", port)
        daemon = scene.daemon(tmp_path, [
            ("named", f"many.test:{port}", {"connections": 24}),
            ("random", f"many.test:{port}", {"connections": 24, "order": "random"}),
            ("shuffled", [f"{host}:{port}" for host in many], {"connections": 24, "order": "random"}),
            ("listed", [f"{host}:{port}" for host in many], {"connections": 24}),
            ("four", f"four.test:{port}", {"family": "ipv4"}), ("six", f"six.test:{port}", {"family": "ipv6"}),
            ("any", f"any.test:{port}", {}), ("lacking", f"onlyfour.test:{port}", {"family": "ipv6"})])
        for name in ("named", "random", "shuffled", "listed", "four", "six", "any"):
            daemon.wait_up(name)
        # That 24 links choose among no more than 3 of 8 addresses is as likely as 4 in 10^9.
        assert len(set(where(daemon, "random"))) > 3 and len(set(where(daemon, "shuffled"))) > 3
        assert set(where(daemon, "listed")) == set(where(daemon, "named")) == {f"127.0.1.1:{port}"}
        assert where(daemon, "four") == [f"127.0.0.1:{port}"]
        assert where(daemon, "six") == where(daemon, "any") == [six.address]
        assert ("four.test", "AAAA") not in scene.server.queries and ("six.test", "A") not in scene.server.queries
        failure = daemon.wait_failure("lacking", "address.no-data", stage="resolve")
        assert failure["life"] == "persistent"
