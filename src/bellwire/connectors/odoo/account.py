"""Whose API key it is, what it may do, and how long yet."""

from collections.abc import Iterator
from datetime import timedelta

from bellwire.clock import parse_utc
from bellwire.connectors.kit import Account, Call
from bellwire.connectors.odoo.api import Record, ask, database_header, listed, reference, text
from bellwire.connectors.odoo.manifest import MANIFEST, settings_of
from bellwire.errors import Refused
from bellwire.events import Environment

_MADE_FOR = 19
_MORE = ("purchase.group_purchase_manager", "stock.group_stock_manager", "account.group_account_user")
_ADMIN = "base.group_system"
_AHEAD = timedelta(days=15)


async def sign_in(call: Call) -> Account:
    """User, company, version, groups, and keys that end soon. Raises Refused (no-api) where Odoo is too old.

    `GET /web/version`: https://www.odoo.com/documentation/19.0/developer/reference/external_api.html
    """
    version = await _version(call)
    user_id = (await ask(call, "res.users", "context_get", {}))["uid"]
    (user,) = await ask(call, "res.users", "read", {"ids": [user_id], "fields": ["login", "company_id"]})
    known = (*MANIFEST.scopes, *_MORE, _ADMIN)
    groups = tuple([group for group in known if await _is_in(call, user_id, group)])
    neutral = await _neutralised(call)
    keys = await _keys(call, user_id)
    return Account(
        name=reference(user["company_id"])[1],
        detail=f"Odoo {version}, database {settings_of(call.connection).database or 'by the address'}, "
        f"user {user['login']}",
        scopes=groups,
        warnings=(*_ending(call, keys), *_mixed(call, neutral)),
        environment=Environment.SANDBOX if neutral else None,
    )


async def _version(call: Call) -> str:
    told = (await call.api.get("/web/version", headers=database_header(call))).json()
    major = int(str(told["version_info"][0]).rpartition("~")[2].partition(".")[0])
    if major > _MADE_FOR:
        call.api.notice("server version", f"Odoo {told['version']} answers; this was made for Odoo {_MADE_FOR}.")
    return str(told["version"])


async def _is_in(call: Call, user_id: int, group: str) -> bool:
    return bool(await ask(call, "res.users", "has_group", {"ids": [user_id], "group_ext_id": group}))


async def _neutralised(call: Call) -> bool | None:
    """Whether it is a copy whose mails and webhooks are turned off. None: only administrators are told."""
    try:
        value = await ask(call, "ir.config_parameter", "get_param", {"key": "database.is_neutralized"})
    except Refused:
        return None
    return str(value).lower() == "true"


async def _keys(call: Call, user_id: int) -> list[Record]:
    """The user's API keys, as far as he may see them."""
    try:
        return await listed(call, "res.users.apikeys", [["user_id", "=", user_id]], ["name", "expiration_date"])
    except Refused:
        return []


def _ending(call: Call, keys: list[Record]) -> Iterator[str]:
    """Which of a user's keys is ours, Odoo doesn't say."""
    for key in keys:
        ends = text(key["expiration_date"])
        if ends and (left := parse_utc(ends) - call.clock()) < _AHEAD:
            yield (
                f"The API key '{key['name']}' ends in {max(left.days, 0)} days. Make a new one in Odoo (Preferences › "
                f"Account Security); `bellwire secrets set {call.connection.name} api_key` takes it."
            )


def _mixed(call: Call, neutral: bool | None) -> Iterator[str]:
    """Where Odoo doesn't say what it is, its address may."""
    test_build = settings_of(call.connection).host.endswith(".dev.odoo.com")
    production = call.connection.environment is Environment.PRODUCTION
    if test_build and production:
        yield "The address is a test build's, but the connection is for production."
    if not production and neutral is False and not test_build:
        yield (
            "The connection is for a sandbox, but this database isn't neutralised: what it sends is real. Copy it "
            "with 'neutralize' ticked, and use the copy."
        )
