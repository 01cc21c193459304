"""The tables. Times are microseconds since 1970, UTC; names of states are those of `rows.py`.

Payloads stand apart from the slim rows that guard against duplicates, so that they can be purged much earlier.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData()

# SQLite gives row numbers of its own only to a column that is exactly INTEGER.
_ID = BigInteger().with_variant(Integer(), "sqlite")


def _id() -> Column[int]:
    return Column("id", _ID, primary_key=True, autoincrement=True)


def _at(name: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=nullable)


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False, server_default="")


def _ref(name: str, target: str, *, nullable: bool = False, primary_key: bool = False) -> Column[int]:
    return Column(name, _ID, ForeignKey(target), nullable=nullable, primary_key=primary_key, autoincrement=False)


def _partial(name: str, *columns: Column[Any], where: str) -> Index:
    """An index of the few rows that something is still to be done about, or that went another way than most: what is
    done at once costs nothing by it."""
    return Index(name, *columns, sqlite_where=text(where), postgresql_where=text(where))


deliveries = Table(
    "deliveries",
    metadata,
    _id(),
    _text("connection"),
    _text("environment"),
    _text("delivery_id"),
    _at("received_at"),
    _text("state"),
    _text("reason"),
    Column("copies", Integer, nullable=False, server_default="1"),
    UniqueConstraint("connection", "delivery_id", name="one_delivery"),
)
_partial("deliveries_to_normalise", deliveries.c.id, where="state = 'received'")
_partial("deliveries_left", deliveries.c.state, deliveries.c.id, where="state IN ('dead', 'skipped')")
Index("deliveries_by_time", deliveries.c.received_at)
# What vendors sent by themselves, without what was listed: those have `bellwire-polled/` before their id.
_partial(
    "webhooks_by_connection",
    deliveries.c.connection,
    deliveries.c.id,
    where="delivery_id NOT LIKE 'bellwire-polled/%'",
)

payloads = Table(
    "payloads",
    metadata,
    _ref("delivery", "deliveries.id", primary_key=True),
    _text("headers"),
    _text("url"),
    Column("body", LargeBinary, nullable=False),
)

events = Table(
    "events",
    metadata,
    _id(),
    _ref("delivery", "deliveries.id", nullable=True),
    _text("connection"),
    _text("environment"),
    _text("type"),
    _text("subject"),
    _text("business_key"),
    _at("time"),
    _at("version", nullable=True),
    _at("recorded_at"),
    _text("reason"),
    Column("copies", Integer, nullable=False, server_default="1"),
    _text("data"),
    UniqueConstraint("connection", "business_key", name="one_fact"),
)
Index("events_by_time", events.c.recorded_at)
Index("events_by_subject", events.c.connection, events.c.subject)
Index("events_by_delivery", events.c.delivery)
Index("events_by_type", events.c.connection, events.c.type, events.c.id)

# What events are looked for by: numbers, names and addresses of customers, amounts.
terms = Table(
    "terms",
    metadata,
    # In the order of its bytes, so that those with the same beginning stand together.
    Column("term", Text().with_variant(Text(collation="C"), "postgresql"), primary_key=True),
    _ref("event", "events.id", primary_key=True),
    sqlite_with_rowid=False,
)
Index("terms_by_event", terms.c.event)

subjects = Table(
    "subjects",
    metadata,
    Column("connection", Text, primary_key=True),
    Column("type", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    _at("version"),
    sqlite_with_rowid=False,
)

flow_versions = Table(
    "flow_versions",
    metadata,
    _id(),
    _text("flow"),
    _text("hash"),
    _text("source"),
    _at("recorded_at"),
)
Index("versions_of_flow", flow_versions.c.flow, flow_versions.c.hash)

flow_modes = Table(
    "flow_modes",
    metadata,
    Column("flow", Text, primary_key=True),
    _text("mode"),
    _text("reason"),
    _at("set_at"),
    sqlite_with_rowid=False,
)

pilots = Table(
    "pilots",
    metadata,
    _id(),
    _text("flow"),
    _text("flow_hash"),
    _text("ran_on"),
    Column("ready", Integer, nullable=False),
    Column("as_expected", Integer, nullable=False),
    Column("records", Integer, nullable=False),
    _at("at"),
    _text("who"),
)
Index("pilots_by_flow", pilots.c.flow, pilots.c.flow_hash)

runs = Table(
    "runs",
    metadata,
    _id(),
    _ref("event", "events.id"),
    _text("flow"),
    _text("flow_hash"),
    _text("nonce"),
    _text("state"),
    _text("reason"),
    Column("fence", Integer, nullable=False, server_default="1"),
    Column("interrupted", Integer, nullable=False, server_default="0"),
    _at("created_at"),
    _at("received_at"),
    _at("due_at", nullable=True),
    _at("retried_at", nullable=True),
    _at("finished_at", nullable=True),
    _text("subject"),
    _text("held_for"),
    # The event that ended it early, or is to as soon as it isn't going on.
    Column("ended_by", BigInteger, nullable=True),
    # The job of the queue by which a process has it, where there is a queue.
    Column("job", BigInteger, nullable=True),
    UniqueConstraint("flow", "event", "nonce", name="one_run"),
)
_partial("runs_due", runs.c.due_at, where="state = 'waiting'")
_partial("runs_going_on", runs.c.id, where="state = 'running'")
_partial("runs_by_job", runs.c.job, where="state = 'running' AND job IS NOT NULL")
_partial("runs_held", runs.c.held_for, where="state = 'held'")
_partial("runs_skipped", runs.c.id, where="state = 'skipped'")
_partial("runs_unfinished_of_subject", runs.c.subject, where="state IN ('running', 'waiting', 'held', 'dead')")
Index("runs_by_time", runs.c.created_at)
Index("runs_by_event", runs.c.event)
Index("runs_by_version", runs.c.flow_hash, runs.c.flow, runs.c.created_at)

attempts = Table(
    "attempts",
    metadata,
    _ref("run", "runs.id", primary_key=True),
    Column("action", Text, primary_key=True),
    Column("item", Integer, primary_key=True),
    Column("number", Integer, primary_key=True),
    _text("outcome"),
    _at("started_at"),
    _at("finished_at", nullable=True),
    _at("next_at", nullable=True),
    Column("result", Text),
    _text("cause"),
    _text("sentence"),
    _text("remedy"),
    _text("detail"),
    sqlite_with_rowid=False,
)

# What an attempt asked a vendor, and what was answered: packed, and without what is secret.
exchanges = Table(
    "exchanges",
    metadata,
    _ref("run", "runs.id", primary_key=True),
    Column("action", Text, primary_key=True),
    Column("item", Integer, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("packed", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

exceptions = Table(
    "exceptions",
    metadata,
    _id(),
    _ref("run", "runs.id", nullable=True),
    _ref("delivery", "deliveries.id", nullable=True),
    _text("flow"),
    _text("action"),
    Column("item", Integer, nullable=False, server_default="0"),
    _text("connection"),
    _text("cause"),
    _text("sentence"),
    _text("remedy"),
    _text("detail"),
    _at("opened_at"),
    _text("state"),
    _at("closed_at", nullable=True),
    _text("reason"),
    # Who looks after it.
    _ref("assignee", "people.id", nullable=True),
)
_partial("exceptions_open", exceptions.c.id, where="state = 'open'")
Index("exceptions_by_run", exceptions.c.run)
Index("exceptions_by_time", exceptions.c.opened_at)
_partial("exceptions_by_delivery", exceptions.c.delivery, where="delivery IS NOT NULL")

# The runs that a later event may end, and such events: which run it is shows in what they have in common.
endings = Table(
    "endings",
    metadata,
    Column("flow", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    _ref("event", "events.id", primary_key=True),
    # 0 for an event that ends runs.
    Column("run", BigInteger, primary_key=True, autoincrement=False),
    _at("time"),
    sqlite_with_rowid=False,
)

# Of the flows that begin by the clock: when next.
schedules = Table(
    "schedules",
    metadata,
    Column("flow", Text, primary_key=True),
    _text("schedule"),
    _at("due_at"),
    sqlite_with_rowid=False,
)

# The window that gathers events for a run, by what they have in common; and those that came together with its own.
windows = Table(
    "windows",
    metadata,
    Column("flow", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("run", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
gathered = Table(
    "gathered",
    metadata,
    _ref("run", "runs.id", primary_key=True),
    _ref("event", "events.id", primary_key=True),
    sqlite_with_rowid=False,
)
Index("gathered_by_event", gathered.c.event)

asks = Table(
    "asks",
    metadata,
    _id(),
    _ref("run", "runs.id"),
    _text("flow"),
    _text("action"),
    Column("item", Integer, nullable=False, server_default="0"),
    _text("kind"),
    _text("text"),
    _text("given"),
    _text("asked"),
    _at("asked_at"),
    _at("expires_at", nullable=True),
    _text("state"),
    _text("who"),
    _at("decided_at", nullable=True),
    _text("reason"),
)
_partial("asks_open", asks.c.id, where="state = 'open'")
Index("asks_by_run", asks.c.run)
Index("asks_by_decision", asks.c.decided_at, asks.c.id)

# What the links are signed with that answer a flow's questions. Who can read it here could answer here, too.
link_keys = Table(
    "link_keys",
    metadata,
    Column("purpose", Text, primary_key=True),
    _text("key"),
    sqlite_with_rowid=False,
)

edits = Table(
    "edits",
    metadata,
    _ref("run", "runs.id", primary_key=True),
    Column("action", Text, primary_key=True),
    Column("item", Integer, primary_key=True),
    _text("given"),
    _at("set_at"),
    sqlite_with_rowid=False,
)

health = Table(
    "health",
    metadata,
    Column("connection", Text, primary_key=True),
    _text("state"),
    _text("reason"),
    Column("failures", Integer, nullable=False, server_default="0"),
    _at("since"),
    _at("probe_at", nullable=True),
    sqlite_with_rowid=False,
)

audit = Table(
    "audit",
    metadata,
    _id(),
    _at("at"),
    _text("who"),
    _text("what"),
    _text("target"),
    _text("detail"),
)
Index("audit_by_target", audit.c.target)
Index("audit_by_who", audit.c.who)
Index("audit_by_what", audit.c.what)
Index("audit_by_time", audit.c.at)

alerts = Table(
    "alerts",
    metadata,
    _id(),
    _text("topic"),
    _text("title"),
    _text("text"),
    _at("opened_at"),
    Column("told", Integer, nullable=False, server_default="0"),
    _at("next_at", nullable=True),
    _at("resolved_at", nullable=True),
)
Index(
    "one_open_alert",
    alerts.c.topic,
    unique=True,
    sqlite_where=text("resolved_at IS NULL"),
    postgresql_where=text("resolved_at IS NULL"),
)

messages = Table(
    "messages",
    metadata,
    _id(),
    _ref("alert", "alerts.id", nullable=True),
    _text("channel"),
    _text("kind"),
    _at("at"),
    _text("error"),
)
Index("messages_by_alert", messages.c.alert)

refusals = Table(
    "refusals",
    metadata,
    Column("day", Text, primary_key=True),
    Column("connection", Text, primary_key=True),
    Column("reason", Text, primary_key=True),
    Column("count", Integer, nullable=False),
    sqlite_with_rowid=False,
)

processes = Table(
    "processes",
    metadata,
    _id(),
    _text("name"),
    _text("work"),
    _text("version"),
    _at("started_at"),
    _at("seen_at"),
    Column("carrying", Integer, nullable=False, server_default="0"),
)

polls = Table(
    "polls",
    metadata,
    Column("connection", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    _at("since"),
    _text("cursor"),
    _at("begun_at", nullable=True),
    _at("due_at"),
    Column("failures", Integer, nullable=False, server_default="0"),
    _text("reason"),
    _at("failing_since", nullable=True),
    sqlite_with_rowid=False,
)

# Of what a reorder point is known for: the newest count, by the place where it is, and whether that is low.
stock_levels = Table(
    "stock_levels",
    metadata,
    Column("environment", Text, primary_key=True),
    Column("connection", Text, primary_key=True),
    Column("location", Text, primary_key=True),
    Column("sku", Text, primary_key=True),
    Column("available", BigInteger, nullable=False),
    _at("counted_at"),
    _at("noted_at"),
    Column("low", Integer, nullable=False, server_default="0"),
    # How often it has become low.
    Column("crossings", Integer, nullable=False, server_default="0"),
    sqlite_with_rowid=False,
)

# The SKUs of what a vendor's events of stock name by an id alone.
stock_items = Table(
    "stock_items",
    metadata,
    Column("connection", Text, primary_key=True),
    Column("item", Text, primary_key=True),
    _text("sku"),
    sqlite_with_rowid=False,
)

# What was sold on each day of the business, in all shops together.
sales = Table(
    "sales",
    metadata,
    Column("environment", Text, primary_key=True),
    Column("sku", Text, primary_key=True),
    Column("day", Text, primary_key=True),
    Column("sold", BigInteger, nullable=False),
    # The most that one order took of it.
    Column("largest", BigInteger, nullable=False),
    # Whether an order of this day was told of as a spike, or would have been if it hadn't gone on already.
    Column("spiking", Integer, nullable=False, server_default="0"),
    sqlite_with_rowid=False,
)
Index("sales_by_day", sales.c.day)

crosswalk = Table(
    "crosswalk",
    metadata,
    Column("connection", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("ours", Text, primary_key=True),
    _text("theirs"),
    _at("set_at"),
    sqlite_with_rowid=False,
)

# What people say to each other about an exception.
comments = Table(
    "comments",
    metadata,
    _id(),
    _ref("exception", "exceptions.id"),
    _at("at"),
    _text("who"),
    _text("text"),
)
Index("comments_by_exception", comments.c.exception)

# Who may use the desk. A password is kept as its Argon2 hash.
people = Table(
    "people",
    metadata,
    _id(),
    _text("name"),
    _text("email"),
    _text("role"),
    _text("password"),
    _at("created_at"),
    _at("disabled_at", nullable=True),
    _at("signed_in_at", nullable=True),
    # Since when one-time codes are asked for, and the newest step of time whose code was used (RFC 6238).
    _at("codes_since", nullable=True),
    Column("code_step", BigInteger, nullable=False, server_default="0"),
    UniqueConstraint("email", name="one_person"),
)

# What may be given once in place of a one-time code: a hash of each that is still good.
recovery_codes = Table(
    "recovery_codes",
    metadata,
    _ref("person", "people.id", primary_key=True),
    Column("key", Text, primary_key=True),
    sqlite_with_rowid=False,
)

# Of what a browser or a program shows to be let in, only a hash is kept.
sessions = Table(
    "sessions",
    metadata,
    Column("key", Text, primary_key=True),
    _ref("person", "people.id"),
    _at("created_at"),
    _at("seen_at"),
    _at("expires_at"),
    _text("agent"),
    # What is still asked for before it lets anybody in: `code`, or nothing.
    _text("awaits"),
    sqlite_with_rowid=False,
)
Index("sessions_by_person", sessions.c.person)

tokens = Table(
    "tokens",
    metadata,
    _id(),
    _ref("person", "people.id", nullable=True),
    _text("name"),
    _text("key"),
    _text("rights"),
    _at("created_at"),
    _at("used_at", nullable=True),
    _at("expires_at", nullable=True),
    _at("revoked_at", nullable=True),
    UniqueConstraint("key", name="one_token"),
)

# How often somebody failed to sign in, by e-mail address and by where they came from.
failed_sign_ins = Table(
    "failed_sign_ins",
    metadata,
    Column("who", Text, primary_key=True),
    Column("failures", Integer, nullable=False),
    _at("last_at"),
    sqlite_with_rowid=False,
)

# What was answered to a request of the API that may come again, by its idempotency key.
answers = Table(
    "answers",
    metadata,
    Column("token", BigInteger, primary_key=True),
    Column("key", Text, primary_key=True),
    # A digest of the request.
    _text("asked"),
    Column("status", Integer, nullable=False),
    _text("body"),
    _at("at"),
    sqlite_with_rowid=False,
)
Index("answers_by_time", answers.c.at)

# Flows that are being edited: each row is a state that one can come back to.
drafts = Table(
    "drafts",
    metadata,
    _id(),
    _text("flow"),
    _text("source"),
    # The hash of the flow's text that the draft began with; empty for a new flow.
    _text("base"),
    _text("who"),
    _at("at"),
    # Whether somebody went back to the state before; it can still be done again.
    Column("undone", Integer, nullable=False, server_default="0"),
)
Index("drafts_by_flow", drafts.c.flow)

# While two webhook secrets of a connection are accepted: when a delivery came last that was signed with each.
signings = Table(
    "signings",
    metadata,
    Column("connection", Text, primary_key=True),
    _at("newest_at", nullable=True),
    _at("earlier_at", nullable=True),
    sqlite_with_rowid=False,
)

# What each purge took out.
purges = Table(
    "purges",
    metadata,
    _id(),
    _at("at"),
    Column("payloads", BigInteger, nullable=False),
    Column("events", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("given_back", BigInteger, nullable=False),
)

# Work in bulk on exceptions that somebody asked for; and of each, the exceptions that are still to be dealt with (`why`
# is NULL), and those that couldn't be.
errands = Table(
    "errands",
    metadata,
    _id(),
    _text("what"),
    # What else was said of it, as JSON.
    _text("given"),
    _text("who"),
    _at("asked_at"),
    Column("total", Integer, nullable=False),
    Column("done", Integer, nullable=False, server_default="0"),
    Column("failed", Integer, nullable=False, server_default="0"),
    # Why it doesn't go on; empty: it does, or it is done.
    _text("stopped"),
    _at("done_at", nullable=True),
)
_partial("errands_unfinished", errands.c.id, where="done_at IS NULL")
errand_steps = Table(
    "errand_steps",
    metadata,
    _ref("errand", "errands.id", primary_key=True),
    Column("exception", BigInteger, primary_key=True, autoincrement=False),
    Column("why", Text),
    sqlite_with_rowid=False,
)

# Sign-ins in the browser that are under way at a vendor: by a hash of their state, for the session with this hash. What
# the answer is redeemed with is sealed by the vault.
consents = Table(
    "consents",
    metadata,
    Column("state", Text, primary_key=True),
    _text("connection"),
    _text("session"),
    _text("sealed"),
    _at("asked_at"),
    sqlite_with_rowid=False,
)

# What the vendor of a connection said when it was last tried, as JSON.
checks = Table(
    "checks",
    metadata,
    Column("connection", Text, primary_key=True),
    _text("findings"),
    _at("at"),
    sqlite_with_rowid=False,
)
