"""Finding runs, events and deliveries: by every filter, page by page, without reading history."""

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bellwire.events import Customer
from bellwire.ledger import (
    Database,
    DeliveryState,
    Found,
    Rows,
    RunRow,
    RunState,
    Wanted,
    finding,
    open_ledger,
    purge,
    runs,
)
from tests.desk.story import NOW, Story
from tests.samples import usd


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[Database]:
    async with open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}") as ledger:
        yield ledger


def robin(**changes: Any) -> dict[str, Any]:
    return {"customer": Customer(name="Robin Hill", email="robin@example.com"), "total": usd("24.40"), **changes}


async def found(ledger: Database, wanted: Wanted, *, limit: int = 100, before: int | None = None) -> Found[RunRow]:
    return await ledger.read(lambda rows: finding.find_runs(rows, wanted, before=before, limit=limit))


async def numbers(ledger: Database, wanted: Wanted, **how: int) -> list[int]:
    return [run.id for run in (await found(ledger, wanted, **how)).items]


async def every_page(ledger: Database, wanted: Wanted, limit: int) -> list[int]:
    seen: list[int] = []
    before = None
    while True:
        page = await found(ledger, wanted, limit=limit, before=before)
        seen += [run.id for run in page.items]
        if page.next is None:
            return seen
        before = page.next


@pytest.mark.parametrize(
    "text", ["1002", "#1002", "robin hill", "Hill", "rob", "ROBIN@example.com", "24.40", "$24.4", " robin  hill "]
)
async def test_an_order_is_found_by_number_customer_and_amount(ledger: Database, text: str) -> None:
    def fill(rows: Rows) -> int:
        story = Story(rows)
        other: dict[str, Any] = {"customer": Customer(name="Ada Meyer", email="ada@example.com"), "total": usd("61.00")}
        story.done(NOW, **other)
        run = story.dies(NOW, **robin())
        story.done(NOW, **other)
        return run

    run = await ledger.write(fill)

    assert await numbers(ledger, Wanted(text=text)) == [run]


async def test_what_nobody_has_is_not_found(ledger: Database) -> None:
    await ledger.write(lambda rows: Story(rows).done(NOW, **robin()))

    for text in ("nobody", "   ", "#", "%", "1001_", "\x00"):
        assert await numbers(ledger, Wanted(text=text)) == [] or not text.strip("# \x00")


async def test_the_filters_hold_together_and_pages_give_each_run_once(ledger: Database) -> None:
    def fill(rows: Rows) -> dict[str, list[int]]:
        story = Story(rows)
        made: dict[str, list[int]] = {"done": [], "dead": [], "waiting": []}
        for day in range(9):
            at = NOW - timedelta(days=9 - day)
            made["done"].append(story.done(at, **robin()))
            made["dead"].append(story.dies(at, **robin()))
            made["waiting"].append(story.waits(at, NOW, **robin()))
        return {state: list(reversed(found)) for state, found in made.items()}

    made = await ledger.write(fill)
    everything = sorted((run for found in made.values() for run in found), reverse=True)

    for limit in (1, 4, 100):
        assert await every_page(ledger, Wanted(), limit) == everything
        assert await every_page(ledger, Wanted(text="hill"), limit) == everything
        assert await every_page(ledger, Wanted(flow="order_to_cash"), limit) == everything
        for state in ("done", "dead", "waiting"):
            for wanted in (
                Wanted(state=RunState(state)),
                Wanted(state=RunState(state), text="hill"),
                Wanted(state=RunState(state), flow="order_to_cash"),
            ):
                assert await every_page(ledger, wanted, limit) == made[state]
    assert await numbers(ledger, Wanted(flow="another")) == []
    since, until = NOW - timedelta(days=5), NOW - timedelta(days=3)
    days = everything[9:15]
    for of in (Wanted(), Wanted(text="hill"), Wanted(flow="order_to_cash")):
        for limit in (1, 4, 100):
            wanted = Wanted(text=of.text, flow=of.flow, since=since, until=until)
            assert await every_page(ledger, wanted, limit) == days


async def test_a_run_that_was_started_again_stands_beside_the_first(ledger: Database) -> None:
    def fill(rows: Rows) -> list[int]:
        story = Story(rows)
        first = story.done(NOW, **robin())
        event = runs.find(rows, first).event  # type: ignore[union-attr]
        flow = story.flow
        again = runs.start(
            rows, event, flow.id, flow.hash, subject="s", received_at=NOW, now=NOW, state=RunState.WAITING, nonce="n"
        )
        assert again is not None
        return [again, first]

    both = await ledger.write(fill)

    for limit in (1, 10):
        assert await every_page(ledger, Wanted(text="1001"), limit) == both
        assert await every_page(ledger, Wanted(flow="order_to_cash"), limit) == both


async def test_a_page_looks_at_no_more_than_so_many_rows(ledger: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "LOOKED_AT", 10)

    def fill(rows: Rows) -> int:
        story = Story(rows)
        run = story.done(NOW, **robin())
        for _ in range(25):
            story.done(NOW, **robin())
        rows.run("UPDATE runs SET state = 'skipped' WHERE id = :id", {"id": run})
        return run

    run = await ledger.write(fill)

    wanted = Wanted(text="hill", state=RunState.SKIPPED)
    first = await found(ledger, wanted)
    assert first.items == [] and first.next is not None
    assert await every_page(ledger, wanted, 5) == [run]
    assert await numbers(ledger, Wanted(state=RunState.SKIPPED)) == [run], "what is rare is found at once"


async def test_events_are_found_by_connection_type_and_text(ledger: Database) -> None:
    await ledger.write(lambda rows: Story(rows).done(NOW, **robin()))

    async def count(wanted: Wanted) -> int:
        return len((await ledger.read(lambda rows: finding.find_events(rows, wanted, before=None, limit=9))).items)

    assert await count(Wanted()) == await count(Wanted(connection="shop", type="order.paid", text="1001")) == 1
    assert await count(Wanted(connection="books")) == await count(Wanted(type="order.created")) == 0


async def test_deliveries_are_found_by_connection_state_and_time(ledger: Database) -> None:
    def fill(rows: Rows) -> None:
        story = Story(rows)
        for minute in range(5):
            story.done(NOW + timedelta(minutes=minute))
        story.unreadable(NOW + timedelta(minutes=5))

    await ledger.write(fill)

    async def ids(wanted: Wanted, before: int | None = None, limit: int = 9) -> Sequence[int]:
        page = await ledger.read(lambda rows: finding.find_deliveries(rows, wanted, before=before, limit=limit))
        return [each.id for each in page.items]

    assert await ids(Wanted()) == [6, 5, 4, 3, 2, 1]
    assert await ids(Wanted(state=DeliveryState.DEAD)) == [6]
    assert await ids(Wanted(connection="shop", state=DeliveryState.DONE), before=4) == [3, 2, 1]
    assert await ids(Wanted(connection="books")) == []
    assert await ids(Wanted(since=NOW + timedelta(minutes=1), until=NOW + timedelta(minutes=3))) == [3, 2]


async def test_what_an_event_is_looked_for_by_goes_with_its_data(ledger: Database) -> None:
    def fill(rows: Rows) -> None:
        Story(rows).done(NOW, **robin())
        purge.empty_events(rows, [1])

    await ledger.write(fill)

    assert await numbers(ledger, Wanted(text="hill")) == []
    assert await ledger.read(lambda rows: rows.one("SELECT COUNT(*) FROM terms")) == (0,)
    assert await numbers(ledger, Wanted()) == [1], "that it was there is still known"


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(),
        Wanted(text="rob"),
        Wanted(text="24.40"),
        Wanted(state=RunState.DEAD),
        Wanted(state=RunState.DONE),
        Wanted(flow="order_to_cash"),
        Wanted(flow="order_to_cash", state=RunState.DEAD),
        Wanted(until=NOW),
        Wanted(since=NOW - timedelta(days=1), flow="order_to_cash", until=NOW),
    ],
)
async def test_every_query_goes_by_an_index(ledger: Database, wanted: Wanted) -> None:
    from tests.desk.test_cost import Watched

    await ledger.write(lambda rows: Story(rows).done(NOW, **robin()))

    def plans(rows: Rows) -> list[tuple[str, str]]:
        watched = Watched(rows)
        finding.find_runs(watched, wanted, before=1, limit=5)
        finding.find_runs(watched, wanted, before=None, limit=5)
        finding.find_events(watched, Wanted(text=wanted.text, until=wanted.until), before=None, limit=5)
        return watched.plans

    steps = await ledger.read(plans)

    whole = [step for _, step in steps if step.startswith("SCAN runs") and "runs_unfinished" not in step]
    assert whole == [] and not [step for _, step in steps if step.startswith(("SCAN events", "SCAN terms"))]
    assert len(steps) > 1
