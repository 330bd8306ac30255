"""Classes socket and local: this host's sockets, this host's files, this daemon."""
import os
import pathlib

import pytest

import peers
import world
from daemon import Daemon, eventually, upstream


def test_descriptor_limit(tmp_path, peer):
    """With every descriptor used up by upstreams, the failure has its name, the control socket answers, and reloads work."""
    good = peer()
    daemon = Daemon(tmp_path, [upstream("many", good.address, connections=100)], start=False)
    daemon.start(wrapper=("prlimit", "--nofile=80:80"))
    with daemon:
        failure = daemon.wait_failure("many", "socket.descriptor-limit", stage="connect")
        assert failure["error"] == "EMFILE" and failure["blame"] == "local"
        assert daemon.call("Status")["health"] == "degraded"
        assert "descriptor" in daemon.read_log().lower()
        for _ in range(3):
            assert daemon.reload()[0]["kind"] == "kept"


def test_bind(start, peer):
    daemon = start([upstream("x", peer().address, source="192.0.2.55")])
    failure = daemon.wait_failure("x", "socket.bind", stage="connect")
    assert failure["error"] == "EADDRNOTAVAIL"


def test_interface_that_does_not_exist(start, peer):
    daemon = start([upstream("x", peer().address, interface="nowhere0")])
    failure = daemon.wait_failure("x", "socket.bind", stage="connect")
    assert failure["error"] == "ENODEV"


@world.isolated()
def test_no_ports(tmp_path):
    """One ephemeral port, and it is taken."""
    peer = peers.Peer(peers.hold)
    pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").write_text("50000 50000")
    with Daemon(tmp_path, [upstream("x", peer.address, connections=2)]) as daemon:
        failure = daemon.wait_failure("x", "socket.no-ports", stage="connect")
        assert failure["error"] == "EADDRNOTAVAIL"


@world.isolated()
def test_no_family(tmp_path):
    pathlib.Path("/proc/sys/net/ipv6/conf/all/disable_ipv6").write_text("1")
    with Daemon(tmp_path, [upstream("x", "[2001:db8::1]:4")]) as daemon:
        eventually(lambda: daemon.history("x"), "a failure")
        assert daemon.history("x")[-1]["code"] in ("socket.no-family", "local.offline")


@world.isolated(setup=world.enter_connected)
def test_no_family_on_a_connected_host(tmp_path):
    pathlib.Path("/proc/sys/net/ipv6/conf/all/disable_ipv6").write_text("1")
    with Daemon(tmp_path, [upstream("x", "[2001:db8::1]:4")]) as daemon:
        failure = daemon.wait_failure("x", "socket.no-family", stage="connect")
        assert failure["error"] == "EADDRNOTAVAIL"


@pytest.mark.skipif(os.geteuid() != 0, reason="dropping privileges needs root")
def test_setup(tmp_path, peer):
    """SO_MARK needs CAP_NET_ADMIN."""
    tmp_path.chmod(0o777)
    for parent in tmp_path.parents:
        if parent != pathlib.Path("/tmp") and str(parent).startswith("/tmp/"):
            parent.chmod(0o755)
    daemon = Daemon(tmp_path, [upstream("x", peer().address, mark=7)], start=False)
    daemon.start(wrapper=("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"))
    with daemon:
        failure = daemon.wait_failure("x", "socket.setup", stage="connect")
        assert failure["error"] == "EPERM"


@world.isolated()
def test_offline_is_held_and_told_once(tmp_path):
    """Nothing but loopback: attempts are held, loopback is not, and a network ends it."""
    local = peers.Peer(peers.hold)
    with Daemon(tmp_path, [upstream("far", "192.0.2.7:4"), upstream("near", local.address)]) as daemon:
        failure = daemon.wait_failure("far", "local.offline", stage="connect")
        assert failure["blame"] == "local"
        daemon.wait_up("near")
        daemon.wait_health("far", "offline")
        daemon.call("Retry", name="far")
        assert len(daemon.history("far")) == 1
        world.connected()
        world.run("ip", "addr", "add", "192.0.2.7/32", "dev", "lo")
        listener = peers.Peer(peers.hold, host="192.0.2.7", port=4)
        daemon.wait_up("far")
        listener.close()


@pytest.mark.parametrize("break_it, code", [
    (lambda files: files["certificate"].unlink(), "local.certificate-load"),
    (lambda files: files["certificate"].write_text("rubbish"), "local.certificate-load"),
    (lambda files: files["key"].unlink(), "local.key-load"),
    (lambda files: files["key"].write_text("rubbish"), "local.key-load"),
    (lambda files: files["key"].write_bytes(files["other"].read_bytes()), "local.key-mismatch"),
    (lambda files: files["ca"].unlink(), "local.ca-load"),
    (lambda files: files["ca"].write_text(""), "local.ca-load"),
])
def test_files_that_are_missing_or_broken(tmp_path, start, peer, authority, server, break_it, code):
    """Only that upstream is down; once the file is right, it comes up by itself."""
    ours = authority.issue("ours", usage=None)
    other = authority.issue("other")
    files = {"certificate": tmp_path / "c.pem", "key": tmp_path / "k.pem", "ca": tmp_path / "ca.pem",
             "other": other.key_file}

    def good():
        files["certificate"].write_bytes(ours.certificate_file.read_bytes())
        files["key"].write_bytes(ours.key_file.read_bytes())
        files["ca"].write_bytes(authority.file.read_bytes())
    good()
    break_it(files)
    one = peer(peers.tls(peers.tls_context(server)))
    daemon = start([upstream("x", one.address, tls={"ca_file": str(files["ca"]), "certificate": str(files["certificate"]),
                                                   "key": str(files["key"])}),
                    upstream("fine", one.address, tls={"ca_file": str(authority.file)})])
    failure = daemon.wait_failure("x", code, stage="load")
    assert failure["life"] == "persistent" and failure["blame"] == "local"
    assert str(tmp_path) in failure["hint"]
    assert "older" not in failure["hint"], "there is none"
    daemon.wait_up("fine")
    good()
    daemon.wait_up("x")


def test_a_file_that_comes_is_seen_before_the_backoff_ends(tmp_path, start, peer, authority, server):
    """No reload, and the next attempt would be minutes away."""
    ca = tmp_path / "ca.pem"
    one = peer(peers.tls(peers.tls_context(server)))
    daemon = start([upstream("x", one.address, tls={"ca_file": str(ca)}, retry={"initial": "10m", "max": "20m"})])
    daemon.wait_failure("x", "local.ca-load", stage="load")
    aside = tmp_path / "ca.new"
    aside.write_bytes(authority.file.read_bytes())
    aside.rename(ca)
    daemon.wait_up("x")
    assert len(daemon.history("x")) == 1


def test_a_bad_new_file_leaves_the_old_one_in_use(tmp_path, start, peer, authority, server):
    ca = tmp_path / "ca.pem"
    ca.write_bytes(authority.file.read_bytes())
    one = peer(peers.tls(peers.tls_context(server)))
    daemon = start([upstream("x", one.address, tls={"ca_file": str(ca)})])
    daemon.wait_up("x")
    ca.write_text("half written")
    daemon.reload()
    one.reset_all()
    daemon.wait_failure("x", "connection.reset")
    eventually(lambda: one.accepted >= 2, "another connection")
    daemon.wait_up("x")
    eventually(lambda: [line for line in daemon.lines(event="warning", upstream="x") if str(ca) in str(line)],
               "a warning that names the file")


def test_a_setting_that_cannot_be_applied(tmp_path, start, peer):
    """keylog_file in a folder that does not exist: nothing the parser can see."""
    daemon = start([upstream("x", peer().address, tls={"verify": "none", "keylog_file": str(tmp_path / "no" / "keys")})])
    failure = daemon.wait_failure("x", "local.tls-config", stage="load")
    assert failure["blame"] == "local" and "keylog_file" in failure["hint"]


def failing(call, error, when="1+"):
    """A wrapper in which such a system call fails: for errors that no peer and no kernel here can be made to give.  `when` counts
    each thread's own calls.  The tracer stands aside (-D), so that signals reach the daemon; LeakSanitizer does not work in a
    process that is traced."""
    options = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
    return ("env", f"ASAN_OPTIONS={options}", "strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}",
            "-e", f"inject={call}:error={error}:when={when}")


def test_no_buffers(tmp_path, peer):
    daemon = Daemon(tmp_path, [upstream("x", peer().address)], start=False)
    daemon.start(wrapper=failing("connect", "ENOBUFS"))
    with daemon:
        failure = daemon.wait_failure("x", "socket.no-buffers", stage="connect")
        assert failure["error"] == "ENOBUFS" and failure["blame"] == "local"


def test_an_error_while_reading_that_has_no_row(tmp_path, peer):
    """The worker's first read fails (so does main's, from the first client, which asks again)."""
    daemon = Daemon(tmp_path, [upstream("x", peer(peers.say(b"hello")).address)], start=False)
    daemon.start(wrapper=failing("recvfrom", "EIO", when="1"))
    with daemon:
        failure = daemon.wait_failure("x", "socket.io", stage="ready")
        assert failure["error"] == "EIO"
        daemon.wait_up("x")
