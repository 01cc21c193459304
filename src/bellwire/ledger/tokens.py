"""What programs show to be let into the API; and what was answered to requests that may come again."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bellwire.ledger.database import Rows
from bellwire.ledger.rows import maybe, stamp, unstamp

_COLUMNS = "id, person, name, rights, created_at, used_at, expires_at, revoked_at"


@dataclass(frozen=True)
class TokenRow:
    """Of the token itself, the ledger knows a hash."""

    id: int
    person: int | None
    """Whose rights it can't go beyond; None: made on the command line."""
    name: str
    rights: tuple[str, ...]
    created_at: datetime
    used_at: datetime | None
    expires_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True)
class AnswerRow:
    asked: str
    """A digest of the request."""
    status: int
    body: str


def add(
    rows: Rows,
    name: str,
    key: str,
    rights: tuple[str, ...],
    now: datetime,
    *,
    person: int | None,
    expires_at: datetime | None,
) -> int:
    number = rows.insert(
        "INSERT INTO tokens (person, name, key, rights, created_at, expires_at)"
        " VALUES (:person, :name, :key, :rights, :now, :expires_at)",
        {
            "person": person,
            "name": name,
            "key": key,
            "rights": " ".join(rights),
            "now": stamp(now),
            "expires_at": None if expires_at is None else stamp(expires_at),
        },
    )
    assert number is not None
    return number


def by_key(rows: Rows, key: str) -> TokenRow | None:
    row = rows.one(f"SELECT {_COLUMNS} FROM tokens WHERE key = :key", {"key": key})  # noqa: S608
    return _token(row) if row else None


def find(rows: Rows, number: int) -> TokenRow | None:
    row = rows.one(f"SELECT {_COLUMNS} FROM tokens WHERE id = :id", {"id": number})  # noqa: S608
    return _token(row) if row else None


def all_of_them(rows: Rows) -> list[TokenRow]:
    """The newest first, the revoked ones too."""
    return [_token(row) for row in rows.all(f"SELECT {_COLUMNS} FROM tokens ORDER BY id DESC")]  # noqa: S608


def use(rows: Rows, number: int, now: datetime) -> None:
    rows.run("UPDATE tokens SET used_at = :now WHERE id = :id", {"id": number, "now": stamp(now)})


def revoke(rows: Rows, number: int, now: datetime) -> None:
    rows.run(
        "UPDATE tokens SET revoked_at = :now WHERE id = :id AND revoked_at IS NULL", {"id": number, "now": stamp(now)}
    )


# Answers


def answer(rows: Rows, token: int, key: str) -> AnswerRow | None:
    row = rows.one(
        "SELECT asked, status, body FROM answers WHERE token = :token AND key = :key", {"token": token, "key": key}
    )
    return AnswerRow(*row) if row else None


def keep_answer(rows: Rows, token: int, key: str, kept: AnswerRow, now: datetime) -> None:
    rows.run(
        "INSERT INTO answers (token, key, asked, status, body, at) VALUES (:token, :key, :asked, :status, :body, :now)"
        " ON CONFLICT (token, key) DO NOTHING",
        vars(kept) | {"token": token, "key": key, "now": stamp(now)},
    )


def forget_answers(rows: Rows, before: datetime) -> None:
    rows.run("DELETE FROM answers WHERE at < :before", {"before": stamp(before)})


def _token(row: tuple[Any, ...]) -> TokenRow:
    number, person, name, rights, created, used, expires, revoked = row
    return TokenRow(
        number, person, name, tuple(rights.split()), unstamp(created), maybe(used), maybe(expires), maybe(revoked)
    )
