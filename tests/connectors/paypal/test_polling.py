"""What the list of events brings, beside the webhooks."""

from datetime import UTC, datetime, timedelta

import orjson
import pytest

from bellwire.connectors.kit import POLLED, Call
from bellwire.connectors.paypal.polling import EVENTS
from bellwire.connectors.paypal.triggers import normalise
from bellwire.errors import Refused
from bellwire.events import Delivery
from bellwire.practice.paypal import PayPalSimulator
from tests.connectors.paypal.conftest import Calling
from tests.connectors.paypal.described import problems
from tests.samples import NOW, usd
from tests.shared import needs_shared

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.proves("reconcile", "paging")]


def ago(**length: float) -> datetime:
    return datetime.now(UTC) - timedelta(**length)


async def polled(call: Call, cursor: str = "", since: datetime | None = None) -> list[bytes]:
    bodies: list[bytes] = []
    while True:
        page = await EVENTS.page(call, since or ago(hours=1), cursor)
        bodies += [record.body for record in page.records]
        cursor = page.next_cursor
        if not cursor:
            return bodies


def keys(call: Call, bodies: list[bytes], **headers: str) -> list[str]:
    deliveries = (Delivery("pay", headers, body, NOW) for body in bodies)
    return [event.business_key for each in deliveries for event in normalise(each, call.connection).events]


def happen(paypal: PayPalSimulator) -> None:
    account = paypal.account
    paid, plan = account.take(usd("24.40"), "1001"), account.subscribe(usd("20.00"))
    account.take(usd("5"), status="DECLINED")
    account.give_back(paid, {})
    account.dispute(paid)
    account.renew(plan, usd("20.00"))
    account.renew(plan, usd("20.00"), declined=True)
    account.end(plan)


async def test_each_fact_has_the_key_that_the_webhook_gives_it(calling: Calling, paypal: PayPalSimulator) -> None:
    happen(paypal)
    call = calling()
    sent = [paypal.webhook(event["event_type"]).body for event in paypal.account.events.values()]
    by_webhook, by_poll = keys(call, sent), keys(call, await polled(call), **{POLLED: "events"})
    assert sorted(by_poll) == sorted(by_webhook) and len(by_poll) == 9


async def test_it_is_read_page_by_page_and_goes_on_from_a_cursor_that_somebody_else_kept(
    calling: Calling, paypal: PayPalSimulator
) -> None:
    paypal.page_size = 4
    for _ in range(10):
        paypal.take(usd("1"))
    first = await EVENTS.page(calling(), ago(hours=1), "")
    assert len(first.records) == 4 and "index_id=4" in first.next_cursor
    rest = await polled(calling(), first.next_cursor)
    ids = [orjson.loads(each)["id"] for each in [*(record.body for record in first.records), *rest]]
    assert sorted(ids) == sorted(paypal.account.events)


async def test_pages_that_paypal_has_forgotten_are_begun_anew(calling: Calling, paypal: PayPalSimulator) -> None:
    paypal.page_size = 4
    for _ in range(6):
        paypal.take(usd("1"))
    cursor = (await EVENTS.page(calling(), ago(hours=1), "")).next_cursor
    paypal.forgetful = True
    again = await EVENTS.page(calling(), ago(hours=1), cursor)
    assert len(again.records) == 4 and again.next_cursor
    paypal.scopes = set()
    with pytest.raises(Refused) as caught:
        await EVENTS.page(calling(), ago(hours=1), cursor)
    assert caught.value.cause == "no-permission"


async def test_only_what_is_new_is_asked_for_and_never_further_back_than_paypal_keeps(
    calling: Calling, paypal: PayPalSimulator
) -> None:
    paypal.take(usd("1"))
    (event,) = paypal.account.events.values()
    event["create_time"] = ago(hours=2).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert await polled(calling(), since=ago(hours=1)) == []
    assert len(await polled(calling(), since=ago(days=400))) == 1
    begin = datetime.fromisoformat(paypal.received[-1].query["start_time"])
    assert ago(days=30) < begin < ago(days=29)


async def test_what_is_of_no_use_is_left_out(calling: Calling, paypal: PayPalSimulator) -> None:
    paypal.account.tell("PAYMENT.AUTHORIZATION.CREATED", "authorization", {"id": "1"})
    assert await polled(calling()) == []


@needs_shared
@pytest.mark.proves("spec")
async def test_its_requests_and_answers_are_as_paypal_describes_them(calling: Calling, paypal: PayPalSimulator) -> None:
    happen(paypal)
    paypal.page_size = 3
    await polled(calling())
    assert len(paypal.received) == 4
    assert [problem for request in paypal.received for problem in problems(request)] == []
