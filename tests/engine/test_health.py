"""Connections that are out of order: left alone, their runs held, and tried again."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from bellwire.clock import system_clock
from bellwire.connectors.kit import Account, Call
from bellwire.engine.health import is_outage
from bellwire.errors import MissingCredential, OutcomeUnknown, Refused, SignedOut, Transient
from bellwire.ledger import HealthRow, Outcome, RunState, Trouble, deliveries, health, runs
from tests.engine.conftest import House
from tests.engine.vendor import Vendor
from tests.samples import order

FLOW = """
name: Test
trigger: till.order.paid
actions:
  tell:
    do: till.post_message
    with: {channel: packing, text: "{{ event.number }}"}
    retry: {attempts: 2, first: 1m, longest: 1m}
"""
down = Transient("Toy Till is down.", cause="unreachable")
signed_out = SignedOut("Toy Till no longer accepts the sign-in of connection 'till'.")


class Clock:
    """The time of the machine, and whatever was added."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return system_clock() + self.ahead


class Switchable(Vendor):
    """A vendor that can be switched off as a whole, and asked how it is."""

    def __init__(self) -> None:
        super().__init__()
        self.fault: Exception | None = None
        self.probes = 0

    async def _do(self, operation: str, call: Call, given: object) -> None:
        if self.fault is not None:
            self.calls.append((operation, call.key, call.again))
            raise self.fault
        await super()._do(operation, call, given)

    async def sign_in(self, _: Call) -> Account:
        self.probes += 1
        if self.fault is not None:
            raise self.fault
        return Account("Toy")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def vendor() -> Switchable:
    return Switchable()


@pytest.fixture
def troubled(ledger_url: str, vendor: Switchable, clock: Clock) -> House:
    return House(ledger_url, vendor, flow=FLOW, clock=clock, sign_in=vendor.sign_in)


async def out(house: House) -> list[HealthRow]:
    return await house.ledger.read(health.out_of_order)


async def states(house: House) -> set[RunState]:
    return {run.state for run in await house.runs()}


def all_are(house: House, state: RunState) -> Callable[[], object]:
    async def found() -> bool:
        unread = await house.ledger.read(lambda rows: deliveries.waiting(rows, after=0, limit=1))
        return not unread and await states(house) == {state} and not house.engine.busy

    return found


async def orders(house: House, count: int, start: int = 0) -> None:
    for number in range(start, start + count):
        await house.deliver(order(id=str(number), number=str(number)))


async def test_after_failures_of_several_runs_a_vendor_is_left_alone(troubled: House, vendor: Switchable) -> None:
    async with troubled.open() as house:
        vendor.fault = down
        await orders(house, 3)
        await house.until(all_are(house, RunState.HELD))
        (row,) = await out(house)
        assert (row.connection, row.state, row.reason) == ("till", Trouble.DOWN, "Toy Till is down.")
        asked = len(vendor.calls)
        await orders(house, 5, start=3)
        await house.until(all_are(house, RunState.HELD))
        assert len(vendor.calls) == asked, "nobody asks it while it is out of order"
        assert await house.exceptions() == []


async def test_once_it_answers_again_the_runs_go_on_in_their_order_and_have_lost_no_attempt(
    troubled: House, vendor: Switchable, clock: Clock
) -> None:
    async with troubled.open() as house:
        vendor.fault = down
        await orders(house, 8)
        await house.until(all_are(house, RunState.HELD))
        for _ in range(3):  # more often than an action of this flow may fail
            probes, clock.ahead = vendor.probes, clock.ahead + timedelta(hours=1)
            await house.until(lambda probes=probes: vendor.probes > probes)  # type: ignore[misc]
        (row,) = await out(house)
        assert row.failures >= 3
        vendor.fault = None
        clock.ahead += timedelta(hours=1)
        await house.until(all_are(house, RunState.DONE))
        assert await out(house) == []
        assert [given.text for given in vendor.given] == [str(number) for number in range(8)]
        held = [run for run in await house.runs() if run.fence > 1]
        for run in held:
            attempts = await house.ledger.read(lambda rows, run=run: runs.attempts(rows, run.id))  # type: ignore[misc]
            assert attempts[-1].outcome is Outcome.DONE


async def test_probes_come_in_growing_gaps(troubled: House, vendor: Switchable, clock: Clock) -> None:
    async with troubled.open() as house:
        vendor.fault = down
        await orders(house, 3)
        await house.until(all_are(house, RunState.HELD))
        gaps = []
        for _ in range(8):
            (row,) = await out(house)
            assert row.probe_at is not None
            gaps.append(row.probe_at - clock())
            before, clock.ahead = vendor.probes, clock.ahead + gaps[-1] + timedelta(seconds=1)
            await house.until(lambda before=before, row=row: _probed(house, vendor, before, row))  # type: ignore[misc]
        assert timedelta(seconds=3) < gaps[0] < timedelta(seconds=11)
        assert timedelta(minutes=2) < gaps[-1] < timedelta(minutes=6)


async def _probed(house: House, vendor: Switchable, before: int, row: HealthRow) -> bool:
    found = await out(house)
    return vendor.probes > before and bool(found) and found[0].failures > row.failures


async def test_where_nobody_can_be_asked_one_run_is_let_through_to_try(
    ledger_url: str, vendor: Switchable, clock: Clock
) -> None:
    async with House(ledger_url, vendor, flow=FLOW, clock=clock).open() as house:
        vendor.fault = down
        await orders(house, 5)
        await house.until(all_are(house, RunState.HELD))
        asked = len(vendor.calls)
        clock.ahead += timedelta(minutes=1)
        await house.until(lambda: len(vendor.calls) > asked)
        await house.until(all_are(house, RunState.HELD))
        assert len(vendor.calls) == asked + 1
        vendor.fault = None
        clock.ahead += timedelta(minutes=10)
        await house.until(all_are(house, RunState.DONE))


async def test_one_order_that_always_fails_is_no_outage(troubled: House, vendor: Switchable) -> None:
    async with troubled.open() as house:
        vendor.fault = down
        await orders(house, 1)
        await house.until(all_are(house, RunState.DEAD))
        assert await out(house) == []
        assert len(await house.exceptions()) == 1


async def test_what_a_vendor_refuses_is_no_outage(troubled: House, vendor: Switchable) -> None:
    async with troubled.open() as house:
        vendor.fault = Refused("No.", cause="no")
        await orders(house, 5)
        await house.until(all_are(house, RunState.DEAD))
        assert await out(house) == []


@pytest.mark.parametrize("error", [signed_out, MissingCredential("till", "access_token", "BELLWIRE_TILL_ACCESS_TOKEN")])
async def test_a_connection_that_is_signed_out_parks_its_work_until_it_has_new_credentials(
    troubled: House, vendor: Switchable, error: Exception
) -> None:
    async with troubled.open() as house:
        vendor.fault = error
        await orders(house, 4)
        await house.until(all_are(house, RunState.HELD))
        (row,) = await out(house)
        assert row.state is Trouble.SIGNED_OUT and row.reason == str(getattr(error, "sentence", ""))
        assert await house.exceptions() == []
        vendor.fault = None
        house.connection.credentials.store({"access_token": "new"})
        await house.until(all_are(house, RunState.DONE))
        assert await out(house) == [] and vendor.effects("post_message") == 4


async def test_a_restart_tries_at_once_what_was_out_of_order(troubled: House, vendor: Switchable) -> None:
    async with troubled.open() as house:
        vendor.fault = signed_out
        await orders(house, 4)
        await house.until(all_are(house, RunState.HELD))
    vendor.fault = None
    async with troubled.open() as house:
        await house.until(all_are(house, RunState.DONE))
        assert await out(house) == []


async def test_an_outage_of_one_holds_no_action_of_another(troubled: House, vendor: Switchable) -> None:
    """A chat that is down holds neither label nor stock."""
    flow = """
name: Test
trigger: till.order.paid
actions:
  tell:
    do: till.post_message
    with: {channel: packing, text: "{{ event.number }}"}
  stock:
    do: second.adjust
    with: {lines: "{{ event.lines }}", reason: sale}
"""
    second = Vendor("second")
    async with troubled.at(flow=flow, others=(second,)).open() as house:
        vendor.fault = down
        await orders(house, 4)
        await house.until(all_are(house, RunState.HELD))
        assert second.effects("adjust") == 4


async def test_an_action_that_isnt_wanted_is_skipped_even_then(troubled: House, vendor: Switchable) -> None:
    flow = FLOW.replace("    with:", '    if: event.note != "quiet"\n    with:')
    async with troubled.at(flow=flow).open() as house:
        vendor.fault = signed_out
        await orders(house, 2)
        await house.until(all_are(house, RunState.HELD))
        await house.deliver(order(id="9", note="quiet"))
        await house.until(lambda: _some(house, RunState.DONE))


async def _some(house: House, state: RunState) -> bool:
    return state in await states(house)


async def test_an_unknown_outcome_stays_unknown_over_an_outage(
    troubled: House, vendor: Switchable, clock: Clock
) -> None:
    async with troubled.open() as house:
        vendor.fault = OutcomeUnknown("The connection broke off.")
        await orders(house, 3)
        await house.until(all_are(house, RunState.HELD))
        vendor.fault, vendor.calls = None, []
        clock.ahead += timedelta(hours=1)
        await house.until(all_are(house, RunState.DONE))
        assert [again for _, _, again in vendor.calls] == [True] * 3


def test_only_what_the_vendor_is_to_blame_for_is_an_outage() -> None:
    assert is_outage(down) and is_outage(TimeoutError()) and is_outage(OutcomeUnknown("It broke off."))
    assert not is_outage(Transient("Slower.", cause="rate-limited"))
    assert not is_outage(Transient("Somebody else changed it.", cause="stale"))
    assert not is_outage(signed_out) and not is_outage(Refused("No.", cause="no"))


async def test_those_who_wait_for_a_vendors_limits_take_nobody_elses_place(ledger_url: str) -> None:
    """More runs than there are workers wait for one account; an order that doesn't need it is done meanwhile."""
    flow = """
name: Test
trigger: till.order.paid
actions:
  tell:
    do: till.post_message
    if: event.note != "other"
    with: {channel: packing, text: "{{ event.number }}"}
"""
    vendor = Vendor()
    house = House(ledger_url, vendor, flow=flow, workers=4)
    async with house.open():
        held = [await house.connection.api.gate.enter() for _ in range(house.connection.manifest.parallel)]
        await orders(house, 20)
        await house.until(lambda: house.connection.api.gate.waiting == 20)
        await house.deliver(order(id="other", note="other"))
        await house.until(lambda: _some(house, RunState.DONE))
        for lane in held:
            house.connection.api.gate.leave(lane)
        await house.until(all_are(house, RunState.DONE))


async def test_the_queue_in_memory_is_bounded_and_the_rest_waits_in_the_ledger(
    ledger_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bellwire.engine.execution._QUEUE", 5)
    monkeypatch.setattr("bellwire.engine.execution._STAY", timedelta(seconds=0.2))
    vendor = Vendor()
    house = House(ledger_url, vendor, flow=FLOW, workers=4)
    async with house.open():
        held = [await house.connection.api.gate.enter() for _ in range(house.connection.manifest.parallel)]
        await orders(house, 30)
        await house.until(lambda: _waiting_in_the_ledger(house, at_least=10))
        assert house.connection.api.gate.waiting <= 5 + 4
        for lane in held:
            house.connection.api.gate.leave(lane)
        await house.until(all_are(house, RunState.DONE), 30)
        assert vendor.effects("post_message") == 30


async def _waiting_in_the_ledger(house: House, *, at_least: int) -> bool:
    return sum(run.state is RunState.WAITING for run in await house.runs()) >= at_least
