"""What Square lists by time of change, and that it is the same as what its webhooks bring."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from bellwire.clock import system_clock
from bellwire.connectors.kit import POLLED, Connection, Listed, Poll
from bellwire.connectors.square import CONNECTOR
from bellwire.events import Delivery, Event
from bellwire.practice.square import SquareSimulator
from tests.connecting import call
from tests.openapi import described
from tests.samples import NOW, usd
from tests.shared import needs_shared

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.proves("reconcile")]

assert CONNECTOR.triggers is not None
TRIGGERS = CONNECTOR.triggers
POLLS = {poll.name: poll for poll in TRIGGERS.polls}
URL = "https://hooks.example.com/hooks/till"


async def listed(poll: Poll, till: Connection, since: datetime, cursor: str = "") -> list[Listed]:
    found: list[Listed] = []
    while True:
        page = await poll.page(call(till), since, cursor)
        found += page.records
        cursor = page.next_cursor
        if not cursor:
            return found


def events(poll: Poll, records: Sequence[Listed], till: Connection) -> list[Event]:
    deliveries = [Delivery("till", {POLLED: poll.name}, record.body, NOW) for record in records]
    return [event for each in deliveries for event in TRIGGERS.normalise(each, till).events]


def told(seller: SquareSimulator, topic: str, number: str, till: Connection) -> list[str]:
    """The business keys of the webhook about the same."""
    sent = seller.webhook(topic, number, url=URL)
    return [
        e.business_key for e in TRIGGERS.normalise(Delivery("till", sent.headers, sent.body, NOW, URL), till).events
    ]


def a_moment_ago() -> datetime:
    return system_clock() - timedelta(seconds=1)


@pytest.mark.proves("paging")
async def test_payments_come_page_by_page_oldest_first_as_the_webhooks_tell_them(
    seller: SquareSimulator, till: Connection
) -> None:
    since = a_moment_ago()
    seller.takings.payments.clear()
    seller.takings.page_size = 2
    taken = [seller.take(usd("1.00"), str(number)) for number in range(5)]
    failed = seller.takings.take(usd("1.00"), status="FAILED")
    seller.takings.take(usd("1.00"), status="APPROVED")
    seller.takings.take(usd("1.00"), location="LOTHER")
    found = await listed(POLLS["payments"], till, since)
    keys = [event.business_key for event in events(POLLS["payments"], found, till)]
    assert keys == [key for number in [*taken, failed] for key in told(seller, "payment.updated", number, till)]
    assert len(keys) == 6
    assert len([each for each in seller.received if each.path == "/v2/payments"]) == 4
    assert {each.query["location_id"] for each in seller.received} == {"LPRACTICE"}
    assert {each.query["updated_at_begin_time"] for each in seller.received} == {
        since.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    }


async def test_what_changed_before_isnt_listed_again(seller: SquareSimulator, till: Connection) -> None:
    seller.take(usd("1.00"))
    assert await listed(POLLS["payments"], till, system_clock() + timedelta(seconds=1)) == []


async def test_a_record_that_changes_is_another_one(seller: SquareSimulator, till: Connection) -> None:
    since = a_moment_ago()
    seller.takings.payments.clear()
    payment = seller.takings.take(usd("1.00"), status="APPROVED")
    (before,) = await listed(POLLS["payments"], till, since)
    seller.takings.payments[payment] |= {"status": "COMPLETED", "updated_at": "2999-01-01T00:00:00.000Z"}
    (after,) = await listed(POLLS["payments"], till, since)
    assert before.id != after.id


async def test_after_a_restart_it_goes_on_from_the_cursor_that_was_kept(
    seller: SquareSimulator, till: Connection
) -> None:
    since = a_moment_ago()
    seller.takings.payments.clear()
    seller.takings.page_size = 2
    taken = [seller.take(usd("1.00")) for _ in range(5)]
    first = await POLLS["payments"].page(call(till), since, "")
    rest = await listed(POLLS["payments"], till, since, first.next_cursor)
    assert [each.id.split("/")[1] for each in [*first.records, *rest]] == taken


@pytest.mark.parametrize("name", list(POLLS))
async def test_a_cursor_that_square_forgot_begins_anew(seller: SquareSimulator, till: Connection, name: str) -> None:
    since = a_moment_ago()
    seller.takings.dispute(seller.take(usd("1.00")))
    fresh = await POLLS[name].page(call(till), since, "")
    assert await POLLS[name].page(call(till), since, "long-gone") == fresh


async def test_refunds_are_listed_when_they_are_over(seller: SquareSimulator, till: Connection) -> None:
    since = a_moment_ago()
    seller.takings.refunds.clear()
    refund = seller.takings.refund({"payment_id": seller.take(usd("9.00")), "amount_money": _usd(100)})["refund"]["id"]
    other = seller.takings.refund({"payment_id": seller.take(usd("9.00")), "amount_money": _usd(100)})["refund"]["id"]
    found = await listed(POLLS["refunds"], till, since)
    assert (len(found), events(POLLS["refunds"], found, till)) == (2, [])
    seller.takings.settle(refund)
    seller.takings.settle(other, "FAILED")
    keys = [event.business_key for event in events(POLLS["refunds"], await listed(POLLS["refunds"], till, since), till)]
    assert keys == [key for number in (refund, other) for key in told(seller, "refund.updated", number, till)]
    assert len(keys) == 2


@pytest.mark.proves("paging")
async def test_counts_are_listed_to_the_last_page_as_the_webhooks_tell_them(
    seller: SquareSimulator, till: Connection
) -> None:
    since = a_moment_ago()
    now = system_clock().isoformat(timespec="milliseconds").replace("+00:00", "Z")
    seller.goods.page_size = 1
    seller.goods.counted = {"VAR-TEA-100": now, "VAR-MUG-RED": now}
    seller.goods.opened = "2020-01-01T00:00:00.000Z"
    found = await listed(POLLS["inventory"], till, since)
    keys = {event.business_key for event in events(POLLS["inventory"], found, till)}
    webhooks = [told(seller, "inventory.count.updated", item, till) for item in ("VAR-TEA-100", "VAR-MUG-RED")]
    assert keys == {key for each in webhooks for key in each}
    assert len(keys) == len(found) == 2


@pytest.mark.proves("paging")
async def test_disputes_are_listed_though_square_cant_be_asked_by_time(
    seller: SquareSimulator, till: Connection
) -> None:
    since = a_moment_ago()
    seller.takings.disputes.clear()
    seller.takings.page_size = 1
    waiting = [seller.takings.dispute(seller.take(usd("9.00"))) for _ in range(3)]
    old = seller.takings.dispute(seller.take(usd("9.00")))
    seller.takings.disputes[old]["updated_at"] = "2020-01-01T00:00:00.000Z"
    found = await listed(POLLS["disputes"], till, since)
    keys = [event.business_key for event in events(POLLS["disputes"], found, till)]
    assert keys == [key for number in waiting for key in told(seller, "dispute.created", number, till)]


async def test_each_poll_brings_what_it_says() -> None:
    assert {name for poll in TRIGGERS.polls for name in poll.event_types} <= set(TRIGGERS.event_types)


@needs_shared
@pytest.mark.proves("spec")
async def test_requests_and_answers_are_as_square_describes_them(seller: SquareSimulator, till: Connection) -> None:
    seller.takings.page_size = 1
    since = a_moment_ago()
    for _ in range(2):
        refund = seller.takings.refund({"payment_id": seller.take(usd("9.00")), "amount_money": _usd(100)})
        seller.takings.settle(refund["refund"]["id"])
        seller.takings.dispute(seller.take(usd("9.00")))
    for poll in TRIGGERS.polls:
        await listed(poll, till, since)
    square = described("square")
    assert [problem for received in seller.received for problem in square.problems(received)] == []


def _usd(cents: int) -> dict[str, object]:
    return {"amount": cents, "currency": "USD"}
