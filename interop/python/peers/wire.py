"""What stands in a request: bytes in base64url, keys in a named format, signatures in a named form."""

import base64


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Cache:
    """Keys that were read before: OpenSSL tests the primes of an RSA key each time."""

    def __init__(self, load):
        self._load = load
        self._known = {}

    def __call__(self, alg, key):
        name = (alg, key["format"], key["data"], key.get("password"))
        if name not in self._known:
            self._known[name] = self._load(alg, key["format"], unb64(key["data"]), password(key))
        return self._known[name]


def password(request):
    secret = request.get("password")
    return secret.encode() if secret is not None else None


def header(request, signer):
    """The protected header that the form asks for."""
    members = {"alg": signer["alg"], "kid": signer["kid"]}
    if request["form"].startswith("unencoded"):
        members.update({"b64": False, "crit": ["b64"]})
    return members


def family(alg):
    if alg.startswith("HS"):
        return "oct"
    if alg.startswith(("RS", "PS")):
        return "RSA"
    if alg.startswith("ES"):
        return "EC"
    return "AKP" if alg.startswith("ML-DSA") else "OKP"


CURVES = {
    "ES256": "P-256",
    "ES384": "P-384",
    "ES512": "P-521",
    "ES256K": "secp256k1",
    "EdDSA": "Ed25519",
    "Ed25519": "Ed25519",
    "Ed448": "Ed448",
}
