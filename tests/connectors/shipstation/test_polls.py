"""ShipStation's list of labels, read again and again."""

from datetime import UTC, datetime, timedelta

import pytest

from bellwire.clock import system_clock
from bellwire.connectors.kit import POLLED, Connection, Listed, Poll
from bellwire.connectors.shipstation import CONNECTOR
from bellwire.events import Delivery, Event
from bellwire.practice.shipstation import ShipStationSimulator
from tests.connecting import call
from tests.connectors.shipstation.conftest import buy
from tests.connectors.shipstation.described import described
from tests.samples import NOW
from tests.shared import needs_shared

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.proves("reconcile")]

assert CONNECTOR.triggers is not None
TRIGGERS = CONNECTOR.triggers
LABELS, PARCELS = TRIGGERS.polls


async def listed(poll: Poll, shipping: Connection, since: datetime, cursor: str = "") -> list[Listed]:
    found: list[Listed] = []
    while True:
        page = await poll.page(call(shipping), since, cursor)
        found += page.records
        cursor = page.next_cursor
        if not cursor:
            return found


def events(poll: Poll, records: list[Listed], shipping: Connection) -> list[Event]:
    deliveries = [Delivery("shipping", {POLLED: poll.name}, record.body, NOW) for record in records]
    return [event for each in deliveries for event in TRIGGERS.normalise(each, shipping).events]


def a_moment_ago() -> datetime:
    return system_clock() - timedelta(minutes=1)


@pytest.mark.proves("paging")
async def test_labels_come_page_by_page_oldest_first_whoever_bought_them(
    account: ShipStationSimulator, shipping: Connection
) -> None:
    bought = [await buy(shipping, str(number)) for number in range(1001, 1006)]
    account.bought[bought[0]]["created_at"] = "2020-01-01T00:00:00.000Z"
    account.page_size = 2
    found = events(LABELS, await listed(LABELS, shipping, a_moment_ago()), shipping)
    assert [event.data.id for event in found] == bought[1:]
    assert {event.type for event in found} == {"shipment.created"}
    assert [event.data.reference for event in found] == ["1002", "1003", "1004", "1005"]


async def test_after_a_restart_it_goes_on_from_the_cursor_that_was_kept(
    account: ShipStationSimulator, shipping: Connection
) -> None:
    bought = [await buy(shipping, str(number)) for number in range(1001, 1006)]
    account.page_size = 2
    since = a_moment_ago()
    first = await LABELS.page(call(shipping), since, "")
    # What is made meanwhile moves nothing.
    bought.append(await buy(shipping, "1006"))
    rest = await listed(LABELS, shipping, since, first.next_cursor)
    assert [each.id.split("/")[1] for each in [*first.records, *rest]] == bought


@pytest.mark.parametrize("cursor", ["99", "long-gone"])
async def test_a_page_that_isnt_there_any_more_begins_anew(
    account: ShipStationSimulator, shipping: Connection, cursor: str
) -> None:
    await buy(shipping, "1001")
    fresh = await LABELS.page(call(shipping), a_moment_ago(), "")
    assert len(fresh.records) == 1
    assert await LABELS.page(call(shipping), a_moment_ago(), cursor) == fresh


async def test_a_webhook_about_the_end_of_a_parcel_wakes_the_poll_that_tells_it(
    account: ShipStationSimulator, shipping: Connection
) -> None:
    arrived, lost, going = [await buy(shipping, str(number)) for number in (1001, 1002, 1003)]
    # It was under way for weeks.
    account.bought[arrived]["created_at"] = (
        (system_clock() - timedelta(days=20)).astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )
    account.track(arrived, "delivered")
    account.track(lost, "error")
    sent = account.webhook(arrived, "DE")
    woken = TRIGGERS.normalise(Delivery("shipping", sent.headers, sent.body, NOW), shipping)
    assert woken.wake == (PARCELS.name,)
    found = events(PARCELS, await listed(PARCELS, shipping, a_moment_ago()), shipping)
    assert {event.business_key for event in found if event.type != "shipment.created"} == {
        f"shipping/shipment/{arrived}/delivered",
        f"shipping/shipment/{lost}/exception",
    }
    assert going not in {event.data.id for event in found}


async def test_a_label_whose_parcel_goes_on_is_another_record_of_the_same_parcel(
    account: ShipStationSimulator, shipping: Connection
) -> None:
    label, since = await buy(shipping, "1001"), a_moment_ago()
    (before,) = await listed(LABELS, shipping, since)
    account.track(label, "delivered")
    (after,) = await listed(LABELS, shipping, since)
    assert before.id != after.id
    (created, *_), (same, _) = events(LABELS, [before], shipping), events(LABELS, [after], shipping)
    assert created.business_key == same.business_key


@needs_shared
@pytest.mark.proves("spec")
async def test_requests_and_answers_are_as_shipstation_describes_them(
    account: ShipStationSimulator, shipping: Connection
) -> None:
    for number in (1001, 1002):
        account.track(await buy(shipping, str(number)), "delivered")
    account.page_size = 1
    for poll in TRIGGERS.polls:
        await listed(poll, shipping, a_moment_ago())
    assert [problem for received in account.received for problem in described().problems(received)] == []
