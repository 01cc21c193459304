"""Every page is held to what axe finds (https://github.com/dequelabs/axe-core), on a laptop and on a phone, light and
dark: as it is listed in `Desk.all_pages()`."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page

from bellwire.access import Role
from tests.desk.callers import address, pages_of, somebody
from tests.desk.story import a_day, open_desk
from tests.desk.test_browser import LAPTOP, PHONE, browser, pytestmark, state_of, window

__all__ = ["browser", "pytestmark"]

FADING = """document.getAnimations().forEach((animation) => animation.finish())"""
OPENED = """document.querySelectorAll("details").forEach((details) => { details.open = true; })"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def addresses(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[list[str]]:
    """Of everything that there is to see: what needs signing in, signing in itself, and pages that say no."""
    async with (
        open_desk(tmp_path_factory.mktemp("desk"), business="Hill & Leaf Tea") as place,
        open_desk(tmp_path_factory.mktemp("signing-in")) as with_people,
    ):
        await place.ledger.write(a_day)
        await with_people.ledger.write(lambda rows: somebody(rows, "dana", Role.OWNER))
        yield [
            *(place.url + address(page.path) for page in pages_of(place, "GET")),
            *[f"{place.url}/runs/{await state_of(place, state)}" for state in ("dead", "waiting", "running")],
            f"{with_people.url}/sign-in",
        ]


async def wrong(page: Page, **options: object) -> str:
    found = await Axe().run(page, options={"resultTypes": ["violations"], **options})
    return found.generate_report() if found.violations_count else ""


@pytest.mark.parametrize(("width", "first", "then"), [(LAPTOP, "light", "dark"), (PHONE, "dark", "light")])
async def test_axe_finds_nothing_wrong_with_any_page(
    browser: Browser, addresses: list[str], width: int, first: str, then: str
) -> None:
    """Of the rules, those for colours depend on the scheme."""
    assert len(addresses) > 5
    async with window(browser, width=width, scheme=first) as opened:
        for address in addresses:
            await opened.page.emulate_media(color_scheme="dark" if first == "dark" else "light")
            await opened.page.goto(address)
            await opened.page.evaluate(OPENED)
            await opened.page.evaluate(FADING)
            assert await wrong(opened.page) == "", address
            assert await opened.page.evaluate("document.documentElement.scrollWidth") <= width, address
            await opened.page.emulate_media(color_scheme="dark" if then == "dark" else "light")
            await opened.page.evaluate(FADING)
            assert await wrong(opened.page, runOnly=["color-contrast"]) == "", address
        assert [each for each in opened.complaints if "404" not in each] == []
