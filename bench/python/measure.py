"""joserfc and PyJWT: verifies the fixture's tokens in a loop and prints nanoseconds.

Usage: measure.py FIXTURE SECONDS-PER-OPERATION
"""

import importlib.metadata
import json
import sys
import time
import warnings

import jwt as pyjwt
from joserfc import jwt as joserfc_jwt
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

ALGS = ["HS256", "RS256", "ES256", "EdDSA"]
JOSERFC_KEYS = {"RS256": RSAKey, "ES256": ECKey, "EdDSA": OKPKey}


def tenth_percentile(once, seconds):
    """Nanoseconds of one call in an undisturbed batch."""
    once()
    batch, samples = 1, []
    while True:
        started = time.perf_counter_ns()
        for _ in range(batch):
            once()
        took = time.perf_counter_ns() - started
        if took < 2_000_000:
            batch *= 2
            continue
        samples.append(took / batch)
        if len(samples) >= 41 or sum(samples) * batch > seconds * 1e9:
            return sorted(samples)[len(samples) // 10]


def joserfc(alg, keys, fixture):
    if alg == "HS256":
        key = OctKey.import_key(bytes.fromhex(keys["secret"]))
    else:
        key = JOSERFC_KEYS[alg].import_key(keys["public_pem"])
    claims = joserfc_jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": fixture["issuer"]},
        aud={"essential": True, "value": fixture["audience"]},
        exp={"essential": True},
        nbf={"essential": True},
    )

    def once():
        token = joserfc_jwt.decode(keys["token"], key, algorithms=[alg])
        claims.validate(token.claims)

    return once


def py_jwt(alg, keys, fixture):
    if alg == "HS256":
        key = bytes.fromhex(keys["secret"])
    else:
        # The library parses a key at each call unless it is given one that was parsed.
        key = pyjwt.get_algorithm_by_name(alg).prepare_key(keys["public_pem"])
    options = {"require": ["exp", "nbf", "iss", "aud"]}
    token, issuer, audience = keys["token"], fixture["issuer"], fixture["audience"]

    def once():
        pyjwt.decode(token, key, algorithms=[alg], issuer=issuer, audience=audience, options=options)

    return once


def main():
    # That a name is deprecated is said at every call, which is not what is timed.
    warnings.simplefilter("ignore")
    with open(sys.argv[1], encoding="utf-8") as file:
        fixture = json.load(file)
    seconds = float(sys.argv[2])
    libraries = []
    for name, package, operation in [("joserfc", "joserfc", joserfc), ("PyJWT", "PyJWT", py_jwt)]:
        times = {}
        for alg in ALGS:
            once = operation(alg, fixture["algs"][alg], fixture)
            times[f"verify/{alg}/jwt"] = tenth_percentile(once, seconds)
        python = ".".join(map(str, sys.version_info[:3]))
        library = f"{name} {importlib.metadata.version(package)} (Python {python})"
        libraries.append({"library": library, "times": times})
    print(json.dumps(libraries))


main()
