"""Warnings: each in the log, among the events, in the list of what is in force, and gone again when it is over; none touches health."""
import contextlib
import datetime
import pathlib
import threading
import time

import pytest

import names
import peers
import pki
import varlink
import world
from daemon import Daemon, eventually, upstream


class Watcher:
    """Whoever watches the warnings of a daemon."""

    def __init__(self, daemon):
        self.events = []
        self.client = varlink.Client(daemon.control, timeout=None)
        self.client.send("io.holdfast.Control.Watch", {"kinds": ["warning"]}, more=True)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        with contextlib.suppress(OSError, EOFError):
            while True:
                self.events.append(self.client.reply()[0]["event"])

    def messages(self, name, reason):
        return [event["message"] for event in self.events if event["upstream"] == name and event.get("reason") == reason]


def warnings(daemon, name):
    return daemon.upstream(name)["warnings"]


def begun(daemon, watcher, name, reason):
    """The message of the warning, which is in force, and the same wherever it is said."""
    eventually(lambda: reason in warnings(daemon, name), f"{reason} of {name}; the log says:\n{daemon.read_log()[-3000:]}")
    line = eventually(lambda: daemon.lines(event="warning", upstream=name, reason=reason), "its line")[-1]
    assert line["level"] == "warning"
    message = eventually(lambda: watcher.messages(name, reason), "its event")[-1]
    assert line["msg"] == message
    assert reason in daemon.ctl("show", name).stdout
    return message


def over(daemon, watcher, name, reason):
    eventually(lambda: reason not in warnings(daemon, name), f"{reason} of {name} to be over")
    line = eventually(lambda: [one for one in daemon.lines(event="warning", upstream=name, reason=reason) if one["level"] == "notice"],
                      "its end in the log")[-1]
    assert "over" in line["msg"]
    eventually(lambda: "over" in watcher.messages(name, reason)[-1], "its end among the events")


def healths(daemon, name):
    return [line["health"] for line in daemon.lines(event="health", upstream=name)]


class Showing:
    """A server that shows the certificate of the day."""

    def __init__(self, peer, entity, **options):
        self.entity, self.options = entity, options
        self.peer = peer(self.serve)

    def serve(self, connection):
        peers.tls(peers.tls_context(self.entity, **self.options))(connection)


def soon(authority, stem, days, **options):
    return authority.issue(stem, end=pki.now() + datetime.timedelta(days=days), **options)


def test_the_servers_certificate_ends_soon(start, peer, authority, server):
    tls = {"ca_file": str(authority.file), "resumption": False}
    ending = soon(authority, "ends-soon", 5)
    one = Showing(peer, ending)
    other = Showing(peer, ending)
    near = {**tls, "expiry_warning": "3d"}
    daemon = start([upstream("x", one.peer.address, connections=2, tls=tls),
                    upstream("near", other.peer.address, tls=near),
                    upstream("unasked", other.peer.address, tls={**tls, "expiry_warning": "none"})])
    watcher = Watcher(daemon)
    for name in ("x", "near", "unasked"):
        daemon.wait_up(name)
    daemon.call("Reconnect", name="x", rolling=True)
    message = begun(daemon, watcher, "x", "certificate-expires-soon")
    assert "ends-soon" in message and ending.certificate.not_valid_after.strftime("%Y-%m-%d") in message
    # Asked to warn earlier, by a reload that touches nothing else.
    daemon.write([upstream("x", one.peer.address, connections=2, tls=tls),
                  upstream("near", other.peer.address, tls={**near, "expiry_warning": "6d"}),
                  upstream("unasked", other.peer.address, tls={**tls, "expiry_warning": "none"})])
    assert {change["upstream"]: change["kind"] for change in daemon.reload()} == {"x": "kept", "near": "changed", "unasked": "kept"}
    begun(daemon, watcher, "near", "certificate-expires-soon")
    assert other.peer.accepted == 2, "no new connection for that"
    one.entity = server
    daemon.call("Reconnect", name="x", rolling=True)
    over(daemon, watcher, "x", "certificate-expires-soon")
    assert warnings(daemon, "unasked") == []
    assert len(watcher.messages("x", "certificate-expires-soon")) == 2, "said once, and its end once"
    for name in ("x", "near", "unasked"):
        assert daemon.upstream(name)["health"] == "up" and daemon.history(name) == []
    assert healths(daemon, "near") == ["up"]


def test_another_certificate(start, peer, authority, server):
    """Of the moment: it is told, and nothing remains in force."""
    tls = {"ca_file": str(authority.file), "resumption": False}
    one = Showing(peer, server)
    daemon = start([upstream("x", one.peer.address, tls=tls)])
    watcher = Watcher(daemon)
    daemon.wait_up("x")
    same_key = authority.issue("same-key", key=server.key)
    other_key = authority.issue("other-key")
    for entity, words in ((same_key, "with the same key"), (other_key, "with another key"), (server, None), (same_key, None)):
        said = len(watcher.messages("x", "certificate-changed"))
        one.entity = entity
        established = daemon.upstream("x")["counters"]["established"]
        daemon.call("Reconnect", name="x", rolling=True)
        eventually(lambda: daemon.upstream("x")["counters"]["established"] == established + 1, "the new connection")
        if words:
            message = eventually(lambda: watcher.messages("x", "certificate-changed")[said:], "the warning")[0]
            assert words in message and entity.pin in message
            eventually(lambda: [line for line in daemon.lines(event="warning", upstream="x", reason="certificate-changed")
                                if line["msg"] == message], "its line")
    assert other_key.pin != server.pin and server.pin in message, "the key of before, too"
    assert len(watcher.messages("x", "certificate-changed")) == 2, "a certificate that comes again is no change"
    assert warnings(daemon, "x") == [] and daemon.upstream("x")["health"] == "up" and daemon.history("x") == []


def test_our_own_certificate_ends_soon(tmp_path, start, peer, authority, server):
    ending, renewed = soon(authority, "ours-ending", 5, usage=pki.CLIENT), authority.issue("ours-renewed", usage=pki.CLIENT)
    one = Showing(peer, server, ca_file=authority.file, client="required")
    files = {"certificate": tmp_path / "c.pem", "key": tmp_path / "k.pem"}
    tls = {"ca_file": str(authority.file), **{key: str(path) for key, path in files.items()}}

    def install(entity):
        for path, content in ((files["certificate"], entity.certificate_file), (files["key"], entity.key_file)):
            aside = path.with_suffix(".new")
            aside.write_bytes(content.read_bytes())
            aside.rename(path)
    install(ending)
    daemon = start([upstream("x", one.peer.address, tls=tls), upstream("unasked", one.peer.address, tls={**tls, "expiry_warning": "none"})])
    watcher = Watcher(daemon)
    daemon.wait_up("x"), daemon.wait_up("unasked")
    daemon.call("Reconnect", name="x", rolling=True)
    eventually(lambda: "own-certificate-expires-soon" in warnings(daemon, "x"), "the warning")
    message = eventually(lambda: daemon.lines(event="warning", upstream="x", reason="own-certificate-expires-soon"), "its line")[0]["msg"]
    assert str(files["certificate"]) in message and ending.certificate.not_valid_after.strftime("%Y-%m-%d") in message
    install(renewed)
    eventually(lambda: "own-certificate-expires-soon" not in warnings(daemon, "x"), "the end of the warning")
    eventually(lambda: any("over" in text for text in watcher.messages("x", "own-certificate-expires-soon")), "its end among the events")
    eventually(lambda: daemon.lines(event="close", upstream="x", reason="certificate-rotated"), "the renewal")
    assert not daemon.lines(event="warning", upstream="unasked", reason="own-certificate-expires-soon")
    assert healths(daemon, "x") == ["up"] and daemon.history("x") == []


V6 = "2001:db8::1"


@world.isolated(setup=world.enter_connected)
def run_family(folder, breaks, mends):
    """A name with addresses of both families, one of which does not work, then does."""
    world.own_resolver("127.0.0.1")
    world.run("nft", "add table inet t; add chain inet t out { type filter hook output priority 0; }")
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.closing(names.NameServer({"both.test": [V6, "192.0.2.1"]})))
        four = stack.enter_context(contextlib.closing(peers.Peer(peers.hold, host="192.0.2.1")))
        family = Family(stack, four.port)
        breaks(family)
        daemon = stack.enter_context(Daemon(folder, [upstream("x", f"both.test:{four.port}", connections=2),
                                                     upstream("four", f"both.test:{four.port}", family="ipv4")]))
        watcher = Watcher(daemon)
        daemon.wait_up("x"), daemon.wait_up("four")
        daemon.call("Reconnect", name="x", rolling=True)
        eventually(lambda: "family-broken" in warnings(daemon, "x"), "the warning")
        lines = eventually(lambda: daemon.lines(event="warning", upstream="x", reason="family-broken"), "its line")
        assert len(lines) == 1 and "IPv6" in lines[0]["msg"], lines
        mends(family)
        daemon.call("Reconnect", name="x", rolling=True)
        over(daemon, watcher, "x", "family-broken")
        assert warnings(daemon, "four") == [] and daemon.history("x") == [] and daemon.upstream("x")["health"] == "up"
        assert set(healths(daemon, "x")) <= {"degraded", "up"}
        daemon.ctl("status", "x", check=0)


class Family:
    """IPv6 at a port of 2001:db8::1."""

    def __init__(self, stack, port):
        self.stack, self.port = stack, port

    def listen(self):
        self.stack.enter_context(contextlib.closing(peers.Peer(peers.hold, host=V6, port=self.port)))

    def drop(self):
        world.run("nft", f"add rule inet t out ip6 daddr {V6} tcp dport {self.port} drop")

    def reject(self):
        world.run("nft", f"add rule inet t out ip6 daddr {V6} tcp dport {self.port} reject with icmpv6 type addr-unreachable")

    def let_pass(self):
        world.run("nft", "flush chain inet t out")


@pytest.mark.parametrize("breaks, mends", [
    ([], ["listen"]),
    (["listen", "drop"], ["let_pass"]),
    (["listen", "reject"], ["let_pass"]),
], ids=["refused", "dropped", "rejected"])
def test_a_dead_family(tmp_path, breaks, mends):
    run_family(tmp_path, lambda family: [getattr(family, step)() for step in breaks],
               lambda family: [getattr(family, step)() for step in mends])


def test_flapping(start, peer):
    """Five ready connections that fail, whichever links they were of."""
    one, calm = peer(), peer()
    quick = {"close": "100ms"}
    daemon = start([upstream("x", one.address, connections=2, timeouts=quick), upstream("calm", calm.address, timeouts=quick)])
    watcher = Watcher(daemon)
    daemon.wait_up("x"), daemon.wait_up("calm")
    ended = 0
    while ended < 5:
        assert "flapping" not in warnings(daemon, "x") and ended == sum(daemon.upstream("x")["failures"].values())
        eventually(lambda: len(one.connections) == 2, "both to be accepted")
        one.reset_all()
        eventually(lambda: sum(daemon.upstream("x")["failures"].values()) == ended + 2, "both to fail")
        daemon.wait_up("x")
        ended += 2
    message = begun(daemon, watcher, "x", "flapping")
    assert "5 ready connections" in message and "connection.reset-early" in message
    eventually(lambda: len(one.connections) == 2, "both to be accepted")
    one.reset_all()
    eventually(lambda: sum(daemon.upstream("x")["failures"].values()) == ended + 2, "both to fail")
    daemon.wait_up("x")
    assert len(watcher.messages("x", "flapping")) == 1, "said once"
    assert "flapping" in warnings(daemon, "x") and warnings(daemon, "calm") == []


def test_probes_that_fail_for_a_while(start, peer):
    """Fewer than would end the connection: said, and over with the next answer."""
    mute = threading.Event()
    overdue = threading.Semaphore(0)

    def serve(connection):
        while connection.recv(4096):
            if mute.is_set():
                overdue.acquire()
            connection.sendall(b"+PONG\r\n")

    one = peer(serve)
    probe = {"kind": "redis", "interval": "100ms", "failures": 100}
    daemon = start([upstream("x", one.address, probe=probe, timeouts={"probe": "200ms"})])
    watcher = Watcher(daemon)
    daemon.wait_up("x")
    mute.set()
    message = begun(daemon, watcher, "x", "probe-failing")
    assert "timeout.heartbeat" in message and one.address in message
    assert daemon.upstream("x")["health"] == "up" and daemon.history("x") == []
    mute.clear()
    overdue.release()
    over(daemon, watcher, "x", "probe-failing")
    assert one.accepted == 1 and daemon.history("x") == [] and healths(daemon, "x") == ["up"]


def test_verification_that_is_off(start, peer, server, authority):
    one = peer(peers.tls(peers.tls_context(server)))
    off = upstream("x", one.address, tls={"verify": "none"})
    daemon = start([off])
    daemon.wait_up("x")
    assert warnings(daemon, "x") == ["verification-disabled"]
    daemon.write([upstream("x", one.address, tls={"ca_file": str(authority.file)})])
    daemon.reload()
    eventually(lambda: warnings(daemon, "x") == [], "no warning any more")
    watcher = Watcher(daemon)
    daemon.write([off])
    daemon.reload()
    begun(daemon, watcher, "x", "verification-disabled")
    assert daemon.upstream("x")["health"] == "up" and daemon.history("x") == []


def test_a_revocation_list_that_ends(start, peer, authority, server):
    """A warning before its end and after it; ready links are kept, whatever else changes; and over with a new list."""
    crl = authority.revocation_list("ending.crl", end=pki.now() + datetime.timedelta(seconds=5))
    ca = authority.folder / "crl-ca.pem"
    ca.write_bytes(authority.file.read_bytes())
    one = peer(peers.tls(peers.tls_context(server)))
    daemon = start([upstream("x", f"localhost:{one.port}", family="ipv4", tls={"ca_file": str(ca), "crl_file": str(crl)})])
    daemon.wait_up("x")
    eventually(lambda: "crl-expires-soon" in warnings(daemon, "x"), "the warning")
    message = eventually(lambda: daemon.lines(event="warning", upstream="x", reason="crl-expires-soon"), "its line")[0]["msg"]
    assert str(crl) in message
    time.sleep(6)
    other = pki.Authority(authority.folder / "another", "another CA")
    ca.write_bytes(authority.file.read_bytes() + other.file.read_bytes())
    time.sleep(4)  # longer than all files are looked at in
    assert daemon.upstream("x")["health"] == "up" and daemon.history("x") == [] and one.accepted == 1
    ended = crl.read_bytes()
    aside = authority.revocation_list("renewed.crl")
    aside.write_bytes(ended + aside.read_bytes())  # the newer one of an issuer's counts
    aside.rename(crl)
    eventually(lambda: "crl-expires-soon" not in warnings(daemon, "x"), "the end of the warning")
    assert daemon.history("x") == [] and one.accepted == 1
