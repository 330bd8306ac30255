"""OCSP responses as real servers staple them: nginx, HAProxy and GnuTLS, with good news, with bad, with old, and with none."""
import pytest
from cryptography import x509
from cryptography.x509.ocsp import OCSPCertStatus

import ocsp
import pki
import servers
import servers_cases
from servers_cases import Case

NEWS = ("good", "revoked", "stale", "none")
NGINX_PORT, HAPROXY_PORT, GNUTLS_PORT = 6000, 6100, 6200

NGINX_SERVER = """\
server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate /holdfast/{name}.pem;
    ssl_certificate_key /holdfast/{name}.key;
    {staple}
}}
"""
NGINX = """\
daemon off;
error_log stderr notice;
pid /run/nginx.pid;
events {{ }}
http {{
    access_log off;
    ssl_protocols TLSv1.2 TLSv1.3;
    {servers}
}}
"""
HAPROXY = """\
defaults
    mode http
    timeout client 60s
    timeout http-request 60s
"""
HAPROXY_SERVER = """\
frontend {name}
    bind 127.0.0.1:{port} ssl crt /holdfast/haproxy/{name}.pem
"""


def stapling(folder, authority, entities, answers):
    """The three servers, with the news number N on port N of each."""
    files = {f"{name}.pem": entity.certificate_file for name, entity in entities.items()}
    files |= {f"{name}.key": entity.key_file for name, entity in entities.items()}
    nginx = haproxy = gnutls = ""
    for number, name in enumerate(entities):
        staple = f"ssl_stapling on; ssl_stapling_file /holdfast/{name}.ocsp;" if name in answers else ""
        nginx += NGINX_SERVER.format(port=NGINX_PORT + number, name=name, staple=staple)
        if name != "stale":  # which HAProxy does not load
            haproxy += HAPROXY_SERVER.format(port=HAPROXY_PORT + number, name=name)
        options = f"--ocsp-response /holdfast/{name}.ocsp --ignore-ocsp-response-errors" if name in answers else ""
        gnutls += (f"gnutls-serv --quiet --echo --disable-client-cert --port {GNUTLS_PORT + number} {options} "
                   f"--x509certfile /holdfast/{name}.pem --x509keyfile /holdfast/{name}.key &\n")
    for name, answer in answers.items():
        path = folder / f"{name}.ocsp"
        path.write_bytes(answer)
        files[f"{name}.ocsp"] = path
    script = gnutls + """
        for name in good revoked none must; do
            cat /holdfast/$name.pem /holdfast/$name.key >/holdfast/haproxy/$name.pem
            [ ! -e /holdfast/$name.ocsp ] || cp /holdfast/$name.ocsp /holdfast/haproxy/$name.pem.ocsp
            cp /holdfast/ca.pem /holdfast/haproxy/$name.pem.issuer
        done
        haproxy -db -f /holdfast/haproxy.conf &
        nginx -c /holdfast/nginx.conf
    """
    texts = {"nginx.conf": NGINX.format(servers=nginx), "haproxy.conf": HAPROXY + haproxy, "haproxy/.keep": ""}
    ports = [start + number for start in (NGINX_PORT, HAPROXY_PORT, GNUTLS_PORT) for number, name in enumerate(entities)
             if (start, name) != (HAPROXY_PORT, "stale")]
    return servers.Server(folder, script, texts, ports, {**files, "ca.pem": authority.file})


def cases_of(server, port):
    def case(name, news, *expected, mode):
        number = (*NEWS, "must").index(news)
        return Case(f"{server}-{name}", "tls", f"127.0.0.1:{port + number}", *expected, tls={"ocsp": mode})
    return [
        case("good", "good", mode="require"),
        case("good-not-asked", "good", mode="off"),
        case("revoked", "revoked", "tls.certificate-revoked", "handshake", mode="check"),
        case("revoked-not-asked", "revoked", mode="off"),
        case("none", "none", mode="check"),
        case("none-required", "none", "tls.ocsp-missing", "handshake", mode="require"),
        case("none-must-staple", "must", "tls.ocsp-missing", "handshake", mode="check"),
    ] + ([] if server == "haproxy" else [case("stale", "stale", "tls.ocsp-invalid", "handshake", mode="check")])


CASES = cases_of("nginx", NGINX_PORT) + cases_of("haproxy", HAPROXY_PORT) + cases_of("gnutls", GNUTLS_PORT)


@pytest.fixture(scope="module")
def world_of_servers(serve, authority):
    must = [(x509.TLSFeature([x509.TLSFeatureType.status_request]), False)]
    entities = {name: authority.issue(f"ocsp-{name}") for name in NEWS}
    entities["must"] = authority.issue("ocsp-must", extra=must)
    answers = {
        "good": ocsp.response(authority, entities["good"]),
        "revoked": ocsp.response(authority, entities["revoked"], OCSPCertStatus.REVOKED),
        "stale": ocsp.response(authority, entities["stale"], start=pki.now() - 9 * pki.DAY, end=pki.now() - 2 * pki.DAY),
    }
    return serve(stapling, authority, entities, answers)


@servers_cases.parametrized(CASES)
def test_check(world_of_servers, own_files, case):
    servers_cases.judge_check(case, own_files)


@servers_cases.parametrized(CASES)
def test_daemon(holdfast, case):
    servers_cases.judge_daemon(case, holdfast)
