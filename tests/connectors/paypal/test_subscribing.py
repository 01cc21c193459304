"""Webhooks of the app: made, looked at and mended."""

from datetime import UTC, datetime
from typing import Any

import pytest

from bellwire.connectors.kit import Call, repair, standing
from bellwire.connectors.paypal.certificates import learn
from bellwire.connectors.paypal.subscribing import SUBSCRIBING
from bellwire.connectors.paypal.topics import TOPICS
from bellwire.connectors.paypal.words import read_words
from bellwire.errors import OutcomeUnknown, Refusal
from bellwire.events import Delivery
from bellwire.practice import Fault, FaultKind
from bellwire.practice.paypal import PayPalSimulator
from tests.connectors.paypal.conftest import Calling
from tests.connectors.paypal.described import problems
from tests.samples import usd
from tests.shared import needs_shared

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.proves("subscriptions")]

URL = "https://hooks.example.com/hooks/pay"
BARE = {"webhook_secret": ""}


async def mended(call: Call) -> bool:
    """Repair, and keep what came of it; whether anything did."""
    made = await repair(SUBSCRIBING, call, URL, TOPICS)
    call.connection.credentials.store(made)
    return bool(made)


def webhooks(paypal: PayPalSimulator) -> list[dict[str, Any]]:
    return list(paypal.webhooks.values())


def delivered(call: Call, paypal: PayPalSimulator, webhook: str) -> None:
    sent = paypal.webhook("PAYMENT.CAPTURE.COMPLETED", webhook_id=webhook)
    headers = {name.lower(): value for name, value in sent.headers.items()}
    now = datetime.now(UTC)
    assert call.connection.webhook is not None
    call.connection.webhook.verify(Delivery("pay", headers, sent.body, now), call.connection.secrets, now)


async def test_what_is_missing_is_made_and_its_id_verifies_a_delivery(
    calling: Calling, paypal: PayPalSimulator
) -> None:
    paypal.take(usd("24.40"))
    call = calling(credentials=BARE)
    assert await mended(call)
    (made,) = webhooks(paypal)
    assert (made["url"], [each["name"] for each in made["event_types"]]) == (URL, list(TOPICS))
    with pytest.raises(Refusal):
        delivered(call, paypal, made["id"])
    await learn(call)
    delivered(call, paypal, made["id"])


async def test_asked_twice_nothing_happens_the_second_time(calling: Calling, paypal: PayPalSimulator) -> None:
    call = calling(credentials=BARE)
    await mended(call)
    before = len(paypal.received)
    assert not await mended(call)
    assert [request.method for request in list(paypal.received)[before:]] == ["GET"]


async def test_one_whose_id_is_not_known_here_is_made_anew(calling: Calling, paypal: PayPalSimulator) -> None:
    """Its answer was lost, or somebody else made it: what it sends couldn't be verified."""
    call = calling()
    paypal.faults.add(Fault(kind=FaultKind.LOST_ANSWER, match="POST .*webhooks "))
    with pytest.raises(OutcomeUnknown):
        await mended(call)
    (lost,) = webhooks(paypal)
    (broken,) = standing(await SUBSCRIBING.listing(call), URL, TOPICS).broken
    assert "id isn't known" in broken.trouble
    assert await mended(call)
    (made,) = webhooks(paypal)
    assert made["id"] != lost["id"]


async def test_the_id_before_and_the_certificates_stay(calling: Calling, paypal: PayPalSimulator) -> None:
    """PayPal repeats for three days what it signed for the webhook before."""
    paypal.take(usd("24.40"))
    call = calling(credentials=BARE)
    ids = []
    for _ in range(3):
        await mended(call)
        (made,) = webhooks(paypal)
        ids.append(made["id"])
        paypal.webhooks.clear()
    assert read_words(call.connection.secrets).webhooks == [ids[2], ids[1]]
    call = calling()
    await mended(call)
    (made,) = webhooks(paypal)
    delivered(call, paypal, made["id"])
    delivered(call, paypal, "1PRACTICE00000001")


async def test_topics_that_are_missing_or_switched_off_are_added(calling: Calling, paypal: PayPalSimulator) -> None:
    call = calling(credentials=BARE)
    await mended(call)
    (made,) = webhooks(paypal)
    off = {"name": TOPICS[1], "status": "DISABLED"}
    made["event_types"] = [{"name": TOPICS[0]}, off, {"name": "INVOICING.INVOICE.PAID"}]
    assert standing(await SUBSCRIBING.listing(call), URL, TOPICS).missing == TOPICS[1:]
    assert not await mended(call)
    assert webhooks(paypal) == [made]
    names = [each["name"] for each in made["event_types"]]
    assert names == sorted([*TOPICS, "INVOICING.INVOICE.PAID"])


async def test_a_webhook_for_everything_is_well(calling: Calling, paypal: PayPalSimulator) -> None:
    call = calling(credentials=BARE)
    await mended(call)
    webhooks(paypal)[0]["event_types"] = [{"name": "*"}]
    assert standing(await SUBSCRIBING.listing(call), URL, TOPICS).well


async def test_other_peoples_are_left_alone(calling: Calling, paypal: PayPalSimulator) -> None:
    other = {"id": "OTHER", "url": "https://other.example.com/", "event_types": [{"name": "*"}], "links": []}
    paypal.webhooks["OTHER"] = other
    call = calling(credentials=BARE)
    await mended(call)
    await mended(call)
    assert len(webhooks(paypal)) == 2 and paypal.webhooks["OTHER"] is other


async def test_one_that_is_gone_already_is_no_error(calling: Calling, paypal: PayPalSimulator) -> None:
    call = calling(credentials=BARE)
    await mended(call)
    (found,) = await SUBSCRIBING.listing(call)
    await SUBSCRIBING.remove(call, found)
    await SUBSCRIBING.remove(call, found)
    assert webhooks(paypal) == []


@needs_shared
@pytest.mark.proves("spec")
async def test_requests_and_answers_are_as_paypal_describes_them(calling: Calling, paypal: PayPalSimulator) -> None:
    call = calling(credentials=BARE)
    await mended(call)
    webhooks(paypal)[0]["event_types"] = [{"name": TOPICS[0]}]
    await mended(call)
    for each in await SUBSCRIBING.listing(call):
        await SUBSCRIBING.remove(call, each)
    assert {request.method for request in paypal.received} == {"GET", "POST", "PATCH", "DELETE"}
    assert [problem for request in paypal.received for problem in problems(request)] == []
