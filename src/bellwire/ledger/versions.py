"""The texts that a flow has had: its runs stay pinned to the one that they began with."""

from dataclasses import dataclass
from datetime import datetime

from bellwire.ledger.database import Rows
from bellwire.ledger.rows import maybe, unstamp

MOST_COUNTED = 1_000
"""Runs of a version: more aren't counted, so that it costs the same whatever the history."""


@dataclass(frozen=True)
class VersionRow:
    hash: str
    first_seen: datetime
    source: str
    runs: int
    """`MOST_COUNTED` + 1: more than that."""
    last_run: datetime | None
    """When the newest of them began."""


def of_flow(rows: Rows, flow: str, *, limit: int) -> list[VersionRow]:
    """The newest first."""
    found = rows.all(
        "SELECT hash, recorded_at, source FROM flow_versions WHERE flow = :flow ORDER BY recorded_at DESC LIMIT :limit",
        {"flow": flow, "limit": limit},
    )
    return [VersionRow(hash_, unstamp(at), source, *_runs(rows, hash_)) for hash_, at, source in found]


def _runs(rows: Rows, hash_: str) -> tuple[int, datetime | None]:
    counted = rows.one(
        "SELECT COUNT(*) FROM (SELECT 1 FROM runs WHERE flow_hash = :hash LIMIT :most) AS counted",
        {"hash": hash_, "most": MOST_COUNTED + 1},
    )
    newest = rows.one("SELECT created_at FROM runs WHERE flow_hash = :hash ORDER BY id DESC LIMIT 1", {"hash": hash_})
    return int((counted or (0,))[0]), maybe(newest[0]) if newest else None
