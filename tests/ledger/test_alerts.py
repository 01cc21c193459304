"""Alerts in the ledger: one open of a topic, every message accounted for, at a cost that doesn't grow."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest

from bellwire.ledger import AlertRow, Database, MessageKind, Rows, alerts
from bellwire.ledger.sqlite import SqliteRows
from tests.ledgers import connection_of

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


def opened(rows: Rows, topic: str = "t") -> AlertRow:
    number = alerts.open_one(rows, topic, "A title", "A text.", opened_at=NOW, next_at=NOW)
    return next(alert for alert in alerts.open_ones(rows) if alert.id == number)


async def test_of_a_topic_one_alert_is_open_at_a_time(ledger: Database) -> None:
    def write(rows: Rows) -> None:
        first = opened(rows)
        assert alerts.open_one(rows, "t", "x", "y", opened_at=NOW, next_at=NOW) is None
        assert alerts.resolve(rows, first.id, LATER)
        assert not alerts.resolve(rows, first.id, LATER)
        assert opened(rows).id != first.id

    await ledger.write(write)


async def test_an_alert_is_told_once_however_many_try(ledger: Database) -> None:
    def write(rows: Rows) -> None:
        alert = opened(rows)
        for _ in range(2):
            alerts.tell(rows, alert, ["mailto", "json"], NOW, LATER)
        assert [each.channel for each in alerts.messages(rows, alert.id)] == ["mailto", "json"]
        (told,) = alerts.open_ones(rows)
        assert (told.told, told.next_at) == (1, LATER)

    await ledger.write(write)


async def test_what_is_over_is_told_only_where_it_was_told_before(ledger: Database) -> None:
    def write(rows: Rows) -> None:
        alert = opened(rows)
        alerts.tell(rows, alert, ["mailto", "json"], NOW, LATER)
        alerts.settle(rows, [message.id for message in alerts.messages(rows, alert.id)[:1]], NOW, "")
        alerts.resolve(rows, alert.id, LATER)
        assert [(each.channel, each.kind) for _, each in alerts.owed(rows, LATER)] == [("mailto", MessageKind.RESOLVED)]
        assert alerts.owed(rows, LATER + alerts.STALE) == []

    await ledger.write(write)


async def test_a_reminder_takes_the_place_of_what_couldnt_be_sent_before(ledger: Database) -> None:
    def write(rows: Rows) -> None:
        alerts.tell(rows, opened(rows), ["json"], NOW, LATER)
        (_, first) = alerts.owed(rows, NOW)[0]
        alerts.settle(rows, [first.id], NOW, "It was refused.")
        assert alerts.unheard(rows) == [("json", "It was refused.", 1)]
        (alert,) = alerts.open_ones(rows)
        alerts.tell(rows, alert, ["json"], LATER, None)
        ((_, second),) = alerts.owed(rows, LATER)
        assert (second.kind, second.error) == (MessageKind.REMINDER, alerts.UNSENT)

    await ledger.write(write)


@pytest.mark.sqlite
async def test_looking_for_what_to_send_doesnt_read_what_is_long_over(ledger: Database) -> None:
    class Watched(SqliteRows):
        plans: ClassVar[list[str]] = []

        def all(self, sql: str, values: Mapping[str, Any] = {}) -> list[tuple[Any, ...]]:
            self.plans.extend(row[3] for row in super().all(f"EXPLAIN QUERY PLAN {sql}", values))
            return super().all(sql, values)

    def look(rows: Rows) -> None:
        opened(rows)
        watched = Watched(connection_of(rows))
        alerts.owed(watched, NOW)
        alerts.unheard(watched)
        alerts.late_runs(watched, NOW, timedelta(hours=1))

    await ledger.write(look)
    partial = "one_open_alert|runs_due|runs_going_on"
    assert len(Watched.plans) > 4
    assert [
        plan for plan in Watched.plans if re.match(r"SCAN (\w|runs)\b", plan) and not re.search(partial, plan)
    ] == []
