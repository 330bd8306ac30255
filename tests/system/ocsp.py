"""OCSP responses as a certification authority would give them, and as it would not."""
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ReasonFlags, ocsp

import pki


def response(authority, entity, status=ocsp.OCSPCertStatus.GOOD, start=None, end=None, signer=None):
    """The DER of a response about `entity`, signed by its issuer `authority` unless `signer` says otherwise."""
    revoked = status == ocsp.OCSPCertStatus.REVOKED
    signer = signer or authority
    builder = ocsp.OCSPResponseBuilder().add_response(
        cert=entity.certificate, issuer=authority.certificate, algorithm=hashes.SHA1(), cert_status=status,
        this_update=start or pki.now() - pki.DAY, next_update=end or pki.now() + pki.DAY,
        revocation_time=pki.now() - pki.DAY if revoked else None,
        revocation_reason=ReasonFlags.key_compromise if revoked else None)
    signed = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, signer.certificate).sign(signer.key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.DER)
