"""What the list of events brings, beside the webhooks."""

from datetime import timedelta

import orjson
import pytest

from bellwire.connectors.kit import POLLED, Call
from bellwire.connectors.stripe.polling import EVENTS
from bellwire.connectors.stripe.triggers import normalise
from bellwire.errors import Refused
from bellwire.events import Delivery
from bellwire.practice.stripe import StripeSimulator
from tests.connectors.stripe.conftest import Calling
from tests.connectors.stripe.described import problems
from tests.samples import NOW
from tests.shared import needs_shared

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.proves("reconcile")]

LONG_AGO = NOW - timedelta(days=3650)


async def polled(call: Call, cursor: str = "") -> list[bytes]:
    bodies: list[bytes] = []
    while True:
        page = await EVENTS.page(call, LONG_AGO, cursor)
        bodies += [record.body for record in page.records]
        cursor = page.next_cursor
        if not cursor:
            return bodies


def keys(call: Call, bodies: list[bytes], **headers: str) -> set[str]:
    deliveries = (Delivery("pay", headers, body, NOW) for body in bodies)
    return {event.business_key for each in deliveries for event in normalise(each, call.connection).events}


def sent(stripe: StripeSimulator) -> list[bytes]:
    return [orjson.dumps(event) for event in stripe.account.held["events"].values()]


def happen(stripe: StripeSimulator) -> str:
    """A bit of everything; gives the id of a payment that is for no invoice."""
    account = stripe.account
    payment, plan = account.take(2440, "usd"), account.subscribe(2000)
    account.give_back(account.charge_of(payment), 500, {})
    account.renew(plan)
    account.dispute(payment)
    account.declining = True
    account.renew(plan)
    account.end(plan)
    return payment


async def test_each_fact_has_the_key_that_the_webhook_gives_it(calling: Calling, stripe: StripeSimulator) -> None:
    payment, call = happen(stripe), calling()
    by_poll = keys(call, await polled(call), **{POLLED: "events"})
    by_webhook = keys(call, sent(stripe))
    assert by_poll == by_webhook | {f"pay/payment/{payment}/succeeded"}
    assert len(by_webhook) >= 9


async def test_a_payment_of_an_invoice_is_told_once_by_its_invoice(calling: Calling, stripe: StripeSimulator) -> None:
    stripe.account.renew(stripe.account.subscribe(2000))
    stripe.account.declining = True
    stripe.account.bill(500, "usd")
    call = calling()
    found = keys(call, await polled(call), **{POLLED: "events"})
    assert not [key for key in found if "/payment/" in key]
    assert len([key for key in found if "/invoice/" in key]) == 3


async def test_an_event_that_says_it_itself_needs_no_question(calling: Calling, stripe: StripeSimulator) -> None:
    for invoice in (None, "in_1"):
        stripe.account.take(2440, "usd")
        event = next(reversed(stripe.account.held["events"].values()))
        event["data"]["object"]["invoice"] = invoice
    assert len(await polled(calling())) == 1
    assert {request.path for request in stripe.received} == {"/v1/events"}


async def test_it_is_read_page_by_page_and_goes_on_from_a_cursor_that_somebody_else_kept(
    calling: Calling, stripe: StripeSimulator
) -> None:
    for _ in range(250):
        stripe.account.subscribe(2000)
    first = await EVENTS.page(calling(), LONG_AGO, "")
    assert len(first.records) == 100 and first.next_cursor
    rest = await polled(calling(), first.next_cursor)
    ids = [orjson.loads(each)["id"] for each in [*(record.body for record in first.records), *rest]]
    assert sorted(ids) == sorted(stripe.account.held["events"])
    assert [request.query.get("starting_after") is not None for request in stripe.received] == [False, True, True]


async def test_what_happens_while_it_is_read_moves_no_page(calling: Calling, stripe: StripeSimulator) -> None:
    for _ in range(150):
        stripe.account.subscribe(2000)
    before = set(stripe.account.held["events"])
    first = await EVENTS.page(calling(), LONG_AGO, "")
    stripe.account.subscribe(2000)
    rest = await polled(calling(), first.next_cursor)
    ids = [orjson.loads(each)["id"] for each in [*(record.body for record in first.records), *rest]]
    assert len(ids) == 150 and set(ids) == before


async def test_a_cursor_that_stripe_has_forgotten_begins_anew(calling: Calling, stripe: StripeSimulator) -> None:
    stripe.account.subscribe(2000)
    assert len(await polled(calling(), "evt_of_last_month")) == 1
    stripe.keys["rk_test_practice"] = {"events"}
    with pytest.raises(Refused) as caught:
        await polled(calling(), "evt_of_last_month")
    assert caught.value.cause == "no-permission"


async def test_only_what_is_new_is_asked_for_and_what_is_listed_is_known_again(
    calling: Calling, stripe: StripeSimulator
) -> None:
    stripe.account.subscribe(2000)
    (event,) = stripe.account.held["events"].values()
    event["created"] = int((NOW - timedelta(days=1)).timestamp())
    call = calling()
    assert (await EVENTS.page(call, NOW, "")).records == ()
    (record,) = (await EVENTS.page(call, NOW - timedelta(days=1), "")).records
    assert record.id == f"event/{event['id']}"


@needs_shared
@pytest.mark.proves("spec")
async def test_its_requests_and_answers_are_as_stripe_describes_them(calling: Calling, stripe: StripeSimulator) -> None:
    happen(stripe)
    await polled(calling())
    assert {request.path for request in stripe.received} == {"/v1/events", "/v1/invoice_payments"}
    assert [problem for request in stripe.received for problem in problems(request)] == []
