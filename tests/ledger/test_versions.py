"""The texts that a flow has had, and how many runs began with each."""

from datetime import timedelta

import pytest

from bellwire.ledger import Database, Rows, RunState, VersionRow, runs, versions
from tests.ledger.stuck import begin
from tests.samples import NOW

LATER = NOW + timedelta(days=1)


def keep(rows: Rows) -> None:
    runs.keep_flow(rows, "cash", "a1", "old", NOW)
    runs.keep_flow(rows, "cash", "b2", "new", LATER)
    runs.keep_flow(rows, "other", "c3", "another", LATER)
    for event in range(1, 4):
        begin(rows, str(1000 + event))
        for flow_hash, count in (("a1", 3), ("b2", 1)):
            if event <= count:
                at = NOW + timedelta(minutes=event)
                runs.start(
                    rows, event, f"cash{flow_hash}", flow_hash, subject="", received_at=at, now=at, state=RunState.DONE
                )


async def test_the_newest_comes_first_with_its_runs(ledger: Database) -> None:
    await ledger.write(keep)

    assert await ledger.read(lambda rows: versions.of_flow(rows, "cash", limit=5)) == [
        VersionRow("b2", LATER, "new", 1, NOW + timedelta(minutes=1)),
        VersionRow("a1", NOW, "old", 3, NOW + timedelta(minutes=3)),
    ]
    assert [each.hash for each in await ledger.read(lambda rows: versions.of_flow(rows, "cash", limit=1))] == ["b2"]


async def test_no_more_are_counted_than_need_be(ledger: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "MOST_COUNTED", 1)
    await ledger.write(keep)
    assert [each.runs for each in await ledger.read(lambda rows: versions.of_flow(rows, "cash", limit=5))] == [1, 2]
