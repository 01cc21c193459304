"""Sessions: what a browser shows after somebody signed in there. It is random, and the ledger knows a hash of it."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from bellwire.errors import NotFound
from bellwire.ledger import PersonRow, Rows, SessionRow, audit, people

LONGEST = timedelta(days=30)
"""After that, one signs in again."""
_IDLE = timedelta(days=7)
"""Without a request for so long, too."""
_TO_GIVE_A_CODE = timedelta(minutes=10)
_CODE = "code"
_NOTED_EVERY = timedelta(minutes=5)
_LONGEST_AGENT = 200


@dataclass(frozen=True)
class Session:
    person: PersonRow
    to_note: bool
    """Whether its being used is to be noted: that is done every few minutes."""


def begin_session(rows: Rows, person: int, now: datetime, agent: str, *, instead_of: str = "") -> str:
    """For somebody who has just shown who they are: gives what the browser keeps. The session that it had before ends,
    so that nobody who planted that can use this one."""
    return _begin(rows, person, now, now + LONGEST, agent, instead_of)


def begin_half(rows: Rows, person: int, now: datetime, agent: str, *, instead_of: str) -> str:
    """The same for somebody whose password was right, and who has yet to give a one-time code: it lets nobody in."""
    return _begin(rows, person, now, now + _TO_GIVE_A_CODE, agent, instead_of, awaits=_CODE)


def find_half(rows: Rows, secret: str, now: datetime) -> PersonRow | None:
    """Of whom a code is asked. None: of nobody, or it took too long."""
    row = people.session(rows, key_of(secret))
    if row is None or row.awaits != _CODE or row.expires_at <= now:
        return None
    person = people.find(rows, row.person)
    return person if person is not None and person.disabled_at is None else None


def find_session(rows: Rows, secret: str, now: datetime) -> Session | None:
    """None when there is none, it has ended, or the person may no longer sign in."""
    row = people.session(rows, key_of(secret))
    if row is None or row.awaits or row.expires_at <= now or row.seen_at + _IDLE <= now:
        return None
    person = people.find(rows, row.person)
    if person is None or person.disabled_at is not None:
        return None
    return Session(person, to_note=row.seen_at + _NOTED_EVERY <= now)


def note_session(rows: Rows, secret: str, now: datetime) -> None:
    """It was used."""
    people.see(rows, key_of(secret), now)


def end_session(rows: Rows, secret: str) -> None:
    people.end(rows, key_of(secret))


def sign_out(rows: Rows, person: int, now: datetime, *, who: str, session: str | None = None) -> None:
    """Sign somebody out where this session is, by what the ledger knows of it; None: everywhere. Raises NotFound."""
    row = None if session is None else people.session(rows, session)
    if session is not None and (row is None or row.person != person):
        raise NotFound("That session has ended already.")
    if session is not None:
        people.end(rows, session)
    else:
        people.end_all(rows, person)
    audit.record(rows, who, "sign out", f"person {person}", now, "everywhere" if session is None else "in one place")


def key_of(secret: str) -> str:
    """What the ledger knows of it."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _begin(
    rows: Rows, person: int, now: datetime, end: datetime, agent: str, instead_of: str, *, awaits: str = ""
) -> str:
    if instead_of:
        people.end(rows, key_of(instead_of))
    people.end_expired(rows, now)
    secret = secrets.token_urlsafe(32)
    people.begin(rows, SessionRow(key_of(secret), person, now, now, end, agent[:_LONGEST_AGENT], awaits))
    return secret
