"""Runs know their subject and what holds them; edits, health of connections, audit, alerts"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("runs", sa.Column("subject", sa.Text(), server_default="", nullable=False))
    op.add_column("runs", sa.Column("held_for", sa.Text(), server_default="", nullable=False))
    op.execute(
        "UPDATE runs SET subject = (SELECT e.connection || '/' || e.subject FROM events e WHERE e.id = runs.event)"
        " WHERE state IN ('running', 'waiting', 'dead')"
    )
    op.execute("UPDATE runs SET interrupted = 1 WHERE state = 'running'")
    op.execute(
        "UPDATE attempts SET next_at = COALESCE(finished_at, started_at)"
        " WHERE outcome IN ('failed', 'unknown', 'started')"
        " AND run IN (SELECT id FROM runs WHERE state = 'waiting' AND retried_at IS NOT NULL)"
    )
    _partial("runs_held", "runs", "held_for", "state = 'held'")
    _partial("runs_unfinished_of_subject", "runs", "subject", "state IN ('running', 'waiting', 'held', 'dead')")
    op.create_table(
        "edits",
        sa.Column("run", _ID, autoincrement=False, nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("item", sa.Integer(), nullable=False),
        sa.Column("given", sa.Text(), server_default="", nullable=False),
        sa.Column("set_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["runs.id"]),
        sa.PrimaryKeyConstraint("run", "action", "item"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "health",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("probe_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("connection"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "audit",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.Text(), server_default="", nullable=False),
        sa.Column("what", sa.Text(), server_default="", nullable=False),
        sa.Column("target", sa.Text(), server_default="", nullable=False),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("audit_by_target", "audit", ["target"])
    op.create_table(
        "alerts",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("topic", sa.Text(), server_default="", nullable=False),
        sa.Column("title", sa.Text(), server_default="", nullable=False),
        sa.Column("text", sa.Text(), server_default="", nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("told", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=True),
        sa.Column("resolved_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    _partial("one_open_alert", "alerts", "topic", "resolved_at IS NULL", unique=True)
    op.create_table(
        "messages",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("alert", _ID, autoincrement=False, nullable=True),
        sa.Column("channel", sa.Text(), server_default="", nullable=False),
        sa.Column("kind", sa.Text(), server_default="", nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["alert"], ["alerts.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("messages_by_alert", "messages", ["alert"])


def _partial(name: str, table: str, column: str, where: str, *, unique: bool = False) -> None:
    condition = sa.text(where)
    op.create_index(name, table, [column], unique=unique, sqlite_where=condition, postgresql_where=condition)
