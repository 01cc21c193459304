"""Brings a ledger to the newest schema. Loaded only when there is something to do."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

from bellwire.ledger.database import HEAD


def upgrade(url: str) -> None:
    """Run every migration that the ledger at the SQLAlchemy `url` hasn't had; each commits together with its record."""
    engine = create_engine(url)
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        config.attributes["connection"] = connection
        command.upgrade(config, HEAD)
    engine.dispose()
