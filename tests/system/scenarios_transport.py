"""Scenarios of the four classic classes: address, connection, timeout, socket."""
import pathlib
import socket
import time

import peers
import world
from scenarios import NOT_YET, scenario, traced

NAMED = {"address": "up.test:4", "timeouts": {"resolve": "4s"}}
# Once stable at once: what ends then is no early end.
STABLE = {"retry": {"initial": "100ms", "max": "200ms", "stable_after": "1ms"}}
MORTAL = {"keepalive": {"idle": "1s", "interval": "1s", "count": 2, "user_timeout": "3s"}}

NOT_YET["timeout.lend"] = "lending"


# ---- address ---------------------------------------------------------------------------------------------------------

@scenario("address.nxdomain", "resolve")
def nxdomain(scene):
    """the name server says NXDOMAIN"""
    scene.resolve({"up.test": "nxdomain"})
    return dict(NAMED)


@scenario("address.no-data", "resolve")
def no_data(scene):
    """the name has neither A nor AAAA"""
    scene.resolve({"up.test": "nodata"})
    return dict(NAMED)


@scenario("address.servfail", "resolve")
def servfail(scene):
    """the name server says SERVFAIL"""
    scene.resolve({"up.test": "servfail"})
    return dict(NAMED)


@scenario("address.refused", "resolve")
def dns_refused(scene):
    """the name server says REFUSED"""
    scene.resolve({"up.test": "refused"})
    return dict(NAMED)


@scenario("address.no-server", "resolve")
def no_server(_):
    """nobody listens on the name server's port"""
    return dict(NAMED)


@scenario("address.bad-reply", "resolve")
def bad_reply(scene):
    """the name server's answer is garbage"""
    scene.resolve({"up.test": "garbage"})
    return dict(NAMED)


@scenario("address.invalid", "load", "resolve", "connect")
def invalid(_):
    """the zone of a link-local address does not exist"""
    return {"address": "[fe80::1%nowhere0]:4"}


@scenario("address.excluded", "resolve")
def excluded(scene):
    """a blocking resolver answers 0.0.0.0 and ::"""
    scene.resolve({"up.test": ["0.0.0.0", "::"]})
    return dict(NAMED)


@scenario("address.unix-missing", "connect")
def unix_missing(scene):
    """the socket file is not there"""
    return {"address": f"unix:{scene.folder}/up.sock"}


@scenario("address.other", "resolve")
def address_other(scene):
    """c-ares is made to return ARES_EBADQUERY (a fault is preloaded)"""
    scene.preload("ares")
    return dict(NAMED)


# ---- connection ------------------------------------------------------------------------------------------------------

@scenario("connection.refused", "connect")
def refused(_):
    """nobody listens on that port"""
    return {"address": f"127.0.0.1:{peers.free_port()}"}


@scenario("connection.reset-early", "connect", "ready", check="works")
def reset_early(scene):
    """accepted, and reset a moment later"""
    return {"address": scene.peer(peers.after(1, peers.reset_at_once)).address,
            "retry": {"initial": "100ms", "max": "200ms", "stable_after": "1h"}}


@scenario("connection.network-unreachable", "connect")
def network_unreachable(_):
    """a route says throw: ENETUNREACH"""
    world.run("ip", "route", "add", "throw", "198.51.100.1")
    return {"address": "198.51.100.1:4"}


@scenario("connection.host-unreachable", "connect")
def host_unreachable(_):
    """a route says unreachable: EHOSTUNREACH"""
    world.run("ip", "route", "add", "unreachable", "198.51.100.1")
    return {"address": "198.51.100.1:4"}


@scenario("connection.prohibited", "connect")
def prohibited(_):
    """a route says prohibit: EACCES"""
    world.run("ip", "route", "add", "prohibit", "198.51.100.1")
    return {"address": "198.51.100.1:4"}


@scenario("connection.closed", "ready", check="works")
def closed(scene):
    """the server ends an idle connection"""
    one = scene.peer()
    scene.then = lambda _: (time.sleep(0.1), one.close_all())
    return {"address": one.address, **STABLE}


@scenario("connection.closed-early", "ready", check="works")
def closed_early(scene):
    """the server ends it soon after it was established"""
    return {"address": scene.peer(peers.after(1, peers.close_at_once)).address,
            "retry": {"initial": "100ms", "max": "200ms", "stable_after": "1h"}}


@scenario("connection.truncated", "ready", check="works")
def truncated(scene):
    """TCP ends without close_notify"""
    return scene.tls(scene.serving(scene.server(), peers.after(1, peers.tls_cut)))


@scenario("connection.reset", "ready", check="works")
def reset(scene):
    """a ready TLS connection is reset"""
    return scene.tls(scene.serving(scene.server(), peers.after(1, peers.tls_reset)))


@scenario("connection.other", "connect")
def connection_other(scene):
    """a datagram socket listens at the path: EPROTOTYPE"""
    other = scene.stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
    other.bind(f"{scene.folder}/datagram.sock")
    return {"address": f"unix:{scene.folder}/datagram.sock"}


# ---- timeout ---------------------------------------------------------------------------------------------------------

@scenario("timeout.resolve", "resolve")
def timeout_resolve(scene):
    """the name server is silent"""
    scene.resolve({"up.test": "silent"})
    return {"address": "up.test:4", "timeouts": {"resolve": "1s"}}


@scenario("timeout.connect", "connect")
def timeout_connect(scene):
    """the accept queue is full: no SYN is answered"""
    silent = peers.SilentListener()
    scene.stack.callback(silent.close)
    return {"address": silent.address, "timeouts": {"connect": "500ms"}}


@scenario("timeout.proxy", "proxy")
def timeout_proxy(scene):
    """the proxy accepts and says nothing"""
    return {"address": "127.0.0.1:4", "proxy": f"http://{scene.peer().address}", "timeouts": {"proxy": "500ms"}}


@scenario("timeout.starttls", "starttls")
def timeout_starttls(scene):
    """the mail server does not greet"""
    return {"address": scene.peer().address, "starttls": "smtp", "timeouts": {"starttls": "500ms"}}


@scenario("timeout.handshake", "handshake")
def timeout_handshake(scene):
    """nobody answers the ClientHello"""
    return {"address": scene.peer().address, "tls": {"verify": "none"}, "timeouts": {"handshake": "500ms"}}


@scenario("timeout.probe", "probe")
def timeout_probe(scene):
    """connected, but PING is not answered"""
    return {"address": scene.peer().address, "probe": {"kind": "redis"}, "timeouts": {"probe": "500ms"}}


@scenario("timeout.attempt", "handshake", check="the attempt's deadline is for all addresses, and check tries each by itself")
def timeout_attempt(scene):
    """six addresses that stall, and not enough time for all"""
    return {"address": [scene.peer().address for _ in range(6)], "tls": {"verify": "none"},
            "timeouts": {"handshake": "600ms", "attempt": "1500ms"}}


@scenario("timeout.dead-peer", "ready", check="it would be a timeout while connecting")
def dead_peer(scene):
    """a firewall swallows everything from a live connection"""
    world.run("ip", "addr", "add", "192.0.2.7/32", "dev", "lo")
    one = scene.peer(host="192.0.2.7")
    scene.then = lambda _: world.run(
        "nft", "add table inet t; add chain inet t in { type filter hook input priority 0; }; "
        "add rule inet t in ip daddr 192.0.2.7 drop")
    return {"address": one.address, "source": "127.0.0.1", **MORTAL}


def answer_once(reply):
    """Answer the first question, and none of the others."""
    def serve(connection):
        connection.recv(4096)
        connection.sendall(reply)
        peers.hold(connection)
    return serve


@scenario("timeout.heartbeat", "ready", check="works")
def heartbeat(scene):
    """the first PING is answered, the later ones are not"""
    return {"address": scene.peer(answer_once(b"+PONG\r\n")).address, "timeouts": {"probe": "300ms"},
            "probe": {"kind": "redis", "interval": "200ms", "failures": 2}}


@scenario("timeout.write", "probe")
def timeout_write(scene):
    """the peer acknowledges and does not read: the window is shut under a long probe"""
    def deaf(_):
        time.sleep(60)
    listener = peers.Peer(deaf)
    listener.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    scene.stack.callback(listener.close)
    pathlib.Path("/proc/sys/net/ipv4/tcp_wmem").write_text("4096 4096 4096")
    steps = [{"send": "x" * 1000}] * 3 + [{"send": "x" * 1000, "expect": "y"}]
    return {"address": listener.address, "keepalive": {"user_timeout": "3s"}, "timeouts": {"probe": "20s"},
            "probe": {"kind": "expect", "steps": steps}}


# ---- socket ----------------------------------------------------------------------------------------------------------

@scenario("socket.descriptor-limit", "connect", check="one attempt needs few descriptors")
def descriptor_limit(scene):
    """a hundred connections with eighty descriptors"""
    scene.wrapper = ("prlimit", "--nofile=80:80")
    return {"address": scene.peer().address, "connections": 100}


@scenario("socket.no-buffers", "connect")
def no_buffers(scene):
    """connect fails with ENOBUFS (injected)"""
    scene.wrapper = traced("connect", "error=ENOBUFS")
    return {"address": scene.peer().address}


@scenario("socket.bind", "connect")
def bind(scene):
    """`source` is no address of this host"""
    return {"address": scene.peer().address, "source": "198.51.100.55"}


@scenario("socket.no-ports", "connect")
def no_ports(scene):
    """one ephemeral port, and it is taken"""
    one = scene.peer()
    pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").write_text("50000 50000")
    scene.stack.enter_context(socket.create_connection(("127.0.0.1", one.port)))
    return {"address": one.address}


@scenario("socket.no-family", "connect")
def no_family(_):
    """IPv6 is switched off on a host with a network"""
    pathlib.Path("/proc/sys/net/ipv6/conf/all/disable_ipv6").write_text("1")
    return {"address": "[2001:db8::1]:4"}


@scenario("socket.setup", "connect")
def setup(scene):
    """SO_MARK without CAP_NET_ADMIN"""
    scene.open_folder()
    scene.wrapper = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--")
    return {"address": scene.peer().address, "mark": 7}


@scenario("socket.io", "ready")
def socket_io(scene):
    """the worker's first read fails with EIO (injected)"""
    scene.wrapper = traced("recvfrom", "error=EIO:when=1")
    return {"address": scene.peer(peers.say(b"hello")).address}
