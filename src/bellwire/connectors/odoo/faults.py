"""What Odoo says when something fails: `{"name", "message", "arguments", "context", "debug"}`.

Each call is one transaction there: where it answers with an error of its own, nothing of it was done.
https://www.odoo.com/documentation/19.0/developer/reference/external_api.html
"""

from typing import Any

import orjson

from bellwire.connectors.kit import Answer
from bellwire.errors import Refused, SignedOut, Transient, VendorError

_BUSY = ("SerializationFailure", "DeadlockDetected", "LockNotAvailable", "LockError", "ConcurrencyError")
"""Others were changing the same records."""
_WRONG = ("ValueError", "KeyError", "TypeError", "AttributeError", "IndexError")
"""The question itself doesn't fit this database."""
_NEW_KEY = (
    "API keys last for three months at most. Make a new one in Odoo (Preferences › Account Security); "
    "`bellwire secrets set NAME api_key` takes it."
)


def explain(answer: Answer) -> VendorError | None:
    """What has no words of Odoo's (a proxy, a page for maintenance) goes by status."""
    if answer.ok or answer.status == 429:
        return None
    told = _told(answer.body)
    name, message = str(told.get("name", "")), _sentence(str(told.get("message", "")))
    # Not the whole: `debug` is a page of traceback.
    detail = f"{answer.method} {answer.path}: {answer.status} {name} {message}".rstrip()[:300]
    kind = name.rpartition(".")[2]
    if answer.status == 401 or kind == "AccessDenied":
        return SignedOut("Odoo no longer accepts the API key.", detail=detail, remedy=_NEW_KEY)
    if not name:
        return _no_api(detail) if answer.status == 404 else None
    if kind in _BUSY:
        return Transient("Odoo was changing the same records just then.", cause="conflict", detail=detail)
    if kind == "AccessError":
        return Refused(
            "Odoo doesn't let the user of the API key do this.",
            cause="missing-rights",
            detail=detail,
            remedy="Give that user the groups that `bellwire check` names, then retry.",
        )
    if answer.status == 404 and kind == "NotFound":
        return Refused(
            f"This Odoo hasn't got what is asked for: {message}.",
            cause="missing-app",
            detail=detail,
            remedy="Install the apps Purchase and Inventory there, then retry.",
        )
    if answer.status >= 500 and kind not in _WRONG:
        return Transient(f"Odoo failed ({kind}).", cause="vendor-failed", detail=detail)
    return Refused(f"Odoo refused it: {message or kind}.", cause=f"refused-{answer.status}", detail=detail)


def _no_api(detail: str) -> Refused:
    return Refused(
        "There is no JSON-2 API at this address.",
        cause="no-api",
        detail=detail,
        remedy="It needs Odoo 19 or later, on Odoo Online the Custom plan; look at `host` and `database` in "
        "connections.toml too.",
    )


def _told(body: bytes) -> dict[str, Any]:
    try:
        told = orjson.loads(body)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _sentence(message: str) -> str:
    """In one line, without the full stop at its end."""
    return " ".join(message.split()).rstrip(". ")
