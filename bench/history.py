"""Ledgers with a past, written straight into the tables: the engine itself would take half an hour for a million runs.

One order a minute up to now, each with its delivery, its event, its run and three attempts. Delivery ids are random, as
senders make them, so that a new one falls anywhere into their index. Headers and bodies are there for the newest
deliveries only, as after a purge; the data of all events is there.
"""

import sqlite3
import time
from pathlib import Path

import orjson

from bellwire.events import Environment
from bellwire.ledger import open_ledger
from bench.orders import NUMBER, Orders
from bench.ours import flow

_MINUTE = 60_000_000
_MONTH = 43_200 * _MINUTE
_KEPT = 5_000
"""The newest payloads, which weren't purged yet."""
_HELD = 10_000
"""The most runs that one process holds; the others of a backlog wait in the ledger."""

_ORDERS = """
CREATE TEMP TABLE orders AS WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count)
SELECT i, printf('%07d', 1000000 + i) AS number, printf('9%07d', 1000000 + i) AS stem,
 :until - (:count - i) * :gap AS at, i > :count - :kept AS kept FROM n"""
"""Their numbers come before all those of `Orders`."""

_DELIVERIES = """
INSERT INTO deliveries (id, connection, environment, delivery_id, received_at, state)
SELECT i, 'shop', :environment, lower(hex(randomblob(4)) || '-' || hex(randomblob(12))), at, 'done' FROM orders"""

_PAYLOADS = """
INSERT INTO payloads (delivery, headers, url, body)
SELECT i, :headers, '', CAST(replace(:body, :number, number) AS BLOB) FROM orders WHERE kept"""

_EVENTS = """
INSERT INTO events (id, delivery, connection, environment, type, subject, business_key, time, version, recorded_at,
 data)
SELECT i, i, 'shop', :environment, :type, replace(:subject, :stem, stem), replace(:key, :stem, stem), at, at, at + 2000,
 replace(replace(:data, :number, number), :stem, stem) FROM orders"""

_RUNS = """
INSERT INTO runs (id, event, flow, flow_hash, state, created_at, received_at, due_at, finished_at, held_for, subject)
SELECT i, i, :flow, :hash, CASE WHEN NOT :pending THEN 'done' WHEN i <= :held THEN 'running' ELSE 'waiting' END,
 at + 2000, at, CASE WHEN :pending AND i > :held THEN at + 2000 + :wait END,
 CASE WHEN :pending THEN NULL ELSE at + 14000 END, CASE WHEN :wait > 0 THEN 'time' ELSE '' END,
 'shop/' || replace(:subject, :stem, stem) FROM orders"""

_ATTEMPTS = """
INSERT INTO attempts (run, action, item, number, outcome, started_at, finished_at, result)
SELECT i, json_extract(action.value, '$[0]'), 0, 1, 'done', at + 2000, at + 6000, json_extract(action.value, '$[1]')
FROM orders, json_each(:results) AS action ORDER BY i, 2"""

_RESULTS = {
    "bench": '{"id":"1","channel":"packing"}',
    "label": '{"id":"1","shipping_order_id":"1","carrier":"post","tracking_number":"1Z"}',
    "stock": '{"changes":[{"sku":"TEA-100","change":-2},{"sku":"MUG-RED","change":-1}]}',
}


async def make_history(path: Path, count: int, orders: Orders) -> None:
    """A ledger in which `count` orders are done."""
    await _make(path, count, orders, pending=False, gap=_MINUTE)


async def make_backlog(path: Path, count: int, orders: Orders) -> None:
    """A ledger as kill -9 leaves it: the runs of `count` orders are pending, as many of them as one process holds in
    the middle of things."""
    await _make(path, count, orders, pending=True, gap=1_000)


async def make_timers(path: Path, count: int, orders: Orders) -> None:
    """A ledger in which the runs of `count` orders wait for a time that their flow says, a month from now."""
    await _make(path, count, orders, pending=True, gap=1_000, held=0, wait=_MONTH)


async def _make(
    path: Path, count: int, orders: Orders, *, pending: bool, gap: int, held: int = _HELD, wait: int = 0
) -> None:
    async with open_ledger(f"sqlite:///{path}"):
        pass
    delivery, event, listening = orders.delivery(), orders.event, flow()
    values = {
        "count": count,
        "until": time.time_ns() // 1000 - 1_000_000,
        "gap": gap,
        "environment": Environment.SANDBOX.value,
        "headers": orjson.dumps(dict(delivery.headers)).decode(),
        "body": delivery.body.decode(),
        "number": NUMBER,
        "stem": orders.id_stem,
        "kept": _KEPT,
        "type": event.type,
        "subject": event.subject,
        "key": event.business_key,
        "data": event.data.model_dump_json(),
        "flow": listening.id,
        "hash": listening.hash,
        "pending": pending,
        "held": held,
        "wait": wait,
        "results": orjson.dumps([*_RESULTS.items()]).decode(),
    }
    connection = sqlite3.connect(path, isolation_level=None)
    # Nothing of it need survive a crash; and an index is made faster after its table.
    connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -1000000")
    connection.execute("BEGIN")
    indexes = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql <> ''").fetchall()
    for name, _ in indexes:
        connection.execute(f'DROP INDEX "{name}"')
    connection.execute(
        "INSERT INTO flow_versions (hash, flow, source, recorded_at) VALUES (?, ?, ?, 0)",
        (listening.hash, listening.id, listening.source),
    )
    for statement in (_ORDERS, _DELIVERIES, _PAYLOADS, _EVENTS, _RUNS, *([] if pending else [_ATTEMPTS])):
        connection.execute(statement, values)
    for _, sql in indexes:
        connection.execute(sql)
    connection.execute("COMMIT")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()
