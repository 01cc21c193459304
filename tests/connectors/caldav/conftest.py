"""Two calendar servers for each module: the one of practice, and a real Radicale in a process of its own. Both have the
same account, and what tests say of one is said of the other."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from icalendar import Calendar, Event

from bellwire.connectors.caldav import CONNECTOR
from bellwire.connectors.kit import Call, Connection, connect
from bellwire.events import Environment
from bellwire.practice import Practice
from bellwire.practice.caldav import CalDavSimulator
from tests.connecting import Secrets, call

_CONFIG = """
[server]
hosts = 127.0.0.1:{port}
[auth]
type = htpasswd
htpasswd_filename = {folder}/users
htpasswd_encryption = plain
delay = 0
[rights]
type = owner_only
[storage]
filesystem_folder = {folder}/data
strict_preconditions = True
[web]
type = none
[logging]
level = critical
"""
_NEW = """<?xml version="1.0"?><c:mkcalendar xmlns="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav">
<set><prop><displayname>{}</displayname></prop></set></c:mkcalendar>"""
_NUMBERS = count(1)


@dataclass
class Server:
    """A calendar server, and what a person does there by another program."""

    root: str
    session: aiohttp.ClientSession
    simulator: CalDavSimulator | None = None
    calendar: str = ""
    """A new one for each test."""
    made: list[Connection] = field(default_factory=list)

    def url(self, item: str = "") -> str:
        return f"{self.root}/practice/{self.calendar}/{item}"

    async def renew(self) -> None:
        self.calendar = f"c{next(_NUMBERS)}"
        async with self.session.request("MKCALENDAR", self.url(), data=_NEW.format(self.calendar)) as answer:
            assert answer.status == 201, await answer.text()

    def call(self, *, credentials: dict[str, str] | None = None, again: bool = False, **settings: Any) -> Call:
        """A call of a new connection to the test's calendar."""
        base = "" if self.simulator is None else self.root
        url = f"{self.root}/" if self.simulator is None else "http://127.0.0.1/"
        values = CONNECTOR.manifest.settings.model_validate({"url": url, "calendar": self.calendar, **settings})
        secrets = Secrets(credentials or CalDavSimulator.credentials)
        self.made.append(connect("cal", CONNECTOR, Environment.SANDBOX, values, secrets, base_url=base))
        return call(self.made[-1], again=again)

    async def text(self, item: str) -> str:
        async with self.session.get(self.url(item)) as answer:
            return await answer.text() if answer.status == 200 else ""

    async def event(self, item: str) -> Event:
        (found,) = Calendar.from_ical(await self.text(item)).walk("VEVENT")
        assert isinstance(found, Event)
        return found

    async def put(self, item: str, text: str) -> None:
        """As a program does that has just read it."""
        async with self.session.get(self.url(item)) as answer:
            match = {"If-Match": answer.headers["etag"]} if answer.status == 200 else {"If-None-Match": "*"}
        headers = {"Content-Type": "text/calendar; charset=utf-8", **match}
        async with self.session.put(self.url(item), data=text.encode(), headers=headers) as answer:
            assert answer.status in (201, 204), await answer.text()

    async def delete(self, item: str) -> None:
        async with self.session.delete(self.url(item)) as answer:
            assert answer.status in (200, 204)

    async def items(self) -> list[str]:
        """What is in the calendar, by name."""
        body = '<propfind xmlns="DAV:"><prop><getetag/></prop></propfind>'
        if self.simulator is not None:
            return sorted(self.simulator.calendars[self.calendar].objects)
        async with self.session.request("PROPFIND", self.url(), data=body, headers={"Depth": "1"}) as answer:
            text = await answer.text()
        return sorted(part.partition("<")[0].rpartition("/")[2] for part in text.split("<href>")[1:] if ".ics<" in part)


def vevent(uid: str, *lines: str) -> str:
    """An appointment of somebody's own."""
    own = "".join(f"{line}\r\n" for line in lines)
    return (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Somebody//EN\r\nBEGIN:VEVENT\r\n"
        f"UID:{uid}\r\nSUMMARY:Mine\r\n{own}END:VEVENT\r\nEND:VCALENDAR\r\n"
    )


@asynccontextmanager
async def _radicale(folder: Path) -> AsyncIterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    (folder / "users").write_text("practice:practice\n")
    (folder / "config").write_text(_CONFIG.format(port=port, folder=folder))
    with (folder / "log").open("wb") as log:
        running = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "radicale", "--config", str(folder / "config")), stdout=log, stderr=log, cwd=folder
        )
    try:
        async with asyncio.timeout(30), aiohttp.ClientSession() as session:
            while True:
                assert running.returncode is None, (folder / "log").read_text()
                try:
                    async with session.options(f"http://127.0.0.1:{port}/") as answer:
                        if answer.status == 200:
                            break
                except aiohttp.ClientConnectionError:
                    await asyncio.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        running.terminate()
        await running.wait()


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["practice", "radicale"])
async def _server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    async with aiohttp.ClientSession(
        headers={"Authorization": aiohttp.encode_basic_auth("practice", "practice")}
    ) as session:
        if request.param == "radicale":
            async with _radicale(tmp_path_factory.mktemp("radicale")) as root:
                yield Server(root, session)
        else:
            async with Practice(["caldav"]) as practice:
                simulator = practice.simulators["caldav"]
                assert isinstance(simulator, CalDavSimulator)
                yield Server(practice.base_url("caldav"), session, simulator)


@pytest_asyncio.fixture(loop_scope="module")
async def server(_server: Server) -> AsyncIterator[Server]:
    """Either of them, with a new calendar."""
    await _server.renew()
    yield _server
    for made in _server.made:
        await made.api.close()
    _server.made.clear()
