"""Tokens of programs: shown once, never more than whose they are, and over when they are revoked."""

from datetime import timedelta

import pytest

from bellwire.access import Right, Role, add_person, issue_token, revoke_token, token_rights
from bellwire.errors import BellwireError, NotFound
from bellwire.ledger import Database, Rows, audit, people, tokens
from tests.samples import NOW

ALL = frozenset(Right)


async def test_a_token_is_known_by_a_hash_and_says_what_it_may(ledger: Database) -> None:
    number, token = await ledger.write(lambda rows: issue_token(rows, " till ", {Right.WORK, Right.SEE}, NOW, who="D"))
    assert token.startswith("bw_") and len(token) > 40
    row, rights = await _found(ledger, token)
    assert (row.id, row.name, row.rights) == (number, "till", ("see", "work"))
    assert rights == {Right.SEE, Right.WORK}
    kept = await ledger.read(lambda rows: rows.all("SELECT * FROM tokens"))
    assert token not in str(kept)
    (act,) = await ledger.read(lambda rows: audit.newest(rows, limit=9))
    assert (act.what, act.detail) == ("issue", "till: see, work")


async def test_it_ends_when_it_is_revoked_or_its_time_is_over(ledger: Database) -> None:
    end = NOW + timedelta(days=1)
    number, token = await ledger.write(lambda rows: issue_token(rows, "x", ALL, NOW, who="D", expires_at=end))
    assert await ledger.read(lambda rows: token_rights(rows, token, end - timedelta(seconds=1)))
    assert await ledger.read(lambda rows: token_rights(rows, token, end)) is None
    await ledger.write(lambda rows: revoke_token(rows, number, NOW, who="D"))
    assert await ledger.read(lambda rows: token_rights(rows, token, NOW)) is None
    assert await ledger.read(lambda rows: token_rights(rows, "bw_nobodys", NOW)) is None
    with pytest.raises(NotFound):
        await ledger.write(lambda rows: revoke_token(rows, 77, NOW, who="D"))


async def test_it_may_no_more_than_the_person_and_ends_with_the_account(ledger: Database) -> None:
    def make(rows: Rows) -> str:
        add_person(rows, name="Ada", email="ada@example.com", role=Role.OWNER, password="k", now=NOW, who="D")
        dana = add_person(rows, name="D", email="d@example.com", role=Role.OWNER, password="k", now=NOW, who="D")
        return issue_token(rows, "x", ALL, NOW, who="D", person=dana.id)[1]

    token = await ledger.write(make)
    assert (await _found(ledger, token))[1] == ALL
    await ledger.write(lambda rows: people.change(rows, 2, name="D", role="viewer"))
    assert (await _found(ledger, token))[1] == {Right.SEE}
    await ledger.write(lambda rows: people.disable(rows, 2, NOW))
    assert await ledger.read(lambda rows: token_rights(rows, token, NOW)) is None


@pytest.mark.parametrize(("name", "rights", "ends"), [("", ALL, None), ("x", (), None), ("x", ALL, NOW)])
async def test_what_makes_no_token_is_refused(
    ledger: Database, name: str, rights: frozenset[Right], ends: object
) -> None:
    with pytest.raises(BellwireError):
        await ledger.write(lambda rows: issue_token(rows, name, rights, NOW, who="D", expires_at=ends))  # type: ignore[arg-type]
    assert await ledger.read(tokens.all_of_them) == []


async def _found(ledger: Database, token: str) -> tuple[tokens.TokenRow, frozenset[Right]]:
    found = await ledger.read(lambda rows: token_rights(rows, token, NOW))
    assert found is not None
    return found
