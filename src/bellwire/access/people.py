"""The people who may sign in, as an owner sees to them."""

import re
from datetime import datetime

from bellwire.access.rights import Role
from bellwire.errors import BellwireError, NotFound
from bellwire.ledger import PersonRow, Rows, audit, people

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
LONGEST = 100
"""Of a name or an address."""


def add_person(rows: Rows, *, name: str, email: str, role: Role, password: str, now: datetime, who: str) -> PersonRow:
    """`password` is its hash. Raises BellwireError."""
    name, email = " ".join(name.split()), email.strip().lower()
    if not name or len(name) > LONGEST:
        raise BellwireError(f"A name has 1 to {LONGEST} characters.")
    if not _EMAIL.fullmatch(email) or len(email) > LONGEST:
        raise BellwireError(f"'{email}' isn't an e-mail address.", remedy="Write it like dana@example.com.")
    if role is not Role.OWNER and not people.is_anybody(rows):
        raise BellwireError("The first account has to be an owner’s: else nobody could give any to others.")
    number = people.add(rows, name, email, role.value, password, now)
    if number is None:
        raise BellwireError(f"Somebody with the address {email} is there already.")
    audit.record(rows, who, "add", f"person {number}", now, f"{name}, {role}")
    return _found(rows, number)


def change_person(rows: Rows, number: int, *, name: str, role: Role, now: datetime, who: str) -> None:
    """Raises NotFound; BellwireError when no owner would be left."""
    person, name = _found(rows, number), " ".join(name.split())
    if not name or len(name) > LONGEST:
        raise BellwireError(f"A name has 1 to {LONGEST} characters.")
    if role is not Role.OWNER:
        _keep_an_owner(rows, person)
    people.change(rows, number, name=name, role=role.value)
    audit.record(rows, who, "change", f"person {number}", now, f"{name}, {role}")


def close_account(rows: Rows, number: int, now: datetime, *, who: str) -> None:
    """They can't sign in any more, and are signed out everywhere. Raises NotFound; BellwireError when no owner would be
    left."""
    person = _found(rows, number)
    _keep_an_owner(rows, person)
    people.disable(rows, number, now)
    people.end_all(rows, number)
    audit.record(rows, who, "close the account of", f"person {number}", now, person.name)


def open_account(rows: Rows, number: int, now: datetime, *, who: str) -> None:
    """They may sign in again. Raises NotFound."""
    person = _found(rows, number)
    people.disable(rows, number, None)
    audit.record(rows, who, "open the account of", f"person {number}", now, person.name)


def set_password(rows: Rows, number: int, password: str, now: datetime, *, who: str) -> None:
    """`password` is its hash. All sessions end. Raises NotFound."""
    person = _found(rows, number)
    people.set_password(rows, number, password)
    people.end_all(rows, number)
    audit.record(rows, who, "set the password of", f"person {number}", now, person.name)


def _found(rows: Rows, number: int) -> PersonRow:
    person = people.find(rows, number)
    if person is None:
        raise NotFound(f"There is no person {number}.")
    return person


def _keep_an_owner(rows: Rows, person: PersonRow) -> None:
    owners = [each for each in people.everybody(rows) if each.role == Role.OWNER and each.disabled_at is None]
    if [each.id for each in owners] == [person.id]:
        raise BellwireError(
            f"{person.name} is the only owner, and somebody has to be.", remedy="Make somebody else an owner first."
        )
