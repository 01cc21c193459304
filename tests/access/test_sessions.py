"""Sessions end by themselves, by signing out, and with the account; and no old one is of use."""

from datetime import timedelta

import pytest

from bellwire.access import (
    LONGEST,
    Role,
    add_person,
    begin_half,
    begin_session,
    close_account,
    end_session,
    find_half,
    find_session,
    key_of,
    note_session,
    sign_out,
)
from bellwire.errors import NotFound
from bellwire.ledger import Database, PersonRow, people
from tests.samples import NOW

DAY = timedelta(days=1)


@pytest.fixture
async def dana(ledger: Database) -> PersonRow:
    for name in ("Ada", "Dana"):
        person = await ledger.write(
            lambda rows, name=name: add_person(  # type: ignore[misc]
                rows, name=name, email=f"{name}@example.com", role=Role.OWNER, password="k", now=NOW, who=name
            )
        )
    assert isinstance(person, PersonRow)
    return person


async def begin(ledger: Database, person: PersonRow, instead_of: str = "") -> str:
    return await ledger.write(lambda rows: begin_session(rows, person.id, NOW, "x" * 999, instead_of=instead_of))


async def test_a_session_is_found_by_its_secret_which_the_ledger_doesnt_know(ledger: Database, dana: PersonRow) -> None:
    secret = await begin(ledger, dana)
    found = await ledger.read(lambda rows: find_session(rows, secret, NOW))
    assert found is not None and found.person.name == "Dana" and not found.to_note
    (row,) = await ledger.read(lambda rows: people.sessions_of(rows, dana.id))
    assert row.key == key_of(secret) and secret not in row.key
    assert len(row.agent) == 200
    assert await ledger.read(lambda rows: find_session(rows, row.key, NOW)) is None, (
        "what the ledger has lets nobody in"
    )


async def test_unused_it_ends_after_a_week_and_used_after_thirty_days(ledger: Database, dana: PersonRow) -> None:
    secret = await begin(ledger, dana)
    assert await ledger.read(lambda rows: find_session(rows, secret, NOW + 7 * DAY)) is None
    now = NOW
    while now + 6 * DAY < NOW + LONGEST:
        now += 6 * DAY
        found = await ledger.read(lambda rows, now=now: find_session(rows, secret, now))  # type: ignore[misc]
        assert found is not None and found.to_note
        await ledger.write(lambda rows, now=now: note_session(rows, secret, now))  # type: ignore[misc]
    assert await ledger.read(lambda rows: find_session(rows, secret, NOW + LONGEST)) is None


async def test_signing_in_ends_the_session_that_the_browser_had(ledger: Database, dana: PersonRow) -> None:
    before = await begin(ledger, dana)
    after = await begin(ledger, dana, instead_of=before)
    assert before != after
    assert await ledger.read(lambda rows: find_session(rows, before, NOW)) is None
    assert await ledger.read(lambda rows: find_session(rows, after, NOW))


async def test_signing_out_and_a_closed_account_let_nobody_in(ledger: Database, dana: PersonRow) -> None:
    here, there = await begin(ledger, dana), await begin(ledger, dana)
    await ledger.write(lambda rows: end_session(rows, here))
    assert await ledger.read(lambda rows: find_session(rows, here, NOW)) is None
    await ledger.write(lambda rows: people.disable(rows, dana.id, NOW))
    assert await ledger.read(lambda rows: find_session(rows, there, NOW)) is None
    await ledger.write(lambda rows: close_account(rows, dana.id, NOW, who="Ada"))
    assert await ledger.read(lambda rows: people.sessions_of(rows, dana.id)) == []


async def test_one_can_end_ones_own_sessions_only(ledger: Database, dana: PersonRow) -> None:
    mine = await begin(ledger, dana)
    with pytest.raises(NotFound):
        await ledger.write(lambda rows: sign_out(rows, 1, NOW, who="Dana", session=key_of(mine)))
    assert await ledger.read(lambda rows: find_session(rows, mine, NOW))
    await ledger.write(lambda rows: sign_out(rows, dana.id, NOW, who="Dana", session=key_of(mine)))
    assert await ledger.read(lambda rows: find_session(rows, mine, NOW)) is None


async def test_half_a_sign_in_lets_nobody_in_and_ends_after_ten_minutes(ledger: Database, dana: PersonRow) -> None:
    secret = await ledger.write(lambda rows: begin_half(rows, dana.id, NOW, "x", instead_of=""))
    assert await ledger.read(lambda rows: find_session(rows, secret, NOW)) is None
    found = await ledger.read(lambda rows: find_half(rows, secret, NOW))
    assert found is not None and found.id == dana.id and found.signed_in_at is None
    assert await ledger.read(lambda rows: people.sessions_of(rows, dana.id)) == []
    assert await ledger.read(lambda rows: find_half(rows, secret, NOW + timedelta(minutes=10))) is None
    whole = await begin(ledger, dana, instead_of=secret)
    assert await ledger.read(lambda rows: find_half(rows, whole, NOW)) is None
    assert await ledger.read(lambda rows: find_half(rows, secret, NOW)) is None
