"""How a judge reports: one JSON object a line, read by `cargo xtask test`."""

import json


def judge(check, verdict):
    """Runs one check and reports it; a check that holds returns a short detail, one that does not raises."""
    try:
        detail, ok = verdict() or "", True
    except Exception as error:  # whatever a library raises is its verdict
        detail, ok = f"{type(error).__name__}: {error}", False
    print(json.dumps({"check": check, "ok": ok, "detail": detail}), flush=True)


def must_refuse(what, attempt):
    """Fails unless `attempt` raises."""
    try:
        attempt()
    except Exception as error:  # each library has its own
        return type(error).__name__
    raise AssertionError(f"{what} was accepted")
