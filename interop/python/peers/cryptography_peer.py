"""cryptography: keys in every format that OpenSSL and OpenSSH know. What it has read or made, jwcrypto signs with."""

import datetime
from importlib.metadata import version

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, mldsa, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat, PublicFormat,
)
from jwcrypto import jwk

import jwcrypto_peer
from wire import Cache, b64, family, password

VERSION = version("cryptography")

CURVES = {"ES256": ec.SECP256R1, "ES384": ec.SECP384R1, "ES512": ec.SECP521R1, "ES256K": ec.SECP256K1}
MADE_FROM = {
    "EdDSA": ed25519.Ed25519PrivateKey,
    "Ed25519": ed25519.Ed25519PrivateKey,
    "Ed448": ed448.Ed448PrivateKey,
    "ML-DSA-44": mldsa.MLDSA44PrivateKey,
    "ML-DSA-65": mldsa.MLDSA65PrivateKey,
    "ML-DSA-87": mldsa.MLDSA87PrivateKey,
}
PRIVATE = {
    "pkcs8-pem": (Encoding.PEM, PrivateFormat.PKCS8),
    "pkcs8-der": (Encoding.DER, PrivateFormat.PKCS8),
    "encrypted-pem": (Encoding.PEM, PrivateFormat.PKCS8),
    "encrypted-der": (Encoding.DER, PrivateFormat.PKCS8),
    "traditional-pem": (Encoding.PEM, PrivateFormat.TraditionalOpenSSL),
    "traditional-der": (Encoding.DER, PrivateFormat.TraditionalOpenSSL),
    "openssh": (Encoding.PEM, PrivateFormat.OpenSSH),
    "encrypted-openssh": (Encoding.PEM, PrivateFormat.OpenSSH),
}
PUBLIC = {
    "spki-pem": (Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    "spki-der": (Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
    "pkcs1-pem": (Encoding.PEM, PublicFormat.PKCS1),
    "pkcs1-der": (Encoding.DER, PublicFormat.PKCS1),
    "openssh": (Encoding.OpenSSH, PublicFormat.OpenSSH),
}


def native(alg, format, data, secret):
    if family(alg) == "oct":
        raise NotImplementedError("a symmetric key is bytes")
    if format in ("openssh", "encrypted-openssh"):
        if data.startswith(b"-----"):
            return serialization.load_ssh_private_key(data, secret)
        return serialization.load_ssh_public_key(data)
    if format.startswith("certificate"):
        read = x509.load_pem_x509_certificate if format.endswith("pem") else x509.load_der_x509_certificate
        return read(data).public_key()
    if format == "jwk":
        key = jwk.JWK.from_json(data.decode())
        return key.get_op_key("sign") if key.has_private else key.get_op_key("verify")
    pem = data.startswith(b"-----")
    if format.startswith("spki") or b" PUBLIC " in data[:40]:
        read = serialization.load_pem_public_key if pem else serialization.load_der_public_key
        return read(data)
    read = serialization.load_pem_private_key if pem else serialization.load_der_private_key
    return read(data, secret)


def _load(alg, format, data, secret):
    return jwk.JWK.from_pyca(native(alg, format, data, secret))


load = Cache(_load)
load_native = Cache(native)


def sign(request):
    return jwcrypto_peer.sign_with(request, load)


def verify(request):
    return jwcrypto_peer.verify_with(request, load)


def generate(request):
    alg = request["alg"]
    if family(alg) == "oct":
        raise NotImplementedError("a symmetric key is bytes")
    if family(alg) == "RSA":
        key = rsa.generate_private_key(65537, 2048)
    elif family(alg) == "EC":
        key = ec.generate_private_key(CURVES[alg]())
    else:
        key = MADE_FROM[alg].generate()
    return {"jwk": jwk.JWK.from_pyca(key).export()}


def export(request):
    format = request["format"]
    if format == "jwk":
        return jwcrypto_peer.export(request)
    key = load_native(request["alg"], request["key"])
    if request["private"]:
        if format not in PRIVATE:
            raise NotImplementedError(f"no function writes {format}")
        secret = password(request) if format.startswith("encrypted") else None
        lock = NoEncryption() if secret is None else BestAvailableEncryption(secret)
        return {"data": b64(key.private_bytes(*PRIVATE[format], lock))}
    if format.startswith("certificate"):
        return {"data": b64(certificate(key, Encoding.PEM if format.endswith("pem") else Encoding.DER))}
    if format not in PUBLIC:
        raise NotImplementedError(f"no function writes {format}")
    return {"data": b64(key.public_key().public_bytes(*PUBLIC[format]))}


def certificate(key, encoding):
    """A certificate that signed itself."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a peer")])
    now = datetime.datetime.now(datetime.timezone.utc)
    hashed = isinstance(key, (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey))
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(minutes=5))
        .sign(key, hashes.SHA256() if hashed else None)
    )
    return made.public_bytes(encoding)
