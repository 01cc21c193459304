"""Several processes share a ledger on PostgreSQL: the queue, and who is there"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("runs", sa.Column("job", sa.BigInteger(), nullable=True))
    where = sa.text("state = 'running' AND job IS NOT NULL")
    op.create_index("runs_by_job", "runs", ["job"], sqlite_where=where, postgresql_where=where)
    op.create_table(
        "processes",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("work", sa.Text(), server_default="", nullable=False),
        sa.Column("version", sa.Text(), server_default="", nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("carrying", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    if op.get_bind().dialect.name == "postgresql":
        from bellwire.ledger.queue import INSTALL

        # Past SQLAlchemy, which would look for parameters in it.
        driver = op.get_bind().connection.driver_connection
        assert driver is not None
        driver.execute(INSTALL)
