"""How Square says no: `errors` of category, code, detail and field.

https://developer.squareup.com/docs/build-basics/handling-errors
"""

from bellwire.connectors.kit import Answer
from bellwire.errors import Refused, Transient, VendorError

INVALID_CURSOR = "invalid-cursor"

_RIGHTS = "Give the application the permissions that `bellwire check` names, and sign in again."
_SEE = "Look at the payment in Square (Dashboard › Transactions), then correct the amount or resolve the exception."
_KNOWN = {
    "INSUFFICIENT_SCOPES": ("", _RIGHTS),
    "FORBIDDEN": ("", _RIGHTS),
    "SANDBOX_NOT_SUPPORTED": ("", "This works in production only."),
    "REFUND_AMOUNT_INVALID": ("Square can't give that much back: it is more than is left of the payment.", _SEE),
    "CURRENCY_MISMATCH": ("Square gives money back only in the currency that it was paid in.", _SEE),
    "REFUND_ALREADY_PENDING": (
        "A refund of this payment is under way at Square already.",
        "Wait until it is done (Dashboard › Transactions), then send this one again if it is still owed.",
    ),
    "PAYMENT_NOT_REFUNDABLE": ("Square can't refund this payment any more.", "Give the money back in another way."),
    "PAYMENT_NOT_REFUNDABLE_DUE_TO_DISPUTE": (
        "The customer's bank already wants this payment back, so Square doesn't refund it.",
        "Answer the dispute in Square (Dashboard › Disputes); then resolve the exception.",
    ),
    "REFUND_ERROR_PAYMENT_NEEDS_COMPLETION": (
        "The payment isn't completed yet, so there is nothing to give back.",
        "Complete it or cancel it in Square; then resolve the exception.",
    ),
    "REFUND_DECLINED": ("The customer's bank declined the refund.", "Give the money back in another way."),
    "INSUFFICIENT_PERMISSIONS_FOR_REFUND": (
        "Square's balance doesn't cover the refund, or the account may not make it.",
        "See in Square (Dashboard › Balance) what is missing; then send it again.",
    ),
}
"""Code → the sentence (empty: Square's own) and the remedy."""


def explain(answer: Answer) -> VendorError | None:
    """Waiting, signing in and failing (401, 408, 429, 5xx) go by status."""
    if answer.ok or answer.status in (401, 408, 429) or answer.status >= 500:
        return None
    errors = answer.json().get("errors") or [{}]
    code, field = errors[0].get("code", ""), errors[0].get("field", "")
    detail = f"{answer.path}: {answer.status} {errors}"
    if code in ("CONFLICT", "VERSION_MISMATCH"):
        return Transient("Square was changing the same thing just then.", cause="conflict", detail=detail)
    said = errors[0].get("detail") or code or f"status {answer.status}"
    sentence, remedy = _KNOWN.get(code, ("", ""))
    if answer.status == 403 and answer.path.startswith("webhooks/"):
        sentence = "Square lets only the application itself look after its webhooks, not a seller who signed in to it."
        remedy = (
            "Enter the address of this connection by hand: developer.squareup.com › Console › your application › "
            "Webhooks › Subscriptions. Then keep its signature key as `webhook_secret`."
        )
    return Refused(
        sentence or f"Square refused it: {said}" + (f" ({field})." if field else ""),
        cause=code.lower().replace("_", "-") or f"refused-{answer.status}",
        detail=detail,
        remedy=remedy,
    )
