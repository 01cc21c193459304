"""Finding a run, and reading where it is."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest

from bellwire.events import Customer
from bellwire.ledger import RunState, runs
from tests.desk.story import NOW, Place, Story, open_desk
from tests.desk.test_pages import NASTY, shown
from tests.desk.visiting import words
from tests.samples import usd

ROBIN = Customer(name="Robin Hill", email="robin@example.com")
ADA = Customer(name="Ada Meyer", email="ada@example.com")


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with open_desk(tmp_path) as place:
        await place.write(tell)
        yield place


def tell(story: Story) -> None:
    """Runs 1 to 4, orders 1001 to 1004; and order 1005, which starts none."""
    story.done(NOW - timedelta(days=2), customer=ADA, total=usd("61.00"))
    story.dies(NOW - timedelta(hours=1), customer=ROBIN, total=usd("24.40"))
    story.waits(NOW, NOW + timedelta(minutes=4), customer=ROBIN, total=usd("17.00"))
    story.starts(NOW, customer=ADA, total=usd("39.90"))
    story.unheard(NOW, customer=Customer(name="Sam Okafor"))


async def led(place: Place, path: str) -> str:
    """Where it leads to; empty when it is a page."""
    async with aiohttp.ClientSession() as session, session.get(place.url + path, allow_redirects=False) as got:
        return got.headers.get("Location", "")


@pytest.mark.parametrize("text", ["1002", "%231002", "24.40", "+1002+"])
async def test_what_has_one_answer_leads_straight_to_it(place: Place, text: str) -> None:
    assert await led(place, f"/runs?q={text}") == "/runs/2"
    assert "It needs you" in words(await shown(place, f"/runs?q={text}"))


async def test_an_order_for_which_nothing_was_started_leads_to_what_came_in(place: Place) -> None:
    assert await led(place, "/runs?q=1005") == "/events/5"

    def another(story: Story) -> None:
        story.number = 2000
        story.unheard(NOW, customer=Customer(name="Sam Okafor"))

    await place.write(another)
    text = words(await shown(place, "/runs?q=Okafor"))
    assert "It came in, and nothing was done about it Order 2001" in text
    assert "2:41 PM : It is a test order of a real shop" in text


async def test_several_answers_are_a_list_that_says_of_each_where_it_is(place: Place) -> None:
    assert await led(place, "/runs?q=robin") == ""

    text = words(await shown(place, "/runs?q=robin"))

    assert "Order 1002" in text and "Order 1003" in text and "Order 1001" not in text
    assert "Needs you Shelf Count has no product TEA-100." in text
    assert "Waiting It goes on by itself at 2:45 PM." in text


async def test_the_list_says_of_every_state_where_it_is(place: Place) -> None:
    text = words(await shown(place, "/runs"))

    assert "Done Everything was done by Nov 22, 2:41 PM." in text
    assert "Under way It is being worked on." in text


async def test_flow_state_and_days_are_chosen_together(place: Place) -> None:
    text = words(await shown(place, "/runs?state=done&flow=order_to_cash&from=2026-11-22&to=2026-11-22"))
    assert "Order 1001" in text and "Order 1002" not in text

    assert "No run fits." in words(await shown(place, "/runs?state=done&from=2026-11-23"))
    assert "Order 1001" in words(await shown(place, "/runs?state=nonsense&from=x&before=y"))


async def test_a_long_list_goes_on_page_by_page(place: Place) -> None:
    def more(story: Story) -> None:
        story.number = 2000
        for _ in range(60):
            story.done(NOW)

    await place.write(more)

    page = await shown(place, "/runs?state=done")
    assert page.count('<th scope="row">') == 50
    address = page[page.index('href="/runs?state=done&amp;before=') + 6 :].partition('"')[0].replace("&amp;", "&")
    assert (await shown(place, address)).count('<th scope="row">') == 11


async def test_what_nobody_knows_is_said_so_and_is_only_text(place: Place) -> None:
    page = await shown(place, "/runs?q=%3Cscript%3Ealert(1)%3C/script%3E")

    assert "Nothing is known of" in page and "<script>alert" not in page


async def test_an_order_that_was_sent_again_is_marked(place: Place) -> None:
    def again(story: Story) -> None:
        flow = story.flow
        runs.start(
            story.rows, 1, flow.id, flow.hash, subject="s", received_at=NOW, now=NOW, state=RunState.WAITING, nonce="n"
        )

    await place.write(again)

    text = words(await shown(place, "/runs?q=1001"))
    assert "Order 1001 (again)" in text and text.count("Order 1001") == 2


async def test_an_order_with_a_nasty_name_is_text(place: Place) -> None:
    await place.write(lambda story: Story(story.rows, number=2000).done(NOW, customer=Customer(name=NASTY)))

    assert "<img" not in await shown(place, "/runs")
