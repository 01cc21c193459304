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


def run_in_step(connection: psycopg.Connection[Any], lanes: Sequence[Sequence[Callable[[], Any]]]) -> list[list[Any]]:
    """What the operations of each lane return. Those of one lane run one after the other. Raises what an operation or a
    statement raises."""
    found: list[list[Any]] = [[] for _ in lanes]
    going_on = [(number, greenlet(partial(_one_after_another, lane))) for number, lane in enumerate(lanes)]
    while going_on:
        questions: list[_Question] = []
        still: list[tuple[int, greenlet]] = []
        for number, strand in going_on:
            said = strand.switch()
            if isinstance(said, _Question):
                questions.append(said)
                still.append((number, strand))
            else:
                found[number] = said
        _execute(connection, questions)
        going_on = still
    return found


def _one_after_another(operations: Sequence[Callable[[], Any]]) -> list[Any]:
    return [operation() for operation in operations]


def _execute(connection: psycopg.Connection[Any], questions: Sequence[_Question]) -> None:
    if len(questions) == 1:
        cursor, sql, values = questions[0]
        cursor.execute(sql, values)
    elif questions:
        with connection.pipeline():
            for cursor, sql, values in questions:
                cursor.execute(sql, values)
