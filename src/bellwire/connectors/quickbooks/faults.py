"""How QuickBooks says no: a `Fault` in the answer, with HTTP status 400, but 200 as well.

https://developer.intuit.com/app/developer/qbo/docs/develop/troubleshooting/error-codes
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bellwire.connectors.kit import Answer
from bellwire.errors import OutcomeUnknown, Refused, SignedOut, Transient, VendorError

DUPLICATE_NAME = "duplicate-name"
DUPLICATE_NUMBER = "duplicate-number"

_PAUSE = timedelta(seconds=60)
"""What Intuit asks to wait after a 429; it sends no Retry-After of its own."""

_REFUSALS = {
    "6240": (DUPLICATE_NAME, "QuickBooks already has somebody of that name.", ""),
    "6140": (DUPLICATE_NUMBER, "QuickBooks already has a document with that number.", ""),
    "610": (
        "inactive-record",
        "Something that was referred to was made inactive or deleted in QuickBooks.",
        "Make it active there again (the detail names its kind), then send it again.",
    ),
    "2500": (
        "invalid-reference",
        "QuickBooks doesn't know an item, customer, account or tax code that was referred to.",
        "Check the names and ids in the connection's settings, and what records are mapped to; then send it again.",
    ),
    "6070": ("amount", "QuickBooks worked out another amount for a line than the order has.", ""),
    "6000": (
        "business-rule",
        "A rule of the QuickBooks company forbids it.",
        "The detail is QuickBooks' own reason; change it there, then send it again.",
    ),
}
_CLOSED = (
    "books-closed",
    "The accounting period is closed in QuickBooks.",
    "Open it there (Account and settings › Advanced › Accounting), or book it by hand.",
)
_SIGNED_OUT = {
    "120": ("no-access", "Whoever connected QuickBooks may no longer use this company."),
    "3100": (
        "no-access",
        "The sign-in doesn't belong to this QuickBooks company, or to the other of sandbox and production.",
    ),
    "3200": ("signed-out", "QuickBooks no longer accepts the sign-in."),
    "6190": ("subscription-ended", "The company's QuickBooks subscription has ended or wasn't paid."),
}


@dataclass(frozen=True)
class Fault:
    """The first error of an answer."""

    kind: str
    code: str
    message: str

    @classmethod
    def of(cls, answer: Answer) -> "Fault | None":
        """Gateways write `fault` and `error` in lower case. None when the answer has no fault, or isn't JSON."""
        if b"ault" not in answer.body:
            return None
        try:
            body = _lower(answer.json())
        except VendorError:
            return None
        fault = body.get("fault") if isinstance(body, dict) else None
        if not fault:
            return None
        errors = fault.get("error") or [{}]
        words = dict.fromkeys(str(errors[0][key]) for key in ("message", "detail", "element") if errors[0].get(key))
        return cls(str(fault.get("type", "")), str(errors[0].get("code", "")).lstrip("0"), " · ".join(words))


def explain(answer: Answer) -> VendorError | None:
    """QuickBooks' own reading of an answer; None where HTTP has said it all."""
    fault = Fault.of(answer)
    if answer.status == 429 or (fault and fault.code == "3001"):
        return Transient(
            "QuickBooks asked to slow down.",
            cause="rate-limited",
            detail=_detail(answer, fault),
            retry_after=_PAUSE if answer.retry_after is None else answer.retry_after,
        )
    if fault is None or (answer.status == 401 and fault.code not in ("120", "6190")):
        return None
    detail = _detail(answer, fault)
    if fault.code in _SIGNED_OUT:
        cause, sentence = _SIGNED_OUT[fault.code]
        return SignedOut(sentence, cause=cause, detail=detail, remedy="Mend it in QuickBooks, or connect it anew.")
    if answer.status >= 500 or fault.kind.lower().startswith("system"):
        return _failed(answer, detail)
    if fault.kind.lower().startswith("authentication"):
        return SignedOut("QuickBooks no longer accepts the sign-in.", detail=detail, remedy="Connect it anew.")
    if fault.code == "5010":
        return Transient("Somebody changed the record in QuickBooks at the same time.", cause="stale", detail=detail)
    return _refused(fault, detail)


def _refused(fault: Fault, detail: str) -> Refused:
    # 6210 stands for two things (Intuit: Top QuickBooks Online API errors, 2017).
    if fault.code == "6210":
        cause, sentence, remedy = _CLOSED if "period" in fault.message.lower() else _REFUSALS["6140"]
    else:
        unknown = (
            f"refused-{fault.code or 'fault'}",
            f"QuickBooks refused it: {fault.message or 'no reason given'}",
            "",
        )
        cause, sentence, remedy = _REFUSALS.get(fault.code, unknown)
    return Refused(sentence, cause=cause, detail=detail, remedy=remedy)


def _failed(answer: Answer, detail: str) -> VendorError:
    if answer.writes:
        return OutcomeUnknown(
            "QuickBooks failed and didn't say whether it did what was asked.", cause="vendor-failed", detail=detail
        )
    return Transient("QuickBooks failed.", cause="vendor-failed", detail=detail)


def _detail(answer: Answer, fault: Fault | None) -> str:
    """Intuit's support asks for `intuit_tid`."""
    said = f"{fault.kind} {fault.code}: {fault.message}" if fault else answer.text[:300]
    return f"{answer.method} {answer.path}: {answer.status} {said} (intuit_tid {answer.headers.get('intuit_tid', '-')})"


def _lower(value: Any) -> Any:
    """`value` with all keys in lower case."""
    if isinstance(value, dict):
        return {key.lower(): _lower(inner) for key, inner in value.items()}
    return [_lower(inner) for inner in value] if isinstance(value, list) else value
