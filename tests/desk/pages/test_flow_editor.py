"""The flow editor over HTTP, as it works without JavaScript, and what it leaves in the file."""

import html
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import aiohttp
import pytest

from bellwire.ledger import audit, drafts
from tests.desk.filling import filled
from tests.desk.story import FLOW, Place, open_desk
from tests.desk.visiting import words

EDIT = "/flows/order_to_cash/edit"


class Person:
    """Somebody at a browser without scripts."""

    def __init__(self, place: Place, session: aiohttp.ClientSession, folder: Path) -> None:
        self.place = place
        self.session = session
        self.file = folder / "flows" / "order_to_cash.yaml"
        self.page = ""
        self.fields: list[tuple[str, str]] = []
        self.said = ""

    async def look(self, path: str = EDIT, status: int = 200) -> "Person":
        async with self.session.get(path) as answer:
            self.page = await answer.text()
            assert answer.status == status, self.page
        self.fields = filled(self.page)
        return self

    async def press(self, step: str, path: str = EDIT, **fills: str) -> "Person":
        """Fill in fields (`__` is a dot) and press a button; then look at where that leads."""
        fills = {name.replace("__", "."): value for name, value in fills.items()}
        fields = [(name, fills.get(name, value)) for name, value in self.fields]
        known = {name for name, _ in fields}
        fields += [(name, value) for name, value in fills.items() if name not in known]
        async with self.session.post(path, data=[*fields, ("step", step)], allow_redirects=False) as answer:
            assert answer.status == 303, await answer.text()
            said = answer.cookies.get("bellwire_said")
            self.said = unquote(said.value) if said else ""
            to = answer.headers["location"]
        return await self.look(to)

    async def preview(self, **fills: str) -> dict[str, Any]:
        fills = {name.replace("__", "."): value for name, value in fills.items()}
        fields = [(name, fills.get(name, value)) for name, value in self.fields]
        async with self.session.post("/flows/order_to_cash/preview", data=fields) as answer:
            found: dict[str, Any] = await answer.json()
            return found | {"status": answer.status}

    @property
    def words(self) -> str:
        return words(self.page)

    async def draft(self) -> str:
        found = await self.place.ledger.read(lambda rows: drafts.find(rows, "order_to_cash"))
        return found.now.source if found else ""


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with open_desk(tmp_path, editing=True) as place:
        yield place


@pytest.fixture
async def person(place: Place, tmp_path: Path) -> AsyncIterator[Person]:
    # A cookie jar for an address, as browsers have it.
    async with aiohttp.ClientSession(place.url, cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        yield Person(place, session, tmp_path)


async def test_a_flow_that_is_kept_as_it_is_stays_byte_for_byte_and_makes_no_draft(person: Person) -> None:
    await (await person.look()).press("show")

    assert await person.draft() == ""
    assert person.file.read_text() == FLOW


async def test_a_field_is_picked_by_its_name_and_only_its_line_changes(person: Person) -> None:
    await person.look()
    await person.press("show", bench__with__channel="{{ event.number }}")

    assert await person.draft() == FLOW.replace("{channel: packing,", '{channel: "{{ event.number }}",')
    assert person.file.read_text() == FLOW


async def test_conditions_waits_questions_and_needs_are_filled_in(person: Person) -> None:
    await person.look()
    await person.press(
        "show",
        **{
            "bench.if": "event.total.amount",
            "bench.if.op": ">=",
            "bench.if.value": "100",
            "bench.otherwise": "It is a small one.",
            "bench.wait": "2h",
            "bench.needs": "receipt",
            "bench.needs.shown": "1",
            "notice.approve.ask": "Send it?",
            "notice.wait_until": "own",
            "notice.wait_until.own": "event.created_at",
            "success.within": "5m",
        },
    )
    text = await person.draft()

    for line in (
        "    if: event.total.amount >= 100\n",
        "    otherwise: It is a small one.\n",
        "    wait: 2h\n",
        "    needs: [receipt]\n",
        '    approve: {ask: "Send it?"}\n',
        "    wait_until: event.created_at\n",
        "success: {within: 5m, error_rate: 1%}\n",
    ):
        assert line in text
    assert ("bench.if.value", "100") in person.fields
    assert ("bench.if.op", ">=") in person.fields


async def test_what_it_would_be_for_a_real_event_stands_beside_each_field(person: Person) -> None:
    await person.place.write(lambda story: story.done(person.place.now, number="1077"))
    await person.look()

    assert "Email (robin@example.com)" in person.words
    assert "Order 1077, tracking SP" in person.words
    answer = await person.preview(**{"bench.with.text.own": "No {{ event.number }}: {{ invoice.number }}"})
    assert answer["values"]["bench.with.text"].startswith("No 1077: INV-")
    assert await person.draft() == ""


async def test_mistakes_are_told_at_their_field_and_keep_the_flow_from_being_published(person: Person) -> None:
    await person.look()
    answer = await person.preview(**{"bench.with.text.own": "{{ event.nummer }}", "label.wait": "soon"})
    assert [each["at"] for each in answer["findings"]] == ["label.wait"]

    await person.press("publish", **{"bench.with.text.own": "{{ event.nummer }}"})
    assert "The flow can't run like this: order.paid has no field 'nummer'" in person.said
    told = person.page[person.page.index('id="told-bench.with.text"') :]
    assert "order.paid has no field" in html.unescape(told[: told.index("</span></span>")]).lower()
    assert person.file.read_text() == FLOW


async def test_every_change_is_taken_back_and_done_again(person: Person) -> None:
    await person.look()
    await person.press("show", name="One")
    await person.press("show", name="Two")
    assert ("name", "Two") in person.fields
    await person.press("undo")
    assert ("name", "One") in person.fields
    await person.press("undo")
    assert ("name", "Order to cash") in person.fields
    assert await person.draft() == FLOW
    await person.press("redo")
    await person.press("redo")
    assert ("name", "Two") in person.fields


async def test_publishing_writes_the_file_has_it_used_and_is_on_record(person: Person) -> None:
    await person.look()
    await person.press("publish", name="Paid orders")

    assert person.said == "“Paid orders” is published: it holds for the next event."
    assert person.file.read_text() == FLOW.replace("name: Order to cash", "name: Paid orders")
    assert "Paid orders" in person.words
    assert await person.draft() == ""
    (act,) = await person.place.ledger.read(lambda rows: audit.newest(rows, limit=1, target="flow order_to_cash"))
    assert act.what == "publish"


async def test_a_file_that_changed_meanwhile_isnt_written_over_until_somebody_says_so(person: Person) -> None:
    await person.look()
    await person.press("show", name="Mine")
    other = FLOW.replace("name: Order to cash", "name: Theirs")
    person.file.write_text(other)
    await person.press("publish")

    assert "was changed by something else" in person.said
    assert person.file.read_text() == other
    assert "-name: Theirs" in person.words
    assert "+name: Mine" in person.words
    await person.press("overwrite")
    await person.press("publish")
    assert "name: Mine" in person.file.read_text()


async def test_two_people_are_told_of_each_other(person: Person) -> None:
    await person.look()
    await person.place.ledger.write(
        lambda rows: drafts.put(
            rows, "order_to_cash", FLOW.replace("Dana", "Kim"), "x", who="Kim", now=person.place.now
        )
    )
    answer = await person.preview(name="Mine")
    assert answer["status"] == 409
    assert answer["problem"].startswith("Kim changed this flow meanwhile")

    await person.press("show", name="Mine")
    assert "Kim changed this flow meanwhile" in person.said
    assert "Kim is editing this flow, too" in person.words
    assert "Kim" in await person.draft()


async def test_a_new_flow_begins_with_three_answers(person: Person) -> None:
    await person.look("/flows/new")
    fields = dict(person.fields)
    fields |= {
        "name": "Tell the bench",
        "trigger": "shop.order.paid",
        "do": "chat.post_message",
        "action": "Bench word",
    }
    async with person.session.post("/flows/new", data=fields, allow_redirects=False) as answer:
        assert answer.headers["location"] == "/flows/tell_the_bench/edit"
    await person.look("/flows/tell_the_bench/edit")

    assert "needs 'channel'" in person.words
    await person.press(
        "publish",
        "/flows/tell_the_bench/edit",
        **{"bench_word.with.channel.own": "packing", "bench_word.with.text": "{{ event.number }}"},
    )
    text = (person.file.parent / "tell_the_bench.yaml").read_text()
    assert '  bench_word:\n    do: chat.post_message\n    with:\n      channel: packing\n      text: "{{ ev' in text
    assert "Tell the bench" in (await person.look("/")).words


async def test_actions_are_added_renamed_and_removed(person: Person) -> None:
    await person.look()
    await person.press("add:new", **{"new.do": "chat.post_message", "new.name": "Thanks"})
    await person.press("show", **{"label.name": "parcel"})
    await person.press("remove:thanks")
    text = await person.draft()

    assert text == FLOW.replace("  label:\n", "  parcel:\n").replace("label.tracking", "parcel.tracking")


async def test_what_ends_the_waiting_is_chosen_event_by_event_and_shown_for_a_real_one(person: Person) -> None:
    await person.place.write(lambda story: story.done(person.place.now, number="1077"))
    await person.look()
    await person.press("show", **{"ends_on.new": "shop.order.cancelled"})
    await person.press("show", **{"ends_on.new": "shop.order.paid", "ends_on.0.same": "number"})
    await person.press("show", **{"ends_on.0.as": "id"})
    both = "ends_on: [{event: shop.order.cancelled, same: number, as: id}, shop.order.paid]\n"

    assert await person.draft() == FLOW.replace("owner:", f"{both}owner:", 1)
    assert "For this one: 1077" in person.words and "For this one: order/1001" in person.words
    await person.press("show", **{"ends_on.0.event": ""})
    assert "ends_on: [shop.order.paid]\n" in await person.draft()
    await person.press("undo")
    assert both in await person.draft()


async def test_events_are_gathered_and_then_offered_all_together(person: Person) -> None:
    await person.place.write(lambda story: story.done(person.place.now, number="1077"))
    await person.look()
    await person.press("show", **{"gather.for": "1h", "gather.most": "20", "gather.by": "event.customer.id"})
    await person.press("show", **{"bench.for_each": "events"})

    assert "gather: {for: 1h, by: event.customer.id, most: 20}\n" in await person.draft()
    assert "    for_each: events\n" in await person.draft()
    assert "For this one: 7" in person.words and "Done 1 time." in person.words
    assert "From each entry of the list" in person.page
    await person.press("show", **{"gather.for": ""})
    assert "gather" not in await person.draft()


async def test_how_often_an_action_is_tried_is_filled_in_and_said_in_words(person: Person) -> None:
    await person.look()
    assert "18 tries, the first wait 2.0 s, the longest 12 h" in person.words
    retry = {"label.retry.attempts": "3", "label.retry.first": "30s", "label.retry.longest": "10m"}
    await person.press("show", **retry)

    assert "    retry: {attempts: 3, first: 30s, longest: 10m}\n" in await person.draft()
    assert "Tried 3 times, the last at most 1 min 30 s after the first." in person.words
    await person.press("show", **dict.fromkeys(retry, ""))
    assert await person.draft() == FLOW


async def test_what_is_wrong_with_them_stands_where_it_was_filled_in(person: Person) -> None:
    await person.look()
    await person.press("show", **{"ends_on.new": "shop.order.cancelled"})
    for fills, place, sentence in (
        ({"gather.most": "5"}, "gather.for", "Gather needs 'for'"),
        ({"gather.for": "1h", "gather.most": "1"}, "gather.most", "has to be a number from 2 to 1000"),
        ({"gather.for": "1h", "gather.by": "own", "gather.by.own": "event.nummer"}, "gather.by", "no field 'nummer'"),
        ({"label.retry.attempts": "3", "label.retry.first": "soon"}, "label.retry.first", "'first' has to be a time"),
        ({"label.retry.attempts": "often"}, "label.retry.attempts", "has to be a number"),
        ({"label.approve.ask": "Now?", "label.approve.within": "soon"}, "label.approve.within", "has to be a time"),
        ({"ends_on.0.same": "own", "ends_on.0.same.own": "nummer"}, "ends_on.0.same", "no field 'nummer'"),
        ({"success.error_rate": "some"}, "success.error_rate", "has to be a percentage"),
    ):
        told = [(each["at"], each["text"]) for each in (await person.preview(**fills))["findings"]]
        assert place in [at for at, text in told if sentence in text], (place, told)


async def test_an_action_says_that_something_happened_and_what(person: Person) -> None:
    await person.look()
    await person.press("add:new", **{"new.do": "own", "new.do.own": "coffee.empty", "new.name": "told"})
    await person.press("show", **{"told.with.new": "machine"})
    await person.press(
        "show", **{"told.with.machine.own": "7", "told.approve.ask": "Is it?", "told.approve.if": "invoice"}
    )
    await person.press("show", **{"told.do": "wait", "bench.do": "emit:order.cancelled"})
    text = await person.draft()

    assert (
        "  told:\n    approve: {ask: Is it?, if: invoice}\n    wait: 1h\n    with:\n      machine: 7\n"
        in text.replace('"', "")
    )
    assert "  bench:\n    emit: order.cancelled\n" in text
    assert "order.cancelled needs 'number'" in person.words


async def test_what_is_made_of_parts_is_filled_in_part_by_part(person: Person) -> None:
    await person.look()
    await person.press("show", **{"bench.with.text": "own", "label.with.order.own": '{number: "{{ event.number }}"}'})
    await person.press(
        "show", **{"label.with.order.number.own": "N {{ event.number }}", "label.with.order.note": "{{ event.note }}"}
    )

    assert 'with: {order: {number: "N {{ event.number }}", note: "{{ event.note }}"}}' in await person.draft()


async def test_actions_are_moved_with_their_remarks(person: Person) -> None:
    person.file.write_text(FLOW.replace("  stock:\n", "  # Off the shelf.\n  stock:\n"))
    await person.look()
    await person.press("earlier:stock", **{"stock.wait": "2h"})
    text = await person.draft()

    assert "actions:\n  # Off the shelf.\n  stock:\n    do: stock.adjust\n    wait: 2h\n" in text
    assert text.index("  invoice:") > text.index("reason: sale")
    await person.press("later:stock", **{"stock.wait": ""})
    assert await person.draft() == person.file.read_text()


async def test_a_flow_begins_by_the_clock_of_the_business(person: Person) -> None:
    await person.look("/flows/new")
    fields = dict(person.fields) | {"name": "Morning", "trigger": "clock", "do": "wait", "action": ""}
    async with person.session.post("/flows/new", data=fields, allow_redirects=False) as answer:
        assert answer.headers["location"] == "/flows/morning/edit"
    edit = "/flows/morning/edit"
    await person.look(edit)
    await person.press("show", edit, **{"trigger.every": "30 8 * * *"})
    found = await person.place.ledger.read(lambda rows: drafts.find(rows, "morning"))

    assert found and "trigger: {every: 30 8 * * *, zone: America/Chicago}" in found.now.source
    assert "At 08:30" in person.words
    await person.press("show", edit, **{"wait.if": "event.day"})
    assert "It is done." in person.words


async def test_what_the_file_names_that_isnt_there_stays_until_somebody_chooses_otherwise(person: Person) -> None:
    odd = FLOW.replace("shop.order.paid", "market.order.paid").replace("chat.post_message", "chat.shout")
    person.file.write_text(odd)
    await person.look()
    await person.press("show", name="Odd")

    assert await person.draft() == odd.replace("name: Order to cash", "name: Odd")


async def test_a_text_that_is_no_flow_can_still_be_mended(person: Person) -> None:
    await person.look()
    await person.press("text", text='name: "never closed')
    assert "opened but never closed" in person.words
    await person.look()
    seen = re.search(r'name="seen" value="(\d+)"', person.page)
    token = re.search(r'name="form_token" value="(\w+)"', person.page)
    assert seen and token
    person.fields = [("seen", seen[1]), ("form_token", token[1])]
    await person.press("text", text=FLOW)
    assert await person.draft() == FLOW
