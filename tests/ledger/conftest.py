"""Ledgers for the tests."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bellwire.ledger import Database, open_ledger
from tests.ledgers import Ledgers


@pytest.fixture
def path(tmp_path: Path, ledgers: Ledgers) -> Path:
    """The file of an empty SQLite ledger: that of `ledger`, where both are asked for."""
    there = tmp_path / "ledger.db"
    return there if there.exists() else ledgers.sqlite(tmp_path)


@pytest.fixture
async def ledger(ledger_url: str) -> AsyncIterator[Database]:
    async with open_ledger(ledger_url) as opened:
        yield opened
