"""Finding the customer in QuickBooks, or adding them.

A `DisplayName` is unique among customers, vendors and employees of a company, and a customer has one currency for
good. So the same person may need a second record: with their e-mail or the currency behind the name.
"""

import re

from bellwire.connectors.kit import Call
from bellwire.connectors.kit.person import Person
from bellwire.connectors.quickbooks.api import Record, ask, create
from bellwire.connectors.quickbooks.faults import DUPLICATE_NAME
from bellwire.errors import Refused
from bellwire.events import Address

_NAME = 500
_MAIL = 100
_COMPANY = 100
_PHONE = 30
_LINE = 500
_CITY = 255
_POSTCODE = 30


async def find_or_create(call: Call, person: Person, currency: str) -> tuple[Record, bool]:
    """The customer's record, and whether it is new. By e-mail first, then by name.

    Raises Refused when every name that would do belongs to somebody else.
    """
    if same := await _with_address(call, person, currency):
        return same, False
    email = mailable(person.email)
    for name in _names(call, person, currency):
        if record := await _named(call, name, email, currency):
            return record, False
        try:
            return await create(call.part(f"customer {name}"), "Customer", _new(call, person, name, currency)), True
        except Refused as error:
            if error.cause != DUPLICATE_NAME:
                raise
        # A vendor's, an employee's, another customer's; or another order of theirs was quicker.
        if record := await _named(call, name, email, currency):
            return record, False
    raise Refused(
        f"QuickBooks already uses the name '{name}' for another customer, vendor or employee.",
        cause=DUPLICATE_NAME,
        remedy="Rename that one in QuickBooks, then send it again.",
    )


async def find(call: Call, person: Person, currency: str) -> Record | None:
    """Whom `find_or_create` would find."""
    if same := await _with_address(call, person, currency):
        return same
    for name in _names(call, person, currency):
        if record := await _named(call, name, mailable(person.email), currency):
            return record
    return None


def address(place: Address) -> Record:
    """QuickBooks prints the lines as they are, so the name comes first."""
    lines = [line for line in (place.name, place.company, place.line1, place.line2) if line]
    parts = {f"Line{index}": _plain(line)[:_LINE] for index, line in enumerate(lines, 1)}
    parts |= {
        "City": place.city[:_CITY],
        "CountrySubDivisionCode": place.region[:_CITY],
        "PostalCode": place.postcode[:_POSTCODE],
        "Country": place.country,
    }
    return {key: value for key, value in parts.items() if value}


def mailable(email: str) -> str:
    """The address where QuickBooks can take it, else nothing."""
    return email if "@" in email and len(email) <= _MAIL else ""


async def _with_address(call: Call, person: Person, currency: str) -> Record | None:
    email = mailable(person.email)
    known = await ask(call, "Customer", "PrimaryEmailAddr", [email]) if email else []
    return next((record for record in known if _same(call, record, email, currency)), None)


async def _named(call: Call, name: str, email: str, currency: str) -> Record | None:
    found = await ask(call, "Customer", "DisplayName", [name])
    return next((record for record in found if _same(call, record, email, currency)), None)


def _same(call: Call, record: Record, email: str, currency: str) -> bool:
    """Whether a customer of the right name or e-mail may be taken for this person, in this currency."""
    theirs: str = record.get("PrimaryEmailAddr", {}).get("Address", "")
    money: str = record.get("CurrencyRef", {}).get("value", call.settings.home_currency)
    same_person = not theirs or not email or theirs.casefold() == email.casefold()
    return same_person and money == currency


def _names(call: Call, person: Person, currency: str) -> list[str]:
    """What the customer may be called, in order of preference."""
    email = mailable(person.email)
    name = _plain(person.name) or _plain(person.company) or _plain(email) or call.settings.guest_customer
    mark = email or _plain(person.phone) or "customer"
    money = "" if currency == call.settings.home_currency else f" ({currency})"
    return [name[: _NAME - len(ending)] + ending for ending in (money, f" ({_plain(mark)}){money}")]


def _new(call: Call, person: Person, name: str, currency: str) -> Record:
    body: Record = {"DisplayName": name}
    if email := mailable(person.email):
        body["PrimaryEmailAddr"] = {"Address": email}
    if person.phone:
        body["PrimaryPhone"] = {"FreeFormNumber": _plain(person.phone)[:_PHONE]}
    if person.company:
        body["CompanyName"] = _plain(person.company)[:_COMPANY]
    if person.billing and (place := address(person.billing)):
        body["BillAddr"] = place
    if person.shipping and (place := address(person.shipping)):
        body["ShipAddr"] = place
    if call.settings.multicurrency:
        body["CurrencyRef"] = {"value": currency}
    return body


def _plain(text: str) -> str:
    """Without colons and control characters, which QuickBooks forbids in names."""
    return " ".join(re.sub(r"[:\x00-\x1f\x7f]", " ", text).split())
