"""What the walks begin with."""

import asyncio
from pathlib import Path

import pytest

from bellwire.ledger import open_ledger


@pytest.fixture(scope="session")
def empty_ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With its tables."""
    path = tmp_path_factory.mktemp("ledger") / "ledger.db"

    async def create() -> None:
        async with open_ledger(f"sqlite:///{path}"):
            pass

    asyncio.run(create())
    return path
