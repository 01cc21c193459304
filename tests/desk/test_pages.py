"""What the pages say, held against a ledger that was filled as the intake and the engine fill it."""

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp
import pytest
from markupsafe import escape

from bellwire.desk.pages.today import TEMPLATES
from bellwire.desk.trends import DAYS
from bellwire.events import Customer, Environment
from bellwire.ledger import (
    FlowMode,
    HealthRow,
    Outcome,
    PilotRow,
    Rows,
    RunState,
    Trouble,
    alerts,
    deliveries,
    edits,
    exceptions,
    health,
    modes,
    pilots,
    processes,
    runs,
    versions,
)
from tests.desk.story import NOW, Place, Story, a_day, open_desk, the_flow
from tests.desk.visiting import words
from tests.ledgers import Ledgers
from tests.samples import line

WORKER_MISSING = "Nothing runs the flows What to do: Whoever runs Bellwire has to start what runs them."
NASTY = """<script>alert("1")</script>'"><img src=x onerror=alert(1)>"""


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with open_desk(tmp_path, business="Hill & Leaf Tea") as place:
        yield place


async def answer(place: Place, path: str, method: str = "GET") -> tuple[int, str, Mapping[str, str]]:
    """Status, text and headers."""
    async with aiohttp.ClientSession() as session, session.request(method, place.url + path) as got:
        return got.status, await got.text(), dict(got.headers)


async def shown(place: Place, path: str = "/") -> str:
    status, text, _ = await answer(place, path)
    assert status == 200, text
    return text


def balance(page: str) -> dict[str, int]:
    """The large figures of a page."""
    text = page[page.index('<dl class="balance">') : page.index("</dl>")]
    found = re.findall(r'<div class="(\w+)">.*?<dd>([\d,]+)', text, re.DOTALL)
    return {name: int(count.replace(",", "")) for name, count in found}


async def test_an_empty_ledger_says_that_all_is_well(place: Place) -> None:
    text = words(await shown(place))

    assert "All is well" in text
    assert "Nothing has come in yet today." in text
    assert "0 received = 0 done + 0 waiting + 0 exceptions + 0 skipped. The numbers balance." in text


async def test_what_people_are_told_of_is_shown_and_what_of_it_didnt_arrive(place: Place) -> None:
    def tell(rows: Rows) -> None:
        alerts.open_one(rows, "disk", "The disk is full", "Make room.", opened_at=NOW, next_at=NOW)
        alerts.open_one(rows, "exceptions/stock/x", "Shown as an exception", "x", opened_at=NOW, next_at=NOW)
        alerts.open_one(rows, "connection/books/down", "Shown as a system", "x", opened_at=NOW, next_at=NOW)
        for alert in alerts.open_ones(rows):
            alerts.tell(rows, alert, ["mailto"], NOW, None)
        for _, message in alerts.owed(rows, NOW):
            alerts.settle(rows, [message.id], NOW, "It couldn't be reached.")

    await place.write(lambda story: tell(story.rows))
    text = words(await shown(place))

    assert "2 things to know" in text
    assert "All is well" not in text
    assert "The disk is full Make room. since 2:41 PM" in text
    assert "3 alerts didn’t arrive through mailto It couldn't be reached." in text
    assert "Shown as" not in text


@pytest.mark.parametrize(
    ("passed", "what"),
    [
        (True, "Its pilot passed: the page that switches it lets it act."),
        (
            False,
            "Its pilot tries it; then the page that switches it lets it act. Without a pilot, that takes a reason.",
        ),
    ],
)
async def test_a_flow_with_real_accounts_that_nobody_let_act_is_a_thing_to_know(
    tmp_path: Path, passed: bool, what: str
) -> None:
    pilot = PilotRow("order_to_cash", the_flow().hash, "practice", passed, 10 if passed else 9, 10, NOW, "Dana")
    async with open_desk(tmp_path, environment=Environment.PRODUCTION) as place:
        await place.write(lambda story: pilots.record(story.rows, pilot))
        for page in ("/", "/flows/order_to_cash"):
            text = words(await shown(place, page))
            assert "Order to cash isn't live yet: what it would do is noted, and nothing is sent." in text
            assert what in text
            assert "Order to cash only noted" in text
        assert "1 thing to know" in words(await shown(place))


async def test_a_flow_that_was_switched_shows_its_mode_and_is_nothing_to_worry_about(place: Place) -> None:
    await place.write(lambda story: modes.decide(story.rows, "order_to_cash", FlowMode.MANUAL, "", NOW))
    for page in ("/", "/flows/order_to_cash"):
        assert "Order to cash people do it" in words(await shown(place, page))
    assert "All is well" in words(await shown(place))


async def test_the_figures_of_the_day_are_those_of_the_ledger_and_balance(place: Place) -> None:
    def tell(story: Story) -> None:
        hour = timedelta(hours=1)
        story.done(NOW - 5 * hour, copies=3)
        story.done(NOW - 4 * hour)
        story.retried(NOW - 3 * hour)
        story.waits(NOW - 2 * hour, NOW + hour)
        story.dies(NOW - hour)
        story.unheard(NOW - hour)
        story.unreadable(NOW - hour / 2)
        story.starts(NOW)
        deliveries.count_refusals(story.rows, NOW.date(), {("shop", "bad-signature"): 2, ("shop", "stale"): 1})

    await place.write(tell)
    page = await shown(place)
    text = words(page)

    assert balance(page) == {"received": 8, "done": 3, "waiting": 2, "dead": 2, "skipped": 1}
    assert "8 received = 3 done + 2 waiting + 2 exceptions + 1 skipped. The numbers balance." in text
    assert "2 things need you" in text
    assert "1.9 s half are faster; the slowest 1 in 20 took 8.4 s or more" in text
    assert "Duplicates recognised 2" in text
    assert "Deliveries refused 3 2 × bad signature, 1 × stale" in text
    assert "1 × It is a test order of a real shop" in text


async def test_soon_after_the_start_nobody_has_to_wait_for_the_two_weeks_nor_for_what_the_page_is_made_of(
    place: Place,
) -> None:
    await place.desk.get_ready()
    await place.write(lambda story: story.done(NOW - timedelta(days=3)))
    site = place.desk._site
    assert site.templates.cache is not None and {name for _, name in site.templates.cache} >= {*TEMPLATES}

    days = await site.trends.read(NOW)
    assert [each.received for each in days] == [0] * DAYS, "as they were then: a day that is over hardly changes"
    assert "The last two weeks" in await shown(place)


async def test_a_fact_that_is_lost_is_said_loudly(place: Place) -> None:
    await place.write(lambda story: story.arrives(NOW))

    text = words(await shown(place))

    assert "1 thing is not accounted for" in text
    assert "These numbers don’t balance." in text


async def test_yesterday_is_not_today_in_the_business_zone(place: Place) -> None:
    midnight = NOW.replace(hour=6, minute=0)  # in Chicago, in winter
    await place.write(lambda story: (story.done(midnight - timedelta(seconds=1)), story.done(midnight)))

    page = await shown(place)

    assert balance(page)["received"] == 1
    assert "Tuesday, November 24, 2026" in page
    assert "Times are Central Standard Time." in page


async def test_what_waits_since_yesterday_is_mentioned(place: Place) -> None:
    yesterday = NOW - timedelta(days=1)
    await place.write(lambda story: story.waits(yesterday, NOW + timedelta(hours=1)))

    text = words(await shown(place))

    assert "1 more from an earlier day is still waiting." in text


@pytest.mark.parametrize(
    ("day", "hours", "noon"),
    [("2026-11-01", 25, "12 PM"), ("2026-03-08", 23, "1 PM"), ("2026-11-24", 24, "12 PM")],
)
async def test_a_day_has_as_many_bars_as_it_has_hours(place: Place, day: str, hours: int, noon: str) -> None:
    place.now = NOW.fromisoformat(f"{day}T18:00:00+00:00")
    await place.write(lambda story: story.done(place.now))

    page = await shown(place)

    assert page.count('class="slot"') == hours
    assert page.count('class="bar done"') == 1
    assert f"1 run in the hour from {noon}." in page


@pytest.mark.parametrize(
    ("zone", "last_hour"),
    [
        ("Europe/Berlin", "2026-10-25T22:59:00+00:00"),
        ("Europe/Berlin", "2026-03-29T21:59:00+00:00"),
        ("America/Santiago", "2026-09-06T03:59:00+00:00"),
        ("America/Santiago", "2026-04-05T03:59:00+00:00"),
        ("Australia/Lord_Howe", "2026-04-05T13:29:00+00:00"),
        ("Australia/Lord_Howe", "2026-10-04T12:59:00+00:00"),
    ],
)
async def test_the_last_hour_of_a_day_on_which_clocks_change_belongs_to_it(
    tmp_path: Path, zone: str, last_hour: str
) -> None:
    """Where days begin at 1 AM, or are half an hour longer, too."""
    async with open_desk(tmp_path, zone=ZoneInfo(zone)) as place:
        place.now = NOW.fromisoformat(last_hour)
        await place.write(lambda story: story.done(place.now))
        page = await shown(place)
        assert page.count('class="bar done"') == 1
        place.now += timedelta(minutes=2)
        assert (await shown(place)).count('class="bar done"') == 0, "it is tomorrow"


async def test_equal_failures_are_shown_once_with_their_remedy_and_their_orders(place: Place) -> None:
    def tell(story: Story) -> None:
        for minute in range(7):
            story.dies(NOW - timedelta(minutes=minute))

    await place.write(tell)
    page = await shown(place)

    assert page.count("Shelf Count has no product TEA-100.") == 1
    assert "What to do: Add the product there, or map it." in words(page)
    assert "7 times" in page
    assert "Order 1001 Order 1002 Order 1003 Order 1004 Order 1005 and 2 more" in words(page)


async def test_a_delivery_that_cannot_be_read_leads_to_its_exception(place: Place) -> None:
    number = await place.write(lambda story: story.unreadable(NOW))

    page = await shown(place)

    assert "Corner Store sent something that isn’t an order." in words(page)
    assert f'href="/exceptions/{number}"' in page


async def test_today_has_each_flow_as_a_row_with_its_last_run_and_what_it_saved(place: Place) -> None:
    def tell(story: Story) -> None:
        story.done(NOW - timedelta(minutes=30))
        story.done(NOW - timedelta(minutes=20))
        story.dies(NOW)

    assert "Order to cash never yet 0 0 0 –" in words(await shown(place))
    await place.write(tell)
    text = words(await shown(place))

    assert "Order to cash 2:41 PM Needs you 2 0 1 22 min" in text
    assert "Work saved 22 min what people took for it before" in text


async def test_today_says_how_much_money_was_moved_of_what_is_done(place: Place) -> None:
    def tell(story: Story) -> None:
        story.done(NOW - timedelta(minutes=30))
        story.done(NOW - timedelta(minutes=20))
        story.starts(NOW)

    assert "Money moved – nothing was sold, paid or given back" in words(await shown(place))
    await place.write(tell)

    assert "Money moved $48.80 sold, 2 times" in words(await shown(place))


async def test_connections_are_lamps_that_say_how_they_are(place: Place) -> None:
    down = HealthRow("stock", Trouble.DOWN, "It fails.", 3, NOW, NOW)
    out = HealthRow("books", Trouble.SIGNED_OUT, "It doesn't know us.", 1, NOW, None)
    await place.write(lambda story: health.set_out(story.rows, down))
    await place.write(lambda story: health.set_out(story.rows, out))
    text = words(await shown(place))

    assert "Corner Store shop in order sandbox" in text
    assert "Shelf Count stock out of order sandbox" in text
    assert "Tidy Books books sign in again sandbox" in text


async def test_the_last_two_weeks_are_told_day_by_day(place: Place) -> None:
    def tell(story: Story) -> None:
        for minutes in (50, 40, 30):
            story.done(NOW - timedelta(days=2, minutes=minutes))
        story.dies(NOW - timedelta(days=2))
        story.done(NOW)

    await place.write(tell)
    text = words(await shown(place))

    assert "Nov 22 4 " in text and " 1 25.0%" in text[text.index("Nov 22 4 ") :][:60]
    assert "Nov 23 0 – – 0 –" in text
    await place.write(lambda story: replace(story, number=3000).done(NOW - timedelta(days=2)))
    assert "Nov 22 4 " in words(await shown(place)), "a day that is over is looked at again after an hour"
    place.now += timedelta(hours=1)
    assert "Nov 22 5 " in words(await shown(place))


async def test_each_box_of_the_picture_counts_what_its_action_did(place: Place) -> None:
    def tell(story: Story) -> None:
        story.done(NOW)
        story.dies(NOW)
        story.waits(NOW, NOW + timedelta(hours=1))
        story.starts(NOW)

    await place.write(tell)
    text = words(await shown(place, "/flows/order_to_cash"))

    assert "(Corner Store, sandbox): 4 received today, 1 under way." in text
    assert "Change the stock (Shelf Count, sandbox): 2 done today, 0 waiting, 1 need a person." in text
    assert "Post a message to the team (Team Chat, sandbox): 2 done today, 1 waiting, 0 need a person." in text
    assert "Create the invoice in the books (Tidy Books, sandbox): 3 done today, 0 waiting, 0 need a person." in text


async def test_a_retry_that_worked_no_longer_counts_as_waiting(place: Place) -> None:
    def tell(story: Story) -> None:
        run = story.waits(NOW, NOW + timedelta(seconds=1))
        runs.claim(story.rows, NOW + timedelta(seconds=2), 1)
        (past,) = [row for row in runs.attempts(story.rows, run) if row.action == "bench"]
        done = replace(past, number=2, outcome=Outcome.DONE, next_at=None, result="{}", started_at=NOW)
        assert runs.checkpoint(story.rows, done, 2)
        assert runs.leave(story.rows, run, 2, RunState.WAITING, now=NOW, due_at=NOW)

    await place.write(tell)

    text = words(await shown(place, "/flows/order_to_cash"))

    assert "Post a message to the team (Team Chat, sandbox): 1 done today, 0 waiting, 0 need a person." in text


@pytest.mark.parametrize(
    ("trouble", "title", "told"),
    [
        (
            Trouble.SIGNED_OUT,
            "1 thing needs you",
            "It doesn’t know us. What to do: The page of books"
            " shows how to sign it in again. Everything that waits then goes on by itself. 1 run waits for it",
        ),
        (
            Trouble.DOWN,
            "1 system is out of order; nothing needs you",
            "It doesn’t know us. Nothing for you to do: it is left alone and tried again",
        ),
    ],
)
async def test_a_connection_that_is_out_of_order_says_so_and_what_waits(
    place: Place, trouble: Trouble, title: str, told: str
) -> None:
    def tell(story: Story) -> int:
        run = story.starts(NOW)
        health.set_out(story.rows, HealthRow("books", trouble, "It doesn’t know us.", 2, NOW, NOW))
        runs.leave(story.rows, run, 1, RunState.HELD, now=NOW, held_for=runs.waits_for("books"), reason="It waits.")
        return run

    run = await place.write(tell)
    text = words(await shown(place))
    assert title in text
    assert told in text
    assert "1 received = 0 done + 1 waiting + 0 exceptions + 0 skipped. The numbers balance." in text
    assert "Held It waits. Then it goes on by itself." in words(await shown(place, f"/runs/{run}"))


async def test_the_page_of_a_flow_says_whose_it_is_and_how_good(place: Place) -> None:
    await place.ledger.write(a_day)

    text = words(await shown(place, "/flows/order_to_cash"))

    assert "Owner Dana dana@example.com" in text
    assert "Good when done within 2 min 39 of 39 of today’s were in time" in text
    assert "Good when at most 1% need a person 4.7% 2 of 43 today" in text
    assert "Work saved today 7 h 9 min a person spent 11 min on each before" in text
    assert "receipt, after invoice" in text


async def test_the_page_of_a_run_tells_its_story(place: Place) -> None:
    run = await place.write(lambda story: story.retried(NOW, copies=3))

    page = await shown(place, f"/runs/{run}")
    text = words(page)

    assert "Order 1001 Robin Hill · $24.40" in text
    assert "Done in 8.4 s" in text
    assert "It arrived 3 times; the repeats were recognised" in text
    assert "1st try: Parcel Hub is busy and asked us to wait. Tried again after 2.1 s." in text
    assert "3rd try: Done in 0.9 s." in text
    assert "Number INV-1001" in text
    assert "Tracking number SP10014471US" in text
    assert "Changes TEA-100 −2" in text
    assert 'href="https://books.example.com/i" rel="noreferrer noopener"' in page
    assert "2:41:00 PM" in text


async def test_a_stuck_run_says_what_to_do_and_where(place: Place) -> None:
    run = await place.write(lambda story: story.dies(NOW))

    page = await shown(place, f"/runs/{run}")
    text = words(page)

    assert "It needs you" in text
    assert "Shelf Count has no product TEA-100. What to do: Add the product there, or map it." in text
    assert 'href="/exceptions/1"' in page
    assert "404 item_not_found" in text.partition("Details for your developer")[2]


async def test_a_waiting_run_says_until_when(place: Place) -> None:
    run = await place.write(lambda story: story.waits(NOW, NOW + timedelta(minutes=4)))

    text = words(await shown(place, f"/runs/{run}"))

    assert "Waiting: it goes on at 2:45 PM" in text
    assert "Team Chat doesn’t answer. The next try is at 2:45:00 PM." in text


async def test_an_edited_input_says_what_was_edited_by_whom_and_when(place: Place) -> None:
    def edit(story: Story) -> int:
        run = story.dies(NOW)
        edits.put(story.rows, run, "invoice", 0, "{}", fields=["order.id", "due"], who="Dana", now=NOW)
        return run

    run = await place.write(edit)

    assert "Its input was edited by Dana, 2:41 PM: order.id and due." in words(await shown(place, f"/runs/{run}"))


async def test_a_run_that_asks_a_person_says_what_and_how_to_answer(place: Place) -> None:
    def ask(story: Story) -> int:
        run = story.starts(NOW)
        story.tries(run, "invoice", NOW, 0.1, Outcome.ASKED, next_at=NOW + timedelta(hours=1))
        story.tries(run, "stock", NOW, 0.1, Outcome.APPROVED, sentence="Dana said yes.")
        reason = "It waits for a person: invoice."
        assert runs.leave(story.rows, run, 1, RunState.HELD, now=NOW, held_for=runs.A_PERSON, reason=reason)
        return run

    text = words(await shown(place, f"/runs/{await place.write(ask)}"))

    assert "It waits for a person It waits for a person: invoice. 0 of 6 steps are done. Answer it under To-dos" in text
    assert "A person is asked, until 3:41 PM." in text
    assert "Dana said yes." in text and "try:" not in text


async def test_a_run_that_waits_as_its_flow_says_tells_until_when_and_what_was_only_noted(place: Place) -> None:
    def wait(story: Story) -> int:
        run = story.starts(NOW)
        due = NOW + timedelta(hours=2)
        story.tries(run, "invoice", NOW, 0.1, Outcome.WAITING, next_at=due)
        story.tries(run, "stock", NOW, 0.1, Outcome.NOTED, result='{"reason": "sale"}')
        assert runs.leave(story.rows, run, 1, RunState.WAITING, now=NOW, due_at=due, held_for=runs.ITS_TIME)
        return run

    text = words(await shown(place, f"/runs/{await place.write(wait)}"))

    assert "Waiting: it goes on at 4:41 PM" in text
    assert "As the flow says, it waits until 4:41 PM." in text
    assert "Not sent, only noted: the flow looks on. Reason sale" in text


async def test_a_run_that_a_later_event_ended_says_so(place: Place) -> None:
    def end(story: Story) -> int:
        run = story.starts(NOW)
        assert runs.leave(story.rows, run, 1, RunState.DONE, now=NOW, reason="It was ended by order.paid (event 7).")
        return run

    text = words(await shown(place, f"/runs/{await place.write(end)}"))

    assert "It was ended by order.paid (event 7)." in text and "Every action of this run" not in text


async def test_a_run_that_has_just_begun_shows_what_is_to_come(place: Place) -> None:
    run = await place.write(lambda story: story.starts(NOW))

    text = words(await shown(place, f"/runs/{run}"))

    assert "Under way" in text
    assert "Record that the invoice is paid Tidy Books sandbox Still to come, after invoice." in text


async def test_a_run_that_a_person_dismissed_says_why(place: Place) -> None:
    def tell(story: Story) -> int:
        run = story.dies(NOW)
        runs.give_up(story.rows, run, NOW, "The customer called it off.")
        return run

    run = await place.write(tell)

    assert "Set aside The customer called it off." in words(await shown(place, f"/runs/{run}"))


async def test_secrets_in_headers_are_hidden_even_from_the_developer(place: Place) -> None:
    run = await place.write(lambda story: story.done(NOW))

    page = await shown(place, f"/runs/{run}")

    assert "x-request-id: 1001" in page
    assert "x-signature: [hidden]" in page
    assert "s3cret" not in page


async def test_a_run_whose_payload_and_flow_are_gone_can_still_be_shown(place: Place) -> None:
    def tell(story: Story) -> int:
        run = story.dies(NOW)
        for table in ("payloads", "flow_versions"):
            story.rows.run(f"DELETE FROM {table}")  # noqa: S608
        story.rows.run("UPDATE events SET data = ''")
        story.rows.run("UPDATE runs SET flow = 'old_flow'")
        return run

    run = await place.write(tell)

    page = await shown(place, f"/runs/{run}")
    assert "Order 1001" in page
    assert words(page).count("It has been purged") == 2, "both the event's data and the delivery"
    assert "Order 1001" in await shown(place)


async def test_a_run_is_shown_with_the_flow_that_it_started_with(place: Place) -> None:
    def tell(story: Story) -> int:
        before = story.flow.source.replace("bench:", "shout:")
        run = story.done(NOW)
        versions.put_in_force(story.rows, story.flow.id, "0" * 12, before, NOW)
        story.rows.run("UPDATE runs SET flow_hash = :hash", {"hash": "0" * 12})
        return run

    run = await place.write(tell)
    page = await shown(place, f"/runs/{run}")

    assert '<th scope="row">shout</th>' in page


async def test_words_from_outside_are_text_and_never_markup(place: Place) -> None:
    def tell(story: Story) -> int:
        nasty: dict[str, Any] = {
            "number": NASTY,
            "customer": Customer(name=NASTY, email=NASTY),
            "lines": (line(name=NASTY),),
        }
        run = story.dies(NOW, sentence=NASTY, **nasty)
        row = exceptions.of_run(story.rows, run)[0]
        story.rows.run("UPDATE exceptions SET remedy = :it, detail = :it, cause = :it", {"it": NASTY})
        story.rows.run("UPDATE attempts SET detail = :it, cause = :it WHERE cause <> ''", {"it": NASTY})
        result = '{"number": "<b>", "url": "javascript:alert(1)"}'
        story.rows.run("UPDATE attempts SET result = :it WHERE action = 'invoice'", {"it": result})
        deliveries.count_refusals(story.rows, NOW.date(), {("shop", NASTY): 1})
        return row.run or 0

    run = await place.write(tell)

    for path in ("/", f"/runs/{run}", "/flows/order_to_cash"):
        page = await shown(place, path)
        assert str(escape(NASTY)) in page or "order_to_cash" in path

        assert "<script>" not in page
        assert "<img" not in page
        assert "javascript:" not in page
        assert "<b>" not in page


async def test_a_page_that_is_not_there_says_so_in_the_same_style(place: Place) -> None:
    for path in ("/nope", "/runs/999", "/runs/99999999999999999999", "/runs/x", "/flows/nope"):
        status, text, _ = await answer(place, path)

        assert status == 404, path
        assert "There is no such page" in text
        assert 'class="skip"' in text
    assert (await answer(place, "/static/0/desk.css"))[0] == 404


async def test_a_fault_is_told_without_its_details(place: Place) -> None:
    def spoil(rows: Rows) -> None:
        rows.run("ALTER TABLE exceptions RENAME TO secret_table")

    await place.ledger.write(spoil)

    status, text, _ = await answer(place, "/")

    assert status == 500
    assert "This page can’t be shown just now" in text
    assert not re.search(r"Traceback|sqlite|no such table|Error", text)


async def test_a_page_without_a_form_takes_none(place: Place) -> None:
    status, text, _ = await answer(place, "/", "POST")

    assert status == 405
    assert "The page doesn’t know what to do with this." in text


async def test_pages_take_nothing_from_elsewhere_and_hold_no_inline_script_or_style(place: Place) -> None:
    await place.ledger.write(a_day)

    for path in ("/", "/runs/1", "/runs/39", "/flows/order_to_cash", "/nope"):
        _, page, headers = await answer(place, path)
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cache-Control"] == "no-store"
        assert re.findall(r'(?:src|<link[^>]*href)="(?!/static/)', page) == []
        assert not re.search(r"<style|style=|<script>|\son\w+=", page)


async def test_static_files_may_be_kept_for_good_and_their_address_changes_with_them(place: Place) -> None:
    page = await shown(place)
    addresses = re.findall(r'"(/static/[^"]+)"', page)

    assert {address.rpartition("/")[2] for address in addresses} == {"desk.css", "desk.js", "icon.svg"}
    for address in addresses:
        status, _, headers = await answer(place, address)
        assert (status, headers["Cache-Control"]) == (200, "public, max-age=31536000, immutable")
        assert headers["X-Content-Type-Options"] == "nosniff"


async def test_without_flows_the_desk_still_shows_the_day(tmp_path: Path) -> None:
    async with open_desk(tmp_path, flows=[]) as place:
        await place.ledger.write(a_day)

        assert balance(await shown(place))["received"] == 45
        assert "order_to_cash" in await shown(place)
        assert the_flow().name not in await shown(place)


# Several processes


@pytest.fixture
def shared_url(ledgers: Ledgers) -> str:
    return ledgers.postgres()


@pytest.fixture
async def shared(tmp_path: Path, shared_url: str) -> AsyncIterator[Place]:
    """A desk on a ledger that several processes share."""
    async with open_desk(tmp_path, ledger_url=shared_url) as place:
        yield place


async def enter(place: Place, name: str, work: str, *, carrying: int = 0, ago: timedelta = timedelta()) -> None:
    def enter(rows: Rows) -> None:
        process = processes.enter(rows, name, work, "1.2", NOW - timedelta(hours=2))
        processes.stay(rows, process, carrying, NOW - ago)

    await place.ledger.write(enter)


async def test_the_processes_at_work_are_shown_and_none_that_has_gone(shared: Place) -> None:
    await enter(shared, "shed 11", "up --no-engine")
    await enter(shared, "attic 12", "worker", carrying=1007)
    await enter(shared, "loft 13", "up", carrying=3)
    await enter(shared, "cellar 14", "worker", ago=timedelta(minutes=1))
    text = words(await shown(shared))
    at_work = text[text.index("At work") :]
    assert "shed 11 takes in webhooks 12:41 PM 1.2 0" in at_work
    assert "attic 12 runs the flows 12:41 PM 1.2 1,007" in at_work
    assert "loft 13 takes in webhooks and runs the flows 12:41 PM 1.2 3" in at_work
    assert "cellar" not in text
    assert "All is well" in text and WORKER_MISSING not in text


@pytest.mark.parametrize("work", ["", "up --no-engine"])
async def test_when_none_of_them_runs_the_flows_it_is_said(shared: Place, work: str) -> None:
    if work:
        await enter(shared, "shed 11", work)
    text = words(await shown(shared))
    assert "1 thing to know" in text and WORKER_MISSING in text
    assert ("No process is at work on this ledger." in text) is (not work)
    await enter(shared, "attic 12", "worker")
    text = words(await shown(shared))
    assert "All is well" in text and WORKER_MISSING not in text


async def test_the_name_of_a_process_is_only_a_text(shared: Place) -> None:
    await enter(shared, NASTY, NASTY)
    page = await shown(shared)
    assert NASTY not in page and str(escape(NASTY)) in page


async def test_a_ledger_that_is_a_file_has_one_process_and_says_nothing_about_it(place: Place) -> None:
    await enter(place, "shed 11", "up --no-engine")
    text = words(await shown(place))
    assert "All is well" in text and "At work" not in text and "shed 11" not in text
