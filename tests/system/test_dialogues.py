"""What is said before and after TLS, with servers and proxies that are slow, rude or late: stages have deadlines as wholes, plain text is
never taken for TLS's, and a probe is patient as far as it was told to be."""
import base64
import contextlib
import ipaddress
import socket
import threading
import time

import pytest

import peers
from daemon import eventually, upstream

QUICK = {"close": "100ms"}


def for_ever(begin, octet):
    """A beginning that promises something, and then octet by octet no end of it."""
    def serve(connection):
        connection.sendall(begin)
        while True:
            time.sleep(0.02)
            connection.sendall(octet)
    return serve


def read_line(connection):
    """One line of what comes, and not an octet more; b"" at the end."""
    line = b""
    while not line.endswith(b"\n"):
        octet = connection.recv(1)
        if not octet:
            return b""
        line += octet
    return line


class Mail:
    """A mail server with STARTTLS.  `pause` between the octets of what it says in plain; `glued` comes with the go-ahead, `ahead` with
    the answer to EHLO, `behind` 100 ms after the go-ahead."""

    def __init__(self, context, pause=0, glued=b"", ahead=b"", behind=b""):
        self.context, self.pause = context, pause
        self.glued, self.ahead, self.behind = glued, ahead, behind
        self.heard = []
        self.greeting = b"220-mail.test ESMTP\r\n220 ready when you are\r\n"

    def say(self, connection, text):
        for octet in ([text] if not self.pause else [text[at:at + 1] for at in range(len(text))]):
            connection.sendall(octet)
            time.sleep(self.pause)

    def serve(self, connection):
        self.say(connection, self.greeting)
        self.go_on(connection)

    def go_on(self, connection):
        assert read_line(connection).startswith(b"EHLO ")
        self.say(connection, b"250-mail.test\r\n250-PIPELINING\r\n250-STARTTLS\r\n250 8BITMIME\r\n" + self.ahead)
        assert read_line(connection) == b"STARTTLS\r\n"
        self.say(connection, b"220 2.0.0 go ahead\r\n" + self.glued)
        if self.behind:
            time.sleep(0.1)
            connection.sendall(self.behind)
        peers.tls(self.context, self.converse)(connection)

    def converse(self, wrapped):
        while line := read_line(wrapped):
            self.heard.append(line)
            wrapped.sendall(b"250 2.0.0 fine\r\n")


@pytest.fixture
def context(server):
    return peers.tls_context(server)


@pytest.fixture
def tls(authority):
    return {"ca_file": str(authority.file)}


# ---- STARTTLS --------------------------------------------------------------------------------------------------------

def test_starttls_probe_and_heartbeat(start, peer, context, tls):
    """The whole of it, said in one piece and octet by octet."""
    whole, pieces = Mail(context), Mail(context, pause=0.001)
    probe = {"kind": "smtp", "interval": "100ms"}
    daemon = start([upstream(name, f"localhost:{peer(mail.serve).port}", family="ipv4", starttls="smtp", tls=tls, probe=probe)
                    for name, mail in (("whole", whole), ("pieces", pieces))])
    for name, mail in (("whole", whole), ("pieces", pieces)):
        daemon.wait_up(name)
        eventually(lambda: len(mail.heard) >= 5, f"heartbeats of {name}")
        state = daemon.upstream(name)
        assert daemon.history(name) == [] and state["counters"]["attempts"] == 1
        timings = state["links"][0]["timings"]
        assert {"connect", "starttls", "handshake", "probe"} <= {stage for stage, took in timings.items() if took is not None}


def test_deadlines_are_those_of_stages(start, peer, context, tls):
    """Whoever dribbles does not escape: each octet is in time, the stage is not."""
    def dribbling_probe(connection):
        connection.recv(100)
        for_ever(b"", b"x")(connection)

    def dribbling_tls_probe(wrapped):
        wrapped.recv(100)
        for_ever(b"+PO", b"N")(wrapped)

    mail = {"starttls": "smtp", "tls": tls}
    short = {"timeouts": {**QUICK, "starttls": "400ms", "proxy": "400ms", "probe": "400ms"}}
    cases = {
        "greeting": (for_ever(b"220 ", b"x"), mail, "timeout.starttls", "starttls"),
        "lines": (for_ever(b"220-a\r\n", b"220-b\r\n"), mail, "timeout.starttls", "starttls"),
        "silence": (peers.hold, mail, "timeout.starttls", "starttls"),
        "imap": (for_ever(b"* OK ", b"x"), {"starttls": "imap", "tls": tls}, "timeout.starttls", "starttls"),
        "probe": (dribbling_probe, {"probe": {"kind": "expect", "send": "hello\\r\\n", "expect_regex": "yz"}},
                  "protocol.probe-mismatch", "probe"),  # it did answer, and nothing that was wanted
        "redis": (peers.tls(context, dribbling_tls_probe), {"tls": tls, "probe": {"kind": "redis"}}, "timeout.probe", "probe"),
    }
    upstreams = [upstream(name, peer(serve).address, **keys, **short) for name, (serve, keys, _, _) in cases.items()]
    for kind, serve in (("http", for_ever(b"HTTP/1.1 200 ", b"x")), ("socks5", peers.hold)):
        proxy = peer(serve)
        upstreams.append(upstream(kind, "up.test:25", proxy=f"{kind}://{proxy.address}", **short))
        cases[kind] = (None, None, "timeout.proxy", "proxy")
    daemon = start(upstreams)
    for name, (_, _, code, stage) in cases.items():
        failure = daemon.wait_failure(name, code, stage=stage)
        assert failure["elapsedUSec"] >= 400_000 and {one["code"] for one in daemon.history(name)} == {code}, failure


INJECTED = b"250 injected\r\n"


def test_plain_text_before_the_handshake(start, peer, context, tls):
    """With the go-ahead, before it, and 100 ms behind it: there is never a connection."""
    mails = {"glued": Mail(context, glued=INJECTED), "ahead": Mail(context, ahead=b"220 go ahead\r\n"),
             "pieces": Mail(context, glued=b"2", pause=0.002), "behind": Mail(context, behind=INJECTED)}
    daemon = start([upstream(name, peer(mail.serve).address, starttls="smtp", tls=tls) for name, mail in mails.items()])
    for name in mails:
        eventually(lambda: daemon.history(name), f"a failure of {name}")
        eventually(lambda: daemon.upstream(name)["counters"]["failed"] >= 3, f"failures of {name}")
        codes = {failure["code"] for failure in daemon.history(name)}
        assert codes == {"protocol.starttls-injection"}, (name, codes)
        assert daemon.upstream(name)["counters"]["established"] == 0, name
    for name in ("glued", "behind"):
        assert "injected" in daemon.history(name)[-1]["evidence"]


# ---- proxies ---------------------------------------------------------------------------------------------------------

class Connect:
    """An HTTP proxy; the way leads into `serve`.  What it heard is kept."""

    def __init__(self, serve, glue=b"", wanted=None):
        self.serve_inside, self.glue, self.wanted = serve, glue, wanted
        self.heads = []

    def serve(self, connection):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += connection.recv(1)
        self.heads.append(head)
        if self.wanted and b"Proxy-Authorization: Basic " + base64.b64encode(self.wanted) not in head:
            connection.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            return
        connection.sendall(b"HTTP/1.1 200 Connection established\r\nVia: 1.1 test\r\n\r\n" + self.glue)
        self.serve_inside(connection)


class Socks:
    """A SOCKS5 proxy that wants a user and a password (RFC 1928, RFC 1929)."""

    def __init__(self, serve, user, password):
        self.serve_inside, self.user, self.password = serve, user, password
        self.targets = []

    def serve(self, connection):
        exactly = lambda count: connection.recv(count, socket.MSG_WAITALL)
        version, count = exactly(2)
        assert version == 5
        if 2 not in exactly(count):
            connection.sendall(b"\5\xff")
            return
        connection.sendall(b"\5\2")
        user = exactly(exactly(2)[1])
        password = exactly(exactly(1)[0])
        good = (user, password) == (self.user, self.password)
        connection.sendall(b"\1\0" if good else b"\1\1")
        if not good:
            return
        version, command, _, kind = exactly(4)
        assert (version, command) == (5, 1)
        host = exactly(exactly(1)[0]).decode() if kind == 3 else str(ipaddress.ip_address(exactly(4 if kind == 1 else 16)))
        self.targets.append((host, int.from_bytes(exactly(2), "big")))
        connection.sendall(b"\5\0\0\1\x7f\0\0\1\0\x19")
        self.serve_inside(connection)


def test_a_greeting_glued_to_the_proxys_word(tmp_path, start, peer, authority, server, tls):
    """The upstream speaks first, and its greeting comes in the segment of the 200; STARTTLS and TLS inside are as ever, and the
    name that is verified is the upstream's, not the proxy's."""
    theirs = peers.tls_context(authority.issue("inside", names=("mail.test",)))
    mail = Mail(theirs)
    glued = Connect(mail.go_on, glue=mail.greeting, wanted=b"me:s3cret word")
    wrong = Connect(Mail(peers.tls_context(server)).serve)
    inside = Connect(peers.tls(theirs))
    password = tmp_path / "password"
    password.write_text("s3cret word\nand nothing of this line\n")
    password.chmod(0o600)
    probe = {"kind": "smtp", "interval": "100ms"}
    daemon = start([
        upstream("glued", "mail.test:25", proxy=f"http://{peer(glued.serve).address}", proxy_user="me",
                 proxy_password_file=str(password), starttls="smtp", tls=tls, probe=probe),
        upstream("wrong", "mail.test:25", proxy=f"http://{peer(wrong.serve).address}", starttls="smtp", tls=tls),
        upstream("inside", "mail.test:465", proxy=f"http://{peer(inside.serve).address}", tls=tls),
        upstream("unknown", "mail.test:465", proxy=f"http://{peer(glued.serve).address}", tls=tls)])
    daemon.wait_up("glued"), daemon.wait_up("inside")
    eventually(lambda: len(mail.heard) >= 3, "heartbeats")
    assert any(head.startswith(b"CONNECT mail.test:25 HTTP/1.1\r\n") for head in glued.heads)
    assert not any(b"s3cret" in head for head in glued.heads)
    failure = daemon.wait_failure("wrong", "tls.certificate-name", stage="handshake")
    assert "mail.test" in failure["hint"] and "localhost" in failure["hint"]
    daemon.wait_failure("unknown", "protocol.proxy-auth", stage="proxy")
    assert "s3cret" not in daemon.read_log() + daemon.call("Config")["text"]
    assert daemon.history("glued") == daemon.history("inside") == []


def test_socks_with_a_password_from_a_file(tmp_path, start, peer, authority):
    theirs = peers.tls_context(authority.issue("behind-socks", names=("up.test",)))
    socks = Socks(peers.tls(theirs), b"me", b"geheim")
    one = peer(socks.serve)
    password = tmp_path / "password"
    daemon = start([upstream("x", "up.test:636", proxy=f"socks5://{one.address}", proxy_user="me", proxy_password_file=str(password),
                             tls={"ca_file": str(authority.file)}, retry={"initial": "10m", "max": "20m"})])
    failure = daemon.wait_failure("x", "local.key-load", stage="load")
    assert failure["blame"] == "local" and str(password) in failure["hint"] and one.accepted == 0

    def write(content):
        aside = tmp_path / "aside"
        aside.write_bytes(content)
        aside.chmod(0o600)
        aside.rename(password)
    write(b"geheim\n")
    daemon.wait_up("x")
    assert socks.targets == [("up.test", 636)] and len(daemon.history("x")) == 1
    # The next connection uses what the file says by then.
    socks.password = b"neu"
    write(b"neu")
    daemon.call("Reconnect", name="x")
    eventually(lambda: len(socks.targets) == 2, "the new password to be used")
    daemon.wait_up("x")
    assert len(daemon.history("x")) == 1
    socks.password = b"other"
    daemon.call("Reconnect", name="x")
    failure = daemon.wait_failure("x", "protocol.proxy-auth", stage="proxy")
    assert failure["life"] == "persistent" and "geheim" not in daemon.read_log() and "neu" not in failure.get("evidence", "")


class Header:
    """A server that reads the PROXY protocol's header, judges each octet of it, and then serves."""

    def __init__(self, version, then, behind_proxy=False):
        self.version, self.then, self.behind_proxy = version, then, behind_proxy
        self.wrong = []
        self.right = 0

    def expected(self, connection):
        (source, source_port), (peer_host, peer_port) = connection.getpeername()[:2], connection.getsockname()[:2]
        six = ":" in source
        if self.version == "v1":
            if self.behind_proxy:
                return b"PROXY UNKNOWN\r\n"
            return f"PROXY TCP{6 if six else 4} {source} {peer_host} {source_port} {peer_port}\r\n".encode()
        signature = bytes.fromhex("0d0a0d0a000d0a515549540a")
        if self.behind_proxy:
            return signature + b"\x20\0\0\0"
        body = ipaddress.ip_address(source).packed + ipaddress.ip_address(peer_host).packed
        body += source_port.to_bytes(2, "big") + peer_port.to_bytes(2, "big")
        return signature + b"\x21" + (b"\x21" if six else b"\x11") + len(body).to_bytes(2, "big") + body

    def serve(self, connection):
        expected = self.expected(connection)
        seen = connection.recv(len(expected), socket.MSG_WAITALL)
        if seen != expected:
            self.wrong.append((seen, expected))
            return
        self.right += 1
        self.then(connection)


def test_the_proxy_protocols_header(start, peer, context, tls):
    def silent(connection):
        """Nothing but the header may come."""
        connection.settimeout(0.3)
        with contextlib.suppress(TimeoutError):
            assert connection.recv(1) == b"", "more than the header"
        connection.settimeout(None)
        peers.hold(connection)

    headers, upstreams = {}, []
    for version in ("v1", "v2"):
        for name, then, host, keys in (
                ("plain", silent, "127.0.0.1", {}), ("six", silent, "::1", {}), ("tls", peers.tls(context), "127.0.0.1", {"tls": tls}),
                ("mail", Mail(context).serve, "127.0.0.1", {"tls": tls, "starttls": "smtp", "probe": {"kind": "smtp"}})):
            header = headers[f"{name}-{version}"] = Header(version, then)
            upstreams.append(upstream(f"{name}-{version}", peer(header.serve, host=host).address, proxy_protocol=version,
                                      timeouts=QUICK, **keys))
        header = headers[f"behind-{version}"] = Header(version, silent, behind_proxy=True)
        proxy = Connect(header.serve)
        upstreams.append(upstream(f"behind-{version}", "up.test:1", proxy=f"http://{peer(proxy.serve).address}",
                                  proxy_protocol=version, timeouts=QUICK))
    daemon = start(upstreams)
    for name, header in headers.items():
        daemon.wait_up(name)
        eventually(lambda: header.right, f"the header of {name}; instead came {header.wrong}")
        assert not header.wrong and daemon.history(name) == [], name


# ---- heartbeats ------------------------------------------------------------------------------------------------------

class Redis:
    """Answers PING; how late, and whether at all, can be changed."""

    def __init__(self, peer):
        self.delay, self.mute, self.hang_up = 0, threading.Event(), threading.Event()
        self.asked = 0
        self.peer = peer(self.serve)

    def serve(self, connection):
        while connection.recv(4096):
            self.asked += 1
            if self.hang_up.is_set():
                peers.close_at_once(connection)
                return
            if self.mute.is_set():
                continue
            time.sleep(self.delay)
            connection.sendall(b"+PONG\r\n")


def test_heartbeats(start, peer):
    silent, late, closing, patient, idle = Redis(peer), Redis(peer), Redis(peer), Redis(peer), Redis(peer)
    unprobed = peer()
    first = {"kind": "redis", "interval": "none"}

    def probed(name, one, probe, **keys):
        return upstream(name, one.peer.address, probe={"kind": "redis", **probe}, **{"timeouts": {**QUICK, "probe": "300ms"}, **keys})

    def upstreams(patient_probe):
        return [
            probed("silent", silent, {"interval": "100ms", "failures": 3}),
            probed("closing", closing, {"interval": "100ms", "failures": 3}),
            probed("late", late, {"interval": "100ms", "failures": 3}, timeouts={**QUICK, "probe": "1s"}),
            probed("patient", patient, patient_probe, timeouts={**QUICK, "probe": "1s"}),
            probed("idle", idle, {"interval": "200ms"}, idle_limit="1500ms", timeouts={**QUICK, "probe": "5s"}),
            upstream("unprobed", unprobed.address, idle_limit="1500ms", timeouts=QUICK)]

    daemon = start(upstreams(first))
    for name in ("silent", "closing", "late", "patient", "idle", "unprobed"):
        daemon.wait_up(name)
    silent.mute.set(), closing.hang_up.set()

    # Silence: as often as is said, with warnings before; and then it is an outage of its own kind.
    failure = daemon.wait_failure("silent", "timeout.heartbeat", stage="ready")
    assert failure["blame"] == "address" and failure["life"] == "transient"
    told = [line["msg"] for line in daemon.lines(event="warning", upstream="silent", reason="probe-failing")]
    assert any(text.startswith("1 probe in a row") for text in told) and any(text.startswith("2 probes in a row") for text in told), told
    assert not any(text.startswith("3 probes") for text in told)
    daemon.wait_failure("silent", "timeout.probe", stage="probe")
    assert "probe-failing" not in daemon.upstream("silent")["warnings"], "no ready link's probes fail"
    silent.mute.clear()
    daemon.wait_up("silent")

    # Hanging up in the middle of a question.
    daemon.wait_failure("closing", "protocol.probe-closed", stage="ready")
    closing.hang_up.clear()
    daemon.wait_up("closing")

    # In place: the same connection, and then it is asked often; and given up sooner.
    assert patient.asked == 1 and patient.peer.accepted == 1
    daemon.write(upstreams({"interval": "100ms", "failures": 2}))
    changes = {change["upstream"]: change for change in daemon.reload()}
    assert changes["patient"]["kind"] == "changed" and changes["silent"]["kind"] == "kept", changes
    eventually(lambda: patient.asked >= 5, "heartbeats by the new interval")
    assert patient.peer.accepted == 1 and daemon.history("patient") == []
    patient.mute.set()
    daemon.wait_failure("patient", "timeout.heartbeat", stage="ready")
    assert len(daemon.lines(event="warning", upstream="patient", reason="probe-failing", level="warning")) == 1, "two are too many"

    # A late answer is no outage; answers that are always late are one.
    late.delay = 1.3
    eventually(lambda: daemon.lines(event="warning", upstream="late", reason="probe-failing", level="warning"), "a warning")
    late.delay = 0
    eventually(lambda: "probe-failing" not in daemon.upstream("late")["warnings"], "an answer in time")
    assert daemon.history("late") == [] and late.peer.accepted == 1 and daemon.upstream("late")["health"] == "up"
    late.delay = 1.3
    daemon.wait_failure("late", "timeout.heartbeat", stage="ready")

    # Answers are life: what is asked is never idle, while the other has been renewed by now.
    eventually(lambda: daemon.upstream("unprobed")["closes"].get("idle-recycled", 0) >= 2, "renewals of the idle one")
    assert idle.asked > 10 and idle.peer.accepted == 1 and daemon.history("idle") == daemon.history("unprobed") == []
