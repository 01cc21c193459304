"""The pilot of what customers owe and of parcels: the bundled flows are ready, whoever the processor, and one that
forgets an odd case isn't."""

from datetime import timedelta
from pathlib import Path

import pytest

from bellwire.flows import bundled
from bellwire.practice import Shop, Subscriptions
from bellwire.practice.pilot import Tried
from tests.practice.pilots import able, trial

PROCESSORS = able(Subscriptions)


async def tried(folder: Path, flow: str, *positions: int, **chosen: str) -> list[Tried]:
    """What comes of these records (of all, if none is named)."""
    async with trial(folder, flow, **{"pay": "stripe", "helpdesk": "zendesk"} | chosen) as pilot:
        wanted = [record for record in pilot.kind.records(2001) if record.position in (positions or range(11))]
        return [each async for each in pilot.run(wanted)]


def skipped(of: Tried) -> set[str]:
    return {name for name, _ in of.skipped}


@pytest.mark.parametrize("pay", PROCESSORS)
async def test_dunning_is_ready_whoever_the_processor(tmp_path: Path, pay: str) -> None:
    made = await tried(tmp_path, bundled("dunning"), pay=pay)
    assert [each.why_not for each in made] == [""] * 10
    unpaid, paid, ended, again, no_mail = made[:5]
    assert skipped(unpaid) == {"no_address"}
    assert "first" in skipped(no_mail) and "no_address" not in skipped(no_mail)
    assert not skipped(paid) and not skipped(ended), "they are over before anything is decided"
    assert ("first" in skipped(again)) is (pay != "square"), "Square doesn't count its tries"


@pytest.mark.parametrize("pay", PROCESSORS)
async def test_renewals_are_ready_whoever_the_processor(tmp_path: Path, pay: str) -> None:
    made = await tried(tmp_path, bundled("subscription_renewed"), pay=pay)
    assert [each.why_not for each in made] == [""] * 10
    if pay == "square":
        assert {frozenset(skipped(each)) for each in made} == {frozenset({"first", "label", "bench"})}
        return
    packed = [each.position for each in made if "label" not in skipped(each)]
    assert packed == [1, 4, 5, 6, 7, 9, 10]
    assert skipped(made[2]) == {"first", "label", "bench"}
    assert "999000999" in made[9].stuck[0].sentence


@pytest.mark.parametrize("pay", PROCESSORS)
async def test_what_is_paid_past_the_shop_is_ready_whoever_the_processor(tmp_path: Path, pay: str) -> None:
    made = await tried(tmp_path, bundled("payment_succeeded"), pay=pay)
    assert [each.why_not for each in made] == [""] * 10
    assert [each.position for each in made if "label" not in skipped(each)] == [1, 4, 6, 9, 10]
    assert [each.position for each in made if "told" not in skipped(each)] == [1, 4, 5, 6, 7, 8, 9, 10]
    assert "order" not in skipped(made[1]) and "order" in skipped(made[2])


async def test_a_flow_that_forgets_that_some_payments_name_no_order_is_not_ready(tmp_path: Path) -> None:
    condition = "event.id and (event.reference | int) and not event.invoice_id and not event.subscription_id"
    flow = bundled("payment_succeeded").replace(f"if: {condition}", "if: true")
    (only,) = await tried(tmp_path, flow, 3)
    assert not only.as_expected and [stuck.action for stuck in only.stuck] == ["order"]


@pytest.mark.parametrize("shop", able(Shop))
async def test_an_order_that_isnt_known_is_asked_about_whatever_the_shop(tmp_path: Path, shop: str) -> None:
    (only,) = await tried(tmp_path, bundled("subscription_renewed"), 10, shop=shop)
    assert only.as_expected and [stuck.action for stuck in only.stuck] == ["first"]


@pytest.mark.parametrize("flow", ["delivery_news", "delivery_trouble"])
async def test_what_is_told_of_parcels_is_ready(tmp_path: Path, flow: str) -> None:
    made = await tried(tmp_path, bundled(flow))
    assert [each.why_not for each in made] == [""] * 10
    assert len(skipped(made[1])) == 1, "there is no address to write to"
    assert "unknown.robin@example.com" in made[9].stuck[0].sentence


async def test_a_flow_that_forgets_customers_without_mail_is_not_ready(tmp_path: Path) -> None:
    flow = bundled("delivery_news").replace("if: event.recipient.email", "if: true")
    (only,) = await tried(tmp_path, flow, 2)
    assert only.why_not == "the run: expected done, found stuck at arrived"


async def test_a_flow_that_forgets_that_some_renewals_name_no_order_is_not_ready(tmp_path: Path) -> None:
    flow = bundled("subscription_renewed").replace("if: event.id and event.reference", "if: true")
    (only,) = await tried(tmp_path, flow, 3)
    assert not only.as_expected and [stuck.action for stuck in only.stuck] == ["first"]


async def test_what_is_waited_for_at_the_same_time_counts_once(tmp_path: Path) -> None:
    """The mails of the days 3, 7 and 14 wait beside each other; what is left is the time that it took."""
    (unpaid,) = await tried(tmp_path, bundled("dunning"), 1)
    assert unpaid.took is not None and timedelta() < unpaid.took < timedelta(minutes=1)
