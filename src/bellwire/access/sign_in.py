"""How often one may try to sign in: after five failures in a row, for an address or from one place, with growing waits.

https://cheatsheetseries.owasp.org/cheatsheets/Authentication_Cheat_Sheet.html
"""

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


def failed(rows: Rows, email: str, place: str, now: datetime) -> None:
    people.forget_old_failures(rows, now - _FORGOTTEN)
    for who in _names(email, place):
        people.note_failure(rows, who, now)


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
