"""holdfastctl as a person and a script use it: against the real daemon, against none, and against impostors."""
import contextlib
import fcntl
import json
import os
import pathlib
import pty
import re
import socket
import struct
import subprocess
import termios
import threading

import pytest

import peers
from daemon import HOLDFASTCTL, PATIENCE, eventually, upstream

UP, DEGRADED, USAGE, NO_DAEMON = 0, 2, 3, 4
SUPPRESSIONS = pathlib.Path(__file__).parent.parent / "lsan.supp"


def ctl(*arguments, check=None, **options):
    """holdfastctl without a daemon of the test's."""
    environment = {**os.environ, "LSAN_OPTIONS": f"suppressions={SUPPRESSIONS}:print_suppressions=0"}
    result = subprocess.run([str(HOLDFASTCTL), *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True,
                            text=True, timeout=PATIENCE * 2, check=False, env=environment, **options)
    assert "Sanitizer" not in result.stderr, result.stderr
    if check is not None:
        assert result.returncode == check, result
    return result


def on_terminal(*arguments, columns=80, **environment):
    """What holdfastctl prints on a terminal of that width, with its colours; and its exit status."""
    pid, master = pty.fork()
    if pid == 0:
        os.environ.update({"LC_ALL": "C.UTF-8", "TERM": "xterm", **environment})
        os.environ.pop("COLUMNS", None)
        fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        os.execv(HOLDFASTCTL, [str(HOLDFASTCTL), *map(str, arguments)])
    output = b""
    with contextlib.suppress(OSError):
        while piece := os.read(master, 65536):
            output += piece
    os.close(master)
    _, status = os.waitpid(pid, 0)
    return output.decode().replace("\r\n", "\n"), os.waitstatus_to_exitcode(status)


def plain(text):
    return re.sub(r"\033\[[0-9;]*m", "", text)


def refusing():
    """An address at which nothing listens."""
    listener = peers.Peer(peers.hold)
    listener.close()
    return listener.address


@pytest.fixture
def world(start, peer, authority, server):
    """A daemon with one upstream that is up, one that is refused, and one that does not speak TLS."""
    good = peer(peers.tls(peers.tls_context(server)))
    web = peer(peers.answer(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
    tls = {"ca_file": str(authority.file)}
    daemon = start([upstream("good", good.address, connections=2, tls=tls), upstream("refused", refusing()),
                    upstream("web", web.address, tls=tls)])
    daemon.good = good
    daemon.wait_up("good")
    daemon.wait_health("refused", "down")
    daemon.wait_health("web", "down")
    return daemon


# ---- status ----------------------------------------------------------------------------------------------------------


def test_status_shows_what_is_wrong_first(world):
    result = world.ctl("status")
    lines = result.stdout.splitlines()
    assert re.match(r"holdfastd \S+, up .*: 3 upstreams, 1 up, 2 down$", lines[0])
    assert lines[2].split() == ["NAME", "HEALTH", "READY", "SINCE", "REACH", "LAST", "FAILURE", "AGO", "NEXT"]
    names = [line.split()[0] for line in lines[3:] if not line.startswith(" ")]
    assert names == ["refused", "web", "good"]
    assert "connection.refused" in result.stdout and "(ECONNREFUSED)" in result.stdout
    assert "The peer sends HTTP instead of TLS" in result.stdout
    assert re.search(r"^good +up +2/2 ", result.stdout, re.MULTILINE)


def test_exit_statuses_are_those_of_the_classes(world):
    world.ctl("status", check=12)  # the first one that is down: refused
    world.ctl("status", "good", check=UP)
    world.ctl("status", "refused", "good", check=12)
    world.ctl("status", "web", check=15)
    world.ctl("show", "web", check=15)
    world.call("Pause", name="good")
    world.ctl("status", "good", check=DEGRADED)


@pytest.mark.parametrize("columns", [20, 40, 80, 132])
def test_nothing_is_wider_than_the_terminal(world, columns):
    for words in (["status"], ["show", "web"], ["history"], ["explain"], ["--help"], ["check", "--help"]):
        text, status = on_terminal("--socket", world.control, *words, columns=columns)
        widest = max(plain(text).splitlines(), key=len)
        assert len(widest) <= columns, (words, widest)
        assert "\033[" in text and status != USAGE


def test_colours_are_for_terminals(world):
    status = ["--socket", world.control, "status"]
    assert "\033" not in ctl(*status).stdout
    assert "\033[" in ctl("--color=always", *status).stdout
    assert "\033" not in on_terminal(*status, NO_COLOR="1")[0]
    assert "\033" not in on_terminal(*status, "--color=never")[0]


def test_ascii_locales_get_ascii(world):
    text, _ = on_terminal("--socket", world.control, "status", columns=24, LC_ALL="C")
    assert text.isascii() and "..." in text


def test_status_as_json_is_one_document(world):
    document = json.loads(world.ctl("--json", "status", check=12).stdout)
    assert document["daemon"]["upstreams"] == 3
    assert [one["name"] for one in document["upstreams"]] == ["good", "refused", "web"]
    assert json.loads(world.ctl("--json", "show", "good", check=UP).stdout)["ready"] == 2
    assert world.ctl("--json", "status", "gud", check=1).stdout == ""


def test_no_upstreams_are_no_trouble(start):
    daemon = start([])
    assert "0 upstreams" in daemon.ctl("status", check=UP).stdout
    assert json.loads(daemon.ctl("--json", "status", check=UP).stdout)["upstreams"] == []
    assert "no failures" in daemon.ctl("history", check=UP).stdout


# ---- the other commands ----------------------------------------------------------------------------------------------


def test_show_has_links_and_certificates(world):
    text = world.ctl("show", "good", check=UP).stdout
    assert "link 1: ready" in text and "link 2: ready" in text
    assert world.good.address in text
    assert re.search(r"handshake [0-9.]+ ms", text)
    assert "TLSv1." in text and "localhost, 127.0.0.1, ::1" in text and "days left" in text
    assert "as those of link 1" in text


def test_show_has_the_evidence(world):
    text = world.ctl("show", "web", check=15).stdout
    assert r"HTTP/1.1 400 Bad Request\x0d\x0a" in text and "last failure: tls.not-tls" in text


def test_history_is_limited(world):
    eventually(lambda: len(world.history("refused")) >= 3, "three failures")
    lines = world.ctl("history", "refused", "--limit=2", check=UP).stdout.splitlines()
    assert len(lines) == 3 and "connection.refused" in lines[1]
    failures = [json.loads(line) for line in world.ctl("--json", "history", "-n3", check=UP).stdout.splitlines()]
    assert len(failures) == 3 and all(one["code"] for one in failures)
    assert [one["time"] for one in failures] == sorted(one["time"] for one in failures)
    world.ctl("history", "--limit=0", check=USAGE)


def test_wait(world):
    world.ctl("wait", "good", check=UP)
    result = world.ctl("wait", "good", "refused", "--timeout=100ms", check=12)
    assert "refused is down; last failure: connection.refused" in result.stderr and "good" not in result.stderr
    world.ctl("wait", "refused", "web", "--for=down", check=UP)
    world.ctl("wait", "good", "--for=down", "--timeout=50ms", check=1)
    world.ctl("wait", "good", "--for=better", check=USAGE)
    world.ctl("wait", "good", "--timeout=soon", check=USAGE)


def test_pause_and_resume(world):
    assert world.ctl("pause", "good", check=UP).stdout == "good: paused\n"
    world.ctl("wait", "good", "--for=paused", check=UP)
    world.ctl("resume", "good", check=UP)
    world.ctl("wait", "good", check=UP)


def test_retry_and_reconnect(world):
    before = world.good.accepted
    assert world.ctl("reconnect", "--rolling", "good", check=UP).stdout == "good: 2 links reconnecting\n"
    eventually(lambda: world.good.accepted >= before + 2, "two fresh connections")
    assert "refused: 1 link retrying now" in world.ctl("retry", "refused", check=UP).stdout


def test_one_bad_name_does_not_stop_the_others(world):
    result = world.ctl("retry", "gud", "refused", check=1)
    assert "no upstream called gud; did you mean good?" in result.stderr
    assert result.stdout.startswith("refused:")


def test_reload_says_what_changes(world):
    world.write([upstream("refused", refusing()), upstream("fresh", refusing())])
    dry = world.ctl("reload", "--dry-run", check=UP).stdout
    assert "fresh: added" in dry and "good: removed" in dry and dry.splitlines()[-1].startswith("dry run: ")
    assert world.upstream("good")
    assert "reloaded: " in world.ctl("reload", check=UP).stdout
    world.ctl("status", "fresh", check=12)


def test_a_broken_file_is_told_line_by_line(world):
    world.config_file.write_text('upstreams = (\n  { name = "a"; adress = "b:1"; },\n  { name = "c"; }\n);\n')
    result = world.ctl("reload", check=1)
    assert f"{world.config_file}:2:" in result.stderr and "address" in result.stderr
    assert f"{world.config_file}:3:" in result.stderr
    world.ctl("status", "good", check=UP)


def test_config_and_metrics_and_log_level(world):
    assert "good" in world.ctl("config", check=UP).stdout
    assert world.ctl("metrics", check=UP).stdout.endswith("# EOF\n")
    world.ctl("log-level", "warning", check=UP)
    world.ctl("log-level", "loud", check=USAGE)


def test_watch_tells_of_a_death_and_of_the_daemons_end(world):
    with subprocess.Popen([str(HOLDFASTCTL), "--socket", str(world.control), "watch", "good"], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as watch:
        seen = []

        def read_until(wanted):
            for line in watch.stdout:
                seen.append(line)
                if re.search(wanted, line):
                    return
            raise AssertionError(f"no {wanted} in {seen}")

        timer = threading.Timer(PATIENCE, watch.kill)
        timer.start()
        listening = threading.Event()

        def reconnect_until_it_listens():
            while not listening.wait(0.1):
                world.call("Reconnect", name="good")

        thread = threading.Thread(target=reconnect_until_it_listens)
        thread.start()
        try:
            read_until(r"^\d\d:\d\d:\d\d\.\d{3} good/\d stage ready")
        finally:
            listening.set()
            thread.join()
        world.wait_up("good")
        world.good.reset_all()
        read_until(r" good/\d failure (connection\.reset|tls\.reset)")
        world.stop()
        assert watch.wait(PATIENCE) == NO_DAEMON
        timer.cancel()
        assert "hung up" in watch.stderr.read()


def test_only_an_administrator_may_change_things(world):
    if os.geteuid() != 0:
        pytest.skip("needs root to become somebody else")
    for folder in (world.folder, *world.folder.parents):
        if folder.stat().st_uid == 0 and folder != folder.parent and not folder.stat().st_mode & 1:
            folder.chmod(folder.stat().st_mode | 0o711)
    nobody = {"user": 65534, "group": 65534, "extra_groups": []}
    world.ctl("status", "good", check=UP, **nobody)
    result = world.ctl("pause", "good", check=1, **nobody)
    assert "needs root, the daemon's user, or the admin group" in result.stderr


def test_explain_needs_no_daemon():
    text = ctl("explain", "tls.certificate-expired", check=UP).stdout
    assert "persistent" in text and "15 where" in text
    listed = ctl("explain", check=UP).stdout
    assert len(re.findall(r"^  [a-z]+\.[a-z0-9-]+ ", listed, re.MULTILINE)) == 101
    assert "timeout.connect" not in ctl("explain", "tls", check=UP).stdout
    codes = [json.loads(line) for line in ctl("--json", "explain", check=UP).stdout.splitlines()]
    assert {one["exitStatus"] for one in codes} == set(range(11, 18))
    for one in codes:
        assert one["stages"] and one["causes"] and one["remedies"], one["code"]


def test_explain_tells_causes_and_remedies():
    text = ctl("explain", "protocol.starttls-missing", check=UP).stdout
    head, causes, remedies = text.split("\n\n")
    assert "\n  stages        starttls\n" in head and "the upstream: holdfastd backs off" in head
    assert causes.startswith("Likely causes\n  - TLS is not configured at the server")
    assert remedies.startswith("What to do\n  - `openssl s_client -connect HOST:PORT -starttls PROTOCOL`")
    assert "\n  stages        any\n" in ctl("explain", "local.stall", check=UP).stdout
    one = json.loads(ctl("--json", "explain", "tls.client-access-denied", check=UP).stdout)
    assert one["stages"] == ["handshake", "settle", "probe", "ready"]
    assert len(one["causes"]) == 1 and len(one["remedies"]) == 2


def test_explain_knows_codes_by_their_ends():
    result = ctl("explain", "tls.certificate-expird", check=USAGE)
    assert "did you mean tls.certificate-expired?" in result.stderr
    assert "address.refused or connection.refused" in ctl("explain", "refused", check=USAGE).stderr


def test_usage():
    assert "did you mean status?" in ctl("stauts", check=USAGE).stderr
    assert "did you mean --socket?" in ctl("--sockte=x", "status", check=USAGE).stderr
    ctl(check=USAGE)
    ctl("confirm", check=USAGE)
    ctl("connect", "ldap", check=USAGE)
    ctl("--color=pink", "status", check=USAGE)
    assert ctl("--version", check=UP).stdout.startswith("holdfastctl ")
    assert "--rolling" in ctl("reconnect", "--help", check=UP).stdout


# ---- no daemon, and impostors ----------------------------------------------------------------------------------------


def test_without_a_daemon(tmp_path):
    missing = tmp_path / "missing.sock"
    assert str(missing) in ctl("--socket", missing, "status", check=NO_DAEMON).stderr
    stale = tmp_path / "stale.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(stale))
    assert "nobody listens" in ctl("--socket", stale, "status", check=NO_DAEMON).stderr
    if os.geteuid() == 0:
        with socket.socket(socket.AF_UNIX) as listener:
            secret = tmp_path / "secret.sock"
            listener.bind(str(secret))
            listener.listen()
            secret.chmod(0o600)
            for folder in (tmp_path, *tmp_path.parents):
                if folder != folder.parent:
                    folder.chmod(folder.stat().st_mode | 0o711)
            result = ctl("--socket", secret, "status", check=NO_DAEMON, user=65534, group=65534, extra_groups=[])
            assert "permission" in result.stderr


IMPOSTORS = {
    "rubbish": b"\xff\xfe\x00",
    "another protocol": b"220 mail.example.org ESMTP\r\n\x00",
    "no object": b"[1, 2]\x00",
    "wrong types": b'{"parameters": {"version": 7}}\x00',
    "an unknown error": b'{"error": "org.example.Oops\\u001b[2J"}\x00',
    "too deep": b'{"parameters": {"a": ' + b"[" * 100000 + b"\x00",
    "half a reply": b'{"parameters": {"version": "0',
    "nothing": b"",
}


@pytest.mark.parametrize("what", IMPOSTORS)
def test_an_impostor_does_no_harm(peer, tmp_path, what):
    def serve(connection):
        connection.recv(65536)
        connection.sendall(IMPOSTORS[what])
        connection.close()

    path = str(tmp_path / "impostor.sock")
    peer(serve, path=path)
    for command in (["status"], ["show", "a"], ["watch"], ["wait", "a"], ["reload"], ["metrics"], ["pause", "a"]):
        result = ctl("--socket", path, *command)
        hung_up = what in ("half a reply", "nothing")
        trusted = what == "wrong types" and command[0] in ("wait", "pause")  # they look for nothing in the reply
        assert result.returncode == (NO_DAEMON if hung_up else UP if trusted else 1), (command, result)
        assert trusted or result.stderr.startswith("holdfastctl: ")
        assert "\033" not in result.stdout + result.stderr


def test_foreign_text_cannot_reach_the_terminal(peer, tmp_path):
    config = json.dumps({"parameters": {"text": "a = \"\u001b]0;owned\u0007\u009b31m\";\n"}}).encode() + b"\0"

    def serve(connection):
        connection.recv(65536)
        connection.sendall(config)
        peers.hold(connection)

    path = str(tmp_path / "hostile.sock")
    peer(serve, path=path)
    text, status = on_terminal("--socket", path, "config")
    assert status == UP and text == 'a = "\\x1b]0;owned\\x07\\xc2\\x9b31m";\n'


# ---- check -----------------------------------------------------------------------------------------------------------


def test_check_shows_stages_and_chain(peer, authority, server):
    good = peer(peers.tls(peers.tls_context(server, alpn=["h2"])))
    text = ctl("check", f"tls://{good.address}", "--ca-file", authority.file, "--alpn=http/1.1,h2", check=UP).stdout
    assert f"{good.address}: works" in text
    assert re.search(r"\+0\.00 ms +connect [0-9.]+ m?s\n +\+[0-9.]+ ms +handshake [0-9.]+ m?s\n +\+[0-9.]+ m?s +ready\n", text)
    assert "ALPN h2" in text and "localhost, 127.0.0.1, ::1" in text and "days left" in text
    assert server.pin in text


def test_check_asks_names_and_tries_every_address(peer, authority, server):
    good = peer(peers.tls(peers.tls_context(server)))
    report = json.loads(ctl("--json", "check", "-4", f"tls://localhost:{good.port}", "--ca-file", authority.file,
                            check=UP).stdout)
    assert [one["family"] for one in report["queries"]] == ["ipv4"]
    assert report["queries"][0]["addresses"] == [f"127.0.0.1:{good.port}"]
    attempt, = report["attempts"]
    assert attempt["worked"] and attempt["tls"]["chain"][0]["spkiSha256"] == server.pin
    result = ctl("--json", "check", f"tls://localhost:{good.port}", "--ca-file", authority.file)
    tried = {one["address"]: one["worked"] for one in json.loads(result.stdout)["attempts"]}
    assert tried.pop(f"127.0.0.1:{good.port}") is True
    assert set(tried.values()) <= {False}  # nothing listens at [::1], if this host knows it
    assert result.returncode == (DEGRADED if tried else UP)


def test_check_verifies_the_name_it_was_given(peer, authority, server):
    good = peer(peers.tls(peers.tls_context(server)))
    url = f"tls://{good.address}"
    ca = ("--ca-file", authority.file)
    ctl("check", url, *ca, "--name=localhost", check=UP)
    ctl("check", url, *ca, "--name=127.0.0.1", check=UP)  # which cannot be sent as SNI
    text = ctl("check", url, *ca, "--name=other.example.org", check=15).stdout
    assert "tls.certificate-name" in text and "X509_V_ERR_HOSTNAME_MISMATCH" in text
    ctl("check", url, *ca, "--name=other.example.org", "--verify=chain", check=UP)
    text = ctl("check", url, check=15).stdout
    assert "tls.certificate-unknown-issuer" in text and server.pin in text
    ctl("check", url, "--verify=none", check=UP)


def test_check_names_what_is_wrong(peer, tmp_path):
    web = peer(peers.answer(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
    silent = peer(peers.hold)
    assert "tls.not-tls" in ctl("check", f"tls://{web.address}", check=15).stdout
    assert "timeout.handshake" in ctl("check", f"tls://{silent.address}", "--timeout=300ms", check=13).stdout
    assert "connection.refused" in ctl("check", f"tcp://{refusing()}", check=12).stdout
    assert "address.unix-missing" in ctl("check", f"unix:{tmp_path}/none", check=11).stdout
    assert "local.ca-load" in ctl("check", f"tls://{silent.address}", "--ca-file=/nonexistent", check=17).stdout
    result = ctl("check", "tls://two..dots:443", check=11)
    assert "address.invalid" in result.stdout and "empty label" in result.stderr
    ctl("check", f"tcp://{silent.address}", check=UP)
    ctl("check", "gopher://a:70", check=USAGE)
    ctl("check", "tls://a:1", "--min-version=9", check=USAGE)


def test_check_of_a_configured_upstream(start, peer, authority, server):
    good = peer(peers.tls(peers.tls_context(server)))
    daemon = start([upstream("good", [refusing(), good.address], tls={"ca_file": str(authority.file)}),
                    upstream("off", good.address, enabled=False, tls={"ca_file": str(authority.file)})], start=False)
    report = json.loads(ctl("--json", "check", "-c", daemon.config_file, "good", check=DEGRADED).stdout)
    assert [one["worked"] for one in report["attempts"]] == [False, True]
    ctl("check", "-c", daemon.config_file, "off", check=UP)
    assert "did you mean good?" in ctl("check", "-c", daemon.config_file, "god", check=1).stderr
    ctl("check", "-c", daemon.config_file, "good", "--ca-file=x", check=USAGE)
    assert "did you mean tls://good:443" in ctl("check", "-c", daemon.config_file, "good:443", check=1).stderr
    daemon.config_file.write_text("upstreams = 7;\n")
    assert f"{daemon.config_file}:1:" in ctl("check", "-c", daemon.config_file, "good", check=1).stderr
    ctl("check", "-c", "/nonexistent", "good", check=1)
