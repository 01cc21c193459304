"""Bytes on disk for a shop's order and its run, and what a purge of its payload leaves."""

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
        before = _size(path)
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            # As a script: `execute` takes only the first of many steps.
            connection.executescript("DELETE FROM payloads; PRAGMA incremental_vacuum")
        setting.figures.add(bytes_per_event=before / count, bytes_after_purge=_size(path) / count)


def _size(path: Path) -> int:
    """Of the ledger, once everything in its log is in its file."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    return path.stat().st_size
