"""The process dies while it makes its ledger, or brings an older one to the newest schema; then it starts again."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from alembic import command as migrations
from alembic.config import Config
from sqlalchemy import create_engine

import bellwire.ledger
from bellwire.practice import Sale, SaleLine
from bellwire.practice.stories.order_to_cash import Chapter, deliveries
from tests.reliability.dying import Fate
from tests.reliability.proof import broken
from tests.reliability.telling import Told, living, prepared, send
from tests.reliability.walking import walk
from tests.running import Town, ordinary

HALF_DONE = "before POST payment of books #1"
"""Where the older release is ended: the invoice is in its books, and not all else is done."""
START = ("journal_mode", "alembic", "flow_versions", "closing")
"""Of the points of a first start, what only they have in their names."""

UPGRADE = (
    "journal_mode",
    "alter table",
    "alembic",
    "closing",
    "of books",
    "attempts invoice",
    "attempts receipt",
    "runs",
)
"""Of those after an upgrade: the ledger's own, and those of the action that was going on."""


async def test_it_may_die_at_any_point_of_its_first_start(tmp_path: Path) -> None:
    async def tell(folder: Path, fates: Sequence[Fate]) -> Told:
        async with prepared(folder, None) as place:
            async with living(place, fates) as lives:
                acknowledged = await send(lives, [place.paid(ordinary("1001"))])
                await lives.until_done()
            return lives.told(broken(place, acknowledged))

    walked = await walk(tell, tmp_path, which=lambda point: any(word in point for word in START))
    walked.holds(fewest=8)


async def test_it_may_die_at_any_point_of_an_upgrade(empty_ledger: Path, tmp_path: Path) -> None:
    async def tell(folder: Path, fates: Sequence[Fate]) -> Told:
        async with prepared(folder, empty_ledger) as place:
            chapter = Chapter(Sale("1002", [SaleLine("MUG-RED")]), "")
            async with living(place, [Fate(HALF_DONE), *fates], lambda: make_old(place)) as lives:
                place.chapters.append(chapter)
                webhooks = (each.webhook for each in deliveries(place.holdings.shop, [chapter], place.placed))
                acknowledged = await send(lives, webhooks)
                await lives.until_done()
            told = lives.told(broken(place, acknowledged))
            return replace(told, lives=told.lives[1:], died=told.died[1:])

    walked = await walk(tell, tmp_path, which=lambda point: any(word in point for word in UPGRADE))
    walked.holds(fewest=12)


def make_old(place: Town) -> None:
    """Turn the ledger into one of the first release: with its schema, and the rows as that has them."""
    path = place.folder / "data" / "ledger.db"
    newer = path.with_name("newer.db")
    with closing(sqlite3.connect(path)) as ledger:
        ledger.execute("VACUUM INTO ?", [str(newer)])
    for file in path.parent.glob("ledger.db*"):
        file.unlink()
    _migrate(path, "0001")
    with closing(sqlite3.connect(path)) as ledger:
        ledger.execute("ATTACH ? AS newer", [str(newer)])
        tables = ledger.execute("SELECT name FROM main.sqlite_schema WHERE type = 'table'").fetchall()
        for (table,) in tables:
            if table not in ("alembic_version", "sqlite_sequence"):
                columns = ", ".join(f'"{row[1]}"' for row in ledger.execute(f"PRAGMA main.table_info({table})"))
                ledger.execute(f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM newer.{table}")  # noqa: S608
        # That release wrote down no attempt before it was sent.
        ledger.execute("DELETE FROM main.attempts WHERE outcome = 'started'")
        ledger.commit()
    newer.unlink()


def _migrate(path: Path, revision: str) -> None:
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(Path(bellwire.ledger.__file__).parent / "migrations"))
        config.attributes["connection"] = connection
        migrations.upgrade(config, revision)
    engine.dispose()
