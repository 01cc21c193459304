"""Runs that go on in a project that isn't what it was."""

from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path

import pytest

from bellwire.clock import system_clock
from bellwire.engine import Edited, dismiss, edit, resolve, retry
from bellwire.errors import BellwireError, Refused
from bellwire.flows import parse_flow
from bellwire.ledger import Rows, RunState
from tests.engine.conftest import FLOW, House
from tests.engine.vendor import Vendor
from tests.ledgers import change
from tests.samples import order

SHORTER = FLOW[: FLOW.index("  bench:")]
refused = Refused("Toy Till says no.", cause="refused")


async def _stuck(url: str) -> Vendor:
    """A run that is stuck at its stock change, its other actions done."""
    vendor = Vendor()
    vendor.next["adjust"].append(refused)
    async with House(url, vendor).open() as house:
        await house.deliver()
        await house.settled()
    return vendor


async def test_a_retry_with_a_flow_that_has_lost_an_action_goes_on_without_it(ledger_url: str) -> None:
    vendor = await _stuck(ledger_url)
    as_now = parse_flow(SHORTER, Path("flows/test.yaml"))
    async with House(ledger_url, vendor, SHORTER).open() as house:
        (exception,) = await house.exceptions()
        today = {as_now.id: as_now}
        await house.ledger.write(lambda rows: retry(rows, exception.id, system_clock(), who="Dana", today=today))
        await house.settled()
        assert (await house.run()).state is RunState.DONE
        assert [vendor.effects(name) for name in ("adjust", "create_label", "post_message")] == [1, 1, 1]


async def test_a_run_whose_connection_is_gone_is_told_and_holds_nothing_else_up(ledger_url: str) -> None:
    vendor = await _stuck(ledger_url)
    async with House(ledger_url, vendor).open() as house:
        (exception,) = await house.exceptions()
        there = house.engine._connections.pop(vendor.name)
        await house.ledger.write(lambda rows: retry(rows, exception.id, system_clock(), who="Dana"))
        await house.settled()
        (exception,) = await house.exceptions()
        assert exception.cause == "no-connection:till"
        house.engine._connections[vendor.name] = there
        await house.ledger.write(lambda rows: retry(rows, exception.id, system_clock(), who="Dana"))
        await house.settled()
        assert (await house.run()).state is RunState.DONE


async def _retry_all(house: House, **options: object) -> None:
    for exception in await house.exceptions():
        again = partial(retry, exception=exception.id, now=system_clock(), who="Dana", **options)  # type: ignore[arg-type]
        await house.ledger.write(again)


@pytest.mark.parametrize(
    ("sql", "cause"),
    [
        ("UPDATE flow_versions SET source = 'name: [' ", "flow-unreadable:test"),
        ("UPDATE events SET data = '{}' WHERE id = 1", "event-unreadable"),
    ],
)
async def test_a_run_that_cannot_be_loaded_is_told_and_holds_nothing_else_up(
    sql: str, cause: str, ledger_url: str
) -> None:
    vendor = await _stuck(ledger_url)
    async with House(ledger_url, vendor, FLOW + "# as it is now\n", numbers=count(2)).open() as house:
        change(ledger_url, sql)
        await _retry_all(house)
        await house.deliver(order(id="another"))
        await house.settled()
        (told,) = await house.exceptions()
        assert (told.cause, told.run, told.action, told.flow) == (cause, 1, "", "test")
        assert told.sentence and told.remedy and told.detail
        assert {run.id: run.state for run in await house.runs()} == {1: RunState.DEAD, 2: RunState.DONE}


async def test_a_run_whose_flow_cannot_be_read_goes_on_with_the_flow_as_it_is_now(ledger_url: str) -> None:
    vendor = await _stuck(ledger_url)
    text = FLOW + "# as it is now\n"
    as_now = parse_flow(text, Path("flows/test.yaml"))
    async with House(ledger_url, vendor, text).open() as house:
        change(ledger_url, "UPDATE flow_versions SET source = '' WHERE source NOT LIKE '%as it is now%'")
        await _retry_all(house)
        await house.settled()
        await _retry_all(house, today={as_now.id: as_now})
        await house.settled()
        assert (await house.run()).state is RunState.DONE
        assert [vendor.effects(name) for name in ("adjust", "create_label", "post_message")] == [1, 1, 1]


@pytest.mark.parametrize(
    "act",
    [
        partial(resolve, result={"id": "1"}, reason="did it"),
        partial(edit, edited=Edited("{}", ("reason",))),
    ],
)
async def test_what_is_about_an_action_is_refused_of_a_whole_run_and_changes_nothing(
    act: Callable[..., None], ledger_url: str
) -> None:
    vendor = await _stuck(ledger_url)
    async with House(ledger_url, vendor).open() as house:
        change(ledger_url, "UPDATE events SET data = '{}'")
        await _retry_all(house)
        await house.settled()
        (told,) = await house.exceptions()
        with pytest.raises(BellwireError, match="about a run as a whole, not about an action"):
            await house.ledger.write(lambda rows: act(rows, told.id, now=system_clock(), who="Dana"))
        assert await house.exceptions() == [told]
        await house.ledger.write(lambda rows: dismiss(rows, told.id, system_clock(), who="Dana", reason="sold by hand"))
        assert (await house.run()).state is RunState.SKIPPED


async def test_what_was_claimed_and_could_not_be_read_is_let_go_without_a_restart(ledger_url: str) -> None:
    vendor = await _stuck(ledger_url)
    async with House(ledger_url, vendor).open() as house:

        def claimed(rows: Rows) -> bool:
            return rows.one("SELECT fence FROM runs WHERE fence > 1") is not None

        change(ledger_url, "ALTER TABLE attempts RENAME TO attempts_elsewhere")
        change(ledger_url, "UPDATE runs SET state = 'waiting', due_at = 0")
        await house.until(lambda: house.ledger.read(claimed))
        change(ledger_url, "UPDATE attempts_elsewhere SET next_at = finished_at WHERE outcome = 'failed'")
        change(ledger_url, "ALTER TABLE attempts_elsewhere RENAME TO attempts")
        await house.settled()
        assert (await house.run()).state is RunState.DONE


async def test_a_fault_of_ours_in_the_middle_of_a_run_is_told_of_its_action(house: House) -> None:
    house.vendor.next["adjust"].append(KeyError("sku"))
    await house.deliver()
    await house.settled()
    (told,) = await house.exceptions()
    assert (told.cause, told.action) == ("bug-KeyError", "stock")
    assert told.sentence == "The action 'stock' failed because of a fault in Bellwire, not in what you did."
