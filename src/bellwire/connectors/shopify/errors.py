"""What Shopify's answers mean. Errors come in three layers: the HTTP status, `errors`, and `userErrors` of a mutation.

https://shopify.dev/docs/api/admin-graphql#status-and-error-codes
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from bellwire.connectors.kit import Answer
from bellwire.errors import OutcomeUnknown, Refused, Transient, VendorError

_MAYBE_DONE = {"INTERNAL_SERVER_ERROR", "SERVICE_UNAVAILABLE", "TIMEOUT"}
LOST_PLACE = "lost-place"
"""The cause of a refusal because of the cursor."""
# Without Shopify's leave to see customers these are empty, and an error says so; the rest of the order is there.
_PERSONAL = {
    "billingAddress",
    "customer",
    "defaultAddress",
    "defaultEmailAddress",
    "defaultPhoneNumber",
    "email",
    "firstName",
    "lastName",
    "name",
    "phone",
    "shippingAddress",
}


def explain(answer: Answer) -> VendorError | None:
    """Shopify's own errors; None for successes and for what the HTTP status already says."""
    detail = f"{answer.status} {answer.text[:300]}"
    if error := _by_status(answer.status, detail):
        return error
    if not answer.ok:
        return None
    said = answer.json()
    errors = [entry for entry in said.get("errors") or () if not _merely_personal(entry, said.get("data"))]
    if errors:
        return _by_code(errors[0], said, answer, detail)
    return next(_by_user_error(said.get("data") or {}), None)


def cost(said: Mapping[str, Any]) -> tuple[float, float, float]:
    """Points that a query asks for, points that are left, and points that come back in a second."""
    told = (said.get("extensions") or {}).get("cost") or {}
    bucket = told.get("throttleStatus") or {}
    return (
        float(told.get("requestedQueryCost") or 0),
        float(bucket.get("currentlyAvailable") or 0),
        float(bucket.get("restoreRate") or 100),
    )


def pause(said: Mapping[str, Any]) -> timedelta:
    """How long it takes until the same query has its points again; zero when they are there."""
    asked, left, rate = cost(said)
    return timedelta(seconds=max(0.0, (asked - left) / rate))


def _by_status(status: int, detail: str) -> VendorError | None:
    match status:
        case 402 | 423:
            return Transient(
                "The shop is frozen or locked by Shopify.",
                cause="shop-frozen",
                detail=detail,
                remedy="Its owner sees why in the Shopify admin (often an unpaid bill); the work goes on afterwards.",
            )
        case 403:
            return _access_denied("", detail)
        case 404:
            return Refused(
                "Shopify knows no such shop.",
                cause="unknown-shop",
                detail=detail,
                remedy="Check `shop` in connections.toml: the part before .myshopify.com.",
            )
        case _:
            return None


def _by_code(error: Mapping[str, Any], said: Mapping[str, Any], answer: Answer, detail: str) -> VendorError:
    code, message = str((error.get("extensions") or {}).get("code") or ""), str(error.get("message"))
    if code == "THROTTLED":
        return Transient(
            "Shopify asked to slow down.",
            cause="rate-limited",
            detail=detail,
            retry_after=pause(said) or timedelta(seconds=1),
        )
    if code == "ACCESS_DENIED":
        return _access_denied(message, detail)
    if code in _MAYBE_DONE and answer.writes:
        return OutcomeUnknown(
            "Shopify failed and didn't say whether it did what was asked.", cause="vendor-failed", detail=detail
        )
    if code in _MAYBE_DONE:
        return Transient("Shopify has trouble at the moment.", cause="vendor-failed", detail=detail)
    if "cursor" in message.lower():
        return Refused("Shopify no longer knows where the last page ended.", cause=LOST_PLACE, detail=detail)
    return Refused(
        "Shopify doesn't understand what it was asked.",
        cause=f"refused-{code.lower().replace('_', '-')}" if code else "refused",
        detail=detail,
        remedy="Update Bellwire: this version of Shopify's API may have ended.",
    )


def _access_denied(message: str, detail: str) -> Refused:
    return Refused(
        "The app isn't allowed to do this in the shop.",
        cause="access-denied",
        detail=message or detail,
        remedy="Give the app the scopes that `bellwire check` names, and install it again in the shop.",
    )


def _merely_personal(error: Mapping[str, Any], data: Any) -> bool:
    code, path = (error.get("extensions") or {}).get("code"), error.get("path") or [""]
    return bool(data) and code == "ACCESS_DENIED" and len(path) > 1 and path[-1] in _PERSONAL


def _by_user_error(data: Mapping[str, Any]) -> Iterator[Refused]:
    for field, payload in data.items():
        problems: Sequence[Mapping[str, Any]] = payload.get("userErrors") or () if isinstance(payload, Mapping) else ()
        if problems:
            words = "; ".join(str(problem["message"]) for problem in problems)
            code = str(problems[0].get("code") or "not-accepted").lower().replace("_", "-")
            yield Refused(f"Shopify refused it: {words}", cause=code, detail=f"{field}: {problems}")
