"""Help: the dictionary, to look through and to search; and the runbooks."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from markupsafe import escape

from bellwire.desk.pages.handbook import fitting
from bellwire.events import DICTIONARY
from bellwire.flows import dictionary
from tests.desk.story import Place, open_desk
from tests.desk.test_pages import NASTY, answer, shown
from tests.desk.visiting import words


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with open_desk(tmp_path) as place:
        yield place


async def test_help_leads_to_the_runbooks_and_the_dictionary(place: Place) -> None:
    page = await shown(place, "/help")
    assert 'href="/help/runbooks/order_to_cash"' in page and 'action="/help/dictionary"' in page


async def test_the_dictionary_has_every_event_and_every_link_leads_somewhere(place: Place) -> None:
    page = await shown(place, "/help/dictionary")
    anchors = set(re.findall(r' id="([^"]+)"', page))
    assert set(DICTIONARY) <= anchors
    assert {link for link in re.findall(r'href="#([^"]+)"', page) if link != "main"} <= anchors
    assert "email text Where to write to the customer" in words(page)


async def test_a_search_finds_events_data_and_fields_by_all_their_words(place: Place) -> None:
    text = words(await shown(place, "/help/dictionary?q=tracking+number"))
    assert "tracking_number" in text or "racking" in text
    assert "order.paid" not in text
    page = await shown(place, "/help/dictionary?q=Refund")
    assert 'id="order.refunded"' in page and 'id="refund"' in page
    assert re.findall(r'href="#(?!main)', page) == [], "what isn't on this page is looked for on the whole one"
    nothing = await shown(place, "/help/dictionary?q=" + NASTY.replace("<", "%3C").replace("&", "%26"))
    assert "Nothing has" in nothing and str(escape(NASTY)) in nothing


def test_searching_keeps_the_fields_that_fit_and_all_of_what_fits_itself() -> None:
    whole = dictionary()
    assert fitting(whole, "") == whole
    found = {entry.name: entry for entry in fitting(whole, "sku").data}
    assert {field.name for field in found["Line"].fields} < {
        field.name for entry in whole.data if entry.name == "Line" for field in entry.fields
    }
    assert not fitting(whole, "sku nosuchword").data


async def test_a_runbook_says_what_the_command_says_and_where_on_the_desk_it_is_done(place: Place) -> None:
    text = words(await shown(place, "/help/runbooks/order_to_cash"))
    for told in (
        "Runbook: Order to cash",
        "Dana, dana@example.com",
        "A run is done within 2 min.",
        "bench : Post a message to the team, in Team Chat. After label.",
        "it is switched to people: the page that switches it does that.",
        "Channel: The channel's name",
    ):
        assert told in text, told
    assert (await answer(place, "/help/runbooks/nope"))[0] == 404
