"""A channel that is really there, and a ledger to tell of."""

import json
import logging
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from bellwire.vault import variable_name
from bellwire.watch.channels import ALERTS, CHANNELS
from tests.ledger.conftest import ledger, path

__all__ = ["ledger", "path"]

SECRET = "t0p-s3cret"
"""In the URL of each receiver."""


@dataclass
class Receiver:
    """Takes what Apprise's JSON channel posts. It answers with `status`, but not before `open` is set."""

    url: str = ""
    status: int = 200
    open: threading.Event = field(default_factory=threading.Event)
    letters: list[dict[str, Any]] = field(default_factory=list)
    """All that came, refused ones too."""

    @property
    def titles(self) -> list[str]:
        return [letter["title"] for letter in self.letters]


@pytest.fixture
def receivers() -> Iterator[list[Receiver]]:
    """Two of them."""
    servers: list[ThreadingHTTPServer] = []
    try:
        yield [_listen(Receiver(), servers) for _ in range(2)]
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()


@pytest.fixture
def receiver(receivers: list[Receiver]) -> Receiver:
    return receivers[0]


class _Log(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@pytest.fixture(autouse=True)
def _nothing_secret_is_logged(capsys: pytest.CaptureFixture[str]) -> Iterator[None]:
    """At no level: not by the libraries, as the root logger hears them, and not by us."""
    root, log = logging.getLogger(), _Log()
    before = root.level
    root.addHandler(log)
    root.setLevel(logging.DEBUG)
    yield
    root.setLevel(before)
    root.removeHandler(log)
    assert SECRET not in "\n".join([*log.lines, *capsys.readouterr()])


def environ(*urls: str) -> dict[str, str]:
    return {variable_name(ALERTS, CHANNELS.field): " ".join(urls)} if urls else {}


def _listen(receiver: Receiver, servers: list[ThreadingHTTPServer]) -> Receiver:
    receiver.open.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            receiver.letters.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            receiver.open.wait(20)
            with suppress(OSError):
                self.send_response(receiver.status)
                self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    servers.append(server)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    receiver.url = f"json://user:{SECRET}@127.0.0.1:{server.server_port}/{SECRET}"
    return receiver
