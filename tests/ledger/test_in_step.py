"""Writes that share a transaction on PostgreSQL: in step beside other lanes, within one lane one after the other."""

import asyncio
from collections.abc import Callable

import psycopg

from bellwire.ledger import Database, Rows
from tests.ledger.test_database import fail, put

Steps = list[tuple[str, int]]


def asking(name: str, steps: Steps, *, times: int = 3) -> Callable[[Rows], str]:
    """A write that asks several times; `steps` gets its name and the number of each answer as it comes."""

    def operation(rows: Rows) -> str:
        for number in range(times):
            row = rows.one("SELECT :n + 0", {"n": number})
            assert row is not None
            steps.append((name, row[0]))
        return name

    return operation


async def together(ledger: Database, *writes: tuple[Callable[[Rows], str], str | None]) -> list[str]:
    return await asyncio.gather(*(ledger.write(operation, lane=lane) for operation, lane in writes))


async def test_lanes_take_turns_statement_by_statement(here: Database) -> None:
    steps: Steps = []
    writes = [(asking(name, steps), name) for name in ("a", "b")]
    assert await together(here, *writes) == ["a", "b"]
    assert steps == [(name, number) for number in range(3) for name in ("a", "b")]


async def test_a_lane_that_has_more_to_ask_goes_on_alone(here: Database) -> None:
    steps: Steps = []
    await together(
        here, (asking("a", steps, times=1), "a"), (asking("b", steps), "b"), (asking("c", steps, times=0), "c")
    )
    assert steps == [("a", 0), ("b", 0), ("b", 1), ("b", 2)]


async def test_within_a_lane_one_write_ends_before_the_next_begins(here: Database) -> None:
    steps: Steps = []
    writes = [(asking(name, steps, times=2), lane) for name, lane in (("a1", "a"), ("b1", "b"), ("a2", "a"))]
    assert await together(here, *writes) == ["a1", "b1", "a2"]
    assert [name for name, _ in steps if name != "b1"] == ["a1", "a1", "a2", "a2"]


async def test_a_write_without_a_lane_runs_while_no_other_does(here: Database) -> None:
    steps: Steps = []
    writes = [(asking(name, steps), None if name == "alone" else name) for name in ("a", "b", "alone", "c", "d")]
    assert await together(here, *writes) == ["a", "b", "alone", "c", "d"]
    first = steps.index(("alone", 0))
    assert first == 6
    assert steps[first : first + 3] == [("alone", 0), ("alone", 1), ("alone", 2)]


async def test_each_gets_the_answers_to_its_own_questions(here: Database) -> None:
    def insert(number: int) -> Callable[[Rows], tuple[bool, int]]:
        def operation(rows: Rows) -> tuple[bool, int]:
            put(number)(rows)
            there = rows.one("SELECT 1 FROM crosswalk WHERE ours = :n", {"n": str(number)}) is not None
            return there, rows.run("UPDATE crosswalk SET theirs = 'x' WHERE ours = :n", {"n": str(number + 100)})

        return operation

    found = await asyncio.gather(*(here.write(insert(number), lane=str(number)) for number in range(40)))
    assert found == [(True, 0)] * 40


async def test_one_that_fails_leaves_the_others_be(here: Database, url: str) -> None:
    writes = [here.write(put(1), lane="1"), here.write(fail, lane="2"), here.write(put(3), lane="3")]
    found = await asyncio.gather(*writes, return_exceptions=True)
    assert (found[0], type(found[1]), found[2]) == (1, ValueError, 3)
    with psycopg.connect(url) as other:
        assert {row[0] for row in other.execute("SELECT ours FROM crosswalk")} == {"1", "3"}


async def test_a_statement_that_fails_fails_its_own_write_only(here: Database) -> None:
    def wrong(rows: Rows) -> None:
        rows.run("SELECT 1 / :n", {"n": 0})

    found = await asyncio.gather(
        here.write(put(1), lane="1"), here.write(wrong, lane="2"), here.write(put(3), lane="3"), return_exceptions=True
    )
    assert (found[0], found[2]) == (1, 3)
    assert isinstance(found[1], psycopg.errors.DivisionByZero)
