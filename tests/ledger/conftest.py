"""Ledgers for the tests."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bellwire.ledger import Database, open_ledger
from bellwire.ledger.postgres import PostgresDatabase
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


@pytest.fixture
def url(ledgers: Ledgers) -> str:
    """The address of an empty ledger on PostgreSQL."""
    return ledgers.postgres()


@pytest.fixture
async def here(url: str) -> AsyncIterator[PostgresDatabase]:
    """That ledger."""
    async with open_ledger(url) as opened:
        assert isinstance(opened, PostgresDatabase)
        yield opened
