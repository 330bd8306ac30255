"""Servers that greet in plain text and then do STARTTLS: postfix, dovecot, vsftpd, prosody and INN's nnrpd."""
import socket

import pytest

import servers_cases
import servers_mail
from servers_cases import Case, client

MISSING, REFUSED = "protocol.starttls-missing", "protocol.starttls-refused"
AT_THE_DOOR = "protocol.greeting-rejected"
DEMANDED = "tls.client-certificate-required"


def smtp(name, port, *expected, **options):
    return Case(f"smtp-{name}", "smtp", f"127.0.0.1:{port}", *expected, **options)


def dovecot(protocol, name, last, port, *expected, **options):
    # The certificate is for 127.0.0.1, whatever address of loopback it is shown at.
    tls = {"verify_name": "127.0.0.1", **options.pop("tls", {})}
    return Case(f"{protocol}-{name}", protocol, f"127.0.0.{last}:{port}", *expected, tls=tls, **options)


def at(protocol, name, port, *expected, **options):
    return Case(f"{protocol}-{name}", protocol, f"localhost:{port}", *expected, keys={"family": "ipv4"}, **options)


CASES = [
    smtp("good", 25),
    smtp("no-tls", 2001, MISSING, "starttls"),
    # A server that cannot read its certificate has no cipher in common with anybody.
    smtp("certificate-missing", 2002, "tls.no-overlap", "handshake", says="handshake_failure(40)"),
    smtp("expired", 2003, "tls.certificate-expired", "handshake"),
    smtp("misnamed", 25, "tls.certificate-name", "handshake", tls={"verify_name": "mail.test"}),
    # Like nginx it completes the handshake and tells afterwards, in answer to the next command: only a probe sees it.
    smtp("wants-a-certificate", 2004),
    smtp("wants-a-certificate-probed", 2004, AT_THE_DOOR, "probe", keys={"probe": {"kind": "smtp"}},
         says="No client certificate presented"),
    smtp("is-shown-one", 2004, tls=client("client")),
    smtp("access-denied", 2005, AT_THE_DOOR, "starttls", says="Client host rejected"),
    smtp("full", 2006, AT_THE_DOOR, "starttls", says="too many connections"),
    smtp("wrapped", 465, "timeout.starttls", "starttls", keys={"timeouts": {"starttls": "1s"}}),
    Case("smtp-behind-tls", "tls", "127.0.0.1:465"),
    Case("smtp-without-starttls", "tls", "127.0.0.1:25", "tls.not-tls", "handshake", says="SMTP"),
    Case("smtp-taken-for-imap", "imap", "127.0.0.1:25", "protocol.starttls-reply", "starttls", says="220 server.test ESMTP"),

    dovecot("imap", "good", 1, 143),
    dovecot("imap", "no-tls", 2, 143, MISSING, "starttls"),
    dovecot("imap", "expired", 3, 143, "tls.certificate-expired", "handshake"),
    dovecot("imap", "may-have-a-certificate", 4, 143, tls=client("client")),
    dovecot("pop3", "good", 1, 110),
    dovecot("pop3", "no-tls", 2, 110, MISSING, "starttls"),
    dovecot("pop3", "expired", 3, 110, "tls.certificate-expired", "handshake"),
    dovecot("lmtp", "good", 1, 24),
    Case("lmtp-unix", "lmtp", "unix:{pki}/lmtp.sock", tls={"verify_name": "localhost"}),
    dovecot("lmtp", "misnamed", 1, 24, "tls.certificate-name", "handshake", tls={"verify_name": "mail.test"}),
    dovecot("sieve", "good", 1, 4190),
    # It announces STARTTLS all the same.
    dovecot("sieve", "no-tls", 2, 4190, REFUSED, "starttls", says="TLS support isn't enabled"),
    dovecot("sieve", "expired", 3, 4190, "tls.certificate-expired", "handshake"),
    Case("imap-behind-tls", "tls", "127.0.0.1:993"),
    Case("pop3-behind-tls", "tls", "127.0.0.1:995"),
    Case("imap-without-starttls", "tls", "127.0.0.1:143", "tls.not-tls", "handshake", says="IMAP"),
    Case("pop3-without-starttls", "tls", "127.0.0.1:110", "tls.not-tls", "handshake", says="POP3"),
    Case("pop3-taken-for-smtp", "smtp", "127.0.0.1:110", "protocol.starttls-reply", "starttls", says="+OK Dovecot"),

    at("ftp", "good", 21),
    at("ftp", "no-tls", 2021, MISSING, "starttls"),
    at("ftp", "full", 2022, AT_THE_DOOR, "starttls", says="too many connections"),
    at("ftp", "wants-a-certificate", 2023, DEMANDED, "settle"),
    at("ftp", "is-shown-one", 2023, tls=client("client")),

    at("xmpp", "good", 5222),
    at("xmpp", "no-tls", 5223, MISSING, "starttls"),
    at("xmpp-server", "good", 5269),
    at("xmpp-server", "no-tls", 5270, MISSING, "starttls"),
    # By its address it is no host that it serves.
    Case("xmpp-unknown-host", "xmpp", "127.0.0.1:5222", (REFUSED, AT_THE_DOOR), "starttls", says="host-unknown"),
    at("xmpp", "at-an-smtp-server", 25, "protocol.starttls-reply", "starttls"),

    at("nntp", "good", 119),
    # It announces STARTTLS, and has no certificate.
    at("nntp", "no-tls", 2119, REFUSED, "starttls", says="580 "),
    at("nntp", "unavailable", 2120, AT_THE_DOOR, "starttls", says="400 "),
]


@pytest.fixture(scope="module")
def world_of_servers(serve, authority, server, expired, own_files):
    dovecot = serve(servers_mail.dovecot, authority, server, expired)
    (own_files / "lmtp.sock").symlink_to(dovecot.files / "lmtp.sock")
    yield (dovecot, serve(servers_mail.postfix, authority, server, expired),
           serve(servers_mail.vsftpd, authority, server), serve(servers_mail.prosody, authority, server),
           serve(servers_mail.nnrpd, authority, server), *occupied(2006, 2022))


def occupied(*ports):
    """Connections that fill servers with room for one client; greeted, so that they count."""
    held = [socket.create_connection(("127.0.0.1", port)) for port in ports]
    for connection in held:
        assert connection.recv(3) == b"220"
    return held


@servers_cases.parametrized(CASES)
def test_check(world_of_servers, own_files, case):
    servers_cases.judge_check(case, own_files)


@servers_cases.parametrized(CASES)
def test_daemon(holdfast, case):
    servers_cases.judge_daemon(case, holdfast)
