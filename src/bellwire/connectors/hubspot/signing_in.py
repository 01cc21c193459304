"""Whose account it is, and what the sign-in may do there."""

from typing import Any
from urllib.parse import urlencode

from bellwire.connectors.hubspot.manifest import VERSION, HubSpotSettings
from bellwire.connectors.kit import Account, Call
from bellwire.errors import Refused, SignedOut
from bellwire.events import Environment

_PRODUCTION = "STANDARD"
"""The type of accounts that aren't for trying things out."""
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


async def sign_in(call: Call) -> Account:
    """`GET /account-info/VERSION/details`. Raises SignedOut when the sign-in is for another account than the settings
    say."""
    settings: HubSpotSettings = call.settings
    told = (await call.api.get(f"/account-info/{VERSION}/details")).json()
    portal, kind, currency = str(told["portalId"]), told["accountType"], told.get("companyCurrency")
    if portal != settings.portal_id:
        raise SignedOut(
            f"The sign-in is for HubSpot account {portal}, but the settings are for {settings.portal_id}.",
            cause="other-account",
            remedy=f"Set `portal_id` in [{call.connection.name}.settings] of connections.toml to {portal}, or set the "
            "credentials of the other account.",
        )
    warnings = []
    if currency and currency != settings.currency:
        warnings.append(f"The account's currency is {currency}, but `currency` says {settings.currency}.")
    return Account(
        name=f"HubSpot account {portal}",
        detail=f"{kind.lower().replace('_', ' ')}, {told.get('uiDomain', 'app.hubspot.com')}",
        scopes=await _scopes(call),
        warnings=tuple(warnings),
        environment=Environment.PRODUCTION if kind == _PRODUCTION else Environment.SANDBOX,
    )


async def _scopes(call: Call) -> tuple[str, ...] | None:
    """What the token may do; None for kinds of keys that HubSpot doesn't tell it of."""
    credentials = call.connection.credentials
    token = credentials.get("access_token")
    try:
        if credentials.find("refresh_token"):
            form = {
                "client_id": credentials.get("client_id"),
                "client_secret": credentials.get("client_secret"),
                "token": token,
                "token_type_hint": "access_token",
            }
            path, body = f"/oauth/{VERSION}/token/introspect", urlencode(form).encode()
            answer = await call.api.request("POST", path, body=body, headers=_FORM, writes=False)
        else:
            path, known = "/oauth/v2/private-apps/get/access-token-info", {"tokenKey": token}
            answer = await call.api.request("POST", path, json=known, writes=False)
    except Refused:
        return None
    told: dict[str, Any] = answer.json()
    return tuple(told["scopes"]) if "scopes" in told else None
