"""PyJWT: compact tokens, and unencoded detached payloads."""

import json
from importlib.metadata import version

import jwt
from jwt.algorithms import get_default_algorithms

from wire import Cache, b64, header, unb64

VERSION = version("PyJWT")
JWS = jwt.PyJWS()


def _load(alg, format, data, secret):
    if format == "jwk":
        return jwt.PyJWK(json.loads(data), alg)
    if secret is not None:
        raise NotImplementedError("no function takes a password")
    algorithm = get_default_algorithms().get(alg)
    if algorithm is None:
        raise NotImplementedError(f"no algorithm {alg}")
    return algorithm.prepare_key(data)


load = Cache(_load)


def sign(request):
    form = request["form"]
    if form not in ("compact", "unencoded-detached"):
        raise NotImplementedError(f"no function writes the form {form}")
    signer = request["signers"][0]
    members = header(request, signer)
    key = load(signer["alg"], signer["key"])
    token = JWS.encode(unb64(request["payload"]), key, members.pop("alg"), members)
    return {"token": token}


def verify(request):
    form = request["form"]
    signer = request["signers"][0]
    content = unb64(request["payload"]) if "detached" in form else None
    key = load(signer["alg"], signer["key"])
    return {"payload": b64(JWS.decode(request["token"], key, [signer["alg"]], detached_payload=content))}


def export(request):
    key = load(request["alg"], request["key"])
    if request["format"] != "jwk":
        raise NotImplementedError("keys are written as JWK only")
    native = getattr(key, "key", key)
    if not request["private"] and hasattr(native, "public_key"):
        native = native.public_key()
    algorithm = get_default_algorithms()[request["alg"]]
    return {"data": b64(algorithm.to_jwk(native).encode())}
