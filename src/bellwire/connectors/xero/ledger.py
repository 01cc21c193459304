"""Xero's own names for what lines and payments refer to: items, accounts and tax rates."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import orjson

from bellwire.connectors.kit import Call
from bellwire.connectors.xero.api import Record, any_of, fits_filter, read
from bellwire.connectors.xero.manifest import XeroSettings
from bellwire.errors import Refused

_IN_ONE_FILTER = 20
"""The filter travels in the address, which may not be endless."""


@dataclass(frozen=True)
class Item:
    """`account` is the one its sales are booked on; empty when it has none of its own."""

    code: str
    account: str = ""


async def find_items(call: Call, skus: Iterable[str]) -> dict[str, Item]:
    """The item for each of the shop's SKUs: whose code it is, or which it was mapped to. Raises Refused when Xero lacks
    one."""
    asked = list(dict.fromkeys(skus))
    names = {sku: await call.mapped("product", sku) or sku for sku in asked}
    records = await _items(call, list(dict.fromkeys(names.values())))
    by_name = {str(record.get("Name", "")).casefold(): record for record in records}
    found = by_name | {str(record["Code"]).casefold(): record for record in records}
    missing = [sku for sku in asked if names[sku].casefold() not in found]
    if missing:
        raise _unknown(call, missing, names[missing[0]])
    return {sku: _item(found[names[sku].casefold()]) for sku in asked}


async def find_tax_types(call: Call, names: Iterable[str]) -> dict[str, str]:
    """The tax type of each tax rate. Raises Refused when Xero lacks one."""
    asked = list(dict.fromkeys(names))
    known = call.connection.remembered
    if any(_tax(name) not in known for name in asked):
        rates = [
            rate for rate in (await read(call, "TaxRates"))["TaxRates"] if rate.get("Status", "ACTIVE") == "ACTIVE"
        ]
        known |= {_tax(rate["Name"]): rate["TaxType"] for rate in rates}
        known |= {_tax(rate["TaxType"]): rate["TaxType"] for rate in rates}
    if missing := next((name for name in asked if _tax(name) not in known), None):
        raise Refused(
            f"Xero has no tax rate called '{missing}'.",
            cause=f"unknown-tax-rate:{missing}",
            remedy=f"Correct the tax rates in [{call.connection.name}.settings] of connections.toml.",
        )
    return {name: known[_tax(name)] for name in asked}


async def deposit_account(call: Call) -> Record:
    """Where money goes. Raises Refused when Xero lacks it."""
    return await _account(call, "deposit_account")


async def gift_card_account(call: Call) -> Record:
    """What is owed to the bearers of gift cards. Raises Refused when there is no such account, or another kind, such as
    an income account: there a gift card that is spent would lower the income."""
    gift_card_code(call.settings)
    account = await _account(call, "gift_card_account")
    if account.get("Class") != "LIABILITY":
        forget_account(call, account)
        raise Refused(
            f"Xero's account '{account['Name']}' isn't a liability, so what is still owed to the bearers of gift cards "
            "can't be told.",
            cause="not-a-liability",
            remedy="Name one of the type Current Liability in `gift_card_account` "
            f"in [{call.connection.name}.settings] of connections.toml.",
        )
    return account


def gift_card_code(settings: XeroSettings) -> str:
    """The account of gift cards, as lines name it. Raises Refused when none is set."""
    if not settings.gift_card_account:
        raise Refused(
            "It isn't said on which account of Xero gift cards are booked.",
            cause="no-gift-card-account",
            remedy="Set `gift_card_account` in the connection's settings in connections.toml to a liability that "
            "payments are enabled for, then send it again.",
        )
    return settings.gift_card_account


def forget_account(call: Call, account: Record) -> None:
    """Ask Xero again the next time: a person may have changed it by then."""
    known = call.connection.remembered
    for key in [key for key, kept in known.items() if key.startswith("account ") and account["AccountID"] in kept]:
        del known[key]


async def _account(call: Call, setting: str) -> Record:
    """The active account that a setting names by code, name or id. It is asked for once."""
    name: str = getattr(call.settings, setting)
    known, key = call.connection.remembered, f"account {name}"
    if key not in known:
        accounts = [a for a in (await read(call, "Accounts"))["Accounts"] if a.get("Status", "ACTIVE") == "ACTIVE"]
        for field in ("Code", "Name", "AccountID"):
            for account in accounts:
                if str(account.get(field, "")).casefold() == name.casefold():
                    known.setdefault(key, orjson.dumps(account).decode())
    if key not in known:
        raise Refused(
            f"Xero has no account called '{name}'.",
            cause=f"unknown-account:{name}",
            remedy=f"Correct `{setting}` in [{call.connection.name}.settings] of connections.toml.",
        )
    found: Record = orjson.loads(known[key])
    return found


async def _items(call: Call, names: Sequence[str]) -> list[Record]:
    """Items that are sold, by code or name."""
    if not all(map(fits_filter, names)):
        records: list[Record] = (await read(call, "Items"))["Items"]
    else:
        records = []
        for start in range(0, len(names), _IN_ONE_FILTER):
            some = names[start : start + _IN_ONE_FILTER]
            where = f"{any_of('Code', some)} OR {any_of('Name', some)}"
            records += (await read(call, "Items", where=where))["Items"]
    return [record for record in records if record.get("IsSold", True)]


def _item(record: Record) -> Item:
    return Item(record["Code"], record.get("SalesDetails", {}).get("AccountCode", ""))


def _tax(name: str) -> str:
    return f"tax rate {name.casefold()}"


def _unknown(call: Call, missing: list[str], name: str) -> Refused:
    books, sku = call.connection.name, missing[0]
    if name != sku:
        return Refused(
            f"Xero has no item called '{name}', to which the SKU {sku} is mapped.",
            cause=f"unknown-item:{name}",
            remedy=f'Run `bellwire records map {books} product {sku} "Item code or name"` with one that exists.',
        )
    what = f"item with the SKU {sku}" if len(missing) == 1 else f"items with the SKUs {', '.join(missing)}"
    return Refused(
        f"Xero has no {what}.",
        cause=f"unknown-sku:{sku}",
        remedy=f'Add it there, or run `bellwire records map {books} product {sku} "Item code or name"`, '
        "then send it again.",
    )
