"""Flows, for programs."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bellwire.access import Right
from bellwire.events import Environment
from bellwire.ledger import FlowMode, PilotRow, modes, pilots, versions
from tests.desk.api.calling import Program, program
from tests.desk.story import FLOW, NOW, Place, Story, a_day, open_desk, the_flow

PILOT = PilotRow("order_to_cash", the_flow().hash, "practice", True, 10, 10, NOW, "Dana")


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with open_desk(tmp_path, environment=Environment.PRODUCTION) as place:
        await place.ledger.write(a_day)
        yield place


@pytest.fixture
async def robot(place: Place) -> AsyncIterator[Program]:
    async with program(place, {Right.SEE, Right.WORK}) as session:
        yield session


async def test_flows_are_listed_with_todays_figures(robot: Program) -> None:
    _, listed = await robot("GET", "/flows")

    (flow,) = listed["items"]
    assert (flow["id"], flow["mode"], flow["waits"], flow["exceptions"]) == ("order_to_cash", "shadow", True, 2)
    today = flow["today"]
    assert today["received"] == today["done"] + today["waiting"] + today["dead"] + today["skipped"] == 43
    assert (today["error_rate"], today["good"], today["late"]) == ("0.0465", False, 0)
    assert listed["next"] is None


async def test_one_is_read_with_its_text_and_its_picture(robot: Program) -> None:
    _, whole = await robot("GET", "/flows/order_to_cash")

    assert whole["source"] == FLOW and whole["owner"] == "Dana"
    steps = {each["action"]: each for each in whole["steps"]}
    assert list(steps) == list(the_flow().actions)
    assert (steps["stock"]["done"], steps["stock"]["stuck"], steps["invoice"]["done"]) == (40, 2, 42)
    assert whole["speed"]["runs"] == 39 and whole["minutes_saved"] > 0
    assert whole["boxes"][0]["name"] == "event" and {"begins": "invoice", "ends": "receipt"} in whole["arrows"]
    assert (await robot("GET", "/flows/another"))[0] == 404


async def test_it_goes_live_with_a_reason_or_after_a_pilot(place: Place, robot: Program) -> None:
    assert (await robot("PUT", "/flows/order_to_cash/mode", {"mode": "live"}))[0] == 409
    await place.write(lambda story: pilots.record(story.rows, PILOT))
    mode = (await robot("GET", "/flows/order_to_cash/mode"))[1]
    assert mode["needs_reason"] is False and mode["under_way"] == {"running": 1, "waiting": 1, "stuck": 2, "asked": 0}
    _, switched = await robot("PUT", "/flows/order_to_cash/mode", {"mode": "live"})

    assert (switched["mode"], switched["decided"], switched["waits"]) == ("live", True, False)
    held = await place.ledger.read(lambda rows: modes.mode_of(rows, "order_to_cash", Environment.PRODUCTION))
    assert held is FlowMode.LIVE
    (pilot,) = (await robot("GET", "/flows/order_to_cash/pilots"))[1]["items"]
    assert (pilot["ready"], pilot["who"]) == (True, "Dana")


async def test_versions_have_their_texts_and_runs(robot: Program) -> None:
    (version,) = (await robot("GET", "/flows/order_to_cash/versions"))[1]["items"]
    assert (version["hash"], version["source"], version["runs"]) == (the_flow().hash, FLOW, 43)


async def test_versions_and_pilots_come_in_pages_and_an_earlier_text_stands_there_each_time(
    place: Place, robot: Program
) -> None:
    def tell(story: Story) -> None:
        for flow_hash in ("new", the_flow().hash):
            versions.put_in_force(story.rows, "order_to_cash", flow_hash, FLOW, NOW)
            pilots.record(story.rows, replace(PILOT, flow_hash=flow_hash))

    await place.write(tell)

    async def pages(path: str, name: str) -> list[str]:
        found, after = [], ""
        while True:
            _, page = await robot("GET", f"/flows/order_to_cash/{path}?limit=1{after}")
            found += [each[name] for each in page["items"]]
            if page["next"] is None:
                return found
            after = f"&after={page['next']}"

    assert await pages("versions", "hash") == [the_flow().hash, "new", the_flow().hash]
    assert await pages("pilots", "flow_hash") == [the_flow().hash, "new"]


async def test_who_may_only_see_switches_nothing(place: Place) -> None:
    async with program(place, {Right.SEE}) as looker:
        assert (await looker("PUT", "/flows/order_to_cash/mode", {"mode": "off"}))[0] == 403
