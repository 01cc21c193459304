"""Brings a ledger to the newest schema. Loaded only when there is something to do."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event
from sqlalchemy.exc import DBAPIError

from bellwire.ledger.database import HEAD


def upgrade_sqlite(path: Path) -> None:
    """Run every migration that it hasn't had: all in one transaction, which excludes other processes."""
    engine = create_engine(
        URL.create("sqlite", database=str(path)), connect_args={"isolation_level": None, "timeout": 60}
    )
    # The driver by itself begins no transaction for a change of the schema.
    _upgrade(engine, "BEGIN IMMEDIATE")


def upgrade_postgres(connect: Callable[[], Any], lock: int) -> None:
    """The same; `lock` is the one that writers take."""
    engine = create_engine("postgresql+psycopg://", creator=connect, poolclass=NullPool)
    _upgrade(engine, f"SELECT pg_advisory_xact_lock({lock})")


def _upgrade(engine: Engine, begin: str) -> None:
    """`begin` is said first in the transaction. Raises the database's own errors."""

    def said(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine, "begin", said)
    try:
        with engine.begin() as connection:
            config = Config()
            config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
            config.attributes["connection"] = connection
            command.upgrade(config, HEAD)
    except DBAPIError as error:
        raise error.orig or error from error
    finally:
        engine.dispose()
