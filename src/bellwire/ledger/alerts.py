"""What people are told of: an alert for each trouble, open until it is over, and its messages, one for each channel.

A message is written before it is sent, so that a crash forgets none. `error` says why it hasn't arrived, and is empty
once it has. Of an alert's messages to one channel only the newest is still to be sent: an older one would say less.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from bellwire.ledger.database import Rows
from bellwire.ledger.rows import (
    AlertRow,
    LateRuns,
    MessageKind,
    MessageRow,
    alert_row,
    message_row,
    stamp,
)
from bellwire.ledger.runs import A_PERSON, ITS_TIME

UNSENT = "It hasn't been sent yet."
STALE = timedelta(days=3)
"""That something was over so long ago is no news: a notice that couldn't be sent by then is given up."""

_RECENT = 10_000
_ALERT = "a.id, a.topic, a.title, a.text, a.opened_at, a.told, a.next_at, a.resolved_at"
_MESSAGE = "m.id, m.alert, m.channel, m.kind, m.at, m.error"


def open_one(
    rows: Rows, topic: str, title: str, text: str, *, opened_at: datetime, next_at: datetime, told: int = 0
) -> int | None:
    """Its number; None when there is an open one of this topic. `next_at`: when people are to be told."""
    return rows.insert(
        "INSERT INTO alerts (topic, title, text, opened_at, told, next_at)"
        " VALUES (:topic, :title, :text, :opened_at, :told, :next_at) ON CONFLICT DO NOTHING",
        {
            "topic": topic,
            "title": title,
            "text": text,
            "opened_at": stamp(opened_at),
            "told": told,
            "next_at": stamp(next_at),
        },
    )


def reword(rows: Rows, alert: int, title: str, text: str) -> None:
    rows.run(
        "UPDATE alerts SET title = :title, text = :text WHERE id = :id AND resolved_at IS NULL",
        {"id": alert, "title": title, "text": text},
    )


def resolve(rows: Rows, alert: int, now: datetime) -> bool:
    """It is over. Every channel that people were told through gets a message of that; False when it was over before."""
    over = rows.run(
        "UPDATE alerts SET resolved_at = :now, next_at = NULL WHERE id = :id AND resolved_at IS NULL",
        {"id": alert, "now": stamp(now)},
    )
    if over:
        told = rows.all("SELECT DISTINCT channel FROM messages WHERE alert = :id AND error = ''", {"id": alert})
        for (channel,) in told:
            post(rows, alert, channel, MessageKind.RESOLVED, now)
    return bool(over)


def tell(rows: Rows, alert: AlertRow, channels: Sequence[str], now: datetime, next_at: datetime | None) -> None:
    """A message to each channel; `next_at` is when the next one is due. Nothing when it was told or over meanwhile."""
    counted = rows.run(
        "UPDATE alerts SET told = told + 1, next_at = :next_at WHERE id = :id AND told = :told AND resolved_at IS NULL",
        {"id": alert.id, "told": alert.told, "next_at": None if next_at is None else stamp(next_at)},
    )
    if counted:
        for channel in channels:
            post(rows, alert.id, channel, MessageKind.REMINDER if alert.told else MessageKind.OPENED, now)


def post(
    rows: Rows, alert: int | None, channel: str, kind: MessageKind, now: datetime, error: str = UNSENT
) -> int | None:
    """A message, of no alert when it is a test."""
    return rows.insert(
        "INSERT INTO messages (alert, channel, kind, at, error) VALUES (:alert, :channel, :kind, :now, :error)",
        {"alert": alert, "channel": channel, "kind": kind.value, "now": stamp(now), "error": error},
    )


def settle(rows: Rows, messages: Sequence[int], now: datetime, error: str) -> None:
    """What became of messages that were sent together: `error` is empty when they went through."""
    for message in messages:
        rows.run(
            "UPDATE messages SET at = :now, error = :error WHERE id = :id",
            {"id": message, "now": stamp(now), "error": error},
        )


def open_ones(rows: Rows) -> list[AlertRow]:
    """Oldest first."""
    found = rows.all(f"SELECT {_ALERT} FROM alerts a WHERE a.resolved_at IS NULL ORDER BY a.opened_at, a.topic")  # noqa: S608
    return [alert_row(row) for row in found]


def messages(rows: Rows, alert: int) -> list[MessageRow]:
    found = rows.all(f"SELECT {_MESSAGE} FROM messages m WHERE m.alert = :id ORDER BY m.id", {"id": alert})  # noqa: S608
    return [message_row(row) for row in found]


def owed(rows: Rows, now: datetime) -> list[tuple[AlertRow, MessageRow]]:
    """What is still to be sent: of what is open, oldest first, and notices that something is over."""
    still = [
        (alert, message) for alert in open_ones(rows) for message in _newest(rows, alert.id).values() if message.error
    ]
    # Those notices are among the newest messages, as they are the last ones of their alert: looking for them there
    # doesn't grow with history.
    over = rows.all(
        f"SELECT {_ALERT}, {_MESSAGE} FROM messages m JOIN alerts a ON a.id = m.alert"  # noqa: S608
        " WHERE m.id > (SELECT MAX(id) FROM messages) - :recent AND m.kind = 'resolved' AND m.error <> ''"
        " AND a.resolved_at > :stale ORDER BY m.id",
        {"stale": stamp(now - STALE), "recent": _RECENT},
    )
    return still + [(alert_row(row[:8]), message_row(row[8:])) for row in over]


def unheard(rows: Rows) -> list[tuple[str, str, int]]:
    """Channels that don't take messages of open alerts, with the newest reason, and how many alerts each owes."""
    failed: dict[str, list[MessageRow]] = {}
    for alert in open_ones(rows):
        for channel, message in _newest(rows, alert.id).items():
            if message.error not in ("", UNSENT):
                failed.setdefault(channel, []).append(message)
    return [(channel, max(found, key=lambda each: each.at).error, len(found)) for channel, found in failed.items()]


def _newest(rows: Rows, alert: int) -> dict[str, MessageRow]:
    """By channel."""
    return {message.channel: message for message in messages(rows, alert)}


def late_runs(rows: Rows, now: datetime, patience: timedelta, *, limit: int = 10_000) -> list[LateRuns]:
    """By flow: how many runs wait that began, or that a person had tried again, longer ago than `patience`. Those that
    became due since aren't among them: they are about to go on, as after an outage. Nor are held ones: what they wait
    for is told by itself; nor those that wait for a time which their flow says. At most `limit` are looked at."""
    found = rows.all(
        "SELECT flow, COUNT(*) FROM (SELECT flow, due_at, COALESCE(retried_at, created_at) AS began FROM runs"
        " WHERE state = 'waiting' AND held_for NOT IN (:time, :person) ORDER BY due_at LIMIT :limit) AS waiting"
        " WHERE began < :before AND (due_at > :now OR due_at < :before) GROUP BY flow ORDER BY flow",
        {"now": stamp(now), "before": stamp(now - patience), "time": ITS_TIME, "person": A_PERSON, "limit": limit},
    )
    return [LateRuns(flow, count) for flow, count in found]
