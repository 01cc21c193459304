"""A pilot that is wanted in the desk: it runs beside, tells how far it is, and is put on record."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from bellwire.clock import system_clock
from bellwire.desk.piloting import Pilots
from bellwire.flows import Flow, load_flow
from bellwire.ledger import PilotRow, pilots
from bellwire.practice import Practice
from bellwire.practice.project import write_project
from tests.desk.api.calling import program
from tests.desk.story import NOW, Place, open_desk, the_flow
from tests.desk.visiting import Visitor, visit
from tests.practice.pilots import SHORT, roles

PATH = "/flows/short/pilot"


@dataclass
class Shop:
    folder: Path
    flow: Flow
    place: Place
    visitor: Visitor

    async def until(self, *wanted: str) -> str:
        """The words of the page as soon as one of these is among them."""
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            text = await self.visitor.read(PATH)
            if any(each in text for each in wanted):
                return text
            await asyncio.sleep(0.1)
        raise AssertionError(text)

    async def on_record(self) -> list[PilotRow]:
        return await self.place.ledger.read(lambda rows: pilots.of_flow(rows, "short", limit=5))


async def _until(held: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 90
    while not held():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    vendors = roles()
    async with AsyncExitStack() as stack:
        practice = await stack.enter_async_context(Practice(set(vendors.values())))
        write_project(tmp_path, practice, vendors, {"short.yaml": SHORT})
        (tmp_path / "data").mkdir(exist_ok=True)
        flow = load_flow(tmp_path / "flows" / "short.yaml")
        ledger = f"sqlite:///{tmp_path / 'data' / 'ledger.db'}"
        desk = open_desk(tmp_path, flows=[flow, the_flow()], project=tmp_path, ledger_url=ledger)
        place = await stack.enter_async_context(desk)
        yield Shop(tmp_path, flow, place, await stack.enter_async_context(visit(place)))


async def test_a_pilot_shows_its_progress_and_its_report_and_is_on_record(shop: Shop) -> None:
    assert "Its present text hasn’t been through a pilot" in await shop.visitor.read(PATH)

    begun = await shop.visitor.send(PATH)
    assert (begun.status, begun.path) == (303, PATH) and "Record 1 of 10 …" in begun.words
    assert "Try it on 10 made-up records" not in begun.words
    text = await shop.until("eady: ")

    assert "Ready: 10 of 10 as expected" in text
    assert text.count("As expected") == 10
    (pilot,) = await shop.on_record()
    assert (pilot.flow_hash, pilot.ready, pilot.who) == (shop.flow.hash, True, "somebody at this machine")
    assert "Ready 10 of 10 as expected simulated systems somebody at this machine the present one" in text

    async with program(shop.place) as call:
        status, told = await call("GET", "/flows/short/pilots/newest")
    assert (status, told["state"], told["wrong"], told["total"]) == (200, "done", "", 10)
    assert told["report"]["ready"] and [each["position"] for each in told["records"]] == list(range(1, 11))


async def test_there_is_one_at_a_time(shop: Shop) -> None:
    await shop.visitor.send(PATH)
    shown = await shop.visitor.send("/flows/order_to_cash/pilot")
    assert "A pilot of short is under way: there is one at a time." in shown.words


async def test_a_program_begins_one_for_each_key_and_is_told_where_to_look(shop: Shop) -> None:
    place = shop.place
    async with program(place) as call:
        assert (await call("GET", "/flows/short/pilots/newest"))[0] == 404
        for _ in range(2):
            status, begun = await call("POST", "/flows/short/pilots", **{"Idempotency-Key": "k"})
            assert (status, begun["state"], begun["who"]) == (202, "going on", "the till (token 1)")
        status, problem = await call("POST", "/flows/order_to_cash/pilots")
        assert status == 409 and "A pilot of short is under way" in problem["title"]
        assert (await call("POST", "/flows/nope/pilots"))[0] == 404
        address = f"{place.url}/api/v1/flows/short/pilots"
        async with call.session.post(address, headers={"Idempotency-Key": "k"}) as got:
            where = got.headers["Location"]
        assert (await call("GET", where.removeprefix("/api/v1")))[1]["began"] == begun["began"]


async def test_what_is_wrong_with_the_file_is_told(shop: Shop) -> None:
    (shop.folder / "flows" / "short.yaml").write_text(SHORT.replace("trigger:", "triger:"))
    await shop.visitor.send(PATH)
    text = await shop.until("couldn’t be run")
    assert "triger" in text
    assert await shop.on_record() == []


async def test_a_flow_that_is_not_ready_says_why(shop: Shop) -> None:
    path = shop.folder / "flows" / "short.yaml"
    given = 'with: {order: "{{ event }}"}'
    path.write_text(SHORT.replace(given, f"{given}\n    retry: {{attempts: 1}}"))
    await shop.visitor.send(PATH)
    text = await shop.until("eady: ")
    assert "Not ready: 9 of 10 as expected" in text and "What speaks against it Record 9" in text
    assert "The flow’s file has changed since Bellwire began to work with it." in text


async def test_a_server_that_stops_takes_its_pilot_with_it(shop: Shop) -> None:
    own = Pilots(shop.folder, system_clock)
    own.begin("short", "Dana")
    attempt = own.last("short")
    assert attempt is not None
    await _until(lambda: bool(attempt.records))
    own.close()
    await _until(lambda: not attempt.running)
    assert attempt.report is None
    assert await shop.on_record() == []


async def test_where_no_pilot_can_be_run_the_command_is_named(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as place, visit(place) as visitor:
        pilot = PilotRow("order_to_cash", the_flow().hash, "practice", False, 9, 10, NOW, "Dana")
        await place.write(lambda story: pilots.record(story.rows, pilot))
        text = await visitor.read("/flows/order_to_cash/pilot")
        assert "Its present text wasn’t ready 2:41 PM : 9 of 10 as expected." in text
        assert "bellwire pilot order_to_cash" in text and "Try it on" not in text
