"""In which mode a flow is, decided and undecided; and the pilots that are on record."""

from dataclasses import replace

import pytest

from bellwire.events import Environment
from bellwire.ledger import Database, FlowMode, PilotRow, Rows, modes, pilots
from tests.samples import NOW

PILOT = PilotRow("cash", "a1", "practice", ready=True, as_expected=10, records=10, at=NOW, who="Dana")


@pytest.mark.parametrize(
    ("environment", "mode"), [(Environment.SANDBOX, FlowMode.LIVE), (Environment.PRODUCTION, FlowMode.SHADOW)]
)
async def test_without_a_decision_it_depends_on_whether_the_accounts_are_real(
    ledger: Database, environment: Environment, mode: FlowMode
) -> None:
    assert await ledger.read(lambda rows: modes.mode_of(rows, "cash", environment)) is mode


async def test_a_decision_holds_for_any_accounts_until_it_is_taken_back(ledger: Database) -> None:
    def decide(rows: Rows) -> None:
        modes.decide(rows, "cash", FlowMode.OFF, "stock-taking", NOW)
        modes.decide(rows, "cash", FlowMode.MANUAL, "", NOW)
        modes.decide(rows, "other", FlowMode.LIVE, "", NOW)

    await ledger.write(decide)
    for environment in Environment:
        mode = await ledger.read(lambda rows, where=environment: modes.mode_of(rows, "cash", where))  # type: ignore[misc]
        assert mode is FlowMode.MANUAL
    assert await ledger.read(modes.decided) == {"cash": FlowMode.MANUAL, "other": FlowMode.LIVE}
    await ledger.write(lambda rows: modes.leave_open(rows, "cash"))
    assert await ledger.read(modes.decided) == {"other": FlowMode.LIVE}


async def test_the_last_pilot_of_a_text_is_found_and_none_of_another_text(ledger: Database) -> None:
    later = replace(PILOT, ran_on="sandbox", ready=False, as_expected=9)

    def record(rows: Rows) -> None:
        for pilot in (PILOT, later, replace(PILOT, flow_hash="b2"), replace(PILOT, flow="other")):
            pilots.record(rows, pilot)

    await ledger.write(record)
    assert await ledger.read(lambda rows: pilots.newest(rows, "cash", "a1")) == later
    assert await ledger.read(lambda rows: pilots.newest(rows, "cash", "b2")) == replace(PILOT, flow_hash="b2")
    assert await ledger.read(lambda rows: pilots.newest(rows, "cash", "c3")) is None
