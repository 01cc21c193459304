"""A new ledger in a file: the newest schema in one piece, rather than by way of all that came before it."""

import sqlite3
from pathlib import Path

from bellwire.ledger.database import HEAD

NEWEST = Path(__file__).with_name("newest.sql")
"""What `bellwire.ledger.schema` says, for SQLite: reading it takes a hundredth of the time that the tool needs which
says it. `python -m tests.newest_schema` writes it anew."""
_VERSION = "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"
"""Where the migration tool looks for the version (https://alembic.sqlalchemy.org/en/latest/tutorial.html)."""


def make(connection: sqlite3.Connection) -> None:
    """Give a file that has no tables those of the newest schema, all at once. One that has some stays as it is. Other
    processes wait meanwhile."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        if connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is None:
            for statement in (_VERSION, *NEWEST.read_text("utf-8").split(";\n")):
                connection.execute(statement)
            connection.execute("INSERT INTO alembic_version VALUES (?)", [HEAD])
        connection.commit()
    except BaseException:
        connection.rollback()
        raise
