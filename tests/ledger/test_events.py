"""Facts that are looked for."""

import pytest

from bellwire.ledger import Database, Rows, events
from tests.desk.story import paid
from tests.ledgers import connection_of
from tests.samples import NOW, order


def record(rows: Rows, *numbers: int, connection: str = "shop") -> None:
    for number in numbers:
        event = paid(order(), NOW, number).model_copy(update={"connection": connection})
        events.record(rows, event, "{}", delivery=None, now=NOW)


async def found(ledger: Database, subject: str, connection: str = "") -> list[tuple[str, str]]:
    rows = await ledger.read(lambda rows: events.newest(rows, limit=10, subject=subject, connection=connection))
    return [(row.connection, row.subject) for row in rows]


async def test_those_of_a_subject_are_found_in_every_connection_the_newest_first(ledger: Database) -> None:
    await ledger.write(lambda rows: record(rows, 1, 2))
    await ledger.write(lambda rows: record(rows, 2, 3, connection="market"))
    await ledger.write(lambda rows: record(rows, 2, connection="bazaar"))

    assert await found(ledger, "order/2") == [("bazaar", "order/2"), ("market", "order/2"), ("shop", "order/2")]
    assert await found(ledger, "order/2", "market") == [("market", "order/2")]
    assert await found(ledger, "order/2", "bank") == []
    assert await found(ledger, "order/4") == []


@pytest.mark.sqlite
async def test_a_long_history_makes_looking_for_a_subject_no_slower(ledger: Database) -> None:
    """Counted in SQLite's own steps, so that it says the same on any machine."""
    await ledger.write(lambda rows: record(rows, *range(100, 110)))
    before = await ledger.read(steps)
    await ledger.write(lambda rows: record(rows, *range(1000, 1500)))

    assert await ledger.read(steps) <= before + 1


def steps(rows: Rows) -> int:
    """In tens."""
    count = 0

    def step() -> int:
        nonlocal count
        count += 1
        return 0

    connection_of(rows).set_progress_handler(step, 10)
    events.newest(rows, limit=10, subject="order/105")
    connection_of(rows).set_progress_handler(None, 0)
    return count
