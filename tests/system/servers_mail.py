"""Recipes of the servers that carry mail, news, files and messages: what a client greets in plain text before TLS."""
from servers import CERTIFICATE, KEY, Server, tls_files

POSTFIX_MAIN = """\
compatibility_level = 3.6
queue_directory = /var/spool/postfix
myhostname = server.test
inet_interfaces = all
inet_protocols = ipv4
mynetworks =
smtpd_client_event_limit_exceptions =
smtpd_relay_restrictions = reject_unauth_destination
maillog_file = /dev/stdout
smtpd_tls_chain_files = /holdfast/server.key, /holdfast/server.pem
smtpd_tls_CAfile = /holdfast/ca.pem
smtpd_tls_security_level = may
"""

# One smtpd for each way to be: the port, and what it does otherwise than main.cf says.
POSTFIX_SERVICES = {
    25: "",
    465: "-o smtpd_tls_wrappermode=yes",
    2001: "-o smtpd_tls_security_level=none",
    2002: "-o smtpd_tls_chain_files=/holdfast/missing",
    2003: "-o smtpd_tls_chain_files=/holdfast/bad.key,/holdfast/bad.pem",
    2004: "-o smtpd_tls_security_level=encrypt -o smtpd_tls_req_ccert=yes",
    2005: "-o smtpd_delay_reject=no -o smtpd_client_restrictions=reject",
    2006: "-o smtpd_client_connection_count_limit=1",
}
POSTFIX_MASTER = """\
{port} inet n - n - - smtpd {options}
"""
POSTFIX_REST = """\
postlog unix-dgram n - n - 1 postlogd
tlsmgr unix - - n 1000? 1 tlsmgr
anvil unix - - n - 1 anvil
rewrite unix - - n - - trivial-rewrite
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
proxymap unix - - n - - proxymap
defer unix - - n - 0 bounce
"""


def postfix(folder, authority, good, bad):
    """An SMTP server; `bad` is the certificate of port 2003."""
    master = "".join(POSTFIX_MASTER.format(port=port, options=options) for port, options in POSTFIX_SERVICES.items())
    copies = {**tls_files(authority, good), "bad.pem": bad.certificate_file, "bad.key": bad.key_file}
    script = """
        mkdir /etc/postfix/own
        cp /holdfast/main.cf /holdfast/master.cf /etc/postfix/own/
        exec 2>&1
        postfix -c /etc/postfix/own start-fg | cat
    """
    files = {"main.cf": POSTFIX_MAIN, "master.cf": master + POSTFIX_REST}
    return Server(folder, script, files, POSTFIX_SERVICES, copies)


# Which address of loopback is spoken to decides what dovecot offers there.
DOVECOT = """\
protocols = imap pop3 lmtp sieve
log_path = /dev/stderr
auth_mechanisms = plain
passdb {
  driver = static
  args = password=secret
}
userdb {
  driver = static
  args = uid=mail gid=mail home=/tmp/%u
}
disable_plaintext_auth = yes
ssl = yes
ssl_cert = </holdfast/server.pem
ssl_key = </holdfast/server.key
ssl_ca = </holdfast/ca.pem
ssl_require_crl = no
local 127.0.0.2 {
  ssl = no
}
local 127.0.0.3 {
  ssl_cert = </holdfast/bad.pem
  ssl_key = </holdfast/bad.key
}
local 127.0.0.4 {
  ssl_verify_client_cert = yes
}
service lmtp {
  inet_listener lmtp {
    address = 127.0.0.1 127.0.0.2
    port = 24
  }
  unix_listener /holdfast/lmtp.sock {
    mode = 0666
  }
}
"""


def dovecot(folder, authority, good, bad):
    """IMAP, POP3, LMTP and ManageSieve: good on 127.0.0.1, without TLS on 127.0.0.2, with `bad` on 127.0.0.3, asking for a
    client certificate on 127.0.0.4."""
    copies = {**tls_files(authority, good), "bad.pem": bad.certificate_file, "bad.key": bad.key_file}
    return Server(folder, "dovecot -F -c /holdfast/dovecot.conf", {"dovecot.conf": DOVECOT}, (143, 110, 24, 4190, 993, 995),
                  copies)


VSFTPD = f"""\
listen=YES
listen_ipv6=NO
background=NO
anonymous_enable=YES
local_enable=NO
rsa_cert_file={CERTIFICATE}
rsa_private_key_file={KEY}
allow_anon_ssl=YES
"""


def vsftpd(folder, authority, good):
    """FTP with TLS on port 21, without on 2021; one that is full on 2022; one that asks for a client certificate on 2023."""
    script = """
        mkdir -p /var/run/vsftpd/empty
        vsftpd /holdfast/plain.conf 0>&1 &
        vsftpd /holdfast/full.conf 0>&1 &
        vsftpd /holdfast/client.conf 0>&1 &
        vsftpd /holdfast/tls.conf 0>&1
    """
    files = {
        "tls.conf": VSFTPD + "ssl_enable=YES\n",
        "plain.conf": VSFTPD + "listen_port=2021\n",
        "full.conf": VSFTPD + "listen_port=2022\nssl_enable=YES\nmax_per_ip=1\n",
        "client.conf": VSFTPD + "listen_port=2023\nssl_enable=YES\nrequire_cert=YES\nca_certs_file=/holdfast/ca.pem\n",
    }
    return Server(folder, script, files, (21, 2021, 2022, 2023), tls_files(authority, good))


PROSODY = """\
pidfile = "/run/prosody/{name}.pid"
data_path = "/tmp/{name}"
admins = {{ }}
modules_enabled = {{ "saslauth", "disco", {modules} }}
modules_disabled = {{ "s2s_auth_certs" }}
authentication = "internal_hashed"
c2s_require_encryption = {require}
s2s_require_encryption = {require}
c2s_ports = {{ {client} }}
s2s_ports = {{ {server} }}
c2s_direct_tls_ports = {{ }}
s2s_direct_tls_ports = {{ }}
interfaces = {{ "127.0.0.1" }}
log = {{ info = "*console" }}
VirtualHost "localhost"
{ssl}
"""


def prosody(folder, authority, good):
    """XMPP: clients on 5222, servers on 5269; without TLS on 5223 and 5270."""
    good_ssl = '  ssl = { certificate = "/holdfast/server.pem", key = "/holdfast/server.key" }'
    files = {
        "tls.cfg.lua": PROSODY.format(name="tls", modules='"tls", "s2s", "dialback"', require="true", client=5222, server=5269,
                                      ssl=good_ssl),
        "plain.cfg.lua": PROSODY.format(name="plain", modules='"s2s", "dialback"', require="false", client=5223, server=5270,
                                        ssl=""),
    }
    script = """
        mkdir -p /run/prosody /tmp/tls /tmp/plain /tmp/keys
        chown prosody /run/prosody /tmp/tls /tmp/plain
        chmod 755 /holdfast
        chmod 644 /holdfast/server.key
        runuser -u prosody -- prosody --config /holdfast/plain.cfg.lua -F &
        runuser -u prosody -- prosody --config /holdfast/tls.cfg.lua -F
    """
    return Server(folder, script, files, (5222, 5269, 5223, 5270), tls_files(authority, good))


def nnrpd(folder, authority, good):
    """INN's server for readers: with TLS on port 119, without on 2119, for nobody on 2120."""
    script = """
        chmod 755 /holdfast
        chown news /holdfast/server.key
        chmod 600 /holdfast/server.key
        mkdir -p /run/news
        chown news:news /run/news
        cp /etc/news/inn.conf /tmp/tls.conf
        sed -i -e '/^tls/d' -e 's/^domain:.*/domain: test/' /tmp/tls.conf
        cp /tmp/tls.conf /tmp/plain.conf
        printf 'tlscertfile: /holdfast/server.pem\\ntlskeyfile: /holdfast/server.key\\ntlscafile: /holdfast/ca.pem\\n' >>/tmp/tls.conf
        touch /var/spool/news/overview/group.index
        sed -e "s|^pathoverview:.*|pathoverview: /nowhere|" /tmp/plain.conf >/tmp/broken.conf
        cd /tmp
        INNCONF=/tmp/plain.conf /usr/lib/news/bin/nnrpd -D -f -p 2119 &
        INNCONF=/tmp/broken.conf /usr/lib/news/bin/nnrpd -D -f -p 2120 &
        INNCONF=/tmp/tls.conf /usr/lib/news/bin/nnrpd -D -f -p 119
    """
    return Server(folder, script, {"nobody.conf": ""}, (119, 2119, 2120), tls_files(authority, good))
