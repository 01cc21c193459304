"""What Stripe's errors mean: `{"error": {"type": …, "code": …, "message": …}}`. https://docs.stripe.com/error-codes"""

from typing import Any

from bellwire.connectors.kit import Answer
from bellwire.errors import Refused, Transient, VendorError

_KNOWN: dict[str, tuple[str, str, str]] = {
    "resource_missing": (
        "unknown-id",
        "Stripe has nothing of this id.",
        "Compare it with Stripe's Dashboard: test and live payments don't know each other. Then retry.",
    ),
    "charge_already_refunded": (
        "already-refunded",
        "All of this payment was given back already.",
        "Nothing is left to give back: dismiss it.",
    ),
    "charge_disputed": (
        "disputed",
        "The customer's bank has taken this payment back, so it can't be refunded too.",
        "Answer the dispute in Stripe's Dashboard, and dismiss this.",
    ),
    "balance_insufficient": (
        "no-balance",
        "The balance at Stripe doesn't suffice for this refund.",
        "Add to the balance in Stripe's Dashboard, or wait for the next payments; then retry.",
    ),
    "invoice_payment_intent_requires_action": (
        "customer-must-act",
        "The customer's bank wants the customer to confirm this payment.",
        "Send the customer the invoice's link (`pay_url`).",
    ),
}
"""code → cause, sentence, remedy."""


def explain(answer: Answer) -> VendorError | None:
    """Stripe's refusals; None for successes and for what the HTTP status says (401, 429, 5xx)."""
    if answer.ok or answer.status in (401, 429) or answer.status >= 500:
        return None
    error = _error(answer)
    kind, code, said = (str(error.get(name) or "") for name in ("type", "code", "message"))
    detail = f"{answer.method} {answer.path}: {answer.status} {code or kind} {said or answer.text[:300]}"
    if answer.status == 409 or code == "lock_timeout" or answer.headers.get("stripe-should-retry") == "true":
        return Transient("Stripe was busy with the same thing just then.", cause="conflict", detail=detail)
    if answer.status == 402:
        reason = str(error.get("decline_code") or code or "declined")
        return Refused(
            f"The payment was declined: {said}",
            cause=f"declined:{reason}",
            detail=detail,
            remedy="The customer has to pay in another way: send them the invoice's link, or talk to them.",
        )
    if answer.status == 403:
        return Refused(
            "The key may not do this.",
            cause="no-permission",
            detail=detail,
            remedy="Give the restricted key the permissions that `bellwire check` names (Stripe Dashboard › Developers "
            "› API keys); then retry.",
        )
    if code in _KNOWN:
        cause, sentence, remedy = _KNOWN[code]
        return Refused(sentence, cause=cause, detail=detail, remedy=remedy)
    cause = (code or kind or f"refused-{answer.status}").replace("_", "-")
    return Refused(f"Stripe refused it: {said or f'status {answer.status}'}", cause=cause, detail=detail)


def _error(answer: Answer) -> dict[str, Any]:
    try:
        error = answer.json()["error"]
    except (VendorError, KeyError, TypeError):
        return {}
    return error if isinstance(error, dict) else {}
