"""joserfc: compact, flattened and general JSON, detached and unencoded."""

import json
from importlib.metadata import version

from joserfc import jwk, jws

from wire import CURVES, Cache, b64, family, header, password, unb64

VERSION = version("joserfc")
CLASSES = {"oct": jwk.OctKey, "RSA": jwk.RSAKey, "EC": jwk.ECKey, "OKP": jwk.OKPKey}


def _load(alg, format, data, secret):
    if format == "jwk":
        return jwk.import_key(json.loads(data))
    if family(alg) not in CLASSES:
        raise NotImplementedError(f"no key type for {alg}")
    # With bytes and a key type, PEM, DER and OpenSSH are told apart by the library.
    return CLASSES[family(alg)].import_key(data, password=secret)


load = Cache(_load)


def sign(request):
    form, payload = request["form"], unb64(request["payload"])
    signers = request["signers"]
    algs = [signer["alg"] for signer in signers]
    keys = {signer["kid"]: load(signer["alg"], signer["key"]) for signer in signers}
    choose = lambda member: keys[member.headers()["kid"]]  # noqa: E731
    headers = [header(request, signer) for signer in signers]
    if form in ("compact", "detached", "unencoded", "unencoded-detached"):
        token = jws.serialize_compact(headers[0], payload, choose, algs)
        return {"token": jws.detach_content(token) if form.endswith("detached") else token}
    if "general" in form:
        token = jws.serialize_json([{"protected": each} for each in headers], payload, choose, algs)
    else:
        token = jws.serialize_json({"protected": headers[0]}, payload, choose, algs)
    if "detached" in form:
        token = jws.detach_content(token)
    return {"token": json.dumps(token)}


def verify(request):
    form, token = request["form"], request["token"]
    signers = request["signers"]
    algs = [signer["alg"] for signer in signers]
    keys = {signer["kid"]: load(signer["alg"], signer["key"]) for signer in signers}
    choose = lambda member: keys[member.headers()["kid"]]  # noqa: E731
    content = unb64(request["payload"]) if "detached" in form else None
    if form in ("compact", "detached", "unencoded", "unencoded-detached"):
        return {"payload": b64(jws.deserialize_compact(token, choose, algs, payload=content).payload)}
    token = json.loads(token)
    if content is not None:
        # The library says that whoever detaches the payload of a JSON serialization puts it back.
        token["payload"] = content.decode() if form.startswith("unencoded") else b64(content)
    return {"payload": b64(jws.deserialize_json(token, choose, algs).payload)}


def generate(request):
    alg = request["alg"]
    kind = family(alg)
    if kind not in CLASSES:
        raise NotImplementedError(f"no key type for {alg}")
    size = {"oct": 512, "RSA": 2048}.get(kind) or CURVES[alg]
    return {"jwk": json.dumps(jwk.generate_key(kind, size).as_dict(private=True))}


def export(request):
    key = load(request["alg"], request["key"])
    private = request["private"]
    format = request["format"]
    if format == "jwk":
        return {"data": b64(json.dumps(key.as_dict(private=private)).encode())}
    encoding = {
        "pkcs8-pem": "PEM", "encrypted-pem": "PEM", "spki-pem": "PEM",
        "pkcs8-der": "DER", "encrypted-der": "DER", "spki-der": "DER",
    }.get(format)
    if encoding is None:
        raise NotImplementedError(f"no function writes {format}")
    secret = password(request) if format.startswith("encrypted") else None
    return {"data": b64(key.as_bytes(encoding=encoding, private=private, password=secret))}
