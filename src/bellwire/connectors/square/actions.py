"""What Bellwire does at Square, and signing in there."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from bellwire.clock import parse_time
from bellwire.connectors.kit import Account, Call
from bellwire.connectors.square.payments import read_payment, refund
from bellwire.connectors.square.stock import adjust, count
from bellwire.events import Environment

ACTIONS = (adjust, count, read_payment, refund)

_SANDBOX = "sandbox-"
"""How the ids of applications begin that are for the sandbox."""
_SOON = timedelta(days=7)


async def sign_in(call: Call) -> Account:
    """Whose the token is and what it may do (`POST /oauth2/token/status`), and the seller's locations.

    https://developer.squareup.com/reference/square/o-auth-api/retrieve-token-status
    """
    token = (await call.api.request("POST", "/oauth2/token/status", writes=False)).json()
    locations = (await call.api.get("locations")).json().get("locations", [])
    names = ", ".join(f"{location.get('name', '')} ({location['id']})" for location in locations)
    seller = next((location["business_name"] for location in locations if location.get("business_name")), "Square")
    application = token.get("client_id", "")
    return Account(
        name=seller,
        detail=f"Locations: {names}; merchant {token.get('merchant_id', '')}",
        scopes=tuple(token["scopes"]) if "scopes" in token else None,
        warnings=(*_place(call, locations, names), *_merchant(call, token), *_end(call, token)),
        environment=_environment(application) if application else None,
    )


def _environment(application: str) -> Environment:
    return Environment.SANDBOX if application.startswith(_SANDBOX) else Environment.PRODUCTION


def _place(call: Call, locations: list[Mapping[str, Any]], names: str) -> tuple[str, ...]:
    wanted = call.settings.location_id
    mine = next((location for location in locations if location["id"] == wanted), None)
    if mine is None:
        return (f"This account has no location '{wanted}'. It has: {names or 'none'}.",)
    return () if mine.get("status") == "ACTIVE" else (f"The location '{wanted}' isn't active.",)


def _merchant(call: Call, token: Mapping[str, Any]) -> tuple[str, ...]:
    wanted, found = call.settings.merchant_id, token.get("merchant_id", "")
    if not wanted or wanted == found:
        return ()
    return (f"The sign-in is of the merchant {found}, but `merchant_id` says {wanted}: webhooks would be refused.",)


def _end(call: Call, token: Mapping[str, Any]) -> tuple[str, ...]:
    """An application's own token has no end; one that is renewed has none that matters."""
    ends = token.get("expires_at")
    if not ends or call.connection.credentials.find("refresh_token") is not None:
        return ()
    left = parse_time(ends) - call.clock()
    if left > _SOON:
        return ()
    return (f"The access token ends on {ends[:10]} and there is no refresh token: connect Square anew before.",)
