"""Who is let in while nobody has an account."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Message, Scope

from bellwire.desk.guard import Guard, is_exposed
from tests.desk.story import Place, open_desk


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with open_desk(tmp_path) as place:
        yield place


async def status(place: Place, path: str, headers: dict[str, str]) -> int:
    async with (
        aiohttp.ClientSession() as session,
        session.get(place.url + path, headers=headers, allow_redirects=False) as got,
    ):
        assert "Content-Security-Policy" in got.headers or path == "/healthz"
        if got.status == 303:
            assert got.headers["Location"] == "/setup"
        return got.status


async def test_this_machine_is_let_in_by_its_own_names(place: Place) -> None:
    for host in ("localhost", "localhost:8787", "127.0.0.1", "127.0.0.1:1", "[::1]:8787", "LOCALHOST"):
        assert await status(place, "/", {"Host": host}) == 200, host


async def test_a_foreign_host_name_is_refused_whatever_is_asked_for(place: Place) -> None:
    for host in (
        "evil.example",
        "evil.example:8787",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "localhost@evil.example",
        "",
        "[::2]",
    ):
        for path in ("/", "/runs/1", "/flows/order_to_cash", "/live"):
            assert await status(place, path, {"Host": host}) == 303, (host, path)


async def test_what_a_tunnel_hands_on_is_refused(place: Place) -> None:
    for header in ("X-Forwarded-For", "X-Forwarded-Host", "Forwarded"):
        assert await status(place, "/", {header: "for=203.0.113.9"}) == 303, header


async def test_routes_that_are_not_the_desks_are_left_alone(place: Place) -> None:
    assert await status(place, "/healthz", {"Host": "shop.example", "X-Forwarded-For": "203.0.113.9"}) == 200


@pytest.mark.parametrize(
    ("bound", "client", "host", "expected"),
    [
        ("127.0.0.1", "192.168.1.9", "localhost", 403),
        ("0.0.0.0", "192.168.1.9", "localhost", 403),  # noqa: S104
        ("0.0.0.0", "127.0.0.1", "localhost", 200),  # noqa: S104
        ("::", "::ffff:127.0.0.1", "localhost", 200),
        ("::", "::1", "[::1]:8787", 200),
        ("192.168.1.5", "192.168.1.5", "192.168.1.5:8787", 200),
        ("192.168.1.5", "192.168.1.9", "192.168.1.5:8787", 403),
        ("127.0.0.1", "127.0.0.1", "192.168.1.5", 403),
    ],
)
async def test_other_machines_are_refused_whatever_address_is_bound(
    bound: str, client: str, host: str, expected: int
) -> None:
    guard = Guard(PlainTextResponse("in"), PlainTextResponse("out", 403), bound)
    scope: Scope = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "headers": [(b"host", host.encode())],
        "client": (client, 1),
    }
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    await guard(scope, receive, send)

    assert sent[0]["status"] == expected


@pytest.mark.parametrize(
    ("host", "public", "exposed"),
    [
        ("127.0.0.1", "", False),
        ("127.0.0.1", "http://127.0.0.1:8787", False),
        ("127.0.0.1", "http://localhost:8787", False),
        ("::1", "http://[::1]:8787", False),
        ("127.0.0.1", "https://hooks.example.com", True),
        ("127.0.0.1", "http://192.168.1.5:8787", True),
        ("0.0.0.0", "http://127.0.0.1:8787", True),  # noqa: S104
        ("192.168.1.5", "", True),
    ],
)
def test_others_may_reach_what_is_bound_beyond_this_machine_or_has_an_address_there(
    host: str, public: str, exposed: bool
) -> None:
    assert is_exposed(host, public) is exposed


async def test_two_host_headers_are_refused() -> None:
    guard = Guard(PlainTextResponse("in"), PlainTextResponse("out", 403), "127.0.0.1")
    scope: Scope = {
        "type": "http",
        "headers": [(b"host", b"localhost"), (b"host", b"evil.example")],
        "client": ("127.0.0.1", 1),
    }
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    await guard(scope, _nothing, send)

    assert sent[0]["status"] == 403


async def _nothing() -> Message:
    return {"type": "http.request"}
