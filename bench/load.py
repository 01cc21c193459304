"""Load and vendor, as cheap as they can be, so that the measured process is the bottleneck."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import cast

_OK = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{"ok":true}'


class Vendor:
    """Answers every request at once, or after `takes` seconds."""

    def __init__(self, takes: float = 0.0) -> None:
        self.takes = takes
        self.url = ""
        self.times: list[float] = []
        """When each request came."""
        self.bodies: list[bytes] = []
        """Of each request, kept only by a vendor that takes its time."""
        self.answered: dict[int, float] = {}
        """The place of a request in `times` → when it was answered; kept likewise."""

    async def until(self, count: int, seconds: float = 120) -> None:
        """Wait until so many requests have come."""
        async with asyncio.timeout(seconds):
            while len(self.times) < count:  # noqa: ASYNC110 - filled by the protocol
                await asyncio.sleep(0.002)


class _Line(asyncio.Protocol):
    def __init__(self, vendor: Vendor) -> None:
        self._vendor = vendor
        self._transport: asyncio.WriteTransport | None = None
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].lower()
            at = head.find(b"content-length:")
            length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self._buffer) < end + 4 + length:
                return
            body, self._buffer = self._buffer[end + 4 : end + 4 + length], self._buffer[end + 4 + length :]
            self._vendor.times.append(time.perf_counter())
            assert self._transport is not None
            if self._vendor.takes:
                self._vendor.bodies.append(body)
                number = len(self._vendor.times) - 1
                asyncio.get_running_loop().call_later(self._vendor.takes, self._answer, number)
            else:
                self._transport.write(_OK)

    def _answer(self, number: int) -> None:
        assert self._transport is not None
        self._transport.write(_OK)
        self._vendor.answered[number] = time.perf_counter()


@asynccontextmanager
async def start_vendor(takes: float = 0.0) -> AsyncIterator[Vendor]:
    vendor = Vendor(takes)
    server = await asyncio.get_running_loop().create_server(lambda: _Line(vendor), "127.0.0.1", 0)
    vendor.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield vendor
    finally:
        server.close()


def request(path: str, headers: dict[str, str], body: bytes) -> bytes:
    """One HTTP/1.1 request, as bytes."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n{lines}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def send_all(port: int, requests: Sequence[bytes], *, connections: int = 64) -> float:
    """Send every request, each connection one after the other; seconds until the last answer. Each must be a 200."""
    waiting = iter(requests)

    async def worker() -> None:
        line = await _connect(port)
        for each in waiting:
            await _exchange(line, each)
        line[1].close()

    began = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(connections)))
    return time.perf_counter() - began


async def send_at(
    port: int, requests: Sequence[bytes], times: Sequence[float], *, connections: int = 64
) -> list[float]:
    """Send each request at its time (by `time.perf_counter`), whatever became of those before it. Gives for each the
    seconds from that time to its answer: what waits for a free connection counts, so that a stall isn't left out."""
    free: asyncio.Queue[_Connection] = asyncio.Queue()
    for _ in range(connections):
        free.put_nowait(await _connect(port))

    async def one(each: bytes, at: float) -> float:
        await asyncio.sleep(max(0.0, at - time.perf_counter()))
        line = await free.get()
        await _exchange(line, each)
        free.put_nowait(line)
        return time.perf_counter() - at

    found = await asyncio.gather(*(one(each, at) for each, at in zip(requests, times, strict=True)))
    while not free.empty():
        free.get_nowait()[1].close()
    return found


async def get(port: int, path: str, count: int) -> list[float]:
    """Ask for a page so often, one after the other; the seconds that each took."""
    line = await _connect(port)
    found = []
    for _ in range(count):
        began = time.perf_counter()
        await _exchange(line, f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        found.append(time.perf_counter() - began)
    line[1].close()
    return found


_Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _connect(port: int) -> _Connection:
    return await asyncio.open_connection("127.0.0.1", port)


async def _exchange(line: _Connection, sent: bytes) -> None:
    reader, writer = line
    writer.write(sent)
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"not answered by a 200: {head[:200]!r}")
    at = head.lower().find(b"content-length:")
    await reader.readexactly(int(head[at + 15 :].split(b"\r\n", 1)[0]))
