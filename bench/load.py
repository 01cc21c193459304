"""Load and vendor, as cheap as they can be, so that the measured process is the bottleneck."""

import asyncio
import time
from collections.abc import Sequence
from typing import cast

_OK = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{"ok":true}'


class Vendor(asyncio.Protocol):
    """Answers every request at once; `times` are when each came."""

    times: list[float]

    def __init__(self, times: list[float]) -> None:
        self.times = times
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
            self._buffer = self._buffer[end + 4 + length :]
            self.times.append(time.perf_counter())
            assert self._transport is not None
            self._transport.write(_OK)


async def start_vendor(times: list[float]) -> tuple[asyncio.Server, str]:
    server = await asyncio.get_running_loop().create_server(lambda: Vendor(times), "127.0.0.1", 0)
    return server, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def request(path: str, headers: dict[str, str], body: bytes) -> bytes:
    """One HTTP/1.1 request, as bytes."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n{lines}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def send_all(port: int, requests: Sequence[bytes], *, connections: int = 64) -> float:
    """Send every request, each connection one after the other; seconds until the last answer. Each must be a 200."""
    waiting = iter(requests)

    async def worker() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for each in waiting:
            writer.write(each)
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(f"not acknowledged: {head[:200]!r}")
            at = head.lower().find(b"content-length:")
            await reader.readexactly(int(head[at + 15 :].split(b"\r\n", 1)[0]))
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(connections)))
    return time.perf_counter() - began
