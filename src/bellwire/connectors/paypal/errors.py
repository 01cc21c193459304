"""What PayPal's errors mean: `{"name": …, "message": …, "details": [{"issue": …, "description": …}]}`.

https://developer.paypal.com/api/rest/reference/orders/v2/errors/
"""

from typing import Any

from bellwire.connectors.kit import Answer
from bellwire.errors import Refused, Transient, VendorError

_BY_HAND = "Look at the payment in PayPal, and settle it with the customer in another way; then resolve this."
_KNOWN: dict[str, tuple[str, str]] = {
    "INVALID_RESOURCE_ID": (
        "PayPal has nothing of this id.",
        "Compare it with PayPal's Activity: sandbox and live payments don't know each other. Then retry.",
    ),
    "CAPTURE_FULLY_REFUNDED": (
        "All of this payment was given back already.",
        "Nothing is left to give back: dismiss it.",
    ),
    "REFUND_AMOUNT_EXCEEDED": (
        "This is more than what is left of the payment.",
        "Correct the amount, and send it again.",
    ),
    "REFUND_CAPTURE_CURRENCY_MISMATCH": (
        "The payment is in another currency.",
        "Have the flow refund an amount in the payment's own currency.",
    ),
    "REFUND_TIME_LIMIT_EXCEEDED": ("The payment is too old: PayPal gives back for 180 days.", _BY_HAND),
    "REFUND_NOT_ALLOWED": ("PayPal doesn't give this payment back.", _BY_HAND),
    "REFUND_IS_RESTRICTED": ("PayPal doesn't give this payment back.", _BY_HAND),
    "REFUND_NOT_PERMITTED_DUE_TO_CHARGEBACK": ("The customer's bank has taken this payment back.", _BY_HAND),
    "TRANSACTION_DISPUTED": ("The customer disputes this payment.", "Answer in PayPal's Resolution Centre."),
    "PENDING_CAPTURE": ("The payment isn't complete yet, so it can't be given back.", "Wait until it is; then retry."),
    "REFUND_FAILED_INSUFFICIENT_FUNDS": (
        "The balance at PayPal doesn't suffice for this refund.",
        "Add money to the balance, or link a bank account to it; then retry.",
    ),
}
"""issue → sentence, remedy."""
_RIGHTS = "Give the app that right: developer.paypal.com › Apps & Credentials › your app › Features; then retry."


def explain(answer: Answer) -> VendorError | None:
    """PayPal's refusals; None for successes and for what the HTTP status says (401, 429, 5xx)."""
    if answer.ok or answer.status in (401, 429) or answer.status >= 500:
        return None
    body = _object(answer)
    first = next((each for each in body.get("details") or () if isinstance(each, dict)), {})
    name, issue = str(body.get("name") or ""), str(first.get("issue") or "")
    said = str(first.get("description") or body.get("message") or f"status {answer.status}")
    debug = answer.headers.get("paypal-debug-id", body.get("debug_id", ""))
    detail = f"{answer.method} {answer.path}: {answer.status} {issue or name} {said} (debug id {debug})"
    if answer.status == 409:
        return Transient("PayPal was busy with the same thing just then.", cause="conflict", detail=detail)
    if answer.status == 403:
        return Refused("PayPal's app may not do this.", cause="no-permission", detail=detail, remedy=_RIGHTS)
    cause = (issue or name or f"refused-{answer.status}").lower().replace("_", "-")
    if answer.status == 404:
        issue = "INVALID_RESOURCE_ID"
        cause = "unknown-id"
    sentence, remedy = _KNOWN.get(issue, (f"PayPal refused it: {said}", ""))
    return Refused(sentence, cause=cause, detail=detail, remedy=remedy)


def _object(answer: Answer) -> dict[str, Any]:
    try:
        body = answer.json()
    except VendorError:
        return {}
    return body if isinstance(body, dict) else {}
