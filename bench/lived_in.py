"""A business that has been at it for years: what makes its ledger's history more than orders that went through.

Some runs fail at first, some are stuck, skipped or wait; people answer, comment and are written down in the audit; the
flow was changed now and then; some deliveries aren't read. Of what is open there is as much as a bad week leaves.
"""

import zlib
from typing import Any

import orjson
from tests.desk.story import result_of, the_flow

from bench.history import Past

CAUSES = (
    ("unknown-sku", "stock", "stock", "Shelf Count has no product TEA-100.", "Add the product there, or map it."),
    ("refused", "books", "invoice", "Tidy Books takes no invoice for this customer.", "Look at the customer there."),
    ("address", "parcels", "label", "Parcel Hub doesn’t know this address.", "Ask the customer."),
    ("permission", "mail", "notice", "House Mail doesn’t let us send this.", "Allow it there."),
)
"""The first is frequent, the last is rare. Cause, connection, action, and what is said."""
RARE_TYPE, RARE_CONNECTION, RARE_FLOW = "order.cancelled", "books", "thanks"
_PEOPLE = ("Dana", "Sam", "Robin", "Noor", "Kim", "Lee", "Jo", "Ada", "Mia", "Omar", "Tess", "Hugo")

_STUCK = """
CREATE TEMP TABLE stuck AS SELECT i, at, row_number() OVER (ORDER BY i) AS id,
 i % 333 = 5 AND i > :count - 100000 AS open,
 CASE i / 100 % 100 WHEN 99 THEN 3 WHEN 98 THEN 2 WHEN 97 THEN 2 ELSE i / 100 % 100 > 79 END AS cause
FROM orders WHERE i % 100 = 3 OR (i % 333 = 5 AND i > :count - 100000)"""
_EXCEPTIONS = """
INSERT INTO exceptions (id, run, flow, action, connection, cause, sentence, remedy, detail, opened_at, state, closed_at,
 reason, assignee)
SELECT s.id, i, :flow, json_extract(c.value, '$[2]'), json_extract(c.value, '$[1]'), json_extract(c.value, '$[0]'),
 json_extract(c.value, '$[3]'), json_extract(c.value, '$[4]'), 'HTTP 404', at + 4000,
 CASE WHEN open THEN 'open' WHEN s.id % 7 = 0 THEN 'dismissed' WHEN s.id % 3 = 0 THEN 'resolved' ELSE 'retried' END,
 CASE WHEN open THEN NULL ELSE at + 3600000000 END,
 CASE WHEN s.id % 7 = 0 THEN 'The customer called it off.' ELSE '' END,
 CASE WHEN s.id % 2 THEN s.id % 12 + 1 END
FROM stuck s JOIN json_each(:causes) c ON c.key = cause"""
_DEAD = "UPDATE runs SET state = 'dead', reason = 'It is stuck.' WHERE id IN (SELECT i FROM stuck WHERE open)"
_DEAD_ACTIONS = """
UPDATE attempts SET outcome = 'failed', result = NULL, cause = e.cause, sentence = e.sentence, remedy = e.remedy
FROM exceptions e WHERE e.state = 'open' AND attempts.run = e.run AND attempts.action = e.action"""
_COMMENTS = """
INSERT INTO comments (exception, at, who, text)
SELECT s.id, at + 5000000 + n.value, 'Dana', 'I have asked them, and wait for an answer.'
FROM stuck s, json_each('[0, 1]') n WHERE s.id % 3 = 0"""
_ODD = """
INSERT INTO exceptions (delivery, connection, cause, sentence, remedy, opened_at, state)
SELECT i, 'shop', 'unreadable', 'Corner Store sent something that isn’t an order.', 'Ask your developer.', at, 'open'
FROM orders WHERE i % 20000 = 41"""
_ODD_DELIVERIES = """
UPDATE deliveries SET state = CASE WHEN id % 20000 = 41 THEN 'dead' ELSE 'skipped' END,
 reason = 'It means nothing to Bellwire.'
WHERE id IN (SELECT i FROM orders WHERE i % 20000 = 41 OR i % 300 = 31)"""
_RARE_TYPE = "UPDATE events SET type = :rare_type WHERE id IN (SELECT i FROM orders WHERE i % 20000 = 7)"
_RARE_CONNECTION = (
    "UPDATE events SET connection = :rare_connection WHERE id IN (SELECT i FROM orders WHERE i % 50000 = 8)"
)
_RARE_DELIVERIES = """
UPDATE deliveries SET connection = :rare_connection WHERE id IN (SELECT i FROM orders WHERE i % 50000 = 8)"""
_RARE_FLOW = "UPDATE runs SET flow = :rare_flow WHERE id IN (SELECT i FROM orders WHERE i % 20000 = 21)"
_SKIPPED = """
UPDATE runs SET state = 'skipped', reason = 'It isn’t needed.'
WHERE id IN (SELECT i FROM orders WHERE i % 50000 = 17)"""
_FAILED_ONCE = (
    "UPDATE attempts SET number = 2 WHERE action = 'label' AND run IN (SELECT i FROM orders WHERE i % 33 = 2)"
)
_FAILED = """
INSERT INTO attempts (run, action, item, number, outcome, started_at, finished_at, next_at, cause, sentence, detail)
SELECT i, 'label', 0, 1, 'failed', at + 2000, at + 2500, at + 3000, 'busy', 'Parcel Hub is busy and asked us to wait.',
 'HTTP 429' FROM orders WHERE i % 33 = 2"""
_WAITING = """
UPDATE runs SET state = 'waiting', due_at = :until + 86400000000, finished_at = NULL
WHERE id IN (SELECT i FROM orders WHERE i % 97 = 13 AND i > :count - 10000)"""
_HELD = """
UPDATE runs SET state = 'held', held_for = 'connection:mail', finished_at = NULL,
 reason = 'House Mail has to be signed in again.'
WHERE id IN (SELECT i FROM orders WHERE i % 97 = 14 AND i > :count - 10000)"""
_HEALTH = "INSERT INTO health (connection, state, reason, since) VALUES ('mail', 'signed-out', 'It says no.', :until)"
_ASKS = """
INSERT INTO asks (run, flow, action, kind, text, given, asked, asked_at, state, who, decided_at, reason)
SELECT i, :flow, CASE WHEN i % 400 = 9 THEN 'label' ELSE 'invoice' END,
 CASE WHEN i % 400 = 9 THEN 'approval' ELSE 'to-do' END, 'Send ' || number || ' for $' || total || '?',
 '{"order": {"number": "' || number || '"}}', 'Dana', at,
 CASE WHEN i > :count - 10000 THEN 'open' WHEN i % 400 = 9 THEN 'approved' ELSE 'done' END,
 CASE WHEN i > :count - 10000 THEN '' ELSE 'Dana' END, CASE WHEN i > :count - 10000 THEN NULL ELSE at + 60000000 END, ''
FROM orders WHERE i % 200 = 9"""
_ASKING = """
UPDATE runs SET state = 'held', held_for = 'person', finished_at = NULL
WHERE id IN (SELECT run FROM asks WHERE state = 'open')"""
_OLD_VERSIONS = "UPDATE runs SET flow_hash = 'v' || (id * 40 / :count) WHERE id < :count * 9 / 10"
_VERSIONS_KEPT = """
INSERT INTO flow_versions (hash, flow, source, recorded_at)
SELECT DISTINCT 'v' || (i * 40 / :count), :flow, :source, min(at) FROM orders WHERE i < :count * 9 / 10
GROUP BY 1"""
_AUDIT = """
INSERT INTO audit (at, who, what, target)
SELECT at, who, what, target FROM (
 SELECT at + 3600000000 AS at, json_extract(:people, '$[' || (id % 12) || ']') AS who,
  CASE WHEN id % 7 = 0 THEN 'dismiss' ELSE 'retry' END AS what, 'exception ' || id AS target FROM stuck WHERE NOT open
 UNION ALL SELECT decided_at, 'Dana', 'approve', 'ask ' || id FROM asks WHERE decided_at IS NOT NULL
 UNION ALL SELECT at, 'Sam', 'sign in', 'desk' FROM orders WHERE i % 1440 = 1) ORDER BY at"""
_ALERTS = """
INSERT INTO alerts (id, topic, title, text, opened_at, told, next_at, resolved_at)
SELECT i / 480 + 1, 'flow ' || i, 'It takes long', 'Runs wait.', at, 1, NULL,
 CASE WHEN i > :count - 960 THEN NULL ELSE at + 1000000 END FROM orders WHERE i % 480 = 0"""
_MESSAGES = """
INSERT INTO messages (alert, channel, kind, at, error)
SELECT a.id, 'mail', value, opened_at, '' FROM alerts a, json_each('["opened", "resolved"]')"""
_REFUSALS = """
INSERT INTO refusals (day, connection, reason, count)
SELECT DISTINCT date(at / 1000000, 'unixepoch'), 'shop', value, 3 FROM orders, json_each('["signature", "not-json"]')
WHERE i % 1440 = 1"""
_PURGES = """
INSERT INTO purges (at, payloads, events, size, given_back)
SELECT at, 1440, 1440, 5000000, 4000000 FROM orders WHERE i % 1440 = 1"""
_PILOTS = """
INSERT INTO pilots (flow, flow_hash, ran_on, ready, as_expected, records, at, who)
SELECT :flow, 'v' || i, 'practice', 1, 10, 10, at, 'Dana' FROM orders WHERE i % 20000 = 1"""
_PERSONS = """
INSERT INTO people (name, email, role, password, created_at, signed_in_at)
SELECT value, lower(value) || '@example.com', 'operator', '', :until - 86400000000, :until FROM json_each(:people)"""
_SESSIONS = """
INSERT INTO sessions (key, person, created_at, seen_at, expires_at, agent)
SELECT 'session ' || p.id || value, p.id, :until, :until, :until + 86400000000, 'a browser'
FROM people p, json_each('[1, 2, 3]')"""
_TOKENS = """
INSERT INTO tokens (person, name, key, rights, created_at) SELECT id, 'stock list', 'key ' || id, 'see', :until
FROM people"""
_CROSSWALK = """
INSERT INTO crosswalk (connection, kind, ours, theirs, set_at) SELECT 'books', 'customer', email, i, 0 FROM customers"""
_EXCHANGES = """
INSERT INTO exchanges (run, action, item, number, packed)
SELECT run, action, item, number, :packed FROM attempts WHERE run > :count - :kept"""


def lived_in() -> Past:
    """Order to cash, as the stories of the desk's tests have it."""
    listening = the_flow()
    return Past(
        listening,
        {name: result_of(name, 1000, "38.42") for name in listening.actions},
        also=(
            _RARE_TYPE, _RARE_CONNECTION, _RARE_DELIVERIES, _RARE_FLOW, _SKIPPED, _OLD_VERSIONS, _VERSIONS_KEPT,
            _FAILED_ONCE, _FAILED, _STUCK, _EXCEPTIONS, _DEAD, _DEAD_ACTIONS, _COMMENTS, _ODD, _ODD_DELIVERIES,
            _WAITING, _HELD, _HEALTH, _ASKS, _ASKING, _AUDIT, _ALERTS, _MESSAGES, _REFUSALS, _PURGES, _PILOTS,
            _PERSONS, _SESSIONS, _TOKENS, _CROSSWALK, _EXCHANGES,
        ),
        values={
            "causes": orjson.dumps(CAUSES).decode(),
            "people": orjson.dumps(_PEOPLE).decode(),
            "rare_type": RARE_TYPE,
            "rare_connection": RARE_CONNECTION,
            "rare_flow": RARE_FLOW,
            "source": listening.source,
            "packed": _packed(),
        },
    )  # fmt: skip


def _packed() -> bytes:
    """One request and its answer, as attempts keep them."""
    asked: dict[str, Any] = {
        "method": "POST", "url": "https://api.example.com/v2/orders", "headers": {"Accept": "application/json"},
        "signed_by": {"Authorization": "Bearer"}, "body": orjson.dumps({"lines": ["TEA-100"] * 40}).decode(),
        "took": 90, "status": 200,
        "answered": {"Content-Type": "application/json"}, "answer": '{"id": 1}', "failed": "",
    }  # fmt: skip
    return zlib.compress(orjson.dumps({"left_out": 0, "exchanges": [asked]}), 1)
