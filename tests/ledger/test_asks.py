"""What people are asked: the open ones, and those that were answered."""

from datetime import timedelta

from bellwire.ledger import AskKind, AskState, Database, Rows, asks
from tests.ledger.stuck import begin
from tests.samples import NOW


def ask(rows: Rows, number: str, flow: str, kind: AskKind) -> None:
    asks.ask(
        rows,
        run=begin(rows, number),
        flow=flow,
        action="label",
        item=0,
        kind=kind,
        text=f"Send {number}?",
        given="{}",
        asked="",
        now=NOW,
        expires_at=None,
    )


def four(rows: Rows) -> None:
    """Numbers 1 to 4; the first three are closed, the second last."""
    ask(rows, "1001", "cash", AskKind.TODO)
    ask(rows, "1002", "cash", AskKind.APPROVAL)
    ask(rows, "1003", "returns", AskKind.TODO)
    ask(rows, "1004", "cash", AskKind.TODO)
    for number, days in ((3, 1), (1, 2), (2, 3)):
        asks.close(rows, number, AskState.DONE, NOW + timedelta(days=days), who="Dana")


async def test_answered_ones_come_newest_first_from_any_place_on(ledger: Database) -> None:
    await ledger.write(four)

    def numbers(rows: Rows) -> list[list[int]]:
        since = NOW + timedelta(days=2)
        found = [
            asks.closed_ones(rows),
            asks.closed_ones(rows, limit=1),
            asks.closed_ones(rows, before=2),
            asks.closed_ones(rows, before=1, since=since),
            asks.closed_ones(rows, since=since),
            asks.closed_ones(rows, flow="cash"),
            asks.closed_ones(rows, kind="to-do"),
        ]
        return [[each.id for each in those] for those in found]

    assert await ledger.read(numbers) == [[2, 1, 3], [2], [1, 3], [], [2, 1], [2, 1], [1, 3]]


async def test_open_ones_come_oldest_first_from_any_place_on(ledger: Database) -> None:
    def three(rows: Rows) -> None:
        for number, kind in (("1", AskKind.TODO), ("2", AskKind.APPROVAL), ("3", AskKind.TODO)):
            ask(rows, number, "cash", kind)

    await ledger.write(three)

    def numbers(rows: Rows) -> list[list[int]]:
        found = [asks.open_ones(rows), asks.open_ones(rows, kind="to-do"), asks.open_ones(rows, after=1, limit=1)]
        return [[each.id for each in those] for those in found]

    assert await ledger.read(numbers) == [[1, 2, 3], [1, 3], [2]]
