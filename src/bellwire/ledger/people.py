"""Who may use the desk, what they sign in with and are signed in with, and how often somebody failed to."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bellwire.ledger.database import Rows
from bellwire.ledger.rows import maybe, stamp, unstamp

_COLUMNS = "id, name, email, role, password, created_at, disabled_at, signed_in_at, codes_since"
_SESSION = "key, person, created_at, seen_at, expires_at, agent, awaits"


@dataclass(frozen=True)
class PersonRow:
    id: int
    name: str
    email: str
    """Lower case."""
    role: str
    password: str = field(repr=False)
    """Its hash."""
    created_at: datetime
    disabled_at: datetime | None
    signed_in_at: datetime | None
    codes_since: datetime | None = None
    """Since when a one-time code is asked for; None: none is."""


@dataclass(frozen=True)
class SessionRow:
    key: str = field(repr=False)
    person: int
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    agent: str
    """What the browser calls itself."""
    awaits: str = ""
    """What is still asked for before it lets anybody in: `code`, or nothing."""


def add(rows: Rows, name: str, email: str, role: str, password: str, now: datetime) -> int | None:
    """Gives the person's number; None when somebody has this address."""
    return rows.insert(
        "INSERT INTO people (name, email, role, password, created_at) VALUES (:name, :email, :role, :password, :now)"
        " ON CONFLICT (email) DO NOTHING",
        {"name": name, "email": email, "role": role, "password": password, "now": stamp(now)},
    )


def find(rows: Rows, number: int) -> PersonRow | None:
    row = rows.one(f"SELECT {_COLUMNS} FROM people WHERE id = :id", {"id": number})  # noqa: S608
    return _person(row) if row else None


def by_email(rows: Rows, email: str) -> PersonRow | None:
    row = rows.one(f"SELECT {_COLUMNS} FROM people WHERE email = :email", {"email": email})  # noqa: S608
    return _person(row) if row else None


def everybody(rows: Rows) -> list[PersonRow]:
    return [_person(row) for row in rows.all(f"SELECT {_COLUMNS} FROM people ORDER BY id")]  # noqa: S608


def is_anybody(rows: Rows) -> bool:
    """Whether there is anybody who may sign in."""
    return rows.one("SELECT 1 FROM people WHERE disabled_at IS NULL LIMIT 1") is not None


def change(rows: Rows, number: int, *, name: str, role: str) -> None:
    rows.run("UPDATE people SET name = :name, role = :role WHERE id = :id", {"id": number, "name": name, "role": role})


def set_password(rows: Rows, number: int, password: str) -> None:
    rows.run("UPDATE people SET password = :password WHERE id = :id", {"id": number, "password": password})


def disable(rows: Rows, number: int, at: datetime | None) -> None:
    """None: they may sign in again."""
    rows.run(
        "UPDATE people SET disabled_at = :at WHERE id = :id", {"id": number, "at": None if at is None else stamp(at)}
    )


# One-time codes


def want_codes(rows: Rows, number: int, since: datetime | None, step: int = 0) -> None:
    """From now on, or (None) no more. Codes up to that of `step` are used up."""
    rows.run(
        "UPDATE people SET codes_since = :since, code_step = :step WHERE id = :id",
        {"id": number, "since": None if since is None else stamp(since), "step": step},
    )


def use_step(rows: Rows, number: int, step: int) -> bool:
    """The code of this step is used up, and all before. False when it was."""
    return bool(
        rows.run(
            "UPDATE people SET code_step = :step WHERE id = :id AND code_step < :step", {"id": number, "step": step}
        )
    )


def keep_recovery(rows: Rows, number: int, keys: Sequence[str]) -> None:
    """These, and none of those from before."""
    rows.run("DELETE FROM recovery_codes WHERE person = :id", {"id": number})
    for key in keys:
        rows.run("INSERT INTO recovery_codes (person, key) VALUES (:id, :key)", {"id": number, "key": key})


def use_recovery(rows: Rows, number: int, key: str) -> bool:
    """It is used up. False when there is none such."""
    return bool(rows.run("DELETE FROM recovery_codes WHERE person = :id AND key = :key", {"id": number, "key": key}))


def count_recovery(rows: Rows, number: int) -> int:
    """How many are left."""
    return len(rows.all("SELECT 1 FROM recovery_codes WHERE person = :id", {"id": number}))


# Sessions


def begin(rows: Rows, session: SessionRow) -> None:
    """Also notes that the person signed in, once nothing more is asked for."""
    rows.run(
        f"INSERT INTO sessions ({_SESSION})"  # noqa: S608
        " VALUES (:key, :person, :created_at, :seen_at, :expires_at, :agent, :awaits)",
        vars(session) | {name: stamp(getattr(session, name)) for name in ("created_at", "seen_at", "expires_at")},
    )
    if not session.awaits:
        rows.run(
            "UPDATE people SET signed_in_at = :now WHERE id = :id",
            {"id": session.person, "now": stamp(session.created_at)},
        )


def session(rows: Rows, key: str) -> SessionRow | None:
    row = rows.one(f"SELECT {_SESSION} FROM sessions WHERE key = :key", {"key": key})  # noqa: S608
    return _session(row) if row else None


def sessions_of(rows: Rows, person: int) -> list[SessionRow]:
    """Those that let them in, last seen first."""
    found = rows.all(
        f"SELECT {_SESSION} FROM sessions WHERE person = :person AND awaits = '' ORDER BY seen_at DESC",  # noqa: S608
        {"person": person},
    )
    return [_session(row) for row in found]


def see(rows: Rows, key: str, now: datetime) -> None:
    rows.run("UPDATE sessions SET seen_at = :now WHERE key = :key", {"key": key, "now": stamp(now)})


def end(rows: Rows, key: str) -> None:
    rows.run("DELETE FROM sessions WHERE key = :key", {"key": key})


def end_all(rows: Rows, person: int) -> None:
    rows.run("DELETE FROM sessions WHERE person = :person", {"person": person})


def end_expired(rows: Rows, now: datetime) -> None:
    rows.run("DELETE FROM sessions WHERE expires_at <= :now", {"now": stamp(now)})


# Failures


def failures(rows: Rows, who: str) -> tuple[int, datetime] | None:
    """How many in a row, and the time of the last; None: there was none."""
    row = rows.one("SELECT failures, last_at FROM failed_sign_ins WHERE who = :who", {"who": who})
    return (row[0], unstamp(row[1])) if row else None


def note_failure(rows: Rows, who: str, now: datetime) -> None:
    rows.run(
        "INSERT INTO failed_sign_ins (who, failures, last_at) VALUES (:who, 1, :now) ON CONFLICT (who) DO UPDATE"
        " SET failures = failed_sign_ins.failures + 1, last_at = excluded.last_at",
        {"who": who, "now": stamp(now)},
    )


def take_back_failure(rows: Rows, who: str, last_at: datetime | None) -> None:
    """One that was noted wasn't one; `last_at` is the time of the one before it."""
    rows.run(
        "UPDATE failed_sign_ins SET failures = failures - 1, last_at = COALESCE(CAST(:last AS bigint), last_at)"
        " WHERE who = :who",
        {"who": who, "last": None if last_at is None else stamp(last_at)},
    )
    rows.run("DELETE FROM failed_sign_ins WHERE who = :who AND failures <= 0", {"who": who})


def forget_failures(rows: Rows, who: str) -> None:
    rows.run("DELETE FROM failed_sign_ins WHERE who = :who", {"who": who})


def forget_old_failures(rows: Rows, before: datetime) -> None:
    rows.run("DELETE FROM failed_sign_ins WHERE last_at < :before", {"before": stamp(before)})


def _person(row: tuple[Any, ...]) -> PersonRow:
    number, name, email, role, password, *times = row
    created, disabled, signed_in, codes_since = map(maybe, times)
    assert created is not None
    return PersonRow(number, name, email, role, password, created, disabled, signed_in, codes_since)


def _session(row: tuple[Any, ...]) -> SessionRow:
    key, person, created, seen, expires, agent, awaits = row
    return SessionRow(key, person, unstamp(created), unstamp(seen), unstamp(expires), agent, awaits)
