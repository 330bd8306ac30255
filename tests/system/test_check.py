"""`holdfastctl check` with a URL: every stage over every address, without the daemon."""
import contextlib
import json
import re
import signal
import socket
import subprocess
import threading
import time

import pytest

import names
import peers
import world
from daemon import HOLDFASTCTL, PATIENCE, Daemon, upstream


def check(*words, status=None):
    result = subprocess.run([str(HOLDFASTCTL), "check", *map(str, words)], stdin=subprocess.DEVNULL, capture_output=True,
                            text=True, timeout=PATIENCE * 2, check=False)
    assert status is None or result.returncode == status, result
    return result


def mail(upgrade):
    """A mail server that offers STARTTLS and then is served by `upgrade`."""
    def serve(connection):
        connection.sendall(b"220 mx ESMTP\r\n")
        connection.recv(4096)
        connection.sendall(b"250-mx\r\n250 STARTTLS\r\n")
        connection.recv(4096)
        connection.sendall(b"220 go ahead\r\n")
        upgrade(connection)
    return serve


def proxy(connection):
    """HTTP CONNECT to whatever host is named, on loopback."""
    head = b""
    while b"\r\n\r\n" not in head:
        head += connection.recv(4096)
    port = int(head.split()[1].rsplit(b":", maxsplit=1)[1])
    there = socket.create_connection(("127.0.0.1", port))
    connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")

    def pump(source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
    threading.Thread(target=pump, args=(there, connection), daemon=True).start()
    pump(connection, there)


def web(status=b"200 OK", body=b"fine"):
    def serve(connection):
        while connection.recv(4096):
            connection.sendall(b"HTTP/1.1 " + status + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    return serve


def test_starttls(peer, authority, server):
    one = peer(mail(peers.tls(peers.tls_context(server))))
    url = f"smtp+starttls://localhost:{one.port}"
    result = check(url, f"--ca-file={authority.file}", "-4", status=0)
    for word in ("starttls", "handshake", "TLSv1.3", "days", "works"):
        assert word in result.stdout, result.stdout
    report = json.loads(check("--json", url, f"--ca-file={authority.file}", "-4", status=0).stdout)
    assert {"connect", "starttls", "handshake"} <= report["attempts"][0]["timings"].keys()


def test_a_failure_has_evidence_a_hint_and_an_exit_status(peer):
    result = check(f"smtp+starttls://{peer(peers.say(b'* OK IMAP4rev1 ready' + bytes([13, 10]))).address}", status=16)
    assert "protocol.starttls-reply" in result.stdout
    assert "* OK IMAP4rev1 ready" in result.stdout
    assert "No SMTP server?" in result.stdout


@pytest.mark.parametrize("status, body, words, code", [
    (b"200 OK", b"fine", (), None),
    (b"503 Service Unavailable", b"ill", (), "protocol.probe-status"),
    (b"401 Unauthorized", b"who?", (), "protocol.probe-auth"),
    (b"503 Service Unavailable", b"ill", ("--probe=none",), None),
])
def test_a_web_server_is_asked(peer, status, body, words, code):
    result = check(f"http://{peer(web(status, body)).address}/health", *words, status=16 if code else 0)
    assert code is None or code in result.stdout, result.stdout


def test_through_a_proxy(peer, authority, server):
    """The proxy is given the name; the certificate is judged by it all the same."""
    behind, before = peer(peers.tls(peers.tls_context(server))), peer(proxy)
    report = json.loads(check("--json", f"tls://localhost:{behind.port}", f"--via=http://{before.address}",
                              f"--ca-file={authority.file}", status=0).stdout)
    attempt = report["attempts"][0]
    assert attempt["address"] == before.address and attempt["target"] == f"localhost:{behind.port}"
    assert attempt["via"] == f"http://{before.address}" and "proxy" in attempt["timings"]
    refused = check(f"tls://localhost:{behind.port}", f"--via=http://127.0.0.1:{peers.free_port()}", status=12)
    assert "connection.refused" in refused.stdout and "proxy" in refused.stdout


@world.isolated(setup=world.enter_connected)
def test_a_service(authority, server):
    """SRV records lead to the host; the domain is verified, or the host if that is said."""
    world.own_resolver("127.0.0.1")
    one = peers.Peer(peers.tls(peers.tls_context(authority.issue("ldap", names=("ldap1.up.test",)))))
    with contextlib.closing(names.NameServer({
            "_ldaps._tcp.up.test": {"SRV": [names.service("ldap1.up.test", one.port)]}, "ldap1.up.test": ["127.0.0.1"]})):
        url = "tls://srv:_ldaps._tcp.up.test"
        result = check(url, f"--ca-file={authority.file}", status=15)
        assert "tls.certificate-name" in result.stdout and "ldap1.up.test" in result.stdout
        check(url, f"--ca-file={authority.file}", "--name=@target", status=0)


@world.isolated(setup=world.enter_connected)
def test_addresses_beyond_the_bound_are_not_passed_over_in_silence():
    world.own_resolver("127.0.0.1")
    one = peers.Peer(peers.hold, host="127.0.0.1")
    zone = {"many.test": [f"127.0.0.{number}" for number in range(1, 21)], "few.test": ["127.0.0.1"]}
    with contextlib.closing(names.NameServer(zone)):
        assert "left out" in check(f"tcp://many.test:{one.port}").stdout
        assert json.loads(check("--json", f"tcp://many.test:{one.port}").stdout)["queries"][0]["partial"]
        assert "left out" not in check(f"tcp://few.test:{one.port}", status=0).stdout


@pytest.mark.parametrize("scheme, then, code, status", [
    ("tcp", peers.close_at_once, "connection.closed-early", 12),
    ("tcp", peers.reset_at_once, "connection.reset-early", 12),
    ("tls", peers.tls_close, "connection.closed-early", 12),
    ("tls", peers.tls_cut, "connection.truncated", 12),
    ("tls", peers.tls_reset, "connection.reset", 12),
])
def test_who_lets_us_in_and_hangs_up_at_once_does_not_work(peer, authority, server, scheme, then, code, status):
    serve = peers.tls(peers.tls_context(server), then) if scheme == "tls" else then
    words = [f"--ca-file={authority.file}"] if scheme == "tls" else []
    shown = check(f"{scheme}://{peer(serve).address}", *words, status=status).stdout
    assert code in shown
    assert code == "connection.reset-early" or re.search(r"^ +\+\S+ \S+ +ready \S+ \S+$", shown, re.MULTILINE), shown


def test_an_answer_to_the_probe_is_enough(peer):
    """Servers that end the connection after each answer work, each time."""
    def once(connection):
        connection.recv(4096)
        connection.sendall(b"HTTP/1.0 200 OK\r\n\r\nok")
        peers.close_at_once(connection)
    one = peer(once)
    for _ in range(10):
        check(f"http://{one.address}", status=0)


def test_closed_descriptors_are_no_crash(peer):
    """Nobody's socket becomes standard output."""
    url = f"tcp://{peer().address}"
    for redirection, status in ((">&-", 1), ("<&- 2>&-", 0), ("<&- >&- 2>&-", 1)):
        result = subprocess.run(["sh", "-c", f'exec "$0" check {url} {redirection}', str(HOLDFASTCTL)], timeout=PATIENCE,
                                capture_output=True, check=False)
        assert result.returncode == status, (redirection, result)


def test_an_argument_that_is_no_utf8(peer):
    report = json.loads(check("--json", "tls://h\udcff:1", status=11).stdout)
    assert report["target"] == "tls://h\\xff:1"


def test_being_stopped_is_no_failure(tmp_path, peer, cleanup):
    """Past every deadline of all together (the attempt's and ten seconds): the peer is judged once we run again."""
    one = upstream("x", peer().address, starttls="smtp", timeouts={"starttls": "1s", "attempt": "2s"})
    daemon = Daemon(tmp_path, [one], start=False)
    process = subprocess.Popen([str(HOLDFASTCTL), "--json", "check", "-c", str(daemon.config_file), "x"],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    cleanup.callback(process.kill)
    time.sleep(0.5)
    process.send_signal(signal.SIGSTOP)
    time.sleep(13)
    process.send_signal(signal.SIGCONT)
    report = json.loads(process.communicate(timeout=PATIENCE)[0])
    assert report["attempts"][0]["failure"]["code"] == "timeout.starttls"
    assert process.returncode == 13


def test_addresses_are_shown_in_turn_as_they_end(tmp_path, peer, cleanup):
    """The first one is told of while the second is still being tried."""
    silent = peers.SilentListener()
    cleanup.callback(silent.close)
    first = peer()
    daemon = Daemon(tmp_path, [upstream("x", [first.address, silent.address], timeouts={"connect": "20s"})], start=False)
    with subprocess.Popen([str(HOLDFASTCTL), "check", "-c", str(daemon.config_file), "x"], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, text=True) as process:
        cleanup.callback(process.kill)
        for line in process.stdout:
            if f"{first.address}: works" in line:
                break
        else:
            raise AssertionError("the first address was never told of")
        assert process.poll() is None, "the other one is still being tried"
        process.kill()
