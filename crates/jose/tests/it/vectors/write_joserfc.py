"""Writes joserfc.json beside this file: what joserfc makes of headers, payloads and keys.

Run it with a Python that has joserfc 1.8.0. Only algorithms that sign the same message the same
way each time are used. The cases whose source is joserfc's guide are the ones printed there, and
the script fails if joserfc does not make what is printed.
"""

import json
import pathlib
import warnings

from joserfc import jws, jwt
from joserfc.jwk import KeySet, OctKey, OKPKey, RSAKey

warnings.simplefilter("ignore")
here = pathlib.Path(__file__).parent
ALGORITHMS = ["HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "Ed25519", "EdDSA"]

RSA = json.loads((here / "rfc7515_a2.jwk").read_text())
ED25519 = json.loads((here / "rfc8037_a1.jwk").read_text())


def key(material):
    if isinstance(material, str):
        return OctKey.import_key(material)
    return {"RSA": RSAKey, "OKP": OKPKey, "oct": OctKey}[material["kty"]].import_key(material)


def compact(source, material, protected, payload, printed=None):
    value = jws.serialize_compact(protected, payload, key(material), algorithms=ALGORITHMS)
    assert printed in (None, value), (source, value)
    form = "detached" if ".." in value else "compact"
    return case(source, form, payload, [signer(material, protected)], value)


def signer(material, protected, header=None):
    return {
        "key": material,
        "protected": json.dumps(protected, ensure_ascii=False) if protected else None,
        "header": json.dumps(header, ensure_ascii=False) if header else None,
        "alg": ((protected or {}) | (header or {}))["alg"],
    }


def case(source, form, payload, signers, value):
    return {"source": source, "form": form, "payload": payload, "signers": signers, "value": value}


def members(signers):
    return [{name: json.loads(one[name]) for name in ("protected", "header") if one[name]} for one in signers]


def flattened(source, payload, one):
    value = jws.serialize_json(members([one])[0], payload, key(one["key"]), algorithms=ALGORITHMS)
    return case(source, "flattened", payload, [one], value)


def general(source, payload, signers):
    keys = {one["alg"]: key(one["key"]) for one in signers}
    value = jws.serialize_json(
        members(signers), payload, lambda member: keys[member.headers()["alg"]], algorithms=ALGORITHMS
    )
    return case(source, "general", payload, signers, value)


GUIDE = "joserfc's guide, JSON Web Signature"
UNENCODED = {"alg": "HS256", "b64": False, "crit": ["b64"]}
CLAIMS = '{"iss":"https://authlib.org"}'
SECRET = {"kty": "oct", "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}

assert (
    jwt.encode({"alg": "HS256"}, json.loads(CLAIMS), key("secret"))
    == jws.serialize_compact({"typ": "JWT", "alg": "HS256"}, CLAIMS, key("secret"))
)

cases = [
    compact(GUIDE, "secret", {"alg": "HS256"}, "hello",
            "eyJhbGciOiJIUzI1NiJ9.aGVsbG8.UYmO_lPAY5V0Wf4KZsfhiYs1SxqXPhxvjuYqellDV5A"),
    compact(GUIDE, "your-secret-key", {"alg": "HS256"}, "hello",
            "eyJhbGciOiJIUzI1NiJ9.aGVsbG8.i_RrfHeMxwHrhk5Xi3J_bU9B9O-gjkMaQtagtqiCndM"),
    compact(GUIDE, "secret", {"alg": "HS384"}, "payload",
            "eyJhbGciOiJIUzM4NCJ9.cGF5bG9hZA.TJEvlp74g89hNRNGNZxCQvB7YDEAWP5vFAjgu1O9Qr5BLMj0NtvbxvYkVYPGp-xQ"),
    compact(GUIDE + ", unencoded", "secret", UNENCODED, "hello",
            "eyJhbGciOiJIUzI1NiIsImI2NCI6ZmFsc2UsImNyaXQiOlsiYjY0Il19.hello."
            "mdPbZLtc3tqQ6NCV1pKF-qfEx-3jtR6rv109phKAc4I"),
    compact(GUIDE + ", unencoded", "secret", UNENCODED, "$.02",
            "eyJhbGciOiJIUzI1NiIsImI2NCI6ZmFsc2UsImNyaXQiOlsiYjY0Il19.."
            "GbtzAD3Cwe6snTZnaAxapwQz5QftEz7agx_6aMtZ4w0"),
    compact("joserfc's guide, JSON Web Token", "secret", {"alg": "HS256", "typ": "JWT"}, CLAIMS,
            "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL2F1dGhsaWIub3JnIn0."
            "Zm430u0j1wzf5Me5Zoj2h6dTt9IFsb7-G5mUW3BTWbo"),
    compact("jwt.encode", "secret", {"typ": "JWT", "alg": "HS256"}, CLAIMS),
    compact("order", "secret", {"kid": "k", "typ": "JWT", "alg": "HS256", "cty": "json"}, ""),
    compact("order", SECRET, {"x5t": "A" * 27, "alg": "HS512", "jku": "https://example.com/a?b=c&d"}, "x"),
    compact("escapes", "secret", {"alg": "HS256", "kid": "\u007f\u00e9\u20ac\U0001f600\"\\/\b\f\n\r\t\u0001"}, "\u00e9"),
    compact("a trailing line feed", "secret", UNENCODED, "hello\n"),
    compact("an empty payload", "secret", UNENCODED, ""),
    compact("RSA", RSA, {"alg": "RS256"}, "hello"),
    compact("RSA", RSA, {"typ": "JWT", "alg": "RS384"}, CLAIMS),
    compact("RSA", RSA, {"alg": "RS512", "kid": "k"}, ""),
    compact("Ed25519", ED25519, {"alg": "Ed25519"}, "hello"),
    compact("Ed25519 by its older name", ED25519, {"alg": "EdDSA", "kid": "k"}, "hello"),
    flattened("flattened", "hello", signer("secret", {"alg": "HS256"})),
    flattened("flattened", "hello", signer("secret", {"alg": "HS256"}, {"kid": "k", "typ": "JWT"})),
    flattened("flattened, all unprotected", "hello", signer("secret", None, {"kid": "k", "alg": "HS256"})),
    flattened("flattened, alg unprotected", "hello", signer("secret", {"typ": "JWT"}, {"alg": "HS256"})),
    flattened("flattened, unencoded", "$.02 \"\u00e9\"\n", signer("secret", UNENCODED, {"kid": "k"})),
    flattened("flattened", "hello", signer(ED25519, {"kid": "1", "alg": "EdDSA"})),
    general("general", "hello", [signer("secret", {"alg": "HS256"})]),
    general("general", CLAIMS, [
        signer(RSA, {"alg": "RS256"}, {"kid": "2010-12-29"}),
        signer(ED25519, {"alg": "Ed25519", "kid": "2"}),
        signer(SECRET, {"cty": "json", "alg": "HS384"}, {"kid": "3"}),
    ]),
    general("general, unencoded", "a.b", [
        signer("secret", UNENCODED),
        signer(RSA, {"b64": False, "alg": "RS256", "crit": ["b64"]}, {"kid": "r"}),
    ]),
]
(here / "joserfc.json").write_text(json.dumps(cases, indent=1, ensure_ascii=False) + "\n")
