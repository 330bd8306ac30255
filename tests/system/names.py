"""A name server whose answers are what a test says, on 127.0.0.1 port 53 of the test's own namespace."""
import collections
import functools
import socket
import struct
import threading
import time

import dnslib

RCODES = {"servfail": 2, "nxdomain": 3, "notimp": 4, "refused": 5}

Cut = collections.namedtuple("Cut", "whole")


def cut(answer):
    """`answer`, too long for a datagram."""
    return Cut(answer)


def service(host, port, priority=0, weight=0):
    """One SRV record; `host` "." says that the service is not offered."""
    return dnslib.SRV(priority, weight, port, host)


class NameServer:
    """`zone` maps a name (without the final dot) to an answer, or to {"A": answer, "AAAA": answer, "SRV": answer}.

    An answer is a list of addresses (of SRV: of service() records), a word of RCODES, "nodata", "silent", "garbage", or a callable
    that gives one of these; a tuple (seconds, answer) delays it.  A cut() answer comes truncated over UDP, and whole over TCP if
    the server was made with `tcp`, which is refused otherwise.  Unknown names do not exist.
    """

    def __init__(self, zone, ttl=0, host="127.0.0.1", tcp=False):
        self.zone, self.ttl = zone, ttl
        self.queries = []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((host, 53))
        self.listener = socket.create_server((host, 53)) if tcp else None
        threading.Thread(target=self.serve, daemon=True).start()
        if tcp:
            threading.Thread(target=self.serve_tcp, daemon=True).start()

    def serve(self):
        while True:
            try:
                data, client = self.socket.recvfrom(4096)
            except OSError:
                return
            send = functools.partial(self.send, client)
            threading.Thread(target=self.answer, args=(data, send, False), daemon=True).start()

    def send(self, client, reply):
        self.socket.sendto(reply, client)

    def serve_tcp(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve_connection, args=(connection,), daemon=True).start()

    def serve_connection(self, connection):
        def send(reply):
            connection.sendall(struct.pack(">H", len(reply)) + reply)

        with connection, connection.makefile("rb") as stream:
            while len(head := stream.read(2)) == 2:
                self.answer(stream.read(struct.unpack(">H", head)[0]), send, True)

    def answer(self, data, send, tcp):
        request = dnslib.DNSRecord.parse(data)
        name = str(request.q.qname).rstrip(".").lower()
        kind = dnslib.QTYPE[request.q.qtype]
        self.queries.append((name, kind))
        answer = self.zone.get(name, "nxdomain")
        if isinstance(answer, dict):
            answer = answer.get(kind, "nodata")
        if callable(answer):
            answer = answer()
        if isinstance(answer, tuple) and not isinstance(answer, Cut):
            time.sleep(answer[0])
            answer = answer[1]
        if isinstance(answer, Cut):
            if not tcp:
                reply = request.reply()
                reply.header.tc = 1
                send(reply.pack())
                return
            answer = answer.whole
        if answer == "silent":
            return
        if answer == "garbage":
            # The right id and question, so that it is taken for an answer; and then a record no parser can make sense of.
            question = dnslib.DNSRecord(q=request.q).pack()[12:]
            send(data[:2] + b"\x81\x80\0\1\0\1\0\0\0\0" + question + b"\xff" * 5)
            return
        reply = request.reply()
        if isinstance(answer, str) and answer in RCODES:
            reply.header.rcode = RCODES[answer]
        elif answer != "nodata":
            self.add(reply, request, kind, answer)
        send(reply.pack())

    def add(self, reply, request, kind, addresses):
        for address in addresses:
            if isinstance(address, dnslib.SRV):
                if kind == "SRV":
                    reply.add_answer(dnslib.RR(request.q.qname, dnslib.QTYPE.SRV, ttl=self.ttl, rdata=address))
            elif (":" in address) == (kind == "AAAA") and kind in ("A", "AAAA"):
                data = dnslib.AAAA(address) if kind == "AAAA" else dnslib.A(address)
                reply.add_answer(dnslib.RR(request.q.qname, getattr(dnslib.QTYPE, kind), ttl=self.ttl, rdata=data))

    def close(self):
        self.socket.close()
        if self.listener:
            self.listener.close()
