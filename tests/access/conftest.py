"""A ledger to let people into."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bellwire.ledger import Database, open_ledger
from tests.ledgers import Ledgers


@pytest.fixture
async def ledger(ledgers: Ledgers, tmp_path: Path) -> AsyncIterator[Database]:
    async with open_ledger(f"sqlite:///{ledgers.sqlite(tmp_path)}") as ledger:
        yield ledger
