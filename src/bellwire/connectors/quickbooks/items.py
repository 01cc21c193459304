"""Finding QuickBooks' ids for what Bellwire knows by SKU or by name."""

from collections.abc import Iterable

from bellwire.connectors.kit import Call
from bellwire.connectors.quickbooks.api import Record, ask
from bellwire.connectors.quickbooks.lines import Wanted
from bellwire.errors import Refused

_NOT_SOLD = ("Category", "Group")
"""Types of item that a sales line can't be booked on."""

_PSEUDO_CODES = ("TAX", "NON")
"""The United States' line codes are ids already.

https://developer.intuit.com/app/developer/qbo/docs/workflows/manage-sales-tax-for-us-locales
"""


async def find_items(call: Call, wanted: Iterable[Wanted]) -> dict[Wanted, str]:
    """The item's id for each of `wanted`. Raises Refused when QuickBooks lacks one."""
    every = list(dict.fromkeys(wanted))
    names = {item: getattr(call.settings, item.setting) for item in every if item.setting}
    for item in every:
        if item.sku and (mapped := await call.mapped("product", item.sku)):
            names[item] = mapped
    by_name = await _by_name(call, "Item", names.values())
    if missing := next((item for item in names if names[item] not in by_name), None):
        raise _no_such_item(call, missing, names[missing])
    by_sku = await _by_sku(call, [item.sku for item in every if item not in names])
    return {item: by_name[names[item]] if item in names else by_sku[item.sku] for item in every}


async def find_tax_codes(call: Call, names: Iterable[str]) -> dict[str, str]:
    """The id of each sales tax code. Raises Refused when QuickBooks lacks one."""
    asked = list(dict.fromkeys(names))
    found = await _by_name(call, "TaxCode", [name for name in asked if name not in _PSEUDO_CODES])
    found |= {name: name for name in _PSEUDO_CODES}
    if missing := next((name for name in asked if name not in found), None):
        raise Refused(
            f"QuickBooks has no sales tax code called '{missing}'.",
            cause=f"unknown-tax-code:{missing}",
            remedy=f"Correct the tax codes in [{call.connection.name}.settings] of connections.toml.",
        )
    return found


async def find_account(call: Call, name: str) -> str:
    """The id of an account. Raises Refused when QuickBooks lacks it."""
    found = await _by_name(call, "Account", [name])
    if name not in found:
        raise Refused(
            f"QuickBooks has no account called '{name}'.",
            cause=f"unknown-account:{name}",
            remedy=f"Correct `deposit_account` in [{call.connection.name}.settings] of connections.toml.",
        )
    return found[name]


async def find_undeposited(call: Call) -> str:
    """The id of the account that money goes to where no other is named; its name differs from company to company.

    https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/account
    """
    found = await ask(call, "Account", "AccountSubType", ["UndepositedFunds"])
    if not found:
        raise Refused(
            "QuickBooks has no account for undeposited funds, from which money could be given back.",
            cause="unknown-account:UndepositedFunds",
            remedy=f"Set `deposit_account` in [{call.connection.name}.settings] of connections.toml.",
        )
    return str(found[0]["Id"])


async def require_liability(call: Call, item_id: str) -> None:
    """Raises Refused when an item is booked on another kind of account, such as an income account: there a gift card
    that is spent would lower the income."""
    for item in await ask(call, "Item", "Id", [item_id]):
        account_id = item.get("IncomeAccountRef", {}).get("value", "")
        accounts = await ask(call, "Account", "Id", [account_id]) if account_id else []
        if not any(account.get("Classification") == "Liability" for account in accounts):
            raise Refused(
                f"QuickBooks books the item '{item['Name']}' on an account that isn't a liability, so what is still "
                "owed to the bearers of gift cards can't be told.",
                cause="not-a-liability",
                remedy="Give the item an account of the type Other Current Liabilities in QuickBooks, or name another "
                f"item in `gift_card_item` in [{call.connection.name}.settings] of connections.toml.",
            )


async def _by_name(call: Call, entity: str, names: Iterable[str]) -> dict[str, str]:
    """Name → id. What is all digits is an id already."""
    asked = list(dict.fromkeys(names))
    found = {name: name for name in asked if name.isdecimal()}
    words = [name for name in asked if name not in found]
    if words:
        records = [r for r in await ask(call, entity, "Name", words) if r.get("Type") not in _NOT_SOLD]
        found |= _matched(words, records, "Name")
    return found


async def _by_sku(call: Call, skus: list[str]) -> dict[str, str]:
    """SKU → id. Raises Refused when a SKU is missing, or more than one item has it."""
    records = [r for r in await ask(call, "Item", "Sku", skus) if r.get("Type") not in _NOT_SOLD]
    found = _matched(skus, records, "Sku")
    missing = [sku for sku in skus if sku not in found]
    if missing:
        raise _unknown_sku(call, missing)
    for sku in skus:
        several = [str(r["Name"]) for r in records if r["Sku"].casefold() == sku.casefold()]
        if len(several) > 1:
            raise Refused(
                f"QuickBooks has {len(several)} items with the SKU {sku}: {', '.join(several)}.",
                cause=f"ambiguous-sku:{sku}",
                remedy=f'Run `bellwire records map {call.connection.name} product {sku} "Item name or id"`, '
                "then send it again.",
            )
    return found


def _matched(asked: Iterable[str], records: list[Record], field: str) -> dict[str, str]:
    """QuickBooks doesn't tell upper case from lower case."""
    ids = {str(record[field]).casefold(): str(record["Id"]) for record in records}
    return {name: ids[name.casefold()] for name in asked if name.casefold() in ids}


def _unknown_sku(call: Call, missing: list[str]) -> Refused:
    what = f"item with the SKU {missing[0]}" if len(missing) == 1 else f"items with the SKUs {', '.join(missing)}"
    return Refused(
        f"QuickBooks has no {what}.",
        cause=f"unknown-sku:{missing[0]}",
        remedy=f"Add it there, or run `bellwire records map {call.connection.name} product {missing[0]} "
        '"Item name or id"`, then send it again.',
    )


def _no_such_item(call: Call, item: Wanted, name: str) -> Refused:
    name_of = call.connection.name
    if item.sku:
        why = f", to which the SKU {item.sku} is mapped"
        remedy = f'Run `bellwire records map {name_of} product {item.sku} "Item name or id"` with one that exists.'
    else:
        why = ""
        remedy = f"Add it there, or name another in `{item.setting}` in [{name_of}.settings] of connections.toml."
    return Refused(f"QuickBooks has no item called '{name}'{why}.", cause=f"unknown-item:{name}", remedy=remedy)
