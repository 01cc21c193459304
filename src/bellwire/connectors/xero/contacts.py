"""Finding the customer among Xero's contacts, or adding them.

A name is unique among the active contacts of an organisation, be they customers or suppliers. So the same name with
another e-mail becomes a second contact, with the e-mail behind the name.
"""

import re

from bellwire.connectors.kit import Call
from bellwire.connectors.kit.person import Person
from bellwire.connectors.xero.api import Record, any_of, create, fits_filter, listed
from bellwire.connectors.xero.faults import DUPLICATE_NAME
from bellwire.errors import Refused
from bellwire.events import Address

_NAME = 255
_MAIL = 255
_PHONE = 50
_LINE = 500
_CITY = 255
_POSTCODE = 50


async def find_or_create(call: Call, person: Person) -> tuple[Record, bool]:
    """The contact's record, and whether it is new. By e-mail first, then by name: whether one is taken, Xero says by
    itself when it is to be added.

    Raises Refused when every name that would do belongs to somebody else.
    """
    email = mailable(person.email)
    if email and (known := await _active(call, "EmailAddress", email)):
        return known[0], False
    for name in _names(call, person):
        try:
            body = _new(person, name)
            return await create(call.part(f"contact {name}"), "Contacts", body), True
        except Refused as error:
            if error.cause != DUPLICATE_NAME:
                raise
        for record in await _active(call, "Name", name):
            if _same(record, email):
                return record, False
    raise Refused(
        f"Xero already uses the name '{name}' for another contact.",
        cause=DUPLICATE_NAME,
        remedy="Rename that one in Xero, then send it again.",
    )


async def find(call: Call, person: Person) -> Record | None:
    """Whom `find_or_create` would find."""
    email = mailable(person.email)
    if email and (known := await _active(call, "EmailAddress", email)):
        return known[0]
    for name in _names(call, person):
        for record in await _active(call, "Name", name):
            if _same(record, email):
                return record
    return None


def mailable(email: str) -> str:
    """The address where Xero can take it and look for it, else nothing."""
    fits = re.fullmatch(r"[^@\s<>]+@[^@\s<>]+", email) and email.isascii() and fits_filter(email)
    return email if fits and len(email) <= _MAIL else ""


def address(place: Address) -> Record:
    """The parts that Xero has fields for; the name is whose attention it is for."""
    lines = [_plain(line)[:_LINE] for line in (place.company, place.line1, place.line2) if _plain(line)]
    parts = {f"AddressLine{index}": line for index, line in enumerate(lines, 1)}
    parts |= {
        "AttentionTo": _plain(place.name)[:_NAME],
        "City": _plain(place.city)[:_CITY],
        "Region": _plain(place.region)[:_CITY],
        "PostalCode": _plain(place.postcode)[:_POSTCODE],
        "Country": place.country,
    }
    return {key: value for key, value in parts.items() if value}


async def _active(call: Call, field: str, value: str) -> list[Record]:
    found = await listed(call, "Contacts", any_of(field, [value]))
    return [record for record in found if record.get("ContactStatus", "ACTIVE") == "ACTIVE"]


def _same(record: Record, email: str) -> bool:
    """Whether a contact of the right name may be taken for who has this e-mail."""
    theirs: str = record.get("EmailAddress") or ""
    return not theirs or not email or theirs.casefold() == email.casefold()


def _names(call: Call, person: Person) -> list[str]:
    """What the contact may be called, in order of preference."""
    email = mailable(person.email)
    name = _plain(person.name) or _plain(person.company) or email or _plain(call.settings.guest_contact)
    mark = f" ({email or _plain(person.phone) or 'customer'})"[:_NAME]
    return [name[:_NAME].rstrip(), name[: _NAME - len(mark)] + mark]


def _new(person: Person, name: str) -> Record:
    body: Record = {"Name": name}
    if email := mailable(person.email):
        body["EmailAddress"] = email
    if phone := _plain(person.phone):
        body["Phones"] = [{"PhoneType": "DEFAULT", "PhoneNumber": phone[:_PHONE]}]
    places = (("POBOX", person.billing), ("STREET", person.shipping))
    found = [{"AddressType": kind, **parts} for kind, place in places if place and (parts := address(place))]
    if found:
        body["Addresses"] = found
    return body


def _plain(text: str) -> str:
    """Without control characters, and without what can't be looked for."""
    plain = re.sub(r"[\x00-\x1f\x7f<>]", " ", text).replace('"', "'").replace("\\", "/")
    return " ".join(plain.split())
