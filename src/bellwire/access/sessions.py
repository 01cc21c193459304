"""Sessions: what a browser shows after somebody signed in there. It is random, and the ledger knows a hash of it."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from bellwire.ledger import PersonRow, Rows, SessionRow, people

LONGEST = timedelta(days=30)
"""After that, one signs in again."""
_IDLE = timedelta(days=7)
"""Without a request for so long, too."""
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
    if instead_of:
        people.end(rows, key_of(instead_of))
    people.end_expired(rows, now)
    secret = secrets.token_urlsafe(32)
    people.begin(rows, SessionRow(key_of(secret), person, now, now, now + LONGEST, agent[:_LONGEST_AGENT]))
    return secret


def find_session(rows: Rows, secret: str, now: datetime) -> Session | None:
    """None when there is none, it has ended, or the person may no longer sign in."""
    row = people.session(rows, key_of(secret))
    if row is None or row.expires_at <= now or row.seen_at + _IDLE <= now:
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


def key_of(secret: str) -> str:
    """What the ledger knows of it."""
    return hashlib.sha256(secret.encode()).hexdigest()
