"""Ledgers with a past, written straight into the tables: the engine itself would take half an hour for a million runs.

One order a minute up to now, each with its delivery, its event, its run and three attempts. Delivery ids are random, as
senders make them, so that a new one falls anywhere into their index. Headers and bodies are there for the newest
deliveries only, as after a purge; the data of all events is there, of some thousand customers, with the terms that
they are found by.
"""

import sqlite3
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from bellwire.events import Environment, Order
from bellwire.flows import Flow
from bellwire.ledger import open_ledger
from bench.orders import NUMBER, Orders
from bench.ours import flow

_MINUTE = 60_000_000
_MONTH = 43_200 * _MINUTE
_KEPT = 5_000
"""The newest payloads, which weren't purged yet."""
_HELD = 10_000
"""The most runs that one process holds; the others of a backlog wait in the ledger."""

_FIRST = "Ada Ben Cleo Dan Eve Finn Gwen Hugo Iris Jack Kim Lee Mia Noor Omar Pia Quinn Rosa Sam Tess Uma Vera Will Zoe"
_LAST = (
    "Hill Meyer Okafor Santos Haddad Larsen Marsh Abe Brandt Costa Dubois Evans Fischer Garcia Horvat Ito Jansen Kaya"
    " Lopez Moreau Novak Olsen Petit Quist Rossi Silva Tanaka Ueda Varga Weber Young Zhang"
)
_CUSTOMERS = """
CREATE TEMP TABLE customers AS WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 4607)
SELECT i, json_extract(:first, '$[' || (i % 24) || ']') || ' ' || json_extract(:last, '$[' || (i / 24 % 32) || ']')
 AS name, 'customer' || i || '@example.com' AS email FROM n"""
"""Six of each name, with addresses of their own."""
_ORDERS = """
CREATE TEMP TABLE orders AS WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count)
SELECT n.i AS i, printf('%07d', 1000000 + n.i) AS number, printf('9%07d', 1000000 + n.i) AS stem, name, email,
 printf('%d.%02d', 5 + n.i * 7919 % 200, n.i * 31 % 100) AS total,
 :until - (:count - n.i) * :gap AS at, n.i > :count - :kept AS kept
FROM n CROSS JOIN customers c ON c.rowid = 1 + n.i * 7919 % 4608"""
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
 replace(replace(replace(replace(replace(:data, :number, number), :stem, stem), :name, name), :email, email),
  :total, :total_before || total || :total_behind) FROM orders"""

_TERMS = """
INSERT INTO terms (term, event)
SELECT number, i FROM orders UNION ALL SELECT email, i FROM orders UNION ALL SELECT total, i FROM orders
UNION ALL SELECT lower(name), i FROM orders
UNION ALL SELECT lower(substr(name, instr(name, ' ') + 1)), i FROM orders ORDER BY 1, 2"""

_RUNS = """
INSERT INTO runs (id, event, flow, flow_hash, state, created_at, received_at, due_at, finished_at, held_for, subject)
SELECT i, i, :flow, :hash, CASE WHEN NOT :pending THEN 'done' WHEN i <= :held THEN 'running' ELSE 'waiting' END,
 at + 2000, at, CASE WHEN :pending AND i > :held THEN at + 2000 + :wait END,
 CASE WHEN :pending THEN NULL ELSE at + 14000 END, CASE WHEN :wait > 0 THEN 'time' ELSE '' END,
 'shop/' || replace(:subject, :stem, stem) FROM orders"""

_ATTEMPTS = """
INSERT INTO attempts (run, action, item, number, outcome, started_at, finished_at, result)
SELECT i, json_extract(action.value, '$[0]'), 0, 1, 'done', at + 2000, at + 6000, json_extract(action.value, '$[1]')
FROM orders CROSS JOIN json_each(:results) AS action"""


@dataclass(frozen=True)
class Past:
    """What became of the orders: `results` is what each action brought, as JSON; `also` are statements that go on from
    there, beside a temporary table of the `orders`, with `values` of their own."""

    listening: Flow
    results: Mapping[str, str]
    also: Sequence[str] = ()
    values: Mapping[str, Any] = field(default_factory=dict)


def _three_calls() -> Past:
    return Past(
        flow(),
        {
            "bench": '{"id":"1","channel":"packing"}',
            "label": '{"id":"1","shipping_order_id":"1","carrier":"post","tracking_number":"1Z"}',
            "stock": '{"changes":[{"sku":"TEA-100","change":-2},{"sku":"MUG-RED","change":-1}]}',
        },
    )


async def make_history(path: Path, count: int, orders: Orders, past: Past | None = None) -> None:
    """A ledger in which `count` orders are done: each by three calls, or as `past` says."""
    await _make(path, count, orders, past or _three_calls(), pending=False, gap=_MINUTE)


async def make_backlog(path: Path, count: int, orders: Orders) -> None:
    """A ledger as kill -9 leaves it: the runs of `count` orders are pending, as many of them as one process holds in
    the middle of things."""
    await _make(path, count, orders, _three_calls(), pending=True, gap=1_000)


async def make_timers(path: Path, count: int, orders: Orders) -> None:
    """A ledger in which the runs of `count` orders wait for a time that their flow says, a month from now."""
    await _make(path, count, orders, _three_calls(), pending=True, gap=1_000, held=0, wait=_MONTH)


async def _make(
    path: Path, count: int, orders: Orders, past: Past, *, pending: bool, gap: int, held: int = _HELD, wait: int = 0
) -> None:
    async with open_ledger(f"sqlite:///{path}"):
        pass
    delivery, event, listening = orders.delivery(), orders.event, past.listening
    sold = event.data
    assert isinstance(sold, Order) and sold.customer is not None
    total_before, total_behind = '"total":{"amount":"', f'","currency":"{sold.total.currency}"}}'
    values = {
        "first": orjson.dumps(_FIRST.split()).decode(),
        "last": orjson.dumps(_LAST.split()).decode(),
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
        "data": sold.model_dump_json(),
        "name": sold.customer.name,
        "email": sold.customer.email,
        "total": f"{total_before}{sold.total.amount}{total_behind}",
        "total_before": total_before,
        "total_behind": total_behind,
        "flow": listening.id,
        "hash": listening.hash,
        "pending": pending,
        "held": held,
        "wait": wait,
        "results": orjson.dumps(sorted(past.results.items())).decode(),
        **past.values,
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
    made = [_CUSTOMERS, _ORDERS, _DELIVERIES, _PAYLOADS, _EVENTS, _TERMS, _RUNS, *([] if pending else [_ATTEMPTS])]
    for statement in [*made, *past.also]:
        connection.execute(statement, values)
    for _, sql in indexes:
        connection.execute(sql)
    connection.execute("COMMIT")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()
