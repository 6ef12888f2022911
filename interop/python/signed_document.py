"""Judges a signed document (JAdES B-B, flattened JWS) with two JOSE libraries that are not ours.

usage: signed_document.py SIGNED DOCUMENT CERTIFICATE CA
"""

import base64
import hashlib
import json
import sys
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jws
from joserfc.jwk import ECKey
from joserfc.registry import HeaderParameter
from jwcrypto.jwk import JWK
from jwcrypto.jws import JWS

from verdict import judge, must_refuse

ALGORITHM = "ES256"


class Registry(jws.JWSRegistry):
    """joserfc's own limits are for tokens; a document is longer, and its header holds a certificate chain."""

    max_header_length = 1 << 16
    max_payload_length = 1 << 28


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def by_joserfc(signed, public_key):
    # `iat` is a header parameter of JAdES (ETSI TS 119 182-1), which joserfc has to be told.
    registry = Registry({"iat": HeaderParameter("Signing time", "int")}, algorithms=[ALGORITHM])
    return jws.deserialize_json(signed, ECKey.import_key(public_key), registry=registry).payload


def by_jwcrypto(signed, public_key):
    token = JWS()
    token.allowed_algs = [ALGORITHM]
    token.deserialize(json.dumps(signed), JWK.from_pem(public_key))
    return token.payload


def with_flipped_bit(signed, part):
    """The same document with one bit of one part changed; still base64url, so that only the signature can tell."""
    data = bytearray(decode(signed[part]))
    data[len(data) // 2] ^= 1
    return {**signed, part: encode(bytes(data))}


def main():
    signed_path, document_path, certificate_path, ca_path = map(Path, sys.argv[1:])
    signed = json.loads(signed_path.read_text())
    document = document_path.read_bytes()
    leaf = x509.load_pem_x509_certificate(certificate_path.read_bytes())
    ca = x509.load_pem_x509_certificate(ca_path.read_bytes())
    public_key = leaf.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    header = json.loads(decode(signed["protected"]))

    def same_bytes(verify):
        assert verify(signed, public_key) == document, "the payload is not the document"
        return f"{len(document)} bytes"

    def shape():
        assert set(signed) == {"payload", "protected", "signature"}, f"members {sorted(signed)}"
        assert header["alg"] == ALGORITHM, header["alg"]
        assert header["typ"] in ("jose", "jose+json"), header["typ"]
        assert isinstance(header["iat"], int), "iat"
        assert "crit" not in header, "crit"
        return f"alg {header['alg']}, typ {header['typ']}, iat {header['iat']}"

    def certificates():
        leaf_der, ca_der = leaf.public_bytes(Encoding.DER), ca.public_bytes(Encoding.DER)
        assert [base64.b64decode(der, validate=True) for der in header["x5c"]] == [leaf_der, ca_der], "x5c"
        assert header["x5t#S256"] == encode(hashlib.sha256(leaf_der).digest()), "x5t#S256"
        return "x5c is the chain, x5t#S256 the leaf"

    judge("the signed document is a flattened JAdES B-B", shape)
    judge("its header names the one-time certificate", certificates)
    for name, verify in (("joserfc", by_joserfc), ("jwcrypto", by_jwcrypto)):
        judge(f"{name} accepts the signature, and the payload is the document", lambda v=verify: same_bytes(v))
        for part in ("payload", "protected", "signature"):
            flipped = with_flipped_bit(signed, part)
            judge(
                f"{name} refuses a flipped bit in the {part}",
                lambda v=verify, f=flipped: must_refuse("a flipped bit", lambda: v(f, public_key)),
            )


main()
