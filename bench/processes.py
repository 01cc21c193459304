"""The processes that are measured."""

import asyncio
import contextlib
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def process(
    *command: str, program: str = sys.executable, env: dict[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A Python process, for the length of the block."""
    started = subprocess.Popen([program, *command], env={**os.environ, **(env or {})}, stdout=subprocess.DEVNULL)
    try:
        yield started
    finally:
        started.terminate()
        try:
            started.wait(10)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


@contextlib.contextmanager
def bare(database: Path, vendor: str) -> Iterator[int]:
    """The bare loop; gives its port."""
    port = free_port()
    with process("-m", "bench.bare", str(database), vendor, str(port)):
        yield port


@contextlib.contextmanager
def ours(database: Path, vendor: str, name: str, *, engine: bool = True) -> Iterator[int]:
    """Bellwire with one flow of three calls, for what the connector `name` takes; gives its port."""
    port = free_port()
    with process("-m", "bench.ours", str(database), vendor, str(port), "full" if engine else "ack", name):
        yield port


async def answering(port: int, path: str = "/healthz", seconds: float = 20) -> float:
    """Seconds until something answers there with a status below 500."""
    began = time.perf_counter()
    while time.perf_counter() - began < seconds:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
            status = (await reader.readline()).split(b" ")
            writer.close()
            if len(status) > 1 and int(status[1]) < 500:
                return time.perf_counter() - began
        await asyncio.sleep(0.01)
    raise RuntimeError(f"nothing answers on port {port}")


def most_memory(pid: int) -> float:
    """The most that a process has held so far, in MB."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1]) * 1024 / 1e6
