"""Scenarios of class protocol: what is said before and after TLS."""
import peers
from scenarios import scenario


def dialogue(*turns, then=peers.hold):
    """A server that says bytes, and waits for a word of the client's where a turn is None."""
    def serve(connection):
        for turn in turns:
            if turn is None:
                connection.recv(4096)
            else:
                connection.sendall(turn)
        then(connection)
    return serve


def through(scene, serve, kind="http"):
    """An upstream behind a proxy."""
    return {"address": "up.test:4", "proxy": f"{kind}://{scene.peer(serve).address}"}


def mail(scene, *turns, **options):
    """An upstream that is asked for STARTTLS in SMTP."""
    return {"address": scene.peer(dialogue(*turns, **options)).address, "starttls": "smtp"}


def probed(scene, serve, **probe):
    return {"address": scene.peer(serve).address, "probe": probe}


# ---- proxies ---------------------------------------------------------------------------------------------------------

@scenario("protocol.proxy-auth", "proxy")
def proxy_auth(scene):
    """HTTP 407"""
    return through(scene, dialogue(None, b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n"))


@scenario("protocol.proxy-denied", "proxy")
def proxy_denied(scene):
    """SOCKS5 reply 2: not allowed by ruleset"""
    return through(scene, dialogue(None, b"\5\0", None, b"\5\2\0\1\0\0\0\0\0\0"), kind="socks5")


@scenario("protocol.proxy-target", "proxy")
def proxy_target(scene):
    """HTTP 502"""
    return through(scene, dialogue(None, b"HTTP/1.1 502 Bad Gateway\r\n\r\n"))


@scenario("protocol.proxy-reply", "proxy")
def proxy_reply(scene):
    """an SSH server instead of a proxy"""
    return through(scene, peers.say(b"SSH-2.0-OpenSSH_9.2p1\r\n"))


@scenario("protocol.proxy-closed", "proxy")
def proxy_closed(scene):
    """the proxy resets the connection instead of answering"""
    return through(scene, dialogue(None, then=peers.reset_at_once))


# ---- STARTTLS --------------------------------------------------------------------------------------------------------

@scenario("protocol.starttls-missing", "starttls")
def starttls_missing(scene):
    """EHLO is answered without STARTTLS"""
    return mail(scene, b"220 mx ESMTP\r\n", None, b"250-mx\r\n250 8BITMIME\r\n")


@scenario("protocol.starttls-refused", "starttls")
def starttls_refused(scene):
    """454 TLS not available due to temporary reason"""
    return mail(scene, b"220 mx ESMTP\r\n", None, b"250-mx\r\n250 STARTTLS\r\n", None, b"454 4.7.0 not now\r\n")


@scenario("protocol.starttls-reply", "starttls")
def starttls_reply(scene):
    """an IMAP server instead of a mail exchanger"""
    return mail(scene, b"* OK IMAP4rev1 ready\r\n")


@scenario("protocol.starttls-closed", "starttls")
def starttls_closed(scene):
    """the server hangs up after EHLO"""
    return mail(scene, b"220 mx ESMTP\r\n", None, then=peers.close_at_once)


@scenario("protocol.starttls-injection", "starttls")
def starttls_injection(scene):
    """a line in plain text comes with the go-ahead"""
    return mail(scene, b"220 mx ESMTP\r\n", None, b"250-mx\r\n250 STARTTLS\r\n", None, b"220 go ahead\r\n250 injected\r\n")


@scenario("protocol.greeting-rejected", "starttls")
def greeting_rejected(scene):
    """554 as the first word"""
    return mail(scene, b"554 mx no SMTP service here\r\n")


# ---- probes ----------------------------------------------------------------------------------------------------------

@scenario("protocol.probe-mismatch", "probe")
def probe_mismatch(scene):
    """another greeting than the expected one"""
    return probed(scene, peers.say(b"goodbye\r\n"), kind="expect", expect="hello")


@scenario("protocol.probe-status", "probe")
def probe_status(scene):
    """HTTP 503"""
    return probed(scene, dialogue(None, b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"), kind="http")


@scenario("protocol.probe-auth", "probe")
def probe_auth(scene):
    """-NOAUTH Authentication required"""
    return probed(scene, dialogue(None, b"-NOAUTH Authentication required.\r\n"), kind="redis")


@scenario("protocol.probe-closed", "probe")
def probe_closed(scene):
    """the server hangs up instead of answering"""
    return probed(scene, dialogue(None, then=peers.close_at_once), kind="redis")


@scenario("protocol.unsolicited-data", "ready", check="works")
def unsolicited_data(scene):
    """twenty thousand octets nobody has asked for"""
    return {"address": scene.peer(peers.after(1, lambda connection: connection.sendall(b"x" * 20000))).address}
