"""Exceptions on the desk: by cause, one by one, and what people do about them."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest

from bellwire.access import Role, add_person
from bellwire.engine import dismiss
from bellwire.events import Customer
from bellwire.ledger import (
    Colleague,
    ExceptionState,
    Rows,
    RunState,
    audit,
    comments,
    crosswalk,
    edits,
    errands,
    exceptions,
    open_ledger,
    people,
    runs,
)
from tests.desk.story import NOW, Place, Story, open_desk
from tests.desk.visiting import KEPT, PASSWORD, words
from tests.ledger.stuck import dealt_with

MAP_IT = 'Add it there, or run `bellwire records map stock product TEA-100 "Item name or id"`, then send it again.'
NASTY = """<script>alert("1")</script>'"><img src=x onerror=alert(1)>"""
GROUP = "/exceptions?cause=unknown-sku&connection=stock"


@dataclass
class Visit:
    """A browser without JavaScript: keeps its cookies, follows to where it is sent after a form."""

    place: Place
    session: aiohttp.ClientSession
    text: str = ""
    status: int = 0
    path: str = ""
    _token: str = field(default="", repr=False)

    async def get(self, path: str) -> str:
        async with self.session.get(self.place.url + path) as got:
            return await self._read(got)

    async def post(self, path: str, **fields: Any) -> str:
        data = [("form_token", self._token)]
        for name, value in fields.items():
            data += [(name, str(each)) for each in (value if isinstance(value, list) else [value])]
        async with self.session.post(self.place.url + path, data=data) as got:
            return await self._read(got)

    async def _read(self, got: aiohttp.ClientResponse) -> str:
        self.text, self.status, self.path = await got.text(), got.status, got.url.path_qs
        if found := re.search(r'name="form_token" value="(\w+)"', self.text):
            self._token = found[1]
        return words(self.text)


@asynccontextmanager
async def visit(place: Place) -> AsyncIterator[Visit]:
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar) as session:
        yield Visit(place, session)


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with open_desk(tmp_path, business="Hill & Leaf Tea") as place:
        yield place


@pytest.fixture
async def desk(place: Place) -> AsyncIterator[Visit]:
    async with visit(place) as desk:
        yield desk


def many(story: Story, count: int = 14, **more: Any) -> list[int]:
    """That many orders are stuck for one cause; their runs."""
    begin = NOW - timedelta(hours=3)
    return [story.dies(begin + timedelta(minutes=index), remedy=MAP_IT, **more) for index in range(count)]


async def states(place: Place) -> list[ExceptionState]:
    def read(rows: Rows) -> list[ExceptionState]:
        numbers = [row[0] for row in rows.all("SELECT id FROM exceptions ORDER BY id")]
        return [row.state for number in numbers if (row := exceptions.find(rows, number))]

    return await place.ledger.read(read)


def given_to_somebody_who_left(rows: Rows, number: int, name: str = "Dana") -> None:
    """So that nobody has to sign in."""
    person = people.add(rows, name, "left@example.com", Role.OPERATOR, "", NOW)
    assert person is not None
    people.disable(rows, person, NOW)
    exceptions.assign(rows, number, person)


async def acts(place: Place) -> list[tuple[str, str]]:
    found = await place.ledger.read(lambda rows: audit.newest(rows, limit=50))
    return [(act.what, act.target) for act in reversed(found)]


# What is shown


async def test_nothing_open_says_that_all_is_well(desk: Visit) -> None:
    assert "All is well: nothing needs you." in await desk.get("/exceptions")


async def test_a_cause_says_how_many_wait_why_the_remedy_and_since_when_and_whose(place: Place, desk: Visit) -> None:
    await place.write(many)
    await place.ledger.write(lambda rows: given_to_somebody_who_left(rows, 3))
    text = await desk.get("/exceptions")

    assert "14 orders wait: Shelf Count has no product TEA-100." in text
    assert "What to do: Say which product of Shelf Count TEA-100 is, or add it there. Then send it again." in text
    assert "Shelf Count sandbox since 11:41 AM Order to cash looked after by Dana Deal with all 14" in text
    assert "bellwire " not in text


async def test_a_delivery_that_couldnt_be_read_is_one_of_them(place: Place, desk: Visit) -> None:
    number = await place.write(lambda story: story.unreadable(NOW))
    text = await desk.get("/exceptions")
    assert "1 delivery waits: Corner Store sent something that isn’t an order." in text.replace("'", "’")
    text = await desk.get(f"/exceptions/{number}")
    assert "Delivery 1" in text and "What came in is read once more" in text
    assert "Change what is sent" not in text and "I did it by hand" not in text

    await desk.post(f"/exceptions/{number}/retry")
    assert await states(place) == [ExceptionState.RETRIED]


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ("search=1002", 1),
        ("search=hill", 2),
        ("search=Robin%40example.com", 2),
        ("search=100%25", 0),
        ("search=1_02", 0),
        ("assignee=1", 1),
        ("assignee=-", 2),
        ("connection=stock", 3),
        ("connection=books", 0),
        ("flow=order_to_cash", 3),
        ("flow=other", 0),
        ("search=hill&assignee=1", 1),
    ],
)
async def test_they_are_found_by_number_customer_system_flow_and_who_looks_after_them(
    place: Place, desk: Visit, asked: str, wanted: int
) -> None:
    def tell(story: Story) -> None:
        story.dies(NOW)
        story.dies(NOW, customer=Customer(id="1", name="Ada Meyer", email="ada@example.com"))
        story.dies(NOW)
        given_to_somebody_who_left(story.rows, 1)

    await place.write(tell)
    text = await desk.get(f"/exceptions?{asked}")
    assert (re.findall(r"(\d+) orders? waits?:", text) or ["0"]) == [str(wanted)]


async def test_closed_ones_say_what_became_of_them(place: Place, desk: Visit) -> None:
    await place.write(lambda story: many(story, 3))
    await desk.get("/exceptions/1")
    await desk.post("/exceptions/1/dismiss", reason="sent by hand")
    text = await desk.get("/exceptions?state=closed")
    assert "Order 1001 Shelf Count has no product TEA-100. Left as it is sent by hand 2:41 PM" in text
    assert "Order 1002" not in text
    assert "Left as it is 2:41 PM : sent by hand" in await desk.get("/exceptions/1")


async def test_a_long_list_goes_on_where_the_page_before_ended(place: Place, desk: Visit) -> None:
    await place.write(lambda story: many(story, 60))
    assert "60 orders wait" in await desk.get(GROUP)
    first = re.findall(r'name="number" value="(\d+)"', desk.text)
    await desk.get(re.search(r'href="([^"]+after=[^"]+)"', desk.text)[1].replace("&amp;", "&"))  # type: ignore[index]
    later = re.findall(r'name="number" value="(\d+)"', desk.text)
    assert [int(number) for number in first + later] == list(range(1, 61))


async def test_texts_from_elsewhere_are_only_texts(place: Place, desk: Visit) -> None:
    await place.write(lambda story: many(story, 2, sentence=NASTY))
    await desk.get("/exceptions/1")
    await desk.post("/exceptions/1/comment", text=NASTY)
    await place.ledger.write(lambda rows: given_to_somebody_who_left(rows, 1, NASTY))
    for path in ("/exceptions", GROUP, "/exceptions/1", "/exceptions/1/edit", f"/exceptions?search={NASTY}", "/"):
        await desk.get(path)
        assert desk.status == 200 and NASTY not in desk.text and "<img" not in desk.text


@pytest.mark.parametrize("path", ["/exceptions/1", "/exceptions/9223372036854775808", "/exceptions/0"])
async def test_one_that_isnt_there_is_no_page(desk: Visit, path: str) -> None:
    await desk.get(path)
    assert desk.status == 404


# One


async def test_one_says_what_is_done_already_and_what_comes_after(place: Place, desk: Visit) -> None:
    await place.write(lambda story: many(story, 1))
    text = await desk.get("/exceptions/1")
    assert "Order 1001 Robin Hill · $24.40" in text
    assert "Done already" in text and "Parcel Hub (tracking number SP10014471US" in text
    assert "stock never happens" in text
    assert "404 item_not_found" in text


async def test_it_is_sent_again_noted_left_and_talked_about(place: Place, desk: Visit) -> None:
    stuck = await place.write(lambda story: many(story, 3))
    await desk.get("/exceptions/1")
    assert "Your comment is kept." in await desk.post("/exceptions/1/comment", text="I wrote\nto Kim.")
    assert "I wrote\nto Kim." in desk.text
    assert "It is sent again." in await desk.post("/exceptions/1/retry")
    assert "Noted as done by hand." in await desk.post("/exceptions/2/resolve", reason="counted")
    assert "Say why it is left" in await desk.post("/exceptions/3/dismiss", reason=" ")
    assert desk.status == 400
    assert "It is left as it is." in await desk.post("/exceptions/3/dismiss", reason="no matter")

    assert await states(place) == [ExceptionState.RETRIED, ExceptionState.RESOLVED, ExceptionState.DISMISSED]
    found = await place.ledger.read(lambda rows: [runs.find(rows, run) for run in stuck])
    assert [run.state for run in found if run] == [RunState.WAITING, RunState.WAITING, RunState.SKIPPED]
    assert [what for what, _ in await acts(place)] == ["comment", "retry", "resolve", "dismiss"]
    who = await place.ledger.read(lambda rows: comments.of_exception(rows, 1))
    assert [(each.who, each.text) for each in who] == [("somebody at this machine", "I wrote\nto Kim.")]


async def test_what_is_closed_already_says_so_and_changes_nothing(place: Place, desk: Visit) -> None:
    await place.write(lambda story: many(story, 1))
    await desk.get("/exceptions/1")
    await desk.post("/exceptions/1/dismiss", reason="no matter")
    assert "Exception 1 is closed already (dismissed)." in await desk.post("/exceptions/1/retry")
    assert desk.status == 400
    assert await states(place) == [ExceptionState.DISMISSED]


async def test_what_later_actions_need_is_asked_for_when_it_was_done_by_hand(place: Place, desk: Visit) -> None:
    def tell(story: Story) -> int:
        """The invoice couldn't be made, so the receipt hasn't been tried."""
        run = story.starts(NOW)
        end = story.succeeds(run, NOW, without=("invoice", "receipt"))
        exceptions.open_one(
            story.rows, run=run, flow=story.flow.id, action="invoice", connection="books", cause="x",
            sentence="Tidy Books says no.", remedy="", detail="", now=end,
        )  # fmt: skip
        assert runs.leave(story.rows, run, 1, RunState.DEAD, now=end)
        return run

    run = await place.write(tell)
    text = await desk.get("/exceptions/1")
    assert "Customer id in Tidy Books" in text and "Id in Tidy Books" in text
    text = await desk.post("/exceptions/1/resolve", **{"result.id": "1045"})
    assert desk.status == 400 and "What comes later (receipt) can't be done without this: customer id." in text
    assert 'value="1045"' in desk.text
    await desk.post("/exceptions/1/resolve", **{"result.id": "1045", "result.customer_id": "58"})
    assert desk.status == 200
    attempts = await place.ledger.read(lambda rows: runs.attempts(rows, run))
    told = next(each.result for each in attempts if each.action == "invoice")
    assert orjson.loads(told or "") == {"id": "1045", "customer_id": "58"}


async def test_a_record_is_mapped_in_place_and_all_that_waited_for_it_are_sent_again(place: Place, desk: Visit) -> None:
    await place.write(many)
    await desk.get(GROUP)
    text = await desk.post("/exceptions/1/map", theirs="Green tea, large")

    assert desk.path == "/exceptions" and "14 are sent again." in text
    mapped = await place.ledger.read(lambda rows: crosswalk.find(rows, "stock", "product", "TEA-100"))
    assert mapped == "Green tea, large"
    assert await states(place) == [ExceptionState.RETRIED] * 14
    assert (await acts(place))[0] == ("map", "product TEA-100")


async def test_nothing_is_mapped_where_that_isnt_the_remedy(place: Place, desk: Visit) -> None:
    await place.write(lambda story: story.dies(NOW))
    await desk.get("/exceptions/1")
    assert "/map" not in desk.text
    await desk.post("/exceptions/1/map", theirs="x")
    assert desk.status == 400
    assert await place.ledger.read(crosswalk.everything) == []


# Edit and retry


async def test_what_is_sent_is_changed_in_a_form_checked_and_sent_again(place: Place, desk: Visit) -> None:
    run = (await place.write(lambda story: many(story, 1)))[0]
    text = await desk.get("/exceptions/1/edit")
    assert "Lines, no. 1" in text and 'name="at.lines[0].sku" value="TEA-100"' in desk.text
    text = await desk.post("/exceptions/1/edit", **{"at.lines[0].sku": "TEA-100", "at.lines[0].quantity": "lots"})
    assert desk.status == 400 and "'lines[0].quantity' doesn't fit" in text and 'value="lots"' in desk.text
    assert "so nothing was changed" in await desk.post("/exceptions/1/edit", **{"at.lines[0].sku": "TEA-100"})
    await desk.post("/exceptions/1/edit", **{"at.lines[0].sku": "TEA-250", "at.lines[0].quantity": "3"})

    assert desk.status == 200 and "It is sent again with what you changed." in words(desk.text)
    (edit,) = await place.ledger.read(lambda rows: edits.of_run(rows, run))
    assert set(edit.fields) == {"lines[0].sku", "lines[0].quantity"}
    assert orjson.loads(edit.given)["lines"][0] == {"sku": "TEA-250", "quantity": 3} | {
        name: value for name, value in orjson.loads(edit.given)["lines"][0].items() if name not in ("sku", "quantity")
    }
    assert await states(place) == [ExceptionState.RETRIED]


# Many


async def test_all_of_a_cause_are_sent_again_at_once(place: Place, desk: Visit) -> None:
    await place.write(many)
    await desk.get(GROUP)
    fields = {"which": "all", "cause": "unknown-sku", "connection": "stock", "until": 14}
    assert "14 are sent again." in await desk.post("/exceptions/many", **fields, do="retry")
    assert await states(place) == [ExceptionState.RETRIED] * 14


async def test_what_came_after_the_page_was_made_is_left_alone(place: Place, desk: Visit) -> None:
    await place.write(lambda story: many(story, 3))
    await desk.get(GROUP)
    assert re.search(r'name="until" value="3"', desk.text)
    await place.write(lambda story: many(replace(story, number=2000), 1))
    fields = {"which": "all", "cause": "unknown-sku", "connection": "stock", "until": 3, "reason": "old"}
    await desk.post("/exceptions/many", **fields, do="dismiss")
    assert await states(place) == [ExceptionState.DISMISSED] * 3 + [ExceptionState.OPEN]


async def test_only_those_that_are_ticked_are_dealt_with(place: Place, desk: Visit) -> None:
    await place.write(lambda story: many(story, 4))
    await desk.get(GROUP)
    fields = {"which": "ticked", "cause": "unknown-sku", "connection": "stock"}
    assert "Nothing is ticked" in await desk.post("/exceptions/many", **fields, do="retry")
    await desk.post("/exceptions/many", **fields, do="dismiss", number=[2, 4], reason="no matter")

    open_, gone = ExceptionState.OPEN, ExceptionState.DISMISSED
    assert await states(place) == [open_, gone, open_, gone]


async def test_what_couldnt_be_done_is_listed_with_its_reason(place: Place, desk: Visit) -> None:
    await place.write(lambda story: many(story, 3))
    await desk.get(GROUP)
    await place.ledger.write(lambda rows: exceptions.close(rows, 2, ExceptionState.DISMISSED, NOW - timedelta(hours=1)))
    fields = {"which": "ticked", "cause": "unknown-sku", "connection": "stock", "number": [1, 2, 3]}
    text = await desk.post("/exceptions/many", **fields, do="dismiss", reason="x")

    assert desk.path.startswith("/exceptions/work/")
    assert "2 of 3 left as they are" in text
    assert "1 couldn’t be done Exception Why not 2 Exception 2 is closed already (dismissed)." in text


async def test_thousands_go_on_in_the_background_and_the_page_shows_how_far(place: Place, desk: Visit) -> None:
    await place.write(lambda story: many(story, 2_000))
    await desk.get(GROUP)
    fields = {"which": "all", "cause": "unknown-sku", "connection": "stock", "until": 2_000}
    await desk.post("/exceptions/many", **fields, do="retry")
    async with asyncio.timeout(30):
        while await place.ledger.read(lambda rows: exceptions.count(rows, exceptions.EVERY_OPEN_ONE)):
            await desk.get(desk.path)
            await asyncio.sleep(0.05)
    assert await states(place) == [ExceptionState.RETRIED] * 2_000
    assert ("2,000 are sent again." if desk.path == "/exceptions" else "/exceptions/work/") in desk.text + desk.path


async def test_work_that_a_restart_cut_off_goes_on_by_itself(tmp_path: Path) -> None:
    """The page says how far it came, and what is done isn't done again."""

    def asked(story: Story) -> None:
        many(story, 3)
        number = errands.plan(story.rows, "dismiss", '{"reason": "a test"}', "Dana", [1, 2, 3], NOW)
        dismiss(story.rows, 1, NOW, who="Dana", reason="a test")
        dealt_with(story.rows, number, [1])

    async with open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}") as ledger:
        await ledger.write(lambda rows: asked(Story(rows)))
    async with open_desk(tmp_path) as place, visit(place) as desk:
        text = ""
        async with asyncio.timeout(30):
            while "3 of 3 left as they are" not in text:
                text = await desk.get("/exceptions/work/1")
        assert await states(place) == [ExceptionState.DISMISSED] * 3
        acts = await place.ledger.read(lambda rows: audit.newest(rows, limit=9))
        assert sorted(act.target for act in acts) == ["exception 1", "exception 2", "exception 3"]


async def test_work_that_was_stopped_shows_how_far_it_came_and_goes_on_when_asked(place: Place, desk: Visit) -> None:
    def asked(story: Story) -> None:
        many(story, 3)
        number = errands.plan(story.rows, "dismiss", '{"reason": "a test"}', "Dana", [1, 2, 9], NOW)
        dealt_with(story.rows, number, [9], (9, "There is no exception 9."))
        errands.stop(story.rows, number, "There is a fault in Bellwire.")

    await place.write(asked)
    assert "Leaving as they are: 1 of 3 stopped, asked for by Dana" in await desk.get("/exceptions")
    text = await desk.get("/exceptions/work/1?back=%2Fexceptions%3Fcause%3Dunknown-sku")
    assert "It was stopped after 1 of 3" in text
    assert "There is a fault in Bellwire. The others are as they were." in text
    assert "9 There is no exception 9." in text
    await desk.post("/exceptions/work/1/go-on", back="/exceptions?cause=unknown-sku")
    assert desk.path == "/exceptions/work/1?back=/exceptions?cause%3Dunknown-sku"
    async with asyncio.timeout(30):
        while "2 of 3 left as they are" not in text:
            text = await desk.get("/exceptions/work/1")
    assert (await states(place))[:2] == [ExceptionState.DISMISSED] * 2
    assert "Leaving as they are" not in await desk.get("/exceptions")
    assert "It wasn’t stopped" in await desk.post("/exceptions/work/1/go-on")


async def test_work_that_isnt_known_any_more_says_so(desk: Visit) -> None:
    text = await desk.get("/exceptions/work/7")
    assert desk.status == 404 and "There is no such work, or it was long ago: 7." in text


# Who


async def signed_in(place: Place, desk: Visit, role: Role) -> None:
    """Dana has this role; Kim has left."""

    def add(rows: Rows) -> None:
        for name, its in (("Olive", Role.OWNER), ("Dana", role), ("Kim", role)):
            person = add_person(
                rows, name=name, email=f"{name}@example.com", role=its, password=KEPT, now=NOW, who="test"
            )
        people.disable(rows, person.id, NOW)

    await place.ledger.write(add)
    await desk.get("/sign-in")
    await desk.post("/sign-in", email="dana@example.com", password=PASSWORD)


async def test_where_people_have_accounts_one_of_them_is_chosen(place: Place, desk: Visit) -> None:
    await place.write(lambda story: many(story, 1))
    await desk.get("/exceptions/1")
    assert 'name="assignee"' not in desk.text and "once people have accounts" in words(desk.text)
    await signed_in(place, desk, Role.OPERATOR)
    await desk.get("/exceptions/1")
    people_there = '<option value="1">Olive</option><option value="2">Dana</option></select>'
    assert f'<option value="">Nobody</option>{people_there}' in desk.text
    refused = await desk.post("/exceptions/1/assign", assignee=3)
    assert "Nobody who has an account has the number 3. There are: Olive (1), Dana (2)." in refused
    assert "Dana looks after it now." in await desk.post("/exceptions/1/assign", assignee=2)
    assert (await acts(place))[-1] == ("assign", "exception 1")
    assert "Nobody looks after it now." in await desk.post("/exceptions/1/assign", assignee="")
    await desk.post("/exceptions/many", which="ticked", do="assign", number=[1], assignee=1)
    assert await place.ledger.read(exceptions.assignees) == [Colleague(1, "Olive")]


async def test_whose_one_is_stays_right_when_they_are_renamed_or_leave(place: Place, desk: Visit) -> None:
    await place.write(lambda story: many(story, 1))
    await place.ledger.write(lambda rows: given_to_somebody_who_left(rows, 1))
    await signed_in(place, desk, Role.OPERATOR)
    await place.ledger.write(lambda rows: people.change(rows, 1, name="Dana Hill", role=Role.OWNER))
    assert "Dana Hill looks after it" in await desk.get("/exceptions/1")
    assert "looked after by Dana Hill" in await desk.get("/exceptions")
    assert '<option value="1">Dana Hill</option>' in desk.text
    await desk.get("/exceptions?assignee=1")
    assert '<option value="1" selected>Dana Hill</option>' in desk.text


async def test_who_may_only_look_is_shown_no_form_and_changes_nothing(place: Place, desk: Visit) -> None:
    await place.write(lambda story: many(story, 2))
    await signed_in(place, desk, Role.VIEWER)
    for path in (GROUP, "/exceptions/1"):
        text = await desk.get(path)
        assert "Order 1001" in text and "Send" not in text.replace("Then send it again", "") and "Give" not in text
    for act in ("retry", "dismiss", "resolve", "assign", "comment", "map", "edit"):
        await desk.post(f"/exceptions/1/{act}", reason="x", text="x", theirs="x")
        assert desk.status == 403
    await desk.post("/exceptions/many", which="all", do="retry")
    assert desk.status == 403
    assert await states(place) == [ExceptionState.OPEN] * 2


async def test_today_and_the_run_lead_here_and_name_no_command(place: Place, desk: Visit) -> None:
    run = (await place.write(many))[0]
    assert "Deal with all 14" in await desk.get("/")
    assert 'href="/exceptions?cause=unknown-sku&amp;connection=stock"' in desk.text
    assert "bellwire exception" not in desk.text
    await desk.get(f"/runs/{run}")
    assert 'href="/exceptions/1"' in desk.text and "bellwire exception" not in desk.text
