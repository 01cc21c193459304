"""What came in, what became of it, and sending it through again."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bellwire.ledger import deliveries, purge
from tests.desk.pages.test_run import submit
from tests.desk.story import NOW, Place, Story, open_desk
from tests.desk.test_pages import NASTY, answer, shown
from tests.desk.visiting import words


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with open_desk(tmp_path) as place:
        await place.write(tell)
        yield place


def tell(story: Story) -> None:
    """Deliveries 1 to 4, of which the last can't be read; events 1 to 3, of which the last starts nothing."""
    story.done(NOW - timedelta(days=2), copies=3)
    story.dies(NOW - timedelta(hours=1))
    story.unheard(NOW)
    story.unreadable(NOW)
    deliveries.count_refusals(story.rows, NOW.date(), {("shop", "signature-missing"): 1_203, ("", NASTY): 1})


async def test_the_list_says_in_words_what_became_of_each(place: Place) -> None:
    text = words(await shown(place, "/deliveries"))

    assert "Nov 22, 2:41 PM Corner Store sandbox Read Accepted and read. It came 3 times; the repeats" in text
    assert "Unreadable It isn’t an order." in text
    assert "1,203 without a signature Corner Store" in text


async def test_the_list_is_narrowed_by_connection_verdict_and_day(place: Place) -> None:
    async def count(query: str) -> int:
        return (await shown(place, f"/deliveries?{query}")).count('<th scope="row">')

    assert await count("") == await count("connection=shop") == 4
    assert await count("state=dead") == 1
    assert await count("connection=books") == await count("from=2026-11-25") == 0
    assert await count("from=2026-11-22&to=2026-11-22") == 1
    assert await count("state=nonsense&before=0&from=nonsense") == 4
    assert await count("before=3") == 2


async def test_a_delivery_shows_what_arrived_beside_what_it_means(place: Place) -> None:
    page = await shown(place, "/deliveries/1")

    assert "x-signature: [hidden]" in page and "s3cret" not in page
    text = words(page)
    assert "Read Accepted and read. It came 3 times" in text
    assert "Order 1001 order.paid" in text and '"number": "1001"' in text
    assert 'href="/events/1"' in page


async def test_a_delivery_that_cant_be_read_leads_to_its_exception(place: Place) -> None:
    page = await shown(place, "/deliveries/4")

    assert 'href="/exceptions/2"' in page and "It couldn’t be read" in page and "It became no event." in page


async def test_an_event_says_what_it_began_or_why_nothing(place: Place) -> None:
    assert "Order to cash Done" in words(await shown(place, "/events/1"))
    assert "Needs you Shelf Count has no product TEA-100." in words(await shown(place, "/events/2"))
    assert "It is a test order of a real shop: nothing is sent or booked for it." in words(
        await shown(place, "/events/3")
    )


async def test_an_event_is_sent_through_again_after_telling_what_will_be_done(place: Place) -> None:
    text = words(await shown(place, "/events/1"))
    told = text[text.index("This will be done:") :]
    assert "Tidy Books sandbox" in told and "House Mail sandbox" in told

    status, text, at = await submit(place, "/events/1", "/events/1/again", {"flow": "order_to_cash"})

    assert (status, at) == (200, "/runs/3") and "This run does all of it once more." in words(text)
    assert "(again)" in await shown(place, "/events/1")


async def test_what_has_been_purged_is_said_so_and_cannot_be_sent_through_again(place: Place) -> None:
    def empty(story: Story) -> None:
        purge.empty_events(story.rows, [1])
        purge.remove_payloads(story.rows, [1])

    await place.write(empty)

    text = words(await shown(place, "/events/1"))
    assert "so it can’t be sent through again" in text and text.count("It has been purged") == 2
    assert words(await shown(place, "/deliveries/1")).count("It has been purged") == 2
    status, text, _ = await submit(place, "/events/2", "/events/1/again", {})
    assert status == 400 and "its data was purged" in words(text)


async def test_what_is_not_there_is_not_found(place: Place) -> None:
    for path in ("/events/99", "/deliveries/99", "/events/99999999999999999999", "/deliveries/99999999999999999999"):
        assert (await answer(place, path))[0] == 404
    assert (await submit(place, "/events/2", "/events/99/again", {}))[0] == 404


async def test_what_arrived_is_text_and_never_markup(place: Place) -> None:
    await place.write(lambda story: story.rows.run("UPDATE payloads SET body = :it", {"it": NASTY.encode()}))
    await place.write(lambda story: story.rows.run("UPDATE deliveries SET reason = :it", {"it": NASTY}))

    for path in ("/deliveries", "/deliveries/1", "/events/1"):
        page = await shown(place, path)
        assert "<img" not in page and "<script>" not in page
