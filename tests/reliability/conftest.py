"""What the walks begin with."""

import asyncio
import shutil
from pathlib import Path

import pytest

from bellwire.ledger import open_ledger
from tests.reliability import aged


@pytest.fixture(scope="session")
def empty_ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With its tables."""
    path = tmp_path_factory.mktemp("ledger") / "ledger.db"

    async def create() -> None:
        async with open_ledger(f"sqlite:///{path}"):
            pass

    asyncio.run(create())
    return path


@pytest.fixture(scope="session")
def aged_ledger(empty_ledger: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With what a purge takes out, and what it leaves."""
    path = Path(shutil.copy(empty_ledger, tmp_path_factory.mktemp("aged")))
    asyncio.run(aged.fill(path))
    return path
