"""Files that are never half written, and have one writer at a time."""

import asyncio
import fcntl
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

_ASKED_EVERY = 0.02
"""Seconds between two tries to have a lock."""


def replace(path: Path, content: bytes, *, private: bool = False) -> None:
    """Put `content` in the place of `path`, durably: either all of it or nothing. It has the rights of the file that
    was there; `private`: it is readable by its owner only. Raises OSError.

    One writer at a time: what a process that died in the middle has left beside `path` is written over.
    """
    written = path.with_name(f".{path.name}.new")
    rights = 0o600 if private else 0o666
    try:
        with os.fdopen(os.open(written, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, rights), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if not private and path.exists():
            shutil.copymode(path, written)
        written.replace(path)
    except BaseException:
        written.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Wait until nobody else, in this process or another, holds `path`; hold it meanwhile."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@asynccontextmanager
async def taking_turns(path: Path, patience: float) -> AsyncIterator[None]:
    """The same, without blocking the event loop, and for work that does no harm beside others: after `patience`
    seconds it goes on all the same, since who holds `path` may be a process that was stopped in the middle."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await _lock(descriptor)
        yield
    finally:
        os.close(descriptor)


async def _lock(descriptor: int) -> None:
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            await asyncio.sleep(_ASKED_EVERY)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
