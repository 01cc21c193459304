"""How ShipStation says no: `errors` of source, type, code and message.

https://docs.shipstation.com/apis/shipengine/docs/reference/errors-codes
"""

from collections.abc import Mapping
from typing import Any

from bellwire.connectors.kit import Answer
from bellwire.errors import Refused, VendorError

Json = Mapping[str, Any]

_ACCOUNT = "Look at your account in ShipStation, then retry."

_ERRORS = {
    "insufficient_funds": (
        "ShipStation didn't sell the label: there isn't enough postage balance.",
        "insufficient-funds",
        "Add funds in ShipStation (Settings › Shipping › Carriers), then retry.",
    ),
    "invalid_address": (
        "ShipStation or the carrier doesn't accept the address.",
        "bad-address",
        "Correct the customer's address, then edit and retry.",
    ),
    "customs_items_required": (
        "The parcel leaves the country, and the carrier wants a customs declaration.",
        "customs",
        "Buy this label in ShipStation, where the declaration can be filled in.",
    ),
    "carrier_disconnected": ("The carrier account isn't connected to ShipStation any more.", "carrier", _ACCOUNT),
    "carrier_not_connected": ("The carrier account isn't connected to ShipStation.", "carrier", _ACCOUNT),
    "terms_not_accepted": ("The carrier's terms haven't been accepted in ShipStation.", "account", _ACCOUNT),
    "subscription_inactive": ("The ShipStation subscription isn't active.", "account", _ACCOUNT),
    "trial_expired": ("The ShipStation trial is over.", "account", _ACCOUNT),
    "invalid_billing_plan": ("The ShipStation plan doesn't include this.", "account", _ACCOUNT),
    "forbidden": ("The ShipStation plan or key doesn't allow this.", "account", _ACCOUNT),
}
"""Error code → what happened, the word that groups it, what to do."""


def explain(answer: Answer) -> VendorError | None:
    """Waiting, signing in and failing (401, 408, 429, 5xx) go by status."""
    if answer.ok or answer.status in (401, 408, 429) or answer.status >= 500:
        return None
    if answer.status == 404:
        return Refused("ShipStation doesn't have it.", cause="not-found", detail=f"{answer.path}: {answer.text[:300]}")
    return refusal(answer.json().get("errors") or [{}], f"{answer.method} {answer.path}: {answer.status}")


def refusal(errors: list[Json], where: str) -> Refused:
    code, message = errors[0].get("error_code", ""), errors[0].get("message", "")
    sentence, cause, remedy = _ERRORS.get(
        code, (f"ShipStation refused it: {message or 'it gave no reason'}", code.replace("_", "-") or "refused", "")
    )
    return Refused(sentence, cause=cause, detail=f"{where} {errors}", remedy=remedy)
