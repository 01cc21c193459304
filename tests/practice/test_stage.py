"""The stage: webhooks are taken whenever and wherever they are sent, and stay the deliveries that they are."""

from datetime import timedelta
from pathlib import Path

import pytest

from bellwire.events import Lead
from bellwire.flows import bundled
from bellwire.practice import Parcels, Subscriptions, Teller
from bellwire.practice.driving import in_role
from bellwire.practice.quota import Quota, take
from tests.practice.pilots import ORDER_TO_CASH, able, trial
from tests.running import ordinary
from tests.samples import NOW, usd


async def test_a_delivery_that_is_signed_anew_keeps_the_id_that_its_sender_gave_it(tmp_path: Path) -> None:
    async with trial(tmp_path, ORDER_TO_CASH, forms="webhook") as pilot:
        stage, sender = pilot.stage, pilot.stage.part("forms", Teller)  # type: ignore[type-abstract]
        lead = Lead(id="1", name="Robin Hill", source="website", created_at=NOW)
        webhook, other = sender.tell("lead.created", lead), sender.tell("lead.created", lead)
        first = await stage.send("forms", webhook)
        await stage.let_pass(timedelta(days=30))
        again, another = await stage.send("forms", webhook), await stage.send("forms", other)
        assert (first.taken, again.duplicate, again.delivery) == (True, True, first.delivery)
        assert (another.taken, another.duplicate) == (True, False)


@pytest.mark.parametrize("pay", able(Subscriptions))
async def test_what_a_processor_signs_is_taken_here_and_by_then(tmp_path: Path, pay: str) -> None:
    """One of them signs the address, too, and all but one the time."""
    async with trial(tmp_path, bundled("dunning"), pay=pay, helpdesk="zendesk") as pilot:
        stage, processor = pilot.stage, pilot.stage.part("pay", Subscriptions)  # type: ignore[type-abstract]
        plan = processor.subscribe(usd("24.40"), ordinary("1").sale.customer)
        processor.charge(plan)
        webhook = processor.notice(plan, "subscription.renewed")
        first = await stage.send("pay", webhook)
        await stage.let_pass(timedelta(days=30))
        again = await stage.send("pay", webhook)
        assert (first.taken, again.duplicate, again.delivery) == (True, True, first.delivery)


async def test_what_a_carrier_signs_is_taken_by_then(tmp_path: Path) -> None:
    async with trial(tmp_path, bundled("delivery_news")) as pilot:
        stage, carrier = pilot.stage, in_role(pilot.stage.simulators["shipping"], Parcels)  # type: ignore[type-abstract]
        label_id = carrier.hand_in("4001", ordinary("1").sale.customer)
        webhook = carrier.turn(label_id, "shipment.delivered")
        await stage.let_pass(timedelta(days=30))
        assert (await stage.send("shipping", webhook)).taken


async def test_a_moment_that_is_past_takes_nothing_back(tmp_path: Path) -> None:
    async with trial(tmp_path, ORDER_TO_CASH) as pilot:
        stage = pilot.stage
        stage.simulators["chat"].quotas = quotas = [Quota(1, seconds=600)]
        assert take(quotas, "POST /") == 0
        stage.go_on_to(stage.clock() - timedelta(hours=1))
        assert 0 < take(quotas, "POST /") <= 600
        stage.go_on_to(stage.clock() + timedelta(hours=1))
        assert take(quotas, "POST /") == 0
