"""The texts that a flow has had, and how many runs began with each."""

from datetime import datetime, timedelta

import pytest

from bellwire.ledger import Database, Rows, RunState, VersionRow, runs, versions
from tests.ledger.stuck import begin
from tests.samples import NOW

LATER = NOW + timedelta(days=1)


def keep(rows: Rows) -> None:
    versions.put_in_force(rows, "cash", "a1", "old", NOW)
    versions.put_in_force(rows, "cash", "b2", "new", LATER)
    versions.put_in_force(rows, "other", "c3", "another", LATER)
    for event in range(1, 4):
        begin(rows, str(1000 + event))
        for flow_hash, count in (("a1", 3), ("b2", 1)):
            if event <= count:
                started(rows, event, flow_hash, NOW + timedelta(minutes=event))


def started(rows: Rows, event: int, flow_hash: str, at: datetime) -> None:
    """A run of the flow `cash`."""
    done = RunState.DONE
    runs.start(rows, event, "cash", flow_hash, subject="", received_at=at, now=at, state=done, nonce=flow_hash)


async def test_the_newest_comes_first_with_its_runs(ledger: Database) -> None:
    await ledger.write(keep)

    assert await ledger.read(lambda rows: versions.of_flow(rows, "cash", limit=5)) == [
        VersionRow(2, "b2", LATER, "new", 1, NOW + timedelta(minutes=1)),
        VersionRow(1, "a1", NOW, "old", 3, NOW + timedelta(minutes=3)),
    ]
    assert [each.hash for each in await ledger.read(lambda rows: versions.of_flow(rows, "cash", limit=1))] == ["b2"]


async def test_no_more_are_counted_than_need_be(ledger: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "MOST_COUNTED", 1)
    await ledger.write(keep)
    assert [each.runs for each in await ledger.read(lambda rows: versions.of_flow(rows, "cash", limit=5))] == [1, 2]


async def test_a_flow_that_goes_back_to_an_earlier_text_has_it_twice_each_time_with_its_own_runs(
    ledger: Database,
) -> None:
    back = LATER + timedelta(days=1)

    def tell(rows: Rows) -> None:
        keep(rows)
        for _ in range(2):
            versions.put_in_force(rows, "cash", "a1", "old", back)
        begin(rows, "1004")
        started(rows, 4, "a1", back)

    await ledger.write(tell)

    found = await ledger.read(lambda rows: versions.of_flow(rows, "cash", limit=5))
    assert [(each.hash, each.since, each.runs, each.last_run) for each in found] == [
        ("a1", back, 1, back),
        ("b2", LATER, 1, NOW + timedelta(minutes=1)),
        ("a1", NOW, 3, NOW + timedelta(minutes=3)),
    ]
    older = await ledger.read(lambda rows: versions.of_flow(rows, "cash", limit=5, before=found[1].id))
    assert older == found[2:]


async def test_two_flows_with_one_text_each_have_a_history(ledger: Database) -> None:
    def tell(rows: Rows) -> None:
        keep(rows)
        versions.put_in_force(rows, "copy", "a1", "old", LATER)

    await ledger.write(tell)

    (version,) = await ledger.read(lambda rows: versions.of_flow(rows, "copy", limit=5))
    assert (version.since, version.runs, version.source) == (LATER, 0, "old")
    assert await ledger.read(lambda rows: versions.source_of(rows, "copy", "a1")) == "old"
    assert await ledger.read(lambda rows: versions.source_of(rows, "copy", "b2")) is None


async def test_to_have_a_text_there_for_a_run_doesnt_put_an_earlier_one_in_force(ledger: Database) -> None:
    def tell(rows: Rows) -> None:
        keep(rows)
        versions.keep(rows, "cash", "a1", "old", LATER)
        versions.keep(rows, "cash", "d4", "newest", LATER)

    await ledger.write(tell)

    found = await ledger.read(lambda rows: versions.of_flow(rows, "cash", limit=5))
    assert [each.hash for each in found] == ["d4", "b2", "a1"]
