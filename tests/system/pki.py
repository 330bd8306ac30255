"""Certificates for tests: a certification authority of our own and whatever is wrong with its offspring.

Everything is made with python3-cryptography, in a folder of the test run's own.
"""
import datetime
import ipaddress
import pathlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

DAY = datetime.timedelta(days=1)


def now():
    return datetime.datetime.utcnow().replace(microsecond=0)


def name_of(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def alternative(name):
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


class Entity:
    """A certificate, its key, and the certificates a server should send with it."""

    def __init__(self, folder, stem, certificate, key, issuers=()):
        self.certificate, self.key, self.issuers = certificate, key, list(issuers)
        self.certificate_file = pathlib.Path(folder) / f"{stem}.pem"
        self.key_file = pathlib.Path(folder) / f"{stem}.key"
        self.write_certificate(include_issuers=True)
        self.key_file.write_bytes(key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))

    def write_certificate(self, include_issuers):
        chain = [self.certificate] + (self.issuers if include_issuers else [])
        self.certificate_file.write_bytes(b"".join(pem(one) for one in chain))

    @property
    def pin(self):
        digest = hashes.Hash(hashes.SHA256())
        digest.update(self.key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo))
        return digest.finalize().hex()


def pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)


def der(certificate):
    return certificate.public_bytes(serialization.Encoding.DER)


class Authority:
    """A CA that issues, revokes, and can be below another one."""

    def __init__(self, folder, name="holdfast test CA", parent=None, **options):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.parent = parent
        self.name = name
        self.serial = 0
        self.key = ec.generate_private_key(ec.SECP256R1())
        options.setdefault("ca", True)
        issuer = parent or self
        self.certificate = self.build(name, self.key.public_key(), issuer, names=(), **options)
        self.file = self.folder / (name.replace(" ", "-") + ".pem")
        self.file.write_bytes(pem(self.certificate))

    @staticmethod
    def build(subject, public_key, issuer, names=(), start=None, end=None, ca=False, path_length=None,
              usage=None, aia=None, digest=None, extra=()):
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name_of(subject)).issuer_name(name_of(issuer.name))
            .public_key(public_key).serial_number(x509.random_serial_number())
            .not_valid_before(start or now() - DAY).not_valid_after(end or now() + 30 * DAY)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=path_length), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()),
                           critical=False))
        if names:
            certificate = certificate.add_extension(
                x509.SubjectAlternativeName([alternative(one) for one in names]), critical=False)
        if usage:
            certificate = certificate.add_extension(x509.ExtendedKeyUsage(usage), critical=False)
        if aia:
            certificate = certificate.add_extension(x509.AuthorityInformationAccess([x509.AccessDescription(
                AuthorityInformationAccessOID.CA_ISSUERS, x509.UniformResourceIdentifier(aia))]), critical=False)
        for extension, critical in extra:
            certificate = certificate.add_extension(extension, critical)
        return certificate.sign(issuer.key, digest or hashes.SHA256())

    def issue(self, stem, names=("localhost", "127.0.0.1", "::1"), subject=None, key=None, **options):
        """A certificate for a server (or, with usage=CLIENT, a client)."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        certificate = self.build(subject or stem, key.public_key(), self, names=names, **options)
        issuers = [self.certificate] if self.parent else []
        return Entity(self.folder, stem, certificate, key, issuers)

    def self_signed(self, stem, names=("localhost", "127.0.0.1", "::1"), **options):
        key = ec.generate_private_key(ec.SECP256R1())

        class Self:
            name = stem
        Self.key = key
        certificate = self.build(stem, key.public_key(), Self, names=names, **options)
        return Entity(self.folder, stem, certificate, key)

    def revocation_list(self, file_name, revoked=(), end=None, start=None):
        builder = (x509.CertificateRevocationListBuilder().issuer_name(name_of(self.name))
                   .last_update(start or now() - 2 * DAY).next_update(end or now() + 30 * DAY))
        for entity in revoked:
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder().serial_number(entity.certificate.serial_number)
                .revocation_date(now() - DAY)
                .add_extension(x509.CRLReason(x509.ReasonFlags.key_compromise), critical=False).build())
        path = self.folder / file_name
        path.write_bytes(builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
        return path


CLIENT = [ExtendedKeyUsageOID.CLIENT_AUTH]
SERVER = [ExtendedKeyUsageOID.SERVER_AUTH]


def rsa_key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def weak_rsa_key():
    return rsa.generate_private_key(public_exponent=65537, key_size=1024)
