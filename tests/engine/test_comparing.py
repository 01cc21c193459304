"""A flow in shadow beside the people who do its work: what it would have sent, against what is there."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bellwire.business import BusinessCalendar
from bellwire.capabilities import shipping
from bellwire.clock import system_clock
from bellwire.connectors.kit import Action, Call, Compared, Seen
from bellwire.engine import Comparison, Means, Verdict, all_noted, compare, switch
from bellwire.errors import Transient
from bellwire.ledger import FlowMode
from bellwire.records import LedgerCrosswalk
from tests.engine.conftest import House, Hurried
from tests.engine.vendor import Vendor
from tests.ledgers import change
from tests.samples import order

Look = Callable[[Call, shipping.CreateLabel], Awaitable[Seen | None]]


class Watched(Vendor):
    """Its labels can be looked for; what is found is said by `look`."""

    look: Look | None = None

    def actions(self) -> list[Action]:
        return [
            replace(each, look=self.look) if each.operation is shipping.CREATE_LABEL else each
            for each in super().actions()
        ]


def finding(*compared: Compared) -> Look:
    async def look(call: Call, given: shipping.CreateLabel) -> Seen | None:
        assert given.order.number == "1001" and not call.again and call.since is not None
        return Seen("label 7", compared)

    return look


async def nothing(_: Call, __: shipping.CreateLabel) -> Seen | None:
    return None


async def compared(
    url: str, look: Look | None, meanwhile: Callable[[House], Any] | None = None
) -> dict[str, Comparison]:
    """By action, after a run in shadow."""
    vendor = Watched()
    vendor.look = look
    async with House(url, vendor=vendor).open() as house:
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
        assert vendor.calls == [] and set(found) == {"stock", "label", "bench"}
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
        (
            'UPDATE attempts SET result = \'{"order": "‹asked.order›"}\'',
            "It builds on what another action would have given.",
        ),
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
