"""The real holdfastd under test: its configuration, its process, its log, its control socket."""
import json
import os
import pathlib
import re
import shlex
import signal
import subprocess
import time

import varlink

BUILD = pathlib.Path(os.environ.get("HOLDFAST_BUILDDIR", "build")).resolve()
HOLDFASTD = BUILD / "holdfastd"
HOLDFASTCTL = BUILD / "holdfastctl"
WORKERS = int(os.environ.get("HOLDFAST_TEST_WORKERS", "1"))

# How long a test waits for what must happen; it never waits for what must not.  Generous: sanitizers are slow.
PATIENCE = 30

# Quick enough for a test, slow enough to be told apart from a busy machine.
FAST = {"retry": {"initial": "100ms", "max": "300ms", "stable_after": "1s"}}


def libconfig(value):
    """A Python value in libconfig's syntax: dicts are groups, lists of dicts are lists, other lists are arrays."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "{ " + " ".join(f"{key} = {libconfig(one)};" for key, one in value.items()) + " }"
    if isinstance(value, (list, tuple)):
        opening, closing = ("(", ")") if not value or isinstance(value[0], dict) else ("[", "]")
        return opening + ", ".join(libconfig(one) for one in value) + closing
    if isinstance(value, (int, float)):
        return str(value)
    return json.dumps(str(value))


def eventually(condition, what="it", patience=PATIENCE, pause=0.02):
    """The first true value of `condition()`; fails, saying `what`, when none comes."""
    deadline = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {patience} s in vain for {what}")
        time.sleep(pause)


def parse_logfmt(text):
    """The fields of one line of logfmt, as a dict of strings."""
    fields = {}
    for match in re.finditer(r'([a-z_]+)=("(?:[^"\\]|\\.)*"|[^ ]*)', text):
        value = match.group(2)
        if value.startswith('"'):
            value = re.sub(r'\\(["\\])', r"\1", value[1:-1])
        fields[match.group(1)] = value
    return fields


class Daemon:
    """holdfastd with a configuration file of its own in `folder`."""

    def __init__(self, folder, upstreams, log=None, start=True, **top):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.config_file = self.folder / "holdfast.conf"
        self.control = self.folder / "control.sock"
        self.log_file = self.folder / "holdfastd.log"
        self.top = {"workers": WORKERS, "control": {"path": str(self.control)},
                    "log": log or {"target": "stderr", "level": "debug"}, **top}
        self.process = None
        self.write(upstreams)
        if start:
            self.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def write(self, upstreams, **top):
        self.top.update(top)
        body = "".join(f"{key} = {libconfig(value)};\n" for key, value in self.top.items())
        body += "upstreams = (\n" + ",\n".join("  " + libconfig(one) for one in upstreams) + "\n);\n"
        self.config_file.write_text(body)

    def start(self, *arguments, wrapper=()):
        environment = {key: value for key, value in os.environ.items() if key not in ("NOTIFY_SOCKET", "LISTEN_FDS")}
        self.log = open(self.log_file, "ab")
        self.process = subprocess.Popen(
            [*wrapper, str(HOLDFASTD), "-c", str(self.config_file), *arguments],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, env=environment)
        eventually(self.is_answering, f"the control socket; the log says:\n{self.read_log()}")

    def is_answering(self):
        if self.process.poll() is not None:
            raise AssertionError(f"holdfastd ended with {self.process.returncode}:\n{self.read_log()}")
        try:
            return self.call("Status")
        except (OSError, EOFError):
            return None

    def stop(self, patience=PATIENCE):
        """SIGTERM; the exit status must be 0, or a sanitizer or an assertion has spoken."""
        if not self.process:
            return
        process, self.process = self.process, None
        process.send_signal(signal.SIGCONT)
        process.terminate()
        try:
            status = process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"SIGTERM did not end holdfastd:\n{self.read_log()}") from None
        finally:
            self.log.close()
        assert status == 0, f"holdfastd ended with {status}:\n{self.read_log()}"

    def read_log(self):
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def lines(self, **wanted):
        """The log's lines, parsed, that have all of the `wanted` fields."""
        parsed = (parse_logfmt(line) for line in self.read_log().splitlines())
        return [fields for fields in parsed if all(fields.get(key) == value for key, value in wanted.items())]

    def call(self, method, **parameters):
        return varlink.call(self.control, method, parameters)

    def stream(self, method, **parameters):
        return varlink.stream(self.control, method, parameters)

    def upstream(self, name):
        return self.call("List", names=[name])["upstream"]

    def history(self, name):
        return [one["failure"] for one in self.stream("History", name=name) if one.get("failure")]

    def wait_health(self, name, *healths):
        return eventually(lambda: (lambda one: one if one["health"] in healths else None)(self.upstream(name)),
                          f"{name} to be {' or '.join(healths)}; it is {self.upstream(name)}")

    def wait_up(self, name):
        return self.wait_health(name, "up")

    def wait_failure(self, name, code, **wanted):
        """The newest failure of `name` with `code` (and other wanted fields) in the history, once there is one; and its log line."""
        def find():
            for failure in reversed(self.history(name)):
                if failure["code"] == code and all(failure.get(key) == value for key, value in wanted.items()):
                    return failure
            return None
        try:
            failure = eventually(find, f"{code} of {name}")
        except AssertionError:
            seen = [(one["code"], one["stage"], one.get("error")) for one in self.history(name)]
            raise AssertionError(f"no {code} {wanted} of {name}; seen: {seen}\n{self.read_log()[-4000:]}") from None
        line = eventually(lambda: self.lines(upstream=name, event="failure", code=code), f"a log line of {code}")[-1]
        assert line["class"] == failure["class"] == code.split(".")[0]
        assert line["msg"]
        return failure

    def reload(self):
        return self.call("Reload")["changes"]

    def ctl(self, *arguments, check=None, **options):
        """holdfastctl against this daemon; with `check`, its exit status must be that."""
        result = subprocess.run([str(HOLDFASTCTL), "--socket", str(self.control), *map(str, arguments)],
                                stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE * 2, **options)
        if check is not None:
            assert result.returncode == check, f"{shlex.join(map(str, arguments))}: {result}"
        return result

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))


def upstream(name, address, **keys):
    """An upstream's group, with quick retries unless told otherwise."""
    return {"name": name, "address": address, **{**FAST, **keys}}
