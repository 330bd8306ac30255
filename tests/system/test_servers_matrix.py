"""Everything asked of everybody: each way to check, against the port of each real server, nearly all of them the wrong one.

What must come of it is an explanation: never a crash, never a fault of our own, and never the verdict that it works.
"""
import concurrent.futures

import pytest

import peers
import servers_cases
import servers_data
import servers_mail
import servers_proxy

PORTS = {
    "smtp": 25, "smtps": 465, "imap": 143, "imaps": 993, "pop3": 110, "lmtp": 24, "sieve": 4190, "ftp": 21, "xmpp": 5222,
    "xmpp-server": 5269, "nntp": 119, "ldap": 389, "postgres": 5432, "mysql": 3306, "redis": 6379, "memcached": 11211,
    "mqtt": 1883, "http": 80, "https": 443, "squid": 3128, "dante": 1080, "stunnel": 7001, "haproxy": 8001,
    "wants-proxy-protocol": 8005,
}
UPGRADED = ("smtp", "lmtp", "imap", "pop3", "ftp", "nntp", "ldap", "xmpp", "xmpp-server", "sieve", "postgres", "mysql")
PROBES = ("http", "redis", "postgres", "mysql", "smtp", "imap", "memcached", "mqtt")
BEHIND_TLS = ("smtps", "imaps", "https", "stunnel", "haproxy")

# Each way: the words of `check`, and the ports where it may well work.
WAYS = {
    "tls": (["tls://{place}"], BEHIND_TLS),
    **{f"starttls-{name}": ([f"{name}+starttls://{{place}}"], (name,)) for name in UPGRADED},
    **{f"probe-{name}": (["tcp://{place}", f"--probe={name}"], (name,)) for name in PROBES},
    "via-http": (["tcp://127.0.0.1:7", "--via=http://{place}"], ("squid",)),
    "via-socks5": (["tcp://127.0.0.1:7", "--via=socks5://{place}"], ("dante",)),
}
# Whose fault it can be.
CLASSES = ("connection", "timeout", "tls", "protocol")


@pytest.fixture(scope="module")
def everybody(serve, authority, server, expired):
    backend = peers.Peer(peers.hold, port=7)
    for recipe in (servers_mail.postfix, servers_mail.dovecot, servers_data.postgres, servers_data.nginx):
        serve(recipe, authority, server, expired)
    for recipe in (servers_mail.vsftpd, servers_mail.prosody, servers_mail.nnrpd, servers_data.slapd, servers_data.mariadb,
                   servers_data.redis, servers_data.memcached, servers_data.mosquitto, servers_proxy.stunnel,
                   servers_proxy.haproxy):
        serve(recipe, authority, server)
    serve(servers_proxy.squid)
    serve(servers_proxy.dante)
    yield
    backend.close()


def judge(way, port, authority):
    words, right = WAYS[way]
    words = [word.format(place=f"127.0.0.1:{PORTS[port]}") for word in words] + ["--timeout=400ms"]
    if "tls://" in words[0]:
        words.append(f"--ca-file={authority.file}")
    report, status = servers_cases.run_check(words)
    failure = report["attempts"][-1].get("failure")
    if failure is None:
        return None if port in right and status == 0 else f"{port}: works"
    if failure["class"] in CLASSES and status == servers_cases.STATUS[failure["class"]]:
        return None
    return f"{port}: {failure['code']} {failure.get('evidence')} status={status}"


@pytest.mark.parametrize("way", WAYS)
def test_everybody(everybody, authority, way):
    with concurrent.futures.ThreadPoolExecutor(12) as executor:
        wrong = [verdict for verdict in executor.map(lambda port: judge(way, port, authority), PORTS) if verdict]
    assert not wrong, "\n".join(wrong)
