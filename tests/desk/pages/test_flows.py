"""The flows, the mode of each with its consequences, and its versions."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bellwire.events import Environment
from bellwire.flows import parse_flow
from bellwire.ledger import FlowMode, PilotRow, RunState, audit, modes, pilots, runs, versions
from tests.desk.asked import to_do
from tests.desk.story import FLOW, NOW, Place, Story, a_day, open_desk, the_flow
from tests.desk.visiting import Visitor, visit

PILOT = PilotRow("order_to_cash", the_flow().hash, "practice", True, 10, 10, NOW - timedelta(days=4), "Dana")
MODE = "/flows/order_to_cash/mode"


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with open_desk(tmp_path) as place:
        yield place


@pytest.fixture
async def visitor(place: Place) -> AsyncIterator[Visitor]:
    async with visit(place) as visitor:
        yield visitor


@pytest.fixture
async def real_place(tmp_path: Path) -> AsyncIterator[Place]:
    """A desk whose accounts are real ones."""
    async with open_desk(tmp_path, environment=Environment.PRODUCTION) as place:
        yield place


@pytest.fixture
async def real(real_place: Place) -> AsyncIterator[Visitor]:
    async with visit(real_place) as visitor:
        yield visitor


async def mode_in(place: Place, environment: Environment = Environment.SANDBOX) -> FlowMode:
    return await place.ledger.read(lambda rows: modes.mode_of(rows, "order_to_cash", environment))


async def test_each_flow_is_a_row_with_todays_figures(place: Place, visitor: Visitor) -> None:
    await place.ledger.write(a_day)
    await place.write(lambda story: pilots.record(story.rows, PILOT))

    text = await visitor.read("/flows")

    assert "Order to cash 2 exceptions" in text
    assert "Then 6 actions." in text
    assert re.search(r"Mode Live Last run 2:40 PM Under way", text)
    assert re.search(r"Today 43 received = 39 done \+ 2 waiting \+ 2 exceptions \+ 0 skipped", text)
    assert "Error rate 4.7% good: at most 1%" in text
    assert "As it should be No more need a person than is good" in text
    assert "Pilot Passed Nov 20, 2:41 PM" in text


async def test_a_flow_that_is_within_its_criteria_says_so_and_one_that_is_too_slow_too(
    place: Place, visitor: Visitor
) -> None:
    await place.write(lambda story: story.done(NOW - timedelta(hours=1)))
    assert "Error rate 0.0% good: at most 1% As it should be Yes" in await visitor.read("/flows")

    def slow(story: Story) -> None:
        story.number = 2000
        run = story.starts(NOW - timedelta(hours=1))
        assert runs.leave(story.rows, run, 1, RunState.DONE, now=NOW - timedelta(minutes=50))

    await place.write(slow)
    assert "As it should be No 1 of 2 took longer than 2 min" in await visitor.read("/flows")


async def test_a_flow_on_which_nothing_has_come_in_is_neither_good_nor_bad(visitor: Visitor) -> None:
    text = await visitor.read("/flows")
    assert "In order" in text and "As it should be – nothing has come in today" in text and "None yet" in text


async def test_the_mode_page_tells_what_each_mode_means(visitor: Visitor) -> None:
    text = await visitor.read(MODE)

    assert "It is in the mode “live” now; nobody has switched it." in text
    assert text.count("For what comes in") == text.count("For what is under way") == 4
    assert "Live now" in text and "Switch it: people do it …" in text and "Switch it: live …" not in text


async def test_before_a_switch_the_consequences_are_told_with_what_is_under_way(place: Place, visitor: Visitor) -> None:
    await place.write(lambda story: (story.dies(NOW), story.starts(NOW), to_do(story)))

    text = await visitor.read(f"{MODE}?to=manual")

    assert "becomes a to-do on the page To-dos; nothing is sent" in text
    assert "Now: 1 run under way, 1 waiting, 1 exception, 1 open to-do." in text
    assert await mode_in(place) is FlowMode.LIVE


async def test_a_switch_holds_at_once_and_stays_on_record(place: Place, visitor: Visitor) -> None:
    shown = await visitor.send(MODE, f"{MODE}?to=manual", mode="manual", reason="the books are moved")

    assert (shown.status, shown.path) == (303, "/flows/order_to_cash")
    assert "Order to cash is switched: people do it." in shown.words and "Mode: people do it" in shown.words
    assert await mode_in(place) is FlowMode.MANUAL
    (act,) = await place.ledger.read(lambda rows: audit.newest(rows, limit=1))
    assert (act.who, act.what, act.detail) == ("somebody at this machine", "switch manual", "the books are moved")
    assert "since 2:41 PM : the books are moved" in await visitor.read(MODE)


async def test_with_real_accounts_and_no_pilot_it_goes_live_only_with_a_reason(
    real_place: Place, real: Visitor
) -> None:
    text = await real.read(f"{MODE}?to=live")
    assert "Real ones: what it does is real, from the next event on." in text
    assert "Its present text hasn't been through a pilot." in text

    shown = await real.send(MODE, f"{MODE}?to=live", mode="live")
    assert shown.status == 400 and "Say why it is to go live without a pilot that passed." in shown.words
    assert await mode_in(real_place, Environment.PRODUCTION) is FlowMode.SHADOW
    shown = await real.send(MODE, f"{MODE}?to=live", mode="live", reason="as for years")
    assert shown.status == 303
    assert await mode_in(real_place, Environment.PRODUCTION) is FlowMode.LIVE


async def test_after_a_pilot_that_passed_it_goes_live_without_a_word(real_place: Place, real: Visitor) -> None:
    await real_place.write(lambda story: pilots.record(story.rows, PILOT))
    shown = await real.send(MODE, f"{MODE}?to=live", mode="live")
    assert shown.status == 303
    assert await mode_in(real_place, Environment.PRODUCTION) is FlowMode.LIVE


async def test_a_mode_that_is_none_is_refused(visitor: Visitor) -> None:
    shown = await visitor.send(MODE, f"{MODE}?to=off", mode="sideways")
    assert shown.status == 400 and "Choose a mode." in shown.words


@pytest.mark.parametrize("path", ["/flows/another/mode", "/flows/another/versions", f"{MODE[:-4]}versions?version=x"])
async def test_what_isnt_there_is_a_404(visitor: Visitor, path: str) -> None:
    shown = await visitor.get(path)
    assert shown.status == 404


async def test_versions_tell_when_each_was_put_in_force_how_many_runs_it_had_and_what_it_changed(
    place: Place,
    visitor: Visitor,
) -> None:
    newer = parse_flow(FLOW.replace("reason: sale", "reason: sold <here>"), Path("order_to_cash.yaml"))

    def tell(story: Story) -> None:
        story.done(NOW - timedelta(days=3))
        story.done(NOW - timedelta(days=2))
        versions.put_in_force(story.rows, newer.id, newer.hash, newer.source, NOW)

    await place.write(tell)
    text = await visitor.read("/flows/order_to_cash/versions")
    page = (await visitor.get("/flows/order_to_cash/versions")).page

    assert f"2:41 PM shown below 0 – {newer.hash}" in text
    assert f"Nov 21, 2:41 PM 2 Nov 22, 2:41 PM {the_flow().hash} in use" in text
    assert "1 line added, 1 removed." in text
    assert "Added: </span><code>    with: {lines: &#34;{{ event.lines }}&#34;, reason: sold &lt;here&gt;}" in page
    older = await visitor.read("/flows/order_to_cash/versions?version=1")
    assert "It is the first one that is known." in older

    await place.write(lambda story: versions.put_in_force(story.rows, "order_to_cash", the_flow().hash, FLOW, NOW))
    back = await visitor.read("/flows/order_to_cash/versions")
    assert f"2:41 PM shown below 0 – {the_flow().hash} in use" in back and back.count("in use") == 1
    assert "1 line added, 1 removed." in back
