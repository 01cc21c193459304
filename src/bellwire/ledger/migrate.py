"""Brings a ledger to the newest schema. Loaded only when there is something to do."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import URL, Connection, create_engine, event

from bellwire.ledger.database import HEAD


def upgrade(path: Path) -> None:
    """Run every migration that the SQLite ledger hasn't had: all in one transaction, which excludes other processes."""
    engine = create_engine(
        URL.create("sqlite", database=str(path)), connect_args={"isolation_level": None, "timeout": 60}
    )
    event.listen(engine, "begin", _begin)
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
        config.attributes["connection"] = connection
        command.upgrade(config, HEAD)
    engine.dispose()


def _begin(connection: Connection) -> None:
    """The driver by itself begins no transaction for a change of the schema."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")
