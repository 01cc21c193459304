"""Several operations of one transaction on PostgreSQL, their statements in step.

A statement that waits for the one before costs a way to the server and back. So each operation goes on until it asks
something, then the next one does; what all of them asked is sent in one go (pipeline mode), and each goes on with its
answer. An operation notices nothing of that: it runs as a greenlet. https://www.postgresql.org/docs/current/libpq-pipeline-mode.html
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import psycopg
from greenlet import getcurrent, greenlet

Cursor = psycopg.RawCursor[Any]


class _Question(NamedTuple):
    cursor: Cursor
    sql: bytes
    values: Sequence[Any]


def ask(cursor: Cursor, sql: bytes, values: Sequence[Any]) -> None:
    """Have a statement executed together with those of the others; the cursor has the answer then."""
    strand = getcurrent().parent
    assert strand is not None, "only an operation that is run in step can ask"
    strand.switch(_Question(cursor, sql, values))


def run_in_step(connection: psycopg.Connection[Any], operations: Sequence[tuple[str, Callable[[], Any]]]) -> list[Any]:
    """What the operations return, in their order. Each has the name of its lane: those of one lane run one after the
    other. Raises what an operation or a statement raises."""
    results: list[Any] = [None] * len(operations)
    lanes: dict[str, list[int]] = {}
    for number, (lane, _) in enumerate(operations):
        lanes.setdefault(lane, []).append(number)

    def one_after_another(numbers: Sequence[int]) -> None:
        for number in numbers:
            results[number] = operations[number][1]()

    going_on = [greenlet(partial(one_after_another, numbers)) for numbers in lanes.values()]
    while going_on:
        questions = [question for strand in going_on if (question := strand.switch()) is not None]
        going_on = [strand for strand in going_on if not strand.dead]
        _execute(connection, questions)
    return results


def _execute(connection: psycopg.Connection[Any], questions: Sequence[_Question]) -> None:
    if len(questions) == 1:
        cursor, sql, values = questions[0]
        cursor.execute(sql, values)
    elif questions:
        with connection.pipeline():
            for cursor, sql, values in questions:
                cursor.execute(sql, values)
