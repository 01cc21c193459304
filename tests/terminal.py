"""A terminal, as somebody has it who follows the documents."""

import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from threading import Timer
from typing import Self

_END = "--- the block has ended ---"


class Terminal:
    """One bash that goes on from block to block. Use as a context manager: its end ends all that was started in it."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self._bash = subprocess.Popen(
            ["bash", "-e"],
            cwd=folder,
            env=dict(environ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._bash.stdin is not None and self._bash.stdout is not None
        self._kill(signal.SIGTERM)
        try:
            self._bash.wait(20)
        except subprocess.TimeoutExpired:
            self._kill(signal.SIGKILL)
            self._bash.wait()
        self._bash.stdin.close()
        self._bash.stdout.close()

    def start(self, block: str) -> None:
        """Begin a block that doesn't end by itself."""
        assert self._bash.stdin is not None
        self._bash.stdin.write(f"{block}\n")
        self._bash.stdin.flush()

    def run(self, block: str, *, seconds: float = 60) -> str:
        """What the block printed. Fails when one of its commands does, or when it takes longer."""
        assert self._bash.stdout is not None
        self.start(f"{block}\necho '{_END}'")
        watch = Timer(seconds, self._kill, [signal.SIGKILL])
        watch.start()
        printed = ""
        while _END not in printed:
            line = self._bash.stdout.readline()
            assert line, f"this failed, or took longer than {seconds} s:\n{block}\nafter printing:\n{printed}"
            printed += line
        watch.cancel()
        return printed.partition(_END)[0]

    def _kill(self, number: signal.Signals) -> None:
        if self._bash.poll() is None:
            os.killpg(self._bash.pid, number)
