"""Which database a ledger's address means."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bellwire.errors import ConfigurationError
from bellwire.ledger import sqlite
from bellwire.ledger.database import Database

if TYPE_CHECKING:
    from bellwire.ledger.moving import Moved, Tell

POSTGRES = "postgresql://"


@asynccontextmanager
async def open_ledger(url: str, *, max_waiting: int = 5_000) -> AsyncIterator[Database]:
    """The ledger at `url` (`sqlite:///path` or `postgresql://user@host/name`), brought to the newest schema first.

    Raises ConfigurationError.
    """
    database = _opened(url, max_waiting)
    database.start()
    try:
        yield database
    finally:
        await database.close()


def is_there(url: str) -> bool:
    """Whether a ledger was made at `url`. A server isn't asked: there, it is taken to be."""
    return not url.startswith(sqlite.PREFIX) or Path(url.removeprefix(sqlite.PREFIX)).exists()


def _opened(url: str, max_waiting: int) -> Database:
    if url.startswith(sqlite.PREFIX):
        return sqlite.open_sqlite(Path(url.removeprefix(sqlite.PREFIX)), max_waiting=max_waiting)
    if not url.startswith(POSTGRES):
        raise ConfigurationError(
            f"A ledger address begins with {sqlite.PREFIX!r} or {POSTGRES!r}; {url.partition(':')[0]!r} isn't known.",
            remedy="Leave BELLWIRE_LEDGER_URL out to keep the ledger in the project's data folder.",
        )
    try:
        from bellwire.ledger.postgres import open_postgres
    except ImportError as error:
        raise without_driver() from error
    return open_postgres(url, max_waiting=max_waiting)


def move_ledger(url: str, to: str, tell: "Tell") -> "Moved":
    """Move the ledger at `url`, an SQLite one, to the empty PostgreSQL database `to`; see `bellwire.ledger.moving`.
    Raises ConfigurationError, LedgerBusy, BellwireError."""
    if not to.startswith(POSTGRES):
        raise ConfigurationError(
            f"A ledger can be moved to PostgreSQL only, and that address doesn't begin with {POSTGRES!r}.",
            remedy="Write postgresql://USER:PASSWORD@HOST/DATABASE.",
        )
    if not url.startswith(sqlite.PREFIX):
        raise ConfigurationError(
            "The ledger of this project is on PostgreSQL already: only one in an SQLite file can be moved.",
            remedy="To go on with a move, set BELLWIRE_LEDGER_URL as it was when that began.",
        )
    try:
        from bellwire.ledger.moving import move
    except ImportError as error:
        raise without_driver() from error
    return move(Path(url.removeprefix(sqlite.PREFIX)), to, tell)


def without_driver() -> ConfigurationError:
    """For whoever wants PostgreSQL and hasn't installed what it takes."""
    return ConfigurationError(
        "A ledger on PostgreSQL needs its driver, which isn't installed.",
        remedy="In Bellwire's own folder: `scripts/setup postgres`. Where pip installed it: pip install"
        " 'bellwire[postgres]'.",
    )
