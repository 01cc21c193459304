"""How often one may try to sign in: after five failures in a row, for an address or from one place, with growing waits.

https://cheatsheetseries.owasp.org/cheatsheets/Authentication_Cheat_Sheet.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bellwire.ledger import Rows, audit, people

_FREE = 5
_FIRST_WAIT = timedelta(seconds=30)
_LONGEST_WAIT = timedelta(minutes=15)
_FORGOTTEN = timedelta(days=1)


def may_try(rows: Rows, email: str, place: str, now: datetime) -> timedelta | None:
    """None: yes. Else for how long to wait."""
    waits = [_wait(found, now) for who in _names(email, place) if (found := people.failures(rows, who))]
    longest = max(waits, default=timedelta())
    return longest if longest > timedelta() else None


@dataclass(frozen=True)
class Try:
    """One that is counted as failed until it is known to be right: so that of many at once no more are tried."""

    before: Mapping[str, datetime | None]
    """When the failure before it was, by what is counted."""


def failed(rows: Rows, email: str, place: str, now: datetime) -> Try:
    people.forget_old_failures(rows, now - _FORGOTTEN)
    before: dict[str, datetime | None] = {}
    for who in _names(email, place):
        found = people.failures(rows, who)
        before[who] = found[1] if found else None
        people.note_failure(rows, who, now)
    return Try(before)


def take_back(rows: Rows, tried: Try) -> None:
    """It was right, as far as it went; those before it still count."""
    for who, last_at in tried.before.items():
        people.take_back_failure(rows, who, last_at)


def succeeded(rows: Rows, email: str, place: str, now: datetime, *, who: str) -> None:
    for name in _names(email, place):
        people.forget_failures(rows, name)
    audit.record(rows, who, "sign in", "the desk", now)


def _names(email: str, place: str) -> tuple[str, str]:
    return f"email {email[:100]}", f"from {place}"


def _wait(found: tuple[int, datetime], now: datetime) -> timedelta:
    failures, last = found
    if failures < _FREE:
        return timedelta()
    doubled: int = 2 ** min(failures - _FREE, 10)
    return last + min(_FIRST_WAIT * doubled, _LONGEST_WAIT) - now
