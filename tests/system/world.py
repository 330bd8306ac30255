"""A world of a test's own: network and mount namespaces, a syslog, and changes to both.

Tests that need routes, resolvers or a /dev/log of their own run in a forked child inside new namespaces; nothing
they do is seen outside, and nothing of it can reach any network.
"""
import ctypes
import functools
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import threading
import traceback

CLONE_NEWNS = 0x00020000
CLONE_NEWNET = 0x40000000
MS_REC, MS_PRIVATE, MS_BIND = 16384, 1 << 18, 4096

libc = ctypes.CDLL(None, use_errno=True)


def checked(result):
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


def mount(source, target, kind=None, flags=0):
    encode = lambda text: None if text is None else os.fsencode(text)
    checked(libc.mount(encode(source), encode(target), encode(kind), flags, None))


def run(*words):
    subprocess.run(words, check=True, stdin=subprocess.DEVNULL, capture_output=True, text=True)


def enter():
    """Leave the host's network and mounts for new ones: loopback is up, there is nothing else."""
    checked(libc.unshare(CLONE_NEWNS | CLONE_NEWNET))
    mount("none", "/", flags=MS_REC | MS_PRIVATE)
    run("ip", "link", "set", "lo", "up")


def own_dev():
    """A /dev of our own, so that /dev/log can be made, broken and watched."""
    keep = {name: os.open(f"/dev/{name}", os.O_PATH) for name in ("null", "zero", "full", "random", "urandom")}
    mount("tmpfs", "/dev", "tmpfs")
    for name, descriptor in keep.items():
        pathlib.Path("/dev", name).touch()
        mount(f"/proc/self/fd/{descriptor}", f"/dev/{name}", flags=MS_BIND)
        os.close(descriptor)
    os.mkdir("/dev/shm")


def own_file(path, content):
    """Show `content` at `path`, in this mount namespace only."""
    file = tempfile.NamedTemporaryFile("w", delete=False)
    with file:
        file.write(content)
    os.chmod(file.name, 0o644)
    mount(file.name, os.path.realpath(path), flags=MS_BIND)


def own_resolver(*servers, hosts=""):
    """Make `servers` the name servers, with little patience, and `hosts` the hosts file's further lines."""
    lines = "".join(f"nameserver {server}\n" for server in servers)
    own_file("/etc/resolv.conf", lines + "options timeout:1 attempts:1\n")
    own_file("/etc/hosts", "127.0.0.1 localhost\n::1 localhost\n" + hosts)


def connected():
    """Give the namespace a network that leads nowhere: one end of a veth pair with addresses, so that it is not offline."""
    run("ip", "link", "add", "outer", "type", "veth", "peer", "name", "inner")
    for words in ("addr add 192.0.2.1/24 dev outer", "addr add 2001:db8::1/64 dev outer nodad", "link set outer up",
                  "link set inner up"):
        run("ip", *words.split())


def enter_connected():
    """As enter(), with the network that leads nowhere, so that this host is not offline."""
    enter()
    connected()


def isolated(setup=enter):
    """Decorator: run the test in a child inside namespaces of its own, prepared by `setup`."""
    def decorate(test):
        @functools.wraps(test)
        def wrapper(*arguments, **keywords):
            import pytest
            if os.geteuid() != 0:
                pytest.skip("namespaces of its own need root")
            reader, writer = os.pipe()
            sys.stdout.flush(), sys.stderr.flush()
            child = os.fork()
            if child == 0:
                os.close(reader)
                outcome = run_isolated(setup, test, arguments, keywords)
                os.write(writer, outcome.encode()[-60000:])
                os._exit(0)
            os.close(writer)
            with os.fdopen(reader, "rb") as pipe:
                report = pipe.read().decode()
            os.waitpid(child, 0)
            if report != "passed":
                pytest.fail(report or "the child died without a word", pytrace=False)
        return wrapper
    return decorate


def run_isolated(setup, test, arguments, keywords):
    try:
        setup()
        test(*arguments, **keywords)
        return "passed"
    except BaseException:  # the parent reports whatever it is, pytest.fail() too
        return traceback.format_exc()
    finally:
        sys.stdout.flush(), sys.stderr.flush()


class Syslog:
    """A reader of /dev/log (or of another path): keeps the lines, without priority, time and tag apart."""

    def __init__(self, path="/dev/log"):
        self.lines = []
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        os.chmod(path, 0o666)
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        while True:
            try:
                data = self.socket.recv(65536)
            except OSError:
                return
            self.lines.append(data.decode("utf-8", "replace").rstrip("\0\n"))
