"""How Xero says no: a ValidationException that lists what is wrong, or a problem of the sign-in or of the pace.

https://developer.xero.com/documentation/api/accounting/responsecodes
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from bellwire.connectors.kit import Answer
from bellwire.errors import PACED, Refused, SignedOut, Transient, VendorError

DUPLICATE_NAME = "duplicate-name"
DUPLICATE_NUMBER = "duplicate-number"

_PAUSES = {"concurrent": timedelta(seconds=1)}
_PAUSE = timedelta(seconds=60)
"""What to wait after a 429 that doesn't say for how long, by which limit was met."""

_KNOWN = (
    ("already assigned to another contact", DUPLICATE_NAME, "Xero already has a contact of that name.", ""),
    ("must be unique", DUPLICATE_NUMBER, "Xero already has a document with that number.", ""),
    (
        "lock date",
        "books-closed",
        "The books are locked in Xero for that day.",
        "Change the lock date there (Accounting › Advanced › Lock dates), or book it by hand.",
    ),
    (
        "exceeds the amount outstanding",
        "overpaid",
        "The payment is higher than what is left to pay of the invoice.",
        "See in Xero what was paid already, then resolve the exception, or correct it there and send it again.",
    ),
    (
        "allocate",
        "not-allocated",
        "Xero can't set the credit note against the invoice.",
        "See in Xero what is left of both, then send it again; the detail is Xero's own reason.",
    ),
    (
        "account",
        "invalid-account",
        "Xero can't book it on one of the accounts.",
        "Check the account codes in the connection's settings; the detail is Xero's own reason.",
    ),
    (
        "tax",
        "invalid-tax",
        "Xero can't use one of the tax rates.",
        "Check the tax rates in the connection's settings; the detail is Xero's own reason.",
    ),
)
"""How words of a message begin, then cause, sentence and remedy; the first that fits counts. Xero gives no codes."""


def explain(answer: Answer) -> VendorError | None:
    """Xero's own reading of an answer; None where HTTP has said it all."""
    if answer.ok:
        return None
    if answer.status == 429:
        problem = answer.headers.get("x-rate-limit-problem", "")
        pause = answer.retry_after
        return Transient(
            "Xero asked to slow down.",
            cause=PACED,
            detail=f"{answer.method} {answer.path}: 429, limit: {problem or 'not said'}",
            retry_after=_PAUSES.get(problem, _PAUSE) if pause is None else pause,
        )
    body = _object(answer)
    detail = f"{answer.method} {answer.path}: {answer.status} {answer.text[:300]}"
    if answer.status == 403 or body.get("Detail") == "AuthorizationUnsuccessful":
        return SignedOut(
            "The sign-in may not do this in that Xero organisation.",
            cause="no-access",
            detail=detail,
            remedy="`bellwire check` shows which organisations it reaches. Correct `tenant_id`, or connect Xero anew "
            "with all scopes.",
        )
    if answer.status == 400:
        return _refused(answer, body, detail)
    return None


def _refused(answer: Answer, body: dict[str, Any], detail: str) -> Refused | None:
    messages = list(dict.fromkeys(_messages(body.get("Elements", ()))))
    words = " · ".join(messages) or str(body.get("Message", ""))
    if not words:
        return None
    if messages:
        detail = f"{answer.method} {answer.path}: {answer.status} {words}"
    for part, cause, sentence, remedy in _KNOWN:
        if re.search(rf"\b{part}", words.lower()):
            return Refused(sentence, cause=cause, detail=detail, remedy=remedy)
    kind = str(body.get("Type") or "request")
    return Refused(f"Xero refused it: {words}", cause=f"refused-{kind.lower()}", detail=detail)


def _messages(value: Any) -> Iterator[str]:
    """What is wrong with elements or with anything inside them."""
    if isinstance(value, list):
        for inner in value:
            yield from _messages(inner)
    elif isinstance(value, dict):
        for each in value.get("ValidationErrors") or ():
            yield str(each.get("Message", "")).strip()
        for key, inner in value.items():
            if key != "ValidationErrors":
                yield from _messages(inner)


def _object(answer: Answer) -> dict[str, Any]:
    try:
        body = answer.json()
    except VendorError:
        return {}
    return body if isinstance(body, dict) else {}
