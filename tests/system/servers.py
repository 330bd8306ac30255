"""Real servers from Debian, run by tests/servers/run inside the folder that tests/servers/root has made.

A server here is a shell script and the files it needs; the recipes are in servers_mail.py and its neighbours.  A module
that uses them asks for the fixture `network`: its tests share a network namespace, so that every server may have the
port it always has, and nothing can reach any other host.
"""
import contextlib
import ctypes
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

import world
from daemon import BUILD, PATIENCE

TREE = pathlib.Path(os.environ.get("HOLDFAST_SRCDIR", pathlib.Path(__file__).parents[2]))
ROOT = pathlib.Path(os.environ.get("HOLDFAST_SERVERS") or BUILD / "servers-root")
RUN = TREE / "tests" / "servers" / "run"
PR_SET_PDEATHSIG = 1
CLONE_NEWNS, CLONE_NEWNET = 0x00020000, 0x40000000

# Where the server sees what `tls_files` has laid down.
CERTIFICATE, KEY, AUTHORITY = "/holdfast/server.pem", "/holdfast/server.key", "/holdfast/ca.pem"


def why_not():
    """The reason why there are no real servers here, or None."""
    if os.geteuid() != 0:
        return "real servers need root"
    if not (ROOT / "holdfast-servers").exists():
        return f"no real servers in {ROOT}: tests/servers/root makes them"
    return None


@contextlib.contextmanager
def network():
    """A network and mounts of our own while entered: loopback, and an address that leads nowhere."""
    with contextlib.ExitStack() as kept:
        old = [(kept.enter_context(open(f"/proc/thread-self/ns/{kind}", "rb")), flag)
               for kind, flag in (("mnt", CLONE_NEWNS), ("net", CLONE_NEWNET))]
        world.enter_connected()
        try:
            yield
        finally:
            # A thread that is left over keeps the mounts; they are the host's own but for what a test has mounted.
            for handle, flag in old:
                world.libc.setns(handle.fileno(), flag)


def listens(port):
    """Whether somebody accepts TCP connections there; unlike connecting, asking leaves no trace in a server."""
    wanted = f":{port:04X} "
    for table in ("tcp", "tcp6"):
        for line in pathlib.Path(f"/proc/thread-self/net/{table}").read_text().splitlines()[1:]:
            local, _, state = line.split()[1:4]
            if state == "0A" and (local + " ").endswith(wanted):
                return True
    return False


def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Server:
    """One running server.  `files` maps names in /holdfast to their text, `copies` to files; `script` ends with the server in the
    foreground.  It is waited for until something listens on all `ports` and `ready()` is true."""

    def __init__(self, folder, script, files=None, ports=(), copies=None, ready=None):
        self.folder = pathlib.Path(folder)
        self.files = self.folder / "files"
        self.files.mkdir(parents=True)
        self.ports = tuple(ports)
        self.ready = ready or (lambda: True)
        self.process = None
        self.write({"start": "set -e\n" + script, **(files or {})})
        for name, source in (copies or {}).items():
            shutil.copy(source, self.files / name)
        self.output = self.folder / "output"
        self.start()

    def write(self, files):
        for name, text in files.items():
            path = self.files / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def start(self):
        with open(self.output, "wb") as output:
            self.process = subprocess.Popen([str(RUN), str(ROOT), str(self.folder)], stdin=subprocess.DEVNULL, stdout=output,
                                            stderr=output, preexec_fn=die_with_parent)
        deadline = time.monotonic() + PATIENCE
        while not (all(listens(port) for port in self.ports) and self.ready()):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.close()
                raise AssertionError(f"{self.folder.name} does not listen on {self.ports}:\n{self.said()}")
            time.sleep(0.02)

    def said(self):
        return self.output.read_text(errors="replace")[-6000:]

    def close(self):
        """End it with every process it has started: the first process of a namespace takes all others along."""
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        deadline = time.monotonic() + PATIENCE
        while any(listens(port) for port in self.ports) and time.monotonic() < deadline:
            time.sleep(0.02)


def tls_files(authority, entity):
    """The `copies` of a server with that certificate: its chain, its key, and the CA for its clients' certificates."""
    return {"server.pem": entity.certificate_file, "server.key": entity.key_file, "ca.pem": authority.file}


def converse(port, *words, host="127.0.0.1", pause=0.3):
    """What the server says to each of `words` (the first of them may be empty: its greeting); for looking, not for judging."""
    heard = []
    with socket.create_connection((host, port), timeout=PATIENCE) as connection:
        for word in words:
            connection.sendall(word)
            connection.settimeout(pause)
            answer = b""
            with contextlib.suppress(OSError):
                while data := connection.recv(65536):
                    answer += data
            heard.append(answer)
    return heard
