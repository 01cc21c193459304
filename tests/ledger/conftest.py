"""Ledgers for the tests."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bellwire.ledger import Database, open_ledger


@pytest.fixture(scope="session")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty ledger with the newest schema, to be copied: making one takes longer than most tests."""
    path = tmp_path_factory.mktemp("blank") / "ledger.db"

    async def make() -> None:
        async with open_ledger(f"sqlite:///{path}"):
            pass

    asyncio.run(make())
    return path


@pytest.fixture
def path(tmp_path: Path, blank: Path) -> Path:
    """Where an empty ledger is."""
    return Path(shutil.copy(blank, tmp_path))


@pytest.fixture
async def ledger(path: Path) -> AsyncIterator[Database]:
    async with open_ledger(f"sqlite:///{path}") as opened:
        yield opened
