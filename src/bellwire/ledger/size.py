"""How much room the ledger takes on its disk, and how it gives back what it no longer needs.

A row that is deleted leaves a free page in the file; `vacuum` moves the last pages of the file into the free ones and
cuts the file off behind them, as soon as that is taken over from the log (`-wal`), where all that is committed stands
first.
"""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from bellwire.ledger.database import Rows


@dataclass(frozen=True)
class Size:
    """In bytes."""

    file: int
    log: int
    """What is committed and not yet taken over into the file, and what was and isn't overwritten yet."""
    disk_free: int
    """Of the disk that they are on."""

    @property
    def total(self) -> int:
        return self.file + self.log


def measure(path: Path) -> Size:
    """Of the ledger at `path`. Raises OSError."""
    return Size(path.stat().st_size, log_bytes(path), shutil.disk_usage(path.parent).free)


def log_bytes(path: Path) -> int:
    """How large the log of the ledger at `path` is; 0 when there is none."""
    try:
        return os.stat(f"{path}-wal").st_size  # noqa: PTH116 - looked at all the time
    except OSError:
        return 0


def free_bytes(rows: Rows) -> int:
    """What lies free inside the file."""
    row = rows.one("SELECT freelist_count * page_size FROM pragma_freelist_count, pragma_page_size")
    return int(row[0]) if row else 0


def vacuum(rows: Rows, pages: int) -> bool:
    """Give back at most `pages` free pages. False when there is none left."""
    for _ in range(pages):
        if not (rows.one("PRAGMA freelist_count") or (0,))[0]:
            return False
        # The driver takes only the first step of this statement, and that is one page.
        rows.run("PRAGMA incremental_vacuum(1)")
    return True
