"""One scenario for each failure code: how it is provoked, and how it is judged.

The scenarios stand in scenarios_*.py, one for each class; test_scenarios.py runs them, and prints the table.  A lint test sees to it
that no code of core/failure_list.h is without one.
"""
import contextlib
import dataclasses
import json
import os
import pathlib
import re
import subprocess
import typing

import names
import peers
import world
from daemon import HOLDFASTCTL, PATIENCE, Daemon, eventually, upstream

STATUS = {"address": 11, "connection": 12, "timeout": 13, "socket": 14, "tls": 15, "protocol": 16, "local": 17}
NAME = "x"


@dataclasses.dataclass
class Scenario:
    """A row: `prepare` is called with a Scene and returns the upstream's keys.

    stages: where the failure may be seen.  check: what `holdfastctl check` of the same upstream says: "same", the same code; "works", since
    the failure comes after what one attempt can see; otherwise, in words, why it is not asked.
    """
    code: str
    stages: tuple
    prepare: typing.Callable
    check: str

    @property
    def what(self):
        return " ".join(self.prepare.__doc__.split())


# Codes whose feature is not there, and which feature that is.
NOT_YET = {}
SCENARIOS = {}


def scenario(code, *stages, check="same"):
    """Decorator: the function, whose first line says what happens, is the scenario of `code`."""
    def register(prepare):
        assert code not in SCENARIOS, f"two scenarios for {code}"
        SCENARIOS[code] = Scenario(code, stages, prepare, check)
        return prepare
    return register


def traced(call, injected):
    """A wrapper in which strace interferes with a system call; see test_socket.py."""
    options = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
    return ("env", f"ASAN_OPTIONS={options}", "strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}",
            "-e", f"inject={call}:{injected}")


class Scene:
    """Where a scenario takes place: a network of its own, certificates, servers, and what shall happen to the daemon."""

    def __init__(self, folder, authority, stack):
        self.folder, self.authority, self.stack = pathlib.Path(folder), authority, stack
        self.wrapper = ()            # of the daemon's command line, and of check's
        self.wrapper_of_check = None  # of check's alone
        self.then = None        # called with the daemon once the upstream is up
        self.also = []          # further upstreams
        self.event = "failure"  # the log line's; "warning" of what is no failure; None: the daemon says nothing

    def peer(self, serve=peers.hold, **options):
        return self.stack.enter_context(contextlib.closing(peers.Peer(serve, **options)))

    def resolve(self, zone):
        """A name server that answers from `zone`."""
        self.stack.enter_context(contextlib.closing(names.NameServer(zone)))

    def tls(self, serve, **tls):
        """An upstream that speaks TLS to `serve`, trusting the authority; a key that is None is left out."""
        tls = {"ca_file": str(self.authority.file), **tls}
        one = self.peer(serve)
        return {"address": f"localhost:{one.port}", "family": "ipv4",
                "tls": {key: value for key, value in tls.items() if value is not None}}

    def serving(self, entity, *then, **options):
        return peers.tls(peers.tls_context(entity, **options), *then)

    def server(self, **options):
        return self.authority.issue("server", **options)

    def open_folder(self):
        """Let another user work in it."""
        self.folder.chmod(0o777)
        for parent in self.folder.parents:
            if parent != pathlib.Path("/tmp") and str(parent).startswith("/tmp/"):
                parent.chmod(0o755)

    def preload(self, fault):
        """The programs run with that fault of fault.c."""
        library = self.folder / "fault.so"
        subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", "-o", str(library),
                        str(pathlib.Path(__file__).parent / "fault.c")], check=True)
        options = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
        self.wrapper = ("env", f"LD_PRELOAD={library}", f"HOLDFAST_FAULT={fault}", f"ASAN_OPTIONS={options}")

    def file(self, name, content):
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)


def listed():
    """What `holdfastctl explain` says of each code."""
    lines = subprocess.run([str(HOLDFASTCTL), "--json", "explain"], capture_output=True, text=True, check=True).stdout.splitlines()
    return {one["code"]: one for one in map(json.loads, lines)}


def run(row, folder, authority):
    """The whole of one scenario; in a network that leads nowhere."""
    world.own_resolver("127.0.0.1")
    with contextlib.ExitStack() as stack:
        scene = Scene(folder, authority, stack)
        keys = row.prepare(scene)
        one = upstream(NAME, keys.pop("address"), **keys)
        daemon = Daemon(scene.folder / "daemon", [one, *scene.also], start=False)
        daemon.folder.chmod(0o777)
        daemon.start(wrapper=scene.wrapper)
        stack.enter_context(daemon)
        if scene.then:
            daemon.wait_up(NAME)
            scene.then(daemon)
        if scene.event == "failure":
            failure = judge_record(row, daemon)
            judge_line(row, daemon, failure)
            judge_counters(row, daemon)
        elif scene.event == "warning":
            judge_warning(row, daemon)
        daemon.stop()
        judge_check(row, scene, daemon)


def judge_record(row, daemon):
    failure = daemon.wait_failure(NAME, row.code)
    assert failure["stage"] in row.stages, failure
    explained = listed()[row.code]
    for key in ("class", "life", "blame"):
        assert failure[key] == explained[key], key
    assert explained["exitStatus"] == STATUS[failure["class"]]
    assert failure["message"] and failure["hint"] and "{" not in failure["hint"], failure
    assert failure["upstream"] == NAME and failure["attempt"] >= 0 and failure["elapsedUSec"] >= 0
    return failure


def judge_line(row, daemon, failure):
    lines = daemon.lines(event="failure", upstream=NAME, code=row.code)
    assert lines, daemon.read_log()[-2000:]
    assert lines[-1]["class"] == failure["class"] and lines[-1]["stage"] in row.stages
    assert lines[-1]["msg"] == failure["message"] and lines[-1]["hint"]


def judge_warning(row, daemon):
    """What blames nobody is a warning: in the log and among the events, in no upstream's history."""
    line = eventually(lambda: daemon.lines(event="warning", code=row.code), f"a warning of {row.code}")[-1]
    assert line["class"] == row.code.split(".", maxsplit=1)[0] and line["msg"]
    assert not [failure for failure in daemon.history(NAME) if failure["code"] == row.code]


def judge_counters(row, daemon):
    eventually(lambda: daemon.upstream(NAME)["failures"].get(row.code, 0) >= 1, f"a count of {row.code}")
    text = daemon.call("Metrics")["text"]
    pattern = rf'^holdfast_failures_total\{{[^}}]*upstream="{NAME}"[^}}]*\}} (\d+)'
    counted = [match for match in re.finditer(pattern, text, re.MULTILINE) if f'code="{row.code}"' in match.group(0)]
    assert counted and int(counted[0].group(1)) >= 1, text[:3000]


def codes_of(report):
    """The codes in a report of check: of its attempts, or where there is none of its queries."""
    told = report["attempts"] or report["queries"]
    return [one["failure"]["code"] for one in told if one.get("failure")]


def judge_check(row, scene, daemon):
    if row.check not in ("same", "works"):
        return
    result = subprocess.run(
        [*(scene.wrapper_of_check or scene.wrapper), str(HOLDFASTCTL), "--json", "check", "-c", str(daemon.config_file), NAME],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE * 3, check=False)
    assert result.stdout, result
    report = json.loads(result.stdout)
    if row.check == "works":
        assert result.returncode == 0, result
        return
    assert row.code in codes_of(report), report
    assert result.returncode == STATUS[row.code.split(".", maxsplit=1)[0]], result


def table(seen):
    """The table: code, scenario, stage, seen; `seen` maps codes to what became of them."""
    rows = [("code", "scenario", "stage", "seen")]
    for code, row in sorted(SCENARIOS.items()):
        rows.append((code, row.what, "/".join(row.stages), seen.get(code, "not run")))
    for code, feature in sorted(NOT_YET.items()):
        rows.append((code, f"comes with {feature}", "-", "not yet"))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows)
