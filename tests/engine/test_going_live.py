"""A flow does real things once it was tried, or somebody says why without; and can be taken back at any time."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bellwire.clock import system_clock
from bellwire.engine import Standing, environment_of, go_live, retry, standings, switch, tick_off
from bellwire.errors import BellwireError, Refused
from bellwire.events import Environment
from bellwire.flows import Flow, parse_flow
from bellwire.ledger import (
    AskKind,
    AttemptRow,
    FlowMode,
    Outcome,
    PilotRow,
    Rows,
    RunState,
    asks,
    audit,
    pilots,
    runs,
)
from tests.engine.conftest import FLOW, House
from tests.engine.test_waiting import Clock
from tests.engine.vendor import Vendor
from tests.samples import NOW, order

PRODUCTION, SANDBOX = {"till": Environment.PRODUCTION}, {"till": Environment.SANDBOX}
DAY = timedelta(days=1)


def flow_of(text: str = FLOW) -> Flow:
    return parse_flow(text, Path("flows/test.yaml"))


def pilot(ready: bool = True, text: str = FLOW) -> PilotRow:
    return PilotRow("test", flow_of(text).hash, "practice", ready, 10 if ready else 8, 10, NOW, "Dana")


@pytest.fixture
async def real(ledger_url: str) -> AsyncIterator[House]:
    """With a real account."""
    async with House(ledger_url, vendor=Vendor("till", Environment.PRODUCTION)).open() as opened:
        yield opened


async def stands(house: House, accounts: dict[str, Environment] = PRODUCTION, text: str = FLOW) -> Standing:
    (found,) = await house.ledger.read(lambda rows: standings(rows, [flow_of(text)], accounts))
    return found


async def live(
    house: House, accounts: dict[str, Environment] = PRODUCTION, *, reason: str = "", text: str = FLOW
) -> None:
    await house.ledger.write(
        lambda rows: go_live(rows, flow_of(text), accounts, system_clock(), who="Dana", reason=reason)
    )


async def tried(house: House, found: PilotRow) -> None:
    await house.ledger.write(lambda rows: pilots.record(rows, found))


async def test_with_real_accounts_a_new_flow_only_notes_what_it_would_do(real: House) -> None:
    await real.deliver()
    await real.settled()
    assert real.vendor.calls == []
    run = (await real.run()).id
    attempts = await real.ledger.read(lambda rows: runs.attempts(rows, run))
    assert {attempt.outcome for attempt in attempts} == {Outcome.NOTED}
    assert (await stands(real)).waits


async def test_in_a_sandbox_a_new_flow_acts(house: House) -> None:
    await house.deliver()
    await house.settled()
    assert house.vendor.effects("create_label") == 1
    assert not (await stands(house, SANDBOX)).waits


async def test_after_a_pilot_that_passed_it_goes_live_and_acts(real: House) -> None:
    await tried(real, pilot())
    await live(real)
    await real.deliver()
    await real.settled()
    assert real.vendor.effects("create_label") == 1
    (act,) = await real.ledger.read(lambda rows: audit.newest(rows, limit=9))
    assert (act.who, act.what, act.target) == ("Dana", "switch live", "flow test")
    assert act.detail == "its pilot on practice passed"


@pytest.mark.parametrize(
    "found", [None, pilot(ready=False), pilot(text=FLOW.replace("packing", "bench"))], ids=["none", "failed", "other"]
)
async def test_without_one_it_stays_as_it_is_and_leaves_no_record(real: House, found: PilotRow | None) -> None:
    if found:
        await tried(real, found)
    with pytest.raises(BellwireError, match="Test stays shadow: it works with real accounts") as refused:
        await live(real)
    assert "`bellwire pilot test`" in refused.value.remedy and "--reason" in refused.value.remedy
    assert (await stands(real)).mode is FlowMode.SHADOW
    assert await real.ledger.read(lambda rows: audit.newest(rows, limit=9)) == []


async def test_the_last_pilot_counts(real: House) -> None:
    await tried(real, pilot())
    await tried(real, pilot(ready=False))
    with pytest.raises(BellwireError, match="8 of 10 records"):
        await live(real)
    await tried(real, pilot())
    await live(real)


async def test_a_reason_is_enough_and_stays_on_record(real: House) -> None:
    await live(real, reason="We have run it for years.")
    assert (await stands(real)).mode is FlowMode.LIVE
    (act,) = await real.ledger.read(lambda rows: audit.newest(rows, limit=9))
    assert act.detail == "We have run it for years."


async def test_back_to_live_takes_no_reason_while_its_text_is_the_one_that_passed(real: House) -> None:
    await tried(real, pilot())
    await live(real)
    for mode in (FlowMode.MANUAL, FlowMode.OFF, FlowMode.SHADOW):
        await real.ledger.write(lambda rows, to=mode: switch(rows, "test", to, NOW, who="Dana", reason=""))  # type: ignore[misc]
        assert (await stands(real)).mode is mode
        await live(real)
        assert (await stands(real)).mode is FlowMode.LIVE


async def test_a_flow_that_is_live_stays_so_when_its_text_changes_and_its_doubt_is_told(real: House) -> None:
    await tried(real, pilot())
    await live(real)
    changed = FLOW.replace("packing", "bench")
    found = await stands(real, text=changed)
    assert (found.mode, found.doubt) == (FlowMode.LIVE, "Its present text hasn't been through a pilot.")
    await live(real, text=changed)  # it is
    assert (await stands(real)).doubt == ""


async def test_what_was_decided_in_a_sandbox_without_a_pilot_says_nothing_about_real_accounts(house: House) -> None:
    await house.ledger.write(lambda rows: switch(rows, "test", FlowMode.OFF, NOW, who="Dana", reason=""))
    await live(house, SANDBOX, reason="a try")
    assert (await stands(house, SANDBOX)).mode is FlowMode.LIVE
    assert (await stands(house, PRODUCTION)).waits
    await tried(house, pilot())
    await live(house, SANDBOX)
    assert (await stands(house, PRODUCTION)).mode is FlowMode.LIVE


def test_a_flow_that_works_with_no_account_goes_by_all_there_are() -> None:
    own = flow_of(
        "name: X\ntrigger: {every: 0 7 * * *, zone: UTC}\nactions:\n  say: {emit: order.flagged, with: {number: 1}}\n"
    )
    assert environment_of(own, SANDBOX) is Environment.SANDBOX
    assert environment_of(own, SANDBOX | {"books": Environment.PRODUCTION}) is Environment.PRODUCTION
    assert environment_of(flow_of(), SANDBOX | {"books": Environment.PRODUCTION}) is Environment.SANDBOX


async def test_taken_back_in_the_midst_of_many_runs_it_loses_and_doubles_nothing(ledger_url: str) -> None:
    """36 orders: some wait for their time, some need a person, some come while the flow is taken back, some after."""
    text = FLOW.replace("    do: till.create_label\n", "    do: till.create_label\n    wait: 1d\n")
    house = House(ledger_url, flow=text, clock=Clock())
    async with house.open():
        house.vendor.next["adjust"] += [Refused("The till doesn't know it.", cause="x")] * 2
        for number in range(12):
            await house.deliver(order(id=f"a{number}"))
        await house.until(lambda: house.vendor.effects("adjust") == 10)

        async def switched() -> None:
            now = house.clock()
            await house.ledger.write(
                lambda rows: switch(rows, "test", FlowMode.MANUAL, now, who="Dana", reason="the labels are wrong")
            )

        during = [house.deliver(order(id=f"b{number}")) for number in range(12)]
        await asyncio.gather(*during[:6], switched(), *during[6:])
        for number in range(12):
            await house.deliver(order(id=f"c{number}"))
        for exception in await house.exceptions():
            await house.ledger.write(lambda rows, row=exception: retry(rows, row.id, house.clock(), who="Dana"))  # type: ignore[misc]
        assert isinstance(house.clock, Clock)
        clock = house.clock

        async def ticked_off_until_all_is_done() -> bool:
            clock.ahead += DAY
            for ask in await house.ledger.read(asks.open_ones):
                assert ask.kind is AskKind.TODO
                await house.ledger.write(
                    lambda rows, row=ask: tick_off(  # type: ignore[misc]
                        rows, row.id, clock(), who="Dana", result={"tracking_number": "BY-HAND"}
                    )
                )
            return {run.state for run in await house.runs()} == {RunState.DONE}

        await house.until(ticked_off_until_all_is_done, 30)
        found = await house.runs()
        assert len(found) == 36

        def settled(rows: Rows) -> list[AttemptRow]:
            return [each for run in found for each in runs.attempts(rows, run.id) if each.outcome.settled]

        attempts = await house.ledger.read(settled)
        assert set(Counter((each.run, each.action) for each in attempts).values()) == {1}
        assert len(attempts) == 3 * 36, "each action of each order is accounted for, by one of two"
        done = Counter(each.action for each in attempts if each.outcome is Outcome.DONE)
        assert {each.outcome for each in attempts} == {Outcome.DONE, Outcome.BY_HAND}
        assert len(house.vendor.done) == sum(done.values()), "what a person did, the vendor wasn't asked for"
        assert 10 <= done["stock"] <= 22 and done["label"] == done["bench"] == 0
        assert await house.exceptions() == []
