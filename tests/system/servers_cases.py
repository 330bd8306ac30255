"""Cases of tests against real servers: each is judged by `holdfastctl check` and by the daemon, and both must say the same.

A module lists its cases and takes its two tests from here (see test_servers_tls.py); one daemon holds all its upstreams.
"""
import dataclasses
import json
import subprocess
import time

import pytest

import pki
from daemon import HOLDFASTCTL, PATIENCE, Daemon, eventually

STATUS = {"address": 11, "connection": 12, "timeout": 13, "socket": 14, "tls": 15, "protocol": 16, "local": 17}

# Not as quick as other tests: a server that is refused all the time should still have time for the others.
RETRY = {"initial": "500ms", "max": "2s", "stable_after": "1s"}


@dataclasses.dataclass
class Case:
    """One upstream and what must be said of it.

    protocol: tcp, tls, or what STARTTLS is spoken in.  code: the failure's, or several of which one comes, or None: it works.
    late: the server lets us in and throws us out afterwards, so that `check` may well call it good.
    In the address and the values of `keys` and `tls`, {pki} is the folder that `files` fills.
    """
    name: str
    protocol: str
    address: str
    code: object = None
    stage: str = None
    tls: dict = dataclasses.field(default_factory=dict)
    keys: dict = dataclasses.field(default_factory=dict)
    late: bool = False
    says: str = None  # must occur in the failure's record: evidence, alert, hint

    @property
    def codes(self):
        return (self.code,) if isinstance(self.code, str) else tuple(self.code or ())

    def upstream(self, folder):
        group = {"name": self.name, "address": self.address, "retry": RETRY, **self.keys}
        if self.protocol != "tcp":
            group["tls"] = {"ca_file": "{pki}/ca.pem", **self.tls}
        if self.protocol not in ("tcp", "tls"):
            group["starttls"] = self.protocol
        return filled(group, folder)

    def url(self, group):
        """The words after `check` that mean the same as `group`, or None where no option says it."""
        plain = self.protocol in ("tcp", "tls")
        words = [f"{self.protocol}{'' if plain else '+starttls'}://{group['address']}"]
        words += ["-4"] if group.get("family") == "ipv4" else []
        given = {**group, **group.get("tls", {}), "probe": probe_option(group.get("probe", {}))}
        for key, value in given.items():
            if key in OPTIONS:
                words.append(f"--{OPTIONS[key]}={','.join(value) if isinstance(value, list) else value}")
            elif key not in SAID:
                return None
        return words if given["probe"] else None

    def check(self, folder):
        """holdfastctl's report on this very upstream, and its exit status: by a URL where one says it all."""
        group = self.upstream(folder)
        words = self.url(group)
        if not words:
            config = Daemon(folder / self.name, [group], start=False).config_file
            words = ["-c", str(config), self.name]
        return run_check(words)


# Keys that are options of `check`, and those that it does not need.
OPTIONS = {"ca_file": "ca-file", "certificate": "cert", "key": "key", "verify_name": "name", "sni": "sni", "alpn": "alpn",
           "min_version": "min-version", "ocsp": "ocsp", "proxy": "via", "proxy_user": "proxy-user",
           "proxy_password_file": "proxy-password-file", "proxy_protocol": "proxy-protocol", "probe": "probe"}
SAID = ("name", "address", "retry", "family", "tls", "starttls")


def probe_option(probe):
    """--probe's value for the group, or None where it has none."""
    words = {"expect": "expect", "request": "http", "user": probe.get("kind"), "expect_regex": "regex"}
    rest = [key for key in probe if key != "kind"]
    if not rest:
        return probe.get("kind", "none")
    if rest[0] not in words or len(rest) > 1:
        return None
    return f"{words[rest[0]]}:{probe[rest[0]]}"


def run_check(words):
    result = subprocess.run([str(HOLDFASTCTL), "--json", "check", *words], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                            timeout=PATIENCE * 2, check=False)
    assert result.stdout, result
    return json.loads(result.stdout), result.returncode


def filled(value, folder):
    if isinstance(value, dict):
        return {key: filled(one, folder) for key, one in value.items()}
    if isinstance(value, list):
        return [filled(one, folder) for one in value]
    return value.replace("{pki}", str(folder)) if isinstance(value, str) else value


def files(folder, authority):
    """Our own certificates, good and bad, and secrets, in `folder`."""
    stranger = pki.Authority(folder / "stranger", "a stranger")
    ours = {
        "client": authority.issue("client", names=("client.test",), usage=pki.CLIENT),
        "stranger": stranger.issue("client", names=("client.test",), usage=pki.CLIENT),
        "expired": authority.issue("late-client", names=("client.test",), usage=pki.CLIENT, start=pki.now() - 10 * pki.DAY,
                                   end=pki.now() - pki.DAY),
        "not-for-clients": authority.issue("not-for-clients", names=("client.test",), usage=pki.SERVER),
    }
    for name, entity in ours.items():
        (folder / f"{name}.pem").write_bytes(entity.certificate_file.read_bytes())
        (folder / f"{name}.key").write_bytes(entity.key_file.read_bytes())
    (folder / "ca.pem").write_bytes(authority.file.read_bytes())
    (folder / "secret").write_text("secret\n")
    (folder / "wrong").write_text("wrong\n")
    return folder


def client(name):
    """The keys of a group tls that show our certificate `name`."""
    return {"certificate": f"{{pki}}/{name}.pem", "key": f"{{pki}}/{name}.key"}


def judge_check(case, folder):
    report, status = case.check(folder)
    attempts = report["attempts"]
    if not case.code:
        assert status == 0 and all(one["worked"] for one in attempts), json.dumps(report, indent=1)
        return
    if case.late and status == 0:
        return
    failures = [one["failure"] for one in attempts[-1:] or report["queries"] if "failure" in one]
    failure = next((one for one in failures if one["code"] in case.codes), None)
    assert failure, json.dumps(report, indent=1)
    assert status == STATUS[failure["class"]]
    judge(case, failure)


def judge_daemon(case, daemon):
    if not case.code:
        daemon.wait_up(case.name)
        # A server may end what has been idle for a while: that is no fault of the way there.
        assert all(one["stage"] == "ready" for one in daemon.history(case.name)), daemon.history(case.name)
        return

    def find():
        return next((one for one in reversed(daemon.history(case.name)) if one["code"] in case.codes), None)
    try:
        failure = eventually(find, case.codes)
    except AssertionError:
        raise AssertionError(json.dumps(daemon.upstream(case.name), indent=1) + json.dumps(daemon.history(case.name), indent=1)
                             ) from None
    judge(case, failure)


def judge(case, failure):
    assert case.stage in (None, failure["stage"]), failure
    assert not case.says or case.says in json.dumps(failure), failure


def judge_again(start, cases, folder, once=()):
    """Periodic probes of all `cases`, which are good, are answered on the same connections; those called `once` cannot be repeated."""
    def probed(interval):
        groups = [case.upstream(folder) for case in cases]
        return [{**group, "probe": {**group["probe"], "interval": interval}} for group in groups]

    def link(case):
        return daemon.upstream(case.name)["links"][0]
    daemon = start(probed("100ms"))
    for case in cases:
        daemon.wait_up(case.name)
    before = {case.name: link(case) for case in cases}
    time.sleep(1.5)  # for a dozen probes
    daemon.write(probed("none"))
    daemon.reload()  # left in peace, a link tells what it has received
    for case in cases:
        if case.name not in once:
            eventually(lambda: link(case)["bytesReceived"] > before[case.name]["bytesReceived"], f"answers of {case.name}")
        assert link(case)["source"] == before[case.name]["source"] and not daemon.history(case.name), daemon.history(case.name)


def parametrized(cases):
    """The decorator of the two tests of a module."""
    return pytest.mark.parametrize("case", cases, ids=lambda case: case.name)
