"""Every page is held to what axe finds (https://github.com/dequelabs/axe-core), on a laptop and on a phone, light and
dark: as it is listed in `Desk.all_pages()`."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page

from bellwire.access import Role
from tests.desk.addresses import address, is_page
from tests.desk.callers import Guest, furnish, pages_of, somebody
from tests.desk.story import Place, open_desk
from tests.desk.test_browser import LAPTOP, PHONE, browser, pytestmark, state_of, window
from tests.desk.vendors import OLD, at_vendors

__all__ = ["browser", "pytestmark"]

FADING = """document.getAnimations().forEach((animation) => animation.finish())"""
HERE: Any = {"domain": "127.0.0.1", "path": "/"}
OPENED = """document.querySelectorAll("details").forEach((details) => { details.open = true; })"""


@dataclass(frozen=True)
class Sights:
    """Addresses, and what the browser of somebody who is signed in keeps: the desks that don't know it show what they
    show to strangers."""

    addresses: Sequence[str]
    secret: str


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sights(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sights]:
    """Everything that there is to see: what needs signing in, signing in itself, and pages that say no."""
    folder = tmp_path_factory.mktemp
    async with (
        open_desk(folder("desk"), business="Hill & Leaf Tea", editing=True) as place,
        open_desk(folder("empty")) as empty,
        open_desk(folder("signing-in")) as with_people,
        at_vendors(folder("vendors"), webhook_secret=OLD) as (at_vendor, _, _),
    ):
        await furnish(place)
        _, secret = await place.ledger.write(lambda rows: somebody(rows, "dana", Role.OWNER))
        await with_people.ledger.write(lambda rows: somebody(rows, "sam", Role.OWNER))
        yield Sights(
            [
                *[address async for address in shown(place, secret)],
                *[f"{place.url}/runs/{await state_of(place, state)}" for state in ("dead", "waiting", "running")],
                f"{place.url}/exceptions?cause=unknown-sku&connection=stock",
                f"{place.url}/exceptions?state=closed",
                *(f"{empty.url}{path}" for path in ("/", "/setup", "/runs", "/exceptions", "/asks")),
                f"{with_people.url}/sign-in",
                *(f"{at_vendor.url}/connections/site{path}" for path in ("", "/credentials", "/rotate", "/first")),
            ],
            secret,
        )


async def shown(place: Place, secret: str) -> AsyncIterator[str]:
    """The addresses of the pages."""
    async with Guest("dana", secret=secret).window(place) as window:
        for page in pages_of(place, "GET"):
            if is_page(await window.get(address(page.path))):
                yield place.url + address(page.path)


async def wrong(page: Page, **options: object) -> str:
    found = await Axe().run(page, options={"resultTypes": ["violations"], **options})
    return found.generate_report() if found.violations_count else ""


@pytest.mark.parametrize(("width", "first", "then"), [(LAPTOP, "light", "dark"), (PHONE, "dark", "light")])
async def test_axe_finds_nothing_wrong_with_any_page(
    browser: Browser, sights: Sights, width: int, first: str, then: str
) -> None:
    """Of the rules, those for colours depend on the scheme."""
    assert len(sights.addresses) > 40
    found: dict[str, str] = {}
    async with window(browser, width=width, scheme=first) as opened:
        await opened.page.context.add_cookies([{"name": "bellwire_session", "value": sights.secret} | HERE])
        for address in sights.addresses:
            await opened.page.emulate_media(color_scheme="dark" if first == "dark" else "light")
            await opened.page.goto(address)
            await opened.page.evaluate(OPENED)
            await opened.page.evaluate(FADING)
            found[address] = await wrong(opened.page)
            if await opened.page.evaluate("document.documentElement.scrollWidth") > width:
                found[address] += "It is wider than the screen."
            await opened.page.emulate_media(color_scheme="dark" if then == "dark" else "light")
            await opened.page.evaluate(FADING)
            found[address] += await wrong(opened.page, runOnly=["color-contrast"])
        assert {address: text for address, text in found.items() if text} == {}
        answers = ("status of 404", "status of 400")  # Of pages that say no.
        assert [each for each in opened.complaints if not any(answer in each for answer in answers)] == []
