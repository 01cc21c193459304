"""What the benchmark makes and says; never how fast anything is."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from bench import desk
from bench.figures import KINDS, Figures, Took
from bench.history import make_backlog, make_history, make_timers
from bench.latency import percentile
from bench.lived_in import lived_in
from bench.orders import STANDARD, Orders
from bench.plot import plot
from bench.showing import as_json, markdown, pages, verdict
from bench.simulation import Costs, simulate

from bellwire.ledger import RunState, figures, open_ledger, runs

AGES = datetime(2000, 1, 1, tzinfo=UTC)
SOON = datetime.now(UTC) + timedelta(hours=1)


async def test_a_made_history_is_one_that_bellwire_could_have_written(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    await make_history(path, 30, Orders(STANDARD))

    async with open_ledger(f"sqlite:///{path}") as ledger:
        (balance,) = await ledger.read(lambda rows: figures.balances(rows, AGES, SOON))
        counts = await ledger.read(lambda rows: figures.action_counts(rows, AGES, SOON))
    assert (balance.received, balance.done) == (30, 30)
    assert [(count.action, count.done) for count in counts] == [("bench", 30), ("label", 30), ("stock", 30)]


async def test_every_page_shows_a_history_that_was_lived_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "_VISITS", 1)
    path = tmp_path / "ledger.db"
    await make_history(path, 1_500, Orders(STANDARD), lived_in())

    seen = await desk.visits(tmp_path, f"sqlite:///{path}", 1_500)
    assert len(seen) > 100 and {"/", "/exceptions?assignee=1", "/api/v1/today"} <= seen.keys()


async def test_a_made_backlog_is_due_at_once(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    await make_backlog(path, 20, Orders(STANDARD))

    async with open_ledger(f"sqlite:///{path}") as ledger:
        await ledger.write(lambda rows: runs.recover(rows, datetime.now(UTC)))
        claimed = await ledger.write(lambda rows: runs.claim(rows, SOON, 100))
    assert [run.state for run in claimed] == [RunState.RUNNING] * 20


async def test_made_timers_wait_for_their_time(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    await make_timers(path, 20, Orders(STANDARD))

    async with open_ledger(f"sqlite:///{path}") as ledger:
        assert await ledger.read(figures.unfinished) == 0
        assert await ledger.read(lambda rows: figures.unfinished(rows, SOON + timedelta(days=40))) == 20
        assert not await ledger.write(lambda rows: runs.claim(rows, SOON, 100))
        assert await ledger.read(figures.next_due) is not None


def test_the_slowest_page_comes_first_by_its_median() -> None:
    measured = Figures()
    for few, many, largest in ((1, 2, 3), (3, 90, 95), (2, 4, 5)):
        measured.page("/", Took(few, many, largest, few))
    measured.page("/runs", Took(5, 12, 14, 6))
    assert pages(measured)[2:] == ["| `/runs` | 5.00 | 12.0 | 14.0 | 6.00 |", "| `/` | 2.00 | 4.00 | 95.0 | 2.00 |"]
    shown = json.loads(as_json(measured))["pages"]
    assert shown["/"] == {"few": 2, "many": 4, "largest": 95, "processor": 2}
    assert pages(Figures()) == []


def test_no_two_orders_are_alike() -> None:
    orders = Orders(STANDARD)
    assert len({sent.ours for sent in [*orders.take(5), *orders.take(5)]}) == 10


def test_a_percentile_is_one_of_the_values() -> None:
    assert percentile([3, 1, 2], 50) == 2
    assert percentile(range(1, 101), 99) == 99
    assert percentile([7], 99) == 7


COSTS = Costs(ack=0.0004, run=0.0016, commit=0.001, statement=0.0001)


def test_in_a_simulation_an_event_that_meets_no_other_costs_what_its_steps_cost() -> None:
    found = simulate(COSTS, rate=0.5, ledgers=1)
    ack = COSTS.ack + COSTS.commit + 3 * COSTS.statement
    run = COSTS.run + 4 * COSTS.commit + (5 + 1 + 1 + 3) * COSTS.statement
    assert (found.intakes, found.workers) == (2, 2)
    assert abs(found.ack_p99 - ack) < 0.001
    assert abs(found.overhead_p99 - ack - run) < 0.003


def test_in_a_simulation_what_is_too_much_for_one_ledger_is_carried_by_several() -> None:
    alone, shared = (simulate(COSTS, rate=2_000, ledgers=ledgers) for ledgers in (1, 4))
    assert alone.busy > 0.99
    assert alone.overhead_p99 > 5 * shared.overhead_p99


def test_every_figure_is_in_the_table_and_those_with_an_aim_in_the_plot() -> None:
    found = Figures()
    for name in KINDS:
        found.add(**{name: 1.0})
        found.add(**{name: 3.0})
    assert len(markdown(found).splitlines()) == 2 + len(KINDS)
    drawn = {text.text for text in ET.fromstring(plot(found)).iter("{http://www.w3.org/2000/svg}text")}  # noqa: S314
    assert {name for name, kind in KINDS.items() if kind.aim} <= drawn
    assert verdict(found, "ack_ratio") == "met"
    assert verdict(found, "ready_s") == "missed"
