"""People who sign in, their sessions, codes and tokens; comments; drafts of flows; what the desk finds and does"""

import sqlalchemy as sa
from alembic import op
from pydantic import ValidationError

from bellwire.events import data_model, terms_of

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_PORTION = 1_000
_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _number() -> sa.Column[int]:
    return sa.Column("id", _ID, primary_key=True, autoincrement=True, nullable=False)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), server_default="", nullable=False)


def _at(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def upgrade() -> None:
    op.create_index("exceptions_by_time", "exceptions", ["opened_at"])
    _index_some("exceptions_by_delivery", "exceptions", ["delivery"], "delivery IS NOT NULL")
    op.create_table(
        "comments",
        _number(),
        sa.Column("exception", _ID, sa.ForeignKey("exceptions.id"), nullable=False),
        _at("at"),
        _text("who"),
        _text("text"),
    )
    op.create_index("comments_by_exception", "comments", ["exception"])
    op.create_table(
        "people",
        _number(),
        _text("name"),
        _text("email"),
        _text("role"),
        _text("password"),
        _at("created_at"),
        _at("disabled_at", nullable=True),
        _at("signed_in_at", nullable=True),
        _at("codes_since", nullable=True),
        sa.Column("code_step", sa.BigInteger(), server_default="0", nullable=False),
        sa.UniqueConstraint("email", name="one_person"),
    )
    assignee = sa.Column("assignee", _ID, sa.ForeignKey("people.id"), nullable=True)
    op.add_column("exceptions", assignee, inline_references=True)
    op.create_table(
        "recovery_codes",
        sa.Column("person", _ID, sa.ForeignKey("people.id"), primary_key=True, nullable=False),
        sa.Column("key", sa.Text(), primary_key=True, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "sessions",
        sa.Column("key", sa.Text(), primary_key=True, nullable=False),
        sa.Column("person", _ID, sa.ForeignKey("people.id"), nullable=False),
        _at("created_at"),
        _at("seen_at"),
        _at("expires_at"),
        _text("agent"),
        _text("awaits"),
        sqlite_with_rowid=False,
    )
    op.create_index("sessions_by_person", "sessions", ["person"])
    op.create_table(
        "tokens",
        _number(),
        sa.Column("person", _ID, sa.ForeignKey("people.id"), nullable=True),
        _text("name"),
        _text("key"),
        _text("rights"),
        _at("created_at"),
        _at("used_at", nullable=True),
        _at("expires_at", nullable=True),
        _at("revoked_at", nullable=True),
        sa.UniqueConstraint("key", name="one_token"),
    )
    op.create_table(
        "failed_sign_ins",
        sa.Column("who", sa.Text(), primary_key=True, nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        _at("last_at"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "answers",
        sa.Column("token", sa.BigInteger(), primary_key=True, nullable=False),
        sa.Column("key", sa.Text(), primary_key=True, nullable=False),
        _text("asked"),
        sa.Column("status", sa.Integer(), nullable=False),
        _text("body"),
        _at("at"),
        sqlite_with_rowid=False,
    )
    op.create_index("answers_by_time", "answers", ["at"])
    op.create_table(
        "drafts",
        _number(),
        _text("flow"),
        _text("source"),
        _text("base"),
        _text("who"),
        _at("at"),
        sa.Column("undone", sa.Integer(), server_default="0", nullable=False),
    )
    op.create_index("drafts_by_flow", "drafts", ["flow"])
    op.create_index("asks_by_decision", "asks", ["decided_at", "id"])
    op.create_index("runs_by_version", "runs", ["flow_hash", "flow", "created_at"])
    _number_versions()
    webhooks = "delivery_id NOT LIKE 'bellwire-polled/%'"
    _index_some("webhooks_by_connection", "deliveries", ["connection", "id"], webhooks)
    _index_some("deliveries_left", "deliveries", ["state", "id"], "state IN ('dead', 'skipped')")
    _index_some("runs_skipped", "runs", ["id"], "state = 'skipped'")
    op.create_table(
        "signings",
        sa.Column("connection", sa.Text(), primary_key=True, nullable=False),
        _at("newest_at", nullable=True),
        _at("earlier_at", nullable=True),
        sqlite_with_rowid=False,
    )
    op.create_index("audit_by_who", "audit", ["who"])
    op.create_index("audit_by_what", "audit", ["what"])
    op.create_index("audit_by_time", "audit", ["at"])
    op.create_table(
        "purges",
        _number(),
        _at("at"),
        sa.Column("payloads", sa.BigInteger(), nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("given_back", sa.BigInteger(), nullable=False),
    )
    op.create_index("events_by_type", "events", ["connection", "type", "id"])
    _of_the_desk()
    op.create_table(
        "exchanges",
        sa.Column("run", _ID, sa.ForeignKey("runs.id"), primary_key=True, autoincrement=False, nullable=False),
        sa.Column("action", sa.Text(), primary_key=True, nullable=False),
        sa.Column("item", sa.Integer(), primary_key=True, nullable=False),
        sa.Column("number", sa.Integer(), primary_key=True, nullable=False),
        sa.Column("packed", sa.LargeBinary(), nullable=False),
        sqlite_with_rowid=False,
    )
    by_bytes = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    terms = op.create_table(
        "terms",
        sa.Column("term", by_bytes, primary_key=True, nullable=False),
        sa.Column("event", _ID, sa.ForeignKey("events.id"), primary_key=True, autoincrement=False, nullable=False),
        sqlite_with_rowid=False,
    )
    _find_terms(terms)
    op.create_index("terms_by_event", "terms", ["event"])


def _number_versions() -> None:
    """A flow may come back to a text, and share one: then so do its runs."""
    connection = op.get_bind()
    found = connection.execute(
        sa.text(
            "SELECT flow, hash, source, recorded_at FROM flow_versions UNION ALL"
            " SELECT r.flow, v.hash, v.source, r.began FROM flow_versions v JOIN"
            " (SELECT flow, flow_hash, MIN(created_at) AS began FROM runs GROUP BY flow, flow_hash) AS r"
            " ON r.flow_hash = v.hash AND r.flow <> v.flow ORDER BY 4"
        )
    )
    kept = [dict(row) for row in found.mappings()]
    op.drop_table("flow_versions")
    columns = _number(), _text("flow"), _text("hash"), _text("source"), _at("recorded_at")
    versions = op.create_table("flow_versions", *columns)
    op.create_index("versions_of_flow", "flow_versions", ["flow", "hash"])
    if kept:
        connection.execute(versions.insert(), kept)


def _of_the_desk() -> None:
    """What goes on over a restart."""
    op.create_table(
        "errands",
        _number(),
        _text("what"),
        _text("given"),
        _text("who"),
        _at("asked_at"),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), server_default="0", nullable=False),
        sa.Column("failed", sa.Integer(), server_default="0", nullable=False),
        _text("stopped"),
        _at("done_at", nullable=True),
    )
    _index_some("errands_unfinished", "errands", ["id"], "done_at IS NULL")
    op.create_table(
        "errand_steps",
        sa.Column("errand", _ID, sa.ForeignKey("errands.id"), primary_key=True, autoincrement=False, nullable=False),
        sa.Column("exception", sa.BigInteger(), primary_key=True, autoincrement=False, nullable=False),
        sa.Column("why", sa.Text()),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "consents",
        sa.Column("state", sa.Text(), primary_key=True, nullable=False),
        _text("connection"),
        _text("session"),
        _text("sealed"),
        _at("asked_at"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "checks",
        sa.Column("connection", sa.Text(), primary_key=True, nullable=False),
        _text("findings"),
        _at("at"),
        sqlite_with_rowid=False,
    )


def _index_some(name: str, table: str, columns: list[str], which: str) -> None:
    op.create_index(name, table, columns, sqlite_where=sa.text(which), postgresql_where=sa.text(which))


def _find_terms(terms: sa.Table) -> None:
    """Of the events that are there already, as far as they have their data."""
    connection, last = op.get_bind(), 0
    newest = sa.text("SELECT id, type, data FROM events WHERE id > :last ORDER BY id LIMIT :limit")
    while found := connection.execute(newest, {"last": last, "limit": _PORTION}).all():
        last = found[-1][0]
        if filled := [
            {"term": term, "event": number} for number, type_, data in found for term in _terms_in(type_, data)
        ]:
            connection.execute(terms.insert(), filled)


def _terms_in(event_type: str, data: str) -> list[str]:
    try:
        return terms_of(data_model(event_type).model_validate_json(data))
    except ValidationError:
        return []
