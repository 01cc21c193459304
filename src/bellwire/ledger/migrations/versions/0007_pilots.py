"""Pilots are on record; flows that have run with real accounts stay live"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "pilots",
        sa.Column("id", _ID, primary_key=True, autoincrement=True, nullable=False),
        sa.Column("flow", sa.Text(), server_default="", nullable=False),
        sa.Column("flow_hash", sa.Text(), server_default="", nullable=False),
        sa.Column("ran_on", sa.Text(), server_default="", nullable=False),
        sa.Column("ready", sa.Integer(), nullable=False),
        sa.Column("as_expected", sa.Integer(), nullable=False),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.Text(), server_default="", nullable=False),
    )
    op.create_index("pilots_by_flow", "pilots", ["flow", "flow_hash"])
    # Before, a flow was live as soon as its file was there.
    op.execute(
        "INSERT INTO flow_modes (flow, mode, reason, set_at)"
        " SELECT r.flow, 'live', 'It was live before flows had to be tried first.', MIN(r.created_at)"
        " FROM runs r JOIN events e ON e.id = r.event WHERE e.environment = 'production'"
        " AND NOT EXISTS (SELECT 1 FROM flow_modes m WHERE m.flow = r.flow) GROUP BY r.flow"
    )
