"""What people decide about a run while it is still going on."""

import asyncio
from collections.abc import Callable

import pytest

from bellwire.clock import system_clock
from bellwire.engine import dismiss, resolve
from bellwire.errors import BellwireError, Refused
from bellwire.ledger import Rows, RunState
from tests.engine.conftest import House


def _resolve(rows: Rows, exception: int) -> None:
    resolve(rows, exception, system_clock(), result={}, reason="done")


def _dismiss(rows: Rows, exception: int) -> None:
    dismiss(rows, exception, system_clock(), reason="called off")


@pytest.mark.parametrize(("decide", "end"), [(_resolve, RunState.DONE), (_dismiss, RunState.SKIPPED)])
async def test_a_decision_waits_until_the_run_is_at_rest(
    house: House, decide: Callable[[Rows, int], None], end: RunState
) -> None:
    """Else the run would end as stuck, with its exception closed and nobody asked."""
    go_on = asyncio.Event()
    house.vendor.next["adjust"].append(Refused("Toy Till says no.", cause="refused"))
    house.vendor.next["create_label"].append(lambda: go_on.wait())
    await house.deliver()
    await house.until(house.exceptions)
    (exception,) = await house.exceptions()
    with pytest.raises(BellwireError, match="still busy"):
        await house.ledger.write(lambda rows: decide(rows, exception.id))
    go_on.set()
    await house.settled()
    assert [each.id for each in await house.exceptions()] == [exception.id]
    await house.ledger.write(lambda rows: decide(rows, exception.id))
    await house.settled()
    assert (await house.run()).state is end
