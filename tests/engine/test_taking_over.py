"""Runs that go on in a project that isn't what it was."""

from pathlib import Path

from bellwire.clock import system_clock
from bellwire.engine import retry
from bellwire.errors import Refused
from bellwire.flows import parse_flow
from bellwire.ledger import RunState
from tests.engine.conftest import FLOW, House
from tests.engine.vendor import Vendor

SHORTER = FLOW[: FLOW.index("  bench:")]
refused = Refused("Toy Till says no.", cause="refused")


async def _stuck(path: Path) -> Vendor:
    """A run that is stuck at its stock change, its other actions done."""
    vendor = Vendor()
    vendor.next["adjust"].append(refused)
    async with House(path, vendor).open() as house:
        await house.deliver()
        await house.settled()
    return vendor


async def test_a_retry_with_a_flow_that_has_lost_an_action_goes_on_without_it(tmp_path: Path) -> None:
    vendor = await _stuck(tmp_path / "ledger.db")
    as_now = parse_flow(SHORTER, Path("flows/test.yaml"))
    async with House(tmp_path / "ledger.db", vendor, SHORTER).open() as house:
        (exception,) = await house.exceptions()
        today = {as_now.id: as_now}
        await house.ledger.write(lambda rows: retry(rows, exception.id, system_clock(), who="Dana", today=today))
        await house.settled()
        assert (await house.run()).state is RunState.DONE
        assert [vendor.effects(name) for name in ("adjust", "create_label", "post_message")] == [1, 1, 1]


async def test_a_run_whose_connection_is_gone_is_told_and_holds_nothing_else_up(tmp_path: Path) -> None:
    vendor = await _stuck(tmp_path / "ledger.db")
    async with House(tmp_path / "ledger.db", vendor).open() as house:
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
