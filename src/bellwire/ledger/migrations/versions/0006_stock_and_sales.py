"""What is in stock, and what was sold"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "stock_levels",
        sa.Column("environment", sa.Text(), nullable=False),
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("available", sa.BigInteger(), nullable=False),
        sa.Column("counted_at", sa.BigInteger(), nullable=False),
        sa.Column("noted_at", sa.BigInteger(), nullable=False),
        sa.Column("low", sa.Integer(), server_default="0", nullable=False),
        sa.Column("crossings", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("environment", "connection", "location", "sku"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "stock_items",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("connection", "item"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "sales",
        sa.Column("environment", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("sold", sa.BigInteger(), nullable=False),
        sa.Column("largest", sa.BigInteger(), nullable=False),
        sa.Column("spiking", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("environment", "sku", "day"),
        sqlite_with_rowid=False,
    )
    op.create_index("sales_by_day", "sales", ["day"])
