"""The polls: what changed, to the last page."""

from datetime import timedelta
from typing import Any

import pytest

from bellwire.connectors.hubspot.triggers import TRIGGERS, normalise
from bellwire.connectors.kit import Connection
from bellwire.events import Contact, Deal, Delivery, Event
from bellwire.practice.hubspot import HubSpot
from tests.connecting import call
from tests.connectors.hubspot.conftest import Connect
from tests.samples import NOW, usd

pytestmark = [pytest.mark.proves("reconcile", "paging"), pytest.mark.asyncio(loop_scope="module")]

CONTACTS, DEALS = TRIGGERS.polls


@pytest.fixture(autouse=True)
def _empty(portal: HubSpot) -> None:
    for records in portal.crm.records.values():
        records.clear()


async def events(poll: Any, crm: Connection, cursor: str = "") -> tuple[list[Event], list[str]]:
    """What comes of all pages, and the cursors between them."""
    found: list[Event] = []
    cursors: list[str] = []
    while True:
        page = await poll.page(call(crm), NOW, cursor)
        for record in page.records:
            found += normalise(Delivery("crm", {}, record.body, NOW), crm).events
        if not page.next_cursor:
            return found, cursors
        cursor = page.next_cursor
        cursors.append(cursor)
        assert len(cursors) < 10, "it doesn't get on"


async def test_a_contact_that_changed_is_told_whole(connect: Connect, portal: HubSpot) -> None:
    portal.crm.add("contacts", {"email": "old@example.com"}, at=NOW - timedelta(seconds=1))
    new = portal.crm.add("contacts", {"email": "robin@example.com"}, at=NOW - timedelta(days=1))
    named = {"firstname": "Robin", "lastname": "Hill", "mobilephone": "+1512", "company": "Hill Ltd"}
    portal.crm.change("contacts", new["id"], named, at=NOW)
    (event,) = (await events(CONTACTS, connect()))[0]
    assert event.data == Contact(
        id=new["id"],
        name="Robin Hill",
        email="robin@example.com",
        phone="+1512",
        company="Hill Ltd",
        updated_at=NOW,
    )
    assert (event.type, event.subject, event.version) == ("contact.updated", f"contact/{new['id']}", NOW)


async def test_a_deal_is_told_with_its_contact_and_currency(connect: Connect, portal: HubSpot) -> None:
    told = {"dealname": "Tea", "dealstage": "closedwon", "amount": "240.00", "closedate": "2026-12-24T00:00:00Z"}
    deal = portal.crm.add("deals", told, at=NOW)
    foreign = portal.crm.add(
        "deals", {"dealname": "Tee", "dealstage": "closedwon", "amount": "1", "deal_currency_code": "EUR"}, at=NOW
    )
    portal.crm.links["7", "deals"] = [deal["id"]]
    first, second = (event.data for event in (await events(DEALS, connect()))[0])
    assert isinstance(first, Deal) and isinstance(second, Deal)
    assert (first.amount, first.contact_id, first.stage) == (usd("240.00"), "7", "closedwon")
    assert first.closes_on is not None and first.closes_on.isoformat() == "2026-12-24"
    assert (second.id, str(second.amount), second.contact_id) == (foreign["id"], "1.00 EUR", "")


async def test_all_pages_are_read_and_each_record_is_listed(connect: Connect, portal: HubSpot) -> None:
    made = [portal.crm.add("contacts", {}, at=NOW + timedelta(seconds=n)) for n in range(450)]
    found, cursors = await events(CONTACTS, connect())
    assert {event.data.id for event in found} == {record["id"] for record in made}
    assert len(cursors) == 2


async def test_what_changes_while_it_is_read_pushes_nothing_out(connect: Connect, portal: HubSpot) -> None:
    made = [portal.crm.add("contacts", {}, at=NOW + timedelta(seconds=n)) for n in range(250)]
    crm = connect()
    first = await CONTACTS.page(call(crm), NOW, "")
    for record in made[:60]:
        portal.crm.change("contacts", record["id"], {"phone": "1"}, at=NOW + timedelta(hours=1))
    rest, _ = await events(CONTACTS, crm, first.next_cursor)
    listed = {record.id.split("/")[1] for record in first.records} | {event.data.id for event in rest}
    assert listed == {record["id"] for record in made}


async def test_many_of_one_time_are_counted_through(connect: Connect, portal: HubSpot) -> None:
    """An import changes thousands in the same millisecond."""
    made = [portal.crm.add("contacts", {}, at=NOW + timedelta(milliseconds=1)) for _ in range(700)]
    found, cursors = await events(CONTACTS, connect())
    assert {event.data.id for event in found} == {record["id"] for record in made}
    assert len(cursors) < 6


async def test_a_cursor_is_good_for_whoever_goes_on_and_a_strange_one_begins_anew(
    connect: Connect, portal: HubSpot
) -> None:
    for n in range(250):
        portal.crm.add("contacts", {}, at=NOW + timedelta(seconds=n))
    first = await CONTACTS.page(call(connect()), NOW, "")
    rest, _ = await events(CONTACTS, connect(), first.next_cursor)
    assert 50 <= len(rest) <= 51
    anew, _ = await events(CONTACTS, connect(), "gone")
    assert len({event.data.id for event in anew}) == 250


async def test_a_state_has_one_key_however_often_it_is_listed(connect: Connect, portal: HubSpot) -> None:
    made = portal.crm.add("contacts", {}, at=NOW)
    once, again = [(await events(CONTACTS, connect()))[0][0] for _ in range(2)]
    portal.crm.change("contacts", made["id"], {"phone": "1"}, at=NOW + timedelta(seconds=1))
    later = (await events(CONTACTS, connect()))[0][0]
    assert once.business_key == again.business_key != later.business_key


async def test_a_webhook_wakes_the_poll_that_lists_what_it_was_about(connect: Connect, portal: HubSpot) -> None:
    portal.crm.untold.clear()
    crm, made = connect(), portal.crm.add("contacts", {"email": "robin@example.com"}, at=NOW)
    sent = portal.webhook("https://hooks.example.com/hooks/crm")
    woken = normalise(Delivery("crm", {}, sent.body, NOW), crm).wake
    assert woken == (CONTACTS.name,)
    assert [event.data.id for event in (await events(CONTACTS, crm))[0]] == [made["id"]]
