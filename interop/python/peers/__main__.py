"""Other people's Python libraries as peers: one JSON request a line in, one JSON answer a line out.

A peer signs, verifies, makes and converts keys with nothing but the public functions of its library. What the
library raises is its answer; which of these answers are right is for the caller to know.
"""

import json
import sys
import warnings

import cryptography_peer
import joserfc_peer
import jwcrypto_peer
import pyjwt_peer

PEERS = {
    "joserfc": joserfc_peer,
    "jwcrypto": jwcrypto_peer,
    "PyJWT": pyjwt_peer,
    "cryptography": cryptography_peer,
}


def answer(request):
    if request["op"] == "versions":
        return {name: peer.VERSION for name, peer in PEERS.items()}
    peer = PEERS[request["peer"]]
    operation = getattr(peer, request["op"], None)
    if operation is None:
        raise NotImplementedError(f"{request['peer']} has no function for this")
    return operation(request)


def main():
    # Deprecated names and short keys are what is asked for here.
    warnings.simplefilter("ignore")
    for line in sys.stdin:
        try:
            result = {"ok": answer(json.loads(line))}
        except Exception as error:  # each library has its own
            result = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(result), flush=True)


main()
