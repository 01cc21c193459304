"""Disks that are full, and files that can't be written: real ones."""

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

CI = bool(os.environ.get("CI"))


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A disk of its own, in memory, at `folder`. Needs root; without, the test is skipped, but not in CI."""
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "bellwire-test", folder], capture_output=True, text=True
    )
    if mounted.returncode:
        assert not CI, mounted.stderr
        pytest.skip(f"a disk can't be made here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def fill(disk: Path) -> Path:
    """Take all that is free; gives the file that takes it."""
    ballast = disk / "ballast"
    with ballast.open("ab") as file:
        for chunk in (1 << 20, 4096):
            while True:
                try:
                    os.posix_fallocate(file.fileno(), file.seek(0, os.SEEK_END), chunk)
                except OSError:
                    break
    return ballast


@contextmanager
def unwritable(files: Sequence[Path]) -> Iterator[None]:
    """Nobody can write them any more, not even who has them open. Needs root and a file system that holds to it;
    otherwise the test is skipped, but not in CI."""
    with files[0].open("r+b") as opened:
        set_ = subprocess.run(["chattr", "+i", *files], capture_output=True, text=True)
        try:
            if set_.returncode or _takes(opened.fileno()):
                assert not CI, set_.stderr
                pytest.skip("files can't be made unwritable here")
            yield
        finally:
            subprocess.run(["chattr", "-i", *files], check=True)


def _takes(descriptor: int) -> bool:
    try:
        os.pwrite(descriptor, b"", 0)
        os.utime(descriptor)
    except OSError:
        return False
    return True
