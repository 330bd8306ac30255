"""A name server whose answers are what a test says, on 127.0.0.1 port 53 of the test's own namespace."""
import socket
import threading
import time

import dnslib

RCODES = {"servfail": 2, "nxdomain": 3, "notimp": 4, "refused": 5}


class NameServer:
    """`zone` maps a name (without the final dot) to an answer, or to {"A": answer, "AAAA": answer}.

    An answer is a list of addresses, a word of RCODES, "nodata", "silent", "garbage", or a callable that gives one of these;
    a tuple (seconds, answer) delays it.  Unknown names do not exist.
    """

    def __init__(self, zone, ttl=0, host="127.0.0.1"):
        self.zone, self.ttl = zone, ttl
        self.queries = []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((host, 53))
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                data, client = self.socket.recvfrom(4096)
            except OSError:
                return
            threading.Thread(target=self.answer, args=(data, client), daemon=True).start()

    def answer(self, data, client):
        request = dnslib.DNSRecord.parse(data)
        name = str(request.q.qname).rstrip(".").lower()
        kind = dnslib.QTYPE[request.q.qtype]
        self.queries.append((name, kind))
        answer = self.zone.get(name, "nxdomain")
        if isinstance(answer, dict):
            answer = answer.get(kind, "nodata")
        if callable(answer):
            answer = answer()
        if isinstance(answer, tuple):
            time.sleep(answer[0])
            answer = answer[1]
        if answer == "silent":
            return
        if answer == "garbage":
            # The right id and question, so that it is taken for an answer; and then a record no parser can make sense of.
            question = dnslib.DNSRecord(q=request.q).pack()[12:]
            self.socket.sendto(data[:2] + b"\x81\x80\0\1\0\1\0\0\0\0" + question + b"\xff" * 5, client)
            return
        reply = request.reply()
        if isinstance(answer, str) and answer in RCODES:
            reply.header.rcode = RCODES[answer]
        elif answer != "nodata":
            self.add(reply, request, kind, answer)
        self.socket.sendto(reply.pack(), client)

    def add(self, reply, request, kind, addresses):
        for address in addresses:
            if (":" in address) == (kind == "AAAA") and kind in ("A", "AAAA"):
                data = dnslib.AAAA(address) if kind == "AAAA" else dnslib.A(address)
                reply.add_answer(dnslib.RR(request.q.qname, getattr(dnslib.QTYPE, kind), ttl=self.ttl, rdata=data))

    def close(self):
        self.socket.close()
