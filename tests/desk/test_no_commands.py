"""No page names a command where somebody looks who has never used a terminal. Developers have places of their own."""

import re
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest

from bellwire.access import Role
from bellwire.desk.connections import Checked
from bellwire.events import Environment
from bellwire.ledger import HealthRow, Rows, Trouble, alerts, checks, health
from bellwire.watch import REMEDY
from bellwire.watch.finding import Finding, Level
from tests.desk.callers import Guest, furnish, somebody
from tests.desk.story import NOW, Place, Story, open_desk
from tests.desk.test_every_page import shown
from tests.desk.vendors import OLD, at_vendors

COMMAND = re.compile(r"\bbellwire (?!is\b)[a-z][\w-]*|\bpip install\b|scripts/setup")
DEVELOPERS = "Details for your developer"


class Seen(HTMLParser):
    """What a page shows, without what is there for developers: whatever is marked so, and the details at the end."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""
        self.developers = ""
        self._open: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("input", "meta", "link", "br", "img", "path", "circle", "line", "rect", "polyline"):
            inside = bool(self._open and self._open[-1][1]) or "developer" in (dict(attrs).get("class") or "").split()
            self._open.append((tag, inside))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if data.strip() == DEVELOPERS:
            assert [tag for tag, _ in self._open[-2:]] == ["details", "summary"]
            self._open[-2] = ("details", True)
        if self._open and self._open[-1][1]:
            self.developers += data
        else:
            self.text += data


def trouble(rows: Rows) -> None:
    """All kinds of texts that have commands: remedies, alerts, a system that is out of order."""
    story = Story(rows, number=3000)
    for number, remedy in enumerate(
        (
            'Add it there, or run `bellwire records map stock product TEA "Item name or id"`, then send it again.',
            "Give the app the scopes that `bellwire check` names.",
            "Run `bellwire something-of-a-connector-of-your-own`.",
        )
    ):
        story.dies(NOW - timedelta(minutes=3 + number), remedy=remedy, cause=f"trouble-{number}")
    why = "It has no api_key. `bellwire secrets set books api_key` takes it."
    health.set_out(rows, HealthRow("books", Trouble.SIGNED_OUT, why, 1, NOW, None))
    text = "Make a new one; `bellwire secrets set books api_key` takes it. `bellwire alert list` shows it."
    alerts.open_one(rows, "disk", "It is old", text, opened_at=NOW, next_at=NOW)


async def told(place: Place) -> dict[str, Seen]:
    _, secret = await place.ledger.write(lambda rows: somebody(rows, "dana", Role.OWNER))
    seen = {}
    async with Guest("dana", secret=secret).window(place) as window:
        async for address, _ in shown(place, secret):
            path = address.removeprefix(place.url)
            seen[path] = Seen()
            seen[path].feed((await window.get(path)).text)
    return seen


def commands(pages: dict[str, Seen]) -> dict[str, list[str]]:
    found = {path: COMMAND.findall(page.text) for path, page in pages.items()}
    return {path: each for path, each in found.items() if each}


async def test_no_page_of_the_desk_shows_a_command_but_to_developers(tmp_path: Path) -> None:
    async with open_desk(tmp_path, environment=Environment.PRODUCTION, editing=True) as place:
        await furnish(place)
        await place.ledger.write(trouble)
        finding = Finding(Level.ERROR, "shop", "It isn't well.", "`bellwire connect shop` has them sent.")
        await place.ledger.write(lambda rows: checks.put(rows, Checked(NOW, [finding]).row("shop")))
        pages = await told(place)

        assert len(pages) > 35
        assert commands(pages) == {}
        assert "The page of shop has them sent." in pages["/connections/shop"].text
        assert "the credentials page of books takes it. The page Alerts shows it." in pages["/"].text
        assert "bellwire todo show 1" in pages["/asks/1"].developers


async def test_nor_do_the_pages_to_put_a_connection_right(tmp_path: Path) -> None:
    async with at_vendors(tmp_path, webhook_secret=OLD) as (place, _, _):
        pages = await told(place)
        assert "/connections" in pages and commands(pages) == {}


@pytest.mark.parametrize("path", ["/setup", "/sign-in", "/settings/alerts/test", "/runs/99999"])
async def test_nor_what_strangers_see_nor_what_cant_be_done(tmp_path: Path, path: str) -> None:
    async with open_desk(tmp_path) as place, Guest("near", secret="n" * 43).window(place) as window:
        if path == "/sign-in":
            await place.ledger.write(lambda rows: somebody(rows, "dana", Role.OWNER))
        form = {"form_token": Guest("near", secret="n" * 43).form_token}
        page = Seen()
        page.feed((await (window.post(path, data=form) if path.endswith("test") else window.get(path))).text)

        assert page.text and COMMAND.findall(page.text) == []
        assert not path.endswith("test") or REMEDY not in page.text
