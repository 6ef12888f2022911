"""jwcrypto: compact and JSON, detached and unencoded, ML-DSA too."""

import json
from importlib.metadata import version

from jwcrypto import jwk, jws

from wire import CURVES, Cache, b64, family, header, password, unb64

VERSION = version("jwcrypto")


def _load(alg, format, data, secret):
    if format == "jwk":
        return jwk.JWK.from_json(data.decode())
    if data.startswith(b"-----BEGIN") or format.startswith("openssh"):
        return jwk.JWK.from_pem(data, secret)
    raise NotImplementedError("no function reads DER")


load = Cache(_load)


def sign(request):
    return sign_with(request, load)


def verify(request):
    return verify_with(request, load)


def sign_with(request, load):
    form = request["form"]
    token = jws.JWS(unb64(request["payload"]))
    if form.startswith("unencoded") and "compact" not in form:
        # Unencoded, the payload stands in the token as text.
        token = jws.JWS(unb64(request["payload"]).decode())
    token.allowed_algs = [signer["alg"] for signer in request["signers"]]
    for signer in request["signers"]:
        token.add_signature(load(signer["alg"], signer["key"]), protected=json.dumps(header(request, signer)))
    if "detached" in form:
        token.detach_payload()
    compact = form in ("compact", "detached", "unencoded", "unencoded-detached")
    text = token.serialize(compact=compact)
    if "general" in form and "signatures" not in json.loads(text):
        raise NotImplementedError("one signature is always written flattened")
    return {"token": text}


def verify_with(request, load):
    form = request["form"]
    token = jws.JWS()
    token.allowed_algs = [signer["alg"] for signer in request["signers"]]
    token.deserialize(request["token"])
    content = unb64(request["payload"]) if "detached" in form else None
    if len(request["signers"]) == 1:
        signer = request["signers"][0]
        token.verify(load(signer["alg"], signer["key"]), detached_payload=content)
    else:
        keys = jwk.JWKSet()
        for signer in request["signers"]:
            keys.add(named(load(signer["alg"], signer["key"]), signer["kid"]))
        token.verify(keys, detached_payload=content)
        # One valid signature is enough for the library; its log tells of each.
        if token.verifylog != ["Success"] * len(request["signers"]):
            raise ValueError(f"not every signature is valid: {token.verifylog}")
    payload = content if content is not None else token.payload
    return {"payload": b64(payload if isinstance(payload, bytes) else payload.encode())}


def named(key, kid):
    if key.get("kid") == kid:
        return key
    members = key.export(as_dict=True, private_key=key.has_private)
    return jwk.JWK(**{**members, "kid": kid})


def generate(request):
    alg = request["alg"]
    kind = family(alg)
    size = {
        "oct": {"size": 512}, "RSA": {"size": 2048}, "AKP": {"alg": alg},
    }.get(kind) or {"crv": CURVES[alg]}
    return {"jwk": jwk.JWK.generate(kty=kind, **size).export()}


def export(request):
    key = load(request["alg"], request["key"])
    private, format = request["private"], request["format"]
    if format == "jwk":
        text = key.export() if private or key.is_symmetric else key.export_public()
        return {"data": b64(text.encode())}
    if format not in ("pkcs8-pem", "encrypted-pem", "spki-pem"):
        raise NotImplementedError(f"no function writes {format}")
    secret = password(request) if format.startswith("encrypted") else None
    return {"data": b64(key.export_to_pem(private_key=private, password=secret))}
