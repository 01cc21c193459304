"""Whose key it is, and what it may do."""

from bellwire.connectors.kit import Account, Call
from bellwire.connectors.stripe.api import read
from bellwire.connectors.stripe.manifest import PERMISSIONS
from bellwire.errors import Refused
from bellwire.events import Environment

_EVERYTHING = "everything else"


async def sign_in(call: Call) -> Account:
    """Reads one object of each list that is needed: Stripe doesn't tell what a key may do, but refuses what it may not.
    Whether it may write isn't tried. The key itself says whether it is for testing."""
    key = call.connection.credentials.get("access_token")
    live = "_live_" in key
    scopes = [name for name, path in PERMISSIONS.items() if await _may(call, path)]
    warnings = []
    if key.startswith("sk_"):
        scopes.append(_EVERYTHING)
        warnings.append(
            "It is the account's secret key, which may do everything. Make a restricted key (rk_…) that may do what "
            "Bellwire needs."
        )
    return Account(
        name=await _name(call),
        detail="live payments" if live else "test mode: no money moves",
        scopes=tuple(scopes),
        warnings=tuple(warnings),
        environment=Environment.PRODUCTION if live else Environment.SANDBOX,
    )


async def _may(call: Call, path: str) -> bool:
    try:
        await read(call, path, limit=1)
    except Refused as error:
        if error.cause != "no-permission":
            raise
        return False
    return True


async def _name(call: Call) -> str:
    """Restricted keys needn't be allowed to read it."""
    try:
        account = await read(call, "/v1/account")
    except Refused as error:
        if error.cause != "no-permission":
            raise
        return "Stripe account"
    profile, settings = account.get("business_profile") or {}, account.get("settings") or {}
    shown = (settings.get("dashboard") or {}).get("display_name")
    return str(shown or profile.get("name") or account["id"])
