"""What a page costs doesn't grow with history: every query finds its rows by an index."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

from bellwire.desk import arrivals
from bellwire.desk import exceptions as desk_exceptions
from bellwire.desk.asking import lists
from bellwire.desk.connections import known
from bellwire.desk.drafting import past_events
from bellwire.desk.history import history
from bellwire.desk.looking import lines, one_answer
from bellwire.desk.today import day, with_events
from bellwire.desk.words import Words
from bellwire.events import Environment
from bellwire.ledger import (
    Rows,
    RunState,
    Wanted,
    asks,
    deliveries,
    drafts,
    errands,
    exceptions,
    figures,
    modes,
    open_ledger,
    pilots,
    pulse,
    versions,
)
from bellwire.ledger.exceptions import Choice
from bellwire.ledger.finding import find_deliveries, find_events, find_runs
from bellwire.ledger.sqlite import SqliteRows
from tests.desk.story import NOW, Story, a_day, the_connections, the_flow
from tests.ledgers import connection_of

MIDNIGHT = NOW.replace(hour=6, minute=0)


class Watched(SqliteRows):
    """Keeps the plan of every query."""

    def __init__(self, rows: Rows) -> None:
        super().__init__(connection_of(rows))
        self.plans: list[tuple[str, str]] = []

    def all(self, sql: str, values: Mapping[str, Any] = {}) -> list[tuple[Any, ...]]:
        self._note(sql, values)
        return super().all(sql, values)

    def one(self, sql: str, values: Mapping[str, Any] = {}) -> tuple[Any, ...] | None:
        self._note(sql, values)
        return super().one(sql, values)

    def _note(self, sql: str, values: Mapping[str, Any]) -> None:
        self.plans += [(sql, row[3]) for row in super().all(f"EXPLAIN QUERY PLAN {sql}", values)]


def every_query(rows: Rows) -> None:
    """What the pages ask."""
    connections = the_connections(Environment.PRODUCTION)
    environments = {name: connection.environment for name, connection in connections.items()}
    day(rows, MIDNIGHT, NOW, hours=24, flows=[the_flow()], environments=environments)
    figures.processing_times(rows, MIDNIGHT, NOW, flow="order_to_cash")
    with_events(rows, figures.newest_of_flow(rows, "order_to_cash", limit=20))
    history(rows, 1)
    known(rows, the_connections())
    deliveries.newest_webhook(rows, "shop")
    past_events(rows, "shop", "order.paid")
    drafts.find(rows, "order_to_cash")
    for choice in (Choice(), Choice(cause="unknown-sku", connection="stock", until=9), Choice(search="hill")):
        desk_exceptions.causes(rows, choice)
        desk_exceptions.open_ones(rows, choice, 0)
        desk_exceptions.closed_ones(rows, choice, 0)
        exceptions.chosen_ids(rows, choice)
    exceptions.assignees(rows)
    errands.unfinished(rows)
    errands.portion(rows, 1, 200)
    pulse.mark(rows)
    flows_and_asks(rows)


def flows_and_asks(rows: Rows) -> None:
    """What the pages of flows, of approvals and of to-dos ask."""
    figures.times_by_flow(rows, MIDNIGHT, NOW)
    figures.flow_loads(rows)
    modes.decision(rows, "order_to_cash")
    pilots.of_flow(rows, "order_to_cash", limit=20)
    lists(rows, NOW, flow="order_to_cash", kind="to-do")
    asks.closed_ones(rows, since=NOW - timedelta(days=7), limit=50)
    asks.closed_ones(rows, before=1, limit=50)


def every_list(rows: Rows) -> None:
    """What the lists ask, and the pages that they lead to."""
    arrivals.arrival(rows, 1)
    arrivals.known(rows, 1)
    one_answer(rows, "1001")
    for wanted in (Wanted(), Wanted(text="rob"), Wanted(flow="order_to_cash"), Wanted(state=RunState.DEAD)):
        lines(rows, list(find_runs(rows, wanted, before=None, limit=50).items), Words(UTC), NOW)
    find_events(rows, Wanted(text="1001", until=NOW), before=None, limit=50)
    find_deliveries(rows, Wanted(connection="shop", until=NOW), before=None, limit=50)


async def test_no_query_reads_a_whole_table(tmp_path: Path) -> None:
    async with open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}") as ledger:
        await ledger.write(a_day)

        def plans(rows: Rows) -> list[tuple[str, str]]:
            watched = Watched(rows)
            every_query(watched)
            # It counts runs, up to so many of each version.
            versions.of_flow(watched, "order_to_cash", limit=50)
            every_list(watched)
            return watched.plans

        found = await ledger.read(plans)

    partial = (
        "deliveries_to_normalise|runs_(due|going_on|held|unfinished_of_subject)|exceptions_open|one_open_alert"
        "|asks_open|asks_by_decision|errands_unfinished"
    )
    tables = (
        "deliveries|events|runs|attempts|exceptions|payloads|pilots|terms|exchanges|asks|flow_versions"
        "|errands|errand_steps"
    )
    whole = [
        (sql, step)
        for sql, step in found
        if re.match(rf"SCAN ({tables}|[a-z]\b)", step)
        and not re.search(partial, step)
        # the newest few, from the end of the table
        and not re.search(r"ORDER BY id DESC LIMIT :limit$", sql)
    ]
    assert any("INDEX events_by_type" in step for _, step in found)
    assert len(found) > 20
    assert whole == []


async def test_a_long_history_adds_no_steps_to_a_page(tmp_path: Path) -> None:
    """Counted in SQLite's own steps, so that it says the same on any machine."""
    short, long = [await _steps(tmp_path / name, days) for name, days in (("short", 1), ("long", 60))]

    assert long < short * 1.3


async def test_a_long_history_adds_no_steps_to_a_list(tmp_path: Path) -> None:
    """From a history on that fills what a list looks at in one go."""
    short, long = [await _steps(tmp_path / name, days, every_list) for name, days in (("short", 20), ("long", 80))]

    assert long < short * 1.3


async def _steps(folder: Path, days: int, ask: Callable[[Rows], None] = every_query) -> int:
    """How many steps, in hundreds, the pages take today, after `days` days of 20 orders each."""
    count = 0

    def step() -> int:
        nonlocal count
        count += 1
        return 0

    def counted(rows: Rows) -> None:
        connection_of(rows).set_progress_handler(step, 100)
        ask(rows)
        connection_of(rows).set_progress_handler(None, 0)

    def fill(rows: Rows) -> None:
        story = Story(rows)
        for past in range(days, 0, -1):
            for minute in range(20):
                story.done(NOW - timedelta(days=past, minutes=-minute))
        for minute in range(20):
            story.done(NOW - timedelta(minutes=minute))
        story.dies(NOW)
        story.waits(NOW, NOW)

    async with open_ledger(f"sqlite:///{folder / 'ledger.db'}") as ledger:
        await ledger.write(fill)
        await ledger.read(counted)
    return count
