"""A flow in shadow beside the people who do its work: what it would have sent, against what is there."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bellwire.business import BusinessCalendar
from bellwire.capabilities import chat, shipping, stock
from bellwire.clock import system_clock
from bellwire.connectors.kit import Action, Call, Compared, Seen, Unkeyed
from bellwire.engine import Comparison, Means, Verdict, all_noted, compare, switch
from bellwire.errors import Transient
from bellwire.ledger import FlowMode
from bellwire.records import LedgerCrosswalk
from tests.engine.conftest import FLOW, House, Hurried
from tests.engine.vendor import Vendor
from tests.ledgers import change
from tests.samples import order

Look = Callable[[Call, shipping.CreateLabel], Awaitable[Seen | None]]


class Watched(Vendor):
    """Its labels can be looked for, and found is what `look` says; of its messages, which carry a label's tracking
    number, whatever is asked for is there."""

    look: Look | None = None

    def actions(self) -> list[Action]:
        looks = {shipping.CREATE_LABEL: self.look, chat.POST_MESSAGE: self.look and self.look_for_message}
        return [
            *(replace(each, look=looks.get(each.operation)) for each in super().actions()),
            Action(stock.COUNT, Unkeyed("it only reads"), self.count),
        ]

    async def look_for_message(self, _: Call, given: chat.PostMessage) -> Seen | None:
        return Seen(f"message {given.text}")

    async def count(self, _: Call, given: stock.CountStock) -> stock.StockCounts:
        return stock.StockCounts(counts=tuple(stock.StockCount(sku=f"{sku}-S", available=5) for sku in given.skus))


LABEL = shipping.Label(id="l7", shipping_order_id="s7", carrier="post", tracking_number="TRACK-7")


def finding(*compared: Compared, result: shipping.Label | None = None) -> Look:
    async def look(call: Call, given: shipping.CreateLabel) -> Seen | None:
        assert given.order.number == "1001" and not call.again and call.since is not None
        return Seen("label 7", compared, result=result)

    return look


async def nothing(_: Call, __: shipping.CreateLabel) -> Seen | None:
    return None


async def compared(
    url: str, look: Look | None, meanwhile: Callable[[House], Any] | None = None, flow: str = FLOW
) -> dict[str, Comparison]:
    """By action, after a run in shadow."""
    vendor = Watched()
    vendor.look = look
    async with House(url, vendor=vendor, flow=flow).open() as house:
        now = system_clock()
        await house.ledger.write(lambda rows: switch(rows, "test", FlowMode.SHADOW, now, who="Dana", reason=""))
        await house.deliver(order())
        await house.settled()
        if meanwhile:
            meanwhile(house)
        means = Means.make(
            house.ledger,
            {"till": house.connection},
            LedgerCrosswalk(house.ledger),
            system_clock,
            Hurried(),
            BusinessCalendar(),
        )
        since = system_clock() - timedelta(days=1)
        noted = await house.ledger.read(lambda rows: all_noted(rows, "test", since, limit=10))
        found = {each.noted.attempt.action: each async for each in compare(means, noted)}
        assert vendor.calls == [] and set(found) >= {"stock", "label", "bench"}
        return found


async def test_what_a_person_did_alike_is_the_same(ledger_url: str) -> None:
    found = (await compared(ledger_url, finding(Compared("service", "Ground", "ground"))))["label"]
    assert (found.verdict, found.meaning) == (Verdict.SAME, "Buy the shipping label")
    assert found.told == "label 7 is there, with the same: service ground."


async def test_what_a_person_did_otherwise_is_told_field_by_field(ledger_url: str) -> None:
    look = finding(
        Compared("service", "ground", "express"), Compared("name", "Robin", "Robin"), Compared("fax", "7", "")
    )
    found = (await compared(ledger_url, look))["label"]
    assert found.verdict is Verdict.DIFFERS
    assert found.told == (
        "label 7 is there, but differs: service express (Bellwire would have sent ground), fax nothing (Bellwire would"
        " have sent 7)."
    )


async def test_what_nobody_did_is_missing(ledger_url: str) -> None:
    found = (await compared(ledger_url, nothing))["label"]
    assert found.verdict is Verdict.MISSING and found.told.startswith("Not found")


async def test_what_nothing_leads_to_is_said_to_be_so(ledger_url: str) -> None:
    found = await compared(ledger_url, None)
    assert {each.verdict for each in found.values()} == {Verdict.UNKNOWN}
    assert found["bench"].told == "Toy Till has nothing that this could be found by."


async def test_what_builds_on_another_action_is_looked_for_by_what_was_found_of_that(ledger_url: str) -> None:
    found = (await compared(ledger_url, finding(result=LABEL)))["bench"]
    assert (found.verdict, found.told) == (Verdict.SAME, "message 1001 TRACK-7 is there.")


@pytest.mark.parametrize("look", [nothing, finding()])
async def test_what_builds_on_what_wasnt_found_cant_be_looked_for(ledger_url: str, look: Look) -> None:
    found = (await compared(ledger_url, look))["bench"]
    assert found.verdict is Verdict.UNKNOWN
    assert found.told == "It builds on what another action would have given, and that wasn't found."


COUNTED = """
  counted:
    do: till.count
    with: {skus: ["{{ label.tracking_number }}"]}
  told:
    do: till.post_message
    with: {channel: packing, text: "{{ counted.counts[0].sku }}"}
"""


async def test_what_only_reads_is_read_once_what_it_needs_was_found(ledger_url: str) -> None:
    found = await compared(ledger_url, finding(result=LABEL), flow=FLOW + COUNTED)
    assert found["counted"].told == "It only reads: there is nothing to compare."
    assert found["told"].told == "message TRACK-7-S is there."


async def test_each_of_several_is_looked_for_by_its_own(ledger_url: str) -> None:
    several = """
  each:
    do: till.post_message
    for_each: event.lines
    with: {channel: packing, text: "{{ item.sku }} {{ label.tracking_number }}"}
"""
    found = await compared(ledger_url, finding(result=LABEL), flow=FLOW + several)
    assert found["each"].told == "message TEA-100 TRACK-7 is there."


async def test_what_wouldnt_be_done_by_what_was_found_is_said_to_be_so(ledger_url: str) -> None:
    flow = FLOW.replace("  bench:\n", "  bench:\n    if: label.tracking_number != 'TRACK-7'\n")
    found = (await compared(ledger_url, finding(result=LABEL), flow=flow))["bench"]
    assert found.verdict is Verdict.UNKNOWN
    assert found.told == "By what was found of the others, it wouldn't have been done."


async def test_a_look_that_would_write_is_stopped_before_it_does(ledger_url: str) -> None:
    async def write(call: Call, _: shipping.CreateLabel) -> Seen | None:
        async with call.api.turn():
            raise AssertionError("it was let through")

    found = (await compared(ledger_url, write))["label"]
    assert found.verdict is Verdict.UNKNOWN
    assert found.told == "This would have changed something there, so it wasn't sent."


async def test_a_vendor_that_is_down_costs_only_its_own_lines(ledger_url: str) -> None:
    async def down(_: Call, __: shipping.CreateLabel) -> Seen | None:
        raise Transient("Toy Till can't be reached.")

    found = (await compared(ledger_url, down))["label"]
    assert (found.verdict, found.told) == (Verdict.UNKNOWN, "Toy Till can't be reached.")


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("UPDATE attempts SET result = NULL", "Its values have been purged."),
        ("UPDATE attempts SET result = '{}'", "Its values aren't in a form that this Bellwire knows."),
        (
            "UPDATE events SET environment = 'production'",
            "It came from production, and 'till' is another account by now.",
        ),
    ],
)
async def test_what_cant_be_asked_for_any_more_says_why(ledger_url: str, sql: str, why: str) -> None:
    found = await compared(ledger_url, finding(), lambda house: change(house.url, sql))
    assert (found["label"].verdict, found["label"].told) == (Verdict.UNKNOWN, why)
