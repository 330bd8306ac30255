"""Real proxies: squid for HTTP CONNECT and dante for SOCKS5; and the probes of mail servers, some of them behind a proxy."""
import pytest

import peers
import servers_cases
import servers_mail
import servers_proxy
import world
from servers_cases import Case

AUTH, DENIED, TARGET = "protocol.proxy-auth", "protocol.proxy-denied", "protocol.proxy-target"
REPLY, CLOSED = "protocol.proxy-reply", "protocol.proxy-closed"
AT_THE_DOOR = "protocol.greeting-rejected"
SQUID, SQUID_LOGIN = "http://127.0.0.1:3128", "http://127.0.0.1:3129"
DANTE, DANTE_LOGIN = "socks5://127.0.0.1:1080", "socks5://127.0.0.1:1081"
BACKEND = 7443


def via(proxy, name, target, *expected, protocol="tls", login=None, **options):
    keys = {"proxy": proxy, **options.pop("keys", {})}
    if login:
        keys |= {"proxy_user": "somebody", "proxy_password_file": f"{{pki}}/{login}"}
    return Case(name, protocol, target, *expected, keys=keys, **options)


def both(kind, proxy, proxy_login):
    """What is the same for either kind of proxy."""
    return [
        via(proxy, f"{kind}-good", f"127.0.0.1:{BACKEND}"),
        via(proxy, f"{kind}-by-name", f"server.test:{BACKEND}", tls={"verify_name": "localhost"}),
        via(proxy, f"{kind}-denied", "127.0.0.1:9", DENIED, "proxy"),
        via(proxy, f"{kind}-refused-there", "127.0.0.1:1", TARGET, "proxy"),
        via(proxy, f"{kind}-unreachable", "192.0.2.99:7", TARGET, "proxy"),
        via(proxy, f"{kind}-no-such-name", "nowhere.test:7", TARGET, "proxy"),
        via(proxy, f"{kind}-bad-certificate", f"127.0.0.1:{BACKEND + 1}", "tls.certificate-expired", "handshake"),
        via(proxy, f"{kind}-no-tls-there", "127.0.0.1:143", "tls.not-tls", "handshake", says="IMAP"),
        via(proxy, f"{kind}-starttls", "127.0.0.1:143", protocol="imap", keys={"probe": {"kind": "imap"}}),
        via(proxy, f"{kind}-plain", "127.0.0.1:143", protocol="tcp", keys={"probe": {"kind": "imap"}}),
        via(proxy_login, f"{kind}-login", f"127.0.0.1:{BACKEND}", login="secret"),
        via(proxy_login, f"{kind}-wrong-password", f"127.0.0.1:{BACKEND}", AUTH, "proxy", login="wrong"),
        via(proxy_login, f"{kind}-no-login", f"127.0.0.1:{BACKEND}", AUTH, "proxy"),
    ]


def mail(protocol, name, port, *expected, probe, **options):
    return Case(f"probe-{name}", protocol, f"127.0.0.1:{port}", *expected, keys={"probe": probe}, **options)


CASES = both("squid", SQUID, SQUID_LOGIN) + both("dante", DANTE, DANTE_LOGIN) + [
    via("http://127.0.0.1:1080", "http-at-a-socks-proxy", f"127.0.0.1:{BACKEND}", (CLOSED, REPLY), "proxy"),
    via("socks5://127.0.0.1:3128", "socks-at-an-http-proxy", f"127.0.0.1:{BACKEND}", (REPLY, CLOSED, "timeout.proxy"), "proxy",
        keys={"timeouts": {"proxy": "1s"}}),
    via("http://127.0.0.1:143", "http-at-a-mail-server", f"127.0.0.1:{BACKEND}", REPLY, "proxy", says="* OK"),
    via("socks5://127.0.0.1:143", "socks-at-a-mail-server", f"127.0.0.1:{BACKEND}", REPLY, "proxy", says="* OK"),
    via("http://127.0.0.1:1", "no-proxy-there", f"127.0.0.1:{BACKEND}", "connection.refused", "connect",
        says="proxy http://127.0.0.1:1"),
    via("socks5://nowhere.test:1", "no-such-proxy", f"127.0.0.1:{BACKEND}", "address.no-server", "resolve"),

    mail("smtp", "smtp", 25, probe={"kind": "smtp"}),
    mail("tls", "smtp-behind-tls", 465, probe={"kind": "smtp"}),
    mail("tcp", "smtp-in-plain", 25, probe={"kind": "smtp"}),
    mail("tcp", "smtp-denied", 2005, AT_THE_DOOR, "probe", probe={"kind": "smtp"}, says="Client host rejected"),
    mail("imap", "imap", 143, probe={"kind": "imap"}),
    mail("tls", "imap-behind-tls", 993, probe={"kind": "imap"}),
    mail("tcp", "imap-in-plain", 143, probe={"kind": "imap"}),
    mail("tls", "pop3-expected", 995, probe={"kind": "expect", "expect": "+OK"}),
    mail("tls", "pop3-steps", 995, probe={"kind": "expect", "steps": [
        {"expect": "+OK"}, {"send": r"CAPA\r\n", "expect": r"+OK\r\nCAPA"}, {"expect_regex": "^UIDL"}]}),
    mail("tls", "pop3-unexpected", 995, "protocol.probe-mismatch", "probe", probe={"kind": "expect", "expect": "* OK"},
         says="+OK Dovecot"),
    mail("tls", "smtp-asked-of-imap", 993, "protocol.probe-mismatch", "probe", probe={"kind": "smtp"}, says="* OK"),
]


@pytest.fixture(scope="module")
def world_of_servers(serve, authority, server, expired):
    world.own_resolver("127.0.0.1")  # where nobody answers
    backends = [peers.Peer(peers.tls(peers.tls_context(entity)), host="0.0.0.0", port=BACKEND + number)
                for number, entity in enumerate((server, expired))]
    yield (serve(servers_proxy.squid), serve(servers_proxy.dante), serve(servers_mail.dovecot, authority, server, expired),
           serve(servers_mail.postfix, authority, server, expired))
    for backend in backends:
        backend.close()


@servers_cases.parametrized(CASES)
def test_check(world_of_servers, own_files, case):
    servers_cases.judge_check(case, own_files)


@servers_cases.parametrized(CASES)
def test_daemon(holdfast, case):
    servers_cases.judge_daemon(case, holdfast)


def test_again_and_again(world_of_servers, own_files, start):
    """Directly, after STARTTLS, and behind either proxy."""
    again = [one for one in CASES if not one.code and one.keys.get("probe", {}).get("kind") in ("smtp", "imap")]
    servers_cases.judge_again(start, again, own_files)
