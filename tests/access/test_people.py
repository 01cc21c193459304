"""Roles and rights, and that somebody is always an owner."""

import pytest

from bellwire.access import (
    Right,
    Role,
    add_person,
    begin_session,
    change_person,
    close_account,
    find_session,
    open_account,
    set_password,
)
from bellwire.errors import BellwireError, NotFound
from bellwire.ledger import Database, PersonRow, Rows, audit, people
from tests.samples import NOW


def add(rows: Rows, name: str, role: Role = Role.OWNER, email: str = "") -> PersonRow:
    email = email or f"{name.lower()}@example.com"
    return add_person(rows, name=name, email=email, role=role, password="kept", now=NOW, who="Dana")


def test_each_role_may_do_what_the_one_below_it_may() -> None:
    assert Role.VIEWER.rights < Role.OPERATOR.rights < Role.OWNER.rights == set(Right)
    assert Right.WORK in Role.OPERATOR.rights and Right.MANAGE not in Role.OPERATOR.rights
    assert len({role.meaning for role in Role}) == len(Role)


async def test_names_and_addresses_are_tidied_and_kept_apart(ledger: Database) -> None:
    person = await ledger.write(lambda rows: add(rows, "  Dana   Hill ", email=" Dana@Example.COM "))
    assert (person.name, person.email, person.role) == ("Dana Hill", "dana@example.com", "owner")
    assert "kept" not in repr(person)
    with pytest.raises(BellwireError, match="is there already"):
        await ledger.write(lambda rows: add(rows, "Other", email="DANA@example.com"))


@pytest.mark.parametrize(
    ("name", "email"), [("", "a@example.com"), ("x" * 101, "a@example.com"), ("A", "a@b"), ("A", "a b@example.com")]
)
async def test_what_is_no_name_or_address_is_refused(ledger: Database, name: str, email: str) -> None:
    with pytest.raises(BellwireError):
        await ledger.write(lambda rows: add(rows, name, email=email))
    assert await ledger.read(people.everybody) == []


async def test_the_first_account_is_an_owners(ledger: Database) -> None:
    with pytest.raises(BellwireError, match="first account"):
        await ledger.write(lambda rows: add(rows, "Vic", Role.VIEWER))
    await ledger.write(lambda rows: add(rows, "Dana"))
    assert (await ledger.write(lambda rows: add(rows, "Vic", Role.VIEWER))).role == Role.VIEWER


async def test_the_last_owner_can_neither_be_closed_nor_made_less(ledger: Database) -> None:
    dana = await ledger.write(lambda rows: add(rows, "Dana"))
    ada = await ledger.write(lambda rows: add(rows, "Ada"))
    await ledger.write(lambda rows: close_account(rows, ada.id, NOW, who="Dana"))
    for less in (
        lambda rows: close_account(rows, dana.id, NOW, who="Dana"),
        lambda rows: change_person(rows, dana.id, name="Dana", role=Role.OPERATOR, now=NOW, who="Dana"),
    ):
        with pytest.raises(BellwireError, match="only owner"):
            await ledger.write(less)
    await ledger.write(lambda rows: change_person(rows, dana.id, name="Dee", role=Role.OWNER, now=NOW, who="Dana"))
    await ledger.write(lambda rows: open_account(rows, ada.id, NOW, who="Dana"))
    await ledger.write(lambda rows: close_account(rows, dana.id, NOW, who="Ada"))
    assert [person.name for person in await ledger.read(people.everybody) if person.disabled_at is None] == ["Ada"]


@pytest.mark.parametrize(
    "way", [close_account, lambda rows, *rest, who: set_password(rows, rest[0], "k", NOW, who=who)]
)
async def test_closing_and_a_new_password_end_all_sessions(ledger: Database, way: object) -> None:
    await ledger.write(lambda rows: add(rows, "Ada"))
    dana = await ledger.write(lambda rows: add(rows, "Dana"))
    secrets = [await ledger.write(lambda rows: begin_session(rows, dana.id, NOW, "x")) for _ in range(2)]
    await ledger.write(lambda rows: way(rows, dana.id, NOW, who="Ada"))  # type: ignore[operator]
    for secret in secrets:
        assert await ledger.read(lambda rows, secret=secret: find_session(rows, secret, NOW)) is None  # type: ignore[misc]


async def test_what_is_done_to_people_is_on_record_without_their_address(ledger: Database) -> None:
    dana = await ledger.write(lambda rows: add(rows, "Dana"))
    await ledger.write(lambda rows: set_password(rows, dana.id, "k", NOW, who="Dana"))
    acts = await ledger.read(lambda rows: audit.newest(rows, limit=9))
    assert [(act.what, act.target) for act in acts] == [("set the password of", "person 1"), ("add", "person 1")]
    assert not any("@" in act.detail or "kept" in act.detail for act in acts)


async def test_nobody_is_told_as_such(ledger: Database) -> None:
    for way in (close_account, open_account):
        with pytest.raises(NotFound):
            await ledger.write(lambda rows, way=way: way(rows, 7, NOW, who="Dana"))  # type: ignore[misc]
