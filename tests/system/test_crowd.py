"""A thousand TLS upstreams with one worker: all ready, quiet while idle, and each death called by its name."""
import collections
import os
import pathlib
import signal
import subprocess
import sys
import time

import pki
import world
from daemon import Daemon, eventually, upstream

COUNT = 1000
CROWD = pathlib.Path(__file__).with_name("crowd.py")
# Sanitizers and a busy machine are slow; what is measured against time is measured in CPU time.
PATIENCE = 120


class Crowd:
    def __init__(self, entity, host="127.0.0.1"):
        self.process = subprocess.Popen([sys.executable, CROWD, entity.certificate_file, entity.key_file, host],
                                        stdout=subprocess.PIPE, text=True)
        self.address = f"{host}:{int(self.process.stdout.readline())}"

    def signal(self, number):
        self.process.send_signal(number)

    def end(self):
        self.process.kill()
        self.process.wait()


def crowd_of(tmp_path, crowd, authority, **keys):
    keepalive = {"idle": "1s", "interval": "1s", "count": 2, "user_timeout": "3s"}
    slow = {"initial": "20s", "max": "60s", "stable_after": "1ms"}
    ups = [upstream(f"u{number:04}", crowd.address, tls={"ca_file": str(authority.file)}, keepalive=keepalive,
                    retry=slow, **keys) for number in range(COUNT)]
    return Daemon(tmp_path, ups, workers=1, log={"target": "stderr", "level": "warning"})


def all_up(daemon):
    eventually(lambda: daemon.call("Status")["up"] == COUNT, f"{COUNT} to be up: {daemon.call('Status')}", PATIENCE, 0.2)


def codes(daemon):
    """The code of each upstream's first failure, counted, once all have one."""
    def first():
        found = {}
        for reply in daemon.stream("History"):
            failure = reply["failure"]
            if failure:
                found.setdefault(failure["upstream"], failure["code"])
        return found
    found = eventually(lambda: (lambda one: one if len(one) == COUNT else None)(first()),
                       f"{COUNT} failures, {len(first())} are there", PATIENCE, 0.5)
    return collections.Counter(found.values())


def cpu_seconds(process):
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@world.isolated()
def test_killed(tmp_path):
    authority = pki.Authority(tmp_path / "pki")
    crowd = Crowd(authority.issue("crowd"))
    with crowd_of(tmp_path, crowd, authority) as daemon:
        all_up(daemon)
        state = daemon.upstream("u0500")
        assert state["links"][0]["tls"]["version"] == "TLSv1.3"
        time.sleep(2)  # tickets and the release of buffers are behind
        before = cpu_seconds(daemon.process)
        time.sleep(3)
        assert cpu_seconds(daemon.process) - before < 0.3, "idle links use no CPU"
        crowd.end()
        counted = codes(daemon)
        assert set(counted) <= {"connection.truncated", "connection.reset"}, counted


@world.isolated()
def test_reset(tmp_path):
    authority = pki.Authority(tmp_path / "pki")
    crowd = Crowd(authority.issue("crowd"))
    with crowd_of(tmp_path, crowd, authority) as daemon:
        all_up(daemon)
        crowd.signal(signal.SIGUSR1)
        assert codes(daemon) == {"connection.reset": COUNT}
    crowd.end()


@world.isolated()
def test_firewalled(tmp_path):
    authority = pki.Authority(tmp_path / "pki")
    world.run("ip", "addr", "add", "192.0.2.7/32", "dev", "lo")
    crowd = Crowd(authority.issue("crowd", names=("192.0.2.7",)), "192.0.2.7")
    with crowd_of(tmp_path, crowd, authority, source="127.0.0.1") as daemon:
        all_up(daemon)
        world.run("nft", "add table inet t; add chain inet t in { type filter hook input priority 0; }; "
                  "add rule inet t in ip daddr 192.0.2.7 drop")
        assert codes(daemon) == {"timeout.dead-peer": COUNT}
    crowd.end()


@world.isolated()
def test_stopped(tmp_path):
    """A stopped server keeps its connections (its kernel answers); only new handshakes find out, each by its name."""
    authority = pki.Authority(tmp_path / "pki")
    crowd = Crowd(authority.issue("crowd"))
    with crowd_of(tmp_path, crowd, authority, timeouts={"handshake": "1s"}) as daemon:
        all_up(daemon)
        crowd.signal(signal.SIGSTOP)
        time.sleep(4)
        assert daemon.call("Status")["up"] == COUNT
        for number in range(COUNT):
            daemon.call("Reconnect", name=f"u{number:04}")
        assert codes(daemon) == {"timeout.handshake": COUNT}
    crowd.end()
