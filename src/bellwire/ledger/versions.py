"""The texts that a flow has had, one after the other: its runs stay pinned to the one that they began with.

A flow that goes back to an earlier text has two versions with the same hash, and so have two flows with one text.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bellwire.ledger.database import Rows
from bellwire.ledger.rows import maybe, stamp, unstamp

MOST_COUNTED = 1_000
"""Runs of a version: more aren't counted, so that it costs the same whatever the history."""
_OF_SAME_TEXT = "SELECT recorded_at FROM flow_versions AS o WHERE o.flow = v.flow AND o.hash = v.hash AND o.id"


@dataclass(frozen=True)
class VersionRow:
    id: int
    hash: str
    since: datetime
    """When it was put in force."""
    source: str
    runs: int
    """Of those that are pinned to this text, how many began from then on, until the text was put in force again; of
    the first version with it, the ones before, too. `MOST_COUNTED` + 1: more than that."""
    last_run: datetime | None
    """When the newest of them began."""


def put_in_force(rows: Rows, flow: str, flow_hash: str, source: str, now: datetime) -> None:
    """From now on the flow is worked with as this text has it; if it was before, nothing changes."""
    newest = rows.one("SELECT hash FROM flow_versions WHERE flow = :flow ORDER BY id DESC LIMIT 1", {"flow": flow})
    if newest is None or newest[0] != flow_hash:
        rows.run(
            "INSERT INTO flow_versions (flow, hash, source, recorded_at) VALUES (:flow, :hash, :source, :now)",
            {"flow": flow, "hash": flow_hash, "source": source, "now": stamp(now)},
        )


def keep(rows: Rows, flow: str, flow_hash: str, source: str, now: datetime) -> None:
    """Have the text there for a run that is to be pinned to it. One that the flow has had isn't put in force by that:
    whoever asks may have read it before it changed."""
    if source_of(rows, flow, flow_hash) is None:
        put_in_force(rows, flow, flow_hash, source, now)


def source_of(rows: Rows, flow: str, flow_hash: str) -> str | None:
    """The text that a run is pinned to; None: it wasn't kept."""
    row = rows.one(
        "SELECT source FROM flow_versions WHERE flow = :flow AND hash = :hash ORDER BY id DESC LIMIT 1",
        {"flow": flow, "hash": flow_hash},
    )
    return row[0] if row else None


def of_flow(rows: Rows, flow: str, *, limit: int, before: int | None = None) -> list[VersionRow]:
    """The newest first: those before the one with the number `before`."""
    found = rows.all(
        f"SELECT v.id, v.hash, v.recorded_at, v.source, ({_OF_SAME_TEXT} < v.id LIMIT 1),"  # noqa: S608
        f" ({_OF_SAME_TEXT} > v.id ORDER BY o.id LIMIT 1) FROM flow_versions AS v"
        " WHERE v.flow = :flow AND (CAST(:before AS bigint) IS NULL OR v.id < :before) ORDER BY v.id DESC LIMIT :limit",
        {"flow": flow, "before": before, "limit": limit},
    )
    return [_version(rows, flow, row) for row in found]


def _version(rows: Rows, flow: str, row: Sequence[Any]) -> VersionRow:
    number, hash_, at, source, had_before, again = row
    began = {"flow": flow, "hash": hash_, "since": 0 if had_before is None else at, "until": again or 2**63 - 1}
    which = "FROM runs WHERE flow = :flow AND flow_hash = :hash AND created_at >= :since AND created_at < :until"
    counted = rows.one(
        f"SELECT COUNT(*) FROM (SELECT 1 {which} LIMIT :most) AS counted",  # noqa: S608
        began | {"most": MOST_COUNTED + 1},
    )
    newest = rows.one(f"SELECT created_at {which} ORDER BY created_at DESC LIMIT 1", began)
    return VersionRow(
        number, hash_, unstamp(at), source, int((counted or (0,))[0]), maybe(newest[0]) if newest else None
    )
