"""Servers that are good, bad and worse, each in a thread of the test, on a port of its own on loopback."""
import contextlib
import select
import socket
import ssl
import struct
import threading
import time
import weakref

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

# The TLS socket that has taken over an accepted one, which has no descriptor any more.
wrapped_by = weakref.WeakKeyDictionary()


class Peer:
    """A TCP (or Unix) server; `serve` is called with each accepted socket in a thread of its own."""

    def __init__(self, serve, host="127.0.0.1", port=0, backlog=128, path=None):
        self.serve = serve
        family = socket.AF_UNIX if path else socket.AF_INET6 if ":" in host else socket.AF_INET
        self.listener = socket.socket(family, socket.SOCK_STREAM)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(path or (host, port))
        self.listener.listen(backlog)
        self.host = host
        self.port = 0 if path else self.listener.getsockname()[1]
        self.path = path
        self.accepted = 0
        self.connections = []
        self.closed = False
        self.lock = threading.Lock()
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    @property
    def address(self):
        if self.path:
            return f"unix:{self.path}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                if self.closed:
                    connection.close()
                    return
                self.accepted += 1
                self.connections.append(connection)
            threading.Thread(target=self.handle, args=(connection,), daemon=True).start()

    def handle(self, connection):
        with contextlib.suppress(OSError, ssl.SSLError, ValueError):
            self.serve(connection)

    def reset_all(self):
        """Reset every connection: RST instead of FIN."""
        for connection in self.take():
            reset(connection)

    def close_all(self):
        """End every connection in TCP's own order, without a word of TLS."""
        for connection in self.take():
            with contextlib.suppress(OSError):
                socket.socket.shutdown(connection, socket.SHUT_RDWR)
            connection.close()

    def take(self):
        with self.lock:
            taken, self.connections = self.connections, []
        return [wrapped_by.get(connection, connection) for connection in taken]

    def stop_listening(self):
        """Refuse from now on; present connections stay."""
        with self.lock:
            self.closed = True
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(5)

    def close(self):
        self.stop_listening()
        self.close_all()


def reset(connection):
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        socket.socket.shutdown(connection, socket.SHUT_RD)  # says nothing to the peer; a thread that still reads lets go of the socket
    connection.close()


def hold(connection):
    """Say nothing, and stay until the other side has gone."""
    while connection.recv(4096):
        pass


def close_at_once(connection):
    connection.shutdown(socket.SHUT_RDWR)
    connection.close()


def reset_at_once(connection):
    reset(connection)


def say(first):
    """Greet with `first`, as servers of plain protocols do, and then hold."""
    def serve(connection):
        connection.sendall(first)
        hold(connection)
    return serve


def answer(reply):
    """Wait for the first bytes, answer `reply`, and hold (a TLS peer's bytes are its ClientHello)."""
    def serve(connection):
        connection.recv(65536)
        connection.sendall(reply)
        hold(connection)
    return serve


def after(seconds, then):
    def serve(connection):
        time.sleep(seconds)
        then(connection)
    return serve


def alert(number, level=2):
    """A TLS record with one alert (RFC 8446, section 6)."""
    return bytes([21, 3, 3, 0, 2, level, number])


def tls_context(entity, ca_file=None, client=None, minimum=None, maximum=None, alpn=None, ciphers=None):
    """A server's context; client: None, "optional" or "required" certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = minimum or ssl.TLSVersion.TLSv1_2
    if maximum:
        context.maximum_version = maximum
    if ciphers:
        context.set_ciphers(ciphers)
    context.load_cert_chain(entity.certificate_file, entity.key_file)
    if client:
        context.verify_mode = ssl.CERT_REQUIRED if client == "required" else ssl.CERT_OPTIONAL
        context.load_verify_locations(ca_file)
    if alpn:
        context.set_alpn_protocols(alpn)
    return context


def tls(context, then=hold, ragged=True):
    """Do the handshake, then `then` with the TLS socket; a bare end of TCP is an error unless `ragged`."""
    def serve(connection):
        connection.settimeout(30)
        with context.wrap_socket(connection, server_side=True, suppress_ragged_eofs=ragged) as wrapped:
            wrapped.settimeout(None)
            wrapped_by[connection] = wrapped
            then(wrapped)
    return serve


def tls_close(wrapped):
    """Close in order: close_notify, then TCP."""
    with contextlib.suppress(OSError, ssl.SSLError):
        wrapped.unwrap().close()


def tls_cut(wrapped):
    """End TCP without close_notify."""
    raw = socket.socket(fileno=wrapped.detach())
    raw.shutdown(socket.SHUT_RDWR)
    raw.close()


def tls_reset(wrapped):
    reset(socket.socket(fileno=wrapped.detach()))


def handshake_message(kind, body):
    return bytes([kind]) + len(body).to_bytes(3, "big") + body


def present(der):
    """A TLS 1.2 server that gets as far as showing a certificate (RFC 5246, section 7.4): for those that no library loads."""
    hello = b"\3\3" + bytes(32) + b"\0" + b"\xc0\x2b" + b"\0" + b"\0\5\xff\1\0\1\0"  # ECDHE-ECDSA-AES128-GCM-SHA256, RFC 5746
    one = len(der).to_bytes(3, "big") + der
    flight = handshake_message(2, hello) + handshake_message(11, len(one).to_bytes(3, "big") + one)

    def serve(connection):
        connection.recv(65536)
        connection.sendall(b"\x16\3\3" + len(flight).to_bytes(2, "big") + flight)
        hold(connection)
    return serve


def demand_and_refuse(der, key, number):
    """A TLS 1.2 server that asks for a certificate, takes what comes, and answers with alert `number`, whatever was shown:
    no server of a library says access_denied (RFC 5246, section 7.2.2)."""
    def serve(connection):
        hello = connection.recv(65536)
        ours, theirs = bytes(32), hello[11:43]
        share = ec.generate_private_key(ec.SECP256R1()).public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
        parameters = b"\3\0\x17" + bytes([len(share)]) + share
        signature = key.sign(theirs + ours + parameters, ec.ECDSA(hashes.SHA256()))
        one = len(der).to_bytes(3, "big") + der
        flight = (
            handshake_message(2, b"\3\3" + ours + b"\0" + b"\xc0\x2b" + b"\0" + b"\0\5\xff\1\0\1\0")
            + handshake_message(11, len(one).to_bytes(3, "big") + one)
            + handshake_message(12, parameters + b"\4\3" + len(signature).to_bytes(2, "big") + signature)
            + handshake_message(13, b"\1\x40" + b"\0\2\4\3" + b"\0\0")
            + handshake_message(14, b""))
        connection.sendall(b"\x16\3\3" + len(flight).to_bytes(2, "big") + flight)
        connection.recv(65536)
        connection.sendall(alert(number))
        hold(connection)
    return serve


class SilentListener:
    """A listener whose accept queue is full: further SYNs are dropped, so connecting times out."""

    def __init__(self, host="127.0.0.1"):
        self.listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.listener.bind((host, 0))
        self.listener.listen(0)
        self.port = self.listener.getsockname()[1]
        self.address = f"{host}:{self.port}"
        self.fillers = []
        for _ in range(4):
            filler = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            filler.setblocking(False)
            filler.connect_ex((host, self.port))
            self.fillers.append(filler)
        select.select([], self.fillers, [], 0.2)

    def close(self):
        for filler in self.fillers:
            filler.close()
        self.listener.close()


def free_port(host="127.0.0.1"):
    """A port on which nobody listens now (and, by the kernel's habit, for a while)."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as one:
        one.bind((host, 0))
        return one.getsockname()[1]


def is_listening(port, host="127.0.0.1"):
    """Whether somebody accepts connections on that port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as one:
        return one.connect_ex((host, port)) == 0
