"""A ledger to let people into."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bellwire.ledger import Database, open_ledger


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[Database]:
    async with open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}") as ledger:
        yield ledger
