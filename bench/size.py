"""Bytes on disk for a shop's order and its run, and what a purge leaves of them: first the webhook as it arrived goes,
later what it and its actions brought; the rows that recognise a repeat and that figures are counted from stay."""

import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path

from bench.orders import Orders, shop_name
from bench.processes import ours
from bench.setting import Setting
from bench.throughput import runs


async def measure(setting: Setting) -> None:
    name, count = shop_name(), setting.counts.orders
    with setting.database() as path:
        await runs(partial(ours, path, name=name), [each.ours for each in Orders(name).take(count)])
        setting.figures.add(bytes_per_event=_size(path) / count)
        _purge(path, "DELETE FROM payloads")
        setting.figures.add(bytes_without_payload=_size(path) / count)
        _purge(path, "UPDATE events SET data = ''; UPDATE attempts SET result = NULL, detail = ''")
        setting.figures.add(bytes_after_purge=_size(path) / count)


def _purge(path: Path, what: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        # As a script: `execute` takes only the first of the many steps of a vacuum.
        connection.executescript(f"{what}; PRAGMA incremental_vacuum")


def _size(path: Path) -> int:
    """Of the ledger, once everything in its log is in its file."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    return path.stat().st_size
