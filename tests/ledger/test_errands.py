"""Work in bulk in the ledger: what is still to be done of it, and how far it is."""

from datetime import timedelta

import pytest

from bellwire.ledger import Database, ErrandState, Rows, errands
from tests.ledger.stuck import begin, dealt_with, stuck
from tests.samples import NOW


def plan(rows: Rows, *numbers: int) -> int:
    return errands.plan(rows, "dismiss", '{"reason": "a test"}', "Dana", numbers, NOW)


async def test_it_is_done_when_nothing_is_left_and_what_was_said_of_it_is_forgotten(ledger: Database) -> None:
    def write(rows: Rows) -> list[object]:
        number, seen = plan(rows, 9, 7, 8, 7), list[object]()
        while left := errands.portion(rows, number, 2):
            row = errands.find(rows, number)
            assert row is not None and row.given
            seen.append((row.state.value, row.done, row.total, left, [each.id for each in errands.unfinished(rows)]))
            dealt_with(rows, number, left)
        row = errands.find(rows, number)
        assert row is not None
        return [*seen, (row.state.value, row.done, row.given, row.done_at, errands.unfinished(rows))]

    assert await ledger.write(write) == [
        ("going on", 0, 3, [7, 8], [1]),
        ("going on", 2, 3, [9], [1]),
        ("done", 3, "", NOW, []),
    ]


async def test_of_none_it_is_done_at_once(ledger: Database) -> None:
    row = await ledger.write(lambda rows: errands.find(rows, plan(rows)))
    assert row is not None and row.state is ErrandState.DONE


async def test_exceptions_of_one_run_are_dealt_with_together(ledger: Database) -> None:
    def write(rows: Rows) -> list[int]:
        first, second = begin(rows, "a"), begin(rows, "b")
        for run in (first, second, first, None, None, second, first):
            stuck(rows, run, action=f"action {run}")
        return errands.portion(rows, plan(rows, 1, 2, 3, 4, 5, 6), 1)

    assert await ledger.write(write) == [1, 3], "the seventh wasn't asked for"


async def test_what_somebody_else_has_dealt_with_or_is_stopped_isnt_to_be_done(ledger: Database) -> None:
    def write(rows: Rows) -> list[list[int]]:
        number, asked, seen = plan(rows, 1, 2, 3, 4), [1, 2, 3], list[list[int]]()
        dealt_with(rows, number, [2])
        dealt_with(rows, number, [3], (3, "no"))
        errands.stop(rows, number, "a fault")
        seen.append(errands.take(rows, number, asked))
        assert errands.go_on(rows, number) and not errands.go_on(rows, number)
        return [*seen, *(errands.take(rows, number, asked) for _ in range(2)), errands.portion(rows, number, 9)]

    assert await ledger.write(write) == [[], [1], [], [4]]


async def test_all_that_failed_are_counted_and_the_first_reasons_kept(
    ledger: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(errands, "MOST_REASONS", 3)

    def write(rows: Rows) -> object:
        number = plan(rows, *range(1, 11))
        dealt_with(rows, number, [1, 2, 3, 4, 5], (1, "a"), (2, "b"))
        dealt_with(rows, number, [6, 7, 8, 9, 10], (6, "c"), (7, "d"))
        row = errands.find(rows, number)
        assert row is not None
        return row.state, row.done, row.failed, errands.refused(rows, number)

    assert await ledger.write(write) == (ErrandState.DONE, 6, 4, [(1, "a"), (2, "b"), (6, "c")])


async def test_what_is_old_is_forgotten_unless_it_goes_on(ledger: Database) -> None:
    def write(rows: Rows) -> list[bool]:
        done, stopped, going_on = plan(rows, 1), plan(rows, 1), plan(rows, 1)
        dealt_with(rows, done, [1], (1, "no"))
        errands.stop(rows, stopped, "a fault")
        assert errands.forget(rows, NOW, 10) == 0
        later = NOW + timedelta(seconds=1)
        assert [errands.forget(rows, later, 1) for _ in range(3)] == [1, 1, 0]
        assert rows.all("SELECT errand FROM errand_steps") == [(going_on,)]
        return [errands.find(rows, number) is not None for number in (done, stopped, going_on)]

    assert await ledger.write(write) == [False, False, True]
