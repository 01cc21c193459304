"""What a person does, on a real engine: its effect, what it refuses, and that it is on record."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from bellwire.clock import system_clock
from bellwire.connectors.kit import Unkeyed
from bellwire.engine import cancel, dismiss, replay, resolve, retry, retry_run, switch
from bellwire.errors import BellwireError, OutcomeUnknown, Refused, Transient
from bellwire.flows import parse_flow
from bellwire.ledger import ExceptionState, FlowMode, Outcome, Rows, RunState, audit, exceptions, runs
from tests.engine.conftest import FLOW, House
from tests.engine.vendor import Vendor

refused = Refused("Toy Till doesn't know the SKU X.", cause="unknown-sku:X", remedy="Map it.")
Act = Callable[[Rows, int], object]

ACTS: dict[str, Act] = {
    "retry": lambda rows, number: retry(rows, number, system_clock(), who="Dana"),
    "resolve": lambda rows, number: resolve(rows, number, system_clock(), who="Dana", result={}, reason="done"),
    "dismiss": lambda rows, number: dismiss(rows, number, system_clock(), who="Dana", reason="left"),
}
each_act = pytest.mark.parametrize("act", ACTS.values(), ids=ACTS.keys())


async def acts(house: House, target: str = "") -> list[tuple[str, str, str]]:
    found = await house.ledger.read(lambda rows: audit.newest(rows, limit=99, target=target))
    return [(act.who, act.what, act.target) for act in found]


async def stuck(house: House, operation: str = "adjust") -> int:
    """The number of the exception that one order ends in."""
    house.vendor.next[operation] += [refused]
    await house.deliver()
    await house.settled()
    (exception,) = await house.exceptions()
    return exception.id


@each_act
async def test_what_is_done_about_an_exception_is_on_record(house: House, act: Act) -> None:
    number = await stuck(house)
    await house.ledger.write(lambda rows: act(rows, number))
    await house.settled()
    name = next(name for name, each in ACTS.items() if each is act)
    assert await acts(house) == [("Dana", name, f"exception {number}")]


async def test_what_is_done_about_runs_events_and_flows_is_on_record(house: House) -> None:
    await stuck(house)
    run = await house.run()
    now = system_clock()

    def all_of_them(rows: Rows) -> None:
        retry_run(rows, run.id, now, who="Dana")
        replayed = replay(rows, run.event, run.flow, run.flow_hash, "nonce", now, who="Robin")
        cancel(rows, replayed, now, who="Robin", reason="a mistake")
        switch(rows, "test", FlowMode.OFF, now, who="Dana", reason="stock-taking")

    await house.ledger.write(all_of_them)
    assert await acts(house) == [
        ("Dana", "switch off", "flow test"),
        ("Robin", "cancel", "run 2"),
        ("Robin", "replay", "event 1"),
        ("Dana", "retry", "run 1"),
    ]


async def test_what_was_refused_leaves_no_record(house: House) -> None:
    number = await stuck(house)
    await house.ledger.write(lambda rows: dismiss(rows, number, system_clock(), who="Dana", reason="left"))
    for act in ACTS.values():
        with pytest.raises(BellwireError, match="closed already"):
            await house.ledger.write(lambda rows, act=act: act(rows, number))  # type: ignore[misc]
    assert await acts(house) == [("Dana", "dismiss", f"exception {number}")]


@each_act
async def test_nothing_is_decided_about_a_run_that_is_still_under_way(house: House, act: Act) -> None:
    """Its worker wouldn't see it, and would end the run as dead with no exception to tell of it."""
    go_on = asyncio.Event()
    house.vendor.next["create_label"].append(lambda: asyncio.wait_for(go_on.wait(), 30))
    house.vendor.next["adjust"] += [refused]
    await house.deliver()
    await house.until(house.exceptions)
    (exception,) = await house.exceptions()
    with pytest.raises(BellwireError, match="still under way"):
        await house.ledger.write(lambda rows: act(rows, exception.id))
    go_on.set()
    await house.settled()
    assert [each.id for each in await house.exceptions()] == [exception.id]
    await house.ledger.write(lambda rows: act(rows, exception.id))
    await house.settled()
    assert (await house.run()).state in (RunState.DONE, RunState.SKIPPED)


async def test_a_run_that_waits_for_another_action_can_be_retried_at_the_one_that_is_stuck(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bellwire.engine.execution._STAY", timedelta())
    house.vendor.next["create_label"] += [Transient("Down.", retry_after=timedelta(hours=1))]
    house.vendor.next["adjust"] += [refused]
    await house.deliver()

    async def waits() -> bool:
        return [run.state for run in await house.runs()] == [RunState.WAITING]

    await house.until(waits)
    (exception,) = await house.exceptions()
    await house.ledger.write(lambda rows: retry(rows, exception.id, system_clock(), who="Dana"))
    await house.settled()
    assert (await house.run()).state is RunState.DONE
    assert house.vendor.effects("adjust") == house.vendor.effects("create_label") == 1


async def test_a_retry_with_todays_flow_goes_on_where_its_actions_have_other_names(ledger_url: str) -> None:
    async with House(ledger_url).open() as house:
        number = await stuck(house)
    text = FLOW.replace("  stock:", "  take_off:").replace("channel: packing", "channel: shipping")
    today = parse_flow(text, Path("flows/test.yaml"))
    async with house.at(flow=text).open() as house:
        await house.ledger.write(lambda rows: retry(rows, number, system_clock(), who="Dana", today={today.id: today}))
        await house.settled()
        run = await house.run()
        assert (run.state, run.flow_hash) == (RunState.DONE, today.hash)
        settled = [
            attempt.action
            for attempt in await house.ledger.read(lambda rows: runs.attempts(rows, run.id))
            if attempt.outcome is Outcome.DONE
        ]
        assert sorted(settled) == ["bench", "label", "take_off"]


async def test_a_retry_with_todays_flow_needs_one(house: House) -> None:
    number = await stuck(house)
    with pytest.raises(BellwireError, match="'test' of run 1 isn't there any more"):
        await house.ledger.write(lambda rows: retry(rows, number, system_clock(), who="Dana", today={}))
    assert [each.id for each in await house.exceptions()] == [number]


async def test_of_two_that_are_stuck_one_done_by_hand_lets_the_run_wait_for_the_other(house: House) -> None:
    house.vendor.next["create_label"] += [refused]
    house.vendor.next["adjust"] += [refused]
    await house.deliver()
    await house.settled()
    first, second = await house.exceptions()
    await house.ledger.write(lambda rows: resolve(rows, first.id, system_clock(), who="Dana", result={}, reason="done"))
    assert (await house.run()).state is RunState.DEAD
    await house.ledger.write(lambda rows: retry(rows, second.id, system_clock(), who="Dana"))
    await house.settled()
    assert (await house.run()).state is RunState.DONE
    found = await house.ledger.read(lambda rows: exceptions.of_run(rows, 1))
    assert [each.state for each in found] == [ExceptionState.RESOLVED, ExceptionState.RETRIED]


async def test_who_looked_and_retries_what_cant_be_looked_up_has_it_sent(ledger_url: str) -> None:
    vendor = Vendor()
    vendor.stock_repeat = Unkeyed("a toy")
    vendor.next["adjust"] += [OutcomeUnknown("The connection broke off.")]
    async with House(ledger_url, vendor).open() as house:
        await house.deliver()
        await house.settled()
        (exception,) = await house.exceptions()
        await house.ledger.write(lambda rows: retry(rows, exception.id, system_clock(), who="Dana"))
        await house.settled()
        assert (await house.run()).state is RunState.DONE
        assert [name for name, *_ in vendor.calls].count("adjust") == 2


async def test_after_a_crash_only_what_had_begun_is_looked_for(ledger_url: str) -> None:
    vendor = Vendor()
    hanging = asyncio.Event()

    async def hang() -> None:
        hanging.set()
        await asyncio.Event().wait()

    flow = FLOW.replace("  label:\n", "  label:\n    needs: [stock]\n")
    vendor.next["adjust"].append(hang)
    async with House(ledger_url, vendor, flow).open() as house:
        await house.deliver()
        await hanging.wait()
        await house.engine.stop(grace=0)
    async with House(ledger_url, vendor, flow).open() as house:
        await house.settled()
        assert (await house.run()).state is RunState.DONE
        assert [(name, again) for name, _, again in vendor.calls if "label" in name] == [("create_label", False)]


async def test_a_retry_counts_though_the_clock_was_set_back_before_it(ledger_url: str) -> None:
    ahead = timedelta(hours=1)
    async with House(ledger_url, clock=lambda: system_clock() + ahead).open() as house:
        house.vendor.next["adjust"] += [refused]
        await house.deliver()
        await house.settled()
        (exception,) = await house.exceptions()
        ahead = timedelta()
        await house.ledger.write(lambda rows: retry(rows, exception.id, system_clock(), who="Dana"))
        await house.settled()
        assert (await house.run()).state is RunState.DONE
