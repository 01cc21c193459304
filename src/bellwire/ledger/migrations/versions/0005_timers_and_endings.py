"""Runs that wait for a time, and later events that end them"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("runs", sa.Column("ended_by", sa.BigInteger(), nullable=True))
    op.create_table(
        "endings",
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("event", _ID, sa.ForeignKey("events.id"), nullable=False),
        sa.Column("run", sa.BigInteger(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("flow", "key", "event", "run"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "asks",
        sa.Column("id", _ID, primary_key=True, autoincrement=True, nullable=False),
        sa.Column("run", _ID, sa.ForeignKey("runs.id"), nullable=False),
        sa.Column("flow", sa.Text(), server_default="", nullable=False),
        sa.Column("action", sa.Text(), server_default="", nullable=False),
        sa.Column("item", sa.Integer(), server_default="0", nullable=False),
        sa.Column("kind", sa.Text(), server_default="", nullable=False),
        sa.Column("text", sa.Text(), server_default="", nullable=False),
        sa.Column("given", sa.Text(), server_default="", nullable=False),
        sa.Column("asked", sa.Text(), server_default="", nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), server_default="", nullable=False),
        sa.Column("who", sa.Text(), server_default="", nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
    )
    where = sa.text("state = 'open'")
    op.create_index("asks_open", "asks", ["id"], sqlite_where=where, postgresql_where=where)
    op.create_index("asks_by_run", "asks", ["run"])
    op.create_table(
        "schedules",
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("schedule", sa.Text(), server_default="", nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("flow"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "windows",
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("run", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("flow", "key"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "gathered",
        sa.Column("run", _ID, sa.ForeignKey("runs.id"), nullable=False),
        sa.Column("event", _ID, sa.ForeignKey("events.id"), nullable=False),
        sa.PrimaryKeyConstraint("run", "event"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "link_keys",
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("purpose"),
        sqlite_with_rowid=False,
    )
    op.create_index("gathered_by_event", "gathered", ["event"])
