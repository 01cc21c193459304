"""People who sign in, their sessions and tokens; comments on exceptions; drafts of flows"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _number() -> sa.Column[int]:
    return sa.Column("id", _ID, primary_key=True, autoincrement=True, nullable=False)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), server_default="", nullable=False)


def _at(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def upgrade() -> None:
    op.add_column("exceptions", _text("assignee"))
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
        sa.UniqueConstraint("email", name="one_person"),
    )
    op.create_table(
        "sessions",
        sa.Column("key", sa.Text(), primary_key=True, nullable=False),
        sa.Column("person", _ID, sa.ForeignKey("people.id"), nullable=False),
        _at("created_at"),
        _at("seen_at"),
        _at("expires_at"),
        _text("agent"),
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
    op.create_index("events_by_type", "events", ["connection", "type", "id"])
