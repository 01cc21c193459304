"""Webhook endpoints: made, looked at and mended."""

from datetime import UTC, datetime

import pytest

from bellwire.connectors.kit import Call, repair, standing
from bellwire.connectors.stripe.subscribing import SUBSCRIBING
from bellwire.connectors.stripe.topics import TOPICS
from bellwire.errors import OutcomeUnknown
from bellwire.events import Delivery
from bellwire.practice import Fault, FaultKind
from bellwire.practice.stripe import StripeSimulator
from tests.connectors.stripe.conftest import Calling
from tests.connectors.stripe.described import problems
from tests.shared import needs_shared

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.proves("subscriptions")]

URL = "https://hooks.example.com/hooks/pay"
BARE = {"access_token": "rk_test_practice"}


async def mended(call: Call) -> bool:
    """Repair, and keep what came of it; whether anything did."""
    made = await repair(SUBSCRIBING, call, URL, TOPICS)
    call.connection.credentials.store(made)
    return bool(made)


def endpoints(stripe: StripeSimulator) -> list[dict[str, object]]:
    return list(stripe.account.held["webhook_endpoints"].values())


async def test_what_is_missing_is_made_and_its_secret_verifies_a_delivery(
    calling: Calling, stripe: StripeSimulator
) -> None:
    call = calling(connected={"credentials": BARE})
    assert await mended(call)
    (made,) = endpoints(stripe)
    assert (made["url"], made["enabled_events"]) == (URL, list(TOPICS))
    assert made["api_version"] == call.connection.manifest.api_version
    stripe.account.take(2440, "usd")
    sent = stripe.webhook("payment_intent.succeeded", secret=call.connection.secrets[0])
    headers = {name.lower(): value for name, value in sent.headers.items()}
    now = datetime.now(UTC)
    assert call.connection.webhook is not None
    call.connection.webhook.verify(Delivery("pay", headers, sent.body, now), call.connection.secrets, now)


async def test_asked_twice_nothing_happens_the_second_time(calling: Calling, stripe: StripeSimulator) -> None:
    call = calling(connected={"credentials": BARE})
    await mended(call)
    before = list(stripe.received)
    assert not await mended(call)
    assert [request.method for request in list(stripe.received)[len(before) :]] == ["GET"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"status": "disabled"}, "disabled"),
        ({"api_version": "2024-06-20"}, "2024-06-20"),
        ({"api_version": None}, "default"),
    ],
)
async def test_what_was_turned_off_or_has_another_version_is_made_anew(
    calling: Calling, stripe: StripeSimulator, changes: dict[str, str | None], said: str
) -> None:
    call = calling(connected={"credentials": BARE})
    await mended(call)
    (old,) = endpoints(stripe)
    old |= changes
    (broken,) = standing(await SUBSCRIBING.listing(call), URL, TOPICS).broken
    assert said in broken.trouble
    assert await mended(call)
    (new,) = endpoints(stripe)
    assert new["id"] != old["id"] and new["status"] == "enabled"
    assert call.connection.secrets == [f"whsec_{new['id']}"]


async def test_topics_that_are_missing_are_added_and_the_secret_stays(
    calling: Calling, stripe: StripeSimulator
) -> None:
    call = calling(connected={"credentials": BARE})
    await mended(call)
    (made,) = endpoints(stripe)
    made["enabled_events"] = ["invoice.paid", "payout.paid"]
    assert not await mended(call)
    assert endpoints(stripe) == [made]
    assert made["enabled_events"] == sorted([*TOPICS, "payout.paid"])


async def test_an_endpoint_for_everything_is_well(calling: Calling, stripe: StripeSimulator) -> None:
    version = StripeSimulator().account.new_endpoint({"url": URL, "enabled_events": []})["api_version"]
    assert version is None
    pinned = calling().connection.manifest.api_version
    stripe.account.new_endpoint({"url": URL, "enabled_events": ["*"], "api_version": pinned})
    assert standing(await SUBSCRIBING.listing(calling()), URL, TOPICS).well


async def test_one_whose_answer_was_lost_does_not_stay(calling: Calling, stripe: StripeSimulator) -> None:
    """Its secret was in that answer, and Stripe doesn't show it again."""
    call = calling()
    stripe.faults.add(Fault(kind=FaultKind.LOST_ANSWER, match="POST"))
    with pytest.raises(OutcomeUnknown):
        await mended(call)
    assert endpoints(stripe) == []
    assert await mended(call)
    assert call.connection.secrets == [f"whsec_{endpoints(stripe)[0]['id']}"]


async def test_one_whose_secret_is_not_known_here_is_made_anew(calling: Calling, stripe: StripeSimulator) -> None:
    call = calling(connected={"credentials": BARE})
    await mended(call)
    (lost,) = endpoints(stripe)
    other = calling(connected={"credentials": BARE})
    assert await mended(other)
    (made,) = endpoints(stripe)
    assert made["id"] != lost["id"] and other.connection.secrets == [f"whsec_{made['id']}"]


async def test_other_peoples_are_left_alone_and_all_pages_are_read(calling: Calling, stripe: StripeSimulator) -> None:
    for number in range(120):
        stripe.account.new_endpoint({"url": f"https://other.example.com/{number}", "enabled_events": ["*"]})
    others = [dict(each) for each in endpoints(stripe)]
    call = calling(connected={"credentials": BARE})
    await mended(call)
    stripe.account.new_endpoint({"url": "https://other.example.com/new", "enabled_events": ["*"]})
    assert not await mended(call)
    assert endpoints(stripe)[:120] == others
    assert len(await SUBSCRIBING.listing(call)) == 122


async def test_one_that_is_gone_already_is_no_error(calling: Calling, stripe: StripeSimulator) -> None:
    call = calling(connected={"credentials": BARE})
    await mended(call)
    (found,) = await SUBSCRIBING.listing(call)
    await SUBSCRIBING.remove(call, found)
    await SUBSCRIBING.remove(call, found)
    assert endpoints(stripe) == []


@needs_shared
@pytest.mark.proves("spec")
async def test_requests_and_answers_are_as_stripe_describes_them(calling: Calling, stripe: StripeSimulator) -> None:
    call = calling(connected={"credentials": BARE})
    await mended(call)
    endpoints(stripe)[0]["enabled_events"] = ["invoice.paid"]
    await mended(call)
    for each in await SUBSCRIBING.listing(call):
        await SUBSCRIBING.remove(call, each)
    assert {request.method for request in stripe.received} == {"GET", "POST", "DELETE"}
    assert [problem for request in stripe.received for problem in problems(request)] == []
