"""Tokens: what programs show to be let into the API. Each is random, shown once, and the ledger knows a hash of it."""

import hashlib
import secrets
from collections.abc import Collection
from datetime import datetime

from bellwire.access.rights import Right, Role
from bellwire.errors import BellwireError, NotFound
from bellwire.ledger import Rows, TokenRow, audit, people, tokens

PREFIX = "bw_"
_LONGEST_NAME = 100


def issue_token(
    rows: Rows,
    name: str,
    rights: Collection[Right],
    now: datetime,
    *,
    who: str,
    person: int | None = None,
    expires_at: datetime | None = None,
) -> tuple[int, str]:
    """Its number, and the token itself, which is shown once. Raises BellwireError."""
    name = " ".join(name.split())
    if not name or len(name) > _LONGEST_NAME:
        raise BellwireError(f"A token has a name of 1 to {_LONGEST_NAME} characters: what it is for.")
    if not rights:
        raise BellwireError("A token without any right is of no use.")
    if expires_at is not None and expires_at <= now:
        raise BellwireError("A token can't expire in the past.")
    ordered = tuple(right.value for right in Right if right in rights)
    token = PREFIX + secrets.token_urlsafe(32)
    number = tokens.add(rows, name, _key_of(token), ordered, now, person=person, expires_at=expires_at)
    audit.record(rows, who, "issue", f"token {number}", now, f"{name}: {', '.join(ordered)}")
    return number, token


def revoke_token(rows: Rows, number: int, now: datetime, *, who: str) -> None:
    """Raises NotFound."""
    token = tokens.find(rows, number)
    if token is None:
        raise NotFound(f"There is no token {number}.")
    tokens.revoke(rows, number, now)
    audit.record(rows, who, "revoke", f"token {number}", now, token.name)


def token_rights(rows: Rows, token: str, now: datetime) -> tuple[TokenRow, frozenset[Right]] | None:
    """What a token may do: no more than whoever it belongs to. None: it isn't good, or not any more."""
    row = tokens.by_key(rows, _key_of(token))
    if row is None or row.revoked_at is not None or (row.expires_at is not None and row.expires_at <= now):
        return None
    rights = frozenset(Right(right) for right in row.rights)
    if row.person is not None:
        person = people.find(rows, row.person)
        if person is None or person.disabled_at is not None:
            return None
        rights &= Role(person.role).rights
    return row, rights


def _key_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
