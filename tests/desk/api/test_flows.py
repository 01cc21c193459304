"""Flows, for programs."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from bellwire.access import Right
from bellwire.events import Environment
from bellwire.ledger import FlowMode, PilotRow, modes, pilots
from tests.desk.story import FLOW, NOW, Place, a_day, open_desk, the_flow
from tests.desk.visiting import program

PILOT = PilotRow("order_to_cash", the_flow().hash, "practice", True, 10, 10, NOW, "Dana")


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with open_desk(tmp_path, environment=Environment.PRODUCTION) as place:
        await place.ledger.write(a_day)
        yield place


@pytest.fixture
async def robot(place: Place) -> AsyncIterator[aiohttp.ClientSession]:
    async with program(place, Right.SEE, Right.WORK) as session:
        yield session


async def test_flows_are_listed_with_todays_figures(robot: aiohttp.ClientSession) -> None:
    async with robot.get("flows") as answer:
        listed = await answer.json()

    (flow,) = listed["items"]
    assert (flow["id"], flow["mode"], flow["waits"], flow["exceptions"]) == ("order_to_cash", "shadow", True, 2)
    today = flow["today"]
    assert today["received"] == today["done"] + today["waiting"] + today["dead"] + today["skipped"] == 43
    assert (today["error_rate"], today["good"], today["late"]) == ("0.0465", False, 0)
    assert listed["next"] is None


async def test_one_is_read_with_its_text_and_its_picture(robot: aiohttp.ClientSession) -> None:
    async with robot.get("flows/order_to_cash") as answer:
        whole = await answer.json()

    assert whole["source"] == FLOW and whole["owner"] == "Dana"
    assert whole["boxes"][0]["name"] == "event" and {"begins": "invoice", "ends": "receipt"} in whole["arrows"]
    async with robot.get("flows/another") as answer:
        assert answer.status == 404


async def test_it_goes_live_with_a_reason_or_after_a_pilot(place: Place, robot: aiohttp.ClientSession) -> None:
    async with robot.put("flows/order_to_cash/mode", json={"mode": "live"}) as answer:
        assert answer.status == 409
    await place.write(lambda story: pilots.record(story.rows, PILOT))
    async with robot.get("flows/order_to_cash/mode") as answer:
        assert (await answer.json())["needs_reason"] is False
    async with robot.put("flows/order_to_cash/mode", json={"mode": "live"}) as answer:
        switched = await answer.json()

    assert (switched["mode"], switched["decided"], switched["waits"]) == ("live", True, False)
    held = await place.ledger.read(lambda rows: modes.mode_of(rows, "order_to_cash", Environment.PRODUCTION))
    assert held is FlowMode.LIVE
    async with robot.get("flows/order_to_cash/pilots") as answer:
        (pilot,) = (await answer.json())["items"]
    assert (pilot["ready"], pilot["who"]) == (True, "Dana")


async def test_versions_have_their_texts_and_runs(robot: aiohttp.ClientSession) -> None:
    async with robot.get("flows/order_to_cash/versions") as answer:
        (version,) = (await answer.json())["items"]
    assert (version["hash"], version["source"], version["runs"]) == (the_flow().hash, FLOW, 43)


async def test_who_may_only_see_switches_nothing(place: Place) -> None:
    async with (
        program(place, Right.SEE) as looker,
        looker.put("flows/order_to_cash/mode", json={"mode": "off"}) as answer,
    ):
        assert answer.status == 403
